// What writing the index and asking it share: inside this room only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft::catalog {

// The word in a document's marks that says that it is so: what filters ask for, beside words that people write.
std::string MarkOf(std::string_view what, std::string_view value);

// The word, and each that it becomes without one of its letters: two words with one in common are a slip of the pen
// apart, or little more.
std::vector<std::string> VariantsOf(const std::string& word);

}  // namespace weft::catalog
