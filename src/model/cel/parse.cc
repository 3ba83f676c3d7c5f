#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "model/cel/ast.h"
#include "model/cel/lexer.h"
#include "model/cel/numbers.h"

namespace weft::cel {
namespace {

using Op = Operator;

struct Infix {
  std::string_view sign;
  Op op;
  int precedence;
};
constexpr Infix kInfixes[] = {
    {"||", Op::kOr, 1},    {"&&", Op::kAnd, 2},       {"==", Op::kEqual, 3},   {"!=", Op::kNotEqual, 3},
    {"<", Op::kLess, 3},   {"<=", Op::kLessEqual, 3}, {">", Op::kGreater, 3},  {">=", Op::kGreaterEqual, 3},
    {"in", Op::kIn, 3},    {"+", Op::kAdd, 4},        {"-", Op::kSubtract, 4}, {"*", Op::kMultiply, 5},
    {"/", Op::kDivide, 5}, {"%", Op::kModulo, 5},
};

// Functions whose names have a dot.
constexpr std::string_view kDotted[] = {"strings.quote", "cel.error"};
constexpr std::string_view kTypeNames[] = {"google.protobuf.Timestamp", "google.protobuf.Duration"};

// A macro: which one, with how many arguments, and how many of them are variables.
struct MacroShape {
  std::string_view written;
  size_t arguments;
  size_t variables;
  std::string_view name;
};
constexpr MacroShape kMacros[] = {
    {"all", 2, 1, "all"},
    {"all", 3, 2, "all"},
    {"exists", 2, 1, "exists"},
    {"exists", 3, 2, "exists"},
    {"exists_one", 2, 1, "exists_one"},
    {"existsOne", 2, 1, "exists_one"},
    {"exists_one", 3, 2, "exists_one"},
    {"existsOne", 3, 2, "exists_one"},
    {"filter", 2, 1, "filter"},
    {"map", 2, 1, "map"},
    {"map", 3, 1, "map"},
    {"transformList", 3, 2, "transformList"},
    {"transformList", 4, 2, "transformList"},
    {"transformMap", 3, 2, "transformMap"},
    {"transformMap", 4, 2, "transformMap"},
};

// A tree and how deep it is.
struct Tree {
  Expr expr;
  int height = 1;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Result<Expr> Whole() {
    TRY(Advance());
    if (token_.kind == Token::Kind::kEnd) return Fault(token_.at, "an expression is missing");
    Tree tree = TRY(Conditional());
    if (token_.kind != Token::Kind::kEnd) return Unexpected("the end, or an operator such as && before it");
    return std::move(tree.expr);
  }

 private:
  // One level of recursion; every way down passes through one of these.
  struct Level {
    explicit Level(int& count) : depth(++count) {}
    ~Level() { --depth; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    int& depth;
  };

  Status Advance() {
    token_ = TRY(lexer_.Next());
    return {};
  }

  std::string Shown() const {
    switch (token_.kind) {
      case Token::Kind::kEnd:
        return "the end of the expression";
      case Token::Kind::kString:
      case Token::Kind::kBytes:
        return "a text";
      default:
        return fmt::format("'{}'", token_.text);
    }
  }

  Error Unexpected(std::string_view wanted) const {
    return Fault(token_.at, fmt::format("{} stands where {} should", Shown(), wanted));
  }

  Result<bool> Take(std::string_view sign) {
    if (!token_.Is(sign)) return false;
    TRY(Advance());
    return true;
  }

  Status Expect(std::string_view sign) {
    if (!token_.Is(sign)) return Unexpected(fmt::format("'{}'", sign));
    return Advance();
  }

  static Error TooDeep(Position at) {
    return Fault(at, fmt::format("this nests deeper than {} levels: split the expression", kMaxDepth));
  }

  // The parent of these children.
  static Result<Tree> Grow(Expr parent, std::vector<Tree> children) {
    int height = 0;
    for (Tree& child : children) {
      height = std::max(height, child.height);
      parent.children.push_back(std::move(child.expr));
    }
    if (height + 1 > kMaxDepth) return TooDeep(parent.at);
    return Tree{std::move(parent), height + 1};
  }

