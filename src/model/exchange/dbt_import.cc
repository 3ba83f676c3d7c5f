#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/address.h"
#include "model/exchange/dbt.h"
#include "model/exchange/settle.h"
#include "model/exchange/text.h"
#include "model/own.h"

namespace weft::model::exchange::dbt {
namespace {

// What dbt keeps for itself: none of it says something about the data that is not said elsewhere.
constexpr std::string_view kMachinery[] = {"alias",
                                           "build_path",
                                           "checksum",
                                           "compiled",
                                           "compiled_path",
                                           "config_call_dict",
                                           "contract",
                                           "created_at",
                                           "database",
                                           "deferred",
                                           "depends_on",
                                           "doc_blocks",
                                           "docs",
                                           "extra_ctes",
                                           "fqn",
                                           "file_key_name",
                                           "identifier",
                                           "language",
                                           "name",
                                           "original_file_path",
                                           "package_name",
                                           "patch_path",
                                           "path",
                                           "primary_key",
                                           "quote",
                                           "quoting",
                                           "raw_code",
                                           "refs",
                                           "relation_name",
                                           "resource_type",
                                           "root_path",
                                           "schema",
                                           "source_name",
                                           "sources",
                                           "unique_id",
                                           "unrendered_config",
                                           "extra_ctes_injected",
                                           "metrics",
                                           "loader",
                                           "functions",
                                           "unrendered_database",
                                           "unrendered_schema",
                                           "defer_relation",
                                           "state_relation",
                                           "source_meta",
                                           "compiled_code",
                                           "build_path"};
constexpr std::string_view kTop[] = {"metadata", "macros", "docs", "selectors", "parent_map", "child_map", "group_map"};
// Of `config`: what stands beside it in the node, or only steers dbt.
constexpr std::string_view kConfigMachinery[] = {"enabled",
                                                 "alias",
                                                 "schema",
                                                 "database",
                                                 "tags",
                                                 "meta",
                                                 "group",
                                                 "access",
                                                 "docs",
                                                 "contract",
                                                 "packages",
                                                 "quoting",
                                                 "quote_columns",
                                                 "column_types",
                                                 "persist_docs",
                                                 "on_schema_change",
                                                 "on_configuration_change",
                                                 "lookback",
                                                 "full_refresh",
                                                 "batch_size",
                                                 "begin",
                                                 "concurrent_batches",
                                                 "freshness",
                                                 "loaded_at_field",
                                                 "loaded_at_query",
                                                 "event_time",
                                                 "delimiter"};

// The manifest less what dbt keeps for itself, which in large projects is most of it.
Json Less(const Json& manifest) {
  Json kept = Json::Object();
  for (const auto& [key, value] : manifest.Members()) {
    if (std::ranges::find(kTop, key) == std::end(kTop)) kept.Set(key, value);
  }
  return kept;
}

class Importer {
 public:
  Importer(const Json& manifest, Document& document, const ImportOptions& options, const Json& catalog)
      : manifest_(manifest),
        catalog_(catalog),
        root_(document.Root()),
        document_(document),
        options_(options),
        graph_(manifest["nodes"], manifest["sources"]) {}

  Result<Imported> Run() {
    const std::string project = manifest_["metadata"]["project_name"].Text();
    draft_.domain = options_.domain;
    draft_.product = options_.product.empty() ? SlugOf(project) : options_.product;
    draft_.purpose = fmt::format("What the dbt project {} makes.", project);
    TRY(Choose(project));
    Inputs();
    for (const std::string& id : chosen_) TRY(Port(id));
    for (const auto& [id, part] : root_["nodes"].Members()) {
      if (part["resource_type"].Text() == "test") tests_[Attached(part)].push_back(part);
    }
    for (auto& [id, contract] : contracts_) Tests(id, contract);
    Builds();
    for (const std::string& id : chosen_) {
      Json& contract = contracts_[id];
      Settle(contract, {{"", {0, 0, Path(id)}}}, kVendor, document_);
      Json more = Json::Map({{"build", FileStem(id) + ".sql"}});
      draft_.ports.push_back({ports_[id], contract, sql_[id], more});
    }
    Others();
    Imported imported = DraftedProduct(draft_);
    imported.copies = copies_;
    imported.told = document_.Finish();
    return imported;
  }

