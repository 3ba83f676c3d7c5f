#include "ports/rest/rest.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "drivers/store/testing.h"
#include "state/access/access.h"
#include "state/catalog/catalog.h"
#include "state/feedback/feedback.h"
#include "state/lineage/lineage.h"
#include "state/nodes/nodes.h"
#include "state/requests/requests.h"
#include "state/schedules/schedules.h"

namespace weft::rest {
namespace {

constexpr std::string_view kAirports =
    "faa,name,lat,lon,alt,tz,dst,tzone\n"
    "JFK,John F Kennedy Intl,40.6,-73.8,13,-5,A,America/New_York\n"
    "EWR,Newark Liberty Intl,40.7,-74.2,18,-5,A,America/New_York\n";
constexpr std::string_view kFolder = "domains/network/airports/";

// One failing row, so that there is a sample that must not leak.
Result<run::CheckAnswer> OneWarning(const run::CheckRequest&) {
  runs::CheckResult result;
  result.id = "lat.warned";
  result.outcome = "warned";
  result.failing_rows = 1;
  result.sample = Json(Json::Array{Json::Map({{"faa", "JFK"}})});
  return run::CheckAnswer{{result}, false, ""};
}

// The door over real rooms, without a socket.
class Rest : public testing::Test {
 protected:
  void SetUp() override {
    engine::SetExtensionFolder(WEFT_DUCKDB_EXTENSIONS);
    folder_ = fs::temp_directory_path() / NewId("rest");
    fs::create_directories(folder_ / "tmp");
    store_ = store::Open(store::TestUrl((folder_ / "weft.db").string())).TakeValue();
    std::vector<store::Migration> all;
    for (auto part :
         {ledger::Migrations(), catalog::Migrations(), access::Migrations(), lake::Migrations(), runs::Migrations(),
          lineage::Migrations(), uploads::Migrations(), secrets::Migrations(), accounts::Migrations(),
          requests::Migrations(), feedback::Migrations(), nodes::Migrations(), schedules::Migrations()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    ASSERT_TRUE(store::Migrate(*store_, all));
    ledger_ = ledger::Ledger::Open(*store_, SystemClock(), folder_ / "ledger").TakeValue();
    vault_.emplace((folder_ / "seal.key").string());
    lake_ = lake::Lake::Open(*store_, SystemClock(), folder_ / "warehouse").TakeValue();
    run::Options options;
    options.upload_folder = folder_ / "uploads";
    options.temp_folder = folder_ / "tmp";
    options.memory_bytes = int64_t{256} << 20;
    uploads_.emplace(options.upload_folder);
    runner_ = run::Runner::Start({*store_, SystemClock(), *ledger_, *lake_, memory_, *vault_, OneWarning, options})
                  .TakeValue();
    upkeep_ = upkeep::Upkeep::Start({*store_, SystemClock(), *lake_, memory_, upkeep::Options()}).TakeValue();
    gate_.emplace(*store_, *ledger_, SystemClock());
    sign_in_ = signin::SignIn::Open(*store_, SystemClock(), {.key_file = folder_ / "sign-in.keys"}).TakeValue();
    publish_.emplace(publish::Context{*store_, SystemClock(), *uploads_, memory_, *vault_});
    api_.emplace(Api{*gate_,
                     *store_,
                     SystemClock(),
                     *ledger_,
                     *lake_,
                     *publish_,
                     *runner_,
                     *vault_,
                     *sign_in_,
                     [] { return "m 1\n"; },
                     []() -> Status { return {}; },
                     Millis(10'800'000),
                     Json::Map({{"version", "test"}}),
                     Json(),
                     {},
                     {},
                     *upkeep_});
    auto txn = store_->Begin().TakeValue();
    secrets_["admin"] = access::CreateToken(*txn, SystemClock(), "admin", "", true, {})->secret;
    for (const char* name : {"jonas", "lea"}) {
      secrets_[name] = access::CreateToken(*txn, SystemClock(), name, "", false, {})->secret;
    }
    ASSERT_TRUE(txn->Commit());
  }
  void TearDown() override {
    upkeep_.reset();
    runner_.reset();
    ledger_.reset();
    fs::remove_all(folder_);
  }

  // "GET /v1/runs?limit=3" as `who`; its status and its JSON.
  std::pair<int, Json> Call(const std::string& who, const std::string& method, const std::string& path,
                            std::map<std::string, std::string> query = {}, const std::string& body = "") {
    http::Request request;
    request.method = method;
    request.path = path;
    request.query = std::move(query);
    request.body = body;
    if (!who.empty()) request.headers["authorization"] = "Bearer " + secrets_.at(who);
    const access::Asked asked;
    http::Response response = gate::Serve<Api>(*gate_, *api_, Routes(), request);
    for (const gate::Route<Api>& route : Routes()) {
      if (route.method != method || !gate::Match(route.pattern, request)) continue;
      const unsigned told = model::Bits(route.action) | route.within;
      EXPECT_EQ(asked.actions() & ~told, 0u) << method << " " << path << " asks what the table does not tell";
    }
    return {response.status, Json::Parse(response.body).value_or(Json(response.body))};
  }
  Json Ok(const std::string& who, const std::string& method, const std::string& path,
          std::map<std::string, std::string> query = {}, const std::string& body = "") {
    auto [status, json] = Call(who, method, path, std::move(query), body);
    EXPECT_EQ(status, 200) << method << " " << path << ": " << json.Dump();
    return json;
  }
  static std::string Example(const std::string& name) {
    return ReadFile(fs::path(WEFT_SOURCE_DIR) / "examples/flights" / name).TakeValue();
  }
  // The example's airports, with two rows.
  std::string Submission() {
    Json files = Json(Json::Array());
    for (std::string name : {std::string("mesh.yaml"), std::string(kFolder) + "product.odps.yaml",
                             std::string(kFolder) + "airports.odcs.yaml"}) {
      files.Push(Json::Map({{"path", name}, {"text", Example(name)}}));
    }
    Json data = Json::Map({{"path", std::string(kFolder) + "data/airports.csv"},
                           {"sha256", Sha256(kAirports)},
                           {"bytes", kAirports.size()}});
    return Json::Map({{"files", files}, {"data", Json(Json::Array{data})}}).Dump();
  }
  void Publish() {
    Ok("admin", "PUT", "/v1/data/" + Sha256(kAirports), {}, std::string(kAirports));
    Ok("admin", "POST", "/v1/apply", {}, Submission());
  }
  std::string Run() {
    std::string id =
        Ok("jonas", "POST", "/v1/runs", {}, R"({"addresses":["network/airports"]})")["runs"][size_t{0}]["id"].Text();
    for (int i = 0; i < 1'000; ++i) {
      const std::string status = Ok("jonas", "GET", "/v1/runs/" + id)["status"].Text();
      if (status != "pending" && status != "running") break;
      std::this_thread::sleep_for(Millis(20));
    }
    return id;
  }
  std::set<std::string> Kinds() {
    const Json answer = Ok("admin", "GET", "/v1/audit", {{"limit", "1000"}});
    std::set<std::string> kinds;
    for (const Json& row : answer["rows"].Items()) kinds.insert(row["kind"].Text());
    return kinds;
  }

  fs::path folder_;
  std::map<std::string, std::string> secrets_;
  engine::MemoryBroker memory_{int64_t{1} << 30};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<lake::Lake> lake_;
  std::optional<uploads::Uploads> uploads_;
  std::unique_ptr<upkeep::Upkeep> upkeep_;
  std::unique_ptr<run::Runner> runner_;
  std::optional<secrets::Vault> vault_;
  std::optional<gate::Gate> gate_;
  std::optional<publish::Context> publish_;
  std::unique_ptr<signin::SignIn> sign_in_;
  std::optional<Api> api_;
};

TEST_F(Rest, OnlyHealthReadinessMetricsAndSignInNeedNoToken) {
  const std::set<std::string_view> open = {"/v1/health",
                                           "/v1/ready",
                                           "/metrics",
                                           "/.well-known/openid-configuration",
                                           "/.well-known/oauth-authorization-server",
                                           "/oauth/jwks",
                                           "/oauth/device_authorization",
                                           "/oauth/device",
                                           "/oauth/authorize",
                                           "/oauth/token",
                                           "/oauth/revoke"};
  for (const gate::Route<Api>& route : Routes()) {
    const int status = Call("", std::string(route.method), std::string(route.pattern)).first;
    EXPECT_EQ(status != 401, open.contains(route.pattern)) << route.pattern << " " << status;
  }
  EXPECT_EQ(Call("lea", "GET", "/v1/nothing").first, 404);
  EXPECT_EQ(Call("lea", "DELETE", "/v1/runs").first, 405);
}

TEST_F(Rest, BadParametersAreNamedWithTheirValue) {
  for (auto [path, name, value] : {std::tuple("/v1/runs", "limit", "many"), std::tuple("/v1/runs", "status", "done"),
                                   std::tuple("/v1/search", "limt", "3"), std::tuple("/v1/audit", "newest", "2")}) {
    auto [status, json] = Call("admin", "GET", path, {{name, value}});
    EXPECT_EQ(status, 422) << path;
    EXPECT_NE(json["title"].Text().find(name), std::string::npos) << json.Dump();
  }
  auto [status, json] = Call("admin", "POST", "/v1/tokens", {}, R"({"principal":"ana","expires_at":"soon"})");
  EXPECT_EQ(status, 422);
  EXPECT_NE(json["title"].Text().find("expires_at: \"soon\""), std::string::npos) << json.Dump();
  EXPECT_EQ(Call("admin", "POST", "/v1/tokens", {}, "{").first, 422);
}

TEST_F(Rest, APublishedProductIsShownAndItsPortTellsWhoMayRead) {
  Publish();
  EXPECT_EQ(Ok("lea", "GET", "/v1/node")["mesh"].Text(), "skyways");
  EXPECT_EQ(Ok("lea", "GET", "/v1/products")["products"][size_t{0}]["ports"][size_t{0}]["address"].Text(),
            "network/airports/airports@1");
  const std::string port = "/v1/ports/network/airports/airports";
  Json shown = Ok("lea", "GET", port);
  EXPECT_EQ(shown["columns"].size(), 8u);
  EXPECT_EQ(shown["columns"][size_t{0}]["name"].Text(), "faa");
  EXPECT_FALSE(shown["granted"].Bool(true));
  EXPECT_FALSE(shown["remedy"].Text().empty());
  EXPECT_TRUE(Ok("jonas", "GET", port)["granted"].Bool());
  EXPECT_EQ(Call("lea", "GET", port, {{"version", "7"}}).first, 404);
  http::Request file;
  file.path = "/v1/files/network/airports";
  file.query["name"] = "airports.odcs.yaml";
  file.headers["authorization"] = "Bearer " + secrets_["lea"];
  EXPECT_EQ(gate::Serve<Api>(*gate_, *api_, Routes(), file).body, Example(std::string(kFolder) + "airports.odcs.yaml"));
}

TEST_F(Rest, AGrantHoldsUntilItIsRevokedAndBothAreInTheLedger) {
  Publish();
  const std::string grant = R"({"principal":"lea","address":"network/airports/airports@1"})";
  const std::map<std::string, std::string> which = {{"principal", "lea"}, {"address", "network/airports/airports@1"}};
  EXPECT_EQ(Call("lea", "POST", "/v1/grants", {}, grant).first, 403);
  Ok("jonas", "POST", "/v1/grants", {}, grant);
  EXPECT_TRUE(Ok("lea", "GET", "/v1/ports/network/airports/airports")["granted"].Bool());
  EXPECT_EQ(Ok("lea", "GET", "/v1/grants", which)["grants"].size(), 1u);
  EXPECT_EQ(Call("lea", "DELETE", "/v1/grants", which).first, 403);
  EXPECT_EQ(Ok("jonas", "DELETE", "/v1/grants", which)["revoked"].Int(), 1);
  EXPECT_FALSE(Ok("lea", "GET", "/v1/ports/network/airports/airports")["granted"].Bool(true));
  const std::set<std::string> kinds = Kinds();
  EXPECT_TRUE(kinds.contains("granted") && kinds.contains("revoked"));
}

TEST_F(Rest, FailingRowsAreShownOnlyToThoseWhoMayRead) {
  Publish();
  const std::string id = Run();
  Json run = Ok("jonas", "GET", "/v1/runs/" + id);
  ASSERT_EQ(run["status"].Text(), "succeeded") << run.Dump();
  EXPECT_EQ(run["rows"].Int(), 2);
  EXPECT_EQ(run["checks"][size_t{0}]["sample"][size_t{0}]["faa"].Text(), "JFK");
  Json others = Ok("lea", "GET", "/v1/runs/" + id);
  EXPECT_EQ(others["checks"][size_t{0}]["failing_rows"].Int(), 1);
  EXPECT_TRUE(others["checks"][size_t{0}]["sample"].is_null());
  EXPECT_EQ(others.Dump().find("JFK"), std::string::npos);
  EXPECT_NE(Call("lea", "POST", "/v1/runs", {}, R"({"addresses":["network/airports"]})").first, 200);
}

TEST_F(Rest, ASnapshotIsTaggedByWhoMayRun) {
  Publish();
  Run();
  const std::map<std::string, std::string> which = {{"address", "network/airports/airports@1"}};
  const std::string id = Ok("lea", "GET", "/v1/snapshots", which)["snapshots"][size_t{0}]["id"].Text();
  const std::string tag = R"({"address":"network/airports/airports@1","tag":"first","snapshot":")" + id + "\"}";
  EXPECT_EQ(Call("lea", "POST", "/v1/tags", {}, tag).first, 403);
  Ok("jonas", "POST", "/v1/tags", {}, tag);
  EXPECT_EQ(Ok("lea", "GET", "/v1/snapshots", which)["snapshots"][size_t{0}]["tags"].Texts(),
            std::vector<std::string>{"first"});
  EXPECT_TRUE(Kinds().contains("tagged"));
}

TEST_F(Rest, TokensOfOthersAreAnAdministratorsMatter) {
  EXPECT_EQ(Call("lea", "POST", "/v1/tokens", {}, R"({"principal":"jonas","name":"x"})").first, 403);
  EXPECT_EQ(Call("lea", "POST", "/v1/tokens", {}, R"({"principal":"lea","administrator":true})").first, 403);
  Json made = Ok("lea", "POST", "/v1/tokens", {}, R"({"principal":"lea","name":"x"})");
  secrets_["new"] = made["secret"].Text();
  EXPECT_EQ(Ok("new", "GET", "/v1/whoami")["principal"].Text(), "lea");
  EXPECT_EQ(Call("jonas", "DELETE", "/v1/tokens/" + made["token"]["id"].Text()).first, 403);
  EXPECT_EQ(Call("lea", "GET", "/v1/tokens", {{"principal", "jonas"}}).first, 403);
  Ok("lea", "DELETE", "/v1/tokens/" + made["token"]["id"].Text());
  EXPECT_EQ(Call("new", "GET", "/v1/whoami").first, 401);
  EXPECT_EQ(Ok("admin", "POST", "/v1/audit/verify")["ok"].Bool(), true);
  EXPECT_EQ(Call("lea", "GET", "/v1/audit").first, 403);
  EXPECT_TRUE(Kinds().contains("token.revoked"));
}

TEST_F(Rest, ATokenMakesNoneThatOutlivesIt) {
  const std::string soon = Instant{SystemClock().Now().micros + 3'600'000'000}.Text();
  const std::string later = Instant{SystemClock().Now().micros + 7'200'000'000}.Text();
  Json lent = Ok("lea", "POST", "/v1/tokens", {}, Json::Map({{"name", "lent"}, {"expires_at", soon}}).Dump());
  secrets_["lent"] = lent["secret"].Text();
  Json child = Ok("lent", "POST", "/v1/tokens", {}, R"({"name":"child"})");
  EXPECT_EQ(child["token"]["expires_at"].Text(), soon);
  EXPECT_EQ(Call("lent", "POST", "/v1/tokens", {}, Json::Map({{"expires_at", later}}).Dump()).first, 422);
  EXPECT_GT(Ok("lea", "POST", "/v1/tokens", {}, "{}")["token"]["expires_at"].Text(), later);  // The node's default.
  Json never = Ok("lea", "POST", "/v1/tokens", {}, R"({"expires_at":"never"})");
  EXPECT_TRUE(never["token"]["expires_at"].is_null());
  EXPECT_EQ(Ok("lent", "POST", "/v1/tokens", {}, R"({"expires_at":"never"})")["token"]["expires_at"].Text(), soon);
}

TEST_F(Rest, DataIsSentByThoseWhoMayPublish) {
  Publish();
  const std::string path = "/v1/data/" + Sha256("x");
  EXPECT_EQ(Call("lea", "PUT", path, {}, "x").first, 403);
  EXPECT_FALSE(uploads_->Has(Sha256("x")));
  EXPECT_TRUE(Kinds().contains("denied"));
  Ok("jonas", "PUT", path, {}, "x");
}

TEST_F(Rest, ARunWhoseEndWasLostKeepsNoOtherWaiting) {
  Publish();
  runs::Run lost;
  lost.id = "run_lost";
  lost.port = {"network", "airports", "airports", 1};
  lost.status = "running";
  lost.requested_by = "jonas";
  {
    auto txn = store_->Begin().TakeValue();
    ASSERT_TRUE(runs::Insert(*txn, lost));
    ASSERT_TRUE(txn->Commit());
  }
  EXPECT_EQ(Ok("jonas", "GET", "/v1/runs/" + Run())["status"].Text(), "succeeded");
  EXPECT_EQ(Ok("jonas", "GET", "/v1/runs/run_lost")["status"].Text(), "interrupted");
  EXPECT_TRUE(Kinds().contains("interrupted"));
}

TEST_F(Rest, WhyARunFailedIsToldToThoseWhoMendIt) {
  std::string bad(kAirports);
  bad.replace(bad.find("40.6"), 4, "nowhere");
  Publish();
  Ok("jonas", "PUT", "/v1/data/" + Sha256(bad), {}, bad);
  Ok("jonas", "POST", "/v1/apply", {}, ReplaceAll(Submission(), Sha256(kAirports), Sha256(bad)));
  const std::string id = Run();
  for (const char* who : {"jonas", "admin"}) {
    EXPECT_NE(Ok(who, "GET", "/v1/runs/" + id).Dump().find("nowhere"), std::string::npos) << who;
    EXPECT_NE(Ok(who, "GET", "/v1/runs").Dump().find("nowhere"), std::string::npos) << who;
  }
  EXPECT_EQ(Ok("lea", "GET", "/v1/runs/" + id)["status"].Text(), "failed");
  EXPECT_EQ(Ok("lea", "GET", "/v1/runs/" + id).Dump().find("nowhere"), std::string::npos);
  EXPECT_EQ(Ok("lea", "GET", "/v1/runs").Dump().find("nowhere"), std::string::npos);
}

TEST_F(Rest, ASecretThatIsRemovedOrSealedAnewIsInNoFileOfTheStore) {
  if (store::TestsUsePostgres()) GTEST_SKIP() << "a server's files are its own";
  Publish();
  auto sealed = [&] {
    auto txn = store_->Read().TakeValue();
    return txn->Run("SELECT value FROM sealed WHERE kind = 'secret'").value().at(0).text(0);
  };
  auto in_store = [&](const std::string& bytes) {
    for (const char* end : {"weft.db", "weft.db-wal"}) {
      auto text = ReadFile(folder_ / end);
      if (text && text->find(bytes) != text->npos) return true;
    }
    return false;
  };
  Ok("jonas", "POST", "/v1/secrets", {}, R"({"domain":"network","name":"password","value":"hunter2"})");
  const std::string first = sealed();
  EXPECT_TRUE(in_store(first));
  Ok("admin", "POST", "/v1/secrets/reseal");
  const std::string second = sealed();
  EXPECT_NE(first, second);
  EXPECT_FALSE(in_store(first));
  Ok("jonas", "DELETE", "/v1/secrets/network/password");
  EXPECT_FALSE(in_store(second));
}

TEST_F(Rest, WhatIsExplainedAboutOneselfIsWhatOneMay) {
  Publish();
  std::map<std::string, std::string> query = {
      {"principal", "admin"}, {"address", "network/airports/airports@1"}, {"action", "grant"}};
  EXPECT_TRUE(Ok("admin", "GET", "/v1/explain", query)["permitted"].Bool());
  const Json limited = Ok("jonas", "POST", "/v1/tokens", {}, R"({"name":"reads","scope":["read"]})");
  secrets_["limited"] = limited["secret"].Text();
  query["principal"] = "jonas";
  EXPECT_TRUE(Ok("jonas", "GET", "/v1/explain", query)["permitted"].Bool());
  const Json less = Ok("limited", "GET", "/v1/explain", query);
  EXPECT_FALSE(less["permitted"].Bool(true));
  EXPECT_NE(less.Dump().find("is limited to read"), std::string::npos) << less.Dump();
  EXPECT_EQ(Call("lea", "GET", "/v1/explain", query).first, 403);
  query["action"] = "administer";
  EXPECT_FALSE(Ok("admin", "GET", "/v1/explain", query)["permitted"].Bool(true));
  query["address"] = "network";
  query["action"] = "publish";
  EXPECT_EQ(Ok("admin", "GET", "/v1/explain", query)["address"].Text(), "network");
  query["action"] = "read";
  EXPECT_EQ(Call("admin", "GET", "/v1/explain", query).first, 422) << "rows are of ports";
  query["action"] = "raed";
  EXPECT_EQ(Call("admin", "GET", "/v1/explain", query).first, 422);
}

// Call holds what each request asks against the table.
TEST_F(Rest, TheTableOfActionsTellsWhatRequestsAsk) {
  Publish();
  const std::string run = Run();
  const std::string port = "network/airports/airports@1", path = "/v1/ports/network/airports/airports";
  const std::string wanted = Json::Map({{"address", port}, {"because", "to count"}}).Dump();
  const std::string id = Ok("lea", "POST", "/v1/requests", {}, wanted)["id"].Text();
  for (const char* who : {"lea", "jonas", "admin"}) {
    Call(who, "GET", "/v1/requests", {{"whose", "all"}});
    Ok(who, "GET", "/v1/requests", {{"whose", "to-approve"}});
    Ok(who, "GET", "/v1/requests/" + id);
    Ok(who, "POST", "/v1/delegations", {}, R"({"to":"mia","on":"network"})");
    Ok(who, "GET", "/v1/delegations");
    Ok(who, "DELETE", "/v1/delegations", {{"to", "mia"}, {"on", "network"}});
    Call(who, "GET", "/v1/explain", {{"principal", "mia"}, {"address", port}});
    Call(who, "GET", "/v1/explain", {{"principal", "mia"}, {"address", port}, {"action", "approve"}});
    Call(who, "GET", path + "/descriptor");
    Call(who, "GET", "/v1/products/network/airports/descriptor");
    Ok(who, "GET", "/v1/runs/" + run);
    Ok(who, "GET", path);
    Call(who, "POST", "/v1/runs/" + run + "/retry");
    Call(who, "POST", "/v1/runs/" + run + "/cancel");
    Call(who, "GET", "/v1/audit/who", {{"address", port}});
    Call(who, "GET", "/v1/audit/what", {{"principal", "lea"}});
    Call(who, "GET", "/v1/secrets", {{"domain", "network"}});
    Call(who, "GET", "/v1/tokens", {{"principal", "lea"}});
    Ok(who, "POST", "/v1/plan", {}, Submission());
  }
  auto another = [&](const char* column) {
    const Json some = Json::Map({{"address", port}, {"because", "to count"}, {"columns", Json::Array{column}}});
    return "/v1/requests/" + Ok("lea", "POST", "/v1/requests", {}, some.Dump())["id"].Text();
  };
  Ok("lea", "POST", another("faa") + "/withdraw");
  Ok("jonas", "POST", another("lat") + "/refuse", {}, R"({"note":"no"})");
  Ok("jonas", "POST", "/v1/requests/" + id + "/ask", {}, R"({"text":"what for?"})");
  Ok("lea", "POST", "/v1/requests/" + id + "/answer", {}, R"({"text":"a report"})");
  Ok("jonas", "POST", "/v1/requests/" + id + "/approve");
}

TEST_F(Rest, MineIsYesOrNo) {
  EXPECT_EQ(Ok("lea", "GET", "/v1/grants", {{"mine", "true"}})["grants"].size(), 0u);
  auto [status, json] = Call("lea", "GET", "/v1/grants", {{"mine", "yes"}});
  EXPECT_EQ(status, 422);
  EXPECT_NE(json["title"].Text().find("parameter mine: 'yes'"), std::string::npos) << json.Dump();
}

}  // namespace
}  // namespace weft::rest
