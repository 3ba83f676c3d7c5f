#include "apps/weft/migrations.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "base/id.h"
#include "drivers/store/dump.h"
#include "drivers/store/testing.h"

namespace weft::app {
namespace {

using Migrations = std::vector<store::Migration>;

// Tables that a later migration did away with, and the table that has their rows since.
const std::map<std::string, std::string> kMoved = {{"domain_owners", "team_members"}};

// Table → column → what its rows hold, as a set.
using Held = std::map<std::string, std::map<std::string, std::multiset<std::string>>>;

class MigrationsTest : public ::testing::TestWithParam<store::Dialect> {
 protected:
  void SetUp() override {
    if (GetParam() == store::Dialect::kPostgres && store::TestServer().empty()) {
      GTEST_SKIP() << "no server: see tests/README.md";
    }
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<store::Store> Fresh() {
    const std::string file = fmt::format("{}/{}.db", folder_, ++stores_);
    return store::Open(store::TestUrl(file, GetParam() == store::Dialect::kPostgres)).value();
  }

  static Migrations UpTo(std::string_view module, int number) {
    Migrations some;
    for (const store::Migration& migration : AllMigrations()) {
      if (migration.module == module && migration.number <= number) some.push_back(migration);
    }
    return some;
  }

  // Three rows for each table, each value its own; of a table that may have but one row, one.
  static void Fill(store::Store& store) {
    auto shapes = store::Tables(*store.Read().value()).value();
    int next = 100;
    for (const store::TableShape& table : shapes) {
      for (int row = 1; row <= 3; ++row) {
        auto txn = store.Begin().value();
        std::string names, places;
        std::vector<store::Cell> cells;
        for (const std::string& column : table.columns) {
          names += (names.empty() ? "\"" : ", \"") + column + "\"";
          places += fmt::format("{}${}", places.empty() ? "" : ", ", cells.size() + 1);
          cells.emplace_back(std::to_string(column == "id" ? row : ++next));
        }
        auto put = txn->Run(fmt::format("INSERT INTO {} ({}) VALUES ({})", table.name, names, places), cells);
        ASSERT_TRUE(put || row > 1) << table.name << ": " << put.error().message;
        if (!put) continue;
        ASSERT_TRUE(txn->Commit());
      }
    }
  }

  static Held All(store::Store& store) {
    Held held;
    auto txn = store.Read().value();
    const std::vector<store::TableShape> tables = store::Tables(*txn).value();
    for (const store::TableShape& table : tables) {
      for (const std::string& column : table.columns) {
        auto& values = held[table.name][column];
        const auto rows = txn->Run(fmt::format("SELECT \"{}\" FROM {}", column, table.name)).value();
        for (const store::Row& row : rows) {
          values.insert(row.null(0) ? "NULL" : row.text(0));
        }
      }
    }
    return held;
  }

  const std::string folder_ = std::filesystem::temp_directory_path() / ("weft-migrations-" + NewSecret(6));
  int stores_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Stores, MigrationsTest, ::testing::Values(store::Dialect::kSqlite, store::Dialect::kPostgres),
                         [](const auto& tested) {
                           return std::string(tested.param == store::Dialect::kSqlite ? "Sqlite" : "Postgres");
                         });

// A store of every earlier schema of every room, with rows in every table, by the newest program.
TEST_P(MigrationsTest, KeepWhatAnEarlierStoreHolds) {
  std::map<std::string, int> newest;
  for (const store::Migration& migration : AllMigrations()) newest[std::string(migration.module)] = migration.number;
  for (const auto& [module, last] : newest) {
    for (int number = 1; number < last; ++number) {
      SCOPED_TRACE(fmt::format("{} from {} to {}", module, number, last));
      auto store = Fresh();
      ASSERT_TRUE(store::Migrate(*store, UpTo(module, number)));
      Fill(*store);
      const Held before = All(*store);
      const Status migrated = store::Migrate(*store, UpTo(module, last));
      ASSERT_TRUE(migrated) << migrated.error().message;
      Held after = All(*store);
      for (const auto& [table, columns] : before) {
        if (table.starts_with("search")) continue;  // Made anew.
        const auto moved = kMoved.find(table);
        const std::string now = moved == kMoved.end() ? table : moved->second;
        ASSERT_TRUE(after.contains(now)) << table << " is gone: where have its rows gone?";
        for (const auto& [column, values] : columns) {
          if (moved != kMoved.end() || !after[now].contains(column)) continue;
          EXPECT_EQ(after[now][column], values) << column;
        }
        if (moved == kMoved.end()) continue;
        // Each of the values that a row had is in a column of the row that it became.
        std::set<std::string> there;
        for (const auto& [column, values] : after[now]) there.insert(values.begin(), values.end());
        for (const auto& [column, values] : columns) {
          for (const std::string& value : values) EXPECT_TRUE(there.contains(value)) << table << "." << column;
        }
      }
    }
  }
}

TEST_P(MigrationsTest, OneThatFailsHalfWayLeavesTheStoreToTheOlderProgram) {
  auto store = Fresh();
  Migrations all = AllMigrations();
  ASSERT_TRUE(store::Migrate(*store, all));
  Fill(*store);
  const Held before = All(*store);
  std::map<std::string, int> newest;
  for (const store::Migration& migration : all) newest[std::string(migration.module)] = migration.number;
  Migrations newer = all;
  for (const auto& [module, number] : newest) {
    newer.push_back({module, number + 1, "CREATE TABLE half (x TEXT);\nUPDATE grants SET purpose = 'lost';\n"});
  }
  const Status failed = store::Migrate(*store, newer);  // The second room's table is there already.
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("migration "), std::string::npos);
  EXPECT_EQ(All(*store), before);
  ASSERT_TRUE(store::Migrate(*store, all));
  EXPECT_EQ(All(*store), before);
}

}  // namespace
}  // namespace weft::app
