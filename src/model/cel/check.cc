#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/cel/functions.h"
#include "model/cel/program.h"
#include "model/cel/regex.h"

namespace weft::cel {
namespace {

using Kind = Type::Kind;

// What the operators take; ==, != , in, [] and the logical ones are checked by their own rules.
const std::vector<Overload>& OperatorTable() {
  static constexpr Signature kTable[] = {
      {"+", "(int, int) -> int"},
      {"+", "(uint, uint) -> uint"},
      {"+", "(double, double) -> double"},
      {"+", "(string, string) -> string"},
      {"+", "(bytes, bytes) -> bytes"},
      {"+", "(duration, duration) -> duration"},
      {"+", "(timestamp, duration) -> timestamp"},
      {"+", "(duration, timestamp) -> timestamp"},
      {"-", "(int, int) -> int"},
      {"-", "(uint, uint) -> uint"},
      {"-", "(double, double) -> double"},
      {"-", "(timestamp, timestamp) -> duration"},
      {"-", "(timestamp, duration) -> timestamp"},
      {"-", "(duration, duration) -> duration"},
      {"*", "(int, int) -> int"},
      {"*", "(uint, uint) -> uint"},
      {"*", "(double, double) -> double"},
      {"/", "(int, int) -> int"},
      {"/", "(uint, uint) -> uint"},
      {"/", "(double, double) -> double"},
      {"%", "(int, int) -> int"},
      {"%", "(uint, uint) -> uint"},
      {"-", "(int) -> int"},
      {"-", "(double) -> double"},
  };
  static const std::vector<Overload> kRead = ReadTable(kTable);
  return kRead;
}

bool IsOrdered(const Type& type) {
  return type.is_dyn() || type.is_number() || type.kind() == Kind::kBool || type.kind() == Kind::kString ||
         type.kind() == Kind::kBytes || type.kind() == Kind::kTimestamp || type.kind() == Kind::kDuration;
}

bool Takes(const Overload& overload, std::span<const Type> types) {
  return overload.parameters.size() == types.size() &&
         std::equal(types.begin(), types.end(), overload.parameters.begin(), Compatible);
}

std::string Listed(std::span<const Type> types) {
  std::string text;
  for (const Type& type : types) text += (text.empty() ? "" : ", ") + type.Text();
  return "(" + text + ")";
}

class Checker {
 public:
  explicit Checker(const Environment& environment) : environment_(environment) {}

  Type Visit(Expr& expr) {
    expr.type = TypeOf(expr);
    return expr.type;
  }

  Status Verdict() {
    if (problems_.empty()) return {};
    const Problem& first = problems_.front();
    std::string message = fmt::format("{}:{}: {}", first.line, first.column, first.message);
    if (problems_.size() > 1) message += fmt::format(" (and {} more)", problems_.size() - 1);
    return Error{Code::kInvalid, std::move(message), std::move(problems_)};
  }

 private:
  // Records it; the node goes on as dyn, so that one mistake is told once.
  Type Wrong(const Expr& at, std::string message) {
    if (problems_.size() < 50) problems_.push_back({"", at.at.line, at.at.column, "", "cel", std::move(message)});
    return {};
  }

  std::vector<Type> VisitAll(std::vector<Expr>& children) {
    std::vector<Type> types;
    for (Expr& child : children) types.push_back(Visit(child));
    return types;
  }

  Type TypeOf(Expr& expr) {
    switch (expr.kind) {
      case Expr::Kind::kLiteral:
        return Type(expr.literal.type());
      case Expr::Kind::kVariable:
        return OfVariable(expr);
      case Expr::Kind::kSelect:
        return OfField(expr);
      case Expr::Kind::kHas:
        OfField(expr);
        return Kind::kBool;
      case Expr::Kind::kOperator:
        return OfOperator(expr);
      case Expr::Kind::kCall:
        return OfCall(expr);
      case Expr::Kind::kList: {
        Type element = Kind::kOpen;
        for (Expr& child : expr.children) element = JoinOf(element, Visit(child));
        return Type::List(element);
      }
      case Expr::Kind::kMap:
        return OfMap(expr);
      case Expr::Kind::kMacro:
        return OfMacro(expr);
    }
    return {};
  }