  static Result<Tree> Operation(Op op, Position at, std::vector<Tree> children) {
    if (op != Op::kAnd && op != Op::kOr) return Grow(Expr::Of(op, {}, at), std::move(children));
    int height = 0;
    std::vector<Expr> terms;
    for (Tree& child : children) {
      height = std::max(height, child.height + (child.expr.is(op) ? 0 : 1));
      terms.push_back(std::move(child.expr));
    }
    if (height > kMaxDepth) return TooDeep(at);
    return Tree{Expr::Of(op, std::move(terms), at), height};
  }

  Result<Tree> Conditional() {
    Level level(depth_);
    if (depth_ > kMaxDepth) return TooDeep(token_.at);
    Tree condition = TRY(Binary(1));
    if (!token_.Is("?")) return condition;
    const Position at = token_.at;
    TRY(Advance());
    Tree then = TRY(Binary(1));
    TRY(Expect(":"));
    Tree otherwise = TRY(Conditional());
    return Operation(Op::kConditional, at, Pack(std::move(condition), std::move(then), std::move(otherwise)));
  }

  template <class... Trees>
  static std::vector<Tree> Pack(Trees... trees) {
    std::vector<Tree> all;
    (all.push_back(std::move(trees)), ...);
    return all;
  }

  const Infix* NextInfix(int least) const {
    for (const Infix& infix : kInfixes) {
      if (infix.precedence >= least && (token_.Is(infix.sign) || (infix.op == Op::kIn && token_.IsWord("in")))) {
        return &infix;
      }
    }
    return nullptr;
  }

  Result<Tree> Binary(int least) {
    Tree left = TRY(Unary());
    while (const Infix* infix = NextInfix(least)) {
      const Position at = token_.at;
      std::vector<Tree> terms = Pack(std::move(left));
      // Terms of && and || are taken together: as one wide node they need no depth.
      do {
        TRY(Advance());
        terms.push_back(TRY(Binary(infix->precedence + 1)));
      } while (infix->precedence <= 2 && token_.Is(infix->sign));
      left = TRY(Operation(infix->op, at, std::move(terms)));
    }
    return left;
  }

  bool AtNumber() const { return token_.kind == Token::Kind::kInt || token_.kind == Token::Kind::kDouble; }

  Result<Tree> Unary() {
    std::vector<Position> signs;
    const std::string sign = token_.Is("!") ? "!" : "-";
    while (token_.Is(sign)) {
      if (signs.size() >= kMaxDepth) return TooDeep(token_.at);
      signs.push_back(token_.at);
      TRY(Advance());
    }
    if (!signs.empty() && sign == "-" && token_.Is("!")) return Unexpected("an operand (write -(!x))");
    Tree tree;
    if (sign == "-" && !signs.empty() && AtNumber()) {
      tree = TRY(Members(TRY(Number(true, signs.back()))));
      signs.pop_back();
    } else {
      tree = TRY(Members(TRY(Primary())));
    }
    for (; !signs.empty(); signs.pop_back()) {
      tree = TRY(Operation(sign == "!" ? Op::kNot : Op::kNegate, signs.back(), Pack(std::move(tree))));
    }
    return tree;
  }

  Result<Tree> Number(bool negative, Position at) {
    const Token token = token_;
    TRY(Advance());
    const std::string text = (negative ? "-" : "") + std::string(token.text);
    auto bad = [&](std::string_view range) {
      return Fault(at,
                   fmt::format("{}{} is out of range: {}", text, token.kind == Token::Kind::kUint ? "u" : "", range));
    };
    if (token.kind == Token::Kind::kDouble) {
      auto value = ParseDouble(text);
      if (!value) return bad("a double reaches 1.7976931348623157e308");
      return Tree{Expr::Literal(Value(*value), at)};
    }
    const bool hex = token.text.starts_with("0x") || token.text.starts_with("0X");
    const std::string_view digits = hex ? token.text.substr(2) : token.text;
    uint64_t value = 0;
    auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
    const bool fits = read.ec == std::errc();
    if (token.kind == Token::Kind::kUint) {
      if (!fits) return bad("a uint reaches 18446744073709551615");
      return Tree{Expr::Literal(Value(value), at)};
    }
    const uint64_t most = static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0);
    if (!fits || value > most) return bad("an int is between -9223372036854775808 and 9223372036854775807");
    return Tree{Expr::Literal(Value(static_cast<int64_t>(negative ? 0 - value : value)), at)};
  }

