#include "apps/weft/typed.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.h"

namespace weft::app {
namespace {

// Fields that are not called as the option that fills them.
constexpr std::pair<std::string_view, std::string_view> kOthers[] = {
    {"x-weft-purpose", "purpose"}, {"expires_at", "expires"}, {"age_seconds", "age"}, {"redirect_uris", "redirect-uri"},
    {"logical_time", "at"},        {"addresses", "address"},  {"q", "words"},         {"tag", "name"}};

const CLI::Option* OptionOf(const CLI::App& command, std::string_view field) {
  const auto* other = std::ranges::find(kOthers, field, &std::pair<std::string_view, std::string_view>::first);
  const std::string name = ReplaceAll(other == std::end(kOthers) ? field : other->second, "_", "-");
  for (const CLI::App* at = &command; at; at = at->get_parent()) {
    for (const std::string& written : {"--" + name, name}) {
      if (const CLI::Option* option = at->get_option_no_throw(written)) return option;
    }
  }
  return nullptr;
}

// As it was given: by its name, or by the variable that stands for it.
std::string NameOf(const CLI::Option& option, const std::vector<std::string>& words) {
  const std::string name = option.get_name();
  const bool written =
      std::ranges::any_of(words, [&](const std::string& word) { return word == name || word.starts_with(name + "="); });
  return written || option.get_envname().empty() ? name : option.get_envname();
}

}  // namespace

Error AsTyped(Error error, const CLI::App& command, const std::vector<std::string>& words) {
  for (std::string_view kind : {"field ", "parameter ", "header "}) {
    if (!error.message.starts_with(kind)) continue;
    const size_t end = error.message.find_first_of(": ", kind.size());
    if (end == std::string::npos) continue;
    const CLI::Option* option =
        OptionOf(command, std::string_view(error.message).substr(kind.size(), end - kind.size()));
    if (option) error.message = NameOf(*option, words) + error.message.substr(end);
  }
  return error;
}

}  // namespace weft::app
