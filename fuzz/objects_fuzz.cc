// Lists of objects of any bytes: objects with keys that are texts, or an error.
#include <cstdint>
#include <string_view>

#include "base/text.h"
#include "fuzz/check.h"
#include "work/run/objects.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto page = weft::run::ReadListPage(text);
  if (page) {
    for (const auto& object : page->objects) Check(!object.key.empty() && weft::IsUtf8(object.key));
  }
  Check(weft::run::ReadObjectError(text).size() <= size + 2);
  return 0;
}
