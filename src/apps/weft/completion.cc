#include "apps/weft/completion.h"

#include <CLI/CLI.hpp>
#include <map>

#include "base/text.h"
#include "model/access.h"
#include "state/ledger/ledger.h"

namespace weft::app {
namespace {

constexpr std::chrono::milliseconds kPatience{1'000};
constexpr const char* kRunsAsked = "50";
constexpr size_t kMostSaid = 60;

using Choices = std::map<std::string, std::string>;  // The word, and what it is.

std::vector<const CLI::App*> Children(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

const CLI::App* Child(const CLI::App& app, const std::string& name) {
  for (const CLI::App* child : Children(app)) {
    if (child->get_name() == name) return child;
  }
  return nullptr;
}

// The words read up to the one being written.
struct Reading {
  const CLI::App* at = nullptr;
  const CLI::Option* pending = nullptr;  // The last word was this one, and its value comes next.
  std::vector<std::string> positionals;
  GlobalOptions options;
  bool lost = false;  // A word that is no command: nothing is known of what follows.
};

const CLI::Option* Find(const CLI::App& root, const CLI::App& at, const std::string& flag) {
  const CLI::Option* own = at.get_option_no_throw(flag);
  return own ? own : root.get_option_no_throw(flag);
}

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

void Keep(GlobalOptions* options, const CLI::Option& option, const std::string& value) {
  const std::map<std::string, std::string*> kept = {{"--node", &options->node},
                                                    {"--token", &options->token},
                                                    {"--token-file", &options->token_file},
                                                    {"--ca-file", &options->ca_file}};
  auto found = kept.find(option.get_name());
  if (found != kept.end()) *found->second = value;
}

Reading Read(const CLI::App& root, const GlobalOptions& options, const std::vector<std::string>& words) {
  Reading reading;
  reading.at = &root;
  reading.options = options;
  for (size_t i = 0; i + 1 < words.size() && !reading.lost; ++i) {
    const std::string& word = words[i];
    if (reading.pending) {
      Keep(&reading.options, *reading.pending, word);
      reading.pending = nullptr;
    } else if (word.size() > 1 && word[0] == '-') {
      const size_t equals = word.find('=');
      const CLI::Option* option = Find(root, *reading.at, word.substr(0, equals));
      if (!option || !TakesValue(*option)) continue;
      if (equals == word.npos) reading.pending = option;
      if (equals != word.npos) Keep(&reading.options, *option, word.substr(equals + 1));
    } else if (!Children(*reading.at).empty()) {
      const CLI::App* child = Child(*reading.at, word);
      reading.lost = child == nullptr;
      if (child) reading.at = child;
    } else {
      reading.positionals.push_back(word);
    }
  }
  return reading;
}

// The option of that place; the last one where it takes many.
const CLI::Option* Positional(const CLI::App& app, size_t place) {
  const CLI::Option* last = nullptr;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    last = option;
    if (place-- == 0) return option;
  }
  return last && last->get_items_expected_max() > 1 ? last : nullptr;
}

void AddAddresses(Session& session, bool domains, bool products, Choices* choices) {
  auto answer = session.Get("/v1/products");
  if (!answer) return;
  for (const Json& product : (*answer)["products"].Items()) {
    const std::string& address = product["address"].Text();
    if (domains) choices->try_emplace(product["domain"].Text(), "domain");
    if (products) choices->try_emplace(address, product["description"].Text());
    for (const Json& port : product["ports"].Items()) {
      if (products || !domains) choices->try_emplace(port["address"].Text(), port["description"].Text());
    }
  }
}

// Whoever was granted something, owns something, or asks.
void AddPrincipals(Session& session, Choices* choices) {
  auto grants = session.Get("/v1/grants");
  if (!grants) return;
  for (const Json& grant : (*grants)["grants"].Items()) choices->try_emplace(grant["principal"].Text(), "has grants");
  if (auto who = session.Get("/v1/whoami")) choices->try_emplace((*who)["principal"].Text(), "you");
  auto products = session.Get("/v1/products");
  if (!products) return;
  for (const Json& product : (*products)["products"].Items()) {
    for (const std::string& owner : product["owners"].Texts()) choices->try_emplace(owner, "owns products");
  }
}

void AddRuns(Session& session, Choices* choices) {
  auto answer = session.Get("/v1/runs", {{"limit", kRunsAsked}});
  if (!answer) return;
  for (const Json& run : (*answer)["runs"].Items()) {
    choices->try_emplace(run["id"].Text(), run["status"].Text() + " " + run["address"].Text());
  }
}

void AddTokens(Session& session, Choices* choices) {
  auto answer = session.Get("/v1/tokens");
  if (!answer) return;
  for (const Json& token : (*answer)["tokens"].Items()) {
    choices->try_emplace(token["id"].Text(), token["principal"].Text() + ", " + token["name"].Text());
  }
}

// Those that I made and those that wait for me.
void AddRequests(Session& session, Choices* choices) {
  for (const char* whose : {"to-approve", "mine"}) {
    auto answer = session.Get("/v1/requests", {{"whose", whose}});
    if (!answer) return;
    for (const Json& request : (*answer)["requests"].Items()) {
      choices->try_emplace(request["id"].Text(), request["status"].Text() + ": " + request["principal"].Text() + ", " +
                                                     request["address"].Text());
    }
  }
}

void AddSubscriptions(Session& session, Choices* choices) {
  auto answer = session.Get("/v1/subscriptions");
  if (!answer) return;
  for (const Json& each : (*answer)["subscriptions"].Items()) {
    const std::string& address = each["address"].Text();
    choices->try_emplace(each["id"].Text(),
                         Join(each["topics"].Texts(), ", ") + " of " + (address.empty() ? "the whole mesh" : address));
  }
}

// What waits for my team's answer, and what I said.
void AddFeedback(Session& session, Choices* choices) {
  for (const char* whose : {"to-answer", "mine"}) {
    auto answer = session.Get("/v1/feedback", {{"whose", whose}});
    if (!answer) return;
    for (const Json& entry : (*answer)["feedback"].Items()) {
      choices->try_emplace(entry["id"].Text(), entry["kind"].Text() + " on " + entry["address"].Text());
    }
  }
}

// Names of all of a kind, and what is said of each under `said`.
void AddNamed(Session& session, const std::string& kind, const char* said, Choices* choices) {
  auto answer = session.Get("/v1/" + kind);
  if (!answer) return;
  for (const Json& each : (*answer)[kind].Items()) choices->try_emplace(each["name"].Text(), each[said].Text());
}

void AddEnvironments(Session& session, Choices* choices) {
  auto node = session.Get("/v1/node");
  if (!node) return;
  for (const Json& each : (*node)["environments"].Items()) {
    const std::string& said = each["description"].Text();
    choices->try_emplace(each["name"].Text(), said.empty() ? each["node"].Text() : said);
  }
}

// Nobody else may list them, and asking would be a denial in the ledger.
void AddAccounts(Session& session, const std::string& kind, Choices* choices) {
  auto who = session.Get("/v1/whoami");
  if (!who || !(*who)["administrator"].Bool()) return;
  auto answer = session.Get("/v1/" + kind);
  if (!answer) return;
  for (const Json& each : (*answer)[kind].Items()) {
    choices->try_emplace(each["name"].Text(), each["disabled_at"].Text().empty() ? "active" : "disabled");
  }
}

void AddActions(Choices* choices) {
  using enum model::Action;
  for (const model::Action action : {kRead, kRequest, kApprove, kPublish, kRun, kGrant, kAudit, kGovern, kAdminister}) {
    choices->try_emplace(std::string(ActionName(action)), "");
  }
}

// The output port that stands in the line already.
Result<Json> PortIn(Session& session, const Reading& reading) {
  for (size_t i = 0; i < reading.positionals.size(); ++i) {
    const CLI::Option* option = Positional(*reading.at, i);
    if (!option || option->get_type_name() != kPort) continue;
    const Place place = TRY(PortPlace(TRY(model::Address::Parse(reading.positionals[i]))));
    return session.Get(place.path, place.query);
  }
  return Error{Code::kNotFound, "no output port is named yet"};
}

void AddColumns(Session& session, const Reading& reading, Choices* choices) {
  const auto port = PortIn(session, reading);
  if (!port) return;
  for (const Json& column : (*port)["columns"].Items()) {
    choices->try_emplace(column["name"].Text(), column["description"].Text());
  }
}

void AddSnapshots(Session& session, const Reading& reading, Choices* choices) {
  const auto port = PortIn(session, reading);
  if (!port) return;
  for (const Json& snapshot : (*port)["snapshots"].Items()) {
    choices->try_emplace(snapshot["id"].Text(), snapshot["at"].Text());
  }
}

// Each after those that stand before it, in a word such as "id,coun".
Choices Further(Choices choices, const std::string& current) {
  const size_t comma = current.rfind(',');
  if (comma == current.npos) return choices;
  Choices further;
  for (auto& [word, what] : choices) further.emplace(current.substr(0, comma + 1) + word, std::move(what));
  return further;
}

// Of "TEXT:{bash,zsh,fish}", as the parser writes the words that an option allows.
void AddListed(const std::string& type, Choices* choices) {
  const size_t from = type.find('{'), to = type.rfind('}');
  if (from == type.npos || to == type.npos) return;
  for (const std::string& word : Split(type.substr(from + 1, to - from - 1), ',')) choices->try_emplace(word, "");
}

// False where the shell's files are what is wanted.
bool AddValues(const CLI::Option& option, const Reading& reading, const std::string& current, Choices* choices) {
  const std::string type = option.get_type_name();
  if (type == kFile || type == kFolder) return false;
  GlobalOptions hasty = reading.options;
  hasty.timeout = kPatience;
  hasty.quiet = true;
  Session session(std::move(hasty));
  if (type == kPort) AddAddresses(session, false, false, choices);
  if (type == kAddress) AddAddresses(session, false, true, choices);
  if (type == kDomain) AddAddresses(session, true, false, choices);
  if (type == kPlace) AddAddresses(session, true, true, choices);
  if (type == kPrincipal) AddPrincipals(session, choices);
  if (type == kRun || type == kRunOrAddress) AddRuns(session, choices);
  if (type == kRunOrAddress) AddAddresses(session, false, true, choices);
  if (type == kToken) AddTokens(session, choices);
  if (type == kRequest) AddRequests(session, choices);
  if (type == kFeedback) AddFeedback(session, choices);
  if (type == kSubscription) AddSubscriptions(session, choices);
  if (type == kPurpose) AddNamed(session, "purposes", "description", choices);
  if (type == kEntity) AddNamed(session, "entities", "description", choices);
  if (type == kTerm) AddNamed(session, "terms", "definition", choices);
  if (type == kSecret) AddNamed(session, "secrets", "domain", choices);
  if (type == kEnvironment || type == kNodeOrEnvironment) AddEnvironments(session, choices);
  if (type == kUser) AddAccounts(session, "users", choices);
  if (type == kService) AddAccounts(session, "services", choices);
  if (type == kAction || type == kActions) AddActions(choices);
  if (type == kColumn || type == kColumns) AddColumns(session, reading, choices);
  if (type == kSnapshot) AddSnapshots(session, reading, choices);
  if (type == kLedgerKind) {
    for (const ledger::Kind& kind : ledger::Kinds()) choices->try_emplace(std::string(kind.name), kind.meaning);
  }
  if (type == kActions || type == kColumns) *choices = Further(std::move(*choices), current);
  AddListed(type, choices);
  return true;
}

void AddFlags(const CLI::App& app, Choices* choices) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) choices->try_emplace("--" + name, option->get_description());
  }
}

