// Writes Iceberg tables through the lake, and beside them the SQL of what each snapshot should hold:
// `lake_writer FOLDER` leaves FOLDER/expected.json. The last line tells what a commit's metadata costs.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/file.h"
#include "state/lake/lake.h"

namespace {

using namespace weft;
using model::Property;

Property Column(std::string name, std::string logical, std::string physical = "", std::string id = "") {
  Property property;
  property.name = std::move(name);
  property.id = std::move(id);
  property.logical_type = std::move(logical);
  property.physical_type = std::move(physical);
  return property;
}

std::vector<Property> AllTypes() {
  Property required = Column("id", "integer", "bigint");
  required.required = true;
  Property tags = Column("tags", "array"), device = Column("device", "object"), deep = Column("deep", "array");
  tags.items = {Column("item", "string")};
  device.properties = {Column("kind", "string"), Column("at", "timestamp", "timestamptz")};
  Property inner = Column("inner", "object"), props = Column("props", "map"), numbers = Column("numbers", "array");
  numbers.items = {Column("n", "number", "decimal(9,3)")};
  props.map = {Column("key", "string"), numbers};
  inner.properties = {Column("x", "integer", "int"), props};
  deep.items = {inner};
  return {required,
          Column("flag", "boolean"),
          Column("small", "integer", "int"),
          Column("ratio", "number", "float"),
          Column("amount", "number"),
          Column("price", "number", "decimal(18,2)"),
          Column("huge", "number", "decimal(38,6)"),
          Column("day", "date"),
          Column("clock", "time"),
          Column("seen", "timestamp"),
          Column("seen_tz", "timestamp", "timestamptz"),
          Column("it's \"quoted\"", "string"),
          Column("bytes", "string", "bytes"),
          Column("uuid", "string", "uuid"),
          Column("nothing", "string"),
          Column("signed_zero", "number"),
          Column("long_text", "string"),
          tags,
          device,
          deep};
}

// Rows with every edge that statistics have: NaN, both zeros, nulls, ends of ranges, long and non-ASCII texts. Lists of
// objects are empty, never null: pyiceberg 0.12 reads those as empty.
std::string Rows(int begin, int end) {
  return fmt::format(
      R"(SELECT i AS id, i % 3 = 0 AS flag, CASE WHEN i % 5 = 0 THEN NULL WHEN i % 100 = 1 THEN -2147483648 ELSE i END::INTEGER AS small,
CASE WHEN i % 50 = 3 THEN 'nan'::FLOAT ELSE i::FLOAT / 7 END AS ratio,
CASE WHEN i % 97 = 0 THEN NULL ELSE -i::DOUBLE / 3 END AS amount,
(i * 1.25 - 1000)::DECIMAL(18,2) AS price,
(CASE WHEN i % 2 = 0 THEN '-' ELSE '' END || '99999999999999999999999999' || lpad(i::VARCHAR, 6, '0') || '.' || lpad(i::VARCHAR, 6, '0'))::DECIMAL(38,6) AS huge,
DATE '1969-12-01' + (i // 10)::INTEGER AS day,
CASE WHEN i % 4 = 0 THEN NULL ELSE TIME '00:00:00' + to_microseconds(i * 1000001) END AS clock,
TIMESTAMP '1969-12-31 23:59:59.999999' + to_seconds(i * 61) AS seen,
TIMESTAMPTZ '2024-03-31 00:30:00+01' + to_minutes(i * 7) AS seen_tz,
CASE WHEN i % 7 = 0 THEN NULL ELSE 'nä, "' || chr((65 + i % 26)::INTEGER) || lpad(i::VARCHAR, 6, '0') || '''' END AS "it's ""quoted""",
CASE WHEN i % 6 = 0 THEN NULL ELSE unhex(lpad(hex(i), 8, '0')) END AS bytes,
u AS uuid, NULL::VARCHAR AS nothing, (i % 2 - 0.5)::DOUBLE / 1e300 / 1e300 AS signed_zero,
repeat('z', 300) || i AS long_text,
CASE WHEN i % 7 = 0 THEN NULL WHEN i % 7 = 1 THEN [] ELSE ['a' || i, NULL] END AS tags,
CASE WHEN i % 11 = 0 THEN NULL ELSE {{'kind': 'q' || i, 'at': TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_days(i::INTEGER)}} END AS device,
CASE WHEN i % 13 = 0 THEN [] ELSE [{{'x': i::INTEGER, 'props': MAP {{'k' || i: [i::DECIMAL(9,3), NULL]}}}}, NULL] END AS deep
FROM (SELECT i, md5(i::VARCHAR)::UUID::VARCHAR AS u FROM range({}, {}) t(i)) rows)",
      begin, end);
}

class Writer {
 public:
  static Result<std::unique_ptr<Writer>> Open(const fs::path& folder) {
    auto writer = std::make_unique<Writer>();
    engine::SetExtensionFolder(WEFT_DUCKDB_EXTENSIONS);
    TRY(MakeFolders(folder));
    writer->store_ = TRY(store::Open("sqlite:" + (folder / "weft.db").string()));
    TRY(store::Migrate(*writer->store_, lake::Migrations()));
    writer->lake_ = TRY(lake::Lake::Open(*writer->store_, SystemClock(), folder / "warehouse"));
    writer->instance_ = TRY(engine::Instance::Open({}));
    writer->connection_ = TRY(writer->instance_->Connect());
    return writer;
  }

  // `expected` is the SQL of the rows after the commit; `without`: which of the table's files it removes.
  Result<lake::Snapshot> Put(const std::vector<std::string>& selects, lake::Operation operation, std::string expected,
                             const std::vector<size_t>& without = {}) {
    auto staging = TRY(lake_->Stage(key_, schema_, "1.0.0", "run_writer"));
    std::vector<lake::DataFile> removed;
    for (size_t file : without) removed.push_back(staging->parent().files.at(file));
    staging->Remove(std::move(removed));
    for (const std::string& select : selects) TRY(staging->Write(*connection_, select, "id"));
    const auto begin = std::chrono::steady_clock::now();
    TRY(lake_->Prepare(*staging, operation));
    auto txn = TRY(store_->Begin());
    lake::Snapshot snapshot = TRY(lake_->Commit(*txn, *staging));
    TRY(txn->Commit());
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    lake_->Published(*staging);
    millis_.push_back(took.count());
    snapshots_.Push(Json::Map({{"id", snapshot.id},
                               {"rows", snapshot.rows},
                               {"operation", snapshot.operation},
                               {"expected", std::move(expected)}}));
    return snapshot;
  }

  Status Tag(const std::string& name, int64_t snapshot_id) {
    auto txn = TRY(store_->Begin());
    TRY(lake::Tag(*txn, key_, name, snapshot_id));
    return txn->Commit();
  }

  Status Columns(const std::vector<Property>& columns) {
    model::SchemaObject object;
    object.name = key_.port;
    object.properties = columns;
    schema_ = TRY(model::SchemaOf(object, schema_.fields.empty() ? nullptr : &schema_));
    return {};
  }

  // Ends the table and begins another one named `next`.
  Status Finish(Json extra, const std::string& next) {
    auto txn = TRY(store_->Read());
    auto table = TRY(lake::Find(*txn, key_));
    extra.Set("location", table->location).Set("metadata", table->metadata_path).Set("snapshots", snapshots_);
    tables_.Set(key_.port, std::move(extra));
    snapshots_ = Json();
    schema_ = {};
    key_.port = next;
    return {};
  }

  const Json& tables() const { return tables_; }
  std::vector<double>& millis() { return millis_; }

 private:
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<lake::Lake> lake_;
  std::unique_ptr<engine::Instance> instance_;
  std::unique_ptr<engine::Connection> connection_;
  model::PortKey key_{"tests", "lake", "types", 1};
  model::TableSchema schema_;
  Json snapshots_;
  Json tables_;
  std::vector<double> millis_;
};

// Every type; appends of one and two files, an overwrite, a tag, an append after it.
Status WriteTypes(Writer& writer) {
  using enum lake::Operation;
  TRY(writer.Columns(AllTypes()));
  auto first = TRY(writer.Put({Rows(0, 1000)}, kAppend, Rows(0, 1000)));
  TRY(writer.Put({Rows(1000, 1500), Rows(1500, 3000)}, kAppend, Rows(0, 3000)));
  TRY(writer.Tag("first", first.id));
  TRY(writer.Put({Rows(5000, 5010)}, kOverwrite, Rows(5000, 5010)));
  TRY(writer.Put({Rows(5010, 5020)}, kAppend, Rows(5000, 5020)));
  return writer.Finish(Json::Map({{"tags", Json::Map({{"first", first.id}})}}), "growing");
}

// Columns are added, renamed, dropped and promoted; no rows; rows again.
Status WriteGrowing(Writer& writer) {
  using enum lake::Operation;
  const auto rows = [](int begin, int end) {
    return fmt::format("SELECT i::INTEGER AS id, 'n' || i AS name, i % 2 = 0 AS gone FROM range({}, {}) t(i)", begin,
                       end);
  };
  TRY(writer.Columns({Column("id", "integer", "int", "id"), Column("name", "string", "", "name"),
                      Column("gone", "boolean", "", "gone")}));
  TRY(writer.Put({rows(0, 0)}, kAppend, rows(0, 0)));
  TRY(writer.Put({rows(0, 10)}, kAppend, rows(0, 10)));
  TRY(writer.Columns({Column("id", "integer", "bigint", "id"), Column("title", "string", "", "name"),
                      Column("since", "date", "", "since")}));
  const std::string added =
      "SELECT 4000000000 + i AS id, 't' || i AS title, DATE '2024-01-01' AS since FROM range(5) t(i)";
  TRY(writer.Put({added}, kAppend,
                 fmt::format("SELECT id::BIGINT AS id, name AS title, NULL::DATE AS since FROM ({}) UNION ALL {}",
                             rows(0, 10), added)));
  const std::string none = "SELECT 0 AS id, '' AS title, DATE '2024-01-01' AS since WHERE false";
  TRY(writer.Put({none}, kOverwrite, none));
  TRY(writer.Put({added}, kAppend, added));
  return writer.Finish(Json(Json::Object()), "rewritten");
}

// Some of the files are written again, of one manifest and of several, with a column that came between; all go.
Status WriteRewritten(Writer& writer) {
  using enum lake::Operation;
  const auto rows = [](int begin, int end, std::string_view name) {
    return fmt::format("SELECT i AS id, '{}' || i AS name FROM range({}, {}) t(i)", name, begin, end);
  };
  const auto both = [](const std::vector<std::string>& parts) {
    return fmt::format("{}", fmt::join(parts, " UNION ALL "));
  };
  TRY(writer.Columns({Column("id", "integer"), Column("name", "string")}));
  const std::string a = rows(0, 10, "a"), b = rows(10, 20, "b"), c = rows(20, 30, "c"), d = rows(30, 40, "d");
  const std::string e = rows(10, 25, "e"), f = rows(5, 12, "f");
  TRY(writer.Put({a, b, c}, kAppend, both({a, b, c})));
  TRY(writer.Put({e}, kAppend, both({a, c, e}), {1}));
  TRY(writer.Put({d}, kAppend, both({a, c, e, d})));
  TRY(writer.Columns({Column("id", "integer"), Column("name", "string"), Column("since", "date")}));
  const auto later = [](const std::string& sql) { return fmt::format("SELECT *, NULL::DATE AS since FROM ({})", sql); };
  const std::string dated = "SELECT 99 AS id, 'z' AS name, DATE '2026-01-01' AS since";
  TRY(writer.Put({later(f), dated}, kAppend, both({later(both({c, f})), dated}), {0, 2, 3}));
  TRY(writer.Put({}, kAppend, later("SELECT 1 AS id, '' AS name WHERE false"), {0, 1, 2}));
  TRY(writer.Put({dated}, kAppend, dated));
  return writer.Finish(Json(Json::Object()), "wide");
}

// 20 columns, one file a commit: what one commit's metadata costs.
Status WriteWide(Writer& writer) {
  std::vector<Property> columns = {Column("id", "integer")};
  std::string rest;
  for (int i = 1; i < 20; ++i) {
    columns.push_back(Column(fmt::format("c{}", i), i % 2 ? "number" : "string"));
    rest += fmt::format(", (i * {}){} AS c{}", i, i % 2 ? "::DOUBLE" : "::VARCHAR", i);
  }
  TRY(writer.Columns(columns));
  writer.millis().clear();
  for (int i = 1; i <= 21; ++i) {
    const auto rows = [&](int begin, int end) {
      return fmt::format("SELECT i AS id{} FROM range({}, {}) t(i)", rest, begin, end);
    };
    TRY(writer.Put({rows(i * 100 - 100, i * 100)}, lake::Operation::kAppend, rows(0, i * 100)));
  }
  return writer.Finish(Json(Json::Object()), "none");
}

Status Run(const fs::path& folder) {
  auto writer = TRY(Writer::Open(folder));
  TRY(WriteTypes(*writer));
  TRY(WriteGrowing(*writer));
  TRY(WriteRewritten(*writer));
  TRY(WriteWide(*writer));
  TRY(WriteFileAtomically(folder / "expected.json", writer->tables().Pretty()));
  auto& millis = writer->millis();
  std::sort(millis.begin(), millis.end());
  std::printf("commit_1_file_20_columns_median %.1f ms\n", millis[millis.size() / 2]);
  std::printf("commit_1_file_20_columns_max %.1f ms\n", millis.back());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: lake_writer FOLDER\n");
    return 2;
  }
  weft::Status done = Run(argv[1]);
  if (done) return 0;
  std::fprintf(stderr, "lake_writer: %s\n", done.error().message.c_str());
  return 1;
}
