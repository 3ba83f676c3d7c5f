#include <fmt/format.h>

#include <list>
#include <mutex>
#include <unordered_map>

#include "base/id.h"
#include "base/text.h"
#include "model/lifecycle.h"
#include "model/quarantine.h"
#include "state/catalog/rows.h"
#include "state/catalog/seen.h"

namespace weft::catalog {
namespace {

constexpr size_t kMaxBundles = 512;

// Parsed versions by the hash of their bytes: content never changes under its key, so one cache serves every store.
// Safe to share between threads.
class BundleCache {
 public:
  BundlePtr Find(const std::string& key) {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    used_.splice(used_.begin(), used_, found->second);
    return found->second->second;
  }
  void Keep(const std::string& key, BundlePtr bundle) {
    std::lock_guard lock(mutex_);
    if (entries_.contains(key)) return;
    used_.emplace_front(key, std::move(bundle));
    entries_[key] = used_.begin();
    if (used_.size() <= kMaxBundles) return;
    entries_.erase(used_.back().first);
    used_.pop_back();
  }

 private:
  using Used = std::list<std::pair<std::string, BundlePtr>>;
  std::mutex mutex_;
  Used used_;  // Newest use first.
  std::unordered_map<std::string, Used::iterator> entries_;
};

BundleCache& Cache() {
  static BundleCache cache;
  return cache;
}

std::string Near(const std::string& written, const std::vector<std::string>& names) {
  std::vector<std::string_view> candidates(names.begin(), names.end());
  return DidYouMean(written, candidates);
}

Error NoProduct(const Seen& seen, const std::string& domain, const std::string& name) {
  std::vector<std::string> names;
  auto products = seen.Products();
  for (const ProductRow& row : products ? *products : std::vector<ProductRow>()) {
    names.push_back(row.domain + "/" + row.name);
  }
  const std::string written = domain + "/" + name;
  return {Code::kNotFound, fmt::format("there is no product '{}'{}", written, Near(written, names))};
}

Result<BundlePtr> ReadBundle(store::Txn& txn, const std::string& domain, const std::string& name,
                             const std::string& version, std::vector<model::DataFile> data,
                             const std::string& environment) {
  const std::string folder = fmt::format("domains/{}/{}/", domain, name);
  std::vector<model::TextFile> files;
  for (const store::Row& row :
       TRY(txn.Run("SELECT path, text FROM product_files WHERE domain = $1 AND product = $2 AND version = $3 "
                   "ORDER BY path",
                   {domain, name, version}))) {
    files.push_back({folder + row.text(0), row.text(1)});
  }
  for (model::DataFile& file : data) file.path = folder + file.path;
  // Problems are not asked: what was registered stays readable when rules grow stricter.
  model::Repository repository = model::ReadRepository(files, data, false, nullptr, environment);
  if (repository.bundles.size() == 1) {
    return std::make_shared<const model::Bundle>(std::move(repository.bundles[0]));
  }
  return Error{Code::kInternal,
               fmt::format("the registered files of {}/{} {} cannot be read any more", domain, name, version),
               std::move(repository.problems)};
}

// Which of a port's majors a name without one means; lower is better, 3 is never.
int Preference(const PortRow& row) {
  return row.status == "active" ? 0 : row.status == "deprecated" ? 1 : row.status == "draft" ? 2 : 3;
}

const PortRow* NewestActive(const std::vector<PortRow>& majors) {
  const PortRow* best = nullptr;
  for (const PortRow& row : majors) {  // Newest major first.
    if (Preference(row) < (best ? Preference(*best) : 3)) best = &row;
  }
  return best;
}

Error NoPort(const Seen& seen, const model::Address& address) {
  auto product = seen.FindProduct(address.domain, address.product);
  if (!product) return product.TakeError();
  if (!*product) return NoProduct(seen, address.domain, address.product);
  auto ports = seen.Ports(address.domain, address.product);
  if (!ports) return ports.TakeError();
  std::vector<std::string> there, names;
  for (const PortRow& row : *ports) {
    there.push_back(fmt::format("{}@{} ({}, {})", row.key.port, row.key.major, row.version, row.status));
    names.push_back(row.key.port);
  }
  const bool known = std::find(names.begin(), names.end(), address.port) != names.end();
  return {Code::kNotFound,
          fmt::format("there is no port '{}'; {}/{} has {}{}", address.Short(), address.domain, address.product,
                      there.empty() ? "no output ports" : Join(there, ", "), known ? "" : Near(address.port, names))};
}

}  // namespace

Result<PortRow> PortOf(const store::Row& row) {
  PortRow port;
  port.key = {row.text(0), row.text(1), row.text(2), static_cast<int>(row.integer(3))};
  port.sql_name = row.text(4);
  port.version = row.text(5);
  port.status = row.text(6);
  port.product_version = row.text(7);
  port.contract_id = row.text(8);
  port.description = row.text(9);
  port.tags = TRY(TextsOf(row.text(10)));
  port.classification = row.text(11);
  return port;
}

namespace {

// What there is of a version of a product, of those that are seen; of the newest where none is named.
struct Version {
  std::string version, digest, environment;
};
Result<Version> VersionOf(store::Txn& txn, const Seen& seen, const std::string& domain, const std::string& name,
                          const std::string& version) {
  const model::PortKey key{domain, name, "", 0};
  auto newest = TRY(
      txn.Run("SELECT version, status, (SELECT e.name FROM environment e WHERE e.id = 1) FROM products WHERE domain = "
              "$1 AND name = $2",
              {domain, name}));
  if (newest.empty() || !seen.sight().Sees(key, newest[0].text(1))) return NoProduct(seen, domain, name);
  const std::string wanted = version.empty() ? newest[0].text(0) : version;
  std::vector<std::string> versions;
  for (const store::Row& row :
       TRY(txn.Run("SELECT version, digest, status FROM product_versions WHERE domain = $1 AND product = $2",
                   {domain, name}))) {
    if (!seen.sight().Sees(key, row.text(2))) continue;
    if (row.text(0) == wanted) return Version{wanted, row.text(1), newest[0].text(2)};
    versions.push_back(row.text(0));
  }
  return Error{Code::kNotFound,
               fmt::format("{}/{} has no version '{}'; there is {}", domain, name, wanted, Join(versions, ", "))};
}

}  // namespace

// A bundle under the hash of all that it was read from.
struct Seen::Keyed {
  BundlePtr bundle;
  std::string key;
};

Result<Seen::Keyed> Seen::KeyedProduct(const std::string& domain, const std::string& name,
                                       const std::string& version) const {
  const Version found = TRY(VersionOf(txn_, *this, domain, name, version));
  // Data files are not version bytes, but the parsed bundle names them.
  auto data = TRY(Data(txn_, domain, name));
  std::string key = fmt::format("{}{}/{}\n{}", found.digest, domain, name, found.environment);
  for (const model::DataFile& file : data) key += fmt::format("\n{} {} {}", file.path, file.sha256, file.bytes);
  key = Sha256(key);
  if (BundlePtr cached = Cache().Find(key)) return Keyed{std::move(cached), std::move(key)};
  BundlePtr bundle = TRY(ReadBundle(txn_, domain, name, found.version, std::move(data), found.environment));
  Cache().Keep(key, bundle);
  return Keyed{std::move(bundle), std::move(key)};
}

namespace {

BundlePtr QuarantinesIn(const BundlePtr& bundle, const std::string& bundle_key) {
  const std::string key = bundle_key + " quarantines";
  if (BundlePtr cached = Cache().Find(key)) return cached;
  auto quarantines = std::make_shared<const model::Bundle>(model::QuarantinesOf(*bundle));
  Cache().Keep(key, quarantines);
  return quarantines;
}

}  // namespace

Result<BundlePtr> Seen::Product(const std::string& domain, const std::string& name, const std::string& version) const {
  Keyed product = TRY(KeyedProduct(domain, name, version));
  return std::move(product.bundle);
}

Result<std::vector<PortRow>> Seen::PortsWhere(std::string_view where, std::initializer_list<store::Cell> args) const {
  const std::string sql = fmt::format(
      "SELECT {}, {} FROM output_ports WHERE {} ORDER BY domain, product, port, major "
      "DESC",
      kPortColumns, kProductStatus, where);
  std::vector<PortRow> ports;
  for (const store::Row& row : TRY(txn_.Run(sql, args))) {
    PortRow port = TRY(PortOf(row));
    if (sight_.Sees(port.key, model::PortStatus(row.text(12), port.status))) ports.push_back(std::move(port));
  }
  return ports;
}

Result<bool> Seen::Sees(const model::PortKey& key) const {
  if (sight_.SeesDrafts(key)) return true;
  if (key.port.empty()) {
    const auto rows =
        TRY(txn_.Run("SELECT status FROM products WHERE domain = $1 AND name = $2", {key.domain, key.product}));
    return !rows.empty() && sight_.Sees(key, rows[0].text(0));
  }
  return !TRY(PortsWhere("domain = $1 AND product = $2 AND port = $3 AND major = $4 AND newest = 1",
                         {key.domain, key.product, key.port, store::Int(key.major)}))
              .empty();
}

Result<bool> Seen::SeesPrincipal(const std::string& name) const {
  constexpr std::string_view kProduct = "product:";
  const size_t slash = name.find('/');
  if (!name.starts_with(kProduct) || slash == name.npos) return true;
  return Sees({name.substr(kProduct.size(), slash - kProduct.size()), name.substr(slash + 1), "", 0});
}

Result<PortRow> Seen::Resolve(const model::Address& address) const {
  if (address.product.empty() || address.port.empty()) {
    return Error{Code::kInvalid, fmt::format("'{}' names no output port: write domain/product/port", address.Short())};
  }
  if (const std::string mesh = TRY(MeshId(txn_)); !address.mesh.empty() && address.mesh != mesh) {
    return Error{Code::kNotFound,
                 fmt::format("'{}' is of the mesh '{}'; this one is '{}'", address.Text(), address.mesh, mesh)};
  }
  std::vector<PortRow> found;
  if (address.version) {
    found = TRY(PortsWhere("domain = $1 AND product = $2 AND port = $3 AND version = $4",
                           {address.domain, address.product, address.port, address.version->Text()}));
  } else if (address.major) {
    found = TRY(PortsWhere("domain = $1 AND product = $2 AND port = $3 AND major = $4 AND newest = 1",
                           {address.domain, address.product, address.port, store::Int(*address.major)}));
  } else {
    found = TRY(PortsWhere("domain = $1 AND product = $2 AND port = $3 AND newest = 1",
                           {address.domain, address.product, address.port}));
    const PortRow* newest = NewestActive(found);
    if (!newest && !found.empty()) {
      const Port last = TRY(Load(found[0]));
      const std::string successor = model::DeprecationOf(*last.bundle, last.contract).successor;
      return Error{
          Code::kNotFound,
          fmt::format("every version of '{}' is retired; {}name one, such as {}", address.Short(),
                      successor.empty() ? "" : fmt::format("read {} instead, or ", successor), found[0].key.Text())};
    }
    if (newest) return *newest;
  }
  if (found.empty()) return NoPort(*this, address);
  return found[0];
}

Result<PortRow> Seen::ResolveSql(std::string_view domain, std::string_view product, std::string_view table) const {
  // Slugs have no underscores, so the way back is one to one.
  auto slug = [](std::string_view name) { return ReplaceAll(Lower(name), "_", "-"); };
  model::Address address;
  address.domain = slug(domain);
  address.product = slug(product);
  address.port = slug(table);
  auto majors = TRY(PortsWhere("domain = $1 AND product = $2 AND sql_name = $3 AND newest = 1",
                               {address.domain, address.product, model::SqlNameOf(address.port)}));
  if (!majors.empty()) return majors[0];
  const size_t version = address.port.rfind("-v");
  if (version != std::string::npos && version + 2 < address.port.size() && address.port.size() - version < 12 &&
      address.port.find_first_not_of("0123456789", version + 2) == std::string::npos) {
    address.major = static_cast<int>(std::strtol(address.port.c_str() + version + 2, nullptr, 10));
    address.port.resize(version);
  }
  return Resolve(address);
}

Result<std::vector<PortRow>> Seen::Ports(const std::string& domain, const std::string& product) const {
  // The platform's own are told of with the ports that they belong to.
  const std::string offered = fmt::format("newest = 1 AND port NOT LIKE '%{}'", model::kQuarantineEnding);
  if (domain.empty()) return PortsWhere(offered + " AND ($1 = '' OR product = $1)", {product});
  if (product.empty()) return PortsWhere(offered + " AND domain = $1", {domain});
  return PortsWhere(offered + " AND domain = $1 AND product = $2", {domain, product});
}

Result<Port> Seen::Load(const PortRow& row) const {
  catalog::Port port;
  port.row = row;
  const Keyed product = TRY(KeyedProduct(row.key.domain, row.key.product, row.product_version));
  port.bundle = product.bundle;
  if (model::IsQuarantine(row.key.port)) port.bundle = QuarantinesIn(product.bundle, product.key);
  for (const model::OutputPort& output : port.bundle->product.outputs) {
    if (output.name == row.key.port && output.version == row.version) port.port = &output;
  }
  if (port.port) port.contract = port.bundle->ContractOf(*port.port);
  if (!port.contract) {
    return Error{Code::kNotFound,
                 fmt::format("{} has no contract in {} {}", row.key.Text(), row.key.product, row.product_version)};
  }
  port.resource = model::ResourceOf(port.bundle, *port.port, *port.contract);
  port.resource.Add(TRY(WholeTeamOf(txn_, row.key.domain, row.key.product)));
  port.resource.status = row.status;
  port.resource.version = fmt::format("{} {}@{} {}", product.key, row.key.port, row.version, row.status);
  return port;
}

Result<Port> Seen::Load(const model::PortKey& key) const { return Load(TRY(Resolve(key.ToAddress()))); }

Result<model::Sight> SightOf(store::Txn& txn, const model::Principal& principal,
                             std::span<const model::PortKey> granted) {
  model::Sight sight(principal);
  if (sight.all()) return sight;
  for (const std::string& name : principal.Names()) {
    for (const store::Row& row :
         TRY(txn.Run("SELECT DISTINCT domain, product FROM team_members WHERE principal = $1", {name}))) {
      sight.AddTeam(row.text(0), row.text(1));
    }
  }
  for (const model::PortKey& port : granted) sight.AddGrant(port);
  return sight;
}

Result<BundlePtr> Product(store::Txn& txn, const std::string& domain, const std::string& name,
                          const std::string& version) {
  return Everything(txn).Product(domain, name, version);
}
Result<PortRow> Resolve(store::Txn& txn, const model::Address& address) { return Everything(txn).Resolve(address); }
Result<PortRow> ResolveSql(store::Txn& txn, std::string_view domain, std::string_view product, std::string_view table) {
  return Everything(txn).ResolveSql(domain, product, table);
}
Result<std::vector<PortRow>> Ports(store::Txn& txn, const std::string& domain, const std::string& product) {
  return Everything(txn).Ports(domain, product);
}
Result<Port> Load(store::Txn& txn, const PortRow& row) { return Everything(txn).Load(row); }
Result<Port> Load(store::Txn& txn, const model::PortKey& key) { return Everything(txn).Load(key); }

}  // namespace weft::catalog
