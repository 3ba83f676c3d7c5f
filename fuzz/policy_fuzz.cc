// Foreign bytes as a policy file: values or problems that have a place, the same each time. What compiles is asked of a
// port with a column of each kind, for several people: nothing opens that no policy allows, what cannot be done with
// the port's columns is told and hides, and every restriction has its SQL.
#include <algorithm>
#include <cstdint>

#include "base/text.h"
#include "fuzz/check.h"
#include "model/policy/policies.h"
#include "model/policy/restriction.h"

namespace {

using namespace weft::model;

constexpr std::string_view kProduct = R"(apiVersion: v1.1.0
kind: DataProduct
id: people
name: customers
version: 1.0.0
status: active
domain: people
description: {purpose: Who buys.}
tags: [crm]
outputPorts:
  - {name: customers, version: 1.0.0, contractId: customers}
)";

constexpr std::string_view kContract = R"yaml(apiVersion: v3.2.0
kind: DataContract
id: customers
name: customers
version: 1.0.0
status: active
tags: [master]
schema:
  - name: customers
    tags: [pii]
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true, classification: internal}
      - {name: name, logicalType: string, classification: restricted, tags: [pii]}
      - {name: country, logicalType: string}
      - {name: amount, logicalType: number, physicalType: "decimal(12,2)"
}
      - {name: ratio, logicalType: number, physicalType: double}
      - {name: born, logicalType: date, tags: [pii]}
      - {name: seen, logicalType: timestamp}
      - {name: at, logicalType: time}
      - {name: active, logicalType: boolean}
      - {name: tags, logicalType: array, items: {logicalType: string}}
      - {name: address, logicalType: object, properties: [{name: street, logicalType: string, tags: [pii]}]}
)yaml";

const Bundle& TheBundle() {
  static const Bundle kBundle = [] {
    Bundle bundle;
    bundle.product = Product::Parse(kProduct, "product.odps.yaml").value();
    bundle.contracts.push_back(Contract::Parse(kContract, "customers.odcs.yaml").value());
    return bundle;
  }();
  return kBundle;
}

const Team& TheTeam() {
  static const Team kTeam{{"ana"}, {}, {}};
  return kTeam;
}

const TableSchema& Table() {
  static const TableSchema kTable = SchemaOf(TheBundle().contracts[0].schema[0], nullptr).value();
  return kTable;
}

std::vector<Principal> People() {
  Principal ana, loader, product;
  ana.name = "ana";
  ana.groups = {"analysts", "country-de"};
  ana.attributes = weft::Json::Parse(R"({"countries": ["DE", "FR"]})").value();
  loader.kind = Principal::Kind::kService;
  loader.name = "service:loader";
  product.kind = Principal::Kind::kProduct;
  product.name = "product:insight/revenue";
  return {ana, loader, product};
}

void CheckDecision(const Policies& policies, const Resource& resource, bool allows, bool fits) {
  const weft::Instant now = weft::Instant::Parse("2030-01-01T00:00:00Z").value();
  for (const Principal& principal : People()) {
    for (const char* purpose : {"", "marketing"}) {
      Decision denied, granted;
      denied.reasons.push_back("no grant");
      granted.permitted = true;
      policies.Decide(principal, Action::kRead, resource, purpose, now, &denied);
      policies.Decide(principal, Action::kRead, resource, purpose, now, &granted);
      Check(allows || !denied.permitted);
      Check(granted.permitted || !denied.permitted);
      Check(granted.permitted || !granted.reasons.empty());
      if (!granted.restriction) continue;
      for (const auto& [column, mask] : granted.restriction->masks) {
        const Field* field = Table().Find(column);
        Check(field && (!fits || CheckMask(mask.action, field->type, field->required)));
      }
      const PolicySql sql = DuckDbSql(granted.restriction.get(), Table(), {std::string(32, 'a'), {}});
      Check(!sql.empty() && weft::IsUtf8(PolicyView(sql, Table(), "SELECT * FROM t", true)));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  auto file = PolicyFile::Parse(text, "policies/a.yaml");
  if (!file) {
    Check(!file.error().problems.empty());
    for (const weft::Problem& problem : file.error().problems) {
      Check(problem.line >= 0 && !problem.message.empty() && weft::IsUtf8(problem.Text()));
    }
    return 0;
  }
  // What a test of gates publishes has a port with a contract.
  for (const PolicyTest& test : file->tests) {
    Check(!test.gate || !ResourcesOf(*test.gate->bundle, test.gate->team).empty());
  }
  const bool allows =
      std::ranges::any_of(file->policies, [](const Policy& policy) { return policy.effect == Policy::Effect::kAllow; });
  auto policies = Policies::Compile({*file});
  if (!policies) {
    Check(!policies.error().problems.empty());
    return 0;
  }
  const std::vector<Resource> resources = ResourcesOf(TheBundle(), TheTeam());
  Check(resources.size() == 1);
  const std::vector<weft::Problem> problems = (*policies)->Judge(resources[0]);
  CheckDecision(**policies, resources[0], allows, problems.empty());
  (*policies)->JudgeBundle(TheBundle(), nullptr, TheTeam());
  (*policies)->JudgeBundle(TheBundle(), &TheBundle(), {});
  const auto told = (*policies)->RunTests({{resources[0].Text(), resources[0]}});
  Check(told.size() <= file->tests.size());
  return 0;
}
