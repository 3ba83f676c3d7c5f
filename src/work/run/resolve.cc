#include "work/run/resolve.h"

#include <fmt/format.h>

#include "base/text.h"
#include "state/access/access.h"

namespace weft::run {
namespace {

std::string ProductPrincipal(const model::PortKey& key) { return "product:" + key.domain + "/" + key.product; }

// The policy's filter and masks over a port's rows.
std::string UnderPolicy(std::string select, const model::Decision& decision) {
  if (!decision.row_filter.empty()) select = fmt::format("SELECT * FROM ({}) WHERE {}", select, decision.row_filter);
  if (decision.masks.empty()) return select;
  std::vector<std::string> masks;
  for (const auto& [column, mask] : decision.masks) masks.push_back(fmt::format("{} AS {}", mask, SqlName(column)));
  return fmt::format("SELECT * REPLACE ({}) FROM ({})", Join(masks, ", "), select);
}

Result<Pinned> PinProduct(store::Txn& txn, Clock& clock, const model::InputPort& input, const catalog::Port& port) {
  Pinned pinned;
  pinned.port = &input;
  const model::Address address = TRY(model::Address::Parse(input.source->address));
  const catalog::PortRow row = TRY(catalog::Resolve(txn, address));
  PortRows rows = TRY(ReadPort(txn, clock, row, ProductPrincipal(port.row.key)));
  if (rows.snapshot.empty()) {
    return Error{Code::kNotFound,
                 fmt::format("{} has no data yet; run it first: weft run {}", row.key.Text(), row.key.Text())};
  }
  pinned.select = std::move(rows.select);
  pinned.paths = std::move(rows.paths);
  pinned.lineage = {input.name, row.key.Text(), rows.snapshot, "", ""};
  return pinned;
}

}  // namespace

Result<PortRows> ReadPort(store::Txn& txn, Clock& clock, const catalog::PortRow& row, const std::string& as) {
  const catalog::Port port = TRY(catalog::Load(txn, row));
  const model::Principal principal = TRY(access::PrincipalOf(txn, as));
  const model::Decision decision = TRY(access::Decide(txn, clock, principal, model::Action::kRead, port.resource, ""));
  if (!decision.permitted) {
    return Error{Code::kDenied,
                 fmt::format("{} may not read {}: {}{}", as, row.key.Text(), Join(decision.reasons, "; "),
                             decision.remedy.empty() ? "" : ". What helps: " + decision.remedy)};
  }
  const lake::View view = TRY(lake::Open(txn, row.key));
  PortRows rows;
  rows.select = UnderPolicy(lake::ScanSql(view, &rows.paths), decision);
  if (view.snapshot) rows.snapshot = std::to_string(view.snapshot->id);
  return rows;
}

Result<std::vector<Pinned>> PinInputs(store::Txn& txn, Clock& clock, const catalog::Port& port,
                                      const Options& options) {
  const std::vector<model::DataFile> uploads = TRY(catalog::Data(txn, port.row.key.domain, port.row.key.product));
  std::vector<Pinned> inputs;
  for (const model::InputPort& input : port.bundle->product.inputs) {
    auto pin = [&]() -> Result<Pinned> {
      if (!input.source) return Error{Code::kInvalid, "it says no source"};
      if (input.source->kind == "product") return PinProduct(txn, clock, input, port);
      if (input.source->kind != "file")
        return Error{Code::kUnsupported, fmt::format("sources of kind '{}' cannot be read yet", input.source->kind)};
      Pinned pinned;
      pinned.port = &input;
      pinned.files = TRY(FindFiles(*input.source, port.bundle->folder, uploads, options));
      pinned.paths = pinned.files->paths;
      pinned.lineage = {input.name, "", "", "file:" + input.source->path, pinned.files->version};
      return pinned;
    };
    auto pinned = pin();
    if (!pinned) return pinned.TakeError().With(fmt::format("the input '{}'", input.name));
    inputs.push_back(pinned.TakeValue());
  }
  return inputs;
}

Result<Targets> FindTargets(store::Txn& txn, Clock& clock, const catalog::Port& port) {
  Targets targets;
  auto add = [&](const std::string& to) -> Status {
    const std::string table = to.substr(0, to.rfind('.') == to.npos ? 0 : to.rfind('.'));
    if (table.empty() || targets.select.contains(table)) return {};
    for (const model::InputPort& input : port.bundle->product.inputs) {
      if (input.name != table && input.SqlName() != table) continue;
      targets.select[table] = "SELECT * FROM " + SqlName(input.SqlName());
      return {};
    }
    const model::PortKey& key = port.row.key;
    std::vector<std::string> names = Split(table, '.');
    if (names.size() == 1) names = {key.domain, key.product, names[0]};
    if (names.size() != 3) return {};
    for (std::string& name : names) name = model::SqlNameOf(name);
    auto row = catalog::ResolveSql(txn, names[0], names[1], names[2]);
    if (!row || row->key == key) return {};
    PortRows rows = TRY(ReadPort(txn, clock, *row, ProductPrincipal(key)));
    targets.select[table] = std::move(rows.select);
    targets.paths.insert(targets.paths.end(), rows.paths.begin(), rows.paths.end());
    return {};
  };
  for (const model::SchemaObject& object : port.contract->schema) {
    std::vector<model::Relationship> all = object.relationships;
    for (const model::Property& property : object.properties) {
      all.insert(all.end(), property.relationships.begin(), property.relationships.end());
    }
    for (const model::Relationship& relationship : all) {
      for (const std::string& to : relationship.to) TRY(add(to));
    }
  }
  return targets;
}

}  // namespace weft::run
