#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/id.h"
#include "drivers/store/testing.h"

namespace weft::store {
namespace {

constexpr Migration kItems = {"items", 1, "CREATE TABLE items (name TEXT PRIMARY KEY, n INTEGER NOT NULL);\n"};

class StoreTest : public ::testing::TestWithParam<Dialect> {
 protected:
  void SetUp() override {
    if (GetParam() == Dialect::kPostgres && TestServer().empty()) GTEST_SKIP() << "no server: see tests/README.md";
    std::filesystem::create_directories(folder_);
    url_ = TestUrl(folder_ + "/store.db", GetParam() == Dialect::kPostgres);
    store_ = Open(url_).value();
    ASSERT_TRUE(Migrate(*store_, std::span(&kItems, 1)));
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  int64_t CountItems() {
    auto txn = store_->Read().value();
    return txn->Run("SELECT count(*) FROM items").value()[0].integer(0);
  }
  Status Insert(const std::string& name) {
    auto txn = TRY(store_->Begin());
    TRY(txn->Run("INSERT INTO items (name, n) VALUES ($1, $2)", {name, Int(1)}));
    return txn->Commit();
  }

  const std::string folder_ = std::filesystem::temp_directory_path() / ("weft-store-" + NewSecret(6));
  std::string url_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreTest, ::testing::Values(Dialect::kSqlite, Dialect::kPostgres),
                         [](const auto& tested) {
                           return std::string(tested.param == Dialect::kSqlite ? "Sqlite" : "Postgres");
                         });

class SqliteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    store_ = Open("sqlite:" + folder_ + "/store.db").value();
    ASSERT_TRUE(Migrate(*store_, std::span(&kItems, 1)));
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  const std::string folder_ = std::filesystem::temp_directory_path() / ("weft-store-" + NewSecret(6));
  std::unique_ptr<Store> store_;
};

TEST_P(StoreTest, RollsBackUnlessCommitted) {
  {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(txn->Run("INSERT INTO items (name, n) VALUES ($1, $2)", {"a", Int(1)}));
  }
  EXPECT_EQ(CountItems(), 0);
  ASSERT_TRUE(Insert("a"));
  EXPECT_EQ(CountItems(), 1);
}

TEST_P(StoreTest, KeepsTimes) {
  auto txn = store_->Read().value();
  const Instant now{1'700'000'000'123'456};
  auto rows = txn->Run("SELECT $1, $2", {Time(now), Time(std::nullopt)}).value();
  EXPECT_EQ(rows[0].time(0).value(), now);
  EXPECT_EQ(rows[0].maybe_time(0).value(), now);
  EXPECT_EQ(rows[0].maybe_time(1).value(), std::nullopt);
  EXPECT_FALSE(rows[0].time(1)) << "no time where one has to be";
}

TEST_P(StoreTest, KeepsNullsBytesAndReusesParameters) {
  auto txn = store_->Begin().value();
  const std::string odd = GetParam() == Dialect::kSqlite ? std::string("x\0'\"\n\xc3\xa9", 7) : "x'\"\n\xc3\xa9";
  ASSERT_TRUE(txn->Run("INSERT INTO items (name, n) VALUES ($1, 7)", {odd}));
  auto rows = txn->Run("SELECT name, n, $2, $1 FROM items WHERE name = $1", {odd, std::nullopt}).value();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].text(0), odd);
  EXPECT_EQ(rows[0].integer(1), 7);
  EXPECT_TRUE(rows[0].null(2));
  EXPECT_EQ(rows[0].text(3), odd);
}

TEST_P(StoreTest, NamesWhatWentWrong) {
  ASSERT_TRUE(Insert("a"));
  EXPECT_EQ(Insert("a").error().code, Code::kConflict);
  auto read = store_->Read().value();
  EXPECT_EQ(read->Run("DELETE FROM items").error().code, Code::kInternal);
  auto txn = store_->Begin().value();
  EXPECT_FALSE(txn->Run("SELECT $1", {}));
  EXPECT_NE(txn->Commit().error().message.find("rolled back"), std::string::npos);
  EXPECT_EQ(Open("mysql:x").error().code, Code::kInvalid);
  EXPECT_EQ(Open("sqlite:" + folder_ + "/none/store.db").error().code, Code::kUnavailable);
  EXPECT_EQ(Open("postgres://127.0.0.1:1/none").error().code, Code::kUnavailable);
}

TEST_F(SqliteTest, AFullDiskIsUnavailableAndSaysSo) {
  auto txn = store_->Begin().value();
  ASSERT_TRUE(txn->Run("PRAGMA max_page_count=8"));
  Status failed;
  for (int i = 0; failed && i < 100; ++i) {
    auto ran = txn->Run("INSERT INTO items (name, n) VALUES ($1, 1)", {std::to_string(i) + std::string(4000, 'x')});
    if (!ran) failed = ran.TakeError();
  }
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kUnavailable);
  EXPECT_NE(failed.error().message.find("full"), std::string::npos);
}

