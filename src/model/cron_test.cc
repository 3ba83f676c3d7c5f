#include "model/cron.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/text.h"
#include "model/schedule.h"
#include "model/zones.h"

namespace weft::model {
namespace {

Instant At(const std::string& text) { return Instant::Parse(text).value(); }

std::string After(const std::string& line, const std::string& time, const std::string& zone = "") {
  auto cron = Cron::Parse(line, zone);
  return cron ? cron->After(At(time)).Text().substr(0, 16) : cron.error().message;
}

TEST(CronTest, TakesTheFirstTimeThatIsLater) {
  EXPECT_EQ(After("0 5 * * 1-5", "2026-11-21T10:00:00Z"), "2026-11-23T05:00");  // A Saturday.
  EXPECT_EQ(After("0 5 * * MON-fri", "2026-11-23T05:00:00Z"), "2026-11-24T05:00");
  EXPECT_EQ(After("*/15 8-17 * * *", "2026-11-21T17:45:00Z"), "2026-11-22T08:00");
  EXPECT_EQ(After("0 0 29 2 *", "2026-01-01T00:00:00Z"), "2028-02-29T00:00");
  EXPECT_EQ(After("0 0 29 2 *", "2096-03-01T00:00:00Z"), "2104-02-29T00:00");
  EXPECT_EQ(After("0 0 13 * FRI", "2026-11-14T00:00:00Z"), "2026-11-20T00:00");  // Either day is enough.
  EXPECT_EQ(After("0 0 1,15 JAN,JUL *", "2026-01-15T00:00:00Z"), "2026-07-01T00:00");
  EXPECT_EQ(After("10 3 * * 7", "2026-11-21T00:00:00Z"), "2026-11-22T03:10");
  EXPECT_EQ(After("@hourly", "2026-11-21T10:30:00Z"), "2026-11-21T11:00");
  EXPECT_EQ(After("@monthly", "2026-11-21T10:30:00Z"), "2026-12-01T00:00");
  EXPECT_EQ(After("@weekly", "2026-11-21T10:30:00Z"), "2026-11-22T00:00");
  EXPECT_EQ(After("* * * * *", "2026-11-21T10:30:00Z"), "2026-11-21T10:31");
  EXPECT_EQ(After("0 5 * * *", "2026-07-01T12:00:00Z", "Asia/Kolkata"), "2026-07-01T23:30");
}

TEST(CronTest, SummerTimeBeginsAndEnds) {
  // In Berlin 02:00 to 03:00 is left out on 29 March 2026, and comes twice on 25 October.
  EXPECT_EQ(After("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin"), "2026-03-29T01:00");  // 03:00, the first.
  EXPECT_EQ(After("30 2 * * *", "2026-03-29T01:00:00Z", "Europe/Berlin"), "2026-03-30T00:30");
  EXPECT_EQ(After("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin"), "2026-10-25T00:30");    // The first of two,
  EXPECT_EQ(After("30 2 * * *", "2026-10-25T00:30:00Z", "Europe/Berlin"), "2026-10-26T01:30");    // and not the other.
  EXPECT_EQ(After("0,30 2 * * *", "2026-03-28T23:00:00Z", "Europe/Berlin"), "2026-03-29T01:00");  // Both are that one.
  EXPECT_EQ(After("0,30 2 * * *", "2026-03-29T01:00:00Z", "Europe/Berlin"), "2026-03-30T00:00");
  // Every hour is every hour that there is.
  EXPECT_EQ(After("30 * * * *", "2026-10-25T00:30:00Z", "Europe/Berlin"), "2026-10-25T01:30");
  EXPECT_EQ(After("30 * * * *", "2026-03-29T00:30:00Z", "Europe/Berlin"), "2026-03-29T01:30");
}

TEST(CronTest, SaysWhichFieldIsWrongAndWhatIsAllowed) {
  auto why = [](const std::string& line, const std::string& zone = "") {
    auto cron = Cron::Parse(line, zone);
    return cron ? "" : cron.error().message;
  };
  EXPECT_EQ(why("61 5 * * *"), "the minute '61' is out of range: it is 0 to 59, such as 0, 30 or */15");
  EXPECT_EQ(why("0 5 * * MO"),
            "the day of the week 'MO' is none: it is 0 to 7 or sun to sat, such as 1-5, MON-FRI, or * (0 and 7 are "
            "Sunday)");
  EXPECT_NE(why("0 22-2 * * *").find("the hour '22-2' goes backwards"), std::string::npos);
  EXPECT_NE(why("5/15 * * * *").find("write 5-59/15"), std::string::npos);
  EXPECT_NE(why("*/0 * * * *").find("no step that fits"), std::string::npos);
  EXPECT_NE(why("0 5 * *").find("has 4 fields; a schedule has five"), std::string::npos);
  EXPECT_NE(why("0 0 30 2 *").find("never happens"), std::string::npos);
  EXPECT_NE(why("0 0 31 4,6 *").find("never happens"), std::string::npos);
  EXPECT_EQ(why("0 0 30 2 MON"), "");
  EXPECT_NE(why("@dayly").find("did you mean '@daily'?"), std::string::npos);
  EXPECT_NE(why("0 5 * * *", "Europe/Berlim").find("no time zone"), std::string::npos);
  EXPECT_NE(why("0 5 * * *", "../../etc/passwd").find("no time zone"), std::string::npos);
  EXPECT_NE(why(",5 5 * * *"), "");
  EXPECT_NE(why(""), "");
}

TEST(CronTest, TheLastOfMany) {
  const Cron minutely = Cron::Parse("* * * * *").value();
  EXPECT_EQ(minutely.Last(At("2001-01-01"), At("2026-11-21T10:30:30Z"))->Text().substr(0, 16), "2026-11-21T10:30");
  const Cron yearly = Cron::Parse("0 0 1 1 *").value();
  EXPECT_EQ(yearly.Last(At("2001-06-01"), At("2026-11-21"))->Text().substr(0, 10), "2026-01-01");
  EXPECT_FALSE(yearly.Last(At("2026-01-01"), At("2026-11-21")).has_value());
  EXPECT_EQ(yearly.Last(At("2025-12-31"), At("2026-01-01"))->Text().substr(0, 10), "2026-01-01");
}

// A field's values, spelled out anew.
std::set<int> Values(const std::string& field, int least, int most) {
  std::set<int> values;
  for (const std::string& part : Split(field, ',')) {
    const auto slash = Split(part, '/');
    const auto range = Split(slash[0], '-');
    const int from = slash[0] == "*" ? least : std::stoi(range[0]);
    const int to = slash[0] == "*" ? most : range.size() > 1 ? std::stoi(range[1]) : from;
    for (int value = from; value <= to; value += slash.size() > 1 ? std::stoi(slash[1]) : 1) values.insert(value);
  }
  return values;
}

// The times of a schedule by walking through every minute of the world's time.
std::set<int64_t> Walk(const std::vector<std::string>& fields, const std::string& zone, int64_t from, int64_t to) {
  const std::set<int> minutes = Values(fields[0], 0, 59), hours = Values(fields[1], 0, 23),
                      days = Values(fields[2], 1, 31), months = Values(fields[3], 1, 12),
                      weekdays = Values(fields[4], 0, 6);
  auto matches = [&](int64_t local) {
    using namespace std::chrono;
    const sys_days date{std::chrono::days(local / 86'400)};
    const year_month_day parts(date);
    const bool of_month = days.contains(static_cast<int>(static_cast<unsigned>(parts.day())));
    const bool of_week = weekdays.contains(static_cast<int>(weekday(date).c_encoding()));
    const bool day = fields[2] == "*" ? of_week : fields[4] == "*" ? of_month : of_month || of_week;
    return day && months.contains(static_cast<int>(static_cast<unsigned>(parts.month()))) &&
           hours.contains(static_cast<int>(local / 3'600 % 24)) && minutes.contains(static_cast<int>(local / 60 % 60));
  };
  std::set<int64_t> times;
  int64_t reached = INT64_MIN;  // The latest local time so far.
  for (int64_t time = from / 60 * 60 - 2 * 86'400; time <= to; time += 60) {
    const int64_t local = time + OffsetOfZone(time, zone).value();
    if (fields[1] == "*") {
      if (matches(local)) times.insert(time);
      continue;
    }
    const int64_t first = reached == INT64_MIN ? local : reached + 60;  // What was left out counts as now.
    for (int64_t each = first; each <= local; each += 60) {
      if (matches(each)) times.insert(time);
    }
    reached = std::max(reached, local);
  }
  std::erase_if(times, [&](int64_t time) { return time <= from; });
  return times;
}

TEST(CronTest, AgreesWithAWalkThroughEveryMinute) {
  constexpr std::string_view kZones[] = {"UTC",
                                         "Europe/Berlin",
                                         "America/New_York",
                                         "Australia/Lord_Howe",
                                         "Asia/Kolkata",
                                         "America/Sao_Paulo",
                                         "Pacific/Apia",
                                         "Africa/Casablanca",
                                         "Asia/Kathmandu",
                                         "Atlantic/Azores"};
  // Around changes of one or the other of them; Apia left out 30 December 2011.
  constexpr std::string_view kTimes[] = {"2026-03-27", "2026-10-23", "2026-03-07", "2026-10-30",
                                         "2011-12-28", "2018-11-02", "2018-02-15", "2026-04-03"};
  std::mt19937 random(7);
  auto pick = [&](const std::vector<std::string>& words) { return words[random() % words.size()]; };
  for (int round = 0; round < 150; ++round) {
    const std::string zone(kZones[random() % std::size(kZones)]);
    const std::vector<std::string> fields = {
        pick({"0", "30", "*/20", "5,59", "10-12", "0"}), pick({"*", "2", "0,23", "*/3", "1-3", "0-23", "2"}),
        pick({"*", "*", "*", "1", "28-31", "*/2"}), pick({"*", "*", "1-6/2", "3,10,11,12", "2"}),
        pick({"*", "*", "0", "1-5", "6"})};
    auto cron = Cron::Parse(Join(fields, " "), zone);
    if (!cron) continue;  // 30 February.
    const int64_t from = At(std::string(kTimes[random() % std::size(kTimes)])).micros / 1'000'000 +
                         static_cast<int64_t>(random() % 86'400);
    const int64_t to = from + 4 * 86'400;
    std::set<int64_t> ours;
    for (Instant time{from * 1'000'000}; (time = cron->After(time)).micros <= to * 1'000'000;)
      ours.insert(time.micros / 1'000'000);
    EXPECT_EQ(ours, Walk(fields, zone, from, to)) << Join(fields, " ") << " " << zone << " from " << from;
  }
}

TEST(ScheduleTest, OneTextForAll) {
  Build build;
  build.timezone = "Europe/Berlin";
  SetSchedule(build, "0 5 * * *");
  EXPECT_EQ(ScheduleText(build), "0 5 * * * Europe/Berlin");
  SetSchedule(build, "inputs");
  EXPECT_EQ(ScheduleText(build), "inputs");
  EXPECT_TRUE(build.schedule.empty());
  SetSchedule(build, "never");
  EXPECT_EQ(ScheduleText(build), "");
  EXPECT_TRUE(CheckSchedule("freshness", ""));
  EXPECT_FALSE(CheckSchedule("sometimes", ""));
  EXPECT_EQ(LocalText(At("2026-11-23T04:00:00Z"), "Europe/Berlin"), "Mon 2026-11-23 05:00 Europe/Berlin");
}

TEST(ScheduleTest, TheLeastPromiseCounts) {
  auto contract = Contract::Parse(
      "apiVersion: v3.2.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: active\nslaProperties:\n"
      "  - {property: ly, value: 4, unit: h}\n  - {property: freshness, value: 90, unit: minutes}\n"
      "  - {property: retention, value: 1, unit: s}\n",
      "x.odcs.yaml");
  ASSERT_TRUE(contract);
  EXPECT_EQ(PromisedAge(*contract), Millis(90 * 60'000));
  contract->slas.clear();
  EXPECT_FALSE(PromisedAge(*contract).has_value());
}

}  // namespace
}  // namespace weft::model
