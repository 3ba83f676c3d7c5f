#include "drivers/engine/engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/id.h"
#include "base/text.h"

namespace weft::engine {
namespace {

namespace files = std::filesystem;

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetExtensionFolder(WEFT_DUCKDB_EXTENSIONS);
    folder_ = files::temp_directory_path() / ("weft-engine-" + NewSecret(6));
    files::create_directories(folder_);
    Open({});
  }
  void TearDown() override {
    connection_.reset();
    instance_.reset();
    files::remove_all(folder_);
  }
  void Open(Options options) {
    connection_.reset();
    instance_ = Instance::Open(options).value();
    connection_ = instance_->Connect(kProgress).value();
  }
  std::string One(std::string_view sql, std::initializer_list<Value> params = {}) {
    auto rows = connection_->Query(sql, params);
    return rows ? rows->text(0, 0) : "! " + rows.error().message;
  }
  Code CodeOf(std::string_view sql) {
    auto rows = connection_->Query(sql);
    EXPECT_FALSE(rows) << sql;
    return rows ? Code::kInternal : rows.error().code;
  }

  Result<std::unique_ptr<Stream>> OpenStream(std::string_view sql, const std::vector<Value>& params = {}) {
    return TRY(connection_->Prepare(sql))->Open(params);
  }
  Status Describe(std::string_view sql, ArrowSchema* schema, std::vector<std::string>* parameters) {
    return TRY(connection_->Prepare(sql))->Describe(schema, parameters);
  }

  files::path folder_;
  std::unique_ptr<Instance> instance_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(EngineTest, CellsAreTheEnginesOwnTextWhateverTheType) {
  for (std::string value :
       {"true",
        "1::TINYINT",
        "-2::SMALLINT",
        "3",
        "4::BIGINT",
        "255::UTINYINT",
        "1::USMALLINT",
        "1::UINTEGER",
        "18446744073709551615::UBIGINT",
        "-170141183460469231731687303715884105727::HUGEINT",
        "340282366920938463463374607431768211455::UHUGEINT",
        "0.1::FLOAT",
        "-0.0::DOUBLE",
        "'nan'::DOUBLE",
        "1e300",
        "'-inf'::FLOAT",
        "1.50::DECIMAL(4,2)",
        "-1.5::DECIMAL(9,1)",
        "12345678901.25::DECIMAL(18,2)",
        "-99999999999999999999999999999999999.125::DECIMAL(38,3)",
        "'a''b'",
        "''",
        "DATE '2020-02-29'",
        "DATE '-290307-12-31'",
        "'infinity'::DATE",
        "TIME '10:11:12.000013'",
        "'10:11:12.123456789'::TIME_NS",
        "TIMETZ '10:11:12+05:30'",
        "TIMESTAMP '2020-01-01 00:00:00.000001'",
        "TIMESTAMPTZ '2020-01-01 02:00:00+02'",
        "'2020-01-01 00:00:01'::TIMESTAMP_S",
        "'2020-01-01 00:00:01.5'::TIMESTAMP_MS",
        "'2020-01-01 00:00:00.123456789'::TIMESTAMP_NS",
        "INTERVAL '14 months 3 days 4 hours'",
        "'\\x00\\xAAb'::BLOB",
        "'0101'::BIT",
        "'4ac7a9e9-607c-4c8a-84f3-843f0191e3fd'::UUID",
        "'b'::ENUM('a', 'b')",
        "[1, NULL, 3]",
        "[]::VARCHAR[]",
        "['a,b', NULL, '']",
        "[1, 2]::INTEGER[2]",
        "{'a': 1, 'b': NULL, 'c': [DATE '2020-01-01']}",
        "MAP {'k': [1.5], 'l': NULL}",
        "MAP {}",
        "[{'t': TIMESTAMPTZ '2020-01-01 00:00:00+00', 'u': '4ac7a9e9-607c-4c8a-84f3-843f0191e3fd'::UUID}]",
        "union_value(n := 5)",
        "NULL"}) {
    auto rows = connection_->Query("SELECT " + value + " AS v, (" + value + ")::VARCHAR, typeof(" + value + ")");
    ASSERT_TRUE(rows) << value << ": " << rows.error().message;
    EXPECT_EQ(rows->cells[0][0], rows->cells[0][1]) << value;
    if (rows->text(0, 2).find("NULL") != std::string::npos) continue;  // A bare NULL becomes an INTEGER.
    EXPECT_EQ(ReplaceAll(rows->types[0], "\"", ""), ReplaceAll(rows->text(0, 2), "\"", "")) << value;
  }
}

TEST_F(EngineTest, AnswersKeepOrderDuplicateNamesNullsAndZeroBytes) {
  auto rows = connection_->Query(
      "SELECT i AS a, i + 1 AS a, NULLIF(i, 4999) AS b, 'x' || chr(0) || 'y' FROM range(5000) t(i) ORDER BY i");
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 5000u);
  EXPECT_EQ(rows->names[0], "a");
  EXPECT_EQ(rows->names[1], "a");
  EXPECT_EQ(rows->integer(4998, 0), 4998);
  EXPECT_EQ(rows->integer(4998, 1), 4999);
  EXPECT_FALSE(rows->cells[4999][2].has_value());
  EXPECT_EQ(rows->text(4999, 2), "");
  EXPECT_EQ(rows->integer(4999, 2), 0);
  EXPECT_TRUE(std::isnan(rows->number(4999, 2)));
  EXPECT_EQ(rows->text(0, 3), std::string("x\0y", 3));
}

