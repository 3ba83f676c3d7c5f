#include "state/ledger/audit.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "drivers/store/testing.h"

namespace weft::ledger {
namespace {

class LedgerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_));
    Open();
  }
  void TearDown() override {
    ledger_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }
  void Open() {
    store_ = store::Open(store::TestUrl(folder_ + "/store.db")).value();
    ASSERT_TRUE(store::Migrate(*store_, Migrations()));
    ledger_ = Ledger::Open(*store_, SystemClock(), folder_).value();
  }
  void Fill(int rows) {
    auto txn = store_->Begin().value();
    for (int i = 1; i <= rows; ++i) {
      Entry entry{"ran", i % 2 ? "ana" : "bob", "", i % 3 ? "sales/orders/orders@1" : "sales-eu/orders",
                  Json::Map({{"n", i}})};
      ASSERT_TRUE(Append(*txn, SystemClock(), entry));
    }
    ASSERT_TRUE(txn->Commit());
    auto sealed = ledger_->SealNow();
    ASSERT_TRUE(sealed) << sealed.error().message;
  }
  // As somebody with the file and a SQL shell would.
  void Tamper(const std::string& sql) {
    auto txn = store_->Begin().value();
    auto ran = txn->Run(sql);
    ASSERT_TRUE(ran) << ran.error().message;
    ASSERT_TRUE(txn->Commit());
  }
  std::string Problem() { return ledger_->Verify().value().problem; }
  std::vector<Sealed> Rows(const Query& query = {}) {
    auto txn = store_->Read().value();
    return List(*txn, query).value();
  }

  const std::string folder_ = fs::temp_directory_path() / ("weft-ledger-" + NewSecret(6));
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(LedgerTest, SealsInOrderWithDenseNumbers) {
  Fill(10);
  auto rows = Rows();
  ASSERT_EQ(rows.size(), 10u);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(rows[i].seq, i + 1);
    EXPECT_EQ(rows[i].entry.detail["n"].Int(), i + 1);
  }
  Verdict verdict = ledger_->Verify().value();
  EXPECT_EQ(verdict.problem, "");
  EXPECT_EQ(verdict.rows, 10);
  EXPECT_EQ(verdict.unsealed, 0);
  EXPECT_EQ(verdict.head, rows.back().hash);
}

TEST_F(LedgerTest, SealsByItselfAndLeavesRolledBackRowsOut) {
  {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(Append(*txn, SystemClock(), {"ran", "ana", "", "", {}}));
  }
  auto txn = store_->Begin().value();
  ASSERT_TRUE(Append(*txn, SystemClock(), {"committed", "ana", "", "", {}}));
  ASSERT_TRUE(txn->Commit());
  for (int i = 0; i < 100 && Rows().empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  auto rows = Rows();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].entry.kind, "committed");
}

TEST_F(LedgerTest, TakesNoRowOfAnUnknownKind) {
  EXPECT_EQ(ledger_->AppendDurably({"denid", "ana", "", "", {}}).error().code, Code::kInternal);
  auto txn = store_->Begin().value();
  EXPECT_EQ(Append(*txn, SystemClock(), {"", "ana", "", "", {}}).error().code, Code::kInternal);
  for (const Kind& kind : Kinds()) EXPECT_TRUE(Append(*txn, SystemClock(), {std::string(kind.name), "", "", "", {}}));
}

TEST_F(LedgerTest, ADenialTellsWhereItWasAskedFrom) {
  model::Caller caller{{}, "forecast", "flight", "127.0.0.1:1", "tok_1"};
  caller.principal.name = "ana";
  const Entry denial = Denial(caller, model::Action::kRead, "sales/orders/orders@1", {"no grant"});
  EXPECT_EQ(denial.kind + denial.principal + denial.purpose, "deniedanaforecast");
  EXPECT_EQ(denial.detail.Dump(),
            R"({"action":"read","reasons":["no grant"],"door":"flight","peer":"127.0.0.1:1","token":"tok_1"})");
}

