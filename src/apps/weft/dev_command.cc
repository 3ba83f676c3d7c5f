#include "apps/weft/dev_command.h"

#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "apps/weft/completion.h"
#include "apps/weft/folder.h"
#include "apps/weft/scratch_node.h"
#include "base/clock.h"
#include "base/text.h"
#include "model/policy/policies.h"
#include "model/rules.h"
#include "work/run/remote.h"
#include "work/run/tables.h"

namespace weft::app {
namespace {

constexpr timespec kLook{0, 200'000'000};

// Whether this process is asked to end, waiting for it a moment.
bool Ends(const sigset_t& signals) { return ::sigtimedwait(&signals, nullptr, &kLook) > 0; }

// Versions that are published do not change; drafts do. On the scratch node all are drafts, line for line.
std::string AsDraft(const std::string& text) {
  std::string draft;
  for (const std::string& line : Split(text, '\n')) {
    draft += (draft.empty() ? "" : "\n") + (line.starts_with("status:") ? "status: draft" : line);
  }
  return draft;
}

// What the folder says, as the scratch node needs it.
struct Mesh {
  model::Repository repository;
  std::set<std::string> hosts;
  std::string environment;
};

// The one that was asked for; else `dev`, where the mesh or a product of it has one of that name.
Result<std::string> EnvironmentOf(const Session& session, const model::Repository& repository) {
  const std::string& asked = session.options().environment;
  const std::string name = asked.empty() ? "dev" : asked;
  bool known = std::ranges::any_of(repository.bundles, [&](const model::Bundle& each) { return each.OverlayOf(name); });
  if (repository.mesh) known = repository.mesh->FindEnvironment(name);
  if (known || asked.empty()) return known ? name : "";
  return Error{Code::kNotFound, repository.mesh
                                    ? repository.mesh->UnknownEnvironment(name)
                                    : fmt::format("no product of this folder has a file env/{}.yaml", Safe(name))};
}

// "sales/orders"
std::string NameOf(const model::Product& product) { return product.domain + "/" + product.name; }

class DevCommand : public Command {
 public:
  explicit DevCommand(CLI::App& app) {
    app.add_option("folder", folder_, "A mesh's or a product's folder")->capture_default_str()->type_name(kFolder);
  }

  Result<int> Run(Session& session) override {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int each : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals, each);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    TRY(ReadFolder(session, folder_, false));  // A folder that is none is no use waiting for.
    std::optional<FolderStamp> before;
    do {
      if (before && Stamp() == *before) continue;
      Look(session);
      before = Stamp();
      if (Status done = Cycle(session); !done) Fail(session.json(), done.error());
      std::fflush(stdout);
      session.Note(fmt::format("{} · waiting for changes; Ctrl-C ends", SystemClock().Now().Text().substr(11, 8)));
    } while (!Ends(signals));
    node_.reset();
    return 0;
  }

  bool LaysEnvironment() const override { return true; }

 private:
  // Of the texts, of the data files that they named when they were read, and of the folders where those lie.
  FolderStamp Stamp() const {
    std::vector<std::string> paths{folder_};
    paths.insert(paths.end(), data_.begin(), data_.end());
    FolderStamp stamp = StampOf(paths);
    for (const std::string& path : data_) {
      const fs::path folder = fs::path(path).parent_path();
      std::error_code gone;
      stamp[folder.string()] = {fs::last_write_time(folder, gone), 0};
    }
    return stamp;
  }

  void Look(const Session& session) {
    const auto folder = ReadFolder(session, folder_, false);
    if (!folder) return;  // Told by the cycle.
    data_.clear();
    for (const model::DataFile& file : folder->data) data_.push_back((fs::path(folder_) / file.path).string());
  }

