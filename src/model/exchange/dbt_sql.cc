#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "model/exchange/dbt.h"

namespace weft::model::exchange::dbt {
namespace {

bool IsWordChar(char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)); }

std::string Trimmed(const std::string& sql) {
  std::string_view text = Trim(sql);
  while (text.ends_with(';')) text = Trim(text.substr(0, text.size() - 1));
  return std::string(text);
}

std::string FileOf(const Json& node) { return node["original_file_path"].Text(node["name"].Text()); }

}  // namespace

bool IsInput(std::string_view id) {
  return id.starts_with("seed.") || id.starts_with("source.") || id.starts_with("snapshot.");
}

bool HasWord(std::string_view text, std::string_view word) {
  const std::string lower = Lower(text), wanted = Lower(word);
  for (size_t at = lower.find(wanted); at != lower.npos; at = lower.find(wanted, at + 1)) {
    const bool starts = at == 0 || !IsWordChar(lower[at - 1]);
    const size_t end = at + wanted.size();
    if (starts && (end == lower.size() || !IsWordChar(lower[end]))) return true;
  }
  return false;
}

std::string NameInSql(const std::string& name) {
  const bool plain =
      !name.empty() && (std::islower(static_cast<unsigned char>(name[0])) || name[0] == '_') &&
      std::ranges::all_of(name, [](char c) {
        return c == '_' || std::islower(static_cast<unsigned char>(c)) || std::isdigit(static_cast<unsigned char>(c));
      });
  return plain ? name : SqlName(name);
}

std::string Renamed(std::string sql, const std::string& relation, const std::string& name) {
  if (relation.empty()) return sql;
  for (size_t at = sql.find(relation); at != sql.npos; at = sql.find(relation, at + name.size())) {
    // Not the beginning of a longer name: an unquoted one may be.
    const size_t end = at + relation.size();
    if ((end < sql.size() && IsWordChar(sql[end]) && IsWordChar(relation.back())) ||
        (at > 0 && IsWordChar(sql[at - 1]) && IsWordChar(relation.front()))) {
      at = end - name.size();
      continue;
    }
    sql.replace(at, relation.size(), name);
  }
  return sql;
}

Graph::Graph(const Json& nodes, const Json& sources) {
  for (const Json* kind : {&nodes, &sources}) {
    for (const auto& [id, node] : kind->Members()) nodes_.emplace(id, &node);
  }
}

const Json& Graph::Node(const std::string& id) const {
  static const Json kNone;
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? kNone : *found->second;
}

std::set<std::string> Graph::InputsOf(const std::string& id) const {
  std::set<std::string> inputs, seen;
  std::vector<std::string> open = {id};
  while (!open.empty()) {
    const std::string next = open.back();
    open.pop_back();
    if (!seen.insert(next).second) continue;
    if (next != id && IsInput(next)) {
      inputs.insert(next);
      continue;
    }
    for (const std::string& before : Node(next)["depends_on"]["nodes"].Texts()) open.push_back(before);
  }
  return inputs;
}

// Those that it is built of first, itself last.
Status Graph::Visit(const std::string& id, std::vector<std::string>& order, std::set<std::string>& seen) const {
  constexpr size_t kMost = 500;
  if (!seen.insert(id).second || IsInput(id)) return {};
  const Json& node = Node(id);
  if (seen.size() > kMost) return Error{Code::kInvalid, fmt::format("it is built of more than {} models", kMost)};
  if (node["language"].Text("sql") != "sql") {
    return Error{Code::kInvalid, fmt::format("{} is {}, and builds are SQL", FileOf(node), node["language"].Text())};
  }
  if (node["compiled_code"].Text().empty()) {
    return Error{Code::kInvalid,
                 fmt::format("{} has no compiled code in the manifest: run `dbt compile`", FileOf(node))};
  }
  for (const std::string& before : node["depends_on"]["nodes"].Texts()) TRY(Visit(before, order, seen));
  order.push_back(id);
  return {};
}

Result<std::string> Graph::SqlOf(const std::string& id, const std::map<std::string, std::string>& inputs,
                                 const std::vector<std::string>& columns) const {
  std::vector<std::string> order;
  std::set<std::string> seen;
  TRY(Visit(id, order, seen));
  // An ephemeral model is in the text of those that read it already.
  std::erase_if(order,
                [&](const std::string& each) { return each != id && Node(each)["relation_name"].Text().empty(); });
  std::string own_relation = Node(id)["relation_name"].Text();
  if (!own_relation.empty() && Node(id)["compiled_code"].Text().find(own_relation) != std::string::npos) {
    return Error{Code::kInvalid, fmt::format("{} reads its own rows, which a build here does not", FileOf(Node(id)))};
  }
  // What each is called: as in dbt, but where a text has that name for something else.
  auto bare_texts_have = [&](const std::string& relation, const std::string& name) {
    return std::ranges::any_of(order, [&](const std::string& each) {
      return HasWord(ReplaceAll(Node(each)["compiled_code"].Text(), relation, ""), name + " as") ||
             HasWord(ReplaceAll(Node(each)["compiled_code"].Text(), relation, ""), name + "\nas");
    });
  };
  std::vector<std::pair<std::string, std::string>> names;  // Relation → name.
  std::vector<std::string> tables;
  for (const auto& [input, name] : inputs) {
    if (!seen.contains(input)) continue;
    const std::string& relation = Node(input)["relation_name"].Text();
    if (!bare_texts_have(relation, name)) {
      names.emplace_back(relation, NameInSql(name));
      continue;
    }
    names.emplace_back(relation, name + "_input");
    tables.push_back(fmt::format("{}_input AS (\nSELECT * FROM {}\n)", name, NameInSql(name)));
  }
  for (const std::string& each : order) {
    const Json& node = Node(each);
    const std::string& relation = node["relation_name"].Text();
    std::string name = node["alias"].Text(node["name"].Text());
    if (each == id) {
      name += "_rows";
    } else if (bare_texts_have(relation, name)) {
      name += "_model";
    }
    names.emplace_back(relation, NameInSql(name));
  }
  std::ranges::sort(names, [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  std::string last;
  for (const std::string& each : order) {
    const Json& node = Node(each);
    std::string sql = Trimmed(node["compiled_code"].Text());
    for (const auto& [relation, name] : names) sql = Renamed(std::move(sql), relation, name);
    const auto own =
        std::ranges::find(names, node["relation_name"].Text(), &std::pair<std::string, std::string>::first);
    last = own == names.end() ? "rows" : own->second;
    tables.push_back(fmt::format("{} AS (  -- {}\n{}\n)", last, FileOf(node), sql));
  }
  std::vector<std::string> wanted;
  for (const std::string& column : columns) wanted.push_back(NameInSql(column));
  return fmt::format("WITH {}\nSELECT {}\nFROM {}\n", Join(tables, ",\n"), Join(wanted, ",\n       "), last);
}

}  // namespace weft::model::exchange::dbt
