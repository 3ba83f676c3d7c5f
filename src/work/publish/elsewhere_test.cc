#include "work/publish/testing.h"

namespace weft::publish {
namespace {

using testing::kMesh;
using testing::PublishTest;
using testing::Sample;

constexpr std::string_view kOverlay = "domains/operations/flights/env/";

class EnvironmentsTest : public PublishTest {
 protected:
  void SetUp() override {
    PublishTest::SetUp();
    files_["mesh.yaml"] = std::string(kMesh) + "environments: [{name: dev}, {name: prod}]\n";
  }
  Status Settle(const std::string& name) {
    auto txn = store_->Begin().value();
    auto settled = catalog::SettleEnvironment(*txn, name);
    if (!settled) return settled.TakeError();
    return txn->Commit();
  }
  std::string All(const Plan& plan) {
    std::string text;
    for (const Problem& problem : plan.problems) {
      text += (problem.level == Problem::Level::kWarning ? "warning: " : "") + problem.Text() + "\n";
    }
    return text;
  }
  void Overlay(const std::string& environment, const std::string& text) {
    files_[std::string(kOverlay) + environment + ".yaml"] = text;
  }
};

TEST_F(EnvironmentsTest, AStoreIsOfOneEnvironmentOnceSomethingIsPublished) {
  EXPECT_EQ(Settle("Dev").error().code, Code::kInvalid);
  ASSERT_TRUE(Settle("prdo"));
  ASSERT_TRUE(Settle("dev")) << "nothing is published yet: a wrong name may be mended";
  Put({});
  MustApply(admin_);
  ASSERT_TRUE(Settle("dev"));
  ASSERT_TRUE(Settle("")) << "who says none takes what the store says";
  const Status other = Settle("prod");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kConflict);
  EXPECT_NE(other.error().message.find("cannot become 'prod'"), std::string::npos) << other.error().message;
  auto txn = store_->Read().value();
  EXPECT_EQ(catalog::EnvironmentOf(*txn).value(), "dev");
}

TEST_F(EnvironmentsTest, AMeshThatDoesNotNameTheNodesEnvironmentIsRefused) {
  ASSERT_TRUE(Settle("prdo"));
  EXPECT_EQ(Problems(PlanOf(admin_)),
            "mesh.yaml:7:15: environments: this node is of the environment 'prdo', and mesh.yaml names no environment "
            "'prdo'; did you mean 'prod'? [weft.environment]\n");
  ASSERT_TRUE(Settle("prod"));
  MustApply(admin_);
  // A name that the registered mesh has not is refused before it is kept.
  EXPECT_EQ(Settle("staging").error().code, Code::kInvalid);
}

TEST_F(EnvironmentsTest, TheCatalogueGivesTheProductAsItsEnvironmentHasIt) {
  ASSERT_TRUE(Settle("prod"));
  Put({});
  Overlay("prod", "sources: {input: {null: NA}}\n");
  Overlay("dev", "sources: {input: {null: '-'}}\n");
  const Plan plan = MustApply(admin_);
  EXPECT_EQ(plan.environment, "prod");
  EXPECT_NE(Join(plan.changes.back().notes, "\n").find("source of input: null NA (env/prod.yaml)"), std::string::npos);
  {
    auto txn = store_->Read().value();
    const auto bundle = catalog::Product(*txn, "operations", "flights").value();
    EXPECT_EQ(bundle->product.inputs[0].source->options["null"].Text(), "NA");
    EXPECT_EQ(bundle->overlays.size(), 2u);
    EXPECT_EQ(bundle->product.bytes, files_["domains/operations/flights/product.odps.yaml"]);
  }
  EXPECT_EQ(Kinds(MustApply(admin_)), "unchanged mesh, unchanged operations/flights");
  // What another environment has is a part of the version too.
  Overlay("dev", "sources: {input: {null: '--'}}\n");
  EXPECT_NE(Problems(PlanOf(admin_)).find("registered with other bytes (env/dev.yaml differs)"), std::string::npos)
      << Problems(PlanOf(admin_));
  Put({.version = "1.0.1"});
  MustApply(admin_);
  auto txn = store_->Read().value();
  const auto former = catalog::Product(*txn, "operations", "flights", "1.0.0").value();
  EXPECT_EQ(former->OverlayOf("dev")->bytes, "sources: {input: {null: '-'}}\n");
}

// One cache serves every store: what one has as prod must not be given to another as dev.
TEST_F(EnvironmentsTest, EachStoreHasItsOwnEnvironmentsProduct) {
  ASSERT_TRUE(Settle("prod"));
  Put({});
  Overlay("prod", "sources: {input: {null: NA}}\n");
  MustApply(admin_);
  auto other = store::Open(store::TestUrl(folder_ + "/other.db")).value();
  for (auto migrations : {access::Migrations(), ledger::Migrations(), catalog::Migrations(), lineage::Migrations(),
                          uploads::Migrations(), secrets::Migrations(), schedules::Migrations()}) {
    ASSERT_TRUE(store::Migrate(*other, migrations));
  }
  Context context{*other, SystemClock(), uploads_, memory_, vault_};
  for (const model::DataFile& file : Make().data) ASSERT_TRUE(NoteUpload(context, admin_, file.sha256));
  ASSERT_TRUE(Apply(context, admin_, Make()));
  auto txn = other->Read().value();
  const auto bundle = catalog::Product(*txn, "operations", "flights").value();
  EXPECT_TRUE(bundle->product.inputs[0].source->options["null"].is_null());
  auto here = store_->Read().value();
  const auto laid = catalog::Product(*here, "operations", "flights").value();
  EXPECT_EQ(laid->product.inputs[0].source->options["null"].Text(), "NA");
  EXPECT_EQ(bundle->Digest(), laid->Digest());
}

TEST_F(EnvironmentsTest, AProdThatCannotWorkIsToldInDev) {
  ASSERT_TRUE(Settle("dev"));
  Sample planes{.domain = "fleet", .name = "planes"};
  planes.columns = "      - {name: id, logicalType: integer, physicalType: bigint, required: true, primaryKey: true}\n";
  planes.sql = "SELECT id FROM input\n";
  Put(planes);
  Put({});
  Overlay("prod", "sources:\n  input: {kind: product, address: fleet/plains/planes@1}\n");
  const std::string unknown = All(PlanOf(admin_));
  EXPECT_NE(unknown.find("warning: domains/operations/flights/env/prod.yaml:2:10: sources.input: in prod: "
                         "'fleet/plains/planes@1' is neither in this folder nor registered"),
            std::string::npos)
      << unknown;
  Overlay("prod", "sources:\n  input: {kind: product, address: fleet/planes/planes@1}\n");
  const std::string columns = Problems(PlanOf(admin_));
  EXPECT_NE(columns.find("in prod: "), std::string::npos) << columns;
  EXPECT_NE(columns.find("name"), std::string::npos) << "planes has no name: " << columns;
}

TEST_F(EnvironmentsTest, AnInputThatGoesIsWarnedOf) {
  Sample planes{.domain = "fleet", .name = "planes"};
  planes.status = "deprecated";
  planes.comment =
      "customProperties:\n  - {property: sunset, vendor: weft, value: 2031-12-31}\n"
      "  - {property: deprecation, vendor: weft, value: It lacks seats.}\n"
      "  - {property: successor, vendor: weft, value: fleet/aircraft/aircraft@1}\n";
  Put(planes);
  Put({.source = "{kind: product, address: fleet/planes/planes@1}"});
  const std::string told = All(PlanOf(admin_));
  EXPECT_NE(told.find("'fleet/planes/planes@1' is deprecated, and may go from 2031-12-31 on: It lacks seats; read "
                      "fleet/aircraft/aircraft@1 instead [weft.deprecated]"),
            std::string::npos)
      << told;
  EXPECT_EQ(Problems(PlanOf(admin_)), "") << "a warning refuses nothing";
}

}  // namespace
}  // namespace weft::publish