  Result<Tree> Members(Tree tree) {
    while (true) {
      const Position at = token_.at;
      if (TRY(Take("["))) {
        Tree index = TRY(Conditional());
        TRY(Expect("]"));
        tree = TRY(Operation(Op::kIndex, at, Pack(std::move(tree), std::move(index))));
      } else if (token_.Is(".")) {
        TRY(Advance());
        tree = TRY(Member(std::move(tree)));
      } else {
        if (token_.Is("{") && (tree.expr.is(Expr::Kind::kVariable) || tree.expr.is(Expr::Kind::kSelect))) {
          return Fault(at, "messages such as Name{field: 1} are not supported: write a map, {\"field\": 1}");
        }
        return tree;
      }
    }
  }

  // What follows a dot.
  Result<Tree> Member(Tree tree) {
    const Token name = token_;
    const bool quoted = name.kind == Token::Kind::kQuotedName;
    if (!quoted && name.kind != Token::Kind::kName) return Unexpected("the name of a field or function");
    if (!quoted && IsKeyword(name.text)) {
      return Fault(name.at, fmt::format("'{}' is a word of the language: write [\"{}\"]", name.text, name.text));
    }
    TRY(Advance());
    if (!quoted && token_.Is("(")) return MemberCall(std::move(tree), name);
    if (tree.expr.is(Expr::Kind::kSelect) && tree.expr.children[0].is(Expr::Kind::kVariable)) {
      const std::string dotted = fmt::format("{}.{}.{}", tree.expr.children[0].name, tree.expr.name, name.text);
      if (std::ranges::find(kTypeNames, dotted) != std::end(kTypeNames)) {
        Expr type;
        type.kind = Expr::Kind::kVariable;
        type.at = tree.expr.children[0].at;
        type.name = dotted;
        return Tree{std::move(type)};
      }
    }
    Expr select;
    select.kind = Expr::Kind::kSelect;
    select.at = name.at;
    select.name = name.text;
    return Grow(std::move(select), Pack(std::move(tree)));
  }

  Result<Tree> MemberCall(Tree receiver, const Token& name) {
    std::vector<Tree> arguments = TRY(Items("(", ")", false));
    const bool plain = receiver.expr.is(Expr::Kind::kVariable);
    if (plain && receiver.expr.name == "cel" && name.text == "bind" && arguments.size() == 3)
      return Bind(name, std::move(arguments));
    for (const MacroShape& shape : kMacros) {
      if (shape.written == name.text && shape.arguments == arguments.size()) {
        return Macro(shape, name, std::move(receiver), std::move(arguments));
      }
    }
    const std::string dotted = plain ? fmt::format("{}.{}", receiver.expr.name, name.text) : "";
    if (std::ranges::find(kDotted, dotted) != std::end(kDotted)) {
      return Grow(Expr::Call(dotted, {}, name.at), std::move(arguments));
    }
    Expr call = Expr::Call(std::string(name.text), {}, name.at);
    call.member = true;
    arguments.insert(arguments.begin(), std::move(receiver));
    return Grow(std::move(call), std::move(arguments));
  }

  // The names of a macro's variables are its first arguments.
  Result<std::vector<std::string>> Variables(const Token& macro, std::vector<Tree>& arguments, size_t count) {
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i) {
      const Expr& each = arguments[i].expr;
      if (!each.is(Expr::Kind::kVariable) || each.name.find('.') != std::string::npos) {
        return Fault(each.at, fmt::format("{} wants a variable's name here, as in {}", macro.text,
                                          macro.text == "bind"
                                              ? "cel.bind(x, value, x + x)"
                                              : fmt::format("list.{}({}, …)", macro.text, count == 1 ? "x" : "i, x")));
      }
      if (std::ranges::find(names, each.name) != names.end()) {
        return Fault(each.at, fmt::format("'{}' names both variables: give each a name of its own", each.name));
      }
      names.push_back(each.name);
    }
    arguments.erase(arguments.begin(), arguments.begin() + static_cast<ptrdiff_t>(count));
    return names;
  }

  Result<Tree> Macro(const MacroShape& shape, const Token& name, Tree range, std::vector<Tree> arguments) {
    Expr macro;
    macro.kind = Expr::Kind::kMacro;
    macro.at = name.at;
    macro.name = shape.name;
    macro.variables = TRY(Variables(name, arguments, shape.variables));
    arguments.insert(arguments.begin(), std::move(range));
    return Grow(std::move(macro), std::move(arguments));
  }

