#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/farewell.h"
#include "apps/weft/times.h"
#include "base/text.h"

namespace weft::app {
namespace {

constexpr size_t kIndent = 2;

std::string What(const Json& request) {
  const std::string columns = Join(request["columns"].Texts(), ", ");
  std::string what = (columns.empty() ? "" : Safe(columns) + " of ") + Safe(request["address"].Text());
  if (!request["purpose"].Text().empty()) what += " for " + Safe(request["purpose"].Text());
  return what;
}

// "owners (group:sales-team)", and who that is now.
std::string StepText(const Json& step) {
  std::string text = Safe(step["step"].Text());
  const std::string holders = Safe(Join(step["holders"].Texts(), ", "));
  if (holders != text && !holders.empty()) text += " (" + holders + ")";
  if (!step["approved_by"].is_null()) {
    text += ": approved by " + Safe(step["approved_by"].Text());
    if (!step["in_stead_of"].is_null()) text += " for " + Safe(step["in_stead_of"].Text());
    return text;
  }
  constexpr size_t kMost = 6;
  std::vector<std::string> people = step["people"].Texts();
  const size_t more = people.size() > kMost ? people.size() - kMost : 0;
  people.resize(people.size() - more);
  if (!people.empty()) text += ": " + Safe(Join(people, ", ")) + (more > 0 ? fmt::format(" and {} more", more) : "");
  return text;
}

// Where a request stands, and what it waits for.
void Tell(const Session& session, const Json& request) {
  const std::string id = Safe(request["id"].Text());
  const std::string who = Safe(request["principal"].Text());
  const std::string status = request["status"].Text();
  std::string line = session.Paint(Style::kBold, id) + " ";
  if (status == "waiting") {
    line += fmt::format("{}: {} would read {}", session.Paint(Style::kWarn, "waits"), who, What(request));
  } else if (request["granted"].Bool()) {
    line += fmt::format("{}: {} may read {}", session.Paint(Style::kGood, "approved"), who, What(request));
    if (!request["granted_until"].is_null()) line += " until " + Safe(request["granted_until"].Text());
  } else {
    line += fmt::format("{}: {} would have read {}", session.Paint(Style::kBad, status), who, What(request));
    if (status == "approved") line += "; the grant has ended since";
  }
  session.Print(line + "\n");
  if (status == "waiting" && request["gone"].Bool()) {
    session.Fact("", session.Paint(Style::kBad, "the port is gone: refuse the request, or withdraw it"), kIndent);
  }
  bool next = true;
  for (const Json& step : request["steps"].Items()) {
    const bool done = !step["approved_by"].is_null();
    if (!done && status != "waiting") continue;
    session.Fact(done ? "done" : next ? "next" : "then", StepText(step), kIndent);
    next = next && done;
    if (!step["stuck"].is_null()) {
      session.Fact("", session.Paint(Style::kBad, "nobody can approve this: " + Safe(step["stuck"].Text())), kIndent);
    }
  }
  for (const Json& policy : request["policies"].Items()) {
    session.Fact("by", fmt::format("{} ({})", Safe(policy["name"].Text()), Safe(policy["where"].Text())), kIndent);
  }
}

// Whether what was approved ends so soon that its policy says to tell.
bool EndsSoon(const Json& request) { return request["granted"].Bool() && IsPast(request["remind_at"]); }

// "waiting", "ends in 3 days", "ended": what its holder has of it now.
Cell StateOf(const Json& request) {
  const std::string status = Safe(request["status"].Text());
  if (status == "waiting") return {status, Style::kWarn};
  if (status != "approved") return {status, Style::kDim};
  if (!request["granted"].Bool()) return {"ended", Style::kDim};
  if (EndsSoon(request)) return {"ends " + UntilText(request["granted_until"]), Style::kWarn};
  return {status, Style::kGood};
}

// How to go on with a right that ends: the same again extends it.
std::string ReminderOf(const Json& request) {
  std::string line = fmt::format("the right of {} to {} ends {}; to go on: weft request {}",
                                 Safe(request["principal"].Text()), Safe(request["address"].Text()),
                                 UntilText(request["granted_until"]), Safe(request["address"].Text()));
  const std::string columns = Safe(Join(request["columns"].Texts(), ","));
  if (!columns.empty()) line += " --columns " + columns;
  if (request["principal"].Text() != request["requester"].Text()) line += " --for " + Safe(request["principal"].Text());
  if (!request["purpose"].Text().empty()) line += " --purpose " + Safe(request["purpose"].Text());
  return line + " --because WHY";
}

class RequestCommand : public Command {
 public:
  explicit RequestCommand(CLI::App& app) {
    app.add_option("address", address_, "An output port")->required()->type_name(kPort);
    app.add_option("--because", because_, "Why, for those who decide")->required();
    app.add_option("--columns", columns_, "Only these columns: id,country")->type_name(kColumns);
    app.add_option("--until", until_, "A time, or 90d, 12h from now; as long as the policies allow if absent");
    app.add_option("--for", principal_, "For a group of mine, or a service or product of my domain")
        ->type_name(kPrincipal);
  }

