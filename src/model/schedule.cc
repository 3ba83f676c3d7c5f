#include "model/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "model/cel/time.h"
#include "model/compat_kinds.h"
#include "model/cron.h"

namespace weft::model {
namespace {

bool IsTrigger(const std::string& text) { return text == "inputs" || text == "freshness"; }

// What is promised, where it is a span of time.
std::optional<Millis> SpanOf(const SlaProperty& sla) {
  const auto unit = compat::SecondsOf(sla.unit);
  const double value = sla.value.is_text() ? std::strtod(sla.value.Text().c_str(), nullptr) : sla.value.Double();
  if (!unit || !(value > 0) || value * *unit > 1e10) return std::nullopt;
  return Millis(static_cast<int64_t>(value * *unit * 1'000));
}

}  // namespace

Status CheckSchedule(const std::string& text, const std::string& zone) {
  if (text == "never" || IsTrigger(text)) return {};
  auto cron = Cron::Parse(text, zone);
  if (cron) return {};
  return cron.TakeError();
}

void SetSchedule(Build& build, const std::string& text) {
  build.schedule = text == "never" || IsTrigger(text) ? "" : text;
  build.trigger = IsTrigger(text) ? text : "";
}

std::string ScheduleText(const std::string& cron, const std::string& zone, const std::string& trigger) {
  return cron.empty() ? trigger : cron + " " + (zone.empty() ? "UTC" : zone);
}

std::string ScheduleText(const Build& build) { return ScheduleText(build.schedule, build.timezone, build.trigger); }

std::string LocalText(Instant time, const std::string& zone) {
  static constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  const std::string named = zone.empty() ? "UTC" : zone;
  const auto at = cel::TimestampOf(time.micros / 1'000'000, 0);
  const auto civil = at ? cel::CivilIn(*at, named) : std::nullopt;
  if (!civil) return time.Text();
  std::string text = fmt::format("{} {:04}-{:02}-{:02} {:02}:{:02}", kDays[civil->day_of_week], civil->year,
                                 civil->month + 1, civil->day + 1, civil->hours, civil->minutes);
  if (civil->seconds != 0) text += fmt::format(":{:02}", civil->seconds);
  return text + " " + named;
}

std::optional<Millis> PromisedAge(const Contract& contract) {
  std::optional<Millis> least;
  for (const SlaProperty& sla : contract.slas) {
    if (sla.kind != "latency" && sla.kind != "freshness") continue;
    const std::optional<Millis> age = SpanOf(sla);
    if (age) least = std::min(least.value_or(*age), *age);
  }
  return least;
}

std::optional<Millis> Retention(const Contract& contract) {
  std::optional<Millis> most;
  for (const SlaProperty& sla : contract.slas) {
    const bool of_table = sla.kind == "retention" && sla.element.empty();
    const std::optional<Millis> span = of_table ? SpanOf(sla) : std::nullopt;
    if (span) most = std::max(most.value_or(*span), *span);
  }
  return most;
}

std::string ProblemOfTrigger(const Build& build, const Product& product, const Contract* contract) {
  if (build.trigger == "freshness" && contract && !PromisedAge(*contract)) {
    return fmt::format(
        "the contract promises no freshness to keep: write slaProperties: [{{property: latency, value: 1, unit: h}}] "
        "into {}, or a schedule here",
        contract->file);
  }
  const bool reads = std::ranges::any_of(
      product.inputs, [](const InputPort& input) { return input.source && input.source->kind == "product"; });
  if (build.trigger == "inputs" && !reads) {
    return "no input port of the product is another output port, so nothing would start it: write a schedule such as "
           "schedule: '0 5 * * *'";
  }
  return "";
}

}  // namespace weft::model
