#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

#include "base/clock.h"

namespace weft::log {
namespace {

std::atomic<bool> as_json = false;

spdlog::logger& Logger() {
  // spdlog shares its sinks; the logger lives as long as the program.
  static std::shared_ptr<spdlog::logger> logger = [] {
    auto made = spdlog::stderr_color_mt("weft");
    made->set_pattern("%v");
    return made;
  }();
  return *logger;
}

void Write(spdlog::level::level_enum level, std::string_view name, std::string_view event,
           std::initializer_list<Field> fields) {
  if (!Logger().should_log(level)) return;
  const std::string at = SystemClock().Now().Text();
  if (as_json) {
    Json line = Json::Map({{"at", at}, {"level", name}, {"event", event}});
    for (const auto& [key, value] : fields) line.Set(key, value);
    Logger().log(level, line.Dump());
    return;
  }
  std::string line = at + " " + std::string(name) + " " + std::string(event);
  for (const auto& [key, value] : fields) line += " " + std::string(key) + "=" + value.Dump();
  Logger().log(level, line);
}

}  // namespace

void Configure(Level least, bool json) {
  as_json = json;
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                   spdlog::level::err};
  Logger().set_level(kLevels[static_cast<int>(least)]);
}

Result<Level> ParseLevel(std::string_view name) {
  if (name == "debug") return Level::kDebug;
  if (name == "info") return Level::kInfo;
  if (name == "warn") return Level::kWarn;
  if (name == "error") return Level::kError;
  return weft::Error{Code::kInvalid, "'" + std::string(name) + "' is not a log level: debug, info, warn or error"};
}

void Debug(std::string_view event, std::initializer_list<Field> f) { Write(spdlog::level::debug, "debug", event, f); }
void Info(std::string_view event, std::initializer_list<Field> f) { Write(spdlog::level::info, "info", event, f); }
void Warn(std::string_view event, std::initializer_list<Field> f) { Write(spdlog::level::warn, "warn", event, f); }
void Error(std::string_view event, std::initializer_list<Field> f) { Write(spdlog::level::err, "error", event, f); }

}  // namespace weft::log
