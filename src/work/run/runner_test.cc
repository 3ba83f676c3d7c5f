#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "model/checks.h"
#include "state/access/access.h"
#include "state/catalog/catalog.h"
#include "state/lineage/lineage.h"
#include "work/run/run.h"

namespace weft::run {
namespace {

struct StoppedClock : Clock {
  Instant now = Instant::Parse("2024-05-06T07:08:09Z").value();
  Instant Now() const override { return now; }
};

// Counts rows that fail: what work/quality does, without its room.
Result<CheckAnswer> CheckRows(const CheckRequest& request) {
  CheckAnswer answer;
  for (const model::Check& check : TRY(model::CompileChecks(request.contract, request.schema))) {
    std::string sql;
    if (check.kind == model::Check::Kind::kRow)
      sql = fmt::format("SELECT count(*) FROM ({}) WHERE {}", request.staged, check.failing);
    if (check.kind == model::Check::Kind::kUnique) {
      const std::string keys = Join(check.columns, ", ");
      sql = fmt::format("SELECT count(*) FROM (SELECT {0} FROM ({1}) GROUP BY {0} HAVING count(*) > 1)", keys,
                        request.whole);
    }
    if (check.kind == model::Check::Kind::kForeign) {
      const std::string target = TRY(request.table_sql(check.target));
      sql = fmt::format("SELECT count(*) FROM ({}) a ANTI JOIN ({}) b ON a.{} = b.{}", request.whole, target,
                        check.columns[0], check.target_columns[0]);
    }
    if (sql.empty()) continue;
    runs::CheckResult result;
    result.id = check.id;
    result.failing_rows = TRY(request.connection.Query(sql))
    .integer(0, 0);
    result.outcome = result.failing_rows == 0 ? "passed" : "failed";
    if (result.failing_rows > 0) {
      answer.refused = true;
      answer.summary += check.id + " failed";
    }
    answer.results.push_back(std::move(result));
  }
  return answer;
}

constexpr std::string_view kContract = R"(apiVersion: v3.2.0
kind: DataContract
id: {id}
name: {name}
version: {version}
status: active
schema:
  - name: {name}
    properties:
{properties})";

class RunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    engine::SetExtensionFolder(WEFT_DUCKDB_EXTENSIONS);
    folder_ = fs::temp_directory_path() / ("weft-run-" + NewSecret(6));
    fs::create_directories(folder_ / "roots");
    fs::create_directories(folder_ / "outside");
    store_ = store::Open("sqlite:" + (folder_ / "weft.db").string()).value();
    std::vector<store::Migration> all;
    for (auto migrations : {catalog::Migrations(), access::Migrations(), lake::Migrations(), runs::Migrations(),
                            ledger::Migrations(), lineage::Migrations()}) {
      all.insert(all.end(), migrations.begin(), migrations.end());
    }
    Status migrated = store::Migrate(*store_, all);
    ASSERT_TRUE(migrated) << migrated.error().message;
    ledger_ = ledger::Ledger::Open(*store_, clock_, folder_ / "keys").value();
    lake_ = lake::Lake::Open(*store_, clock_, folder_ / "lake").value();
    auto txn = store_->Begin().value();
    model::Mesh mesh =
        model::Mesh::Parse(
            "id: sky\ndomains:\n  - {name: fleet, owners: [ana]}\n  - {name: operations, owners: [ana]}\n", "mesh.yaml")
            .value();
    ASSERT_TRUE(catalog::PutMesh(*txn, mesh));
    ASSERT_TRUE(txn->Commit());
    StartRunner();
    caller_.principal = {model::Principal::Kind::kUser, "ana", {}, false};
  }
  void TearDown() override {
    runner_.reset();
    ledger_.reset();
    lake_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }

  void StartRunner(int parallel = 2) {
    Options options;
    options.upload_folder = folder_ / "uploads";
    options.source_roots = {(folder_ / "roots").string()};
    options.temp_folder = folder_ / "spill";
    options.parallel_runs = parallel;
    options.memory_bytes = int64_t{256} << 20;
    runner_ = Runner::Start({*store_, clock_, *lake_, memory_, CheckRows, options}).value();
  }

  struct Port {
    std::string name;
    std::string properties;  // Lines of the contract.
    std::string build;       // "{mode: append}"
    std::string sql;
  };
  // Registers a product of `domain` with its inputs (YAML of `source` by name) and ports.
  void Product(const std::string& domain, const std::string& name,
               const std::vector<std::pair<std::string, std::string>>& inputs, const std::vector<Port>& ports,
               const std::map<std::string, std::string>& data = {}, const std::string& input_contract = "") {
    ++patch_;  // A published version never changes.
    model::Bundle bundle;
    bundle.folder = "domains/" + domain + "/" + name;
    std::string text = fmt::format(
        "apiVersion: v1.1.0\nkind: DataProduct\nid: {0}-{1}\nname: {1}\ndomain: {0}\nversion: 1.0.{2}\nstatus: "
        "active\n",
        domain, name, patch_);
    text += inputs.empty() ? "" : "inputPorts:\n";
    for (const auto& [input, source] : inputs) {
      text += fmt::format(
          "  - name: {}\n    version: 1.0.0\n    contractId: in-{}\n    customProperties:\n      - {{property: source, "
          "vendor: weft, value: {}}}\n",
          input, input, source);
    }
    text += "outputPorts:\n";
    for (const Port& port : ports) {
      text += fmt::format(
          "  - name: {0}\n    version: 1.0.{4}\n    contractId: {1}-{2}-{0}\n    customProperties:\n"
          "      - {{property: build, vendor: weft, value: {3}}}\n",
          port.name, domain, name, port.build, patch_);
      Contract(bundle, domain + "-" + name + "-" + port.name, port.name, port.properties);
      if (!port.sql.empty()) bundle.builds[port.name + ".sql"] = port.sql;
    }
    if (!input_contract.empty()) Contract(bundle, "in-" + inputs[0].first, inputs[0].first, input_contract);
    auto product = model::Product::Parse(text, bundle.folder + "/product.odps.yaml");
    ASSERT_TRUE(product) << product.error().message
                         << (product.error().problems.empty() ? "" : product.error().problems[0].Text());
    bundle.product = product.TakeValue();
    for (const auto& [path, bytes] : data) {
      const std::string hash = Sha256(bytes);
      fs::create_directories(folder_ / "uploads" / hash.substr(0, 2));
      ASSERT_TRUE(WriteFileAtomically(folder_ / "uploads" / hash.substr(0, 2) / hash, bytes));
      bundle.data.push_back({path, hash, static_cast<int64_t>(bytes.size())});
    }
    auto txn = store_->Begin().value();
    Status put = catalog::Put(*txn, clock_, bundle, "ana");
    ASSERT_TRUE(put) << put.error().message;
    ASSERT_TRUE(catalog::PutData(*txn, domain, name, bundle.data));
    ASSERT_TRUE(txn->Commit());
  }
  void Contract(model::Bundle& bundle, const std::string& id, const std::string& name, const std::string& properties) {
    std::string text = ReplaceAll(ReplaceAll(kContract, "{id}", id), "{name}", name);
    text = ReplaceAll(text, "{version}", "1.0." + std::to_string(patch_));
    text = ReplaceAll(text, "{properties}", properties);
    auto contract = model::Contract::Parse(text, bundle.folder + "/" + name + ".odcs.yaml");
    ASSERT_TRUE(contract) << (contract.error().problems.empty() ? contract.error().message
                                                                : contract.error().problems[0].Text());
    bundle.contracts.push_back(contract.TakeValue());
  }

  runs::Run Wait(const std::string& id) {
    for (int i = 0; i < 3000; ++i) {
      auto run = runner_->Get(id);
      if (!run) ADD_FAILURE() << run.error().message;
      if (!run || (run->status != "pending" && run->status != "running")) return run.value_or(runs::Run{});
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "the run does not end";
    return {};
  }
  static model::PortKey Key(const std::string& text) { return model::PortKey::Parse(text).value(); }
  runs::Run Run(const std::string& port, bool force = false) {
    auto submitted = runner_->Submit(caller_, {{Key(port)}, force, std::nullopt});
    if (!submitted) {
      runs::Run none;
      none.message = submitted.error().message;
      return none;
    }
    return Wait(submitted->at(0).id);
  }
  void GrantPlanes(const std::string& principal) {
    auto txn = store_->Begin().value();
    access::Grant grant;
    grant.principal = principal;
    grant.port = Key("fleet/planes/planes@1");
    grant.granted_by = "ana";
    ASSERT_TRUE(access::PutGrant(*txn, clock_, grant));
    ASSERT_TRUE(txn->Commit());
  }
  // The rows of a port as "a|b, c|d", sorted.
  std::string RowsOf(const std::string& port) {
    auto txn = store_->Read().value();
    auto view = lake::Open(*txn, Key(port));
    if (!view) return view.error().message;
    auto instance = engine::Instance::Open({}).value();
    auto connection = instance->Connect().value();
    auto rows = connection->Query(lake::ScanSql(*view) + " ORDER BY ALL");
    if (!rows) return rows.error().message;
    std::vector<std::string> lines;
    for (const auto& row : rows->cells) {
      std::vector<std::string> cells;
      for (const auto& cell : row) cells.push_back(cell.value_or("-"));
      lines.push_back(Join(cells, "|"));
    }
    return Join(lines, ", ");
  }
  std::vector<std::string> LedgerKinds() {
    EXPECT_TRUE(ledger_->SealNow());
    auto txn = store_->Read().value();
    std::vector<std::string> kinds;
    const auto rows = ledger::List(*txn, {}).value();
    for (const auto& row : rows) kinds.push_back(row.entry.kind);
    return kinds;
  }

  const std::string kPlanes =
      "      - {name: tail, logicalType: string, required: true, primaryKey: true}\n      - {name: seats, logicalType: "
      "integer}\n";
  void Planes(const std::string& csv, const std::string& build = "{mode: replace}", const std::string& options = "") {
    Product("fleet", "planes", {{"list", "{kind: file, path: data/planes.csv" + options + "}"}},
            {{"planes", kPlanes, build, ""}}, {{"domains/fleet/planes/data/planes.csv", csv}});
  }

  int patch_ = -1;
  StoppedClock clock_;
  fs::path folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<lake::Lake> lake_;
  engine::MemoryBroker memory_{int64_t{1} << 30};
  std::unique_ptr<Runner> runner_;
  model::Caller caller_;
};

