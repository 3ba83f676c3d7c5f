#include "model/product.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace weft::model {
namespace {

std::string Sample(const std::string& name) {
  return ReadFile(WEFT_SOURCE_DIR "/tests/descriptors/samples/" + name).value();
}

TEST(ProductTest, ReadsPortsSourcesAndBuilds) {
  auto product = Product::Parse(Sample("play-events.odps.yaml"), "product.odps.yaml");
  ASSERT_TRUE(product) << product.error().message;
  EXPECT_EQ(product->name, "play-events");
  EXPECT_EQ(product->type, "sourceAligned");
  EXPECT_EQ(product->owners, std::vector<std::string>{"ana"});
  ASSERT_EQ(product->inputs.size(), 2u);
  const InputPort* beacons = product->Input("beacons");
  ASSERT_NE(beacons, nullptr);
  ASSERT_TRUE(beacons->source);
  EXPECT_EQ(beacons->source->kind, "file");
  EXPECT_EQ(beacons->source->path, "data/*.csv");
  EXPECT_EQ(beacons->source->options.Dump(), R"({"delimiter":";","null":["","NULL"]})");
  EXPECT_EQ(beacons->source->place.path, "inputPorts[0].customProperties[0].value");
  EXPECT_EQ(product->Input("titles")->source->address, "weft://streamco/content/titles/titles@1");
  const OutputPort* port = product->Output("play-events");
  ASSERT_NE(port, nullptr);
  ASSERT_TRUE(port->build);
  EXPECT_EQ(port->build->sql_file, "play-events.sql");
  EXPECT_EQ(port->build->mode, "append");
  EXPECT_EQ(port->build->engine, "duckdb");
  EXPECT_EQ(port->contract_id, "0c7a3b52-7f0e-4b62-8a55-3f5f7c9d2e10");
  EXPECT_EQ(port->place.line, 38);
  EXPECT_EQ(product->Output("beacons"), nullptr);
  EXPECT_EQ(product->document["managementPorts"][size_t{1}]["channel"].Text(), "mesh.products.play-events");
}

TEST(ProductTest, EveryVersionIsRead) {
  for (const char* name : {"full-1.0.odps.yaml", "full-1.1.odps.yaml"}) {
    auto product = Product::Parse(Sample(name), name);
    EXPECT_TRUE(product) << (product ? "" : product.error().message);
  }
}

TEST(ProductTest, ACustomPropertyOfAnotherVendorIsNotOurs) {
  auto product = Product::Parse(
      "apiVersion: v1.1.0\nkind: DataProduct\nid: p\n"
      "outputPorts:\n"
      "  - {name: a, customProperties: [{property: build, value: {sql: a.sql}, vendor: other}]}\n"
      "  - {name: b, customProperties: [{property: weft.build, value: {sql: b.sql}}]}\n",
      "p");
  ASSERT_TRUE(product) << product.error().message;
  EXPECT_FALSE(product->Output("a")->build);
  EXPECT_EQ(product->Output("b")->build->sql_file, "b.sql");
}

TEST(ProductTest, SaysWhatIsWrong) {
  auto product = Product::Parse("apiVersion: v1.1\nkind: DataProdct\nid: p\noutputPort: []\n", "p.odps.yaml");
  ASSERT_FALSE(product);
  std::vector<std::string> faults;
  for (const Problem& problem : product.error().problems) faults.push_back(problem.Text());
  EXPECT_EQ(faults, (std::vector<std::string>{
                        "p.odps.yaml:1:13: apiVersion: is 'v1.1', which is not a value it can have; did you mean "
                        "'v1.1.0'? [odps]",
                        "p.odps.yaml:2:7: kind: is 'DataProdct', which is not a value it can have; did you mean "
                        "'DataProduct'? [odps]",
                        "p.odps.yaml:4:1: outputPort: 'outputPort' is not a key of a data product; did you mean "
                        "'outputPorts'? [odps]"}));
  EXPECT_EQ(product.error().message, faults[0] + " (and 2 more problems)");
}

}  // namespace
}  // namespace weft::model
