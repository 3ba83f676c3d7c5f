#include "model/exchange/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "base/yaml.h"
#include "model/address.h"
#include "model/version.h"

namespace weft::model::exchange {
namespace {

constexpr size_t kLongestSlug = 63;
constexpr size_t kFlow = 80;  // Characters of a short list that stands on one line.

// As JSON writes it, with what JSON leaves alone escaped: controls that YAML refuses (U+007F to U+009F), line breaks
// that it would fold, and marks of byte order.
std::string Quoted(const Json& text) {
  std::string quoted = ReplaceAll(text.Dump(), "\x7F", "\\u007f");
  quoted = ReplaceAll(ReplaceAll(quoted, "\xE2\x80\xA8", "\\u2028"), "\xE2\x80\xA9", "\\u2029");
  quoted = ReplaceAll(quoted, "\xEF\xBB\xBF", "\\ufeff");
  for (int control = 0x80; control < 0xA0; ++control) {
    const std::string raw = {'\xC2', static_cast<char>(control)};
    if (quoted.find(raw) != quoted.npos) quoted = ReplaceAll(quoted, raw, fmt::format("\\u{:04x}", control));
  }
  return quoted;
}

// Plain where it cannot be misread, else quoted.
std::string Scalar(const Json& value) {
  if (!value.is_text()) return value.Dump();
  const std::string& text = value.Text();
  static constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/. ()+%;";
  const bool plain = !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) && text.back() != ' ' &&
                     std::ranges::all_of(text, [](char c) { return kPlain.find(c) != kPlain.npos; });
  if (Version::Parse(text)) return text;
  if (!plain) return Quoted(value);
  for (const std::string_view word : {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}) {
    if (Lower(text) == word) return Quoted(value);
  }
  return text;
}

// A text of several lines, as a block; empty where it must be quoted.
std::string Block(const std::string& text, size_t indent) {
  if (text.find('\n') == text.npos || text.front() == ' ' || text.front() == '\n' || text.ends_with("\n\n")) return "";
  if (text == "\n" || !IsUtf8(text)) return "";
  for (const unsigned char c : text) {
    if ((c < ' ' && c != '\n') || c == 0x7F || c == 0xC2) return "";  // 0xC2: a control may follow.
  }
  // Line breaks of other kinds and marks of byte order would be read as something else.
  for (const std::string_view odd : {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xEF\xBB\xBF"}) {
    if (text.find(odd) != text.npos) return "";
  }
  const bool ends = text.ends_with('\n');
  std::string block = ends ? "|\n" : "|-\n";
  for (const std::string& line : Split(ends ? text.substr(0, text.size() - 1) : text, '\n')) {
    block += (line.empty() ? "" : std::string(indent, ' ') + line) + "\n";
  }
  return block;
}

bool IsScalar(const Json& value) { return !value.is_array() && !value.is_object(); }

void Write(const Json& value, size_t indent, std::string& out);

void WriteAfterKey(const Json& value, size_t indent, std::string& out) {
  if (IsScalar(value)) {
    const std::string block = value.is_text() ? Block(value.Text(), indent + 2) : "";
    out += " " + (block.empty() ? Scalar(value) + "\n" : block);
  } else if (value.size() == 0) {
    out += value.is_array() ? " []\n" : " {}\n";
  } else {
    const std::string flow = value.is_array() && std::ranges::all_of(value.Items(), IsScalar) ? value.Dump() : "";
    if (!flow.empty() && flow.size() <= kFlow) {
      std::string items;
      for (const Json& item : value.Items()) {
        std::string text = Scalar(item);
        items += (items.empty() ? "" : ", ") + text;
      }
      out += " [" + items + "]\n";
    } else {
      out += "\n";
      Write(value, indent + 2, out);
    }
  }
}

void Write(const Json& value, size_t indent, std::string& out) {
  const std::string in(indent, ' ');
  for (const auto& [key, member] : value.Members()) {
    out += in + Scalar(key) + ":";
    WriteAfterKey(member, indent, out);
  }
  for (const Json& item : value.Items()) {
    if (!item.is_object() || item.size() == 0) {
      out += in + "-";
      WriteAfterKey(item, indent, out);
      continue;
    }
    std::string inside;
    Write(item, indent + 2, inside);
    inside[indent] = '-';
    out += inside;
  }
}

}  // namespace

std::string YamlText(const Json& document) {
  std::string text;
  if (IsScalar(document) || document.size() == 0) return Scalar(document) + "\n";
  Write(document, 0, text);
  return text;
}

std::string SlugOf(std::string_view name) {
  std::string slug;
  for (const char c : Lower(name)) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (good) {
      slug += c;
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  if (slug.empty() || !(slug[0] >= 'a' && slug[0] <= 'z')) slug = slug.empty() ? "unnamed" : "x-" + slug;
  slug.resize(std::min(slug.size(), kLongestSlug - 4));  // Room for a number.
  while (slug.ends_with('-')) slug.pop_back();
  if (!CheckSlug(slug, "a port")) slug += "-x";
  return slug;
}

std::string SlugOf(std::string_view name, std::set<std::string>& taken) {
  const std::string first = SlugOf(name);
  std::string slug = first;
  for (int i = 2; !taken.insert(slug).second; ++i) slug = fmt::format("{}-{}", first, i);
  return slug;
}

std::string SemverOf(std::string_view text) {
  std::string_view digits = Trim(text);
  if (digits.starts_with('v') || digits.starts_with('V')) digits.remove_prefix(1);
  std::string version(digits);
  for (int i = 0; i < 3; ++i, version += ".0") {
    if (auto parsed = Version::Parse(version)) return parsed->Text();
  }
  return "";
}

std::string NameOfFile(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace weft::model::exchange
