#include "apps/weft/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "state/ledger/ledger.h"
#include "state/runs/runs.h"

namespace weft::app {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using Steady = std::chrono::steady_clock;

const prometheus::Histogram::BucketBoundaries kSeconds = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60};

template <class Builder>
auto Named(Builder builder, const char* name, const char* help) {
  return builder.Name(name).Help(help);
}

double ResidentBytes() {
  auto statm = ReadFile("/proc/self/statm", 4'096);
  if (!statm) return 0;
  const std::vector<std::string> fields = Split(*statm, ' ');
  return fields.size() < 2 ? 0 : std::strtod(fields[1].c_str(), nullptr) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
}

}  // namespace

struct Metrics::Impl {
  Impl(store::Store& the_store, engine::MemoryBroker& the_memory) : store(the_store), memory(the_memory) {}

  store::Store& store;
  engine::MemoryBroker& memory;
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      Named(BuildCounter(), "weft_requests_total", "REST requests by route and status.").Register(registry);
  prometheus::Family<prometheus::Histogram>& request_seconds =
      Named(BuildHistogram(), "weft_request_seconds", "Time to an answer's head by route.").Register(registry);
  prometheus::Family<prometheus::Counter>& queries =
      Named(BuildCounter(), "weft_queries_total", "Consumers' queries by outcome.").Register(registry);
  prometheus::Histogram& query_seconds =
      Named(BuildHistogram(), "weft_query_seconds", "From a query's start to its last row.")
          .Register(registry)
          .Add({}, kSeconds);
  prometheus::Counter& rows =
      Named(BuildCounter(), "weft_rows_served_total", "Rows that left by queries.").Register(registry).Add({});
  prometheus::Family<prometheus::Counter>& events =
      Named(BuildCounter(), "weft_events_total", "Rows of the ledger by kind, since the first scrape.")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& runs =
      Named(BuildGauge(), "weft_runs", "Runs that wait or execute now.").Register(registry);
  prometheus::Gauge& head =
      Named(BuildGauge(), "weft_ledger_head", "Number of the newest sealed row.").Register(registry).Add({});
  prometheus::Family<prometheus::Gauge>& memory_bytes =
      Named(BuildGauge(), "weft_engine_memory_bytes", "Memory for engines.").Register(registry);
  prometheus::Gauge& resident = Named(BuildGauge(), "process_resident_memory_bytes", "Resident memory of the process.")
                                    .Register(registry)
                                    .Add({});
  std::mutex mutex;       // One scrape at a time.
  int64_t last_seq = -1;  // Of the ledger's rows that `events` has counted; -1 before the first scrape.

  // What changed since the last scrape; a store that cannot be read leaves the figures as they were.
  Status Refresh() {
    memory_bytes.Add({{"state", "total"}}).Set(static_cast<double>(memory.total()));
    memory_bytes.Add({{"state", "granted"}}).Set(static_cast<double>(memory.total() - memory.free()));
    resident.Set(ResidentBytes());
    auto txn = TRY(store.Read());
    if (last_seq < 0) {
      ledger::Query newest;
      newest.newest_first = true;
      newest.limit = 1;
      const auto rows_there = TRY(ledger::List(*txn, newest));
      last_seq = rows_there.empty() ? 0 : rows_there[0].seq;
    }
    ledger::Query query;
    query.limit = 1'000;
    while (true) {
      query.after = last_seq;
      const auto news = TRY(ledger::List(*txn, query));
      for (const ledger::Sealed& row : news) {
        events.Add({{"kind", row.entry.kind}}).Increment();
        last_seq = std::max(last_seq, row.seq);
      }
      if (news.empty()) break;
    }
    head.Set(static_cast<double>(last_seq));
    for (const char* status : {"pending", "running"}) {
      runs::Query of_status;
      of_status.status = status;
      of_status.limit = 10'000;
      runs.Add({{"status", status}}).Set(static_cast<double>(TRY(runs::List(*txn, of_status)).size()));
    }
    return {};
  }

  void Ended(Steady::time_point began, bool well) {
    query_seconds.Observe(std::chrono::duration<double>(Steady::now() - began).count());
    queries.Add({{"outcome", well ? "ended" : "failed"}}).Increment();
  }
};