  Status Cycle(Session& session) {
    const Folder folder = TRY(ReadFolder(session, folder_, false));
    Mesh mesh{model::ReadRepository(folder.files, folder.data, false), {}, ""};
    mesh.environment = TRY(EnvironmentOf(session, mesh.repository));
    if (!mesh.environment.empty()) {
      mesh.repository = model::ReadRepository(folder.files, folder.data, false, nullptr, mesh.environment);
    }
    std::vector<Problem> problems = mesh.repository.problems;
    for (auto judge : {model::JudgeByChecks, model::JudgeByEntities, model::JudgeByPolicies}) {
      std::ranges::move(judge(mesh.repository), std::back_inserter(problems));
    }
    for (Problem& problem : problems) session.Print(Safe(folder.Placed(problem).Text()) + "\n");
    const auto errors = std::ranges::count(problems, Problem::Level::kError, &Problem::level);
    if (errors > 0) {
      session.Print(fmt::format("{} {} in {}\n", session.Paint(Style::kBad, "✗"),
                                Count(static_cast<size_t>(errors), "problem"), Count(folder.files.size(), "file")));
      return {};
    }
    session.Print(fmt::format("{} checked {}\n", session.Paint(Style::kGood, "✓"), Count(folder.files.size(), "file")));
    std::fflush(stdout);
    for (const model::Bundle& bundle : mesh.repository.bundles) {
      for (const model::InputPort& input : bundle.product.inputs) {
        if (input.source && input.source->kind == "postgres") mesh.hosts.insert(run::ServerOf(*input.source).host);
        const bool elsewhere = input.source && (input.source->kind == "http" || input.source->kind == "object");
        if (const auto host = elsewhere ? run::HostOf(*input.source) : Result<std::string>(""); host && !host->empty())
          mesh.hosts.insert(*host);
      }
    }
    return Follow(session, folder, mesh);
  }

  // On the node that there is; on a new one where that one cannot take the change.
  Status Follow(Session& session, const Folder& folder, const Mesh& mesh) {
    if (node_ && (!node_->Lives() || !std::ranges::includes(hosts_, mesh.hosts) || environment_ != mesh.environment))
      node_.reset();
    for (bool fresh = !node_;; fresh = true) {
      if (!node_) TRY(StartNode(session, mesh));
      TRY(Lay(folder, mesh));
      const Called applied = TRY(node_->Call({"apply", Place(), "--json"}, false));
      const auto plan = Json::Parse(applied.out);
      if (applied.code != 0 && !fresh) {
        node_.reset();
        continue;
      }
      if (applied.code != 0 || !plan) return ToStatus(TRY(node_->Call({"apply", Place()}, true)));
      const std::vector<std::string> wanted = Wanted(mesh, *plan);
      Grants(mesh);
      Secrets(session, mesh);
      if (wanted.empty()) return session.Note("nothing that runs has changed"), Status();
      std::vector<std::string> words{"run"};
      words.insert(words.end(), wanted.begin(), wanted.end());
      return ToStatus(TRY(node_->Call(words, true)));
    }
  }

  // What went wrong has been shown.
  static Status ToStatus(const Called&) { return {}; }

  std::string Place() const { return (node_->folder() / "mesh").string(); }

  Status StartNode(Session& session, const Mesh& mesh) {
    hosts_ = mesh.hosts;
    environment_ = mesh.environment;
    done_.clear();
    std::vector<std::string> settings{"--source-roots", "/", "--log-level", "warn", "--scheduler", "false"};
    if (!environment_.empty()) settings.insert(settings.end(), {"--environment", environment_});
    for (const std::string& host : hosts_) settings.insert(settings.end(), {"--source-hosts", host});
    node_ = TRY(ScratchNode::Start(settings));
    const std::string as = environment_.empty() ? "" : fmt::format(" as '{}' has it", environment_);
    session.Note(
        fmt::format("a scratch node runs it{}; to look, in another terminal: export WEFT_NODE={}", as, node_->url()));
    return {};
  }

  // The folder as the node is to have it: in a mesh, its descriptors drafts, its data files as they are.
  Status Lay(const Folder& folder, const Mesh& mesh) const {
    const fs::path to = Place();
    std::error_code failure;
    fs::remove_all(to, failure);
    const bool whole = mesh.repository.mesh.has_value();
    auto place = [&](const std::string& path) {
      const auto& bundles = mesh.repository.bundles;
      const bool bare = !whole && bundles.size() == 1 && bundles[0].folder.empty();
      return bare ? to / "domains" / NameOf(bundles[0].product) / path : to / path;
    };
    for (const model::TextFile& file : folder.files) {
      const fs::path path = place(file.path);
      TRY(MakeFolders(path.parent_path()));
      const bool draft = file.path.ends_with(".odps.yaml") || file.path.ends_with(".odcs.yaml");
      TRY(WriteFileAtomically(path, draft ? AsDraft(file.text) : file.text));
    }
    for (const model::DataFile& file : folder.data) {
      const fs::path path = place(file.path);
      TRY(MakeFolders(path.parent_path()));
      const fs::path from = fs::path(folder_) / file.path;
      fs::create_hard_link(from, path, failure);
      if (failure) fs::copy_file(from, path, failure);  // On another disk, or where links may not be made.
      if (failure) {
        return Error{Code::kUnavailable,
                     fmt::format("'{}' cannot be copied to '{}': {}", from.string(), path.string(), failure.message())};
      }
    }
    if (whole) return {};
    std::string text = "id: dev\ndomains:\n";
    std::set<std::string> domains;
    for (const model::Bundle& bundle : mesh.repository.bundles) domains.insert(bundle.product.domain);
    for (const std::string& domain : domains) text += fmt::format("  - {{name: {}, owners: [admin]}}\n", domain);
    std::set<std::string> environments;
    for (const model::Bundle& bundle : mesh.repository.bundles) {
      for (const model::Overlay& overlay : bundle.overlays) environments.insert(overlay.environment);
    }
    if (!environments.empty()) text += "environments:\n";
    for (const std::string& environment : environments) text += fmt::format("  - {{name: {}}}\n", environment);
    return WriteFileAtomically(to / "mesh.yaml", text);
  }

