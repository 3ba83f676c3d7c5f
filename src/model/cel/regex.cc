#include "model/cel/regex.h"

#include <fmt/format.h>
#include <re2/re2.h>

namespace weft::cel {

struct Regex::Machine {
  explicit Machine(const std::string& pattern, const re2::RE2::Options& options) : re(pattern, options) {}
  re2::RE2 re;
};

Result<Regex> Regex::Compile(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  auto machine = std::make_shared<const Machine>(pattern, options);
  if (!machine->re.ok()) {
    return Error{Code::kInvalid, fmt::format("'{}' is no regular expression of RE2: {}", pattern, machine->re.error())};
  }
  return Regex(std::move(machine));
}

bool Regex::Finds(std::string_view text) const {
  return re2::RE2::PartialMatch({text.data(), text.size()}, machine_->re);
}

}  // namespace weft::cel
