#include "base/text.h"
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

std::string PlainWords(std::string message) {
  struct Phrase {
    std::string_view has;
    std::string_view words;
  };
  constexpr Phrase kPhrases[] = {
      {"Parallel CSV Reader currently does not support",
       "a value is longer than a CSV reader can hold (about 32 MB): is a closing quote missing, or is the file no "
       "CSV?"},
      {"CSV parser state machine reached an invalid state",
       "its lines do not end alike (some in CR LF, some in LF), or a quote stands in the middle of a value: write "
       "every "
       "line end the same, and double the quotes inside of quoted values"},
      {"Maximum line size of", "a line is longer than a CSV reader can hold: is a closing quote missing?"},
  };
  const std::string lower = Lower(message);
  for (const Phrase& phrase : kPhrases) {
    if (lower.find(Lower(phrase.has)) != lower.npos) return std::string(phrase.words);
  }
  if (lower.find("out of memory error") != lower.npos || lower.find("could not allocate block") != lower.npos)
    return "the memory of its engine is used up: give it more (the node's setting for runs or queries), or make it "
           "read less at once";
  if (size_t sql = message.find("\n\nLINE "); sql != message.npos) message.resize(sql);
  for (bool again = true; again;) {
    again = false;
    for (const Kind& kind : kKinds) {
      if (!message.starts_with(std::string(kind.prefix) + ": ")) continue;
      message.erase(0, kind.prefix.size() + 2);
      again = true;
    }
  }
  for (std::string_view advice : {"\nPossible solutions:", "\nPossible fixes:", "\nSee also http", "\nHint:"}) {
    if (size_t at = message.find(advice); at != message.npos) message.resize(at);
  }
  return ReplaceAll(std::string(Trim(message)), "\n", " ");
}

}  // namespace weft::engine
