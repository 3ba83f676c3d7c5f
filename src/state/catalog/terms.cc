#include "state/catalog/terms.h"

#include "base/id.h"
#include "base/kept.h"
#include "state/catalog/rows.h"
#include "state/catalog/seen.h"

namespace weft::catalog {
namespace {

Kept<model::Terms>& KeptTerms() {
  static Kept<model::Terms> kept;
  return kept;
}

}  // namespace

Result<std::shared_ptr<const model::Terms>> TermsOf(store::Txn& txn) {
  const std::vector<store::Row> rows = TRY(txn.Run("SELECT path, text FROM term_files ORDER BY path"));
  Hasher hasher;
  for (const store::Row& row : rows) hasher.AddNamed(row.text(0), row.text(1));
  const std::string digest = hasher.Hex();
  if (auto known = KeptTerms().Find(digest)) return known;
  std::vector<model::TermFile> files;
  for (const store::Row& row : rows) files.push_back(TRY(model::TermFile::Parse(row.text(1), row.text(0))));
  auto terms = TRY(model::Terms::Of(std::move(files)));
  KeptTerms().Put(digest, terms);
  return terms;
}

Status PutTerms(store::Txn& txn, Clock& clock, const std::vector<model::TermFile>& files,
                const std::string& principal) {
  for (const model::TermFile& file : files) {
    TRY(
        txn.Run("INSERT INTO term_files (path, text, applied_by, applied_at) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT (path) DO UPDATE SET text = excluded.text, applied_by = excluded.applied_by, "
                "applied_at = excluded.applied_at",
                {file.file, file.bytes, principal, clock.Now().Text()}));
  }
  return PutTermIndex(txn, *TRY(TermsOf(txn)));
}

std::string TermColumn::Where() const { return port.port.empty() ? port.domain + "/" + port.product : port.Text(); }

Result<std::vector<TermColumn>> TermColumns(store::Txn& txn, const model::Sight& sight, const std::string& term) {
  const Seen seen(txn, sight);
  std::map<model::PortKey, bool> sees;
  std::vector<TermColumn> columns;
  for (const store::Row& row :
       TRY(txn.Run("SELECT term, domain, product, port, major, column_name FROM term_uses WHERE $1 = '' OR term = $1 "
                   "ORDER BY term, domain, product, port, major, column_name",
                   {term}))) {
    const model::PortKey port{row.text(1), row.text(2), row.text(3), static_cast<int>(row.integer(4))};
    auto known = sees.find(port);
    if (known == sees.end()) known = sees.emplace(port, TRY(seen.Sees(port))).first;
    if (known->second) columns.push_back({row.text(0), port, row.text(5)});
  }
  return columns;
}

Status PutTermUses(store::Txn& txn, const model::PortKey& port, const std::vector<model::TermUse>& uses) {
  for (const model::TermUse& use : uses) {
    TRY(
        txn.Run("INSERT INTO term_uses (domain, product, port, major, column_name, term) VALUES ($1, $2, $3, $4, $5, "
                "$6) ON CONFLICT (domain, product, port, major, column_name, term) DO NOTHING",
                {port.domain, port.product, port.port, store::Int(port.major), use.column, use.term}));
  }
  return {};
}

}  // namespace weft::catalog
