// What a row filter hides must not be told by an error: the attacks that found the holes of engines without a barrier.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "work/query/internal.h"
#include "work/query/testing.h"

namespace weft::query {
namespace {

using testing::Must;

// Errors on hidden rows, none on visible ones (tenant a, k 1).
constexpr std::pair<const char*, const char*> kAttacks[] = {
    {"regexp_full_match", "NOT regexp_full_match('x', secret)"},
    {"regexp_matches", "NOT regexp_matches('x', secret)"},
    {"regexp_extract", "regexp_extract('x', secret) <> 'q'"},
    {"like escape", "secret LIKE 'x%' ESCAPE CASE WHEN k = 1 THEN '!' ELSE '!!' END OR k = 1"},
    {"uuid", "CASE WHEN k = 2 THEN secret ELSE 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' END::UUID IS NOT NULL"},
    {"cast", "CAST(secret AS INT) >= 0"},
    {"decimal", "secret::DECIMAL(4, 0) >= 0"},
    {"date", "CASE WHEN k = 2 THEN secret ELSE '2020-01-01' END::DATE IS NOT NULL"},
    {"sqrt", "sqrt(1000 - num) >= 0"},
    {"ln", "ln(1000 - num) > -1e9"},
    {"overflow", "num * 92233720368547758 >= 0"},
    {"tinyint", "num::TINYINT >= 0"},
    {"factorial", "factorial((num // 1000)::INT) > 0"},
    {"strptime", "strptime(lpad(CASE WHEN k = 1 THEN secret ELSE 'zzzz' END, 4, '0'), '%Y') IS NOT NULL"},
    {"date_trunc", "date_trunc(CASE WHEN k = 1 THEN 'day' ELSE 'zz' END, DATE '2020-01-01') IS NOT NULL"},
    {"json", "json_extract('{}', CASE WHEN k = 1 THEN '$.a' ELSE '$[' END) IS NULL"},
    {"decode", "decode(CASE WHEN k = 2 THEN '\\xff'::BLOB ELSE 'a'::BLOB END) <> ''"},
    {"timezone", "timezone(CASE WHEN k = 1 THEN 'UTC' ELSE 'zz' END, TIMESTAMP '2020-01-01') IS NOT NULL"},
    {"shift", "(1 << (num // 10)::INT) >= 0"},
    // Casts that nobody wrote, by statements that pass as leakproof.
    {"implicit integer", "secret >= 0"},
    {"implicit column", "secret >= num OR k = 1"},
    {"implicit date", "(k = 2 AND secret >= DATE '2020-01-01') OR k = 1"},
    {"implicit timestamp", "(k = 2 AND secret >= TIMESTAMP '2020-01-01 00:00:00') OR k = 1"},
    {"implicit in", "(k = 2 AND secret IN (1, 2)) OR k = 1"},
    {"implicit between", "(k = 2 AND secret BETWEEN 1 AND 2) OR k = 1"},
};
constexpr const char* kPolicies[] = {"tenant = 'a'", "lower(tenant) = 'a'", "(tenant = 'a' OR k + id < 0)",
                                     "CASE WHEN tenant = 'a' THEN true ELSE false END",
                                     "tenant IN (SELECT x FROM (VALUES ('a'), ('q')) v(x))"};

class Leaks : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    file_ = new std::string((fs::temp_directory_path() / (NewId("leak") + ".parquet")).string());
    instance_ = Must(engine::Instance::Open({})).release();
    connection_ = Must(instance_->Connect()).release();
    Must(connection_->Execute(fmt::format(
        "COPY (SELECT i AS id, CASE WHEN hash(i) % 2 = 0 THEN 'a' ELSE 'b' END AS tenant, CASE WHEN hash(i) % 2 = 0 "
        "THEN (i % 1000)::VARCHAR ELSE '[SECRET' || i END AS secret, CASE WHEN hash(i) % 2 = 0 THEN i % 100 ELSE "
        "100000 + i END AS num, CASE WHEN hash(i) % 2 = 0 THEN 1 ELSE 2 END AS k FROM range(60000) r(i)) TO {} "
        "(ROW_GROUP_SIZE 20000)",
        SqlText(*file_))));
  }
  static void TearDownTestSuite() {
    delete connection_;
    delete instance_;
    fs::remove(*file_);
    delete file_;
  }

