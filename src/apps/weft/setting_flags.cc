#include "apps/weft/setting_flags.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace weft::app {

SettingFlags::SettingFlags(CLI::App& app) {
  for (const Setting& setting : SettingTable()) {
    Given& given = given_.emplace_back(Given{std::string(setting.name), {}, nullptr});
    std::string text(setting.description);
    if (!setting.otherwise.empty()) text += " [" + std::string(setting.otherwise) + "]";
    given.option = app.add_option("--" + given.name, given.values, text);
    if (setting.kind == Setting::Kind::kFlag) given.option->expected(0, 1);
    if (setting.kind != Setting::Kind::kList && setting.kind != Setting::Kind::kFlag) given.option->expected(1);
  }
}

Result<Settings> SettingFlags::Read() const {
  Settings::Flags flags;
  for (const Given& given : given_) {
    if (given.option->count() > 0 && given.values.empty()) flags.emplace_back(given.name, "true");
    for (const std::string& value : given.values) flags.emplace_back(given.name, value);
  }
  return Settings::Read(flags, [](const char* name) -> const char* { return std::getenv(name); });
}

Result<int> BadSettings(const Session& session, std::string_view command, Error error) {
  if (error.code != Code::kInvalid || !error.problems.empty()) return error;
  return session.Misused(command, error.message);
}

}  // namespace weft::app
