#include "model/folder_digest.h"
#include "work/publish/testing.h"

namespace weft::publish {
namespace {

using testing::Files;
using testing::kMesh;
using testing::PublishTest;
using testing::Sample;

TEST_F(PublishTest, AppliesOnceAndThenFindsAllUnchanged) {
  Put({});
  EXPECT_EQ(Kinds(MustApply(admin_)), "create mesh, create operations/flights");
  EXPECT_EQ(Kinds(MustApply(admin_)), "unchanged mesh, unchanged operations/flights");
  EXPECT_EQ(Kinds(MustApply(ana_)), "unchanged mesh, unchanged operations/flights");
  auto txn = store_->Read().value();
  EXPECT_EQ(catalog::MeshId(*txn).value(), "skyways");
  EXPECT_EQ(catalog::Ports(*txn).value().size(), 1u);
  EXPECT_EQ(catalog::Data(*txn, "operations", "flights").value()[0].path, "data/in.csv");
  EXPECT_EQ(access::PrincipalOf(*txn, "ana").value().groups, std::vector<std::string>{"ops"});
}

TEST_F(PublishTest, WhatChangedIsInTheLedgerAndWhatDidNotIsNot) {
  Put({});
  MustApply(admin_);
  MustApply(admin_);
  auto ledger = ledger::Ledger::Open(*store_, SystemClock(), folder_).value();
  ASSERT_TRUE(ledger->SealNow());
  auto txn = store_->Read().value();
  auto rows = ledger::List(*txn, {.kind = "published"}).value();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].entry.address, "mesh");
  EXPECT_EQ(rows[1].entry.address, "operations/flights");
  EXPECT_EQ(rows[1].entry.detail["change"].Text(), "create");
}

// Does something between the plan and the first transaction that writes.
class Meanwhile final : public store::Store {
 public:
  Meanwhile(store::Store& inner, std::function<void()> work) : inner_(inner), work_(std::move(work)) {}
  Result<std::unique_ptr<store::Txn>> Begin() override {
    if (auto work = std::exchange(work_, nullptr)) work();
    return inner_.Begin();
  }
  Result<std::unique_ptr<store::Txn>> Read() override { return inner_.Read(); }
  Status Purge(std::string_view table) override { return inner_.Purge(table); }
  Clock& clock() override { return inner_.clock(); }

 private:
  store::Store& inner_;
  std::function<void()> work_;
};

TEST_F(PublishTest, WhoLosesTheDomainMeanwhileIsDeniedAndThatIsRecorded) {
  MustApply(admin_);
  Put({});
  Meanwhile store(*store_, [&] {
    auto txn = store_->Begin().value();
    const std::string text = ReplaceAll(kMesh, "group:ops", "ines");
    ASSERT_TRUE(catalog::PutMesh(*txn, model::Mesh::Parse(text, "mesh.yaml").value()));
    ASSERT_TRUE(txn->Commit());
  });
  Context context{store, SystemClock(), uploads_, memory_, vault_};
  ana_.peer = "127.0.0.1:9";
  auto denied = Apply(context, ana_, Make());
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, Code::kDenied);
  EXPECT_NE(denied.error().message.find("ana may no longer publish operations/flights: "), std::string::npos);
  auto ledger = ledger::Ledger::Open(*store_, SystemClock(), folder_).value();
  ASSERT_TRUE(ledger->SealNow());
  auto txn = store_->Read().value();
  auto rows = ledger::List(*txn, {.kind = "denied"}).value();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].entry.address, "operations/flights");
  EXPECT_EQ(rows[0].entry.detail["peer"].Text(), "127.0.0.1:9");
  EXPECT_TRUE(ledger::List(*txn, {.kind = "published", .address_prefix = "operations"}).value().empty());
}

TEST_F(PublishTest, APlanTakesItsMemoryFromTheBroker) {
  Put({});
  {
    auto everything = memory_.Take(memory_.total(), Deadline::Never()).value();
    context_->memory_wait = Millis(20);
    auto plan = MakePlan(*context_, admin_, Make());
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, Code::kUnavailable);
    EXPECT_NE(plan.error().message.find("the node is busy"), std::string::npos) << plan.error().message;
  }
  ASSERT_TRUE(MakePlan(*context_, admin_, Make()));
  EXPECT_EQ(memory_.free(), memory_.total()) << "given back";
}

