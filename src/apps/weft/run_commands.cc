#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <set>

#include "apps/weft/backfill.h"
#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/following.h"
#include "apps/weft/former_version.h"
#include "apps/weft/schedule_text.h"
#include "base/text.h"

namespace weft::app {
namespace {

// A number that a policy may keep from the reader.
std::string Hidden(const Json& number, std::string (*text)(int64_t)) {
  return number.is_null() ? "hidden" : text(number.Int());
}

// What a person typed for an id stays one part of the path.
std::string RunPath(const std::string& id) { return "/v1/runs/" + ReplaceAll(ReplaceAll(id, "/", "_"), "..", "_"); }

// "web ← file:data/orders.csv (sha256 3f2a…)", "orders ← sales/orders/orders@1 (snapshot 123)"
std::string InputText(const Json& input) {
  if (!input["port"].Text().empty()) {
    return fmt::format("{} ← {} (snapshot {})", input["name"].Text(), input["port"].Text(), input["snapshot"].Text());
  }
  return fmt::format("{} ← {} (sha256 {})", input["name"].Text(), input["source"].Text(), input["version"].Text());
}

// "succeeded (rollback)": what a run was, and what became of it.
std::string StatusText(const Json& run) {
  std::string text = Safe(run["status"].Text());
  if (!run["restores"].is_null()) text += " (rollback)";
  if (!run["withdrawn_by"].is_null()) text += " (rolled back)";
  return text;
}

// Which writes no rows.
bool IsUpkeep(const Json& run) { return run["id"].Text().starts_with("upk_"); }

// What a snapshot came about by.
std::string OperationText(const Json& snapshot) {
  if (snapshot["operation"].Text() == "replace") return "upkeep";
  const std::string restores = Safe(snapshot["restores"].Text());
  return restores.empty() ? Safe(snapshot["operation"].Text()) : "rollback to " + restores;
}

// When upkeep forgets it: "in 3 days".
std::string GoesText(const std::string& expires_at) {
  const auto at = Instant::Parse(expires_at);
  if (!at) return "";
  return *at <= SystemClock().Now() ? "with the next upkeep" : AgoText(expires_at);
}

class RunCommand : public Command {
 public:
  explicit RunCommand(CLI::App& app) {
    auto* addresses = app.add_option("address", addresses_, "Output ports, products or domains")->type_name(kPlace);
    app.add_flag("--all", all_, "Every output port of the mesh")->excludes(addresses);
    app.add_flag("--force", force_, "Also where nothing changed since the last run");
    auto* full = app.add_flag("--full", full_, "Also what was read of the inputs before: files, rows up to a cursor");
    auto* at = app.add_option("--at", at_, "The run's logical time: what now() is in its build");
    auto* from = app.add_option("--from", range_.from, "One run for each logical time from this one on")
                     ->excludes(at)
                     ->excludes(full);
    app.add_option("--to", range_.to, "The last logical time of --from")->needs(from);
    app.add_option("--every", range_.every, "How far the logical times of --from are apart: day, month, 6h, P1W")
        ->needs(from);
  }

  Result<int> Run(Session& session) override {
    if (addresses_.empty() && !all_) {
      return session.Misused("run", "nothing to run: give addresses (domain/product/port), or --all");
    }
    Json body = Json::Map({{"force", force_}});
    if (full_) body.Set("full", true);
    if (all_) body.Set("all", true);
    if (!all_) body.Set("addresses", addresses_);
    if (!range_.from.empty()) {
      auto times = LogicalTimes(range_);
      if (!times) return session.Misused("run", Safe(times.error().message));
      return Backfill(session, body, *times);
    }
    if (!at_.empty()) {
      auto time = Instant::Parse(at_);
      if (!time) return session.Misused("run", "--at: " + Safe(time.error().message));
      body.Set("logical_time", time->Text());
    }
    return Follow(session, TRY(session.Post("/v1/runs", body)));
  }

