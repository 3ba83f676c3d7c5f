#include "work/upkeep/upkeep.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "base/threads.h"
#include "model/schedule.h"
#include "state/nodes/nodes.h"
#include "state/schedules/schedules.h"
#include "work/upkeep/act.h"

namespace weft::upkeep {
namespace {

constexpr std::chrono::seconds kRenewEvery(15);  // An act is kept for a minute.
constexpr size_t kQueueLimit = 10'000;
const std::string kDuty = "upkeep";

class PoolUpkeep final : public Upkeep {
 public:
  explicit PoolUpkeep(Context context)
      : context_(std::move(context)),
        renewal_(kRenewEvery, [this] { Renew(); }),
        pool_("upkeep", static_cast<size_t>(std::max(1, context_.options.parallel)), kQueueLimit) {}

  ~PoolUpkeep() override {
    std::lock_guard lock(mutex_);
    for (auto& [id, job] : jobs_) job->stop.request_stop();
  }  // The pool waits for what is under way.

  std::optional<Millis> Keeps(const catalog::Port& port) const override {
    if (port.contract) {
      if (const auto promised = model::Retention(*port.contract)) return promised;
    }
    if (context_.options.keep.count() == 0) return std::nullopt;
    return context_.options.keep;
  }

  Rule RuleOf(const catalog::Port& port) const override {
    Rule rule = context_.options.rule;
    if (IsUpserted(port)) rule.file_bytes = std::min(rule.file_bytes, lake::kUpsertFileBytes);
    return rule;
  }

