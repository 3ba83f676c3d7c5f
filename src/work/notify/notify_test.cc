#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"
#include "state/access/access.h"
#include "state/catalog/catalog.h"
#include "state/ledger/ledger.h"
#include "work/notify/events.h"
#include "work/notify/webhooks.h"

namespace weft::notify {
namespace {

// The example of the Standard Webhooks specification.
TEST(WebhookTest, SignsAsTheStandardDoes) {
  EXPECT_EQ(SignatureOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                        R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookTest, CallsOnlyWhereItMay) {
  const Reach none, some{{"hooks.example.com", "*.example.org", "127.0.0.1:9000"}, false};
  EXPECT_EQ(CheckWebhook("https://hooks.example.com/x", none).error().code, Code::kDenied);
  EXPECT_TRUE(CheckWebhook("https://hooks.example.com/x?y=1", some));
  EXPECT_TRUE(CheckWebhook("https://HOOKS.example.com:8443/", some));
  EXPECT_TRUE(CheckWebhook("https://a.b.example.org", some));
  EXPECT_TRUE(CheckWebhook("https://127.0.0.1:9000/", some));
  for (const char* url : {"https://example.org/", "https://hooks.example.com.evil.net/", "https://evilexample.org/",
                          "https://127.0.0.1:9001/", "https://hooks.example.com@evil.net/", "http://hooks.example.com/",
                          "file:///etc/passwd", "hooks.example.com", ""}) {
    EXPECT_FALSE(CheckWebhook(url, some)) << url;
  }
  EXPECT_TRUE(CheckWebhook("http://127.0.0.1:9000/", {{"127.0.0.1:9000"}, true}));
}

TEST(TopicTest, AreNamedOrAllOfThem) {
  EXPECT_EQ(CheckTopics({}).value(), (std::vector<std::string>{"commits", "deprecations", "failures", "versions"}));
  EXPECT_EQ(CheckTopics({"versions", "commits", "versions"}).value(),
            (std::vector<std::string>{"commits", "versions"}));
  EXPECT_NE(CheckTopics({"comits"}).error().message.find("did you mean 'commits'"), std::string::npos);
}

class EventsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_));
    store_ = store::Open("sqlite:" + folder_ + "/store.db").value();
    for (auto migrations :
         {ledger::Migrations(), catalog::Migrations(), access::Migrations(), subscriptions::Migrations()})
      ASSERT_TRUE(store::Migrate(*store_, migrations));
    ledger_ = ledger::Ledger::Open(*store_, clock_, folder_ + "/ledger").value();
    auto txn = store_->Begin().value();
    auto mesh = model::Mesh::Parse("id: shop\ndomains: [{name: sales, owners: [ana]}]\n", "mesh.yaml").value();
    ASSERT_TRUE(catalog::PutMesh(*txn, mesh));
    ASSERT_TRUE(txn->Commit());
    zoe_.name = "zoe";
    ana_.name = "ana";
  }
  void TearDown() override {
    ledger_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }
  void Publish(const std::string& name, const std::string& status) {
    auto files = std::vector<model::TextFile>{
        {"domains/sales/" + name + "/product.odps.yaml",
         "apiVersion: v1.1.0\nkind: DataProduct\nid: " + name + "\nname: " + name +
             "\ndomain: sales\nversion: 1.0.0\nstatus: " + status +
             "\ninputPorts:\n  - name: list\n    version: 1.0.0\n    customProperties:\n      - property: source\n"
             "        vendor: weft\n        value: {kind: file, path: /x/list.csv, format: csv}\n"
             "outputPorts:\n  - {name: rows, version: 1.0.0, contractId: " +
             name + "-rows}\n"},
        {"domains/sales/" + name + "/rows.odcs.yaml",
         "apiVersion: v3.2.0\nkind: DataContract\nid: " + name + "-rows\nname: rows\nversion: 1.0.0\nstatus: " +
             status + "\nschema:\n  - name: rows\n    properties:\n      - {name: id, logicalType: integer}\n"}};
    model::Repository repository = model::ReadRepository(files, {}, false);
    ASSERT_EQ(repository.bundles.size(), 1u);
    auto txn = store_->Begin().value();
    Status put = catalog::Put(*txn, clock_, repository.bundles[0], "ana");
    ASSERT_TRUE(put) << put.error().message;
    ASSERT_TRUE(txn->Commit());
  }
  void Happens(const std::string& kind, const std::string& address, Json detail) {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(ledger::Append(*txn, clock_, {kind, "ana", "", address, std::move(detail)}));
    ASSERT_TRUE(txn->Commit());
    ASSERT_TRUE(ledger_->SealNow());
  }
  std::string Heard(const model::Principal& who, const Interest& interest, Wanted wanted = {}) {
    auto txn = store_->Read().value();
    auto stretch = Read(*txn, clock_, who, {interest}, wanted);
    if (!stretch) return stretch.error().message;
    std::string text;
    for (const Event& event : stretch->events) text += std::to_string(event.row) + " " + event.type + "; ";
    return text + "next " + std::to_string(stretch->next);
  }

  const std::string folder_ = fs::temp_directory_path() / ("weft-notify-" + NewSecret(6));
  const std::vector<std::string> all_ = CheckTopics({}).value();
  Clock& clock_ = SystemClock();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ledger::Ledger> ledger_;
  model::Principal zoe_, ana_;
};

