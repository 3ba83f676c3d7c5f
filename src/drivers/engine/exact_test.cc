#include <gtest/gtest.h>

#include "drivers/engine/engine.h"

namespace weft::engine {
namespace {

class ExactTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetExtensionFolder(WEFT_DUCKDB_EXTENSIONS);
    instance_ = Instance::Open({}).value();
    connection_ = instance_->Connect().value();
  }
  // The value, or what the function says of it.
  std::string Read(const std::string& type, const std::string& text) {
    const std::string name = connection_->ExactFunction(type).value();
    auto rows = connection_->Query("SELECT " + name + "($1)", {text});
    if (rows) return rows->text(0, 0);
    EXPECT_EQ(rows.error().code, Code::kInvalid);
    const std::string& message = rows.error().message;
    return "!" + message.substr(message.find("\" ") + 1);
  }
  std::unique_ptr<Instance> instance_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ExactTest, WholeNumbers) {
  for (auto [text, value] : {std::pair("7", "7"),
                             {" -7 ", "-7"},
                             {"+5", "5"},
                             {"1.0", "1"},
                             {"1e3", "1000"},
                             {"10e-1", "1"},
                             {"1.5e1", "15"},
                             {"-0", "0"},
                             {"0.000e9999", "0"},
                             {"1.", "1"},
                             {"9223372036854775807", "9223372036854775807"},
                             {"-9223372036854775808", "-9223372036854775808"},
                             {"9223372036854775807.0000000000000000000000000000", "9223372036854775807"}}) {
    EXPECT_EQ(Read("BIGINT", text), value) << text;
  }
  for (const char* text :
       {"1.5", ".5", "1e-1", "1.55e1", "9223372036854775806.5", "0.00000000000000000000000000000000000000001"})
    EXPECT_EQ(Read("BIGINT", text), "! is no whole number") << text;
  for (const char* text : {"x", "", "-", "1x", "1e", "0x10", "1_000", "1 000", "--1", "true", "1e3.5"})
    EXPECT_EQ(Read("BIGINT", text), "! is no number") << text;
  for (const char* text : {"9223372036854775808", "1e19", "1e9999", "-9223372036854775809",
                           "123456789012345678901234567890123456789012345"})
    EXPECT_EQ(Read("BIGINT", text), "! is beyond what the column's type holds") << text;
  EXPECT_EQ(Read("INTEGER", "-2147483648"), "-2147483648");
  EXPECT_EQ(Read("INTEGER", "2147483648"), "! is beyond what the column's type holds");
}

TEST_F(ExactTest, Decimals) {
  const std::string too_fine = "! has more decimals than the column, which would be rounded away";
  EXPECT_EQ(Read("DECIMAL(10,2)", "1.00"), "1.00");
  EXPECT_EQ(Read("DECIMAL(10,2)", "-1.5"), "-1.50");
  EXPECT_EQ(Read("DECIMAL(10,2)", "1.0500000"), "1.05");
  EXPECT_EQ(Read("DECIMAL(10,2)", "15e-1"), "1.50");
  EXPECT_EQ(Read("DECIMAL(10,2)", "99999999.99"), "99999999.99");
  EXPECT_EQ(Read("DECIMAL(10,2)", "1.005"), too_fine);
  EXPECT_EQ(Read("DECIMAL(10,2)", "1e-3"), too_fine);
  EXPECT_EQ(Read("DECIMAL(10,2)", "100000000"), "! is beyond what the column's type holds");
  EXPECT_EQ(Read("DECIMAL(4,1)", "-999.9"), "-999.9");
  EXPECT_EQ(Read("DECIMAL(9,4)", "-12345.6789"), "-12345.6789");
  EXPECT_EQ(Read("DECIMAL(38,2)", "-123456789012345678901234567890123456.78"),
            "-123456789012345678901234567890123456.78");
  EXPECT_EQ(Read("DECIMAL(38,2)", "1234567890123456789012345678901234567.8"),
            "! is beyond what the column's type holds");
  EXPECT_EQ(Read("DECIMAL(38,2)", "123456789012345678901234567890123456.789"), too_fine);
}