TEST_F(LedgerTest, ListsByKindPrincipalAndWholeNamesOfAnAddress) {
  Fill(12);
  EXPECT_EQ(Rows({.address_prefix = "sales"}).size(), 8u);
  EXPECT_EQ(Rows({.address_prefix = "sales/orders/orders"}).size(), 8u);
  EXPECT_EQ(Rows({.address_prefix = "sales-eu"}).size(), 4u);
  EXPECT_EQ(Rows({.principal = "ana"}).size(), 6u);
  EXPECT_EQ(Rows({.kind = "denied"}).size(), 0u);
  EXPECT_EQ(Rows({.after = 10}).size(), 2u);
  auto newest = Rows({.limit = 2, .newest_first = true});
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[0].seq, 12);
}

TEST_F(LedgerTest, FindsAnEditedRow) {
  Fill(20);
  for (const char* column : {"at", "kind", "principal", "purpose", "address", "detail"}) {
    Tamper(std::string("UPDATE ledger SET ") + column + " = " + column + " || 'x' WHERE seq = 7");
    EXPECT_NE(Problem().find("row 7 was changed"), std::string::npos) << column << ": " << Problem();
    Tamper(std::string("UPDATE ledger SET ") + column + " = substr(" + column + ", 1, length(" + column +
           ") - 1) WHERE seq = 7");
    EXPECT_EQ(Problem(), "");
  }
}

TEST_F(LedgerTest, FindsContentThatMovedBetweenFields) {
  Fill(3);
  Tamper("UPDATE ledger SET kind = kind || principal, principal = '' WHERE seq = 2");
  EXPECT_NE(Problem().find("row 2 was changed"), std::string::npos);
}

TEST_F(LedgerTest, FindsAReorder) {
  Fill(20);
  Tamper("UPDATE ledger SET seq = CASE seq WHEN 5 THEN -6 WHEN 6 THEN -5 END WHERE seq IN (5, 6)");
  Tamper("UPDATE ledger SET seq = -seq WHERE seq < 0");
  EXPECT_NE(Problem().find("row 5 was changed or moved"), std::string::npos) << Problem();
}

TEST_F(LedgerTest, FindsARemovedRow) {
  Fill(20);
  Tamper("DELETE FROM ledger WHERE seq = 5");
  EXPECT_NE(Problem().find("row 5 is missing"), std::string::npos);
}

TEST_F(LedgerTest, FindsACutEnd) {
  Fill(20);
  Tamper("DELETE FROM ledger WHERE seq > 15");
  EXPECT_NE(Problem().find("row 16 is missing"), std::string::npos) << Problem();
}

TEST_F(LedgerTest, FindsAnEndThatWasCutToAnEarlierSignedHeadEvenAfterMoreRows) {
  Fill(10);
  Tamper("CREATE TABLE stolen AS SELECT * FROM ledger_head");
  Fill(10);
  Tamper("DELETE FROM ledger WHERE seq > 10");
  Tamper("UPDATE ledger_head SET (seq, at, hash, signature) = (SELECT seq, at, hash, signature FROM stolen)");
  EXPECT_NE(Problem().find("the end was cut"), std::string::npos) << Problem();
  Fill(30);
  EXPECT_NE(Problem().find("the end was cut: the store once reached row 20"), std::string::npos) << Problem();
  ledger_.reset();
  Open();
  EXPECT_NE(Problem().find("the end was cut"), std::string::npos) << Problem();
}

TEST_F(LedgerTest, FindsARewrittenChainAndAForgedHead) {
  Fill(5);
  Tamper("UPDATE ledger_head SET hash = '" + std::string(64, 'a') + "'");
  EXPECT_NE(Problem().find("forged"), std::string::npos) << Problem();
  const SigningKey key = NewSigningKey();
  Tamper("UPDATE ledger_head SET signature = '" + Sign(key, "anything") + "'");
  EXPECT_NE(Problem().find("forged"), std::string::npos) << Problem();
}

TEST_F(LedgerTest, FindsALostOrForgedHeadOutsideTheStore) {
  Fill(5);
  const std::string path = folder_ + "/ledger-head.json";
  const std::string good = ReadFile(path).value();
  fs::remove(path);
  EXPECT_NE(Problem().find("outside the store is missing"), std::string::npos) << Problem();
  Json forged = Json::Parse(good).value();
  forged.Set("seq", 4);
  ASSERT_TRUE(WriteFileAtomically(path, forged.Dump()));
  EXPECT_NE(Problem().find("forged"), std::string::npos) << Problem();
}

