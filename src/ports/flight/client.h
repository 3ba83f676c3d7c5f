// A Flight SQL client: how `weft sql` reads.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weft::flight {

struct ClientOptions {
  std::string url;  // "grpc://127.0.0.1:7471" or "grpc+tls://…"
  std::string bearer;
  std::string purpose;
  std::string at;
  std::string ca_file;
};

// One batch of an answer, as text for a person and as JSON values for a program.
struct Batch {
  std::vector<std::string> names;
  std::vector<std::string> types;   // Arrow's names.
  std::vector<bool> right_aligned;  // Numbers.
  std::vector<std::vector<Json>> rows;
};
// What the node says besides the rows: {"ending": [{"address", "until"}]}.
using Told = std::function<void(const Json& told)>;
// Calls `take` at least once (an empty answer has names and no rows). The stream ends when `take` answers false.
Status Query(const ClientOptions& options, const std::string& sql, const std::function<bool(const Batch&)>& take,
             const Told& told = nullptr);

}  // namespace weft::flight
