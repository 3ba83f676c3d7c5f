#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "base/text.h"

namespace weft::app {
namespace {

constexpr size_t kIndent = 2;

std::string StarsText(int64_t stars) {
  std::string text;
  for (int64_t i = 0; i < 5; ++i) text += i < stars ? "★" : "☆";
  return text;
}

// One rating, question or issue with its answers.
void Tell(const Session& session, const Json& entry) {
  const bool rating = entry["kind"].Text() == "rating";
  const std::string kind = Safe(entry["kind"].Text());
  std::string line = session.Paint(Style::kBold, Safe(entry["id"].Text())) + " ";
  line += rating ? StarsText(entry["stars"].Int())
                 : session.Paint(entry["open"].Bool() ? Style::kWarn : Style::kDim,
                                 entry["open"].Bool() ? "open " + kind : "closed " + kind);
  line += fmt::format(" by {} on {}, {}\n", Safe(entry["author"].Text()), Safe(entry["address"].Text()),
                      AgoText(entry["at"].Text()));
  session.Print(line);
  session.Fact("", Safe(entry["text"].Text(), true), kIndent);
  for (const Json& answer : entry["answers"].Items()) {
    std::string text = Safe(answer["text"].Text(), true);
    if (answer["closes"].Bool()) text += text.empty() ? "closed it" : " (closed)";
    session.Fact(Safe(answer["who"].Text()), text, kIndent);
  }
}

class FeedbackList : public Command {
 public:
  explicit FeedbackList(CLI::App& app) {
    auto* address = app.add_option("address", address_, "A product; what waits for my team's answer if absent")
                        ->type_name(kAddress);
    app.add_flag("--mine", mine_, "What I have said, and the answers")->excludes(address);
  }

  Result<int> Run(Session& session) override {
    Session::Query query;
    if (!address_.empty()) query["address"] = address_;
    if (mine_) query["whose"] = "mine";
    const Json answer = TRY(session.Get("/v1/feedback", query));
    if (session.json()) return session.PrintJson(answer), 0;
    const Json& summary = answer["summary"];
    if (summary["ratings"].Int() > 0) {
      session.Print(fmt::format("{:.1f} of 5 stars, by {}\n", summary["stars"].Double(),
                                Count(static_cast<size_t>(summary["ratings"].Int()), "reader")));
    }
    for (const Json& entry : answer["feedback"].Items()) Tell(session, entry);
    if (answer["feedback"].size() > 0) return 0;
    session.Note(mine_              ? "you have said nothing yet: `weft feedback ask ADDRESS QUESTION` asks"
                 : address_.empty() ? "nothing waits for your team's answer"
                                    : "nobody has said anything yet");
    return 0;
  }

 private:
  std::string address_;
  bool mine_ = false;
};

// Says something new of a product.
class GiveCommand : public Command {
 public:
  Result<int> Run(Session& session) override {
    Json body = Json::Map({{"address", address_}, {"kind", kind_}});
    if (!text_.empty()) body.Set("text", text_);
    if (stars_ > 0) body.Set("stars", stars_);
    const Json entry = TRY(session.Post("/v1/feedback", body));
    if (session.json()) return session.PrintJson(entry), 0;
    Tell(session, entry);
    return 0;
  }

 protected:
  GiveCommand(CLI::App& app, std::string kind) : kind_(std::move(kind)) {
    app.add_option("address", address_, "A product, or one of its output ports")->required()->type_name(kAddress);
  }
  std::string text_;
  int stars_ = 0;

