#include "work/publish/readers.h"

#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "state/ledger/audit.h"
#include "state/lineage/lineage.h"

namespace weft::publish {

std::string Readers::Text() const {
  if (empty()) return fmt::format("nobody is known to have read it in the last {} days", kReadersDays);
  std::string text = "read";
  if (!ports.empty()) text += " by " + Join(ports, ", ");
  if (principals.empty()) return text;
  return text + fmt::format("{} in the last {} days by {}", ports.empty() ? "" : ", and", kReadersDays,
                            named ? Join(principals, ", ") : Count(principals.size(), "principal"));
}

Json Readers::ToJson() const {
  Json json = Json::Map({{"ports", ports}});
  if (named) return std::move(json.Set("principals", principals));
  return std::move(json.Set("principals_count", static_cast<int64_t>(principals.size())));
}

Result<Readers> ReadersOf(store::Txn& txn, const catalog::Seen& seen, const model::PortKey& port,
                          const std::string& column, Instant now) {
  const std::string address = port.Text();
  std::set<std::string> ports, principals;
  for (const lineage::Edge& edge : TRY(lineage::Walk(txn, address, lineage::Direction::kDown))) {
    if (edge.from != address) continue;
    bool made_of_it = column.empty();
    for (const lineage::ColumnEdge& each : edge.columns) made_of_it = made_of_it || each.input_column == column;
    const auto to = model::PortKey::Parse(edge.to);
    if (made_of_it && (!to || TRY(seen.Sees(*to)))) ports.insert(edge.to);
  }
  ledger::Question question{.address = address};
  question.since = Instant{now.micros - int64_t{kReadersDays} * 86'400'000'000};
  const ledger::Answer answer = TRY(ledger::AskIndex(txn, question));
  for (const ledger::Finding& finding : answer.findings) {
    if (!finding.what.Has("columns") || finding.principal.starts_with("product:")) continue;
    const Json& columns = finding.what["columns"];
    if (column.empty() || columns.is_null() || columns.Has(column)) principals.insert(finding.principal);
  }
  return Readers{{ports.begin(), ports.end()}, {principals.begin(), principals.end()}};
}

}  // namespace weft::publish
