#include "work/gate/gate.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "drivers/store/testing.h"
#include "state/access/access.h"

namespace weft::gate {
namespace {

class GateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_));
    store_ = store::Open(store::TestUrl(folder_ + "/store.db")).value();
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
  EXPECT_EQ(denied.error().message,
            "ana may not read operations/flights/flights@1: ana does not own operations/flights/flights@1 and holds no "
            "grant on it. What helps: weft request operations/flights/flights@1 --purpose forecast --because WHY; or "
            "weft grant ana operations/flights/flights@1 --purpose forecast, by an owner (owen)");
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
    ASSERT_TRUE(access::PutGrant(*txn, SystemClock(), grant, flights_));
    EXPECT_TRUE(gate_->Decide(*txn, caller, model::Action::kRead, flights_));
  }
  EXPECT_FALSE(gate_->Decide(caller, model::Action::kRead, flights_));
  for (int i = 0; i < 100 && Denials().empty(); ++i) std::this_thread::sleep_for(Millis(20));
  EXPECT_EQ(Denials().size(), 1u);  // The second is counted.
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

TEST_F(GateTest, APurposeIsASlug) {
  for (const char* good : {"", "forecast", "demand-forecast-2"}) {
    EXPECT_TRUE(gate_->Authenticate(secret_, good, "rest", "")) << good;
  }
  for (const std::string& bad : {std::string("Forecast"), std::string("a b"), std::string("2x"), std::string("a/b"),
                                 std::string("a\n"), std::string(64, 'a'), std::string("\xff")}) {
    auto refused = gate_->Authenticate(secret_, bad, "flight", "");
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Code::kInvalid);
    EXPECT_NE(refused.error().message.find("is no purpose"), std::string::npos) << refused.error().message;
  }
}

// A door of four rows.
struct Bell {
  int rung = 0;
};
Result<http::Response> Ring(Bell& bell, const model::Caller&, const http::Request&) {
  ++bell.rung;
  return http::Response::Text("ding");
}
Result<model::Resource> OfOwen(Bell&, const model::Caller&, const http::Request& request) {
  model::Resource resource;
  resource.domain = request.Query("domain");
  resource.owners = {"owen"};
  return resource;
}
const Route<Bell> kBell[] = {{"GET", "/open", model::Action::kOpen, nullptr, Ring},
                             {"POST", "/ring", model::Action::kBrowse, nullptr, Ring},
                             {"PUT", "/data", model::Action::kPublish, OfOwen, Ring},
                             {"POST", "/all", model::Action::kAdminister, nullptr, Ring}};

TEST_F(GateTest, AHeadIsJudgedAloneAndAsTheWhole) {
  Bell bell;
  auto ask = [&](const std::string& method, const std::string& path, const std::string& authorization) {
    http::Request request;
    request.method = method;
    request.path = path;
    request.query["domain"] = "sales";
    request.headers["authorization"] = authorization;
    auto refusal = Admit<Bell>(*gate_, bell, kBell, request);
    const int before = bell.rung;
    const int status = Serve<Bell>(*gate_, bell, kBell, request).status;
    EXPECT_TRUE(path == "/open" || status == (refusal ? refusal->status : 200)) << method << path << status;
    EXPECT_EQ(bell.rung - before, status == 200);
    return refusal ? refusal->status : 200;
  };
  EXPECT_EQ(ask("POST", "/ring", "Bearer " + secret_), 200);
  EXPECT_EQ(ask("POST", "/ring", "bearer  " + secret_), 200);
  EXPECT_EQ(ask("POST", "/ring", secret_), 401);
  EXPECT_EQ(ask("POST", "/ring", ""), 401);
  EXPECT_EQ(ask("PUT", "/data", "Bearer " + secret_), 403);
  EXPECT_EQ(ask("POST", "/all", "Bearer " + secret_), 403);
  EXPECT_EQ(ask("PUT", "/ring", "Bearer " + secret_), 405);
  EXPECT_EQ(ask("POST", "/nothing", ""), 404);
  EXPECT_EQ(ask("GET", "/open", ""), 422) << "it takes no body";
}

http::Request WithLength(const char* length) {
  http::Request request;
  request.headers["content-length"] = length;
  return request;
}

TEST(Forms, AreShortAndSaySo) {
  for (const char* length : {"0", "16384"}) EXPECT_TRUE(IsShort(WithLength(length))) << length;
  for (const char* length : {"", "16385", "-1", "1e3", " 1", "99999999999999999999"}) {
    EXPECT_FALSE(IsShort(WithLength(length))) << length;
  }
  EXPECT_FALSE(IsShort(http::Request()));
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
