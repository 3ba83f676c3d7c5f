#include "model/build_sql.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace weft::model {
namespace {

// Takes "(line 2, column 5)" off the end of a message that the walker made.
Place TakePlace(std::string* message) {
  Place place;
  const size_t open = message->rfind(" (line ");
  if (open == message->npos ||
      sscanf(message->c_str() + open, " (line %d, column %d)", &place.line, &place.column) != 2) {
    return {};
  }
  message->erase(open);
  return place;
}

// The first node for which `is` holds, as the parser saw it.
template <class Is>
const Json* FindNode(const Json& node, Is is) {
  if (node.is_object() && is(node)) return &node;
  for (const auto& [key, member] : node.Members()) {
    if (const Json* found = FindNode(member, is)) return found;
  }
  for (const Json& item : node.Items()) {
    if (const Json* found = FindNode(item, is)) return found;
  }
  return nullptr;
}

// Whether somebody wrote the schema: the parser writes one itself where syntax stands for a function, as in [1, 2] and
// extract(year FROM day).
bool IsQualified(const Json& node) {
  constexpr std::string_view kOfSyntax[] = {"list_value", "struct_pack", "map",      "list_apply", "list_filter",
                                            "row",        "date_part",   "position", "trim",       "ltrim",
                                            "rtrim",      "overlay",     "timezone", "substring"};
  if (node["class"].Text() != "FUNCTION") return false;
  const std::string &schema = node["schema"].Text(), &catalog = node["catalog"].Text();
  if (schema.empty() && catalog.empty()) return false;
  return !catalog.empty() || schema != "main" ||
         std::ranges::find(kOfSyntax, node["function_name"].Text()) == std::end(kOfSyntax);
}

Place PlaceOfNode(std::string_view text, const Json* node) {
  const int64_t at = node ? (*node)["query_location"].Int(-1) : -1;
  return at < 0 ? Place{} : PlaceOfByte(text, static_cast<size_t>(at));
}

}  // namespace

Result<BuildSql> JudgeBuild(const Json& tree, std::string_view text, const Bundle& bundle, const Build& build) {
  const std::string file = bundle.folder.empty() ? build.sql_file : bundle.folder + "/" + build.sql_file;
  Error error{Code::kInvalid, "", {}};
  auto say = [&](const Place& place, std::string message) {
    error.problems.push_back({file, place.line, place.column, place.path, "weft.build", message});
    error.message += (error.message.empty() ? "" : "; ") + file +
                     (place.line > 0 ? fmt::format(":{}:{}: ", place.line, place.column) : ": ") + message;
  };
  auto statement = Walk(tree, text);
  if (!statement) {
    std::string message = statement.error().message;
    const Place place = TakePlace(&message);
    say(place, std::move(message));
    return error;
  }
  BuildSql judged;
  judged.uses_now = statement->uses_now;
  std::vector<std::string> names;
  for (const InputPort& input : bundle.product.inputs) names.push_back(input.SqlName());
  for (const TableName& table : statement->tables) {
    auto input = std::find_if(names.begin(), names.end(),
                              [&](const std::string& name) { return Lower(name) == Lower(table.table); });
    if (table.schema.empty() && table.catalog.empty() && input != names.end()) {
      judged.inputs.push_back(&bundle.product.inputs[static_cast<size_t>(input - names.begin())]);
      continue;
    }
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const Json* node = FindNode(tree, [&](const Json& each) {
      return each["type"].Text() == "BASE_TABLE" && each["table_name"].Text() == table.table;
    });
    say(PlaceOfNode(text, node),
        fmt::format("'{}' is no input port of {}: its inputs are {}{}", table.Text(), bundle.product.name,
                    names.empty() ? "none" : Join(names, ", "), DidYouMean(table.table, candidates)));
  }
  const Json* qualified = FindNode(tree, IsQualified);
  if (qualified) {
    say(PlaceOfNode(text, qualified), fmt::format("write the function {}.{} without its schema",
                                                  (*qualified)["schema"].Text(), (*qualified)["function_name"].Text()));
  }
  if (statement->uses_random && !build.nondeterministic) {
    say({},
        "it uses random functions, so two runs of the same inputs differ; take them out, or say nondeterministic: "
        "true in the port's build");
  }
  if (!error.problems.empty()) return error;
  return judged;
}

Status ReadsOnly(const Statement& statement, std::string_view own) {
  for (const TableName& table : statement.tables) {
    if (Lower(table.Text()) == Lower(own)) continue;
    return Error{Code::kInvalid,
                 fmt::format("it reads the table '{}'; a rule reads its own table only, as ${{object}}", table.Text())};
  }
  return {};
}

}  // namespace weft::model