TEST_F(EngineTest, TextParametersTakeTheTypeThatTheStatementNeeds) {
  EXPECT_EQ(One("SELECT count(*) FROM range(10) t(i) WHERE i < $1", {"4"}), "4");
  EXPECT_EQ(One("SELECT DATE '2020-01-02' = $1", {"2020-01-02"}), "true");
  EXPECT_EQ(One("SELECT $1 || $2", {"a'b", "c"}), "a'bc");
  EXPECT_EQ(One("SELECT $1 IS NULL", {std::nullopt}), "true");
  EXPECT_EQ(One("SELECT $1", {"1"}), "1");
  auto wrong = connection_->Query("SELECT 1 WHERE 1 = $1", {"x"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::kInvalid);
  EXPECT_EQ(One("SELECT $1"), "! the statement has 1 parameter and 0 are given");
}

TEST_F(EngineTest, SeveralStatementsRunInOrderAndTheFirstErrorStops) {
  ASSERT_TRUE(connection_->Execute("CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (1), (2); ;"));
  EXPECT_EQ(One("SELECT sum(i) FROM t"), "3");
  EXPECT_FALSE(connection_->Execute("INSERT INTO t VALUES (3); INSERT INTO u VALUES (1); INSERT INTO t VALUES (4)"));
  EXPECT_EQ(One("SELECT sum(i) FROM t"), "6");
  EXPECT_EQ(CodeOf(""), Code::kInvalid);
}

TEST_F(EngineTest, ErrorsCarryTheCodeOfWhoCanMendThem) {
  EXPECT_EQ(CodeOf("SELEC 1"), Code::kInvalid);
  EXPECT_EQ(CodeOf("SELECT x FROM range(3)"), Code::kInvalid);
  EXPECT_EQ(CodeOf("SELECT * FROM missing"), Code::kInvalid);
  EXPECT_EQ(CodeOf("SELECT 'x'::INTEGER"), Code::kInvalid);
  EXPECT_EQ(CodeOf("SELECT 2147483647 + 1::INTEGER"), Code::kInvalid);
  EXPECT_EQ(CodeOf("SELECT error('Out of Memory Error')"), Code::kInvalid);
  EXPECT_EQ(CodeOf("SELECT * FROM read_parquet('/nonexistent.parquet')"), Code::kUnavailable);
  Open({.threads = 1, .memory_bytes = int64_t{32} << 20, .temp_folder = "", .extensions = {}});
  EXPECT_EQ(CodeOf("SELECT max(l) FROM (SELECT list(i::VARCHAR || repeat('x', 100)) l FROM range(3000000) t(i))"),
            Code::kUnavailable);
}

TEST_F(EngineTest, InstancesStandInUtcAndKeepToTheirOwn) {
  EXPECT_EQ(One("SELECT current_setting('TimeZone')"), "UTC");
  EXPECT_EQ(One("SELECT (TIMESTAMPTZ '2020-01-01 00:00:00+02')::VARCHAR"), "2019-12-31 22:00:00+00");
  EXPECT_EQ(One("SELECT current_setting('autoload_known_extensions')"), "false");
  EXPECT_EQ(One("SELECT current_setting('autoinstall_known_extensions')"), "false");
  EXPECT_EQ(One("SELECT current_setting('extension_directory')"), WEFT_DUCKDB_EXTENSIONS);
  EXPECT_EQ(One("SELECT count(*) FROM duckdb_extensions() WHERE loaded AND extension_name = 'avro'"), "0");
  Open({.threads = 1, .memory_bytes = int64_t{64} << 20, .temp_folder = "", .extensions = {"avro"}});
  EXPECT_EQ(One("SELECT count(*) FROM duckdb_extensions() WHERE loaded AND extension_name = 'avro'"), "1");
  auto missing =
      Instance::Open({.threads = 1, .memory_bytes = int64_t{64} << 20, .temp_folder = "", .extensions = {"none"}});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("'none'"), std::string::npos);
}

