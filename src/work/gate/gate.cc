#include "work/gate/gate.h"

#include <fmt/format.h>

#include <charconv>

#include "base/text.h"
#include "state/access/access.h"
#include "state/catalog/catalog.h"

namespace weft::gate {
namespace {

// "the mesh" is no address.
std::string AddressOf(const model::Resource& resource) { return resource.domain.empty() ? "" : resource.Text(); }

Error ErrorOf(const model::Caller& caller, model::Action action, const model::Resource& resource,
              const model::Decision& decision) {
  const std::string who = caller.principal.name.empty() ? "nobody" : caller.principal.name;
  return {Code::kDenied,
          fmt::format("{} may not {} {}: {}", who, model::ActionName(action), resource.Text(), decision.Why())};
}

Status CheckPurpose(store::Txn& txn, const std::string& purpose) {
  Status known = access::CheckPurpose(txn, purpose);
  return known ? std::move(known) : Status(known.TakeError().With("header x-weft-purpose"));
}

}  // namespace

Result<model::Caller> Gate::Authenticate(std::string_view secret, std::string purpose, std::string door,
                                         std::string peer) {
  if (token::LooksLikeJwt(secret)) {
    model::Caller caller = TRY(AuthenticateJwt(secret));
    auto txn = TRY(store_.Read());
    TRY(CheckPurpose(*txn, purpose));
    caller.purpose = std::move(purpose);
    caller.door = std::move(door);
    caller.peer = std::move(peer);
    return caller;
  }
  auto txn = TRY(store_.Read());
  access::Identity identity = TRY(access::Authenticate(*txn, clock_, std::string(secret)));
  TRY(CheckPurpose(*txn, purpose));
  txn.reset();
  {
    std::lock_guard lock(mutex_);
    uses_[identity.token_id] = clock_.Now();
  }
  return model::Caller{std::move(identity.principal), std::move(purpose), std::move(door), std::move(peer),
                       std::move(identity.token_id),  identity.expires_at};
}

Status Gate::CheckEnvironment(std::string_view wanted) {
  if (wanted.empty()) return {};
  auto txn = TRY(store_.Read());
  const std::string own = TRY(catalog::EnvironmentOf(*txn));
  if (own == wanted) return {};
  if (own.empty()) {
    return Error{Code::kConflict,
                 fmt::format("this node is of no environment, and you asked for '{0}'; nothing was done. Leave out "
                             "--env, or let its administrator start it with --environment {0}",
                             wanted)};
  }
  return Error{Code::kConflict, fmt::format("this node is '{}', and you asked for '{}'; nothing was done. Ask the node "
                                            "of '{}': mesh.yaml says where it is, or --node",
                                            own, wanted, wanted)};
}

std::optional<Instant> Gate::LastUse(const std::string& token_id) const {
  std::lock_guard lock(mutex_);
  auto found = uses_.find(token_id);
  return found == uses_.end() ? std::nullopt : std::optional(found->second);
}

Status Gate::WriteUses() {
  std::map<std::string, Instant> uses;
  {
    std::lock_guard lock(mutex_);
    uses.swap(uses_);
  }
  if (uses.empty()) return {};
  auto txn = TRY(store_.Begin());
  TRY(access::PutUses(*txn, uses));
  return txn->Commit();
}

Result<model::Decision> Gate::Decide(const model::Caller& caller, model::Action action,
                                     const model::Resource& resource) {
  model::Decision decision;
  {
    auto txn = TRY(store_.Read());
    decision = TRY(access::Decide(*txn, clock_, caller, action, resource));
  }
  if (decision.permitted) return decision;
  TRY(ledger_.Deny(ledger::Denial(caller, action, AddressOf(resource), decision.reasons)));
  return ErrorOf(caller, action, resource, decision);
}

Result<model::Decision> Gate::Decide(store::Txn& txn, const model::Caller& caller, model::Action action,
                                     const model::Resource& resource) {
  model::Decision decision = TRY(access::Decide(txn, clock_, caller, action, resource));
  if (decision.permitted) return decision;
  TRY(ledger_.DenySoon(ledger::Denial(caller, action, AddressOf(resource), decision.reasons)));
  return ErrorOf(caller, action, resource, decision);
}

Result<model::Decision> Gate::Ask(store::Txn& txn, const model::Caller& caller, model::Action action,
                                  const model::Resource& resource) const {
  return access::Decide(txn, clock_, caller, action, resource);
}

std::string BearerOf(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (Lower(authorization.substr(0, kScheme.size())) != kScheme) return "";
  return std::string(Trim(authorization.substr(kScheme.size())));
}

bool IsShort(const http::Request& request) {
  const std::string length = request.Header("content-length");
  size_t bytes = 0;
  auto [end, failure] = std::from_chars(length.data(), length.data() + length.size(), bytes);
  return failure == std::errc() && !length.empty() && end == length.data() + length.size() && bytes <= kOpenBodyLimit;
}

bool Match(std::string_view pattern, http::Request& request) {
  std::map<std::string, std::string> captures;
  std::string_view path = request.path;
  while (!pattern.empty()) {
    if (pattern[0] != '{') {
      const size_t plain = std::min(pattern.find('{'), pattern.size());
      if (!path.starts_with(pattern.substr(0, plain))) return false;
      path.remove_prefix(plain);
      pattern.remove_prefix(plain);
      continue;
    }
    const size_t close = pattern.find('}');
    std::string_view name = pattern.substr(1, close - 1);
    const bool rest = name.ends_with('*');
    if (rest) name.remove_suffix(1);
    const size_t end = rest ? path.size() : std::min(path.find('/'), path.size());
    if (end == 0) return false;
    captures[std::string(name)] = path.substr(0, end);
    path.remove_prefix(end);
    pattern.remove_prefix(close + 1);
  }
  if (!path.empty()) return false;
  request.captures = std::move(captures);
  return true;
}

}  // namespace weft::gate
