#include "state/ledger/ledger.h"

#include "state/ledger/rows.h"

namespace weft::ledger {
namespace {

constexpr store::Migration kMigrations[] = {{"ledger", 1, R"(
CREATE TABLE ledger (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  kind TEXT NOT NULL,
  principal TEXT NOT NULL,
  purpose TEXT NOT NULL,
  address TEXT NOT NULL,
  detail TEXT NOT NULL,
  seq INTEGER,
  hash TEXT
);
CREATE UNIQUE INDEX ledger_seq ON ledger (seq);
CREATE TABLE ledger_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,
  at TEXT NOT NULL,
  hash TEXT NOT NULL,
  signature TEXT NOT NULL
);
)"}};

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

RowCells CellsOf(const Clock& clock, const Entry& entry) {
  return {clock.Now().Text(), entry.kind, entry.principal, entry.purpose, entry.address, entry.detail.Dump()};
}

Status InsertRow(store::Txn& txn, const RowCells& cells) {
  TRY(txn.Run("INSERT INTO ledger (at, kind, principal, purpose, address, detail) VALUES ($1, $2, $3, $4, $5, $6)",
              cells));
  return {};
}

Status Append(store::Txn& txn, Clock& clock, const Entry& entry) { return InsertRow(txn, CellsOf(clock, entry)); }

Result<std::vector<Sealed>> List(store::Txn& txn, const Query& query) {
  // A prefix ends at a whole name: "operations" is not the beginning of "operations-eu".
  std::string sql =
      "SELECT seq, at, kind, principal, purpose, address, detail, hash FROM ledger WHERE seq IS NOT NULL AND seq > $1 "
      "AND ($2 = '' OR kind = $2) AND ($3 = '' OR principal = $3) AND ($4 = '' OR address = $4 "
      "OR substr(address, 1, length($4) + 1) IN ($4 || '/', $4 || '@')) ORDER BY seq ";
  sql += query.newest_first ? "DESC LIMIT $5" : "LIMIT $5";
  std::vector<Sealed> found;
  for (const store::Row& row : TRY(txn.Run(sql, {store::Int(query.after), query.kind, query.principal,
                                                 query.address_prefix, store::Int(query.limit)}))) {
    Sealed sealed;
    sealed.seq = row.integer(0);
    sealed.at = TRY(Instant::Parse(row.text(1)));
    sealed.entry = { row.text(2), row.text(3), row.text(4), row.text(5), TRY(Json::Parse(row.text(6))) };
    sealed.hash = row.text(7);
    found.push_back(std::move(sealed));
  }
  return found;
}

}  // namespace weft::ledger
