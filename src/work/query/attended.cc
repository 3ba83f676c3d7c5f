#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "state/access/access.h"
#include "state/catalog/catalog.h"
#include "work/query/internal.h"

namespace weft::query {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kAskAgain{100};

}  // namespace

Status Permit::Check() {
  std::lock_guard lock(mutex_);
  Steady::duration good_for = kAskAgain;
  last_ = Ask(&good_for);
  refused_ = !last_.has_value();
  good_until_ = (Steady::now() + good_for).time_since_epoch().count();
  return last_;
}

Status Permit::CheckSoon() {
  if (Steady::now().time_since_epoch().count() >= good_until_) return Check();
  if (!refused_) return {};
  std::lock_guard lock(mutex_);
  return last_;
}

Outcome Permit::CutOff(Code code) {
  switch (code) {
    case Code::kDenied:
      return {"cut off", "the right to read ended"};
    case Code::kUnauthenticated:
      return {"cut off", "the token ended"};
    case Code::kConflict:
      return {"cut off", "the policy changed"};
    default:
      return {"cut off", std::string("the right to read could not be asked: ") + std::string(CodeName(code))};
  }
}

Outcome Permit::CutOff() {
  std::lock_guard lock(mutex_);
  return CutOff(last_ ? Code::kDenied : last_.error().code);
}

Status Permit::Ask(Steady::duration* good_for) {
  const Context& context = shared_.context();
  auto txn = TRY(context.store.Read());
  TRY(access::CheckToken(*txn, context.clock, caller_.token_id));
  if (caller_.expires_at && *caller_.expires_at <= context.clock.Now()) {
    return Error{Code::kUnauthenticated, "the token expired at " + caller_.expires_at->Text()};
  }
  // Who they are and who decides there may have changed too, by another mesh.yaml.
  model::Caller caller = caller_;
  caller.principal = TRY(access::Anew(*txn, caller_.principal, vouched_));
  for (const Table& table : *tables_) {
    // As the mesh has it by now: owners, tags and the contract may be others.
    const catalog::Port port = TRY(catalog::Load(*txn, table.view.table.key));
    const model::Decision decision =
        TRY(access::Decide(*txn, context.clock, caller, model::Action::kRead, port.resource));
    if (!decision.permitted) {
      txn.reset();
      return shared_.Denied(caller, table.view.table.key, decision,
                            fmt::format("{} may no longer read {}", caller_.principal.name, table.written.Text()));
    }
    const bool was = table.restriction != nullptr, is = decision.restriction != nullptr;
    if (was != is || (is && !(*decision.restriction == *table.restriction))) {
      return Error{Code::kConflict, fmt::format("the policy of {} has changed since the statement was prepared; "
                                                "prepare it again",
                                                table.written.Text())};
    }
    if (!TRY(secrets::AreCurrent(*txn, table.pseudonyms))) {
      return Error{Code::kConflict, fmt::format("the pseudonyms of {} have a new key since the statement was prepared; "
                                                "prepare it again",
                                                table.written.Text())};
    }
    if (!decision.until) continue;
    const std::chrono::microseconds left(decision.until->micros - context.clock.Now().micros);
    *good_for = std::min<Steady::duration>(*good_for, left);
  }
  return {};
}

class Attended {
 public:
  Attended(Shared& shared, std::shared_ptr<Permit> permit, std::unique_ptr<Running> running)
      : shared_(shared), permit_(std::move(permit)), watchdog_(running->watchdog.get()) {
    running->ended = [this, told = std::move(running->ended)](int64_t rows, int64_t bytes, const Outcome& outcome) {
      watchdog_ = nullptr;  // It has gone with the rest of what ran.
      told(rows, bytes, outcome_ ? *outcome_ : outcome);
    };
    watchdog_->Pause();
    ExportGoverned(std::move(running), &rows_);
    shared_.Attend(this, true);
  }
  ~Attended() {
    shared_.Attend(this, false);
    if (permit_->refused() && !outcome_) outcome_ = permit_->CutOff();
    if (rows_.release) rows_.release(&rows_);
  }

  int Schema(ArrowSchema* out) {
    std::lock_guard lock(mutex_);
    return rows_.release ? rows_.get_schema(&rows_, out) : failed_;
  }

  int Next(ArrowArray* out) {
    std::lock_guard lock(mutex_);
    out->release = nullptr;
    if (!rows_.release) return failed_;
    if (Status may = permit_->CheckSoon(); !may) {
      End(Permit::CutOff(may.error().code), may.error().message);
      return failed_ = may.error().code == Code::kUnavailable ? EAGAIN : EACCES;
    }
    if (watchdog_) watchdog_->Resume();
    const int failed = rows_.get_next(&rows_, out);
    if (watchdog_) watchdog_->Pause();
    taken_ = Steady::now();
    return failed;
  }

  const char* last_error() {
    std::lock_guard lock(mutex_);
    return rows_.release ? rows_.get_last_error(&rows_) : error_.c_str();
  }

  // A read in the middle of a batch is not idle.
  void EndIfIdle(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || !watchdog_ || Steady::now() - taken_ < limit) return;
    End({"cut off", "its client took no rows"},
        fmt::format("the client took no rows for {} s, and the read was ended to make room for others; ask again",
                    static_cast<double>(limit.count()) / 1'000));
  }

 private:
  void End(Outcome outcome, std::string error) {
    outcome_ = std::move(outcome);
    error_ = std::move(error);
    rows_.release(&rows_);
  }

  Shared& shared_;
  const std::shared_ptr<Permit> permit_;
  std::mutex mutex_;
  engine::Watchdog* watchdog_;  // While the read runs.
  ArrowArrayStream rows_{};
  Steady::time_point taken_ = Steady::now();
  std::optional<Outcome> outcome_;  // Where it is ended from here.
  std::string error_;
  int failed_ = EAGAIN;
};

void ExportAttended(Shared& shared, std::shared_ptr<Permit> permit, std::unique_ptr<Running> running,
                    ArrowArrayStream* out) {
  engine::ExportStream(std::make_unique<Attended>(shared, std::move(permit), std::move(running)), out);
}

void Shared::Attend(Attended* read, bool begins) {
  std::lock_guard lock(attended_mutex_);
  if (begins) {
    attended_.insert(read);
  } else {
    attended_.erase(read);
  }
}

void Shared::EndIdle() {
  std::lock_guard lock(attended_mutex_);
  for (Attended* read : attended_) read->EndIfIdle(context_.options.idle_timeout);
}

// Keys of pseudonyms outlive the statements that needed them by a few seconds, however seldom others come.
void Shared::DropKeys() {
  std::vector<std::unique_ptr<Furnished>> keyed;
  std::lock_guard lock(idle_mutex_);
  for (auto& idle : idle_) {
    if (idle->keyed) keyed.push_back(std::move(idle));
  }
  std::erase(idle_, nullptr);
}

}  // namespace weft::query