TEST_F(RunnerTest, ReadsAFileAndSkipsWhenNothingChanged) {
  Planes("tail,seats,maker\nN1,180,A\nN2,,B\n");
  runs::Run run = Run("fleet/planes/planes@1");
  EXPECT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(run.rows, 2);
  EXPECT_EQ(run.checks.size(), 2u);
  EXPECT_EQ(RowsOf("fleet/planes/planes@1"), "N1|180, N2|-");
  runs::Run again = Run("fleet/planes/planes@1");
  EXPECT_EQ(again.status, "skipped") << again.message;
  EXPECT_EQ(again.snapshot_id, run.snapshot_id);
  EXPECT_EQ(Run("fleet/planes/planes@1", true).status, "succeeded");
  EXPECT_EQ(LedgerKinds(), (std::vector<std::string>{"committed", "ran", "committed"}));
}

TEST_F(RunnerTest, CsvIsReadAsItsSourceSays) {
  Planes("seats;tail\n'180';N1\nNA;'N;2'\n", "{mode: replace}", ", delimiter: ';', quote: \"'\", \"null\": NA");
  runs::Run run = Run("fleet/planes/planes@1");
  EXPECT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(RowsOf("fleet/planes/planes@1"), "N1|180, N;2|-");
}

TEST_F(RunnerTest, ReadsEveryFormatWhateverItsUploadIsCalled) {
  auto instance = engine::Instance::Open({}).value();
  auto connection = instance->Connect().value();
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"a.csv.gz", "FORMAT csv, COMPRESSION gzip", "gzip"},
      {"a.csv.zst", "FORMAT csv, COMPRESSION zstd", "zstd"},
      {"a.jsonl", "FORMAT json", "lines"},
      {"a.json.gz", "FORMAT json, ARRAY true, COMPRESSION gzip", "array"},
      {"a.parquet", "FORMAT parquet", "parquet"},
  };
  for (const auto& [name, copy, seats] : cases) {
    const std::string path = (folder_ / name).string();
    ASSERT_TRUE(connection->Execute(
        fmt::format("COPY (SELECT '{}' AS tail, 7 AS seats, 'x' AS more) TO '{}' ({})", seats, path, copy)));
    Product("fleet", "planes", {{"list", fmt::format("{{kind: file, path: {}}}", name)}},
            {{"planes", kPlanes, "{mode: replace}", ""}},
            {{std::string("domains/fleet/planes/") + name, ReadFile(path).value()}});
    runs::Run run = Run("fleet/planes/planes@1");
    EXPECT_EQ(run.status, "succeeded") << name << ": " << run.message;
    EXPECT_EQ(RowsOf("fleet/planes/planes@1"), seats + std::string("|7")) << name;
  }
}

