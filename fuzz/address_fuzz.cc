// Addresses, port keys, versions and globs of any bytes; what is read is written back the same.
#include <cstdlib>
#include <string_view>

#include "model/address.h"
#include "model/glob.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::model;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto address = Address::Parse(text)) {
    auto again = Address::Parse(address->Text());
    if (!again || !(*again == *address)) std::abort();
  }
  if (auto key = PortKey::Parse(text)) {
    auto again = PortKey::Parse(key->Text());
    if (!again || !(*again == *key)) std::abort();
  }
  if (auto version = Version::Parse(text)) {
    auto again = Version::Parse(version->Text());
    if (!again || !(*again == *version)) std::abort();
  }
  size_t middle = text.find('\n');
  if (middle != text.npos && size < 4096) GlobMatches(text.substr(0, middle), text.substr(middle + 1));
  return 0;
}