  Type OfVariable(const Expr& expr) {
    std::string_view name = expr.name;
    const bool root = name.starts_with('.');
    if (root) name.remove_prefix(1);
    for (auto at = scope_.rbegin(); at != scope_.rend() && !root; ++at) {
      if (at->name == name) return at->type;
    }
    if (auto known = environment_.Find(name)) return environment_.variables()[*known].type;
    if (KindNamed(name) != Kind::kOpen) return Kind::kType;
    std::vector<std::string_view> names;
    for (const Type::Field& each : scope_) names.push_back(each.name);
    for (const Type::Field& each : environment_.variables()) names.push_back(each.name);
    std::string hint = DidYouMean(name, names);
    if (hint.empty() && !names.empty() && names.size() <= 12) {
      hint = fmt::format("; there are {}", fmt::join(names, ", "));
    }
    return Wrong(expr, fmt::format("there is no variable '{}'{}", name, hint));
  }

  Type OfField(Expr& expr) {
    const Type from = Visit(expr.children[0]);
    if (from.is_dyn()) return {};
    if (from.kind() == Kind::kRecord) {
      if (const Type::Field* field = from.Find(expr.name)) return field->type;
      const std::vector<std::string_view> names = from.FieldNames();
      std::string hint = DidYouMean(expr.name, names);
      if (hint.empty() && names.size() <= 12) hint = fmt::format("; there are {}", fmt::join(names, ", "));
      return Wrong(expr, fmt::format("'{}' has no field '{}'{}", Print(expr.children[0]), expr.name, hint));
    }
    if (from.kind() == Kind::kMap) {
      if (Compatible(from.key(), Kind::kString)) return from.element();
      return Wrong(expr, fmt::format("the keys of this map are {}: write [key] for .{}", from.key().Text(), expr.name));
    }
    return Wrong(expr, fmt::format("{} has no fields: '.{}' wants a map or a record", from.Text(), expr.name));
  }

  Type WantBool(const Expr& expr, const Type& type, std::string_view where) {
    if (type.is_dyn() || type.kind() == Kind::kBool) return Kind::kBool;
    Wrong(expr, fmt::format("{} wants a bool, and this is {}: compare it with something", where, type.Text()));
    return Kind::kBool;
  }

  Type OfOperator(Expr& expr) {
    const std::vector<Type> types = VisitAll(expr.children);
    switch (expr.op) {
      case Operator::kAnd:
      case Operator::kOr:
      case Operator::kNot:
        for (size_t i = 0; i < types.size(); ++i) WantBool(expr.children[i], types[i], Sign(expr.op));
        return Kind::kBool;
      case Operator::kConditional:
        return OfConditional(expr, types);
      case Operator::kEqual:
      case Operator::kNotEqual:
        return OfEquality(expr, types);
      case Operator::kLess:
      case Operator::kLessEqual:
      case Operator::kGreater:
      case Operator::kGreaterEqual:
        if (!Compatible(types[0], types[1])) return Unlike(expr, types);
        if (!IsOrdered(types[0]) || !IsOrdered(types[1])) {
          Wrong(expr, fmt::format("{} has no order for {}", Sign(expr.op), Listed(types)));
        }
        return Kind::kBool;
      case Operator::kIn:
        return OfIn(expr, types);
      case Operator::kIndex:
        return OfIndex(expr, types);
      default:
        break;
    }
    if (expr.op == Operator::kAdd && types[0].kind() == Kind::kList && types[1].kind() == Kind::kList) {
      if (!Compatible(types[0], types[1])) Wrong(expr, fmt::format("+ joins lists of one type, not {}", Listed(types)));
      return JoinOf(types[0], types[1]);
    }
    std::vector<const Overload*> fitting;
    for (const Overload& each : OperatorTable()) {
      if (each.name == Sign(expr.op) && Takes(each, types)) fitting.push_back(&each);
    }
    if (!fitting.empty()) return ResultOf(fitting, expr.op == Operator::kAdd && types[0].is_dyn() && types[1].is_dyn());
    const bool list =
        expr.op == Operator::kAdd && Compatible(types[0], Type::List({})) && Compatible(types[1], Type::List({}));
    if (list) return types[0].is_dyn() ? types[1] : types[0];
    const bool numbers = types.size() == 2 && types[0].is_number() && types[1].is_number() && types[0] != types[1];
    return Wrong(expr, fmt::format("{} does not take {}{}", Sign(expr.op), Listed(types),
                                   numbers ? ": convert one, as in double(x) or int(x)" : ""));
  }

  static Type ResultOf(const std::vector<const Overload*>& fitting, bool open) {
    const bool same = std::all_of(fitting.begin(), fitting.end(),
                                  [&](const Overload* each) { return each->result == fitting.front()->result; });
    return same && !open ? fitting.front()->result : Type();
  }

