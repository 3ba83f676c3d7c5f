// Who is who and who may what: tokens, grants, and the one function that decides. Owns tokens, grants,
// group_members, attributes, policy_files, policy_epoch.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "model/access.h"
#include "model/policy/policies.h"
#include "model/policy/restriction.h"

namespace weft::access {

std::span<const store::Migration> Migrations();

struct Token {
  std::string id;  // "tok_…": names it in lists and the ledger.
  std::string principal;
  std::string name;  // What it is for.
  bool administrator = false;
  Instant created_at;
  std::optional<Instant> expires_at;
  std::optional<Instant> revoked_at;
  std::optional<Instant> last_used_at;
  model::Limits limits;
};
struct NewToken {
  Token token;
  std::string secret;  // "weft_…": shown once; the store has its hash.
};
Result<NewToken> CreateToken(store::Txn& txn, Clock& clock, const std::string& principal, const std::string& name,
                             bool administrator, std::optional<Instant> expires_at, const model::Limits& limits = {});
// kNotFound where there is none; revoking again changes nothing.
Status RevokeToken(store::Txn& txn, Clock& clock, const std::string& id);
// Forgets those of names like the pattern ("signed in by %"), which ended before; the ledger still tells of them.
Status ForgetTokens(store::Txn& txn, const std::string& pattern, Instant before);
Result<std::vector<Token>> Tokens(store::Txn& txn, const std::string& principal = "");
// When tokens were last used, by id.
Status PutUses(store::Txn& txn, const std::map<std::string, Instant>& uses);

// The principal behind a secret, with its groups. kUnauthenticated: unknown, expired or revoked, without saying which
// to those who do not hold it.
struct Identity {
  model::Principal principal;
  std::string token_id;
  std::optional<Instant> expires_at;
};
Result<Identity> Authenticate(store::Txn& txn, Clock& clock, const std::string& secret);
// kUnauthenticated once the token of this id has expired or been revoked; of no other token anything is known.
Status CheckToken(store::Txn& txn, Clock& clock, const std::string& id);
// A person's name: without a kind before it.
bool IsPlainName(std::string_view name);
// A principal by name, with its groups of mesh.yaml; products' own service principals are "product:DOMAIN/PRODUCT".
Result<model::Principal> PrincipalOf(store::Txn& txn, const std::string& name);
// Whom an identity provider vouches for: a person, never an administrator, a member of the groups of mesh.yaml that
// list the name, or "claim:VALUE" with one of `claimed`. kUnauthenticated where this mesh has no principals of such a
// name.
Result<model::Principal> ForeignPrincipal(store::Txn& txn, const std::string& name,
                                          const std::vector<std::string>& claimed);

// The groups of a principal that an identity provider's claims gave it, and mesh.yaml does not by its name.
Result<std::vector<std::string>> Vouched(store::Txn& txn, const model::Principal& principal);
// The principal as it is now: groups and attributes as mesh.yaml has them, and of the groups that were vouched for
// those that it still gives for a claim. What came with the token stays.
Result<model::Principal> Anew(store::Txn& txn, const model::Principal& principal,
                              const std::vector<std::string>& vouched);

// Whether a name ("ana" or "group:ops"), of a grant or an owner, speaks of the principal.
bool Covers(const std::string& name, const model::Principal& principal);

// Replaces the members of every group: what mesh.yaml says, put by whoever applies it, in the same transaction.
Status PutGroups(store::Txn& txn, const std::map<std::string, std::vector<std::string>>& groups);

// Who stands in a group of mesh.yaml: principals, and "claim:VALUE".
Result<std::vector<std::string>> Members(store::Txn& txn, const std::string& group);

// Why one asks: empty, or a slug that is written the same in requests and in grants, and one of the mesh's purposes
// where it declares any. kInvalid where it is neither, with the nearest name.
Status CheckPurpose(store::Txn& txn, const std::string& purpose);

// What a principal's policies ask of it, by mesh.yaml: replaces everybody's, in the same transaction as the groups.
Status PutAttributes(store::Txn& txn,
                     const std::map<std::string, std::map<std::string, std::vector<std::string>>>& attributes);

// Adds the files, or replaces those of the same path; in force with the transaction, as a whole.
Status PutPolicies(store::Txn& txn, Clock& clock, const std::vector<model::PolicyFile>& files,
                   const std::string& principal);
// All that are in force. An error where they cannot be compiled: then nothing is decided.
Result<std::shared_ptr<const model::Policies>> PoliciesOf(store::Txn& txn);

struct Grant {
  std::string id;
  std::string principal;  // Or "group:NAME".
  model::PortKey port;
  std::string purpose;  // Empty: any.
  std::optional<Instant> until;
  std::string granted_by;
  Instant granted_at;
  std::vector<std::string> columns = {};  // Sorted; none: all.
  int64_t remind_s = 14 * 86'400;         // Its end is told so long before; of a short one in its last half.
  std::string request = {};               // That it follows from; empty: none.

