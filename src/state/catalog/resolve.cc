#include <fmt/format.h>

#include <list>
#include <mutex>
#include <unordered_map>

#include "base/id.h"
#include "base/text.h"
#include "model/lifecycle.h"
#include "state/catalog/rows.h"

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

Error NoProduct(store::Txn& txn, const std::string& domain, const std::string& name) {
  std::vector<std::string> names;
  auto products = Products(txn);
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

Result<std::vector<PortRow>> PortsWhere(store::Txn& txn, std::string_view where,
                                        std::initializer_list<store::Cell> args) {
  const std::string sql = fmt::format("SELECT {} FROM output_ports WHERE {} ORDER BY domain, product, port, major DESC",
                                      kPortColumns, where);
  std::vector<PortRow> ports;
  for (const store::Row& row : TRY(txn.Run(sql, args))) ports.push_back(TRY(PortOf(row)));
  return ports;
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

Error NoPort(store::Txn& txn, const model::Address& address) {
  auto product = FindProduct(txn, address.domain, address.product);
  if (!product) return product.TakeError();
  if (!*product) return NoProduct(txn, address.domain, address.product);
  auto ports = Ports(txn, address.domain, address.product);
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

// A bundle under the hash of all that it was read from.
struct Keyed {
  BundlePtr bundle;
  std::string key;
};

Result<Keyed> KeyedProduct(store::Txn& txn, const std::string& domain, const std::string& name,
                           const std::string& version) {
  auto newest = TRY(
      txn.Run("SELECT version, (SELECT e.name FROM environment e WHERE e.id = 1) FROM products WHERE domain = $1 AND "
              "name = $2",
              {domain, name}));
  if (newest.empty()) return NoProduct(txn, domain, name);
  const std::string environment = newest[0].null(1) ? "" : newest[0].text(1);
  const std::string wanted = version.empty() ? newest[0].text(0) : version;
  auto rows =
      TRY(txn.Run("SELECT version, digest FROM product_versions WHERE domain = $1 AND product = $2", {domain, name}));
  std::vector<std::string> versions;
  std::string key;
  for (const store::Row& row : rows) {
    versions.push_back(row.text(0));
    if (row.text(0) == wanted) key = row.text(1);
  }
  if (key.empty()) {
    return Error{Code::kNotFound,
                 fmt::format("{}/{} has no version '{}'; there is {}", domain, name, wanted, Join(versions, ", "))};
  }
  // Data files are not version bytes, but the parsed bundle names them.
  auto data = TRY(Data(txn, domain, name));
  key += fmt::format("{}/{}\n{}", domain, name, environment);
  for (const model::DataFile& file : data) key += fmt::format("\n{} {} {}", file.path, file.sha256, file.bytes);
  key = Sha256(key);
  if (BundlePtr cached = Cache().Find(key)) return Keyed{std::move(cached), std::move(key)};
  BundlePtr bundle = TRY(ReadBundle(txn, domain, name, wanted, std::move(data), environment));
  Cache().Keep(key, bundle);
  return Keyed{std::move(bundle), std::move(key)};
}

}  // namespace

Result<BundlePtr> Product(store::Txn& txn, const std::string& domain, const std::string& name,
                          const std::string& version) {
  Keyed product = TRY(KeyedProduct(txn, domain, name, version));
  return std::move(product.bundle);
}

Result<PortRow> Resolve(store::Txn& txn, const model::Address& address) {
  if (address.product.empty() || address.port.empty()) {
    return Error{Code::kInvalid, fmt::format("'{}' names no output port: write domain/product/port", address.Short())};
  }
  if (const std::string mesh = TRY(MeshId(txn)); !address.mesh.empty() && address.mesh != mesh) {
    return Error{Code::kNotFound,
                 fmt::format("'{}' is of the mesh '{}'; this one is '{}'", address.Text(), address.mesh, mesh)};
  }
  std::vector<PortRow> found;
  if (address.version) {
    found = TRY(PortsWhere(txn, "domain = $1 AND product = $2 AND port = $3 AND version = $4",
                           {address.domain, address.product, address.port, address.version->Text()}));
  } else if (address.major) {
    found = TRY(PortsWhere(txn, "domain = $1 AND product = $2 AND port = $3 AND major = $4 AND newest = 1",
                           {address.domain, address.product, address.port, store::Int(*address.major)}));
  } else {
    found = TRY(PortsWhere(txn, "domain = $1 AND product = $2 AND port = $3 AND newest = 1",
                           {address.domain, address.product, address.port}));
    const PortRow* newest = NewestActive(found);
    if (!newest && !found.empty()) {
      const Port last = TRY(Load(txn, found[0]));
      const std::string successor = model::DeprecationOf(*last.bundle, last.contract).successor;
      return Error{
          Code::kNotFound,
          fmt::format("every version of '{}' is retired; {}name one, such as {}", address.Short(),
                      successor.empty() ? "" : fmt::format("read {} instead, or ", successor), found[0].key.Text())};
    }
    if (newest) return *newest;
  }
  if (found.empty()) return NoPort(txn, address);
  return found[0];
}

Result<PortRow> ResolveSql(store::Txn& txn, std::string_view domain, std::string_view product, std::string_view table) {
  // Slugs have no underscores, so the way back is one to one.
  auto slug = [](std::string_view name) { return ReplaceAll(Lower(name), "_", "-"); };
  model::Address address;
  address.domain = slug(domain);
  address.product = slug(product);
  address.port = slug(table);
  auto majors = TRY(PortsWhere(txn, "domain = $1 AND product = $2 AND sql_name = $3 AND newest = 1",
                               {address.domain, address.product, model::SqlNameOf(address.port)}));
  if (!majors.empty()) return majors[0];
  const size_t version = address.port.rfind("-v");
  if (version != std::string::npos && version + 2 < address.port.size() && address.port.size() - version < 12 &&
      address.port.find_first_not_of("0123456789", version + 2) == std::string::npos) {
    address.major = static_cast<int>(std::strtol(address.port.c_str() + version + 2, nullptr, 10));
    address.port.resize(version);
  }
  return Resolve(txn, address);
}

Result<std::vector<PortRow>> Ports(store::Txn& txn, const std::string& domain, const std::string& product) {
  if (domain.empty()) return PortsWhere(txn, "newest = 1 AND ($1 = '' OR product = $1)", {product});
  if (product.empty()) return PortsWhere(txn, "newest = 1 AND domain = $1", {domain});
  return PortsWhere(txn, "newest = 1 AND domain = $1 AND product = $2", {domain, product});
}

Result<Port> Load(store::Txn& txn, const PortRow& row) {
  Port port;
  port.row = row;
  const Keyed product = TRY(KeyedProduct(txn, row.key.domain, row.key.product, row.product_version));
  port.bundle = product.bundle;
  for (const model::OutputPort& output : port.bundle->product.outputs) {
    if (output.name == row.key.port && output.version == row.version) port.port = &output;
  }
  if (port.port) port.contract = port.bundle->ContractOf(*port.port);
  if (!port.contract) {
    return Error{Code::kNotFound,
                 fmt::format("{} has no contract in {} {}", row.key.Text(), row.key.product, row.product_version)};
  }
  port.resource = model::ResourceOf(port.bundle, *port.port, *port.contract);
  port.resource.Add(TRY(WholeTeamOf(txn, row.key.domain, row.key.product)));
  port.resource.status = row.status;
  port.resource.version = fmt::format("{} {}@{} {}", product.key, row.key.port, row.version, row.status);
  return port;
}

Result<Port> Load(store::Txn& txn, const model::PortKey& key) { return Load(txn, TRY(Resolve(txn, key.ToAddress()))); }

}  // namespace weft::catalog
