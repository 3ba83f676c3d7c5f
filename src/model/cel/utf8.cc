#include "model/cel/utf8.h"

#include <algorithm>

namespace weft::cel {

int64_t CountPoints(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

size_t ByteOf(std::string_view text, int64_t index) {
  size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += LengthAt(text, at);
  return index == 0 ? at : std::string_view::npos;
}

uint32_t PointAt(std::string_view text, size_t at) {
  const size_t length = LengthAt(text, at);
  auto point = static_cast<uint32_t>(static_cast<unsigned char>(text[at]));
  if (length > 1) point &= 0x7fU >> length;
  for (size_t i = 1; i < length; ++i) point = point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fU);
  return point;
}

void AppendPoint(std::string& text, uint32_t point) {
  if (point < 0x80) {
    text += static_cast<char>(point);
    return;
  }
  const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  constexpr uint32_t kLead[] = {0, 0xc0, 0xe0, 0xf0};
  text += static_cast<char>(kLead[more] | point >> (6 * more));
  for (int i = more - 1; i >= 0; --i) text += static_cast<char>(0x80 | (point >> (6 * i) & 0x3f));
}

}  // namespace weft::cel