TEST_F(PublishTest, OnlyAdministratorsNameTheMeshAndNobodyRenamesIt) {
  Put({});
  auto refused = Apply(*context_, ana_, Make());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDenied);
  EXPECT_EQ(refused.error().problems[0].rule, "weft.denied");
  MustApply(admin_);
  files_["mesh.yaml"] = ReplaceAll(kMesh, "skyways", "seaways");
  EXPECT_NE(Problems(PlanOf(admin_)).find("mesh.yaml:1:5: id: this mesh is 'skyways'"), std::string::npos)
      << Problems(PlanOf(admin_));
}

TEST_F(PublishTest, OwnersPublishInTheirDomainAndNowhereElse) {
  MustApply(admin_);
  files_.erase("mesh.yaml");
  Put({});
  EXPECT_EQ(Kinds(MustApply(ana_)), "create operations/flights");
  Put({.domain = "fleet", .name = "planes"});
  auto refused = Apply(*context_, ana_, Make());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDenied);
  EXPECT_NE(refused.error().problems[0].message.find("ana may not publish in 'fleet'"), std::string::npos);
  files_.clear();
  Put({.domain = "operation", .name = "other"});
  EXPECT_NE(Problems(PlanOf(admin_)).find("did you mean 'operations'? [weft.domain]"), std::string::npos);
}

TEST_F(PublishTest, AVersionNeverChangesAndTheNextOneIsNamed) {
  Put({});
  MustApply(admin_);
  Put({.comment = "tenant: other\n"});
  EXPECT_NE(Problems(PlanOf(ana_)).find("make it 1.0.1 [weft.immutable]"), std::string::npos) << Problems(PlanOf(ana_));
  Sample wider;
  wider.columns += "      - {name: tail, logicalType: string, physicalType: varchar}\n";
  wider.sql = "SELECT *, name AS tail FROM input\n";
  Put(wider);
  EXPECT_NE(Problems(PlanOf(ana_)).find("make it 1.1.0 [weft.immutable]"), std::string::npos) << Problems(PlanOf(ana_));
  wider.version = "1.1.0";
  Put(wider);
  EXPECT_EQ(Kinds(MustApply(ana_)), "unchanged mesh, update operations/flights");
  EXPECT_EQ(MustApply(ana_).changes[1].kind, Change::Kind::kUnchanged);
  Put({.version = "1.0.5", .comment = "tenant: other\n"});
  EXPECT_NE(Problems(PlanOf(ana_)).find("1.0.5 is lower than 1.1.0"), std::string::npos) << Problems(PlanOf(ana_));
}

TEST_F(PublishTest, WhatBreaksReadersNeedsANewMajor) {
  Put({});
  MustApply(admin_);
  Sample narrower;
  narrower.version = "1.1.0";
  narrower.columns = narrower.columns.substr(0, narrower.columns.find("      - {name: seats"));
  narrower.sql = "SELECT id, name FROM input\n";
  Put(narrower);
  const std::string problems = Problems(PlanOf(ana_));
  EXPECT_NE(problems.find("seats"), std::string::npos) << problems;
  EXPECT_NE(problems.find("make it major 2: 2.0.0 [weft.breaking]"), std::string::npos) << problems;
  narrower.version = "2.0.0";
  Put(narrower);
  MustApply(ana_);
  auto txn = store_->Read().value();
  EXPECT_EQ(catalog::Ports(*txn, "operations", "flights").value().size(), 2u);
}

TEST_F(PublishTest, WhoReadsIsToldByNameToTheProductsOwnTeamAsItIsRegistered) {
  Put({});
  MustApply(admin_);
  std::string& product = files_["domains/operations/flights/product.odps.yaml"];
  Sample next{.version = "1.1.0"};
  next.columns = ReplaceAll(next.columns, "name: seats", "name: places");
  Put(next);
  auto named = [&](const std::string& principal) {
    model::Caller caller;
    caller.principal.name = principal;
    const Plan plan = PlanOf(caller);
    for (const Change& change : plan.changes) {
      for (const Finding& finding : change.findings) {
        if (finding.difference.column == "seats") return finding.readers.named;
      }
    }
    ADD_FAILURE() << "nothing is told of seats";
    return false;
  };
  EXPECT_TRUE(named("ana"));  // By the team of the product alone.
  EXPECT_FALSE(named("bo"));
  product = ReplaceAll(product, "username: ana", "username: bo");
  EXPECT_FALSE(named("bo"));
}

