#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/farewell.h"
#include "apps/weft/following.h"
#include "apps/weft/typing.h"
#include "base/file.h"
#include "base/text.h"
#include "ports/flight/client.h"

namespace weft::app {
namespace {

constexpr size_t kMostSql = size_t{1} << 20;
constexpr size_t kSettleRows = 1'000;  // A table's widths follow so many rows; the rest is cut to them.

std::string Plain(const Json& value) { return value.is_text() ? value.Text() : value.Dump(); }

std::string CsvCell(const Json& value) {
  if (value.is_null()) return "";
  std::string text = Plain(value);
  bool quote = text.find_first_of(",\"\r\n") != text.npos || (value.is_text() && text.empty());
  return quote ? "\"" + ReplaceAll(text, "\"", "\"\"") + "\"" : text;
}

// PostgreSQL's text form: \N is NULL, and no byte of a value breaks the line or the column.
std::string TsvCell(const Json& value) {
  if (value.is_null()) return "\\N";
  return Safe(ReplaceAll(Plain(value), "\\", "\\\\"));
}

// Writes batches in one of the formats as they come.
class Writer {
 public:
  Writer(const Session& session, std::string format, std::FILE* out = stdout)
      : session_(session), format_(std::move(format)), out_(out), table_({}) {}

  bool Take(const flight::Batch& batch) {
    if (!begun_) Begin(batch);
    begun_ = true;
    for (const auto& row : batch.rows) Row(row);
    return std::ferror(out_) == 0;
  }

  void End() {
    if (format_ == "table") {
      Settle();
      if (session_.screen().out_terminal) {
        session_.Note(HumanCount(rows_) + (rows_ == 1 ? " row" : " rows"));
      }
    } else if (format_ == "json") {
      Print(rows_ == 0 ? "[]\n" : "\n]\n");
    }
  }

 private:
  void Print(const std::string& text) {
    if (out_ == stdout) return session_.Print(text);
    std::fwrite(text.data(), 1, text.size(), out_);
  }

  void Begin(const flight::Batch& batch) {
    std::vector<Column> columns;
    std::string line;
    for (size_t i = 0; i < batch.names.size(); ++i) {
      columns.push_back({Safe(batch.names[i]), batch.right_aligned[i]});
      // An object keeps one value a key: a name that stands twice gets a number.
      std::string key = batch.names[i];
      for (int n = 1; std::find(keys_.begin(), keys_.end(), key) != keys_.end(); ++n) {
        key = fmt::format("{}_{}", batch.names[i], n);
      }
      keys_.push_back(std::move(key));
      if (format_ == "csv") line += (i ? "," : "") + CsvCell(batch.names[i]);
      if (format_ == "tsv") line += (i ? "\t" : "") + TsvCell(batch.names[i]);
    }
    table_ = Table(std::move(columns));
    if (format_ == "csv" || format_ == "tsv") Print(line + "\n");
  }

  void Row(const std::vector<Json>& row) {
    ++rows_;
    if (format_ == "table") return TableRow(row);
    std::string line;
    if (format_ == "json" || format_ == "jsonl") {
      Json object{Json::Object()};
      for (size_t i = 0; i < row.size(); ++i) object.Set(keys_[i], row[i]);
      if (format_ == "json") line = rows_ == 1 ? "[\n" : ",\n";
      Print(line + object.Dump() + (format_ == "jsonl" ? "\n" : ""));
      return;
    }
    bool csv = format_ == "csv";
    for (size_t i = 0; i < row.size(); ++i)
      line += (i ? (csv ? "," : "\t") : "") + (csv ? CsvCell(row[i]) : TsvCell(row[i]));
    Print(line + "\n");
  }

  void TableRow(const std::vector<Json>& row) {
    std::vector<Cell> cells;
    for (const Json& value : row) {
      cells.push_back(value.is_null() ? Cell{"NULL", Style::kDim} : Cell{Safe(Plain(value))});
    }
    if (settled_) return Show(cells);
    table_.Add(std::move(cells));
    if (table_.rows().size() >= kSettleRows) Settle();
  }

  void Settle() {
    if (settled_) return;
    settled_ = true;
    table_.Settle(session_.screen());
    records_ = table_.TooMany(session_.screen());
    if (!records_) Print(table_.Head(session_.screen()));
    for (const auto& row : table_.rows()) Show(row);
  }

