#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/id.h"

namespace weft {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() : folder_(fs::temp_directory_path() / NewId("weft-file-test")) { fs::create_directories(folder_); }
  ~FileTest() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(FileTest, WritesWholeOrNotAtAll) {
  const fs::path path = folder_ / "a";
  ASSERT_TRUE(WriteFileAtomically(path, "one", 0600));
  ASSERT_TRUE(WriteFileAtomically(path, "two", 0600));
  EXPECT_EQ(*ReadFile(path), "two");
  struct stat facts {};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "a draft was left behind";
  const fs::path nowhere = folder_ / "no" / "b";
  const Error failure = WriteFileAtomically(nowhere, "x").error();
  EXPECT_EQ(failure.code, Code::kNotFound);
  EXPECT_EQ(failure.message, "cannot create " + nowhere.string() + ": No such file or directory");
}

// A certificate that others are to read is readable, however little the process lets others do.
TEST_F(FileTest, HasTheModeThatIsAskedFor) {
  const mode_t before = ::umask(0077);
  const Status given = WriteFileAtomically(folder_ / "given", "x", 0644),
               left = WriteFileAtomically(folder_ / "left", "x");
  ::umask(before);
  ASSERT_TRUE(given && left);
  auto mode = [&](const char* name) { return static_cast<unsigned>(fs::status(folder_ / name).permissions()); };
  EXPECT_EQ(mode("given"), 0644u);
  EXPECT_EQ(mode("left"), 0600u);
}

TEST_F(FileTest, LimitsAndMissingFilesAreErrors) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "a", std::string(1000, 'x')));
  EXPECT_EQ(ReadFile(folder_ / "a", 999).error().code, Code::kInvalid);
  EXPECT_EQ(ReadFile(folder_ / "b").error().code, Code::kNotFound);
}

TEST_F(FileTest, HashesWhatIsThere) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "a", "abc"));
  EXPECT_EQ(*HashFile(folder_ / "a"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(*HashFile(folder_ / "a"), Sha256("abc"));
}

}  // namespace
}  // namespace weft