TEST_F(PublishTest, AStatusGoesForwardByItself) {
  Put({});
  MustApply(admin_);
  Put({.status = "deprecated"});
  EXPECT_EQ(Kinds(MustApply(ana_)), "unchanged mesh, status operations/flights, status operations/flights/flights@1");
  EXPECT_EQ(Kinds(MustApply(ana_)), "unchanged mesh, unchanged operations/flights");
  {
    auto txn = store_->Read().value();
    EXPECT_EQ(catalog::Ports(*txn).value()[0].status, "deprecated");
  }
  Put({.status = "active"});
  EXPECT_NE(Problems(PlanOf(ana_)).find("cannot become active again"), std::string::npos);
}

TEST_F(PublishTest, ADraftIsReplacedFreely) {
  Put({.status = "draft"});
  MustApply(admin_);
  Sample other{.status = "draft"};
  other.columns = other.columns.substr(0, other.columns.find("      - {name: seats"));
  other.sql = "SELECT id, name FROM input\n";
  Put(other);
  EXPECT_EQ(Kinds(MustApply(ana_)), "unchanged mesh, update operations/flights");
}

TEST_F(PublishTest, ADraftIsNoWayRoundTheBreakingGate) {
  Put({});
  MustApply(admin_);
  Put({.version = "1.1.0", .status = "draft"});
  MustApply(ana_);
  Sample breaking{.version = "1.1.0", .status = "draft"};
  breaking.columns = breaking.columns.substr(0, breaking.columns.find("      - {name: seats"));
  breaking.sql = "SELECT id, name FROM input\n";
  Put(breaking);
  EXPECT_NE(Problems(PlanOf(ana_)).find("weft.breaking"), std::string::npos) << Problems(PlanOf(ana_));
  breaking.status = "active";
  Put(breaking);
  EXPECT_NE(Problems(PlanOf(ana_)).find("weft.breaking"), std::string::npos) << Problems(PlanOf(ana_));
}

TEST_F(PublishTest, NewDataIsNoNewVersion) {
  Put({});
  MustApply(admin_);
  auto plan = Apply(*context_, ana_, Make("id,name,seats\n2,y,3\n"));
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(Kinds(*plan), "unchanged mesh, data operations/flights");
}

TEST_F(PublishTest, DataMustBeUploadedBeforeAnApply) {
  Put({});
  Submission submission = Make();
  submission.data[0].sha256 = Sha256("never sent");
  auto plan = MakePlan(*context_, admin_, submission);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->missing_data, std::vector<std::string>{Sha256("never sent")});
  EXPECT_FALSE(Apply(*context_, admin_, submission));
}

TEST_F(PublishTest, InputsNameWhatThereIs) {
  Put({});
  Sample reader{.domain = "fleet", .name = "planes"};
  reader.source = "{kind: product, address: operations/flight/flights@1}";
  Put(reader);
  EXPECT_NE(Problems(PlanOf(admin_)).find("did you mean 'operations/flights/flights@1'? [weft.input]"),
            std::string::npos)
      << Problems(PlanOf(admin_));
  reader.source = "{kind: product, address: operations/flights/flights@1}";
  Put(reader);
  MustApply(admin_);
  files_.clear();
  Put({.name = "third", .source = "{kind: product, address: fleet/planes/planes@1}"});
  EXPECT_EQ(Kinds(MustApply(ana_)), "create operations/third");
}

TEST_F(PublishTest, NoPortIsMadeFromItself) {
  Put({.source = "{kind: product, address: fleet/planes/planes@1}"});
  Put({.domain = "fleet", .name = "planes", .source = "{kind: product, address: operations/flights/flights@1}"});
  const std::string problems = Problems(PlanOf(admin_));
  EXPECT_NE(problems.find("fleet/planes/planes@1 reads operations/flights/flights@1 reads fleet/planes/planes@1"),
            std::string::npos)
      << problems;
  EXPECT_NE(problems.find("[weft.cycle]"), std::string::npos);
}