TEST_F(RunnerTest, WhatCannotBeReadIsToldWithItsLine) {
  Planes("tail,seats\nN1,180\nN2,many\nN3,2\nN4\n");
  runs::Run run = Run("fleet/planes/planes@1");
  EXPECT_EQ(run.status, "failed");
  EXPECT_NE(run.message.find("2 values that cannot be read: line 3, column seats: \"many\" is no number"),
            std::string::npos)
      << run.message;
  EXPECT_NE(run.message.find("line 5"), std::string::npos) << run.message;
  EXPECT_EQ(RowsOf("fleet/planes/planes@1"), "");
  EXPECT_EQ(LedgerKinds(), std::vector<std::string>{"failed"});
}

TEST_F(RunnerTest, AWrongEncodingIsTold) {
  Planes("tail,seats\nN\xe9,180\n");
  runs::Run run = Run("fleet/planes/planes@1");
  EXPECT_EQ(run.status, "failed");
  EXPECT_NE(run.message.find("utf-8"), std::string::npos) << run.message;
}

TEST_F(RunnerTest, TheInputsContractHoldsTheHeader) {
  Product("fleet", "planes", {{"list", "{kind: file, path: planes.csv}"}}, {{"planes", kPlanes, "{mode: replace}", ""}},
          {{"domains/fleet/planes/planes.csv", "tail,places\nN1,180\n"}}, kPlanes);
  runs::Run run = Run("fleet/planes/planes@1");
  EXPECT_EQ(run.status, "failed");
  EXPECT_NE(run.message.find("lacks seats, and has places"), std::string::npos) << run.message;
}

