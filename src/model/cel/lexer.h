// The words of a CEL text.
#pragma once

#include <string>
#include <string_view>

#include "model/cel/ast.h"

namespace weft::cel {

struct Token {
  enum class Kind { kEnd, kName, kQuotedName, kInt, kUint, kDouble, kString, kBytes, kSign };
  Kind kind = Kind::kEnd;
  std::string_view text;  // As written; of a uint without its u, of a quoted name without the quotes.
  std::string decoded;    // Of strings and bytes.
  Position at;

  bool Is(std::string_view sign) const { return kind == Kind::kSign && text == sign; }
  bool IsWord(std::string_view word) const { return kind == Kind::kName && text == word; }
};

// The text must outlive its tokens, and be UTF-8.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Result<Token> Next();

 private:
  char Peek(size_t ahead = 0) const { return at_.offset + ahead < text_.size() ? text_[at_.offset + ahead] : '\0'; }
  bool Starts(std::string_view with) const { return text_.substr(at_.offset).starts_with(with); }
  void Step(size_t bytes = 1);
  void SkipBlanks();
  Result<Token> Number(Token token);
  Result<Token> Text(Token token);
  Status Escape(Token& token, bool bytes);
  Result<Token> QuotedName(Token token);

  std::string_view text_;
  Position at_;
};

bool IsReserved(std::string_view word);  // Words that no variable or function may have as a name.
bool IsKeyword(std::string_view word);   // Words that no field may have as a name either.

}  // namespace weft::cel
