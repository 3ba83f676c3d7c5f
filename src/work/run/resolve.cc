#include "work/run/resolve.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/incremental.h"
#include "model/own.h"
#include "model/policy/restriction.h"
#include "state/access/access.h"
#include "work/run/remote.h"

namespace weft::run {
namespace {

Result<Pinned> PinProduct(Reading& reading, const model::InputPort& input) {
  Pinned pinned;
  pinned.port = &input;
  const model::Address address = TRY(model::Address::Parse(input.source->address));
  const catalog::PortRow row = TRY(catalog::Resolve(reading.txn, address));
  PortRows rows = TRY(ReadPort(reading, row, input.name));
  if (rows.read.snapshot.empty()) {
    return Error{Code::kNotFound,
                 fmt::format("{} has no data yet; run it first: weft run {}", row.key.Text(), row.key.Text())};
  }
  pinned.select = std::move(rows.select);
  pinned.paths = std::move(rows.paths);
  pinned.ask_for = std::move(rows.ask_for);
  pinned.pseudonyms = std::move(rows.pseudonyms);
  pinned.policy = std::move(rows.policy);
  pinned.lineage = {input.name, row.key.Text(), rows.read.snapshot, "", ""};
  pinned.read = std::move(rows.read);
  pinned.held = std::move(rows.held);
  return pinned;
}

// A secret of the product's own domain, which is to go to the host: no other's can be named.
Result<std::optional<Secret>> SecretOf(Reading& reading, const Json& value, const std::string& host) {
  const std::string &name = value["secret"].Text(), &domain = reading.port.row.key.domain;
  if (name.empty()) return std::optional<Secret>();
  TRY(secrets::MaySendTo(reading.txn, {"secret", domain, name}, host));
  auto secret = reading.context.vault.Get(reading.txn, {"secret", domain, name});
  if (secret) return std::optional<Secret>(secret.TakeValue());
  Error error = secret.TakeError();
  if (error.code == Code::kNotFound) {
    error.message = fmt::format(
        "its source names the secret '{0}', which '{1}' does not have: weft secret put {0} --domain {1}", name, domain);
  }
  return error;
}

// All that a source on another's server names.
Status TakeSecrets(Reading& reading, const model::Source& source, Pinned& pinned) {
  const std::string host = TRY(HostOf(source));
  auto take = [&](const Json& value) -> Status {
    auto secret = TRY(SecretOf(reading, value, host));
    if (secret) pinned.secrets[value["secret"].Text()] = std::move(*secret);
    return {};
  };
  for (const auto& [name, value] : source.options["headers"].Members()) TRY(take(value));
  TRY(take(source.options["access_key"]));
  return take(source.options["secret_key"]);
}

// How far the port has read the input. Rows that were lost with the table are to be read again.
Result<std::optional<Progress>> ProgressOf(Reading& reading, const model::InputPort& input) {
  const std::string& kind = input.source->kind;
  if (!model::ReadsOnlyNew(*input.source) && kind != "http" && kind != "object") return std::optional<Progress>();
  Progress progress;
  progress.whole = reading.whole;
  progress.now.input = input.name;
  const model::PortKey& port = reading.port.row.key;
  const auto table = TRY(lake::Find(reading.txn, port));
  if (!table || !table->snapshot_id) return std::optional(std::move(progress));
  progress.seen = TRY(runs::PiecesOf(reading.txn, port, input.name));
  progress.cursor = TRY(runs::CursorOf(reading.txn, port, input.name));
  return std::optional(std::move(progress));
}

// The tables that the contract's foreign keys name, as they are written before the column, and those columns.
std::map<std::string, std::set<std::string>> ForeignTables(const model::Contract& contract) {
  std::map<std::string, std::set<std::string>> tables;
  auto add = [&](const std::vector<model::Relationship>& relationships) {
    for (const model::Relationship& relationship : relationships) {
      for (const std::string& to : relationship.to) {
        if (size_t dot = to.rfind('.'); dot != to.npos && dot > 0) tables[to.substr(0, dot)].insert(to.substr(dot + 1));
      }
    }
  };
  for (const model::SchemaObject& object : contract.schema) {
    add(object.relationships);
    for (const model::Property& property : object.properties) add(property.relationships);
  }
  return tables;
}

// Another port that a foreign key's table names: of the same product, or domain.product.port.
std::optional<catalog::PortRow> ForeignPort(store::Txn& txn, const catalog::Port& port, const std::string& table) {
  const model::PortKey& key = port.row.key;
  std::vector<std::string> names = Split(table, '.');
  if (names.size() == 1) names = {key.domain, key.product, names[0]};
  if (names.size() != 3) return std::nullopt;
  for (std::string& name : names) name = model::SqlNameOf(name);
  auto row = catalog::ResolveSql(txn, names[0], names[1], names[2]);
  if (!row || row->key == key) return std::nullopt;
  return row.TakeValue();
}

std::map<std::string, std::string> SeenColumns(const model::TableSchema& schema, const lake::Restricted& scan,
                                               const model::Restriction* restriction) {
  std::map<std::string, std::string> columns;
  for (const model::Field& field : schema.fields) {
    if (restriction && !restriction->Shows(field.name)) continue;
    columns[field.name] = "clear";
    if (!scan.policy.masks.contains(field.name)) continue;
    const auto mask = restriction->masks.find(field.name);
    const auto action = mask == restriction->masks.end() ? model::MaskAction::kReplaceWithNull : mask->second.action;
    columns[field.name] = model::MaskActionName(action);
  }
  return columns;
}

}  // namespace

std::string ProductPrincipal(const model::PortKey& key) { return "product:" + key.domain + "/" + key.product; }

Result<PortRows> ReadPort(Reading& reading, const catalog::PortRow& row, const std::string& input) {
  const std::string as = ProductPrincipal(reading.port.row.key);
  const std::string& purpose = reading.port.bundle->product.purpose;
  const catalog::Port port = TRY(catalog::Load(reading.txn, row));
  const model::Principal principal = TRY(access::PrincipalOf(reading.txn, as));
  const model::Decision decision =
      TRY(access::Decide(reading.txn, reading.context.clock, principal, model::Action::kRead, port.resource, purpose));
  if (!decision.permitted) {
    reading.denial =
        ledger::Denial({principal, purpose, "run", "", ""}, model::Action::kRead, row.key.Text(), decision.reasons);
    return Error{Code::kDenied, fmt::format("{} may not read {}: {}", as, row.key.Text(), decision.Why())};
  }
  lake::View view = TRY(lake::Open(reading.txn, row.key));
  if (!view.snapshot && port.contract && !port.contract->schema.empty()) {
    view.schema = TRY(model::SchemaOf(port.contract->schema.front(), nullptr));
  }
  PortRows rows;
  rows.ask_for = access::AskFor(principal, port.resource, purpose, view.schema, decision.restriction.get());
  rows.read.input = input;
  rows.read.address = row.key.Text();
  rows.read.right = decision.right;
  rows.read.policies = model::PoliciesJson(decision);
  if (view.snapshot) rows.read.snapshot = std::to_string(view.snapshot->rows_of());
  rows.held = view.held;
  rows.pseudonyms =
      TRY(secrets::PseudonymsFor(reading.txn, reading.context.vault, decision.restriction.get(), purpose));
  model::MaskKeys keys{.pseudonyms = secrets::FunctionsOf(rows.pseudonyms)};
  // A run is a function of its inputs: what it hashes is salted by them.
  if (decision.restriction && decision.restriction->NeedsSalt()) {
    const std::string about =
        fmt::format("{} {} {}", reading.port.row.key.Text(), rows.read.address, rows.read.snapshot);
    keys.salt = TRY(secrets::RunSalt(reading.txn, reading.context.vault, about));
  }
  lake::Restricted scan = lake::ScanUnder(view, decision.restriction.get(), keys, true, &rows.paths);
  rows.read.columns = SeenColumns(view.schema, scan, decision.restriction.get());
  rows.select = std::move(scan.sql);
  rows.policy = std::move(scan.policy.condition);
  for (const auto& [column, mask] : scan.policy.masks) rows.policy += fmt::format("\n{}: {}", column, mask);
  return rows;
}

Error OfGrants(Error error, const std::vector<Pinned>& inputs) {
  const std::optional<std::string> missing = engine::MissingColumn(error.message);
  for (const Pinned& input : inputs) {
    const auto asked = missing ? input.ask_for.find(Lower(*missing)) : input.ask_for.end();
    if (asked == input.ask_for.end()) continue;
    return {Code::kDenied, fmt::format("the column '{}' of the input '{}' is not among those that were granted. What "
                                       "helps: {}",
                                       asked->first, input.port->name, asked->second)};
  }
  return error;
}

std::set<std::string> NeededInputs(const catalog::Port& port, const std::set<std::string>& read) {
  std::set<std::string> names = read;
  if (!port.contract) return names;
  const auto foreign = ForeignTables(*port.contract);
  for (const model::InputPort& input : port.bundle->product.inputs) {
    if (foreign.contains(input.name) || foreign.contains(input.SqlName())) names.insert(input.name);
  }
  return names;
}

Result<std::vector<Pinned>> PinInputs(Reading& reading, const std::set<std::string>& names) {
  std::vector<Pinned> inputs;
  for (const model::InputPort& input : reading.port.bundle->product.inputs) {
    if (!names.contains(input.name)) continue;
    auto pin = [&]() -> Result<Pinned> {
      if (!input.source) return Error{Code::kInvalid, "it says no source"};
      if (input.source->kind == "product") return PinProduct(reading, input);
      Pinned pinned;
      pinned.port = &input;
      pinned.progress = TRY(ProgressOf(reading, input));
      if (model::own::ReadsFiles(input.source->kind)) return pinned;
      if (input.source->kind == "http" || input.source->kind == "object") {
        TRY(TakeSecrets(reading, *input.source, pinned));
        return pinned;
      }
      if (input.source->kind != "postgres")
        return Error{Code::kUnsupported, fmt::format("sources of kind '{}' cannot be read yet", input.source->kind)};
      const Json& options = input.source->options;
      pinned.password = TRY(SecretOf(reading, options["password"], options["host"].Text()));
      return pinned;
    };
    auto pinned = pin();
    if (!pinned) return pinned.TakeError().With(fmt::format("the input '{}'", input.name));
    inputs.push_back(pinned.TakeValue());
    if (!reading.port.contract || !inputs.back().read) continue;
    for (const auto& [table, columns] : ForeignTables(*reading.port.contract)) {
      if (table == input.name || table == input.SqlName()) inputs.back().read->keys = columns;
    }
  }
  return inputs;
}

std::set<model::PortKey> Upstream(store::Txn& txn, const catalog::Port& port, const std::set<std::string>& read) {
  std::set<model::PortKey> upstream;
  const std::set<std::string> needed = NeededInputs(port, read);
  std::set<std::string> inputs;
  for (const model::InputPort& input : port.bundle->product.inputs) {
    inputs.insert({input.name, input.SqlName()});
    if (!needed.contains(input.name) || !input.source || input.source->kind != "product") continue;
    auto address = model::Address::Parse(input.source->address);
    auto above = address ? catalog::Resolve(txn, *address) : Result<catalog::PortRow>(address.TakeError());
    if (above && above->key != port.row.key) upstream.insert(above->key);
  }
  if (!port.contract) return upstream;
  for (const auto& [table, columns] : ForeignTables(*port.contract)) {
    if (inputs.contains(table)) continue;
    if (const auto row = ForeignPort(txn, port, table)) upstream.insert(row->key);
  }
  return upstream;
}

Status FindSources(std::vector<Pinned>& inputs, const model::Bundle& bundle,
                   const std::vector<model::DataFile>& uploads, const Options& options) {
  for (Pinned& input : inputs) {
    const model::Source& source = *input.port->source;
    if (source.kind != "file") continue;
    auto files = input.progress ? FindNewFiles(source, bundle.folder, uploads, options, *input.progress)
                                : FindFiles(source, bundle.folder, uploads, options);
    if (!files) return files.TakeError().With(fmt::format("the input '{}'", input.port->name));
    input.files = files.TakeValue();
    input.paths = input.files->paths;
    input.lineage = {input.port->name, "", "", "file:" + source.path, input.files->version};
  }
  return {};
}

Result<Targets> FindTargets(Reading& reading) {
  const catalog::Port& port = reading.port;
  Targets targets;
  for (const auto& [table, columns] : ForeignTables(*port.contract)) {
    const auto input = std::find_if(
        port.bundle->product.inputs.begin(), port.bundle->product.inputs.end(),
        [&, &name = table](const model::InputPort& each) { return each.name == name || each.SqlName() == name; });
    if (input != port.bundle->product.inputs.end()) {
      targets.select[table] = "SELECT * FROM " + SqlName(input->SqlName());
      continue;
    }
    const std::optional<catalog::PortRow> row = ForeignPort(reading.txn, port, table);
    if (!row) continue;
    PortRows rows = TRY(ReadPort(reading, *row, table));
    rows.read.keys = columns;
    targets.reads.push_back(std::move(rows.read));
    targets.held.push_back(std::move(rows.held));
    targets.select[table] = std::move(rows.select);
    targets.paths.insert(targets.paths.end(), rows.paths.begin(), rows.paths.end());
    targets.pseudonyms.insert(targets.pseudonyms.end(), rows.pseudonyms.begin(), rows.pseudonyms.end());
  }
  return targets;
}

}  // namespace weft::run
