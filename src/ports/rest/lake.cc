#include "state/lake/lake.h"

#include <charconv>

#include "model/policy/restriction.h"
#include "ports/rest/handlers.h"

namespace weft::rest {
namespace {

// A snapshot's id travels as text; a number is taken too.
Result<int64_t> SnapshotId(const Json& value) {
  if (value.kind() == Json::Kind::kInt) return value.Int();
  const std::string& text = value.Text();
  int64_t id = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (!text.empty() && failure == std::errc() && end == text.data() + text.size()) return id;
  return Error{Code::kInvalid, "field snapshot: " + value.Dump() + " is no snapshot's id; `weft snapshots` lists them"};
}

}  // namespace

Json SnapshotJson(const lake::Snapshot& snapshot, bool counts) {
  auto count = [&](int64_t number) { return counts ? Json(number) : Json(); };
  return Json::Map({{"id", std::to_string(snapshot.id)},  // Text: a program whose numbers are doubles would round it.
                    {"parent", snapshot.parent ? Json(std::to_string(*snapshot.parent)) : Json()},
                    {"sequence", snapshot.sequence},
                    {"at", snapshot.at.Text()},
                    {"rows_at", snapshot.rows_at.Text()},
                    {"operation", snapshot.operation},
                    {"run", snapshot.run_id},
                    {"rows", count(snapshot.rows)},
                    {"files", count(snapshot.files)},
                    {"bytes", count(snapshot.bytes)},
                    {"added_rows", count(snapshot.added_rows)},
                    {"restores", snapshot.restores ? Json(std::to_string(*snapshot.restores)) : Json()},
                    {"tags", snapshot.tags}});
}

bool MayCount(const model::Decision& decision) {
  return !decision.restriction || decision.restriction->filters.empty();
}

Answer Snapshots(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"address"}));
  auto txn = TRY(api.store.Read());
  const catalog::Port port = TRY(PortOf(api, *txn, caller, request.Query("address")));
  const bool counts = MayCount(TRY(api.gate.Ask(*txn, caller, model::Action::kRead, port.resource)));
  const std::vector<lake::Snapshot> history = TRY(lake::History(*txn, port.row.key));
  const auto superseded = lake::Superseded(history);
  const std::optional<Millis> keeps = api.upkeep.Keeps(port);
  Json::Array snapshots;
  for (size_t i = 0; i < history.size(); ++i) {
    Json json = SnapshotJson(history[i], counts);
    json.Set("expires_at", Json());
    if (keeps && superseded[i] && history[i].tags.empty())
      json.Set("expires_at", Instant{superseded[i]->micros + keeps->count() * 1'000}.Text());
    snapshots.push_back(std::move(json));
  }
  return http::Response::Of(Json::Map(
      {{"snapshots", std::move(snapshots)}, {"kept_seconds", keeps ? Json(keeps->count() / 1'000) : Json()}}));
}

Answer TagSnapshot(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"address", "tag", "snapshot"}));
  const std::string address = TRY(NeedText(body, "address"));
  const std::string tag = TRY(NeedText(body, "tag"));
  auto txn = TRY(api.store.Begin());
  const catalog::Port port = TRY(PortOf(api, *txn, caller, address));
  TRY(api.gate.Decide(*txn, caller, model::Action::kRun, port.resource));
  int64_t snapshot = 0;
  if (body["snapshot"].is_null()) {
    const auto table = TRY(lake::Find(*txn, port.row.key));
    if (!table || !table->snapshot_id)
      return Error{Code::kNotFound, port.row.key.Text() + " has no snapshot to tag yet"};
    snapshot = *table->snapshot_id;
  } else {
    snapshot = TRY(SnapshotId(body["snapshot"]));
  }
  TRY(lake::Tag(*txn, port.row.key, tag, snapshot));
  TRY(Record(*txn, api.clock, caller, "tagged", port.row.key.Text(),
             Json::Map({{"tag", tag}, {"snapshot", std::to_string(snapshot)}})));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"tag", tag}, {"snapshot", std::to_string(snapshot)}}));
}

Answer Sweep(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"age_seconds"}));
  const Json& age = body["age_seconds"];
  if (!age.is_number() || age.Int(-1) < 0 || age.Int() > int64_t{10} * 365 * 86'400) {
    return Error{Code::kInvalid, "field age_seconds: " + age.Dump() + " is no number of seconds"};
  }
  const lake::Lake::Swept tables = TRY(api.upkeep.Sweep(std::chrono::seconds(age.Int())));
  const publish::Swept uploads = TRY(publish::SweepUploads(api.publish, std::chrono::seconds(age.Int())));
  const Json detail = Json::Map({{"files", tables.files + uploads.files}, {"bytes", tables.bytes + uploads.bytes}});
  auto txn = TRY(api.store.Begin());
  TRY(Record(*txn, api.clock, caller, "swept", "", detail));
  TRY(txn->Commit());
  return http::Response::Of(detail);
}

Answer Backup(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"folder", "with_keys"}));
  const std::string folder = TRY(NeedText(body, "folder"));
  backup::Context context{api.store, api.clock, api.ledger, api.places};
  const backup::Description made = TRY(backup::Make(context, caller, folder, body["with_keys"].Bool()));
  Json answer = made.ToJson();
  Json::Array places;
  for (const backup::Places::Key& key : api.places.keys) places.emplace_back(key.path);
  return http::Response::Of(answer.Set("key_files", std::move(places)));
}

}  // namespace weft::rest