TEST_F(EventsTest, TellsWhatConcernsAnInterestAndNothingElse) {
  Publish("orders", "active");
  Happens("published", "sales/orders", Json::Map({{"change", "create"}, {"to", "1.0.0"}}));
  Happens("committed", "sales/orders/rows@1", Json::Map({{"snapshot", "7"}, {"run", "run_1"}, {"rows", 4}}));
  Happens("refused", "sales/orders/rows@1", Json::Map({{"what", "sql"}}));  // Nobody's run.
  Happens("refused", "sales/orders/rows@1", Json::Map({{"run", "run_2"}}));
  Happens("read.started", "sales/orders/rows@1", Json::Map({{"read", "read_1"}}));
  EXPECT_EQ(Heard(zoe_, {"", all_}), "1 weft.version.published; 2 weft.commit; 4 weft.run.refused; next 5");
  EXPECT_EQ(Heard(zoe_, {"sales/orders/rows@1", all_}, {.after = 1}), "2 weft.commit; 4 weft.run.refused; next 5");
  EXPECT_EQ(Heard(zoe_, {"sales/orders/rows", {"versions"}}), "1 weft.version.published; next 5") << "of its product";
  EXPECT_EQ(Heard(zoe_, {"sales/order", all_}), "next 5");
  EXPECT_EQ(Heard(zoe_, {"", {"commits"}}, {.after = 0, .limit = 1}), "2 weft.commit; next 5");
  EXPECT_EQ(Heard(zoe_, {"", all_}, {.after = 0, .limit = 1}), "1 weft.version.published; next 1") << "goes on there";
  auto txn = store_->Read().value();
  const Stretch stretch = Read(*txn, clock_, zoe_, {{"", {"commits"}}}, {}).value();
  EXPECT_FALSE(stretch.events.at(0).data.Has("rows"));
  EXPECT_EQ(stretch.events[0].ToCloudEvent("shop")["source"].Text(), "weft://shop");
}

TEST_F(EventsTest, OfADraftItsTeamAloneHears) {
  Publish("plans", "draft");
  Happens("committed", "sales/plans/rows@1", Json::Map({{"snapshot", "7"}, {"run", "run_1"}}));
  EXPECT_EQ(Heard(ana_, {"", all_}), "1 weft.commit; next 1");
  EXPECT_EQ(Heard(zoe_, {"", all_}), "next 1");
  Happens("committed", "sales/gone/rows@1", Json::Map({{"snapshot", "7"}, {"run", "run_1"}}));
  EXPECT_EQ(Heard(ana_, {"sales/gone", all_}), "next 2");
}

}  // namespace
}  // namespace weft::notify
