#include "work/run/execution.h"
#include "work/run/testing.h"

namespace weft::run {
namespace {

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

// In one folder, two engines would overwrite each other's spill.
TEST_F(RunnerTest, EachEngineSpillsToAFolderOfItsOwn) {
  Options options;
  options.temp_folder = folder_ / "spill";
  const Context context{*store_, clock_, *ledger_, *lake_, memory_, vault_, CheckRows, options};
  std::set<std::string> folders;
  for (int i = 0; i < 2; ++i) {
    auto instance = OpenFor(context).value();
    const engine::Rows rows = instance->Connect().value()->Query("SELECT current_setting('temp_directory')").value();
    EXPECT_TRUE(rows.text(0, 0).starts_with(options.temp_folder + "/")) << rows.text(0, 0);
    folders.insert(rows.text(0, 0));
  }
  EXPECT_EQ(folders.size(), 2u);
}

// Where the environment's source reads the very same rows, it is another run all the same.
TEST_F(RunnerTest, WhatAnEnvironmentLaysOverASourceIsPartOfTheRun) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "roots/planes.csv", "tail,seats\nN1,180\n"));
  const std::string path = (folder_ / "roots/planes.csv").string();
  auto product = [&](const std::string& overlay) {
    overlay_ = overlay;
    patch_ = -1;  // The same contract each time, of another version of the product.
    ++later_;
    Product("fleet", "planes", {{"list", "{kind: file, path: " + path + ", quote: \"'\"}"}},
            {{"planes", kPlanes, "{mode: replace}", ""}});
  };
  {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(catalog::SettleEnvironment(*txn, "prod"));
    ASSERT_TRUE(txn->Commit());
  }
  product("");
  const runs::Run plain = Run("fleet/planes/planes@1");
  ASSERT_EQ(plain.status, "succeeded") << plain.message;
  std::set<std::string> keys{plain.key}, records{plain.inputs.Dump()};
  for (const std::string overlay : {"sources: {list: {escape: \"'\"}}\n", "sources: {list: {escape: '+'}}\n"}) {
    product(overlay);
    const runs::Run run = Run("fleet/planes/planes@1", true);
    ASSERT_EQ(run.status, "succeeded") << run.message;
    EXPECT_EQ(run.inputs[size_t{0}]["overlay"].Text(), "env/prod.yaml");
    keys.insert(run.key);
    records.insert(run.inputs.Dump());
    EXPECT_EQ(Run("fleet/planes/planes@1").status, "skipped") << "the same again is the same run";
  }
  EXPECT_EQ(keys.size(), 3u);
  EXPECT_EQ(records.size(), 3u);
}

