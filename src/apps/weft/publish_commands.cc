#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <thread>

#include "apps/weft/applying.h"
#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/diff_command.h"
#include "apps/weft/folder.h"
#include "apps/weft/problems.h"
#include "apps/weft/promote_command.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "drivers/http/message.h"
#include "model/policy/policies.h"
#include "model/rules.h"
#include "model/term.h"

namespace weft::app {
namespace {

constexpr int kRefused = 3;

class CheckCommand : public Command {
 public:
  explicit CheckCommand(CLI::App& app) {
    app.add_option("path", paths_, "A mesh's or product's folder, or single files")->required()->type_name(kFile);
    app.add_flag("--offline", offline_, "Judge each descriptor by its standard alone");
    app.add_flag("--watch", watch_, "Judge again whenever a file changes, until Ctrl-C; a line each with --json");
  }

  Result<int> Run(Session& session) override {
    if (!watch_) return Once(session);
    for (std::optional<FolderStamp> before;; std::this_thread::sleep_for(kLook)) {
      FolderStamp now = StampOf(paths_);
      if (now == before) continue;
      before = std::move(now);
      const auto told = Once(session);
      // What cannot be read now may be in a moment: an editor is writing it.
      if (!told) Fail(session.json(), told.error());
      session.Note(fmt::format("{} · waiting for changes; Ctrl-C ends", SystemClock().Now().Text().substr(11, 8)));
      std::fflush(stdout);
    }
  }

 private:
  static constexpr std::chrono::milliseconds kLook{200};

  Result<int> Once(Session& session) const {
    const Folder folder = TRY(Read(session));
    std::vector<Problem> problems = TRY(Judge(folder));
    for (Problem& problem : problems) problem = folder.Placed(std::move(problem));
    size_t errors = Errors(problems);
    if (session.json()) {
      session.PrintJson(Json::Map({{"files", static_cast<int64_t>(folder.files.size())},
                                   {"errors", static_cast<int64_t>(errors)},
                                   {"problems", http::ProblemsToJson(problems)}}));
      return errors > 0 ? kRefused : 0;
    }
    for (const Problem& problem : problems) session.Print(Line(session, problem) + "\n");
    std::string files = Count(folder.files.size(), "file");
    std::string summary = problems.empty() ? session.Paint(Style::kGood, "ok") + ": " + files
                                           : fmt::format("{} in {}", Count(problems.size(), "problem"), files);
    session.Print(summary + "\n");
    return errors > 0 ? kRefused : 0;
  }

  Result<Folder> Read(const Session& session) const {
    std::error_code failure;
    if (paths_.size() == 1 && fs::is_directory(paths_[0], failure)) return ReadFolder(session, paths_[0], false);
    for (const std::string& path : paths_) {
      if (fs::is_directory(path, failure)) {
        return Error{Code::kInvalid, fmt::format("'{}' is a folder: give one folder, or files only", Safe(path))};
      }
    }
    return ReadFiles(paths_);
  }

  // By its name and folder, as those who read a folder go by it.
  static bool IsDescriptor(const std::string& path) {
    const std::string name = path.substr(path.rfind('/') + 1);
    const bool standard = name.find(".odps.y") != name.npos || name.find(".odcs.y") != name.npos;
    const bool own = path.starts_with("policies/") || path.starts_with("entities/") || path.starts_with("terms/") ||
                     !model::EnvironmentOfFile(path).empty();
    return standard || own || name == "mesh.yaml" || name == "mesh.yml";
  }

  // What is no descriptor, or holds nothing, is not told to be well.
  Status Something(const Folder& folder, const model::Repository& repository) const {
    std::vector<std::string> nothing;
    size_t found = 0;
    for (const model::TextFile& file : folder.files) {
      const bool is = IsDescriptor(file.path) || (folder.named && (offline_ || file.path.ends_with(".sql")));
      found += is ? 1 : 0;
      if (folder.named && !is) nothing.push_back("'" + Safe(folder.root + file.path) + "'");
    }
    bool empty = !offline_ && repository.problems.empty() && !repository.mesh && repository.bundles.empty();
    for (const model::PolicyFile& file : repository.policies) {
      empty = empty && file.policies.empty() && file.purposes.empty() && file.tests.empty();
    }
    for (const model::EntityFile& file : repository.entities) empty = empty && file.entities.empty();
    const model::TermFolder terms = model::TermsIn(folder.files);
    empty = empty && terms.files.empty() && terms.problems.empty();
    if (nothing.empty() && found > 0 && !empty) return {};
    if (nothing.empty()) nothing.push_back("'" + Safe(Join(paths_, "', '")) + "'");
    return Error{Code::kInvalid,
                 fmt::format("nothing was found to check in {}: descriptors are mesh.yaml, product.odps.yaml, "
                             "<port>.odcs.yaml, policies/*.yaml, entities/*.yaml and terms/*.yaml, and env/*.yaml, "
                             "which is judged with its product's folder",
                             Join(nothing, ", "))};
  }

