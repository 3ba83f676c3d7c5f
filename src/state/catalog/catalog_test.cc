#include "state/catalog/catalog.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "drivers/store/testing.h"
#include "state/catalog/related.h"
#include "state/catalog/search.h"
#include "state/catalog/seen.h"

namespace weft::catalog {
namespace {

struct PortText {
  std::string name = "flights";
  std::string version = "1.0.0";
  std::string status = "active";
  std::string column =
      "{name: tailnum, logicalType: string, physicalType: varchar, classification: internal, "
      "businessName: Registration, description: The number painted on the aircraft.}";
};

// A product's folder as a person would write it.
struct ProductText {
  std::string name = "flights";
  std::string version = "1.0.0";
  std::string status = "active";
  std::string purpose = "Departures from New York.";
  std::vector<PortText> ports = {{}};

  std::vector<model::TextFile> Files() const {
    const std::string folder = "domains/operations/" + name + "/";
    std::string product = fmt::format(
        "apiVersion: v1.1.0\nkind: DataProduct\nid: {0}-id\nname: {0}\ndomain: operations\nversion: {1}\nstatus: {2}\n"
        "type: sourceAligned\ntags: [aviation]\ndescription: {{purpose: \"{3}\"}}\ninputPorts:\n  - name: list\n"
        "    version: 1.0.0\n    customProperties:\n      - property: source\n        vendor: weft\n"
        "        value: {{kind: file, path: data/list.csv, format: csv}}\noutputPorts:\n",
        name, version, status, purpose);
    std::vector<model::TextFile> files;
    for (const PortText& port : ports) {
      const std::string id = fmt::format("{}-{}-{}", name, port.name, port.version[0]);
      product += fmt::format(
          "  - name: {0}\n    type: table\n    version: {1}\n    contractId: {2}\n    customProperties:\n"
          "      - property: build\n        vendor: weft\n        value: {{sql: {0}.sql, mode: replace}}\n",
          port.name, port.version, id);
      files.push_back({folder + id + ".odcs.yaml",
                       fmt::format("apiVersion: v3.2.0\nkind: DataContract\nid: {0}\nname: {1}\nversion: {2}\n"
                                   "status: {3}\ndomain: operations\ndataProduct: {4}\nschema:\n  - name: {1}\n"
                                   "    logicalType: object\n    physicalType: table\n    properties:\n      - {5}\n",
                                   id, port.name, port.version, port.status, name, port.column)});
      files.push_back({folder + port.name + ".sql", "SELECT tailnum FROM list"});
    }
    files.push_back({folder + "product.odps.yaml", product});
    return files;
  }
  model::Bundle Bundle() const {
    model::Repository repository = model::ReadRepository(Files(), {}, false);
    EXPECT_EQ(repository.bundles.size(), 1u);
    for (const Problem& problem : repository.problems) {
      if (problem.rule == "odcs" || problem.rule == "odps" || problem.rule == "yaml") ADD_FAILURE() << problem.Text();
    }
    return std::move(repository.bundles.at(0));
  }
};

class CatalogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_));
    store_ = store::Open(store::TestUrl(folder_ + "/store.db")).value();
    ASSERT_TRUE(store::Migrate(*store_, Migrations()));
    txn_ = store_->Begin().value();
  }
  void TearDown() override {
    txn_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }
  Status Publish(const ProductText& text) {
    // Each in a transaction of its own: a refused one can only be rolled back.
    TRY(txn_->Commit());
    txn_ = TRY(store_->Begin());
    Status put = Put(*txn_, SystemClock(), text.Bundle(), "ana");
    if (put) TRY(txn_->Commit());
    txn_.reset();
    txn_ = TRY(store_->Begin());
    return put;
  }
  Result<PortRow> At(const std::string& address) { return Resolve(*txn_, model::Address::Parse(address).value()); }
  Found Find(const std::string& words, Filters filters = {}) {
    return Search(*txn_, SystemClock(), sight_, {words, std::move(filters), 20, true}).value();
  }
  // What is found, with the columns that the words are in: "operations/flights(flights@1:tailnum) ".
  std::string Titles(const std::string& words, Filters filters = {}) {
    std::string text;
    for (const Hit& hit : Find(words, std::move(filters)).hits) {
      text += hit.address + "(";
      for (const FoundPort& port : hit.ports) {
        for (const FoundColumn& column : port.columns)
          text += port.address.substr(port.address.rfind('/') + 1) + ":" + column.name;
      }
      text += ") ";
    }
    return text;
  }

  const std::string folder_ = fs::temp_directory_path() / ("weft-catalog-" + NewSecret(6));
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Txn> txn_;
  model::Sight sight_ = model::Sight::Everything();
};

