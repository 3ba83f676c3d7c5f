#include "apps/weft/home.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/weft/session.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "drivers/store/testing.h"
#include "state/access/access.h"
#include "state/ledger/ledger.h"

namespace weft::app {
namespace {

class Home : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / NewId("home");
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  int ModeOf(const fs::path& path) {
    struct stat facts {};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return static_cast<int>(facts.st_mode & 0777);
  }
  fs::path folder_;
};

TEST_F(Home, OneProcessAFolder) {
  auto first = FolderLock::Take(folder_);
  ASSERT_TRUE(first) << first.error().message;
  auto second = FolderLock::Take(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_NE(second.error().message.find("pid " + std::to_string(::getpid()) + ":"), std::string::npos)
      << second.error().message;
  { FolderLock gone = first.TakeValue(); }
  EXPECT_TRUE(FolderLock::Take(folder_));
}

TEST_F(Home, AKilledProcessLeavesNoLock) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto lock = FolderLock::Take(folder_);
    ::_exit(lock ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(FolderLock::Take(folder_));
}

TEST_F(Home, DraftsOfAFormerNodeGoAndNothingElse) {
  ASSERT_TRUE(MakeFolders(folder_ / "ledger"));
  ASSERT_TRUE(MakeFolders(folder_ / "warehouse"));
  const std::vector<std::string> drafts = {"admin.token.draft-a1", "ledger/ledger-head.json.draft-b2"};
  const std::vector<std::string> kept = {"admin.token", "ledger/ledger-head.json", "warehouse/x.draft-c3"};
  for (const std::string& name : drafts) ASSERT_TRUE(WriteFileAtomically(folder_ / name, "half"));
  for (const std::string& name : kept) ASSERT_TRUE(WriteFileAtomically(folder_ / name, "whole"));
  RemoveDrafts(folder_);
  for (const std::string& name : drafts) EXPECT_FALSE(fs::exists(folder_ / name)) << name;
  for (const std::string& name : kept) EXPECT_TRUE(fs::exists(folder_ / name)) << name;
}

TEST_F(Home, TheAdministratorsTokenIsMadeOnceAndWorks) {
  auto store = store::Open(store::TestUrl((folder_ / "weft.db").string())).TakeValue();
  std::vector<store::Migration> migrations(ledger::Migrations().begin(), ledger::Migrations().end());
  migrations.insert(migrations.end(), access::Migrations().begin(), access::Migrations().end());
  ASSERT_TRUE(store::Migrate(*store, migrations));
  auto path = AdminToken(*store, SystemClock(), folder_);
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_EQ(ModeOf(*path), 0600);
  const std::string text = ReadFile(*path).TakeValue();
  auto txn = store->Read().TakeValue();
  auto identity = access::Authenticate(*txn, SystemClock(), std::string(Trim(text)));
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(identity->principal.name, "admin");
  EXPECT_TRUE(identity->principal.administrator);
  txn.reset();
  ASSERT_TRUE(AdminToken(*store, SystemClock(), folder_));
  EXPECT_EQ(ReadFile(*path).TakeValue(), text);
  txn = store->Read().TakeValue();
  EXPECT_EQ(access::Tokens(*txn, "admin")->size(), 1u);
}

TEST_F(Home, TheEntryLivesAsLongAsItsNode) {
  ::setenv("XDG_STATE_HOME", folder_.c_str(), 1);
  const fs::path path = folder_ / "weft/nodes/7000.json";
  NodeEntry entry{"http://127.0.0.1:7000", "grpc://127.0.0.1:7001", "/d", "/d/admin.token", 17};
  auto written = NodeRegistration::Write(7000, entry).TakeValue();
  EXPECT_EQ(ModeOf(path), 0600);
  EXPECT_EQ(ModeOf(path.parent_path()), 0700);
  Json json = Json::Parse(ReadFile(path).TakeValue()).TakeValue();
  EXPECT_EQ(json["url"].Text(), entry.url);
  EXPECT_EQ(json["token_file"].Text(), entry.token_file);
  for (const char* here :
       {"http://127.0.0.1:7000", "http://localhost:7000/", "https://LOCALHOST:7000", "http://[::1]:7000"}) {
    EXPECT_EQ(LocalNode(here)["token_file"].Text(), entry.token_file) << here;
  }
  for (const char* elsewhere : {"http://127.evil.com:7000", "http://localhost.evil.com:7000", "http://evil.com:7000",
                                "http://127.0.0.1@evil.com:7000", "http://127.0.0.1:7001"}) {
    EXPECT_TRUE(LocalNode(elsewhere).is_null()) << elsewhere;
  }
  entry.pid = 18;
  auto later = NodeRegistration::Write(7000, entry).TakeValue();
  written.reset();
  EXPECT_TRUE(fs::exists(path)) << "it is the later node's";
  later.reset();
  EXPECT_FALSE(fs::exists(path));
  ::unsetenv("XDG_STATE_HOME");
}

}  // namespace
}  // namespace weft::app
