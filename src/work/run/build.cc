#include "work/run/build.h"

#include <fmt/format.h>

#include "base/text.h"
#include "model/build_sql.h"

namespace weft::run {
namespace {

constexpr int64_t kParserBytes = int64_t{64} << 20;

std::string WithoutSemicolon(std::string_view text) {
  text = Trim(text);
  while (text.ends_with(';')) text = Trim(text.substr(0, text.size() - 1));
  return std::string(text);
}

std::string Names(const std::vector<std::string>& columns, std::string_view table = "") {
  std::vector<std::string> names;
  for (const std::string& column : columns) names.push_back(std::string(table) + SqlName(column));
  return Join(names, ", ");
}

}  // namespace

// A cast to an integer would round: a value that it would change is refused instead.
Cast CastTo(const model::Field& field, const std::string& name, const std::string& from) {
  const bool whole = field.type.kind == model::Type::Kind::kInt || field.type.kind == model::Type::Kind::kLong;
  if (!whole || !(from == "DOUBLE" || from == "FLOAT" || from.starts_with("DECIMAL"))) {
    return {fmt::format("CAST({} AS {})", name, field.type.DuckDb()), ""};
  }
  const std::string why = SqlText(
      fmt::format(" is no whole number, and the contract wants '{}' to be one: round it in the build", field.name));
  const std::string refusal = fmt::format("error({}::VARCHAR || {})", name, why);
  return {fmt::format("CAST(CASE WHEN {0} = trunc({0}) OR {0} IS NULL THEN {0} ELSE {1} END AS {2})", name, refusal,
                      field.type.DuckDb()),
          refusal};
}

Result<Judged> BuildJudge::Judge(const model::Bundle& bundle, const model::Build& build) {
  const std::vector<model::InputPort>& inputs = bundle.product.inputs;
  if (build.sql_file.empty()) {
    if (inputs.size() == 1) return Judged{"SELECT * FROM " + SqlName(inputs[0].SqlName()), false, {inputs[0].name}};
    return Error{Code::kInvalid,
                 fmt::format("the build names no SQL file and the product has {}; with one it would be taken as it is",
                             Count(inputs.size(), "input port"))};
  }
  const auto text = bundle.builds.find(build.sql_file);
  if (text == bundle.builds.end())
    return Error{Code::kNotFound, fmt::format("the build's file '{}' is not in the product", build.sql_file)};
  std::lock_guard lock(mutex_);
  if (!connection_) {
    instance_ = TRY(engine::Instance::Open({1, kParserBytes, "", {}}));
    connection_ = TRY(instance_->Connect());
  }
  const Json tree = TRY(connection_->ParseTree(text->second));
  const model::BuildSql sql = TRY(model::JudgeBuild(tree, text->second, bundle, build));
  Judged judged{WithoutSemicolon(text->second), sql.uses_now};
  for (const model::InputPort* input : sql.inputs) judged.inputs.insert(input->name);
  return judged;
}

Status BindNow(engine::Connection& connection, Instant now) {
  const std::string zoned = fmt::format("CAST({} AS TIMESTAMPTZ)", SqlText(now.Text()));
  const std::string plain = fmt::format("CAST({} AS TIMESTAMP)", SqlText(now.Text()));
  const std::string date = fmt::format("CAST({} AS DATE)", plain);
  const std::string time = fmt::format("CAST({} AS TIME)", plain);
  const std::string zoned_time = fmt::format("CAST({} AS TIMETZ)", zoned);
  const std::pair<std::string_view, const std::string&> kSpellings[] = {{"now", zoned},
                                                                        {"get_current_timestamp", zoned},
                                                                        {"current_timestamp", zoned},
                                                                        {"transaction_timestamp", zoned},
                                                                        {"current_date", date},
                                                                        {"today", date},
                                                                        {"localtimestamp", plain},
                                                                        {"current_localtimestamp", plain},
                                                                        {"localtime", time},
                                                                        {"current_localtime", time},
                                                                        {"current_time", zoned_time},
                                                                        {"get_current_time", zoned_time}};
  std::string sql;
  for (const auto& [name, value] : kSpellings) sql += fmt::format("CREATE MACRO {}() AS {};", name, value);
  sql += fmt::format("CREATE MACRO ago(i) AS {} - i;", zoned);
  sql += fmt::format(
      "CREATE MACRO age(a) AS system.main.age(CAST({} AS TIMESTAMP), a), (a, b) AS system.main.age(a, b)", date);
  return connection.Execute(sql);
}

Result<std::string> Project(engine::Connection& connection, const std::string& sql, const model::TableSchema& schema,
                            bool extra, const std::optional<Filled>& filled) {
  engine::Rows rows = TRY(connection.Query(fmt::format("SELECT column_name, column_type FROM (DESCRIBE\n{}\n)", sql)));
  std::map<std::string, std::string> has;
  std::map<std::string, std::string> types;  // By the name in lower case.
  std::vector<std::string> unknown, missing, casts;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string& name = rows.text(i, 0);
    if (!has.emplace(Lower(name), name).second)
      return Error{Code::kInvalid, fmt::format("the build gives the column '{}' twice", name)};
    types[Lower(name)] = rows.text(i, 1);
    const bool wanted = std::any_of(schema.fields.begin(), schema.fields.end(),
                                    [&](const model::Field& field) { return Lower(field.name) == Lower(name); });
    if (!wanted) unknown.push_back(name);
  }
  for (const model::Field& field : schema.fields) {
    const auto at = has.find(Lower(field.name));
    if (filled && filled->column == field.name) {
      if (at != has.end()) {
        return Error{Code::kInvalid,
                     fmt::format("the build gives the column '{}', which the run fills with its logical "
                                 "time: leave it out of the build",
                                 at->second)};
      }
      casts.push_back(fmt::format("{} AS {}", filled->value, SqlName(field.name)));
    } else if (at == has.end()) {
      missing.push_back(field.name);
    } else {
      casts.push_back(
          fmt::format("{} AS {}", CastTo(field, SqlName(at->second), types[at->first]).sql, SqlName(field.name)));
    }
  }
  if (!missing.empty() || (!unknown.empty() && !extra)) {
    std::vector<std::string> given;
    for (const auto& [lower, name] : has) given.push_back("'" + name + "'");
    std::string what = missing.empty() ? ""
                                       : fmt::format("the build does not give {}, which the contract has; it gives {}",
                                                     Join(missing, ", "), Join(given, ", "));
    if (!unknown.empty() && !extra)
      what += (what.empty() ? "" : "; ") + ("the build gives " + Join(unknown, ", ") + ", which the contract has not");
    return Error{Code::kInvalid, what};
  }
  return fmt::format("SELECT {} FROM (\n{}\n)", Join(casts, ", "), sql);
}

std::string FirstOfKey(const std::string& sql, const std::vector<std::string>& key, const std::string& parent) {
  std::string rows = fmt::format(
      "SELECT * EXCLUDE (weft_order) FROM (SELECT *, row_number() OVER () AS weft_order FROM ({})) "
      "QUALIFY row_number() OVER (PARTITION BY {} ORDER BY weft_order) = 1",
      sql, Names(key));
  if (parent.empty()) return rows;
  std::vector<std::string> equal;
  for (const std::string& column : key) equal.push_back(fmt::format("weft_new.{0} = weft_old.{0}", SqlName(column)));
  return fmt::format("SELECT weft_new.* FROM ({}) AS weft_new ANTI JOIN (SELECT {} FROM ({})) AS weft_old ON {}", rows,
                     Names(key), parent, Join(equal, " AND "));
}

}  // namespace weft::run
