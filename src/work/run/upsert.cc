#include "work/run/upsert.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace weft::run {
namespace {

// Into how many intervals the keys of a run are gathered to be held against the statistics of files.
constexpr int kSpans = 1000;

class Upserter {
 public:
  Upserter(engine::Connection& connection, lake::Staging& staging, const std::vector<std::string>& key,
           const std::vector<std::string>& cluster_by)
      : connection_(connection), staging_(staging), key_(key), order_(Names(cluster_by.empty() ? key : cluster_by)) {
    there_ = staging.parent();
    there_.schema = staging.schema();
  }

  Result<Met> Run(const std::string& select) {
    if (there_.files.empty()) {
      TRY(staging_.Write(connection_, select, order_, lake::kUpsertFileBytes));
      Met met;
      for (const lake::DataFile& file : staging_.files()) met.rows += file.rows;
      return met;
    }
    TRY(connection_.Execute(fmt::format("CREATE TEMP TABLE weft_rows AS SELECT * FROM (\n{}\n)", select)));
    TRY(Touched());
    TRY(Compare());
    return Write();
  }

 private:
  static std::string Names(const std::vector<std::string>& columns, std::string_view table = "") {
    std::vector<std::string> names;
    for (const std::string& column : columns) names.push_back(std::string(table) + SqlName(column));
    return Join(names, ", ");
  }
  std::string SameKey(std::string_view one, std::string_view other) const {
    std::vector<std::string> equal;
    for (const std::string& column : key_)
      equal.push_back(fmt::format("{0}.{2} = {1}.{2}", one, other, SqlName(column)));
    return Join(equal, " AND ");
  }
  void Keep(const engine::Rows& paths) {
    std::set<std::string> kept;
    for (size_t i = 0; i < paths.size(); ++i) kept.insert(paths.text(i, 0));
    std::erase_if(there_.files, [&](const lake::DataFile& file) { return !kept.contains(file.path); });
  }

  // Leaves in `there_` the files that hold a key of the run: by their statistics first, then by their keys.
  Status Touched() {
    for (const std::string& column : key_) {
      const std::string spans = fmt::format(
          "SELECT min({0}) AS least, max({0}) AS most FROM (SELECT {0}, ntile({1}) OVER (ORDER BY {0}) AS weft_span "
          "FROM "
          "weft_rows WHERE {0} IS NOT NULL) GROUP BY weft_span",
          SqlName(column), kSpans);
      there_.files = TRY(FilesThatMayHave(connection_, there_, column, spans));
    }
    if (there_.files.empty()) return {};
    Keep(TRY(connection_.Query(fmt::format(
        "SELECT DISTINCT weft_file FROM (SELECT {}, weft_file FROM ({})) AS o SEMI JOIN weft_rows AS n ON {}",
        Names(key_), lake::ScanFilesSql(there_, "weft_file"), SameKey("o", "n")))));
    return {};
  }

  // Which rows of the table the run has again, and whether they are the same; leaves the files with one that is not.
  Status Compare() {
    const engine::Rows twice = TRY(
        connection_.Query(fmt::format("SELECT 1 FROM weft_rows GROUP BY {} HAVING count(*) > 1 LIMIT 1", Names(key_))));
    std::vector<std::string> same;
    for (const model::Field& field : there_.schema.fields) {
      same.push_back(fmt::format("(o.{0} IS NOT DISTINCT FROM n.{0})", SqlName(field.name)));
    }
    // A key that is there twice is no row's equal: it is to be refused, not passed over.
    if (twice.size() > 0) same = {"false"};
    TRY(connection_.Execute(fmt::format(
        "CREATE TEMP TABLE weft_there AS SELECT o.weft_file, {} AS weft_same, {} FROM ({}) AS o JOIN "
        "weft_rows AS n ON {}",
        Join(same, " AND "), Names(key_, "n."), lake::ScanFilesSql(there_, "weft_file"), SameKey("o", "n"))));
    const engine::Rows counts = TRY(
        connection_.Query("SELECT count(*) FILTER (WHERE weft_same), count(*) FILTER (WHERE NOT weft_same), (SELECT "
                          "count(*) FROM weft_rows) FROM weft_there"));
    same_ = counts.integer(0, 0);
    changed_ = counts.integer(0, 1);
    rows_ = counts.integer(0, 2);
    Keep(TRY(connection_.Query("SELECT DISTINCT weft_file FROM weft_there WHERE NOT weft_same")));
    return {};
  }

  Result<Met> Write() {
    const int64_t fresh = rows_ - same_ - changed_;
    Met met{rows_ - same_, rows_ > same_, ""};
    if (!met.changed) {
      met.told = "nothing changed: the table has these rows already";
      return met;
    }
    met.told =
        fmt::format("{} new, {} changed, {} as before", HumanCount(fresh), HumanCount(changed_), HumanCount(same_));
    std::string select = "SELECT * FROM weft_rows";
    if (same_ > 0) {
      select =
          fmt::format("SELECT n.* FROM weft_rows AS n ANTI JOIN (SELECT * FROM weft_there WHERE weft_same) AS t ON {}",
                      SameKey("n", "t"));
    }
    if (!there_.files.empty()) {
      select = fmt::format(
          "SELECT o.* FROM ({}) AS o ANTI JOIN (SELECT * FROM weft_there WHERE NOT weft_same) AS t ON {} UNION ALL BY "
          "NAME {}",
          lake::ScanSql(there_), SameKey("o", "t"), select);
    }
    TRY(staging_.Write(connection_, select, order_, lake::kUpsertFileBytes));
    staging_.Remove(std::move(there_.files));
    return met;
  }

  engine::Connection& connection_;
  lake::Staging& staging_;
  const std::vector<std::string>& key_;
  const std::string order_;
  lake::View there_;  // The files that still come into question.
  int64_t rows_ = 0;
  int64_t same_ = 0;
  int64_t changed_ = 0;
};

}  // namespace

Result<Met> Upsert(engine::Connection& connection, lake::Staging& staging, const std::string& select,
                   const std::vector<std::string>& key, const std::vector<std::string>& cluster_by) {
  return Upserter(connection, staging, key, cluster_by).Run(select);
}

}  // namespace weft::run
