#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "work/query/internal.h"

namespace weft::query {
namespace {

// Errors of running quote the values that they failed on, which a log may not have; those of planning do not.
std::string ForTheLog(const Error& error) {
  if (error.code != Code::kInvalid) return error.message;
  for (std::string_view planning : {"Parser Error", "Binder Error", "Catalog Error", "Planner Error"}) {
    if (error.message.starts_with(planning)) return error.message;
  }
  return error.message.substr(0, error.message.find(':'));
}

}  // namespace

Error Shown(Error error, const std::vector<Table>& tables) {
  auto tells = [&](const std::string& message) {
    if (message.find("read_parquet") != message.npos || message.find(".parquet") != message.npos) return true;
    if (message.find("weft_pseudonym_") != message.npos) return true;
    for (const Table& table : tables) {
      const std::string& condition = table.policy.condition;
      if (!condition.empty() && message.find(condition) != message.npos) return true;
      for (const auto& [column, mask] : table.policy.masks) {
        if (message.find(mask) != message.npos) return true;
      }
      for (const std::string& path : table.paths) {
        if (message.find(path) != message.npos) return true;
      }
    }
    return false;
  };
  const bool of_the_node = error.code == Code::kInternal || error.code == Code::kDenied ||
                           error.message.starts_with("IO Error") || error.message.starts_with("HTTP Error");
  if (!of_the_node && !tells(error.message)) return error;
  log::Error("query failed", {{"code", CodeName(error.code)}, {"message", ForTheLog(error)}});
  if (error.code == Code::kInvalid) {
    return {Code::kInvalid,
            "the statement cannot be run over these tables, and why would tell what they are made of: try its parts"};
  }
  const Code code = error.code == Code::kUnavailable ? Code::kUnavailable : Code::kInternal;
  return {code, "the engine could not answer; the node's log says why"};
}

std::optional<Error> OfGrants(const Error& error, const std::vector<Table>& tables) {
  const std::optional<std::string> missing = engine::MissingColumn(error.message);
  for (const Table& table : tables) {
    const auto asked = missing ? table.ask_for.find(Lower(*missing)) : table.ask_for.end();
    if (asked == table.ask_for.end()) continue;
    return Error{Code::kDenied,
                 fmt::format("the column '{}' of {} is not among those that were granted. What helps: {}", asked->first,
                             table.written.Text(), asked->second)};
  }
  return std::nullopt;
}

}  // namespace weft::query
