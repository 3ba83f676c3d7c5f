// The walker over trees of the real engine: what may be read, and the attacks that may not.
#include <gtest/gtest.h>

#include "base/text.h"
#include "drivers/engine/engine.h"
#include "model/sql.h"

namespace weft::model {
namespace {

class Walking : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    instance_ = engine::Instance::Open({.threads = 1}).TakeValue().release();
    connection_ = instance_->Connect().TakeValue().release();
  }
  static void TearDownTestSuite() {
    delete connection_;
    delete instance_;
  }
  static Result<Statement> Walk(const std::string& sql) {
    const Json tree = TRY(connection_->ParseTree(sql));
    return model::Walk(tree, sql);
  }
  // The tables that a statement names, joined; or its error.
  static std::string Tables(const std::string& sql) {
    auto statement = Walk(sql);
    if (!statement) return "error: " + statement.error().message;
    std::string tables;
    for (const TableName& table : statement->tables) tables += (tables.empty() ? "" : " ") + table.Text();
    return tables;
  }
  static Code CodeOf(const std::string& sql) {
    auto statement = Walk(sql);
    return statement ? Code::kInternal : statement.error().code;
  }

  static engine::Instance* instance_;
  static engine::Connection* connection_;
};
engine::Instance* Walking::instance_ = nullptr;
engine::Connection* Walking::connection_ = nullptr;

constexpr std::string_view kFile = "/data/t.parquet";

TEST_F(Walking, NamesTheTables) {
  EXPECT_EQ(Tables("SELECT 1"), "");
  EXPECT_EQ(Tables("FROM ops.flights.flights_v1"), "ops.flights.flights_v1");
  EXPECT_EQ(Tables("SELECT * FROM a.b.c x JOIN A.B.C y USING (k), d"), "a.b.c d");
  EXPECT_EQ(Tables("SELECT (SELECT max(x) FROM a), EXISTS (FROM b), x IN (SELECT y FROM c) FROM d"), "a b c d");
  EXPECT_EQ(Tables("DESCRIBE a.b.c"), "a.b.c");
  EXPECT_EQ(Tables("SUMMARIZE a.b.c"), "a.b.c");
}

TEST_F(Walking, EveryPlaceWhereATableHides) {
  for (std::string_view sql : {
           "SELECT * FROM '{}'",
           "SELECT * FROM \"{}\"",
           "SELECT (SELECT count(*) FROM '{}')",
           "SELECT * FROM dom.x.t WHERE id IN (SELECT id FROM '{}')",
           "SELECT list_transform([1], lambda x: (SELECT max(id) FROM '{}'))",
           "SELECT * FROM (PIVOT '{}' ON g IN (1) USING sum(id))",
           "DESCRIBE '{}'",
           "SUMMARIZE '{}'",
           "SELECT * FROM (SUMMARIZE '{}')",
           "SELECT 1 LIMIT (SELECT count(*) FROM '{}')",
           "SELECT 1 ORDER BY (SELECT count(*) FROM '{}')",
           "SELECT count(*) FILTER (WHERE (SELECT true FROM '{}' LIMIT 1))",
           "SELECT sum(1) OVER (PARTITION BY (SELECT 1 FROM '{}' LIMIT 1))",
           "SELECT 1 GROUP BY GROUPING SETS (((SELECT 1 FROM '{}' LIMIT 1)))",
           "FROM dom.x.t JOIN '{}' p ON true",
           "VALUES ((SELECT count(*) FROM '{}'))",
           "SELECT * REPLACE ((SELECT count(*) FROM '{}') AS id) FROM dom.x.t",
           "SELECT COLUMNS(c -> (SELECT true FROM '{}' LIMIT 1)) FROM dom.x.t",
           "SELECT unnest((SELECT list(id) FROM '{}'))",
           "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM '{}') FROM r",
           "SELECT DISTINCT ON ((SELECT 1 FROM '{}' LIMIT 1)) 1",
           "SELECT 1 QUALIFY (SELECT true FROM '{}' LIMIT 1)",
           "FROM range((SELECT count(*) FROM '{}'))",
           "FROM generate_series(1,(SELECT max(id) FROM '{}')::BIGINT)",
           "SELECT 1 UNION SELECT id FROM '{}'",
           "SELECT EXISTS(FROM '{}')",
           "SELECT ARRAY(FROM '{}')",
           "SELECT CASE WHEN 1 IN (SELECT id FROM '{}') THEN 1 END",
       }) {
    auto statement = Walk(ReplaceAll(sql, "{}", kFile));
    ASSERT_TRUE(statement) << sql << ": " << statement.error().message;
    EXPECT_TRUE(std::any_of(statement->tables.begin(), statement->tables.end(), [](const TableName& table) {
      return table.table == kFile;
    })) << sql;
  }
}

