// A mesh for tests of runs: products from texts, their runs and rows, with a real store, ledger and lake.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "drivers/store/testing.h"
#include "model/checks.h"
#include "state/access/access.h"
#include "state/catalog/catalog.h"
#include "state/lineage/lineage.h"
#include "state/nodes/nodes.h"
#include "state/schedules/schedules.h"
#include "work/run/run.h"

namespace weft::run {

struct StoppedClock : Clock {
  Instant now = Instant::Parse("2024-05-06T07:08:09Z").value();
  Instant Now() const override { return now; }
};

// Counts rows that fail: what work/quality does, without its room.
inline Result<CheckAnswer> CheckRows(const CheckRequest& request) {
  CheckAnswer answer;
  std::vector<model::Check> checks = TRY(model::CompileChecks(request.contract, request.schema, request.entities));
  checks.insert(checks.end(), request.also.begin(), request.also.end());
  for (const model::Check& check : checks) {
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
    result.failing_rows = TRY(request.connection.Query(sql)).integer(0, 0);
    result.outcome = result.failing_rows == 0 ? "passed" : "failed";
    if (result.failing_rows > 0) {
      answer.refused = true;
      answer.summary += check.id + " failed";
    }
    answer.results.push_back(std::move(result));
  }
  return answer;
}

inline constexpr std::string_view kContract = R"(apiVersion: v3.2.0
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
    fs::create_directories(folder_ / "roots");
    fs::create_directories(folder_ / "outside");
    store_ = store::Open(store::TestUrl((folder_ / "weft.db").string())).value();
    std::vector<store::Migration> all;
    for (auto migrations :
         {catalog::Migrations(), access::Migrations(), lake::Migrations(), runs::Migrations(), ledger::Migrations(),
          lineage::Migrations(), secrets::Migrations(), nodes::Migrations(), schedules::Migrations()}) {
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
    runner_ = Runner::Start({*store_, clock_, *ledger_, *lake_, memory_, vault_, CheckRows, options}).value();
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
        domain, name, patch_ + later_);
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
      if (!storage_.empty()) text += fmt::format("      - {{property: storage, vendor: weft, value: {}}}\n", storage_);
      Contract(bundle, domain + "-" + name + "-" + port.name, port.name, port.properties);
      if (!port.sql.empty()) bundle.builds[port.name + ".sql"] = port.sql;
    }
    if (!input_contract.empty()) Contract(bundle, "in-" + inputs[0].first, inputs[0].first, input_contract);
    auto product = model::Product::Parse(text, bundle.folder + "/product.odps.yaml");
    ASSERT_TRUE(product) << product.error().message
                         << (product.error().problems.empty() ? "" : product.error().problems[0].Text());
    bundle.product = product.TakeValue();
    if (!overlay_.empty()) bundle.overlays = {{"prod", bundle.folder + "/env/prod.yaml", overlay_}};
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
    ASSERT_TRUE(access::PutGrant(*txn, clock_, grant, {}));
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

  std::string storage_, overlay_;  // Of the products that are made from now on: their storage, and what prod lays over.
  int patch_ = -1;
  int later_ = 0;  // How far a product's version is before those of its ports.
  StoppedClock clock_;
  const fs::path folder_ = fs::temp_directory_path() / ("weft-run-" + NewSecret(6));
  secrets::Vault vault_{(folder_ / "seal.key").string()};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<lake::Lake> lake_;
  engine::MemoryBroker memory_{int64_t{1} << 30};
  std::unique_ptr<Runner> runner_;
  model::Caller caller_;
};

}  // namespace weft::run
