#include "model/compat.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/shape.h"

namespace weft::model {
namespace {

// The column of `columns` that is `wanted`: by id, else by name.
const Property* Match(const std::vector<Property>& columns, const Property& wanted) {
  for (const Property& column : columns) {
    if (!wanted.id.empty() && column.id == wanted.id) return &column;
  }
  for (const Property& column : columns) {
    if (column.name == wanted.name && (wanted.id.empty() || column.id.empty() || column.id == wanted.id))
      return &column;
  }
  return nullptr;
}

std::string TypeText(const Property& property) {
  std::string logical = property.logical_type.empty() ? "none" : property.logical_type;
  return property.physical_type.empty() ? logical : fmt::format("{} ({})", logical, property.physical_type);
}

// Compares two versions of one contract.
class Comparison {
 public:
  Comparison(const Contract& previous, const Contract& next) : previous_(previous), next_(next) {}

  std::vector<Problem> Run() {
    for (const SchemaObject& was : previous_.schema) {
      const SchemaObject* now = Match(was);
      if (now) {
        Columns(was.properties, now->properties, now->place, "");
        PrimaryKey(was, *now);
      } else {
        Say(Place{1, 1, "schema"}, was.place, fmt::format("the object '{}' is removed", was.name));
      }
    }
    return std::move(problems_);
  }

 private:
  void Say(const Place& now, const Place& was, std::string what) {
    problems_.push_back(
        {next_.file, now.line, now.column, now.path, "weft.breaking",
         fmt::format("{} (line {} of version {}): that breaks its readers; raise the major version, or undo it", what,
                     was.line, previous_.version)});
  }

  const SchemaObject* Match(const SchemaObject& wanted) const {
    for (const SchemaObject& object : next_.schema) {
      if (!wanted.id.empty() && object.id == wanted.id) return &object;
    }
    for (const SchemaObject& object : next_.schema) {
      if (object.name == wanted.name) return &object;
    }
    // A table port's one object may change its name, which no address shows.
    return previous_.schema.size() == 1 && next_.schema.size() == 1 ? &next_.schema[0] : nullptr;
  }

  void Columns(const std::vector<Property>& before, const std::vector<Property>& after, const Place& parent,
               const std::string& prefix) {
    for (const Property& was : before) {
      const Property* now = model::Match(after, was);
      const std::string name = prefix + was.name;
      if (!now) {
        Say(parent, was.place, fmt::format("the column '{}' is removed", name));
        continue;
      }
      if (now->name != was.name) {
        Say(now->place, was.place, fmt::format("the column '{}' is renamed to '{}'", name, prefix + now->name));
      }
      Column(was, *now, name);
    }
    for (const Property& now : after) {
      if (!now.required || model::Match(before, now)) continue;
      Say(now.place, parent, fmt::format("the new column '{}' is required", prefix + now.name));
    }
  }

  void Column(const Property& was, const Property& now, const std::string& name) {
    if (was.logical_type != now.logical_type || Lower(was.physical_type) != Lower(now.physical_type)) {
      Say(now.place, was.place, fmt::format("the column '{}' was {} and is {}", name, TypeText(was), TypeText(now)));
      return;
    }
    if (now.required && !was.required) {
      Say(now.place, was.place, fmt::format("the column '{}' is newly required", name));
    }
    Columns(was.properties, now.properties, now.place, name + ".");
    Columns(was.items, now.items, now.place, name + "[].");
    Columns(was.map, now.map, now.place, name + ".");
  }

  void PrimaryKey(const SchemaObject& was, const SchemaObject& now) {
    const std::vector<std::string> before = was.PrimaryKey(), after = now.PrimaryKey();
    if (before == after) return;
    auto text = [](const std::vector<std::string>& key) { return key.empty() ? "none" : Join(key, ", "); };
    Say(now.place, was.place, fmt::format("the primary key was {} and is {}", text(before), text(after)));
  }

  const Contract& previous_;
  const Contract& next_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> BreakingChanges(const Contract& previous, const Contract& next) {
  return Comparison(previous, next).Run();
}

}  // namespace weft::model
