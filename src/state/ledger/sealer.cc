#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

#include "base/file.h"
#include "base/log.h"
#include "state/ledger/denials.h"
#include "state/ledger/rows.h"
#include "state/ledger/trace.h"

namespace weft::ledger {
namespace {

constexpr auto kSealEvery = std::chrono::milliseconds(50);
constexpr int kSealBatch = 2'000;  // Rows a transaction: the writer is held for some 20 ms.
constexpr size_t kQueueLimit = 10'000;
constexpr auto kIndexEvery = std::chrono::milliseconds(500);

// Rows that share one commit, and whoever waits for it.
struct Batch {
  std::vector<RowCells> rows;
  std::condition_variable settled;
  bool done = false;
  Status outcome;
};

}  // namespace

struct Ledger::Impl {
  Impl(store::Store& s, Clock& c, const std::string& folder, const Options& options)
      : store(s), clock(c), file(folder), denials(options.denial_window), index(s) {}

  Status Start(const std::string& folder, const std::string& key_folder);
  void Stop();
  Result<std::shared_ptr<Batch>> Enqueue(std::span<const Entry> entries);
  Status Await(Batch& batch);
  void WriteBatches(std::stop_token stop);
  Status WriteBatch(const Batch& batch);
  Status Seal();
  Result<int> SealBatch();
  Status NoteCut(const Head& stored);
  Status TellDenials(bool all);
  Status FollowUp();
  Status FollowHead();
  Result<std::unique_ptr<store::Txn>> OneMoment(Head* outside, Head* cut);
  void Tick();

  store::Store& store;
  Clock& clock;
  const HeadFile file;
  SigningKey key;
  Denials denials;
  Index index;
  std::chrono::steady_clock::time_point follow_up_at;  // The sealer's.

  std::mutex sealing;     // One sealer at a time; guards `newest` and the file.
  Head newest;            // As last written to the file.
  std::string complaint;  // The sealer's last failure: told once.

