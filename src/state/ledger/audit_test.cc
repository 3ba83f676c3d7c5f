#include "state/ledger/audit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "drivers/store/testing.h"

namespace weft::ledger {
namespace {

constexpr const char* kOrders = "sales/orders/orders@1";

// Its time goes on by a second with each look.
class SteppingClock final : public Clock {
 public:
  Instant Now() const override { return Instant{now_ += 1'000'000}; }
  void Jump(int64_t seconds) { now_ += seconds * 1'000'000; }

 private:
  mutable std::atomic<int64_t> now_ = int64_t{1'700'000'000} * 1'000'000;
};

class AuditTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_));
    store_ = store::Open(store::TestUrl(folder_ + "/store.db")).value();
    ASSERT_TRUE(store::Migrate(*store_, Migrations()));
    Open(Millis(60'000));
  }
  void TearDown() override {
    ledger_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }
  void Open(Millis window) {
    ledger_.reset();
    ledger_ = Ledger::Open(*store_, clock_, folder_, {window}).value();
  }
  void Read(const std::string& who, const Json& columns, int64_t rows, const std::string& address = kOrders) {
    const Json started = Json::Map({{"columns", columns}, {"right", "owner ana"}, {"policies", Json::Array()}});
    const Json ended = Json::Map({{"seen", SeenDigest(started)}, {"rows", rows}, {"outcome", "completed"}});
    ASSERT_TRUE(ledger_->AppendDurably({"read.started", who, "reporting", address, started}));
    ASSERT_TRUE(ledger_->AppendDurably({"read.ended", who, "reporting", address, ended}));
  }
  Entry Denied(const std::string& why, const std::string& peer = "127.0.0.1:1") {
    return {"denied", "zoe", "", kOrders,
            Json::Map(
                {{"action", "read"}, {"reasons", std::vector<std::string>{why}}, {"door", "flight"}, {"peer", peer}})};
  }
  void Tamper(const std::string& sql) {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(txn->Run(sql)) << sql;
    ASSERT_TRUE(txn->Commit());
  }
  std::vector<Sealed> Denials() {
    EXPECT_TRUE(ledger_->SealNow());
    auto txn = store_->Read().value();
    return List(*txn, {.kind = "denied"}).value();
  }

  const std::string folder_ = fs::temp_directory_path() / ("weft-audit-" + NewSecret(6));
  SteppingClock clock_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(AuditTest, SaysWhoSawWhatTheSameFromTheIndexAndFromTheChain) {
  const Json clear = Json::Map({{"amount", "clear"}}), masked = Json::Map({{"customer", "mask-alphanum"}});
  Read("ana", clear, 3);
  Read("ana", clear, 4);
  Read("ben", masked, 5);
  Read("ben", masked, 5, "sales/orders/lines@1");
  ASSERT_TRUE(ledger_->Deny(Denied("no grant")));
  for (bool verify : {false, true}) {
    const Answer answer = ledger_->Ask({.address = kOrders, .verify = verify}).value();
    ASSERT_EQ(answer.findings.size(), 3u);
    EXPECT_EQ(answer.rows, 7);
    EXPECT_EQ(answer.findings[0].what["denied"].Text(), "read");
    EXPECT_EQ(answer.findings[1].principal, "ben");
    EXPECT_EQ(answer.findings[1].what["columns"], masked);
    const Finding& ana = answer.findings[2];
    EXPECT_EQ(ana.principal + ana.purpose + ana.address, std::string("anareporting") + kOrders);
    EXPECT_EQ(ana.times, 2);
    EXPECT_EQ(ana.rows, 7);
    EXPECT_EQ(ana.first_row, 1);
    EXPECT_EQ(ana.last_row, 4);
    EXPECT_EQ(answer.verdict.has_value(), verify);
    EXPECT_EQ(answer.verdict ? answer.verdict->problem : "", "");
    EXPECT_EQ(ledger_->Ask({.principal = "ben", .verify = verify}).value().findings.size(), 2u);
    EXPECT_EQ(ledger_->Ask({.address = kOrders, .purpose = "another", .verify = verify}).value().rows, 0);
  }
}

TEST_F(AuditTest, OfATime) {
  Read("ana", Json::Object(), 1);
  clock_.Jump(40 * 86'400);
  const Instant between = clock_.Now();
  Read("ben", Json::Object(), 1);
  for (bool verify : {false, true}) {
    const Answer late = ledger_->Ask({.address = kOrders, .since = between, .verify = verify}).value();
    ASSERT_EQ(late.findings.size(), 1u);
    EXPECT_EQ(late.findings[0].principal, "ben");
    const Answer early = ledger_->Ask({.address = kOrders, .until = between, .verify = verify}).value();
    ASSERT_EQ(early.findings.size(), 1u);
    EXPECT_EQ(early.findings[0].principal, "ana");
  }
  EXPECT_EQ(ledger_->Cut(between, {}).value().first, 3);
  EXPECT_EQ(ledger_->Cut({}, between).value().last, 2);
  EXPECT_EQ(ledger_->Cut(Instant{clock_.Now().micros + 1'000'000'000}, {}).error().code, Code::kNotFound);
}

TEST_F(AuditTest, AnAnswerThatWasAskedToBeProvedTellsOfAnEdit) {
  for (int i = 0; i < 5; ++i) Read("ana", Json::Object(), 1);
  ASSERT_TRUE(ledger_->Ask({.address = kOrders}));
  Tamper("UPDATE ledger SET principal = 'nobody' WHERE seq = 5");
  const Answer answer = ledger_->Ask({.address = kOrders, .verify = true}).value();
  EXPECT_NE(answer.verdict->problem.find("row 5 was changed"), std::string::npos) << answer.verdict->problem;
  EXPECT_EQ(ledger_->Cut({}, {}).error().code, Code::kConflict);
}

// Whoever moves rows to before the time that is asked for changes a row that is looked at.
TEST_F(AuditTest, ATimeThatWasChangedIsFound) {
  for (int i = 0; i < 10; ++i) Read("ana", Json::Object(), 1);
  clock_.Jump(86'400);
  const Instant since = clock_.Now();
  for (int i = 0; i < 10; ++i) Read("ben", Json::Object(), 1);
  ASSERT_EQ(ledger_->Ask({.address = kOrders, .since = since, .verify = true}).value().verdict->problem, "");
  Tamper("UPDATE ledger SET at = '2020-01-01T00:00:00.000000Z' WHERE seq BETWEEN 21 AND 30");
  const Answer answer = ledger_->Ask({.address = kOrders, .since = since, .verify = true}).value();
  EXPECT_NE(answer.verdict->problem, "");
}

TEST_F(AuditTest, TheIndexIsMadeAnewAndGoesOn) {
  Read("ana", Json::Object(), 1);
  ASSERT_EQ(ledger_->Ask({.address = kOrders}).value().rows, 2);
  ledger_.reset();
  Tamper("DELETE FROM ledger_index");
  Tamper("DELETE FROM ledger_terms");
  Open(Millis(0));
  Read("ana", Json::Object(), 1);
  const Answer answer = ledger_->Ask({.address = kOrders}).value();
  EXPECT_EQ(answer.rows, 4);
  EXPECT_EQ(answer.findings.at(0).times, 2);
}

TEST_F(AuditTest, AFloodOfDenialsIsTwoRows) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(ledger_->Deny(Denied("no grant", "127.0.0.1:" + std::to_string(i))));
  ASSERT_TRUE(ledger_->Deny(Denied("another reason")));
  EXPECT_EQ(Denials().size(), 2u);
  Open(Millis(300));  // The end tells what was counted.
  auto rows = Denials();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[2].entry.detail.Dump(), R"({"action":"read","reasons":["no grant"],"door":"flight","times":99})");
  EXPECT_EQ(ledger_->Ask({.address = kOrders}).value().findings.at(0).times, 100);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(ledger_->DenySoon(Denied("no grant")));
  for (int i = 0; i < 100 && Denials().size() < 5; ++i) std::this_thread::sleep_for(Millis(20));
  rows = Denials();
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_EQ(rows[4].entry.detail["times"].Int(), 2);
}

TEST_F(AuditTest, WithoutAWindowEachDenialIsARow) {
  Open(Millis(0));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(ledger_->Deny(Denied("no grant")));
  EXPECT_EQ(Denials().size(), 3u);
}

TEST_F(AuditTest, ADenialThatCannotBeWrittenIsTheFirstAgain) {
  Tamper("ALTER TABLE ledger RENAME TO elsewhere");
  EXPECT_FALSE(ledger_->Deny(Denied("no grant")));
  Tamper("ALTER TABLE elsewhere RENAME TO ledger");
  EXPECT_TRUE(ledger_->Deny(Denied("no grant")));
  EXPECT_EQ(Denials().size(), 1u);
}

TEST_F(AuditTest, AnExcerptIsSignedAtBothEndsAndItsLinesFollow) {
  for (int i = 0; i < 4; ++i) Read("ana", Json::Map({{"amount", "clear"}}), i);
  const Excerpt excerpt = ledger_->Cut({}, {}).value();
  EXPECT_EQ(excerpt.first, 1);
  EXPECT_EQ(excerpt.last, 8);
  EXPECT_TRUE(VerifySignature(excerpt.public_key,
                              "weft ledger export\n1\n" + excerpt.previous + "\n8\n" + excerpt.at + "\n" + excerpt.hash,
                              excerpt.signature));
  auto txn = store_->Read().value();
  const auto lines = Lines(*txn, 3, 5, 100).value();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["seq"].Int(), 3);
  EXPECT_EQ(Lines(*txn, 1, 8, 2).value().size(), 2u);
  EXPECT_EQ(Lines(*txn, 8, 8, 2).value().at(0)["hash"].Text(), excerpt.hash);
}

}  // namespace
}  // namespace weft::ledger