 private:
  const std::string kind_;
  std::string address_;
};

class FeedbackRate : public GiveCommand {
 public:
  explicit FeedbackRate(CLI::App& app) : GiveCommand(app, "rating") {
    app.add_option("stars", stars_, "1 to 5")->required()->check(CLI::Range(1, 5));
    app.add_option("--because", text_, "Why, for its team and other readers");
  }
};

class FeedbackAsk : public GiveCommand {
 public:
  explicit FeedbackAsk(CLI::App& app) : GiveCommand(app, "question") {
    app.add_option("text", text_, "For its team, and for whoever wonders the same")->required();
  }
};

class FeedbackReport : public GiveCommand {
 public:
  explicit FeedbackReport(CLI::App& app) : GiveCommand(app, "issue") {
    app.add_option("text", text_, "What is wrong, and how it can be seen")->required();
  }
};

// Says something to what was said.
class ReplyCommand : public Command {
 public:
  Result<int> Run(Session& session) override {
    Json body = Json::Map({{"close", close_}});
    if (!text_.empty()) body.Set("text", text_);
    const Json entry = TRY(session.Post(fmt::format("/v1/feedback/{}/answer", id_), body));
    if (session.json()) return session.PrintJson(entry), 0;
    Tell(session, entry);
    return 0;
  }

 protected:
  ReplyCommand(CLI::App& app, const char* what) { app.add_option("id", id_, what)->required()->type_name(kFeedback); }
  std::string text_;
  bool close_ = false;

 private:
  std::string id_;
};

class FeedbackAnswer : public ReplyCommand {
 public:
  explicit FeedbackAnswer(CLI::App& app) : ReplyCommand(app, "What is answered") {
    app.add_option("text", text_, "The answer")->required();
    app.add_flag("--close", close_, "It is settled by this");
  }
};

class FeedbackClose : public ReplyCommand {
 public:
  explicit FeedbackClose(CLI::App& app) : ReplyCommand(app, "A question or an issue") { close_ = true; }
};

class FeedbackRemove : public Command {
 public:
  explicit FeedbackRemove(CLI::App& app) {
    app.add_option("id", id_, "Which, with its answers")->required()->type_name(kFeedback);
  }

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Delete("/v1/feedback/" + id_));
    if (session.json()) return session.PrintJson(answer), 0;
    session.Print(fmt::format("{} is removed\n", Safe(id_)));
    return 0;
  }

 private:
  std::string id_;
};

constexpr CommandEntry kCommands[] = {
    {"feedback list", "Feedback", "What readers say of a product, or what waits for my team's answer",
     "weft feedback list operations/flights\nweft feedback list\nweft feedback list --mine", Bits(Action::kBrowse),
     Make<FeedbackList>},
    {"feedback rate", "Feedback", "Rate a product that I may read",
     "weft feedback rate operations/flights 4 --because 'complete, but a day late'",
     Bits(Action::kRequest, Action::kRead), Make<FeedbackRate>},
    {"feedback ask", "Feedback", "Ask a product's team something, for all to see",
     "weft feedback ask operations/flights/flights 'Is arr_delay in minutes of local time?'", Bits(Action::kRequest),
     Make<FeedbackAsk>},
    {"feedback report", "Feedback", "Tell a product's team what is wrong with it",
     "weft feedback report operations/flights/flights 'tailnum N725MQ stands for two planes since May'",
     Bits(Action::kRequest), Make<FeedbackReport>},
    {"feedback answer", "Feedback", "Answer what was asked or reported",
     "weft feedback answer fbk_01jd… 'Yes, local.'\nweft feedback answer fbk_01jd… 'Mended in 1.2.0.' --close",
     Bits(Action::kPublish, Action::kGrant, Action::kRequest), Make<FeedbackAnswer>},
    {"feedback close", "Feedback", "Close a question or an issue", "weft feedback close fbk_01jd…",
     Bits(Action::kPublish, Action::kGrant, Action::kRequest), Make<FeedbackClose>},
    {"feedback remove", "Feedback", "Take back what I said; governance may remove anybody's",
     "weft feedback remove fbk_01jd…", Bits(Action::kRequest, Action::kGovern), Make<FeedbackRemove>},
};

}  // namespace

std::span<const CommandEntry> FeedbackCommands() { return kCommands; }

}  // namespace weft::app
