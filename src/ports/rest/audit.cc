// Who saw what, who did what, and rows for outsiders to verify.
#include "state/ledger/audit.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ports/rest/handlers.h"
#include "state/lineage/lineage.h"

namespace weft::rest {
namespace {

constexpr int kLines = 1'000;
constexpr int kMostLines = 100'000;
constexpr int kExportLines = 5'000;

using Columns = std::set<std::string>;  // Empty: all.

Result<std::optional<Instant>> TimeIn(const http::Request& request, std::string_view name) {
  const std::string text = request.Query(name);
  if (text.empty()) return std::optional<Instant>();
  auto time = Instant::Parse(text);
  if (time) return std::optional<Instant>(*time);
  return Error{Code::kInvalid,
               fmt::format("parameter {}: '{}' is no time: write it like 2026-01-31T12:00:00Z", name, text)};
}

Result<ledger::Question> QuestionOf(const http::Request& request) {
  ledger::Question question;
  question.since = TRY(TimeIn(request, "since"));
  question.until = TRY(TimeIn(request, "until"));
  question.purpose = request.Query("purpose");
  question.verify = TRY(QueryInt(request, "verify", 0, 0, 1)) == 1;
  if (question.since && question.until && *question.until <= *question.since) {
    return Error{Code::kInvalid,
                 fmt::format("parameter until: {} is not after {}", question.until->Text(), question.since->Text())};
  }
  return question;
}

// One line of an answer: findings that differ in nothing that is asked.
struct Line {
  Json json;
  int64_t times = 0, rows = 0, bytes = 0;
  Instant first, last;
  int64_t row = 0;
  Columns columns;  // "amount: clear"
};

class Lines {
 public:
  // `key`: what tells the line from others, and is shown of it.
  void Add(const Json& key, const ledger::Finding& finding, const Columns& columns = {}) {
    const auto [at, fresh] = lines_.try_emplace(key.Dump());
    Line& line = at->second;
    if (fresh) line.json = key;
    line.first = fresh ? finding.first : std::min(line.first, finding.first);
    line.last = std::max(line.last, finding.last);
    line.row = std::max(line.row, finding.last_row);
    line.times += finding.times;
    line.rows += finding.rows;
    line.bytes += finding.bytes;
    line.columns.insert(columns.begin(), columns.end());
  }

  // The newest first, at most `limit`; each with the last row that it is made of.
  Result<Json> Take(store::Txn& txn, size_t limit, bool counts) {
    std::vector<Line*> newest;
    for (auto& [key, line] : lines_) newest.push_back(&line);
    std::ranges::sort(newest, std::greater(), &Line::row);
    if (newest.size() > limit) newest.resize(limit);
    std::vector<int64_t> seqs;
    for (const Line* line : newest) seqs.push_back(line->row);
    const std::vector<ledger::Sealed> rows = TRY(ledger::RowsAt(txn, seqs));
    Json::Array items;
    for (size_t i = 0; i < newest.size() && i < rows.size(); ++i) {
      Line& line = *newest[i];
      if (!line.columns.empty()) line.json.Set("columns", std::vector(line.columns.begin(), line.columns.end()));
      line.json.Set("times", line.times);
      const Json& run = rows[i].entry.detail["run"];
      if (run.is_text()) line.json.Set("run", run);
      // What a run read stays inside the node: nothing left that could be counted.
      if (counts && !run.is_text()) line.json.Set("rows", line.rows).Set("bytes", line.bytes);
      line.json.Set("first", line.first.Text()).Set("last", line.last.Text());
      line.json.Set("row", line.row).Set("hash", rows[i].hash);
      items.push_back(std::move(line.json));
    }
    return Json(std::move(items));
  }
  size_t size() const { return lines_.size(); }

