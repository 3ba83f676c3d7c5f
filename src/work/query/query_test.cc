#include "work/query/query.h"

#include <gtest/gtest.h>

#include <thread>

#include "work/query/testing.h"

namespace weft::query {
namespace {

using testing::Must;
using testing::TestMesh;

struct Read {
  int64_t rows = 0;
  std::string error;
};

Read ReadAll(ArrowArrayStream& stream) {
  Read read;
  while (true) {
    ArrowArray array{};
    if (int failed = stream.get_next(&stream, &array)) {
      read.error = std::string(CodeName(CodeOfErrno(failed))) + ": " + stream.get_last_error(&stream);
      break;
    }
    if (!array.release) break;
    read.rows += array.length;
    array.release(&array);
  }
  stream.release(&stream);
  return read;
}

Result<Read> Ask(TestMesh& mesh, const std::string& who, const std::string& sql,
                 const std::vector<engine::Value>& params = {}, const lake::At& at = {}) {
  auto prepared = TRY(mesh.engine().Prepare(mesh.CallerOf(who), sql, at));
  ArrowArrayStream stream{};
  TRY(prepared->Execute(params, &stream));
  return ReadAll(stream);
}

std::string Refusal(TestMesh& mesh, const std::string& who, const std::string& sql) {
  auto read = Ask(mesh, who, sql);
  if (!read) return std::string(CodeName(read.error().code)) + ": " + read.error().message;
  return read->error;
}

std::vector<ledger::Sealed> WaitFor(TestMesh& mesh, const std::string& kind, size_t count) {
  for (int i = 0; i < 100; ++i) {
    auto rows = mesh.Ledger(kind);
    if (rows.size() >= count) return rows;
    std::this_thread::sleep_for(Millis(20));
  }
  return {};
}

TEST(Query, ReadsWhatOneMayAndRecordsIt) {
  TestMesh mesh;
  EXPECT_EQ(Must(Ask(mesh, "ben", "SELECT * FROM sales.orders.orders_v1")).rows, 1'000);
  EXPECT_EQ(Must(Ask(mesh, "ana", "SELECT * FROM sales.orders.orders WHERE id < 10")).rows, 10);
  auto started = mesh.Ledger("read.started");
  ASSERT_EQ(started.size(), 2u);
  EXPECT_EQ(started[0].entry.principal, "ben");
  EXPECT_EQ(started[0].entry.address, "sales/orders/orders@1");
  EXPECT_EQ(started[0].entry.detail["statement"].Text(), Sha256("SELECT * FROM sales.orders.orders_v1"));
  EXPECT_EQ(started[0].entry.detail["snapshot"].Text(), std::to_string(mesh.snapshots[0]));
  auto ended = WaitFor(mesh, "read.ended", 2);
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[0].entry.detail["rows"].Int(), 1'000);
  EXPECT_GT(ended[0].entry.detail["bytes"].Int(), 1'000 * 8);
  EXPECT_EQ(ended[0].entry.detail["outcome"].Text(), "completed");
  EXPECT_EQ(ended[0].entry.detail["read"].Text(), started[0].entry.detail["read"].Text());
}

TEST(Query, DeniesWithoutAGrantAndRecordsIt) {
  TestMesh mesh;
  std::string refusal = Refusal(mesh, "eve", "SELECT count(*) FROM sales.orders.orders_v1");
  EXPECT_TRUE(refusal.starts_with("denied: eve may not read sales.orders.orders_v1")) << refusal;
  auto denied = mesh.Ledger("denied");
  ASSERT_EQ(denied.size(), 1u);
  EXPECT_EQ(denied[0].entry.principal, "eve");
  EXPECT_EQ(denied[0].entry.address, "sales/orders/orders@1");
  EXPECT_TRUE(mesh.Ledger("read.started").empty());
}

TEST(Query, ARevocationReachesPreparedStatements) {
  TestMesh mesh;
  auto prepared = Must(mesh.engine().Prepare(mesh.CallerOf("ben"), "FROM sales.orders.orders_v1", {}));
  mesh.Revoke("ben");
  ArrowArrayStream stream{};
  auto executed = prepared->Execute({}, &stream);
  ASSERT_FALSE(executed);
  EXPECT_EQ(executed.error().code, Code::kDenied);
}

// The items of a list have an id of their own in the table's schema, and another in the contract's.
TEST(Query, AFilterAsksForItemsWhateverTheirIds) {
  TestMesh mesh({}, 0);
  mesh.Load(10, 0, 50);
  auto txn = Must(mesh.store().Begin());
  Must(access::PutPolicies(
      *txn, SystemClock(),
      {Must(model::PolicyFile::Parse("policies: [{name: f, filter: 3 in row.items}]", "policies/f.yaml"))}, "gov"));
  Must(txn->Commit());
  EXPECT_EQ(Must(Ask(mesh, "ben", "FROM sales.orders.orders_v1")).rows, 2);
  EXPECT_EQ(Must(Ask(mesh, "ben", "FROM sales.orders.orders_v1 WHERE items = [2, 3] OR items = [3, 4]")).rows, 2);
}

TEST(Query, NamesAreFullOrRefusedWithTheNearest) {
  TestMesh mesh;
  EXPECT_EQ(Refusal(mesh, "ben", "FROM order"), Refusal(mesh, "ben", "FROM order"));
  EXPECT_NE(Refusal(mesh, "ben", "FROM orders").find("did you mean sales.orders.orders"), std::string::npos)
      << Refusal(mesh, "ben", "FROM orders");
  EXPECT_NE(Refusal(mesh, "ben", "FROM orders.orders_v1").find("did you mean sales.orders.orders_v1?"),
            std::string::npos)
      << Refusal(mesh, "ben", "FROM orders.orders_v1");
  EXPECT_TRUE(Refusal(mesh, "ben", "FROM sales.orders.nothing").starts_with("not_found"));
  EXPECT_TRUE(Refusal(mesh, "ben", "FROM '/etc/passwd'").starts_with("invalid"));
}

TEST(Query, TheInstanceIsASecondWall) {
  TestMesh mesh;
  for (const char* sql :
       {"DROP TABLE x", "FROM read_text('/etc/passwd')", "SELECT getenv('HOME')", "FROM duckdb_views()",
        "SELECT stats(id) FROM sales.orders.orders_v1", "EXPLAIN FROM sales.orders.orders_v1"}) {
    EXPECT_TRUE(Refusal(mesh, "ben", sql).starts_with("unsupported")) << sql;
  }
}

TEST(Query, ErrorsTellNothingOfFilesOrPolicies) {
  TestMesh mesh;
  for (const char* sql :
       {"SELECT nothing FROM sales.orders.orders_v1", "SELECT customer::INTEGER FROM sales.orders.orders_v1",
        "SELECT x.y.z.w FROM sales.orders.orders_v1", "SELECT filename FROM sales.orders.orders_v1",
        "SELECT file_row_number FROM sales.orders.orders_v1", "SELECT sum(customer) FROM sales.orders.orders_v1"}) {
    std::string refusal = Refusal(mesh, "ben", sql);
    EXPECT_TRUE(refusal.starts_with("invalid")) << sql << ": " << refusal;
    EXPECT_EQ(refusal.find("parquet"), std::string::npos) << refusal;
    EXPECT_EQ(refusal.find(mesh.folder().string()), std::string::npos) << refusal;
  }
  // Files that went missing are the node's trouble, and their names its own.
  fs::remove_all(mesh.folder() / "lake");
  std::string refusal = Refusal(mesh, "ben", "FROM sales.orders.orders_v1");
  EXPECT_FALSE(refusal.empty());
  EXPECT_EQ(refusal.find("parquet"), std::string::npos) << refusal;
  EXPECT_EQ(refusal.find(mesh.folder().string()), std::string::npos) << refusal;
}

TEST(Query, ParametersByPositionAndName) {
  TestMesh mesh;
  EXPECT_EQ(Must(Ask(mesh, "ben", "FROM sales.orders.orders_v1 WHERE id >= ? AND id < ?", {"10", "15"})).rows, 5);
  auto prepared = Must(mesh.engine().Prepare(mesh.CallerOf("ben"), "FROM sales.orders.orders_v1 WHERE id < $most", {}));
  EXPECT_EQ(prepared->parameters(), std::vector<std::string>{"most"});
  for (const char* most : {"3", "4"}) {
    ArrowArrayStream stream{};
    Must(prepared->Execute(std::vector<engine::Value>{most}, &stream));
    EXPECT_EQ(ReadAll(stream).rows, std::stoi(most));
  }
  EXPECT_TRUE(Refusal(mesh, "ben", "FROM sales.orders.orders_v1 WHERE id = ?").starts_with("invalid"));
}

TEST(Query, PinsTheSnapshotAtPrepare) {
  TestMesh mesh;
  auto prepared = Must(mesh.engine().Prepare(mesh.CallerOf("ben"), "FROM sales.orders.orders_v1", {}));
  mesh.Load(500, 1'000);
  ArrowArrayStream stream{};
  Must(prepared->Execute({}, &stream));
  EXPECT_EQ(ReadAll(stream).rows, 1'000);
  EXPECT_EQ(Must(Ask(mesh, "ben", "FROM sales.orders.orders_v1")).rows, 1'500);
  lake::At first;
  first.snapshot_id = mesh.snapshots[0];
  EXPECT_EQ(Must(Ask(mesh, "ben", "FROM sales.orders.orders_v1", {}, first)).rows, 1'000);
}

TEST(Query, LimitsOfRowsTimeAndTurns) {
  Options options;
  options.concurrent = 1;
  options.queue_wait = Millis(100);
  options.timeout = Millis(700);
  options.row_limit = 5'000;
  TestMesh mesh(options, 6'000);
  std::string rows = Refusal(mesh, "ben", "FROM sales.orders.orders_v1");
  EXPECT_TRUE(rows.starts_with("unavailable: the answer has more than the 5000 rows")) << rows;
  std::string slow =
      Refusal(mesh, "ben", "SELECT count(*) FROM range(100000000000) a(x), range(1000) b(y) WHERE x % 7 = y");
  EXPECT_TRUE(slow.starts_with("unavailable: the query ran longer than")) << slow;
  auto prepared = Must(mesh.engine().Prepare(mesh.CallerOf("ben"), "FROM sales.orders.orders_v1", {}));
  ArrowArrayStream held{};
  Must(prepared->Execute({}, &held));
  std::string busy = Refusal(mesh, "ben", "SELECT 1");
  EXPECT_TRUE(busy.starts_with("unavailable")) << busy;
  held.release(&held);
  EXPECT_EQ(Must(Ask(mesh, "ben", "SELECT 1")).rows, 1);
  auto ended = WaitFor(mesh, "read.ended", 4);
  ASSERT_EQ(ended.size(), 4u);
  EXPECT_EQ(ended[0].entry.detail["outcome"].Text(), "failed");
  EXPECT_EQ(ended[2].entry.detail["outcome"].Text(), "cancelled");
}

TEST(Query, CancelStopsARunningQuery) {
  TestMesh mesh;
  auto prepared = Must(mesh.engine().Prepare(
      mesh.CallerOf("ben"), "SELECT count(*) FROM range(100000000000) a(x), range(1000) b(y) WHERE x % 7 = y", {}));
  std::jthread canceller([&] {
    std::this_thread::sleep_for(Millis(200));
    prepared->Cancel(Prepared::Canceller::kClient);
  });
  auto began = std::chrono::steady_clock::now();
  ArrowArrayStream stream{};
  auto executed = prepared->Execute({}, &stream);
  std::string error = executed ? ReadAll(stream).error : executed.error().message;
  EXPECT_NE(error.find("cancelled"), std::string::npos) << error;
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

}  // namespace
}  // namespace weft::query
