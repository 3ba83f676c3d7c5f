// What the store holds and must not tell: values sealed under the node's key, which is not in the store.
// Owns sealed, entity_keys.
#pragma once

#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "drivers/store/store.h"

namespace weft::secrets {

std::span<const store::Migration> Migrations();

// What a sealed value is: part of what it is sealed as, so that rows cannot be exchanged.
struct Name {
  std::string kind;   // "secret": a domain's, for its sources.
  std::string scope;  // The domain.
  std::string name;
};

struct Listed {
  Name name;
  std::string put_by;
  Instant put_at;
  std::vector<std::string> hosts;  // Where alone it may be sent; none: wherever its domain's sources say.
};

// A slug, as other names are.
Status CheckName(const std::string& name);
// Of one kind, and of one scope unless that is empty.
Result<std::vector<Listed>> List(store::Txn& txn, const std::string& kind, const std::string& scope = "");
// From now on it goes to these hosts alone: names, or *.example.com. kInvalid for what is neither. A value that is put
// anew stays bound; to set it free it is removed and put again.
Status BindToHosts(store::Txn& txn, const Name& name, const std::vector<std::string>& hosts);
// kDenied where it is bound, and not to this host.
Status MaySendTo(store::Txn& txn, const Name& name, const std::string& host);
// kNotFound where there is none. Purge, after the commit, takes what was sealed out of the store's files too.
Status Remove(store::Txn& txn, const Name& name);
Status Purge(store::Store& store);  // As Store::Purge, of all that is sealed.

// Seals and opens with the key in a file beside the store. Thread-safe.
class Vault {
 public:
  explicit Vault(std::string key_file) : file_(std::move(key_file)) {}

  // Adds the value or replaces it, the old one overwritten as by Remove. The key's file is made where nothing has been
  // sealed yet.
  Status Put(store::Txn& txn, Clock& clock, const Name& name, std::string_view value, const std::string& principal);
  // kNotFound where there is none; kUnavailable where the key is missing or another one: nothing is opened then.
  Result<Secret> Get(store::Txn& txn, const Name& name);

  // Seals every value anew under a new key; the answer says how many. Until Resealed, which follows the commit, the
  // file has the old key as well: whichever way the transaction ends, every value can be opened.
  Result<int> Reseal(store::Txn& txn);
  // Drops the keys under which nothing is sealed any more. It takes the writer's turn, so that no resealing is under
  // way whose values would need them.
  Status Resealed(store::Store& store);

 private:
  Status Read();
  Status Write(std::vector<Secret> keys);
  Result<const Secret*> Find(const std::string& key_id);
  Result<const Secret*> Current(store::Txn& txn);
  Result<Secret> Open(const std::string& key_id, const std::string& sealed, const Name& name);

  const std::string file_;
  std::mutex mutex_;
  std::vector<Secret> keys_;  // The first seals; guarded by mutex_.
};

}  // namespace weft::secrets
