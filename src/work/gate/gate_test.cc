#include "work/gate/gate.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"
#include "state/access/access.h"

namespace weft::gate {
namespace {

class GateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_));
    store_ = store::Open("sqlite:" + folder_ + "/store.db").value();
    ASSERT_TRUE(store::Migrate(*store_, access::Migrations()));
    ASSERT_TRUE(store::Migrate(*store_, ledger::Migrations()));
    ledger_ = ledger::Ledger::Open(*store_, SystemClock(), folder_).value();
    gate_ = std::make_unique<Gate>(*store_, *ledger_, SystemClock());
    auto txn = store_->Begin().value();
    secret_ = access::CreateToken(*txn, SystemClock(), "ana", "", false, {}).value().secret;
    ASSERT_TRUE(txn->Commit());
    flights_.domain = "operations";
    flights_.product = flights_.port = "flights";
    flights_.major = 1;
    flights_.owners = {"owen"};
  }
  void TearDown() override {
    ledger_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }
  std::vector<ledger::Sealed> Denials() {
    EXPECT_TRUE(ledger_->SealNow());
    auto txn = store_->Read().value();
    return ledger::List(*txn, {.kind = "denied"}).value();
  }

  const std::string folder_ = fs::temp_directory_path() / ("weft-gate-" + NewSecret(6));
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<Gate> gate_;
  std::string secret_;
  model::Resource flights_;
};

TEST_F(GateTest, ADenialIsTheErrorAndInTheLedger) {
  model::Caller caller = gate_->Authenticate(secret_, "forecast", "rest", "127.0.0.1:1").value();
  EXPECT_EQ(caller.principal.name, "ana");
  auto denied = gate_->Decide(caller, model::Action::kRead, flights_);
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, Code::kDenied);
  EXPECT_EQ(
      denied.error().message,
      "ana may not read operations/flights/flights@1: ana does not own operations/flights/flights@1 and holds no "
      "grant on it. What helps: weft grant ana operations/flights/flights@1 --purpose forecast, by an owner (owen)");
  auto rows = Denials();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].entry.principal, "ana");
  EXPECT_EQ(rows[0].entry.purpose, "forecast");
  EXPECT_EQ(rows[0].entry.address, "operations/flights/flights@1");
  EXPECT_EQ(rows[0].entry.detail["action"].Text(), "read");
  EXPECT_EQ(rows[0].entry.detail["door"].Text(), "rest");
  EXPECT_TRUE(gate_->Decide(caller, model::Action::kBrowse, {}));
  EXPECT_EQ(Denials().size(), 1u);
}

TEST_F(GateTest, DecidesInsideAWritingTransactionByWhatItSees) {
  model::Caller caller = gate_->Authenticate(secret_, "", "rest", "").value();
  {
    auto txn = store_->Begin().value();
    EXPECT_FALSE(gate_->Decide(*txn, caller, model::Action::kRead, flights_));
    access::Grant grant{"", "ana", {"operations", "flights", "flights", 1}, "", {}, "owen", {}};
    ASSERT_TRUE(access::PutGrant(*txn, SystemClock(), grant));
    EXPECT_TRUE(gate_->Decide(*txn, caller, model::Action::kRead, flights_));
  }
  EXPECT_FALSE(gate_->Decide(caller, model::Action::kRead, flights_));
  EXPECT_EQ(Denials().size(), 2u);
}

TEST_F(GateTest, UsesAreSeenAtOnceAndWrittenTogether) {
  const std::string id = gate_->Authenticate(secret_, "", "rest", "").value().token_id;
  const std::optional<Instant> seen = gate_->LastUse(id);
  ASSERT_TRUE(seen);
  ASSERT_TRUE(gate_->WriteUses());
  EXPECT_FALSE(gate_->LastUse(id));
  auto txn = store_->Read().value();
  EXPECT_EQ(access::Tokens(*txn, "ana").value()[0].last_used_at, seen);
  EXPECT_TRUE(gate_->WriteUses());
}

TEST_F(GateTest, WithoutATokenItSaysHowToGetOne) {
  auto nobody = gate_->Authenticate("", "", "rest", "");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Code::kUnauthenticated);
  EXPECT_NE(nobody.error().message.find("weft token create"), std::string::npos);
}

TEST(Match, TakesWholePathsOnly) {
  auto match = [](std::string_view pattern, const std::string& path) {
    http::Request request;
    request.path = path;
    request.captures["old"] = "x";
    if (!Match(pattern, request)) return std::string("no");
    std::string text;
    for (const auto& [name, value] : request.captures) text += name + "=" + value + ";";
    return text;
  };
  EXPECT_EQ(match("/v1/runs", "/v1/runs"), "");
  EXPECT_EQ(match("/v1/runs", "/v1/runs/"), "no");
  EXPECT_EQ(match("/v1/runs/{id}", "/v1/runs/run_1"), "id=run_1;");
  EXPECT_EQ(match("/v1/runs/{id}", "/v1/runs/"), "no");
  EXPECT_EQ(match("/v1/runs/{id}", "/v1/runs/a/b"), "no");
  EXPECT_EQ(match("/v1/runs/{id}/cancel", "/v1/runs/a/cancel"), "id=a;");
  EXPECT_EQ(match("/v1/runs/{id}/cancel", "/v1/runs/a/retry"), "no");
  EXPECT_EQ(match("/v1/products/{domain}/{product}", "/v1/products/a/b"), "domain=a;product=b;");
  EXPECT_EQ(match("/files/{domain}/{rest*}", "/files/a/b/c.txt"), "domain=a;rest=b/c.txt;");
  EXPECT_EQ(match("/files/{rest*}", "/files/"), "no");
}

}  // namespace
}  // namespace weft::gate
