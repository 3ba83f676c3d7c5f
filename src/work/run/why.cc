#include "work/run/why.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/cron.h"
#include "model/schedule.h"
#include "state/catalog/catalog.h"
#include "state/nodes/nodes.h"
#include "work/run/due.h"
#include "work/run/execution.h"

namespace weft::run {
namespace {

constexpr int kTimes = 3;

class Answer {
 public:
  Answer(Asked& asked, const model::PortKey& port) : asked_(asked), key_(port), now_(asked.context.clock.Now()) {}

  Result<Why> Give() {
    port_ = TRY(catalog::Load(asked_.txn, key_));
    if (port_.row.status == "retired") {
      Say("retired", "it is retired: nothing runs it any more");
      return std::move(why_);
    }
    TRY(Gather());
    // What is nearest to now says most: what is done, then what holds it, then what was.
    if (why_.now) {
      TRY(OfNow());
    } else if (!BuildOf(*port_.bundle, *port_.port)) {
      Say("no-build", "it has no build: nothing makes its rows", "give it SQL, or exactly one input port");
    } else if (why_.pause && why_.schedule) {
      OfPause();
    } else if (!why_.schedule) {
      OfNoSchedule();
    } else if (!TRY(SomebodyStarts())) {
      Say("no-scheduler", "no node starts what is due: each that is alive has the setting scheduler off",
          "start one with it: weft serve --scheduler true");
    } else if (!TRY(OfDue())) {
      OfLast();
    }
    return std::move(why_);
  }

 private:
  void Say(std::string reason, std::string text, std::string advice = "") {
    why_.reason = std::move(reason);
    why_.text = std::move(text);
    why_.advice = std::move(advice);
  }

  Status Gather() {
    why_.schedule = TRY(schedules::Find(asked_.txn, key_));
    const auto pauses = TRY(schedules::Pauses(asked_.txn));
    if (const auto* pause = schedules::PauseOf(pauses, key_)) why_.pause = *pause;
    if (why_.schedule && !why_.schedule->cron.empty()) {
      const model::Cron cron = TRY(model::Cron::Parse(why_.schedule->cron, why_.schedule->zone));
      why_.next = cron.Next(now_, kTimes);
    } else if (why_.schedule && why_.schedule->due && *why_.schedule->due > now_) {
      why_.next = {*why_.schedule->due};
    }
    for (const char* status : {"running", "pending"}) {
      for (runs::Run& run : TRY(runs::List(asked_.txn, {key_.Text(), status, 1}))) {
        if (TRY(asked_.busy(run.id))) why_.now = std::move(run);
      }
    }
    why_.last = TRY(runs::LastEnded(asked_.txn, key_));
    const lake::View view = TRY(lake::Open(asked_.txn, key_));
    if (view.snapshot) why_.fresh = view.snapshot->rows_at;
    if (port_.contract) why_.promised = model::PromisedAge(*port_.contract);
    return {};
  }

  Status OfNow() {
    const runs::Run& run = *why_.now;
    if (run.status == "running") {
      Say("running", fmt::format("{} is under way", run.id));
      return {};
    }
    why_.waiting = asked_.waiting(run.id);
    if (!why_.waiting) {
      const std::string node = TRY(nodes::HolderOf(asked_.txn, run.id));
      Say("queued", fmt::format("{} waits for its turn on the node {}", run.id, node));
      return {};
    }
    const Waiting& waiting = *why_.waiting;
    std::string text = fmt::format("{} waits", run.id);
    if (waiting.for_port) {
      text += fmt::format(" for {} of {}, which it reads", waiting.for_run, waiting.for_port->Text());
    } else if (waiting.domain_full) {
      text += fmt::format(": as many runs of {} are under way as may be at once (run-domain-parallel)", key_.domain);
    } else if (waiting.node_full) {
      text += fmt::format(
          ": as many runs are under way as the node does at once (run-parallel); it is number {} of "
          "those that wait",
          waiting.position);
    }
    Say("queued", std::move(text));
    return {};
  }

  void OfPause() {
    const schedules::Pause& pause = *why_.pause;
    Say("paused",
        fmt::format("{} was paused by {}{}", pause.address, pause.by,
                    pause.because.empty() ? "" : fmt::format(": {}", pause.because)),
        fmt::format("weft resume {}; runs by hand go all the same", pause.address));
  }