TEST_F(CatalogTest, GivesBackEveryByte) {
  const ProductText text;
  ASSERT_TRUE(Publish(text));
  const model::Bundle written = text.Bundle();
  BundlePtr read = Product(*txn_, "operations", "flights").value();
  EXPECT_EQ(read->product.bytes, written.product.bytes);
  ASSERT_EQ(read->contracts.size(), 1u);
  EXPECT_EQ(read->contracts[0].bytes, written.contracts[0].bytes);
  EXPECT_EQ(read->builds, written.builds);
  EXPECT_EQ(read->Digest(), written.Digest());
  EXPECT_EQ(Product(*txn_, "operations", "flights").value(), read);  // Parsed once.
  ProductRow row = FindProduct(*txn_, "operations", "flights").value().value();
  EXPECT_EQ(row.version, "1.0.0");
  EXPECT_EQ(row.published_by, "ana");
  EXPECT_EQ(row.digest, written.Digest());
  EXPECT_EQ(row.tags, std::vector<std::string>{"aviation"});
  EXPECT_EQ(Products(*txn_, "operations").value().size(), 1u);
  EXPECT_EQ(Products(*txn_, "fleet").value().size(), 0u);
}

TEST_F(CatalogTest, APublishedVersionKeepsItsBytesUnlessItIsADraft) {
  ProductText text;
  ASSERT_TRUE(Publish(text));
  ASSERT_TRUE(Publish(text));
  ProductText changed = text;
  changed.purpose = "Something else.";
  Status refused = Publish(changed);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kConflict);
  changed.version = "1.0.1";
  EXPECT_TRUE(Publish(changed));

  ProductText draft;
  draft.name = "delays";
  draft.status = draft.ports[0].status = "draft";
  ASSERT_TRUE(Publish(draft));
  draft.purpose = "Redone.";
  draft.ports[0].column = "{name: other, logicalType: string, physicalType: varchar}";
  ASSERT_TRUE(Publish(draft));
  EXPECT_EQ(FindProduct(*txn_, "operations", "delays").value()->description, "Redone.");
}

TEST_F(CatalogTest, AStatusMayChangeAlone) {
  ProductText text;
  ASSERT_TRUE(Publish(text));
  text.status = "deprecated";
  text.ports[0].status = "deprecated";
  ASSERT_TRUE(Publish(text));
  EXPECT_EQ(FindProduct(*txn_, "operations", "flights").value()->status, "deprecated");
  EXPECT_EQ(At("operations/flights/flights@1").value().status, "deprecated");
  EXPECT_EQ(Product(*txn_, "operations", "flights").value()->product.status, "deprecated");
}

TEST_F(CatalogTest, APublishedContractKeepsItsBytesUnderANewProductVersion) {
  ProductText text;
  ASSERT_TRUE(Publish(text));
  text.version = "1.1.0";
  text.ports[0].column = "{name: other, logicalType: string, physicalType: varchar}";
  Status refused = Publish(text);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_NE(refused.error().message.find("operations/flights/flights@1.0.0"), std::string::npos);
  text.ports[0].version = "1.1.0";
  EXPECT_TRUE(Publish(text));
}