TEST_F(EngineTest, ALockedInstanceReadsItsPathsAndNothingElse) {
  const std::string open = folder_ / "open.parquet", secret = folder_ / "secret.parquet", out = folder_ / "out";
  files::create_directories(out);
  ASSERT_TRUE(
      connection_->Execute("COPY (SELECT 42 a) TO " + SqlText(open) + "; COPY (SELECT 43 a) TO " + SqlText(secret)));
  const std::string allowed[] = {open};
  ASSERT_TRUE(instance_->Lock(allowed, out));
  connection_ = instance_->Connect().value();
  EXPECT_EQ(One("SELECT a FROM read_parquet(" + SqlText(open) + ")"), "42");
  EXPECT_TRUE(connection_->Execute("COPY (SELECT 1) TO " + SqlText(out + "/x.parquet")));
  EXPECT_EQ(CodeOf("SELECT a FROM read_parquet(" + SqlText(secret) + ")"), Code::kDenied);
  EXPECT_EQ(CodeOf("SELECT a FROM read_parquet(" + SqlText(out + "/../secret.parquet") + ")"), Code::kDenied);
  EXPECT_EQ(CodeOf("SELECT * FROM read_text('/etc/passwd')"), Code::kDenied);
  EXPECT_FALSE(connection_->Execute("COPY (SELECT 1) TO " + SqlText((folder_ / "y.csv").string())));
  EXPECT_FALSE(connection_->Execute("SET memory_limit = '9GB'"));
  EXPECT_FALSE(connection_->Execute("SET enable_external_access = true"));
  EXPECT_FALSE(connection_->Execute("LOAD avro"));
  EXPECT_FALSE(connection_->Execute("ATTACH " + SqlText((folder_ / "a.db").string())));
}

// Reads a stream to its end; its rows, or the error.
Result<int64_t> Drain(Stream& stream, std::vector<std::string>* formats = nullptr) {
  ArrowArrayStream c{};
  stream.Export(&c);
  ArrowSchema schema{};
  EXPECT_EQ(c.get_schema(&c, &schema), 0);
  for (int64_t i = 0; i < schema.n_children && formats; ++i) {
    formats->push_back(std::string(schema.children[i]->name) + ":" + schema.children[i]->format);
  }
  schema.release(&schema);
  int64_t rows = 0;
  while (true) {
    ArrowArray array{};
    if (c.get_next(&c, &array) != 0) {
      Error error{Code::kUnavailable, c.get_last_error(&c)};
      c.release(&c);
      return error;
    }
    if (!array.release) break;
    rows += array.length;
    array.release(&array);
  }
  c.release(&c);
  return rows;
}

TEST_F(EngineTest, StreamsAreArrow) {
  auto stream = OpenStream("SELECT i AS a, 'x' AS a, TIMESTAMPTZ '2020-01-01' AS t FROM range($1) r(i) WHERE i >= $2",
                           std::vector<Value>{});
  ASSERT_FALSE(stream);
  stream = OpenStream("SELECT i AS a, 'x' AS a, TIMESTAMPTZ '2020-01-01' AS t FROM range(100000) r(i) WHERE i >= $1",
                      std::vector<Value>{"10"});
  ASSERT_TRUE(stream) << stream.error().message;
  std::vector<std::string> formats;
  EXPECT_EQ(Drain(**stream, &formats).value(), 99990);
  EXPECT_EQ(formats, (std::vector<std::string>{"a:l", "a:u", "t:tsu:UTC"}));
  // The engine stops its other threads when one fails, and about once in a hundred times tells of that instead.
  std::string told;
  for (int attempt = 0; attempt < 5 && told.find("no") == told.npos; ++attempt) {
    stream = OpenStream("SELECT CASE WHEN i = 90000 THEN error('no') ELSE 'x' END FROM range(100000) t(i)");
    ASSERT_TRUE(stream);
    auto rows = Drain(**stream);
    ASSERT_FALSE(rows);
    told = rows.error().message;
    EXPECT_TRUE(told.find("no") != told.npos || told.find("INTERRUPT") != told.npos) << told;
    stream->reset();
  }
  EXPECT_NE(told.find("no"), told.npos) << told;
  EXPECT_EQ(One("SELECT 1"), "1") << "the connection goes on after a stream";
}

TEST_F(EngineTest, DescribeTellsColumnsAndParametersWithoutRunning) {
  ArrowSchema schema{};
  std::vector<std::string> parameters;
  ASSERT_TRUE(
      Describe("SELECT i AS n, error('ran') AS e, 1.5 AS d FROM range(3) t(i) WHERE i < $least", &schema, &parameters));
  ASSERT_EQ(schema.n_children, 3);
  EXPECT_STREQ(schema.children[0]->name, "n");
  EXPECT_STREQ(schema.children[2]->format, "d:2,1,128");
  schema.release(&schema);
  EXPECT_EQ(parameters, std::vector<std::string>{"least"});
  Status status = Describe("SELECT $1 AS x, 1 AS y", &schema, &parameters);
  ASSERT_TRUE(status) << status.error().message;
  ASSERT_EQ(schema.n_children, 2);
  EXPECT_STREQ(schema.children[0]->name, "x");
  EXPECT_STREQ(schema.children[0]->format, "u");
  schema.release(&schema);
  EXPECT_FALSE(Describe("SELECT nothing", &schema, &parameters));
}

