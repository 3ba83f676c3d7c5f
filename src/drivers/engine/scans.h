// Which columns of which tables a statement reads, by the engine's own plan over empty tables that stand for them.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "drivers/engine/engine.h"

namespace weft::engine {

// Used by one thread at a time.
class Planner {
 public:
  static Result<std::unique_ptr<Planner>> Open();
  // From now on there is such a table, with exactly these `columns` ("id BIGINT, name VARCHAR"). Without a catalogue
  // and a schema it is named by its one name.
  Status Stand(const std::string& catalog, const std::string& schema, const std::string& table,
               const std::string& columns);
  // By table, in lower case and with dots between its names. What decides which rows there are, or their order, is read
  // as well; what a star brings and nobody uses is not. Nothing of the statement is run.
  using Columns = std::map<std::string, std::set<std::string>>;
  Result<Columns> Scans(std::string_view sql, std::span<const Value> params);

 private:
  std::unique_ptr<Instance> instance_;
  std::unique_ptr<Connection> connection_;
  std::map<std::string, std::string> standing_;  // Columns, by table.
};

}  // namespace weft::engine
