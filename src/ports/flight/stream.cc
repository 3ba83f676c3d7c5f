#include <arrow/c/bridge.h>
#include <arrow/flight/server.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "ports/flight/internal.h"

namespace weft::flight {
namespace {

// Most answers come in batches of a good size. Those of the engine's own conversion have 2,048 rows, and a message of
// the wire pays for itself from some hundred kilobytes.
constexpr int64_t kBatchRows = 32'768;
constexpr int64_t kBatchBytes = int64_t{1} << 20;

// The governed rows as batches. Releases the stream, and so ends the read, with itself.
class Rows final : public arrow::RecordBatchReader {
 public:
  Rows() = default;
  ~Rows() override {
    if (stream_.release) stream_.release(&stream_);
  }

  ArrowArrayStream* stream() { return &stream_; }

  arrow::Status Open() {
    ArrowSchema schema{};
    if (int failed = stream_.get_schema(&stream_, &schema)) return Failure(failed);
    ARROW_ASSIGN_OR_RAISE(schema_, arrow::ImportSchema(&schema));
    return arrow::Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  bool ended() const { return ended_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    out->reset();
    arrow::RecordBatchVector batches;
    for (int64_t rows = 0, bytes = 0; rows < kBatchRows && bytes < kBatchBytes && !ended_;) {
      ArrowArray array{};
      if (int failed = stream_.get_next(&stream_, &array)) return Failure(failed);
      ended_ = array.release == nullptr;
      if (ended_) break;
      ARROW_ASSIGN_OR_RAISE(auto batch, arrow::ImportRecordBatch(&array, schema_));
      rows += batch->num_rows();
      bytes += arrow::util::TotalBufferSize(*batch);
      batches.push_back(std::move(batch));
    }
    if (batches.size() == 1) *out = std::move(batches.front());
    if (batches.size() > 1) return arrow::ConcatenateRecordBatches(batches).Value(out);
    return arrow::Status::OK();
  }

 private:
  arrow::Status Failure(int failed) { return ToArrow({query::CodeOfErrno(failed), stream_.get_last_error(&stream_)}); }

  ArrowArrayStream stream_{};
  std::shared_ptr<arrow::Schema> schema_;
  bool ended_ = false;
};

// Makes the next batches while the last one is on the wire. An answer of one batch needs no thread.
class Ahead final : public arrow::RecordBatchReader {
 public:
  explicit Ahead(std::shared_ptr<Rows> rows) : rows_(std::move(rows)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    if (!first_read_) {
      first_read_ = true;
      ARROW_RETURN_NOT_OK(rows_->ReadNext(out));
      if (*out && !rows_->ended()) maker_ = std::jthread([this](std::stop_token stop) { Make(stop); });
      return arrow::Status::OK();
    }
    out->reset();
    if (!maker_.joinable()) return arrow::Status::OK();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !made_.empty(); });
    if (!made_.front().ok()) return made_.front().status();
    *out = *made_.front();
    if (*out) made_.pop_front();  // The end stays.
    lock.unlock();
    changed_.notify_all();
    return arrow::Status::OK();
  }

 private:
  static constexpr size_t kMost = 4;

  void Make(std::stop_token stop) {
    for (bool more = true; more && !stop.stop_requested();) {
      std::shared_ptr<arrow::RecordBatch> batch;
      arrow::Status read = rows_->ReadNext(&batch);
      more = read.ok() && batch;
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [this] { return made_.size() < kMost; });
      made_.push_back(read.ok() ? arrow::Result<std::shared_ptr<arrow::RecordBatch>>(std::move(batch)) : read);
      lock.unlock();
      changed_.notify_all();
    }
  }

  std::shared_ptr<Rows> rows_;
  bool first_read_ = false;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<arrow::Result<std::shared_ptr<arrow::RecordBatch>>> made_;
  std::jthread maker_;  // Last: it uses the others.
};

class WatchedStream final : public arrow::flight::FlightDataStream {
 public:
  WatchedStream(std::unique_ptr<Watch::Guard> guard, std::shared_ptr<query::Prepared> prepared,
                std::shared_ptr<Rows> rows)
      : guard_(std::move(guard)), prepared_(std::move(prepared)), stream_(std::make_shared<Ahead>(std::move(rows))) {}

  std::shared_ptr<arrow::Schema> schema() override { return stream_.schema(); }
  arrow::Result<arrow::flight::FlightPayload> GetSchemaPayload() override { return stream_.GetSchemaPayload(); }
  arrow::Result<arrow::flight::FlightPayload> Next() override {
    if (Status may = prepared_->MayGoOn(); !may) return ToArrow(may.error());  // Batches may have been made before.
    return stream_.Next();
  }
  arrow::Status Close() override { return stream_.Close(); }

 private:
  std::unique_ptr<Watch::Guard> guard_;
  const std::shared_ptr<query::Prepared> prepared_;
  arrow::flight::RecordBatchStream stream_;
};

}  // namespace

Result<std::unique_ptr<arrow::flight::FlightDataStream>> Run(Watch& watch, const arrow::flight::ServerCallContext& call,
                                                             const Handle& handle) {
  auto guard = std::make_unique<Watch::Guard>(watch, call, handle.prepared);
  auto rows = std::make_shared<Rows>();
  TRY(handle.prepared->Execute(handle.parameters, rows->stream()));
  if (arrow::Status opened = rows->Open(); !opened.ok()) return FromArrow(opened);
  return std::make_unique<WatchedStream>(std::move(guard), handle.prepared, std::move(rows));
}

Watch::Guard::Guard(Watch& watch, const arrow::flight::ServerCallContext& call,
                    std::shared_ptr<query::Prepared> prepared)
    : watch_(watch) {
  std::lock_guard lock(watch_.mutex_);
  id_ = watch_.next_++;
  watch_.reads_[id_] = {&call, std::move(prepared)};
}

Watch::Guard::~Guard() {
  std::lock_guard lock(watch_.mutex_);
  watch_.reads_.erase(id_);
}

void Watch::CancelAbandoned() {
  std::lock_guard lock(mutex_);
  for (auto& [id, read] : reads_) {
    if (read.call->is_cancelled()) read.prepared->Cancel(query::Prepared::Canceller::kClient);
  }
}

void Watch::CancelAll() {
  std::lock_guard lock(mutex_);
  for (auto& [id, read] : reads_) read.prepared->Cancel(query::Prepared::Canceller::kNode);
}

}  // namespace weft::flight
