#include <fmt/format.h>

#include "base/text.h"
#include "model/cel/evaluation.h"
#include "model/cel/node.h"

namespace weft::cel {
namespace {

using Op = Node::Op;

class Compiler {
 public:
  explicit Compiler(const Environment& environment) : environment_(environment) {}

  Result<Node> Make(const Expr& expr) {
    if (++depth_ > kMaxDepth) return Fault(expr.at, fmt::format("this nests deeper than {} levels", kMaxDepth));
    auto node = MakeWithin(expr);
    --depth_;
    return node;
  }

 private:
  Result<Node> MakeWithin(const Expr& expr) {
    Node node;
    node.source = &expr;
    if (expr.is(Expr::Kind::kMacro)) return MakeMacro(std::move(node));
    bool constant = true;
    for (const Expr& child : expr.children) {
      node.children.push_back(TRY(Make(child)));
      constant &= node.children.back().is(Op::kConstant);
    }
    switch (expr.kind) {
      case Expr::Kind::kLiteral:
        node.constant = expr.literal;
        return node;
      case Expr::Kind::kVariable:
        Resolve(node);
        return node;
      case Expr::Kind::kSelect:
      case Expr::Kind::kHas:
        node.op = expr.is(Expr::Kind::kHas) ? Op::kHas : Op::kSelect;
        if (const Type::Field* field = expr.children[0].type.Find(expr.name)) {
          node.hint = static_cast<uint32_t>(field - expr.children[0].type.fields().data());
        }
        break;
      case Expr::Kind::kOperator:
        node.op = Op::kOperator;
        node.sign = expr.op;
        break;
      case Expr::Kind::kCall:
        MakeCall(node);
        break;
      case Expr::Kind::kList:
        node.op = Op::kList;
        break;
      default:
        node.op = Op::kMap;
        break;
    }
    if (constant) Fold(node);
    return node;
  }

  void Resolve(Node& node) const {
    std::string_view name = node.source->name;
    const bool root = name.starts_with('.');
    if (root) name.remove_prefix(1);
    for (size_t at = scope_.size(); at > 0 && !root; --at) {
      if (scope_[at - 1] != name) continue;
      node.op = Op::kLocal;
      node.place = static_cast<uint32_t>(at - 1);
      return;
    }
    if (auto known = environment_.Find(name)) {
      node.op = Op::kVariable;
      node.place = static_cast<uint32_t>(*known);
    } else if (KindNamed(name) != Type::Kind::kOpen) {
      node.constant = Value(KindNamed(name));
    } else {
      node.op = Op::kMissing;
    }
  }

  static void MakeCall(Node& node) {
    const Expr& expr = *node.source;
    node.overloads = OverloadsOf(expr.name, expr.member, expr.children.size());
    node.op = node.overloads.empty() ? Op::kMissing : Op::kCall;
    const Node* pattern = expr.name == "matches" && node.is(Op::kCall) ? &node.children[1] : nullptr;
    if (!pattern || !pattern->is(Op::kConstant) || !pattern->constant.is(Value::Kind::kString)) return;
    auto regex = Regex::Compile(pattern->constant.AsText());
    if (!regex) return;  // Fails where it is evaluated, and only if it is.
    node.op = Op::kMatches;
    node.regex = regex.TakeValue();
  }

  Result<Node> MakeMacro(Node node) {
    constexpr std::pair<std::string_view, Op> kMacros[] = {{"all", Op::kAll},
                                                           {"exists", Op::kExists},
                                                           {"exists_one", Op::kExistsOne},
                                                           {"filter", Op::kFilter},
                                                           {"map", Op::kTransform},
                                                           {"transformList", Op::kTransform},
                                                           {"bind", Op::kBind},
                                                           {"transformMap", Op::kTransformMap}};
    const Expr& expr = *node.source;
    for (const auto& [name, op] : kMacros) {
      if (name == expr.name) node.op = op;
    }
    node.children.push_back(TRY(Make(expr.children[0])));
    const size_t outer = scope_.size();
    node.place = static_cast<uint32_t>(outer);
    for (const std::string& name : expr.variables) scope_.push_back(name);
    for (size_t i = 1; i < expr.children.size(); ++i) node.children.push_back(TRY(Make(expr.children[i])));
    scope_.resize(outer);
    return node;
  }

  // What fails is left to fail where it is evaluated: it may never be.
  static void Fold(Node& node) {
    static const Bindings kNone;
    Evaluation evaluation(kNone, {.steps = 10'000, .bytes = 1 << 20});
    Value own;
    const Value* result = evaluation.Run(node, own);
    if (!result) return;
    Node folded;
    folded.source = node.source;
    folded.constant = *result;
    node = std::move(folded);
  }

  const Environment& environment_;
  std::vector<std::string_view> scope_;
  int depth_ = 0;
};

}  // namespace

Result<Node> MakeNode(const Expr& expr, const Environment& environment) { return Compiler(environment).Make(expr); }

Environment& Environment::Add(std::string name, Type type) {
  variables_.push_back({std::move(name), std::move(type)});
  return *this;
}

std::optional<size_t> Environment::Find(std::string_view name) const {
  for (size_t i = 0; i < variables_.size(); ++i) {
    if (variables_[i].name == name) return i;
  }
  return std::nullopt;
}

Result<Bindings> Environment::Bind(const Json& json) const {
  Bindings bindings(variables_.size());
  for (const auto& [name, value] : json.Members()) {
    auto at = Find(name);
    if (!at) {
      std::vector<std::string_view> names;
      for (const Type::Field& each : variables_) names.push_back(each.name);
      return Error{Code::kInvalid, fmt::format("there is no variable '{}'{}", name, DidYouMean(name, names))};
    }
    auto read = Value::FromJson(value, variables_[*at].type);
    if (!read) return read.TakeError().With(name);
    bindings[*at] = read.TakeValue();
  }
  return bindings;
}

Result<Program> Program::Compile(std::string_view text, const Environment& environment) {
  return Compile(TRY(Parse(text)), environment);
}

Result<Program> Program::Compile(Expr expr, const Environment& environment, bool check) {
  auto body = std::make_shared<Program::Body>();
  body->expr = std::move(expr);
  body->environment = environment;
  if (check) TRY(Check(body->expr, environment));
  body->root = TRY(MakeNode(body->expr, environment));
  return Program(std::move(body));
}

const Expr& Program::expr() const { return body_->expr; }

Result<Value> Program::Evaluate(const Bindings& bindings, const Limits& limits) const {
  Evaluation evaluation(bindings, limits);
  Value own;
  const Value* result = evaluation.Run(body_->root, own);
  if (!result) return evaluation.TakeError();
  if (result == &own) return own;
  return *result;
}

}  // namespace weft::cel
