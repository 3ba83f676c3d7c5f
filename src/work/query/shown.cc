#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "work/query/internal.h"

namespace weft::query {

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
  log::Error("query failed", {{"code", CodeName(error.code)}, {"message", error.message}});
  if (error.code == Code::kInvalid) {
    return {Code::kInvalid, "the statement cannot be run over these tables; the node's log says why"};
  }
  const Code code = error.code == Code::kUnavailable ? Code::kUnavailable : Code::kInternal;
  return {code, "the engine could not answer; the node's log says why"};
}

Error OfGrants(Error error, const std::vector<Table>& tables) {
  if (error.code != Code::kInvalid || error.message.find(" no column '") == std::string::npos) return error;
  std::string name = error.message.substr(error.message.find(" no column '") + 12);
  name = Lower(name.substr(0, name.find('\'')));
  for (const Table& table : tables) {
    const auto asked = table.ask_for.find(name);
    if (asked == table.ask_for.end()) continue;
    return {Code::kDenied, fmt::format("the column '{}' of {} is not among those that were granted. What helps: {}",
                                       name, table.written.Text(), asked->second)};
  }
  return error;
}

}  // namespace weft::query