 private:
  static std::string Path(const std::string& id) {
    return (IsInput(id) && id.starts_with("source.") ? "sources." : "nodes.") + id;
  }
  Part PartOf(const std::string& id) const { return root_[id.starts_with("source.") ? "sources" : "nodes"][id]; }
  const Json& Node(const std::string& id) const { return graph_.Node(id); }
  const Json& Listed(const std::string& id) const {
    return catalog_[id.starts_with("source.") ? "sources" : "nodes"][id]["columns"];
  }

  // The models that become ports: those selected, else those that are public, else all that are materialised.
  Status Choose(const std::string& project) {
    std::vector<std::string> all, open, named;
    for (const auto& [id, node] : manifest_["nodes"].Members()) {
      if (node["resource_type"].Text() != "model" || node["package_name"].Text() != project) continue;
      const bool selected = std::ranges::find(options_.select, node["name"].Text()) != options_.select.end();
      if (selected) named.push_back(id);
      if (node["access"].Text() == "public") open.push_back(id);
      if (node["config"]["materialized"].Text() != "ephemeral") all.push_back(id);
    }
    for (const std::string& name : options_.select) {
      const bool found =
          std::ranges::any_of(named, [&](const std::string& id) { return Node(id)["name"].Text() == name; });
      if (!found) return Error{Code::kInvalid, fmt::format("the project {} has no model '{}'", project, name)};
    }
    chosen_ = !named.empty() ? named : !open.empty() ? open : all;
    if (chosen_.empty()) {
      return Error{Code::kInvalid, fmt::format("the project '{}' has no model to make an output port of", project)};
    }
    // Names without a number of dbt's: two versions of one model are two majors of one port.
    std::map<std::string, std::string> by_name;
    std::set<std::string> taken;
    for (const std::string& id : chosen_) {
      const std::string& name = Node(id)["name"].Text();
      if (!by_name.contains(name)) by_name[name] = SlugOf(name, taken);
      ports_[id] = by_name[name];
    }
    return {};
  }

  std::string FileStem(const std::string& id) const {
    const Json& version = Node(id)["version"];
    const bool newest = version.is_null() || version == Node(id)["latest_version"];
    return newest ? ports_.at(id)
                  : fmt::format("{}-{}", ports_.at(id), VersionOf(id).substr(0, VersionOf(id).find('.')));
  }

  std::string VersionOf(const std::string& id) const {
    const Json& version = Node(id)["version"];
    const std::string semver = SemverOf(version.is_text() ? version.Text() : version.is_null() ? "1" : version.Dump());
    return semver.empty() ? "1.0.0" : semver;
  }

  // ---- Inputs: the seeds and sources that the ports are built of.

  void Inputs() {
    std::set<std::string> ids, taken;
    for (const std::string& id : chosen_) ids.merge(graph_.InputsOf(id));
    for (const std::string& id : ids) {
      const Json& node = Node(id);
      const std::string name = SlugOf(node["name"].Text(), taken);
      inputs_[id] = SqlNameOf(name);
      const Part part = PartOf(id);
      ProductDraft::Input input{name, SourceOf(id, node, part, name), {}, {}};
      Json object = TableOf(id, part, Listed(id));
      const std::string said = part["source_description"].TakeText();
      if (!said.empty()) AddCustom(input.more, "source_description", said, kVendor);
      if (object["properties"].size() > 0) {
        input.contract = Json::Map({{"apiVersion", "v3.2.0"},
                                    {"kind", "DataContract"},
                                    {"id", fmt::format("{}-{}-{}-input", draft_.domain, draft_.product, name)},
                                    {"name", node["name"].Text()},
                                    {"version", "1.0.0"},
                                    {"status", "draft"},
                                    {"schema", Json::Array{object}}});
        Freshness(part, input.contract);
        Settle(input.contract, {{"", {0, 0, Path(id)}}}, kVendor, document_);
      } else {
        WithoutContract(part, object, input.more);
      }
      Take(part);
      draft_.inputs.push_back(std::move(input));
    }
  }

