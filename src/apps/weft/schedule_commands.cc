#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/schedule_text.h"
#include "base/text.h"

namespace weft::app {
namespace {

// What is as it should be, and what waits for somebody.
Style StyleOf(const std::string& reason) {
  for (const char* good : {"running", "not-due", "up-to-date", "due", "queued"}) {
    if (reason == good) return Style::kGood;
  }
  for (const char* bad : {"refused", "denied", "failed", "no-scheduler", "no-build"}) {
    if (reason == bad) return Style::kBad;
  }
  return Style::kWarn;
}

std::string AgeText(int64_t seconds) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"day", 86'400}, {"hour", 3'600}, {"minute", 60}, {"second", 1}};
  for (const auto& [unit, size] : kUnits) {
    if (seconds >= size && seconds % size == 0) return Count(static_cast<size_t>(seconds / size), unit);
  }
  return Count(static_cast<size_t>(seconds), "second");
}

class WhyCommand : public Command {
 public:
  explicit WhyCommand(CLI::App& app) {
    app.add_option("address", address_, "An output port, a product or a domain")->required()->type_name(kPlace);
  }

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Get("/v1/why", {{"address", address_}}));
    if (session.json()) return session.PrintJson(answer), 0;
    bool first = true;
    for (const Json& why : answer["ports"].Items()) {
      if (!std::exchange(first, false)) session.Print("\n");
      Print(session, why);
    }
    return 0;
  }

 private:
  static void Print(const Session& session, const Json& why) {
    const std::string& reason = why["reason"].Text();
    session.Print(fmt::format("{} {}\n  {}\n", session.Paint(Style::kTitle, Safe(why["address"].Text())),
                              session.Paint(StyleOf(reason), Safe(reason)), Safe(why["text"].Text())));
    const Json& run = why["run"];
    if (!run["step"].Text().empty())
      session.Fact("now", fmt::format("{}, {:.0f} %", Safe(run["step"].Text()), run["progress"].Double()));
    session.Fact("runs", Safe(ScheduleText(why)));
    if (const Json& last = why["last"]; !last.is_null()) {
      std::string text = fmt::format("{} {} {}, started {}", last["id"].Text(), last["status"].Text(),
                                     AgoText(last["ended_at"].Text()), StartedText(last["cause"].Text()));
      if (!last["message"].Text().empty()) text += ": " + last["message"].Text();
      session.Fact("last", Safe(text, true));
    }
    if (!why["fresh"].is_null()) {
      std::string text = "committed " + AgoText(why["fresh"].Text());
      if (why["promised_seconds"].is_number())
        text += fmt::format("; no older than {} is promised", AgeText(why["promised_seconds"].Int()));
      session.Fact("rows", Safe(text));
    }
    session.Fact("help", Safe(why["advice"].Text()));
  }

  std::string address_;
};

class PauseCommand : public Command {
 public:
  explicit PauseCommand(CLI::App& app) {
    app.add_option("address", address_, "An output port, a product or a domain")->required()->type_name(kPlace);
    app.add_option("--because", because_, "Why: it stands in the log, and where people look");
  }

  Result<int> Run(Session& session) override {
    Json body = Json::Map({{"address", address_}});
    if (!because_.empty()) body.Set("because", because_);
    const Json paused = TRY(session.Post("/v1/pauses", body));
    if (session.json()) return session.PrintJson(paused), 0;
    const std::string address = Safe(paused["address"].Text());
    session.Print(
        fmt::format("paused {0}: neither schedules nor triggers start it; weft run does, and weft resume {0} "
                    "ends it\n",
                    address));
    return 0;
  }

 private:
  std::string address_;
  std::string because_;
};

class ResumeCommand : public Command {
 public:
  explicit ResumeCommand(CLI::App& app) {
    app.add_option("address", address_, "What was paused")->required()->type_name(kPlace);
  }

  Result<int> Run(Session& session) override {
    const Json resumed = TRY(session.Delete("/v1/pauses", {{"address", address_}}));
    if (session.json()) return session.PrintJson(resumed), 0;
    session.Print(
        fmt::format("resumed {}: what was due meanwhile is made good once\n", Safe(resumed["address"].Text())));
    return 0;
  }

 private:
  std::string address_;
};

constexpr CommandEntry kCommands[] = {
    {"why", "Run", "Why an output port has no newer rows, and what happens next",
     "weft why sales/orders/orders\nweft why sales --json", Bits(Action::kBrowse, Action::kRun, Action::kRead),
     Make<WhyCommand>},
    {"pause", "Run", "Let neither schedules nor triggers start runs of a port, a product or a domain",
     "weft pause sales/orders --because 'the source is being moved'", Bits(Action::kRun), Make<PauseCommand>},
    {"resume", "Run", "End a pause", "weft resume sales/orders", Bits(Action::kRun), Make<ResumeCommand>},
};

}  // namespace

std::span<const CommandEntry> ScheduleCommands() { return kCommands; }

}  // namespace weft::app
