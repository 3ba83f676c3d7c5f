#include "apps/weft/settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/yaml.h"
#include "drivers/http/target.h"

namespace weft::app {
namespace {

using Kind = Setting::Kind;

struct Unit {
  std::string_view name;
  int64_t factor;
};
constexpr Unit kByteUnits[] = {{"", 1},
                               {"b", 1},
                               {"kb", 1'000},
                               {"mb", 1'000'000},
                               {"gb", 1'000'000'000},
                               {"tb", 1'000'000'000'000},
                               {"kib", int64_t{1} << 10},
                               {"mib", int64_t{1} << 20},
                               {"gib", int64_t{1} << 30},
                               {"tib", int64_t{1} << 40}};
constexpr Unit kTimeUnits[] = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

// "1.5GB" by its unit; none where it is no such thing or overflows.
std::optional<int64_t> Measure(std::string_view text, std::span<const Unit> units) {
  double number = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || number < 0) return std::nullopt;
  const std::string unit = Lower(Trim(text.substr(static_cast<size_t>(end - text.data()))));
  for (const Unit& known : units) {
    const double value = number * static_cast<double>(known.factor);
    if (known.name == unit && value < 9e18) return static_cast<int64_t>(value);
  }
  return std::nullopt;
}

Result<int64_t> ParseMemory(std::string_view text) {
  if (!text.ends_with('%')) return ParseBytes(text);
  double share = 0;
  text.remove_suffix(1);
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), share);
  if (failure != std::errc() || end != text.data() + text.size() || share < 1 || share > 100) {
    return Error{Code::kInvalid, fmt::format("'{}%' is no share: 1% to 100%", text)};
  }
  return static_cast<int64_t>(static_cast<double>(UsableMemory()) * share / 100);
}

Result<int64_t> ParseInt(const Setting& setting, std::string_view text) {
  int64_t number = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = failure == std::errc() && end == text.data() + text.size() && !text.empty();
  if (whole && number >= setting.least && number <= setting.most) return number;
  if (setting.most == INT64_MAX) {
    return Error{Code::kInvalid, fmt::format("'{}' is no whole number of at least {}", text, setting.least)};
  }
  return Error{Code::kInvalid, fmt::format("'{}' is no whole number from {} to {}", text, setting.least, setting.most)};
}

Result<int64_t> ParseFlag(std::string_view text) {
  const std::string lower = Lower(text);
  if (lower == "true" || lower == "1" || lower == "yes" || lower == "on" || lower.empty()) return 1;
  if (lower == "false" || lower == "0" || lower == "no" || lower == "off") return 0;
  return Error{Code::kInvalid, fmt::format("'{}' is neither true nor false", text)};
}

std::string DefaultData(const Settings::Environment& environment) {
  const char* share = environment("XDG_DATA_HOME");
  if (share && *share) return std::string(share) + "/weft";
  const char* home = environment("HOME");
  return std::string(home && *home ? home : ".") + "/.local/share/weft";
}

const Setting* Find(std::string_view name) {
  for (const Setting& setting : SettingTable()) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

std::string Unknown(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Setting& setting : SettingTable()) names.push_back(setting.name);
  return fmt::format("'{}' is no setting{}", name, DidYouMean(name, names));
}

}  // namespace

Result<int64_t> ParseBytes(std::string_view text) {
  if (auto bytes = Measure(text, kByteUnits)) return *bytes;
  return Error{Code::kInvalid, fmt::format("'{}' is no size: write it like 512MB, 2GiB or 4096", text)};
}

Result<Millis> ParseDuration(std::string_view text) {
  if (auto millis = Measure(text, kTimeUnits)) return Millis(*millis);
  return Error{Code::kInvalid, fmt::format("'{}' is no duration: write it like 250ms, 5s, 10m, 24h or 7d", text)};
}

int64_t UsableMemory() {
  int64_t bytes = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGE_SIZE);
  for (const char* file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    auto text = weft::ReadFile(file);
    if (!text) continue;
    if (auto limit = Measure(Trim(*text), kByteUnits); limit && *limit > 0) bytes = std::min(bytes, *limit);
  }
  return bytes;
}

Status Settings::Put(const Setting& setting, std::vector<std::string> written, const std::string& origin) {
  Value value;
  value.origin = origin;
  value.text = Join(written, ":");
  switch (setting.kind) {
    case Kind::kText:
      if (setting.name == "log-level" && !log::ParseLevel(value.text)) return log::ParseLevel(value.text).error();
      break;
    case Kind::kInt:
      value.number = TRY(ParseInt(setting, value.text));
      break;
    case Kind::kBytes:
      value.number = TRY(ParseBytes(value.text));
      break;
    case Kind::kMemory:
      value.number = TRY(ParseMemory(value.text));
      break;
    case Kind::kDuration:
      value.number = TRY(ParseDuration(value.text)).count();
      break;
    case Kind::kFlag:
      value.number = TRY(ParseFlag(value.text));
      value.text = value.number ? "true" : "false";
      break;
    case Kind::kList:
      std::erase(written, "");
      value.list = std::move(written);
      break;
  }
  values_.insert_or_assign(std::string(setting.name), std::move(value));
  return {};
}

