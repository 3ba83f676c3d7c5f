#include <gtest/gtest.h>

#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "drivers/store/testing.h"
#include "state/catalog/catalog.h"
#include "state/ledger/ledger.h"
#include "state/schedules/schedules.h"
#include "work/publish/publish.h"

namespace weft::publish {
namespace {

constexpr std::string_view kMesh = "id: shop\ndomains:\n  - {name: sales, owners: [ana, bob]}\n";
constexpr std::string_view kProduct = R"(apiVersion: v1.1.0
kind: DataProduct
id: p
name: orders
domain: sales
version: 1.0.0
status: active
inputPorts:
  - name: web
    version: 1.0.0
    contractId: none
    customProperties:
      - {property: source, vendor: weft, value: {kind: file, path: data/in.csv, format: csv}}
outputPorts:
  - {name: orders, type: table, version: 1.0.0, contractId: c}
)";
constexpr std::string_view kContract = R"(apiVersion: v3.2.0
kind: DataContract
id: c
name: orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, physicalType: bigint}
)";

class SentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_ + "/uploads"));
    store_ = store::Open(store::TestUrl(folder_ + "/store.db")).value();
    for (auto part : {access::Migrations(), ledger::Migrations(), catalog::Migrations(), uploads::Migrations(),
                      secrets::Migrations(), schedules::Migrations()}) {
      ASSERT_TRUE(store::Migrate(*store_, part));
    }
    context_ = std::make_unique<Context>(Context{*store_, SystemClock(), uploads_, memory_, vault_});
    auto txn = store_->Begin().value();
    ASSERT_TRUE(catalog::PutMesh(*txn, *model::ReadRepository(Files(), {}, false).mesh));
    ASSERT_TRUE(txn->Commit());
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  static std::vector<model::TextFile> Files() {
    const std::string home = "domains/sales/orders/";
    return {{"mesh.yaml", std::string(kMesh)},
            {home + "product.odps.yaml", std::string(kProduct)},
            {home + "orders.odcs.yaml", std::string(kContract)}};
  }
  static Submission With(const std::string& data) {
    return {Files(), {{"domains/sales/orders/data/in.csv", Sha256(data), static_cast<int64_t>(data.size())}}};
  }
  static model::Caller CallerOf(const std::string& name) {
    model::Caller caller;
    caller.principal.name = name;
    return caller;
  }
  void Send(const std::string& who, const std::string& data) {
    ASSERT_TRUE(uploads_.PutBytes(Sha256(data), data));
    ASSERT_TRUE(NoteUpload(*context_, CallerOf(who), Sha256(data)));
  }
  std::vector<std::string> Missing(const std::string& who, const std::string& data) {
    auto plan = MakePlan(*context_, CallerOf(who), With(data));
    EXPECT_TRUE(plan && !plan->refused()) << (plan ? plan->ToJson().Dump() : plan.error().message);
    return plan ? plan->missing_data : std::vector<std::string>{"?"};
  }
  void MustApply(const std::string& who, const std::string& data) {
    auto applied = Apply(*context_, CallerOf(who), With(data));
    ASSERT_TRUE(applied) << applied.error().message;
  }

  const std::string folder_ = fs::temp_directory_path() / ("weft-sent-" + NewSecret(6));
  secrets::Vault vault_{(fs::path(folder_) / "seal.key").string()};
  std::unique_ptr<store::Store> store_;
  uploads::Uploads uploads_{folder_ + "/uploads"};
  engine::MemoryBroker memory_{int64_t{1} << 30};
  std::unique_ptr<Context> context_;
};

TEST_F(SentTest, AHashIsNoProofOfPossession) {
  const std::string mine = "id\n1\n", theirs = "id\n9\n";
  Send("ana", mine);
  Send("ines", theirs);
  EXPECT_EQ(Missing("ana", theirs), std::vector<std::string>{Sha256(theirs)}) << "another sent it";
  EXPECT_EQ(Missing("ana", "nobody"), std::vector<std::string>{Sha256("nobody")}) << "and nobody can tell";
  EXPECT_EQ(Apply(*context_, CallerOf("ana"), With(theirs)).error().code, Code::kInvalid);
  EXPECT_EQ(Missing("bob", mine), std::vector<std::string>{Sha256(mine)});
  EXPECT_TRUE(Missing("ana", mine).empty());
  MustApply("ana", mine);
  EXPECT_TRUE(Missing("bob", mine).empty()) << "what the domain has is its owners', whoever sent it";
  Send("ana", theirs);
  EXPECT_TRUE(Missing("ana", theirs).empty());
}

TEST_F(SentTest, WhatNoProductNamesIsSwept) {
  const std::string named = "id\n1\n", next = "id\n2\n";
  Send("ana", named);
  MustApply("ana", named);
  Send("ana", "lost");
  EXPECT_EQ(SweepUploads(*context_, std::chrono::hours(1))->files, 0);
  std::this_thread::sleep_for(Millis(20));
  const Swept swept = SweepUploads(*context_, Millis(5)).value();
  EXPECT_EQ(swept.files, 1);
  EXPECT_EQ(swept.bytes, 4);
  EXPECT_FALSE(uploads_.Has(Sha256("lost")));
  EXPECT_TRUE(uploads_.Has(Sha256(named)));
  EXPECT_EQ(NoteUpload(*context_, CallerOf("ana"), Sha256("lost")).error().code, Code::kConflict);
  EXPECT_EQ(Missing("ana", "lost"), std::vector<std::string>{Sha256("lost")});
}

TEST_F(SentTest, TheTimeOfWhatAProductNamesNoMoreCountsFromThen) {
  const std::string named = "id\n1\n", next = "id\n2\n";
  Send("ana", named);
  MustApply("ana", named);
  Send("ana", next);
  std::this_thread::sleep_for(Millis(300));
  MustApply("ana", next);
  EXPECT_EQ(SweepUploads(*context_, Millis(250))->files, 0);
  EXPECT_TRUE(uploads_.Has(Sha256(named)));
  std::this_thread::sleep_for(Millis(300));
  EXPECT_EQ(SweepUploads(*context_, Millis(250))->files, 1);
  EXPECT_FALSE(uploads_.Has(Sha256(named)));
}

TEST_F(SentTest, OnlyWhoMayPublishSomewhereSends) {
  EXPECT_EQ(WhereToPublish(*context_, CallerOf("bob")).value().domain, "sales");
  EXPECT_EQ(WhereToPublish(*context_, CallerOf("zoe")).value().domain, "");
}

}  // namespace
}  // namespace weft::publish
