// How long "who saw this column last month" and "what did they read last month" take over 10M rows of the ledger, as
// they come and on a store that no page of is in memory; and how fast the index follows.
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "base/file.h"
#include "base/id.h"
#include "state/ledger/audit.h"

namespace {

using namespace weft;
using Steady = std::chrono::steady_clock;

constexpr int kPorts = 1'000, kPrincipals = 10'000, kColumns = 12, kShapes = 24;
constexpr int64_t kDay = int64_t{86'400} * 1'000'000;
constexpr int64_t kDays = 365;
constexpr double kTargetMillis = 1'000;

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "audit_bench: %s\n", what.c_str());
  std::exit(1);
}
template <class T>
T Must(Result<T> result) {
  if (!result) Fail(result.error().message);
  return result.TakeValue();
}
double MillisSince(Steady::time_point since) {
  return std::chrono::duration<double, std::milli>(Steady::now() - since).count();
}

// Ranks of which the first comes twice as often as the second, three times as often as the third…
class Zipf {
 public:
  explicit Zipf(int count) {
    double sum = 0;
    for (int i = 1; i <= count; ++i) sums_.push_back(sum += 1.0 / i);
  }
  int operator()(std::mt19937_64& random) const {
    const double at = std::uniform_real_distribution<>(0, sums_.back())(random);
    return static_cast<int>(std::ranges::lower_bound(sums_, at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

std::string Address(int port) { return fmt::format("domain-{0}/product-{1}/port-{1}@1", port % 50, port); }

// What a read of some columns says, a third of them masked.
Json Shape(int number) {
  std::mt19937 random(static_cast<unsigned>(number));
  Json columns = Json::Object();
  for (int c = 0; c < kColumns; ++c) {
    if (random() % 2 == 0) columns.Set(fmt::format("column_{}", c), c % 3 == 0 ? "mask-alphanum" : "clear");
  }
  Json policy = Json::Map({{"name", "personal-data-is-masked"},
                           {"where", "policies/personal-data.yaml:3"},
                           {"effect", "mask"},
                           {"detail", "column_0: mask-alphanum, column_3: mask-alphanum"}});
  return Json::Map({{"columns", std::move(columns)},
                    {"right", fmt::format("grant grant_01jd0000000000000000000{:03}", number)},
                    {"policies", Json::Array{std::move(policy)}}});
}

// Writes sealed rows in the order of their time: reads that started and ended, and some denials.
class Filler {
 public:
  Filler(const std::string& path, const SigningKey& key) : key_(key) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) Fail("sqlite3_open");
    Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-200000; BEGIN");
    sqlite3_prepare_v2(db_,
                       "INSERT INTO ledger (at, kind, principal, purpose, address, detail, seq, hash) VALUES (?, ?, ?, "
                       "?, ?, ?, ?, ?)",
                       -1, &insert_, nullptr);
    for (int i = 0; i < kShapes; ++i) {
      shapes_.push_back(Shape(i));
      digests_.push_back(ledger::SeenDigest(shapes_.back()));
    }
  }
  ~Filler() {
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
  }

  void Fill(int64_t rows, Instant from) {
    const Zipf port(kPorts), principal(kPrincipals);
    std::mt19937_64 random(5);
    while (seq_ < rows) {
      const Instant at{from.micros + kDays * kDay / rows * seq_};
      const std::string who = fmt::format("person-{}", principal(random)), address = Address(port(random));
      const size_t shape = random() % kShapes;
      if (random() % 20 == 0) {
        Row(at, "denied", who, address,
            R"({"action":"read","reasons":["person does not own it and holds no grant on it"],"door":"flight"})");
        continue;
      }
      Json started = Json::Map({{"read", "read_01jd0000000000000000000000"},
                                {"statement", std::string(64, 'a')},
                                {"door", "flight"},
                                {"peer", "10.0.0.1:50000"},
                                {"token", "tok_01jd0000000000000000000000"},
                                {"snapshot", "1234567890123456789"}});
      for (const auto& [name, value] : shapes_[shape].Members()) started.Set(name, value);
      Row(at, "read.started", who, address, started.Dump());
      Row(at, "read.ended", who, address,
          fmt::format(R"({{"read":"read_01jd0000000000000000000000","seen":"{}","snapshot":"1234567890123456789",)"
                      R"("rows":{},"bytes":8000,"outcome":"completed","ms":12}})",
                      digests_[shape], random() % 1'000));
    }
    const std::string at = Instant{from.micros + kDays * kDay}.Text();
    Execute(
        fmt::format("INSERT INTO ledger_head (id, seq, at, hash, signature) VALUES (1, {0}, '{1}', '{2}', '{3}'); "
                    "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)",
                    seq_, at, hash_, Sign(key_, fmt::format("weft ledger head\n{}\n{}\n{}", seq_, at, hash_))));
  }

 private:
  void Execute(const std::string& sql) {
    if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) Fail(sqlite3_errmsg(db_));
  }

  void Row(Instant at, const std::string& kind, const std::string& who, const std::string& address,
           const std::string& detail) {
    const std::string cells[] = {at.Text(), kind, who, "reporting", address, detail};
    std::string bytes = fmt::format("{}{}\n", hash_, ++seq_);
    for (const std::string& cell : cells) bytes += fmt::format("{}:", cell.size()) + cell;
    hash_ = Sha256(bytes);
    for (int c = 0; c < 6; ++c) {
      sqlite3_bind_text(insert_, c + 1, cells[c].data(), static_cast<int>(cells[c].size()), SQLITE_STATIC);
    }
    sqlite3_bind_int64(insert_, 7, seq_);
    sqlite3_bind_text(insert_, 8, hash_.data(), static_cast<int>(hash_.size()), SQLITE_STATIC);
    if (sqlite3_step(insert_) != SQLITE_DONE) Fail(sqlite3_errmsg(db_));
    sqlite3_reset(insert_);
    if (seq_ % 1'000'000 == 0) Execute("COMMIT; BEGIN");
  }

  const SigningKey key_;
  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  std::vector<Json> shapes_;
  std::vector<std::string> digests_;
  int64_t seq_ = 0;
  std::string hash_ = std::string(64, '0');
};

void Forget(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const int file = ::open(entry.path().c_str(), O_RDONLY);
    ::fdatasync(file);
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
  }
}

void Tell(const std::string& name, std::vector<double> millis) {
  std::ranges::sort(millis);
  fmt::print("audit.{0}.p50 ms {1:.4g}\naudit.{0}.p99 ms {2:.4g}\n", name, millis[millis.size() / 2],
             millis[millis.size() * 99 / 100]);
  std::fflush(stdout);
}

struct Opened {
  explicit Opened(const std::string& folder)
      : store(Must(store::Open("sqlite:" + folder + "/store.db"))),
        ledger(Must(ledger::Ledger::Open(*store, SystemClock(), folder + "/keys"))) {}
  std::unique_ptr<store::Store> store;
  std::unique_ptr<ledger::Ledger> ledger;
};

// The answer, and the rows that stand behind its newest lines, as the door gives them.
double Ask(Opened& opened, const ledger::Question& question) {
  const auto began = Steady::now();
  const ledger::Answer answer = Must(opened.ledger->Ask(question));
  std::vector<int64_t> rows;
  for (size_t i = 0; i < answer.findings.size() && i < 1'000; ++i) rows.push_back(answer.findings[i].last_row);
  auto txn = Must(opened.store->Read());
  if (Must(ledger::RowsAt(*txn, rows)).size() != rows.size()) Fail("a row is not there");
  return MillisSince(began);
}

}  // namespace

int main() {
  const char* wanted = std::getenv("ROWS");
  const auto rows = static_cast<int64_t>(wanted ? std::atof(wanted) : 1e7);
  std::string folder = (std::filesystem::temp_directory_path() / "weft-audit-XXXXXX").string();
  if (!::mkdtemp(folder.data())) Fail("mkdtemp");
  const Instant now = SystemClock().Now();
  {
    auto store = Must(store::Open("sqlite:" + folder + "/store.db"));
    if (Status migrated = store::Migrate(*store, ledger::Migrations()); !migrated) Fail(migrated.error().message);
    Must(ledger::Ledger::Open(*store, SystemClock(), folder + "/keys"));  // Makes the key.
  }
  {
    const Json key = Must(Json::Parse(Must(ReadFile(folder + "/keys/ledger-key.json"))));
    Filler(folder + "/store.db", {key["secret"].Text(), key["public"].Text()})
        .Fill(rows, Instant{now.micros - kDays * kDay});
  }
  fmt::print("audit.rows rows {}\n", rows);
  const Instant month{now.micros - 30 * kDay};
  std::mt19937_64 random(3);
  const Zipf port(kPorts), principal(kPrincipals);
  auto who = [&](int number) { return ledger::Question{.address = Address(number), .since = month}; };
  auto what = [&](int number) {
    return ledger::Question{.principal = fmt::format("person-{}", number), .since = month};
  };
  {
    Opened opened(folder);
    const auto began = Steady::now();
    Must(opened.ledger->Ask(who(kPorts - 1)));
    fmt::print("audit.index rows/s {:.6g}\n", static_cast<double>(rows) / MillisSince(began) * 1'000);
  }
  std::vector<double> cold_who, cold_what;
  for (int i = 0; i < 10; ++i) {
    for (auto& [question, millis] : {std::pair(who(i), &cold_who), std::pair(what(i), &cold_what)}) {
      Forget(folder);
      Opened opened(folder);
      millis->push_back(Ask(opened, question));
    }
  }
  Tell("who_cold_top_10", cold_who);
  Tell("what_cold_top_10", cold_what);
  Opened opened(folder);
  std::vector<double> warm_who, warm_what, top;
  for (int i = 0; i < 300; ++i) {
    warm_who.push_back(Ask(opened, who(port(random))));
    warm_what.push_back(Ask(opened, what(principal(random))));
  }
  Tell("who_warm", warm_who);
  Tell("what_warm", warm_what);
  for (int i = 0; i < 10; ++i) top.push_back(Ask(opened, who(0)));
  Tell("who_warm_busiest_port", top);
  fmt::print("audit.target ms {}\n", kTargetMillis);
  ledger::Question proved = who(0);
  proved.verify = true;
  fmt::print("audit.who_verified s {:.4g}\n", Ask(opened, proved) / 1'000);
  std::filesystem::remove_all(folder);
  return 0;
}