  void OfNoSchedule() {
    Say("by-hand", "it has neither a schedule nor a trigger: only weft run starts it",
        "write into its build schedule: '0 5 * * *' with a timezone, trigger: inputs, or trigger: freshness");
  }

  Result<bool> SomebodyStarts() {
    if (!asked_.context.options.several) return asked_.context.options.schedules;
    return !TRY(nodes::OnDuty(asked_.txn, asked_.context.clock, "schedules")).empty();
  }

  // Whether it is to be started now, or soon for another try.
  Result<bool> OfDue() {
    const schedules::Schedule& schedule = *why_.schedule;
    if (schedule.retry_at && *schedule.retry_at > now_) {
      Say("retry", fmt::format("{} ended for what passes by itself; it is tried again {}", schedule.retry_of,
                               At(*schedule.retry_at)));
      return true;
    }
    const bool due = (schedule.due && *schedule.due <= now_) || schedule.retry_at;
    if (!due) return false;
    Moment moment = TRY(Moment::Of(asked_.txn, now_, asked_.busy));
    const auto obstacle = TRY(moment.InTheWay(schedule));
    if (!obstacle || obstacle->kind != Obstacle::Kind::kUpstream) {
      Say("due", "it is due, and starts in a moment");
      return true;
    }
    const std::string above = obstacle->port.Text();
    Say("waits", obstacle->run.empty()
                     ? fmt::format("its inputs have new rows; it waits for {}, which is due too", above)
                     : fmt::format("its inputs have new rows; it waits for {} of {}", obstacle->run, above));
    return true;
  }

  void OfLast() {
    const std::string then = Then();
    if (!why_.last || why_.last->status == "succeeded" || why_.last->status == "skipped") {
      if (!why_.next.empty()) return Say("not-due", then);
      if (why_.last) return Say("up-to-date", "none of its inputs has new rows since its last run");
      return Say("never-triggered", "none of its inputs has had new rows since its trigger was published",
                 fmt::format("weft run {} fills it now", key_.Text()));
    }
    const runs::Run& last = *why_.last;
    const std::string more = then.empty() ? "; it is run when its inputs have new rows" : "; " + then;
    if (last.status == "refused") {
      Say("refused", fmt::format("{} was refused{}{}", last.id, Checks(last), more),
          fmt::format("weft runs {} shows what it found", last.id));
    } else if (last.status == "denied") {
      Say("denied", fmt::format("{} may not read what it needs{}", last.id, more),
          fmt::format("weft runs {}", last.id));
    } else if (last.status == "cancelled") {
      Say("cancelled", fmt::format("{} was cancelled{}", last.id, more), fmt::format("weft retry {}", last.id));
    } else {
      Say("failed", fmt::format("{} {} ({}){}{}", last.id, last.status, last.failure, NotAgain(last), more),
          fmt::format("weft runs {} says why; weft retry {}", last.id, last.id));
    }
  }

  std::string NotAgain(const runs::Run& last) const {
    const bool by_hand = last.cause == "by hand" || last.cause == "back-fill";
    if (by_hand) return "; it was started by hand, and is not tried again by itself";
    const bool passes = last.failure == CodeName(Code::kUnavailable) || last.failure == "interrupted";
    if (!passes) return "; it is not tried again by itself, since that would not help";
    return fmt::format("; it was tried {}, which is all", Count(static_cast<size_t>(last.attempt), "time"));
  }

  static std::string Checks(const runs::Run& last) {
    std::vector<std::string> names;
    for (const runs::CheckResult& check : last.checks) {
      if (check.outcome == "failed") names.push_back(check.id);
    }
    return names.empty() ? "" : " by " + Join(names, ", ");
  }

  std::string Then() const {
    if (why_.next.empty()) return "";
    return fmt::format("the next run is due {}", At(why_.next.front()));
  }

  std::string At(Instant time) const {
    return "at " + model::LocalText(time, why_.schedule ? why_.schedule->zone : "");
  }

  Asked& asked_;
  const model::PortKey& key_;
  const Instant now_;
  catalog::Port port_;
  Why why_;
};

}  // namespace

Result<Why> WhyOf(Asked& asked, const model::PortKey& port) { return Answer(asked, port).Give(); }

}  // namespace weft::run