 private:
  std::vector<std::string> addresses_;
  bool all_ = false;
  bool force_ = false;
  bool full_ = false;
  std::string at_;
  Range range_;
};

class RunsCommand : public Command {
 public:
  explicit RunsCommand(CLI::App& app) {
    app.add_option("what", what_, "A run's id, or an address")->type_name(kRunOrAddress);
    app.add_option("--status", status_, "Only those that are so")
        ->check(CLI::IsMember(
            {"pending", "running", "succeeded", "skipped", "refused", "denied", "failed", "cancelled", "interrupted"}));
    app.add_option("-n,--limit", limit_, "At most so many")->capture_default_str()->check(CLI::Range(1, 1'000));
  }

  Result<int> Run(Session& session) override {
    if (what_.starts_with("run_") || what_.starts_with("upk_")) return One(session);
    Session::Query query = {{"limit", std::to_string(limit_)}};
    if (!what_.empty()) query["address"] = what_;
    if (!status_.empty()) query["status"] = status_;
    const Json answer = TRY(session.Get("/v1/runs", query));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"run", false, Narrow::kBelow, 3},
                 {"address", false, Narrow::kKeep},
                 {"status", false, Narrow::kKeep},
                 {"rows", true, Narrow::kDrop, 4},
                 {"took", true, Narrow::kDrop, 2},
                 {"when", false, Narrow::kDrop, 5},
                 {"started", false, Narrow::kDrop, 2},
                 {"by", false, Narrow::kDrop, 1}});
    for (const Json& run : answer["runs"].Items()) {
      table.Add({{Safe(run["id"].Text())},
                 {Safe(run["address"].Text()), Style::kBold},
                 {StatusText(run), StyleOf(run)},
                 {IsUpkeep(run) ? "" : Hidden(run["rows"], HumanCount)},
                 {Duration(run)},
                 {AgoText(run["requested_at"].Text())},
                 {Safe(run["cause"].Text())},
                 {Safe(run["requested_by"].Text())}});
    }
    const bool all = what_.empty() && status_.empty();
    if (table.empty()) return session.Note(all ? "no runs yet; `weft run --all` builds every port" : "no such runs"), 0;
    session.Print(table.Text(session.screen()));
    return 0;
  }

 private:
  Result<int> One(Session& session) const {
    const Json run = TRY(session.Get(RunPath(what_)));
    if (session.json()) return session.PrintJson(run), 0;
    session.Print(ResultLine(session, run));
    auto fact = [&](std::string_view name, const std::string& value) {
      if (!value.empty()) session.Print("  " + session.Paint(Style::kDim, Pad(name, 12)) + " " + Safe(value) + "\n");
    };
    fact("asked", AgoText(run["requested_at"].Text()) + " by " + run["requested_by"].Text());
    fact("started", StartedText(run["cause"].Text()));
    fact("tries again", run["retry_of"].Text());
    fact("logical time", run["logical_time"].Text());
    fact("snapshot", run["snapshot"].Text());
    fact("restores", run["restores"].Text());
    fact("reason", run["reason"].Text());
    fact("rolled back", run["withdrawn_by"].Text());
    for (const Json& input : run["inputs"].Items()) fact("input", InputText(input));
    for (const Json& check : run["checks"].Items()) session.Print(CheckText(session, check));
    return 0;
  }

  std::string what_;
  std::string status_;
  int limit_ = 20;
};

class CancelCommand : public Command {
 public:
  explicit CancelCommand(CLI::App& app) { app.add_option("run", run_, "The run's id")->required()->type_name(kRun); }

  Result<int> Run(Session& session) override {
    const Json run = TRY(session.Post(RunPath(run_) + "/cancel", Json(Json::Object())));
    if (session.json()) return session.PrintJson(run), 0;
    session.Print(ResultLine(session, run));
    return 0;
  }

 private:
  std::string run_;
};

class RetryCommand : public Command {
 public:
  explicit RetryCommand(CLI::App& app) { app.add_option("run", run_, "The run's id")->required()->type_name(kRun); }

