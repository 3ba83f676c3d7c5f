#include "apps/weft/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"

namespace weft::app {
namespace {

struct Point {
  char32_t value = 0;
  size_t bytes = 0;  // 0: no UTF-8 here.
};

Point PointAt(std::string_view text, size_t at) {
  auto first = static_cast<unsigned char>(text[at]);
  size_t bytes = first < 0x80 ? 1 : (first >> 5) == 6 ? 2 : (first >> 4) == 14 ? 3 : (first >> 3) == 30 ? 4 : 0;
  if (bytes == 0 || at + bytes > text.size() || !IsUtf8(text.substr(at, bytes))) return {};
  char32_t value = bytes == 1 ? first : first & (0x7f >> bytes);
  for (size_t i = 1; i < bytes; ++i) value = value << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3f);
  return {value, bytes};
}

// What a terminal obeys, or what makes text read in another order than it stands.
bool IsDangerous(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
         c == 0x200e || c == 0x200f || c == 0x2028 || c == 0x2029;
}

std::string Escaped(char32_t c) {
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  if (c == '\r') return "\\r";
  return c < 0x100 ? fmt::format("\\x{:02x}", static_cast<uint32_t>(c))
                   : fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
}

size_t WidthOf(char32_t c) {
  int width = c < 0x80 ? 1 : wcwidth(static_cast<wchar_t>(c));
  return width < 0 ? 1 : static_cast<size_t>(width);
}

}  // namespace

Screen Screen::Of(bool no_color) {
  Screen screen;
  screen.out_terminal = isatty(STDOUT_FILENO) == 1;
  screen.error_terminal = isatty(STDERR_FILENO) == 1;
  const char* no = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  bool plain = no_color || (no && *no) || (term && std::string_view(term) == "dumb");
  screen.color = screen.out_terminal && !plain;
  winsize size{};
  if (screen.out_terminal) {
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    screen.width = known ? size.ws_col : 80;
  }
  return screen;
}

std::string Paint(const Screen& screen, Style style, std::string_view text) {
  constexpr const char* kCodes[] = {"", "2", "1", "32", "33", "31", "1;36"};
  if (!screen.color || style == Style::kPlain || text.empty()) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", kCodes[static_cast<int>(style)], text);
}

std::string Safe(std::string_view text, bool lines) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    Point point = PointAt(text, at);
    if (point.bytes == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at++]));
      continue;
    }
    if (IsDangerous(point.value) && !(lines && point.value == '\n')) {
      out += Escaped(point.value);
    } else {
      out.append(text.substr(at, point.bytes));
    }
    at += point.bytes;
  }
  return out;
}

size_t Width(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    Point point = PointAt(text, at);
    width += point.bytes == 0 ? 1 : WidthOf(point.value);
    at += std::max<size_t>(point.bytes, 1);
  }
  return width;
}

std::string Cut(std::string_view text, size_t width) {
  if (Width(text) <= width) return std::string(text);
  size_t used = 0, at = 0;
  while (at < text.size()) {
    Point point = PointAt(text, at);
    size_t next = point.bytes == 0 ? 1 : WidthOf(point.value);
    if (used + next + 1 > width) break;
    used += next;
    at += std::max<size_t>(point.bytes, 1);
  }
  return std::string(text.substr(0, at)) + (width > 0 ? "…" : "");
}

std::string Pad(std::string_view text, size_t width, bool right) {
  size_t has = Width(text);
  std::string space(width > has ? width - has : 0, ' ');
  return right ? space + std::string(text) : std::string(text) + space;
}

std::string Wrap(std::string_view text, size_t width, std::string_view indent) {
  std::string out;
  size_t used = 0;
  for (const std::string& word : Split(text, ' ')) {
    size_t needs = Width(word);
    if (used > 0 && used + 1 + needs > width) {
      out += "\n" + std::string(indent);
      used = 0;
    } else if (used > 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += needs;
  }
  return out;
}

std::string Ago(Instant then, Instant now) {
  int64_t seconds = (now.micros - then.micros) / 1'000'000;
  bool future = seconds < 0;
  seconds = std::abs(seconds);
  if (future && seconds >= 3'600) seconds += 60;  // "30d" that was asked a moment ago is in 30 days.
  struct Unit {
    int64_t seconds;
    const char* name;
  };
  constexpr Unit kUnits[] = {{365 * 86'400, "year"}, {30 * 86'400, "month"}, {86'400, "day"},
                             {3'600, "hour"},        {60, "minute"},         {1, "second"}};
  for (const Unit& unit : kUnits) {
    if (seconds < unit.seconds) continue;
    std::string count = Count(static_cast<size_t>(seconds / unit.seconds), unit.name);
    return future ? "in " + count : count + " ago";
  }
  return "just now";
}

std::string AgoText(std::string_view rfc3339) {
  if (rfc3339.empty()) return "never";
  auto then = Instant::Parse(rfc3339);
  return then ? Ago(*then, SystemClock().Now()) : Safe(rfc3339);
}

std::string Took(int64_t micros) {
  if (micros < 1'000'000) return fmt::format("{} ms", micros / 1'000);
  if (micros < 60'000'000) return fmt::format("{:.1f} s", static_cast<double>(micros) / 1e6);
  return fmt::format("{} min {} s", micros / 60'000'000, micros / 1'000'000 % 60);
}

size_t Table::Total() const {
  size_t sum = 0, shown = 0;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (places_[i] != Place::kLine) continue;
    sum += widths_[i];
    ++shown;
  }
  return shown > 0 ? sum + 2 * (shown - 1) : 0;
}

void Table::CutTo(size_t width, bool readable) {
  constexpr size_t kLeast = 4;
  while (Total() > width) {
    size_t widest = columns_.size();
    for (size_t i = 0; i < columns_.size(); ++i) {
      const bool cuts = columns_[i].narrow == Narrow::kCut || columns_[i].narrow == Narrow::kDrop;
      if (!cuts || places_[i] != Place::kLine) continue;
      if (widths_[i] <= (readable ? columns_[i].readable : kLeast)) continue;
      if (widest == columns_.size() || widths_[i] > widths_[widest]) widest = i;
    }
    if (widest == columns_.size()) return;
    --widths_[widest];
  }
}

bool Table::GiveWay() {
  size_t next = columns_.size();
  for (size_t i = 0; i < columns_.size(); ++i) {
    const bool gives = columns_[i].narrow == Narrow::kDrop || columns_[i].narrow == Narrow::kBelow;
    if (!gives || places_[i] != Place::kLine) continue;
    if (next == columns_.size() || columns_[i].order < columns_[next].order) next = i;
  }
  if (next == columns_.size()) return false;
  places_[next] = columns_[next].narrow == Narrow::kBelow ? Place::kBelow : Place::kNowhere;
  return true;
}

void Table::Settle(const Screen& screen) {
  natural_.clear();
  for (const Column& column : columns_) natural_.push_back(Width(column.title));
  std::vector<bool> empty(columns_.size(), true);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size() && i < natural_.size(); ++i) {
      natural_[i] = std::max(natural_[i], Width(row[i].text));
      if (!row[i].text.empty()) empty[i] = false;
    }
  }
  widths_ = natural_;
  places_.assign(columns_.size(), Place::kLine);
  const auto width = static_cast<size_t>(screen.width);
  if (width == 0 || Total() <= width) return;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].narrow == Narrow::kDrop && empty[i]) places_[i] = Place::kNowhere;
  }
  do {
    widths_ = natural_;
    CutTo(width, true);
  } while (Total() > width && GiveWay());
  CutTo(width, false);
}