  Json SourceOf(const std::string& id, const Json& node, const Part& part, const std::string& name) {
    std::string path = id.starts_with("seed.") ? node["original_file_path"].Text() : "";
    const std::string& relation = node["relation_name"].Text();
    // dbt-duckdb's sources that are files.
    if (relation.size() > 2 && relation.front() == '\'' && relation.back() == '\'') {
      path = relation.substr(1, relation.size() - 2);
    }
    // Files of the project and no others: a manifest may come from anywhere.
    const bool inside = !path.starts_with('/') && ("/" + path + "/").find("/../") == path.npos;
    const bool file = !path.empty() && inside && path.find("://") == path.npos &&
                      path.find_first_of("*[?") == path.npos && !own::KindOf(path).format.empty();
    if (file) {
      const std::string base = NameOfFile(path);
      const std::string to = "data/" + SqlNameOf(name) + base.substr(std::min(base.find('.'), base.size()));
      copies_["../" + path] = to;
      Json source = Json::Map({{"kind", "file"}, {"path", to}, {"format", std::string(own::KindOf(path).format)}});
      const std::string& delimiter = node["config"]["delimiter"].Text();
      if (!delimiter.empty() && delimiter != ",") source.Set("delimiter", delimiter);
      part["meta"]["external_location"].Take();
      return source;
    }
    const std::string of = SlugOf(node["source_name"].Text(node["package_name"].Text()));
    const std::string address = fmt::format("{}/{}/{}@1", draft_.domain, of, name);
    document_.Tell({Path(id) + ".relation_name", 0, 0, Shown(node["relation_name"]),
                    "a table of the warehouse is no source of a product yet",
                    fmt::format("an input from {}: publish the table there, or name another source", address)});
    return Json::Map({{"kind", "product"}, {"address", address}});
  }

  // Where no column has a type there is no contract: what is said of the table stands with the port.
  static void WithoutContract(const Part& part, const Json& object, Json& more) {
    Put(more, "tags", object["tags"]);
    if (!object["description"].Text().empty()) AddCustom(more, "description", object["description"], kVendor);
    for (const char* key : {"freshness", "loaded_at_field", "columns"}) {
      if (!IsEmpty(part[key].node())) AddCustom(more, key, part[key].Take(), kVendor);
    }
    Json all = more["customProperties"];
    for (const Json& custom : object["customProperties"].Items()) all.Push(custom);
    Put(more, "customProperties", all);
  }

  void Freshness(const Part& part, Json& contract) {
    const Part freshness = part["freshness"];
    const Part error = freshness["error_after"], warn = freshness["warn_after"];
    const Part& bound = IsEmpty(error.node()) ? warn : error;
    if (IsEmpty(bound.node())) return;
    Json promise = Json::Map({{"property", "freshness"}, {"value", bound["count"].TakeNumber()}});
    Put(promise, "unit", bound["period"].TakeText());
    Put(promise, "element", part["loaded_at_field"].TakeText());
    if (!IsEmpty(warn.node()) && !IsEmpty(error.node())) AddCustom(promise, "warn_after", warn.Take(), kVendor);
    contract.Set("slaProperties", Json(Json::Array{promise}));
  }

  // ---- Ports

  Status Port(const std::string& id) {
    const Json& node = Node(id);
    const Part part = PartOf(id);
    Json contract = Json::Map({{"apiVersion", "v3.2.0"},
                               {"kind", "DataContract"},
                               {"id", fmt::format("{}-{}-{}", draft_.domain, draft_.product, ports_[id])},
                               {"name", node["name"].Text()},
                               {"version", VersionOf(id)},
                               {"status", "draft"}});
    part["version"].Take();
    part["latest_version"].Take();
    Group(part["group"], contract);
    Json object = TableOf(id, part, Listed(id));
    if (object["properties"].size() == 0) {
      return Error{Code::kInvalid,
                   fmt::format("nothing is known of the columns of the model {} ({}): run `dbt docs generate`, which "
                               "writes catalog.json beside the manifest, or leave it out with --select",
                               node["name"].Text(), node["original_file_path"].Text())};
    }
    if (const std::string end = part["deprecation_date"].TakeText(); !end.empty()) {
      contract.Set("slaProperties", Json(Json::Array{Json::Map({{"property", "endOfLife"}, {"value", end}})}));
    }
    for (const char* key : {"access", "materialized"}) {
      const Part word = std::string_view(key) == "access" ? part[key] : part["config"][key];
      if (const std::string text = word.TakeText(); !text.empty()) AddCustom(contract, key, text, kVendor);
    }
    contract.Set("schema", Json(Json::Array{object}));
    contracts_[id] = std::move(contract);
    return {};
  }

