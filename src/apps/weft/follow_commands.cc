#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <thread>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/farewell.h"
#include "base/text.h"

namespace weft::app {
namespace {

constexpr std::chrono::milliseconds kPoll{300};

constexpr const char* kTopics = "versions, commits, failures, deprecations; all of them where absent";

class SubscribeCommand : public Command {
 public:
  explicit SubscribeCommand(CLI::App& app) {
    app.add_option("address", address_, "A domain, a product or an output port; all of the mesh where absent")
        ->type_name(kPlace);
    app.add_option("--to", topics_, kTopics);
    auto* webhook = app.add_option("--webhook", webhook_, "Call this URL with each event, signed");
    app.add_flag("--follow", follow_, "Print events as they come; without an address those that I subscribed to")
        ->excludes(webhook);
    app.add_option("--after", after_, "With --follow: go on after this event")->check(CLI::NonNegativeNumber);
    app.add_option("--limit", limit_, "With --follow: end after so many")->check(CLI::PositiveNumber);
  }

  Result<int> Run(Session& session) override {
    if (follow_) return Follow(session);
    if (after_ >= 0 || limit_ > 0)
      return session.Misused("subscribe", "--after and --limit say how to follow: add --follow");
    Json body = Json::Map({{"address", address_}, {"topics", Topics()}});
    if (!webhook_.empty()) body.Set("webhook", webhook_);
    const Json made = TRY(session.Post("/v1/subscriptions", body));
    if (session.json()) return session.PrintJson(made), 0;
    const std::string address = made["address"].Text().empty() ? "the whole mesh" : Safe(made["address"].Text());
    session.Print(
        fmt::format("{}: {} of {}\n", Safe(made["id"].Text()), Safe(Join(made["topics"].Texts(), ", ")), address));
    if (made["secret"].is_null()) {
      session.Note("to see what comes: weft subscribe --follow");
      return 0;
    }
    session.Fact("webhook", Safe(made["webhook"].Text()));
    session.Fact("secret", Safe(made["secret"].Text()));
    session.Note("the secret is shown this once: the receiver checks the header webhook-signature with it");
    return 0;
  }

 private:
  std::vector<std::string> Topics() const { return topics_.empty() ? std::vector<std::string>() : Split(topics_, ','); }

  Result<int> Follow(Session& session) {
    Session::Query query;
    if (!topics_.empty()) query["topics"] = topics_;
    if (!address_.empty()) query["address"] = address_;
    if (address_.empty() && TRY(session.Get("/v1/subscriptions"))["subscriptions"].size() > 0) query["mine"] = "true";
    if (after_ >= 0) query["after"] = std::to_string(after_);
    for (int64_t told = 0;;) {
      const Json answer = TRY(session.Get("/v1/events", query));
      for (const Json& event : answer["events"].Items()) {
        session.Print(session.json() ? event["event"].Dump() + "\n" : Line(session, event));
        if (++told == limit_) return 0;
      }
      std::fflush(stdout);
      query["after"] = std::to_string(answer["next"].Int());
      if (answer["events"].size() == 0) std::this_thread::sleep_for(kPoll);
    }
  }

  static std::string Line(const Session& session, const Json& event) {
    return fmt::format("{} {} {}\n", session.Paint(Style::kDim, Safe(event["at"].Text())),
                       Pad(Safe(event["topic"].Text()), 12), Safe(event["text"].Text()));
  }