namespace {

// A stream that counts what passes. Its C interface owns it through private_data.
struct CountedStream {
  Metrics::Impl& metrics;
  ArrowArrayStream inner;
  Steady::time_point began = Steady::now();
  bool ended_well = false;

  static CountedStream& Of(ArrowArrayStream* stream) { return *static_cast<CountedStream*>(stream->private_data); }
  static int Schema(ArrowArrayStream* stream, ArrowSchema* out) {
    return Of(stream).inner.get_schema(&Of(stream).inner, out);
  }
  static int Next(ArrowArrayStream* stream, ArrowArray* out) {
    CountedStream& self = Of(stream);
    const int outcome = self.inner.get_next(&self.inner, out);
    if (outcome == 0 && out->release) self.metrics.rows.Increment(static_cast<double>(out->length));
    if (outcome == 0 && !out->release) self.ended_well = true;
    return outcome;
  }
  static const char* LastError(ArrowArrayStream* stream) { return Of(stream).inner.get_last_error(&Of(stream).inner); }
  static void Release(ArrowArrayStream* stream) {
    std::unique_ptr<CountedStream> self(&Of(stream));
    self->inner.release(&self->inner);
    self->metrics.Ended(self->began, self->ended_well);
    stream->release = nullptr;
  }
};

class CountedQuery final : public query::Prepared {
 public:
  CountedQuery(Metrics::Impl& metrics, std::unique_ptr<query::Prepared> inner)
      : metrics_(metrics), inner_(std::move(inner)) {}
  Status Schema(ArrowSchema* out) const override { return inner_->Schema(out); }
  const std::vector<std::string>& parameters() const override { return inner_->parameters(); }
  const std::vector<Ending>& endings() const override { return inner_->endings(); }
  const std::vector<Deprecated>& deprecated() const override { return inner_->deprecated(); }
  void Cancel(Canceller by) override { inner_->Cancel(by); }
  Status MayGoOn() override { return inner_->MayGoOn(); }
  Status Execute(std::span<const engine::Value> params, ArrowArrayStream* out) override {
    auto counted = std::make_unique<CountedStream>(CountedStream{metrics_, {}});
    Status started = inner_->Execute(params, &counted->inner);
    if (!started) {
      metrics_.Ended(counted->began, false);
      return started;
    }
    *out = {&CountedStream::Schema, &CountedStream::Next, &CountedStream::LastError, &CountedStream::Release,
            counted.release()};
    return {};
  }

 private:
  Metrics::Impl& metrics_;
  std::unique_ptr<query::Prepared> inner_;
};

class CountedEngine final : public query::Engine {
 public:
  CountedEngine(Metrics::Impl& metrics, query::Engine& inner) : metrics_(metrics), inner_(inner) {}
  Result<std::unique_ptr<query::Prepared>> Prepare(const model::Caller& caller, const std::string& sql,
                                                   const lake::At& at) override {
    auto prepared = inner_.Prepare(caller, sql, at);
    if (!prepared) {
      metrics_.queries.Add({{"outcome", "refused"}}).Increment();
      return prepared.TakeError();
    }
    return std::unique_ptr<query::Prepared>(std::make_unique<CountedQuery>(metrics_, prepared.TakeValue()));
  }

 private:
  Metrics::Impl& metrics_;
  query::Engine& inner_;
};

}  // namespace

Metrics::Metrics(store::Store& store, engine::MemoryBroker& memory) : impl_(std::make_unique<Impl>(store, memory)) {}
Metrics::~Metrics() = default;

void Metrics::Request(const std::string& route, int status, std::chrono::duration<double> took) {
  impl_->requests.Add({{"route", route}, {"status", std::to_string(status)}}).Increment();
  impl_->request_seconds.Add({{"route", route}}, kSeconds).Observe(took.count());
}

std::unique_ptr<query::Engine> Metrics::Counting(query::Engine& inner) {
  return std::make_unique<CountedEngine>(*impl_, inner);
}

std::string Metrics::Text() {
  std::lock_guard lock(impl_->mutex);
  static_cast<void>(impl_->Refresh());
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace weft::app