TEST_F(CatalogTest, MajorsLiveSideBySide) {
  ProductText text;
  ASSERT_TRUE(Publish(text));
  text.version = "1.1.0";
  text.ports[0].version = "1.1.0";
  ASSERT_TRUE(Publish(text));
  text.version = "2.0.0";
  text.ports[0].version = "2.0.0";
  text.ports[0].status = "draft";
  ASSERT_TRUE(Publish(text));
  EXPECT_EQ(At("operations/flights/flights@1").value().version, "1.1.0");
  EXPECT_EQ(At("operations/flights/flights@1.0.0").value().product_version, "1.0.0");
  EXPECT_EQ(At("operations/flights/flights@2").value().version, "2.0.0");
  EXPECT_EQ(At("operations/flights/flights").value().version, "1.1.0");  // The draft waits.
  EXPECT_EQ(ResolveSql(*txn_, "Operations", "FLIGHTS", "flights_V2").value().version, "2.0.0");
  EXPECT_EQ(ResolveSql(*txn_, "operations", "flights", "flights").value().version, "1.1.0");
  Port old = Load(*txn_, At("operations/flights/flights@1").value()).value();
  EXPECT_EQ(old.contract->version, "1.1.0");
  EXPECT_EQ(old.bundle->product.version, "1.1.0");
  EXPECT_EQ(Ports(*txn_, "operations").value().size(), 2u);
  text.version = "1.0.5";  // A late fix of an older line does not become the newest.
  text.ports = {PortText{.version = "1.0.1"}};
  ASSERT_TRUE(Publish(text));
  EXPECT_EQ(FindProduct(*txn_, "operations", "flights").value()->version, "2.0.0");
  EXPECT_EQ(At("operations/flights/flights@1").value().version, "1.1.0");
}

TEST_F(CatalogTest, ADraftWaitsBehindWhatIsPublishedOfItsMajor) {
  ProductText text;
  ASSERT_TRUE(Publish(text));
  text.version = text.ports[0].version = "1.1.0";
  text.status = text.ports[0].status = "draft";
  text.ports[0].column = "{name: carrier, logicalType: string, physicalType: varchar}";
  ASSERT_TRUE(Publish(text));
  EXPECT_EQ(At("operations/flights/flights@1").value().version, "1.0.0");
  EXPECT_EQ(At("operations/flights/flights").value().status, "active");
  EXPECT_EQ(At("operations/flights/flights@1.1.0").value().status, "draft");
  EXPECT_EQ(Titles("painted"), "operations/flights(flights@1:tailnum) ");  // What readers have is what is found.
  text.status = text.ports[0].status = "active";
  ASSERT_TRUE(Publish(text));
  EXPECT_EQ(At("operations/flights/flights@1").value().version, "1.1.0");
  EXPECT_EQ(Titles("painted"), "");
}

TEST_F(CatalogTest, AnOlderMajorIsFoundAfterItsBundleIsReplaced) {
  ASSERT_TRUE(Publish({}));
  ProductText next;
  next.version = next.ports[0].version = "2.0.0";
  next.ports[0].column = "{name: carrier, logicalType: string, physicalType: varchar}";
  ASSERT_TRUE(Publish(next));
  EXPECT_EQ(Titles("painted"), "operations/flights(flights@1:tailnum) ");
  EXPECT_EQ(Titles("carrier"), "operations/flights(flights@2:carrier) ");
}

