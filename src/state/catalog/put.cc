#include <fmt/format.h>

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "model/quarantine.h"
#include "state/catalog/rows.h"

namespace weft::catalog {
namespace {

using model::Bundle;
using model::Contract;
using model::OutputPort;
using model::Version;
using model::WithoutStatus;

using Files = std::map<std::string, std::string>;  // Path under the product's folder → bytes.

std::string PathInFolder(const Bundle& bundle, const std::string& file) {
  const std::string folder = bundle.folder + "/";
  return !bundle.folder.empty() && file.starts_with(folder) ? file.substr(folder.size()) : file;
}

Files FilesOf(const Bundle& bundle) {
  Files files;
  files[PathInFolder(bundle, bundle.product.file)] = bundle.product.bytes;
  for (const Contract& contract : bundle.contracts) files[PathInFolder(bundle, contract.file)] = contract.bytes;
  for (const auto& [name, text] : bundle.builds) files[PathInFolder(bundle, name)] = text;
  for (const model::Overlay& overlay : bundle.overlays) files[PathInFolder(bundle, overlay.file)] = overlay.bytes;
  return files;
}

bool EqualButStatus(const Files& a, const Files& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    if (x.first != y.first) return false;
    return x.first.ends_with(".yaml") ? WithoutStatus(x.second) == WithoutStatus(y.second) : x.second == y.second;
  });
}

std::string StatusOf(const Bundle& bundle, const Contract* contract) {
  return model::PlainStatus(contract && !contract->status.empty() ? contract->status : bundle.product.status);
}

bool IsDraft(const std::string& status) { return model::PlainStatus(status) == "draft"; }

bool Newer(const std::string& a, const std::string& b) {
  auto x = Version::Parse(a), y = Version::Parse(b);
  return x && y && *x > *y;
}

Result<Files> StoredFiles(store::Txn& txn, const model::Product& product) {
  Files files;
  for (const store::Row& row :
       TRY(txn.Run("SELECT path, text FROM product_files WHERE domain = $1 AND product = $2 AND version = $3",
                   {product.domain, product.name, product.version}))) {
    files[row.text(0)] = row.text(1);
  }
  return files;
}

// Judges an equal version that is there already, and clears it for the new bytes. False: the same bytes, all is done.
Result<bool> ReplaceVersion(store::Txn& txn, const Bundle& bundle, const Files& files) {
  const model::Product& product = bundle.product;
  const std::initializer_list<store::Cell> key = {product.domain, product.name, product.version};
  auto rows = TRY(
      txn.Run("SELECT status, digest FROM product_versions WHERE domain = $1 AND product = $2 AND version = $3", key));
  if (rows.empty()) return true;
  if (rows[0].text(1) == bundle.Digest()) return false;
  if (!IsDraft(rows[0].text(0)) && !EqualButStatus(TRY(StoredFiles(txn, product)), files)) {
    return Error{Code::kConflict,
                 fmt::format("{}/{} {} is published with other bytes; a published version never changes: raise the "
                             "product's version",
                             product.domain, product.name, product.version)};
  }
  TRY(txn.Run("DELETE FROM product_files WHERE domain = $1 AND product = $2 AND version = $3", key));
  TRY(
      txn.Run("DELETE FROM output_ports WHERE domain = $1 AND product = $2 AND product_version = $3 AND "
              "status = 'draft'",
              key));
  return true;
}

Status CheckContractUnchanged(const OutputPort& port, const store::Row& known, const std::string& digest,
                              const std::string& address) {
  if (known.text(0) == "draft" || known.text(1) == digest) return {};
  return Error{Code::kConflict,
               fmt::format("the contract of {}@{} is published with other content; a published contract "
                           "never changes: raise the version of port '{}' and of its contract",
                           address, port.version, port.name)};
}

// Whether a version of the product is none of its drafts: what stands there waits for no draft.
Result<bool> IsPublished(store::Txn& txn, const model::Product& product, const std::string& version) {
  const auto rows =
      TRY(txn.Run("SELECT status FROM product_versions WHERE domain = $1 AND product = $2 AND version = $3",
                  {product.domain, product.name, version}));
  return !rows.empty() && !IsDraft(rows[0].text(0));
}

