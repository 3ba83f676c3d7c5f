#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/settings.h"
#include "apps/weft/times.h"
#include "base/text.h"

namespace weft::app {
namespace {

// A person reads seconds; a program gets all of it.
std::string Time(const Screen& screen, const std::string& at) {
  constexpr size_t kSeconds = std::string_view("2026-01-31T12:00:00").size();
  return Safe(screen.out_terminal && at.size() > kSeconds ? ReplaceAll(at.substr(0, kSeconds), "T", " ") : at);
}

// The time that an audit is about: "30d" ago, or a moment.
class Period {
 public:
  explicit Period(CLI::App& app) {
    app.add_option("--since", since_, "From then on: 12h or 30d ago, or a time like 2026-01-31T12:00:00Z");
    app.add_option("--until", until_, "Before then, written the same way");
  }

  // The words for the node; kInvalid says which of both is wrong.
  Status AddTo(Session::Query* query) const {
    for (const auto& [name, text] : {std::pair("since", &since_), std::pair("until", &until_)}) {
      if (text->empty()) continue;
      (*query)[name] = TRY(Since(name, *text));
    }
    return {};
  }

 private:
  std::string since_, until_;
};

class AuditLog : public Command {
 public:
  explicit AuditLog(CLI::App& app) {
    app.add_option("--after", after_, "Only rows after this number, oldest first");
    app.add_option("--kind", kind_,
                   "Only this kind: published, committed, refused, failed, granted, revoked, read.started, denied, …")
        ->type_name(kLedgerKind);
    app.add_option("--principal", principal_, "Only what this principal did")->type_name(kPrincipal);
    app.add_option("--address", address_, "Only about this address and what is under it")->type_name(kPlace);
    app.add_option("-n,--limit", limit_, "At most so many; the newest")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000));
  }

  Result<int> Run(Session& session) override {
    Session::Query query = {{"limit", std::to_string(limit_)}};
    if (after_ >= 0) {
      query["after"] = std::to_string(after_);
    } else {
      query["newest"] = "1";
    }
    if (!kind_.empty()) query["kind"] = kind_;
    if (!principal_.empty()) query["principal"] = principal_;
    if (!address_.empty()) query["address"] = address_;
    const Json answer = TRY(session.Get("/v1/audit", query));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"row", true, Narrow::kKeep},
                 {"at", false, Narrow::kKeep},
                 {"kind", false, Narrow::kKeep},
                 {"principal", false, Narrow::kKeep},
                 {"address", false, Narrow::kBelow, 3},
                 {"purpose", false, Narrow::kDrop, 2},
                 {"detail", false, Narrow::kDrop, 1}});
    for (const Json& row : answer["rows"].Items()) {
      bool denied = row["kind"].Text() == "denied";
      table.Add({{row["seq"].Dump()},
                 {Time(session.screen(), row["at"].Text())},
                 {Safe(row["kind"].Text()), denied ? Style::kBad : Style::kBold},
                 {Safe(row["principal"].Text())},
                 {Safe(row["address"].Text())},
                 {Safe(row["purpose"].Text())},
                 {row["detail"].size() > 0 ? Safe(row["detail"].Dump()) : "", Style::kDim}});
    }
    if (table.empty()) return session.Note("no such rows"), 0;
    session.Print(table.Text(session.screen()));
    return 0;
  }

 private:
  int64_t after_ = -1;
  std::string kind_;
  std::string principal_;
  std::string address_;
  int limit_ = 50;
};

// What a table of an answer has to say besides its rows: how much was looked at, and whether it is proved.
int Proof(const Session& session, const Json& answer) {
  const Json& verified = answer["verified"];
  if (verified.is_null()) {
    session.Note(fmt::format("from {} of the ledger, not held against its chain: --verify does that",
                             Count(static_cast<size_t>(answer["ledger_rows"].Int()), "row")));
    return 0;
  }
  if (!verified["ok"].Bool()) return ExitCode(Code::kInvalid);
  session.Print(fmt::format("{}: rows {} to {} follow one from the other up to the signed head {}\n",
                            session.Paint(Style::kGood, "proved untampered"), HumanCount(verified["from"].Int()),
                            HumanCount(verified["to"].Int()), Safe(verified["head"].Text())));
  return 0;
}

Status Untampered(const Json& answer) {
  const Json& verified = answer["verified"];
  if (verified.is_null() || verified["ok"].Bool()) return {};
  return Error{Code::kInvalid, "the audit log was tampered with: " + Safe(verified["problem"].Text())};
}

