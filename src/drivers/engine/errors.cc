#include "drivers/engine/internal.h"

namespace weft::engine {
namespace {

struct Kind {
  std::string_view prefix;
  Code code;
};

constexpr Kind kKinds[] = {
    {"Parser Error", Code::kInvalid},
    {"Syntax Error", Code::kInvalid},
    {"Binder Error", Code::kInvalid},
    {"Catalog Error", Code::kInvalid},
    {"Planner Error", Code::kInvalid},
    {"Conversion Error", Code::kInvalid},
    {"Constraint Error", Code::kInvalid},
    {"Invalid Input Error", Code::kInvalid},
    {"Invalid Error", Code::kInvalid},
    {"Invalid type Error", Code::kInvalid},
    {"Invalid configuration Error", Code::kInvalid},
    {"Mismatch Type Error", Code::kInvalid},
    {"Out of Range Error", Code::kInvalid},
    {"Divide by Zero Error", Code::kInvalid},
    {"Decimal Error", Code::kInvalid},
    {"Expression Error", Code::kInvalid},
    {"Object Size Error", Code::kInvalid},
    {"Sequence Error", Code::kInvalid},
    {"Dependency Error", Code::kInvalid},
    {"Parameter Error", Code::kInvalid},
    {"Parameter Not Allowed Error", Code::kInvalid},
    {"Parameter Not Resolved Error", Code::kInvalid},
    {"TransactionContext Error", Code::kInvalid},
    {"Not implemented Error", Code::kUnsupported},
    {"Permission Error", Code::kDenied},
    {"Out of Memory Error", Code::kUnavailable},
    {"INTERRUPT Error", Code::kUnavailable},
    {"IO Error", Code::kUnavailable},
    {"HTTP Error", Code::kUnavailable},
    {"Connection Error", Code::kUnavailable},
};

}  // namespace

Error ErrorOf(std::string_view message) {
  for (const Kind& kind : kKinds) {
    if (message.starts_with(kind.prefix)) return {kind.code, std::string(message)};
  }
  return {Code::kInternal, message.empty() ? "the engine failed without a message" : std::string(message)};
}

std::string_view WithoutKind(std::string_view message) {
  for (bool again = true; again;) {
    again = false;
    for (const Kind& kind : kKinds) {
      if (!message.starts_with(kind.prefix) || !message.substr(kind.prefix.size()).starts_with(": ")) continue;
      message.remove_prefix(kind.prefix.size() + 2);
      again = true;
    }
  }
  return message;
}

bool IsEngines(std::string_view message) { return WithoutKind(message).size() < message.size(); }

}  // namespace weft::engine
