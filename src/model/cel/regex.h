// A regular expression of RE2's syntax, compiled.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::cel {

// Safe to share between threads. Time is linear in the text, memory bounded.
class Regex {
 public:
  static Result<Regex> Compile(const std::string& pattern);
  bool Finds(std::string_view text) const;  // Anywhere in it.

 private:
  struct Machine;
  explicit Regex(std::shared_ptr<const Machine> machine) : machine_(std::move(machine)) {}
  std::shared_ptr<const Machine> machine_;  // Shared by the copies of a program.
};

}  // namespace weft::cel
