#include "model/environment.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "model/folder_digest.h"
#include "model/json_schema.h"
#include "model/repository.h"

namespace weft::model {
namespace {

constexpr std::string_view kMesh = R"(id: shop
domains:
  - {name: sales, owners: [ana]}
environments:
  - {name: dev}
  - {name: prod, node: "https://prod.example.com:7470", description: What customers see}
)";

constexpr std::string_view kProduct = R"(apiVersion: v1.1.0
kind: DataProduct
id: sales-orders
name: orders
domain: sales
version: 1.0.0
status: active
inputPorts:
  - name: orders-db
    customProperties:
      - {property: source, vendor: weft, value: {kind: postgres, host: db.dev.example.com, port: 5433, database: shop, user: reader, password: {secret: dev}, table: public.orders, sslmode: disable}}
  - name: list
    customProperties:
      - {property: source, vendor: weft, value: {kind: file, path: data/list.csv, delimiter: ";"}}
outputPorts:
  - name: orders
    version: 1.0.0
    contractId: orders
    customProperties:
      - {property: build, vendor: weft, value: {sql: orders.sql}}
      - {property: storage, vendor: weft, value: {compression: snappy}}
)";

constexpr std::string_view kContract = R"(apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer}
)";

constexpr std::string_view kFolder = "domains/sales/orders/";

class EnvironmentTest : public ::testing::Test {
 protected:
  Repository Read(const std::string& environment = "") const {
    const std::string folder(kFolder);
    std::vector<TextFile> files = {{folder + "product.odps.yaml", product_},
                                   {folder + "orders.odcs.yaml", std::string(kContract)},
                                   {folder + "orders.sql", "SELECT id FROM orders_db"}};
    if (!mesh_.empty()) files.push_back({"mesh.yaml", mesh_});
    for (const auto& [name, text] : overlays_) files.push_back({folder + name, text});
    return ReadRepository(files, data_, false, nullptr, environment);
  }

  // "file:line:column: path: message [rule]" of each problem, the product's folder left out.
  std::string Faults(const std::string& overlay, const std::string& name = "env/prod.yaml") {
    overlays_ = {{name, overlay}};
    std::vector<std::string> faults;
    for (const Problem& problem : Read().problems) faults.push_back(ReplaceAll(problem.Text(), kFolder, ""));
    return Join(faults, "\n");
  }

  // The product as prod has it with this overlay.
  Product Laid(const std::string& overlay) {
    overlays_ = {{"env/prod.yaml", overlay}};
    Repository repository = Read("prod");
    for (const Problem& problem : repository.problems) ADD_FAILURE() << problem.Text();
    return repository.bundles.at(0).product;
  }

  std::string mesh_{kMesh}, product_{kProduct};
  std::map<std::string, std::string> overlays_;
  std::vector<DataFile> data_ = {{"domains/sales/orders/data/list.csv", "aa", 5},
                                 {"domains/sales/orders/data/prod.csv", "bb", 6},
                                 {"domains/sales/orders/data/none.csv", "cc", 7}};
};

TEST_F(EnvironmentTest, KeysAreLaidOverAndNullTakesOneAway) {
  const Product laid = Laid(
      "# The real one.\n"
      "sources:\n"
      "  orders-db: {host: db.prod.example.com, password: {secret: prod}, port: null, sslmode: verify-full}\n");
  const Source& source = *laid.Input("orders-db")->source;
  EXPECT_EQ(source.kind, "postgres");
  EXPECT_EQ(source.options["host"].Text(), "db.prod.example.com");
  EXPECT_EQ(source.options["database"].Text(), "shop") << "what the overlay does not say stays";
  EXPECT_EQ(source.options["password"]["secret"].Text(), "prod");
  EXPECT_FALSE(source.options.Has("port"));
  EXPECT_EQ(source.overlay, "env/prod.yaml");
  EXPECT_EQ(source.file, "domains/sales/orders/env/prod.yaml");
  EXPECT_EQ(laid.Input("list")->source->overlay, "") << "the other input is the descriptor's";
  EXPECT_EQ(laid.Output("orders")->storage->compression, "snappy");
  EXPECT_EQ(laid.bytes, kProduct) << "the bytes are those that were written";
  EXPECT_EQ(Read().bundles[0].product.Input("orders-db")->source->options["host"].Text(), "db.dev.example.com");
  EXPECT_EQ(Read("dev").bundles[0].environment, "") << "dev has no overlay";
  EXPECT_NE(source.Digest(), Read().bundles[0].product.Input("orders-db")->source->Digest());
}

