// Addresses, port keys, versions and globs of any bytes: what is read is written back to the byte, and a pattern
// matches what its definition says.
#include <cstdint>
#include <string_view>

#include "fuzz/check.h"
#include "model/address.h"
#include "model/glob.h"

namespace {

using namespace weft::model;

// Reads a text and writes it again; there is one spelling of each value.
template <class T>
void RoundTrip(std::string_view text) {
  auto value = T::Parse(text);
  if (!value) {
    Check(value.error().code == weft::Code::kInvalid && !value.error().message.empty());
    return;
  }
  Check(value->Text() == text || (std::same_as<T, PortKey> && text.starts_with("weft://")));
  auto again = T::Parse(value->Text());
  Check(again && *again == *value);
}

bool ClassHas(std::string_view inner, char c) {
  const bool negated = inner.starts_with('!');
  bool found = false;
  for (size_t i = negated ? 1 : 0; i < inner.size();) {
    const bool range = i + 2 < inner.size() && inner[i + 1] == '-';
    found |= range ? inner[i] <= c && c <= inner[i + 2] : inner[i] == c;
    i += range ? 3 : 1;
  }
  return found != negated;
}

// The definition of a match, by trying everything: exponential, so for short texts only. `fresh`: at a folder's start.
bool Matches(std::string_view pattern, std::string_view path, bool fresh = true) {
  if (pattern.empty()) return path.empty();
  if (fresh && pattern.starts_with("**/")) {
    if (Matches(pattern.substr(3), path, true)) return true;
    const size_t slash = path.find('/');
    return slash != path.npos && Matches(pattern, path.substr(slash + 1), true);
  }
  const char first = pattern[0];
  if (first == '*') {
    if (Matches(pattern.substr(1), path, false)) return true;
    return !path.empty() && path[0] != '/' && Matches(pattern, path.substr(1), false);
  }
  if (path.empty()) return false;
  size_t length = 1;
  bool fits = first == '?' ? path[0] != '/' : path[0] == first;
  if (first == '[') {
    const size_t end = pattern.find(']', pattern.substr(1).starts_with('!') ? 3 : 2);
    if (end != pattern.npos) {
      fits = path[0] != '/' && ClassHas(pattern.substr(1, end - 1), path[0]);
      length = end + 1;
    }
  }
  return fits && Matches(pattern.substr(length), path.substr(1), first == '/');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  RoundTrip<Address>(text);
  RoundTrip<PortKey>(text);
  RoundTrip<Version>(text);
  if (auto address = Address::Parse(text)) {
    auto short_form = Address::Parse(address->Short());
    Check(short_form.has_value());
    short_form->mesh = address->mesh;
    Check(*short_form == *address);
  }
  const size_t middle = text.find('\n');
  if (middle == text.npos || size > 4096) return 0;
  const std::string_view pattern = text.substr(0, middle), path = text.substr(middle + 1);
  const bool matches = GlobMatches(pattern, path);
  if (pattern.size() <= 10 && path.size() <= 10) Check(matches == Matches(pattern, path));
  if (!IsGlob(pattern)) Check(matches == (pattern == path));
  return 0;
}
