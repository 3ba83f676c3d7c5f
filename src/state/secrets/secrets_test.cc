#include "state/secrets/secrets.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "drivers/store/testing.h"

namespace weft::secrets {
namespace {

const Name kPassword{"secret", "sales", "password"};
const Name kOther{"secret", "sales", "other"};

class SecretsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_));
    store_ = store::Open(store::TestUrl((folder_ / "weft.db").string())).value();
    ASSERT_TRUE(store::Migrate(*store_, Migrations()));
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(folder_);
  }
  Status Put(Vault& vault, const Name& name, const std::string& value) {
    auto txn = TRY(store_->Begin());
    TRY(vault.Put(*txn, SystemClock(), name, value, "ana"));
    return txn->Commit();
  }
  Result<Secret> Get(Vault& vault, const Name& name) {
    auto txn = store_->Read().value();
    return vault.Get(*txn, name);
  }
  std::string Key() { return ReadFile(file_).value(); }
  std::string Sealed(const Name& name) {
    auto txn = store_->Read().value();
    return txn->Run("SELECT value FROM sealed WHERE name = $1", {name.name}).value().at(0).text(0);
  }
  // Whether the bytes are in a file of the store.
  bool InStore(const std::string& bytes) {
    for (const char* end : {"", "-wal"}) {
      auto text = ReadFile(folder_ / (std::string("weft.db") + end));
      if (text && text->find(bytes) != text->npos) return true;
    }
    return false;
  }

  const fs::path folder_ = fs::temp_directory_path() / ("weft-secrets-" + NewSecret(6));
  const fs::path file_ = folder_ / "seal.key";
  std::unique_ptr<store::Store> store_;
};

