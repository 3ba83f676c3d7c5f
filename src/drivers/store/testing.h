// Stores for tests: SQLite files, or schemas of a PostgreSQL server that the tests' runner started.
#pragma once

#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>

#include "drivers/store/store.h"

namespace weft::store {

// The server's URL, "" where there is none.
inline std::string TestServer() {
  const char* url = std::getenv("WEFT_TEST_POSTGRES");
  return url ? url : "";
}

inline bool TestsUsePostgres() {
  const char* chosen = std::getenv("WEFT_TEST_STORE");
  return chosen && std::string(chosen) == "postgres";
}

// The URL of the store that a test keeps under this file's name: the same one for the same name.
inline std::string TestUrl(const std::string& file, bool postgres = TestsUsePostgres()) {
  if (!postgres) return "sqlite:" + file;
  const std::string schema = "test_" + std::to_string(std::hash<std::string>()(file));
  auto make = [&]() -> Status {
    auto server = TRY(Open(TestServer()));
    auto txn = TRY(server->Begin());
    TRY(txn->Run("CREATE SCHEMA IF NOT EXISTS " + schema));
    return txn->Commit();
  };
  if (Status made = make(); !made) throw std::runtime_error(made.error().message);
  return TestServer() + (TestServer().find('?') == std::string::npos ? "?" : "&") + "options=-csearch_path%3D" + schema;
}

}  // namespace weft::store