std::string PolicyNames(const Json& policies) {
  std::vector<std::string> names;
  for (const Json& policy : policies.Items()) names.push_back(Safe(policy["name"].Text()));
  return Join(names, ", ");
}

std::string Texts(const Json& list) {
  std::vector<std::string> texts;
  for (const std::string& text : list.Texts()) texts.push_back(Safe(text));
  return Join(texts, ", ");
}

void PrintDenied(const Session& session, const Json& denied, bool whose) {
  if (denied.size() == 0) return;
  session.Print("\n" + session.Paint(Style::kTitle, "denied") + "\n");
  Table table({{whose ? "principal" : "address", false, Narrow::kKeep},
               {"purpose", false, Narrow::kDrop, 1},
               {"action", false, Narrow::kKeep},
               {"times", true, Narrow::kKeep},
               {"first", false, Narrow::kDrop, 2},
               {"last", false, Narrow::kKeep},
               {"row", true, Narrow::kKeep},
               {"why", false, Narrow::kBelow, 3}});
  for (const Json& line : denied.Items()) {
    table.Add({{Safe(line[whose ? "principal" : "address"].Text()), Style::kBold},
               {Safe(line["purpose"].Text())},
               {Safe(line["action"].Text()), Style::kBad},
               {HumanCount(line["times"].Int())},
               {Time(session.screen(), line["first"].Text())},
               {Time(session.screen(), line["last"].Text())},
               {line["row"].Dump()},
               {Texts(line["reasons"])}});
  }
  session.Print(table.Text(session.screen()));
}