 private:
  std::map<std::string, Line> lines_;
};

Json DenialKey(const ledger::Finding& finding) {
  return Json::Map({{"principal", finding.principal},
                    {"purpose", finding.purpose},
                    {"address", finding.address},
                    {"action", finding.what["denied"]},
                    {"reasons", finding.what["reasons"]},
                    {"door", finding.what["door"]}});
}

// How the wanted columns were seen, as "clear" or "mask-alphanum"; nothing where none of them was. A read that does not
// say its columns may be one of all.
std::optional<std::string> SeenAs(const Json& what, const Columns& wanted) {
  if (what["columns"].is_null()) return "not told";
  Columns how;
  for (const auto& [column, mask] : what["columns"].Members()) {
    if (wanted.contains(column)) how.insert(mask.Text());
  }
  if (how.empty()) return std::nullopt;
  return Join(std::vector(how.begin(), how.end()), ", ");
}

// Of the policies that had a part in a read, those that bear on the wanted columns of it (none: all that it read): a
// mask of others does not.
Json Bearing(const Json& what, const Columns& wanted) {
  Json::Array bearing;
  for (const Json& policy : what["policies"].Items()) {
    bool bears = policy["effect"].Text() != "mask" || what["columns"].is_null();
    const std::string masked = ", " + policy["detail"].Text();
    for (const auto& [column, mask] : what["columns"].Members()) {
      const bool asked = wanted.empty() || wanted.contains(column);
      bears = bears || (asked && masked.find(fmt::format(", {}: ", column)) != masked.npos);
    }
    if (bears) bearing.push_back(policy);
  }
  return bearing;
}

Json VerdictJson(const ledger::Answer& answer) {
  if (!answer.verdict) return {};
  return Json::Map({{"ok", answer.verdict->problem.empty()},
                    {"problem", answer.verdict->problem},
                    {"from", answer.verified_from},
                    {"to", answer.verified_from + answer.verdict->rows - 1},
                    {"head", answer.verdict->head}});
}

Result<Json> WhoSaw(Api& api, const ledger::Question& question, const Columns& wanted, size_t limit) {
  const ledger::Answer answer = TRY(api.ledger.Ask(question));
  Lines readers, denied;
  for (const ledger::Finding& finding : answer.findings) {
    if (finding.what.Has("denied")) denied.Add(DenialKey(finding), finding);
    if (finding.what.Has("denied") || finding.what.Has("did")) continue;
    Json key = Json::Map({{"principal", finding.principal}, {"purpose", finding.purpose}});
    Columns columns;
    if (wanted.empty()) {
      for (const auto& [column, mask] : finding.what["columns"].Members()) {
        columns.insert(mask.Text() == "clear" ? column : column + ": " + mask.Text());
      }
      if (finding.what["columns"].is_null()) columns.insert("not told");
    } else {
      const std::optional<std::string> how = SeenAs(finding.what, wanted);
      if (!how) continue;
      key.Set("seen_as", *how);
    }
    key.Set("right", finding.what["right"]).Set("policies", Bearing(finding.what, wanted));
    readers.Add(key, finding, columns);
  }
  auto txn = TRY(api.store.Read());
  const int64_t total = static_cast<int64_t>(readers.size());
  return Json::Map({{"address", question.address},
                    {"columns", std::vector(wanted.begin(), wanted.end())},
                    {"readers", TRY(readers.Take(*txn, limit, true))},
                    {"readers_total", total},
                    {"denied", TRY(denied.Take(*txn, limit, false))},
                    {"ledger_rows", answer.rows},
                    {"verified", VerdictJson(answer)}});
}

// Ports that the newest snapshots are made from these columns of, directly or not, and which of their columns: what
// only decides which rows there are is not passed on.
Result<std::map<std::string, Columns>> Downstream(store::Txn& txn, const std::string& address, const Columns& wanted) {
  const std::vector<lineage::Edge> edges = TRY(lineage::Walk(txn, address, lineage::Direction::kDown));
  std::map<std::string, Columns> made = {{address, wanted}};
  for (bool more = true; more;) {
    more = false;
    for (const lineage::Edge& edge : edges) {
      const auto from = made.find(edge.from);
      if (from == made.end()) continue;
      for (const lineage::ColumnEdge& column : edge.columns) {
        const bool all = edge.from == address && wanted.empty();
        if (column.how == "filter" || !(all || from->second.contains(column.input_column))) continue;
        more = made[edge.to].insert(column.column).second || more;
      }
    }
  }
  made.erase(address);
  return made;
}

// A column that neither the contract has nor anybody read is a slip of the pen.
Status KnownColumn(const catalog::Port& port, const std::string& column, const Json& answer) {
  if (column.empty() || answer["readers"].size() > 0 || !port.contract || port.contract->schema.empty()) return {};
  std::vector<std::string_view> names;
  for (const model::Property& property : port.contract->schema.front().properties) names.push_back(property.name);
  if (std::ranges::find(names, column) != names.end()) return {};
  return Error{Code::kInvalid, fmt::format("parameter column: {} has no column '{}'{}", port.row.key.Text(), column,
                                           DidYouMean(column, names))};
}

}  // namespace

Result<model::Resource> AuditedPort(Api& api, const Caller& caller, const http::Request& request) {
  auto txn = TRY(api.store.Read());
  return TRY(PortOf(api, *txn, caller, request.Query("address"))).resource;
}

Answer WhoSawIt(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"address", "column", "since", "until", "purpose", "verify", "downstream", "limit"}));
  ledger::Question question = TRY(QuestionOf(request));
  const size_t limit = static_cast<size_t>(TRY(QueryInt(request, "limit", kLines, 1, kMostLines)));
  const std::string column = request.Query("column");
  Columns wanted;
  if (!column.empty()) wanted.insert(column);
  std::optional<catalog::Port> port;
  std::map<std::string, Columns> downstream;
  {
    auto txn = TRY(api.store.Read());
    port = TRY(PortOf(api, *txn, caller, request.Query("address")));
    question.address = port->row.key.Text();
    if (!request.Query("downstream").empty()) downstream = TRY(Downstream(*txn, question.address, wanted));
  }
  Json answer = TRY(WhoSaw(api, question, wanted, limit));
  TRY(KnownColumn(*port, column, answer));
  answer.Set("since", OptionalTime(question.since)).Set("until", OptionalTime(question.until));
  Json::Array below;
  for (const auto& [address, columns] : downstream) {
    {
      auto txn = TRY(api.store.Read());
      const model::Sight sight = TRY(SightOf(api, *txn, caller));
      const auto key = model::PortKey::Parse(address);
      if (key && !TRY(catalog::Seen(*txn, sight).Sees(*key))) continue;
    }
    auto may = [&]() -> Result<bool> {
      auto txn = TRY(api.store.Read());
      auto made = PortOf(api, *txn, caller, address);
      if (!made) return false;
      return TRY(api.gate.Ask(*txn, caller, model::Action::kAudit, made->resource)).permitted;
    };
    question.address = address;
    if (TRY(may())) {
      below.push_back(TRY(WhoSaw(api, question, columns, limit)));
    } else {
      below.push_back(Json::Map({{"address", address},
                                 {"columns", std::vector(columns.begin(), columns.end())},
                                 {"withheld", "for its owners, auditors and administrators"}}));
    }
  }
  if (!request.Query("downstream").empty()) answer.Set("downstream", std::move(below));
  return http::Response::Of(answer);
}