TEST_F(CatalogTest, LoadsWhatTheGateAsksAbout) {
  model::Mesh mesh;
  mesh.id = "skyways";
  mesh.domains = {{{{"olga", "group:ops"}, {"stella"}, {}}, "operations", ""}};
  mesh.bytes = "x";
  ASSERT_TRUE(PutMesh(*txn_, mesh));
  ASSERT_TRUE(Publish({}));
  Port port = Load(*txn_, At("weft://skyways/operations/flights/flights@1").value()).value();
  EXPECT_EQ(port.resource.Text(), "operations/flights/flights@1");
  EXPECT_EQ(port.resource.owners, (std::vector<std::string>{"olga", "group:ops"}));
  EXPECT_EQ(port.resource.stewards, std::vector<std::string>{"stella"});
  EXPECT_EQ(FindProduct(*txn_, "operations", "flights").value()->team, (model::Team{port.resource}));
  EXPECT_EQ(port.resource.classification, "internal");
  EXPECT_EQ(port.row.sql_name, "flights_v1");
  EXPECT_EQ(MeshId(*txn_).value(), "skyways");
  EXPECT_EQ(At("weft://other/operations/flights/flights@1").error().code, Code::kNotFound);
  mesh.id = "other";
  EXPECT_EQ(PutMesh(*txn_, mesh).error().code, Code::kConflict);
}

TEST_F(CatalogTest, SaysWhatThereIs) {
  ASSERT_TRUE(Publish({}));
  auto message = [](const auto& result) { return result ? "" : result.error().message; };
  EXPECT_NE(message(Product(*txn_, "operations", "fligths")).find("did you mean 'operations/flights'"),
            std::string::npos);
  EXPECT_NE(message(Product(*txn_, "operations", "flights", "9.0.0")).find("1.0.0"), std::string::npos);
  const std::string near = message(At("operations/flights/flight"));
  EXPECT_NE(near.find("operations/flights has flights@1"), std::string::npos) << near;
  EXPECT_NE(near.find("did you mean 'flights'?"), std::string::npos) << near;
  EXPECT_NE(message(At("operations/flights/flights@7")).find("flights@1 (1.0.0, active)"), std::string::npos);
  EXPECT_EQ(At("operations/flights").error().code, Code::kInvalid);
}

TEST_F(CatalogTest, DataFilesTravelWithTheProductNotWithItsVersion) {
  ASSERT_TRUE(Publish({}));
  BundlePtr before = Product(*txn_, "operations", "flights").value();
  ASSERT_TRUE(PutData(*txn_, "operations", "flights", {{"domains/operations/flights/data/list.csv", "aa", 5}}));
  auto data = Data(*txn_, "operations", "flights").value();
  ASSERT_EQ(data.size(), 1u);
  EXPECT_EQ(data[0].path, "data/list.csv");
  EXPECT_EQ(data[0].bytes, 5);
  BundlePtr after = Product(*txn_, "operations", "flights").value();
  EXPECT_EQ(after->Digest(), before->Digest());
  ASSERT_EQ(after->data.size(), 1u);
  EXPECT_EQ(after->data[0].sha256, "aa");
}

TEST_F(CatalogTest, SearchFindsProductsAndColumnsBestFirst) {
  ASSERT_TRUE(Publish({}));
  ProductText other;
  other.name = "weather";
  other.purpose = "Hourly reports, to be joined with flights.";
  other.ports[0].name = "hourly";
  other.ports[0].column = "{name: windSpeed, logicalType: number, physicalType: double, description: Knots.}";
  ASSERT_TRUE(Publish(other));
  EXPECT_EQ(Titles("flights"), "operations/flights() operations/weather() ");
  EXPECT_EQ(Titles("flight"), "operations/flights() operations/weather() ");
  EXPECT_EQ(Titles("painted aircraft"), "operations/flights(flights@1:tailnum) ");
  EXPECT_EQ(Titles("registration"), "operations/flights(flights@1:tailnum) ");
  EXPECT_EQ(Titles("wind"), "operations/weather(hourly@1:windSpeed) ");
  EXPECT_EQ(Titles("windspeed"), "operations/weather(hourly@1:windSpeed) ");
  EXPECT_EQ(Titles("knots hourly flights"), "operations/weather(hourly@1:windSpeed) ");  // Of several fields.
  EXPECT_EQ(Titles("pai"), "operations/flights(flights@1:tailnum) ");                    // A beginning.
  EXPECT_EQ(Titles("weather", {.domain = "fleet"}), "");
  EXPECT_EQ(Titles("zzzzzzzz"), "");
  EXPECT_EQ(Titles("\" OR * ( NEAR"), "");
  EXPECT_EQ(Titles(""), "");
  const Hit hit = Find("knots").hits.at(0);
  EXPECT_EQ(hit.kind, "product");
  EXPECT_EQ(hit.snippet, "Hourly reports, to be joined with flights.");
  EXPECT_EQ(hit.status, "active");
  EXPECT_EQ(hit.ports.at(0).address, "operations/weather/hourly@1");
  EXPECT_EQ(hit.ports.at(0).columns.at(0).snippet, "«Knots».");
}

