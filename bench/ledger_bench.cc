// Rows a second that many callers can append durably to the ledger, beside the same rows in bare SQLite transactions.
#include <sqlite3.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/log.h"
#include "state/ledger/ledger.h"

namespace {

using namespace weft;
using Steady = std::chrono::steady_clock;

constexpr int kTargetPerSecond = 20'000;

double Seconds(Steady::time_point since) { return std::chrono::duration<double>(Steady::now() - since).count(); }

void Must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "ledger_bench: %s failed\n", what);
  std::exit(1);
}

ledger::Entry Read(int caller, int number) {
  return {"read.started", "analyst-" + std::to_string(caller), "marketing", "sales/orders/orders@1",
          Json::Map({{"read", number}, {"snapshot", "1234567890123456789"}, {"sql_sha256", std::string(64, 'a')}})};
}

// Every caller waits for its own row before it brings the next, as readers do.
double Append(ledger::Ledger& ledger, int callers, double seconds) {
  std::atomic<int64_t> rows = 0;
  std::atomic<bool> failed = false;
  std::vector<std::jthread> threads;
  const auto began = Steady::now();
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&, caller] {
      for (int number = 0; Seconds(began) < seconds && !failed; ++number) {
        if (ledger.AppendDurably(Read(caller, number)))
          ++rows;
        else
          failed = true;
      }
    });
  }
  threads.clear();
  Must(!failed, "AppendDurably");
  return static_cast<double>(rows) / Seconds(began);
}

// The limit: the same row, so many to a durable commit, by one thread that waits for nobody, and never sealed.
double Bare(const std::string& path, int batch, double seconds) {
  sqlite3* db = nullptr;
  Must(sqlite3_open(path.c_str(), &db) == SQLITE_OK, "sqlite3_open");
  sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", nullptr, nullptr, nullptr);
  sqlite3_exec(db,
               "CREATE TABLE rows (id INTEGER PRIMARY KEY, at TEXT, kind TEXT, principal TEXT, purpose TEXT, "
               "address TEXT, detail TEXT, seq INTEGER, hash TEXT); CREATE UNIQUE INDEX seqs ON rows (seq)",
               nullptr, nullptr, nullptr);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO rows (at, kind, principal, purpose, address, detail) VALUES (?, ?, ?, ?, ?, ?)",
                     -1, &insert, nullptr);
  int64_t rows = 0;
  const auto began = Steady::now();
  for (; Seconds(began) < seconds; rows += batch) {
    sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    for (int i = 0; i < batch; ++i) {
      const ledger::Entry entry = Read(i, i);
      const std::string cells[] = {
          SystemClock().Now().Text(), entry.kind, entry.principal, entry.purpose, entry.address, entry.detail.Dump()};
      for (int c = 0; c < 6; ++c)
        sqlite3_bind_text(insert, c + 1, cells[c].data(), static_cast<int>(cells[c].size()), SQLITE_STATIC);
      Must(sqlite3_step(insert) == SQLITE_DONE, "INSERT");
      sqlite3_reset(insert);
    }
    Must(sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK, "COMMIT");
  }
  const double rate = static_cast<double>(rows) / Seconds(began);
  sqlite3_finalize(insert);
  sqlite3_close(db);
  return rate;
}

}  // namespace

int main() {
  const char* wanted = std::getenv("SECONDS_EACH");
  const double seconds = wanted ? std::atof(wanted) : 5;
  std::string folder = (std::filesystem::temp_directory_path() / "weft-ledger-XXXXXX").string();
  Must(::mkdtemp(folder.data()) != nullptr, "mkdtemp");
  for (int callers : {1, 8, 64}) {
    const double bare = Bare(folder + "/bare.db", callers, seconds);
    auto store = store::Open("sqlite:" + folder + "/store.db");
    Must(store && store::Migrate(**store, ledger::Migrations()), "the store");
    auto ledger = ledger::Ledger::Open(**store, SystemClock(), folder + "/keys");
    Must(ledger.has_value(), "the ledger");
    const double ours = Append(**ledger, callers, seconds);
    std::printf(
        "ledger.%d_callers rows/s %.0f\nledger.%d_callers.bare_sqlite rows/s %.0f\nledger.%d_callers.ratio x %.2f\n",
        callers, ours, callers, bare, callers, ours / bare);
    std::fflush(stdout);
  }
  std::printf("ledger.64_callers.target rows/s %d\n", kTargetPerSecond);
  std::filesystem::remove_all(folder);
  return 0;
}
