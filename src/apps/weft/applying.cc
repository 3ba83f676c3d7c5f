#include "apps/weft/applying.h"

#include <fmt/format.h>

#include "apps/weft/problems.h"
#include "base/text.h"
#include "drivers/http/message.h"

namespace weft::app {
namespace {

constexpr int kRefused = 3;

// "; read by insight/revenue/daily@1, ana": an addition to a line that says what differs.
std::string ReadersText(const Json& readers) {
  std::vector<std::string> some = readers["ports"].Texts();
  for (const std::string& principal : readers["principals"].Texts()) some.push_back(principal);
  const int64_t others = readers["principals_count"].Int();
  if (others > 0) some.push_back(Count(static_cast<size_t>(others), "principal"));
  return some.empty() ? "" : "; read by " + Join(some, ", ");
}

// How contracts differ, but for what breaks: that is told as problems.
std::string DifferenceLines(const Session& session, const Json& differences) {
  std::string lines;
  size_t words = 0;
  for (const Json& difference : differences.Items()) {
    const std::string& impact = difference["impact"].Text();
    if (impact == "breaking") continue;
    if (difference["kind"].Text() == "words-changed") {
      ++words;
      continue;
    }
    const std::string what = difference["what"].Text() + ReadersText(difference["readers"]);
    const bool risky = impact == "risky";
    lines += "\n    " +
             (risky ? session.Paint(Style::kWarn, "risky: ") + Safe(what) : session.Paint(Style::kDim, Safe(what)));
  }
  if (words > 0) lines += "\n    " + session.Paint(Style::kDim, Count(words, "change") + " of words");
  return lines;
}

// "+ operations/flights 1.0.0", as plan and apply show it.
std::string ChangeLine(const Session& session, const Json& change) {
  const std::string& kind = change["kind"].Text();
  const std::string &from = change["from"].Text(), &to = change["to"].Text();
  bool created = kind == "create", missing = kind == "missing";
  std::string sign = created   ? session.Paint(Style::kGood, "+")
                     : missing ? session.Paint(Style::kWarn, "?")
                               : session.Paint(Style::kWarn, "~");
  std::string line = sign + " " + Safe(change["address"].Text());
  if (!from.empty() && !to.empty() && from != to) {
    line += fmt::format(" {} → {}", Safe(from), Safe(to));
  } else if (!from.empty() || !to.empty()) {
    line += " " + Safe(to.empty() ? from : to);
  }
  for (const std::string& note : change["notes"].Texts()) line += "\n    " + session.Paint(Style::kDim, Safe(note));
  return line + DifferenceLines(session, change["differences"]) + "\n";
}

// Who gains and loses what by policies that change.
void PrintEffects(const Session& session, const Json& effects, bool cut) {
  if (effects.size() == 0) return;
  session.Print("Readers of what is published:\n");
  for (const Json& effect : effects.Items()) {
    std::string line = fmt::format("  {} {}", Safe(effect["principal"].Text()), Safe(effect["address"].Text()));
    std::vector<std::string> purposes;
    for (const std::string& purpose : effect["purposes"].Texts()) {
      purposes.push_back(purpose.empty() ? "no purpose" : Safe(purpose));
    }
    if (!purposes.empty()) line += " for " + Join(purposes, ", ");
    for (const std::string& note : effect["notes"].Texts()) line += "\n      " + session.Paint(Style::kDim, Safe(note));
    session.Print(line + "\n");
  }
  if (cut) session.Print(fmt::format("  and more: these are the first {}\n", effects.size()));
}

int PrintPlan(const Session& session, const Folder& folder, const Json& plan, bool applied) {
  std::vector<Problem> problems = http::ProblemsFromJson(plan["problems"]);
  for (Problem& problem : problems) problem = folder.Placed(std::move(problem));
  int64_t unchanged = 0, changed = 0;
  const std::string& environment = plan["environment"].Text();
  if (!environment.empty()) session.Print(session.Paint(Style::kDim, "environment " + Safe(environment)) + "\n");
  for (const Json& change : plan["changes"].Items()) {
    if (change["kind"].Text() == "unchanged") {
      ++unchanged;
      continue;
    }
    if (change["kind"].Text() != "missing") ++changed;
    session.Print(ChangeLine(session, change));
  }
  if (unchanged > 0) session.Print(fmt::format("= {} unchanged\n", unchanged));
  PrintEffects(session, plan["effects"], plan["effects_cut"].Bool());
  for (const Problem& problem : problems) {
    session.Print(session.Paint(Style::kBad, "!") + " " + Line(session, problem) + "\n");
  }
  if (size_t missing = plan["missing_data"].size(); missing > 0 && !applied) {
    session.Print(fmt::format("{} to upload\n", Count(missing, "data file")));
  }
  bool refused = plan["refused"].Bool();
  if (refused) {
    session.Print(session.Paint(Style::kBad, "refused") + ": " + Count(Errors(problems), "problem") +
                  "; nothing was changed\n");
  } else if (changed > 0) {
    session.Print(fmt::format("{} {}\n", Count(static_cast<size_t>(changed), "change"),
                              applied ? session.Paint(Style::kGood, "applied") : "planned"));
  }
  return refused ? kRefused : 0;
}

// What is sent of a folder: nothing of products that are as they were applied, which the node knows by their digest.
class Sender {
 public:
  Sender(Session& session, const Folder& folder) : session_(session), folder_(folder), kept_(folder.Digests()) {}