TEST_F(PublishTest, BuildsAreBoundBeforeTheirFirstRun) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"SELECT id, name,\n  sets AS seats FROM input", "flights.sql:2:3: there is no column 'sets' here"},
      {"SELECT id, name, seats FROM inputs",
       "flights.sql:1:29: 'inputs' is no input port of flights: its inputs are input; did you mean 'input'?"},
      {"SELECT id, name FROM input",
       "flights.odcs.yaml:13:9: schema[0].properties[2]: flights.sql gives no column 'seats'"},
      {"SELECT *, 1 AS more FROM input", "flights.sql: the column 'more' is not in the contract flights.odcs.yaml"},
      {"SELECT id, name, DATE '2013-01-01' AS seats FROM input",
       "gives 'seats' as DATE, which does not cast to INTEGER"},
      {"SELECT id, name, seats FROM input; SELECT 1", "one statement at a time"},
      {"DELETE FROM input", "only SELECT is read here"},
      {"SELECT id, name, seats FROM read_csv('/etc/passwd')", "read_csv"},
      {"SELECT id, name, random()::INT AS seats FROM input", "nondeterministic: true"},
      {"SELECT id name, seats FROM", "flights.sql:1:"},
  };
  for (const auto& [sql, expected] : cases) {
    Put({.sql = sql});
    const std::string problems = Problems(PlanOf(admin_));
    EXPECT_NE(problems.find(expected), std::string::npos) << sql << "\n" << problems;
    EXPECT_NE(problems.find("[weft.build]"), std::string::npos) << sql << "\n" << problems;
  }
}

TEST_F(PublishTest, WhatTheRunFillsIsNotAskedOfTheBuild) {
  auto problems = [&](const std::string& column, const std::string& build, const std::string& sql) {
    Sample sample{.sql = sql};
    sample.columns += column;
    Put(sample);
    std::string& product = files_[sample.Folder() + "product.odps.yaml"];
    product = ReplaceAll(product, "{sql: flights.sql}", "{sql: flights.sql, " + build + "}");
    return Problems(PlanOf(admin_));
  };
  const std::string state =
      "      - {name: day, logicalType: date, physicalType: date, required: true, primaryKey: true}\n";
  const std::string snapshot = "mode: snapshot, snapshot_column: day";
  EXPECT_EQ(problems(state, snapshot, "SELECT id, name, seats FROM input"), "");
  EXPECT_NE(problems(state, snapshot, "SELECT id, name, seats, DATE '2026-01-01' AS day FROM input")
                .find("flights.odcs.yaml:14:9: schema[0].properties[3]: flights.sql gives the column 'day', which the "
                      "run fills with its logical time: leave it out there [weft.build]"),
            std::string::npos);
  const std::string arrival = "      - {name: added, logicalType: date, physicalType: date, required: true}\n";
  EXPECT_EQ(problems(arrival, "mode: append, arrival_time: added", "SELECT id, name, seats FROM input"), "");
  EXPECT_NE(problems(arrival, "mode: append", "SELECT id, name, seats FROM input").find("gives no column 'added'"),
            std::string::npos);
}

TEST_F(PublishTest, WrongTypesAndRulesAreToldWithTheirPlace) {
  Sample sample;
  sample.columns = ReplaceAll(sample.columns, "physicalType: integer", "physicalType: date");
  Put(sample);
  EXPECT_NE(Problems(PlanOf(admin_)).find("flights.odcs.yaml:13:9: schema[0].properties[2]: column 'seats'"),
            std::string::npos)
      << Problems(PlanOf(admin_));
  sample = {};
  sample.columns += "        quality: [{id: q, metric: invalidValues, mustBe: 0}]\n";
  sample.columns = ReplaceAll(sample.columns, "      - {name: seats, logicalType: integer, physicalType: integer}",
                              "      - name: seats\n        logicalType: integer\n        physicalType: integer");
  Put(sample);
  EXPECT_NE(
      Problems(PlanOf(admin_)).find("flights.odcs.yaml:16:19: schema[0].properties[2].quality[0]: invalidValues needs"),
      std::string::npos)
      << Problems(PlanOf(admin_));
}

TEST_F(PublishTest, WhatIsMissingFromTheFolderIsOnlyTold) {
  Put({});
  MustApply(admin_);
  std::erase_if(files_, [](const auto& file) { return file.first.starts_with("domains/"); });
  Put({.domain = "fleet", .name = "planes"});
  EXPECT_EQ(Kinds(MustApply(admin_)), "unchanged mesh, create fleet/planes, missing operations/flights");
  auto txn = store_->Read().value();
  EXPECT_EQ(catalog::Products(*txn).value().size(), 2u);
}

TEST_F(PublishTest, ARefusedFolderRegistersNothing) {
  Put({});
  Put({.domain = "fleet", .name = "planes", .sql = "SELECT nothing FROM input"});
  auto refused = Apply(*context_, admin_, Make());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  auto txn = store_->Read().value();
  EXPECT_EQ(catalog::MeshId(*txn).value(), "");
  EXPECT_TRUE(catalog::Products(*txn).value().empty());
}

