#include "base/id.h"
#include "base/text.h"
#include "ports/flight/internal.h"

namespace weft::flight {
namespace {

constexpr size_t kHandlesPerSession = 64;
constexpr size_t kHandles = 1024;  // Of all sessions: each holds an engine.

std::string OwnerOf(const model::Caller& caller) { return caller.token_id + "\n" + caller.purpose; }

// One token serves many connections at once, a dashboard's for example: each is a session of its own.
std::string SessionOf(const model::Caller& caller) { return OwnerOf(caller) + "\n" + caller.peer; }

}  // namespace

Result<std::string> Handles::Put(const model::Caller& caller, Handle handle) {
  const std::string session = SessionOf(caller);
  std::lock_guard lock(mutex_);
  size_t open = 0;
  for (const auto& [id, entry] : entries_) open += entry.session == session;
  if (open >= kHandlesPerSession) {
    return Error{Code::kUnavailable,
                 Count(open, "statement") + " are open on this connection: close some, or read their rows"};
  }
  if (entries_.size() >= kHandles) {
    return Error{Code::kUnavailable, "the node has as many statements open as it may; try again in a moment"};
  }
  std::string id = NewSecret(18);
  entries_[id] = {OwnerOf(caller), session, std::move(handle), std::chrono::steady_clock::now()};
  return id;
}

Handles::Entry* Handles::Find(const model::Caller& caller, const std::string& id) {
  auto found = entries_.find(id);
  if (found == entries_.end() || found->second.owner != OwnerOf(caller)) return nullptr;
  found->second.used = std::chrono::steady_clock::now();
  return &found->second;
}

Result<Handle> Handles::Get(const model::Caller& caller, const std::string& id) {
  std::lock_guard lock(mutex_);
  Entry* entry = Find(caller, id);
  if (!entry) return Error{Code::kNotFound, "this statement is not open, or no longer: prepare it again"};
  Handle handle = entry->handle;
  if (handle.once) entries_.erase(id);
  return handle;
}

Status Handles::SetParameters(const model::Caller& caller, const std::string& id,
                              std::vector<engine::Value> parameters) {
  std::lock_guard lock(mutex_);
  Entry* entry = Find(caller, id);
  if (!entry) return Error{Code::kNotFound, "this statement is not open, or no longer: prepare it again"};
  entry->handle.parameters = std::move(parameters);
  return {};
}

void Handles::Close(const model::Caller& caller, const std::string& id) {
  std::lock_guard lock(mutex_);
  if (Find(caller, id)) entries_.erase(id);
}

void Handles::CloseAll(const model::Caller& caller) {
  std::lock_guard lock(mutex_);
  std::erase_if(entries_, [session = SessionOf(caller)](const auto& entry) { return entry.second.session == session; });
}

void Handles::Expire() {
  const auto oldest = std::chrono::steady_clock::now() - idle_;
  std::lock_guard lock(mutex_);
  std::erase_if(entries_, [oldest](const auto& entry) { return entry.second.used < oldest; });
}

}  // namespace weft::flight
