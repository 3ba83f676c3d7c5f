#include "model/policy/mentioned.h"

#include "model/cel/ast.h"
#include "model/policy/question.h"

namespace weft::model {
namespace {

using cel::Expr;
using cel::Operator;

bool IsPrincipalName(const Expr& expr) {
  return expr.is(Expr::Kind::kSelect) && expr.name == "name" && IsVariable(expr.children[0], "principal");
}
bool IsPurpose(const Expr& expr) { return IsVariable(expr, "purpose"); }

// A text, or those of a list.
void AddTexts(const Expr& expr, std::set<std::string>* texts) {
  if (expr.is(Expr::Kind::kLiteral) && expr.literal.is(cel::Value::Kind::kString)) texts->insert(expr.literal.AsText());
  if (!expr.is(Expr::Kind::kList)) return;
  for (const Expr& item : expr.children) AddTexts(item, texts);
}

void Find(const Expr& expr, Mentioned* mentioned) {
  for (const Expr& child : expr.children) Find(child, mentioned);
  if (!expr.is(Operator::kEqual) && !expr.is(Operator::kNotEqual) && !expr.is(Operator::kIn)) return;
  for (const size_t one : {0U, 1U}) {
    const Expr &named = expr.children[one], &with = expr.children[1 - one];
    if (IsPrincipalName(named)) AddTexts(with, &mentioned->principals);
    if (IsPurpose(named)) AddTexts(with, &mentioned->purposes);
  }
}

}  // namespace

void Mentioned::Add(const Policy& policy) {
  for (const std::string& name : policy.principals) {
    if (!name.starts_with("group:")) principals.insert(name);
  }
  for (const Purpose::Named& purpose : policy.purposes) purposes.insert(purpose.name);
  for (const std::string* text : {&policy.when.text, &policy.expression.text}) {
    if (text->find("name") == std::string::npos && text->find("purpose") == std::string::npos) continue;
    if (const auto parsed = cel::Parse(*text)) Find(*parsed, this);
  }
}

}  // namespace weft::model
