// dbt: a project's compiled manifest (and catalogue) read into a product, and a port written as a source of a project.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/exchange/part.h"
#include "model/exchange/product.h"

namespace weft::model::exchange::dbt {

inline constexpr std::string_view kVendor = "dbt";

Result<Imported> Import(const std::string& text, const std::string& file, const ImportOptions& options);
Result<Exported> Export(const Bundle& bundle);

// The type keys of a property for a column type as a warehouse spells it: "DECIMAL(18,2)", "STRUCT(a INTEGER)[]",
// "array<string>". Null where Weft has no such type.
Json TypeKeys(std::string_view written);

// The schema object of a model, seed or source, by its part of the manifest. `listed`: its columns as catalog.json has
// them. Without properties where no column has a type.
Json TableOf(const std::string& id, const Part& part, const Json& listed);

// ---- SQL: a model with all models that it is built of as one statement over the product's inputs.

class Graph {
 public:
  // `nodes` and `sources` of the manifest, which outlives it.
  Graph(const Json& nodes, const Json& sources);

  const Json& Node(const std::string& id) const;
  // Every seed, source and snapshot that the model is built of, by way of other models.
  std::set<std::string> InputsOf(const std::string& id) const;
  // `inputs`: id → the name by which SQL reads the input port. kInvalid says which model has no compiled code, or is
  // not SQL.
  Result<std::string> SqlOf(const std::string& id, const std::map<std::string, std::string>& inputs,
                            const std::vector<std::string>& columns) const;

 private:
  Status Visit(const std::string& id, std::vector<std::string>& order, std::set<std::string>& seen) const;

  std::unordered_map<std::string_view, const Json*> nodes_;  // By id.
};

bool IsInput(std::string_view id);  // A seed, a source or a snapshot.
std::string Renamed(std::string sql, const std::string& relation, const std::string& name);
bool HasWord(std::string_view text, std::string_view word);  // In any case.
std::string NameInSql(const std::string& name);              // Quoted where it must be.

// ---- Tests: what dbt promises of a model beside its columns.

// What a test needs to know of the model that it is attached to.
struct Tested {
  Json* object;                              // The schema object that learns of it.
  std::string relation;                      // The model's name in compiled SQL.
  std::map<std::string, std::string> ports;  // Ids of other nodes → the port that they are here.
  const ImportOptions* options;
};

void AddTest(const Part& test, const std::string& parent, const Tested& tested);
void AddConstraints(const Part& constraints, const std::string& column, const Tested& tested);

}  // namespace weft::model::exchange::dbt
