#include "drivers/store/store.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "base/text.h"

namespace weft::store {
namespace {

std::vector<std::string> StatementsOf(std::string_view sql) {
  std::vector<std::string> statements;
  std::string pending;
  for (const std::string& line : Split(sql, '\n')) {
    pending += line + "\n";
    if (!Trim(line).ends_with(';')) continue;
    statements.push_back(std::move(pending));
    pending.clear();
  }
  if (!Trim(pending).empty()) statements.push_back(std::move(pending));
  return statements;
}

Status Upgrade(Txn& txn, const Migration& migration) {
  for (const std::string& statement : StatementsOf(migration.sql)) {
    auto ran = txn.Run(statement);
    if (!ran) return ran.TakeError().With(fmt::format("migration {} {}", migration.module, migration.number));
  }
  TRY(txn.Run("INSERT INTO schema_migrations (module, number) VALUES ($1, $2)",
              {std::string(migration.module), Int(migration.number)}));
  return {};
}

}  // namespace

int64_t Row::integer(size_t column) const {
  const Cell& cell = cells_.at(column);
  int64_t value = 0;
  if (cell) std::from_chars(cell->data(), cell->data() + cell->size(), value);
  return value;
}

Result<Instant> Row::time(size_t column) const { return Instant::Parse(text(column)); }

Result<std::optional<Instant>> Row::maybe_time(size_t column) const {
  if (null(column)) return std::optional<Instant>();
  return std::optional<Instant>(TRY(time(column)));
}

Cell Int(int64_t value) { return std::to_string(value); }
Cell Flag(bool value) { return std::string(value ? "1" : "0"); }
Cell OrNull(const std::string& value) { return value.empty() ? Cell() : Cell(value); }
Cell Time(const std::optional<Instant>& time) { return time ? Cell(time->Text()) : std::nullopt; }

Status Migrate(Store& store, std::span<const Migration> migrations) {
  auto txn = TRY(store.Begin());
  TRY(
      txn->Run("CREATE TABLE IF NOT EXISTS schema_migrations (module TEXT NOT NULL, number INTEGER NOT NULL, "
               "PRIMARY KEY (module, number))"));
  std::map<std::string, int64_t> reached;
  for (const Row& row : TRY(txn->Run("SELECT module, max(number) FROM schema_migrations GROUP BY module"))) {
    reached[row.text(0)] = row.integer(1);
  }
  std::map<std::string, int64_t> newest;
  for (const Migration& migration : migrations) newest[std::string(migration.module)] = migration.number;
  for (const auto& [module, number] : newest) {
    if (reached[module] > number) {
      return Error{Code::kConflict,
                   fmt::format("the store is newer than this program: '{}' is at version {}, the program knows {}; "
                               "start the newer program",
                               module, reached[module], number)};
    }
  }
  bool changed = false;
  for (const Migration& migration : migrations) {
    if (migration.number <= reached[std::string(migration.module)]) continue;
    TRY(Upgrade(*txn, migration));
    changed = true;
  }
  if (!changed) return {};
  return txn->Commit();
}

Result<std::unique_ptr<Store>> OpenSqlite(const std::string& path);

Result<std::unique_ptr<Store>> Open(const std::string& url) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (url.starts_with(kSqlite) && url.size() > kSqlite.size()) return OpenSqlite(url.substr(kSqlite.size()));
  return Error{Code::kInvalid, fmt::format("'{}' is not a store: write sqlite:PATH", url.substr(0, url.find(':')))};
}

}  // namespace weft::store
