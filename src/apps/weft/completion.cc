#include "apps/weft/completion.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <vector>

#include "base/text.h"

namespace weft::app {
namespace {

std::vector<const CLI::App*> Children(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<std::string> Flags(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

// Words after a command → what may follow: "" is the program itself.
std::map<std::string, std::string> Words(const CLI::App& root) {
  std::map<std::string, std::string> words;
  const std::string everywhere = Join(Flags(root), " ");
  for (const CLI::App* command : Children(root)) {
    words[""] += command->get_name() + " ";
    std::string& after = words[command->get_name()];
    for (const CLI::App* inner : Children(*command)) {
      after += inner->get_name() + " ";
      words[command->get_name() + " " + inner->get_name()] = Join(Flags(*inner), " ") + " " + everywhere;
    }
    after += Join(Flags(*command), " ") + " " + everywhere;
  }
  words[""] += everywhere;
  return words;
}

std::string Bash(const CLI::App& root) {
  std::string cases;
  for (const auto& [after, words] : Words(root)) cases += fmt::format("    '{}') words='{}' ;;\n", after, words);
  return fmt::format(R"(_weft() {{
  local word command='' words=''
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    [[ $word == -* ]] && continue
    case "$command" in ''|token|audit) command="${{command:+$command }}$word" ;; esac
  done
  case "$command" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _weft weft
)",
                     cases);
}

std::string Fish(const CLI::App& root) {
  std::string lines = "complete -c weft -n __fish_use_subcommand -f\n";
  auto flags = [&](const CLI::App& app, const std::string& condition) {
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) {
        lines += fmt::format("complete -c weft{} -l {} -d '{}'\n", condition, name,
                             ReplaceAll(option->get_description(), "'", "\\'"));
      }
    }
  };
  flags(root, "");
  for (const CLI::App* command : Children(root)) {
    lines += fmt::format("complete -c weft -n __fish_use_subcommand -a {} -d '{}'\n", command->get_name(),
                         ReplaceAll(command->get_description(), "'", "\\'"));
    const std::string seen = fmt::format(" -n '__fish_seen_subcommand_from {}'", command->get_name());
    flags(*command, seen);
    for (const CLI::App* inner : Children(*command)) {
      lines += fmt::format("complete -c weft{} -a {} -d '{}'\n", seen, inner->get_name(),
                           ReplaceAll(inner->get_description(), "'", "\\'"));
    }
  }
  return lines;
}

}  // namespace

std::string Completion(const std::string& shell, const CLI::App& root) {
  if (shell == "fish") return Fish(root);
  if (shell == "zsh") return "#compdef weft\nautoload -U +X bashcompinit && bashcompinit\n" + Bash(root);
  return Bash(root);
}

}  // namespace weft::app