  void Group(const Part& name, Json& contract) {
    const std::string group = name.TakeText();
    if (group.empty()) return;
    for (const auto& [id, part] : root_["groups"].Members()) {
      if (part["name"].Text() != group) continue;
      const Part owner = part["owner"];
      Json team = Json::Map({{"name", owner["name"].TakeText()}});
      if (team["name"].Text().empty()) team.Set("name", group);
      if (const std::string mail = owner["email"].Text(); !mail.empty()) {
        owner["email"].TakeText();
        contract.Set("support",
                     Json(Json::Array{Json::Map({{"channel", mail}, {"tool", "email"}, {"url", "mailto:" + mail}})}));
      }
      contract.Set("team", team);
      draft_.owner = team["name"].Text();
      for (const char* key : {"name", "resource_type", "package_name", "path", "original_file_path", "unique_id"})
        part[key].Take();
    }
    AddCustom(contract, "group", group, kVendor);
  }

  // ---- Tests and builds

  void Tests(const std::string& id, Json& contract) {
    std::map<std::string, std::string> ports = ports_;
    for (const auto& [input, name] : inputs_) ports[input] = ReplaceAll(name, "_", "-");
    Json object = contract["schema"][size_t{0}];
    const Tested tested{&object, Node(id)["relation_name"].Text(), ports, &options_};
    const Part part = PartOf(id);
    AddConstraints(part["constraints"], "", tested);
    for (const auto& [key, column] : part["columns"].Members()) {
      AddConstraints(column["constraints"], column["name"].Text(), tested);
    }
    for (const Part& test : tests_[id]) AddTest(test, id, tested);
    contract.Set("schema", Json(Json::Array{object}));
    Take(part);
  }

  // The node that a test is about; of a singular one, the one port that it reads.
  std::string Attached(const Part& test) const {
    std::string attached = test["attached_node"].Text();
    if (!attached.empty()) return attached;
    const std::vector<std::string> nodes = test["depends_on"]["nodes"].node().ToJson().Texts();
    return nodes.size() == 1 ? nodes[0] : "";
  }

  void Builds() {
    std::vector<std::string> without;
    for (const std::string& id : chosen_) {
      std::vector<std::string> columns;
      for (const Json& column : contracts_[id]["schema"][size_t{0}]["properties"].Items()) {
        columns.push_back(column["name"].Text());
      }
      auto sql = graph_.SqlOf(id, inputs_, columns);
      auto judged = sql ? Judged(*sql) : Status(sql.TakeError());
      if (judged) {
        sql_[id] = *sql;
        continue;
      }
      without.push_back(id);
      document_.Tell(
          {Path(id) + ".compiled_code", 0, 0, Shown(Node(id)["original_file_path"]),
           judged.error().message +
               fmt::format("; write its rows as SQL in {}.sql, and name that in the build of the port", FileStem(id)),
           ""});
    }
    if (without.size() < chosen_.size()) return;
    // Where nothing reads them, inputs would be taken for the rows of the ports.
    for (const ProductDraft::Input& input : draft_.inputs) {
      document_.Tell({"inputs." + input.name, 0, 0, Shown(input.source), "no SQL was carried over that reads it", ""});
    }
    draft_.inputs.clear();
    copies_.clear();
  }