  Result<int> Run(Session& session) override {
    Json body = Json::Map({{"address", address_}, {"because", because_}});
    if (!session.options().purpose.empty()) body.Set("purpose", session.options().purpose);
    if (!columns_.empty()) body.Set("columns", Split(columns_, ','));
    if (!principal_.empty()) body.Set("for", principal_);
    if (!until_.empty()) {
      auto until = Until(until_);
      if (!until) return session.Misused("request", "--until: " + until.error().message);
      body.Set("until", *until);
    }
    const Json request = TRY(session.Post("/v1/requests", body));
    if (session.json()) return session.PrintJson(request), 0;
    Tell(session, request);
    return 0;
  }

 private:
  std::string address_, because_, columns_, until_, principal_;
};

class RequestsCommand : public Command {
 public:
  explicit RequestsCommand(CLI::App& app) {
    app.add_option("id", id_, "One request, whole")->type_name(kRequest);
    auto* mine = app.add_flag("--to-approve", to_approve_, "Those that wait for me");
    app.add_flag("--all", all_, "Everybody's, for governance and auditors")->excludes(mine);
  }

  Result<int> Run(Session& session) override {
    if (!id_.empty()) return Show(session, id_);
    Session::Query query;
    if (to_approve_) query["whose"] = "to-approve";
    if (all_) query["whose"] = "all";
    const Json answer = TRY(session.Get("/v1/requests", query));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"request", false, Narrow::kKeep},
                 {"for", false, Narrow::kKeep},
                 {"what"},
                 {"state", false, Narrow::kKeep},
                 {"next", false, Narrow::kDrop, 2},
                 {"when", false, Narrow::kDrop, 1}});
    if (!to_approve_ && !all_) TRY(TellDeprecated(session));
    std::map<std::string, std::string> reminders;  // One of each grant.
    for (const Json& request : answer["requests"].Items()) {
      if (EndsSoon(request)) reminders.emplace(request["grant"].Text(), ReminderOf(request));
      table.Add({{Safe(request["id"].Text()), Style::kBold},
                 {Safe(request["principal"].Text())},
                 {What(request)},
                 StateOf(request),
                 {Safe(request["next"].Text())},
                 {AgoText(request["made_at"].Text())}});
    }
    if (table.empty()) {
      session.Note(to_approve_ ? "nothing waits for you" : "no requests: weft request ADDRESS --because WHY makes one");
      return 0;
    }
    session.Print(table.Text(session.screen()));
    if (answer["more"].Bool()) session.Note("there are more, which are not listed");
    if (!all_) {
      for (const auto& [grant, reminder] : reminders) session.Note(reminder);
    }
    return 0;
  }

 private:
  // Whoever reads what goes hears of it without having asked to.
  static Status TellDeprecated(Session& session) {
    const Json answer = TRY(session.Get("/v1/deprecations", {{"mine", "true"}}));
    for (const Json& port : answer["deprecations"].Items())
      session.Note(fmt::format("{} is deprecated: {}", Safe(port["address"].Text()), FarewellText(port)));
    return {};
  }

  static Result<int> Show(Session& session, const std::string& id) {
    const Json request = TRY(session.Get("/v1/requests/" + id));
    if (session.json()) return session.PrintJson(request), 0;
    Tell(session, request);
    if (EndsSoon(request)) session.Note(ReminderOf(request));
    if (!request["until"].is_null()) session.Fact("wished", "until " + Safe(request["until"].Text()), kIndent);
    if (!request["holds_for"].is_null()) session.Fact("at most", Safe(request["holds_for"].Text()), kIndent);
    std::string contract = Safe(request["contract"].Text());
    if (request["gone"].Bool()) {
      contract += " when it was made; the port is gone";
    } else if (request["contract"].Text() != request["contract_now"].Text()) {
      contract += fmt::format(" when it was made, {} now", Safe(request["contract_now"].Text()));
    }
    session.Fact("contract", contract, kIndent);
    for (const std::string& line : Split(Trim(request["terms"].Text()), '\n')) {
      if (!line.empty()) session.Fact("terms", Safe(line), kIndent);
    }
    session.Print("\n");
    for (const Json& event : request["history"].Items()) {
      std::string line =
          fmt::format("  {}  {} {}", Safe(event["at"].Text()), session.Paint(Style::kBold, Safe(event["who"].Text())),
                      Safe(event["kind"].Text()));
      if (event["kind"].Text() == "made") line += " the request";
      if (!event["step"].is_null()) line += " " + Safe(event["step"].Text());
      if (!event["in_stead_of"].is_null()) line += " for " + Safe(event["in_stead_of"].Text());
      if (!event["text"].Text().empty()) line += ": " + Safe(event["text"].Text());
      session.Print(line + "\n");
    }
    return 0;
  }

  std::string id_;
  bool to_approve_ = false, all_ = false;
};

