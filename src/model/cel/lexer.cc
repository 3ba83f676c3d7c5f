#include "model/cel/lexer.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/cel/utf8.h"

namespace weft::cel {
namespace {

constexpr std::string_view kKeywords[] = {"false", "in", "null", "true"};
constexpr std::string_view kReserved[] = {"as",        "break",  "const",  "continue", "else", "for",
                                          "function",  "if",     "import", "let",      "loop", "package",
                                          "namespace", "return", "var",    "void",     "while"};
constexpr std::string_view kSigns[] = {"&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/",
                                       "%",  "!",  "?",  ":",  ".",  ",",  "(", ")", "[", "]", "{", "}"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsNameStart(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsName(char c) { return IsNameStart(c) || IsDigit(c); }
int HexValue(char c) { return IsDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10; }

}  // namespace

bool IsKeyword(std::string_view word) { return std::ranges::find(kKeywords, word) != std::end(kKeywords); }
bool IsReserved(std::string_view word) {
  return IsKeyword(word) || std::ranges::find(kReserved, word) != std::end(kReserved);
}

void Lexer::Step(size_t bytes) {
  for (size_t i = 0; i < bytes; ++i, ++at_.offset) {
    const char c = text_[at_.offset];
    if (c == '\n') {
      ++at_.line;
      at_.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
      ++at_.column;
    }
  }
}

void Lexer::SkipBlanks() {
  while (static_cast<size_t>(at_.offset) < text_.size()) {
    const char c = Peek();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
      Step();
    } else if (Starts("//")) {
      while (static_cast<size_t>(at_.offset) < text_.size() && Peek() != '\n') Step();
    } else {
      return;
    }
  }
}

Result<Token> Lexer::Next() {
  SkipBlanks();
  Token token;
  token.at = at_;
  const size_t start = at_.offset;
  if (start >= text_.size()) return token;
  const char c = Peek();
  if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number(std::move(token));
  // b, r and br before a quote are parts of the literal.
  size_t prefix = (c == 'b' || c == 'B') ? 1 : 0;
  if (Peek(prefix) == 'r' || Peek(prefix) == 'R') ++prefix;
  if (Peek(prefix) == '"' || Peek(prefix) == '\'') return Text(std::move(token));
  if (c == '`') return QuotedName(std::move(token));
  if (IsNameStart(c)) {
    while (IsName(Peek())) Step();
    token.kind = Token::Kind::kName;
    token.text = text_.substr(start, at_.offset - start);
    return token;
  }
  for (std::string_view sign : kSigns) {
    if (!Starts(sign)) continue;
    Step(sign.size());
    token.kind = Token::Kind::kSign;
    token.text = text_.substr(start, sign.size());
    return token;
  }
  std::string_view what = text_.substr(start, LengthAt(text_, start));
  std::string hint = c == '=' ? "; write == to compare" : c == '&' ? "; write &&" : c == '|' ? "; write ||" : "";
  return Fault(at_, fmt::format("'{}' means nothing here{}", what, hint));
}

Result<Token> Lexer::Number(Token token) {
  const size_t start = at_.offset;
  token.kind = Token::Kind::kInt;
  if (Peek() == '0' && (Peek(1) == 'x' || Peek(1) == 'X') && IsHex(Peek(2))) {
    Step(2);
    while (IsHex(Peek())) Step();
  } else {
    while (IsDigit(Peek())) Step();
    if (Peek() == '.' && IsDigit(Peek(1))) {
      token.kind = Token::Kind::kDouble;
      Step();
      while (IsDigit(Peek())) Step();
    }
    const size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 2 : 1;
    if ((Peek() == 'e' || Peek() == 'E') && IsDigit(Peek(sign))) {
      token.kind = Token::Kind::kDouble;
      Step(sign);
      while (IsDigit(Peek())) Step();
    }
  }
  token.text = text_.substr(start, at_.offset - start);
  if (token.kind == Token::Kind::kInt && (Peek() == 'u' || Peek() == 'U')) {
    token.kind = Token::Kind::kUint;
    Step();
  }
  if (!IsName(Peek())) return token;
  while (IsName(Peek())) Step();
  return Fault(token.at, fmt::format("'{}' is not a number: write 12, 0x1F, 12u, 1.5 or 1e6",
                                     text_.substr(start, at_.offset - start)));
}

Result<Token> Lexer::Text(Token token) {
  const size_t start = at_.offset;
  bool bytes = Peek() == 'b' || Peek() == 'B';
  if (bytes) Step();
  bool raw = Peek() == 'r' || Peek() == 'R';
  if (raw) Step();
  const char quote = Peek();
  const std::string thrice(3, quote);
  const std::string end = Starts(thrice) ? thrice : std::string(1, quote);
  Step(end.size());
  while (!Starts(end)) {
    const char c = Peek();
    if (static_cast<size_t>(at_.offset) >= text_.size() || (end.size() == 1 && (c == '\n' || c == '\r'))) {
      return Fault(
          token.at,
          fmt::format("this text has no end: close it with {}{}", end,
                      end.size() == 1 ? fmt::format(" on the same line, or write {}…{}", thrice, thrice) : ""));
    }
    if (c == '\\' && !raw) {
      TRY(Escape(token, bytes));
    } else {
      token.decoded += c;
      Step();
    }
  }
  Step(end.size());
  token.kind = bytes ? Token::Kind::kBytes : Token::Kind::kString;
  token.text = text_.substr(start, at_.offset - start);
  return token;
}

Status Lexer::Escape(Token& token, bool bytes) {
  constexpr std::string_view kPlain = "\\?\"'`abfnrtv", kMeaning = "\\?\"'`\a\b\f\n\r\t\v";
  const Position at = at_;
  Step();
  const char c = Peek();
  if (static_cast<size_t>(at_.offset) >= text_.size()) return Fault(at, "this text has no end");
  if (size_t known = kPlain.find(c); known != kPlain.npos) {
    token.decoded += kMeaning[known];
    Step();
    return {};
  }
  uint32_t point = 0;
  const size_t digits = c == 'x' || c == 'X' ? 2 : c == 'u' && !bytes ? 4 : c == 'U' && !bytes ? 8 : 0;
  if (digits > 0) {
    Step();
    for (size_t i = 0; i < digits; ++i, Step()) {
      if (!IsHex(Peek())) return Fault(at, fmt::format("\\{} takes {} hexadecimal digits", c, digits));
      point = point << 4 | static_cast<uint32_t>(HexValue(Peek()));
    }
  } else if (c >= '0' && c <= '3' && Peek(1) >= '0' && Peek(1) <= '7' && Peek(2) >= '0' && Peek(2) <= '7') {
    point = static_cast<uint32_t>((c - '0') * 64 + (Peek(1) - '0') * 8 + Peek(2) - '0');
    Step(3);
  } else {
    const std::string_view shown = text_.substr(at_.offset, LengthAt(text_, at_.offset));
    return Fault(at,
                 fmt::format("'\\{}' is no escape{}; write \\\\ for a backslash, or r\"…\" for a text without escapes",
                             shown, bytes && (c == 'u' || c == 'U') ? " in bytes" : ""));
  }
  if (bytes) {
    token.decoded += static_cast<char>(point);
  } else if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
    return Fault(at, fmt::format("\\{}{:x} is no character of Unicode", c, point));
  } else {
    AppendPoint(token.decoded, point);
  }
  return {};
}

Result<Token> Lexer::QuotedName(Token token) {
  Step();
  const size_t start = at_.offset;
  while (IsName(Peek()) || (Peek() != '\0' && std::string_view(".-/ ").find(Peek()) != std::string_view::npos)) Step();
  if (Peek() != '`' || start == static_cast<size_t>(at_.offset)) {
    return Fault(token.at, "a quoted field is `letters, digits, _ . - / and blanks`; for others write map[\"key\"]");
  }
  token.kind = Token::Kind::kQuotedName;
  token.text = text_.substr(start, at_.offset - start);
  Step();
  return token;
}

}  // namespace weft::cel
