#include <fmt/format.h>

#include <set>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "state/secrets/secrets.h"

namespace weft::secrets {
namespace {

constexpr std::string_view kHead = "weft seal key, version 1. Without it what the store has sealed is lost.";
constexpr size_t kMostBytes = 4096;

std::string AboutOf(const Name& name) {
  return fmt::format("weft sealed value\n{} {}{} {}{} {}", name.kind.size(), name.kind, name.scope.size(), name.scope,
                     name.name.size(), name.name);
}

std::string Ids(const std::vector<Secret>& keys) {
  std::vector<std::string> ids;
  for (const Secret& key : keys) ids.push_back(KeyId(key));
  return Join(ids, " and ");
}

}  // namespace

// Called with mutex_ held; so are the next two. No file is no key.
Status Vault::Read() {
  if (!keys_.empty()) return {};
  std::error_code ignored;
  if (!fs::exists(file_, ignored)) return {};
  const Error broken{Code::kUnavailable, fmt::format("{} is no file of a seal key: put the node's own back", file_)};
  const auto mode = fs::status(file_, ignored).permissions();
  if ((mode & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none) {
    return Error{Code::kUnavailable,
                 fmt::format("the seal key {0} is open to others on this machine: chmod 600 {0}", file_)};
  }
  auto text = ReadFile(file_, kMostBytes);
  if (!text) return Error{Code::kUnavailable, "cannot read the seal key: " + text.error().message};
  const Secret all(text.TakeValue());
  std::string_view left = Trim(all.bytes());
  if (!left.starts_with(kHead)) return broken;
  left.remove_prefix(kHead.size());
  std::vector<Secret> keys;
  while (!left.empty()) {
    if (left.front() != '\n') return broken;
    const std::string_view line = left.substr(1, left.find('\n', 1) - 1);
    left.remove_prefix(1 + line.size());
    auto bytes = FromBase64(line);
    if (!bytes) return broken;
    Secret key(bytes.TakeValue());
    if (key.bytes().size() != kKeyBytes) return broken;
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return broken;
  keys_ = std::move(keys);
  return {};
}

Status Vault::Write(std::vector<Secret> keys) {
  std::string text;
  text.reserve(kHead.size() + keys.size() * (kKeyBytes * 2) + 1);  // A string that grows leaves what it had behind.
  text += kHead;
  for (const Secret& key : keys) {
    const Secret line(Base64(key.bytes()));
    text.append("\n").append(line.bytes());
  }
  text += '\n';
  const Secret all(std::move(text));
  TRY(WriteFileAtomically(file_, all.bytes(), 0600));
  keys_ = std::move(keys);
  return {};
}

// The key of that id; the file is read again for one that is not known, as it may have been put back meanwhile.
Result<const Secret*> Vault::Find(const std::string& key_id) {
  for (const bool again : {false, true}) {
    if (again) keys_.clear();
    TRY(Read());
    for (const Secret& key : keys_) {
      if (KeyId(key) == key_id) return &key;
    }
  }
  const std::string there = keys_.empty() ? "is missing" : "is key " + Ids(keys_);
  return Error{Code::kUnavailable,
               fmt::format("it was sealed with key {}, and the seal key {} {}: put the right file back (the setting "
                           "seal-key says where it is)",
                           key_id, file_, there)};
}

Result<const Secret*> Vault::Current(store::Txn& txn) {
  // Were a second key used beside the first, no file would open everything.
  for (const store::Row& row : TRY(txn.Run("SELECT DISTINCT key_id FROM sealed ORDER BY key_id"))) {
    auto known = Find(row.text(0));
    if (!known) return known.TakeError().With("the store has sealed values that cannot be opened");
  }
  TRY(Read());
  if (keys_.empty()) {
    std::vector<Secret> keys;
    keys.push_back(Secret::Random(kKeyBytes));
    TRY(Write(std::move(keys)));
  }
  return &keys_.front();
}

Status Vault::Put(store::Txn& txn, Clock& clock, const Name& name, std::string_view value,
                  const std::string& principal) {
  std::lock_guard lock(mutex_);
  const Secret* key = TRY(Current(txn));
  TRY(
      txn.Run("INSERT INTO sealed (kind, scope, name, key_id, value, put_by, put_at) VALUES ($1, $2, $3, $4, $5, $6, "
              "$7) ON CONFLICT (kind, scope, name) DO UPDATE SET key_id = excluded.key_id, value = excluded.value, "
              "put_by = excluded.put_by, put_at = excluded.put_at",
              {name.kind, name.scope, name.name, KeyId(*key), Seal(*key, value, AboutOf(name)), principal,
               clock.Now().Text()}));
  return {};
}

Result<Secret> Vault::Open(const std::string& key_id, const std::string& sealed, const Name& name) {
  auto open = [&]() -> Result<Secret> {
    const Secret* key = TRY(Find(key_id));
    return Unseal(*key, sealed, AboutOf(name));
  };
  auto opened = open();
  if (opened) return opened;
  return Error{Code::kUnavailable, fmt::format("the {} '{}' of '{}' cannot be opened: {}", name.kind, name.name,
                                               name.scope, opened.error().message)};
}

Result<Secret> Vault::Get(store::Txn& txn, const Name& name) {
  const auto rows = TRY(txn.Run("SELECT key_id, value FROM sealed WHERE kind = $1 AND scope = $2 AND name = $3",
                                {name.kind, name.scope, name.name}));
  if (rows.empty()) {
    return Error{Code::kNotFound, fmt::format("there is no {} '{}' of '{}'", name.kind, name.name, name.scope)};
  }
  std::lock_guard lock(mutex_);
  return Open(rows[0].text(0), rows[0].text(1), name);
}

Result<int> Vault::Reseal(store::Txn& txn) {
  std::lock_guard lock(mutex_);
  TRY(Current(txn));
  struct Opened {
    Name name;
    Secret value;
  };
  std::vector<Opened> all;
  for (const store::Row& row : TRY(txn.Run("SELECT kind, scope, name, key_id, value FROM sealed"))) {
    const Name name{row.text(0), row.text(1), row.text(2)};
    all.push_back({name, TRY(Open(row.text(3), row.text(4), name))});
  }
  std::vector<Secret> keys;
  keys.push_back(Secret::Random(kKeyBytes));
  for (const Secret& key : keys_) keys.push_back(key.Copy());
  TRY(Write(std::move(keys)));
  const std::string id = KeyId(keys_.front());
  for (const Opened& each : all) {
    TRY(txn.Run("UPDATE sealed SET key_id = $4, value = $5 WHERE kind = $1 AND scope = $2 AND name = $3",
                {each.name.kind, each.name.scope, each.name.name, id,
                 Seal(keys_.front(), each.value.bytes(), AboutOf(each.name))}));
  }
  return static_cast<int>(all.size());
}

Status Vault::Resealed(store::Store& store) {
  auto txn = TRY(store.Begin());
  std::set<std::string> used;
  for (const store::Row& row : TRY(txn->Run("SELECT DISTINCT key_id FROM sealed"))) used.insert(row.text(0));
  std::lock_guard lock(mutex_);
  std::vector<Secret> keys;
  for (const Secret& key : keys_) {
    if (keys.empty() || used.contains(KeyId(key))) keys.push_back(key.Copy());
  }
  return keys.size() == keys_.size() ? Status{} : Write(std::move(keys));
}

}  // namespace weft::secrets
