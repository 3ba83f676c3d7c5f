// The walker over foreign bytes, as a statement through the real engine's parser and as a tree of its own: what it lets
// pass names no function beyond the list and no table beyond those that it tells.
#include <duckdb.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <set>

#include "base/text.h"
#include "drivers/engine/engine.h"
#include "fuzz/check.h"
#include "model/sql.h"

namespace {

using namespace weft;

constexpr std::string_view kFunctions[] = {
#include "model/sql_functions.inc"
};
constexpr std::string_view kTableFunctions[] = {"generate_series", "json_each", "json_tree", "range", "unnest"};
// Whoever adds one of these to the list hears of it here.
constexpr std::string_view kNever[] = {"read_csv",        "read_parquet", "read_json", "read_text",
                                       "read_blob",       "parquet_scan", "glob",      "query",
                                       "sniff_csv",       "getenv",       "nextval",   "sleep_ms",
                                       "current_setting", "sqlite_scan",  "setseed",   "json_execute_serialized_sql",
                                       "query_table",     "write_log",    "error"};

// By a way through the tree that is not the walker's: every object, wherever it stands.
void CheckTree(const Json& json, const std::set<std::string>& tables) {
  for (const Json& item : json.Items()) CheckTree(item, tables);
  const std::string& type = json["type"].Text();
  if (json["function_name"].is_text() && json["class"].is_text()) {
    const std::string name = Lower(json["function_name"].Text());
    const auto& kinds = std::ranges::find(kTableFunctions, name) != std::end(kTableFunctions);
    Check(kinds || std::ranges::find(kFunctions, name) != std::end(kFunctions));
    Check(std::ranges::find(kNever, name) == std::end(kNever));
  }
  if (type == "TABLE_FUNCTION") {
    const std::string name = Lower(json["function"]["function_name"].Text());
    Check(std::ranges::find(kTableFunctions, name) != std::end(kTableFunctions));
  }
  if (type == "BASE_TABLE") Check(tables.contains(Lower(json["table_name"].Text())));
  for (const auto& [key, value] : json.Members()) CheckTree(value, tables);
}

// Names of WITH, wherever they stand.
void CollectNames(const Json& json, std::set<std::string>& names) {
  for (const Json& item : json.Items()) CollectNames(item, names);
  for (const auto& [key, value] : json.Members()) {
    if (key == "cte_map") {
      for (const Json& entry : value["map"].Items()) names.insert(Lower(entry["key"].Text()));
    }
    if (key == "cte_name") names.insert(Lower(value.Text()));
    CollectNames(value, names);
  }
}

void CheckWalk(const Json& tree, std::string_view text) {
  auto statement = model::Walk(tree, text);
  if (!statement) {
    Check(!statement.error().message.empty());
    return;
  }
  std::set<std::string> tables;
  for (const model::TableName& table : statement->tables) tables.insert(Lower(table.table));
  CollectNames(tree, tables);
  CheckTree(tree, tables);
}

// The engine's own opinion of which tables a statement reads.
std::set<std::string> TablesByEngine(duckdb_connection connection, const std::string& text) {
  std::set<std::string> names;
  duckdb_value list = duckdb_get_table_names(connection, text.c_str(), false);
  if (!list) return names;
  for (idx_t i = 0; i < duckdb_get_list_size(list); ++i) {
    duckdb_value item = duckdb_get_list_child(list, i);
    char* name = duckdb_get_varchar(item);
    names.insert(Lower(name));
    duckdb_free(name);
    duckdb_destroy_value(&item);
  }
  duckdb_destroy_value(&list);
  return names;
}

// An engine as consumers' SQL has it: locked, small, and interrupted when it takes too long.
struct Engine {
  std::unique_ptr<engine::Instance> instance =
      engine::Instance::Open({.threads = 1, .memory_bytes = 256 << 20}).TakeValue();
  std::unique_ptr<engine::Connection> connection;
  duckdb_database database = nullptr;
  duckdb_connection plain = nullptr;

  Engine() {
    Check(instance->Lock({}).has_value());
    connection = instance->Connect().TakeValue();
    Check(duckdb_open(nullptr, &database) == DuckDBSuccess && duckdb_connect(database, &plain) == DuckDBSuccess);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Engine engine;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto tree = Json::Parse(text)) CheckWalk(*tree, text);
  auto tree = engine.connection->ParseTree(text);
  if (!tree) {
    Check(!tree.error().message.empty());
    return 0;
  }
  CheckWalk(*tree, text);
  auto statement = model::Walk(*tree, text);
  if (!statement) return 0;
  std::set<std::string> told;
  for (const model::TableName& table : statement->tables) told.insert(Lower(table.table));
  for (const std::string& name : TablesByEngine(engine.plain, std::string(text))) Check(told.contains(name));
  return 0;
}
