#include <algorithm>

#include "base/text.h"
#include "model/cel/functions.h"
#include "model/cel/regex.h"
#include "model/cel/utf8.h"

namespace weft::cel {
namespace {

using Arguments = const Value* const*;

// Work over text is paid by the 16 bytes.
bool Read(Budget& budget, std::string_view text) { return budget.Spend(static_cast<int64_t>(text.size() / 16)); }

bool Give(Budget& budget, std::string text, Value& result) {
  if (!budget.Grow(text.size()) || !Read(budget, text)) return false;
  result = Value::Text(std::move(text));
  return true;
}

bool Give(Budget& budget, Value::List items, Value& result) {
  if (!budget.Grow(items.size() * sizeof(Value))) return false;
  result = Value::Of(std::move(items));
  return true;
}

bool Size(Budget& budget, Arguments a, Value& result) {
  const Value& of = *a[0];
  int64_t size = 0;
  switch (of.kind()) {
    case Value::Kind::kString:
      if (!Read(budget, of.AsText())) return false;
      size = CountPoints(of.AsText());
      break;
    case Value::Kind::kBytes:
      size = static_cast<int64_t>(of.AsBytes().size());
      break;
    case Value::Kind::kList:
      size = static_cast<int64_t>(of.AsList().size());
      break;
    default:
      size = static_cast<int64_t>(of.AsMap().size());
      break;
  }
  result = Value(size);
  return true;
}

bool Contains(Budget& budget, Arguments a, Value& result) {
  if (!Read(budget, a[0]->AsText())) return false;
  result = Value(a[0]->AsText().find(a[1]->AsText()) != std::string::npos);
  return true;
}

bool StartsWith(Budget& /*budget*/, Arguments a, Value& result) {
  result = Value(a[0]->AsText().starts_with(a[1]->AsText()));
  return true;
}

bool EndsWith(Budget& /*budget*/, Arguments a, Value& result) {
  result = Value(a[0]->AsText().ends_with(a[1]->AsText()));
  return true;
}

// Patterns that are literals are compiled with the program and do not come here.
bool Matches(Budget& budget, Arguments a, Value& result) {
  const std::string& pattern = a[1]->AsText();
  if (!budget.Spend(500 + static_cast<int64_t>(pattern.size()) * 10) || !Read(budget, a[0]->AsText())) return false;
  auto regex = Regex::Compile(pattern);
  if (!regex) return budget.Fail("{} is no regular expression of RE2", *a[1]);
  result = Value(regex->Finds(a[0]->AsText()));
  return true;
}

std::string MapAscii(std::string text, char first, char last) {
  for (char& c : text) {
    if (c >= first && c <= last) c = static_cast<char>(c ^ 0x20);
  }
  return text;
}

bool LowerAscii(Budget& budget, Arguments a, Value& result) {
  return Give(budget, MapAscii(a[0]->AsText(), 'A', 'Z'), result);
}
bool UpperAscii(Budget& budget, Arguments a, Value& result) {
  return Give(budget, MapAscii(a[0]->AsText(), 'a', 'z'), result);
}

bool IsBlank(uint32_t point) {
  return (point >= 0x09 && point <= 0x0d) || point == 0x20 || point == 0x85 || point == 0xa0 || point == 0x1680 ||
         (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 || point == 0x202f ||
         point == 0x205f || point == 0x3000;
}

bool TrimText(Budget& budget, Arguments a, Value& result) {
  const std::string& text = a[0]->AsText();
  size_t first = 0, last = text.size();
  while (first < last && IsBlank(PointAt(text, first))) first += LengthAt(text, first);
  while (last > first) {
    size_t at = last - 1;
    while (at > first && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
    if (!IsBlank(PointAt(text, at))) break;
    last = at;
  }
  return Give(budget, text.substr(first, last - first), result);
}

bool CharAt(Budget& budget, Arguments a, Value& result) {
  const std::string& text = a[0]->AsText();
  const size_t at = a[1]->AsInt() < 0 ? std::string::npos : ByteOf(text, a[1]->AsInt());
  if (at == std::string::npos) return budget.Fail("charAt({}) is outside the text", *a[1]);
  return Read(budget, text) && Give(budget, at == text.size() ? "" : text.substr(at, LengthAt(text, at)), result);
}

bool IndexOfFrom(Budget& budget, Arguments a, int64_t from, Value& result) {
  const std::string& text = a[0]->AsText();
  if (!Read(budget, text)) return false;
  const size_t start = from < 0 ? std::string::npos : ByteOf(text, from);
  if (start == std::string::npos) return budget.Fail("indexOf from {} is outside the text", Value(from));
  const size_t at = text.find(a[1]->AsText(), start);
  result = Value(at == std::string::npos ? int64_t{-1} : CountPoints(std::string_view(text).substr(0, at)));
  return true;
}

bool IndexOf(Budget& budget, Arguments a, Value& result) { return IndexOfFrom(budget, a, 0, result); }
bool IndexOfAt(Budget& budget, Arguments a, Value& result) { return IndexOfFrom(budget, a, a[2]->AsInt(), result); }

bool LastIndexOf(Budget& budget, Arguments a, Value& result) {
  const std::string& text = a[0]->AsText();
  if (!Read(budget, text)) return false;
  const size_t at = text.rfind(a[1]->AsText());
  result = Value(at == std::string::npos ? int64_t{-1} : CountPoints(std::string_view(text).substr(0, at)));
  return true;
}

bool LastIndexOfAt(Budget& budget, Arguments a, Value& result) {
  const std::string& text = a[0]->AsText();
  if (!Read(budget, text)) return false;
  const size_t start = a[2]->AsInt() < 0 ? std::string::npos : ByteOf(text, a[2]->AsInt());
  if (start == std::string::npos) return budget.Fail("lastIndexOf from {} is outside the text", *a[2]);
  const size_t at = text.rfind(a[1]->AsText(), start);
  result = Value(at == std::string::npos ? int64_t{-1} : CountPoints(std::string_view(text).substr(0, at)));
  return true;
}

// Refuses before it grows: the result's size is known from the number of places.
bool ReplaceUpTo(Budget& budget, Arguments a, int64_t most, Value& result) {
  const std::string &text = a[0]->AsText(), &from = a[1]->AsText(), &to = a[2]->AsText();
  if (!Read(budget, text)) return false;
  if (most < 0) most = INT64_MAX;
  std::string out;
  size_t at = 0;
  while (most-- > 0) {
    const size_t next = from.empty() ? at : text.find(from, at);
    if (next == std::string::npos || next > text.size()) break;
    out.append(text, at, next - at).append(to);
    if (!budget.Spend(1) || !budget.Grow(to.size())) return false;
    at = next + from.size();
    if (!from.empty()) continue;
    if (at == text.size()) break;
    const size_t step = LengthAt(text, at);
    out.append(text, at, step);
    at += step;
  }
  out.append(text, std::min(at, text.size()));
  return Give(budget, std::move(out), result);
}

bool Replace(Budget& budget, Arguments a, Value& result) { return ReplaceUpTo(budget, a, -1, result); }
bool ReplaceSome(Budget& budget, Arguments a, Value& result) { return ReplaceUpTo(budget, a, a[3]->AsInt(), result); }

bool SplitUpTo(Budget& budget, Arguments a, int64_t most, Value& result) {
  const std::string &text = a[0]->AsText(), &by = a[1]->AsText();
  Value::List pieces;
  if (most < 0) most = INT64_MAX;
  if (!Read(budget, text) || !budget.Grow(text.size())) return false;
  size_t at = 0;
  while (most > 0 && !(by.empty() && at >= text.size())) {
    const size_t next = most == 1 ? std::string::npos : by.empty() ? at + LengthAt(text, at) : text.find(by, at);
    if (!budget.Spend(1) || !budget.Grow(sizeof(Value))) return false;
    pieces.push_back(Value::Text(text.substr(at, next == std::string::npos ? next : next - at)));
    if (next == std::string::npos) break;
    at = next + by.size();
    --most;
  }
  return Give(budget, std::move(pieces), result);
}

bool SplitAll(Budget& budget, Arguments a, Value& result) { return SplitUpTo(budget, a, -1, result); }
bool SplitSome(Budget& budget, Arguments a, Value& result) { return SplitUpTo(budget, a, a[2]->AsInt(), result); }

bool Part(Budget& budget, const std::string& text, int64_t from, int64_t to, Value& result) {
  if (!Read(budget, text)) return false;
  const size_t start = from < 0 ? std::string::npos : ByteOf(text, from);
  const size_t end = to < from ? std::string::npos : to == INT64_MAX ? text.size() : ByteOf(text, to);
  if (start == std::string::npos) return budget.Fail("substring from {} is outside the text", Value(from));
  if (end == std::string::npos)
    return budget.Fail("substring up to {} is outside the text, or before its start", Value(to));
  return Give(budget, text.substr(start, end - start), result);
}

bool SubstringFrom(Budget& budget, Arguments a, Value& result) {
  return Part(budget, a[0]->AsText(), a[1]->AsInt(), INT64_MAX, result);
}
bool Substring(Budget& budget, Arguments a, Value& result) {
  return Part(budget, a[0]->AsText(), a[1]->AsInt(), a[2]->AsInt(), result);
}

bool JoinWith(Budget& budget, const Value::List& pieces, std::string_view between, Value& result) {
  std::string text;
  for (const Value& piece : pieces) {
    if (!piece.is(Value::Kind::kString)) return budget.Fail("join() takes a list of strings, and {} is none", piece);
    if (!budget.Spend(1) || !budget.Grow(between.size() + piece.AsText().size())) return false;
    if (&piece != &pieces.front()) text += between;
    text += piece.AsText();
  }
  return Give(budget, std::move(text), result);
}

bool JoinAll(Budget& budget, Arguments a, Value& result) { return JoinWith(budget, a[0]->AsList(), "", result); }
bool JoinBy(Budget& budget, Arguments a, Value& result) {
  return JoinWith(budget, a[0]->AsList(), a[1]->AsText(), result);
}

bool Reverse(Budget& budget, Arguments a, Value& result) {
  const std::string& text = a[0]->AsText();
  std::string out;
  for (size_t end = text.size(); end > 0;) {
    size_t at = end - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
    out.append(text, at, end - at);
    end = at;
  }
  return Give(budget, std::move(out), result);
}

bool Quote(Budget& budget, Arguments a, Value& result) {
  constexpr std::string_view kPlain = "\a\b\f\n\r\t\v\\\"", kEscape = "abfnrtv\\\"";
  std::string out = "\"";
  for (char c : a[0]->AsText()) {
    const size_t known = kPlain.find(c);
    if (known != kPlain.npos) out += '\\';
    out += known == kPlain.npos ? c : kEscape[known];
  }
  return Give(budget, out + '"', result);
}

bool FailAlways(Budget& budget, Arguments a, Value& /*result*/) { return budget.Fail("{}", *a[0]); }

constexpr Signature kTable[] = {
    {"size", "(string) -> int", Size},
    {"size", "(bytes) -> int", Size},
    {"size", "(list) -> int", Size},
    {"size", "(map) -> int", Size},
    {"size", "string.() -> int", Size},
    {"size", "bytes.() -> int", Size},
    {"size", "list.() -> int", Size},
    {"size", "map.() -> int", Size},
    {"contains", "string.(string) -> bool", Contains},
    {"startsWith", "string.(string) -> bool", StartsWith},
    {"endsWith", "string.(string) -> bool", EndsWith},
    {"matches", "string.(string) -> bool", Matches},
    {"matches", "(string, string) -> bool", Matches},
    {"lowerAscii", "string.() -> string", LowerAscii},
    {"upperAscii", "string.() -> string", UpperAscii},
    {"trim", "string.() -> string", TrimText},
    {"charAt", "string.(int) -> string", CharAt},
    {"indexOf", "string.(string) -> int", IndexOf},
    {"indexOf", "string.(string, int) -> int", IndexOfAt},
    {"lastIndexOf", "string.(string) -> int", LastIndexOf},
    {"lastIndexOf", "string.(string, int) -> int", LastIndexOfAt},
    {"replace", "string.(string, string) -> string", Replace},
    {"replace", "string.(string, string, int) -> string", ReplaceSome},
    {"split", "string.(string) -> list<string>", SplitAll},
    {"split", "string.(string, int) -> list<string>", SplitSome},
    {"substring", "string.(int) -> string", SubstringFrom},
    {"substring", "string.(int, int) -> string", Substring},
    {"join", "list<string>.() -> string", JoinAll},
    {"join", "list<string>.(string) -> string", JoinBy},
    {"reverse", "string.() -> string", Reverse},
    {"strings.quote", "(string) -> string", Quote},
    {"format", "string.(list) -> string", Format},
    {"cel.error", "(string) -> dyn", FailAlways},
};

}  // namespace

std::span<const Signature> TextFunctions() { return kTable; }

}  // namespace weft::cel
