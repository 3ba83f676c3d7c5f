#include "state/runs/positions.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"
#include "drivers/store/testing.h"

namespace weft::runs {
namespace {

class PositionsTest : public ::testing::Test {
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
  // A run that ended so, and has read this.
  void Read(const std::string& status, int64_t snapshot, const Position& position) {
    runs::Run run;
    run.id = NewId("run");
    run.port = port_;
    run.status = status;
    run.requested_at = run.logical_time = {++second_ * 1'000'000};
    run.ended_at = run.requested_at;
    run.snapshot_id = snapshot;
    run.inputs = Json::Object();
    ASSERT_TRUE(Insert(*txn_, run));
    ASSERT_TRUE(PutPosition(*txn_, run, position));
  }
  std::string Names(const Result<std::vector<Piece>>& pieces) {
    std::string names;
    for (const Piece& piece : pieces.value()) names += piece.name + " ";
    return names;
  }

  const std::string folder_ = fs::temp_directory_path() / ("weft-positions-" + NewSecret(6));
  const model::PortKey port_ = model::PortKey::Parse("ops/plays/plays@1").value();
  int64_t second_ = 0;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Txn> txn_;
};

TEST_F(PositionsTest, AreThoseOfTheRunsThatCount) {
  Read("succeeded", 1, {"web", {{"a", "A", "1"}}, false, {}, Cursor{"id", "10", "v1", "r1"}});
  Read("refused", 2, {"web", {{"x", "X", ""}}, false, {}, Cursor{"id", "99", "vx", "rx"}});
  Read("succeeded", 3, {"web", {{"b", "B", ""}, {"c", "C", "3"}}, false, {}, Cursor{"id", "20", "v2", "r2"}});
  Read("succeeded", 3, {"other", {{"o", "O", ""}}, false, {}, {}});
  EXPECT_EQ(Names(PiecesOf(*txn_, port_, "web")), "a b c ");
  const std::optional<Cursor> cursor = CursorOf(*txn_, port_, "web").value();
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->value + cursor->about + cursor->version + cursor->rows_hash, "20idv2r2");
  EXPECT_FALSE(CursorOf(*txn_, port_, "other").value());
  const model::PortKey none = model::PortKey::Parse("ops/plays/plays@2").value();
  EXPECT_EQ(Names(PiecesOf(*txn_, none, "web")), "");
}

TEST_F(PositionsTest, GoBackWithARollbackAndForthWithAnother) {
  Read("succeeded", 1, {"web", {{"a", "A", ""}}, false, {}, Cursor{"id", "10", "v1", "r1"}});
  Read("succeeded", 2, {"web", {{"b", "B", ""}}, false, {}, Cursor{"id", "20", "v2", "r2"}});
  ASSERT_TRUE(Withdraw(*txn_, port_, "run_back", {2}, {1}));
  EXPECT_EQ(Names(PiecesOf(*txn_, port_, "web")), "a ");
  EXPECT_EQ(CursorOf(*txn_, port_, "web").value()->value, "10");
  ASSERT_TRUE(Withdraw(*txn_, port_, "run_forth", {}, {2, 1}));
  EXPECT_EQ(Names(PiecesOf(*txn_, port_, "web")), "a b ");
  EXPECT_EQ(CursorOf(*txn_, port_, "web").value()->value, "20");
}

TEST_F(PositionsTest, OfAllThatThereIsTakeThePlaceOfTheFormer) {
  Read("succeeded", 1, {"web", {{"a", "A", "1"}, {"copy", "A", "2"}}, true, {}, {}});
  EXPECT_EQ(Names(PiecesOf(*txn_, port_, "web")), "a copy ");
  Read("succeeded", 2, {"web", {{"b", "B", "3"}}, true, {}, {}});
  EXPECT_EQ(Names(PiecesOf(*txn_, port_, "web")), "b ");
}

TEST_F(PositionsTest, KeepNewNamesOfWhatWasRead) {
  Read("succeeded", 1, {"web", {{"a", "A", "1"}, {"b", "B", "2"}}, false, {}, {}});
  ASSERT_TRUE(NoteAgain(*txn_, port_, {"web", {}, false, {{"moved", "A", "7"}}, {}}));
  const std::vector<Piece> pieces = PiecesOf(*txn_, port_, "web").value();
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].name, "b");
  EXPECT_EQ(pieces[1].name + pieces[1].stamp, "moved7");
}

}  // namespace
}  // namespace weft::runs
