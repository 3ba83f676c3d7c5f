#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <map>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/environments.h"
#include "apps/weft/typed.h"
#include "base/text.h"

namespace weft::app {
namespace {

constexpr int kUsage = 2;
constexpr const char* kDefaultNode = "http://127.0.0.1:7470";

// The whole tree, built from the tables.
class Tree {
 public:
  Tree() : app_("Weft: a self-serve data mesh", "weft"), entries_(AllCommands()) {
    app_.require_subcommand(1);
    Globals();
    for (const CommandEntry& entry : entries_) Add(entry);
  }

  int Main(std::vector<std::string> words) {
    if (words.empty() || IsHelp(words[0])) {
      std::fputs(Help().c_str(), stdout);
      return words.empty() ? kUsage : 0;
    }
    if (words[0] == "--version") words[0] = "version";
    json_ = Given(words, "--json");
    if (auto code = Unknown(words)) return *code;
    try {
      app_.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // The parser takes them from the end.
    } catch (const CLI::CallForHelp&) {
      const bool whole =
          std::none_of(nodes_.begin(), nodes_.end(), [](const Leaf& leaf) { return leaf.app->parsed(); });
      std::fputs(whole ? Help().c_str() : HelpOf(Chosen()).c_str(), stdout);
      return 0;
    } catch (const CLI::ParseError& error) {
      return Misused(error);
    }
    if (Given(words, "--token") && Given(words, "--token-file")) {
      return app::Misused(json_, "two tokens are given: leave out --token or --token-file", "weft --help");
    }
    options_.node_given = Given(words, "--node");
    options_.token_given = Given(words, "--token") || Given(words, "--token-file");
    // What is given beats the environment, and there the token itself the file that it may be in.
    (Given(words, "--token-file") || options_.token.empty() ? options_.token : options_.token_file).clear();
    return Run(words);
  }

 private:
  struct Leaf {
    CLI::App* app = nullptr;
    const CommandEntry* entry = nullptr;
    std::unique_ptr<Command> command;
  };

  static bool Given(const std::vector<std::string>& words, const std::string& option) {
    return std::ranges::any_of(
        words, [&](const std::string& word) { return word == option || word.starts_with(option + "="); });
  }

  static bool IsHelp(std::string_view word) { return word == "--help" || word == "-h" || word == "help"; }

  void Globals() {
    auto own = [](CLI::Option* option) { option->group("Everywhere"); };
    options_.node = kDefaultNode;
    own(app_.add_option("--node", options_.node, "The node's URL")->envname("WEFT_NODE")->capture_default_str());
    own(app_.add_option("--env", options_.environment,
                        "The environment that is meant: its node is asked, and no other does it")
            ->type_name(kEnvironment));
    own(app_.add_option("--token", options_.token, "Who asks; prefer --token-file")->envname("WEFT_TOKEN"));
    own(app_.add_option("--token-file", options_.token_file, "A file that holds the token")
            ->envname("WEFT_TOKEN_FILE")
            ->type_name(kFile));
    own(app_.add_option("--purpose", options_.purpose, "What the data is for")
            ->envname("WEFT_PURPOSE")
            ->type_name(kPurpose));
    own(app_.add_option("--ca-file", options_.ca_file, "A certificate to trust besides the system's")
            ->type_name(kFile));
    own(app_.add_flag("--json", options_.json, "The answer as JSON"));
    own(app_.add_flag("--no-color", options_.no_color, "No colours, on a terminal either"));
    own(app_.add_flag("-q,--quiet", options_.quiet, "Only the answer and errors"));
  }

  void Add(const CommandEntry& entry) {
    std::vector<std::string> words = Split(entry.name, ' ');
    CLI::App* parent = &app_;
    if (words.size() == 2) {
      CLI::App*& group = parents_[words[0]];
      if (!group) {
        group = app_.add_subcommand(words[0], "");
        group->fallthrough();
        group->require_subcommand(1);
      }
      parent = group;
    }
    CLI::App* app = parent->add_subcommand(words.back(), std::string(entry.brief));
    app->fallthrough();
    app->group(std::string(entry.group));
    std::string examples;
    for (const std::string& line : Split(entry.examples, '\n')) examples += "\n  " + line;
    app->footer("Examples:" + examples + "\n\nOptions of every command (--node, --json, …): weft --help");
    nodes_.push_back({app, &entry, entry.make(*app)});
  }

  std::string Help() const {
    std::string text =
        "Weft: a self-serve data mesh.\n\nUsage: weft COMMAND [options]; weft COMMAND --help tells more.\n";
    std::string group;
    for (const CommandEntry& entry : entries_) {
      if (entry.group.empty()) continue;  // For programs.
      if (entry.group != group) text += fmt::format("\n{}\n", group = entry.group);
      text += fmt::format("  {:<16} {}\n", entry.name, entry.brief);
    }
    text += "\nOptions of every command\n";
    for (const CLI::Option* option : app_.get_options()) {
      std::string name = option->get_name(false, true);
      if (option->get_items_expected() > 0) name += " …";
      std::string from = option->get_envname().empty() ? "" : " (or " + option->get_envname() + ")";
      text += fmt::format("  {:<16} {}{}\n", name, option->get_description(), from);
    }
    return text;
  }

