// A mesh for tests: one port, sales/orders/orders@1, with rows in a real lake, and people with and without a grant.
#pragma once

#include <stdexcept>

#include "base/file.h"
#include "base/id.h"
#include "drivers/store/testing.h"
#include "model/repository.h"
#include "state/access/access.h"
#include "state/catalog/catalog.h"
#include "work/query/query.h"

namespace weft::query::testing {

template <class T>
T Must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return result.TakeValue();
}
inline void Must(Status status) {
  if (!status) throw std::runtime_error(status.error().message);
}

class TestMesh {
 public:
  explicit TestMesh(Options options = {}, int64_t rows = 1'000)
      : folder_(fs::temp_directory_path() / NewId("weft-query")) {
    Must(MakeFolders(folder_));
    engine::SetExtensionFolder(WEFT_DUCKDB_EXTENSIONS);
    store_ = Must(store::Open(store::TestUrl((folder_ / "weft.db").string())));
    for (auto migrations : {ledger::Migrations(), access::Migrations(), catalog::Migrations(), lake::Migrations(),
                            secrets::Migrations()}) {
      Must(store::Migrate(*store_, migrations));
    }
    ledger_ = Must(ledger::Ledger::Open(*store_, SystemClock(), (folder_ / "ledger").string()));
    lake_ = Must(lake::Lake::Open(*store_, SystemClock(), (folder_ / "lake").string()));
    Publish();
    Load(rows);
    options.temp_folder = (folder_ / "spill").string();
    engine_ = Must(Engine::Start({*store_, SystemClock(), *ledger_, memory_, vault_, options}));
  }
  ~TestMesh() {
    engine_.reset();
    lake_.reset();
    ledger_.reset();
    store_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  // A token of `principal`; only "ana" (an owner) and "ben" (by grant) may read.
  std::string Token(const std::string& principal) {
    auto txn = Must(store_->Begin());
    auto token = Must(access::CreateToken(*txn, SystemClock(), principal, "test", false, std::nullopt));
    Must(txn->Commit());
    return token.secret;
  }
  model::Caller CallerOf(const std::string& principal) {
    auto txn = Must(store_->Read());
    return {Must(access::PrincipalOf(*txn, principal)), "", "flight", "127.0.0.1:1", "tok_test"};
  }
  void Revoke(const std::string& principal) {
    auto txn = Must(store_->Begin());
    Must(access::Revoke(*txn, SystemClock(), principal, kKey));
    Must(txn->Commit());
  }
  void Grant(const std::string& principal, Millis lasting) {
    access::Grant grant{"",    principal, kKey, "", Instant{SystemClock().Now().micros + lasting.count() * 1'000},
                        "ana", {}};
    auto txn = Must(store_->Begin());
    Must(access::PutGrant(*txn, SystemClock(), grant, {}));
    Must(txn->Commit());
  }
  std::vector<ledger::Sealed> Ledger(const std::string& kind) {
    Must(ledger_->SealNow());
    auto txn = Must(store_->Read());
    return Must(ledger::List(*txn, {.kind = kind}));
  }
  // Another snapshot, of rows whose ids go on from `from`; of columns whose ids go on from `last_field_id`.
  void Load(int64_t rows, int64_t from = 0, int last_field_id = 0) {
    const auto port = PortOf();
    const model::TableSchema former{0, {}, last_field_id};
    auto schema = Must(model::SchemaOf(port.contract->schema.front(), last_field_id > 0 ? &former : nullptr));
    auto instance = Must(engine::Instance::Open({}));
    auto connection = Must(instance->Connect());
    auto staging = Must(lake_->Stage(kKey, schema, "1.0.0", NewId("run")));
    Must(
        staging->Write(*connection,
                       "SELECT i::BIGINT AS id, 'customer ' || i AS customer, (i * 1.25)::DECIMAL(18,2) AS amount, "
                       "DATE '2024-01-01' + (i % 365)::INTEGER AS day, TIMESTAMP '2024-01-01 10:00:00' + to_seconds(i) "
                       "AS sold, [i, i + 1]::BIGINT[] AS items FROM range(" +
                           std::to_string(from) + ", " + std::to_string(from + rows) + ") r(i)",
                       ""));
    Must(lake_->Prepare(*staging, lake::Operation::kAppend));
    auto txn = Must(store_->Begin());
    snapshots.push_back(Must(lake_->Commit(*txn, *staging)).id);
    Must(txn->Commit());
    lake_->Published(*staging);
  }

  Engine& engine() { return *engine_; }
  store::Store& store() { return *store_; }
  ledger::Ledger& ledger() { return *ledger_; }
  const fs::path& folder() const { return folder_; }
  std::vector<int64_t> snapshots;

 private:
  static inline const model::PortKey kKey{"sales", "orders", "orders", 1};

  catalog::Port PortOf() {
    auto txn = Must(store_->Read());
    return Must(catalog::Load(*txn, Must(catalog::ResolveSql(*txn, "sales", "orders", "orders_v1"))));
  }

  void Publish() {
    const std::string home = "domains/sales/orders/";
    model::Repository repository = model::ReadRepository(
        {{"mesh.yaml", "id: acme\ndomains:\n  - name: sales\n    owners: [group:sellers]\ngroups:\n  sellers: [ana]\n"},
         {home + "product.odps.yaml", R"(apiVersion: v1.1.0
kind: DataProduct
id: p1
name: orders
domain: sales
version: 1.0.0
status: active
outputPorts:
  - name: orders
    type: table
    version: 1.0.0
    contractId: orders-contract
)"},
         {home + "orders.odcs.yaml", R"(apiVersion: v3.2.0
kind: DataContract
id: orders-contract
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, physicalType: bigint, primaryKey: true, primaryKeyPosition: 1, required: true}
      - {name: customer, logicalType: string}
      - {name: amount, logicalType: number, physicalType: 'decimal(18,2)'}
      - {name: day, logicalType: date}
      - {name: sold, logicalType: timestamp, logicalTypeOptions: {timezone: false}}
      - {name: items, logicalType: array, items: {name: item, logicalType: integer, physicalType: bigint}}
)"}},
        {}, false);
    if (repository.bundles.size() != 1 || !repository.mesh) {
      throw std::runtime_error(repository.problems.empty() ? "no bundle" : repository.problems.front().Text());
    }
    auto txn = Must(store_->Begin());
    Must(catalog::PutMesh(*txn, *repository.mesh));
    Must(access::PutGroups(*txn, repository.mesh->groups));
    Must(catalog::Put(*txn, SystemClock(), repository.bundles.front(), "ana"));
    access::Grant grant;
    grant.principal = "ben";
    grant.port = kKey;
    grant.granted_by = "ana";
    Must(access::PutGrant(*txn, SystemClock(), grant, {}));
    Must(txn->Commit());
  }

  const fs::path folder_;
  secrets::Vault vault_{(folder_ / "seal.key").string()};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<lake::Lake> lake_;
  engine::MemoryBroker memory_{int64_t{4} << 30};
  std::unique_ptr<Engine> engine_;
};

}  // namespace weft::query::testing
