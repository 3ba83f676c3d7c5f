#include "state/catalog/catalog.h"

#include <fmt/format.h>

#include "model/folder_digest.h"
#include "state/catalog/rows.h"
#include "state/catalog/seen.h"

namespace weft::catalog {
namespace {

constexpr store::Migration kMigrations[] = {
    {"catalog", 1, R"(
CREATE TABLE mesh (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  mesh_id TEXT NOT NULL,
  bytes TEXT NOT NULL
);
CREATE TABLE domains (
  name TEXT PRIMARY KEY,
  description TEXT NOT NULL
);
CREATE TABLE domain_owners (
  domain TEXT NOT NULL,
  position INTEGER NOT NULL,
  owner TEXT NOT NULL,
  PRIMARY KEY (domain, position)
);
CREATE TABLE products (
  domain TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  status TEXT NOT NULL,
  type TEXT NOT NULL,
  description TEXT NOT NULL,
  digest TEXT NOT NULL,
  published_by TEXT NOT NULL,
  published_at TEXT NOT NULL,
  tags TEXT NOT NULL,
  owners TEXT NOT NULL,
  PRIMARY KEY (domain, name)
);
CREATE TABLE product_versions (
  domain TEXT NOT NULL,
  product TEXT NOT NULL,
  version TEXT NOT NULL,
  status TEXT NOT NULL,
  digest TEXT NOT NULL,
  published_by TEXT NOT NULL,
  published_at TEXT NOT NULL,
  PRIMARY KEY (domain, product, version)
);
CREATE TABLE product_files (
  domain TEXT NOT NULL,
  product TEXT NOT NULL,
  version TEXT NOT NULL,
  path TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (domain, product, version, path)
);
CREATE TABLE output_ports (
  domain TEXT NOT NULL,
  product TEXT NOT NULL,
  port TEXT NOT NULL,
  version TEXT NOT NULL,
  major INTEGER NOT NULL,
  sql_name TEXT NOT NULL,
  status TEXT NOT NULL,
  product_version TEXT NOT NULL,
  contract_id TEXT NOT NULL,
  contract_digest TEXT NOT NULL,
  description TEXT NOT NULL,
  tags TEXT NOT NULL,
  classification TEXT NOT NULL,
  newest INTEGER NOT NULL,
  PRIMARY KEY (domain, product, port, version)
);
CREATE UNIQUE INDEX output_ports_newest ON output_ports (domain, product, sql_name) WHERE newest = 1;
CREATE TABLE product_data (
  domain TEXT NOT NULL,
  product TEXT NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (domain, product, path)
);
CREATE TABLE search_rows (
  id INTEGER PRIMARY KEY,
  domain TEXT NOT NULL,
  product TEXT NOT NULL
);
CREATE INDEX search_rows_product ON search_rows (domain, product);
-- sqlite
CREATE VIRTUAL TABLE search USING fts5 (
  kind UNINDEXED, address UNINDEXED, domain UNINDEXED, status UNINDEXED,
  title, description, tags, context,
  tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
-- sqlite
CREATE VIRTUAL TABLE search_words USING fts5vocab (search, row);
)"},
    {"catalog", 2, R"(
CREATE INDEX product_data_sha256 ON product_data (sha256);
)"},
    // Teams of products that were published before count from their next publishing.
    {"catalog", 3, R"(
CREATE TABLE team_members (
  domain TEXT NOT NULL,
  product TEXT NOT NULL,
  role TEXT NOT NULL,
  position INTEGER NOT NULL,
  principal TEXT NOT NULL,
  PRIMARY KEY (domain, product, role, position)
);
CREATE INDEX team_members_principal ON team_members (principal);
INSERT INTO team_members SELECT domain, '', 'owner', position, owner FROM domain_owners;
DROP TABLE domain_owners;
ALTER TABLE products DROP COLUMN owners;
)"},
    {"catalog", 4, R"(
CREATE TABLE entity_files (
  path TEXT PRIMARY KEY,
  text TEXT NOT NULL,
  applied_by TEXT NOT NULL,
  applied_at TEXT NOT NULL
);
CREATE TABLE entity_columns (
  domain TEXT NOT NULL,
  product TEXT NOT NULL,
  port TEXT NOT NULL,
  major INTEGER NOT NULL,
  column_name TEXT NOT NULL,
  position INTEGER NOT NULL,
  entity TEXT NOT NULL,
  PRIMARY KEY (domain, product, port, major, column_name)
);
CREATE INDEX entity_columns_entity ON entity_columns (entity);
)"},
    // EnsureIndexed fills them with what was published before.
    {"catalog", 5, R"(
-- sqlite
DROP TABLE search_words;
-- sqlite
DROP TABLE search;
DROP TABLE search_rows;
ALTER TABLE products ADD COLUMN folder_digest TEXT NOT NULL DEFAULT '';
CREATE TABLE search_docs (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  domain TEXT NOT NULL,
  name TEXT NOT NULL,
  retired INTEGER NOT NULL,
  status TEXT NOT NULL,
  type TEXT NOT NULL,
  text TEXT NOT NULL,
  title TEXT NOT NULL,
  tags TEXT NOT NULL,
  description TEXT NOT NULL,
  context TEXT NOT NULL,
  marks TEXT NOT NULL,
  ports TEXT NOT NULL
);
CREATE UNIQUE INDEX search_docs_of ON search_docs (kind, domain, name, retired);
CREATE TABLE search_facets (
  id INTEGER PRIMARY KEY,
  domain TEXT NOT NULL,
  facets TEXT NOT NULL,
  fresh_at TEXT NOT NULL
);
CREATE TABLE search_vocabulary (
  word TEXT PRIMARY KEY
);
CREATE TABLE search_near (
  variant TEXT NOT NULL,
  word TEXT NOT NULL,
  PRIMARY KEY (variant, word)
);
-- sqlite
CREATE VIRTUAL TABLE search USING fts5 (
  title, tags, description, context, marks,
  content = 'search_docs', content_rowid = 'id', tokenize = 'ascii', prefix = '2 3', detail = column
);
-- postgres
CREATE TABLE search (
  id BIGINT PRIMARY KEY,
  title tsvector NOT NULL,
  named tsvector NOT NULL,
  words tsvector NOT NULL,
  marks tsvector NOT NULL
);
-- postgres
CREATE INDEX search_of ON search USING gin (words, marks);
)"},
    {"catalog", 6, R"(
CREATE TABLE term_files (
  path TEXT PRIMARY KEY,
  text TEXT NOT NULL,
  applied_by TEXT NOT NULL,
  applied_at TEXT NOT NULL
);
CREATE TABLE term_uses (
  domain TEXT NOT NULL,
  product TEXT NOT NULL,
  port TEXT NOT NULL,
  major INTEGER NOT NULL,
  column_name TEXT NOT NULL,
  term TEXT NOT NULL,
  PRIMARY KEY (domain, product, port, major, column_name, term)
);
CREATE INDEX term_uses_term ON term_uses (term);
CREATE TABLE port_references (
  domain TEXT NOT NULL,
  product TEXT NOT NULL,
  port TEXT NOT NULL,
  major INTEGER NOT NULL,
  columns TEXT NOT NULL,
  to_domain TEXT NOT NULL,
  to_product TEXT NOT NULL,
  to_port TEXT NOT NULL,
  to_columns TEXT NOT NULL,
  PRIMARY KEY (domain, product, port, major, columns, to_domain, to_product, to_port, to_columns)
);
CREATE INDEX port_references_to ON port_references (to_domain, to_product, to_port);
)"},
    // EnsureIndexed fills them with what was published before.
    {"catalog", 7, R"(
DROP TABLE search;
DROP TABLE search_docs;
DROP TABLE search_facets;
CREATE TABLE search_docs (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  domain TEXT NOT NULL,
  name TEXT NOT NULL,
  part TEXT NOT NULL,
  status TEXT NOT NULL,
  type TEXT NOT NULL,
  text TEXT NOT NULL,
  title TEXT NOT NULL,
  tags TEXT NOT NULL,
  description TEXT NOT NULL,
  context TEXT NOT NULL,
  marks TEXT NOT NULL,
  popular INTEGER NOT NULL,
  ports TEXT NOT NULL
);
CREATE UNIQUE INDEX search_docs_of ON search_docs (kind, domain, name, part);
CREATE TABLE search_facets (
  id INTEGER PRIMARY KEY,
  domain TEXT NOT NULL,
  facets TEXT NOT NULL,
  fresh_at TEXT NOT NULL
);
-- sqlite
CREATE TABLE search_postings (
  chunk INTEGER NOT NULL,
  word TEXT NOT NULL,
  docs TEXT NOT NULL,
  PRIMARY KEY (chunk, word)
) WITHOUT ROWID;
-- postgres
CREATE TABLE search_postings (
  chunk INTEGER NOT NULL,
  word TEXT NOT NULL,
  docs TEXT NOT NULL,
  PRIMARY KEY (chunk, word)
);
)"},
    {"environment", 1, R"(
CREATE TABLE environment (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL
);
)"}};

constexpr std::string_view kProductColumns =
    "domain, name, version, status, type, description, digest, published_by, published_at, tags";

Result<ProductRow> ProductOf(const store::Row& row, model::Team team) {
  ProductRow product;
  product.domain = row.text(0);
  product.name = row.text(1);
  product.version = row.text(2);
  product.status = row.text(3);
  product.type = row.text(4);
  product.description = row.text(5);
  product.digest = row.text(6);
  product.published_by = row.text(7);
  product.published_at = TRY(row.time(8));
  product.tags = TRY(TextsOf(row.text(9)));
  product.team = std::move(team);
  return product;
}

// Of the newest version's files and of the data.
Status PutFolderDigest(store::Txn& txn, const std::string& domain, const std::string& product) {
  std::map<std::string, std::string> texts, data;
  for (const store::Row& row :
       TRY(txn.Run("SELECT f.path, f.text FROM product_files f JOIN products p ON p.domain = f.domain AND "
                   "p.name = f.product AND p.version = f.version WHERE f.domain = $1 AND f.product = $2",
                   {domain, product}))) {
    texts[row.text(0)] = row.text(1);
  }
  for (const model::DataFile& file : TRY(Data(txn, domain, product))) data[file.path] = file.sha256;
  TRY(txn.Run("UPDATE products SET folder_digest = $3 WHERE domain = $1 AND name = $2",
              {domain, product, model::FolderDigest(texts, data)}));
  return {};
}

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

Json TextsJson(const std::vector<std::string>& texts) { return Json(texts); }
Result<std::vector<std::string>> TextsOf(const std::string& json) { return TRY(Json::Parse(json)).Texts(); }

Result<std::string> MeshId(store::Txn& txn) {
  auto rows = TRY(txn.Run("SELECT mesh_id FROM mesh WHERE id = 1"));
  return rows.empty() ? std::string() : rows[0].text(0);
}

Result<std::optional<model::Mesh>> MeshOf(store::Txn& txn) {
  auto rows = TRY(txn.Run("SELECT bytes FROM mesh WHERE id = 1"));
  if (rows.empty()) return std::optional<model::Mesh>();
  return std::optional<model::Mesh>(TRY(model::Mesh::Parse(rows[0].text(0), "mesh.yaml")));
}

Status PutMesh(store::Txn& txn, const model::Mesh& mesh) {
  const std::string known = TRY(MeshId(txn));
  if (!known.empty() && known != mesh.id) {
    return Error{
        Code::kConflict,
        fmt::format("this mesh is '{}' and cannot become '{}': its id is part of every address", known, mesh.id)};
  }
  TRY(
      txn.Run("INSERT INTO mesh (id, mesh_id, bytes) VALUES (1, $1, $2) ON CONFLICT (id) DO UPDATE SET "
              "bytes = excluded.bytes",
              {mesh.id, mesh.bytes}));
  TRY(txn.Run("DELETE FROM domains"));
  TRY(txn.Run("DELETE FROM team_members WHERE product = ''"));
  for (const model::Mesh::Domain& domain : mesh.domains) {
    TRY(txn.Run("INSERT INTO domains (name, description) VALUES ($1, $2)", {domain.name, domain.description}));
    TRY(PutTeam(txn, domain.name, "", domain));
  }
  return {};
}

Result<std::optional<ProductRow>> Seen::FindProduct(const std::string& domain, const std::string& name) const {
  const std::string sql = fmt::format("SELECT {} FROM products WHERE domain = $1 AND name = $2", kProductColumns);
  auto rows = TRY(txn_.Run(sql, {domain, name}));
  if (rows.empty() || !sight_.Sees({domain, name, "", 0}, rows[0].text(3))) return std::optional<ProductRow>();
  model::Team team = TRY(WholeTeamOf(txn_, domain, name));
  return std::optional<ProductRow>(TRY(ProductOf(rows[0], std::move(team))));
}

Result<std::vector<ProductRow>> Seen::Products(const std::string& domain) const {
  const std::string sql =
      fmt::format("SELECT {} FROM products WHERE $1 = '' OR domain = $1 ORDER BY domain, name", kProductColumns);
  const Teams teams = TRY(TeamsOf(txn_, domain));
  std::vector<ProductRow> products;
  for (const store::Row& row : TRY(txn_.Run(sql, {domain}))) {
    if (!sight_.Sees({row.text(0), row.text(1), "", 0}, row.text(3))) continue;
    products.push_back(TRY(ProductOf(row, WholeTeamIn(teams, row.text(0), row.text(1)))));
  }
  return products;
}

Result<std::optional<ProductRow>> FindProduct(store::Txn& txn, const std::string& domain, const std::string& name) {
  return Everything(txn).FindProduct(domain, name);
}

Result<std::vector<ProductRow>> Products(store::Txn& txn, const std::string& domain) {
  return Everything(txn).Products(domain);
}

Status PutData(store::Txn& txn, const std::string& domain, const std::string& product,
               const std::vector<model::DataFile>& data) {
  const std::string folder = fmt::format("domains/{}/{}/", domain, product);
  TRY(txn.Run("DELETE FROM product_data WHERE domain = $1 AND product = $2", {domain, product}));
  for (const model::DataFile& file : data) {
    std::string path = file.path.starts_with(folder) ? file.path.substr(folder.size()) : file.path;
    TRY(txn.Run("INSERT INTO product_data (domain, product, path, sha256, bytes) VALUES ($1, $2, $3, $4, $5)",
                {domain, product, std::move(path), file.sha256, store::Int(file.bytes)}));
  }
  return PutFolderDigest(txn, domain, product);
}

Result<std::map<std::string, FolderState>> Folders(store::Txn& txn) {
  std::map<std::string, FolderState> folders;
  for (const store::Row& row : TRY(txn.Run("SELECT domain, name, version, folder_digest FROM products"))) {
    folders[row.text(0) + "/" + row.text(1)] = {row.text(2), row.text(3)};
  }
  return folders;
}

Result<std::vector<model::DataFile>> Data(store::Txn& txn, const std::string& domain, const std::string& product) {
  std::vector<model::DataFile> data;
  for (const store::Row& row :
       TRY(txn.Run("SELECT path, sha256, bytes FROM product_data WHERE domain = $1 AND product = $2 ORDER BY path",
                   {domain, product}))) {
    data.push_back({row.text(0), row.text(1), row.integer(2)});
  }
  return data;
}

Result<bool> HasData(store::Txn& txn, const std::string& sha256, const std::string& domain) {
  return !TRY(txn.Run("SELECT 1 FROM product_data WHERE sha256 = $1 AND ($2 = '' OR domain = $2) LIMIT 1",
                      {sha256, domain}))
              .empty();
}

}  // namespace weft::catalog
