#include "base/json.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

namespace weft {
namespace {

TEST(Json, KeepsOrderAndRoundTrips) {
  const std::string text = R"({"z":1,"a":[true,null,2.5,"x\ny"],"m":{"k":-9223372036854775808}})";
  auto json = Json::Parse(text);
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(json->Dump(), text);
  EXPECT_EQ((*json)["a"][3].Text(), "x\ny");
  EXPECT_EQ((*json)["m"]["k"].Int(), INT64_MIN);
}

TEST(Json, ReadersAreTotal) {
  Json json = Json::Map({{"n", 3}});
  EXPECT_EQ(json["missing"]["deeper"][7].Text("none"), "none");
  EXPECT_EQ(json["n"].Text(), "");
  EXPECT_EQ(json["n"].Double(), 3.0);
  EXPECT_FALSE(json["n"].is_text());
  EXPECT_FALSE(json.Has("missing"));
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\":1,}", "nul", "\"\x01\"", "[1] 2", "\"\xff\""}) {
    EXPECT_FALSE(Json::Parse(text)) << text;
  }
}

TEST(Json, SaysWhatIsWrongWithoutWordsOfTheLibrary) {
  EXPECT_EQ(Json::Parse("{\"a\": 1e400}").error().message,
            "the number 1e400 is larger than any that can be read, at byte 11");
  const std::string message = Json::Parse("[1,]").error().message;
  EXPECT_TRUE(message.starts_with("not JSON, at byte 4: ")) << message;
  EXPECT_EQ(message.find("exception"), std::string::npos) << message;
}

TEST(Json, RefusesDeepNestingWithoutRecursing) {
  EXPECT_TRUE(Json::Parse(std::string(500, '[') + std::string(500, ']')));
  auto deep = Json::Parse(std::string(1'000'000, '['));
  ASSERT_FALSE(deep);
  EXPECT_NE(deep.error().message.find("512"), std::string::npos);
}

TEST(Json, LargeUnsignedBecomesDouble) {
  EXPECT_EQ(Json::Parse("18446744073709551615")->Double(), 18446744073709551615.0);
}

TEST(Json, ANumberBeyondSixtyFourBitsIsNoInteger) {
  for (const char* text : {"1e300", "-1e300", "18446744073709551615", "9223372036854775808"}) {
    EXPECT_EQ(Json::Parse(text)->Int(7), 7) << text;
  }
  EXPECT_EQ(Json(std::nan("")).Int(7), 7);
  EXPECT_EQ(Json::Parse("-9223372036854775808.0")->Int(7), INT64_MIN);
  EXPECT_EQ(Json::Parse("2.9")->Int(), 2);
}

TEST(Json, OfOneKeyTwiceTheLastValueCounts) {
  EXPECT_EQ(Json::Parse(R"({"a":1,"b":2,"a":{"c":3,"c":4}})")->Dump(), R"({"a":{"c":4},"b":2})");
}

// A look at all members for each member would take this beyond ten minutes.
TEST(Json, AHugeObjectTakesAsLongAsItIsLong) {
  std::string text = "{";
  for (int i = 0; i < 300'000; ++i) text += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
  text += "}";
  const auto began = std::chrono::steady_clock::now();
  auto json = Json::Parse(text);
  ASSERT_TRUE(json);
  EXPECT_EQ(json->size(), 300'000u);
  EXPECT_EQ(json->Dump(), text);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(30));
}

TEST(Json, WritesBrokenUtf8AsReplacement) { EXPECT_EQ(Json("a\xff").Dump(), "\"a\xEF\xBF\xBD\""); }

}  // namespace
}  // namespace weft
