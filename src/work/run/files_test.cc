#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "work/run/inputs.h"

namespace weft::run {
namespace {

class FilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::canonical(fs::temp_directory_path()) / ("weft-files-" + NewSecret(6));
    for (const char* file :
         {"roots/a.csv", "roots/b.csv", "roots/.hidden.csv", "roots/deep/er/c.csv", "outside/a.csv"}) {
      fs::create_directories((folder_ / file).parent_path());
      ASSERT_TRUE(WriteFileAtomically(folder_ / file, file));
    }
    options_.source_roots = {(folder_ / "roots/").string()};
    options_.upload_folder = folder_ / "uploads";
  }
  void TearDown() override { fs::remove_all(folder_); }

  Result<Files> Find(const std::string& path, const std::vector<model::DataFile>& uploads = {}) {
    model::Source source;
    source.kind = "file";
    source.path = path;
    return FindFiles(source, "domains/fleet/planes", uploads, options_);
  }
  // The names found under the roots, or the error's message.
  std::string Names(const std::string& pattern) {
    auto files = Find((folder_ / "roots").string() + pattern);
    return files ? ReplaceAll(Join(files->names, " "), (folder_ / "roots/").string(), "") : files.error().message;
  }

  fs::path folder_;
  Options options_;
};

TEST_F(FilesTest, DamageIsFoundWithItsLine) {
  const std::string path = folder_ / "damaged.csv";
  auto damage = [&](const std::string& bytes) -> std::string {
    EXPECT_TRUE(WriteFileAtomically(path, bytes));
    const auto found = DamageOf(path).value();
    return found ? fmt::format("{} {}", found->nul ? "nul" : "long", found->line) : "none";
  };
  const std::string most(kLongestLine, 'x'), more = most + "x";
  EXPECT_EQ(damage(""), "none");
  EXPECT_EQ(damage("id\n1\n"), "none");
  EXPECT_EQ(damage(std::string("id\n1\n\0", 6)), "nul 3");
  EXPECT_EQ(damage("id\n" + most + "\n2\n"), "none");
  EXPECT_EQ(damage("id\n" + most), "none");
  EXPECT_EQ(damage("id\n" + more + "\n2\n"), "long 2");
  EXPECT_EQ(damage("id\n0\n" + more), "long 3");
  EXPECT_EQ(damage(std::string(5'000'000, 'x')), "long 1");
  std::string lines;
  for (int i = 0; i < 400'000; ++i) lines += "1,abcdefgh\n";
  EXPECT_EQ(damage(lines), "none");
  EXPECT_EQ(damage(lines + more), "long 400001");
  EXPECT_EQ(damage(lines + std::string(1, '\0')), "nul 400001");
  EXPECT_EQ(damage(ReplaceAll(lines, "\n", "\r")), "none");
  EXPECT_EQ(damage(ReplaceAll(lines, "\n", " ")), "long 1");
}

TEST_F(FilesTest, APatternIsReadTheSameInEveryPlace) {
  EXPECT_EQ(Names("/*.csv"), "a.csv b.csv");
  EXPECT_EQ(Names("/**/*.csv"), "a.csv b.csv deep/er/c.csv");
  EXPECT_EQ(Names("/d*/er/?.csv"), "deep/er/c.csv");
  EXPECT_EQ(Names("/[b-z].csv"), "b.csv");
  EXPECT_EQ(Names("/./deep/../a.csv"), "a.csv");
  EXPECT_NE(Names("/*.json").find("no source file matches"), std::string::npos);
}

TEST_F(FilesTest, NothingIsToldOfWhatLiesOutsideTheRoots) {
  for (const char* path : {"/outside/a.csv", "/outside/none.csv", "/outside/*.csv", "/nowhere/*.csv", "/*/a.csv",
                           "/roots/../outside/a.csv", "/roots/../outside/*.csv", "/rootsandmore/a.csv"}) {
    auto files = Find(folder_.string() + path);
    ASSERT_FALSE(files) << path;
    EXPECT_EQ(files.error().code, Code::kDenied) << path;
    EXPECT_TRUE(files.error().message.starts_with("the source file '" + folder_.string() + path + "' does not lie"))
        << files.error().message;
  }
  fs::create_symlink(folder_ / "outside" / "a.csv", folder_ / "roots" / "link.csv");
  EXPECT_EQ(Find((folder_ / "roots/link.csv").string()).error().code, Code::kDenied);
  EXPECT_EQ(Find((folder_ / "roots/*.csv").string()).error().code, Code::kDenied);
}

TEST_F(FilesTest, AVersionIsNoFilesOwnHash) {
  const std::string hash = Sha256("roots/a.csv");
  auto one = Find((folder_ / "roots/a.csv").string());
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_EQ(one->version.size(), 64u);
  EXPECT_NE(one->version, hash);
  fs::create_directories(folder_ / "uploads" / hash.substr(0, 2));
  fs::copy_file(folder_ / "roots/a.csv", folder_ / "uploads" / hash.substr(0, 2) / hash);
  auto uploaded = Find("data/*.csv", {{"domains/fleet/planes/data/a.csv", hash, 11}});
  ASSERT_TRUE(uploaded) << uploaded.error().message;
  EXPECT_EQ(uploaded->names, std::vector<std::string>{"data/a.csv"});
  EXPECT_NE(uploaded->version, hash);
}

}  // namespace
}  // namespace weft::run