TEST_F(EngineTest, ParseTreesNeedNoCatalogueAndTellParseErrors) {
  Json tree = connection_->ParseTree("SELECT 'a''b' FROM a.b.c").value();
  EXPECT_FALSE(tree["error"].Bool()) << tree.Dump();
  EXPECT_EQ(tree["statements"].size(), 1u);
  EXPECT_TRUE(connection_->ParseTree("SELEC 1").value()["error"].Bool());
  EXPECT_TRUE(connection_->ParseTree("CREATE TABLE t (i INTEGER)").value()["error"].Bool());
}

constexpr const char* kLong = "SELECT sum(hash(i::VARCHAR || j::VARCHAR)) FROM range(200000) t(i), range(100000) u(j)";

TEST_F(EngineTest, ADeadlineInterruptsAndProgressMoves) {
  const auto begin = std::chrono::steady_clock::now();
  {
    Watchdog dog(*connection_, Deadline::After(std::chrono::milliseconds(300)));
    EXPECT_EQ(CodeOf(kLong), Code::kUnavailable);
    EXPECT_TRUE(dog.fired());
    EXPECT_EQ(CodeOf(kLong), Code::kUnavailable) << "a watchdog that fired keeps later calls from running on";
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10)) << "it would take many minutes";
  EXPECT_EQ(One("SELECT 1"), "1");
}

TEST_F(EngineTest, ProgressIsSeenFromOutsideAndAStopInterrupts) {
  ASSERT_TRUE(connection_->Execute("CREATE TABLE t AS SELECT i FROM range(6000000) r(i)"));
  std::stop_source stop;
  Watchdog dog(*connection_, Deadline::Never(), stop.get_token());
  double seen = -1;
  std::jthread watcher([&] {
    for (int i = 0; i < 1000 && seen <= 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      seen = connection_->Progress();
    }
    stop.request_stop();
  });
  EXPECT_EQ(CodeOf("SELECT max(md5(repeat(md5(i::VARCHAR), 40))) FROM t"), Code::kUnavailable);
  watcher.join();
  EXPECT_GT(seen, 0);
  EXPECT_LT(seen, 100);
}

TEST(MemoryBroker, GrantsAddUpToWhatThereIs) {
  MemoryBroker broker(100);
  auto refused = broker.Take(101, Deadline::Never());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  auto first = broker.Take(70, Deadline::Never()).value();
  EXPECT_EQ(broker.free(), 30);
  EXPECT_FALSE(broker.Take(40, Deadline::After(std::chrono::milliseconds(20))));
  std::jthread giver([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    MemoryBroker::Grant gone = std::move(first);
  });
  auto second = broker.Take(80, Deadline::After(std::chrono::seconds(5)));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->bytes(), 80);
  EXPECT_EQ(broker.free(), 20);
}

TEST(MemoryBroker, WhoWaitsKeepsItsPlaceUntilItIsStopped) {
  MemoryBroker broker(100);
  auto held = broker.Take(100, Deadline::Never()).value();
  std::stop_source stop;
  std::jthread impatient([&] { EXPECT_FALSE(broker.Take(100, Deadline::Never(), stop.get_token())); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::atomic<bool> granted = false;
  std::jthread next([&] { granted = broker.Take(10, Deadline::After(std::chrono::seconds(5))).has_value(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  stop.request_stop();
  impatient.join();
  held = {};
  next.join();
  EXPECT_TRUE(granted);
}

TEST(MemoryBroker, ALargeRequestIsNotStarvedBySmallOnes) {
  MemoryBroker broker(100);
  auto held = broker.Take(60, Deadline::Never()).value();
  std::atomic<bool> large_done = false;
  std::jthread large([&] {
    auto grant = broker.Take(90, Deadline::After(std::chrono::seconds(5)));
    EXPECT_TRUE(grant);
    large_done = true;
  });
  // Small ones are served until the large one stands in line, and not while it does.
  bool waits = false;
  for (int i = 0; i < 200 && !waits; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    waits = !broker.Take(10, Deadline::After(std::chrono::milliseconds(50)));
  }
  EXPECT_TRUE(waits);
  held = {};
  large.join();
  EXPECT_TRUE(large_done);
  EXPECT_EQ(broker.free(), 100);
}

}  // namespace
}  // namespace weft::engine