  // The first word that is no option must be a command.
  std::optional<int> Unknown(const std::vector<std::string>& words) const {
    CLI::App const* at = &app_;
    for (size_t i = 0; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (word.starts_with('-')) {
        bool takes = word.find('=') == word.npos && app_.get_option_no_throw(word) &&
                     app_.get_option_no_throw(word)->get_items_expected() > 0;
        i += takes;
        continue;
      }
      std::vector<std::string> names;
      for (const CLI::App* each : at->get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(each->get_name());
      }
      auto known = std::find(names.begin(), names.end(), word);
      if (known == names.end()) {
        std::vector<std::string_view> views(names.begin(), names.end());
        std::string where = at == &app_ ? "" : " of weft " + at->get_name();
        std::string see = at == &app_ ? "weft --help" : "weft " + at->get_name() + " --help";
        return app::Misused(json_, fmt::format("'{}' is no command{}{}", Safe(word), where, DidYouMean(word, views)),
                            see);
      }
      at = at->get_subcommand(word);
      if (at->get_subcommands([](const CLI::App*) { return true; }).empty()) return std::nullopt;
    }
    return std::nullopt;
  }

  // With the words before the command's own in its line of usage.
  static std::string HelpOf(const Leaf& leaf) {
    const std::vector<std::string> words = Split(leaf.entry->name, ' ');
    // Options that are not told leave an empty line where they would stand.
    return ReplaceAll(leaf.app->help(words.size() == 2 ? "weft " + words[0] : "weft"), "\n\n\n", "\n\n");
  }

  const Leaf& Chosen() const {
    for (const Leaf& node : nodes_) {
      if (node.app->parsed()) return node;
    }
    return nodes_.front();
  }

  int Misused(const CLI::ParseError& error) const {
    const Leaf* chosen = nullptr;
    for (const Leaf& node : nodes_) {
      if (node.app->parsed()) chosen = &node;
    }
    for (const auto& [name, app] : parents_) {
      if (!chosen && app->parsed()) {
        if (std::string_view(error.what()).find("subcommand") == std::string_view::npos) break;
        std::string words;
        for (const CLI::App* each : app->get_subcommands([](const CLI::App*) { return true; })) {
          words += (words.empty() ? "" : ", ") + each->get_name();
        }
        return app::Misused(json_, fmt::format("weft {} needs one of: {}", name, words), "weft " + name + " --help");
      }
    }
    std::string see = chosen ? "weft " + std::string(chosen->entry->name) + " --help" : "weft --help";
    std::string what = ReplaceAll(Safe(error.what()), "\\n", " ");
    if (what.starts_with("The ") || what.starts_with("Could ")) what[0] = static_cast<char>(what[0] + ('a' - 'A'));
    return app::Misused(json_, what, see);
  }

  // What this machine's own node says of itself is used where nothing else is given: https, and whom to trust.
  void LookAround() {
    const Json local = LocalNode(options_.node);
    const std::string& url = local["url"].Text();
    if (options_.node == kDefaultNode && url.starts_with("https://")) options_.node = url;
    if (options_.ca_file.empty()) options_.ca_file = local["ca_file"].Text();
  }

  // An option whose value came out empty, as of a variable that is not set, must not count as one that was left out: of
  // a grant it would be its end, or its columns.
  static const CLI::Option* EmptyOf(const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
      const CLI::results_t& values = option->results();
      const bool empty = std::ranges::find(values, std::string()) != values.end();
      if (empty && !option->get_positional()) return option;
    }
    return nullptr;
  }

  int Run(const std::vector<std::string>& words) {
    if (options_.json) options_.no_color = true;
    LookAround();
    Session session(options_);
    const Leaf& node = Chosen();
    const CLI::Option* empty = node.entry->asks == kAlone ? nullptr : EmptyOf(*node.app);
    if (!empty) empty = EmptyOf(app_);
    if (empty) {
      const std::string_view otherwise = empty->get_required() ? "" : ", or leave it out";
      return session.Misused(node.entry->name,
                             fmt::format("{} is empty: give it a value{}", empty->get_name(), otherwise));
    }
    if (!options_.environment.empty() && !node.command->LaysEnvironment()) {
      // A product that is begun as another one's port is asks the node for that.
      if (node.entry->asks == kAlone && node.entry->name != "new product") {
        return session.Misused(node.entry->name, node.entry->name == "serve"
                                                     ? "--env names the node that is asked; of which environment this "
                                                       "one is says --environment"
                                                     : "--env names the node that is asked, and this asks none");
      }
      if (Status turned = Turn(session, node.command->MeshFolder()); !turned) {
        return Fail(options_.json, AsTyped(turned.TakeError(), *node.app, words));
      }
    }
    auto code = node.command->Run(session);
    std::fflush(stdout);
    return code ? *code : Fail(options_.json, AsTyped(code.TakeError(), *node.app, words));
  }

  // To the node of the environment that is meant, unless one is named.
  Status Turn(Session& session, const std::string& folder) const {
    if (options_.node_given) return {};
    GlobalOptions here = options_;
    // What was given is for the node that is meant, and goes to no other.
    if (here.token_given) here.token.clear(), here.token_file.clear();
    session.TurnTo(TRY(NodeOfEnvironment(Session(here), options_.environment, folder)));
    return {};
  }

  CLI::App app_;
  GlobalOptions options_;
  bool json_ = false;  // Also where the words could not be parsed.
  std::vector<CommandEntry> entries_;
  std::map<std::string, CLI::App*> parents_;
  std::vector<Leaf> nodes_;
};

}  // namespace
}  // namespace weft::app

int main(int argc, char** argv) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  std::signal(SIGPIPE, SIG_IGN);  // A closed pipe or connection is an error like any other.
  return weft::app::Tree().Main({argv + 1, argv + argc});
}
