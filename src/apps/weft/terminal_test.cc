#include "apps/weft/terminal.h"

#include <gtest/gtest.h>

#include <clocale>

namespace weft::app {
namespace {

class Terminal : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(std::setlocale(LC_CTYPE, "C.UTF-8"), nullptr); }
};

TEST_F(Terminal, NoByteOfDataIsACommand) {
  EXPECT_EQ(Safe("a\033[2Jb\a"), "a\\x1b[2Jb\\x07");
  EXPECT_EQ(Safe("a\xc2\x9b"
                 "1m"),
            "a\\x9b1m");
  EXPECT_EQ(Safe("ab\xff"), "ab\\xff");
  EXPECT_EQ(Safe("a\xe2\x80\xae"
                 "b"),
            "a\\u202eb");
  EXPECT_EQ(Safe("Zürich → 東京"), "Zürich → 東京");
  EXPECT_EQ(Safe("a\nb"), "a\\nb");
  EXPECT_EQ(Safe("a\nb", true), "a\nb");
}

TEST_F(Terminal, WidthCountsColumns) {
  EXPECT_EQ(Width("abc"), 3u);
  EXPECT_EQ(Width("東京"), 4u);
  EXPECT_EQ(Width("e\xcc\x81"), 1u);
  EXPECT_EQ(Cut("東京都", 5), "東京…");
  EXPECT_EQ(Cut("abc", 3), "abc");
  EXPECT_EQ(Pad("東", 4, true), "  東");
}

TEST_F(Terminal, TablesAlignAndFit) {
  Table table({{"name"}, {"rows", true}});
  table.Add({{"flights"}, {"336,776"}});
  table.Add({{"東京"}, {"1"}});
  EXPECT_EQ(table.Text(Screen{}), "name        rows\nflights  336,776\n東京           1\n");
  Screen narrow;
  narrow.width = 12;
  EXPECT_EQ(table.Text(narrow), "name    rows\nflig…  336,…\n東京       1\n");
}

// The address and the verdict stay whole at any width; columns give way in their order, and a table says which.
TEST_F(Terminal, ColumnsGiveWayInTheirOrder) {
  Table table({{"id", false, Narrow::kBelow, 2},
               {"address", false, Narrow::kKeep},
               {"verdict", false, Narrow::kKeep},
               {"by", false, Narrow::kDrop, 1},
               {"note"}});
  table.Add({{"run_1"}, {"sales/orders/orders@1"}, {"succeeded"}, {"ana"}, {""}});
  Screen screen;
  screen.width = 60;
  EXPECT_EQ(table.Text(screen),
            "id     address                verdict    by   note\nrun_1  sales/orders/orders@1  succeeded  ana\n");
  screen.width = 47;
  EXPECT_EQ(table.Text(screen),
            "id     address                verdict    note\nrun_1  sales/orders/orders@1  succeeded\n"
            "without by: the terminal is too narrow; --json tells all\n");
  screen.width = 40;
  EXPECT_EQ(table.Text(screen),
            "address                verdict    note\n    id\nsales/orders/orders@1  succeeded\n    run_1\n"
            "without by: the terminal is too narrow; --json tells all\n");
  screen.width = 10;
  EXPECT_NE(table.Text(screen).find("sales/orders/orders@1  succeeded\n"), std::string::npos);
}

TEST_F(Terminal, TextIsCutToWhatCanBeReadBeforeAnyColumnGoes) {
  Table table(
      {{"name", false, Narrow::kKeep}, {"by", false, Narrow::kDrop}, {"what it is", false, Narrow::kCut, 0, 8}});
  table.Add({{"orders"}, {"ana"}, {"Every order of the shop"}});
  Screen screen;
  screen.width = 22;
  EXPECT_EQ(table.Text(screen), "name    by   what it …\norders  ana  Every or…\n");
  screen.width = 18;
  EXPECT_EQ(table.Text(screen),
            "name    what it is\norders  Every ord…\n"
            "without by: the terminal is too narrow; --json tells all\n");
}

TEST_F(Terminal, ManyColumnsStandBelowEachOther) {
  Table table({{"first"}, {"second", true}, {"third"}});
  const std::vector<Cell> row = {{"0123456789abc"}, {"0123456789"}, {"0123456789"}};
  table.Add(row);
  Screen screen;
  screen.width = 30;
  table.Settle(screen);
  EXPECT_TRUE(table.TooMany(screen));
  EXPECT_EQ(table.Record(screen, 7, row),
            "row 7\n  first   0123456789abc\n  second  0123456789\n  third   0123456789\n");
  screen.width = 40;
  EXPECT_FALSE(table.TooMany(screen));
  EXPECT_FALSE(table.TooMany(Screen{}));
}

TEST_F(Terminal, TimeIsToldAsPeopleDo) {
  Instant now{1'000'000'000'000'000};
  EXPECT_EQ(Ago(now, now), "just now");
  EXPECT_EQ(Ago({now.micros - 61'000'000}, now), "1 minute ago");
  EXPECT_EQ(Ago({now.micros + int64_t{3} * 86'400 * 1'000'000}, now), "in 3 days");
}

}  // namespace
}  // namespace weft::app