TEST_F(CatalogTest, SearchForgivesSlipsOfThePen) {
  ASSERT_TRUE(Publish({}));
  for (const char* slip : {"regsitration", "registraton", "registrattion", "regastration"}) {
    const Found found = Find(slip);
    ASSERT_EQ(found.total, 1) << slip;
    EXPECT_EQ(found.read_as.at(0).second, "registration") << slip;
  }
  // A word that only something else has is no nearest one.
  EXPECT_EQ(Find("regsitration", {.tag = "nothing"}).total, 0);
  EXPECT_TRUE(Find("regsitration", {.tag = "nothing"}).read_as.empty());
}

TEST_F(CatalogTest, SearchCountsAndNarrowsByFacets) {
  ASSERT_TRUE(Publish({}));
  ProductText other;
  other.name = "weather";
  other.status = "draft";
  other.ports[0].name = "hourly";
  other.ports[0].status = "draft";
  ASSERT_TRUE(Publish(other));
  const Found found = Find("aircraft");
  EXPECT_EQ(found.total, 2);
  std::map<std::string, std::vector<std::pair<std::string, int64_t>>> facets;
  for (const Facet& facet : found.facets) facets[facet.name] = facet.values;
  using Counts = std::vector<std::pair<std::string, int64_t>>;
  EXPECT_EQ(facets["domain"], (Counts{{"operations", 2}}));
  EXPECT_EQ(facets["status"], (Counts{{"active", 1}, {"draft", 1}}));
  EXPECT_EQ(facets["kind"], (Counts{{"sourceAligned", 2}}));
  EXPECT_EQ(facets["tag"], (Counts{{"aviation", 2}}));
  EXPECT_EQ(facets["format"], (Counts{{"table", 2}}));
  EXPECT_EQ(facets["freshness"], (Counts{{"never", 2}}));
  EXPECT_EQ(Titles("aircraft", {.status = "draft"}), "operations/weather(hourly@1:tailnum) ");
  EXPECT_EQ(Find("", {.tag = "aviation"}).total, 2);
  EXPECT_EQ(Find("aircraft", {.tag = "aviation", .status = "active"}).total, 1);
  ASSERT_TRUE(NoteCommit(*txn_, {"operations", "weather", "hourly", 1}, SystemClock().Now()));
  const Instant before{SystemClock().Now().micros - 60'000'000};
  EXPECT_EQ(Titles("aircraft", {.fresh_since = before}), "operations/weather(hourly@1:tailnum) ");
  // What a product is published with anew keeps when its rows came.
  other.status = other.ports[0].status = "active";
  ASSERT_TRUE(Publish(other));
  EXPECT_EQ(Titles("aircraft", {.fresh_since = before}), "operations/weather(hourly@1:tailnum) ");
  const Found nothing = Find("aircraft knots");
  EXPECT_EQ(nothing.instead, (Counts{{"aircraft", 2}}));
  EXPECT_EQ(Find("aircraft", {.kind = "aggregate"}).instead, (Counts{{"aircraft", 2}}));
}

