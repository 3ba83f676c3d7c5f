// Snapshots, tags and the sweep.
#include "state/lake/lake.h"

#include <fmt/format.h>

#include <charconv>

#include "ports/rest/handlers.h"

namespace weft::rest {
namespace {

Result<int64_t> SnapshotNumber(const std::string& text) {
  int64_t id = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (failure == std::errc() && end == text.data() + text.size()) return id;
  return Error{Code::kInvalid, fmt::format("'{}' is no snapshot: see `weft snapshots`", text)};
}

}  // namespace

Answer ListSnapshots(Api& api, const model::Caller&, const http::Request& request) {
  auto txn = TRY(api.store.Read());
  const catalog::Port port = TRY(PortAt(*txn, request.Query("address")));
  Json list = Json::Array();
  for (const lake::Snapshot& s : TRY(lake::History(*txn, port.row.key))) {
    list.Push(Json::Map({{"id", std::to_string(s.id)},
                         {"parent", s.parent ? Json(std::to_string(*s.parent)) : Json()},
                         {"sequence", s.sequence},
                         {"at", s.at.Text()},
                         {"operation", s.operation},
                         {"run", s.run_id},
                         {"rows", s.rows},
                         {"files", s.files},
                         {"bytes", s.bytes},
                         {"added_rows", s.added_rows},
                         {"tags", s.tags}}));
  }
  return http::Response::Of(Json::Map({{"address", port.row.key.Text()}, {"snapshots", std::move(list)}}));
}

Answer TagSnapshot(Api& api, const model::Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request));
  const std::string tag = TRY(TextField(body, "tag"));
  const catalog::Port port = TRY(PermittedPort(api, caller, model::Action::kRun, TRY(TextField(body, "address"))));
  auto txn = TRY(api.store.Begin());
  int64_t snapshot = 0;
  if (body["snapshot"].is_null()) {
    const auto newest = TRY(lake::History(*txn, port.row.key));
    if (newest.empty()) return Error{Code::kNotFound, port.row.key.Text() + " has no snapshot yet: run it first"};
    snapshot = newest.front().id;
  } else {
    snapshot = TRY(SnapshotNumber(TRY(TextField(body, "snapshot"))));
  }
  TRY(lake::Tag(*txn, port.row.key, tag, snapshot));
  TRY(ledger::Append(*txn, api.clock,
                     {"tagged", caller.principal.name, caller.purpose, port.row.key.Text(),
                      Json::Map({{"tag", tag}, {"snapshot", std::to_string(snapshot)}})}));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"tag", tag}, {"snapshot", std::to_string(snapshot)}}));
}

Answer Sweep(Api& api, const model::Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request));
  const int64_t seconds = body["age_seconds"].Int(3600);
  if (seconds < 0) return Error{Code::kInvalid, fmt::format("'age_seconds' cannot be {}", seconds)};
  const lake::Lake::Swept swept = TRY(api.lake.Sweep(std::chrono::seconds(seconds)));
  const Json detail = Json::Map({{"files", swept.files}, {"bytes", swept.bytes}});
  auto txn = TRY(api.store.Begin());
  TRY(ledger::Append(*txn, api.clock, {"swept", caller.principal.name, caller.purpose, "", detail}));
  TRY(txn->Commit());
  return http::Response::Of(detail);
}

}  // namespace weft::rest
