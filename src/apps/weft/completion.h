// What may follow the words of a command line, as shells ask for it, and the scripts by which they ask.
#pragma once

#include <string>
#include <vector>

#include "apps/weft/session.h"

namespace CLI {
class App;
}

namespace weft::app {

// What an argument stands for, as its option's type name: the node is asked for the rest of such a word.
inline constexpr const char* kAddress = "ADDRESS";  // A product or an output port.
inline constexpr const char* kPort = "PORT";
inline constexpr const char* kDomain = "DOMAIN";
inline constexpr const char* kPlace = "DOMAIN|ADDRESS";
inline constexpr const char* kPrincipal = "PRINCIPAL";
inline constexpr const char* kRun = "RUN";
inline constexpr const char* kRunOrAddress = "RUN|ADDRESS";
inline constexpr const char* kToken = "TOKEN";
inline constexpr const char* kRequest = "REQUEST";
inline constexpr const char* kFeedback = "FEEDBACK";
inline constexpr const char* kSubscription = "SUBSCRIPTION";
inline constexpr const char* kPurpose = "PURPOSE";
inline constexpr const char* kAction = "ACTION";
inline constexpr const char* kActions = "ACTIONS";  // Several, with commas between them.
inline constexpr const char* kColumn = "COLUMN";    // Of the output port that was named before it.
inline constexpr const char* kColumns = "COLUMNS";
inline constexpr const char* kSnapshot = "SNAPSHOT";  // The same.
inline constexpr const char* kEntity = "ENTITY";
inline constexpr const char* kTerm = "TERM";
inline constexpr const char* kSecret = "SECRET";
inline constexpr const char* kUser = "USER";
inline constexpr const char* kService = "SERVICE";
inline constexpr const char* kLedgerKind = "KIND";
inline constexpr const char* kEnvironment = "ENVIRONMENT";
inline constexpr const char* kNodeOrEnvironment = "URL|ENVIRONMENT";
inline constexpr const char* kFile = "FILE";
inline constexpr const char* kFolder = "FOLDER";

// One line each, the word and after a tab what it is; ":files" alone where the shell's own files are wanted. The last
// of `words` is the one that is being written. Nothing where the node does not answer within a second.
std::string Complete(const Session& session, const CLI::App& root, const std::vector<std::string>& words);

// For bash, zsh or fish: asks `weft complete` at each turn.
std::string_view CompletionScript(std::string_view shell);

}  // namespace weft::app