TEST_F(ExactTest, Fractions) {
  EXPECT_EQ(Read("DOUBLE", "0.1"), "0.1");
  EXPECT_EQ(Read("DOUBLE", "+1e308"), "1e+308");
  EXPECT_EQ(Read("DOUBLE", "inf"), "inf");
  EXPECT_EQ(Read("DOUBLE", "NaN"), "nan");
  EXPECT_EQ(Read("DOUBLE", "1e400"), "! is beyond what the column's type holds");
  EXPECT_EQ(Read("DOUBLE", "-1e400"), "! is beyond what the column's type holds");
  EXPECT_EQ(Read("DOUBLE", "1e-400"), "! is beyond what the column's type holds");
  EXPECT_EQ(Read("DOUBLE", "1,5"), "! is no number");
  EXPECT_EQ(Read("FLOAT", "1e39"), "! is beyond what the column's type holds");
  EXPECT_EQ(Read("FLOAT", "1.5"), "1.5");
}

TEST_F(ExactTest, DatesAndTimes) {
  EXPECT_EQ(Read("DATE", "2024-02-29"), "2024-02-29");
  EXPECT_EQ(Read("DATE", "2024/1/2"), "2024-01-02");
  EXPECT_EQ(Read("DATE", "1700-01-01T00:00:00.000Z"), "1700-01-01");
  EXPECT_EQ(Read("DATE", "2024-01-01 10:00:00"), "! has a time of day, which a date would lose");
  EXPECT_EQ(Read("DATE", "2024-01-01 00:00:00+02"), "! has a time of day, which a date would lose");
  for (const char* text : {"2023-02-29", "2024-01-01 garbage", "2024-13-01", "24-01-01", "2024-01/01", "", "infinity"})
    EXPECT_EQ(Read("DATE", text), "! is no date of the form 2024-01-31") << text;
  EXPECT_EQ(Read("TIME", "23:59:59.5"), "23:59:59.5");
  EXPECT_EQ(Read("TIME", "9:30"), "09:30:00");
  EXPECT_EQ(Read("TIME", "24:00:00"), "! is no time of the form 12:30:00");
  EXPECT_EQ(Read("TIME", "10:00:00+02"), "! is no time of the form 12:30:00");
  EXPECT_EQ(Read("TIMESTAMP", "2024-01-01 10:00:00.123456000"), "2024-01-01 10:00:00.123456");
  EXPECT_EQ(Read("TIMESTAMP", "2024-01-01T10:00:00Z"), "2024-01-01 10:00:00");
  EXPECT_EQ(Read("TIMESTAMP", "1960-01-01"), "1960-01-01 00:00:00");
  EXPECT_EQ(Read("TIMESTAMP", "2024-01-01 10:00:00+02"), "! has a time zone, which a timestamp without one would lose");
  EXPECT_EQ(Read("TIMESTAMP", "2024-01-01 10:00:00.1234567"), "! is finer than a microsecond, which would be cut off");
  EXPECT_EQ(Read("TIMESTAMP", "2024-01-01 10"), "! is no timestamp of the form 2024-01-31 12:30:00");
  EXPECT_EQ(Read("TIMESTAMP WITH TIME ZONE", "2024-01-01 10:00:00+02:30"), "2024-01-01 07:30:00+00");
  EXPECT_EQ(Read("TIMESTAMP WITH TIME ZONE", "2024-01-01 10:00:00 UTC"), "2024-01-01 10:00:00+00");
  EXPECT_EQ(Read("TIMESTAMP WITH TIME ZONE", "2024-01-01 10:00:00"), "2024-01-01 10:00:00+00");
}

// Vectors with nulls, long texts and more than one of them; a type without loss has no function.
TEST_F(ExactTest, Vectors) {
  const std::string name = connection_->ExactFunction("BIGINT").value();
  auto rows = connection_->Query("SELECT sum(" + name +
                                 "(CASE WHEN i % 3 = 0 THEN NULL WHEN i % 3 = 1 THEN i::VARCHAR ELSE i::VARCHAR || "
                                 "'.00000000000000' END)), sum(i) FILTER (WHERE i % 3 <> 0) FROM range(10000) t(i)");
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->text(0, 0), rows->text(0, 1));
  EXPECT_EQ(connection_->ExactFunction("VARCHAR").value(), "");
  EXPECT_EQ(connection_->Query("SELECT TRY(" + name + "(x)) FROM (VALUES ('1'), ('1.5'), ('2')) t(x)")->text(2, 0),
            "2");
}

}  // namespace
}  // namespace weft::engine