// What changes one request: its verb is the last part of the path.
class ChangeCommand : public Command {
 public:
  Result<int> Run(Session& session) override {
    Json body{Json::Object()};
    if (!text_.empty()) body.Set(field_, text_);
    const Json request = TRY(session.Post("/v1/requests/" + id_ + "/" + verb_, body));
    if (session.json()) return session.PrintJson(request), 0;
    Tell(session, request);
    return 0;
  }

 protected:
  ChangeCommand(CLI::App& app, std::string verb, std::string field) : verb_(std::move(verb)), field_(std::move(field)) {
    app.add_option("id", id_, "The request")->required()->type_name(kRequest);
  }
  std::string text_;

 private:
  const std::string verb_, field_;
  std::string id_;
};

class ApproveCommand : public ChangeCommand {
 public:
  explicit ApproveCommand(CLI::App& app) : ChangeCommand(app, "approve", "note") {
    app.add_option("--note", text_, "What the requester and later approvers should know");
  }
};

class RefuseCommand : public ChangeCommand {
 public:
  explicit RefuseCommand(CLI::App& app) : ChangeCommand(app, "refuse", "note") {
    app.add_option("--note", text_, "Why")->required();
  }
};

class AskCommand : public ChangeCommand {
 public:
  explicit AskCommand(CLI::App& app) : ChangeCommand(app, "ask", "text") {
    app.add_option("text", text_, "The question")->required();
  }
};

class AnswerCommand : public ChangeCommand {
 public:
  explicit AnswerCommand(CLI::App& app) : ChangeCommand(app, "answer", "text") {
    app.add_option("text", text_, "The answer")->required();
  }
};

class WithdrawCommand : public ChangeCommand {
 public:
  explicit WithdrawCommand(CLI::App& app) : ChangeCommand(app, "withdraw", "note") {}
};

class DelegateCommand : public Command {
 public:
  explicit DelegateCommand(CLI::App& app) {
    app.add_option("to", to_, "Who approves in my stead")->required()->type_name(kPrincipal);
    app.add_option("--until", until_, "A time, or 30d, 12h from now; until it is ended where absent");
    app.add_option("--on", on_, "Only there: a domain, domain/product or domain/product/port")->type_name(kPlace);
    app.add_flag("--end", end_, "They do so no more, anywhere, or --on one place that was lent");
  }

