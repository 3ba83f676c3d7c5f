#include "model/repository.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"

namespace weft::model {
namespace {

constexpr std::string_view kMesh = R"(id: acme
domains:
  - name: operations
    owners: [group:ops]
groups:
  ops: [ana, lee]
)";

constexpr std::string_view kProduct = R"(apiVersion: v1.1.0
kind: DataProduct
id: f1
name: flights
domain: operations
version: 1.0.0
status: active
inputPorts:
  - name: raw-flights
    customProperties:
      - property: source
        vendor: weft
        value: {kind: file, path: "data/*.csv", null: NA}
  - name: planes
    customProperties:
      - property: source
        vendor: weft
        value: {kind: product, address: fleet/planes/planes@1}
outputPorts:
  - name: flights
    type: table
    version: 1.2.0
    contractId: flights-contract
    customProperties:
      - property: build
        vendor: weft
        value: {sql: flights.sql, mode: append, cluster_by: [day]}
)";

constexpr std::string_view kContract = R"(apiVersion: v3.2.0
kind: DataContract
id: flights-contract
version: 1.2.0
status: active
schema:
  - name: flights
    properties:
      - {name: day, logicalType: date}
)";

constexpr std::string_view kFolder = "domains/operations/flights/";

struct Files {
  std::string mesh{kMesh};
  std::string product{kProduct};
  std::string contract{kContract};
  std::vector<TextFile> more;
  std::vector<DataFile> data = {{"domains/operations/flights/data/2013.csv", "aa", 5},
                                {"domains/operations/flights/notes.txt", "bb", 5}};

  Repository Read(bool offline = false) const {
    std::string folder(kFolder);
    std::vector<TextFile> files = {{folder + "product.odps.yaml", product},
                                   {folder + "flights.odcs.yaml", contract},
                                   {folder + "flights.sql", "SELECT 1 AS day"},
                                   {folder + "README.md", "# Flights"}};
    if (!mesh.empty()) files.push_back({"mesh.yaml", mesh});
    files.insert(files.end(), more.begin(), more.end());
    return ReadRepository(files, data, offline);
  }

  // "rule line path: message" of each problem, the file where it is not the product.
  std::vector<std::string> Faults() const {
    std::vector<std::string> faults;
    for (const Problem& problem : Read().problems) {
      std::string file = problem.file == std::string(kFolder) + "product.odps.yaml" ? "" : problem.file + " ";
      faults.push_back(file + problem.rule + " " + std::to_string(problem.line) + " " + problem.path + ": " +
                       problem.message);
    }
    return faults;
  }

  Files& InProduct(std::string_view from, std::string_view to) { return Change(product, from, to); }
  Files& InContract(std::string_view from, std::string_view to) { return Change(contract, from, to); }
  Files& InMesh(std::string_view from, std::string_view to) { return Change(mesh, from, to); }

 private:
  Files& Change(std::string& text, std::string_view from, std::string_view to) {
    EXPECT_NE(text.find(from), std::string::npos) << from;
    text = ReplaceAll(text, from, to);
    return *this;
  }
};

// Exactly one problem, whose text begins so.
void ExpectFault(const Files& files, std::string_view begins) {
  std::vector<std::string> faults = files.Faults();
  ASSERT_EQ(faults.size(), 1u) << begins << "\nfound:\n" << Join(faults, "\n");
  EXPECT_TRUE(faults[0].starts_with(begins)) << faults[0] << "\n" << begins;
}

TEST(RepositoryTest, ReadsAMeshWhole) {
  Repository repository = Files().Read();
  EXPECT_EQ(repository.problems, std::vector<Problem>());
  ASSERT_TRUE(repository.mesh);
  EXPECT_EQ(repository.mesh->id, "acme");
  EXPECT_EQ(repository.mesh->domains.at(0).owners, std::vector<std::string>{"group:ops"});
  EXPECT_EQ(repository.mesh->groups.at("ops"), (std::vector<std::string>{"ana", "lee"}));
  ASSERT_EQ(repository.bundles.size(), 1u);
  const Bundle& bundle = repository.bundles[0];
  EXPECT_EQ(bundle.folder, "domains/operations/flights");
  EXPECT_EQ(bundle.builds, (std::map<std::string, std::string>{{"flights.sql", "SELECT 1 AS day"}}));
  ASSERT_EQ(bundle.data.size(), 1u);
  EXPECT_EQ(bundle.data[0].path, "domains/operations/flights/data/2013.csv");
  EXPECT_EQ(bundle.ContractOf(bundle.product.outputs[0])->version, "1.2.0");
  EXPECT_EQ(bundle.ContractById("none"), nullptr);
}

