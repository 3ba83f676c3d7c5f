#include <duckdb.h>
#include <fmt/format.h>

#include <limits>

#include "base/text.h"
#include "drivers/engine/internal.h"

namespace weft::engine {
namespace {

// Owns a handle of DuckDB's C API.
template <class Handle, void (*kDestroy)(Handle*)>
class Owned {
 public:
  explicit Owned(Handle handle) : handle_(handle) {}
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&&) = delete;
  ~Owned() {
    if (handle_) kDestroy(&handle_);
  }
  Handle get() const { return handle_; }

 private:
  Handle handle_;
};
using LogicalType = Owned<duckdb_logical_type, duckdb_destroy_logical_type>;
using CellValue = Owned<duckdb_value, duckdb_destroy_value>;

std::string TakeText(char* text) {
  std::string copy = text ? text : "";
  duckdb_free(text);
  return copy;
}

struct TypeWord {
  duckdb_type type;
  const char* name;
};

constexpr TypeWord kTypeWords[] = {
    {DUCKDB_TYPE_BOOLEAN, "BOOLEAN"},
    {DUCKDB_TYPE_TINYINT, "TINYINT"},
    {DUCKDB_TYPE_SMALLINT, "SMALLINT"},
    {DUCKDB_TYPE_INTEGER, "INTEGER"},
    {DUCKDB_TYPE_BIGINT, "BIGINT"},
    {DUCKDB_TYPE_UTINYINT, "UTINYINT"},
    {DUCKDB_TYPE_USMALLINT, "USMALLINT"},
    {DUCKDB_TYPE_UINTEGER, "UINTEGER"},
    {DUCKDB_TYPE_UBIGINT, "UBIGINT"},
    {DUCKDB_TYPE_FLOAT, "FLOAT"},
    {DUCKDB_TYPE_DOUBLE, "DOUBLE"},
    {DUCKDB_TYPE_TIMESTAMP, "TIMESTAMP"},
    {DUCKDB_TYPE_DATE, "DATE"},
    {DUCKDB_TYPE_TIME, "TIME"},
    {DUCKDB_TYPE_INTERVAL, "INTERVAL"},
    {DUCKDB_TYPE_HUGEINT, "HUGEINT"},
    {DUCKDB_TYPE_UHUGEINT, "UHUGEINT"},
    {DUCKDB_TYPE_VARCHAR, "VARCHAR"},
    {DUCKDB_TYPE_BLOB, "BLOB"},
    {DUCKDB_TYPE_TIMESTAMP_S, "TIMESTAMP_S"},
    {DUCKDB_TYPE_TIMESTAMP_MS, "TIMESTAMP_MS"},
    {DUCKDB_TYPE_TIMESTAMP_NS, "TIMESTAMP_NS"},
    {DUCKDB_TYPE_UUID, "UUID"},
    {DUCKDB_TYPE_BIT, "BIT"},
    {DUCKDB_TYPE_TIME_TZ, "TIME WITH TIME ZONE"},
    {DUCKDB_TYPE_TIMESTAMP_TZ, "TIMESTAMP WITH TIME ZONE"},
    {DUCKDB_TYPE_BIGNUM, "BIGNUM"},
    {DUCKDB_TYPE_SQLNULL, "\"NULL\""},
    {DUCKDB_TYPE_TIME_NS, "TIME_NS"},
    {DUCKDB_TYPE_GEOMETRY, "GEOMETRY"},
    {DUCKDB_TYPE_VARIANT, "VARIANT"},
};

std::string MembersName(duckdb_logical_type type, bool is_union) {
  const idx_t count = is_union ? duckdb_union_type_member_count(type) : duckdb_struct_type_child_count(type);
  std::string text;
  for (idx_t i = 0; i < count; ++i) {
    std::string name =
        TakeText(is_union ? duckdb_union_type_member_name(type, i) : duckdb_struct_type_child_name(type, i));
    LogicalType child(is_union ? duckdb_union_type_member_type(type, i) : duckdb_struct_type_child_type(type, i));
    text += (i ? ", " : "") + SqlName(name) + " " + TypeName(child.get());
  }
  return fmt::format("{}({})", is_union ? "UNION" : "STRUCT", text);
}

std::string EnumName(duckdb_logical_type type) {
  std::string text;
  for (uint32_t i = 0; i < duckdb_enum_dictionary_size(type); ++i) {
    text += (i ? ", " : "") + SqlText(TakeText(duckdb_enum_dictionary_value(type, i)));
  }
  return "ENUM(" + text + ")";
}

// One column's vector, or a child of it; reads single entries as DuckDB values.
class Cells {
 public:
  explicit Cells(duckdb_vector vector)
      : type_(duckdb_vector_get_column_type(vector)),
        id_(duckdb_get_type_id(type_.get())),
        data_(duckdb_vector_get_data(vector)),
        validity_(duckdb_vector_get_validity(vector)) {
    if (id_ == DUCKDB_TYPE_LIST || id_ == DUCKDB_TYPE_MAP) {
      children_.emplace_back(duckdb_list_vector_get_child(vector));
    } else if (id_ == DUCKDB_TYPE_ARRAY) {
      children_.emplace_back(duckdb_array_vector_get_child(vector));
    } else if (id_ == DUCKDB_TYPE_STRUCT) {
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type_.get()); ++i) {
        children_.emplace_back(duckdb_struct_vector_get_child(vector, i));
      }
    } else if (id_ == DUCKDB_TYPE_UNION) {  // A struct whose first child is the tag.
      for (idx_t i = 0; i <= duckdb_union_type_member_count(type_.get()); ++i) {
        children_.emplace_back(duckdb_struct_vector_get_child(vector, i));
      }
    }
  }

  bool null(idx_t row) const { return validity_ && !duckdb_validity_row_is_valid(validity_, row); }

  // Texts are read as they stand: a DuckDB value would end them at the first zero byte.
  Result<Value> Text(idx_t row) const {
    if (null(row)) return Value();
    if (id_ == DUCKDB_TYPE_VARCHAR) return Value(std::string(Bytes(row)));
    CellValue value = At(row);
    if (!value.get()) {
      return Error{Code::kUnsupported, fmt::format("a column of type {} cannot be read: cast it to VARCHAR in the SQL",
                                                   TypeName(type_.get()))};
    }
    return Value(TakeText(duckdb_get_varchar(value.get())));
  }

 private:
  template <class T>
  const T& Get(idx_t row) const {
    return static_cast<const T*>(data_)[row];
  }

  std::string_view Bytes(idx_t row) const {
    auto* text = const_cast<duckdb_string_t*>(&Get<duckdb_string_t>(row));
    return {duckdb_string_t_data(text), duckdb_string_t_length(*text)};
  }

  // A null handle where the type is none that this program can read.
  CellValue At(idx_t row) const {
    if (null(row)) return CellValue(duckdb_create_null_value());
    switch (id_) {
      case DUCKDB_TYPE_DECIMAL:
        return CellValue(Decimal(row));
      case DUCKDB_TYPE_ENUM:
        return CellValue(duckdb_create_enum_value(type_.get(), EnumIndex(row)));
      case DUCKDB_TYPE_LIST:
      case DUCKDB_TYPE_ARRAY:
        return List(row);
      case DUCKDB_TYPE_MAP:
        return Map(row);
      case DUCKDB_TYPE_STRUCT:
        return Struct(row);
      case DUCKDB_TYPE_UNION:
        return Union(row);
      default:
        return CellValue(Scalar(row));
    }
  }

  duckdb_value Scalar(idx_t row) const {
    switch (id_) {
      case DUCKDB_TYPE_BOOLEAN:
        return duckdb_create_bool(Get<bool>(row));
      case DUCKDB_TYPE_TINYINT:
        return duckdb_create_int8(Get<int8_t>(row));
      case DUCKDB_TYPE_SMALLINT:
        return duckdb_create_int16(Get<int16_t>(row));
      case DUCKDB_TYPE_INTEGER:
        return duckdb_create_int32(Get<int32_t>(row));
      case DUCKDB_TYPE_BIGINT:
        return duckdb_create_int64(Get<int64_t>(row));
      case DUCKDB_TYPE_UTINYINT:
        return duckdb_create_uint8(Get<uint8_t>(row));
      case DUCKDB_TYPE_USMALLINT:
        return duckdb_create_uint16(Get<uint16_t>(row));
      case DUCKDB_TYPE_UINTEGER:
        return duckdb_create_uint32(Get<uint32_t>(row));
      case DUCKDB_TYPE_UBIGINT:
        return duckdb_create_uint64(Get<uint64_t>(row));
      case DUCKDB_TYPE_HUGEINT:
        return duckdb_create_hugeint(Get<duckdb_hugeint>(row));
      case DUCKDB_TYPE_UHUGEINT:
        return duckdb_create_uhugeint(Get<duckdb_uhugeint>(row));
      case DUCKDB_TYPE_FLOAT:
        return duckdb_create_float(Get<float>(row));
      case DUCKDB_TYPE_DOUBLE:
        return duckdb_create_double(Get<double>(row));
      case DUCKDB_TYPE_DATE:
        return duckdb_create_date(Get<duckdb_date>(row));
      case DUCKDB_TYPE_TIME:
        return duckdb_create_time(Get<duckdb_time>(row));
      case DUCKDB_TYPE_TIME_NS:
        return duckdb_create_time_ns(Get<duckdb_time_ns>(row));
      case DUCKDB_TYPE_TIME_TZ:
        return duckdb_create_time_tz_value(Get<duckdb_time_tz>(row));
      case DUCKDB_TYPE_TIMESTAMP:
        return duckdb_create_timestamp(Get<duckdb_timestamp>(row));
      case DUCKDB_TYPE_TIMESTAMP_TZ:
        return duckdb_create_timestamp_tz(Get<duckdb_timestamp>(row));
      case DUCKDB_TYPE_TIMESTAMP_S:
        return duckdb_create_timestamp_s(Get<duckdb_timestamp_s>(row));
      case DUCKDB_TYPE_TIMESTAMP_MS:
        return duckdb_create_timestamp_ms(Get<duckdb_timestamp_ms>(row));
      case DUCKDB_TYPE_TIMESTAMP_NS:
        return duckdb_create_timestamp_ns(Get<duckdb_timestamp_ns>(row));
      case DUCKDB_TYPE_INTERVAL:
        return duckdb_create_interval(Get<duckdb_interval>(row));
      case DUCKDB_TYPE_VARCHAR:
        return duckdb_create_varchar_length(Bytes(row).data(), Bytes(row).size());
      case DUCKDB_TYPE_BLOB:
        return duckdb_create_blob(reinterpret_cast<const uint8_t*>(Bytes(row).data()), Bytes(row).size());
      case DUCKDB_TYPE_BIT:
        return duckdb_create_bit({const_cast<uint8_t*>(Raw(row)), Bytes(row).size()});
      case DUCKDB_TYPE_UUID:
        return Uuid(row);
      default:
        return nullptr;
    }
  }

  const uint8_t* Raw(idx_t row) const { return reinterpret_cast<const uint8_t*>(Bytes(row).data()); }

  // A vector holds a UUID with its highest bit flipped, so that it sorts as a signed number.
  duckdb_value Uuid(idx_t row) const {
    const auto& stored = Get<duckdb_hugeint>(row);
    return duckdb_create_uuid({stored.lower, static_cast<uint64_t>(stored.upper) ^ (uint64_t{1} << 63)});
  }

  duckdb_value Decimal(idx_t row) const {
    duckdb_decimal decimal{duckdb_decimal_width(type_.get()), duckdb_decimal_scale(type_.get()), {}};
    auto widen = [&](int64_t value) {
      decimal.value = {static_cast<uint64_t>(value), value < 0 ? int64_t{-1} : int64_t{0}};
    };
    switch (duckdb_decimal_internal_type(type_.get())) {
      case DUCKDB_TYPE_SMALLINT:
        widen(Get<int16_t>(row));
        break;
      case DUCKDB_TYPE_INTEGER:
        widen(Get<int32_t>(row));
        break;
      case DUCKDB_TYPE_BIGINT:
        widen(Get<int64_t>(row));
        break;
      default:
        decimal.value = Get<duckdb_hugeint>(row);
    }
    return duckdb_create_decimal(decimal);
  }

  uint64_t EnumIndex(idx_t row) const {
    switch (duckdb_enum_internal_type(type_.get())) {
      case DUCKDB_TYPE_UTINYINT:
        return Get<uint8_t>(row);
      case DUCKDB_TYPE_USMALLINT:
        return Get<uint16_t>(row);
      default:
        return Get<uint32_t>(row);
    }
  }

  // The values of `child` from `begin`; `handles` for the C API's calls. False where one cannot be read.
  static bool Take(const Cells& child, idx_t begin, idx_t count, std::vector<CellValue>& values,
                   std::vector<duckdb_value>& handles) {
    handles.reserve(handles.size() + count + 1);  // The C API refuses a null pointer even for no values.
    for (idx_t i = 0; i < count; ++i) {
      values.push_back(child.At(begin + i));
      handles.push_back(values.back().get());
      if (!handles.back()) return false;
    }
    return true;
  }

  CellValue List(idx_t row) const {
    const bool fixed = id_ == DUCKDB_TYPE_ARRAY;
    const idx_t count = fixed ? duckdb_array_type_array_size(type_.get()) : Get<duckdb_list_entry>(row).length;
    const idx_t begin = fixed ? row * count : Get<duckdb_list_entry>(row).offset;
    std::vector<CellValue> values;
    std::vector<duckdb_value> handles;
    if (!Take(children_[0], begin, count, values, handles)) return CellValue(nullptr);
    LogicalType child(fixed ? duckdb_array_type_child_type(type_.get()) : duckdb_list_type_child_type(type_.get()));
    return CellValue(fixed ? duckdb_create_array_value(child.get(), handles.data(), count)
                           : duckdb_create_list_value(child.get(), handles.data(), count));
  }

  CellValue Map(idx_t row) const {
    const auto& entry = Get<duckdb_list_entry>(row);
    std::vector<CellValue> values;
    std::vector<duckdb_value> keys, items;
    const std::vector<Cells>& pair = children_[0].children_;
    if (!Take(pair[0], entry.offset, entry.length, values, keys)) return CellValue(nullptr);
    if (!Take(pair[1], entry.offset, entry.length, values, items)) return CellValue(nullptr);
    return CellValue(duckdb_create_map_value(type_.get(), keys.data(), items.data(), entry.length));
  }

  CellValue Struct(idx_t row) const {
    std::vector<CellValue> values;
    std::vector<duckdb_value> handles;
    for (const Cells& child : children_) {
      if (!Take(child, row, 1, values, handles)) return CellValue(nullptr);
    }
    return CellValue(duckdb_create_struct_value(type_.get(), handles.data()));
  }

  CellValue Union(idx_t row) const {
    const auto tag = children_[0].Get<uint8_t>(row);
    CellValue member = children_[tag + 1u].At(row);
    if (!member.get()) return member;
    return CellValue(duckdb_create_union_value(type_.get(), tag, member.get()));
  }

  LogicalType type_;
  duckdb_type id_;
  const void* data_;
  uint64_t* validity_;
  std::vector<Cells> children_;
};

}  // namespace

