#include "model/address.h"

#include <gtest/gtest.h>

#include "model/access.h"

namespace weft::model {
namespace {

TEST(Version, ReadsThreePlainNumbersOnly) {
  auto version = Version::Parse("10.2.33");
  ASSERT_TRUE(version);
  EXPECT_EQ(*version, (Version{10, 2, 33}));
  EXPECT_EQ(version->Text(), "10.2.33");
  for (const char* bad : {"", "1", "1.0", "v1.0.0", "1.0.0-rc1", "1.0.0+5", "01.0.0", "1..0", "1.0.0 ", "-1.0.0",
                          "1.0.9999999999", "1.0.0.0"}) {
    EXPECT_FALSE(Version::Parse(bad)) << bad;
  }
  EXPECT_LT((Version{1, 9, 0}), (Version{1, 10, 0}));
}

TEST(Slug, SaysWhichRuleIsBroken) {
  EXPECT_TRUE(CheckSlug("play-events", "a product"));
  EXPECT_TRUE(CheckSlug("a", "a product"));
  EXPECT_TRUE(CheckSlug("x-v", "a product"));
  auto why = [](const std::string& name) {
    Status checked = CheckSlug(name, "a port");
    return checked ? "" : checked.error().message;
  };
  EXPECT_EQ(
      why("flights-v2"),
      "'flights-v2' cannot be the name of a port: it ends like a version; the version belongs into the version field");
  EXPECT_NE(why("Flights").find("must begin with a lower-case letter"), std::string::npos);
  EXPECT_NE(why("fli_ghts").find("only a-z"), std::string::npos);
  EXPECT_NE(why("main").find("keep that name"), std::string::npos);
  EXPECT_NE(why("information_schema").find("keep that name"), std::string::npos);
  EXPECT_NE(why(std::string(64, 'a')).find("63"), std::string::npos);
  EXPECT_TRUE(CheckSlug(std::string(63, 'a'), "a port"));
  EXPECT_NE(why("").find("empty"), std::string::npos);
}

TEST(Address, ReadsBothFormsAndWritesThemBack) {
  for (const char* text : {"operations", "operations/flights", "operations/flights@1.2.0", "operations/flights/flights",
                           "operations/flights/flights@2", "operations/flights/flights@2.1.0", "weft://acme/operations",
                           "weft://acme/operations/flights/flights@2"}) {
    auto address = Address::Parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->Text(), text);
  }
  auto address = Address::Parse("weft://acme/operations/flights/delays@2.1.0");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->mesh, "acme");
  EXPECT_EQ(address->domain, "operations");
  EXPECT_EQ(address->product, "flights");
  EXPECT_EQ(address->port, "delays");
  EXPECT_EQ(address->major, 2);
  EXPECT_EQ(address->version, (Version{2, 1, 0}));
  EXPECT_EQ(address->Short(), "operations/flights/delays@2.1.0");
}

TEST(Address, RefusesWhatItCannotMean) {
  for (const char* bad : {"",
                          "/",
                          "operations/",
                          "/operations",
                          "operations//x",
                          "a/b/c/d",
                          "weft://acme",
                          "weft:///operations",
                          "weft://m/a/b/c/d",
                          "http://acme/a/b",
                          "a/b/c@",
                          "a/b/c@v2",
                          "a/b/c@2.1",
                          "a/b/c@01",
                          "a@1",
                          "a/b@1@2",
                          "A/b",
                          "a/b c",
                          "a/b/c@-1",
                          "a/b/c-v2"}) {
    auto address = Address::Parse(bad);
    ASSERT_FALSE(address) << bad;
    EXPECT_EQ(address.error().code, Code::kInvalid);
    EXPECT_NE(address.error().message.find(std::string("'") + bad + "'"), std::string::npos) << address.error().message;
  }
}

TEST(PortKey, GivesEveryProtocolsName) {
  auto key = PortKey::Parse("operations/flight-log/late-ones@2");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->Text(), "operations/flight-log/late-ones@2");
  EXPECT_EQ(key->SqlTable(), "operations.flight_log.late_ones_v2");
  EXPECT_EQ(key->Folder(), "operations/flight-log/late_ones_v2");
  EXPECT_EQ((PortKey{"order", "table", "with", 1}).SqlTable(), "\"order\".\"table\".with_v1");
  EXPECT_FALSE(PortKey::Parse("operations/flights/flights"));
  EXPECT_FALSE(PortKey::Parse("operations/flights@2"));
  EXPECT_FALSE(PortKey::Parse("operations/flights/flights@2.0.0"));
}

TEST(Resource, NamesWhatIsAskedAbout) {
  EXPECT_EQ(Resource{}.Text(), "the mesh");
  Resource resource;
  resource.domain = "operations";
  EXPECT_EQ(resource.Text(), "operations");
  resource.product = "flights";
  EXPECT_EQ(resource.Text(), "operations/flights");
  resource.port = "delays";
  resource.major = 3;
  EXPECT_EQ(resource.Text(), "operations/flights/delays@3");
  EXPECT_EQ(ActionName(Action::kAdminister), "administer");
}

}  // namespace
}  // namespace weft::model