  Result<Tree> Bind(const Token& name, std::vector<Tree> arguments) {
    Expr macro;
    macro.kind = Expr::Kind::kMacro;
    macro.at = name.at;
    macro.name = "bind";
    macro.variables = TRY(Variables(name, arguments, 1));
    return Grow(std::move(macro), std::move(arguments));
  }

  // The expressions between two brackets.
  Result<std::vector<Tree>> Items(std::string_view open, std::string_view close, bool trailing_comma) {
    TRY(Expect(open));
    std::vector<Tree> items;
    while (!token_.Is(close)) {
      if (!items.empty()) {
        if (!token_.Is(",")) return Unexpected(fmt::format("',' or '{}'", close));
        TRY(Advance());
        if (trailing_comma && token_.Is(close)) break;
      }
      items.push_back(TRY(Conditional()));
    }
    TRY(Advance());
    return items;
  }

  Result<Tree> Primary() {
    const Token token = token_;
    switch (token.kind) {
      case Token::Kind::kInt:
      case Token::Kind::kUint:
      case Token::Kind::kDouble:
        return Number(false, token.at);
      case Token::Kind::kString:
        TRY(Advance());
        return Tree{Expr::Literal(Value::Text(token.decoded), token.at)};
      case Token::Kind::kBytes:
        TRY(Advance());
        return Tree{Expr::Literal(Value::Bytes(token.decoded), token.at)};
      case Token::Kind::kName:
        return Name("");
      case Token::Kind::kSign:
        break;
      default:
        return Unexpected("an operand");
    }
    if (TRY(Take("."))) {
      if (token_.kind != Token::Kind::kName) return Unexpected("a name");
      return Name(".");
    }
    if (TRY(Take("("))) {
      Tree tree = TRY(Conditional());
      TRY(Expect(")"));
      return tree;
    }
    if (token.Is("[")) {
      Expr list;
      list.kind = Expr::Kind::kList;
      list.at = token.at;
      return Grow(std::move(list), TRY(Items("[", "]", true)));
    }
    if (token.Is("{")) return MapLiteral();
    return Unexpected("an operand");
  }

  Result<Tree> MapLiteral() {
    Expr map;
    map.kind = Expr::Kind::kMap;
    map.at = token_.at;
    TRY(Advance());
    std::vector<Tree> entries;
    while (!token_.Is("}")) {
      if (!entries.empty()) {
        if (!token_.Is(",")) return Unexpected("',' or '}'");
        TRY(Advance());
        if (token_.Is("}")) break;
      }
      entries.push_back(TRY(Conditional()));
      TRY(Expect(":"));
      entries.push_back(TRY(Conditional()));
    }
    TRY(Advance());
    return Grow(std::move(map), std::move(entries));
  }

  // A name, with its arguments if it is a function's.
  Result<Tree> Name(std::string_view before) {
    const Token token = token_;
    TRY(Advance());
    if (before.empty() && token.text == "true") return Tree{Expr::Literal(Value(true), token.at)};
    if (before.empty() && token.text == "false") return Tree{Expr::Literal(Value(false), token.at)};
    if (before.empty() && token.text == "null") return Tree{Expr::Literal(Value(), token.at)};
    if (IsReserved(token.text)) {
      return Fault(token.at, fmt::format("'{}' is a reserved word: give it another name", token.text));
    }
    if (!token_.Is("(")) {
      Expr variable;
      variable.kind = Expr::Kind::kVariable;
      variable.at = token.at;
      variable.name = std::string(before) + std::string(token.text);
      return Tree{std::move(variable)};
    }
    std::vector<Tree> arguments = TRY(Items("(", ")", false));
    if (token.text != "has") return Grow(Expr::Call(std::string(token.text), {}, token.at), std::move(arguments));
    if (arguments.size() != 1 || !arguments[0].expr.is(Expr::Kind::kSelect)) {
      return Fault(token.at, "has() takes one field, as in has(a.b); for a key write \"b\" in a");
    }
    arguments[0].expr.kind = Expr::Kind::kHas;
    return std::move(arguments[0]);
  }

  Lexer lexer_;
  Token token_;
  int depth_ = 0;
};

}  // namespace

Result<Expr> Parse(std::string_view text) {
  if (text.size() > kMaxText) {
    return Fault({}, fmt::format("this expression has {} bytes; at most {} are read", text.size(), kMaxText));
  }
  if (!IsUtf8(text)) return Fault({}, "this expression is not UTF-8");
  return Parser(text).Whole();
}

}  // namespace weft::cel
