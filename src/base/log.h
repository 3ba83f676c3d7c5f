// One line per event: time, level, event, key=value. The only global of the program; safe from any thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace weft::log {

enum class Level { kDebug, kInfo, kWarn, kError };
using Field = std::pair<std::string_view, Json>;

// Lines go to standard error; `json` writes one JSON object a line. Call once, before the first line.
void Configure(Level least, bool json);
Result<Level> ParseLevel(std::string_view name);  // debug, info, warn, error

// `event` is a fixed phrase ("run failed"); what varies goes into fields. Never a secret, never a row of data.
void Debug(std::string_view event, std::initializer_list<Field> fields = {});
void Info(std::string_view event, std::initializer_list<Field> fields = {});
void Warn(std::string_view event, std::initializer_list<Field> fields = {});
void Error(std::string_view event, std::initializer_list<Field> fields = {});

}  // namespace weft::log
