#include "model/compat.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/compat_kinds.h"
#include "model/schema.h"

namespace weft::model {
namespace {

using namespace compat;

// The one of `list` that is `wanted`: by id, else by name.
template <class Named>
const Named* Match(const std::vector<Named>& list, const Named& wanted) {
  for (const Named& each : list) {
    if (!wanted.id.empty() && each.id == wanted.id) return &each;
  }
  for (const Named& each : list) {
    const bool free = wanted.id.empty() || each.id.empty() || each.id == wanted.id;
    if (free && !wanted.name.empty() && each.name == wanted.name) return &each;
  }
  return nullptr;
}

std::string TypeText(const Property& property) {
  const std::string logical = property.logical_type.empty() ? "none" : property.logical_type;
  return property.physical_type.empty() ? logical : fmt::format("{} ({})", logical, property.physical_type);
}

// Without what stands in brackets behind a type's name.
std::string BaseOf(const std::string& type) { return Lower(type.substr(0, type.find('('))); }

bool IsRequired(const Property& property) { return property.required || property.primary_key; }

// What a rule asks, without how much: two that ask the same are the same rule.
std::string Asked(const QualityRule& rule) {
  return fmt::format("{}|{}|{}|{}|{}", rule.type, rule.metric, rule.query, rule.engine, rule.arguments.Dump());
}

std::string NameOf(const QualityRule& rule) {
  for (const std::string* name : {&rule.id, &rule.name, &rule.metric}) {
    if (!name->empty()) return *name;
  }
  return rule.type;
}

std::string BoundText(const QualityRule& rule) {
  if (rule.op.empty()) return rule.IsWarning() ? "a warning" : "an error";
  return fmt::format("{} {}{}{}", rule.op, rule.bound.Dump(), rule.unit == "percent" ? " percent" : "",
                     rule.IsWarning() ? ", a warning" : "");
}

std::string ValueText(const SlaProperty& sla) {
  return (sla.value.is_text() ? sla.value.Text() : sla.value.Dump()) + (sla.unit.empty() ? "" : " " + sla.unit);
}

std::string KeyText(const std::vector<std::string>& key) { return key.empty() ? "none" : Join(key, ", "); }

std::string Or(const std::string& text, const char* otherwise) { return text.empty() ? otherwise : text; }

class Comparison {
 public:
  Comparison(const Contract& previous, const Contract& next) : previous_(previous), next_(next) {}

  std::vector<Difference> Run() {
    for (const SchemaObject& was : previous_.schema) {
      if (const SchemaObject* is = ObjectLike(was)) {
        Object(was, *is);
      } else {
        Say(kObjectRemoved, {1, 1, "schema"}, was.place, fmt::format("the object '{}' is removed", was.name));
      }
    }
    Slas();
    if (previous_.description != next_.description || previous_.name != next_.name) {
      Say(kWordsChanged, {1, 1, ""}, {1, 1, ""}, "the contract's name or description is another");
    }
    return std::move(found_);
  }

 private:
  void Say(KindIndex index, const Place& now, const Place& was, std::string what) {
    const Kind& kind = Of(index);
    found_.push_back({kind.impact, kind.name, std::move(what), column_, now, was});
  }

  // Says it as what the trend is.
  void Say(Trend trend, KindIndex tighter, KindIndex looser, const Place& now, const Place& was, std::string what) {
    if (trend != Trend::kSame) Say(trend == Trend::kTighter ? tighter : looser, now, was, std::move(what));
  }

  const SchemaObject* ObjectLike(const SchemaObject& wanted) const {
    if (const SchemaObject* same = Match(next_.schema, wanted)) return same;
    // A table port's one object may change its name, which no address shows.
    return previous_.schema.size() == 1 && next_.schema.size() == 1 ? &next_.schema[0] : nullptr;
  }

  void Object(const SchemaObject& was, const SchemaObject& is) {
    Columns(was.properties, is.properties, was.place, is.place, "");
    Key(was, is);
    Rules(was.quality, is.quality, was.place, is.place, "the table");
    References(was.relationships, is.relationships, was.place, is.place);
    if (was.granularity != is.granularity) {
      Say(kMeaningChanged, is.place, was.place,
          fmt::format("a row was '{}' and is '{}'", Or(was.granularity, "not described"),
                      Or(is.granularity, "not described")));
    }
    if (was.tags != is.tags) Tags(was.tags, is.tags, was.place, is.place, "the table");
    if (was.description != is.description) {
      Say(kWordsChanged, is.place, was.place, "the table's description is another");
    }
  }

