#include "apps/weft/schedule_text.h"

#include <fmt/format.h>

#include "apps/weft/terminal.h"
#include "base/clock.h"
#include "model/schedule.h"

namespace weft::app {

std::string ScheduleText(const Json& what) {
  const std::string& schedule = what["schedule"].Text();
  if (schedule.empty()) return "by hand alone";
  if (schedule == "inputs") return "when its inputs have new rows";
  std::string text = schedule == "freshness" ? "before its rows are older than it promises" : "by " + schedule;
  if (what["next"].size() == 0) return text;
  const std::string zone = schedule == "freshness" ? "" : schedule.substr(schedule.rfind(' ') + 1);
  auto next = Instant::Parse(what["next"][size_t{0}].Text());
  if (next) text += "; next " + model::LocalText(*next, zone);
  return text;
}

std::string StartedText(const std::string& cause) {
  if (cause == "schedule" || cause == "inputs") return "by its " + cause;
  if (cause == "freshness") return "for its freshness";
  return cause == "retry" ? "as another try" : cause == "back-fill" ? "as a back-fill" : cause;
}

std::string PausedText(const Json& paused) {
  if (paused.is_null()) return "";
  std::string text =
      fmt::format("{} by {} with {}", AgoText(paused["at"].Text()), paused["by"].Text(), paused["address"].Text());
  if (!paused["because"].Text().empty()) text += ": " + paused["because"].Text();
  return text;
}

}  // namespace weft::app
