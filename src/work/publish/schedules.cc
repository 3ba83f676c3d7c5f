#include "work/publish/schedules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "model/cron.h"
#include "model/schedule.h"
#include "state/ledger/ledger.h"
#include "state/schedules/schedules.h"

namespace weft::publish {
namespace {

constexpr int kTimes = 3;

std::string TextOf(const model::OutputPort& port) { return port.build ? model::ScheduleText(*port.build) : ""; }

// "next Mon 2026-11-23 05:00, Tue …, Wed … Europe/Berlin"
std::string NextTimes(const model::Cron& cron, const model::Build& build, Instant now) {
  const std::string zone = " " + (build.timezone.empty() ? "UTC" : build.timezone);
  std::vector<std::string> times;
  for (const Instant time : cron.Next(now, kTimes)) {
    std::string text = model::LocalText(time, build.timezone);
    if (text.ends_with(zone)) text.resize(text.size() - zone.size());
    times.push_back(std::move(text));
  }
  return "next " + Join(times, ", ") + zone;
}

// Nothing of a schedule that is wrong: its problem is told.
std::string NoteOf(const std::string& name, const model::Build* build, Instant now) {
  if (!build || model::ScheduleText(*build).empty()) return name + " is no longer run by itself";
  if (build->trigger == "inputs") return name + " runs when its inputs have new rows";
  if (build->trigger == "freshness") return name + " runs before its rows are older than it promises";
  const auto cron = model::Cron::Parse(build->schedule, build->timezone);
  return cron ? fmt::format("{} runs by {}: {}", name, build->schedule, NextTimes(*cron, *build, now)) : "";
}

// What the port's build asks for; nothing where it asks for nothing.
std::optional<schedules::Schedule> ScheduleOf(const catalog::Port& port, const std::string& by, Instant now) {
  const auto& build = port.port->build;
  if (!build || TextOf(*port.port).empty() || port.row.status == "retired") return std::nullopt;
  schedules::Schedule schedule{port.row.key, build->schedule, build->timezone, build->trigger};
  schedule.retries = build->retries;
  schedule.published_by = by;
  if (build->trigger == "freshness" && port.contract) {
    schedule.promised = model::PromisedAge(*port.contract).value_or(Millis(0));
    schedule.due = now;
  }
  if (build->trigger == "inputs") {
    for (const auto& [input, key] : UpstreamOf(*port.bundle, *port.port)) schedule.inputs.insert(key);
  }
  return schedule;
}

Status Record(store::Txn& txn, Clock& clock, const model::Caller& caller, const model::PortKey& port,
              const schedules::Schedule* was, const schedules::Schedule* is) {
  Json detail = Json::Map({{"schedule", is ? is->Text() : ""}});
  if (was) detail.Set("from", was->Text());
  if (is && is->due) detail.Set("next", is->due->Text());
  return ledger::Append(txn, clock,
                        {"scheduled", caller.principal.name, caller.purpose, port.Text(), std::move(detail)});
}

}  // namespace

Result<std::vector<std::string>> ScheduleNotes(store::Txn& txn, Clock& clock, const model::Bundle& bundle,
                                               const Registered& registered) {
  const auto& outputs = bundle.product.outputs;
  std::map<std::string, std::string> before;
  for (const catalog::PortRow& row : registered.ports) {
    auto port = catalog::Load(txn, row);
    if (!port && port.error().code != Code::kNotFound) return port.TakeError();
    if (port) before[fmt::format("{}@{}", row.key.port, row.key.major)] = TextOf(*port->port);
  }
  std::vector<std::string> notes;
  for (const model::OutputPort& port : outputs) {
    const model::Contract* contract = bundle.ContractOf(port);
    const auto version = model::Version::Parse(contract ? contract->version : port.version);
    if (!version) continue;
    const std::string name = fmt::format("{}@{}", port.name, version->major);
    if (before[name] == TextOf(port)) continue;
    std::string note = NoteOf(name, port.build ? &*port.build : nullptr, clock.Now());
    if (!note.empty()) notes.push_back(std::move(note));
  }
  return notes;
}

Status PutSchedules(store::Txn& txn, Clock& clock, const model::Caller& caller, const model::Bundle& bundle) {
  const std::string &domain = bundle.product.domain, &product = bundle.product.name;
  std::map<model::PortKey, schedules::Schedule> was;
  for (schedules::Schedule& schedule : TRY(schedules::OfProduct(txn, domain, product))) {
    was.emplace(schedule.port, std::move(schedule));
  }
  const bool asks =
      std::ranges::any_of(bundle.product.outputs, [](const model::OutputPort& port) { return !TextOf(port).empty(); });
  if (!asks && was.empty()) return {};
  const auto newest = TRY(catalog::FindProduct(txn, domain, product));
  const bool is_newest = !newest || newest->version == bundle.product.version;
  const Instant now = clock.Now();
  std::set<model::PortKey> there;
  for (const catalog::PortRow& row : TRY(catalog::Ports(txn, domain, product))) {
    const bool of_this = row.product_version == bundle.product.version;
    there.insert(row.key);
    if (!of_this && !is_newest) continue;  // An older line was published.
    std::optional<schedules::Schedule> is;
    if (of_this) is = ScheduleOf(TRY(catalog::Load(txn, row)), caller.principal.name, now);
    const auto before = was.find(row.key);
    const bool same = is && before != was.end() && is->SameAs(before->second);
    if (!is && before == was.end()) continue;
    if (same) {
      is->due = before->second.due;
      is->retry_at = before->second.retry_at;
      is->retry_of = before->second.retry_of;
      is->took = before->second.took;
      is->published_by = before->second.published_by;
    } else if (is && !is->cron.empty()) {
      is->due = TRY(model::Cron::Parse(is->cron, is->zone)).After(now);
    }
    TRY(is ? schedules::Put(txn, *is) : schedules::Remove(txn, row.key));
    if (same) continue;
    TRY(Record(txn, clock, caller, row.key, before == was.end() ? nullptr : &before->second, is ? &*is : nullptr));
  }
  for (const auto& [port, schedule] : was) {  // Ports that went with a draft.
    if (there.contains(port) || !is_newest) continue;
    TRY(schedules::Remove(txn, port));
    TRY(Record(txn, clock, caller, port, &schedule, nullptr));
  }
  return {};
}

}  // namespace weft::publish
