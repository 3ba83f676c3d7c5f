// Tokens in place of values, as functions of an instance: the key stands in no SQL text, plan or error.
#include <duckdb.h>
#include <fmt/format.h>

#include "base/secret.h"
#include "drivers/engine/internal.h"

namespace weft::engine {
namespace {

// Calls `each(row)` for the rows that are not null; the others become null.
template <class Each>
void ForEach(duckdb_data_chunk input, duckdb_vector output, Each each) {
  const idx_t rows = duckdb_data_chunk_get_size(input);
  uint64_t* valid = duckdb_vector_get_validity(duckdb_data_chunk_get_vector(input, 0));
  uint64_t* nulls = nullptr;
  for (idx_t row = 0; row < rows; ++row) {
    if (!valid || duckdb_validity_row_is_valid(valid, row)) {
      each(row);
      continue;
    }
    if (!nulls) {
      duckdb_vector_ensure_validity_writable(output);
      nulls = duckdb_vector_get_validity(output);
    }
    duckdb_validity_set_row_invalid(nulls, row);
  }
}

const Tokens& TokensOf(duckdb_function_info info) {
  return *static_cast<const Tokens*>(duckdb_scalar_function_get_extra_info(info));
}

void OfTexts(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const Tokens& tokens = TokensOf(info);
  auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0)));
  ForEach(input, output, [&](idx_t row) {
    const uint32_t length = texts[row].value.inlined.length;
    const char* data = length <= 12 ? texts[row].value.inlined.inlined : texts[row].value.pointer.ptr;
    const auto token = tokens.Of(std::string_view(data, length));
    duckdb_vector_assign_string_element_len(output, row, token.data(), token.size());
  });
}

void OfNumbers(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const Tokens& tokens = TokensOf(info);
  const auto* numbers = static_cast<int64_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0)));
  auto* made = static_cast<int64_t*>(duckdb_vector_get_data(output));
  ForEach(input, output, [&](idx_t row) { made[row] = tokens.Of(numbers[row]); });
}

}  // namespace

Status DefineTokensOf(duckdb_connection connection, const std::string& name, const Secret& key) {
  duckdb_scalar_function_set both = duckdb_create_scalar_function_set(name.c_str());
  bool fine = true;
  for (const auto& [id, make] : {std::pair<duckdb_type, duckdb_scalar_function_t>(DUCKDB_TYPE_VARCHAR, OfTexts),
                                 std::pair<duckdb_type, duckdb_scalar_function_t>(DUCKDB_TYPE_BIGINT, OfNumbers)}) {
    duckdb_scalar_function function = duckdb_create_scalar_function();
    duckdb_logical_type type = duckdb_create_logical_type(id);
    duckdb_scalar_function_set_name(function, name.c_str());
    duckdb_scalar_function_add_parameter(function, type);
    duckdb_scalar_function_set_return_type(function, type);
    duckdb_scalar_function_set_extra_info(function, new Tokens(key),
                                          [](void* kept) { delete static_cast<Tokens*>(kept); });
    duckdb_scalar_function_set_function(function, make);
    fine = fine && duckdb_add_scalar_function_to_set(both, function) == DuckDBSuccess;
    duckdb_destroy_scalar_function(&function);
    duckdb_destroy_logical_type(&type);
  }
  fine = fine && duckdb_register_scalar_function_set(connection, both) == DuckDBSuccess;
  duckdb_destroy_scalar_function_set(&both);
  if (fine) return {};
  return Error{Code::kInternal, "the engine took no function of pseudonyms"};
}

}  // namespace weft::engine