TEST(RepositoryTest, ASingleProductsFolderIsOneToo) {
  std::vector<TextFile> files = {
      {"product.odps.yaml", std::string(kProduct) + "team: {members: [{username: ana, role: Owner}]}"},
      {"flights.odcs.yaml", std::string(kContract)},
      {"flights.sql", "SELECT 1"}};
  Repository repository = ReadRepository(files, {{"data/a.csv", "aa", 1}}, false);
  EXPECT_EQ(repository.problems, std::vector<Problem>());
  EXPECT_EQ(repository.bundles.at(0).folder, "");
  EXPECT_EQ(repository.bundles.at(0).data.size(), 1u);
}

TEST(RepositoryTest, NamesAndVersions) {
  ExpectFault(Files().InProduct("name: raw-flights", "name: Raw"), "weft.slug 9 inputPorts[0].name: 'Raw' cannot be");
  ExpectFault(Files().InProduct("id: f1\nname: flights", "id: f1\nname: flight"),
              "weft.folder 4 name: the name is 'flight' and the folder 'flights': make them equal");
  ExpectFault(Files().InMesh("name: operations", "name: operation"),
              "weft.domain 5 domain: the domain 'operations' is not in mesh.yaml; did you mean 'operation'?");
  ExpectFault(Files().InProduct("version: 1.0.0", "version: v1"), "weft.version 6 version: ");
  ExpectFault(Files().InProduct("version: 1.0.0\n", ""), "weft.version 1 version: has no version; write one such as");
  ExpectFault(Files().InProduct("version: 1.2.0", "version: 1.3.0"),
              "weft.version 22 outputPorts[0].version: is '1.3.0', and the contract");
  ExpectFault(Files().InProduct("status: active", "status: actve"),
              "weft.status 7 status: is 'actve', which is not a value it can have; did you mean 'active'?");
  ExpectFault(Files().InProduct("name: planes\n", "name: raw-flights\n"),
              "weft.port 14 inputPorts[1].name: another input port is read as 'raw_flights' too");
}

TEST(RepositoryTest, OwnersMustExist) {
  Files files;
  files.InMesh("    owners: [group:ops]\n", "");
  ExpectFault(files, "weft.owner 1 team: has no owner");
  files.product += "team: {members: [{username: ana, role: owner}]}\n";
  EXPECT_EQ(files.Faults(), std::vector<std::string>());
  ExpectFault(Files().InMesh("[group:ops]", "[group:op]"),
              "mesh.yaml weft.mesh 3 domains[0].name: 'group:op' is no group");
}

TEST(RepositoryTest, ContractsResolve) {
  ExpectFault(Files()
                  .InContract("id: flights-contract", "id: flights-contrct")
                  .InProduct("contractId: flights-contract", "contractId: flights-contract"),
              "weft.contract 23 outputPorts[0].contractId: no contract of this folder has the id 'flights-contract'; "
              "did you mean 'flights-contrct'?");
  ExpectFault(
      Files().InContract("schema:", "schema:\n  - name: other"),
      std::string(kFolder) +
          "flights.odcs.yaml weft.schema 8 schema[1]: the contract of a table port has exactly one schema object");
  // A contract that cannot be read is told once.
  ExpectFault(Files().InContract("kind: DataContract", "kind: DataContrac"),
              std::string(kFolder) + "flights.odcs.yaml odcs 2 kind:");
}

