#include <gtest/gtest.h>

#include "work/query/internal.h"

namespace weft::query {
namespace {

// Errors are the engine's own: a new version of it that words one otherwise is seen here.
class Wordings : public testing::Test {
 protected:
  void SetUp() override {
    instance_ = engine::Instance::Open({.threads = 1}).TakeValue();
    connection_ = instance_->Connect().TakeValue();
    ASSERT_TRUE(connection_->Execute(
        "CREATE TABLE t (id BIGINT, customer VARCHAR, amount DECIMAL(9, 2), placed_on DATE, s STRUCT(a INT)); "
        "INSERT INTO t VALUES (1, 'Ada', 3.5, '2024-01-01', {'a': 1}), (2, 'Bo', -1, '2024-01-02', {'a': 2}); "
        "CREATE TABLE u (id BIGINT, x INT)"));
  }

  std::string Told(const std::string& sql) {
    auto answer = connection_->Query(sql);
    return answer ? "no error" : Worded(answer.TakeError(), sql).message;
  }

  std::unique_ptr<engine::Instance> instance_;
  std::unique_ptr<engine::Connection> connection_;
};

TEST_F(Wordings, SayWhatIsWrongWithTheStatement) {
  const std::pair<const char*, const char*> kCases[] = {
      {"SELECT custmer FROM t",
       "there is no column 'custmer' here; near it are customer, s, amount, placed_on (line 1, column 8)"},
      {"SELECT o.custmer FROM t o", "'o' has no column 'custmer'; near it are customer (line 1, column 8)"},
      {"SELECT id\nFROM t\nWHERE q.id = 1", "FROM has no table or alias 'q'; near it are t (line 3, column 7)"},
      {"SELECT id FROM t, u", "the column 'id' is in more than one table: write t.id or u.id (line 1, column 8)"},
      {"SELECT customer, sum(amount) FROM t",
       "the column 'customer' is neither in GROUP BY nor in an aggregate: add it there, or take any_value(customer) "
       "(line 1, column 8)"},
      {"SELECT upper(id, id) FROM t",
       "there is no upper(BIGINT, BIGINT): cast its arguments; there is upper(VARCHAR) (line 1, column 8)"},
      {"SELECT placed_on > 5 FROM t", "DATE and INTEGER cannot be compared: cast one of them (line 1, column 18)"},
      {"SELECT customer::INT FROM t",
       "'Ada' of the column 'customer' is no INTEGER; TRY_CAST gives NULL for what cannot be converted (line 1, column "
       "16)"},
      {"SELECT 'it''s'::INT", "'it's' is no INTEGER (line 1, column 15)"},
      {"SELECT 'x'::DATE", "'x' is no date: write it as YYYY-MM-DD (line 1, column 11)"},
      {"SELECT DATE '2024-02-30'", "'2024-02-30' is no date that exists"},
      {"SELECT id * 9223372036854775807 FROM t WHERE id = 2", "2 * 9223372036854775807 does not fit into BIGINT"},
      {"SELECT 300::TINYINT", "300 does not fit into TINYINT (line 1, column 11)"},
      {"SELECT CAST(id AS FOO) FROM t", "there is no type 'FOO' (line 1, column 19)"},
      {"SELECT row_number() FROM t",
       "the function 'row_number' reads more than one row: it needs OVER (…) (line 1, column 8)"},
      {"SELECT s.b FROM t", "the struct has no field 'b'; near it are a"},
      {"SELECT (SELECT id FROM t)",
       "a subquery that is used as a value returned more than one row: aggregate it, or give it LIMIT 1"},
      {"SELECT id FROM t WHERE sum(amount) > 1", "WHERE cannot contain aggregates (line 1, column 24)"},
      {"SELECT id FROM t LIMIT -1", "LIMIT/OFFSET cannot be negative (line 1, column 24)"},
      {"SELECT sqrt(-1)", "cannot take square root of a negative number"},
      {"SELECT strptime('x', '%Y')",
       "could not parse string \"x\" according to format specifier \"%Y\"; x; Error: Expected a number"}};
  for (const auto& [sql, told] : kCases) EXPECT_EQ(Told(sql), told) << sql;
}

// The engine shows a part of a long line only.
TEST_F(Wordings, FindThePlaceInALongLine) {
  const std::string before = "SELECT 'größe und länge ' || '" + std::string(300, 'a') + "', ";
  const std::string after = ", '" + std::string(300, 'b') + "' FROM t";
  const std::string told = Told(before + "custmer" + after);
  const size_t characters = before.size() - 3;  // Three of them are two bytes long.
  EXPECT_TRUE(told.ends_with("(line 1, column " + std::to_string(characters + 1) + ")")) << told;
}

TEST_F(Wordings, LeaveWeftsOwnErrorsAlone) {
  for (const char* message :
       {"the statement cannot be run over these tables, and why would tell what they are made of: try its parts",
        "syntax error at or near \"x\"", "'a Error: b' is no number",
        "zoe may not read sales.orders.orders: no grant. Error: none"}) {
    EXPECT_EQ(Worded({Code::kInvalid, message}, "SELECT 1").message, message);
  }
}

// A caret into another text, such as a policy view's, points nowhere in the person's statement.
TEST_F(Wordings, TellNothingOfAnotherText) {
  const std::string told =
      Worded(
          {Code::kInvalid, "Binder Error: WHERE clause cannot contain aggregates!\n\nLINE 1: SELECT secret\n        ^"},
          "SELECT 1")
          .message;
  EXPECT_EQ(told, "WHERE cannot contain aggregates");
}

}  // namespace
}  // namespace weft::query
