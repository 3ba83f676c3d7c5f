#include <duckdb.h>
#include <gtest/gtest.h>

#include "drivers/engine/internal.h"

namespace weft::engine {
namespace {

// Batches that are released at the end.
struct Batches {
  std::vector<ArrowArray> arrays;
  Batches() = default;
  Batches(Batches&&) = default;
  Batches& operator=(Batches&&) = delete;
  ~Batches() {
    for (ArrowArray& array : arrays) {
      if (array.release) array.release(&array);
    }
  }
};

// A query's chunks, with what it takes to convert them.
class GatherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(duckdb_open(nullptr, &database_), DuckDBSuccess);
    ASSERT_EQ(duckdb_connect(database_, &connection_), DuckDBSuccess);
    duckdb_result ignored;
    ASSERT_EQ(duckdb_query(connection_, "SET TimeZone = 'UTC'", &ignored), DuckDBSuccess);
    duckdb_destroy_result(&ignored);
  }
  void TearDown() override {
    Forget();
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }
  void Forget() {
    for (duckdb_data_chunk& chunk : chunks_) duckdb_destroy_data_chunk(&chunk);
    for (duckdb_logical_type& type : types_) duckdb_destroy_logical_type(&type);
    chunks_.clear();
    types_.clear();
    formats_.clear();
    if (schema_.release) schema_.release(&schema_);
    duckdb_destroy_arrow_options(&options_);
    duckdb_destroy_result(&result_);
    result_ = {};
  }

  // Runs the statement; its chunks, types and schema are in the members.
  void Ask(const std::string& sql) {
    Forget();
    ASSERT_EQ(duckdb_query(connection_, sql.c_str(), &result_), DuckDBSuccess) << duckdb_result_error(&result_);
    std::vector<const char*> names;
    for (idx_t i = 0; i < duckdb_column_count(&result_); ++i) {
      types_.push_back(duckdb_column_logical_type(&result_, i));
      names.push_back(duckdb_column_name(&result_, i));
    }
    options_ = duckdb_result_get_arrow_options(&result_);
    duckdb_error_data error = duckdb_to_arrow_schema(options_, types_.data(), names.data(), names.size(), &schema_);
    ASSERT_FALSE(duckdb_error_data_has_error(error));
    duckdb_destroy_error_data(&error);
    for (int64_t i = 0; i < schema_.n_children; ++i) formats_.emplace_back(schema_.children[i]->format);
    while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result_)) chunks_.push_back(chunk);
  }

  Batches Gathered() {
    Batches batches;
    auto gatherer = Gatherer::For(types_, schema_);
    EXPECT_TRUE(gatherer);
    auto take = [&] { gatherer->Take(&batches.arrays.emplace_back()); };
    for (duckdb_data_chunk chunk : chunks_) {
      for (int64_t taken = 0; taken < static_cast<int64_t>(duckdb_data_chunk_get_size(chunk));) {
        const int64_t added = gatherer->Add(chunk, taken).value();
        if (added == 0) take();
        taken += added;
      }
    }
    if (gatherer->rows() > 0) take();
    return batches;
  }

  Batches OfTheEngine() {
    Batches batches;
    for (duckdb_data_chunk chunk : chunks_) {
      duckdb_error_data error = duckdb_data_chunk_to_arrow(options_, chunk, &batches.arrays.emplace_back());
      EXPECT_FALSE(duckdb_error_data_has_error(error));
      duckdb_destroy_error_data(&error);
    }
    return batches;
  }

  // The column's values one after another, as their bytes.
  std::vector<Value> Column(const Batches& batches, int64_t column) const {
    std::vector<Value> values;
    for (const ArrowArray& batch : batches.arrays) {
      const ArrowArray& array = *batch.children[column];
      EXPECT_EQ(array.length, batch.length);
      int64_t nulls = 0;
      for (int64_t row = 0; row < array.length; ++row) {
        const auto* valid = static_cast<const uint8_t*>(array.buffers[0]);
        const bool null = valid && !(valid[row / 8] >> (row % 8) & 1);
        nulls += null;
        values.push_back(null ? Value() : Value(Bytes(formats_[column], array, row)));
      }
      EXPECT_TRUE(array.null_count < 0 || array.null_count == nulls) << array.null_count << ", not " << nulls;
    }
    return values;
  }

  static std::string Bytes(const std::string& format, const ArrowArray& array, int64_t row) {
    const auto* data = static_cast<const char*>(array.buffers[1]);
    if (format == "b") return data[row / 8] >> (row % 8) & 1 ? "true" : "false";
    if (format == "u" || format == "z") {
      const auto* ends = static_cast<const int32_t*>(array.buffers[1]);
      return {static_cast<const char*>(array.buffers[2]) + ends[row], static_cast<size_t>(ends[row + 1] - ends[row])};
    }
    const std::map<std::string, size_t> widths{{"c", 1}, {"C", 1}, {"s", 2},   {"S", 2},  {"i", 4},
                                               {"I", 4}, {"f", 4}, {"tdD", 4}, {"d:", 16}};
    const auto known = widths.find(format.starts_with("d:") ? "d:" : format);
    const size_t width = known == widths.end() ? 8 : known->second;
    return {data + row * width, width};
  }

  void ExpectTheSame(const std::string& sql) {
    Ask(sql);
    const Batches ours = Gathered(), theirs = OfTheEngine();
    for (int64_t i = 0; i < schema_.n_children; ++i) {
      EXPECT_EQ(Column(ours, i), Column(theirs, i)) << formats_[i] << " of " << sql;
    }
  }

  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
  duckdb_result result_{};
  duckdb_arrow_options options_ = nullptr;
  ArrowSchema schema_{};
  std::vector<std::string> formats_;
  std::vector<duckdb_logical_type> types_;
  std::vector<duckdb_data_chunk> chunks_;
};