class AuditWho : public Command {
 public:
  explicit AuditWho(CLI::App& app) : period_(app) {
    app.add_option("address", address_, "An output port")->required()->type_name(kPort);
    app.add_option("--column", column_, "Only reads of this column")->type_name(kColumn);
    app.add_flag("--downstream", downstream_, "Who read what was made of it, too");
    app.add_flag("--verify", verify_, "Read the rows themselves, and prove that nobody changed them");
    app.add_option("-n,--limit", limit_, "At most so many readers; the newest")
        ->capture_default_str()
        ->check(CLI::Range(1, 100'000));
  }

  Result<int> Run(Session& session) override {
    Session::Query query = {{"address", address_}, {"limit", std::to_string(limit_)}};
    if (Status period = period_.AddTo(&query); !period) return session.Misused("audit who", period.error().message);
    if (!column_.empty()) query["column"] = column_;
    if (downstream_) query["downstream"] = "1";
    if (verify_) query["verify"] = "1";
    if (!session.options().purpose.empty()) query["purpose"] = session.options().purpose;
    const Json answer = TRY(session.Get("/v1/audit/who", query));
    if (session.json()) session.PrintJson(answer);
    TRY(Untampered(answer));
    if (session.json()) return 0;
    Print(session, answer);
    for (const Json& made : answer["downstream"].Items()) {
      session.Print("\n");
      Print(session, made);
    }
    if (downstream_ && answer["downstream"].size() == 0) session.Note("nothing was made of it");
    return Proof(session, answer);
  }

 private:
  static void Print(const Session& session, const Json& answer) {
    std::string title = session.Paint(Style::kTitle, Safe(answer["address"].Text()));
    if (answer["columns"].size() > 0) title += ", " + Texts(answer["columns"]);
    if (answer["withheld"].is_text()) {
      session.Print(fmt::format("{}: who read it is {}\n", title, Safe(answer["withheld"].Text())));
      return;
    }
    const Json& readers = answer["readers"];
    if (readers.size() == 0) {
      session.Print(title + ": nobody read it\n");
    } else {
      session.Print(title + "\n" + Readers(session, answer));
    }
    if (answer["readers_total"].Int() > static_cast<int64_t>(readers.size())) {
      session.Note(fmt::format("the newest {} of {}: --limit gives more", readers.size(),
                               HumanCount(answer["readers_total"].Int())));
    }
    PrintDenied(session, answer["denied"], true);
  }

  static std::string Readers(const Session& session, const Json& answer) {
    const bool one = answer["columns"].size() > 0;
    Table table({{"principal", false, Narrow::kKeep},
                 {"purpose", false, Narrow::kKeep},
                 {one ? "seen as" : "columns", false, Narrow::kBelow, 4},
                 {"times", true, Narrow::kKeep},
                 {"rows", true, Narrow::kKeep},
                 {"first", false, Narrow::kDrop, 1},
                 {"last", false, Narrow::kKeep},
                 {"by right", false, Narrow::kBelow, 3},
                 {"policies", false, Narrow::kBelow, 2},
                 {"row", true, Narrow::kKeep}});
    for (const Json& line : answer["readers"].Items()) {
      std::string who = Safe(line["principal"].Text());
      if (line["run"].is_text()) who += " (" + Safe(line["run"].Text()) + ")";
      table.Add({{who, Style::kBold},
                 {Safe(line["purpose"].Text())},
                 {one ? Safe(line["seen_as"].Text()) : Texts(line["columns"])},
                 {HumanCount(line["times"].Int())},
                 {line.Has("rows") ? HumanCount(line["rows"].Int()) : "-"},
                 {Time(session.screen(), line["first"].Text())},
                 {Time(session.screen(), line["last"].Text())},
                 {Safe(line["right"].Text())},
                 {PolicyNames(line["policies"])},
                 {line["row"].Dump()}});
    }
    return table.Text(session.screen());
  }

  std::string address_, column_;
  Period period_;
  bool downstream_ = false, verify_ = false;
  int limit_ = 1'000;
};

class AuditWhat : public Command {
 public:
  explicit AuditWhat(CLI::App& app) : period_(app) {
    app.add_option("principal", principal_, "Who; yourself where nobody is named")->type_name(kPrincipal);
    app.add_flag("--verify", verify_, "Read the rows themselves, and prove that nobody changed them");
  }

  Result<int> Run(Session& session) override {
    Session::Query query;
    if (Status period = period_.AddTo(&query); !period) return session.Misused("audit what", period.error().message);
    if (!principal_.empty()) query["principal"] = principal_;
    if (verify_) query["verify"] = "1";
    if (!session.options().purpose.empty()) query["purpose"] = session.options().purpose;
    const Json answer = TRY(session.Get("/v1/audit/what", query));
    if (session.json()) session.PrintJson(answer);
    TRY(Untampered(answer));
    if (session.json()) return 0;
    session.Print(session.Paint(Style::kTitle, Safe(answer["principal"].Text())) +
                  (answer["read"].size() > 0 ? " read\n" : " read nothing\n"));
    Table read({{"address", false, Narrow::kKeep},
                {"purpose", false, Narrow::kKeep},
                {"columns", false, Narrow::kBelow, 2},
                {"times", true, Narrow::kKeep},
                {"rows", true, Narrow::kKeep},
                {"first", false, Narrow::kDrop, 1},
                {"last", false, Narrow::kKeep},
                {"by right", false, Narrow::kBelow, 3},
                {"row", true, Narrow::kKeep}});
    for (const Json& line : answer["read"].Items()) {
      read.Add({{Safe(line["address"].Text()), Style::kBold},
                {Safe(line["purpose"].Text())},
                {Texts(line["columns"])},
                {HumanCount(line["times"].Int())},
                {line.Has("rows") ? HumanCount(line["rows"].Int()) : "-"},
                {Time(session.screen(), line["first"].Text())},
                {Time(session.screen(), line["last"].Text())},
                {Safe(line["right"].Text())},
                {line["row"].Dump()}});
    }
    if (!read.empty()) session.Print(read.Text(session.screen()));
    PrintDenied(session, answer["denied"], false);
    PrintDid(session, answer["did"]);
    return Proof(session, answer);
  }

 private:
  static void PrintDid(const Session& session, const Json& lines) {
    if (lines.size() == 0) return;
    session.Print("\n" + session.Paint(Style::kTitle, "did") + "\n");
    Table table({{"what", false, Narrow::kKeep},
                 {"address", false, Narrow::kKeep},
                 {"times", true, Narrow::kKeep},
                 {"first", false, Narrow::kDrop, 1},
                 {"last", false, Narrow::kKeep},
                 {"row", true, Narrow::kKeep}});
    for (const Json& line : lines.Items()) {
      table.Add({{Safe(line["did"].Text()), Style::kBold},
                 {Safe(line["address"].Text())},
                 {HumanCount(line["times"].Int())},
                 {Time(session.screen(), line["first"].Text())},
                 {Time(session.screen(), line["last"].Text())},
                 {line["row"].Dump()}});
    }
    session.Print(table.Text(session.screen()));
  }

  std::string principal_;
  Period period_;
  bool verify_ = false;
};

// Writes lines to a file, or to standard output.
class LineWriter {
 public:
  explicit LineWriter(std::string path) : path_(std::move(path)) {
    if (!path_.empty()) file_.open(path_, std::ios::binary | std::ios::trunc);
  }
  Status Write(const Session& session, const Json& line) {
    if (path_.empty()) {
      session.Print(line.Dump() + "\n");
      return {};
    }
    file_ << line.Dump() << "\n";
    return Good();
  }
  Status Close() {
    if (path_.empty()) return {};
    file_.close();
    return Good();
  }

 private:
  Status Good() const {
    if (file_) return {};
    return Error{Code::kUnavailable, "cannot write " + Safe(path_) + ": is its folder there, and the disk not full?"};
  }
  const std::string path_;
  std::ofstream file_;
};

class AuditExport : public Command {
 public:
  explicit AuditExport(CLI::App& app) : period_(app) {
    app.add_option("-o,--output", output_, "A file to write; standard output where none is named")->type_name(kFile);
  }

  Result<int> Run(Session& session) override {
    Session::Query query;
    if (Status period = period_.AddTo(&query); !period) return session.Misused("audit export", period.error().message);
    if (session.json() && output_.empty()) {
      return session.Misused("audit export", "--json tells of a file that was written: name one with -o");
    }
    const Json head = TRY(session.Get("/v1/audit/export", query));
    LineWriter writer(output_);
    TRY(writer.Write(session, head));
    const int64_t first = head["first"].Int(), last = head["last"].Int();
    for (int64_t next = first; next <= last;) {
      const Json page =
          TRY(session.Get("/v1/audit/export/rows", {{"first", std::to_string(next)}, {"last", std::to_string(last)}}));
      if (page["rows"].size() == 0) return Error{Code::kConflict, fmt::format("row {} is missing", next)};
      for (const Json& row : page["rows"].Items()) TRY(writer.Write(session, row));
      next += static_cast<int64_t>(page["rows"].size());
    }
    TRY(writer.Close());
    if (session.json()) return session.PrintJson(head), 0;
    session.Note(fmt::format("rows {} to {}, signed by {}: docs/audit.md says how anybody verifies them",
                             HumanCount(first), HumanCount(last), Safe(head["public_key"].Text())));
    return 0;
  }

 private:
  std::string output_;
  Period period_;
};

class AuditVerify : public Command {
 public:
  explicit AuditVerify(CLI::App&) {}

  Result<int> Run(Session& session) override {
    const Json verdict = TRY(session.Post("/v1/audit/verify", Json(Json::Object())));
    bool ok = verdict["ok"].Bool();
    if (session.json()) return session.PrintJson(verdict), ok ? 0 : ExitCode(Code::kInvalid);
    if (!ok) return Error{Code::kInvalid, "the audit log was tampered with: " + verdict["problem"].Text()};
    session.Print(fmt::format("{}: {} rows, head {}\n", session.Paint(Style::kGood, "intact"),
                              HumanCount(verdict["rows"].Int()), Safe(verdict["head"].Text())));
    return 0;
  }
};

constexpr CommandEntry kCommands[] = {
    {"audit who", "Audit", "Who saw an output port or a column: for what, how, by which right, and who was denied",
     "weft audit who people/customers/customers --column mail --since 30d\nweft audit who "
     "people/customers/customers --downstream --verify",
     Bits(Action::kAudit), Make<AuditWho>},
    {"audit what", "Audit", "What a principal read, was denied and did", "weft audit what ana --since 7d",
     Bits(Action::kBrowse, Action::kAudit), Make<AuditWhat>},
    {"audit log", "Audit", "What happened, newest first",
     "weft audit log --kind denied\nweft audit log --principal ana", Bits(Action::kAudit), Make<AuditLog>},
    {"audit verify", "Audit", "Prove that nobody changed the log", "weft audit verify", Bits(Action::kAudit),
     Make<AuditVerify>},
    {"audit export", "Audit", "The log as lines that an outsider can verify",
     "weft audit export --since 2026-01-01 --until 2026-02-01 -o january.jsonl", Bits(Action::kAudit),
     Make<AuditExport>},
};

}  // namespace

std::span<const CommandEntry> AuditCommands() { return kCommands; }

}  // namespace weft::app
