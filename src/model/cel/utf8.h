// Texts as sequences of Unicode code points.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::cel {

// All of these take UTF-8.
inline size_t LengthAt(std::string_view text, size_t at) {  // Bytes of the code point there.
  const auto c = static_cast<unsigned char>(text[at]);
  const size_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
  return at + length <= text.size() ? length : text.size() - at;
}
int64_t CountPoints(std::string_view text);
// The byte where the code point of this index begins; npos where the text has fewer. Its length is a place too.
size_t ByteOf(std::string_view text, int64_t index);
uint32_t PointAt(std::string_view text, size_t at);
void AppendPoint(std::string& text, uint32_t point);

}  // namespace weft::cel