Status PutPort(store::Txn& txn, const Bundle& bundle, const OutputPort& port) {
  const model::Product& product = bundle.product;
  const Contract* contract = bundle.ContractOf(port);
  const Version version = TRY(Version::Parse(port.version));
  const std::string digest = contract ? Sha256(WithoutStatus(contract->bytes)) : "";
  auto known =
      TRY(txn.Run("SELECT status, contract_digest, product_version FROM output_ports WHERE domain = $1 AND "
                  "product = $2 AND port = $3 AND version = $4",
                  {product.domain, product.name, port.name, port.version}));
  if (!known.empty()) {
    TRY(CheckContractUnchanged(port, known[0], digest,
                               fmt::format("{}/{}/{}", product.domain, product.name, port.name)));
    if (Newer(known[0].text(2), product.version)) return {};  // A later product version speaks for it already.
    if (IsDraft(product.status) && TRY(IsPublished(txn, product, known[0].text(2)))) return {};
  }
  TRY(txn.Run("DELETE FROM output_ports WHERE domain = $1 AND product = $2 AND port = $3 AND version = $4",
              {product.domain, product.name, port.name, port.version}));
  TRY(
      txn.Run("INSERT INTO output_ports (domain, product, port, version, major, sql_name, status, product_version, "
              "contract_id, contract_digest, description, tags, classification, newest) "
              "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0)",
              {product.domain, product.name, port.name, port.version, store::Int(version.major),
               fmt::format("{}_v{}", model::SqlNameOf(port.name), version.major), StatusOf(bundle, contract),
               product.version, port.contract_id, digest, port.description, TextsJson(port.tags).Dump(),
               contract ? model::StrictestOf(*contract) : ""}));
  return {};
}

// Marks the newest version of each port's each major. A draft waits behind what is published of its major: nobody reads
// by it, and it is held against what they read.
Status MarkNewest(store::Txn& txn, const model::Product& product) {
  std::map<std::pair<std::string, int>, std::pair<bool, Version>> newest;  // Whether it is published, and which.
  for (const store::Row& row :
       TRY(txn.Run("SELECT port, version, status FROM output_ports WHERE domain = $1 AND product = $2",
                   {product.domain, product.name}))) {
    const std::pair candidate(row.text(2) != "draft", TRY(Version::Parse(row.text(1))));
    auto& best = newest.try_emplace({row.text(0), candidate.second.major}, candidate).first->second;
    best = std::max(best, candidate);
  }
  TRY(txn.Run("UPDATE output_ports SET newest = 0 WHERE domain = $1 AND product = $2", {product.domain, product.name}));
  for (const auto& [port, best] : newest) {
    TRY(txn.Run("UPDATE output_ports SET newest = 1 WHERE domain = $1 AND product = $2 AND port = $3 AND version = $4",
                {product.domain, product.name, port.first, best.second.Text()}));
  }
  return {};
}

}  // namespace

Status PutNewest(store::Txn& txn, const std::string& domain, const std::string& name, const Bundle* bundle) {
  std::optional<store::Row> best;
  bool published = false;
  for (const store::Row& row :
       TRY(txn.Run("SELECT version, status, digest, published_by, published_at FROM product_versions WHERE domain = $1 "
                   "AND product = $2",
                   {domain, name}))) {
    const bool is = !IsDraft(row.text(1));
    if (best && (is == published ? !Newer(row.text(0), best->text(0)) : published)) continue;
    best = row;
    published = is;
  }
  if (!best) return {};
  BundlePtr other;
  if (!bundle || bundle->product.version != best->text(0)) other = TRY(Product(txn, domain, name, best->text(0)));
  const Bundle& newest = other ? *other : *bundle;
  const model::Product& product = newest.product;
  TRY(txn.Run("DELETE FROM products WHERE domain = $1 AND name = $2", {domain, name}));
  TRY(
      txn.Run("INSERT INTO products (domain, name, version, status, type, description, digest, published_by, "
              "published_at, tags) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
              {domain, name, (*best)[0], (*best)[1], product.type, product.description, (*best)[2], (*best)[3],
               (*best)[4], TextsJson(product.tags).Dump()}));
  TRY(PutTeam(txn, domain, name, product));
  return PutIndex(txn, newest);
}

Status Put(store::Txn& txn, Clock& clock, const Bundle& bundle, const std::string& principal) {
  const model::Product& product = bundle.product;
  TRY(Version::Parse(product.version));
  const Files files = FilesOf(bundle);
  if (!TRY(ReplaceVersion(txn, bundle, files))) return {};
  const std::string now = clock.Now().Text();
  for (const auto& [path, text] : files) {
    TRY(txn.Run("INSERT INTO product_files (domain, product, version, path, text) VALUES ($1, $2, $3, $4, $5)",
                {product.domain, product.name, product.version, path, text}));
  }
  TRY(
      txn.Run("INSERT INTO product_versions (domain, product, version, status, digest, published_by, published_at) "
              "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (domain, product, version) DO UPDATE SET "
              "status = excluded.status, digest = excluded.digest, published_by = excluded.published_by, "
              "published_at = excluded.published_at",
              {product.domain, product.name, product.version, model::PlainStatus(product.status), bundle.Digest(),
               principal, now}));
  for (const OutputPort& port : product.outputs) TRY(PutPort(txn, bundle, port));
  const Bundle quarantines = model::QuarantinesOf(bundle);
  for (const OutputPort& port : quarantines.product.outputs) TRY(PutPort(txn, quarantines, port));
  TRY(MarkNewest(txn, product));
  return PutNewest(txn, product.domain, product.name, &bundle);
}

}  // namespace weft::catalog
