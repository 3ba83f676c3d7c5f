// The inside of Policies: expressions compiled, and policies bound to the columns of one port.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/cel/program.h"
#include "model/policy/policies.h"
#include "model/policy/restriction.h"

namespace weft::model {

// What a `when`, a `filter` and a `require` may name. The order is that of their bindings.
const cel::Environment& DecisionVariables();
enum GateVariable : size_t { kProduct, kContract, kPrevious, kDomain };
const cel::Environment& GateVariables();

// A condition: kInvalid where it is neither true nor false.
Result<cel::Program> CompileCondition(const std::string& text, const cel::Environment& variables);

// Not where it is false, an error or no truth value.
bool IsTrue(const Result<cel::Value>& answer);

struct CompiledPolicy {
  const Policy* policy = nullptr;
  std::optional<cel::Program> when;
  std::optional<cel::Program> require;
  bool of_contract = false;  // `require` speaks of the contract, and so is asked of each.
};

// A policy about one port. `broken` says why it cannot be done with the port's columns; it then hides all it could.
struct BoundRule {
  const CompiledPolicy* compiled = nullptr;
  std::optional<cel::Program> filter;
  struct Mask {
    std::string column;
    MaskAction action;
    std::string entity = {};  // Of kPseudonym.
  };
  std::vector<Mask> masks;
  std::string broken;
};

struct Policies::Bound {
  std::shared_ptr<const Contract> contract;  // Kept, so that its address stays its own.
  TableSchema schema;
  std::set<std::string> columns;
  std::vector<BoundRule> rules;
  std::vector<size_t> everybody;                                       // Rules without principals.
  std::unordered_map<std::string, std::vector<size_t>> of_principals;  // "ana", "group:NAME" → rules.
};

// Binds one policy; its problems are told in `broken`.
BoundRule Bind(const CompiledPolicy& compiled, const Contract& contract, const TableSchema& schema);

}  // namespace weft::model
