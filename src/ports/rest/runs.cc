#include "state/runs/runs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/id.h"
#include "ports/rest/handlers.h"
#include "state/ledger/audit.h"

namespace weft::rest {
namespace {

// What of a run may hold data. Failing rows, and what a rule's own query measured, are for those who may read all rows.
// The reason why reading or building failed may quote a value: it is also for those who may run the port, since they
// have to mend it.
struct Sight {
  bool rows = false;
  std::string right = {};  // By which the rows are seen.
  bool reasons = false;
  bool counts = false;  // How many rows there are, and what was measured over them.
};

Result<Sight> SightOf(Api& api, store::Txn& txn, const Caller& caller, const model::PortKey& key) {
  auto port = PortOf(api, txn, caller, key.Text());
  if (!port && port.error().code != Code::kNotFound) return port.TakeError();
  if (!port) return Sight{};  // It is gone, and with it who might see what.
  const model::Decision read = TRY(api.gate.Ask(txn, caller, model::Action::kRead, port->resource));
  const bool all = read.permitted && !read.restriction;
  const model::Decision run = TRY(api.gate.Ask(txn, caller, model::Action::kRun, port->resource));
  return Sight{all, read.right, all || run.permitted, MayCount(read)};
}

Json CheckJson(const runs::CheckResult& check, const Sight& sight) {
  const bool shown = check.value && sight.counts && (sight.rows || !check.tells);
  return Json::Map({{"id", check.id},
                    {"description", check.description},
                    {"outcome", check.outcome},
                    {"value", shown ? Json(*check.value) : Json()},
                    {"expected", check.expected},
                    {"failing_rows", sight.counts ? Json(check.failing_rows) : Json()},
                    {"sample", sight.rows ? check.sample : Json()},
                    {"place", check.place}});
}

// Of what failed and what was refused the message says what was read, and how much of it.
std::string MessageOf(const runs::Run& run, const Sight& sight) {
  if (run.status == "failed" && !sight.reasons) return "why is told to those who may run the port or read it";
  if (run.status == "succeeded" && !run.restores && !sight.counts) return "";
  if (run.status != "refused" || sight.counts) return run.message;
  return "its checks failed; what they counted is told to those from whom no policy hides rows";
}

Json RunJson(const runs::Run& run, const Sight& sight) {
  Json::Array checks;
  for (const runs::CheckResult& check : run.checks) checks.push_back(CheckJson(check, sight));
  return Json::Map({{"id", run.id},
                    {"address", run.port.Text()},
                    {"status", run.status},
                    {"step", run.step},
                    {"progress", run.progress},
                    {"rows", sight.counts ? Json(run.rows) : Json()},
                    {"snapshot", run.snapshot_id ? Json(std::to_string(*run.snapshot_id)) : Json()},
                    {"message", MessageOf(run, sight)},
                    {"requested_by", run.requested_by},
                    {"requested_at", run.requested_at.Text()},
                    {"started_at", OptionalTime(run.started_at)},
                    {"ended_at", OptionalTime(run.ended_at)},
                    {"logical_time", run.logical_time.Text()},
                    {"inputs", run.inputs},
                    {"restores", run.restores ? Json(std::to_string(*run.restores)) : Json()},
                    {"reason", run.reason},
                    {"withdrawn_by", OptionalText(run.withdrawn_by)},
                    {"cause", run.cause},
                    {"retry_of", OptionalText(run.retry_of)},
                    {"attempt", run.attempt},
                    {"failure", OptionalText(run.failure)},
                    {"checks", std::move(checks)}});
}

Result<Json> RunsJson(Api& api, store::Txn& txn, const Caller& caller, const std::vector<runs::Run>& list) {
  std::map<model::PortKey, Sight> known;
  Json::Array items;
  for (const runs::Run& run : list) {
    auto at = known.find(run.port);
    if (at == known.end()) at = known.emplace(run.port, TRY(SightOf(api, txn, caller, run.port))).first;
    items.push_back(RunJson(run, at->second));
  }
  return Json::Map({{"runs", std::move(items)}});
}

bool Moves(const runs::Run& run) { return run.status == "pending" || run.status == "running"; }

// A product's or domain's address stands for its ports that are not retired.
Status AddPorts(store::Txn& txn, const catalog::Seen& seen, const std::string& text,
                std::vector<model::PortKey>* ports) {
  const model::Address address = TRY(AddressOf(txn, text));
  if (!address.port.empty()) {
    ports->push_back(TRY(seen.Resolve(address)).key);
    return {};
  }
  bool found = false;
  for (const catalog::PortRow& row : TRY(seen.Ports(address.domain, address.product))) {
    if (row.status == "retired") continue;
    found = true;
    ports->push_back(row.key);
  }
  if (found) return {};
  if (!address.product.empty()) TRY(seen.Product(address.domain, address.product));
  return Error{Code::kNotFound, "'" + text + "' has no output port that could run"};
}

// Failing rows that are shown are rows that are read, of all columns.
Status RecordSamples(Api& api, const Caller& caller, const runs::Run& run, const std::string& right) {
  size_t rows = 0;
  for (const runs::CheckResult& check : run.checks) rows += check.sample.size();
  if (rows == 0) return {};
  const std::string id = NewId("read");
  ledger::Entry started{"read.started", caller.principal.name, caller.purpose, run.port.Text(),
                        Json::Map({{"read", id}, {"run", run.id}, {"door", caller.door}})};
  if (!caller.peer.empty()) started.detail.Set("peer", caller.peer);
  started.detail.Set("token", caller.token_id).Set("columns", Json()).Set("right", right);
  started.detail.Set("policies", Json::Array());
  ledger::Entry ended = started;
  ended.kind = "read.ended";
  ended.detail = Json::Map({{"read", id},
                            {"seen", ledger::SeenDigest(started.detail)},
                            {"rows", static_cast<int64_t>(rows)},
                            {"outcome", "completed"}});
  const ledger::Entry both[] = {std::move(started), std::move(ended)};
  return TRY(api.ledger.AppendSoon(both))();
}

// As many as are asked for, of those that may be known of.
Result<std::vector<runs::Run>> ListSeen(store::Txn& txn, const catalog::Seen& seen, runs::Query query) {
  const auto limit = static_cast<size_t>(query.limit);
  std::map<model::PortKey, bool> known;
  for (;;) {
    std::vector<runs::Run> list = TRY(runs::List(txn, query));
    const bool all = list.size() < static_cast<size_t>(query.limit);
    std::vector<runs::Run> told;
    for (runs::Run& run : list) {
      auto at = known.find(run.port);
      if (at == known.end()) at = known.emplace(run.port, TRY(seen.Sees(run.port))).first;
      if (at->second && told.size() < limit) told.push_back(std::move(run));
    }
    if (all || told.size() == limit) return told;
    query.limit *= 4;
  }
}

// Of a run of what may not be known of, as of one that there is not.
Status MayKnow(Api& api, const Caller& caller, const std::string& id) {
  auto txn = TRY(api.store.Read());
  auto run = api.runner.Get(id);
  if (!run) return run.TakeError();
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  if (TRY(catalog::Seen(*txn, sight).Sees(run->port))) return {};
  return Error{Code::kNotFound, fmt::format("there is no run '{}'; see weft runs", id)};
}

// The act of upkeep, and whether numbers of its table are told, where it may be known of.
Result<std::pair<lake::Act, bool>> SeenAct(Api& api, store::Txn& txn, const Caller& caller, const std::string& id) {
  const Error none{Code::kNotFound, fmt::format("there is no upkeep '{}'; see weft runs", id)};
  auto act = lake::FindAct(txn, id);
  if (!act) return act.TakeError();
  const model::Sight sight = TRY(SightOf(api, txn, caller));
  if (!TRY(catalog::Seen(txn, sight).Sees(act->port))) return none;
  const bool counts = TRY(SightOf(api, txn, caller, act->port)).counts;
  return std::pair(act.TakeValue(), counts);
}

Answer ActOf(Api& api, const Caller& caller, const std::string& id) {
  auto txn = TRY(api.store.Read());
  const auto [act, counts] = TRY(SeenAct(api, *txn, caller, id));
  return http::Response::Of(ActJson(api, act, counts));
}

Answer CancelAct(Api& api, const Caller& caller, const std::string& id) {
  {
    auto txn = TRY(api.store.Read());
    const auto [act, counts] = TRY(SeenAct(api, *txn, caller, id));
    const catalog::Port port = TRY(PortOf(api, *txn, caller, act.port.Text()));
    const model::Decision may = TRY(api.gate.Ask(*txn, caller, model::Action::kRun, port.resource));
    txn.reset();
    if (!may.permitted) {
      TRY(api.ledger.Deny(ledger::Denial(caller, model::Action::kRun, act.port.Text(), may.reasons)));
      return Error{Code::kDenied,
                   fmt::format("{} may not tend {}: {}", caller.principal.name, act.port.Text(), may.Why())};
    }
    TRY(api.upkeep.Cancel(act));
  }
  return ActOf(api, caller, id);
}

// Among the runs, as many as are asked for, newest first.
Status AddActs(Api& api, store::Txn& txn, const Caller& caller, const catalog::Seen& seen, const runs::Query& query,
               Json* answer) {
  std::vector<Json> all = (*answer)["runs"].Items();
  std::map<model::PortKey, std::optional<bool>> known;  // Nothing: it may not be known of.
  for (const lake::Act& act : TRY(lake::Acts(txn, {query.port_prefix, query.status, query.limit}))) {
    auto at = known.find(act.port);
    if (at == known.end()) {
      std::optional<bool> counts;
      if (TRY(seen.Sees(act.port))) counts = TRY(SightOf(api, txn, caller, act.port)).counts;
      at = known.emplace(act.port, counts).first;
    }
    if (at->second) all.push_back(ActJson(api, act, *at->second));
  }
  std::ranges::stable_sort(
      all, [](const Json& a, const Json& b) { return a["requested_at"].Text() > b["requested_at"].Text(); });
  if (all.size() > static_cast<size_t>(query.limit)) all.resize(static_cast<size_t>(query.limit));
  answer->Set("runs", Json(Json::Array(all.begin(), all.end())));
  return {};
}

Answer RunOf(Api& api, const Caller& caller, const std::string& id) {
  TRY(MayKnow(api, caller, id));
  runs::Run run = TRY(api.runner.Get(id));
  auto txn = TRY(api.store.Read());
  if (run.checks.empty()) run.checks = TRY(runs::Get(*txn, id)).checks;
  const Sight sight = TRY(SightOf(api, *txn, caller, run.port));
  txn.reset();
  if (sight.rows) TRY(RecordSamples(api, caller, run, sight.right));
  return http::Response::Of(RunJson(run, sight));
}

Answer Submitted(Api& api, const Caller& caller, const run::Request& wanted) {
  const std::vector<runs::Run> list = TRY(api.runner.Submit(caller, wanted));
  auto txn = TRY(api.store.Read());
  return http::Response::Of(TRY(RunsJson(api, *txn, caller, list)));
}

// What a person means by it: digits alone are a snapshot's id where there is such a one, else a tag.
Result<std::optional<lake::At>> FormerIn(store::Txn& txn, const model::PortKey& port, const std::string& text) {
  if (text.empty()) return std::optional<lake::At>();
  if (text.find_first_not_of("0123456789") == text.npos) {
    for (const lake::Snapshot& snapshot : TRY(lake::History(txn, port))) {
      if (std::to_string(snapshot.id) == text) return std::optional(lake::At{snapshot.id, {}, ""});
    }
  }
  return std::optional<lake::At>(TRY(lake::At::Parse(text)));
}

}  // namespace

Answer SubmittedRuns(Api& api, const Caller& caller, const std::vector<runs::Run>& list) {
  auto txn = TRY(api.store.Read());
  return http::Response::Of(TRY(RunsJson(api, *txn, caller, list)));
}

namespace {

Answer RollBack(Api& api, const Caller& caller, const model::PortKey& port, const std::optional<lake::At>& to,
                const std::string& reason) {
  const runs::Run run = TRY(api.runner.Rollback(caller, port, to, reason));
  auto txn = TRY(api.store.Read());
  return http::Response::Of(TRY(RunsJson(api, *txn, caller, {run})));
}

}  // namespace

Result<std::string> MessageFor(Api& api, store::Txn& txn, const Caller& caller, const runs::Run& run) {
  return MessageOf(run, TRY(SightOf(api, txn, caller, run.port)));
}

Result<std::vector<model::PortKey>> PortsUnder(store::Txn& txn, const catalog::Seen& seen, const std::string& text) {
  std::vector<model::PortKey> ports;
  TRY(AddPorts(txn, seen, text, &ports));
  return ports;
}

Answer Rollback(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"address", "to", "reason"}));
  const std::string address = TRY(NeedText(body, "address"));
  model::PortKey port;
  std::optional<lake::At> to;
  {
    auto txn = TRY(api.store.Read());
    port = TRY(PortOf(api, *txn, caller, address)).row.key;
    to = TRY(FormerIn(*txn, port, body["to"].Text()));
  }
  return RollBack(api, caller, port, to, body["reason"].Text());
}

