// What tests of the lake have in common: a table of two columns in a folder and a store of its own.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "drivers/store/testing.h"
#include "state/lake/lake.h"

namespace weft::lake {

struct StoppedClock : Clock {
  Instant now{int64_t{1'750'000'000} * 1'000'000};
  Instant Now() const override { return now; }
};

inline model::Property Column(std::string name, std::string logical, std::string physical = "", std::string id = "") {
  model::Property property;
  property.name = std::move(name);
  property.id = std::move(id);
  property.logical_type = std::move(logical);
  property.physical_type = std::move(physical);
  return property;
}

inline model::TableSchema SchemaOf(std::vector<model::Property> columns, const model::TableSchema* previous = nullptr) {
  model::SchemaObject object;
  object.name = "t";
  object.properties = std::move(columns);
  return model::SchemaOf(object, previous).value();
}

class LakeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    engine::SetExtensionFolder(WEFT_DUCKDB_EXTENSIONS);
    folder_ = fs::temp_directory_path() / ("weft-lake-" + NewSecret(6));
    fs::create_directories(folder_);
    store_ = store::Open(store::TestUrl((folder_ / "weft.db").string())).value();
    ASSERT_TRUE(store::Migrate(*store_, Migrations()));
    lake_ = Lake::Open(*store_, clock_, folder_ / "lake").value();
    instance_ = engine::Instance::Open({.threads = 2, .memory_bytes = int64_t{256} << 20}).value();
    connection_ = instance_->Connect().value();
    schema_ = SchemaOf({Column("id", "integer"), Column("name", "string")});
  }
  void TearDown() override {
    lake_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }

  std::unique_ptr<Staging> Stage(const std::string& run = "run_1") {
    auto staging = lake_->Stage(key_, schema_, "1.0.0", run);
    EXPECT_TRUE(staging) << staging.error().message;
    return staging ? staging.TakeValue() : nullptr;
  }
  Result<Snapshot> CommitTxn(Staging& staging) {
    auto txn = TRY(store_->Begin());
    Snapshot snapshot = TRY(lake_->Commit(*txn, staging));
    TRY(txn->Commit());
    lake_->Published(staging);
    return snapshot;
  }
  Snapshot Put(const std::string& select, Operation operation = Operation::kAppend) {
    clock_.now.micros += 1'000'000;
    auto staging = Stage();
    Status written = staging->Write(*connection_, select, "");
    EXPECT_TRUE(written) << written.error().message;
    Status prepared = lake_->Prepare(*staging, operation);
    EXPECT_TRUE(prepared) << prepared.error().message;
    auto snapshot = CommitTxn(*staging);
    EXPECT_TRUE(snapshot) << snapshot.error().message;
    return snapshot.value_or(Snapshot{});
  }
  View Seen(const At& at = {}) {
    auto txn = store_->Read().value();
    auto view = Open(*txn, key_, at);
    EXPECT_TRUE(view) << view.error().message;
    return view.value_or(View{});
  }
  std::string Scan(const View& view, const std::string& columns = "id, name") {
    auto rows = connection_->Query(fmt::format("SELECT {} FROM ({}) ORDER BY ALL", columns, ScanSql(view)));
    if (!rows) return "! " + rows.error().message;
    std::string text;
    for (const auto& row : rows->cells) {
      std::vector<std::string> values;
      for (const engine::Value& cell : row) values.push_back(cell.value_or("NULL"));
      text += "[" + Join(values, ", ") + "]";
    }
    return text;
  }
  size_t FilesUnder(const fs::path& path) {
    size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(path)) count += entry.is_regular_file();
    return count;
  }
  fs::path Location() { return folder_ / "lake/operations/flights/flights_v1"; }

  fs::path folder_;
  StoppedClock clock_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Lake> lake_;
  std::unique_ptr<engine::Instance> instance_;
  std::unique_ptr<engine::Connection> connection_;
  const model::PortKey key_{"operations", "flights", "flights", 1};
  model::TableSchema schema_;
};

}  // namespace weft::lake
