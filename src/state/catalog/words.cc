#include "state/catalog/words.h"

#include <algorithm>

#include "base/text.h"

namespace weft::catalog {
namespace {

constexpr size_t kBefore = 6, kShown = 18;  // Words of a snippet.

// The base letters of U+00C0 to U+017F; '*' keeps the letter as it is.
constexpr std::string_view kBases =
    "aaaaaa*ceeeeiiii*nooooo*ouuuuy**aaaaaa*ceeeeiiii*nooooo*ouuuuy*y"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii**jjkk*llllll*"
    "*llnnnnnn***oooooo**rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzz*";
static_assert(kBases.size() == 0x180 - 0xC0);

// A code point of UTF-8 text, and how many bytes it takes; 0 for a byte that is none.
char32_t PointAt(std::string_view text, size_t at, size_t* bytes) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  *bytes = 1;
  if (first < 0x80) return first;
  if (length == 1 || at + length > text.size()) return 0;
  char32_t point = first & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
    point = (point << 6) | (byte(at + i) & 0x3F);
  }
  *bytes = length;
  return point;
}

bool IsPart(char32_t point) {
  if (point < 0x80) {
    return (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z') || (point >= '0' && point <= '9');
  }
  if (point < 0xC0) return point == 0xAA || point == 0xB5 || point == 0xBA;
  if (point == 0xD7 || point == 0xF7) return false;
  return !(point >= 0x2000 && point <= 0x2BFF) && !(point >= 0x3000 && point <= 0x303F) && point != 0xFEFF &&
         !(point >= 0xFF00 && point <= 0xFF0F);
}

bool IsCapital(char32_t point) { return point >= 'A' && point <= 'Z'; }
bool IsSmall(char32_t point) { return point >= 'a' && point <= 'z'; }

// In lower case and without accents: of Latin, Greek and Cyrillic; what else there is stays.
void Fold(std::string_view bytes, char32_t point, std::string* word) {
  if (point < 0x80) {
    *word += static_cast<char>(IsCapital(point) ? point + 32 : point);
  } else if (point >= 0xC0 && point < 0x180 && kBases[point - 0xC0] != '*') {
    *word += kBases[point - 0xC0];
  } else if ((point >= 0x391 && point <= 0x3A9) || (point >= 0x410 && point <= 0x42F)) {
    const char32_t low = point + 32;
    *word += static_cast<char>(0xC0 | (low >> 6));
    *word += static_cast<char>(0x80 | (low & 0x3F));
  } else {
    *word += bytes;
  }
}

std::string Singular(std::string word) {
  if (word.size() <= 3 || !word.ends_with('s') || word.ends_with("ss")) return word;
  if (word.ends_with("sses")) return word.substr(0, word.size() - 2);
  if (word.size() > 4 && word.ends_with("ies")) return word.substr(0, word.size() - 3) + "y";
  word.pop_back();
  return word;
}

}  // namespace

std::vector<Token> TokensOf(std::string_view text) {
  std::vector<Token> tokens;
  Token token;
  char32_t before = 0;
  const auto finish = [&](size_t at) {
    if (!token.word.empty()) {
      token.end = at;
      token.word = Singular(std::move(token.word));
      tokens.push_back(std::move(token));
    }
    token = Token();
    before = 0;
  };
  for (size_t at = 0, bytes = 0; at < text.size(); at += bytes) {
    const char32_t point = PointAt(text, at, &bytes);
    if (!IsPart(point)) {
      finish(at);
      continue;
    }
    if (IsCapital(point) && IsSmall(before)) finish(at);
    if (token.word.empty()) token.begin = at;
    Fold(text.substr(at, bytes), point, &token.word);
    before = point;
  }
  finish(text.size());
  return tokens;
}

std::string IndexText(std::string_view text) {
  std::string words;
  std::string whole;
  size_t end = 0, parts = 0;
  const auto add = [&](std::string_view word) {
    if (!words.empty()) words += ' ';
    words += word;
  };
  const auto add_whole = [&] {
    if (parts > 1) add(Singular(whole));
  };
  for (const Token& token : TokensOf(text)) {
    if (token.begin != end || parts == 0) {
      add_whole();
      whole.clear();
      parts = 0;
    }
    for (char c : text.substr(token.begin, token.end - token.begin)) {
      whole += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    ++parts;
    end = token.end;
    add(token.word);
  }
  add_whole();
  return words;
}

std::string Snippet(std::string_view text, const std::vector<Term>& terms) {
  const std::vector<Token> tokens = TokensOf(text);
  const auto found = [&](const Token& token) {
    return std::ranges::any_of(terms, [&](const Term& term) { return term.Is(token.word); });
  };
  const auto first = std::ranges::find_if(tokens, found);
  if (first == tokens.end()) return "";
  const auto at = static_cast<size_t>(first - tokens.begin());
  const size_t from = at > kBefore && tokens.size() > kShown ? at - kBefore : 0;
  const size_t to = std::min(tokens.size(), from + kShown);
  std::string snippet = from == 0 ? "" : "…";
  size_t done = from == 0 ? 0 : tokens[from].begin;
  for (size_t i = from; i < to; ++i) {
    if (!found(tokens[i])) continue;
    snippet += text.substr(done, tokens[i].begin - done);
    snippet += "«";
    snippet += text.substr(tokens[i].begin, tokens[i].end - tokens[i].begin);
    snippet += "»";
    done = tokens[i].end;
  }
  const size_t end = to == tokens.size() ? text.size() : tokens[to - 1].end;
  snippet += text.substr(done, end - done);
  return to == tokens.size() ? snippet : snippet + "…";
}

}  // namespace weft::catalog