  static Table TableOf(const std::string& filter) {
    Table table;
    for (const char* name : {"id", "tenant", "secret", "num", "k"}) {
      model::Field field;
      field.name = name;
      table.view.schema.fields.push_back(field);
    }
    table.policy.condition = filter;
    return table;
  }

  static std::string ViewOf(const Table& table, const std::string& scan, bool barrier) {
    return model::PolicyView(table.policy, table.view.schema, scan, barrier);
  }

  // The error of the statement over the policy's view, made as a governed query makes it; empty where there is none.
  static std::string Attack(const std::string& filter, const std::string& predicate, bool always_barrier = false) {
    const std::string sql = "SELECT count(*) FROM sales.people.staff WHERE id >= 0 AND " + predicate;
    const Json tree = Must(connection_->ParseTree(sql));
    const model::Statement statement = Must(model::Walk(tree, sql));
    const std::string scan = fmt::format("SELECT * FROM read_parquet([{}])", SqlText(*file_));
    const std::string view = ViewOf(TableOf(filter), scan, always_barrier || !statement.leakproof);
    Must(
        connection_->Execute("ATTACH IF NOT EXISTS ':memory:' AS sales; CREATE SCHEMA IF NOT EXISTS sales.people; "
                             "CREATE OR REPLACE VIEW sales.people.staff AS " +
                             view));
    auto answer = connection_->Query(sql);
    // What the binder refuses, it refuses without a look at the rows.
    return answer || answer.error().message.starts_with("Binder Error") ? "" : answer.error().message;
  }

  static std::string* file_;
  static engine::Instance* instance_;
  static engine::Connection* connection_;
};
std::string* Leaks::file_ = nullptr;
engine::Instance* Leaks::instance_ = nullptr;
engine::Connection* Leaks::connection_ = nullptr;

TEST_F(Leaks, NoAttackTellsOfHiddenRows) {
  for (const char* policy : kPolicies) {
    for (const auto& [name, predicate] : kAttacks) {
      EXPECT_EQ(Attack(policy, predicate), "") << name << " under " << policy;
    }
  }
}

// Were there nothing to hide, the attacks would err: they are attacks indeed.
TEST_F(Leaks, TheAttacksErrOnHiddenRows) {
  int errors = 0;
  for (const auto& [name, predicate] : kAttacks) errors += !Attack("true", predicate).empty();
  EXPECT_GE(errors, 16);
}

// The canary: without the barrier the engine moves this predicate below the filter. When an upgrade mends that, the
// barrier may be thought over again; until then it is what holds.
TEST_F(Leaks, WithoutTheBarrierTheCanaryDies) {
  const std::string scan = fmt::format("SELECT * FROM read_parquet([{}])", SqlText(*file_));
  std::string told;
  for (const char* policy : kPolicies) {
    for (const char* more : {"", "id % 7 < 6 AND "}) {
      auto count =
          connection_->Query(fmt::format("SELECT count(*) FROM ({}) WHERE {} NOT regexp_full_match('x', secret)",
                                         ViewOf(TableOf(policy), scan, false), more));
      if (!count) told += count.error().message;
    }
  }
  EXPECT_NE(told.find("[SECRET"), std::string::npos) << told;
}

TEST_F(Leaks, MasksReplaceAndFiltersSeeTheRealValue) {
  Table table = TableOf("tenant = 'a'");
  table.policy.masks = {{"tenant", "'***'"}, {"secret", "NULL"}};
  const std::string scan = fmt::format("SELECT * FROM read_parquet([{}])", SqlText(*file_));
  const std::string view = ViewOf(table, scan, true);
  auto rows = Must(connection_->Query(fmt::format("SELECT DISTINCT tenant, secret FROM ({})", view)));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows.text(0, 0), "***");
  EXPECT_FALSE(rows.cells[0][1]);
  auto by_mask = Must(connection_->Query(fmt::format("SELECT count(*) FROM ({}) WHERE tenant = 'a'", view)));
  EXPECT_EQ(by_mask.integer(0, 0), 0);
  EXPECT_FALSE(connection_->Query(fmt::format("SELECT filename FROM ({})", view)));
}

