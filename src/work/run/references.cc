// Which tables refer to which: by what is declared, by names and by values.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "work/run/profile.h"

namespace weft::run {
namespace {

const ColumnProfile* Find(const TableProfile& table, const std::string& column) {
  const auto at = std::ranges::find(table.columns, column, &ColumnProfile::name);
  return at == table.columns.end() ? nullptr : &*at;
}

std::string Quoted(const std::vector<std::string>& columns) {
  std::vector<std::string> names;
  for (const std::string& column : columns) names.push_back(SqlName(column));
  return Join(names, ", ");
}

// Whether rows of `from` refer to rows of `to`, over however many tables: runs go in that order, so no circle may be.
bool Reaches(const std::vector<Reference>& references, size_t from, size_t to, size_t deep = 0) {
  return from == to || (deep < references.size() && std::ranges::any_of(references, [&](const Reference& each) {
                          return each.from == from && Reaches(references, each.to, to, deep + 1);
                        }));
}

// What tables say of themselves, in the names that their database has.
class Declared {
 public:
  explicit Declared(const std::vector<TableProfile>& tables) : tables_(tables) {}

  // The reference, if the other table and all of the columns are among those that were read.
  std::optional<Reference> Of(size_t from, const database::Reference& declared) const {
    const auto other = std::ranges::find_if(tables_, [&](const TableProfile& table) {
      return table.declared && Lower(table.declared->name) == Lower(declared.table);
    });
    if (other == tables_.end()) return std::nullopt;
    Reference reference;
    reference.from = from;
    reference.to = static_cast<size_t>(other - tables_.begin());
    reference.columns = declared.columns;
    reference.declared = true;
    const bool named = std::ranges::none_of(declared.keys, [](const std::string& key) { return key.empty(); });
    const std::vector<std::string>& keys = named ? declared.keys : other->declared->key;
    if (keys.size() != declared.columns.size()) return std::nullopt;
    for (size_t i = 0; i < keys.size(); ++i) {
      const ColumnProfile *ours = Find(tables_[from], declared.columns[i]), *theirs = Find(*other, keys[i]);
      if (!ours || !theirs || ours->type.kind != theirs->type.kind) return std::nullopt;
      reference.keys.push_back(theirs->plain);
    }
    return reference;
  }

 private:
  const std::vector<TableProfile>& tables_;
};

// By the name of a column and of the other table's key.
bool SoundsLike(const ColumnProfile& column, const TableProfile& table) {
  const std::string name = SnakeCase(column.name), key = SnakeCase(table.key[0]);
  const std::string one = table.name.ends_with('s') ? table.name.substr(0, table.name.size() - 1) : table.name;
  const bool same = name == key && key != "id" && key != "name";
  return same || name == one + "_" + key || name.ends_with("_" + one + "_" + key) || name == one;
}

}  // namespace

Result<std::vector<Reference>> Profiler::References(const std::vector<TableProfile>& tables) {
  std::vector<Reference> references;
  // How many rows of the one have values that no row of the other has.
  auto missing = [&](const Reference& reference) -> Result<int64_t> {
    const TableProfile &from = tables[reference.from], &to = tables[reference.to];
    std::vector<std::string> keys, filled;
    for (const std::string& key : reference.keys) {
      keys.push_back(std::ranges::find(to.columns, key, &ColumnProfile::plain)->name);
    }
    for (const std::string& column : reference.columns) filled.push_back("f." + SqlName(column) + " IS NOT NULL");
    const engine::Rows rows = TRY(
        connection_->Query(fmt::format("SELECT count(*) FROM ({}) AS f WHERE {} AND ({}) NOT IN (SELECT {} FROM ({}))",
                                       from.select, Join(filled, " AND "), Quoted(reference.columns),
                                       keys.size() == 1 ? Quoted(keys) : "(" + Quoted(keys) + ")", to.select)));
    return rows.integer(0, 0);
  };
  const Declared declared(tables);
  for (size_t from = 0; from < tables.size(); ++from) {
    if (!tables[from].declared) continue;
    for (const database::Reference& each : tables[from].declared->references) {
      std::optional<Reference> reference = declared.Of(from, each);
      if (!reference || (reference->to != from && Reaches(references, reference->to, from))) continue;
      if (tables[from].declared->loose) reference->missing = TRY(missing(*reference));
      references.push_back(*std::move(reference));
    }
  }
  for (size_t from = 0; from < tables.size(); ++from) {
    for (const ColumnProfile& column : tables[from].columns) {
      for (size_t to = 0; to < tables.size(); ++to) {
        if (to == from || tables[to].key.size() != 1 || column.values == 0) continue;
        if (!SoundsLike(column, tables[to]) || Reaches(references, to, from)) continue;
        const bool told = std::ranges::any_of(references, [&](const Reference& each) {
          return each.declared && each.from == from && std::ranges::count(each.columns, column.name) > 0;
        });
        const ColumnProfile& key = *Find(tables[to], tables[to].key[0]);
        if (told || key.type.kind != column.type.kind) continue;
        Reference reference{from, to, {column.name}, {key.plain}, 0, false};
        reference.missing = TRY(missing(reference));
        if (reference.missing * 4 <= column.values) references.push_back(std::move(reference));
      }
    }
  }
  return references;
}

}  // namespace weft::run