TEST_F(RunnerTest, ARefusedRunLeavesEvidenceAndNothingElse) {
  Planes("tail,seats\nN1,180\nN1,181\n");
  runs::Run run = Run("fleet/planes/planes@1");
  EXPECT_EQ(run.status, "refused");
  EXPECT_EQ(run.message, "primaryKey failed");
  EXPECT_FALSE(run.snapshot_id);
  ASSERT_EQ(run.checks.size(), 2u);
  EXPECT_EQ(RowsOf("fleet/planes/planes@1"), "");
  EXPECT_EQ(LedgerKinds(), std::vector<std::string>{"refused"});
  Planes("tail,seats\nN1,180\n");
  EXPECT_EQ(Run("fleet/planes/planes@1").status, "succeeded");
}

TEST_F(RunnerTest, AppendKeepsTheFirstRowOfAKey) {
  Planes("tail,seats\nN1,180\nN1,181\nN2,90\n", "{mode: append}");
  ASSERT_EQ(Run("fleet/planes/planes@1").status, "succeeded");
  EXPECT_EQ(RowsOf("fleet/planes/planes@1"), "N1|180, N2|90");
  Planes("tail,seats\nN2,91\nN3,70\n", "{mode: append}");
  runs::Run run = Run("fleet/planes/planes@1");
  EXPECT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(run.rows, 1);
  EXPECT_EQ(RowsOf("fleet/planes/planes@1"), "N1|180, N2|90, N3|70");
}