// The barrier is for rows; a value that is pseudonymised has no way past its token, with the barrier or without.
TEST_F(Leaks, WhatIsPseudonymisedIsNotTold) {
  Must(connection_->DefineTokens("weft_pseudonym_test", Secret::Random(kKeyBytes)));
  Table table = TableOf("");
  table.policy.masks = {{"secret", "weft_pseudonym_test(secret)"}, {"num", "weft_pseudonym_test(num)"}};
  const std::string scan = fmt::format("SELECT * FROM read_parquet([{}])", SqlText(*file_));
  int errors = 0;
  for (const char* policy : {"", "tenant = 'a'"}) {
    table.policy.condition = policy;
    for (const bool barrier : {true, false}) {
      const std::string view = ViewOf(table, scan, barrier);
      for (const auto& [name, predicate] : kAttacks) {
        auto answer = connection_->Query(fmt::format("SELECT count(*) FROM ({}) WHERE {}", view, predicate));
        if (answer) continue;
        const std::string& told = answer.error().message;
        errors += told.find("p_") != told.npos;
        EXPECT_EQ(told.find("[SECRET"), std::string::npos) << name << ": " << told;
        EXPECT_EQ(told.find("weft_pseudonym"), std::string::npos) << name << ": " << told;
      }
    }
  }
  EXPECT_GE(errors, 4);  // They are attacks: they err on tokens.
  const std::string view = ViewOf(table, scan, false);
  auto least =
      Must(connection_->Query(fmt::format("SELECT min(secret), max(num), count(DISTINCT num) FROM ({})", view)));
  EXPECT_TRUE(least.text(0, 0).starts_with("p_"));
  EXPECT_GT(least.integer(0, 1), 1'000'000);
  EXPECT_EQ(least.integer(0, 2), Must(connection_->Query(fmt::format("SELECT count(DISTINCT num) FROM ({}) WHERE "
                                                                     "tenant = 'a'",
                                                                     scan)))
                                     .integer(0, 0));
}

// The name that a view calls is no name that a person may.
TEST_F(Leaks, TheWalkerRefusesFunctionsOfPseudonyms) {
  for (const char* sql : {"SELECT weft_pseudonym_test('u1')", "SELECT system.main.weft_pseudonym_test('u1')",
                          "SELECT main.WEFT_PSEUDONYM_TEST(1)", "SELECT 'u1'.weft_pseudonym_test()",
                          "SELECT list_transform(['u1'], lambda x: weft_pseudonym_test(x))"}) {
    const Json tree = Must(connection_->ParseTree(sql));
    EXPECT_FALSE(model::Walk(tree, sql)) << sql;
  }
}

TEST(ShownErrors, WithholdPathsAndPolicies) {
  Table table;
  table.policy.condition = "tenant = 'a'";
  table.paths = {"/lake/x/1.data"};
  EXPECT_EQ(Shown({Code::kInvalid, "Binder Error: no column \"x\""}, {table}).message, "Binder Error: no column \"x\"");
  for (const char* message : {"IO Error: cannot open /lake/x/1.data", "Binder Error: near tenant = 'a'",
                              "Invalid Input Error: No magic bytes in /lake/x/1.data"}) {
    Error shown = Shown({Code::kInvalid, message}, {table});
    EXPECT_EQ(shown.message.find("/lake"), std::string::npos);
    EXPECT_EQ(shown.message.find("tenant"), std::string::npos);
  }
  // What is withheld goes to the log: a plan's error whole, one that quotes a value by its kind alone.
  ::testing::internal::CaptureStderr();
  for (const char* message :
       {"Conversion Error: Could not convert string 'Ada.parquet' to INT32", "Binder Error: near tenant = 'a'"}) {
    EXPECT_EQ(Shown({Code::kInvalid, message}, {table}).message.find('\''), std::string::npos) << message;
  }
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(log.find("Ada"), std::string::npos) << log;
  EXPECT_NE(log.find("Conversion Error"), std::string::npos) << log;
  EXPECT_NE(log.find("near tenant"), std::string::npos) << log;
  EXPECT_EQ(Shown({Code::kInternal, "INTERNAL Error: x"}, {}).message,
            "the engine could not answer; the node's log says why");
}

}  // namespace
}  // namespace weft::query