  Result<int> Run(Session& session) override {
    if (end_) {
      if (!until_.empty()) return session.Misused("delegate", "--end ends it now: --until says when a new one ends");
      Session::Query query = {{"to", to_}};
      if (!on_.empty()) query["on"] = on_;
      const Json answer = TRY(session.Delete("/v1/delegations", query));
      if (session.json()) return session.PrintJson(answer), 0;
      session.Print(
          fmt::format("{} approves in your stead{} no more\n", Safe(to_), on_.empty() ? "" : " on " + Safe(on_)));
      return 0;
    }
    Json body = Json::Map({{"to", to_}});
    if (!on_.empty()) body.Set("on", on_);
    if (!until_.empty()) {
      auto until = Until(until_);
      if (!until) return session.Misused("delegate", "--until: " + until.error().message);
      body.Set("until", *until);
    }
    const Json made = TRY(session.Post("/v1/delegations", body));
    if (session.json()) return session.PrintJson(made), 0;
    std::string line = fmt::format("{} may approve in your stead", Safe(made["to"].Text()));
    if (!made["on"].Text().empty()) line += " on " + Safe(made["on"].Text());
    if (!made["until"].is_null()) line += " until " + Safe(made["until"].Text());
    session.Print(line + "\n");
    return 0;
  }

 private:
  std::string to_, until_, on_;
  bool end_ = false;
};

class DelegationsCommand : public Command {
 public:
  explicit DelegationsCommand(CLI::App&) {}

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Get("/v1/delegations"));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"who"}, {"approves for"}, {"on"}, {"ends"}});
    for (const Json& each : answer["delegations"].Items()) {
      table.Add({{Safe(each["to"].Text()), Style::kBold},
                 {Safe(each["from"].Text())},
                 {each["on"].Text().empty() ? "everything" : Safe(each["on"].Text())},
                 {UntilText(each["until"])}});
    }
    if (table.empty()) return session.Note("nobody approves in your stead, nor you in another's"), 0;
    session.Print(table.Text(session.screen()));
    return 0;
  }
};

constexpr CommandEntry kCommands[] = {
    {"request", "Ask for access", "Ask to read an output port",
     "weft request sales/orders/orders --purpose reporting --because 'the weekly report of returns'\n"
     "weft request sales/orders/orders --columns id,placed_on --until 90d --because 'counts by day'\n"
     "weft request sales/orders/orders --for group:analysts --because 'all of us report'",
     Bits(Action::kRequest), Make<RequestCommand>},
    {"requests", "Ask for access", "My requests, those that wait for me, or one whole",
     "weft requests\nweft requests --to-approve\nweft requests req_01jd…",
     Bits(Action::kBrowse, Action::kGrant, Action::kGovern, Action::kAudit), Make<RequestsCommand>},
    {"approve", "Ask for access", "Approve the next step of a request; the last gives the grant",
     "weft approve req_01jd… --note 'until the report is done'", Bits(Action::kApprove), Make<ApproveCommand>},
    {"refuse", "Ask for access", "Refuse a request", "weft refuse req_01jd… --note 'the totals are enough for this'",
     Bits(Action::kApprove), Make<RefuseCommand>},
    {"ask", "Ask for access", "Ask the requester something", "weft ask req_01jd… 'Which columns do you need?'",
     Bits(Action::kApprove), Make<AskCommand>},
    {"answer", "Ask for access", "Answer what was asked", "weft answer req_01jd… 'The day and the amount.'",
     Bits(Action::kRequest), Make<AnswerCommand>},
    {"withdraw", "Ask for access", "Take a request back", "weft withdraw req_01jd…", Bits(Action::kRequest),
     Make<WithdrawCommand>},
    {"delegate", "Ask for access", "Let another person approve in my stead",
     "weft delegate bo --until 14d --on sales\nweft delegate bo --end", Bits(Action::kBrowse, Action::kApprove),
     Make<DelegateCommand>},
    {"delegations", "Ask for access", "Who approves in whose stead", "weft delegations", Bits(Action::kBrowse),
     Make<DelegationsCommand>},
};

}  // namespace

std::span<const CommandEntry> RequestCommands() { return kCommands; }

}  // namespace weft::app
