#include "state/catalog/related.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "state/catalog/rows.h"
#include "state/catalog/search_docs.h"
#include "state/catalog/search_match.h"
#include "state/catalog/seen.h"

namespace weft::catalog {
namespace {

constexpr size_t kLookedAt = 200;   // Products that share one thing, at most.
constexpr size_t kMostTraits = 60;  // Of one product.
constexpr std::string_view kForeignKey = "foreignKey";

// What a product has that another may have too.
struct Trait {
  std::string what, value;
  double weight = 0;
};

// Of what is seen of it.
std::vector<Trait> TraitsOf(const model::Bundle& bundle, const model::Sight& sight) {
  std::vector<Trait> traits;
  const auto add = [&](std::string what, const std::string& value, double weight) {
    const bool known =
        std::ranges::any_of(traits, [&](const Trait& trait) { return trait.what == what && trait.value == value; });
    if (!known && traits.size() < kMostTraits) traits.push_back({std::move(what), value, weight});
  };
  for (const model::TermUse& use : model::TermsOf(bundle.product)) add("term", use.term, 4);
  for (const std::string& tag : bundle.product.tags) add("tag", tag, 2);
  for (const model::OutputPort& port : bundle.product.outputs) {
    const model::Contract* contract = bundle.ContractOf(port);
    const auto version = model::Version::Parse(port.version);
    const model::PortKey key{bundle.product.domain, bundle.product.name, port.name, version ? version->major : 0};
    if (!sight.Sees(key, model::PortStatus(bundle.product.status, contract ? contract->status : ""))) continue;
    for (const std::string& tag : port.tags) add("tag", tag, 2);
    if (!contract) continue;
    for (const model::TermUse& use : model::TermsOf(*contract)) add("term", use.term, 4);
    for (const model::SchemaObject& object : contract->schema) {
      for (const model::Property& property : object.properties) {
        if (property.entity) add("entity", property.entity->name, 4);
      }
      for (const model::Property& property : object.properties) add("column", Lower(property.name), 1);
    }
  }
  return traits;
}

// The port that a foreign key's table names: an own one, what an input port reads, or "domain.product.port".
std::optional<model::PortKey> TargetOf(const model::Bundle& bundle, const std::string& table) {
  for (const model::OutputPort& port : bundle.product.outputs) {
    if (model::SqlNameOf(port.name) == table || port.name == table) {
      return model::PortKey{bundle.product.domain, bundle.product.name, port.name, 0};
    }
  }
  for (const model::InputPort& input : bundle.product.inputs) {
    if (input.SqlName() != table && input.name != table) continue;
    if (!input.source || input.source->kind != "product") return std::nullopt;
    const auto address = model::Address::Parse(input.source->address);
    if (!address || address->port.empty()) return std::nullopt;
    return model::PortKey{address->domain, address->product, address->port, 0};
  }
  const std::vector<std::string> names = Split(ReplaceAll(table, "_", "-"), '.');
  if (names.size() != 3) return std::nullopt;
  return model::PortKey{names[0], names[1], names[2], 0};
}

std::string Unqualified(const std::string& column) { return column.substr(column.rfind('.') + 1); }

Status PutReference(store::Txn& txn, const model::Bundle& bundle, const model::PortKey& port,
                    const model::Relationship& relationship) {
  if (relationship.type != kForeignKey || relationship.to.empty()) return {};
  const std::string& first = relationship.to.front();
  const size_t dot = first.rfind('.');
  if (dot == first.npos) return {};
  const auto target = TargetOf(bundle, first.substr(0, dot));
  if (!target) return {};
  std::vector<std::string> columns, others;
  for (const std::string& column : relationship.from) columns.push_back(Unqualified(column));
  for (const std::string& column : relationship.to) others.push_back(Unqualified(column));
  TRY(
      txn.Run("INSERT INTO port_references (domain, product, port, major, columns, to_domain, to_product, to_port, "
              "to_columns) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
              {port.domain, port.product, port.port, store::Int(port.major), TextsJson(columns).Dump(), target->domain,
               target->product, target->port, TextsJson(others).Dump()}));
  return {};
}

Result<bool> IsRead(store::Txn& txn, const model::Sight& sight, const model::PortKey& port) {
  const auto rows =
      TRY(txn.Run("SELECT 1 FROM output_ports WHERE domain = $1 AND product = $2 AND port = $3 AND major = $4 AND "
                  "newest = 1 AND status <> 'retired'",
                  {port.domain, port.product, port.port, store::Int(port.major)}));
  return !rows.empty() && TRY(Seen(txn, sight).Sees(port));
}

}  // namespace

Status PutReferences(store::Txn& txn, const model::Bundle& bundle, const PortRow& row,
                     const model::Contract* contract) {
  for (const model::SchemaObject& object : contract ? contract->schema : std::vector<model::SchemaObject>()) {
    for (const model::Relationship& each : object.relationships) TRY(PutReference(txn, bundle, row.key, each));
    for (const model::Property& property : object.properties) {
      for (const model::Relationship& each : property.relationships) TRY(PutReference(txn, bundle, row.key, each));
    }
  }
  return {};
}

Result<std::vector<Alike>> LikeIt(store::Txn& txn, const model::Sight& sight, const std::string& domain,
                                  const std::string& product, size_t limit) {
  const BundlePtr bundle = TRY(Seen(txn, sight).Product(domain, product));
  const index::Reader reader = TRY(index::Reader::Open(txn));
  index::Frame frame = TRY(index::SeenBy(txn, reader, sight));
  std::vector<std::string> kinds;
  for (const char* kind : {"sourceAligned", "aggregate", "consumerAligned"}) kinds.push_back(MarkOf("kind", kind));
  TRY(index::Narrow(txn, reader, {{kinds}, {MarkOf(kRetired, "")}, ""}, &frame));
  const auto all = static_cast<double>(index::Count(index::Match(frame, {})));
  std::map<int64_t, Alike> found;
  for (const Trait& trait : TraitsOf(*bundle, sight)) {
    const index::Impacts having = TRY(reader.Marked(MarkOf(trait.what, trait.value)));
    const index::Scores scores = index::Match(frame, {&having});
    const auto sharing = static_cast<double>(index::Count(scores));
    // What half of all products have tells nothing apart.
    if (sharing < 2 || (sharing > 4 && sharing > all / 2)) continue;
    const double weight = trait.weight * std::log(1 + all / sharing);
    size_t looked_at = 0;
    for (size_t id = scores.size(); id-- > 0 && looked_at < kLookedAt;) {
      if (scores[id] == 0) continue;
      ++looked_at;
      Alike& alike = found[static_cast<int64_t>(id)];
      alike.score += weight;
      alike.shares.push_back(trait.what + " " + trait.value);
    }
  }
  std::vector<std::pair<double, int64_t>> best;
  for (const auto& [id, alike] : found) best.emplace_back(alike.score, id);
  std::ranges::sort(best, std::greater());
  std::vector<Alike> alike;
  for (const auto& [score, id] : best) {
    if (alike.size() == limit) break;
    const auto rows =
        TRY(txn.Run("SELECT domain, name, text, status FROM search_docs WHERE id = $1", {store::Int(id)}));
    if (rows[0].text(0) == domain && rows[0].text(1) == product) continue;
    Alike& one = found[id];
    one.address = rows[0].text(0) + "/" + rows[0].text(1);
    one.description = rows[0].text(2);
    one.status = rows[0].text(3);
    alike.push_back(std::move(one));
  }
  return alike;
}

Result<std::vector<Join>> JoinsOf(store::Txn& txn, const model::Sight& sight, const model::PortKey& port,
                                  size_t limit) {
  const Seen seen(txn, sight);
  std::vector<Join> joins;
  // A foreign key names no major: the newest that is there is meant.
  for (const store::Row& row :
       TRY(txn.Run("SELECT to_domain, to_product, to_port, columns, to_columns FROM port_references WHERE domain = $1 "
                   "AND product = $2 AND port = $3 AND major = $4 ORDER BY columns",
                   {port.domain, port.product, port.port, store::Int(port.major)}))) {
    model::Address address;
    address.domain = row.text(0);
    address.product = row.text(1);
    address.port = row.text(2);
    const auto target = seen.Resolve(address);
    if (!target && target.error().code != Code::kNotFound) return target.error();
    if (!target || target->status == "retired") continue;
    joins.push_back({TRY(TextsOf(row.text(3))), target->key, TRY(TextsOf(row.text(4))), "", true});
  }
  for (const store::Row& row :
       TRY(txn.Run("SELECT domain, product, port, major, columns, to_columns FROM port_references WHERE to_domain = $1 "
                   "AND to_product = $2 AND to_port = $3 ORDER BY domain, product, port, major",
                   {port.domain, port.product, port.port}))) {
    const model::PortKey other{row.text(0), row.text(1), row.text(2), static_cast<int>(row.integer(3))};
    if (other == port || !TRY(IsRead(txn, sight, other))) continue;
    joins.push_back({TRY(TextsOf(row.text(5))), other, TRY(TextsOf(row.text(4))), "", false});
  }
  for (const store::Row& row :
       TRY(txn.Run("SELECT a.column_name, b.domain, b.product, b.port, b.major, b.column_name, a.entity FROM "
                   "entity_columns a JOIN entity_columns b ON b.entity = a.entity WHERE a.domain = $1 AND a.product = "
                   "$2 AND a.port = $3 AND a.major = $4 ORDER BY a.position, b.domain, b.product, b.port, b.major, "
                   "b.position LIMIT 200",
                   {port.domain, port.product, port.port, store::Int(port.major)}))) {
    if (joins.size() >= limit) break;
    Join join{{row.text(0)},
              {row.text(1), row.text(2), row.text(3), static_cast<int>(row.integer(4))},
              {row.text(5)},
              row.text(6),
              false};
    const bool known = std::ranges::any_of(joins, [&](const Join& other) {
      return other.other == join.other && other.columns == join.columns && other.other_columns == join.other_columns;
    });
    if (known || join.other == port || !TRY(IsRead(txn, sight, join.other))) continue;
    joins.push_back(std::move(join));
  }
  if (joins.size() > limit) joins.resize(limit);
  return joins;
}

}  // namespace weft::catalog
