#include "state/lineage/lineage.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"
#include "drivers/store/testing.h"

namespace weft::lineage {
namespace {

class LineageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_));
    store_ = store::Open(store::TestUrl(folder_ + "/store.db")).value();
    ASSERT_TRUE(store::Migrate(*store_, Migrations()));
    txn_ = store_->Begin().value();
  }
  void TearDown() override {
    txn_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }
  void Put(const std::string& output, int64_t snapshot, const std::vector<Input>& inputs,
           const std::vector<ColumnEdge>& columns = {}) {
    ASSERT_TRUE(Record(*txn_, model::PortKey::Parse(output).value(), snapshot, "run_" + std::to_string(snapshot),
                       inputs, columns));
  }
  std::string From(const std::string& port, Direction direction) {
    std::string text;
    const std::vector<Edge> edges = Walk(*txn_, port, direction).value();
    for (const Edge& edge : edges) {
      text += edge.from + "#" + edge.from_snapshot + ">" + edge.to + "#" + edge.to_snapshot + " ";
    }
    return text;
  }

  const std::string folder_ = fs::temp_directory_path() / ("weft-lineage-" + NewSecret(6));
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Txn> txn_;
};

TEST_F(LineageTest, WalksBreadthFirstBothWays) {
  Put("d/p/a@1", 1, {{"list", "", "", "file:data/a.csv", "hash"}});
  Put("d/p/b@1", 2, {{"a", "d/p/a@1", "1", "", ""}});
  Put("d/p/c@1", 3, {{"a", "d/p/a@1", "1", "", ""}, {"b", "d/p/b@1", "2", "", ""}});
  EXPECT_EQ(From("d/p/c@1", Direction::kUp),
            "d/p/a@1#1>d/p/c@1#3 d/p/b@1#2>d/p/c@1#3 file:data/a.csv#hash>d/p/a@1#1 d/p/a@1#1>d/p/b@1#2 ");
  EXPECT_EQ(From("d/p/a@1", Direction::kDown), "d/p/a@1#1>d/p/b@1#2 d/p/a@1#1>d/p/c@1#3 d/p/b@1#2>d/p/c@1#3 ");
  EXPECT_EQ(From("file:data/a.csv", Direction::kDown).substr(0, 34), "file:data/a.csv#hash>d/p/a@1#1 d/p");
  EXPECT_EQ(From("d/p/none@1", Direction::kUp), "");
}

TEST_F(LineageTest, FollowsTheNewestSnapshotOnly) {
  Put("d/p/b@1", 2, {{"a", "d/p/a@1", "1", "", ""}, {"x", "d/p/x@1", "1", "", ""}});
  Put("d/p/b@1", 3, {{"a", "d/p/a@1", "9", "", ""}});
  EXPECT_EQ(From("d/p/b@1", Direction::kUp), "d/p/a@1#9>d/p/b@1#3 ");
  EXPECT_EQ(From("d/p/x@1", Direction::kDown), "");
}

TEST_F(LineageTest, ACycleEnds) {
  Put("d/p/a@1", 1, {{"b", "d/p/b@1", "2", "", ""}});
  Put("d/p/b@1", 2, {{"a", "d/p/a@1", "1", "", ""}});
  EXPECT_EQ(From("d/p/a@1", Direction::kUp), "d/p/b@1#2>d/p/a@1#1 d/p/a@1#1>d/p/b@1#2 ");
}

TEST_F(LineageTest, KeepsColumnsWithTheirEdge) {
  const ColumnEdge direct{"origin", "a", "origin", "direct"}, computed{"late", "b", "delay", "computed"};
  Put("d/p/c@1", 3, {{"a", "d/p/a@1", "1", "", ""}, {"b", "d/p/b@1", "2", "", ""}}, {direct, computed});
  auto edges = Walk(*txn_, "d/p/c@1", Direction::kUp).value();
  ASSERT_EQ(edges.size(), 2u);
  EXPECT_EQ(edges[0].columns, std::vector<ColumnEdge>{direct});
  EXPECT_EQ(edges[1].columns, std::vector<ColumnEdge>{computed});
  EXPECT_EQ(edges[0].run_id, "run_3");
}

}  // namespace
}  // namespace weft::lineage