std::string TypeName(duckdb_logical_type type) {
  const duckdb_type id = duckdb_get_type_id(type);
  switch (id) {
    case DUCKDB_TYPE_DECIMAL:
      return fmt::format("DECIMAL({},{})", duckdb_decimal_width(type), duckdb_decimal_scale(type));
    case DUCKDB_TYPE_ENUM:
      return EnumName(type);
    case DUCKDB_TYPE_LIST:
      return TypeName(LogicalType(duckdb_list_type_child_type(type)).get()) + "[]";
    case DUCKDB_TYPE_ARRAY:
      return fmt::format("{}[{}]", TypeName(LogicalType(duckdb_array_type_child_type(type)).get()),
                         duckdb_array_type_array_size(type));
    case DUCKDB_TYPE_STRUCT:
      return MembersName(type, false);
    case DUCKDB_TYPE_UNION:
      return MembersName(type, true);
    case DUCKDB_TYPE_MAP:
      return fmt::format("MAP({}, {})", TypeName(LogicalType(duckdb_map_type_key_type(type)).get()),
                         TypeName(LogicalType(duckdb_map_type_value_type(type)).get()));
    default:
      break;
  }
  for (const TypeWord& word : kTypeWords) {
    if (word.type == id) return word.name;
  }
  return "UNKNOWN";
}

Status AppendCells(duckdb_data_chunk chunk, Rows& rows) {
  const idx_t columns = duckdb_data_chunk_get_column_count(chunk), count = duckdb_data_chunk_get_size(chunk);
  const size_t first = rows.cells.size();
  rows.cells.resize(first + count, std::vector<Value>(columns));
  for (idx_t column = 0; column < columns; ++column) {
    Cells cells(duckdb_data_chunk_get_vector(chunk, column));
    for (idx_t row = 0; row < count; ++row) rows.cells[first + row][column] = TRY(cells.Text(row));
  }
  return {};
}

const std::string& Rows::text(size_t row, size_t column) const {
  static const std::string kEmpty;
  const Value& cell = cells.at(row).at(column);
  return cell ? *cell : kEmpty;
}

int64_t Rows::integer(size_t row, size_t column) const { return std::strtoll(text(row, column).c_str(), nullptr, 10); }

double Rows::number(size_t row, size_t column) const {
  const Value& cell = cells.at(row).at(column);
  return cell ? std::strtod(cell->c_str(), nullptr) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace weft::engine