  void Show(const std::vector<Cell>& cells) {
    const Screen& screen = session_.screen();
    Print(records_ ? table_.Record(screen, ++shown_, cells) : table_.Row(screen, cells));
  }

  const Session& session_;
  const std::string format_;
  std::FILE* const out_;
  Table table_;
  std::vector<std::string> keys_;  // Of JSON objects.
  bool begun_ = false;
  bool settled_ = false;
  bool records_ = false;  // The columns do not fit beside each other.
  int64_t rows_ = 0;
  int64_t shown_ = 0;
};

class Reading : public Command {
 protected:
  void AddReadingOptions(CLI::App& app) {
    app.add_option("--at", at_, "As of a time, a tag or snapshot:ID");
    app.add_option("--format", format_, "table, csv, json, jsonl or tsv; a table on a terminal, tsv in a pipe")
        ->check(CLI::IsMember({"table", "csv", "json", "jsonl", "tsv"}));
  }

  Result<int> Query(Session& session, const std::string& sql, std::FILE* out = stdout, const std::string& as = "") {
    const Session::Flight door = TRY(session.FlightDoor());
    flight::ClientOptions options;
    options.url = door.url;
    options.bearer = door.bearer;
    options.purpose = session.options().purpose;
    options.at = at_;
    options.ca_file = session.options().ca_file;
    std::string format = as.empty() ? format_ : as;
    if (format.empty()) format = session.json() ? "json" : session.screen().out_terminal ? "table" : "tsv";
    Writer writer(session, format, out);
    Json news;
    TRY(flight::Query(
        options, sql, [&](const flight::Batch& batch) { return writer.Take(batch); },
        [&](const Json& told) { news = told; }));
    writer.End();
    for (const Json& port : news["deprecated"].Items()) {
      session.Note(
          fmt::format("{} is {}: {}", Safe(port["address"].Text()), Safe(port["status"].Text()), FarewellText(port)));
    }
    for (const Json& grant : news["ending"].Items()) {
      const std::string address = Safe(grant["address"].Text());
      session.Note(fmt::format("your right to {} ends {}; to go on: weft request {} --because WHY", address,
                               AgoText(grant["until"].Text()), address));
    }
    return 0;
  }

 private:
  std::string at_;
  std::string format_;
};

class SqlCommand : public Reading {
 public:
  explicit SqlCommand(CLI::App& app) {
    auto* text = app.add_option("sql", sql_, "One SELECT; - reads it from standard input");
    app.add_option("-f,--file", file_, "A file that holds it")->excludes(text)->type_name(kFile);
    AddReadingOptions(app);
  }

  Result<int> Run(Session& session) override {
    std::string sql = sql_;
    if (!file_.empty()) sql = TRY(ReadFile(file_, kMostSql));
    if (sql == "-") sql = TRY(ReadAll(kMostSql));
    if (Trim(sql).empty()) {
      return session.Misused("sql", "there is no SQL: give a SELECT, or -f FILE, or - for standard input");
    }
    return Query(session, sql);
  }

