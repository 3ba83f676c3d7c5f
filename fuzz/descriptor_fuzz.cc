// A contract, a product and a mesh of any bytes, alone and together in a repository: values or problems that have a
// place, the same each time, and a contract's document says what the contract says.
#include <algorithm>
#include <cstdint>

#include "base/text.h"
#include "fuzz/check.h"
#include "model/compat.h"
#include "model/repository.h"

namespace {

using namespace weft::model;

bool Breaks(const Contract& previous, const Contract& next) {
  const std::vector<Difference> differences = Differences(previous, next);
  for (const Difference& difference : differences) {
    Check(!difference.kind.empty() && weft::IsUtf8(difference.what));
    Check(difference.impact != Impact::kBreaking || StepOf(differences) == Step::kMajor);
  }
  return std::ranges::any_of(differences, [](const Difference& each) { return each.impact == Impact::kBreaking; });
}

void CheckContract(const Contract& contract) {
  Check(!Breaks(contract, contract));
  // JSON is YAML, so that what was read can be read again.
  const std::string json = contract.document.Dump();
  auto again = Contract::Parse(json, contract.file);
  if (!again) return;  // A character or a long key that YAML has no room for: yaml_fuzz knows which.
  Check(again->document.Dump() == json && again->id == contract.id && again->version == contract.version);
  Check(!Breaks(contract, *again) && !Breaks(*again, contract));
}

void CheckRepository(const Repository& repository, const std::vector<TextFile>& files) {
  for (const weft::Problem& problem : repository.problems) {
    Check(!problem.message.empty() && !problem.rule.empty() && weft::IsUtf8(problem.Text()));
    auto file = std::ranges::find(files, problem.file, &TextFile::path);
    if (file == files.end()) continue;
    auto breaks = std::ranges::count_if(file->text, [](char c) { return c == '\n' || c == '\r' || (c & 0x80); });
    Check(problem.line >= 0 && problem.line <= breaks + 2 && problem.column >= 0);
  }
  Check(std::ranges::is_sorted(repository.problems, {}, &weft::Problem::file));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  // A NUL parts the files, so that one input can hold a whole folder.
  std::vector<std::string> parts = weft::Split(text, '\0');
  parts.resize(5);
  auto contract = Contract::Parse(parts[0], "a.odcs.yaml");
  auto other = Contract::Parse(parts[1], "b.odcs.yaml");
  if (contract && other) Breaks(*contract, *other);
  if (contract) CheckContract(*contract);
  if (!contract) Check(!contract.error().problems.empty());
  Check(WithoutStatus(WithoutStatus(parts[0])) == WithoutStatus(parts[0]));
  const std::string folder = "domains/d/p/";
  std::vector<TextFile> files = {{folder + "a.odcs.yaml", parts[0]},
                                 {folder + "b.odcs.yaml", parts[1]},
                                 {folder + "product.odps.yaml", parts[2]},
                                 {"mesh.yaml", parts[3]},
                                 {folder + "a.sql", parts[4]}};
  const std::vector<DataFile> data_files = {{folder + "data/a.csv", "aa", 1}};
  for (bool offline : {false, true}) {
    Repository repository = ReadRepository(files, data_files, offline);
    CheckRepository(repository, files);
    std::vector<TextFile> reversed(files.rbegin(), files.rend());
    Repository again = ReadRepository(reversed, data_files, offline);
    Check(again.bundles.size() == repository.bundles.size() && again.problems.size() == repository.problems.size());
    for (size_t i = 0; i < repository.bundles.size(); ++i) {
      Check(repository.bundles[i].Digest() == again.bundles[i].Digest());
    }
  }
  return 0;
}
