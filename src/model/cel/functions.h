// The functions of CEL: what they take, what they give, and what they do.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/cel/type.h"
#include "model/cel/value.h"

namespace weft::cel {

// What one evaluation may still spend, and why it failed.
class Budget {
 public:
  virtual ~Budget() = default;
  // Always false, so that a function can return it. "{}" in `words`, which must be a literal, stands for the value.
  virtual bool Fail(std::string_view words, const Value& value = {}) = 0;
  // False, and the evaluation over, where the limit is passed.
  virtual bool Spend(int64_t steps) = 0;
  virtual bool Grow(size_t bytes) = 0;
};

// The receiver of a member function is the first argument. False after a Fail.
using Run = bool (*)(Budget& budget, const Value* const* arguments, Value& result);

struct Overload {
  std::string name;
  bool member = false;
  std::vector<Type> parameters;
  Type result;
  Run run = nullptr;
};

// One line of a table: "string.(string) -> bool" is a member function, "(int, int) -> int" is none.
struct Signature {
  std::string_view name;
  std::string_view text;
  Run run = nullptr;
};
std::vector<Overload> ReadTable(std::span<const Signature> table);

constexpr size_t kMaxArguments = 4;  // The receiver included.

// All overloads of this name and shape; empty where there are none.
std::span<const Overload> OverloadsOf(std::string_view name, bool member, size_t arguments);
// Every function's name.
std::vector<std::string_view> FunctionNames();

// string.format(list), after the conversions of printf.
bool Format(Budget& budget, const Value* const* arguments, Value& result);

std::span<const Signature> TextFunctions();
std::span<const Signature> ConversionFunctions();
std::span<const Signature> TimeFunctions();

}  // namespace weft::cel