TEST_F(RunnerTest, AbsoluteSourcesStayUnderTheRoots) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "outside" / "a.csv", "tail,seats\nN1,1\n"));
  ASSERT_TRUE(WriteFileAtomically(folder_ / "roots" / "a.csv", "tail,seats\nN1,1\n"));
  ASSERT_TRUE(WriteFileAtomically(folder_ / "roots" / "b.csv", "tail,seats\nN2,2\n"));
  const std::string root = (folder_ / "roots").string();
  auto run = [&](const std::string& path) {
    Product("fleet", "planes", {{"list", "{kind: file, path: '" + path + "'}"}},
            {{"planes", kPlanes, "{mode: replace}", ""}});
    return Run("fleet/planes/planes@1");
  };
  EXPECT_EQ(run(root + "/*.csv").status, "succeeded");
  EXPECT_EQ(RowsOf("fleet/planes/planes@1"), "N1|1, N2|2");
  EXPECT_NE(run((folder_ / "outside" / "a.csv").string()).message.find("does not lie under"), std::string::npos);
  EXPECT_NE(run(root + "/../outside/a.csv").message.find("does not lie under"), std::string::npos);
  fs::create_symlink(folder_ / "outside" / "a.csv", folder_ / "roots" / "link.csv");
  EXPECT_NE(run(root + "/link.csv").message.find("does not lie under"), std::string::npos);
  EXPECT_NE(run(root + "/gone.csv").message.find("cannot be found"), std::string::npos);
}

TEST_F(RunnerTest, ReadsOtherProductsAsItsOwnPrincipal) {
  Planes("tail,seats\nN1,180\nN2,90\n");
  ASSERT_EQ(Run("fleet/planes/planes@1").status, "succeeded");
  Product("operations", "capacity", {{"planes", "{kind: product, address: 'weft://sky/fleet/planes/planes@1'}"}},
          {{"big", "      - {name: plane, logicalType: string}\n      - {name: places, logicalType: integer}\n",
            "{sql: big.sql}", "SELECT tail AS plane, seats + 1 AS places FROM planes WHERE seats > 100;"}});
  runs::Run denied = Run("operations/capacity/big@1");
  EXPECT_EQ(denied.status, "denied");
  EXPECT_NE(denied.message.find("product:operations/capacity may not read fleet/planes/planes@1"), std::string::npos)
      << denied.message;
  EXPECT_NE(denied.message.find("weft grant product:operations/capacity fleet/planes/planes@1"), std::string::npos)
      << denied.message;
  GrantPlanes("product:operations/capacity");
  runs::Run run = Run("operations/capacity/big@1");
  EXPECT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(RowsOf("operations/capacity/big@1"), "N1|181");
  auto txn = store_->Read().value();
  auto edges = lineage::Walk(*txn, "operations/capacity/big@1", lineage::Direction::kUp).value();
  ASSERT_FALSE(edges.empty());
  std::vector<std::string> columns;
  for (const auto& edge : edges[0].columns) columns.push_back(edge.column + "<-" + edge.input_column + ":" + edge.how);
  std::sort(columns.begin(), columns.end());
  EXPECT_EQ(Join(columns, " "), "*<-seats:filter places<-seats:computed plane<-tail:direct");
}

