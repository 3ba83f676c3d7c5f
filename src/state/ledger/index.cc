#include <fmt/format.h>

#include "state/ledger/trace.h"

namespace weft::ledger {
namespace {

constexpr int kBatch = 2'000;
constexpr size_t kTogether = 25;  // Rows a statement.
constexpr size_t kKeptTerms = 100'000;

// Texts by number: principals, purposes, addresses, and what rows say.
class Terms {
 public:
  explicit Terms(store::Txn& txn, std::unordered_map<std::string, int64_t>& kept) : txn_(txn), kept_(kept) {}

  Result<int64_t> Of(const std::string& text) {
    const auto known = kept_.find(text);
    if (known != kept_.end()) return known->second;
    const std::string digest = DigestOf(text);
    auto rows = TRY(txn_.Run("SELECT id FROM ledger_terms WHERE digest = $1", {digest}));
    if (rows.empty()) {
      rows = TRY(txn_.Run("INSERT INTO ledger_terms (digest, term) VALUES ($1, $2) RETURNING id", {digest, text}));
    }
    return kept_[text] = rows[0].integer(0);
  }

  Result<int64_t> Named(const std::string& digest) {
    const auto rows = TRY(txn_.Run("SELECT id FROM ledger_terms WHERE digest = $1", {digest}));
    if (!rows.empty()) return rows[0].integer(0);
    return Of(Json(Json::Object()).Dump());
  }

 private:
  store::Txn& txn_;
  std::unordered_map<std::string, int64_t>& kept_;
};

Result<std::vector<Trace>> NextTraces(store::Store& store) {
  std::vector<Trace> traces;
  auto txn = TRY(store.Read());
  for (const store::Row& row :
       TRY(txn->Run("SELECT seq, at, kind, principal, purpose, address, detail FROM ledger WHERE seq > (SELECT "
                    "coalesce(max(seq), 0) FROM ledger_index) ORDER BY seq LIMIT $1",
                    {store::Int(kBatch)}))) {
    traces.push_back(TRY(TraceOf(row)));
  }
  return traces;
}

std::string InsertOf(size_t rows) {
  std::string sql = "INSERT INTO ledger_index (seq, at, address, principal, purpose, what, times, rows, bytes) VALUES ";
  for (size_t i = 0; i < rows; ++i) {
    sql += i == 0 ? "(" : ", (";
    for (size_t c = 1; c <= 9; ++c) sql += fmt::format("{}${}", c == 1 ? "" : ", ", i * 9 + c);
    sql += ")";
  }
  return sql + " ON CONFLICT (seq) DO NOTHING";  // Another node may have taken them in meanwhile.
}

Status InsertAll(store::Txn& txn, Terms& terms, const std::vector<Trace>& traces) {
  std::vector<store::Cell> cells;
  size_t rows = 0;
  for (size_t i = 0; i < traces.size(); ++i) {
    const Trace& trace = traces[i];
    const int64_t what = trace.named ? TRY(terms.Named(trace.what)) : TRY(terms.Of(trace.what));
    const int64_t numbers[] = {trace.seq,
                               trace.at,
                               TRY(terms.Of(trace.address)),
                               TRY(terms.Of(trace.principal)),
                               TRY(terms.Of(trace.purpose)),
                               what,
                               trace.times,
                               trace.rows,
                               trace.bytes};
    for (int64_t number : numbers) cells.push_back(store::Int(number));
    if (++rows < kTogether && i + 1 < traces.size()) continue;
    TRY(txn.Run(InsertOf(rows), cells));
    cells.clear();
    rows = 0;
  }
  return {};
}

Result<store::Cell> TermId(store::Txn& txn, const std::string& text) {
  const auto rows = TRY(txn.Run("SELECT id FROM ledger_terms WHERE digest = $1", {DigestOf(text)}));
  return rows.empty() ? store::Cell("0") : store::Cell(rows[0].text(0));
}

}  // namespace

Result<int> Index::Next() {
  std::lock_guard lock(mutex_);
  const std::vector<Trace> traces = TRY(NextTraces(store_));
  if (traces.empty()) return 0;
  if (terms_.size() > kKeptTerms) terms_.clear();
  auto insert = [&]() -> Status {
    auto txn = TRY(store_.Begin());
    Terms terms(*txn, terms_);
    TRY(InsertAll(*txn, terms, traces));
    return txn->Commit();
  };
  Status inserted = insert();
  if (inserted) return static_cast<int>(traces.size());
  terms_.clear();  // What was numbered is not there.
  return inserted.TakeError();
}

Result<std::string> TextOf(store::Txn& txn, const std::string& digest) {
  const auto rows = TRY(txn.Run("SELECT term FROM ledger_terms WHERE digest = $1", {digest}));
  return rows.empty() ? Json(Json::Object()).Dump() : rows[0].text(0);
}

Result<Answer> AskIndex(store::Txn& txn, const Question& question) {
  std::string where = "at >= $1 AND at < $2";
  std::vector<store::Cell> args = {store::Int(question.since ? question.since->micros : INT64_MIN),
                                   store::Int(question.until ? question.until->micros : INT64_MAX)};
  for (const auto& [column, text] :
       {std::pair("address", &question.address), std::pair("principal", &question.principal),
        std::pair("purpose", &question.purpose)}) {
    if (text->empty()) continue;
    args.push_back(TRY(TermId(txn, *text)));
    where += fmt::format(" AND {} = ${}", column, args.size());
  }
  const std::string sql = fmt::format(
      "SELECT p.term, u.term, a.term, w.term, n, t, r, b, first, last, first_row, last_row FROM (SELECT principal, "
      "purpose, address, what, count(*) AS n, sum(times) AS t, sum(rows) AS r, sum(bytes) AS b, min(at) AS first, "
      "max(at) AS last, min(seq) AS first_row, max(seq) AS last_row FROM ledger_index WHERE {} GROUP BY principal, "
      "purpose, address, what) AS f JOIN ledger_terms AS p ON p.id = f.principal JOIN ledger_terms AS u ON u.id = "
      "f.purpose JOIN ledger_terms AS a ON a.id = f.address JOIN ledger_terms AS w ON w.id = f.what ORDER BY last_row "
      "DESC",
      where);
  Answer answer;
  std::unordered_map<std::string, Json> parsed;
  for (const store::Row& row : TRY(txn.Run(sql, args))) {
    Finding finding;
    finding.principal = row.text(0);
    finding.purpose = row.text(1);
    finding.address = row.text(2);
    auto [what, fresh] = parsed.try_emplace(row.text(3));
    if (fresh) what->second = TRY(Json::Parse(row.text(3)));
    finding.what = what->second;
    answer.rows += row.integer(4);
    finding.times = row.integer(5);
    finding.rows = row.integer(6);
    finding.bytes = row.integer(7);
    finding.first = Instant{row.integer(8)};
    finding.last = Instant{row.integer(9)};
    finding.first_row = row.integer(10);
    finding.last_row = row.integer(11);
    answer.findings.push_back(std::move(finding));
  }
  return answer;
}

}  // namespace weft::ledger
