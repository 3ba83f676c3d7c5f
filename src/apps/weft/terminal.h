// What a person sees: tables, colours, bars; colours and bars only on a terminal, and no byte of data ever reaches
// the terminal as a command.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace weft::app {

// What standard output and standard error are connected to.
struct Screen {
  bool out_terminal = false;
  bool error_terminal = false;
  bool color = false;  // On standard output.
  int width = 0;       // Columns of the terminal; 0: not a terminal, nothing is ever cut.

  static Screen Of(bool no_color);
};

enum class Style { kPlain, kDim, kBold, kGood, kWarn, kBad, kTitle };
std::string Paint(const Screen& screen, Style style, std::string_view text);

// Control characters, direction overrides and bytes that are no UTF-8 become visible escapes ("\x1b"); a line break
// becomes "\n" unless `lines`.
std::string Safe(std::string_view text, bool lines = false);
size_t Width(std::string_view text);                   // Columns on the screen; of text that is Safe.
std::string Cut(std::string_view text, size_t width);  // With "…" where something is missing.
std::string Pad(std::string_view text, size_t width, bool right = false);
std::string Wrap(std::string_view text, size_t width, std::string_view indent);

std::string Ago(Instant then, Instant now);     // "3 minutes ago", "in 2 days"
std::string AgoText(std::string_view rfc3339);  // The same of what the node answers; "never" where empty.
std::string Took(int64_t micros);               // "1.4 s"

// What becomes of a column where the terminal is too narrow for all of them.
enum class Narrow {
  kCut,    // Its texts end in "…".
  kKeep,   // Nothing: it is what the table is read for.
  kDrop,   // It is left out, and the table says so.
  kBelow,  // It stands whole on a second, indented line.
};
struct Column {
  std::string title;
  bool right = false;
  Narrow narrow = Narrow::kCut;
  int order = 0;         // Of those that drop or move below: the lowest goes first.
  size_t readable = 16;  // Columns give way before it is cut to less.
};
struct Cell {
  std::string text;
  Style style = Style::kPlain;
};

// Aligned columns under a dim head, fitted to a terminal's width: the widest columns are cut to something readable,
// then columns give way in their order, and only then is more cut.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void Add(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  std::string Text(const Screen& screen) const;

  // For answers that stream: widths are settled by the first rows, later ones are cut to them.
  void Settle(const Screen& screen);
  std::string Head(const Screen& screen) const;
  std::string Row(const Screen& screen, const std::vector<Cell>& cells) const;
  // Whether so many columns stand side by side on the screen that few of them can be read.
  bool TooMany(const Screen& screen) const;
  // A row as a block of its own, a line for each column.
  std::string Record(const Screen& screen, int64_t number, const std::vector<Cell>& cells) const;
  const std::vector<std::vector<Cell>>& rows() const { return rows_; }

 private:
  enum class Place { kLine, kBelow, kNowhere };

  size_t Total() const;
  void CutTo(size_t width, bool readable);
  bool GiveWay();  // The next column does; false where none is left to.
  std::string Line(const Screen& screen, const std::vector<Cell>& cells, Place place) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
  std::vector<size_t> natural_;  // What each column would need.
  std::vector<size_t> widths_;
  std::vector<Place> places_;
};

// Lines at the bottom of standard error that are drawn over again; nothing where that is no terminal.
class Progress {
 public:
  explicit Progress(const Screen& screen) : screen_(screen) {}
  ~Progress() { Draw({}); }
  void Draw(const std::vector<std::string>& lines);
  static std::string Bar(double percent, size_t width = 24);

 private:
  const Screen& screen_;
  size_t drawn_ = 0;
};

}  // namespace weft::app
