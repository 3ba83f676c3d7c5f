// A contract, a product and a mesh of any bytes, alone and together in a repository: values or problems, never a crash.
#include <cstdlib>

#include "base/text.h"
#include "model/compat.h"
#include "model/repository.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using weft::model::Contract;
  std::string text(reinterpret_cast<const char*>(data), size);
  // A NUL parts the files, so that one input can hold a whole folder.
  std::vector<std::string> parts = weft::Split(text, '\0');
  parts.resize(5);
  auto contract = Contract::Parse(parts[0], "a.odcs.yaml");
  auto other = Contract::Parse(parts[1], "b.odcs.yaml");
  if (contract && other) weft::model::BreakingChanges(*contract, *other);
  if (contract && !weft::model::BreakingChanges(*contract, *contract).empty()) std::abort();
  if (!contract && contract.error().problems.empty()) std::abort();
  const std::string folder = "domains/d/p/";
  std::vector<weft::model::TextFile> files = {{folder + "a.odcs.yaml", parts[0]},
                                              {folder + "b.odcs.yaml", parts[1]},
                                              {folder + "product.odps.yaml", parts[2]},
                                              {"mesh.yaml", parts[3]},
                                              {folder + "a.sql", parts[4]}};
  for (bool offline : {false, true}) {
    auto repository = weft::model::ReadRepository(files, {{folder + "data/a.csv", "aa", 1}}, offline);
    for (const weft::model::Bundle& bundle : repository.bundles) bundle.Digest();
    for (const weft::Problem& problem : repository.problems) {
      if (problem.message.empty() || !weft::IsUtf8(problem.Text())) std::abort();
    }
  }
  return 0;
}
