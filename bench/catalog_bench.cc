// How fast a large mesh is published and found: PRODUCTS products (100,000) applied through the room that publishes, a
// domain of 1,000 at a time, and then searched. What is made in FOLDER stays there and is searched again the next time.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/file.h"
#include "base/id.h"
#include "state/catalog/catalog.h"
#include "state/catalog/search.h"
#include "state/ledger/ledger.h"
#include "state/lineage/lineage.h"
#include "state/schedules/schedules.h"
#include "work/publish/publish.h"

namespace {

using namespace weft;
using Steady = std::chrono::steady_clock;

constexpr int kPerDomain = 1'000, kColumns = 8, kSearches = 1'000, kCounted = 200;
constexpr double kTargetRate = 500, kTargetMillis = 20, kTargetMegabytes = 500;

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "catalog_bench: %s\n", what.c_str());
  std::exit(1);
}
template <class T>
T Must(Result<T> result) {
  if (result) return result.TakeValue();
  std::string why = result.error().message;
  for (const Problem& problem : result.error().problems) {
    why += "\n" + problem.Text();
    if (why.size() > 2000) break;
  }
  Fail(why);
}
void Must(Status status) {
  if (!status) Fail(status.error().message);
}

// Words as a company's catalogue has them: few are everywhere, most are rare.
const std::vector<std::string>& Words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> made = {"order", "customer", "flight", "delay",   "invoice", "payment", "claim",
                                     "route", "crew",     "ticket", "airport", "carrier", "late",    "daily"};
    static constexpr const char* kStart[] = {"ba", "ce", "di", "fo", "gu", "ka", "lo", "me", "ni", "po", "ru", "sa"};
    static constexpr const char* kEnd[] = {"nt", "rk", "lar", "mon", "st", "vid", "xel", "tor", "ran", "p"};
    for (const char* a : kStart) {
      for (const char* b : kStart) {
        for (const char* c : kEnd) made.push_back(std::string(a) + b + c);
      }
    }
    return made;
  }();
  return words;
}

std::string Word(std::mt19937& random) {
  // About 1 in i: the tenth word is a tenth as frequent as the first.
  const double at = std::pow(static_cast<double>(Words().size()), std::uniform_real_distribution<>(0, 1)(random));
  return Words()[static_cast<size_t>(at) - 1];
}

std::string Product(const std::string& domain, const std::string& name, std::string_view status, std::mt19937& random) {
  static constexpr const char* kKinds[] = {"sourceAligned", "aggregate", "consumerAligned"};
  return fmt::format(
      "apiVersion: v1.1.0\nkind: DataProduct\nid: {0}-{1}\nname: {1}\ndomain: {0}\nversion: 1.0.0\nstatus: {10}\n"
      "type: {2}\ntags: [{3}, {4}]\ndescription:\n  purpose: The {5} of each {6}, by {7}.\nteam:\n  members:\n"
      "    - {{username: p{8}, role: owner}}\ninputPorts:\n  - name: source\n    version: 1.0.0\n    "
      "customProperties:\n"
      "      - {{property: source, vendor: weft, value: {{kind: file, path: /data/{1}.csv, format: csv}}}}\n"
      "outputPorts:\n  - name: {1}\n    description: One row of each {9}.\n    version: 1.0.0\n"
      "    contractId: {0}-{1}-port\n    customProperties:\n"
      "      - {{property: build, vendor: weft, value: {{mode: replace}}}}\n",
      domain, name, kKinds[random() % 3], Word(random), Word(random), Word(random), Word(random), Word(random),
      random() % 10'000, Word(random), status);
}

std::string Contract(const std::string& domain, const std::string& name, std::mt19937& random) {
  std::string text = fmt::format(
      "apiVersion: v3.2.0\nkind: DataContract\nid: {0}-{1}-port\nname: {1}\nversion: 1.0.0\nstatus: active\nschema:\n"
      "  - name: rows\n    physicalType: table\n    properties:\n"
      "      - {{name: id, logicalType: integer, physicalType: bigint, required: true, primaryKey: true}}\n",
      domain, name);
  for (int c = 1; c < kColumns; ++c) {
    text +=
        fmt::format("      - {{name: {}_{}, logicalType: string, physicalType: varchar, description: The {} of it.}}\n",
                    Word(random), c, Word(random));
  }
  return text;
}

publish::Submission DomainOf(int number, int products) {
  std::mt19937 random(static_cast<unsigned>(number));
  const std::string domain = fmt::format("domain-{}", number);
  publish::Submission submission;
  for (int i = 0; i < products; ++i) {
    const std::string name = fmt::format("{}-{}-{}", Word(random), Word(random), i);
    const std::string folder = fmt::format("domains/{}/{}/", domain, name);
    submission.files.push_back(
        {folder + "product.odps.yaml", Product(domain, name, i % 50 == 0 ? "retired" : "active", random)});
    submission.files.push_back({folder + name + ".odcs.yaml", Contract(domain, name, random)});
  }
  return submission;
}

double Seconds(Steady::time_point since) { return std::chrono::duration<double>(Steady::now() - since).count(); }

// Of this thread, whatever else the machine does.
double ProcessorMillis() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

double Megabytes(const char* what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(what)) return std::strtod(line.c_str() + line.find(':') + 1, nullptr) / 1024;
  }
  return 0;
}

