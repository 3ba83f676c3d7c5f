#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/exchange/dbt.h"

namespace weft::model::exchange::dbt {
namespace {

// The column of the object with `change` made to it; whether there is one.
template <class Change>
bool OfColumn(Json& object, const std::string& name, Change change) {
  Json changed = Json::Array();
  bool found = false;
  for (const Json& property : object["properties"].Items()) {
    Json column = property;
    if (Lower(column["name"].Text()) == Lower(name) && !found) {
      found = true;
      change(column);
    }
    changed.Push(std::move(column));
  }
  if (found) object.Set("properties", std::move(changed));
  return found;
}

void AddRule(Json& object, Json rule) {
  Json rules = object["quality"];
  rules.Push(std::move(rule));
  object.Set("quality", std::move(rules));
}

std::string IdOf(const std::string& name) {
  std::string id;
  for (const char c : name) id += std::isalnum(static_cast<unsigned char>(c)) || c == '-' ? c : '_';
  return id;
}

// "!= 0" and such as an operator with its bound: how many failing rows are right.
bool Bound(const std::string& fails_if, Json& rule) {
  static constexpr std::pair<std::string_view, std::string_view> kOperators[] = {{"!=", "mustBe"},
                                                                                 {"<>", "mustBe"},
                                                                                 {">=", "mustBeLessThan"},
                                                                                 {"<=", "mustBeGreaterThan"},
                                                                                 {">", "mustBeLessOrEqualTo"},
                                                                                 {"<", "mustBeGreaterOrEqualTo"},
                                                                                 {"=", "mustNotBe"}};
  const std::string_view text = Trim(fails_if);
  for (const auto& [sign, right] : kOperators) {
    if (!text.starts_with(sign)) continue;
    const auto number = Json::Parse(Trim(text.substr(sign.size())));
    if (!number || !number->is_number()) return false;
    rule.Set(right, *number);
    return true;
  }
  return false;
}

class Test {
 public:
  Test(const Part& part, const std::string& parent, const Tested& tested)
      : part_(part), parent_(parent), tested_(tested), kwargs_(part["test_metadata"]["kwargs"].node().ToJson()) {
    const Part& config = part["config"];
    warning_ = Lower(config["severity"].Text()) == "warn";
    const std::string word = warning_ ? "warn_if" : "error_if";
    fails_if_ = config[word].Text();
    plain_ = IsEmpty(config["where"].node()) && IsEmpty(config["limit"].node()) &&
             (fails_if_.empty() || fails_if_ == "!= 0");
  }

  void Add() {
    const std::string name = part_["test_metadata"]["name"].Text();
    const bool own = IsEmpty(part_["test_metadata"]["namespace"].node());
    const std::string column = part_["column_name"].Text();
    const bool done = plain_ && own && !column.empty() && Native(name, column);
    if (!done && !AsSql(name.empty() ? part_["name"].Text() : name)) return;
    part_.Take();
  }

 private:
  bool Native(const std::string& name, const std::string& column) {
    if (name == "accepted_values") return Accepted(column);
    if (name == "relationships") return Refers(column);
    if (warning_) return false;  // It is checked as SQL, and only warns.
    if (name == "not_null") return OfColumn(*tested_.object, column, [](Json& own) { own.Set("required", true); });
    if (name == "unique") return OfColumn(*tested_.object, column, [](Json& own) { own.Set("unique", true); });
    return false;
  }

  bool Accepted(const std::string& column) {
    Json values = Json::Array(), list = Json::Array();
    for (const Json& value : kwargs_["values"].Items()) {
      values.Push(Json::Map({{"value", value}}));
      list.Push(value);
    }
    if (values.size() == 0) return false;
    return OfColumn(*tested_.object, column, [&](Json& own) {
      if (!warning_ && own["enum"].is_null()) {
        own.Set("enum", values);
        return;
      }
      AddRule(own, Json::Map({{"type", "library"},
                              {"metric", "invalidValues"},
                              {"arguments", Json::Map({{"validValues", list}})},
                              {"mustBe", 0},
                              {"severity", warning_ ? "warning" : "error"}}));
    });
  }

  bool Refers(const std::string& column) {
    const std::string field = kwargs_["field"].Text();
    for (const std::string& other : part_["depends_on"]["nodes"].node().ToJson().Texts()) {
      const auto port = tested_.ports.find(other);
      if (other == parent_ || port == tested_.ports.end() || field.empty() || warning_) continue;
      const Json one = Json::Map({{"type", "foreignKey"}, {"to", port->second + "." + field}});
      return OfColumn(*tested_.object, column, [&](Json& own) {
        Json all = own["relationships"];
        if (std::ranges::find(all.Items(), one) == all.Items().end()) all.Push(one);
        own.Set("relationships", all);
      });
    }
    return false;
  }

