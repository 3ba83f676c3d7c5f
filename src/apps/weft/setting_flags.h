// The settings as flags of a command.
#pragma once

#include <list>

#include "apps/weft/command.h"
#include "apps/weft/settings.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace weft::app {

// A flag of each setting; what was given goes to Settings, which judges it.
class SettingFlags {
 public:
  explicit SettingFlags(CLI::App& app);
  Result<Settings> Read() const;

 private:
  struct Given {
    std::string name;
    std::vector<std::string> values;
    CLI::Option* option;
  };
  std::list<Given> given_;  // The parser keeps the addresses.
};

// A setting that will not do is bad usage; faults of the settings' file are told like those of any other file.
Result<int> BadSettings(const Session& session, std::string_view command, Error error);

}  // namespace weft::app
