// A folder that tests change and publish: products of two domains, and who may.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "drivers/store/testing.h"
#include "state/catalog/catalog.h"
#include "state/ledger/ledger.h"
#include "state/lineage/lineage.h"
#include "state/schedules/schedules.h"
#include "work/publish/publish.h"

namespace weft::publish::testing {

inline constexpr std::string_view kMesh = R"(id: skyways
domains:
  - {name: operations, owners: [group:ops]}
  - {name: fleet, owners: [ines]}
groups:
  ops: [ana]
)";

using Files = std::map<std::string, std::string>;

// A product `name` of `domain` with one port of that name and one file or product to read.
struct Sample {
  std::string domain = "operations";
  std::string name = "flights";
  std::string version = "1.0.0";
  std::string status = "active";
  std::string source = "{kind: file, path: data/in.csv, format: csv}";
  std::string sql = "SELECT id, name, seats FROM input\n";
  std::string columns =
      "      - {name: id, logicalType: integer, physicalType: bigint, required: true, primaryKey: true}\n"
      "      - {name: name, logicalType: string, physicalType: varchar}\n"
      "      - {name: seats, logicalType: integer, physicalType: integer}\n";
  std::string comment = "";

  std::string Folder() const { return fmt::format("domains/{}/{}/", domain, name); }

  void AddTo(Files& files) const {
    files[Folder() + "product.odps.yaml"] = fmt::format(R"(apiVersion: v1.1.0
kind: DataProduct
id: {0}-{1}
name: {1}
domain: {0}
version: {2}
status: {3}
team: {{members: [{{username: ana, role: owner}}]}}
inputPorts:
  - name: input
    version: 1.0.0
    contractId: {0}-{1}-input
    customProperties:
      - {{property: source, vendor: weft, value: {4}}}
outputPorts:
  - name: {1}
    version: {2}
    contractId: {0}-{1}-port
    customProperties:
      - {{property: build, vendor: weft, value: {{sql: {1}.sql}}}}
)",
                                                        domain, name, version, status, source);
    files[Folder() + name + ".sql"] = sql;
    files[Folder() + name + ".odcs.yaml"] = Contract("port", version, columns);
    if (source.find("file") != source.npos)
      files[Folder() + "input.odcs.yaml"] = Contract("input", "1.0.0", Sample{}.columns);
  }

 private:
  std::string Contract(std::string_view what, const std::string& its_version, const std::string& its_columns) const {
    return fmt::format(
        "apiVersion: v3.2.0\nkind: DataContract\nid: {}-{}-{}\nname: {}\nversion: {}\nstatus: {}\n{}"
        "schema:\n  - name: {}\n    physicalType: table\n    properties:\n{}",
        domain, name, what, name, its_version, status, comment, SqlTable(), its_columns);
  }
  std::string SqlTable() const { return ReplaceAll(name, "-", "_"); }
};

class PublishTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_));
    store_ = store::Open(store::TestUrl(folder_ + "/store.db")).value();
    ASSERT_TRUE(store::Migrate(*store_, access::Migrations()));
    ASSERT_TRUE(store::Migrate(*store_, ledger::Migrations()));
    ASSERT_TRUE(store::Migrate(*store_, catalog::Migrations()));
    ASSERT_TRUE(store::Migrate(*store_, lineage::Migrations()));
    ASSERT_TRUE(store::Migrate(*store_, schedules::Migrations()));
    ASSERT_TRUE(store::Migrate(*store_, uploads::Migrations()));
    ASSERT_TRUE(store::Migrate(*store_, secrets::Migrations()));
    ASSERT_TRUE(MakeFolders(folder_ + "/uploads"));
    context_ = std::make_unique<Context>(Context{*store_, SystemClock(), uploads_, memory_, vault_});
    files_["mesh.yaml"] = kMesh;
    admin_.principal.name = "root";
    admin_.principal.administrator = true;
    ana_.principal.name = "ana";
    ana_.principal.groups = {"ops"};
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  Submission Make(std::string_view data = "id,name,seats\n1,x,2\n") {
    Submission submission;
    for (const auto& [path, text] : files_) {
      submission.files.push_back({path, text});
      const size_t product = path.find("/product.odps.yaml");
      if (product == path.npos || text.find("kind: file") == text.npos) continue;
      submission.data.push_back(
          {path.substr(0, product) + "/data/in.csv", Sha256(data), static_cast<int64_t>(data.size())});
      EXPECT_TRUE(uploads_.PutBytes(Sha256(data), data));
      for (const model::Caller& caller : {admin_, ana_}) EXPECT_TRUE(NoteUpload(*context_, caller, Sha256(data)));
    }
    return submission;
  }
  Plan PlanOf(const model::Caller& caller) {
    auto plan = MakePlan(*context_, caller, Make());
    EXPECT_TRUE(plan) << plan.error().message;
    return plan ? *plan : Plan{};
  }
  Plan MustApply(const model::Caller& caller) {
    auto plan = Apply(*context_, caller, Make());
    std::string why = plan ? "" : plan.error().message;
    for (const Problem& problem : plan ? plan->problems : plan.error().problems) why += "\n" + problem.Text();
    EXPECT_TRUE(plan) << why;
    return plan ? *plan : Plan{};
  }
  void Put(const Sample& sample) { sample.AddTo(files_); }

  static std::string Kinds(const Plan& plan) {
    std::vector<std::string> kinds;
    for (const Change& change : plan.changes)
      kinds.push_back(fmt::format("{} {}", KindName(change.kind), change.address));
    return Join(kinds, ", ");
  }
  // Every error, and only those, one a line.
  static std::string Problems(const Plan& plan) {
    std::string text;
    for (const Problem& problem : plan.problems) {
      if (problem.level == Problem::Level::kError) text += problem.Text() + "\n";
    }
    return text;
  }

  const std::string folder_ = fs::temp_directory_path() / ("weft-publish-" + NewSecret(6));
  secrets::Vault vault_{(fs::path(folder_) / "seal.key").string()};
  std::unique_ptr<store::Store> store_;
  uploads::Uploads uploads_{folder_ + "/uploads"};
  engine::MemoryBroker memory_{int64_t{1} << 30};
  std::unique_ptr<Context> context_;
  model::Caller admin_, ana_;
  Files files_;
};

}  // namespace weft::publish::testing
