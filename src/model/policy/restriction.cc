#include "model/policy/restriction.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace weft::model {

bool Restriction::operator==(const Restriction& other) const {
  const bool same = columns == other.columns || (columns && other.columns && *columns == *other.columns);
  return same && filters == other.filters && masks == other.masks && only == other.only;
}

bool Restriction::NeedsSalt() const {
  return std::ranges::any_of(masks,
                             [](const auto& mask) { return mask.second.action == MaskAction::kSha256QueryLocal; });
}

std::string Restriction::RowsText() const {
  std::string text;
  for (const Filter& filter : filters) text += (text.empty() ? "" : " && ") + filter.text();
  return text;
}

PolicySql DuckDbSql(const Restriction* restriction, const TableSchema& table, const MaskKeys& keys) {
  PolicySql sql;
  if (!restriction) return sql;
  for (const Restriction::Filter& filter : restriction->filters) {
    if (!sql.condition.empty()) sql.condition += " AND ";
    sql.condition += DuckDbSql(filter.asked->predicate, table);
  }
  for (const Field& field : table.fields) {
    if (!restriction->Shows(field.name)) sql.absent.insert(field.name);
  }
  if (restriction->masks.empty()) return sql;
  for (const Field& field : table.fields) {
    const auto mask = restriction->masks.find(field.name);
    const bool known = restriction->columns && restriction->columns->contains(field.name);
    if (mask == restriction->masks.end() && known) continue;
    // A snapshot may have the column in another type, for which nobody chose a mask.
    const bool fits = known && CheckMask(mask->second.action, field.type, false);
    MaskAction action = fits ? mask->second.action : MaskAction::kReplaceWithNull;
    std::string with = keys.salt;
    if (action == MaskAction::kPseudonym) {
      const auto function = keys.pseudonyms.find(mask->second.entity);
      with = function == keys.pseudonyms.end() ? "" : function->second;
    }
    const bool keyed = action == MaskAction::kPseudonym || action == MaskAction::kSha256QueryLocal;
    if (keyed && with.empty()) action = MaskAction::kMaskToFixedValue;
    sql.masks[field.name] = DuckDbMask(action, field.type, SqlName(field.name), with);
  }
  return sql;
}

std::string PolicyView(const PolicySql& policy, const TableSchema& table, const std::string& scan, bool barrier) {
  if (policy.empty()) return scan;
  std::string columns;
  for (const Field& field : table.fields) {
    if (policy.absent.contains(field.name)) continue;
    const auto mask = policy.masks.find(field.name);
    if (!columns.empty()) columns += ", ";
    if (mask != policy.masks.end()) columns += "(" + mask->second + ") AS ";
    columns += SqlName(field.name);
  }
  // A snapshot from before may have none of the columns that are left; its rows are there all the same.
  if (columns.empty()) columns = "NULL::VARCHAR AS nothing";
  if (policy.condition.empty()) return fmt::format("SELECT {} FROM ({})", columns, scan);
  // The names of the masked values must not stand for the values that the condition asks of.
  return fmt::format("SELECT {} FROM (SELECT * FROM ({}) WHERE ({}){})", columns, scan, policy.condition,
                     barrier ? " OFFSET 0" : "");
}

}  // namespace weft::model