TEST_F(CatalogTest, SearchForgetsWhatAVersionReplaced) {
  ASSERT_TRUE(Publish({}));
  ProductText next;
  next.version = "1.1.0";
  next.purpose = "Arrivals.";
  next.ports[0].version = "1.1.0";
  next.ports[0].column = "{name: carrier, logicalType: string, physicalType: varchar}";
  ASSERT_TRUE(Publish(next));
  EXPECT_EQ(Titles("painted"), "");
  EXPECT_EQ(Titles("departures york"), "");
  EXPECT_EQ(Titles("arrivals"), "operations/flights() ");
  EXPECT_EQ(Titles("carrier"), "operations/flights(flights@1:carrier) ");
}

TEST_F(CatalogTest, SearchFindsWhatIsRetiredOnlyWhenAsked) {
  ASSERT_TRUE(Publish({}));
  ProductText next;
  next.version = "2.0.0";
  next.ports[0].status = "retired";
  next.ports.push_back({});
  next.ports[1].version = "2.0.0";
  next.ports[1].column = "{name: carrier, logicalType: string, physicalType: varchar}";
  ASSERT_TRUE(Publish(next));
  EXPECT_EQ(Titles("painted"), "");
  EXPECT_EQ(Titles("carrier"), "operations/flights(flights@2:carrier) ");
  EXPECT_EQ(Titles("painted", {.status = "retired"}), "operations/flights(flights@1:tailnum) ");
  next.version = "2.1.0";
  next.status = "retired";
  ASSERT_TRUE(Publish(next));
  EXPECT_EQ(Titles("carrier"), "");
  EXPECT_EQ(Find("flights", {.status = "retired"}).total, 1);
}

// Of three people: one who may know of nothing, one who was granted a port, and the team.
TEST_F(CatalogTest, ADraftIsThereForThoseAloneWhoMayKnowOfIt) {
  ProductText text;
  text.ports.push_back({.name = "sails",
                        .status = "draft",
                        .column = "{name: canvas, logicalType: string, "
                                  "physicalType: varchar}"});
  text.ports.push_back({.name = "oars",
                        .status = "draft",
                        .column = "{name: timber, logicalType: string, "
                                  "physicalType: varchar}"});
  ASSERT_TRUE(Publish(text));
  ProductText whole;
  whole.name = "gliders";
  whole.status = "draft";
  whole.purpose = "Painted by hand.";
  whole.ports[0].name = "gliders";  // Active by its contract: its product is a draft all the same.
  ASSERT_TRUE(Publish(whole));
  model::Principal zoe;
  zoe.name = "zoe";
  const model::Sight stranger(zoe);
  model::Sight granted(zoe), team(zoe);
  granted.AddGrant({"operations", "flights", "sails", 1});
  team.AddTeam("operations", "");

  sight_ = stranger;
  EXPECT_EQ(Titles("painted"), "operations/flights(flights@1:tailnum) ");
  EXPECT_EQ(Titles("canvas") + Titles("gliders") + Titles("", {.status = "draft"}), "");
  EXPECT_EQ(Find("aviation").total, 1);
  EXPECT_TRUE(Find("canvass").read_as.empty());
  for (const Facet& facet : Find("", {.tag = "aviation"}).facets) EXPECT_EQ(facet.values.at(0).second, 1) << facet.name;
  EXPECT_TRUE(LikeIt(*txn_, stranger, "operations", "flights", 9).value().empty());
  const Seen seen(*txn_, stranger);
  EXPECT_EQ(seen.Products().value().size(), 1u);
  EXPECT_EQ(seen.Ports().value().size(), 1u);
  for (const char* name : {"gliders", "glidings"}) {
    EXPECT_EQ(seen.Product("operations", name).error().message,
              fmt::format("there is no product 'operations/{}'; did you mean 'operations/flights'?", name));
    EXPECT_FALSE(seen.FindProduct("operations", name).value());
  }
  EXPECT_EQ(seen.Resolve(model::Address::Parse("operations/flights/sails").value()).error().message,
            "there is no port 'operations/flights/sails'; operations/flights has flights@1 (1.0.0, active)");

  // A commit of a draft makes nothing fresh for others.
  ASSERT_TRUE(NoteCommit(*txn_, {"operations", "flights", "sails", 1}, SystemClock().Now()));
  EXPECT_FALSE(Find("painted").hits.at(0).fresh_at);

  sight_ = granted;
  EXPECT_EQ(Titles("canvas") + Titles("timber") + Titles("gliders"), "operations/flights(sails@1:canvas) ");
  EXPECT_EQ(Find("aviation").total, 1);
  EXPECT_EQ(Seen(*txn_, granted).Ports().value().size(), 2u);
  EXPECT_TRUE(Find("painted").hits.at(0).fresh_at);
  sight_.AddGrant({"operations", "flights", "oars", 1});
  EXPECT_EQ(Find("aviation").total, 1);  // Twice the same product.

  for (const model::Sight& sight : {team, model::Sight::Everything()}) {
    sight_ = sight;
    EXPECT_EQ(Titles("canvas timber"), "operations/flights(oars@1:timbersails@1:canvas) ");
    EXPECT_EQ(Find("aviation").total, 2);
    EXPECT_EQ(Find("", {.status = "draft"}).total, 2);
  }
}