TEST_F(Walking, NamesOfWithAreSeenOnlyWhereTheyAre) {
  EXPECT_EQ(Tables("WITH t AS (SELECT 1) SELECT * FROM T"), "");
  EXPECT_EQ(Tables("WITH t AS (SELECT * FROM t) SELECT * FROM t"), "t");
  EXPECT_EQ(Tables("SELECT * FROM (WITH t AS (SELECT 1) SELECT * FROM t), t"), "t");
  EXPECT_EQ(Tables("WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a"), "b");
  EXPECT_EQ(Tables("WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b"), "");
  EXPECT_EQ(Tables("WITH t AS (SELECT 1) SELECT * FROM dom.x.t"), "dom.x.t");
  EXPECT_EQ(Tables("WITH t AS (SELECT 1) SELECT * FROM x.t"), "x.t");
  EXPECT_EQ(Tables("(WITH a AS (SELECT 1) SELECT * FROM a) UNION SELECT * FROM a"), "a");
  EXPECT_EQ(Tables("WITH k AS (SELECT 3 v) SELECT 1 WHERE 3 IN (SELECT v FROM k)"), "");
}

TEST_F(Walking, ARecursiveNameIsNotSeenByItsFirstHalf) {
  EXPECT_EQ(Tables("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) FROM r"), "");
  EXPECT_EQ(Tables("WITH RECURSIVE r AS (SELECT * FROM r UNION ALL SELECT * FROM r) FROM r"), "r");
  EXPECT_EQ(Tables("WITH RECURSIVE r AS (SELECT * FROM r) FROM r"), "r");
  EXPECT_EQ(Tables("WITH RECURSIVE r(k, v) USING KEY (k) AS (SELECT 1, 1 UNION SELECT r.k, r.v + 1 FROM r JOIN "
                   "recurring.r x USING (k) WHERE r.v < 3) FROM r"),
            "");
  EXPECT_EQ(Tables("FROM recurring.r"), "recurring.r");
}

TEST_F(Walking, RefusesWhatIsNotOnTheList) {
  for (const char* sql : {
           "SHOW ALL TABLES",
           "SHOW TABLES",
           "SHOW DATABASES",
           "SHOW TABLES FROM dom.x",
           "EXPLAIN SELECT 1",
           "EXPLAIN ANALYZE SELECT 1",
           "DROP TABLE x",
           "CREATE TABLE q AS SELECT 1",
           "CREATE OR REPLACE VIEW dom.x.t AS SELECT 1",
           "INSERT INTO dom.x.t VALUES (1)",
           "COPY (SELECT 1) TO '/tmp/x'",
           "ATTACH '/tmp/x.db'",
           "SET threads = 1",
           "LOAD httpfs",
           "INSTALL httpfs",
           "PRAGMA database_list",
           "PRAGMA table_info('dom.x.t')",
           "CALL pragma_version()",
           "CALL enable_logging()",
           "PREPARE q AS SELECT 1",
           "EXECUTE q(1)",
           "BEGIN",
           "SELECT 1; DROP TABLE x",
           "PIVOT dom.x.t ON g USING sum(id)",
           "SELECT * FROM (PIVOT dom.x.t ON g IN e USING sum(id))",
           "SELECT * FROM dom.x.t AT (VERSION => 1)",
           "SELECT 1::dom.x.e",
           "FROM duckdb_views()",
           "FROM duckdb_tables()",
           "FROM duckdb_settings()",
           "FROM query('select 1')",
           "FROM query_table('/data/t.parquet')",
           "FROM query_table(['/data/t.parquet'])",
           "FROM json_execute_serialized_sql('')",
           "FROM histogram('/data/t.parquet', 'id')",
           "FROM histogram_values('/data/t.parquet', id)",
           "FROM read_parquet('/data/t.parquet')",
           "FROM system.main.read_parquet('/data/t.parquet')",
           "FROM parquet_scan('/data/t.parquet')",
           "FROM parquet_metadata('/data/t.parquet')",
           "FROM parquet_bloom_probe('/data/t.parquet', 'id', 1)",
           "FROM read_csv('/etc/passwd')",
           "FROM read_text('/etc/passwd')",
           "FROM read_blob('/etc/passwd')",
           "FROM read_json('/etc/passwd')",
           "FROM glob('/*')",
           "FROM sniff_csv('/etc/passwd')",
           "FROM repeat_row(1, num_rows := 3)",
           "FROM x.y.range(3)",
           "SELECT current_setting('threads')",
           "SELECT system.main.current_setting('threads')",
           "SELECT getenv('HOME')",
           "SELECT getvariable('x')",
           "SELECT stats(id) FROM dom.x.t",
           "SELECT id.stats() FROM dom.x.t",
           "SELECT error('x')",
           "SELECT write_log('x')",
           "SELECT sleep_ms(100000)",
           "SELECT nextval('x')",
           "SELECT current_query()",
           "SELECT json_serialize_sql('select 1')",
           "SELECT pg_typeof(1)",
           "SELECT stats(id) OVER () FROM dom.x.t",
       }) {
    EXPECT_EQ(CodeOf(sql), Code::kUnsupported) << sql;
  }
}

