// Failure as a value: every function that can fail returns a Result, and TRY passes a failure up.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace weft {

// The closed list of ways to fail. HTTP status, Flight status and exit code each follow from it by one table.
enum class Code { kInvalid, kUnsupported, kUnauthenticated, kDenied, kNotFound, kConflict, kUnavailable, kInternal };

std::string_view CodeName(Code code);      // "not_found"
Code CodeFromName(std::string_view name);  // An unknown name is kInternal.
int HttpStatus(Code code);
int ExitCode(Code code);  // Of the command line; 2 (bad usage) belongs to no code.

// One thing wrong in a text that a person wrote; line and column count from 1, 0 means the whole file.
struct Problem {
  enum class Level { kError, kWarning };
  std::string file;
  int line = 0;
  int column = 0;
  std::string path;     // "schema[0].properties[2].logicalType"
  std::string rule;     // Who says so: "odcs", "odps", "yaml", or a rule of Weft's own such as "weft.slug".
  std::string message;  // What is wrong, and what would be right.
  Level level = Level::kError;

  std::string Text() const;  // "file:line:column: path: message [rule]"
  bool operator==(const Problem&) const = default;
};

// `message` says what, where and what to do next, in one or two sentences, quoting the user's own value.
struct [[nodiscard]] Error {
  Code code = Code::kInternal;
  std::string message;
  std::vector<Problem> problems = {};  // With kInvalid and kUnsupported: what is wrong with which text.

  Error With(std::string_view before) &&;  // The same error, its message preceded by "before: ".
};

// The value, or why there is none.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}
  T TakeValue() { return std::move(**this); }
  Error TakeError() { return std::move(this->error()); }
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
 public:
  using tl::expected<void, Error>::expected;
  Result(Error error) : tl::expected<void, Error>(tl::unexpect, std::move(error)) {}
  void TakeValue() const {}
  Error TakeError() { return std::move(this->error()); }
};

using Status = Result<void>;

}  // namespace weft

// The value of `expr`, or return its error from this function; may be nested. A statement expression: gcc and clang
// only.
#define TRY(expr) WEFT_TRY_NAMED(expr, __COUNTER__)
#define WEFT_TRY_NAMED(expr, number) WEFT_TRY_AS(expr, number)
#define WEFT_TRY_AS(expr, number)                                       \
  __extension__({                                                       \
    auto try_outcome_##number = (expr);                                 \
    if (!try_outcome_##number) return try_outcome_##number.TakeError(); \
    try_outcome_##number.TakeValue();                                   \
  })