// Everybody may ask it of themselves.
Answer WhatTheyDid(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"principal", "since", "until", "purpose", "verify", "limit"}));
  ledger::Question question = TRY(QuestionOf(request));
  const size_t limit = static_cast<size_t>(TRY(QueryInt(request, "limit", kLines, 1, kMostLines)));
  question.principal = request.Query("principal").empty() ? caller.principal.name : request.Query("principal");
  if (question.principal != caller.principal.name) TRY(api.gate.Decide(caller, model::Action::kAudit, {}));
  const ledger::Answer answer = TRY(api.ledger.Ask(question));
  Lines read, denied, did;
  for (const ledger::Finding& finding : answer.findings) {
    Json key = Json::Map({{"address", finding.address}, {"purpose", finding.purpose}});
    if (finding.what.Has("denied")) {
      denied.Add(DenialKey(finding), finding);
    } else if (finding.what.Has("did")) {
      did.Add(Json::Map({{"did", finding.what["did"]}, {"address", finding.address}}), finding);
    } else {
      Columns columns;
      for (const auto& [column, mask] : finding.what["columns"].Members()) {
        columns.insert(mask.Text() == "clear" ? column : column + ": " + mask.Text());
      }
      read.Add(key.Set("right", finding.what["right"]), finding, columns);
    }
  }
  auto txn = TRY(api.store.Read());
  return http::Response::Of(Json::Map({{"principal", question.principal},
                                       {"since", OptionalTime(question.since)},
                                       {"until", OptionalTime(question.until)},
                                       {"read", TRY(read.Take(*txn, limit, true))},
                                       {"denied", TRY(denied.Take(*txn, limit, false))},
                                       {"did", TRY(did.Take(*txn, limit, false))},
                                       {"ledger_rows", answer.rows},
                                       {"verified", VerdictJson(answer)}}));
}

// Both ends of what is exported, signed; its rows are asked for by number.
Answer ExportAudit(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {"since", "until"}));
  const ledger::Question question = TRY(QuestionOf(request));
  const ledger::Excerpt excerpt = TRY(api.ledger.Cut(question.since, question.until));
  return http::Response::Of(Json::Map({{"first", excerpt.first},
                                       {"previous", excerpt.previous},
                                       {"last", excerpt.last},
                                       {"at", excerpt.at},
                                       {"hash", excerpt.hash},
                                       {"signature", excerpt.signature},
                                       {"public_key", excerpt.public_key}}));
}

Answer ExportRows(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {"first", "last"}));
  const int64_t first = TRY(QueryInt(request, "first", 1, 1, INT64_MAX));
  const int64_t last = TRY(QueryInt(request, "last", INT64_MAX, 1, INT64_MAX));
  auto txn = TRY(api.store.Read());
  return http::Response::Of(Json::Map({{"rows", Json(TRY(ledger::Lines(*txn, first, last, kExportLines)))}}));
}

}  // namespace weft::rest