TEST_F(RunnerTest, ARequestRunsUpstreamFirstAndDoesNotBuildOnFailures) {
  Product("fleet", "planes", {{"list", "{kind: file, path: planes.csv}"}}, {{"planes", kPlanes, "{mode: replace}", ""}},
          {{"domains/fleet/planes/planes.csv", "tail,seats\nN1,many\n"}});
  Product("fleet", "a-view", {{"planes", "{kind: product, address: 'weft://sky/fleet/planes/planes@1'}"}},
          {{"all", kPlanes, "{mode: replace}", ""}});
  GrantPlanes("product:fleet/a-view");
  auto runs = runner_->Submit(caller_, {}).value();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].port.Text(), "fleet/planes/planes@1");
  EXPECT_EQ(Wait(runs[1].id).message, "its input fleet/planes/planes@1 did not succeed in " + runs[0].id);
  Product("fleet", "planes", {{"list", "{kind: file, path: planes.csv}"}}, {{"planes", kPlanes, "{mode: replace}", ""}},
          {{"domains/fleet/planes/planes.csv", "tail,seats\nN1,2\n"}});
  runs = runner_->Submit(caller_, {}).value();
  EXPECT_EQ(Wait(runs[1].id).status, "succeeded");
  EXPECT_EQ(RowsOf("fleet/a-view/all@1"), "N1|2");
}

TEST_F(RunnerTest, BuildsThatReachOutsideAreRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT * FROM read_csv('/etc/passwd')", "read_csv"},
      {"SELECT tail, seats FROM other", "is no input port of planes"},
      {"COPY list TO '/tmp/x'", ""},
      {"SELECT tail, seats FROM list; SELECT 1", ""},
      {"SELECT tail, random() AS seats FROM list", "nondeterministic"},
      {"SELECT tail, system.main.day(now()) AS seats FROM list", ""},
      {"SELECT tail, seats + 0.5 AS seats FROM list", "1.5 is no whole number"},
      {"SELECT tail FROM list", "does not give seats"},
      {"SELECT tail, seats, 1 AS one FROM list", "gives one, which the contract has not"},
  };
  for (const auto& [sql, words] : cases) {
    Product("fleet", "planes", {{"list", "{kind: file, path: planes.csv}"}},
            {{"planes", kPlanes, "{sql: planes.sql}", sql}},
            {{"domains/fleet/planes/planes.csv", "tail,seats\nN1,1\n"}});
    runs::Run run = Run("fleet/planes/planes@1");
    EXPECT_TRUE(run.status == "failed" || run.status == "refused") << sql << " " << run.status;
    EXPECT_NE(run.message.find(words), std::string::npos) << sql << ": " << run.message;
  }
}

TEST_F(RunnerTest, EverySpellingOfThePresentIsTheLogicalTime) {
  const std::string sql =
      "SELECT tail, CAST(epoch(now()) - 1700000000 AS BIGINT) + CASE WHEN now() = current_timestamp AND now() = "
      "get_current_timestamp() AND now() = transaction_timestamp() AND current_date = today() AND today() = DATE "
      "'2023-11-14' "
      "AND localtimestamp = current_localtimestamp() AND current_time = get_current_time() AND localtime = TIME "
      "'22:13:20' "
      "AND age(TIMESTAMP '2022-11-14') = INTERVAL 1 YEAR AND ago(INTERVAL 1 DAY) = now() - INTERVAL 1 DAY THEN 0 ELSE "
      "1 END AS seats FROM list";
  Product("fleet", "planes", {{"list", "{kind: file, path: planes.csv}"}},
          {{"planes", kPlanes, "{sql: planes.sql}", sql}}, {{"domains/fleet/planes/planes.csv", "tail,seats\nN1,1\n"}});
  auto run = [&](const std::string& time) {
    auto submitted = runner_->Submit(caller_, {{Key("fleet/planes/planes@1")}, false, Instant::Parse(time).value()});
    return Wait(submitted.value().at(0).id);
  };
  runs::Run first = run("2023-11-14T22:13:20Z");
  EXPECT_EQ(first.status, "succeeded") << first.message;
  EXPECT_EQ(RowsOf("fleet/planes/planes@1"), "N1|0");
  EXPECT_EQ(run("2023-11-14T22:13:20Z").status, "skipped");
  EXPECT_EQ(run("2023-11-14T22:13:21Z").status, "succeeded");  // The time is part of the key, as the build uses it.
}