TEST_F(EnvironmentTest, AnotherKindReplacesTheSourceWhole) {
  const Product laid = Laid("sources:\n  orders-db: {kind: file, path: data/prod.csv}\n");
  const Source& source = *laid.Input("orders-db")->source;
  EXPECT_EQ(source.kind, "file");
  EXPECT_EQ(source.path, "data/prod.csv");
  EXPECT_EQ(source.options.size(), 0u) << source.options.Dump();
  // Files of every environment travel, whichever one it is.
  std::vector<std::string> names;
  const Repository repository = Read();
  for (const DataFile& file : repository.bundles[0].data) names.push_back(file.path.substr(kFolder.size()));
  std::ranges::sort(names);
  EXPECT_EQ(Join(names, " "), "data/list.csv data/prod.csv");
}

TEST_F(EnvironmentTest, StorageAndSchedules) {
  const Product laid = Laid("storage:\n  orders: {compression: zstd}\nschedules: {orders: never}\n");
  EXPECT_EQ(laid.Output("orders")->storage->compression, "zstd");
  EXPECT_EQ(laid.Output("orders")->storage->overlay, "env/prod.yaml");
  EXPECT_EQ(laid.Output("orders")->build->schedule, "");
  EXPECT_EQ(Laid("storage: {orders: {compression: null}}\n").Output("orders")->storage->compression, "");
  EXPECT_EQ(Laid("").Output("orders")->storage->compression, "snappy") << "an empty file changes nothing";
  const Overlay overlay{"prod", "env/prod.yaml",
                        "sources: {orders-db: {host: b, password: {secret: p}, port: null}}\n"
                        "schedules: {orders: never}\nstorage: {orders: {compression: zstd}}\n"};
  EXPECT_EQ(Join(LinesOf(overlay), "\n"),
            "source of orders-db: host b, password secret p, without port\n"
            "schedule of orders: never\nstorage of orders: compression zstd");
}

TEST_F(EnvironmentTest, EveryMistakeIsToldAtItsPlaceWhateverTheEnvironment) {
  EXPECT_EQ(Faults("contracts: {}\nsource: {}\n"),
            "env/prod.yaml:1:1: contracts: 'contracts' is not a key of an environment's file [weft.environment]\n"
            "env/prod.yaml:2:1: source: 'source' is not a key of an environment's file; did you mean 'sources'? "
            "[weft.environment]");
  EXPECT_EQ(Faults("sources:\n  order-db: {host: b}\nstorage: {ordrs: {}}\nschedules: {x: never}\n"),
            "env/prod.yaml:2:3: sources.order-db: 'order-db' is no input port of the product; did you mean "
            "'orders-db'? [weft.environment]\n"
            "env/prod.yaml:3:11: storage.ordrs: 'ordrs' is no output port of the product; did you mean 'orders'? "
            "[weft.environment]\n"
            "env/prod.yaml:4:13: schedules.x: 'x' is no output port of the product [weft.environment]");
  EXPECT_EQ(Faults("sources: {orders-db: db.prod.example.com}\n"),
            "env/prod.yaml:1:22: sources.orders-db: is 'db.prod.example.com'; the keys that differ belong here, as a "
            "map: {host: db.example.com} [weft.environment]");
  EXPECT_EQ(Faults("sources:\n  orders-db: {hst: b, table: null}\n"),
            "env/prod.yaml:2:14: sources.orders-db: a source of PostgreSQL reads a table or a query: add table: "
            "public.orders, or query [weft.source]\n"
            "env/prod.yaml:2:15: sources.orders-db.hst: 'hst' is not a key of a source; did you mean 'host'? "
            "[weft.source]");
  EXPECT_EQ(Faults("sources:\n  list: {path: data/none.json}\n"),
            "env/prod.yaml:2:9: sources.list.delimiter: 'delimiter' is for csv, and this file is json: remove it; it "
            "is the descriptor's: to take it away in prod, write delimiter: null [weft.source]");
  EXPECT_EQ(Faults("sources:\n  list: {path: data/nine.csv}\n"),
            "env/prod.yaml:2:16: sources.list.path: no file of the product's folder is named 'data/nine.csv': add it, "
            "or correct the path [weft.data]");
  EXPECT_EQ(Faults("sources:\n  list: {kind: product, address: sales/other/other}\n"),
            "env/prod.yaml:2:34: sources.list.address: 'sales/other/other' must name the major it reads, such as "
            "sales/other/other@1 [weft.address]");
  EXPECT_EQ(Faults("sources:\n  list: {kind: kafka}\n"),
            "env/prod.yaml:2:16: sources.list.kind: kind 'kafka' is not supported yet; the kinds file, sqlite, "
            "postgres, http, object and product are [weft.unsupported]");
  EXPECT_EQ(Faults("sources:\n  list: {kind: http, url: \"https://u:p@h\"}\n").substr(0, 75),
            "env/prod.yaml:2:27: sources.list.url: a URL must not carry a user or a pass");
  EXPECT_EQ(Faults("schedules: {orders: '0 5 * * *'}\n"), "");
  EXPECT_EQ(Faults("schedules: {orders: '0 25 * * *'}\n").substr(0, 51),
            "env/prod.yaml:1:21: schedules.orders: the hour '25'");
  EXPECT_EQ(Faults("schedules: {orders: {schedule: never}}\n").substr(0, 58),
            "env/prod.yaml:1:21: schedules.orders: is a map; a schedule");
  EXPECT_NE(Faults("schedules: {orders: inputs}\n").find("nothing would start it"), std::string::npos);
  EXPECT_NE(Faults("schedules: {orders: freshness}\n").find("promises no freshness"), std::string::npos);
  EXPECT_EQ(
      Faults("storage: {orders: {compression: lz4}}\n"),
      "env/prod.yaml:1:33: storage.orders.compression: is 'lz4', which is not a value it can have; it must be one "
      "of zstd, snappy, uncompressed [weft.storage]");
  EXPECT_EQ(Faults("sources: [\n").substr(0, 14), "env/prod.yaml:");
}

