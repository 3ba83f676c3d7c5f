#include "work/run/pieces.h"

#include <gtest/gtest.h>

#include <map>

namespace weft::run {
namespace {

// What lies at a path, and how often it was looked at.
struct Disk {
  std::map<std::string, std::string> bytes;
  int reads = 0;
  Hash hash() {
    return [this](const Found& file) -> Result<std::string> {
      ++reads;
      return bytes.at(file.name);
    };
  }
};

Found At(const std::string& name, const std::string& stamp) { return {"/in/" + name, name, "", stamp, ""}; }

std::string Names(const Choice& choice) {
  std::string names;
  for (const Found& file : choice.fresh) names += (names.empty() ? "" : " ") + file.name;
  return names;
}

TEST(Pieces, AreReadOnceWhateverTheyAreCalledAndHoweverLateTheyCome) {
  Disk disk{{{"a", "A"}, {"b", "B"}, {"c", "C"}}};
  const std::vector<runs::Piece> seen{{"b", "B", "1"}, {"old", "A", "2"}, {"gone", "G", "3"}};
  // b is as it was, a is what was called old, c is new, and what is gone does no harm.
  auto choice = ChooseNew({At("c", "9"), At("b", "1"), At("a", "7")}, seen, false, disk.hash());
  ASSERT_TRUE(choice) << choice.error().message;
  EXPECT_EQ(Names(*choice), "c");
  EXPECT_EQ(choice->seen, 2U);
  EXPECT_EQ(disk.reads, 2);  // What has its stamp is not read.
  ASSERT_EQ(choice->again.size(), 1U);
  EXPECT_EQ(choice->again[0].name, "a");
  EXPECT_EQ(choice->again[0].sha256, "A");
  EXPECT_EQ(choice->again[0].stamp, "7");
}

TEST(Pieces, OfTheSameBytesCountOnce) {
  Disk disk{{{"a", "A"}, {"copy", "A"}, {"b", "B"}, {"b2", "B"}}};
  auto choice =
      ChooseNew({At("a", "1"), At("b", "5"), At("b2", "6"), At("copy", "2")}, {{"a", "A", "1"}}, false, disk.hash());
  ASSERT_TRUE(choice);
  EXPECT_EQ(Names(*choice), "b");
  EXPECT_EQ(choice->seen, 2U);
}

TEST(Pieces, ThatChangedAreRefusedUnlessTheSourceSaysThatTheyCountAnew) {
  Disk disk{{{"a", "A2"}}};
  const std::vector<runs::Piece> seen{{"a", "A", "1"}};
  auto refused = ChooseNew({At("a", "2")}, seen, false, disk.hash());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  EXPECT_NE(refused.error().message.find("'a' is not what it was"), std::string::npos) << refused.error().message;
  auto read = ChooseNew({At("a", "2")}, seen, true, disk.hash());
  ASSERT_TRUE(read);
  EXPECT_EQ(Names(*read), "a");
}

TEST(Pieces, OfALogThatTurnsOverAreMovedAndNew) {
  Disk disk{{{"log", "L2"}, {"log.1", "L1"}}};
  auto choice = ChooseNew({At("log", "8"), At("log.1", "9")}, {{"log", "L1", "1"}}, false, disk.hash());
  ASSERT_TRUE(choice) << choice.error().message;
  EXPECT_EQ(Names(*choice), "log");
  EXPECT_EQ(choice->seen, 1U);
}

TEST(Pieces, MakeOneVersionInAnyOrder) {
  EXPECT_EQ(VersionOf({{"a", "A", ""}}, {{"", "b", "B", "", ""}}), VersionOf({{"b", "B", ""}, {"x", "A", "1"}}, {}));
  EXPECT_NE(VersionOf({{"a", "A", ""}}, {}), VersionOf({{"a", "A", ""}}, {{"", "b", "B", "", ""}}));
}

}  // namespace
}  // namespace weft::run