  std::optional<Instant> remind_at() const;
};
// kInvalid where it could not be given: columns that the port lacks, a purpose that the mesh does not know, or that is
// incompatible with the product's own or with that of another grant on the port which the same people hold.
Status CheckGrant(store::Txn& txn, Clock& clock, const Grant& grant, const model::Resource& resource);
// What CheckGrant refuses is refused. The same grant (principal, port, purpose, columns) again changes the rest. `id`
// and `granted_at` are given here.
Result<Grant> PutGrant(store::Txn& txn, Clock& clock, const Grant& grant, const model::Resource& resource);
// How many grants ended.
Result<int> Revoke(store::Txn& txn, Clock& clock, const std::string& principal, const model::PortKey& port);
// Those on the port (null: on any) to one of `holders` ("ana", "group:ops"; nothing: to whomever).
Result<std::vector<Grant>> Grants(store::Txn& txn, const model::PortKey* port,
                                  std::optional<std::vector<std::string>> holders);
// Those whose end is near and of which nobody was told yet.
Result<std::vector<Grant>> Ending(store::Txn& txn, Clock& clock);
Status MarkTold(store::Txn& txn, const Grant& grant);

// The command that asks for access in the principal's name. `columns`: those that are asked for; none: all.
std::string RequestLine(const model::Principal& principal, const model::Resource& resource, const std::string& purpose,
                        const std::vector<std::string>& columns = {});
// The same for each column of the table that grants on some columns leave out, by its name in lower case.
std::map<std::string, std::string> AskFor(const model::Principal& principal, const model::Resource& resource,
                                          const std::string& purpose, const model::TableSchema& table,
                                          const model::Restriction* restriction);

// Deny by default. Every principal browses; whatever else one may, one may by a role (model/roles.h), of which owners,
// stewards and engineers have theirs in the resource's team, and consumers by grant. What may be read the policies
// allow, deny and restrict, for whomever. What the token that the principal came with is limited to holds before all of
// it. Whoever asks for a purpose reads no product whose own excludes it. Everybody asks for access, and who approves it
// its chain says. A denial is a value, not an error.
Result<model::Decision> Decide(store::Txn& txn, Clock& clock, const model::Principal& principal, model::Action action,
                               const model::Resource& resource, const std::string& purpose);
// The same for whoever came with a request.
Result<model::Decision> Decide(store::Txn& txn, Clock& clock, const model::Caller& caller, model::Action action,
                               const model::Resource& resource);
// While it lives: which actions are asked for callers on its thread. What a door's table says of a request is held
// against it.
class Asked {
 public:
  Asked();
  ~Asked();
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;
  unsigned actions() const { return actions_; }  // A bit of each.
  static void Note(model::Action action);

 private:
  Asked* const outer_;
  unsigned actions_ = 0;
};

// The same of kRead by values alone, whatever is in force: what a plan compares. `grants`: those on the port, at least
// all that are the principal's.
model::Decision DecideRead(std::span<const Grant> grants, const model::Principal& principal,
                           const model::Resource& resource, const std::string& purpose, Instant now,
                           const model::Policies& policies);

// Whether a member or holder is one by name: neither a group nor "claim:VALUE", which an identity provider speaks for.
bool IsPrincipal(std::string_view member);

// Everybody whom the mesh knows by name: holders of tokens and grants, members of groups.
Result<std::vector<std::string>> KnownPrincipals(store::Txn& txn);

}  // namespace weft::access