TEST_F(SecretsTest, AreOpenedWithTheKeyAlone) {
  Vault vault(file_);
  EXPECT_EQ(Get(vault, kPassword).error().code, Code::kNotFound);
  EXPECT_FALSE(fs::exists(file_));
  ASSERT_TRUE(Put(vault, kPassword, "hunter2"));
  struct stat about {};
  ASSERT_EQ(::stat(file_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  EXPECT_EQ(Get(vault, kPassword)->bytes(), "hunter2");
  EXPECT_FALSE(InStore("hunter2"));
  Vault again(file_);
  EXPECT_EQ(Get(again, kPassword)->bytes(), "hunter2");
  ASSERT_TRUE(Put(again, kPassword, "hunter3"));
  EXPECT_EQ(Get(vault, kPassword)->bytes(), "hunter3");

  const std::string key = Key();
  fs::remove(file_);
  Vault without(file_);
  EXPECT_EQ(Get(without, kPassword).error().code, Code::kUnavailable);
  EXPECT_NE(Get(without, kPassword).error().message.find("seal.key is missing"), std::string::npos);
  EXPECT_EQ(Put(without, kOther, "x").error().code, Code::kUnavailable);  // No second key beside the first.
  EXPECT_FALSE(fs::exists(file_));

  Vault elsewhere(folder_ / "other.key");
  ASSERT_TRUE(WriteFileAtomically(folder_ / "other.key", key, 0600));
  EXPECT_EQ(Get(elsewhere, kPassword)->bytes(), "hunter3");
}

TEST_F(SecretsTest, AWrongKeyOpensNothingAndSaysSo) {
  Vault vault(file_);
  ASSERT_TRUE(Put(vault, kPassword, "hunter2"));
  const std::string key = Key();
  const std::string head = key.substr(0, key.find('\n') + 1);
  for (const std::string& text : {std::string("?"), head, head + "AAAA\n", head + "\n" + key.substr(head.size()),
                                  head.substr(0, head.size() - 1) + "x" + key.substr(head.size() - 1)}) {
    ASSERT_TRUE(WriteFileAtomically(file_, text, 0600));
    Vault broken(file_);
    EXPECT_NE(Get(broken, kPassword).error().message.find("is no file of a seal key"), std::string::npos) << text;
  }
  ASSERT_TRUE(WriteFileAtomically(file_, head + Base64(std::string(kKeyBytes, '7')) + "\n", 0600));
  Vault other(file_);
  EXPECT_NE(Get(other, kPassword).error().message.find("it was sealed with key "), std::string::npos);
  {
    auto txn = store_->Begin().value();
    EXPECT_EQ(other.Reseal(*txn).error().code, Code::kUnavailable);
  }
  EXPECT_EQ(Put(other, kOther, "x").error().code, Code::kUnavailable);
  ASSERT_TRUE(WriteFileAtomically(file_, key, 0600));
  EXPECT_EQ(Get(other, kPassword)->bytes(), "hunter2");  // Put back while the node runs.
  for (const int mode : {0644, 0640, 0604}) {
    ASSERT_TRUE(WriteFileAtomically(file_, key, mode));
    Vault open(file_);
    EXPECT_NE(Get(open, kPassword).error().message.find("chmod 600"), std::string::npos) << mode;
  }
}

TEST_F(SecretsTest, ABoundOneGoesToItsHostsAlone) {
  Vault vault(file_);
  ASSERT_TRUE(Put(vault, kPassword, "hunter2"));
  auto bind = [&](const std::vector<std::string>& hosts) -> Status {
    auto txn = store_->Begin().value();
    TRY(BindToHosts(*txn, kPassword, hosts));
    return txn->Commit();
  };
  auto may = [&](const Name& name, const std::string& host) { return MaySendTo(*store_->Read().value(), name, host); };
  EXPECT_TRUE(may(kPassword, "anywhere.example.com"));
  EXPECT_EQ(bind({"db.example.com:5432/x"}).error().code, Code::kInvalid);
  EXPECT_EQ(bind({"*."}).error().code, Code::kInvalid);
  ASSERT_TRUE(bind({"DB.example.com", "*.prod.example.com"}));
  for (const std::string host : {"db.example.com", "Db.Example.com", "a.prod.example.com"}) {
    EXPECT_TRUE(may(kPassword, host)) << host;
  }
  for (const std::string host :
       {"", "db.example.com.", "xdb.example.com", "example.com", "prod.example.com", "aprod.example.com", "10.0.0.1"}) {
    const Status refused = may(kPassword, host);
    ASSERT_FALSE(refused) << host;
    EXPECT_EQ(refused.error().code, Code::kDenied);
  }
  EXPECT_EQ(may(kPassword, "evil.example").error().message,
            "the secret 'password' of 'sales' is for db.example.com, *.prod.example.com alone, and not for "
            "'evil.example'");
  ASSERT_TRUE(Put(vault, kPassword, "hunter3"));
  EXPECT_FALSE(may(kPassword, "evil.example")) << "a new value stays bound";
  EXPECT_TRUE(may(kOther, "evil.example"));
}

TEST_F(SecretsTest, RowsCannotBeExchanged) {
  Vault vault(file_);
  ASSERT_TRUE(Put(vault, kPassword, "hunter2"));
  ASSERT_TRUE(Put(vault, kOther, "x"));
  auto txn = store_->Begin().value();
  ASSERT_TRUE(txn->Run("UPDATE sealed SET value = $1 WHERE name = 'other'", {Sealed(kPassword)}));
  EXPECT_EQ(vault.Get(*txn, kOther).error().code, Code::kUnavailable);
  EXPECT_EQ(vault.Get(*txn, kPassword)->bytes(), "hunter2");
}

TEST_F(SecretsTest, ResealingExchangesTheKeyWhicheverWayItEnds) {
  Vault vault(file_);
  ASSERT_TRUE(Put(vault, kPassword, "hunter2"));
  ASSERT_TRUE(Put(vault, kOther, "x"));
  const std::string before = Key(), sealed = Sealed(kPassword);
  {
    auto txn = store_->Begin().value();
    EXPECT_EQ(vault.Reseal(*txn).value(), 2);
  }  // The node ends before the commit.
  EXPECT_EQ(Sealed(kPassword), sealed);
  EXPECT_EQ(Get(vault, kPassword)->bytes(), "hunter2");
  Vault restarted(file_);
  EXPECT_EQ(Get(restarted, kPassword)->bytes(), "hunter2");
  {
    auto txn = store_->Begin().value();
    EXPECT_EQ(restarted.Reseal(*txn).value(), 2);
    ASSERT_TRUE(txn->Commit());
  }  // The node ends before the old key goes.
  Vault later(file_);
  EXPECT_EQ(Get(later, kPassword)->bytes(), "hunter2");
  EXPECT_EQ(Get(later, kOther)->bytes(), "x");
  ASSERT_TRUE(later.Resealed(*store_));
  Vault last(file_);
  EXPECT_EQ(Get(last, kPassword)->bytes(), "hunter2");
  EXPECT_NE(Sealed(kPassword), sealed);
  ASSERT_TRUE(WriteFileAtomically(file_, before, 0600));
  Vault old(file_);
  EXPECT_FALSE(Get(old, kPassword));
}

TEST_F(SecretsTest, TwoResealingsLoseNothing) {
  Vault vault(file_);
  ASSERT_TRUE(Put(vault, kPassword, "hunter2"));
  {
    auto first = store_->Begin().value();
    ASSERT_TRUE(vault.Reseal(*first));
    ASSERT_TRUE(first->Commit());
  }
  // The second has written its key when the first comes to drop what it left behind, and then does not commit.
  auto second = store_->Begin().value();
  ASSERT_TRUE(vault.Reseal(*second));
  std::thread cleaning([&] { EXPECT_TRUE(vault.Resealed(*store_)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  second.reset();
  cleaning.join();
  EXPECT_EQ(Get(vault, kPassword)->bytes(), "hunter2");
  Vault restarted(file_);
  EXPECT_EQ(Get(restarted, kPassword)->bytes(), "hunter2");
  ASSERT_TRUE(Put(restarted, kOther, "x"));
  ASSERT_TRUE(restarted.Resealed(*store_));
  Vault last(file_);
  EXPECT_EQ(Get(last, kPassword)->bytes(), "hunter2");
  EXPECT_EQ(Get(last, kOther)->bytes(), "x");
}

TEST_F(SecretsTest, WhatIsRemovedIsInNoFileOfTheStore) {
  if (store::TestsUsePostgres()) GTEST_SKIP() << "a server's files are its own";
  Vault vault(file_);
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(Put(vault, {"secret", "sales", "filler-" + std::to_string(i)}, "x"));
  }
  ASSERT_TRUE(Put(vault, kPassword, std::string(9'000, 'q')));  // Of several pages.
  const std::string sealed = Sealed(kPassword);
  const std::string piece = sealed.substr(6'000, 64), head = sealed.substr(0, 64);
  EXPECT_TRUE(InStore(piece));
  {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(Remove(*txn, kPassword));
    ASSERT_TRUE(txn->Commit());
  }
  ASSERT_TRUE(Purge(*store_));
  EXPECT_FALSE(InStore(piece));
  EXPECT_FALSE(InStore(head));
  EXPECT_EQ(Get(vault, kPassword).error().code, Code::kNotFound);
  auto txn = store_->Begin().value();
  auto again = Remove(*txn, {"secret", "sales", "filer-1"});
  EXPECT_EQ(again.error().code, Code::kNotFound);
  EXPECT_NE(again.error().message.find("filler-1"), std::string::npos);
  EXPECT_EQ(List(*txn, "secret", "sales")->size(), 300u);
  EXPECT_EQ(List(*txn, "secret", "other")->size(), 0u);
}

TEST_F(SecretsTest, WhatIsReplacedIsInNoFileOfTheStore) {
  if (store::TestsUsePostgres()) GTEST_SKIP() << "a server's files are its own";
  Vault vault(file_);
  for (const size_t bytes : {9'000U, 20U, 9'000U}) {  // Of several pages, and of fewer than before.
    ASSERT_TRUE(Put(vault, kPassword, std::string(bytes, 'q')));
    const std::string sealed = Sealed(kPassword);
    EXPECT_TRUE(InStore(sealed.substr(0, 48)));
    ASSERT_TRUE(Put(vault, kPassword, std::string(bytes, 'r')));
    ASSERT_TRUE(Purge(*store_));
    EXPECT_FALSE(InStore(sealed.substr(0, 48)));
    EXPECT_FALSE(InStore(sealed.substr(sealed.size() - 48)));
  }
}

TEST_F(SecretsTest, PurgeSaysWhenAReaderHoldsTheLog) {
  if (store::TestsUsePostgres()) GTEST_SKIP() << "a server has no log of ours";
  Vault vault(file_);
  ASSERT_TRUE(Put(vault, kPassword, "hunter2"));
  auto reader = store_->Read().value();
  ASSERT_TRUE(Put(vault, kPassword, "hunter3"));
  EXPECT_EQ(Purge(*store_).error().code, Code::kUnavailable);
  reader.reset();
  EXPECT_TRUE(Purge(*store_));
}

}  // namespace
}  // namespace weft::secrets