TEST_F(GatherTest, EveryTypeIsAsTheEngineConvertsIt) {
  for (std::string value : {"i % 3 = 0",
                            "(i % 200 - 100)::TINYINT",
                            "(i % 200)::UTINYINT",
                            "(i - 2500)::SMALLINT",
                            "i::USMALLINT",
                            "(i - 2500)::INTEGER",
                            "i::UINTEGER",
                            "i - 2500",
                            "i::UBIGINT + 9223372036854775808",
                            "(i - 2500)::HUGEINT * 1000000000000000000000",
                            "(i / 7)::FLOAT",
                            "CASE WHEN i = 9 THEN 'nan'::DOUBLE ELSE i / 7 END",
                            "((i - 2500) / 100)::DECIMAL(4,2)",
                            "((i - 2500) / 100)::DECIMAL(9,2)",
                            "((i - 2500) / 100)::DECIMAL(18,2)",
                            "((i - 2500)::DECIMAL(38,2) * 1000000000000000000)::DECIMAL(38,2)",
                            "DATE '2020-01-01' + i::INTEGER",
                            "TIME '00:00:00' + to_seconds(i)",
                            "TIMESTAMP '1969-12-31' + to_seconds(i * 40)",
                            "CASE WHEN i = 9 THEN '-infinity'::TIMESTAMP ELSE TIMESTAMP '2020-01-01' END",
                            "TIMESTAMPTZ '2020-01-01' + to_seconds(i)",
                            "(TIMESTAMP '2020-01-01' + to_seconds(i))::TIMESTAMP_S",
                            "(TIMESTAMP '2020-01-01' + to_seconds(i))::TIMESTAMP_MS",
                            "(TIMESTAMP '2020-01-01' + to_seconds(i))::TIMESTAMP_NS",
                            "''",
                            "'exactly12ch' || (i % 10)",
                            "repeat('ä' || i, (i % 40)::INTEGER) || chr(0)",
                            "i::VARCHAR::BLOB",
                            "repeat('x', (i % 20)::INTEGER)::BLOB"}) {
    const std::string rows = "range(5000) t(i)";
    ExpectTheSame("SELECT " + value + " FROM " + rows);
    ExpectTheSame("SELECT CASE WHEN i % 7 <> 3 THEN " + value + " END FROM " + rows);
    ExpectTheSame("SELECT CASE WHEN i < 3000 OR i > 4000 THEN " + value + " END FROM " + rows);
    ExpectTheSame("SELECT CASE WHEN i < 0 THEN " + value + " END FROM " + rows);
    ExpectTheSame("SELECT " + value + " FROM " + rows + " WHERE hash(i) % 3 = 0 ORDER BY hash(i)");
    ExpectTheSame("SELECT " + value + " FROM " + rows + " LIMIT 1");
  }
}