TEST_P(StoreTest, AReaderSeesOneMomentAndNeverWaits) {
  ASSERT_TRUE(Insert("a"));
  auto reader = store_->Read().value();
  auto writer = store_->Begin().value();
  ASSERT_TRUE(writer->Run("INSERT INTO items (name, n) VALUES ('b', 1)"));
  EXPECT_EQ(CountItems(), 1);
  ASSERT_TRUE(writer->Commit());
  EXPECT_EQ(reader->Run("SELECT count(*) FROM items").value()[0].integer(0), 1);
  EXPECT_EQ(CountItems(), 2);
}

TEST_P(StoreTest, AThreadThatHoldsATransactionCannotBeginAnother) {
  auto txn = store_->Begin().value();
  auto second = store_->Begin();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kInternal);
}

TEST_P(StoreTest, WritersTakeTurnsAndLoseNothing) {
  ASSERT_TRUE(Insert("sum"));
  std::vector<std::jthread> threads;
  std::atomic<int> failed = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        auto add = [&]() -> Status {
          auto txn = TRY(store_->Begin());
          int64_t n = TRY(txn->Run("SELECT n FROM items WHERE name = 'sum'"))[0].integer(0);
          TRY(txn->Run("UPDATE items SET n = $1 WHERE name = 'sum'", {Int(n + 1)}));
          TRY(txn->Run("INSERT INTO items (name, n) VALUES ($1, 1)", {std::to_string(t * 1000 + i)}));
          return txn->Commit();
        };
        if (!add()) ++failed;
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    auto txn = store_->Read().value();
    auto row = txn->Run("SELECT (SELECT n FROM items WHERE name = 'sum'), (SELECT count(*) FROM items)").value();
    EXPECT_EQ(row[0].integer(0), row[0].integer(1));
  }
  threads.clear();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(CountItems(), 201);
}

TEST_P(StoreTest, TwoStoresOverOneWaitForEachOther) {
  auto other = Open(url_).value();
  auto txn = store_->Begin().value();
  ASSERT_TRUE(txn->Run("INSERT INTO items (name, n) VALUES ('a', 1)"));
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ASSERT_TRUE(txn->Commit());
  });
  auto second = other->Begin();
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)->Run("SELECT count(*) FROM items").value()[0].integer(0), 1);
}