TEST_F(EnvironmentTest, AUrlWithAPasswordIsRefusedInAnyEnvironment) {
  const std::string faults = Faults("sources:\n  list: {path: \"https://u:p@h/list.csv\"}\n");
  EXPECT_NE(faults.find("env/prod.yaml:2:16: sources.list.path: a URL must not carry a user or a password"),
            std::string::npos)
      << faults;
}

TEST_F(EnvironmentTest, OnlyEnvironmentsOfTheMeshHaveAFile) {
  EXPECT_EQ(Faults("", "env/prdo.yaml"),
            "env/prdo.yaml: mesh.yaml names no environment 'prdo'; did you mean 'prod'? [weft.environment]");
  EXPECT_EQ(Faults("", "env/staging.yaml"),
            "env/staging.yaml: mesh.yaml names no environment 'staging'; it has dev, prod [weft.environment]");
  EXPECT_EQ(Faults("", "env/prod.yml"), "env/prod.yml: must end in .yaml to be read: rename it [weft.folder]");
  EXPECT_EQ(Faults("", "env/a/prod.yaml"),
            "env/a/prod.yaml: has no place here: an environment's file is env/<name>.yaml [weft.folder]");
  mesh_ = "id: shop\ndomains:\n  - {name: sales, owners: [ana]}\n";
  EXPECT_EQ(Faults(""),
            "env/prod.yaml: mesh.yaml names no environments: add {name: prod} to its list `environments` "
            "[weft.environment]");
  mesh_ = "";
  EXPECT_EQ(Faults("").find("[weft.environment]"), std::string::npos) << "nobody knows the mesh";
}

TEST_F(EnvironmentTest, TheMeshNamesThemOnceEachWithNodesThatCanBeAsked) {
  mesh_ =
      "id: shop\ndomains:\n  - {name: sales, owners: [ana]}\nenvironments:\n  - {name: prod}\n  - {name: prod}\n"
      "  - {name: Dev}\n  - {name: a, node: \"https://ana:secret@h\"}\n  - {name: b, node: db.example.com}\n";
  const std::string faults = Faults("");
  EXPECT_NE(faults.find("mesh.yaml:6:12: environments[1].name: the environment 'prod' stands twice"), faults.npos);
  EXPECT_NE(faults.find("mesh.yaml:7:12: environments[2].name: "), faults.npos);
  EXPECT_NE(faults.find("mesh.yaml:8:21: environments[3].node: a URL must not carry a user"), faults.npos);
  EXPECT_EQ(faults.find("secret"), faults.npos) << faults;
  EXPECT_NE(faults.find("'db.example.com' is no URL of a node"), faults.npos) << faults;
}

TEST_F(EnvironmentTest, OverlaysAreVersionBytes) {
  const std::string without = Read().bundles[0].Digest();
  overlays_ = {{"env/prod.yaml", "sources: {orders-db: {host: b}}\n"}};
  const std::string with = Read().bundles[0].Digest();
  EXPECT_NE(with, without);
  EXPECT_EQ(Read("prod").bundles[0].Digest(), with) << "the same in every environment";
  overlays_["env/prod.yaml"] += "# A remark.\n";
  EXPECT_NE(Read().bundles[0].Digest(), with);
}

TEST_F(EnvironmentTest, WhatIsWrongInTheDescriptorIsToldOnce) {
  product_ = ReplaceAll(product_, "data/list.csv", "data/gone.csv");
  const std::string faults = Faults("sources:\n  list: {delimiter: \",\"}\n");
  EXPECT_EQ(std::ranges::count(faults, '\n'), 0) << faults;
  EXPECT_TRUE(faults.starts_with("product.odps.yaml:")) << faults;
}

TEST_F(EnvironmentTest, EditorsKnowTheFile) {
  const Json schema = JsonSchemaOf("environment");
  for (const char* known : {"\"sources\"", "\"schedules\"", "\"storage\"", "\"sslmode\"", "\"snappy\""}) {
    EXPECT_NE(schema.Dump().find(known), std::string::npos) << known << " " << schema.Dump();
  }
  EXPECT_NE(JsonSchemaOf("mesh").Dump().find("\"environments\""), std::string::npos);
}

}  // namespace
}  // namespace weft::model
