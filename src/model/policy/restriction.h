// What a permitted reader does not see: rows and values, as a value that any port can apply.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/policy/mask.h"
#include "model/policy/predicate.h"
#include "model/schema.h"

namespace weft::model {

struct Restriction {
  // Shared by all who are asked the same.
  struct Asked {
    Predicate predicate;
    std::string text;     // What is asked of a row, in CEL: "row.country in [\"DE\"]".
    bool of_now = false;  // It asks for the time, and so its text is another with each question.
  };
  struct Filter {
    std::shared_ptr<const Asked> asked;
    std::string policy;

    const std::string& text() const { return asked->text; }
    bool operator==(const Filter& other) const {
      return policy == other.policy && (text() == other.text() || (asked->of_now && other.asked->of_now));
    }
  };
  struct Mask {
    MaskAction action = MaskAction::kReplaceWithNull;
    std::string policy;
    std::string entity = {};  // Of kPseudonym.
    bool operator==(const Mask&) const = default;
  };
  std::vector<Filter> filters;        // A row is seen where all of them hold.
  std::map<std::string, Mask> masks;  // By column of the contract.
  // Where there are masks: the contract's columns. Another one, of a snapshot from before, is null: nobody can say
  // whether it should be masked.
  std::shared_ptr<const std::set<std::string>> columns;
  // What grants on some columns give: every other column is not there. None: all are.
  std::optional<std::set<std::string>> only;

  bool empty() const { return filters.empty() && masks.empty() && !only; }
  bool Shows(const std::string& column) const { return !only || only->contains(column); }
  bool operator==(const Restriction& other) const;
  bool NeedsSalt() const;
  std::string RowsText() const;  // What is asked of a row, in CEL; empty: nothing.
};

// A restriction in DuckDB's SQL, over one table.
struct PolicySql {
  std::string condition;                     // Of a WHERE; empty: every row.
  std::map<std::string, std::string> masks;  // Column → what stands for it.
  std::set<std::string> absent;              // Columns of the table that are not in the view.
  bool empty() const { return condition.empty() && masks.empty() && absent.empty(); }
};
// What masks are made with: where NeedsSalt at least 16 random bytes in hexadecimal, and for each entity that is
// pseudonymised the name of the engine's function that makes its tokens for the reader's purpose.
struct MaskKeys {
  std::string salt = {};
  std::map<std::string, std::string> pseudonyms = {};
};
// `table` may be of a snapshot from before the contract. No restriction (null) is an empty one. A key that is missing
// leaves a fixed value.
PolicySql DuckDbSql(const Restriction* restriction, const TableSchema& table, const MaskKeys& keys);

// The SELECT of what is left of `scan`, a SELECT of the table's columns. The condition is asked of the values as they
// are. With `barrier`, nothing of a statement over it can be moved below the condition by the engine: an error there
// would tell of hidden rows.
std::string PolicyView(const PolicySql& policy, const TableSchema& table, const std::string& scan, bool barrier);

}  // namespace weft::model
