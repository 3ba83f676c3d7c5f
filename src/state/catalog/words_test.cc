#include "state/catalog/words.h"

#include <gtest/gtest.h>

namespace weft::catalog {
namespace {

std::string Words(std::string_view text) {
  std::string words;
  for (const Token& token : TokensOf(text)) words += token.word + " ";
  return words;
}

TEST(Words, AreTheSameHoweverTheyAreWritten) {
  EXPECT_EQ(Words("Late FLIGHTS, of each-carrier's day"), "late flight of each carrier s day ");
  EXPECT_EQ(Words("dep_delay depDelay HTTPServer"), "dep delay dep delay httpserver ");
  EXPECT_EQ(Words("cities addresses address status bus"), "city address address statu bus ");
  EXPECT_EQ(Words("Délais Łódź Größe"), "delai lodz große ");
  EXPECT_EQ(Words("Заказы ΔΕΛΤΑ"), "заказы δελτα ");
  EXPECT_EQ(Words("a—b “quoted”…"), "a b quoted ");
  EXPECT_EQ(Words("\xff\xfe broken\xc3"), "broken ");
  EXPECT_EQ(Words(""), "");
}

TEST(Words, NamesThatBreakAreFoundWholeToo) {
  EXPECT_EQ(IndexText("windSpeed of depDelays"), "wind speed windspeed of dep delay depdelay");
  EXPECT_EQ(IndexText("wind_speed"), "wind speed");
}

TEST(Words, SnippetsShowWhatWasFound) {
  EXPECT_EQ(Snippet("Departures and delays.", {{"delay", false}}), "Departures and «delays».");
  EXPECT_EQ(Snippet("Departures and delays.", {{"dep", true}, {"delay", false}}), "«Departures» and «delays».");
  EXPECT_EQ(Snippet("Departures.", {{"dep", false}}), "");
  std::string text;
  for (int i = 0; i < 40; ++i) text += "word ";
  const std::string snippet = Snippet(text + "needle " + text, {{"needle", false}});
  EXPECT_EQ(snippet, "…word word word word word word «needle» word word word word word word word word word word word…");
}

}  // namespace
}  // namespace weft::catalog