Answer SubmitRuns(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"addresses", "all", "force", "full", "logical_time"}));
  run::Request wanted;
  wanted.force = body["force"].Bool();
  wanted.whole = body["full"].Bool();
  wanted.logical_time = TRY(TimeOf(body, "logical_time"));
  if (!body["all"].Bool()) {
    auto txn = TRY(api.store.Read());
    const model::Sight sight = TRY(SightOf(api, *txn, caller));
    for (const std::string& text : body["addresses"].Texts()) TRY(AddPorts(*txn, {*txn, sight}, text, &wanted.ports));
    if (wanted.ports.empty()) return Error{Code::kInvalid, "nothing to run: give addresses, or all: true"};
  }
  std::sort(wanted.ports.begin(), wanted.ports.end());
  wanted.ports.erase(std::unique(wanted.ports.begin(), wanted.ports.end()), wanted.ports.end());
  return Submitted(api, caller, wanted);
}

Answer ListRuns(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"address", "status", "limit"}));
  runs::Query query;
  query.limit = static_cast<int>(TRY(QueryInt(request, "limit", 20, 1, 1'000)));
  query.status = request.Query("status");
  if (!query.status.empty()) {
    TRY(OneOf(
        "status", query.status,
        {"pending", "running", "succeeded", "skipped", "refused", "denied", "failed", "cancelled", "interrupted"}));
  }
  auto txn = TRY(api.store.Read());
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const catalog::Seen seen(*txn, sight);
  if (!request.Query("address").empty()) {
    const model::Address address = TRY(AddressOf(*txn, request.Query("address")));
    if (!address.port.empty()) TRY(PortOf(api, *txn, caller, request.Query("address")));
    if (address.port.empty() && !address.product.empty()) {
      TRY(seen.Product(address.domain, address.product));
    }
    query.port_prefix = address.Short();
  }
  std::vector<runs::Run> list = TRY(ListSeen(*txn, seen, query));
  for (runs::Run& run : list) {
    if (!Moves(run)) continue;
    if (auto live = api.runner.Get(run.id)) run = live.TakeValue();
  }
  Json answer = TRY(RunsJson(api, *txn, caller, list));
  TRY(AddActs(api, *txn, caller, seen, query, &answer));
  return http::Response::Of(answer);
}

Answer GetRun(Api& api, const Caller& caller, const http::Request& request) {
  const std::string& id = request.captures.at("id");
  return id.starts_with("upk_") ? ActOf(api, caller, id) : RunOf(api, caller, id);
}

Answer CancelRun(Api& api, const Caller& caller, const http::Request& request) {
  if (request.captures.at("id").starts_with("upk_")) return CancelAct(api, caller, request.captures.at("id"));
  TRY(MayKnow(api, caller, request.captures.at("id")));
  TRY(api.runner.Cancel(caller, request.captures.at("id")));
  return RunOf(api, caller, request.captures.at("id"));
}

// The same port at the same logical time, over what its inputs are now; of a rollback the same snapshot.
Answer RetryRun(Api& api, const Caller& caller, const http::Request& request) {
  if (request.captures.at("id").starts_with("upk_")) {
    return Error{Code::kUnsupported,
                 "upkeep is not retried: it does what there is to do whenever it is called, as "
                 "`weft upkeep ADDRESS` does by hand"};
  }
  TRY(MayKnow(api, caller, request.captures.at("id")));
  run::Request again;
  {
    auto txn = TRY(api.store.Read());
    const runs::Run run = TRY(runs::Get(*txn, request.captures.at("id")));
    if (Moves(run))
      return Error{Code::kConflict, "run " + run.id + " is " + run.status + ": it can be retried when it has ended"};
    if (run.cause == "fix") {
      return Error{Code::kUnsupported,
                   fmt::format("the rows that {} was given are not kept: give them again, with weft "
                               "fix {}",
                               run.id, run.port.Text())};
    }
    if (run.restores) {
      txn.reset();
      return RollBack(api, caller, run.port, lake::At{run.restores, {}, ""}, run.reason);
    }
    again.ports = {run.port};
    again.logical_time = run.logical_time;
    again.retry_of = run.id;
  }
  return Submitted(api, caller, again);
}

}  // namespace weft::rest