// Each word that a descriptor may have for it is one that the lake knows.
TEST_F(RunnerTest, APortsFilesAreCompressedAsItsStorageSays) {
  for (const std::string codec : {"zstd", "snappy", "uncompressed"}) {
    storage_ = "{compression: " + codec + "}";
    Planes("tail,seats\nN1,180\n");
    const runs::Run run = Run("fleet/planes/planes@1", true);
    ASSERT_EQ(run.status, "succeeded") << run.message;
    auto txn = store_->Read().value();
    const lake::View view = lake::Open(*txn, Key("fleet/planes/planes@1")).value();
    auto instance = engine::Instance::Open({}).value();
    auto connection = instance->Connect().value();
    const auto rows = connection->Query(
        fmt::format("SELECT DISTINCT lower(compression) FROM parquet_metadata('{}')", view.files.at(0).path));
    EXPECT_EQ(rows.value().text(0, 0), codec);
  }
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

TEST_F(RunnerTest, SyntaxThatStandsForAFunctionIsNoQualifiedName) {
  Product("fleet", "planes", {{"list", "{kind: file, path: planes.csv}"}},
          {{"planes", kPlanes, "{sql: planes.sql}",
            "SELECT trim(BOTH 'N' FROM tail) || substring('abc' FROM 2 FOR 1) AS tail, len(['x', tail]) + extract(year "
            "FROM DATE '2020-01-01') + {'a': 1}.a + position('1' IN tail) AS seats FROM list"}},
          {{"domains/fleet/planes/planes.csv", "tail\nN1\n"}});
  runs::Run run = Run("fleet/planes/planes@1");
  EXPECT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(RowsOf("fleet/planes/planes@1"), "1b|2025");
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

TEST_F(RunnerTest, ADecimalCommaLeavesPointsToThousands) {
  auto publish = [&](const std::string& rows) {
    Product(
        "fleet", "planes", {{"list", "{kind: file, path: planes.csv, decimal: ',', delimiter: ';'}"}},
        {{"planes",
          "      - {name: tail, logicalType: string}\n      - {name: price, logicalType: number, physicalType: "
          "'decimal(9,2)'}\n      - {name: seats, logicalType: integer}\n      - {name: share, logicalType: number}\n",
          "{mode: replace}", ""}},
        {{"domains/fleet/planes/planes.csv", "tail;price;seats;share\n" + rows}});
    return Run("fleet/planes/planes@1");
  };
  runs::Run run = publish("N1.5;1.234,50;1.800;0,125\nN2;-3;;,5e1\n");
  ASSERT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(RowsOf("fleet/planes/planes@1"), "N1.5|1234.50|1800|0.125, N2|-3.00|-|5.0");
  for (const char* wrong : {"1.5", "12.34,5", "1,2,3", "1_5", "1234.567,00"}) {
    run = publish(fmt::format("N1;1,0;1;1\nN2;{};1;1\n", wrong));
    EXPECT_EQ(run.status, "failed") << wrong;
    EXPECT_NE(run.message.find(fmt::format("line 3, column price: \"{}", wrong)), std::string::npos) << run.message;
  }
}

TEST_F(RunnerTest, AWrongEncodingIsTold) {
  Planes("tail,seats\nN\xe9,180\n");
  runs::Run run = Run("fleet/planes/planes@1");
  EXPECT_EQ(run.status, "failed");
  EXPECT_NE(run.message.find("not UTF-8"), std::string::npos) << run.message;
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
  EXPECT_EQ(Wait(runs[1].id).message, "it comes after fleet/planes/planes@1, which did not succeed in " + runs[0].id);
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
  EXPECT_EQ(LedgerKinds(), (std::vector<std::string>{"refused", "cancelled"}));
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
  EXPECT_EQ(LedgerKinds(), (std::vector<std::string>{"denied", "committed"}));  // The second is counted.
}

// A rollback is a run: the line of snapshots goes round what it withdrew.
TEST_F(RunnerTest, ARollbackRestoresTheRowsAndWithdrawsTheRun) {
  Planes("tail,seats\nN1,180\n");
  const runs::Run good = Run("fleet/planes/planes@1");
  Planes("tail,seats\nN1,9999\n");
  const runs::Run bad = Run("fleet/planes/planes@1");
  auto rollback = [&](const std::optional<lake::At>& to) {
    auto queued = runner_->Rollback(caller_, Key("fleet/planes/planes@1"), to, "too many seats");
    if (queued) return Wait(queued->id);
    runs::Run none;
    none.message = queued.error().message;
    return none;
  };
  const runs::Run back = rollback(std::nullopt);
  ASSERT_EQ(back.status, "succeeded") << back.message;
  EXPECT_EQ(back.restores, good.snapshot_id);
  EXPECT_EQ(back.checks.size(), 2u);
  EXPECT_EQ(RowsOf("fleet/planes/planes@1"), "N1|180");
  EXPECT_EQ(Run("fleet/planes/planes@1").status, "refused");
  EXPECT_EQ(runner_->Get(bad.id)->withdrawn_by, back.id);
  {
    auto txn = store_->Read().value();
    const auto history = lake::History(*txn, Key("fleet/planes/planes@1")).value();
    ASSERT_EQ(history.size(), 3u);
    EXPECT_EQ(history[0].restores, good.snapshot_id);
    EXPECT_EQ(history[0].parent, bad.snapshot_id);
    EXPECT_EQ(lake::LineOf(history, *back.snapshot_id), std::vector<int64_t>{*good.snapshot_id});
    EXPECT_EQ(lake::LineOf(history, *bad.snapshot_id), (std::vector<int64_t>{*bad.snapshot_id, *good.snapshot_id}));
  }
  EXPECT_NE(rollback(std::nullopt).message.find("no snapshot before"), std::string::npos);
  EXPECT_EQ(rollback(lake::At{bad.snapshot_id, {}, ""}).status, "succeeded");
  EXPECT_EQ(runner_->Get(bad.id)->withdrawn_by, "");
  EXPECT_EQ(RowsOf("fleet/planes/planes@1"), "N1|9999");
  EXPECT_EQ(LedgerKinds(),
            (std::vector<std::string>{"committed", "committed", "rolled-back", "refused", "rolled-back"}));
}

// Appended to after a rollback, a table has what it was rolled back to and the new rows, and nothing between.
TEST_F(RunnerTest, WhatIsAppendedAfterARollbackComesAfterWhatItRestored) {
  Planes("tail,seats\nN1,1\n", "{mode: append}");
  Run("fleet/planes/planes@1");
  Planes("tail,seats\nN2,2\n", "{mode: append}");
  Run("fleet/planes/planes@1");
  auto queued = runner_->Rollback(caller_, Key("fleet/planes/planes@1"), std::nullopt, "");
  ASSERT_TRUE(queued) << queued.error().message;
  EXPECT_EQ(Wait(queued->id).status, "succeeded");
  Planes("tail,seats\nN3,3\n", "{mode: append}");
  EXPECT_EQ(Run("fleet/planes/planes@1").status, "succeeded");
  EXPECT_EQ(RowsOf("fleet/planes/planes@1"), "N1|1, N3|3");
}

}  // namespace
}  // namespace weft::run
