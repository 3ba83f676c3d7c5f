// Two versions of a contract of 1,000 columns, of which every tenth differs: read, and compared.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "model/compat.h"

namespace {

using Clock = std::chrono::steady_clock;

weft::model::Contract Wide(const char* version, bool changed) {
  std::string text = fmt::format(
      "apiVersion: v3.2.0\nkind: DataContract\nid: wide\nversion: {}\nstatus: active\nschema:\n  - name: wide\n    "
      "properties:\n",
      version);
  for (int i = 0; i < 1000; ++i) {
    text += fmt::format(
        "      - {{name: column_{}, logicalType: {}, required: {}, logicalTypeOptions: {{minLength: 1}}, "
        "classification: "
        "internal}}\n",
        i, "string", changed && i % 10 == 0);
  }
  return weft::model::Contract::Parse(text, "wide.odcs.yaml").TakeValue();
}

}  // namespace

int main() {
  const weft::model::Contract older = Wide("1.0.0", false), newer = Wide("2.0.0", true);
  std::vector<double> millis;
  for (int i = 0; i < 200; ++i) {
    const auto began = Clock::now();
    const size_t found = weft::model::Differences(older, newer).size();
    millis.push_back(std::chrono::duration<double, std::milli>(Clock::now() - began).count());
    if (found != 100) return 1;
  }
  std::ranges::sort(millis);
  fmt::print("compat.columns_1000.p50 ms {:.4g}\n", millis[millis.size() / 2]);
  fmt::print("compat.columns_1000.p99 ms {:.4g}\n", millis[millis.size() * 99 / 100]);
  fmt::print("compat.columns_1000.target ms 20\n");
  return 0;
}
