#include "model/cel/functions.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace weft::cel {
namespace {

Overload Read(const Signature& line) {
  Overload overload;
  overload.name = line.name;
  overload.run = line.run;
  const size_t open = line.text.find('('), close = line.text.find(") -> ");
  if (open > 0) {
    overload.member = true;
    overload.parameters.push_back(Type::Parse(line.text.substr(0, open - 1)).TakeValue());
  }
  // The tables have no map<K, V> among their parameters, so that every comma separates two.
  const std::string_view inner = line.text.substr(open + 1, close - open - 1);
  for (const std::string& parameter : inner.empty() ? std::vector<std::string>() : Split(inner, ',')) {
    overload.parameters.push_back(Type::Parse(Trim(parameter)).TakeValue());
  }
  overload.result = Type::Parse(line.text.substr(close + 5)).TakeValue();
  return overload;
}

auto Shape(const Overload& overload) {
  return std::make_tuple(std::string_view(overload.name), overload.member, overload.parameters.size());
}

const std::vector<Overload>& All() {
  static const std::vector<Overload> kAll = [] {
    std::vector<Overload> all;
    for (auto table : {TextFunctions(), ConversionFunctions(), TimeFunctions()}) {
      for (Overload& each : ReadTable(table)) all.push_back(std::move(each));
    }
    std::stable_sort(all.begin(), all.end(), [](const Overload& a, const Overload& b) { return Shape(a) < Shape(b); });
    return all;
  }();
  return kAll;
}

}  // namespace

std::vector<Overload> ReadTable(std::span<const Signature> table) {
  std::vector<Overload> all;
  std::transform(table.begin(), table.end(), std::back_inserter(all), Read);
  return all;
}

std::span<const Overload> OverloadsOf(std::string_view name, bool member, size_t arguments) {
  const std::vector<Overload>& all = All();
  const auto wanted = std::make_tuple(name, member, arguments);
  auto first =
      std::lower_bound(all.begin(), all.end(), wanted, [](const Overload& o, const auto& w) { return Shape(o) < w; });
  auto last = first;
  while (last != all.end() && Shape(*last) == wanted) ++last;
  return {first, last};
}

std::vector<std::string_view> FunctionNames() {
  std::vector<std::string_view> names;
  for (const Overload& each : All()) {
    if (names.empty() || names.back() != each.name) names.push_back(each.name);
  }
  return names;
}

}  // namespace weft::cel
