// Pseudonyms: what a token costs, and a scan of one column whose values are pseudonymised against the same in the clear
// and hashed.
#include <fmt/format.h>

#include <algorithm>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>

#include "base/id.h"
#include "base/secret.h"
#include "base/text.h"
#include "drivers/engine/engine.h"

namespace {

using namespace weft;

constexpr int64_t kValues = 2'000'000;
constexpr int64_t kRows = 10'000'000;

// Of the processor, all threads together: what others do on the machine does not count.
double SecondsOf(const std::function<void()>& work) {
  const std::clock_t began = std::clock();
  work();
  return static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
}

void Must(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", status.error().message.c_str());
  std::exit(1);
}

// The fastest of three.
double Best(engine::Connection& connection, const std::string& sql) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    best = std::min(best, SecondsOf([&] { Must(connection.Execute(sql)); }));
  }
  return best;
}

}  // namespace

int main() {
  const Secret key = Secret::Random(kKeyBytes);
  const Tokens tokens(key);
  std::vector<std::string> texts;
  for (int64_t i = 0; i < 1'000; ++i) texts.push_back(fmt::format("u{:08}", i));
  int64_t sum = 0;
  const double text = SecondsOf([&] {
    for (int64_t i = 0; i < kValues; ++i) sum += tokens.Of(texts[static_cast<size_t>(i % 1'000)])[5];
  });
  const double number = SecondsOf([&] {
    for (int64_t i = 0; i < kValues; ++i) sum += tokens.Of(i);
  });
  std::printf("token_of_text ns %.0f\ntoken_of_number ns %.0f\n", text / kValues * 1e9, number / kValues * 1e9);
  if (sum == 42) std::printf("\n");  // So that nothing is optimised away.

  const std::string file = (std::filesystem::temp_directory_path() / (NewId("tokens") + ".parquet")).string();
  auto instance = engine::Instance::Open({.threads = 2, .memory_bytes = int64_t{2} << 30});
  if (!instance) Must(instance.TakeError());
  auto connection = (*instance)->Connect().value();
  Must(connection->DefineTokens("tokens_of", key));
  Must(
      connection->Execute(fmt::format("COPY (SELECT 'u' || lpad((hash(i) % 1000000)::VARCHAR, 8, '0') AS who, "
                                      "(hash(i) % 1000000)::BIGINT AS id, i % 1000 AS amount FROM range({}) r(i)) TO "
                                      "'{}' (COMPRESSION zstd)",
                                      kRows, file)));
  for (const char* column : {"who", "id"}) {
    const std::string scan =
        "SELECT count(DISTINCT left({}::VARCHAR, 5)), sum(amount) FROM read_parquet('" + file + "')";
    auto ask = [&](const std::string& value) { return Best(*connection, ReplaceAll(scan, "{}", value)); };
    const double clear = ask(column), pseudonym = ask(fmt::format("tokens_of({})", column));
    const double hashed = ask(fmt::format("sha256({}::VARCHAR)", column));
    std::printf("scan_%s_clear s %.2f\nscan_%s_pseudonym s %.2f\nscan_%s_sha256 s %.2f\n", column, clear, column,
                pseudonym, column, hashed);
    std::printf("ratio_%s x %.2f (sha256 %.2f)\n", column, pseudonym / clear, hashed / clear);
  }
  std::filesystem::remove(file);
  return 0;
}