Status Settings::ReadFile(const std::string& file) {
  const std::string text = TRY(weft::ReadFile(file, size_t{1} << 20));
  const yaml::Node root = TRY(yaml::Parse(text, file));
  std::vector<Problem> problems;
  auto fault = [&](int line, int column, std::string_view path, std::string message) {
    problems.push_back({file, line, column, std::string(path), "weft.settings", std::move(message)});
  };
  if (root.kind != yaml::Node::Kind::kMap && root.kind != yaml::Node::Kind::kNull) {
    fault(root.line, root.column, "", "a file of settings is a map like 'http-port: 7470'");
  }
  for (const yaml::Node::Entry& entry : root.entries) {
    const Setting* setting = Find(entry.key);
    if (root.kind != yaml::Node::Kind::kMap) break;
    if (!setting) {
      fault(entry.line, entry.column, entry.key, Unknown(entry.key));
      continue;
    }
    if (setting->name == "config") {
      fault(entry.line, entry.column, entry.key, "a file cannot name another one");
      continue;
    }
    std::vector<std::string> written;
    bool fits = entry.value.is_scalar();
    if (entry.value.is_scalar()) written.push_back(entry.value.scalar);
    if (entry.value.kind == yaml::Node::Kind::kList && setting->kind == Kind::kList) {
      fits = true;
      for (const yaml::Node::Entry& item : entry.value.entries) {
        fits = fits && item.value.is_scalar();
        written.push_back(item.value.scalar);
      }
    }
    if (!fits) {
      fault(entry.value.line, entry.value.column, entry.key, fmt::format("needs a {}", KindName(setting->kind)));
      continue;
    }
    Status put = Put(*setting, std::move(written), fmt::format("{}:{}:{}", file, entry.line, entry.column));
    if (!put) fault(entry.value.line, entry.value.column, entry.key, put.error().message);
  }
  if (problems.empty()) return {};
  return Error{Code::kInvalid, fmt::format("{} in {}", Count(problems.size(), "mistake"), file), std::move(problems)};
}

Result<Settings> Settings::Read(const Flags& flags, const Environment& environment) {
  Settings settings;
  for (const Setting& setting : SettingTable()) {
    TRY(settings.Put(setting, {setting.name == "data" ? DefaultData(environment) : std::string(setting.otherwise)},
                     "default"));
  }
  std::map<std::string, std::vector<std::string>> given;
  for (const auto& [name, value] : flags) {
    if (!Find(name)) return Error{Code::kInvalid, Unknown(name)};
    given[name].push_back(value);
  }
  // Twice: to learn which file and folder, and again over what the file says.
  auto over = [&]() -> Status {
    for (const Setting& setting : SettingTable()) {
      const char* variable = environment(setting.Environment().c_str());
      auto flag = given.find(std::string(setting.name));
      if (flag != given.end()) {
        std::vector<std::string> written = flag->second;
        if (setting.kind != Kind::kList) written.assign(1, flag->second.back());
        Status put = settings.Put(setting, std::move(written), "--" + flag->first);
        if (!put) return put.TakeError().With("--" + flag->first);
      } else if (variable && *variable) {
        std::vector<std::string> written = {variable};
        if (setting.kind == Kind::kList) written = Split(variable, ':');
        Status put = settings.Put(setting, std::move(written), setting.Environment());
        if (!put) return put.TakeError().With(setting.Environment());
      }
    }
    return {};
  };
  TRY(over());
  const std::string beside = settings.Text("data") + "/weft.yaml";
  std::error_code ignored;
  if (!settings.Text("config").empty()) {
    TRY(settings.ReadFile(settings.Text("config")));
    TRY(over());
  } else if (fs::exists(beside, ignored)) {
    const std::string data = settings.Text("data");
    TRY(settings.ReadFile(beside));
    if (settings.Text("data") != data) {
      return Error{Code::kInvalid, beside + " lies in the data folder and cannot name another one; use --config"};
    }
    TRY(over());
  }
  const std::string data = fs::absolute(settings.Text("data")).lexically_normal().string();
  settings.values_.find("data")->second.text = data;
  for (auto& [name, value] : settings.values_) value.text = ReplaceAll(value.text, "<data>", data);
  const std::string shared = fs::absolute(settings.Text("shared")).lexically_normal().string();
  settings.values_.find("shared")->second.text = shared;
  for (auto& [name, value] : settings.values_) value.text = ReplaceAll(value.text, "<shared>", shared);
  return settings;
}

const Settings::Value& Settings::Get(std::string_view name) const { return values_.find(name)->second; }
const std::string& Settings::Text(std::string_view name) const { return Get(name).text; }
int64_t Settings::Int(std::string_view name) const { return Get(name).number; }
Millis Settings::Duration(std::string_view name) const { return Millis(Get(name).number); }
bool Settings::Flag(std::string_view name) const { return Get(name).number != 0; }
const std::vector<std::string>& Settings::List(std::string_view name) const { return Get(name).list; }
const std::string& Settings::Origin(std::string_view name) const { return Get(name).origin; }

Json Settings::ToJson() const {
  Json all = Json::Map({});
  for (const Setting& setting : SettingTable()) {
    const Value& value = Get(setting.name);
    all.Set(setting.name, Json::Map({{"value", value.text},
                                     {"from", value.origin},
                                     {"kind", KindName(setting.kind)},
                                     {"default", setting.otherwise},
                                     {"description", setting.description}}));
  }
  return all;
}

Status CheckListening(const Settings& settings) {
  const std::string& certificate = settings.Text("tls-certificate");
  if (certificate.empty() != settings.Text("tls-key").empty()) {
    return Error{Code::kInvalid, "tls-certificate and tls-key come together: give both files, or neither"};
  }
  if (certificate.empty() && !http::IsLoopback(settings.Text("listen"))) {
    return Error{Code::kInvalid,
                 fmt::format("to listen on {} ({}) would send tokens and data in the clear: give tls-certificate and "
                             "tls-key, which both listeners use, or listen on 127.0.0.1",
                             settings.Text("listen"), settings.Origin("listen"))};
  }
  return {};
}

}  // namespace weft::app
