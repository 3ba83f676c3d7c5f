// Upkeep of tables, as it is asked for and as it went.
#include "work/upkeep/upkeep.h"

#include <fmt/format.h>

#include <algorithm>

#include "ports/rest/handlers.h"

namespace weft::rest {
namespace {

struct Tended {
  catalog::Port port;
  bool counts = false;  // Whether numbers of the table are told.
  upkeep::Need need;
};

Json NeedJson(const Tended& one, const schedules::Pause* pause) {
  auto count = [&](int64_t number) { return one.counts ? Json(number) : Json(); };
  return Json::Map({{"address", one.port.row.key.Text()},
                    {"files", count(one.need.files)},
                    {"bytes", count(one.need.bytes)},
                    {"small_files", count(one.need.small)},
                    {"merged", count(one.need.merged)},
                    {"into", count(one.need.into)},
                    {"expires", count(one.need.expires)},
                    {"needed", one.need.any()},
                    {"paused", PauseJson(pause)}});
}

// The ports that the caller names, or all, and may tend: as for runs. A denial is recorded.
Result<std::vector<Tended>> WhichOf(Api& api, const Caller& caller, const Json& body) {
  auto txn = TRY(api.store.Read());
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const catalog::Seen seen(*txn, sight);
  const bool all = body["all"].Bool();
  std::vector<model::PortKey> keys;
  for (const std::string& text : all ? std::vector<std::string>() : body["addresses"].Texts()) {
    const auto under = TRY(PortsUnder(*txn, seen, text));
    keys.insert(keys.end(), under.begin(), under.end());
  }
  for (const catalog::PortRow& row : all ? TRY(seen.Ports()) : std::vector<catalog::PortRow>()) keys.push_back(row.key);
  if (keys.empty() && !all) return Error{Code::kInvalid, "nothing to tend: give addresses, or all: true"};
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::vector<Tended> tended;
  for (const model::PortKey& key : keys) {
    Tended one{TRY(seen.Load(key)), false, {}};
    const model::Decision may = TRY(api.gate.Ask(*txn, caller, model::Action::kRun, one.port.resource));
    if (!may.permitted && all) continue;
    if (!may.permitted) {
      txn.reset();
      TRY(api.ledger.Deny(ledger::Denial(caller, model::Action::kRun, key.Text(), may.reasons)));
      return Error{Code::kDenied, fmt::format("{} may not tend {}: {}", caller.principal.name, key.Text(), may.Why())};
    }
    one.counts = MayCount(TRY(api.gate.Ask(*txn, caller, model::Action::kRead, one.port.resource)));
    one.need = TRY(api.upkeep.Look(*txn, one.port, true));
    tended.push_back(std::move(one));
  }
  return tended;
}

}  // namespace

Json ActJson(Api& api, const lake::Act& act, bool counts) {
  const bool failed = act.status == "failed";
  return Json::Map({{"id", act.id},
                    {"address", act.port.Text()},
                    {"status", act.status},
                    {"step", act.moves() ? api.upkeep.StepOf(act.id) : ""},
                    {"progress", act.moves() ? 0 : 100},
                    {"rows", Json()},
                    {"snapshot", act.snapshot_id ? Json(std::to_string(*act.snapshot_id)) : Json()},
                    {"message", counts   ? upkeep::Told(act)
                                : failed ? "it failed; whoever may read all of the port is told why"
                                         : ""},
                    {"requested_by", act.requested_by},
                    {"requested_at", act.requested_at.Text()},
                    {"started_at", OptionalTime(act.started_at)},
                    {"ended_at", OptionalTime(act.ended_at)},
                    {"cause", act.cause == "by hand" ? "upkeep by hand" : act.cause},
                    {"upkeep", counts ? Json::Map({{"files", act.files},
                                                   {"into", act.into},
                                                   {"bytes", act.bytes},
                                                   {"into_bytes", act.into_bytes},
                                                   {"expired", act.expired}})
                                      : Json()},
                    {"checks", Json::Array()}});
}

Answer TendPorts(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"addresses", "all", "dry_run"}));
  const std::vector<Tended> tended = TRY(WhichOf(api, caller, body));
  Json::Array ports, acts;
  std::map<std::string, schedules::Pause> pauses;
  {
    auto txn = TRY(api.store.Read());
    pauses = TRY(schedules::Pauses(*txn));
  }
  for (const Tended& one : tended) {
    ports.push_back(NeedJson(one, schedules::PauseOf(pauses, one.port.row.key)));
    if (!one.need.any() || body["dry_run"].Bool()) continue;
    auto act = api.upkeep.Submit(caller, one.port.row.key);
    if (!act && act.error().code == Code::kConflict && tended.size() > 1) continue;  // One is under way.
    acts.push_back(ActJson(api, TRY(std::move(act)), one.counts));
  }
  return http::Response::Of(Json::Map({{"ports", std::move(ports)}, {"runs", std::move(acts)}}));
}

}  // namespace weft::rest