TEST(RepositoryTest, SqlIsThereAndUsed) {
  ExpectFault(Files().InProduct("sql: flights.sql", "sql: ../flights.sql"), "weft.sql 27");
  Files files;
  files.more.push_back({std::string(kFolder) + "old.sql", "SELECT 2"});
  ExpectFault(files, std::string(kFolder) + "old.sql weft.sql 0 : no build names this file");
  std::vector<std::string> faults = Files().InProduct("sql: flights.sql", "sql: flihgts.sql").Faults();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0],
            "weft.sql 27 outputPorts[0].customProperties[0].value.sql: the product's folder has no file "
            "'flihgts.sql'; did you mean 'flights.sql'?");
  EXPECT_EQ(Files().InProduct("sql: flights.sql, ", "").Faults().size(), 2u);  // Two inputs, and an unused file.
  ExpectFault(Files().InProduct("[day]", "[dai]"),
              "weft.build 27 outputPorts[0].customProperties[0].value.cluster_by[0]: 'dai' is no column of the "
              "contract; did you mean 'day'?");
}

TEST(RepositoryTest, WhatIsNotDoneYetIsRefusedWithItsValue) {
  const std::tuple<const char*, const char*, const char*> kCases[] = {
      {"mode: append", "engine: spark", "engine 'spark' is not supported yet; the engine duckdb is"},
      {"type: table", "type: files", "type 'files' is not supported yet; table is"},
      {"{kind: file, path: \"data/*.csv\", null: NA}", "{kind: kafka, topic: x}",
       "kind 'kafka' is not supported yet; the kinds file, sqlite, postgres, http, object and product are"},
      {"data/*.csv", "s3://bucket/*.csv", "path 's3://bucket/*.csv' is a URL, which is not supported yet"},
  };
  for (const auto& [from, to, says] : kCases) {
    std::vector<std::string> faults = Files().InProduct(from, to).Faults();
    ASSERT_EQ(faults.size(), 1u) << to << "\n" << Join(faults, "\n");
    EXPECT_TRUE(faults[0].starts_with("weft.unsupported ")) << faults[0];
    EXPECT_NE(faults[0].find(says), std::string::npos) << faults[0];
  }
}

TEST(RepositoryTest, EntitiesStandBesidePolicies) {
  Files files;
  files.more = {{"entities/user.yaml", "entities: [{name: user, type: string}]"}};
  EXPECT_EQ(files.Faults(), std::vector<std::string>());
  EXPECT_EQ(files.Read(false).entities.at(0).entities.at(0).name, "user");
  files.more = {{"entities/user.yml", "entities: []"}};
  ExpectFault(files, "entities/user.yml weft.folder 0 : must end in .yaml");
}

TEST(RepositoryTest, SourcesAndBuildsHaveKnownKeys) {
  ExpectFault(Files().InProduct("null: NA", "nul: NA"),
              "weft.source 13 inputPorts[0].customProperties[0].value.nul: 'nul' is not a key of a source; did you "
              "mean 'null'?");
  ExpectFault(Files().InProduct("mode: append", "mod: append"),
              "weft.build 27 outputPorts[0].customProperties[0].value.mod: 'mod' is not a key of a build; did you mean "
              "'mode'?");
  ExpectFault(Files().InProduct("kind: file", "kind: fil"),
              "weft.source 13 inputPorts[0].customProperties[0].value.kind: is 'fil'");
  ExpectFault(Files().InProduct("mode: append", "mode: apend"),
              "weft.build 27 outputPorts[0].customProperties[0].value.mode: is 'apend'");
  ExpectFault(Files().InProduct("{kind: file, path: \"data/*.csv\", null: NA}", "data.csv"),
              "weft.source 13 inputPorts[0].customProperties[0].value: is 'data.csv'; a map belongs here");
  ExpectFault(
      Files().InProduct("data/*.csv", "data/*.parquet"),
      "weft.source 13 inputPorts[0].customProperties[0].value.null: 'null' is for csv, and this file is parquet");
  ExpectFault(Files().InProduct("data/*.csv", "data/*"),
              "weft.source 13 inputPorts[0].customProperties[0].value.path: 'data/*' does not tell");
  ExpectFault(Files().InProduct("property: source\n        vendor: weft\n        value: {kind: product",
                                "property: source\n        vendor: acme\n        value: {kind: product"),
              "weft.source 14 inputPorts[1]: input port 'planes' has no source");
}