TEST_F(PublishTest, TheExampleIsFaultless) {
  const fs::path root = fs::path(WEFT_SOURCE_DIR) / "examples/flights";
  Submission submission;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file() || entry.path().extension() == ".csv") continue;
    submission.files.push_back({fs::relative(entry.path(), root).string(), ReadFile(entry.path()).value()});
  }
  for (const char* file :
       {"operations/flights/data/flights.csv", "fleet/registry/data/planes.csv", "fleet/registry/data/airlines.csv",
        "network/airports/data/airports.csv", "meteorology/weather/data/weather.csv"}) {
    submission.data.push_back({std::string("domains/") + file, Sha256(file), 1});
  }
  auto plan = MakePlan(*context_, admin_, submission);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->problems, std::vector<Problem>{}) << plan->ToJson().Pretty();
  EXPECT_EQ(plan->changes.size(), 8u);
  EXPECT_EQ(plan->missing_data.size(), 5u);
}

TEST_F(PublishTest, AThousandProductsArePlannedInSeconds) {
  Put({.name = "p0"});
  for (int i = 1; i < 1000; ++i) {
    Put({.name = fmt::format("p{}", i),
         .source = fmt::format("{{kind: product, address: operations/p{0}/p{0}@1}}", i - 1)});
  }
  const Submission submission = Make();
  const auto began = std::chrono::steady_clock::now();
  auto plan = MakePlan(*context_, admin_, submission);
  const auto took = std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - began);
  ASSERT_TRUE(plan);
  EXPECT_EQ(Problems(*plan), "");
  EXPECT_EQ(plan->changes.size(), 1001u);
  EXPECT_LT(took.count(), 20'000);
  RecordProperty("millis", static_cast<int>(took.count()));
}

TEST_F(PublishTest, FoldersThatAreAsTheyWereAppliedNeedNotBeSent) {
  Put({});
  Put({.domain = "fleet", .name = "planes"});
  MustApply(admin_);
  const auto kept_of = [&](const Submission& all) {
    std::map<std::string, std::map<std::string, std::string>> texts, data;
    for (const model::TextFile& file : all.files) {
      if (!file.path.starts_with("domains/")) continue;
      const std::vector<std::string> steps = Split(file.path, '/');
      texts[Join(std::span(steps).first(3), "/")][steps[3]] = file.text;
    }
    for (const model::DataFile& file : all.data) {
      const std::vector<std::string> steps = Split(file.path, '/');
      data[Join(std::span(steps).first(3), "/")][Join(std::span(steps).subspan(3), "/")] = file.sha256;
    }
    std::map<std::string, std::string> kept;
    for (const auto& [folder, files] : texts) kept[folder] = model::FolderDigest(files, data[folder]);
    return kept;
  };
  const auto brief = [&]() {
    Submission all = Make();
    Submission sent;
    sent.kept = kept_of(all);
    for (model::TextFile& file : all.files) {
      if (!file.path.starts_with("domains/")) sent.files.push_back(std::move(file));
    }
    return sent;
  };
  Plan plan = MakePlan(*context_, admin_, brief()).value();
  EXPECT_TRUE(plan.wanted.empty());
  EXPECT_EQ(Kinds(plan), "unchanged mesh, unchanged fleet/planes, unchanged operations/flights");

  // One that changed is wanted, and nothing else is said.
  Put({.version = "1.1.0"});
  plan = MakePlan(*context_, admin_, brief()).value();
  EXPECT_EQ(plan.wanted, std::vector<std::string>{"domains/operations/flights"});
  EXPECT_EQ(Kinds(plan), "");
  EXPECT_EQ(Apply(*context_, admin_, brief()).value().wanted.size(), 1u);
  Submission some = Make();
  some.kept["domains/fleet/planes"] = brief().kept["domains/fleet/planes"];
  std::erase_if(some.files, [](const model::TextFile& file) { return file.path.starts_with("domains/fleet"); });
  std::erase_if(some.data, [](const model::DataFile& file) { return file.path.starts_with("domains/fleet"); });
  EXPECT_EQ(Kinds(Apply(*context_, admin_, some).value()),
            "unchanged mesh, unchanged fleet/planes, update operations/flights");

  // What they are judged by changes: all are wanted.
  files_["mesh.yaml"] += "description: Another.\n";
  EXPECT_EQ(MakePlan(*context_, admin_, brief()).value().wanted.size(), 2u);
}

}  // namespace
}  // namespace weft::publish
