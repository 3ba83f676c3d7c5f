#include "model/entity.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "model/checks.h"
#include "model/repository.h"
#include "model/schema.h"

namespace weft::model {
namespace {

constexpr std::string_view kEntities = R"(entities:
  - name: listener
    description: Somebody with an account.
    type: string
    pattern: '^u[0-9]{4}$'
    owner: group:accounts
    examples: [u0001]
  - {name: track, type: integer, examples: [17]}
)";

std::string Faults(std::string_view text) {
  auto parsed = EntityFile::Parse(text, "entities/all.yaml");
  if (parsed) return "";
  std::vector<std::string> faults;
  for (const Problem& problem : parsed.error().problems) faults.push_back(problem.Text());
  return Join(faults, "\n");
}

Contract ContractWith(const std::string& properties) {
  return Contract::Parse(
             "apiVersion: v3.2.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: active\nschema:\n"
             "  - name: plays\n    properties:\n" +
                 properties,
             "plays.odcs.yaml")
      .value();
}

std::string Column(const std::string& name, const std::string& type, const std::string& entity) {
  return "      - {name: " + name + ", " + type +
         ", customProperties: [{property: entity, vendor: weft, value: " + entity + "}]}\n";
}

std::shared_ptr<const Entities> All() {
  return Entities::Of({EntityFile::Parse(kEntities, "entities/all.yaml").value()}).value();
}

TEST(Entities, AreReadWithTheirPlaces) {
  const auto entities = All();
  const Entity* listener = entities->Find("listener");
  ASSERT_TRUE(listener);
  EXPECT_EQ(listener->Where(), "entities/all.yaml:2");
  EXPECT_EQ(listener->pattern, "^u[0-9]{4}$");
  EXPECT_EQ(listener->examples, std::vector<std::string>{"u0001"});
  EXPECT_EQ(entities->Find("track")->type, "integer");
  EXPECT_EQ(entities->Find("nobody"), nullptr);
  auto twice = Entities::Of({EntityFile::Parse(kEntities, "entities/a.yaml").value(),
                             EntityFile::Parse("entities: [{name: track, type: string}]", "entities/b.yaml").value()});
  ASSERT_FALSE(twice);
  EXPECT_NE(twice.error().message.find("the entity 'track' stands in entities/a.yaml:8 too"), std::string::npos);
}

TEST(Entities, FaultsAreToldWhereTheyStand) {
  EXPECT_EQ(Faults(kEntities), "");
  const std::pair<const char*, const char*> kWrong[] = {
      {"entities: [{name: a, type: strin}]", "entities/all.yaml:1:28: entities[0].type: is 'strin'"},
      {"entities: [{name: a}]", "'type'"},
      {"entities: [{name: A b, type: string}]", "entities[0].name"},
      {"entities: [{name: a, type: string, patern: x}]", "did you mean 'pattern'?"},
      {"entities: [{name: a, type: string, pattern: '('}]", "'(' cannot be run"},
      {"entities: [{name: a, type: integer, pattern: '1'}]", "a pattern is for strings"},
      {"entities: [{name: a, type: string, pattern: '^u', examples: [x1]}]", "'x1' does not match the pattern '^u'"},
      {"entities: [{name: a, type: integer, examples: [x1]}]", "is 'x1', and the identifier is of type integer"},
      {"entities: [{name: a, type: string, examples: [5]}]", "and the identifier is of type string"},
      {"entity: []", "'entity' is not a key of an entities file"},
  };
  for (const auto& [text, fault] : kWrong) EXPECT_NE(Faults(text).find(fault), std::string::npos) << Faults(text);
}

TEST(Entities, ColumnsAreHeldAgainstThem) {
  const auto entities = All();
  auto faults = [&](const std::string& properties) {
    std::vector<std::string> told;
    for (const Problem& problem : entities->Judge(ContractWith(properties))) told.push_back(problem.Text());
    return Join(told, "\n");
  };
  EXPECT_EQ(faults(Column("who", "logicalType: string", "listener") + Column("what", "logicalType: integer", "track")),
            "");
  EXPECT_EQ(faults(Column("what", "logicalType: integer, physicalType: int", "track")), "");
  EXPECT_EQ(faults(Column("who", "logicalType: string", "lisener")),
            "plays.odcs.yaml:9:101: schema[0].properties[0].customProperties[0].value: the column 'who' identifies the "
            "entity 'lisener', which entities/*.yaml do not have; did you mean 'listener'? [weft.entity]");
  EXPECT_NE(
      faults(Column("who", "logicalType: integer", "listener"))
          .find("the column 'who' is BIGINT, and the entity 'listener' (entities/all.yaml:2) is identified by type "
                "string"),
      std::string::npos);
  EXPECT_NE(faults(Column("what", "logicalType: date", "track")).find("is DATE"), std::string::npos);
  EXPECT_NE(faults("      - name: device\n        logicalType: object\n        properties:\n    " +
                   Column("owner", "logicalType: string", "listener"))
                .find("not a value within one: make a column of 'device.owner'"),
            std::string::npos);
  EXPECT_NE(faults(Column("who", "logicalType: string", "[listener]")).find("the entity ''"), std::string::npos);
}

TEST(Entities, TheirPatternIsACheckOfTheColumn) {
  const auto entities = All();
  const Contract contract =
      ContractWith(Column("who", "logicalType: string", "listener") + Column("what", "logicalType: integer", "track"));
  const TableSchema schema = SchemaOf(contract.schema[0], nullptr).value();
  const auto checks = CompileChecks(contract, schema, *entities).value();
  ASSERT_EQ(checks.size(), 1u);
  EXPECT_EQ(checks[0].id, "who.entity");
  EXPECT_EQ(checks[0].failing, "NOT regexp_matches(\"who\", '^u[0-9]{4}$')");
  EXPECT_FALSE(checks[0].warning);
  EXPECT_EQ(CompileChecks(contract, schema, *Entities::Of({}).value())->size(), 0u);
}

}  // namespace
}  // namespace weft::model