TEST_F(LedgerTest, FindsARowInFrontOfTheChain) {
  Fill(3);
  Tamper(
      "INSERT INTO ledger (at, kind, principal, purpose, address, detail, seq, hash) "
      "VALUES ('x', 'x', 'x', '', '', 'null', 0, 'x')");
  EXPECT_NE(Problem(), "");
}

TEST_F(LedgerTest, AReopenSealsWhatACrashLeftAndCatchesTheFileUp) {
  Fill(3);
  const std::string old_head = ReadFile(folder_ + "/ledger-head.json").value();
  Fill(3);
  ledger_.reset();
  {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(Append(*txn, SystemClock(), {"ran", "ana", "", "", {}}));
    ASSERT_TRUE(txn->Commit());
  }
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/ledger-head.json", old_head));
  Open();
  EXPECT_EQ(Rows().size(), 7u);
  EXPECT_EQ(Problem(), "");
}

TEST_F(LedgerTest, KeepsItsKeyToItselfAndRefusesToGoOnWithoutIt) {
  Fill(1);
  struct stat facts {};
  ASSERT_EQ(stat((folder_ + "/ledger-key.json").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  ledger_.reset();
  fs::remove(folder_ + "/ledger-key.json");
  auto opened = Ledger::Open(*store_, SystemClock(), folder_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kConflict);
}

TEST_F(LedgerTest, AnIdleSealerWritesNothing) {
  Fill(5);
  ASSERT_TRUE(ledger_->Ask({}));  // The index follows the rows.
  // PostgreSQL's own log of writes is shared by all of its clients: there the newest row versions tell.
  auto written = [&]() -> std::string {
    if (!store::TestsUsePostgres()) return std::to_string(fs::file_size(folder_ + "/store.db-wal"));
    auto txn = store_->Read().value();
    return txn->Run("SELECT string_agg(xmin::text, ',' ORDER BY seq) FROM ledger").value().at(0).text(0);
  };
  auto head_time = [&] { return fs::last_write_time(folder_ + "/ledger-head.json"); };
  const auto before = std::pair(written(), head_time());
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  ASSERT_TRUE(ledger_->SealNow());
  EXPECT_EQ(std::pair(written(), head_time()), before);
}

TEST_F(LedgerTest, ManyCallersShareCommitsAndEveryRowIsThere) {
  std::atomic<int> failed = 0;
  constexpr int kThreads = 16, kEach = 50;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          if (!ledger_->AppendDurably({"read.started", "t" + std::to_string(t), "", "", Json(i)})) ++failed;
        }
      });
    }
  }
  EXPECT_EQ(failed, 0);
  ASSERT_TRUE(ledger_->SealNow());
  auto rows = Rows({.principal = "t3", .limit = 1000});
  ASSERT_EQ(rows.size(), size_t{kEach});
  for (int i = 0; i < kEach; ++i) EXPECT_EQ(rows[i].entry.detail.Int(), i);
  Verdict verdict = ledger_->Verify().value();
  EXPECT_EQ(verdict.problem, "");
  EXPECT_EQ(verdict.rows, kThreads * kEach);
}

TEST_F(LedgerTest, AppendSoonDoesNotWaitForTheWriterItsCallerHolds) {
  auto txn = store_->Begin().value();
  ASSERT_TRUE(ledger_->AppendSoon({"denied", "ana", "", "", {}}));
  txn.reset();
  ledger_.reset();  // Writes what is queued.
  Open();
  ASSERT_EQ(Rows().size(), 1u);
}

TEST_F(LedgerTest, ARowThatCannotBeWrittenIsUnavailable) {
  Tamper("ALTER TABLE ledger RENAME TO elsewhere");
  Status appended = ledger_->AppendDurably({"read.started", "ana", "", "", {}});
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, Code::kUnavailable);
  Tamper("ALTER TABLE elsewhere RENAME TO ledger");
  EXPECT_TRUE(ledger_->AppendDurably({"read.started", "ana", "", "", {}}));
}

}  // namespace
}  // namespace weft::ledger
