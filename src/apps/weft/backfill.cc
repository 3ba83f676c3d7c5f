#include "apps/weft/backfill.h"

#include <fmt/format.h>

#include "apps/weft/following.h"
#include "base/span.h"
#include "base/text.h"

namespace weft::app {
namespace {

constexpr size_t kMostTimes = 10'000;

// "2026-01" is the month's beginning.
Result<Instant> TimeOf(std::string_view option, const std::string& text) {
  auto time = Instant::Parse(text.size() == 7 ? text + "-01" : text);
  if (time) return *time;
  return Error{Code::kInvalid,
               fmt::format("--{}: '{}' is no time: write 2026-01, 2026-01-31 or 2026-01-31T06:00:00Z", option, text)};
}

// "2026-01-31", or with its time of day where that is not midnight.
std::string Short(const Instant& time) {
  const std::string text = time.Text();
  return text.ends_with("T00:00:00.000000Z") ? text.substr(0, 10) : text.substr(0, 19) + "Z";
}

// Runs of the ports that are under way: those that an interrupted command has left, as a rule.
Result<Json> UnderWay(Session& session, const Json& body) {
  Json runs{Json::Array()};
  std::vector<std::string> addresses = body["addresses"].Texts();
  if (body["all"].Bool()) addresses = {""};
  for (const std::string& address : addresses) {
    for (const char* status : {"pending", "running"}) {
      Session::Query query = {{"limit", "1000"}, {"status", status}};
      if (!address.empty()) query["address"] = address;
      const Json answer = TRY(session.Get("/v1/runs", query));
      for (const Json& run : answer["runs"].Items()) runs.Push(run);
    }
  }
  return Json::Map({{"runs", std::move(runs)}});
}

// Waits for what is under way, and then submits.
Result<Json> Submit(Session& session, const Json& body) {
  auto submitted = session.Post("/v1/runs", body);
  if (submitted || submitted.error().code != Code::kConflict) return submitted;
  const Json alive = TRY(UnderWay(session, body));
  if (alive["runs"].size() == 0) return session.Post("/v1/runs", body);
  TRY(FollowRuns(session, alive, "before: "));
  return session.Post("/v1/runs", body);
}

}  // namespace

Result<std::vector<Instant>> LogicalTimes(const Range& range) {
  if (range.to.empty()) return Error{Code::kInvalid, "--from needs --to: the last logical time"};
  if (range.every.empty())
    return Error{Code::kInvalid, "--from needs --every: how far the times are apart, such as day"};
  const Instant from = TRY(TimeOf("from", range.from)), to = TRY(TimeOf("to", range.to));
  auto step = Span::Parse(range.every);
  if (!step) return Error{Code::kInvalid, "--every: " + step.error().message};
  if (to < from) {
    return Error{Code::kInvalid, fmt::format("--to {} is before --from {}: exchange them", range.to, range.from)};
  }
  std::vector<Instant> times;
  for (Instant at = from; at <= to; at = step->After(from, static_cast<int64_t>(times.size()))) {
    times.push_back(at);
    if (times.size() <= kMostTimes) continue;
    return Error{Code::kInvalid, fmt::format("from {} to {} every {} are more than {} runs: take a part of it, or a "
                                             "larger step",
                                             range.from, range.to, range.every, HumanCount(kMostTimes))};
  }
  return times;
}

Result<int> Backfill(Session& session, const Json& body, const std::vector<Instant>& times) {
  Json all{Json::Array()};
  int code = 0;
  size_t done = 0;
  for (; done < times.size() && code == 0; done += code == 0) {
    const std::string time = Short(times[done]);
    Json one = body;
    one.Set("logical_time", times[done].Text());
    auto run = [&]() -> Result<Followed> { return FollowRuns(session, TRY(Submit(session, one)), time + " "); };
    auto followed = run();
    if (!followed) {
      return followed.TakeError().With(fmt::format(
          "at the logical time {}, {} of {} being done (the same command goes on there)", time, done, times.size()));
    }
    for (Json& ended : followed->runs) all.Push(std::move(ended));
    code = followed->code;
  }
  if (session.json()) {
    session.PrintJson(Json::Map({{"runs", std::move(all)}}));
  } else if (code != 0) {
    session.Print(fmt::format("stopped at {}: {} of {} are done. When it is mended, the same command goes on there\n",
                              Short(times[done]), done, Count(times.size(), "logical time")));
  } else {
    session.Print(fmt::format("{} done\n", Count(times.size(), "logical time")));
  }
  return code;
}

}  // namespace weft::app
