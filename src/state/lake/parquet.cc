#include "state/lake/parquet.h"

#include <fmt/format.h>

#include <map>

#include "base/file.h"
#include "base/text.h"

namespace weft::lake {
namespace {

using Kind = model::Type::Kind;

// Iceberg's own default: beyond it columns are counted in the file but bounded nowhere.
constexpr size_t kColumnsWithStatistics = 100;

// In the order of Codec.
constexpr std::string_view kCodecNames[] = {"zstd", "snappy", "uncompressed"};

std::string FieldIds(const std::vector<model::Field>& fields);

std::string FieldId(const model::Field& field) {
  const model::Type& type = field.type;
  switch (type.kind) {
    case Kind::kStruct:
      return fmt::format("{{__duckdb_field_id: {}, {}}}", field.id, FieldIds(type.fields));
    case Kind::kList:
      return fmt::format("{{__duckdb_field_id: {}, element: {}}}", field.id, FieldId(type.fields[0]));
    case Kind::kMap:
      return fmt::format("{{__duckdb_field_id: {}, key: {}, value: {}}}", field.id, FieldId(type.fields[0]),
                         FieldId(type.fields[1]));
    default:
      return std::to_string(field.id);
  }
}

std::string FieldIds(const std::vector<model::Field>& fields) {
  std::string text;
  for (const model::Field& field : fields) {
    text += (text.empty() ? "" : ", ") + SqlName(field.name) + ": " + FieldId(field);
  }
  return text;
}

std::string Projection(const model::TableSchema& schema) {
  std::string columns;
  for (const model::Field& field : schema.fields) {
    columns += (columns.empty() ? "" : ", ") +
               fmt::format("CAST({0} AS {1}) AS {0}", SqlName(field.name), field.type.DuckDb());
  }
  return columns;
}

void AddLeaves(const model::Field& field, const std::string& path, bool repeated, std::vector<Leaf>& leaves) {
  const bool inside = repeated || field.type.kind == Kind::kList || field.type.kind == Kind::kMap;
  if (field.type.IsPrimitive()) leaves.push_back({&field, path, repeated});
  for (const model::Field& child : field.type.fields)
    AddLeaves(child, path + "." + SqlName(child.name), inside, leaves);
}

// Reads texts and the statistics' maps of texts out of Arrow arrays. The statistics hold any text that the data holds,
// zero bytes included, so they are read as they lie and not out of DuckDB's rendering of them.
class ArrowReader {
 public:
  explicit ArrowReader(const ArrowArray& array) : array_(array) {}

  bool null(int64_t row) const {
    const auto* bits = static_cast<const uint8_t*>(array_.buffers[0]);
    const int64_t at = array_.offset + row;
    return bits && !(bits[at / 8] >> (at % 8) & 1);
  }
  std::string Text(int64_t row) const {
    const auto* ends = static_cast<const int32_t*>(array_.buffers[1]) + array_.offset + row;
    return {static_cast<const char*>(array_.buffers[2]) + ends[0], static_cast<size_t>(ends[1] - ends[0])};
  }
  int64_t Integer(int64_t row) const { return static_cast<const int64_t*>(array_.buffers[1])[array_.offset + row]; }

  // Calls `take(keys, values, i)` for each entry of the map in `row`.
  template <class Take>
  void Entries(int64_t row, Take take) const {
    if (null(row)) return;
    const auto* ends = static_cast<const int32_t*>(array_.buffers[1]) + array_.offset + row;
    const ArrowArray& pairs = *array_.children[0];
    ArrowReader keys(*pairs.children[0]), values(*pairs.children[1]);
    for (int32_t i = ends[0]; i < ends[1]; ++i) take(keys, values, pairs.offset + i);
  }