  std::mutex mutex;
  std::condition_variable_any arrived;
  std::shared_ptr<Batch> open = std::make_shared<Batch>();  // Shared by its waiters, who may outlast the writer's turn.
  std::jthread writer;
  std::unique_ptr<Ticker> ticker;
};

Status Ledger::Impl::Start(const std::string& folder, const std::string& key_folder) {
  TRY(MakeFolders(folder));
  TRY(MakeFolders(key_folder));
  Head stored;
  {
    auto txn = TRY(store.Begin());  // In the writers' queue: of nodes that start together, one makes the key.
    stored = TRY(StoredHead(*txn));
    key = TRY(OpenKey(key_folder, stored.seq == 0));
  }
  newest = TRY(file.Read());
  TRY(NoteCut(stored));
  // After a crash between the commit and the file the store is ahead by one batch.
  if (stored.seq > 0) {
    TRY(file.Write(stored));
    newest = stored;
  }
  writer = std::jthread([this](std::stop_token stop) { WriteBatches(stop); });
  TRY(Seal());
  ticker = std::make_unique<Ticker>(kSealEvery, [this] { Tick(); });
  return {};
}

void Ledger::Impl::Stop() {
  ticker.reset();
  if (writer.joinable()) {
    if (Status told = TellDenials(true); !told) log::Error("denials are not told", {{"error", told.error().message}});
    writer.request_stop();
    writer.join();
    Tick();
  }
}

Result<std::shared_ptr<Batch>> Ledger::Impl::Enqueue(std::span<const Entry> entries) {
  std::vector<RowCells> rows;
  for (const Entry& entry : entries) rows.push_back(TRY(CellsOf(clock, entry)));
  std::shared_ptr<Batch> batch;
  {
    std::lock_guard lock(mutex);
    if (open->rows.size() >= kQueueLimit) {
      return Error{Code::kUnavailable, "the ledger cannot keep up: its queue is full; try again in a moment"};
    }
    for (RowCells& row : rows) open->rows.push_back(std::move(row));
    batch = open;
  }
  arrived.notify_one();
  return batch;
}

Status Ledger::Impl::Await(Batch& batch) {
  std::unique_lock lock(mutex);
  batch.settled.wait(lock, [&] { return batch.done; });
  if (batch.outcome) return {};
  return Error{Code::kUnavailable, "the ledger cannot be written: " + batch.outcome.error().message};
}

// While one batch is being committed, the next one fills.
void Ledger::Impl::WriteBatches(std::stop_token stop) {
  while (true) {
    std::shared_ptr<Batch> batch;
    {
      std::unique_lock lock(mutex);
      arrived.wait(lock, stop, [this] { return !open->rows.empty(); });
      if (open->rows.empty()) return;
      batch = std::exchange(open, std::make_shared<Batch>());
    }
    Status outcome = WriteBatch(*batch);
    if (!outcome) log::Error("ledger rows were not written", {{"error", outcome.error().message}});
    {
      std::lock_guard lock(mutex);
      batch->outcome = std::move(outcome);
      batch->done = true;
    }
    batch->settled.notify_all();
  }
}

Status Ledger::Impl::WriteBatch(const Batch& batch) {
  auto txn = TRY(store.Begin());
  for (const RowCells& row : batch.rows) TRY(InsertRow(*txn, row));
  return txn->Commit();
}

Status Ledger::Impl::NoteCut(const Head& stored) {
  if (stored.seq >= newest.seq) return {};
  log::Error("the ledger's end was cut", {{"store_row", stored.seq}, {"signed_row", newest.seq}});
  return file.SetAside(newest);
}

Result<int> Ledger::Impl::SealBatch() {
  auto txn = TRY(store.Begin());
  Head head = TRY(StoredHead(*txn));
  auto rows =
      TRY(txn->Run("SELECT id, at, kind, principal, purpose, address, detail FROM ledger WHERE seq IS NULL "
                   "ORDER BY id LIMIT $1",
                   {store::Int(kSealBatch)}));
  if (rows.empty()) return 0;
  TRY(NoteCut(head));
  for (const store::Row& row : rows) {
    const store::Cell cells[] = {row[1], row[2], row[3], row[4], row[5], row[6]};
    ++head.seq;
    head.hash = ChainHash(head.hash, head.seq, cells);
    TRY(txn->Run("UPDATE ledger SET seq = $1, hash = $2 WHERE id = $3", {store::Int(head.seq), head.hash, row[0]}));
  }
  head.at = clock.Now().Text();
  head.signature = Sign(key, SignedText(head));
  TRY(txn->Run(
      "INSERT INTO ledger_head (id, seq, at, hash, signature) VALUES (1, $1, $2, $3, $4) ON CONFLICT (id) "
      "DO UPDATE SET seq = excluded.seq, at = excluded.at, hash = excluded.hash, signature = excluded.signature",
      {store::Int(head.seq), head.at, head.hash, head.signature}));
  TRY(txn->Commit());
  TRY(file.Write(head));
  newest = head;
  return static_cast<int>(rows.size());
}

Status Ledger::Impl::Seal() {
  std::lock_guard lock(sealing);
  {
    // Most turns find nothing: a look that takes no writer's turn and syncs nothing.
    auto txn = TRY(store.Read());
    if (TRY(txn->Run("SELECT id FROM ledger WHERE seq IS NULL LIMIT 1")).empty()) return {};
  }
  while (TRY(SealBatch()) == kSealBatch) {
  }
  return {};
}

Status Ledger::Impl::TellDenials(bool all) {
  std::vector<Entry> entries = denials.Take(all);
  if (entries.empty()) return {};
  auto queued = Enqueue(entries);
  if (queued) return {};
  denials.PutBack(std::move(entries));
  return queued.TakeError();
}

// Questions bring the index up to date by themselves: here it follows in pieces that a commit is worth.
Status Ledger::Impl::FollowUp() {
  const auto now = std::chrono::steady_clock::now();
  if (now < follow_up_at) return {};
  TRY(FollowHead());
  const int taken = TRY(index.Next());
  follow_up_at = taken < kSealBatch ? now + kIndexEvery : now;
  return {};
}

// What another node sealed is witnessed here too.
Status Ledger::Impl::FollowHead() {
  std::lock_guard lock(sealing);
  Head head;
  {
    auto txn = TRY(store.Read());
    head = TRY(StoredHead(*txn));
  }
  if (head.seq <= newest.seq) return {};
  if (!VerifySignature(key.public_key, SignedText(head), head.signature)) {
    return Error{Code::kConflict, fmt::format("the signed head at row {} was forged: its signature is not of this "
                                              "mesh's key",
                                              head.seq)};
  }
  TRY(file.Write(head));
  newest = head;
  return {};
}

// The file and the snapshot of one moment.
Result<std::unique_ptr<store::Txn>> Ledger::Impl::OneMoment(Head* outside, Head* cut) {
  std::lock_guard lock(sealing);
  *outside = TRY(file.Read());
  *cut = TRY(file.Cut());
  return store.Read();
}

void Ledger::Impl::Tick() {
  Status sealed = Seal();
  if (sealed) sealed = TellDenials(false);
  if (sealed) sealed = FollowUp();
  std::string now = sealed ? "" : sealed.error().message;
  if (now != complaint && !now.empty()) log::Error("the ledger cannot be sealed", {{"error", now}});
  complaint = std::move(now);
}

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ledger::~Ledger() { impl_->Stop(); }

Result<std::unique_ptr<Ledger>> Ledger::Open(store::Store& store, Clock& clock, std::string folder, Options options) {
  auto impl = std::make_unique<Impl>(store, clock, folder, options);
  TRY(impl->Start(folder, options.key_folder.empty() ? folder : options.key_folder));
  return std::unique_ptr<Ledger>(new Ledger(std::move(impl)));
}

Status Ledger::SealNow() { return impl_->Seal(); }

Status Ledger::AppendDurably(const Entry& entry) { return impl_->Await(*TRY(impl_->Enqueue(std::span(&entry, 1)))); }

Result<Ledger::Waiter> Ledger::AppendSoon(std::span<const Entry> entries) {
  std::shared_ptr<Batch> batch = TRY(impl_->Enqueue(entries));
  return Waiter([this, batch = std::move(batch)] { return impl_->Await(*batch); });
}

Status Ledger::Deny(const Entry& denial) {
  if (!impl_->denials.Opens(denial)) return {};
  Status written = AppendDurably(denial);
  if (!written) impl_->denials.Forget(denial);
  return written;
}

Status Ledger::DenySoon(const Entry& denial) {
  if (!impl_->denials.Opens(denial)) return {};
  auto queued = AppendSoon(denial);
  if (queued) return {};
  impl_->denials.Forget(denial);
  return queued.TakeError();
}

Result<Verdict> Ledger::Verify() {
  Head outside, cut;
  auto txn = TRY(impl_->OneMoment(&outside, &cut));
  return VerifyChain(*txn, impl_->key, outside, cut);
}

Result<Answer> Ledger::Ask(const Question& question) {
  TRY(impl_->Seal());
  if (!question.verify) {
    while (TRY(impl_->index.Next()) > 0) {
    }
    auto txn = TRY(impl_->store.Read());
    return AskIndex(*txn, question);
  }
  Head outside, cut;
  auto txn = TRY(impl_->OneMoment(&outside, &cut));
  Answer answer;
  answer.verified_from = TRY(WalkSince(*txn, question.since));
  Findings findings;
  std::map<std::string, std::string> named;
  answer.verdict =
      TRY(VerifyChain(*txn, impl_->key, outside, cut, answer.verified_from, [&](const store::Row& row) -> Status {
        // Most rows are about something else.
        const std::string at = row.text(1);
        if ((question.since && at < question.since->Text()) || (question.until && at >= question.until->Text()))
          return {};
        if (!question.principal.empty() && row.text(3) != question.principal) return {};
        if (!question.purpose.empty() && row.text(4) != question.purpose) return {};
        if (!question.address.empty() && row.text(5) != question.address) return {};
        const Trace trace = TRY(TraceOf(row));
        if (!trace.named) {
          named[DigestOf(trace.what)] = trace.what;
          findings.Add(trace, trace.what);
          return {};
        }
        auto known = named.find(trace.what);
        if (known == named.end()) known = named.emplace(trace.what, TRY(TextOf(*txn, trace.what))).first;
        // A digest names one text: what the index has for it is held against it.
        const bool same = DigestOf(known->second) == trace.what;
        findings.Add(trace, same ? known->second : Json(Json::Object()).Dump());
        return {};
      }));
  answer.rows = findings.rows();
  answer.findings = TRY(findings.Take());
  return answer;
}

Result<Excerpt> Ledger::Cut(std::optional<Instant> since, std::optional<Instant> until) {
  TRY(impl_->Seal());
  Head outside, cut;
  auto txn = TRY(impl_->OneMoment(&outside, &cut));
  Excerpt excerpt;
  excerpt.first = TRY(FirstSince(*txn, since));
  excerpt.last = TRY(LastBefore(*txn, until));
  if (excerpt.first == 0 || excerpt.last < excerpt.first) {
    return Error{Code::kNotFound, "the ledger has no rows of that time"};
  }
  // Nothing is signed that does not lead to the signed head.
  const int64_t from = TRY(WalkSince(*txn, since));
  const Verdict verdict = TRY(VerifyChain(*txn, impl_->key, outside, cut, from, [&](const store::Row& row) {
    if (row.integer(0) == excerpt.last) excerpt.hash = row.text(7);
    return Status();
  }));
  if (!verdict.problem.empty()) {
    return Error{Code::kConflict, "nothing is exported: the audit log was tampered with: " + verdict.problem};
  }
  excerpt.previous = Head().hash;
  for (const store::Row& row :
       TRY(txn->Run("SELECT hash FROM ledger WHERE seq = $1", {store::Int(excerpt.first - 1)}))) {
    excerpt.previous = row.text(0);
  }
  excerpt.at = impl_->clock.Now().Text();
  excerpt.public_key = impl_->key.public_key;
  excerpt.signature = Sign(impl_->key, fmt::format("weft ledger export\n{}\n{}\n{}\n{}\n{}", excerpt.first,
                                                   excerpt.previous, excerpt.last, excerpt.at, excerpt.hash));
  return excerpt;
}

}  // namespace weft::ledger
