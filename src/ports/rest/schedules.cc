// When ports run by themselves, what is paused, and why a port has no newer rows.
#include "state/schedules/schedules.h"

#include <fmt/format.h>

#include "model/cron.h"
#include "model/schedule.h"
#include "ports/rest/handlers.h"
#include "work/run/why.h"

namespace weft::rest {
namespace {

constexpr int kTimes = 3;

Json TimesJson(const std::vector<Instant>& times) {
  Json::Array texts;
  for (const Instant time : times) texts.emplace_back(time.Text());
  return Json(std::move(texts));
}

Json WaitingJson(const std::optional<run::Waiting>& waiting) {
  if (!waiting) return {};
  return Json::Map({{"position", waiting->position},
                    {"for", waiting->for_port ? Json(waiting->for_port->Text()) : Json()},
                    {"for_run", OptionalText(waiting->for_run)},
                    {"domain_full", waiting->domain_full},
                    {"node_full", waiting->node_full}});
}

Result<Json> LastJson(Api& api, store::Txn& txn, const Caller& caller, const std::optional<runs::Run>& last) {
  if (!last) return Json();
  std::vector<std::string> failed;
  for (const runs::CheckResult& check : last->checks) {
    if (check.outcome == "failed") failed.push_back(check.id);
  }
  return Json::Map({{"id", last->id},
                    {"status", last->status},
                    {"cause", last->cause},
                    {"attempt", last->attempt},
                    {"failure", OptionalText(last->failure)},
                    {"message", TRY(MessageFor(api, txn, caller, *last))},
                    {"ended_at", OptionalTime(last->ended_at)},
                    {"logical_time", last->logical_time.Text()},
                    {"failed_checks", failed}});
}

Result<Json> WhyJson(Api& api, store::Txn& txn, const Caller& caller, const catalog::Seen& seen,
                     const model::PortKey& port) {
  run::Why why = TRY(api.runner.Explain(port));
  if (why.waiting && why.waiting->for_port && !TRY(seen.Sees(*why.waiting->for_port))) {
    why.waiting->for_port.reset();
    why.waiting->for_run.clear();
    why.text = "it waits for a port that it is built from";
  }
  const auto& schedule = why.schedule;
  Json json = Json::Map(
      {{"address", port.Text()},
       {"reason", why.reason},
       {"text", why.text},
       {"advice", why.advice},
       {"schedule", schedule ? Json(schedule->Text()) : Json()},
       {"zone", schedule && !schedule->cron.empty() ? Json(schedule->zone.empty() ? "UTC" : schedule->zone) : Json()},
       {"next", TimesJson(why.next)},
       {"retry_at", schedule ? OptionalTime(schedule->retry_at) : Json()},
       {"paused", PauseJson(why.pause ? &*why.pause : nullptr)},
       {"run", why.now ? Json::Map({{"id", why.now->id}, {"status", why.now->status}}) : Json()},
       {"waiting", WaitingJson(why.waiting)},
       {"fresh", OptionalTime(why.fresh)},
       {"promised_seconds", why.promised ? Json(why.promised->count() / 1'000) : Json()}});
  if (why.now) {
    if (auto live = api.runner.Get(why.now->id)) {
      Json run = json["run"];
      run.Set("step", live->step).Set("progress", live->progress);
      json.Set("run", std::move(run));
    }
  }
  json.Set("last", TRY(LastJson(api, txn, caller, why.last)));
  return json;
}

// The short form of what may be paused, where the caller may start runs there; else a denial, recorded.
Result<std::string> Pausable(Api& api, const Caller& caller, const std::string& text) {
  auto txn = TRY(api.store.Read());
  if (text.empty()) return Error{Code::kInvalid, "address: an output port, a product or a domain"};
  const model::Resource resource = TRY(ResourceAt(api, *txn, caller, text));
  const model::Address address = TRY(AddressOf(*txn, text));
  std::string about = address.port.empty() ? address.Short() : TRY(PortOf(api, *txn, caller, text)).row.key.Text();
  const model::Decision may = TRY(api.gate.Ask(*txn, caller, model::Action::kRun, resource));
  txn.reset();
  if (may.permitted) return about;
  TRY(api.ledger.Deny(ledger::Denial(caller, model::Action::kRun, about, may.reasons)));
  return Error{Code::kDenied,
               fmt::format("{} may not pause or resume {}: {}", caller.principal.name, about, may.Why())};
}

}  // namespace

Json PauseJson(const schedules::Pause* pause) {
  if (!pause) return {};
  return Json::Map({{"address", pause->address},
                    {"by", pause->by},
                    {"because", OptionalText(pause->because)},
                    {"at", pause->at.Text()}});
}

Result<Json> ScheduleJson(Api& api, store::Txn& txn, const model::PortKey& port) {
  const auto schedule = TRY(schedules::Find(txn, port));
  const auto pauses = TRY(schedules::Pauses(txn));
  Json json = Json::Map({{"schedule", Json()}, {"next", Json::Array()}});
  json.Set("paused", PauseJson(schedules::PauseOf(pauses, port)));
  if (!schedule) return json;
  json.Set("schedule", schedule->Text());
  if (!schedule->cron.empty()) {
    const model::Cron cron = TRY(model::Cron::Parse(schedule->cron, schedule->zone));
    json.Set("next", TimesJson(cron.Next(api.clock.Now(), kTimes)));
  }
  return json;
}

Answer WhyNot(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"address"}));
  auto txn = TRY(api.store.Read());
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const catalog::Seen seen(*txn, sight);
  Json::Array answers;
  for (const model::PortKey& port : TRY(PortsUnder(*txn, seen, request.Query("address")))) {
    answers.push_back(TRY(WhyJson(api, *txn, caller, seen, port)));
  }
  return http::Response::Of(Json::Map({{"ports", std::move(answers)}}));
}

Answer MakePause(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"address", "because"}));
  const std::string address = TRY(Pausable(api, caller, TRY(NeedText(body, "address"))));
  const schedules::Pause pause{address, caller.principal.name, body["because"].Text(), api.clock.Now()};
  auto txn = TRY(api.store.Begin());
  TRY(schedules::Put(*txn, pause));
  TRY(Record(*txn, api.clock, caller, "paused", address, Json::Map({{"because", pause.because}})));
  TRY(txn->Commit());
  return http::Response::Of(PauseJson(&pause));
}

Answer EndPause(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"address"}));
  const std::string address = TRY(Pausable(api, caller, request.Query("address")));
  auto txn = TRY(api.store.Begin());
  if (!TRY(schedules::RemovePause(*txn, address))) {
    const auto pauses = TRY(schedules::Pauses(*txn));
    const auto port = model::PortKey::Parse(address);
    const auto above = pauses.find(address.substr(0, address.find('/')));
    const schedules::Pause* wider = port ? schedules::PauseOf(pauses, *port) : nullptr;
    if (!wider && above != pauses.end()) wider = &above->second;
    return Error{Code::kConflict,
                 wider ? fmt::format("{} is paused with {}: weft resume {}", address, wider->address, wider->address)
                       : fmt::format("{} is not paused", address)};
  }
  TRY(Record(*txn, api.clock, caller, "resumed", address, Json::Map({})));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"address", address}, {"resumed", true}}));
}

}  // namespace weft::rest