constexpr std::string_view kBash = R"(_weft() {
  local line="${COMP_LINE:0:COMP_POINT}" current head='' breaks='' mark word
  local -a words lines
  read -ra words <<<"$line"
  current="${line##*[[:space:]]}"
  [[ -z $current ]] && words+=('')
  mapfile -t lines < <("$1" complete -- "${words[@]:1}" 2>/dev/null)
  if [[ ${lines[0]} == :files ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    compopt -o filenames 2>/dev/null
    return
  fi
  # Bash replaces what follows the last of its word breaks only.
  for mark in ':' '@' '='; do [[ $COMP_WORDBREAKS == *"$mark"* ]] && breaks+="$mark"; done
  [[ -n $breaks && $current == *["$breaks"]* ]] && head="${current%"${current##*["$breaks"]}"}"
  COMPREPLY=()
  for word in "${lines[@]%%$'\t'*}"; do
    [[ $word == "$current"* ]] && COMPREPLY+=("${word#"$head"}")
  done
}
complete -F _weft weft
)";

constexpr std::string_view kZsh = R"(#compdef weft
_weft() {
  local -a lines said
  local line
  lines=("${(@f)$(command weft complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == :files ]]; then
    _files
    return
  fi
  for line in $lines; do
    said+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  _describe -t words 'weft' said
}
if [ "$funcstack[1]" = _weft ]; then _weft "$@"; else compdef _weft weft; fi
)";

constexpr std::string_view kFish = R"(function __weft_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  set -l lines (command weft complete -- $before[2..] "$current" 2>/dev/null)
  if test "$lines[1]" = :files
    __fish_complete_path "$current"
  else
    printf '%s\n' $lines
  end
end
complete -c weft -f -a '(__weft_complete)'
)";

}  // namespace

std::string Complete(const Session& session, const CLI::App& root, const std::vector<std::string>& words) {
  const std::string current = words.empty() ? "" : words.back();
  const Reading reading = Read(root, session.options(), words);
  if (reading.lost) return "";
  Choices choices;
  const CLI::Option* value = reading.pending;
  const bool flags = !value && current.starts_with('-');
  if (flags) {
    AddFlags(*reading.at, &choices);
    AddFlags(root, &choices);
  } else if (!value && !Children(*reading.at).empty()) {
    for (const CLI::App* child : Children(*reading.at)) {
      if (!child->get_group().empty()) choices.try_emplace(child->get_name(), child->get_description());
    }
  } else if (!value) {
    value = Positional(*reading.at, reading.positionals.size());
  }
  if (value && !AddValues(*value, reading, current, &choices)) return ":files\n";
  std::string lines;
  for (const auto& [word, what] : choices) {
    if (word.starts_with(current))
      lines += Safe(word) + "\t" + Cut(Safe(what.substr(0, what.find('\n'))), kMostSaid) + "\n";
  }
  return lines;
}

std::string_view CompletionScript(std::string_view shell) {
  if (shell == "fish") return kFish;
  return shell == "zsh" ? kZsh : kBash;
}

}  // namespace weft::app
