#include <gtest/gtest.h>

#include "work/query/testing.h"

namespace weft::query {
namespace {

using testing::Must;
using testing::TestMesh;

// What the ledger says that a statement read of sales.orders.orders, once for each time that it names the table.
std::string ColumnsOf(TestMesh& mesh, const std::string& sql, std::vector<engine::Value> params = {}) {
  auto prepared = Must(mesh.engine().Prepare(mesh.CallerOf("ben"), sql, {}));
  ArrowArrayStream stream{};
  Must(prepared->Execute(params, &stream));
  stream.release(&stream);
  return mesh.Ledger("read.started").back().entry.detail["columns"].Dump();
}

TEST(Columns, AreThoseThatTheStatementUses) {
  TestMesh mesh({}, 10);
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT count(*) FROM sales.orders.orders", "{}"},
      {"SELECT 1 FROM sales.orders.orders LIMIT 1", "{}"},
      {"SELECT amount FROM sales.orders.orders WHERE day > DATE '2024-01-05'", R"({"amount":"clear","day":"clear"})"},
      {"SELECT amount FROM sales.orders.orders ORDER BY customer", R"({"customer":"clear","amount":"clear"})"},
      {"SELECT amount FROM (SELECT * FROM SALES.Orders.orders_v1)", R"({"amount":"clear"})"},
      {"SELECT min(day) FROM sales.orders.orders", R"({"day":"clear"})"},
      {"SELECT amount FROM sales.orders.orders WHERE false", R"({"amount":"clear"})"},
      {"SELECT a.amount FROM sales.orders.orders a JOIN sales.orders.orders b USING (id)",
       R"({"id":"clear","amount":"clear"})"},
      {"WITH o AS (SELECT * FROM sales.orders.orders) SELECT count(*) FROM o WHERE sold IS NULL",
       R"({"sold":"clear"})"},
      {"SELECT x FROM sales.orders.orders, unnest(items) AS u(x)", R"({"items":"clear"})"},
      {"SELECT 1 AS n WHERE EXISTS (SELECT 1 FROM sales.orders.orders WHERE id = 3)", R"({"id":"clear"})"},
      {"SELECT o FROM sales.orders.orders AS o",
       R"({"id":"clear","customer":"clear","amount":"clear","day":"clear","sold":"clear","items":"clear"})"},
      {"SELECT * EXCLUDE (items, sold) FROM sales.orders.orders",
       R"({"id":"clear","customer":"clear","amount":"clear","day":"clear"})"},
  };
  for (const auto& [sql, columns] : cases) EXPECT_EQ(ColumnsOf(mesh, sql), columns) << sql;
}

TEST(Columns, OfParametersToo) {
  TestMesh mesh({}, 10);
  const char* sql = "SELECT id + $1::BIGINT FROM sales.orders.orders WHERE customer = $2 ";
  EXPECT_EQ(ColumnsOf(mesh, sql, {"1", "customer 3"}), R"({"id":"clear","customer":"clear"})");
}

TEST(Columns, TheRowSaysByWhichRightFromWhereAndWithWhat) {
  TestMesh mesh({}, 10);
  for (const char* who : {"ben", "ana"}) {
    auto prepared = Must(mesh.engine().Prepare(mesh.CallerOf(who), "SELECT id FROM sales.orders.orders", {}));
    ArrowArrayStream stream{};
    Must(prepared->Execute({}, &stream));
    stream.release(&stream);
  }
  const auto rows = mesh.Ledger("read.started");
  EXPECT_TRUE(rows.at(0).entry.detail["right"].Text().starts_with("grant grant_"));
  EXPECT_EQ(rows.at(1).entry.detail["right"].Text(), "owner group:sellers");
  EXPECT_EQ(rows.at(1).entry.detail["peer"].Text(), "127.0.0.1:1");
  EXPECT_EQ(rows.at(1).entry.detail["token"].Text(), "tok_test");
  EXPECT_EQ(rows.at(1).entry.detail["policies"], Json(Json::Array()));
}

}  // namespace
}  // namespace weft::query