  Result<int> Run(Session& session) override {
    return Follow(session, TRY(session.Post(RunPath(run_) + "/retry", Json(Json::Object()))));
  }

 private:
  std::string run_;
};

class RollbackCommand : public Command {
 public:
  explicit RollbackCommand(CLI::App& app) {
    app.add_option("address", address_, "An output port; with --version a product")->required()->type_name(kAddress);
    app.add_option("--to", to_, "A snapshot's id, a tag, or a time; the snapshot before the newest where absent")
        ->type_name(kSnapshot);
    app.add_option("--reason", reason_, "Why: it stands in the log, and with the run");
    auto* version =
        app.add_option("--version", version_, "A former version of the product, to publish what it said again");
    app.add_option("--into", into_, "The folder that its files are written into")->needs(version);
  }

  Result<int> Run(Session& session) override {
    if (!version_.empty()) return Version(session);
    Json body = Json::Map({{"address", address_}});
    if (!to_.empty()) body.Set("to", to_);
    if (!reason_.empty()) body.Set("reason", reason_);
    const Json submitted = TRY(session.Post("/v1/rollbacks", body));
    const int code = TRY(Follow(session, submitted));
    if (code == 0 && !session.json()) TRY(TellReaders(session, submitted["runs"][size_t{0}]));
    return code;
  }

 private:
  Result<int> Version(Session& session) const {
    const model::Address address = TRY(model::Address::Parse(address_));
    if (address.product.empty()) return session.Misused("rollback", "--version is of a product: domain/product");
    const std::string product = address.domain + "/" + address.product;
    if (into_.empty()) {
      return Error{Code::kUnsupported,
                   fmt::format("a published version is never taken back, since consumers may rely on what it has. What "
                               "{0} said is published again under the next number: weft rollback {1} --version {0} "
                               "--into FOLDER writes it, and weft plan FOLDER says what it means to readers",
                               version_, product)};
    }
    return WriteFormerVersion(session, address, version_, into_);
  }

  // What was built from rows that are gone now, and how it is built anew.
  static Status TellReaders(Session& session, const Json& run) {
    const std::string& port = run["address"].Text();
    const Json answer = TRY(session.Get("/v1/lineage", {{"address", port}, {"direction", "down"}}));
    // A snapshot that restored another has the rows of that.
    std::map<std::string, std::string> restores;
    const Json history = TRY(session.Get("/v1/snapshots", {{"address", port}}));
    for (const Json& snapshot : history["snapshots"].Items())
      restores[snapshot["id"].Text()] = snapshot["restores"].Text();
    auto rows_of = [&](std::string snapshot) {
      while (restores.contains(snapshot) && !restores[snapshot].empty()) snapshot = restores[snapshot];
      return snapshot;
    };
    const std::string now = rows_of(run["restores"].Text());
    std::set<std::string> built;
    for (const Json& edge : answer["edges"].Items()) {
      if (edge["from"].Text() == port && rows_of(edge["from_snapshot"].Text()) != now)
        built.insert(Safe(edge["to"].Text()));
    }
    if (built.empty()) return {};
    const std::string all = Join(std::vector<std::string>(built.begin(), built.end()), " ");
    session.Print(
        fmt::format("still built from what was rolled back: {}; weft run {}\n", ReplaceAll(all, " ", ", "), all));
    return {};
  }