TEST_F(CatalogTest, ADraftOfAVersionSpeaksForNobodyElse) {
  ProductText text;
  ASSERT_TRUE(Publish(text));
  text.version = "1.1.0";
  text.status = "draft";
  text.purpose = "Secretly arrivals.";
  ASSERT_TRUE(Publish(text));
  EXPECT_EQ(FindProduct(*txn_, "operations", "flights").value()->version, "1.0.0");
  EXPECT_EQ(At("operations/flights/flights").value().product_version, "1.0.0");
  EXPECT_EQ(Find("secretly").total, 0);
  const model::Sight stranger{model::Principal()};
  EXPECT_EQ(Seen(*txn_, stranger).Product("operations", "flights", "1.1.0").error().message,
            "operations/flights has no version '1.1.0'; there is 1.0.0");
  EXPECT_EQ(Product(*txn_, "operations", "flights", "1.1.0").value()->product.description, "Secretly arrivals.");
}

TEST_F(CatalogTest, OfEqualsTheOneThatMoreWereGrantedComesFirst) {
  for (const char* name : {"alpha", "beta"}) {
    ProductText text;
    text.name = text.ports[0].name = name;
    ASSERT_TRUE(Publish(text));
  }
  EXPECT_EQ(Titles("aviation"), "operations/alpha() operations/beta() ");
  ASSERT_TRUE(NotePopularity(*txn_, "operations", "beta", 1));
  EXPECT_EQ(Titles("aviation"), "operations/beta() operations/alpha() ");
  ASSERT_TRUE(NotePopularity(*txn_, "operations", "alpha", 100));
  EXPECT_EQ(Titles("aviation"), "operations/alpha() operations/beta() ");
  ASSERT_TRUE(NotePopularity(*txn_, "operations", "alpha", 0));
  EXPECT_EQ(Titles("aviation"), "operations/beta() operations/alpha() ");
}

TEST_F(CatalogTest, AStoreOfAnEarlierVersionIsIndexedAnew) {
  ASSERT_TRUE(Publish({}));
  for (const char* sql : {"DELETE FROM search_postings", "DELETE FROM search_docs", "DELETE FROM search_facets"}) {
    ASSERT_TRUE(txn_->Run(sql));
  }
  ASSERT_TRUE(txn_->Commit());
  const Instant when{1'000'000};
  ASSERT_TRUE(EnsureIndexed(*store_, [&](store::Txn&, const model::PortKey&) { return std::optional(when); }));
  txn_ = store_->Begin().value();
  EXPECT_EQ(Titles("registration"), "operations/flights(flights@1:tailnum) ");
  EXPECT_EQ(Find("registration").hits.at(0).fresh_at, when);
}

}  // namespace
}  // namespace weft::catalog