std::string Table::Line(const Screen& screen, const std::vector<Cell>& cells, Place place) const {
  constexpr size_t kIndent = 4;
  std::string line = place == Place::kBelow ? std::string(kIndent, ' ') : "";
  bool first = true;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (places_[i] != place) continue;
    const Cell& cell = i < cells.size() ? cells[i] : Cell{};
    const bool cut = screen.width > 0 && place == Place::kLine;
    std::string text = cut ? Cut(cell.text, widths_[i]) : cell.text;
    size_t space = widths_[i] > Width(text) ? widths_[i] - Width(text) : 0;
    if (place == Place::kBelow) space = 0;
    if (!first) line += "  ";
    first = false;
    if (columns_[i].right) line.append(space, ' ');
    line += Paint(screen, cell.style, text);
    if (!columns_[i].right) line.append(space, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line.empty() && place == Place::kBelow ? "" : line + "\n";
}

std::string Table::Row(const Screen& screen, const std::vector<Cell>& cells) const {
  return Line(screen, cells, Place::kLine) + Line(screen, cells, Place::kBelow);
}

bool Table::TooMany(const Screen& screen) const {
  constexpr size_t kGlance = 10;  // Columns in which one sees what a value is.
  size_t least = 0;
  for (size_t needs : natural_) least += std::min(needs, kGlance) + 2;
  return screen.width > 0 && least > static_cast<size_t>(screen.width) + 2;
}

std::string Table::Record(const Screen& screen, int64_t number, const std::vector<Cell>& cells) const {
  size_t names = 0;
  for (const Column& column : columns_) names = std::max(names, Width(column.title));
  std::string text = Paint(screen, Style::kDim, "row " + HumanCount(number)) + "\n";
  for (size_t i = 0; i < columns_.size() && i < cells.size(); ++i) {
    const size_t used = names + 4;
    const size_t left = static_cast<size_t>(screen.width) > used ? static_cast<size_t>(screen.width) - used : 1;
    text += "  " + Paint(screen, Style::kDim, Pad(columns_[i].title, names)) + "  " +
            Paint(screen, cells[i].style, Cut(cells[i].text, left)) + "\n";
  }
  return text;
}

std::string Table::Head(const Screen& screen) const {
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.push_back({column.title, Style::kDim});
  return Row(screen, titles);
}

std::string Table::Text(const Screen& screen) const {
  Table settled = *this;
  settled.Settle(screen);
  std::string out = settled.Head(screen);
  for (const auto& row : rows_) out += settled.Row(screen, row);
  std::string without;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const bool told = std::any_of(rows_.begin(), rows_.end(),
                                  [i](const auto& row) { return i < row.size() && !row[i].text.empty(); });
    if (settled.places_[i] == Place::kNowhere && told) without += (without.empty() ? "" : ", ") + columns_[i].title;
  }
  if (!without.empty()) {
    out += Paint(screen, Style::kDim, "without " + without + ": the terminal is too narrow; --json tells all") + "\n";
  }
  return out;
}

void Progress::Draw(const std::vector<std::string>& lines) {
  if (!screen_.error_terminal) return;
  std::string out;
  for (size_t i = 0; i < drawn_; ++i) out += "\033[A\033[2K";
  size_t width = screen_.width > 0 ? static_cast<size_t>(screen_.width) : 80;
  for (const std::string& line : lines) out += Cut(line, width - 1) + "\n";
  drawn_ = lines.size();
  std::fputs(out.c_str(), stderr);
  std::fflush(stderr);
}

std::string Progress::Bar(double percent, size_t width) {
  auto full = static_cast<size_t>(std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(width));
  std::string bar;
  for (size_t i = 0; i < width; ++i) bar += i < full ? "━" : "─";
  return bar;
}

}  // namespace weft::app
