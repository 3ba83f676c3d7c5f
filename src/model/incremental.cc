#include "model/incremental.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::model {
namespace {

bool IsPointedAt(const Contract& contract, const InputPort& input) {
  auto points = [&](const std::vector<Relationship>& relationships) {
    return std::ranges::any_of(relationships, [&](const Relationship& relationship) {
      return std::ranges::any_of(relationship.to, [&](const std::string& to) {
        const std::string table = to.substr(0, to.rfind('.'));
        return table == input.name || table == input.SqlName();
      });
    });
  };
  return std::ranges::any_of(contract.schema, [&](const SchemaObject& object) {
    return points(object.relationships) || std::ranges::any_of(object.properties, [&](const Property& property) {
             return points(property.relationships);
           });
  });
}

}  // namespace

bool ReadsOnlyNew(const Source& source) {
  return source.options["read"].Text() == "new" || source.options["cursor"].is_text();
}

std::string WhyNotOnlyNew(const InputPort& input, const Build& build, const Contract* contract) {
  if (!input.source || !ReadsOnlyNew(*input.source)) return "";
  const bool cursor = input.source->options["cursor"].is_text();
  const std::string how = cursor ? "cursor: " + input.source->options["cursor"].Text() : "read: new";
  if (build.mode != "append" && build.mode != "upsert") {
    return fmt::format(
        "each run reads of the input '{}' only what is new ({}), and with mode {} nothing else would stay: write mode: "
        "append or mode: upsert, or take '{}' out of the source",
        input.name, how, build.mode, how);
  }
  if (contract && IsPointedAt(*contract, input)) {
    return fmt::format(
        "a foreign key points at the input '{}', of which a run has only what is new ({}): let it point at a port that "
        "has all of it",
        input.name, how);
  }
  const bool keyless = contract && (contract->schema.size() != 1 || contract->schema[0].PrimaryKey().empty());
  if (input.source->options["lag"].is_text() && build.mode == "append" && keyless) {
    return fmt::format(
        "with lag: {} rows of the input '{}' are read again, and without a primary key they would be added again: "
        "write primaryKey: true in the contract, or leave lag out",
        input.source->options["lag"].Text(), input.name);
  }
  return "";
}

}  // namespace weft::model
