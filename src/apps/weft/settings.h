// What a node can be told, stated once: flags, environment, file and documentation all come from this table.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace weft::app {

struct Setting {
  enum class Kind { kText, kInt, kBytes, kMemory, kDuration, kFlag, kList };
  std::string_view name;  // "http-port": --http-port, WEFT_HTTP_PORT, and the key in the file.
  Kind kind;
  std::string_view otherwise;  // The default; "<data>" and "<shared>" stand for these folders.
  std::string_view description;
  int64_t least = 0;  // Of a kInt.
  int64_t most = INT64_MAX;

  std::string Environment() const;  // "WEFT_HTTP_PORT"
};
std::span<const Setting> SettingTable();
std::string_view KindName(Setting::Kind kind);

// Every setting with its value and where that came from; all values have been judged.
class Settings {
 public:
  using Flags =
      std::vector<std::pair<std::string, std::string>>;         // Names without dashes; a list's may come repeatedly.
  using Environment = std::function<const char*(const char*)>;  // Like getenv.

  // Flag before environment before file before default. The file is `config`, else weft.yaml in the data folder where
  // there is one. kInvalid carries all that is wrong in the file, each at its place.
  static Result<Settings> Read(const Flags& flags, const Environment& environment);

  // Of a setting of the table; another name is a mistake of the program.
  const std::string& Text(std::string_view name) const;
  int64_t Int(std::string_view name) const;  // Also of kBytes and kMemory, as bytes.
  Millis Duration(std::string_view name) const;
  bool Flag(std::string_view name) const;
  const std::vector<std::string>& List(std::string_view name) const;
  const std::string& Origin(std::string_view name) const;  // "default", "--http-port", "WEFT_HTTP_PORT", "FILE:3:1"

  Json ToJson() const;  // {name: {value, from, kind, default, description}}

 private:
  struct Value {
    std::string text;
    std::vector<std::string> list;
    int64_t number = 0;
    std::string origin;
  };
  Status Put(const Setting& setting, std::vector<std::string> written, const std::string& origin);
  Status ReadFile(const std::string& file);
  const Value& Get(std::string_view name) const;

  std::map<std::string, Value, std::less<>> values_;
};

// Refuses to listen beyond loopback without TLS, on either port.
Status CheckListening(const Settings& settings);

// "512MB", "2GiB", "4096"; "5s", "250ms", "24h".
Result<int64_t> ParseBytes(std::string_view text);
Result<Millis> ParseDuration(std::string_view text);
int64_t UsableMemory();  // The container's limit, else what the machine has.

std::string SettingsMarkdown();  // docs/settings.md

}  // namespace weft::app