  // The products that the node has taken anew, and all that read from them.
  static std::vector<std::string> Wanted(const Mesh& mesh, const Json& plan) {
    std::set<std::string> names;
    for (const Json& change : plan["changes"].Items()) {
      if (change["kind"].Text() != "unchanged" && change["kind"].Text() != "missing") {
        names.insert(change["address"].Text());
      }
    }
    for (bool more = true; more;) {
      more = false;
      for (const model::Bundle& bundle : mesh.repository.bundles) {
        for (const model::InputPort& input : bundle.product.inputs) {
          auto from = input.source ? model::Address::Parse(input.source->address) : Result<model::Address>(Error{});
          if (!from || !names.contains(from->domain + "/" + from->product)) continue;
          more = names.insert(NameOf(bundle.product)).second || more;
        }
      }
    }
    std::vector<std::string> wanted;
    for (const model::Bundle& bundle : mesh.repository.bundles) {
      if (names.contains(NameOf(bundle.product))) wanted.push_back(NameOf(bundle.product));
    }
    return wanted;
  }

  // Each product may read what its inputs name, and whoever watches all of it: nobody else has this node.
  void Grants(const Mesh& mesh) {
    auto grant = [&](const std::string& principal, const std::string& address, const std::string& purpose) {
      if (!done_.insert(principal + " " + address + " " + purpose).second) return;
      std::vector<std::string> words{"grant", principal, address};
      if (!purpose.empty()) words.insert(words.end(), {"--purpose", purpose});
      node_->Call(words, false).value_or(Called{});  // A run that may not read says so.
    };
    for (const model::Bundle& bundle : mesh.repository.bundles) {
      for (const model::OutputPort& port : bundle.product.outputs) {
        const std::string major = port.version.substr(0, port.version.find('.'));
        grant("admin", fmt::format("{}/{}@{}", NameOf(bundle.product), port.name, major), "");
      }
    }
    for (const model::Bundle& bundle : mesh.repository.bundles) {
      for (const model::InputPort& input : bundle.product.inputs) {
        if (!input.source || input.source->kind != "product") continue;
        grant("product:" + NameOf(bundle.product), input.source->address, bundle.product.purpose);
      }
    }
  }

  // The passwords that sources name, as far as the person who types has them.
  void Secrets(const Session& session, const Mesh& mesh) {
    for (const model::Bundle& bundle : mesh.repository.bundles) {
      for (const model::InputPort& input : bundle.product.inputs) {
        const std::string secret = input.source ? input.source->options["password"]["secret"].Text() : "";
        if (secret.empty() || !done_.insert("secret " + bundle.product.domain + " " + secret).second) continue;
        const auto password = database::OwnPassword(run::ServerOf(*input.source));
        if (!password) {
          session.Note(fmt::format("the secret '{}' is the password of {}: give yours by PGPASSWORD or ~/.pgpass",
                                   Safe(secret), Safe(run::PlaceOf(*input.source))));
          continue;
        }
        node_->Call({"secret", "put", secret, "--domain", bundle.product.domain}, false, std::string(password->bytes()))
            .value_or(Called{});
      }
    }
  }

  std::string folder_ = ".";
  std::vector<std::string> data_;
  std::unique_ptr<ScratchNode> node_;
  std::set<std::string> hosts_;  // That it may go to.
  std::string environment_;      // As which it has the folder.
  std::set<std::string> done_;   // What was granted and sealed there.
};

}  // namespace

std::unique_ptr<Command> MakeDev(CLI::App& app) { return std::make_unique<DevCommand>(app); }

}  // namespace weft::app