TEST_F(Walking, TextsGrowByPlainSmallNumbersOnly) {
  for (const char* sql :
       {"SELECT repeat('a', 3000000000)", "SELECT lpad('a', id::INT) FROM dom.x.t", "SELECT rpad('a', 10001, 'b')"}) {
    EXPECT_EQ(CodeOf(sql), Code::kUnsupported) << sql;
  }
}

TEST_F(Walking, ReadsWhatPeopleWrite) {
  for (const char* sql : {
           "SELECT id, sum(id) OVER w FROM t WINDOW w AS (PARTITION BY g ORDER BY id ROWS BETWEEN 2 PRECEDING AND "
           "CURRENT ROW EXCLUDE TIES)",
           "SELECT g, d, count(*) FROM t GROUP BY CUBE (g, d) HAVING count(*) > 1",
           "SELECT [x * 2 FOR x IN l IF x > 2] FROM t",
           "SELECT * EXCLUDE (u, s) REPLACE (id * 2 AS id) RENAME (name AS nm) FROM t",
           "SELECT COLUMNS('^q') + 1 FROM t",
           "SELECT lpad(id::VARCHAR, 8, '0') || repeat('-', 3) FROM t",
           "SELECT t.id, price FROM t ASOF LEFT JOIN u USING (id, d) ORDER BY 1",
           "SELECT count(*) FROM t USING SAMPLE reservoir(5 ROWS) REPEATABLE (42)",
           "PIVOT t ON g IN (0, 1, 2) USING sum(id) GROUP BY d",
           "UNPIVOT (SELECT id, q1, q2 FROM t) ON q1, q2 INTO NAME n VALUE v",
           "SELECT id FROM t WHERE id > $lo AND g = $g",
           "SELECT id FROM t WHERE id > ? LIMIT ?",
           "SELECT name.upper().replace('N', 'm'), l.list_transform(lambda x: x + 1) FROM t",
           "SELECT string_agg(name, ',' ORDER BY id DESC) FILTER (WHERE id < 5) FROM t",
           "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY id) FROM t",
           "SELECT 'a'::ENUM('a', 'b'), {'a': 1}::STRUCT(a BIGINT), [1, 2]::INT[2], 1::DECIMAL(5, 2)",
           "SELECT ts AT TIME ZONE 'Europe/Rome', extract(year FROM d), TRY_CAST(name AS INT), TRY(ln(x)) FROM t",
           "SELECT s.a, m['k'], l[1:2], to_json(s)->>'a', to_json(s)->'$.b' FROM t",
           "SELECT id FROM t WHERE id = ANY (SELECT id FROM u) AND id <= ALL (SELECT id FROM u)",
           "FROM t, unnest(t.l) AS k(x), generate_series(1, id) g(z), LATERAL (SELECT t.id * 2 AS v) z",
           "SELECT id FROM t WHERE id <> 4 AND a IS DISTINCT FROM b UNION ALL BY NAME SELECT id FROM u",
           "SELECT 1;",
           "/* hi; */ SELECT id -- x ; y\n FROM t",
       }) {
    auto statement = Walk(sql);
    EXPECT_TRUE(statement) << sql << ": " << statement.error().message;
  }
}

TEST_F(Walking, SaysWhere) {
  EXPECT_EQ(Walk("SELECT 'ä',\n  getenv('HOME')").error().message,
            "the function 'getenv' is not among those that may be used here (line 2, column 3)");
  EXPECT_NE(Walk("SELECT summ(x) FROM t").error().message.find("did you mean 'sum'? (line 1, column 8)"),
            std::string::npos)
      << Walk("SELECT summ(x) FROM t").error().message;
  auto broken = Walk("SELECT 1\nFRM t WHERE");
  EXPECT_EQ(broken.error().code, Code::kInvalid);
  EXPECT_NE(broken.error().message.find("(line 2, column"), std::string::npos) << broken.error().message;
  EXPECT_EQ(CodeOf(""), Code::kInvalid);
  EXPECT_EQ(CodeOf("SELECT 1; SELECT 2"), Code::kInvalid);
  EXPECT_EQ(Walk("DROP TABLE t").error().message.find("only SELECT is read here"), 0u);
}