  Result<Need> Look(store::Txn& txn, const catalog::Port& port, bool anyway) const override {
    const lake::View view = TRY(lake::Open(txn, port.row.key));
    const Rule rule = RuleOf(port);
    Need need;
    std::vector<int64_t> sizes;
    for (const lake::DataFile& file : view.files) {
      sizes.push_back(file.bytes);
      need.bytes += file.bytes;
      need.small += rule.IsSmall(file.bytes) ? 1 : 0;
    }
    need.files = static_cast<int64_t>(sizes.size());
    for (const std::vector<size_t>& group : GroupsOf(sizes, rule, anyway)) {
      need.merged += static_cast<int64_t>(group.size());
      ++need.into;
    }
    const auto keeps = Keeps(port);
    if (!keeps) return need;
    const Instant before{context_.clock.Now().micros - keeps->count() * 1'000};
    const std::vector<lake::Snapshot> history = TRY(lake::History(txn, port.row.key));
    const auto superseded = lake::Superseded(history);
    for (size_t i = 0; i < history.size(); ++i) {
      if (superseded[i] && *superseded[i] < before && history[i].tags.empty()) ++need.expires;
    }
    return need;
  }

  Result<lake::Act> Submit(const model::Caller& caller, const model::PortKey& port) override {
    return Put(caller.principal.name, caller.purpose, port, "by hand");
  }

  Status Cancel(const lake::Act& act) override {
    if (!act.moves()) return Error{Code::kConflict, fmt::format("the upkeep {} has ended: {}", act.id, act.status)};
    {
      std::lock_guard lock(mutex_);
      if (const auto job = jobs_.find(act.id); job != jobs_.end()) {
        job->second->stop.request_stop();
        return {};
      }
    }
    auto txn = TRY(context_.store.Begin());
    TRY(lake::AskToStop(*txn, act.id));
    return txn->Commit();
  }

  std::string StepOf(const std::string& act) override {
    std::lock_guard lock(mutex_);
    const auto job = jobs_.find(act);
    return job == jobs_.end() ? "" : job->second->Step();
  }

  Status Turn() override {
    std::lock_guard turn(turn_mutex_);
    TRY(EndLostOnes(""));
    if (!context_.options.window.Has(context_.clock.Now()) || !TRY(KeepDuty())) return {};
    if (context_.memory.free() < Memory(context_)) return {};
    std::vector<model::PortKey> ports;
    {
      auto txn = TRY(context_.store.Read());
      if (TRY(RunWaits(*txn))) return {};
      ports = TRY(Needy(*txn));
    }
    for (const model::PortKey& port : ports) {
      auto put = Put("node", "", port, "upkeep");
      if (!put && put.error().code != Code::kConflict) return put.TakeError();
    }
    return {};
  }

  Result<lake::Lake::Swept> Sweep(Millis age) override {
    TRY(EndLostOnes(""));
    const Instant now = context_.clock.Now();
    Instant held = lake::HeldSince(now);
    {
      auto txn = TRY(context_.store.Read());
      held = std::min(held, TRY(nodes::ReadingSince(*txn, now, context_.options.node)));
    }
    return context_.lake.Sweep(age, held);
  }

  const std::string& node() const { return context_.options.node; }

  Status EndLostOnes(const std::string& starting_node) {
    auto txn = TRY(context_.store.Begin());
    for (const lake::Act& act : TRY(lake::EndLost(*txn, context_.clock.Now(), starting_node)))
      TRY(RecordEnd(*txn, context_.clock, act, ""));
    return txn->Commit();
  }

 private:
  // Those that need it and are not paused.
  Result<std::vector<model::PortKey>> Needy(store::Txn& txn) const {
    const Rule& rule = context_.options.rule;
    const auto pauses = TRY(schedules::Pauses(txn));
    std::vector<model::PortKey> ports;
    for (const lake::Shape& shape :
         TRY(lake::Shapes(txn, {rule.file_bytes / 2, std::min(rule.file_bytes, lake::kUpsertFileBytes) / 2}))) {
      const bool small = std::ranges::any_of(shape.smaller, [&](int64_t n) { return n > rule.small_files; });
      if ((!small && shape.snapshots < 2) || schedules::PauseOf(pauses, shape.port)) continue;
      const auto port = catalog::Load(txn, shape.port);
      if (!port && port.error().code == Code::kNotFound) continue;
      if (!port) return port.error();
      if (TRY(Look(txn, *port, false)).any()) ports.push_back(shape.port);
    }
    return ports;
  }

  Result<lake::Act> Put(const std::string& by, const std::string& purpose, const model::PortKey& port,
                        const std::string& cause) {
    auto job = std::make_shared<Job>();
    job->act.id = NewId("upk");
    job->act.port = port;
    job->act.status = "pending";
    job->act.cause = cause;
    job->act.requested_by = by;
    job->act.requested_at = context_.clock.Now();
    job->purpose = purpose;
    const lake::Act act = job->act;
    auto txn = TRY(context_.store.Begin());
    TRY(lake::Insert(*txn, act, context_.options.node));
    TRY(txn->Commit());
    {
      std::lock_guard lock(mutex_);
      jobs_[act.id] = job;
    }
    Status queued = pool_.Submit([this, job] { Do(*job); });
    if (queued) return act;
    Do(*job, queued.error());
    return queued.TakeError();
  }

  void Do(Job& job, const std::optional<Error>& why = {}) {
    Tending(context_, *this, job).Run(why);
    std::lock_guard lock(mutex_);
    jobs_.erase(job.act.id);
  }

  void Renew() {
    auto renew = [&]() -> Status {
      {
        std::lock_guard lock(mutex_);
        if (jobs_.empty()) return {};
      }
      auto txn = TRY(context_.store.Begin());
      const auto stop = TRY(lake::Renew(*txn, context_.options.node, context_.clock.Now()));
      TRY(txn->Commit());
      std::lock_guard lock(mutex_);
      for (const std::string& id : stop) {
        if (const auto job = jobs_.find(id); job != jobs_.end()) job->second->stop.request_stop();
      }
      return {};
    };
    if (Status renewed = renew(); !renewed) log::Warn("upkeep not renewed", {{"why", renewed.error().message}});
  }

  Result<bool> KeepDuty() const {
    if (!context_.options.several) return true;
    auto txn = TRY(context_.store.Begin());
    const Millis time = context_.options.every + context_.options.every / 2;
    const bool mine = TRY(nodes::TakeDuty(*txn, context_.clock, kDuty, context_.options.node, time));
    TRY(txn->Commit());
    return mine;
  }

  const Context context_;
  std::mutex turn_mutex_;  // Of Turn: one at a time.
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Job>> jobs_;  // Shared with the thread that does it and who cancels.
  Ticker renewal_;
  Pool pool_;  // Last: it goes first, and its threads use all of the above.
};

}  // namespace

Result<std::unique_ptr<Upkeep>> Upkeep::Start(Context context) {
  if (!context.options.temp_folder.empty()) TRY(MakeFolders(context.options.temp_folder));
  auto upkeep = std::make_unique<PoolUpkeep>(std::move(context));
  TRY(upkeep->EndLostOnes(upkeep->node()));
  return upkeep;
}

std::string Told(const lake::Act& act) {
  std::string text = act.message;
  if (act.files > 0) {
    text += fmt::format("{}{} became {} ({} to {})", text.empty() ? "" : "; ",
                        Count(static_cast<size_t>(act.files), "file"), HumanCount(act.into), HumanBytes(act.bytes),
                        HumanBytes(act.into_bytes));
  }
  if (act.expired > 0) {
    text += fmt::format("{}{} expired", text.empty() ? "" : "; ", Count(static_cast<size_t>(act.expired), "snapshot"));
  }
  return text;
}

}  // namespace weft::upkeep