  Result<std::vector<Problem>> Judge(const Folder& folder) const {
    model::Repository repository = model::ReadRepository(folder.files, folder.data, offline_);
    TRY(Something(folder, repository));
    std::vector<Problem> problems = std::move(repository.problems);
    if (!offline_) std::ranges::move(model::JudgeByChecks(repository), std::back_inserter(problems));
    if (!offline_) std::ranges::move(model::JudgeByEntities(repository), std::back_inserter(problems));
    if (!offline_) {
      std::ranges::move(model::JudgeByTerms(model::TermsIn(folder.files), repository), std::back_inserter(problems));
    }
    if (!offline_) std::ranges::move(model::JudgeByPolicies(repository), std::back_inserter(problems));
    for (const model::TextFile& file : folder.files) {
      bool named = file.path.ends_with(".odps.yaml") || file.path.ends_with(".odcs.yaml");
      if (!offline_ || named || folder.files.size() != paths_.size()) continue;
      // A file that was named is judged whatever it is called.
      Error error;
      if (file.text.find("kind: DataProduct") != std::string::npos) {
        if (auto product = model::Product::Parse(file.text, file.path); !product) error = product.TakeError();
      } else if (auto contract = model::Contract::Parse(file.text, file.path); !contract) {
        error = contract.TakeError();
      }
      for (Problem& problem : error.problems) problems.push_back(std::move(problem));
    }
    return problems;
  }

  std::vector<std::string> paths_;
  bool offline_ = false;
  bool watch_ = false;
};

class PlanCommand : public Command {
 public:
  explicit PlanCommand(CLI::App& app) {
    app.add_option("folder", folder_, "A mesh's or a product's folder")->required()->type_name(kFolder);
  }

  Result<int> Run(Session& session) override { return PlanFolder(session, TRY(ReadFolder(session, folder_, true))); }
  std::string MeshFolder() const override { return folder_; }

 private:
  std::string folder_;
};

class ApplyCommand : public Command {
 public:
  explicit ApplyCommand(CLI::App& app) {
    app.add_option("folder", folder_, "A mesh's or a product's folder")->required()->type_name(kFolder);
  }

  Result<int> Run(Session& session) override { return ApplyFolder(session, TRY(ReadFolder(session, folder_, true))); }
  std::string MeshFolder() const override { return folder_; }

 private:
  std::string folder_;
};

constexpr CommandEntry kCommands[] = {
    {"check", "Publish", "Judge a folder of descriptors, without a node",
     "weft check mesh\nweft check --offline flights.odcs.yaml", kAlone, Make<CheckCommand>},
    {"diff", "Publish", "Compare two versions of a contract: what breaks whom, and which version that makes",
     "weft diff orders-1.0.0.odcs.yaml orders.odcs.yaml", kAlone, MakeDiff},
    {"plan", "Publish", "Show what apply would change", "weft plan mesh\nweft plan mesh --env prod",
     Bits(Action::kBrowse, Action::kPublish, Action::kGrant, Action::kAdminister, Action::kGovern, Action::kAudit),
     Make<PlanCommand>},
    {"apply", "Publish", "Register what the folder describes, with its data files",
     "weft apply mesh\nweft apply mesh/domains/operations/flights",
     Bits(Action::kBrowse, Action::kPublish, Action::kGrant, Action::kAdminister, Action::kGovern, Action::kAudit),
     Make<ApplyCommand>},
    {"promote", "Publish", "Take what passed here to another environment, to the byte",
     "weft promote operations/flights --to prod\n"
     "weft promote operations/flights --from mesh/domains/operations/flights --to http://127.0.0.1:7480 --plan",
     Bits(Action::kBrowse, Action::kPublish, Action::kGrant, Action::kAdminister, Action::kGovern, Action::kAudit),
     MakePromote},
};

}  // namespace

std::span<const CommandEntry> PublishCommands() { return kCommands; }

}  // namespace weft::app