 private:
  std::string sql_;
  std::string file_;
};

class SampleCommand : public Reading {
 public:
  explicit SampleCommand(CLI::App& app) {
    app.add_option("address", address_, "An output port")->required()->type_name(kPort);
    app.add_option("-n,--rows", rows_, "So many rows")->capture_default_str()->check(CLI::Range(1, 100'000));
    AddReadingOptions(app);
  }

  Result<int> Run(Session& session) override {
    const model::Address address = TRY(model::Address::Parse(address_));
    TRY(session.Serves(address));
    const Place place = TRY(PortPlace(address));
    const Json port = TRY(session.Get(place.path, place.query));
    return Query(session, fmt::format("SELECT * FROM {} LIMIT {}", port["sql"].Text(), rows_));
  }

 private:
  std::string address_;
  int rows_ = 10;
};

class FixCommand : public Reading {
 public:
  explicit FixCommand(CLI::App& app) {
    app.add_option("address", address_, "An output port whose contract has a quarantine")->required()->type_name(kPort);
    auto* to =
        app.add_option("--to", to_, "Write its rows to a file, to be corrected: .csv or .jsonl")->type_name(kFile);
    auto* from = app.add_option("--from", from_, "The corrected rows: CSV, JSON or Parquet with their weft_id")
                     ->type_name(kFile)
                     ->excludes(to);
    auto* discard = app.add_option("--discard", discard_, "Give up the rows of these weft_ids")->excludes(to, from);
    auto* all = app.add_flag("--all", all_, "Give up all of its rows")->excludes(to, from, discard);
    auto* why = app.add_option("--why", why_, "Why rows are given up: it stands in the log")->excludes(to, from);
    discard->needs(why);
    all->needs(why);
  }

  Result<int> Run(Session& session) override {
    if (!to_.empty()) return Write(session);
    Json body = Json::Map({{"address", address_}});
    if (!from_.empty()) {
      const std::string hash = TRY(HashFile(from_));
      TRY(session.PutFile("/v1/data/" + hash, from_));
      body.Set("sha256", hash).Set("name", fs::path(from_).filename().string());
    } else if (all_ || !discard_.empty()) {
      body.Set("why", why_);
      if (all_) body.Set("all", true);
      if (!all_) body.Set("discard", discard_);
    } else {
      return session.Misused("fix",
                             "say what is to be done: --to FILE writes the rows, --from FILE takes them corrected, "
                             "--discard ID… or --all with --why gives rows up");
    }
    return Follow(session, TRY(session.Post("/v1/fixes", body)));
  }

 private:
  Result<int> Write(Session& session) {
    const bool lines = to_.ends_with(".jsonl") || to_.ends_with(".json");
    if (!lines && !to_.ends_with(".csv"))
      return session.Misused("fix", fmt::format("--to: '{}' tells no format: name it .csv or .jsonl", Safe(to_)));
    const Place place = TRY(PortPlace(TRY(model::Address::Parse(address_))));
    const Json port = TRY(session.Get(place.path, place.query));
    const std::string& address = port["quarantine"]["address"].Text();
    if (address.empty()) {
      return Error{Code::kInvalid, fmt::format("the contract of {} has no quarantine", port["address"].Text())};
    }
    const Place own = TRY(PortPlace(TRY(model::Address::Parse(address))));
    const Json quarantine = TRY(session.Get(own.path, own.query));
    if (!quarantine["sight"]["masked"].Members().empty() || !quarantine["sight"]["rows"].Text().empty()) {
      return Error{Code::kDenied, fmt::format("a policy hides rows or values of {} from you: rows are corrected by who "
                                              "sees all of them",
                                              address)};
    }
    std::vector<std::string> columns;
    for (const Json& column : quarantine["columns"].Items()) {
      const std::string& name = column["name"].Text();
      if (name != "weft_at" && name != "weft_run") columns.push_back(SqlName(name));
    }
    std::FILE* file = std::fopen(to_.c_str(), "wbx");
    if (!file) return Error{Code::kInvalid, fmt::format("'{}' cannot be written: {}", to_, std::strerror(errno))};
    auto done = Query(session,
                      fmt::format("SELECT {} FROM {} ORDER BY weft_source, weft_line, weft_id", Join(columns, ", "),
                                  quarantine["sql"].Text()),
                      file, lines ? "jsonl" : "csv");
    const bool closed = std::fclose(file) == 0;
    if (!done) return done.TakeError();
    if (!closed) return Error{Code::kUnavailable, fmt::format("'{}' cannot be written: {}", to_, std::strerror(errno))};
    session.Note(fmt::format("correct them there, and then: weft fix {} --from {}", Safe(address_), Safe(to_)));
    return 0;
  }

  std::string address_;
  std::string to_;
  std::string from_;
  std::vector<std::string> discard_;
  bool all_ = false;
  std::string why_;
};

constexpr CommandEntry kCommands[] = {
    {"sample", "Find and read", "A few rows of an output port", "weft sample operations/flights/flights -n 5",
     Bits(Action::kRead), Make<SampleCommand>},
    {"sql", "Find and read", "Rows by SQL over any ports that you may read",
     "weft sql 'SELECT count(*) FROM operations.flights.flights_v1'\nweft sql -f report.sql --format csv > report.csv\n"
     "weft sql 'SELECT …' --at 2026-01-31",
     Bits(Action::kRead), Make<SqlCommand>},
    {"fix", "Run", "Correct the rows that runs of an output port set aside, or give them up",
     "weft fix sales/orders/orders --to rows.csv\nweft fix sales/orders/orders --from rows.csv\n"
     "weft fix sales/orders/orders --discard 01k…-17 --why 'a test order'",
     Bits(Action::kRun, Action::kRead, Action::kPublish), Make<FixCommand>},
};

}  // namespace

std::span<const CommandEntry> ReadCommands() { return kCommands; }

}  // namespace weft::app