 private:
  const ArrowArray& array_;
};

using Statistics = std::map<std::string, std::map<std::string, std::string>>;
struct Written {
  std::string path;
  int64_t rows = 0;
  int64_t bytes = 0;
  Statistics columns;
};

void ReadBatch(const ArrowArray& batch, std::vector<Written>& files) {
  for (int64_t row = 0; row < batch.length; ++row) {
    Written file{ArrowReader(*batch.children[0]).Text(row),
                 ArrowReader(*batch.children[1]).Integer(row),
                 ArrowReader(*batch.children[2]).Integer(row),
                 {}};
    ArrowReader(*batch.children[4])
        .Entries(row, [&](const ArrowReader& names, const ArrowReader& maps, int64_t column) {
          auto& facts = file.columns[names.Text(column)];
          maps.Entries(column, [&](const ArrowReader& keys, const ArrowReader& values, int64_t i) {
            if (!values.null(i)) facts[keys.Text(i)] = values.Text(i);
          });
        });
    files.push_back(std::move(file));
  }
}

Result<std::vector<Written>> Copy(engine::Connection& connection, const std::string& sql) {
  auto answer = TRY(TRY(connection.Prepare(sql))->Open({}));
  ArrowArrayStream stream{};
  answer->Export(&stream);
  std::vector<Written> files;
  Status outcome;
  while (outcome) {
    ArrowArray batch{};
    if (stream.get_next(&stream, &batch) != 0) outcome = engine::ErrorOf(stream.get_last_error(&stream));
    if (!batch.release) break;
    ReadBatch(batch, files);
    batch.release(&batch);
  }
  stream.release(&stream);
  if (!outcome) return outcome.TakeError();
  return files;
}

std::vector<ColumnStats> ColumnsOf(const Statistics& statistics, const model::TableSchema& schema) {
  std::vector<ColumnStats> columns;
  for (const Leaf& leaf : LeavesOf(schema)) {
    auto found = statistics.find(leaf.path);
    if (found == statistics.end()) continue;
    auto fact = [&](const char* name) -> std::optional<std::string> {
      auto entry = found->second.find(name);
      if (entry == found->second.end()) return {};
      return entry->second;
    };
    auto count = [&](const char* name) { return std::strtoll(fact(name).value_or("0").c_str(), nullptr, 10); };
    ColumnStats stats{leaf.field->id, count("column_size_bytes"), count("num_values"), count("null_count"), {}, {},
                      false};
    stats.has_nan = fact("has_nan") == "true";
    if (!leaf.repeated) stats.min = fact("min"), stats.max = fact("max");
    columns.push_back(std::move(stats));
    if (columns.size() == kColumnsWithStatistics) break;
  }
  return columns;
}

Result<std::vector<int64_t>> SplitOffsets(engine::Connection& connection, const std::string& path) {
  engine::Rows rows = TRY(connection.Query(
      fmt::format("SELECT min(coalesce(dictionary_page_offset, data_page_offset)) AS o FROM parquet_metadata({}) "
                  "GROUP BY row_group_id ORDER BY o",
                  SqlText(path))));
  std::vector<int64_t> offsets;
  for (size_t row = 0; row < rows.size(); ++row) offsets.push_back(rows.integer(row, 0));
  return offsets;
}

}  // namespace

Result<Codec> CodecFrom(std::string_view name) {
  for (size_t i = 0; i < std::size(kCodecNames); ++i) {
    if (kCodecNames[i] == name) return static_cast<Codec>(i);
  }
  return Error{Code::kInvalid, fmt::format("compression '{}' is none of: {}", name, fmt::join(kCodecNames, ", "))};
}

std::string_view CodecName(Codec codec) { return kCodecNames[static_cast<size_t>(codec)]; }

std::vector<Leaf> LeavesOf(const model::TableSchema& schema) {
  std::vector<Leaf> leaves;
  for (const model::Field& field : schema.fields) AddLeaves(field, SqlName(field.name), false, leaves);
  return leaves;
}

Result<std::vector<DataFile>> WriteParquet(engine::Connection& connection, const model::TableSchema& schema,
                                           const std::string& select, const std::string& order_by,
                                           const Target& target) {
  const std::string order = order_by.empty() ? "" : " ORDER BY " + order_by;
  const bool several = target.file_bytes > 0;
  const std::string path = fmt::format("{}/{}{}", target.folder, target.name, several ? "" : ".parquet");
  const std::string cut =
      several ? fmt::format(", FILE_SIZE_BYTES {}, FILENAME_PATTERN '{{i}}'", target.file_bytes) : "";
  auto written = TRY(Copy(connection, fmt::format("COPY (SELECT {} FROM (\n{}\n) AS rows{}) TO {} (FORMAT parquet, "
                                                  "COMPRESSION {}, FIELD_IDS {{{}}}{}, RETURN_STATS)",
                                                  Projection(schema), select, order, SqlText(path),
                                                  CodecName(target.codec), FieldIds(schema.fields), cut)));
  std::vector<DataFile> files;
  for (const Written& file : written) {
    if (file.rows == 0) {
      std::error_code ignored;
      fs::remove(file.path, ignored);
      continue;
    }
    files.push_back({file.path, schema.id, file.rows, file.bytes, TRY(SplitOffsets(connection, file.path)),
                     ColumnsOf(file.columns, schema)});
  }
  return files;
}

}  // namespace weft::lake