  Type Unlike(const Expr& expr, const std::vector<Type>& types) {
    const bool numbers = types[0].is_number() && types[1].is_number();
    Wrong(expr, fmt::format("{} compares {} with {}: {}", Sign(expr.op), types[0].Text(), types[1].Text(),
                            numbers ? "convert one, as in double(x) or int(x)" : "both sides must be of one type"));
    return Kind::kBool;
  }

  Type OfEquality(const Expr& expr, const std::vector<Type>& types) {
    const bool null = types[0].kind() == Kind::kNull || types[1].kind() == Kind::kNull;
    return null || Compatible(types[0], types[1]) ? Type(Kind::kBool) : Unlike(expr, types);
  }

  Type OfConditional(const Expr& expr, const std::vector<Type>& types) {
    WantBool(expr.children[0], types[0], "the condition before '?'");
    const bool null = types[1].kind() == Kind::kNull || types[2].kind() == Kind::kNull;
    if (!null && !Compatible(types[1], types[2])) {
      return Wrong(
          expr, fmt::format("both sides of ':' must be of one type, not {} and {}", types[1].Text(), types[2].Text()));
    }
    return JoinOf(types[1], types[2]);
  }

  Type OfIn(const Expr& expr, const std::vector<Type>& types) {
    const Type& range = types[1];
    if (range.is_dyn()) return Kind::kBool;
    const bool list = range.kind() == Kind::kList;
    if (!list && range.kind() != Kind::kMap && range.kind() != Kind::kRecord) {
      Wrong(expr, fmt::format("'in' looks into a list or a map, not into {}", range.Text()));
      return Kind::kBool;
    }
    const Type& items = list ? range.element() : range.key();
    const bool null = types[0].kind() == Kind::kNull && list;
    if (!null && !Compatible(types[0], items)) {
      Wrong(expr, fmt::format("'in' looks for {} among {}: it is never there", types[0].Text(), items.Text()));
    }
    return Kind::kBool;
  }

  Type OfIndex(const Expr& expr, const std::vector<Type>& types) {
    const Type &from = types[0], &index = types[1];
    if (from.is_dyn()) return {};
    if (from.kind() == Kind::kList) {
      if (!Compatible(index, Kind::kInt)) Wrong(expr, fmt::format("a list is indexed by int, not by {}", index.Text()));
      return from.element();
    }
    if (from.kind() == Kind::kMap) {
      if (!Compatible(index, from.key())) {
        Wrong(expr, fmt::format("the keys of this map are {}, not {}", from.key().Text(), index.Text()));
      }
      return from.element();
    }
    if (from.kind() != Kind::kRecord) return Wrong(expr, fmt::format("[] takes a list or a map, not {}", from.Text()));
    if (!Compatible(index, Kind::kString))
      return Wrong(expr, fmt::format("a field's name is a string, not {}", index.Text()));
    const Expr& key = expr.children[1];
    if (!key.is(Expr::Kind::kLiteral)) return {};
    const Type::Field* field = from.Find(key.literal.AsText());
    if (field) return field->type;
    return Wrong(key, fmt::format("'{}' has no field '{}'{}", Print(expr.children[0]), key.literal.AsText(),
                                  DidYouMean(key.literal.AsText(), from.FieldNames())));
  }

  Type OfCall(Expr& expr) {
    const std::vector<Type> types = VisitAll(expr.children);
    std::span<const Overload> shaped = OverloadsOf(expr.name, expr.member, types.size());
    if (shaped.empty()) return NoSuchFunction(expr);
    std::vector<const Overload*> fitting;
    for (const Overload& each : shaped) {
      if (Takes(each, types)) fitting.push_back(&each);
    }
    if (fitting.empty()) {
      std::string known;
      for (const Overload& each : shaped) {
        std::span<const Type> parameters = each.parameters;
        known += known.empty() ? "" : " or ";
        known += each.member ? parameters[0].Text() + "." + expr.name + Listed(parameters.subspan(1))
                             : expr.name + Listed(parameters);
      }
      std::span<const Type> given = types;
      const std::string written =
          expr.member ? given[0].Text() + "." + expr.name + Listed(given.subspan(1)) : expr.name + Listed(given);
      return Wrong(expr, fmt::format("there is no {}; there is {}", written, known));
    }
    const Expr* pattern = expr.name == "matches" ? &expr.children[1] : nullptr;
    if (pattern && pattern->is(Expr::Kind::kLiteral) && pattern->literal.is(Value::Kind::kString)) {
      if (auto regex = Regex::Compile(pattern->literal.AsText()); !regex) Wrong(*pattern, regex.error().message);
    }
    return ResultOf(fitting, false);
  }

