#include "apps/weft/following.h"

#include <fmt/format.h>

#include <thread>

#include "base/text.h"

namespace weft::app {
namespace {

constexpr int kRefused = 3;
constexpr int kDenied = 4;
constexpr std::chrono::milliseconds kPoll{100};

bool Good(const Json& run) { return run["status"].Text() == "succeeded" || run["status"].Text() == "skipped"; }

// A count is stored as a double, and is a whole number all the same.
std::string Number(const Json& value) { return fmt::format("{}", value.Double()); }

std::string ProblemChecks(const Session& session, const Json& run) {
  std::string text;
  bool hidden = false;
  for (const Json& check : run["checks"].Items()) {
    const std::string& outcome = check["outcome"].Text();
    if (outcome != "failed" && outcome != "warned") continue;
    text += CheckText(session, check);
    hidden = hidden || (check["failing_rows"].Int() > 0 && check["sample"].is_null());
  }
  if (hidden) text += session.Paint(Style::kDim, "  (the rows are shown to those who may read the port)") + "\n";
  return text;
}

std::string BarLine(const Json& run) {
  return fmt::format("{} {:>3.0f}% {} {}", Progress::Bar(run["progress"].Double()), run["progress"].Double(),
                     Safe(run["address"].Text()),
                     Safe(run["step"].Text().empty() ? run["status"].Text() : run["step"].Text()));
}

}  // namespace

bool Moves(const Json& run) { return run["status"].Text() == "pending" || run["status"].Text() == "running"; }

Style StyleOf(const Json& run) { return Good(run) ? Style::kGood : Moves(run) ? Style::kDim : Style::kBad; }

std::string Duration(const Json& run) {
  auto from = Instant::Parse(run["started_at"].Text());
  auto to = Instant::Parse(run["ended_at"].Text());
  return from && to ? Took(to->micros - from->micros) : "";
}

std::string ResultLine(const Session& session, const Json& run) {
  std::string line = session.Paint(StyleOf(run), Safe(run["status"].Text())) + " " + Safe(run["address"].Text());
  if (run["status"].Text() == "succeeded" && !run["rows"].is_null()) {
    line += fmt::format(" {} {}", HumanCount(run["rows"].Int()), run["rows"].Int() == 1 ? "row" : "rows");
  }
  if (std::string took = Duration(run); !took.empty()) line += " in " + took;
  if (!run["message"].Text().empty()) line += ": " + Safe(run["message"].Text());
  return line + "\n";
}

std::string CheckText(const Session& session, const Json& check) {
  const std::string& outcome = check["outcome"].Text();
  bool failed = outcome == "failed";
  std::string text = fmt::format("  {} {}: {}", session.Paint(failed ? Style::kBad : Style::kWarn, Safe(outcome)),
                                 Safe(check["id"].Text()), Safe(check["description"].Text()));
  if (outcome == "diverted") {
    const Json& rows = check["failing_rows"];
    if (rows.is_number()) text += fmt::format(" ({} in quarantine)", HumanCount(rows.Int()));
  } else if (check["value"].is_number())
    text += fmt::format(" (is {}, expected {})", Number(check["value"]), Safe(check["expected"].Text()));
  else if (!check["expected"].Text().empty())
    text += fmt::format(" (expected {})", Safe(check["expected"].Text()));
  if (!check["place"].Text().empty()) text += " at " + Safe(check["place"].Text());
  text += "\n";
  for (const Json& row : check["sample"].Items()) text += "    " + session.Paint(Style::kDim, Safe(row.Dump())) + "\n";
  return text;
}

Result<Followed> FollowRuns(Session& session, const Json& submitted, const std::string& mark) {
  Followed followed;
  std::vector<Json>& runs = followed.runs;
  runs = submitted["runs"].Items();
  Progress progress(session.screen());
  std::vector<bool> told(runs.size(), false);
  int& code = followed.code;
  for (size_t left = runs.size(); left > 0;) {
    std::vector<std::string> bars;
    std::string ended;
    // They stand in the order in which they wait for each other: asked from the end, none is told before its upstream.
    for (size_t i = runs.size(); i-- > 0;) {
      if (!told[i]) runs[i] = TRY(session.Get("/v1/runs/" + runs[i]["id"].Text()));
    }
    for (size_t i = 0; i < runs.size(); ++i) {
      if (told[i]) continue;
      if (Moves(runs[i])) {
        bars.push_back(BarLine(runs[i]));
        continue;
      }
      told[i] = true;
      --left;
      if (!Good(runs[i]) && code != kRefused) code = runs[i]["status"].Text() == "denied" ? kDenied : kRefused;
      if (!session.json()) ended += mark + ResultLine(session, runs[i]) + ProblemChecks(session, runs[i]);
    }
    if (!ended.empty()) {
      progress.Draw({});
      session.Print(ended);
      std::fflush(stdout);
    }
    if (!session.json() && !session.options().quiet) progress.Draw(bars);
    if (left > 0) std::this_thread::sleep_for(kPoll);
  }
  return followed;
}

Result<int> Follow(Session& session, const Json& submitted) {
  const Followed followed = TRY(FollowRuns(session, submitted, ""));
  if (session.json()) session.PrintJson(Json::Map({{"runs", Json(Json::Array(followed.runs))}}));
  return followed.code;
}

}  // namespace weft::app