  void Columns(const std::vector<Property>& before, const std::vector<Property>& after, const Place& was_in,
               const Place& is_in, const std::string& prefix) {
    const bool top = prefix.empty();
    for (const Property& was : before) {
      if (top) column_ = was.name;
      const Property* is = Match(after, was);
      const std::string name = prefix + was.name;
      if (!is) {
        Say(kColumnRemoved, is_in, was.place, fmt::format("the column '{}' is removed", name));
        continue;
      }
      if (is->name != was.name) {
        Say(kColumnRenamed, is->place, was.place,
            fmt::format("the column '{}' is renamed to '{}'", name, prefix + is->name));
      }
      Column(was, *is, name);
    }
    for (const Property& is : after) {
      if (Match(before, is)) continue;
      if (top) column_ = is.name;
      const std::string name = prefix + is.name;
      if (IsRequired(is)) {
        Say(kColumnRequired, is.place, was_in, fmt::format("the new column '{}' is required", name));
      } else {
        Say(kColumnAdded, is.place, was_in, fmt::format("the column '{}' is new", name));
      }
    }
    if (top) column_.clear();
  }

  void Column(const Property& was, const Property& is, const std::string& name) {
    if (!SameType(was, is, name)) return;
    if (IsRequired(is) != IsRequired(was)) {
      Say(IsRequired(is) ? kColumnRequired : kColumnNullable, is.place, was.place,
          fmt::format("the column '{}' is {} required", name, IsRequired(is) ? "newly" : "no longer"));
    }
    if (is.unique != was.unique && !is.primary_key) {
      Say(is.unique ? kUniqueAdded : kUniqueDropped, is.place, was.place,
          fmt::format("the column '{}' is {} unique", name, is.unique ? "newly" : "no longer"));
    }
    Enum(was, is, name);
    Limits(was, is, name);
    Meaning(was, is, name);
    Rules(was.quality, is.quality, was.place, is.place, "the column '" + name + "'");
    References(was.relationships, is.relationships, was.place, is.place);
    Columns(was.properties, is.properties, was.place, is.place, name + ".");
    Inside(was.items, is.items, name + "[]", "");
    Inside(was.map, is.map, name + ".", "key");
  }

  // The element of a list, or the key and the value of a map: by their place, whatever they are called.
  void Inside(const std::vector<Property>& before, const std::vector<Property>& after, const std::string& name,
              std::string_view first) {
    for (size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
      Column(before[i], after[i], first.empty() ? name : name + (i == 0 ? "key" : "value"));
    }
  }

  // Whether more is to be compared: not of values of another type.
  bool SameType(const Property& was, const Property& is, const std::string& name) {
    const std::string what = fmt::format("the column '{}' was {} and is {}", name, TypeText(was), TypeText(is));
    const bool written_alike =
        was.logical_type == is.logical_type && Lower(was.physical_type) == Lower(is.physical_type);
    auto from = TypeOf(was), to = TypeOf(is);
    if (!from || !to) {
      if (written_alike) return true;
      const bool alike = was.logical_type == is.logical_type && BaseOf(was.physical_type) == BaseOf(is.physical_type);
      Say(alike ? kWordsChanged : kColumnRetyped, is.place, was.place, what);
      return alike;
    }
    using TypeKind = Type::Kind;
    const bool same = from->kind == to->kind && from->precision == to->precision && from->scale == to->scale;
    if (same) {
      if (!written_alike) Say(kWordsChanged, is.place, was.place, what);
      return true;
    }
    const bool wider = (from->kind == TypeKind::kInt && to->kind == TypeKind::kLong) ||
                       (from->kind == TypeKind::kFloat && to->kind == TypeKind::kDouble) ||
                       (from->kind == TypeKind::kDecimal && to->kind == TypeKind::kDecimal &&
                        from->scale == to->scale && from->precision <= to->precision);
    Say(wider ? kColumnWidened : kColumnRetyped, is.place, was.place, what);
    return wider;
  }