TEST_F(RunnerTest, OneRunAPortAndCancel) {
  StartRunner(1);
  Product("fleet", "planes", {{"list", "{kind: file, path: planes.csv}"}},
          {{"planes", kPlanes, "{sql: planes.sql}",
            "SELECT max(tail) AS tail, count(*) AS seats FROM list, range(100000), range(1000000)"}},
          {{"domains/fleet/planes/planes.csv", "tail,seats\nN1,1\n"}});
  auto first = runner_->Submit(caller_, {{Key("fleet/planes/planes@1")}, false, std::nullopt});
  ASSERT_TRUE(first);
  auto second = runner_->Submit(caller_, {{Key("fleet/planes/planes@1")}, false, std::nullopt});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
  for (int i = 0; i < 300 && runner_->Get(first->at(0).id)->step != "reading"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_TRUE(runner_->Cancel(caller_, first->at(0).id));
  EXPECT_EQ(Wait(first->at(0).id).status, "cancelled");
  EXPECT_EQ(memory_.free(), memory_.total());
  EXPECT_FALSE(runner_->Cancel(caller_, first->at(0).id));
  EXPECT_EQ(LedgerKinds(), std::vector<std::string>{"cancelled"});
}

TEST_F(RunnerTest, OnlyThoseWhoMayRun) {
  Planes("tail,seats\nN1,1\n");
  model::Caller stranger;
  stranger.principal = {model::Principal::Kind::kUser, "bob", {}, false};
  auto runs = runner_->Submit(stranger, {{Key("fleet/planes/planes@1")}, false, std::nullopt});
  ASSERT_FALSE(runs);
  EXPECT_EQ(runs.error().code, Code::kDenied);
  EXPECT_FALSE(runner_->Submit(stranger, {}));  // Of all there is, nothing is theirs to run: no denial.
  const runs::Run run = Run("fleet/planes/planes@1");
  EXPECT_EQ(runner_->Cancel(stranger, run.id).error().code, Code::kDenied);
  EXPECT_EQ(LedgerKinds(), (std::vector<std::string>{"denied", "committed", "denied"}));
}

TEST_F(RunnerTest, ForeignKeysFindInputsSiblingsAndOtherProducts) {
  const std::string flights =
      "      - {name: id, logicalType: integer}\n      - {name: tail, logicalType: string, relationships: [{to: "
      "'TARGET'}]}\n";
  auto run = [&](const std::string& target) {
    Product("fleet", "planes", {{"list", "{kind: file, path: planes.csv}"}, {"trips", "{kind: file, path: trips.csv}"}},
            {{"planes", kPlanes, "{sql: planes.sql}", "SELECT * FROM list"},
             {"flights", ReplaceAll(flights, "TARGET", target), "{sql: flights.sql}", "SELECT id, tail FROM trips"}},
            {{"domains/fleet/planes/planes.csv", "tail,seats\nN1,1\n"},
             {"domains/fleet/planes/trips.csv", "id,tail\n1,N1\n2,N9\n"}});
    EXPECT_EQ(Run("fleet/planes/planes@1", true).status, "succeeded");
    return Run("fleet/planes/flights@1");
  };
  for (const char* target : {"list.tail", "planes.tail", "fleet.planes.planes.tail"}) {
    runs::Run result = run(target);
    EXPECT_EQ(result.status, "refused") << target;
    EXPECT_EQ(result.message, "tail.foreignKey failed") << target;
  }
  EXPECT_NE(run("boats.tail").message.find("'boats' is no input port"), std::string::npos);
}

}  // namespace
}  // namespace weft::run