TEST_F(Walking, KnowsTimeAndChance) {
  for (const char* sql :
       {"SELECT now()", "SELECT current_timestamp", "SELECT Current_Date", "SELECT current_date()",
        "SELECT current_time", "SELECT localtime", "SELECT localtimestamp", "SELECT today()",
        "SELECT get_current_timestamp()", "SELECT get_current_time()", "SELECT transaction_timestamp()",
        "SELECT current_localtimestamp()", "SELECT current_localtime()", "SELECT age(DATE '2020-01-01')",
        "SELECT ago(INTERVAL 1 DAY)", "SELECT 1 ORDER BY (SELECT now())"}) {
    auto statement = Walk(sql);
    ASSERT_TRUE(statement) << sql << statement.error().message;
    EXPECT_TRUE(statement->uses_now) << sql;
    EXPECT_FALSE(statement->uses_random) << sql;
  }
  for (const char* sql : {"SELECT random()", "SELECT uuid()", "SELECT gen_random_uuid()", "SELECT uuidv7()",
                          "FROM t USING SAMPLE 5", "FROM t TABLESAMPLE 10%"}) {
    EXPECT_TRUE(Walk(sql)->uses_random) << sql;
    EXPECT_FALSE(Walk(sql)->uses_now) << sql;
  }
  EXPECT_FALSE(Walk("SELECT age(a, b), t.now FROM t")->uses_now);
}

TEST_F(Walking, LeakproofIsNarrow) {
  for (const char* sql : {
           "SELECT * FROM t",
           "SELECT a, count(*), sum(b), min(c) FROM t WHERE a = 1 AND NOT (b > 2.5 OR c IS NULL) GROUP BY a",
           "SELECT a FROM t WHERE a IN (1, 2) AND b BETWEEN 1 AND 2 AND c LIKE 'x%' AND d >= DATE '2024-01-01'",
           "SELECT a FROM t JOIN u ON t.id = u.id WHERE a <> $1 ORDER BY a DESC LIMIT 10",
           "WITH x AS (SELECT a FROM t) SELECT DISTINCT a FROM x WHERE a IN (SELECT id FROM u)",
       }) {
    EXPECT_TRUE(Walk(sql)->leakproof) << sql;
  }
  for (const char* sql : {
           "SELECT a FROM t WHERE regexp_full_match('x', a)",
           "SELECT a FROM t WHERE a LIKE 'x' ESCAPE b",
           "SELECT a::UUID FROM t",
           "SELECT a FROM t WHERE a = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID",
           "SELECT a::INT FROM t",
           "SELECT a + 1 FROM t",
           "SELECT a || 'x' FROM t",
           "SELECT CASE WHEN a THEN 1 END FROM t",
           "SELECT a[1] FROM t",
           "SELECT a->>'x' FROM t",
           "SELECT sum(a) OVER () FROM t",
           "SELECT (SELECT max(a) FROM t)",
           "SELECT a FROM t UNION ALL SELECT b FROM u",
           "SELECT a FROM t TABLESAMPLE 10%",
           "SELECT a FROM t WHERE d < current_date",
           "SELECT * FROM t ASOF JOIN u ON t.d >= u.d",
           "SELECT unnest(a) FROM t",
           "SUMMARIZE t",
           "SELECT COLUMNS(c -> c LIKE 'x') FROM t",
       }) {
    EXPECT_FALSE(Walk(sql)->leakproof) << sql;
  }
}

TEST_F(Walking, DepthIsBounded) {
  std::string sql = "SELECT " + std::string(300, '(') + "1" + std::string(300, ')');
  EXPECT_TRUE(Walk(sql) || Walk(sql).error().code != Code::kInternal);
  std::string sum = "SELECT 1";
  for (int i = 0; i < 5'000; ++i) sum += "+1";
  ASSERT_FALSE(Walk(sum));
  EXPECT_NE(Walk(sum).error().code, Code::kInternal) << Walk(sum).error().message;
}

TEST(Walk, StrangeTreesAreDenied) {
  for (const char* tree :
       {"null", "{}", "[]", R"({"error": false})", R"({"error": false, "statements": [{}]})",
        R"({"error": false, "statements": [{"node": {"type": "INSERT_NODE"}}]})",
        R"({"error": false, "statements": [{"node": {"type": "SELECT_NODE", "x": {"class": "NEW"}}}]})",
        R"({"error": false, "statements": [{"node": {"type": "SELECT_NODE", "f": {"type": "NEW"}}}]})"}) {
    EXPECT_FALSE(model::Walk(*Json::Parse(tree), "")) << tree;
  }
}

}  // namespace
}  // namespace weft::model
