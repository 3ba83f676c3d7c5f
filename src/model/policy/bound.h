// The inside of Policies: expressions compiled, and policies bound to the columns of one port.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/cel/program.h"
#include "model/policy/policies.h"
#include "model/policy/question.h"
#include "model/policy/row_filter.h"

namespace weft::model {

enum GateVariable : size_t { kProduct, kContract, kPrevious, kDomain };
const cel::Environment& GateVariables();

// A condition: kInvalid where it is neither true nor false.
Result<cel::Program> CompileCondition(const std::string& text, const cel::Environment& variables);

// Not where it is false, an error or no truth value.
bool IsTrue(const Result<cel::Value>& answer);

struct CompiledPolicy {
  const Policy* policy = nullptr;
  std::shared_ptr<const AppliedPolicy::Words> words;
  std::optional<cel::Program> when;
  Named when_names;
  std::optional<cel::Program> require;
  bool of_contract = false;  // `require` speaks of the contract, and so is asked of each.
};

// What a publish gate has to say of a product.
struct GateFinding {
  const Policy* policy = nullptr;
  const Contract* contract = nullptr;  // That it is about; null: the product. In the bundle that was judged.
  std::string told;
};

// A policy about one port. `broken` says why it cannot be done with the port's columns; it then hides all it could.
struct BoundRule {
  const CompiledPolicy* compiled = nullptr;
  Policy::Effect effect = Policy::Effect::kDeny;
  std::shared_ptr<const RowFilter> filter;
  struct Mask {
    std::string column;
    MaskAction action;
    std::string entity = {};  // Of kPseudonym.
  };
  std::vector<Mask> masks;
  std::shared_ptr<const std::string> masked;  // MaskedText for any purpose.
  std::string broken;
};

struct Policies::Bound {
  std::shared_ptr<const std::set<std::string>> columns;
  std::vector<BoundRule> rules;
  // Rules by whom they are about: everybody, principals, groups.
  std::vector<uint32_t> everybody;
  using Rules = std::unordered_map<std::string, std::vector<uint32_t>, TextHash, std::equal_to<>>;
  Rules of_principals, of_groups;
};

// What a mask does to who reads for `purpose`: tokens are a purpose's own, and where none is given there are none.
MaskAction ActionFor(const BoundRule::Mask& mask, const std::string& purpose);
// "mail: mask-alphanum, born_on: truncate-to-year"
std::string MaskedText(const std::vector<BoundRule::Mask>& masks, const std::string& purpose);

// Binds one policy; its problems are told in `broken`.
BoundRule Bind(const CompiledPolicy& compiled, const Contract& contract, const TableSchema& schema,
               RowFilters* filters);

}  // namespace weft::model
