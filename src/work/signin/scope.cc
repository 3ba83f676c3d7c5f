#include "work/signin/scope.h"

#include <algorithm>

#include "base/text.h"

namespace weft::signin {

std::string FieldOf(const Form& form, const std::string& name) {
  auto found = form.find(name);
  return found == form.end() ? "" : found->second;
}

bool Asks(const std::string& scope, const std::string& word) {
  const std::vector<std::string> words = Split(scope, ' ');
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string> ActionWords(const std::string& scope) {
  std::vector<std::string> words = Split(scope, ' ');
  std::erase_if(words, [](const std::string& word) {
    return word.empty() || word == "openid" || word == "profile" || word == "offline_access";
  });
  return words;
}

Result<model::Limits> LimitsOf(const std::string& scope, bool all) {
  model::Limits limits;
  for (const std::string& word : ActionWords(scope)) limits.actions.push_back(TRY(model::ActionFrom(word)));
  if (limits.actions.empty() && !all) limits.actions.push_back(model::Action::kBrowse);
  return limits;
}

}  // namespace weft::signin
