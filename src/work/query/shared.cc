#include <fmt/format.h>

#include "base/id.h"
#include "base/log.h"
#include "work/query/internal.h"

namespace weft::query {
namespace {

constexpr size_t kReadyInstances = 2;
constexpr size_t kBackgroundQueue = 16;
constexpr int64_t kParserMemory = int64_t{256} << 20;

}  // namespace

Turns::Turn::~Turn() {
  if (!turns_) return;
  {
    std::lock_guard lock(turns_->mutex_);
    ++turns_->free_;
  }
  turns_->given_back_.notify_one();
}

Result<Turns::Turn> Turns::Take(Deadline deadline) {
  std::unique_lock lock(mutex_);
  if (!given_back_.wait_until(lock, deadline.at(), [this] { return free_ > 0; })) {
    return Error{Code::kUnavailable, "the node answers as many queries as it may at once; try again in a moment"};
  }
  --free_;
  return Turn(this);
}

Shared::Shared(Context context)
    : context_(context), turns_(context.options.concurrent), background_("query", 1, kBackgroundQueue) {}

Status Shared::Open() {
  parser_ =
      TRY(engine::Instance::Open({.threads = 1, .memory_bytes = kParserMemory, .temp_folder = "", .extensions = {}}));
  parsing_ = TRY(parser_->Connect());
  TRY(parser_->Lock({}));
  for (size_t i = 0; i < kReadyInstances; ++i) ready_.push_back(TRY(OpenInstance()));
  return {};
}

Result<Json> Shared::Parse(const std::string& sql) {
  std::lock_guard lock(parser_mutex_);
  auto tree = parsing_->ParseTree(sql);
  if (!tree && tree.error().message.find("nested") != std::string::npos) {
    return Error{Code::kInvalid, "the statement is nested too deeply; split it with WITH"};
  }
  return tree;
}

Result<std::shared_ptr<engine::Instance>> Shared::TakeInstance() {
  std::unique_ptr<engine::Instance> instance;
  {
    std::lock_guard lock(ready_mutex_);
    if (!ready_.empty()) {
      instance = std::move(ready_.back());
      ready_.pop_back();
    }
  }
  Status refilling = background_.Submit([this] { Refill(); });
  if (!instance) instance = TRY(OpenInstance());
  return std::shared_ptr<engine::Instance>(std::move(instance));  // A statement and its running reads share it.
}

Result<std::unique_ptr<Running>> Shared::Admit() {
  const Deadline deadline = Deadline::After(context_.options.queue_wait);
  auto running = std::make_unique<Running>(TRY(turns_.Take(deadline)));
  running->memory = TRY(context_.memory.Take(context_.options.memory_bytes, deadline));
  running->row_limit = context_.options.row_limit;
  running->timeout = context_.options.timeout;
  return running;
}

Status Shared::Record(const std::vector<ledger::Entry>& entries) {
  if (entries.size() == 1) return context_.ledger.AppendDurably(entries.front());
  auto txn = TRY(context_.store.Begin());
  for (const ledger::Entry& entry : entries) TRY(ledger::Append(*txn, context_.clock, entry));
  return txn->Commit();
}

void Shared::RecordLater(const std::vector<ledger::Entry>& entries) {
  for (const ledger::Entry& entry : entries) {
    Status recorded = context_.ledger.AppendSoon(entry);
    if (!recorded) log::Error("the end of a read is not in the ledger", {{"message", recorded.error().message}});
  }
}

Result<std::unique_ptr<engine::Instance>> Shared::OpenInstance() {
  const Options& options = context_.options;
  // Two instances in one folder would overwrite each other's spill.
  std::string folder = options.temp_folder.empty() ? "" : options.temp_folder + "/" + NewId("spill");
  return engine::Instance::Open({.threads = options.threads,
                                 .memory_bytes = options.memory_bytes,
                                 .temp_folder = std::move(folder),
                                 .extensions = {}});
}

void Shared::Refill() {
  {
    std::lock_guard lock(ready_mutex_);
    if (ready_.size() >= kReadyInstances) return;
  }
  auto instance = OpenInstance();
  if (!instance) return;  // The next statement tries by itself, and says what is wrong.
  std::lock_guard lock(ready_mutex_);
  ready_.push_back(instance.TakeValue());
}

}  // namespace weft::query