  void Enum(const Property& was, const Property& is, const std::string& name) {
    auto missing = [](const std::vector<EnumValue>& from, const std::vector<EnumValue>& in) {
      std::vector<std::string> values;
      for (const EnumValue& value : from) {
        const bool there = std::ranges::any_of(in, [&](const EnumValue& each) { return each.value == value.value; });
        if (!there) values.push_back(value.value.is_text() ? value.value.Text() : value.value.Dump());
      }
      return values;
    };
    if (was.enum_values.empty() && is.enum_values.empty()) return;
    if (was.enum_values.empty()) {
      return Say(kEnumNarrowed, is.place, was.place, fmt::format("the values of '{}' are listed now", name));
    }
    if (is.enum_values.empty()) {
      return Say(kEnumWidened, is.place, was.place, fmt::format("the values of '{}' are listed no longer", name));
    }
    const std::vector<std::string> more = missing(is.enum_values, was.enum_values);
    const std::vector<std::string> fewer = missing(was.enum_values, is.enum_values);
    if (!more.empty()) {
      Say(kEnumWidened, is.place, was.place, fmt::format("'{}' may now be {}", name, Join(more, ", ")));
    }
    if (!fewer.empty()) {
      Say(kEnumNarrowed, is.place, was.place, fmt::format("'{}' may no longer be {}", name, Join(fewer, ", ")));
    }
  }

  void Limits(const Property& was, const Property& is, const std::string& name) {
    std::vector<std::string> options;
    for (const auto& [option, value] : was.options.Members()) options.push_back(option);
    for (const auto& [option, value] : is.options.Members()) {
      if (std::ranges::find(options, option) == options.end()) options.push_back(option);
    }
    for (const std::string& option : options) {
      const Json &before = was.options[option], &after = is.options[option];
      auto text = [](const Json& value) { return value.is_null() ? std::string("none") : value.Dump(); };
      Say(TrendOfLimit(option, before, after), kLimitTightened, kLimitLoosened, is.place, was.place,
          fmt::format("{} of '{}' was {} and is {}", option, name, text(before), text(after)));
    }
  }

  void Meaning(const Property& was, const Property& is, const std::string& name) {
    auto text = [](const Json& value) {
      return value.is_text() ? value.Text() : value.is_null() ? "none" : value.Dump();
    };
    if (was.custom["unit"] != is.custom["unit"]) {
      Say(kUnitChanged, is.place, was.place,
          fmt::format("the unit of '{}' was {} and is {}", name, text(was.custom["unit"]), text(is.custom["unit"])));
    }
    const std::string before = was.entity ? was.entity->name : "", after = is.entity ? is.entity->name : "";
    if (before != after && !before.empty()) {
      Say(kEntityChanged, is.place, was.place,
          fmt::format("'{}' identified the entity {} and now {}", name, before, Or(after, "none")));
    }
    if (was.classification != is.classification) {
      Say(kClassificationChanged, is.place, was.place,
          fmt::format("the classification of '{}' was {} and is {}", name, Or(was.classification, "none"),
                      Or(is.classification, "none")));
    }
    if (was.tags != is.tags) Tags(was.tags, is.tags, was.place, is.place, "'" + name + "'");
    const bool entity_is_new = before.empty() && !after.empty();
    if (was.description != is.description || was.business_name != is.business_name || entity_is_new) {
      Say(kWordsChanged, is.place, was.place, fmt::format("what is said about '{}' is another", name));
    }
  }

  void Tags(const std::vector<std::string>& was, const std::vector<std::string>& is, const Place& was_at,
            const Place& is_at, const std::string& of) {
    Say(kClassificationChanged, is_at, was_at,
        fmt::format("the tags of {} were {} and are {}", of, KeyText(was), KeyText(is)));
  }

  // A column that was only renamed is still the same part of the key.
  void Key(const SchemaObject& was, const SchemaObject& is) {
    std::vector<std::string> before = was.PrimaryKey();
    const std::vector<std::string> after = is.PrimaryKey();
    const std::vector<std::string> written = before;
    for (std::string& name : before) {
      const Property* column = was.Find(name);
      const Property* now = column ? Match(is.properties, *column) : nullptr;
      if (now) name = now->name;
    }
    if (before == after) return;
    Say(kKeyChanged, is.place, was.place,
        fmt::format("the primary key was {} and is {}", KeyText(written), KeyText(after)));
  }