TEST_F(GatherTest, ConstantsDictionariesAndColumnsThatShareAVectorAreWrittenOut) {
  ExpectTheSame("SELECT 42 AS a, 'constant, and rather long' AS b, NULL::DATE AS c, i, i FROM range(5000) t(i)");
  ExpectTheSame(
      "SELECT a.s, b.s FROM (SELECT i, 'name number ' || i % 3 AS s FROM range(3000) t(i)) a "
      "JOIN (SELECT i, nullif('x' || i % 5, 'x2') AS s FROM range(3000) t(i)) b USING (i)");
}

TEST_F(GatherTest, BatchesAreOfAGoodSizeAndKeepTheOrder) {
  ExpectTheSame(
      "SELECT i, CASE WHEN i > 250000 AND i % 5 = 0 THEN i END, i % 3 = 0, 'text ' || i, "
      "CASE WHEN i % 11 < 5 THEN repeat('long ', 6) || i END FROM range(300000) t(i) WHERE hash(i) % 3 > 0");
  const Batches batches = Gathered();
  ASSERT_GT(batches.arrays.size(), 3u);
  for (size_t i = 0; i + 1 < batches.arrays.size(); ++i) EXPECT_GT(batches.arrays[i].length, 10'000);
  Ask("SELECT i::TINYINT FROM range(100) a(i), range(3000) b(j)");
  for (const ArrowArray& batch : Gathered().arrays) EXPECT_LE(batch.length, Gatherer::kMostRows);
}

TEST_F(GatherTest, ABatchOfLongTextsIsBoundedByItsBytes) {
  ExpectTheSame("SELECT i, repeat('x', 300000) || i, repeat('y', (i * 70000)::INTEGER) FROM range(60) t(i)");
  int64_t rows = 0;
  for (const ArrowArray& batch : Gathered().arrays) {
    int64_t bytes = 0;
    for (int column : {1, 2}) bytes += static_cast<const int32_t*>(batch.children[column]->buffers[1])[batch.length];
    EXPECT_TRUE(batch.length == 1 || bytes <= Gatherer::kMostBytes) << batch.length << " rows of " << bytes;
    rows += batch.length;
  }
  EXPECT_EQ(rows, 60);
}

TEST_F(GatherTest, AllBatchesStayAsTheyWereWhenTheGathererIsGone) {
  Ask("SELECT i, 'text ' || i FROM range(400000) t(i)");
  Batches batches = Gathered();
  ASSERT_GT(batches.arrays.size(), 3u);
  const ArrowArray& first = batches.arrays.front();
  EXPECT_EQ(static_cast<const int64_t*>(first.children[0]->buffers[1])[100], 100);
  const std::vector<Value> texts = Column(batches, 1);
  for (size_t i = 0; i < texts.size(); ++i) ASSERT_EQ(texts[i], "text " + std::to_string(i));
  // A column may be moved out of its batch, and outlive it.
  ArrowArray moved = std::exchange(*batches.arrays[1].children[1], {});
  batches.arrays[1].release(&batches.arrays[1]);
  EXPECT_TRUE(Bytes("u", moved, 0).starts_with("text "));
  moved.release(&moved);
  EXPECT_FALSE(moved.release);
}

TEST_F(GatherTest, ReleasedBuffersAreFilledAnew) {
  Ask("SELECT i, CASE WHEN i < 150000 THEN NULL ELSE 'text ' || i END, i % 2 = 0 FROM range(400000) t(i)");
  auto gatherer = Gatherer::For(types_, schema_);
  int64_t row = 0;
  for (duckdb_data_chunk chunk : chunks_) {
    ASSERT_GT(gatherer->Add(chunk, 0).value(), 0);
    Batches one;
    gatherer->Take(&one.arrays.emplace_back());
    const std::vector<Value> texts = Column(one, 1), evens = Column(one, 2);
    for (size_t i = 0; i < texts.size(); ++i, ++row) {
      ASSERT_EQ(texts[i], row < 150000 ? Value() : Value("text " + std::to_string(row)));
      ASSERT_EQ(evens[i], row % 2 ? "false" : "true");
    }
  }
  EXPECT_EQ(row, 400000);
}

// A chunk made by hand, of one column.
class HandMade {
 public:
  explicit HandMade(duckdb_type type) : type_(duckdb_create_logical_type(type)) {
    chunk_ = duckdb_create_data_chunk(&type_, 1);
    vector_ = duckdb_data_chunk_get_vector(chunk_, 0);
    format_.format = type == DUCKDB_TYPE_VARCHAR ? "u" : "l";
    children_ = &format_;
    schema_.children = &children_;
  }
  HandMade(const HandMade&) = delete;
  HandMade& operator=(const HandMade&) = delete;
  ~HandMade() {
    duckdb_destroy_data_chunk(&chunk_);
    duckdb_destroy_logical_type(&type_);
  }
  template <class T>
  T* data() {
    return static_cast<T*>(duckdb_vector_get_data(vector_));
  }
  void SetNull(idx_t row) {
    duckdb_vector_ensure_validity_writable(vector_);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector_), row);
  }
  duckdb_data_chunk Chunk(idx_t rows) {
    duckdb_data_chunk_set_size(chunk_, rows);
    return chunk_;
  }
  std::unique_ptr<Gatherer> MakeGatherer() { return Gatherer::For(std::span(&type_, 1), schema_); }

 private:
  duckdb_logical_type type_;
  duckdb_data_chunk chunk_;
  duckdb_vector vector_;
  ArrowSchema schema_{}, format_{};
  ArrowSchema* children_;
};