TEST_F(SqliteTest, IsReadableByItsOwnerAlone) {
  struct stat facts {};
  ASSERT_EQ(stat((folder_ + "/store.db").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST_P(StoreTest, MigratesForwardOnceAndRefusesANewerStore) {
  ASSERT_TRUE(Insert("a"));
  const Migration two[] = {
      kItems, {"items", 2, "ALTER TABLE items ADD COLUMN extra TEXT;\nCREATE INDEX by_n\n  ON items (n);\n"}};
  ASSERT_TRUE(Migrate(*store_, two));
  ASSERT_TRUE(Migrate(*store_, two));
  EXPECT_EQ(store_->Read().value()->Run("SELECT extra FROM items").value().size(), 1u);
  Status older = Migrate(*store_, std::span(&kItems, 1));
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, Code::kConflict);
  EXPECT_NE(older.error().message.find("newer"), std::string::npos);
}

TEST_P(StoreTest, AFailedMigrationChangesNothing) {
  const Migration bad[] = {kItems, {"items", 2, "CREATE TABLE more (x TEXT);\nCREATE TABLE items (y TEXT);\n"}};
  Status failed = Migrate(*store_, bad);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("migration items 2"), std::string::npos);
  EXPECT_FALSE(store_->Read().value()->Run("SELECT x FROM more"));
}

TEST_P(StoreTest, WhatWasCommittedIsThereAfterAReopen) {
  ASSERT_TRUE(Insert("a"));
  {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(txn->Run("INSERT INTO items (name, n) VALUES ('b', 1)"));
  }
  store_ = Open(url_).value();
  EXPECT_EQ(CountItems(), 1);
}

TEST_P(StoreTest, WritersOfTwoNodesLoseNothing) {
  ASSERT_TRUE(Insert("sum"));
  auto other = Open(url_).value();
  std::vector<std::jthread> threads;
  std::atomic<int> failed = 0;
  for (Store* store : {store_.get(), other.get(), store_.get(), other.get()}) {
    threads.emplace_back([&failed, store] {
      for (int i = 0; i < 25; ++i) {
        auto add = [&]() -> Status {
          auto txn = TRY(store->Begin());
          const auto rows = TRY(txn->Run("SELECT n FROM items WHERE name = 'sum'"));
          TRY(txn->Run("UPDATE items SET n = $1 WHERE name = 'sum'", {Int(rows[0].integer(0) + 1)}));
          return txn->Commit();
        };
        if (!add()) ++failed;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(store_->Read().value()->Run("SELECT n FROM items").value()[0].integer(0), 101);
}

TEST_P(StoreTest, ShowsRowsOneByOneAndSortsThemByByte) {
  for (const char* name : {"b", "B", "a-", "aa", "\xc3\xa4", "a"}) ASSERT_TRUE(Insert(name));
  auto txn = store_->Read().value();
  std::string all;
  ASSERT_TRUE(txn->Each("SELECT name FROM items ORDER BY name", [&](const Row& row) -> Status {
    all += row.text(0) + " ";
    return {};
  }));
  EXPECT_EQ(all, "B a a- aa b \xc3\xa4 ");
  EXPECT_EQ(txn->Each("SELECT name FROM items",
                      [](const Row&) -> Status {
                        return Error{Code::kNotFound, "enough"};
                      })
                .error()
                .code,
            Code::kNotFound);
}

TEST_P(StoreTest, PurgeWaitsForReadersAndKeepsWhatIsThere) {
  ASSERT_TRUE(Insert("a"));
  auto reader = store_->Read().value();
  {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(txn->Run("UPDATE items SET n = 2"));
    ASSERT_TRUE(txn->Commit());
  }
  EXPECT_EQ(store_->Purge("items").error().code, Code::kUnavailable);
  reader.reset();
  EXPECT_TRUE(store_->Purge("items"));
  EXPECT_EQ(CountItems(), 1);
}

TEST_P(StoreTest, AStatementIsForOneStoreWhereItSaysSo) {
  const Migration marked[] = {kItems,
                              {"items", 2,
                               "-- sqlite\nCREATE TABLE lite (id INTEGER PRIMARY KEY, x TEXT);\n"
                               "-- postgres\nCREATE TABLE grand (id INTEGER PRIMARY KEY, x TEXT);\n"}};
  ASSERT_TRUE(Migrate(*store_, marked));
  const bool lite = GetParam() == Dialect::kSqlite;
  auto txn = store_->Begin().value();
  EXPECT_EQ(txn->Run(lite ? "INSERT INTO lite (x) VALUES ('a') RETURNING id"
                          : "INSERT INTO grand (x) VALUES ('a') RETURNING id")
                .value()[0]
                .integer(0),
            1);
  EXPECT_FALSE(txn->Run(lite ? "SELECT x FROM grand" : "SELECT x FROM lite"));
}

class PostgresTest : public StoreTest {
 protected:
  // From outside, as an administrator of the server would.
  void Kill() {
    auto admin = Open(TestServer()).value();
    auto txn = admin->Begin().value();
    ASSERT_TRUE(
        txn->Run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
                 "query LIKE '%' || $1 || '%'",
                 {mark_}));
  }
  const std::string mark_ = "mark_" + NewSecret(6);
};
INSTANTIATE_TEST_SUITE_P(Stores, PostgresTest, ::testing::Values(Dialect::kPostgres));

TEST_P(PostgresTest, GoesOnAfterItsConnectionsBroke) {
  { ASSERT_TRUE(store_->Read().value()->Run("SELECT '" + mark_ + "'")); }
  auto broken = store_->Read().value();
  ASSERT_TRUE(broken->Run("SELECT '" + mark_ + "'"));
  auto writer = store_->Begin().value();
  ASSERT_TRUE(writer->Run("INSERT INTO items (name, n) VALUES ('" + mark_ + "', 1)"));
  Kill();
  EXPECT_EQ(broken->Run("SELECT 1").error().code, Code::kUnavailable);
  const Status committed = writer->Commit();
  EXPECT_EQ(committed.error().code, Code::kUnavailable);
  EXPECT_EQ(CountItems(), 0);
  broken.reset();
  writer.reset();
  EXPECT_TRUE(Insert("a"));
  EXPECT_EQ(CountItems(), 1);
}

TEST_P(PostgresTest, RefusesWhatItCannotKeepAndPasswordsInUrls) {
  EXPECT_EQ(Insert(std::string("a\0b", 3)).error().code, Code::kInvalid);
  EXPECT_EQ(Insert("\xff").error().code, Code::kInvalid);
  const auto open = Open("postgres://weft:hunter2@127.0.0.1/weft");
  EXPECT_EQ(open.error().code, Code::kInvalid);
  EXPECT_EQ(open.error().message.find("hunter2"), std::string::npos);
  EXPECT_NE(open.error().message.find("passfile"), std::string::npos);
  EXPECT_EQ(Open("postgres://127.0.0.1/weft?password=x").error().code, Code::kInvalid);
}

TEST_P(PostgresTest, ItsClockIsTheServers) {
  auto txn = store_->Begin().value();
  const auto rows = txn->Run("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").value();
  EXPECT_LT(std::abs(store_->clock().Now().micros - rows[0].integer(0)), 200'000);
}

}  // namespace
}  // namespace weft::store
