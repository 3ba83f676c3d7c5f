// The inside of Policies: expressions compiled, and policies bound to the columns of one port.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/cel/program.h"
#include "model/policy/policies.h"
#include "model/policy/restriction.h"

namespace weft::model {

// What a `when`, a `filter` and a `require` may name. The order is that of their bindings.
enum Variable : size_t { kPrincipal, kResource, kAction, kPurpose, kNow };
const cel::Environment& DecisionVariables();
enum GateVariable : size_t { kProduct, kContract, kPrevious, kDomain };
const cel::Environment& GateVariables();

// What such variables hold.
cel::Value Texts(const std::vector<std::string>& texts);
cel::Value Record(std::initializer_list<std::pair<const char*, cel::Value>> fields);

// A condition: kInvalid where it is neither true nor false.
Result<cel::Program> CompileCondition(const std::string& text, const cel::Environment& variables);

// Not where it is false, an error or no truth value.
bool IsTrue(const Result<cel::Value>& answer);

// Which of a decision's variables a program names, by their order.
using Named = std::array<bool, 5>;
Named NamedBy(const cel::Program& program);

struct CompiledPolicy {
  const Policy* policy = nullptr;
  std::optional<cel::Program> when;
  Named when_names{};
  std::optional<cel::Program> require;
  bool of_contract = false;  // `require` speaks of the contract, and so is asked of each.
  std::string where;         // Policy::Where, made once.
};

// A policy about one port. `broken` says why it cannot be done with the port's columns; it then hides all it could.
struct BoundRule {
  const CompiledPolicy* compiled = nullptr;
  std::optional<cel::Program> filter;
  Named filter_names{};
  struct Mask {
    std::string column;
    MaskAction action;
    std::string entity = {};  // Of kPseudonym.
  };
  std::vector<Mask> masks;
  std::string masked;  // MaskedText for any purpose.
  std::string broken;
};

struct Policies::Bound {
  TableSchema schema;
  std::set<std::string> columns;
  std::vector<BoundRule> rules;
  std::vector<size_t> everybody;                                       // Rules without principals.
  std::unordered_map<std::string, std::vector<size_t>> of_principals;  // "ana", "group:NAME" → rules.
};

// What a mask does to who reads for `purpose`: tokens are a purpose's own, and where none is given there are none.
MaskAction ActionFor(const BoundRule::Mask& mask, const std::string& purpose);
// "mail: mask-alphanum, born_on: truncate-to-year"
std::string MaskedText(const std::vector<BoundRule::Mask>& masks, const std::string& purpose);

// Binds one policy; its problems are told in `broken`.
BoundRule Bind(const CompiledPolicy& compiled, const Contract& contract, const TableSchema& schema);

}  // namespace weft::model
