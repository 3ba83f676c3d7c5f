// What went wrong in an evaluation, in words.
#pragma once

#include <string>

#include "model/cel/ast.h"

namespace weft::cel::words {

// The value as CEL text, cut where it is long.
std::string Shown(const Value& value);

// Each of these is a Words: the expression, and the values that were at hand.
std::string TooCostly(const Expr& at, const Value&, const Value&);
std::string TooLarge(const Expr& at, const Value&, const Value&);
std::string NoValue(const Expr& at, const Value&, const Value&);
std::string Missing(const Expr& at, const Value&, const Value&);
std::string NoFields(const Expr& at, const Value& from, const Value&);
std::string NoField(const Expr& at, const Value& from, const Value&);
std::string NotBool(const Expr& at, const Value& term, const Value&);
std::string NoOperator(const Expr& at, const Value& one, const Value& other);
std::string NoNegative(const Expr& at, const Value& one, const Value&);
std::string NoOverload(const Expr& at, const Value& types, const Value&);
std::string NoKey(const Expr& at, const Value& from, const Value& key);
std::string NoIndex(const Expr& at, const Value& from, const Value& index);
std::string Outside(const Expr& at, const Value& from, const Value& index);
std::string NotAKey(const Expr& at, const Value& key, const Value&);
std::string RepeatedKey(const Expr& at, const Value&, const Value&);
std::string NoRange(const Expr& at, const Value& range, const Value&);
std::string Overflow(const Expr& at, const Value&, const Value&);
std::string ByZero(const Expr& at, const Value&, const Value&);

}  // namespace weft::cel::words