void Searches(store::Store& store, std::string_view name, int times, bool facets) {
  std::mt19937 random(7);
  std::vector<double> millis, processor;
  int64_t found = 0;
  for (int i = 0; i < times; ++i) {
    catalog::Question question;
    question.words = Word(random) + " " + Word(random);
    question.facets = facets;
    const auto began = Steady::now();
    const double used = ProcessorMillis();
    auto txn = Must(store.Read());
    found += Must(catalog::Search(*txn, SystemClock(), model::Sight::Everything(), question)).total;
    millis.push_back(Seconds(began) * 1000);
    processor.push_back(ProcessorMillis() - used);
  }
  std::ranges::sort(millis);
  std::ranges::sort(processor);
  fmt::print("catalog.{}.found count {:.4g}\n", name, static_cast<double>(found) / times);
  for (const auto& [share, what] : {std::pair(0.5, "p50"), std::pair(0.95, "p95"), std::pair(0.99, "p99")}) {
    fmt::print("catalog.{}.{} ms {:.4g}\n", name, what, millis[static_cast<size_t>(share * times)]);
    fmt::print("catalog.{}.{}.processor ms {:.4g}\n", name, what, processor[static_cast<size_t>(share * times)]);
  }
}

void Publish(publish::Context& context, int products) {
  model::Caller admin;
  admin.principal.name = "root";
  admin.principal.administrator = true;
  const int domains = (products + kPerDomain - 1) / kPerDomain;
  std::string mesh = "id: bench\ndomains:\n";
  for (int i = 0; i < domains; ++i) mesh += fmt::format("  - {{name: domain-{}, owners: [root]}}\n", i);
  publish::Submission first;
  first.files.push_back({"mesh.yaml", mesh});
  Must(publish::Apply(context, admin, first));
  double taken = 0, last = 0;
  for (int i = 0; i < domains; ++i) {
    const publish::Submission submission = DomainOf(i, std::min(kPerDomain, products - i * kPerDomain));
    const auto began = Steady::now();
    Must(publish::Apply(context, admin, submission));
    taken += last = Seconds(began);
    if (std::getenv("VERBOSE")) fmt::print(stderr, "{} {:.3g} s\n", i, last);
  }
  fmt::print("catalog.apply per_s {:.4g}\n", products / taken);
  fmt::print("catalog.apply.last_1000 per_s {:.4g}\n", std::min(kPerDomain, products) / last);
  fmt::print("catalog.apply.target per_s {:g}\n", kTargetRate);
}

}  // namespace

int main() {
  const char* asked = std::getenv("PRODUCTS");
  const int products = asked ? std::atoi(asked) : 100'000;
  const char* kept = std::getenv("FOLDER");
  const std::string folder = kept ? kept : fs::temp_directory_path() / fmt::format("weft-catalog-bench-{}", getpid());
  const bool made = fs::exists(folder + "/store.db");
  Must(MakeFolders(folder + "/uploads"));
  std::unique_ptr<store::Store> store = Must(store::Open("sqlite:" + folder + "/store.db"));
  for (auto migrations : {access::Migrations(), ledger::Migrations(), catalog::Migrations(), lineage::Migrations(),
                          uploads::Migrations(), secrets::Migrations(), schedules::Migrations()}) {
    Must(store::Migrate(*store, migrations));
  }
  secrets::Vault vault{folder + "/seal.key"};
  uploads::Uploads uploads{folder + "/uploads"};
  engine::MemoryBroker memory{int64_t{1} << 30};
  publish::Context context{*store, SystemClock(), uploads, memory, vault};
  if (!made) Publish(context, products);
  Searches(*store, "search", kSearches, false);
  fmt::print("catalog.search.target ms {:g}\n", kTargetMillis);
  Searches(*store, "facets", kCounted, true);
  fmt::print("catalog.resident MB {:.4g}\n", Megabytes("VmHWM"));
  fmt::print("catalog.resident.target MB {:g}\n", kTargetMegabytes);
  fmt::print("catalog.store MB {:.4g}\n", static_cast<double>(fs::file_size(folder + "/store.db")) / 1048576);
  store.reset();
  if (!kept) fs::remove_all(folder);
  return 0;
}
