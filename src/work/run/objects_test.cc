#include "work/run/objects.h"

#include <gtest/gtest.h>

#include "base/yaml.h"

namespace weft::run {
namespace {

Result<ObjectPlace> PlaceAt(const std::string& source) {
  return ObjectPlaceOf(model::Source::Of(yaml::Parse(source, "x.yaml").value(), "source", "x.yaml"));
}

TEST(Objects, HaveUrlsAsSignaturesHaveThem) {
  const auto place = PlaceAt("{kind: object, url: 's3://lake/in/a b+*.csv', endpoint: 'http://127.0.0.1:9000/'}");
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_EQ(place->ListUrl(""), "http://127.0.0.1:9000/lake?encoding-type=url&list-type=2&prefix=in%2Fa%20b%2B");
  EXPECT_EQ(
      place->ListUrl("x/y="),
      "http://127.0.0.1:9000/lake?continuation-token=x%2Fy%3D&encoding-type=url&list-type=2&prefix=in%2Fa%20b%2B");
  EXPECT_EQ(place->UrlOf("in/a b+(ü).csv"), "http://127.0.0.1:9000/lake/in/a%20b%2B%28%C3%BC%29.csv");
  EXPECT_EQ(PlaceAt("{kind: object, url: 's3://lake/x.csv', region: eu-west-1}").value().UrlOf("x"),
            "https://s3.eu-west-1.amazonaws.com/lake/x");
  for (const char* wrong : {"s3://", "s3:///x", "s3://lake", "s3://lake/", "https://lake/x"}) {
    EXPECT_FALSE(PlaceAt(std::string("{kind: object, url: '") + wrong + "'}")) << wrong;
  }
}

TEST(Objects, AreReadFromAListPageByPage) {
  const std::string page =
      "<?xml version='1.0'?><ListBucketResult xmlns=\"x\"><IsTruncated>true</IsTruncated>"
      "<Contents><Key>in/a+b%2B.csv</Key><ETag>&quot;e1&quot;</ETag><Size>12</Size></Contents>"
      "<Contents><Key>c</Key><Size>0</Size></Contents>"
      "<NextContinuationToken>a&amp;b</NextContinuationToken></ListBucketResult>";
  const auto read = ReadListPage(page);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->objects.size(), 2U);
  EXPECT_EQ(read->objects[0].key, "in/a b+.csv");
  EXPECT_EQ(read->objects[0].etag, "\"e1\"");
  EXPECT_EQ(read->objects[0].bytes, 12);
  EXPECT_EQ(read->objects[1].etag, "");
  EXPECT_EQ(read->next, "a&b");
  EXPECT_EQ(ReadListPage("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>").value().next, "");
}

TEST(Objects, OfAnAnswerThatIsNoListAreNone) {
  for (const char* wrong :
       {"", "<html>busy</html>", "<ListBucketResult><Contents><Key>a</Key><Size>1</Size></Contents>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>%zz</Key><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"}) {
    EXPECT_FALSE(ReadListPage(wrong)) << wrong;
  }
  EXPECT_EQ(ReadObjectError("<Error><Code>AccessDenied</Code><Message>No</Message></Error>"), "AccessDenied");
  EXPECT_EQ(ReadObjectError("<Error><Code>you sent: Bearer x</Code></Error>"), "");
  EXPECT_EQ(ReadObjectError("no"), "");
}

}  // namespace
}  // namespace weft::run
