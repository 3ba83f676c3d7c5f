#include "state/ledger/trace.h"

#include <algorithm>

namespace weft::ledger {
namespace {

constexpr size_t kDigest = 16;
constexpr int64_t kSlack = int64_t{10} * 60 * 1'000'000;  // How long a row may have waited for the writer.

std::string SeenText(const Json& started) {
  return Json::Map({{"columns", started["columns"]}, {"right", started["right"]}, {"policies", started["policies"]}})
      .Dump();
}

// The first row whose time is not before `at`, where times never fall.
Result<int64_t> Search(store::Txn& txn, Instant at) {
  const auto ends = TRY(txn.Run("SELECT max(seq) FROM ledger"));
  int64_t low = 1, high = ends[0].integer(0) + 1;
  const std::string text = at.Text();
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    const auto rows = TRY(txn.Run("SELECT at FROM ledger WHERE seq = $1", {store::Int(middle)}));
    if (!rows.empty() && rows[0].text(0) < text) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Result<int64_t> OnlySeq(Result<std::vector<store::Row>> rows) {
  if (!rows) return rows.TakeError();
  return rows->empty() ? 0 : (*rows)[0].integer(0);
}

}  // namespace

std::string DigestOf(std::string_view what) { return Sha256(what).substr(0, kDigest); }

std::string SeenDigest(const Json& started) { return DigestOf(SeenText(started)); }

Result<Trace> TraceOf(const store::Row& row) {
  Trace trace;
  trace.seq = row.integer(0);
  trace.at = TRY(row.time(1)).micros;
  const std::string kind = row.text(2);
  trace.principal = row.text(3);
  trace.purpose = row.text(4);
  trace.address = row.text(5);
  if (kind != "read.started" && kind != "read.ended" && kind != "denied") {
    trace.what = Json::Map({{"did", kind}}).Dump();
    return trace;
  }
  const Json detail = TRY(Json::Parse(row.text(6)));
  if (kind == "denied") {
    trace.times = detail["times"].Int(1);
    trace.what =
        Json::Map({{"denied", detail["action"]}, {"reasons", detail["reasons"]}, {"door", detail["door"]}}).Dump();
  } else if (kind == "read.started") {
    trace.what = SeenText(detail);
  } else {
    trace.times = 0;
    trace.rows = detail["rows"].Int();
    trace.bytes = detail["bytes"].Int();
    trace.named = detail["seen"].is_text();
    trace.what = trace.named ? detail["seen"].Text() : SeenText(Json());
  }
  return trace;
}

void Findings::Add(const Trace& trace, const std::string& what) {
  ++rows_;
  Finding& finding = found_[{trace.principal, trace.purpose, trace.address, what}];
  finding.times += trace.times;
  finding.rows += trace.rows;
  finding.bytes += trace.bytes;
  if (finding.first_row == 0) {
    finding.first = Instant{trace.at};
    finding.first_row = trace.seq;
  }
  finding.first = std::min(finding.first, Instant{trace.at});
  finding.last = std::max(finding.last, Instant{trace.at});
  finding.last_row = trace.seq;
}

Result<std::vector<Finding>> Findings::Take() {
  std::vector<Finding> findings;
  for (auto& [key, finding] : found_) {
    std::tie(finding.principal, finding.purpose, finding.address) = std::tie(key[0], key[1], key[2]);
    finding.what = TRY(Json::Parse(key[3]));
    findings.push_back(std::move(finding));
  }
  std::ranges::sort(findings, std::greater(), &Finding::last_row);
  return findings;
}

Result<int64_t> WalkSince(store::Txn& txn, const std::optional<Instant>& since) {
  if (!since) return 1;
  return std::max<int64_t>(1, TRY(Search(txn, Instant{since->micros - kSlack})) - 1);
}

Result<int64_t> FirstSince(store::Txn& txn, const std::optional<Instant>& since) {
  if (!since) return OnlySeq(txn.Run("SELECT min(seq) FROM ledger"));
  const int64_t from = TRY(WalkSince(txn, since));
  return OnlySeq(txn.Run("SELECT seq FROM ledger WHERE seq >= $1 AND at >= $2 ORDER BY seq LIMIT 1",
                         {store::Int(from), since->Text()}));
}

Result<int64_t> LastBefore(store::Txn& txn, const std::optional<Instant>& until) {
  if (!until) return OnlySeq(txn.Run("SELECT max(seq) FROM ledger"));
  const int64_t to = TRY(Search(txn, Instant{until->micros + kSlack}));
  return OnlySeq(txn.Run("SELECT seq FROM ledger WHERE seq <= $1 AND at < $2 ORDER BY seq DESC LIMIT 1",
                         {store::Int(to), until->Text()}));
}

Result<std::vector<Sealed>> RowsAt(store::Txn& txn, std::span<const int64_t> seqs) {
  std::vector<Sealed> found;
  for (int64_t seq : seqs) {
    for (const store::Row& row :
         TRY(txn.Run("SELECT at, kind, principal, purpose, address, detail, hash FROM ledger WHERE seq = $1",
                     {store::Int(seq)}))) {
      Sealed sealed;
      sealed.seq = seq;
      sealed.at = TRY(row.time(0));
      sealed.entry.kind = row.text(1);
      sealed.entry.principal = row.text(2);
      sealed.entry.purpose = row.text(3);
      sealed.entry.address = row.text(4);
      sealed.entry.detail = TRY(Json::Parse(row.text(5)));
      sealed.hash = row.text(6);
      found.push_back(std::move(sealed));
    }
  }
  return found;
}

Result<std::vector<Json>> Lines(store::Txn& txn, int64_t first, int64_t last, int limit) {
  static constexpr const char* kNames[] = {"at", "kind", "principal", "purpose", "address", "detail", "hash"};
  std::vector<Json> lines;
  for (const store::Row& row :
       TRY(txn.Run("SELECT seq, at, kind, principal, purpose, address, detail, hash FROM ledger WHERE seq >= $1 AND "
                   "seq <= $2 ORDER BY seq LIMIT $3",
                   {store::Int(first), store::Int(last), store::Int(limit)}))) {
    Json line = Json::Map({{"seq", row.integer(0)}});
    for (size_t i = 0; i < std::size(kNames); ++i) line.Set(kNames[i], row.text(i + 1));
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace weft::ledger