TEST(Gather, NothingIsToldOfWhatStandsUnderANull) {
  HandMade numbers(DUCKDB_TYPE_BIGINT);
  for (int i = 0; i < 100; ++i) numbers.data<int64_t>()[i] = 4711;
  numbers.SetNull(70);
  auto gatherer = numbers.MakeGatherer();
  EXPECT_EQ(gatherer->Add(numbers.Chunk(100), 60).value(), 40);
  Batches batches;
  gatherer->Take(&batches.arrays.emplace_back());
  const ArrowArray& column = *batches.arrays[0].children[0];
  EXPECT_EQ(column.null_count, 1);
  EXPECT_EQ(static_cast<const int64_t*>(column.buffers[1])[9], 4711);
  EXPECT_EQ(static_cast<const int64_t*>(column.buffers[1])[10], 0);
}

TEST(Gather, ATextThatArrowCannotHoldIsRefusedBeforeItIsRead) {
  HandMade texts(DUCKDB_TYPE_VARCHAR);
  texts.data<duckdb_string_t>()[0].value.pointer.length = 3'000'000'000;
  auto gatherer = texts.MakeGatherer();
  auto added = gatherer->Add(texts.Chunk(1), 0);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Code::kInvalid);
  EXPECT_NE(added.error().message.find("column 1"), std::string::npos) << added.error().message;
  texts.SetNull(0);
  EXPECT_EQ(gatherer->Add(texts.Chunk(1), 0).value(), 1) << "a NULL has no length";
}

TEST_F(GatherTest, OtherTypesAreLeftToTheEngine) {
  for (std::string value :
       {"[1]", "[1, 2]::INTEGER[2]", "{'a': 1}", "MAP {'k': 1}", "'b'::ENUM('a', 'b')", "uuid()", "INTERVAL 1 DAY",
        "'0101'::BIT", "union_value(n := 5)", "1::UHUGEINT", "TIMETZ '10:00:00+00'", "'10:00:00'::TIME_NS"}) {
    Ask("SELECT 1, " + value + " AS v");
    EXPECT_FALSE(Gatherer::For(types_, schema_)) << value;
  }
}

}  // namespace
}  // namespace weft::engine