  std::string address_;
  std::string to_;
  std::string reason_;
  std::string version_;
  std::string into_;
};

class SnapshotsCommand : public Command {
 public:
  explicit SnapshotsCommand(CLI::App& app) {
    app.add_option("address", address_, "An output port")->required()->type_name(kPort);
  }

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Get("/v1/snapshots", {{"address", address_}}));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"snapshot", false, Narrow::kKeep},
                 {"when", false, Narrow::kKeep},
                 {"operation", false, Narrow::kDrop, 2},
                 {"rows", true, Narrow::kKeep},
                 {"added", true, Narrow::kDrop, 3},
                 {"files", true, Narrow::kDrop, 1},
                 {"size", true, Narrow::kDrop, 4},
                 {"goes", false, Narrow::kDrop, 5},
                 {"tags"}});
    for (const Json& snapshot : answer["snapshots"].Items()) {
      table.Add({{Safe(snapshot["id"].Text()), Style::kBold},
                 {AgoText(snapshot["at"].Text())},
                 {OperationText(snapshot)},
                 {Hidden(snapshot["rows"], HumanCount)},
                 {Hidden(snapshot["added_rows"], HumanCount)},
                 {Hidden(snapshot["files"], HumanCount)},
                 {Hidden(snapshot["bytes"], HumanBytes)},
                 {GoesText(snapshot["expires_at"].Text())},
                 {Safe(Join(snapshot["tags"].Texts(), ", "))}});
    }
    if (table.empty()) return session.Note("no snapshots yet"), 0;
    session.Print(table.Text(session.screen()));
    return 0;
  }

 private:
  std::string address_;
};

class TagCommand : public Command {
 public:
  explicit TagCommand(CLI::App& app) {
    app.add_option("address", address_, "An output port")->required()->type_name(kPort);
    app.add_option("name", name_, "The tag")->required();
    app.add_option("--snapshot", snapshot_, "The snapshot's id; the newest where absent")->type_name(kSnapshot);
  }

  Result<int> Run(Session& session) override {
    Json body = Json::Map({{"address", address_}, {"tag", name_}});
    if (!snapshot_.empty()) body.Set("snapshot", snapshot_);
    const Json tagged = TRY(session.Post("/v1/tags", body));
    if (session.json()) return session.PrintJson(tagged), 0;
    session.Print(
        fmt::format("tagged snapshot {} of {} as {}\n", Safe(tagged["snapshot"].Text()), Safe(address_), Safe(name_)));
    return 0;
  }

 private:
  std::string address_;
  std::string name_;
  std::string snapshot_;
};

constexpr CommandEntry kCommands[] = {
    {"run", "Run", "Build output ports, check them, and publish the rows",
     "weft run operations/flights/flights\nweft run operations fleet --force\nweft run --all\n"
     "weft run music/labels --from 2026-01 --to 2026-06 --every month",
     Bits(Action::kRun, Action::kRead), Make<RunCommand>},
    {"runs", "Run", "Runs, or all about one", "weft runs\nweft runs operations/flights\nweft runs run_01j…",
     Bits(Action::kBrowse, Action::kRead, Action::kRun), Make<RunsCommand>},
    {"cancel", "Run", "Stop a run; nothing of it becomes visible", "weft cancel run_01j…",
     Bits(Action::kRun, Action::kRead), Make<CancelCommand>},
    {"retry", "Run", "Run again what did not succeed", "weft retry run_01j…", Bits(Action::kRun, Action::kRead),
     Make<RetryCommand>},
    {"rollback", "Run", "Let readers see a former snapshot of an output port again",
     "weft rollback sales/orders/orders --reason 'amounts in cents'\nweft rollback sales/orders/orders --to year-end\n"
     "weft rollback sales/orders/orders --to 2026-01-31T09:00:00Z\n"
     "weft rollback sales/orders --version 1.2.0 --into former",
     Bits(Action::kRun, Action::kRead), Make<RollbackCommand>},
    {"snapshots", "Run", "Committed states of an output port", "weft snapshots operations/flights/flights",
     Bits(Action::kBrowse, Action::kRead), Make<SnapshotsCommand>},
    {"tag", "Run", "Name a snapshot", "weft tag operations/flights/flights year-end --snapshot 123", Bits(Action::kRun),
     Make<TagCommand>},
};

}  // namespace

std::span<const CommandEntry> RunCommands() { return kCommands; }

}  // namespace weft::app
