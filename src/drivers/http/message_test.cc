#include "drivers/http/message.h"

#include <gtest/gtest.h>

#include "drivers/http/target.h"

namespace weft::http {
namespace {

TEST(Message, ErrorsSurviveTheWire) {
  Error error{Code::kConflict, "version 1.0.0 is registered with other bytes", {}};
  error.problems.push_back({"a.yaml", 3, 7, "schema[0]", "weft.slug", "no «slug»", Problem::Level::kWarning});
  error.problems.push_back({"b.yaml", 0, 0, "", "odcs", "is missing", Problem::Level::kError});
  Response response = ToResponse(error);
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.content_type, "application/problem+json");
  Error back = FromResponse(response);
  EXPECT_EQ(back.code, error.code);
  EXPECT_EQ(back.message, error.message);
  EXPECT_EQ(back.problems, error.problems);
}

TEST(Message, EveryCodeSurvivesTheWire) {
  for (int code = 0; code <= static_cast<int>(Code::kInternal); ++code) {
    EXPECT_EQ(FromResponse(ToResponse({static_cast<Code>(code), "x"})).code, static_cast<Code>(code));
  }
}

TEST(Message, ForeignAnswersGiveTheirText) {
  Error error = FromResponse(Response::Text("  Bad gateway\n", 502));
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_EQ(error.message, "Bad gateway");
  EXPECT_NE(FromResponse(Response::Text("", 418)).message.find("418"), std::string::npos);
}

TEST(Target, IsReadAndWrittenBack) {
  Request request;
  ASSERT_TRUE(ReadTarget("/v1/files/a%20b/c%2Fd?q=x+y%2Bz&flag&address=a/b@1&e=", &request));
  EXPECT_EQ(request.path, "/v1/files/a b/c/d");
  EXPECT_EQ(request.Query("q"), "x y+z");
  EXPECT_EQ(request.query.count("flag"), 1u);
  EXPECT_EQ(request.Query("address"), "a/b@1");
  Request again;
  ASSERT_TRUE(ReadTarget(WriteTarget(request), &again));
  EXPECT_EQ(again.path, request.path);
  EXPECT_EQ(again.query, request.query);
}

TEST(Target, BrokenOnesAreRefused) {
  for (const char* target : {"", "v1", "*", "/%4", "/%", "/%zz", "/%00", "/?a=%1", "/%ff%fe"}) {
    Request request;
    Status read = ReadTarget(target, &request);
    ASSERT_FALSE(read) << target;
    EXPECT_EQ(read.error().code, Code::kInvalid);
  }
}

TEST(Form, IsReadAndWrittenBack) {
  const std::map<std::string, std::string> fields = {{"a", "b c&d=e"}, {"empty", ""}, {"path", "x/y?#+%"}};
  EXPECT_EQ(ReadForm(WriteForm(fields)).value(), fields);
  EXPECT_EQ(WriteForm({}), "");
  EXPECT_EQ(ReadForm("&a=x+y%2Bz&&flag&b=1#2").value(),
            (std::map<std::string, std::string>{{"a", "x y+z"}, {"flag", ""}, {"b", "1#2"}}));
  EXPECT_NE(ReadForm("a=1&b=2&%61=3").error().message.find("'a' twice"), std::string::npos);
  for (const char* form : {"a=%1", "%zz=1", "a=%00", "a=%ff%fe"})
    EXPECT_EQ(ReadForm(form).error().code, Code::kInvalid);
}

TEST(Origin, IsReadInOneWayOrRefused) {
  auto text = [](std::string_view url) {
    auto origin = OriginOf(url);
    return origin ? origin->scheme + " " + origin->host + " " + std::to_string(origin->port) : "refused";
  };
  EXPECT_EQ(text("http://127.0.0.1:7470"), "http 127.0.0.1 7470");
  EXPECT_EQ(text("HTTPS://Mesh.Example/v1/x?y"), "https mesh.example 443");
  EXPECT_EQ(text("http://[::1]:7470/"), "http [::1] 7470");
  EXPECT_EQ(text("http://[::1]"), "http [::1] 80");
  for (const char* bad :
       {"", "127.0.0.1:7470", "ftp://a", "http://", "http://:7470", "http://a:0", "http://a:65536", "http://a:7x",
        "http://a:", "http://127.0.0.1@evil.com:7470", "http://127.0.0.1:7470@evil.com", "http://evil.com\\@127.0.0.1",
        "http://127.0.0.1%2eevil.com", "http://[::1", "http://[::1]x:1", "http://a b", "http://a\nb"}) {
    EXPECT_EQ(text(bad), "refused") << bad;
  }
}

TEST(Origin, OnlyThisMachineIsLoopback) {
  for (const char* host : {"localhost", "127.0.0.1", "127.8.9.10", "::1", "[::1]", "[0:0:0:0:0:0:0:1]"}) {
    EXPECT_TRUE(IsLoopback(host)) << host;
  }
  for (const char* host : {"", "127.evil.com", "127.0.0.1.evil.com", "localhost.evil.com", "xlocalhost", "127.1",
                           "127.", "0x7f.0.0.1", "10.0.0.1", "0.0.0.0", "[::]", "[::2]", "[::ffff:10.0.0.1]"}) {
    EXPECT_FALSE(IsLoopback(host)) << host;
  }
}

}  // namespace
}  // namespace weft::http