  void Rules(const std::vector<QualityRule>& before, const std::vector<QualityRule>& after, const Place& was_in,
             const Place& is_in, const std::string& of) {
    std::vector<const QualityRule*> left;
    for (const QualityRule& rule : after) left.push_back(&rule);
    auto take = [&](auto same) -> const QualityRule* {
      const auto at = std::ranges::find_if(left, same);
      if (at == left.end()) return nullptr;
      const QualityRule* rule = *at;
      left.erase(at);
      return rule;
    };
    for (const QualityRule& was : before) {
      const QualityRule* is = nullptr;
      if (!was.id.empty()) is = take([&](const QualityRule* each) { return each->id == was.id; });
      if (!is) is = take([&](const QualityRule* each) { return each->document == was.document; });
      auto free = [&](const QualityRule* each) { return was.id.empty() || each->id.empty(); };
      if (!is && !was.name.empty()) {
        is = take([&](const QualityRule* each) { return free(each) && each->name == was.name; });
      }
      if (!is) is = take([&](const QualityRule* each) { return free(each) && Asked(*each) == Asked(was); });
      if (!is) {
        Say(kCheckRemoved, is_in, was.place, fmt::format("the check {} of {} is removed", NameOf(was), of));
        continue;
      }
      const bool asks_else = Asked(was) != Asked(*is);
      Say(TrendOfRule(was, *is), kCheckTightened, kCheckWeakened, is->place, was.place,
          asks_else
              ? fmt::format("the check {} of {} asks something else", NameOf(was), of)
              : fmt::format("the check {} of {} was {} and is {}", NameOf(was), of, BoundText(was), BoundText(*is)));
    }
    for (const QualityRule* rule : left) {
      Say(kCheckAdded, rule->place, was_in, fmt::format("the check {} of {} is new", NameOf(*rule), of));
    }
  }

  void References(const std::vector<Relationship>& before, const std::vector<Relationship>& after, const Place& was_in,
                  const Place& is_in) {
    auto missing = [](const std::vector<Relationship>& from, const std::vector<Relationship>& in, auto say) {
      for (const Relationship& one : from) {
        const bool there = std::ranges::any_of(
            in, [&](const Relationship& each) { return each.from == one.from && each.to == one.to; });
        if (!there) say(one);
      }
    };
    missing(before, after, [&](const Relationship& one) {
      Say(kReferenceRemoved, is_in, one.place,
          fmt::format("the foreign key of {} to {} is removed", Join(one.from, ", "), Join(one.to, ", ")));
    });
    missing(after, before, [&](const Relationship& one) {
      Say(kReferenceAdded, one.place, was_in,
          fmt::format("the foreign key of {} to {} is new", Join(one.from, ", "), Join(one.to, ", ")));
    });
  }

  void Slas() {
    auto same = [](const SlaProperty& a, const SlaProperty& b) {
      return Lower(a.kind) == Lower(b.kind) && a.element == b.element && a.driver == b.driver;
    };
    for (const SlaProperty& was : previous_.slas) {
      const auto is = std::ranges::find_if(next_.slas, [&](const SlaProperty& each) { return same(was, each); });
      if (is == next_.slas.end()) {
        Say(kSloRemoved, {1, 1, "slaProperties"}, was.place, fmt::format("the promise {} is removed", was.kind));
        continue;
      }
      Say(TrendOfSla(was, *is), kSloTightened, kSloWeakened, is->place, was.place,
          fmt::format("the promise {} was {} and is {}", was.kind, ValueText(was), ValueText(*is)));
    }
    for (const SlaProperty& is : next_.slas) {
      if (std::ranges::any_of(previous_.slas, [&](const SlaProperty& was) { return same(was, is); })) continue;
      Say(kSloAdded, is.place, {1, 1, "slaProperties"}, fmt::format("the promise {} is new", is.kind));
    }
  }

  const Contract& previous_;
  const Contract& next_;
  std::string column_;
  std::vector<Difference> found_;
};

}  // namespace

std::string_view ImpactName(Impact impact) {
  static constexpr std::string_view kNames[] = {"compatible", "risky", "breaking"};
  return kNames[static_cast<size_t>(impact)];
}

std::vector<Difference> Differences(const Contract& previous, const Contract& next) {
  return Comparison(previous, next).Run();
}

Step StepOf(std::span<const Difference> differences) {
  Step step = Step::kPatch;
  for (const Difference& difference : differences) step = std::max(step, StepOfKind(difference.kind));
  return step;
}

Version Bumped(const Version& version, Step step) {
  switch (step) {
    case Step::kPatch:
      return {version.major, version.minor, version.patch + 1};
    case Step::kMinor:
      return {version.major, version.minor + 1, 0};
    case Step::kMajor:
      return {version.major + 1, 0, 0};
  }
  return version;
}

}  // namespace weft::model
