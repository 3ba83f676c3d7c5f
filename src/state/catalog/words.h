// The words of a text, as they are written into the index of what is found and looked up there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft::catalog {

// A word where it stands. It is in lower case, without accents, in the singular as English makes it: the same on both
// sides, so that "Délais" finds "delay". Names break at "_", "-" and where a capital follows a small letter.
struct Token {
  size_t begin = 0;  // Bytes of the text.
  size_t end = 0;
  std::string word;
};
std::vector<Token> TokensOf(std::string_view text);

// Its words between spaces, and those that break once more whole.
std::string IndexText(std::string_view text);

// A word that is looked for; `beginning`: longer ones that begin with it too.
struct Term {
  std::string word;
  bool beginning = false;

  bool Is(std::string_view other) const { return beginning ? other.starts_with(word) : other == word; }
};

// The text with the words found between « and », cut to what stands around the first of them. Empty: none is there.
std::string Snippet(std::string_view text, const std::vector<Term>& terms);

}  // namespace weft::catalog