  std::string address_, topics_, webhook_;
  bool follow_ = false;
  int64_t after_ = -1;
  int64_t limit_ = 0;
};

class SubscriptionsCommand : public Command {
 public:
  explicit SubscriptionsCommand(CLI::App&) {}

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Get("/v1/subscriptions"));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"subscription", false, Narrow::kKeep},
                 {"address", false, Narrow::kKeep},
                 {"to"},
                 {"webhook", false, Narrow::kBelow, 2},
                 {"state", false, Narrow::kBelow, 1}});
    for (const Json& each : answer["subscriptions"].Items()) {
      const std::string& address = each["address"].Text();
      table.Add({{Safe(each["id"].Text())},
                 {address.empty() ? "the whole mesh" : Safe(address), Style::kBold},
                 {Safe(Join(each["topics"].Texts(), ", "))},
                 {each["webhook"].is_null() ? "" : Safe(each["webhook"].Text())},
                 StateOf(each)});
    }
    if (table.empty()) return session.Note("no subscriptions; make one with `weft subscribe ADDRESS`"), 0;
    session.Print(table.Text(session.screen()));
    return 0;
  }

 private:
  static Cell StateOf(const Json& each) {
    if (each["state"].Text() == "dead") return {"given up: " + Safe(each["why"].Text()), Style::kBad};
    if (each["next_at"].is_null()) return {"active", Style::kGood};
    return {fmt::format("failed {}: {}; again {}", Count(static_cast<size_t>(each["failures"].Int()), "time"),
                        Safe(each["why"].Text()), AgoText(each["next_at"].Text())),
            Style::kWarn};
  }
};

class UnsubscribeCommand : public Command {
 public:
  explicit UnsubscribeCommand(CLI::App& app) {
    app.add_option("subscription", id_, "Its id; weft subscriptions lists them")->required()->type_name(kSubscription);
  }

  Result<int> Run(Session& session) override {
    const std::string id = ReplaceAll(ReplaceAll(id_, "/", "_"), "..", "_");
    const Json ended = TRY(session.Delete("/v1/subscriptions/" + id));
    if (session.json()) return session.PrintJson(ended), 0;
    session.Print(fmt::format("ended {}\n", Safe(ended["ended"].Text())));
    return 0;
  }

 private:
  std::string id_;
};

class DeprecationsCommand : public Command {
 public:
  explicit DeprecationsCommand(CLI::App& app) {
    app.add_flag("--mine", mine_, "Only what I have a grant on, or read lately");
  }

  Result<int> Run(Session& session) override {
    Session::Query query;
    if (mine_) query["mine"] = "true";
    const Json answer = TRY(session.Get("/v1/deprecations", query));
    if (session.json()) return session.PrintJson(answer), 0;
    for (const Json& port : answer["deprecations"].Items()) {
      const bool overdue = port["overdue"].Bool();
      session.Print(session.Paint(Style::kBold, Safe(port["address"].Text())) + " " +
                    session.Paint(overdue ? Style::kBad : Style::kWarn, overdue ? "overdue" : "deprecated") + "\n");
      session.Fact("ends", FarewellText(port), 2);
      session.Fact("built from", Safe(Join(port["readers"]["ports"].Texts(), ", ")), 2);
      session.Fact("read by", ReadBy(port["readers"]), 2);
      session.Fact("granted", Safe(Join(port["granted"].Texts(), ", ")), 2);
    }
    if (answer["deprecations"].size() == 0)
      session.Note(mine_ ? "nothing that you read is deprecated" : "nothing is deprecated");
    return 0;
  }

 private:
  static std::string ReadBy(const Json& readers) {
    if (readers["principals_count"].Int() > 0)
      return Count(static_cast<size_t>(readers["principals_count"].Int()), "principal");
    return Safe(Join(readers["principals"].Texts(), ", "));
  }

  bool mine_ = false;
};

constexpr CommandEntry kCommands[] = {
    {"subscribe", "Follow", "Be told what happens to a domain, a product or a port",
     "weft subscribe sales/orders --to versions,deprecations\nweft subscribe sales/orders --follow\n"
     "weft subscribe sales --webhook https://hooks.example.com/weft",
     Bits(Action::kBrowse, Action::kRequest), Make<SubscribeCommand>},
    {"subscriptions", "Follow", "What I am told of, and how its webhooks fare", "weft subscriptions",
     Bits(Action::kBrowse), Make<SubscriptionsCommand>},
    {"unsubscribe", "Follow", "Be told no more", "weft unsubscribe sub_01j…", Bits(Action::kRequest),
     Make<UnsubscribeCommand>},
    {"deprecations", "Follow", "What goes, when, what to read instead, and who still reads it",
     "weft deprecations\nweft deprecations --mine", Bits(Action::kBrowse, Action::kAudit), Make<DeprecationsCommand>},
};

}  // namespace

std::span<const CommandEntry> FollowCommands() { return kCommands; }

}  // namespace weft::app
