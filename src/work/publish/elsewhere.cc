#include <fmt/format.h>

#include <algorithm>

#include "work/publish/plan.h"

namespace weft::publish {
namespace {

// Whether the environment reads another port where the descriptor reads something else: only then is there more to
// know than the folder tells.
bool ReadsPorts(const model::Product& product) {
  return std::ranges::any_of(product.inputs, [](const model::InputPort& input) {
    return input.source && !input.source->overlay.empty() && input.source->kind == "product";
  });
}

}  // namespace

Status CheckElsewhere(Ports& ports, BuildChecker& builds, const model::Bundle& bundle, std::vector<Problem>* problems) {
  if (bundle.overlays.empty()) return {};
  const model::Product plain = TRY(model::Product::Parse(bundle.product.bytes, bundle.product.file));
  for (const model::Overlay& overlay : bundle.overlays) {
    if (overlay.environment == bundle.environment) continue;
    model::Bundle there = bundle;
    there.product = model::LaidOver(plain, overlay);
    if (!ReadsPorts(there.product)) continue;
    std::vector<Problem> found;
    TRY(CheckInputs(ports, there, &found));
    std::erase_if(found, [&](const Problem& problem) { return problem.file != overlay.file; });
    const bool known = std::ranges::find(found, "weft.input", &Problem::rule) == found.end();
    // That a port is not here does not say that it is not there.
    for (Problem& problem : found) problem.level = Problem::Level::kWarning;
    if (known) TRY(builds.Check(there, &found));
    for (Problem& problem : found) {
      if (std::ranges::find(*problems, problem) != problems->end()) continue;
      problem.message = fmt::format("in {}: {}", overlay.environment, problem.message);
      problems->push_back(std::move(problem));
    }
  }
  return {};
}

}  // namespace weft::publish
