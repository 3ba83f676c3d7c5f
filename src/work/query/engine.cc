#include <fmt/format.h>

#include "base/id.h"
#include "base/text.h"
#include "state/access/access.h"
#include "state/access/granted.h"
#include "state/catalog/seen.h"
#include "work/query/internal.h"

namespace weft::query {
namespace {

constexpr size_t kMaxStatement = size_t{1} << 20;

// Names of fewer than three parts are never guessed; the answer says which full name was probably meant.
Error NotFull(const catalog::Seen& seen, const model::TableName& name) {
  std::string nearest;
  auto ports = seen.Ports();
  if (ports) {
    std::vector<std::string> names;
    for (const catalog::PortRow& port : *ports) names.push_back(model::SqlNameOf(port.key.port));
    std::vector<std::string_view> candidates(names.begin(), names.end());
    for (const catalog::PortRow& port : *ports) candidates.push_back(port.sql_name);
    std::string_view found = Nearest(name.table, candidates);
    for (size_t i = 0; i < candidates.size() && nearest.empty() && !found.empty(); ++i) {
      if (candidates[i] != found) continue;
      const model::PortKey& key = (*ports)[i % ports->size()].key;
      nearest =
          fmt::format("; did you mean {}.{}.{}?", model::SqlNameOf(key.domain), model::SqlNameOf(key.product), found);
    }
  }
  return {Code::kInvalid,
          fmt::format("the table '{}' is not named in full: write domain.product.port{}", name.Text(), nearest)};
}

class GovernedEngine final : public Engine {
 public:
  explicit GovernedEngine(Context context) : shared_(context) {}
  Status Open() { return shared_.Open(); }

  Result<std::unique_ptr<Prepared>> Prepare(const model::Caller& caller, const std::string& sql,
                                            const lake::At& at) override {
    if (sql.size() > kMaxStatement) {
      return Error{Code::kInvalid,
                   fmt::format("the statement has {}; at most {}", HumanBytes(sql.size()), HumanBytes(kMaxStatement))};
    }
    if (!IsUtf8(sql)) return Error{Code::kInvalid, "the statement is no valid UTF-8 text"};
    if (sql.find('\0') != sql.npos) return Error{Code::kInvalid, "the statement has a zero byte in it"};
    const Json tree = TRY(shared_.Parse(sql));
    auto walked = model::Walk(tree, sql);
    // What reaches for more than rows of ports is remembered, and not only told.
    if (!walked && walked.error().code == Code::kUnsupported) {
      TRY(shared_.context().ledger.Deny(ledger::Refusal(caller, "sql", "", walked.error().message)));
    }
    const model::Statement statement = TRY(std::move(walked));
    const std::string salt = Sha256(NewSecret(32));  // The same value has the same hash in all of its tables.
    std::vector<Table> tables;
    auto txn = TRY(shared_.context().store.Read());
    // Of this node's own tokens mesh.yaml says all the groups.
    std::vector<std::string> vouched;
    if (caller.token_id.starts_with("jwt_")) vouched = TRY(access::Vouched(*txn, caller.principal));
    const model::Sight sight = TRY(catalog::SightOf(
        *txn, caller.principal, TRY(access::GrantedTo(*txn, shared_.context().clock, caller.principal))));
    const catalog::Seen seen(*txn, sight);
    for (const model::TableName& name : statement.tables) {
      tables.push_back(TRY(Resolve(*txn, seen, caller, name, at, statement.leakproof, salt)));
    }
    txn.reset();
    return Bind(shared_, caller, std::move(vouched), sql, std::move(tables));
  }

 private:
  Result<Table> Resolve(store::Txn& txn, const catalog::Seen& seen, const model::Caller& caller,
                        const model::TableName& name, const lake::At& at, bool leakproof, const std::string& salt) {
    if (name.catalog.empty() || name.schema.empty()) return NotFull(seen, name);
    const catalog::PortRow row = TRY(seen.ResolveSql(name.catalog, name.schema, name.table));
    const catalog::Port port = TRY(seen.Load(row));
    model::Decision decision =
        TRY(access::Decide(txn, shared_.context().clock, caller, model::Action::kRead, port.resource));
    if (!decision.permitted) {
      return shared_.Denied(caller, row.key, decision,
                            fmt::format("{} may not read {}", caller.principal.name, name.Text()));
    }
    Table table;
    table.written = name;
    table.resource = port.resource;
    table.view = TRY(lake::Open(txn, row.key, at));
    if (!table.view.snapshot && port.contract && !port.contract->schema.empty()) {
      table.view.schema = TRY(model::SchemaOf(port.contract->schema.front(), nullptr));
    }
    table.right = decision.right;
    table.policies = model::PoliciesJson(decision);
    table.restriction = std::move(decision.restriction);
    if (decision.remind_at && *decision.remind_at <= shared_.context().clock.Now()) table.ends = decision.until;
    if (row.status == "deprecated" || row.status == "retired")
      table.deprecated = model::DeprecationOf(*port.bundle, port.contract);
    table.ask_for =
        access::AskFor(caller.principal, port.resource, caller.purpose, table.view.schema, table.restriction.get());
    table.pseudonyms =
        TRY(secrets::PseudonymsFor(txn, shared_.context().vault, table.restriction.get(), caller.purpose));
    const model::MaskKeys keys{.salt = salt, .pseudonyms = secrets::FunctionsOf(table.pseudonyms)};
    lake::Restricted scan = lake::ScanUnder(table.view, table.restriction.get(), keys, !leakproof, &table.paths);
    table.policy = std::move(scan.policy);
    table.sql = std::move(scan.sql);
    return table;
  }

  Shared shared_;
};

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Start(Context context) {
  auto engine = std::make_unique<GovernedEngine>(context);
  TRY(engine->Open());
  return engine;
}

}  // namespace weft::query
