// Reads paths on standard input and prints one JSON line for each: whether Weft calls the descriptor valid, and why
// not.
#include <iostream>

#include "base/file.h"
#include "model/contract.h"
#include "model/product.h"

namespace {

weft::Json Judge(const std::string& path) {
  auto text = weft::ReadFile(path);
  if (!text) return weft::Json::Map({{"path", path}, {"error", text.error().message}});
  std::vector<weft::Problem> problems;
  if (path.find(".odps.") != path.npos) {
    if (auto product = weft::model::Product::Parse(*text, path); !product) problems = product.error().problems;
  } else {
    if (auto contract = weft::model::Contract::Parse(*text, path); !contract) problems = contract.error().problems;
  }
  weft::Json texts(weft::Json::Array{});
  for (const weft::Problem& problem : problems) texts.Push(problem.Text());
  return weft::Json::Map({{"path", path}, {"valid", problems.empty()}, {"problems", texts}});
}

}  // namespace

int main() {
  for (std::string path; std::getline(std::cin, path);) std::cout << Judge(path).Dump() << '\n';
}