  // The failing rows that dbt would see, counted by a rule over the port's own rows.
  bool AsSql(const std::string& name) {
    const std::string code = part_["compiled_code"].Text();
    const std::vector<std::string> nodes = part_["depends_on"]["nodes"].node().ToJson().Texts();
    if (std::ranges::any_of(nodes, [&](const std::string& id) { return id != parent_; })) {
      return Lost("it reads more than the rows of its model, and a rule reads its own table only");
    }
    if (code.empty()) return Lost("the manifest has no compiled code of it: run `dbt compile`");
    std::string_view text = Trim(code);
    while (text.ends_with(';')) text = Trim(text.substr(0, text.size() - 1));
    const std::string counted = part_["config"]["fail_calc"].Text();
    auto query = [&](const std::string& object) {
      return fmt::format("SELECT {} FROM (\n{}\n)", counted.empty() ? "count(*)" : counted,
                         Renamed(std::string(text), tested_.relation, object));
    };
    if (tested_.options->judge) {
      const auto tables = tested_.options->judge(query("object_itself"));
      if (!tables) return Lost(tables.error().message);
      for (const std::string& table : *tables) {
        if (Lower(table) != "object_itself")
          return Lost(fmt::format("it reads {}, and a rule its own table only", table));
      }
    }
    Json rule = Json::Map({{"id", IdOf(part_["name"].Text())}, {"type", "sql"}});
    const std::string said = part_["description"].Text();
    rule.Set("description", said.empty() ? fmt::format("The test {} of dbt.", name) : said);
    rule.Set("query", query("${object}"));
    if (!Bound(fails_if_.empty() ? "!= 0" : fails_if_, rule)) {
      return Lost(fmt::format("'{}' is no bound that Weft knows", fails_if_));
    }
    rule.Set("severity", warning_ ? "warning" : "error");
    AddRule(*tested_.object, std::move(rule));
    return true;
  }

  bool Lost(const std::string& why) {
    part_.Take();
    part_.document().Tell({part_.path(), 0, 0, Shown(Json(part_["name"].Text())), why, ""});
    return false;
  }

  const Part& part_;
  const std::string parent_;
  const Tested& tested_;
  const Json kwargs_;
  bool warning_ = false;
  bool plain_ = false;
  std::string fails_if_;
};

}  // namespace

void AddTest(const Part& test, const std::string& parent, const Tested& tested) { Test(test, parent, tested).Add(); }

void AddConstraints(const Part& constraints, const std::string& column, const Tested& tested) {
  for (const Part& part : constraints.Items()) {
    const std::string type = part["type"].Text(), expression = part["expression"].Text();
    std::vector<std::string> columns = part["columns"].node().ToJson().Texts();
    if (!column.empty()) columns = {column};
    bool done = !columns.empty();
    if (type == "not_null" || type == "unique") {
      const char* key = type == "unique" ? "unique" : "required";
      done = done && (type != "unique" || columns.size() == 1);
      for (const std::string& each : columns) {
        done = done && OfColumn(*tested.object, each, [&](Json& own) { own.Set(key, true); });
      }
    } else if (type == "primary_key") {
      int position = 0;
      for (const std::string& each : columns) {
        ++position;
        done = done && OfColumn(*tested.object, each, [&](Json& own) {
                 own.Set("primaryKey", true);
                 own.Set("primaryKeyPosition", position);
               });
      }
    } else if (type == "check" && !expression.empty()) {
      const std::string name = part["name"].Text();
      Json rule = Json::Object();
      Put(rule, "id", IdOf(name));
      rule.Set("type", "sql");
      rule.Set("description", fmt::format("Every row: {}", expression));
      rule.Set("query", fmt::format("SELECT count(*) FROM ${{object}} WHERE NOT ({})", expression));
      rule.Set("mustBe", 0);
      AddRule(*tested.object, std::move(rule));
      done = true;
    } else if (type == "foreign_key") {
      const std::vector<std::string> to = part["to_columns"].node().ToJson().Texts();
      const std::string relation = part["to"].Text();
      const std::string table = relation.substr(relation.rfind('.') + 1);
      done = false;
      for (const auto& [id, port] : tested.ports) {
        const bool same = id.ends_with("." + ReplaceAll(table, "\"", ""));
        if (!same || to.size() != 1 || columns.size() != 1) continue;
        const Json one = Json::Map({{"type", "foreignKey"}, {"to", port + "." + to[0]}});
        done =
            OfColumn(*tested.object, columns[0], [&](Json& own) { own.Set("relationships", Json(Json::Array{one})); });
      }
    } else {
      done = false;
    }
    const Json whole = part.Take();
    if (!done) {
      part.document().Tell({part.path(), 0, 0, Shown(whole), "Weft cannot promise it", ""});
    }
  }
}

}  // namespace weft::model::exchange::dbt
