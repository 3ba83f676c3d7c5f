// A command of the command line: its options, and what it does with them.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "apps/weft/session.h"
#include "base/result.h"
#include "model/roles.h"

namespace CLI {
class App;
}

namespace weft::app {

using model::Action;
using model::Bits;

inline constexpr unsigned kAlone = 0;  // What a command asks that needs no node.

class Command {
 public:
  virtual ~Command() = default;
  // The exit code; an error is printed and gives its own.
  virtual Result<int> Run(Session& session) = 0;
  // The mesh's or product's folder that it is called with, whose mesh.yaml says where the node of --env is; empty:
  // none.
  virtual std::string MeshFolder() const { return ""; }
  // Whether --env says what it lays over a folder: it asks no node of that environment.
  virtual bool LaysEnvironment() const { return false; }
};

// One line of the table that help, parsing and completion are made of.
struct CommandEntry {
  std::string_view name;      // "token create": a command of a command.
  std::string_view group;     // "Publish"
  std::string_view brief;     // One line.
  std::string_view examples;  // Lines.
  unsigned asks;              // The bit of each action that it asks of a node, whatever it is called with.
  // Declares the options on `app`, which outlives the command.
  std::unique_ptr<Command> (*make)(CLI::App& app);
};

template <class T>
std::unique_ptr<Command> Make(CLI::App& app) {
  return std::make_unique<T>(app);
}

// All of them, in the order of help.
std::vector<CommandEntry> AllCommands();

std::span<const CommandEntry> NewProductCommands();
std::span<const CommandEntry> PublishCommands();
std::span<const CommandEntry> NewFolderCommands();
std::span<const CommandEntry> ExpressionCommands();
std::span<const CommandEntry> FindCommands();
std::span<const CommandEntry> ReadCommands();
std::span<const CommandEntry> RunCommands();
std::span<const CommandEntry> ScheduleCommands();
std::span<const CommandEntry> ShareCommands();
std::span<const CommandEntry> RequestCommands();
std::span<const CommandEntry> FollowCommands();
std::span<const CommandEntry> FeedbackCommands();
std::span<const CommandEntry> GovernCommands();
std::span<const CommandEntry> AccountCommands();
std::span<const CommandEntry> EntityCommands();
std::span<const CommandEntry> TermCommands();
std::span<const CommandEntry> AuditCommands();
std::span<const CommandEntry> OperateCommands();
std::span<const CommandEntry> SecretCommands();

}  // namespace weft::app