  Type NoSuchFunction(const Expr& expr) {
    const std::vector<std::string_view> names = FunctionNames();
    if (std::ranges::find(names, expr.name) == names.end()) {
      constexpr std::string_view kMacros[] = {"all", "exists", "exists_one", "filter", "map"};
      std::vector<std::string_view> all = names;
      if (expr.member) all.insert(all.end(), std::begin(kMacros), std::end(kMacros));
      const bool macro = std::ranges::find(kMacros, expr.name) != std::end(kMacros);
      return Wrong(expr, macro ? fmt::format("{} is written list.{}(x, …)", expr.name, expr.name)
                               : fmt::format("there is no function '{}'{}", expr.name, DidYouMean(expr.name, all)));
    }
    const size_t count = expr.children.size();
    for (size_t other = 0; other <= kMaxArguments; ++other) {
      for (bool member : {expr.member, !expr.member}) {
        if (OverloadsOf(expr.name, member, other).empty()) continue;
        return Wrong(expr, member == expr.member
                               ? fmt::format("{}() takes {}, not {}", expr.name,
                                             Count(other - (member ? 1 : 0), "argument"), count - (member ? 1 : 0))
                               : fmt::format("{} is written {}", expr.name,
                                             member ? "x." + expr.name + "(…)" : expr.name + "(x)"));
      }
    }
    return {};
  }

  Type OfMap(Expr& expr) {
    Type key = Kind::kOpen, value = Kind::kOpen;
    for (size_t i = 0; i + 1 < expr.children.size(); i += 2) {
      const Type one = Visit(expr.children[i]);
      const Kind kind = one.kind();
      const bool may =
          one.is_dyn() || kind == Kind::kBool || kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kString;
      if (!may) Wrong(expr.children[i], fmt::format("a key is bool, int, uint or string, not {}", one.Text()));
      key = JoinOf(key, one);
      value = JoinOf(value, Visit(expr.children[i + 1]));
    }
    return Type::Map(key, value);
  }

  Type OfMacro(Expr& expr) {
    std::vector<Expr>& parts = expr.children;
    const Type range = Visit(parts[0]);
    const size_t outer = scope_.size();
    const bool list = range.kind() == Kind::kList;
    const bool map = range.kind() == Kind::kMap || range.kind() == Kind::kRecord;
    if (expr.name == "bind") {
      scope_.push_back({expr.variables[0], range});
    } else if (!range.is_dyn() && !list && !map) {
      Wrong(expr, fmt::format("{} goes through a list or the keys of a map, not through {}", expr.name, range.Text()));
      for (const std::string& name : expr.variables) scope_.push_back({name, {}});
    } else if (expr.variables.size() == 1) {
      scope_.push_back({expr.variables[0], list ? range.element() : map ? range.key() : Type()});
    } else {
      scope_.push_back({expr.variables[0], list ? Type(Kind::kInt) : map ? range.key() : Type()});
      scope_.push_back({expr.variables[1], range.element()});
    }
    Type result;
    if (expr.name == "all" || expr.name == "exists" || expr.name == "exists_one" || expr.name == "filter") {
      WantBool(parts[1], Visit(parts[1]), expr.name);
      result = expr.name != "filter" ? Type(Kind::kBool) : list ? range : Type::List(map ? range.key() : Type());
    } else {
      if (parts.size() == 3) WantBool(parts[1], Visit(parts[1]), expr.name);
      const Type last = Visit(parts.back());
      result = expr.name == "bind"           ? last
               : expr.name == "transformMap" ? Type::Map(list  ? Type(Kind::kInt)
                                                         : map ? range.key()
                                                               : Type(),
                                                         last)
                                             : Type::List(last);
    }
    scope_.resize(outer);
    return result;
  }

  const Environment& environment_;
  std::vector<Type::Field> scope_;  // Of the macros around, the innermost last.
  std::vector<Problem> problems_;
};

}  // namespace

Status Check(Expr& expr, const Environment& environment) {
  Checker checker(environment);
  checker.Visit(expr);
  return checker.Verdict();
}

}  // namespace weft::cel