  Status Judged(const std::string& sql) const {
    if (!options_.judge) return {};
    for (const std::string& table : TRY(options_.judge(sql))) {
      const bool known =
          std::ranges::any_of(inputs_, [&](const auto& input) { return Lower(input.second) == Lower(table); });
      if (!known)
        return Error{Code::kInvalid,
                     fmt::format("it reads {}, which dbt does not say to be one of its sources", table)};
    }
    return {};
  }

  // ---- What is no port

  void Take(const Part& part) const {
    for (const std::string_view key : kMachinery) part[key].Take();
    for (const std::string_view key : kConfigMachinery) part["config"][key].Take();
    part["group"].Take();
    const Part materialized = part["config"]["materialized"];
    if (IsInput(part["unique_id"].Text())) materialized.Take();
  }

  void Others() {
    std::set<std::string> used;
    for (const std::string& id : chosen_) Uses(id, used);
    for (const auto& [id, part] : root_["nodes"].Members()) {
      if (contracts_.contains(id) || inputs_.contains(id) || document_.IsTaken(part.node())) continue;
      const std::string type = part["resource_type"].Text();
      std::string why;
      if (type == "test") {
        const std::string of = Attached(part);
        why = of.empty() ? "it tests several nodes, and a rule reads its own table only"
                         : fmt::format("it tests {}, which is no port here", of);
      } else if (type == "model") {
        why = used.contains(id) ? "it is no port: its SQL is part of what reads it, its words are not"
                                : "it is no port: name it with --select to make it one";
      } else if (type == "seed" || type == "snapshot") {
        why = "no port is built of it";
      } else {
        why = fmt::format("Weft has no word for {} of dbt", type);
      }
      document_.Tell({part.path(), 0, 0, Shown(Json(part["original_file_path"].Text())), why, ""});
      part.Take();
    }
    for (const char* kind :
         {"exposures", "metrics", "semantic_models", "saved_queries", "unit_tests", "sources", "functions"}) {
      for (const auto& [id, part] : root_[kind].Members()) {
        if (inputs_.contains(id)) continue;
        document_.Tell({part.path(), 0, 0, Shown(Json(part["name"].Text())),
                        std::string_view(kind) == "sources" ? "no port is built of it"
                        : std::string_view(kind) == "exposures"
                            ? "who uses a port is known from grants and reads, not written"
                            : fmt::format("Weft has no word for {} of dbt", kind),
                        ""});
        part.Take();
      }
    }
  }

  void Uses(const std::string& id, std::set<std::string>& used) const {
    for (const std::string& before : Node(id)["depends_on"]["nodes"].Texts()) {
      if (used.insert(before).second) Uses(before, used);
    }
  }

  const Json& manifest_;
  const Json& catalog_;
  const Part root_;
  Document& document_;
  const ImportOptions& options_;
  const Graph graph_;
  ProductDraft draft_;
  std::vector<std::string> chosen_;            // Models that become ports.
  std::map<std::string, std::string> ports_;   // Their ids → port.
  std::map<std::string, std::string> inputs_;  // Seeds and sources → the name that SQL reads.
  std::map<std::string, Json> contracts_;
  std::map<std::string, std::vector<Part>> tests_;  // By the node that they are about.
  std::map<std::string, std::string> sql_;
  std::map<std::string, std::string> copies_;
};

}  // namespace

Result<Imported> Import(const std::string& text, const std::string& file, const ImportOptions& options) {
  auto manifest = Json::Parse(text);
  if (!manifest || !(*manifest)["nodes"].is_object()) {
    return Error{Code::kInvalid,
                 fmt::format("'{}' is no manifest.json of dbt, which `dbt compile` writes into target/: {}", file,
                             manifest ? "it has no nodes" : manifest.error().message)};
  }
  Json catalog;
  if (!options.catalog.empty()) {
    auto parsed = Json::Parse(options.catalog);
    if (!parsed) return parsed.TakeError().With("catalog.json beside it");
    catalog = parsed.TakeValue();
  }
  const yaml::Node node = NodeOf(Less(*manifest));
  Document document(node);
  return Importer(*manifest, document, options, catalog).Run();
}

}  // namespace weft::model::exchange::dbt
