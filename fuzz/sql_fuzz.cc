// The walker over foreign bytes: as a statement through the real engine's parser, and as a tree of its own.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "drivers/engine/engine.h"
#include "model/sql.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft;
  static auto instance = engine::Instance::Open({.threads = 1}).TakeValue();
  static auto connection = instance->Connect().TakeValue();
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto tree = Json::Parse(text)) {
    auto statement = model::Walk(*tree, text);
    if (!statement && statement.error().message.empty()) abort();
  }
  if (auto tree = connection->ParseTree(text)) {
    auto statement = model::Walk(*tree, text);
    if (!statement && statement.error().message.empty()) abort();
  }
  return 0;
}