  // Asks once more where the node wants more of the folder, and at last with all of it.
  Result<Json> Post(const std::string& path) {
    for (int asked = 1;; ++asked) {
      Json answer = TRY(session_.Post(path, folder_.ToJson(kept_)));
      if (!Takes(answer)) return answer;
      if (asked == 2) kept_.clear();
    }
  }
  // The plan of what was sent, where nothing more is wanted; otherwise more will be sent from now on.
  Result<std::optional<Json>> Try(const std::string& path) {
    if (kept_.empty()) return std::optional<Json>();
    Json answer = TRY(session_.Post(path, folder_.ToJson(kept_)));
    return Takes(answer) ? std::optional<Json>() : std::optional<Json>(std::move(answer));
  }
  bool SendsData() const { return folder_.SendsData(kept_); }

 private:
  bool Takes(const Json& answer) {
    for (const std::string& folder : answer["wanted"].Texts()) kept_.erase(folder);
    return answer["wanted"].size() > 0;
  }

  Session& session_;
  const Folder& folder_;
  std::map<std::string, std::string> kept_;
};

Status Upload(Session& session, const Folder& folder, const std::vector<std::string>& missing) {
  Progress progress(session.screen());
  for (size_t i = 0; i < missing.size(); ++i) {
    auto place = folder.places.find(missing[i]);
    if (place == folder.places.end()) {
      return Error{Code::kConflict, "the node asks for a data file that is not in the folder: " + missing[i]};
    }
    progress.Draw({fmt::format("uploading {} {}/{} {}",
                               Progress::Bar(100.0 * static_cast<double>(i) / static_cast<double>(missing.size())),
                               i + 1, missing.size(), Safe(place->second))});
    TRY(session.PutFile("/v1/data/" + missing[i], place->second));
  }
  return {};
}

}  // namespace

size_t Errors(const std::vector<Problem>& problems) {
  return static_cast<size_t>(std::count_if(problems.begin(), problems.end(), [](const Problem& problem) {
    return problem.level == Problem::Level::kError;
  }));
}

std::string Line(const Session& session, const Problem& problem) {
  bool warning = problem.level == Problem::Level::kWarning;
  std::string text = Safe(problem.Text());
  return warning ? session.Paint(Style::kWarn, "warning: ") + text : text;
}

Result<int> PlanFolder(Session& session, const Folder& folder) {
  const Json plan = TRY(Sender(session, folder).Post("/v1/plan"));
  if (!session.json()) return PrintPlan(session, folder, plan, false);
  session.PrintJson(plan);
  return plan["refused"].Bool() ? kRefused : 0;
}

Result<int> ApplyFolder(Session& session, const Folder& folder) {
  Sender sender(session, folder);
  auto plan = TRY(sender.Try("/v1/plan"));
  // Without data there is nothing that an apply would wait for.
  if (!plan && sender.SendsData()) plan = TRY(sender.Post("/v1/plan"));
  if (plan && !(*plan)["refused"].Bool()) TRY(Upload(session, folder, (*plan)["missing_data"].Texts()));
  // A refused plan is applied all the same: the node records the denials in its ledger.
  auto applied = sender.Post("/v1/apply");
  if (!applied && applied.error().problems.empty()) return applied.TakeError();
  if (!applied && !plan) plan = TRY(sender.Post("/v1/plan"));
  Json shown = applied ? *applied : *plan;
  if (!applied) {  // What the node says now counts, not what it planned.
    shown.Set("problems", http::ProblemsToJson(applied.error().problems)).Set("refused", true);
  }
  if (!session.json()) {
    int code = PrintPlan(session, folder, shown, true);
    return applied ? code : ExitCode(applied.error().code);
  }
  session.PrintJson(shown);
  return applied ? 0 : ExitCode(applied.error().code);
}

}  // namespace weft::app
