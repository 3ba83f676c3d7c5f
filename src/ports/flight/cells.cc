#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <cmath>

#include "base/id.h"
#include "ports/flight/internal.h"

namespace weft::flight {
namespace {

// Arrow writes every fraction to its unit's full width.
std::string WithoutTrailingZeros(std::string text) {
  size_t dot = text.rfind('.');
  if (dot == text.npos) return text;
  size_t end = text.find_first_not_of("0123456789", dot + 1);
  std::string zone = end == text.npos ? "" : text.substr(end);
  if (end != text.npos) text.resize(end);
  text.resize(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + zone;
}

Json NumberOf(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

std::string TextOf(const arrow::Array& array, int64_t row) {
  auto scalar = array.GetScalar(row);
  return scalar.ok() ? (*scalar)->ToString() : "";
}

Json ListOf(const arrow::Array& values, int64_t from, int64_t length) {
  Json list{Json::Array()};
  for (int64_t i = from; i < from + length; ++i) list.Push(CellOf(values, i));
  return list;
}

Json StructOf(const arrow::StructArray& array, int64_t row) {
  Json object{Json::Object()};
  for (int i = 0; i < array.num_fields(); ++i) {
    object.Set(array.struct_type()->field(i)->name(), CellOf(*array.field(i), row));
  }
  return object;
}

Json MapOf(const arrow::MapArray& array, int64_t row) {
  Json object{Json::Object()};
  for (int64_t i = array.value_offset(row); i < array.value_offset(row + 1); ++i) {
    Json key = CellOf(*array.keys(), i);
    object.Set(key.is_text() ? key.Text() : key.Dump(), CellOf(*array.items(), i));
  }
  return object;
}

}  // namespace

Json CellOf(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return nullptr;
  switch (array.type_id()) {
    case arrow::Type::NA:
      return nullptr;
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanArray&>(array).Value(row);
    case arrow::Type::INT8:
      return int64_t{static_cast<const arrow::Int8Array&>(array).Value(row)};
    case arrow::Type::INT16:
      return int64_t{static_cast<const arrow::Int16Array&>(array).Value(row)};
    case arrow::Type::INT32:
      return int64_t{static_cast<const arrow::Int32Array&>(array).Value(row)};
    case arrow::Type::INT64:
      return int64_t{static_cast<const arrow::Int64Array&>(array).Value(row)};
    case arrow::Type::UINT8:
      return int64_t{static_cast<const arrow::UInt8Array&>(array).Value(row)};
    case arrow::Type::UINT16:
      return int64_t{static_cast<const arrow::UInt16Array&>(array).Value(row)};
    case arrow::Type::UINT32:
      return int64_t{static_cast<const arrow::UInt32Array&>(array).Value(row)};
    case arrow::Type::UINT64: {
      uint64_t value = static_cast<const arrow::UInt64Array&>(array).Value(row);
      return value <= INT64_MAX ? Json(static_cast<int64_t>(value)) : Json(std::to_string(value));
    }
    case arrow::Type::FLOAT:
      return NumberOf(static_cast<const arrow::FloatArray&>(array).Value(row));
    case arrow::Type::DOUBLE:
      return NumberOf(static_cast<const arrow::DoubleArray&>(array).Value(row));
    case arrow::Type::STRING:
      return static_cast<const arrow::StringArray&>(array).GetView(row);
    case arrow::Type::LARGE_STRING:
      return static_cast<const arrow::LargeStringArray&>(array).GetView(row);
    case arrow::Type::STRING_VIEW:
      return static_cast<const arrow::StringViewArray&>(array).GetView(row);
    case arrow::Type::BINARY:
      return Base64(static_cast<const arrow::BinaryArray&>(array).GetView(row));
    case arrow::Type::LARGE_BINARY:
      return Base64(static_cast<const arrow::LargeBinaryArray&>(array).GetView(row));
    case arrow::Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      return ListOf(*list.values(), list.value_offset(row), list.value_length(row));
    }
    case arrow::Type::LARGE_LIST: {
      const auto& list = static_cast<const arrow::LargeListArray&>(array);
      return ListOf(*list.values(), list.value_offset(row), list.value_length(row));
    }
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto& list = static_cast<const arrow::FixedSizeListArray&>(array);
      return ListOf(*list.values(), list.value_offset(row), list.value_length(row));
    }
    case arrow::Type::STRUCT:
      return StructOf(static_cast<const arrow::StructArray&>(array), row);
    case arrow::Type::MAP:
      return MapOf(static_cast<const arrow::MapArray&>(array), row);
    case arrow::Type::DICTIONARY: {
      const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
      return CellOf(*coded.dictionary(), coded.GetValueIndex(row));
    }
    case arrow::Type::TIMESTAMP:
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return WithoutTrailingZeros(TextOf(array, row));
    default:
      return TextOf(array, row);
  }
}

engine::Value ParameterOf(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return std::nullopt;
  if (array.type_id() == arrow::Type::BINARY || array.type_id() == arrow::Type::LARGE_BINARY) {
    std::string_view bytes = array.type_id() == arrow::Type::BINARY
                                 ? static_cast<const arrow::BinaryArray&>(array).GetView(row)
                                 : static_cast<const arrow::LargeBinaryArray&>(array).GetView(row);
    std::string text;
    for (char byte : bytes) text += "\\x" + Hex(std::string_view(&byte, 1));
    return text;
  }
  Json cell = CellOf(array, row);
  if (cell.is_null()) return std::nullopt;
  return cell.is_text() ? cell.Text() : cell.Dump();
}

}  // namespace weft::flight
