#include "apps/weft/diff_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/completion.h"
#include "base/file.h"
#include "base/text.h"
#include "model/compat.h"
#include "model/version.h"

namespace weft::app {
namespace {

using model::Impact;

constexpr int kRefused = 3;
constexpr size_t kMaxContract = 16 << 20;

class DiffCommand : public Command {
 public:
  explicit DiffCommand(CLI::App& app) {
    app.add_option("older", older_, "The contract as it was: a file")->required()->type_name(kFile);
    app.add_option("newer", newer_, "The contract as it is to be: a file")->required()->type_name(kFile);
  }

  Result<int> Run(Session& session) override {
    const model::Contract older = TRY(Read(older_)), newer = TRY(Read(newer_));
    const std::vector<model::Difference> differences = model::Differences(older, newer);
    const auto was = model::Version::Parse(older.version), is = model::Version::Parse(newer.version);
    std::string least;
    bool enough = true;
    if (was) {
      const model::Version needed = differences.empty() ? *was : model::Bumped(*was, model::StepOf(differences));
      least = needed.Text();
      enough = !is || *is >= needed;
    }
    if (session.json()) {
      session.PrintJson(Json::Map({{"differences", ToJson(differences)},
                                   {"older", older.version},
                                   {"newer", newer.version},
                                   {"least", least},
                                   {"enough", enough}}));
      return enough ? 0 : kRefused;
    }
    for (const model::Difference& difference : differences) session.Print(Line(session, difference));
    session.Print(Summary(session, differences, older.version, newer.version, least, enough));
    return enough ? 0 : kRefused;
  }

 private:
  static Result<model::Contract> Read(const std::string& path) {
    const std::string text = TRY(ReadFile(path, kMaxContract));
    return model::Contract::Parse(text, path);
  }

  std::string Line(const Session& session, const model::Difference& difference) const {
    const Style style = difference.impact == Impact::kBreaking ? Style::kBad
                        : difference.impact == Impact::kRisky  ? Style::kWarn
                                                               : Style::kDim;
    return fmt::format("{}:{}:{}: {}: {} ({}:{}) [{}]\n", Safe(newer_), difference.now.line, difference.now.column,
                       session.Paint(style, model::ImpactName(difference.impact)), Safe(difference.what), Safe(older_),
                       difference.was.line, difference.kind);
  }

  static std::string Summary(const Session& session, const std::vector<model::Difference>& differences,
                             const std::string& was, const std::string& is, const std::string& least, bool enough) {
    if (differences.empty()) return session.Paint(Style::kGood, "no difference") + " that a reader could notice\n";
    std::string counts;
    for (const Impact impact : {Impact::kBreaking, Impact::kRisky, Impact::kCompatible}) {
      const auto count = std::ranges::count(differences, impact, &model::Difference::impact);
      if (count > 0) counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count, model::ImpactName(impact));
    }
    const std::string verdict = enough ? fmt::format("{} {} carries it", session.Paint(Style::kGood, "ok:"), Safe(is))
                                       : fmt::format("{} {} does not carry it: make it {} or higher",
                                                     session.Paint(Style::kBad, "refused:"), Safe(is), least);
    return fmt::format("{} since {}; {}\n", counts, Safe(was), verdict);
  }

  static Json ToJson(const std::vector<model::Difference>& differences) {
    Json::Array all;
    for (const model::Difference& difference : differences) {
      all.push_back(Json::Map({{"impact", model::ImpactName(difference.impact)},
                               {"kind", difference.kind},
                               {"what", difference.what},
                               {"column", difference.column},
                               {"line", difference.now.line},
                               {"previous_line", difference.was.line}}));
    }
    return Json(std::move(all));
  }

  std::string older_, newer_;
};

}  // namespace

std::unique_ptr<Command> MakeDiff(CLI::App& app) { return std::make_unique<DiffCommand>(app); }

}  // namespace weft::app
