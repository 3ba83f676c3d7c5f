// Small things that one does with text.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

std::vector<std::string> Split(std::string_view text, char by);  // "" gives one empty piece.
std::string Join(std::span<const std::string> pieces, std::string_view between);
std::string_view Trim(std::string_view text);  // ASCII white space off both ends.
std::string Lower(std::string_view text);      // ASCII letters only.
std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to);
bool IsUtf8(std::string_view text);

// The candidate that the person most likely meant (edit distance at most a third of its length), or "".
std::string_view Nearest(std::string_view written, std::span<const std::string_view> candidates);
std::string DidYouMean(std::string_view written,
                       std::span<const std::string_view> candidates);  // "; did you mean 'x'?"

// SQL text: 'a''b' and "a""b".
std::string SqlText(std::string_view value);
std::string SqlName(std::string_view name);

std::string Count(size_t n, std::string_view noun);  // "1 row", "2 rows"
std::string HumanCount(int64_t n);                   // "336,776"
std::string HumanBytes(int64_t bytes);               // "7.3 MB"

}  // namespace weft