TEST(RepositoryTest, DataAndAddresses) {
  ExpectFault(Files().InProduct("data/*.csv", "data/2014.csv"),
              "weft.data 13 inputPorts[0].customProperties[0].value.path: no file");
  ExpectFault(Files().InProduct("data/*.csv", "../other/data/*.csv"), "weft.data 13 ");
  EXPECT_EQ(Files().InProduct("data/*.csv", "./data//2013.csv").Faults(), std::vector<std::string>());
  EXPECT_EQ(Files().InProduct("data/*.csv", "/srv/lake/*.csv").Faults(), std::vector<std::string>());
  ExpectFault(
      Files().InProduct("planes@1", "planes"),
      "weft.address 18 inputPorts[1].customProperties[0].value.address: 'fleet/planes/planes' must name the major");
  ExpectFault(Files().InProduct("planes@1", "planes@1.0.0"), "weft.address 18 ");
  ExpectFault(Files().InProduct("fleet/planes/planes@1", "fleet/planes@1"), "weft.address 18 ");
  ExpectFault(Files().InProduct("fleet/planes/planes@1", "fleet//planes@1"), "weft.address 18 ");
  ExpectFault(Files().InProduct("fleet/planes/planes@1", "weft://other/fleet/planes/planes@1"), "weft.unsupported 18 ");
}

TEST(RepositoryTest, SecretsInUrlsAreRefused) {
  Files files;
  files.contract += "description: {usage: \"read https://ana:pw@host/x\"}\n";
  ExpectFault(files, std::string(kFolder) + "flights.odcs.yaml weft.secret 10 description.usage: a URL must not carry");
  Files fine;
  fine.contract += "description: {usage: \"https://host/x@y and ana@host\"}\n";
  EXPECT_EQ(fine.Faults(), std::vector<std::string>());
}

TEST(RepositoryTest, FilesOutOfPlaceAreTold) {
  Files files;
  files.more = {{"domains/operations/x.odcs.yaml", ""},
                {"domains/fleet/planes/planes.odcs.yaml", std::string(kContract)},
                {"domains/operations/flights/flights.odps.yaml", ""},
                {"docs/notes.md", ""}};
  std::vector<std::string> faults = files.Faults();
  ASSERT_EQ(faults.size(), 3u) << Join(faults, "\n");
  for (const std::string& fault : faults) EXPECT_NE(fault.find("weft.folder"), std::string::npos) << fault;
}

TEST(RepositoryTest, OfflineJudgesByTheStandardsAlone) {
  Files files;
  files.InProduct("mode: append", "mode: upsert")
      .InProduct("version: 1.0.0", "version: soon")
      .InMesh("id: acme", "id: [");
  EXPECT_EQ(files.Read(true).problems, std::vector<Problem>());
  EXPECT_EQ(files.Read(true).bundles.size(), 1u);
  files.InContract("status: active", "status: [active]");
  ASSERT_EQ(files.Read(true).problems.size(), 1u);
  EXPECT_EQ(files.Read(true).problems[0].rule, "odcs");
}

TEST(RepositoryTest, ProblemsAreSortedAndTheMeshIsJudged) {
  Files files;
  files.InMesh("id: acme", "id: Acme\nowner: x").InProduct("name: raw-flights", "name: Raw");
  std::vector<Problem> problems = files.Read().problems;
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].file, "domains/operations/flights/product.odps.yaml");
  EXPECT_EQ(problems[1].Text().substr(0, 27), "mesh.yaml:2:1: owner: 'owne");
}

TEST(RepositoryTest, TheDigestIsOfVersionBytesOnly) {
  auto digest = [](const Files& files) { return files.Read().bundles.at(0).Digest(); };
  const std::string first = digest(Files());
  EXPECT_EQ(first.size(), 64u);
  Files other_data;
  other_data.data[0].sha256 = "cc";
  EXPECT_EQ(digest(other_data), first);
  EXPECT_NE(digest(Files().InContract("status: active", "status: draft")), first);
  EXPECT_NE(digest(Files().InProduct("mode: append", "mode: replace")), first);
}

}  // namespace
}  // namespace weft::model
