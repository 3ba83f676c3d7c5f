#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/farewell.h"
#include "apps/weft/lineage_command.h"
#include "apps/weft/schedule_text.h"
#include "apps/weft/search_command.h"
#include "base/file.h"
#include "base/text.h"

namespace weft::app {
namespace {

Style StyleOf(std::string_view status) {
  if (status == "active") return Style::kGood;
  if (status == "deprecated") return Style::kWarn;
  return status == "retired" ? Style::kBad : Style::kDim;
}

Cell SafeCell(const Json& json, Style style = Style::kPlain) { return {Safe(json.Text()), style}; }

// A description's first line; all of it stands on the page of the thing itself.
Cell BriefCell(const Json& json) { return {Safe(json.Text().substr(0, json.Text().find('\n'))), Style::kDim}; }

// "active, paused"; "active, orders@1 paused"
std::string StatusOf(const Json& product) {
  const std::string& status = product["status"].Text();
  if (!product["paused"].is_null()) return status + ", paused";
  std::vector<std::string> ports;
  for (const Json& port : product["ports"].Items()) {
    const std::string& address = port["address"].Text();
    if (!port["paused"].is_null()) ports.push_back(address.substr(address.rfind('/') + 1));
  }
  return ports.empty() ? status : status + ", " + Join(ports, " and ") + " paused";
}

class ListCommand : public Command {
 public:
  explicit ListCommand(CLI::App& app) {
    app.add_option("domain", domain_, "Only this domain's products")->type_name(kDomain);
  }

  Result<int> Run(Session& session) override {
    Session::Query query;
    if (!domain_.empty()) query["domain"] = domain_;
    const Json answer = TRY(session.Get("/v1/products", query));
    if (session.json()) return session.PrintJson(answer), 0;
    if (answer["products"].size() == 0) {
      session.Note(domain_.empty() ? "no products yet: publish some with `weft apply FOLDER`"
                                   : "the domain '" + Safe(domain_) + "' has no products yet");
      return 0;
    }
    Table table({{"product", false, Narrow::kKeep},
                 {"version", false, Narrow::kKeep},
                 {"status", false, Narrow::kKeep},
                 {"ports", false, Narrow::kDrop, 2},
                 {"owners", false, Narrow::kDrop, 1},
                 {"description", false, Narrow::kCut, 0, 32}});
    for (const Json& product : answer["products"].Items()) {
      std::vector<std::string> ports;
      for (const Json& port : product["ports"].Items()) {
        const std::string& address = port["address"].Text();
        ports.push_back(address.substr(address.rfind('/') + 1));
      }
      table.Add({SafeCell(product["address"], Style::kBold),
                 SafeCell(product["version"]),
                 SafeCell(StatusOf(product), StyleOf(product["status"].Text())),
                 {Safe(Join(ports, ", "))},
                 {Safe(Join(product["owners"].Texts(), ", "))},
                 BriefCell(product["description"])});
    }
    session.Print(table.Text(session.screen()));
    return 0;
  }

 private:
  std::string domain_;
};

// The page of a product or a port.
class ShowCommand : public Command {
 public:
  explicit ShowCommand(CLI::App& app) {
    app.add_option("address", address_, "domain/product, domain/product/port, with @version")
        ->required()
        ->type_name(kAddress);
    app.add_flag("--descriptor", descriptor_, "The file as it was applied: of a port, its contract");
  }

  Result<int> Run(Session& session) override {
    const model::Address address = TRY(model::Address::Parse(address_));
    TRY(session.Serves(address));
    if (address.product.empty()) {
      return Error{Code::kInvalid,
                   fmt::format("'{}' is a domain: `weft list {}` lists its products", Safe(address_), Safe(address_))};
    }
    if (address.port.empty()) return Product(session, address);
    Place place = TRY(PortPlace(address));
    auto found = session.Get(place.path, place.query);
    if (!found && found.error().code == Code::kNotFound) found = Retired(session, place, found.TakeError(), address);
    const Json port = TRY(std::move(found));
    if (descriptor_) {
      place.query["version"] = port["version"].Text();
      return Descriptor(session, place);
    }
    if (session.json()) return session.PrintJson(port), 0;
    PrintPort(session, port);
    return 0;
  }

 private:
  // A name without a version stands for what may be read; where all of it is retired, that is what there is to show.
  static Result<Json> Retired(Session& session, const Place& place, Error otherwise, const model::Address& address) {
    if (!place.query.empty()) return otherwise;
    auto product = session.Get(fmt::format("/v1/products/{}/{}", address.domain, address.product));
    if (!product) return otherwise;
    std::string newest;
    for (const Json& port : (*product)["ports"].Items()) {
      if (port["name"].Text() == address.port) newest = port["version"].Text();
    }
    if (newest.empty()) return otherwise;
    return session.Get(place.path, {{"version", newest}});
  }

  // Byte by byte, but on a terminal, which obeys some of them.
  static Result<int> Descriptor(Session& session, const Place& place) {
    const std::string text = TRY(session.GetText(place.path + "/descriptor", place.query));
    if (session.json()) return session.PrintJson(Json::Map({{"descriptor", text}})), 0;
    session.Print(session.screen().out_terminal ? Safe(text, true) : text);
    return 0;
  }

  static void Retirement(const Session& session, const Json& what) {
    const Json& deprecated = what["deprecated"];
    if (!deprecated.is_null()) {
      const std::string& told = deprecated["since"].Text();
      if (!told.empty())
        session.Fact("deprecated", fmt::format("{} by {}", AgoText(told), Safe(deprecated["by"].Text())));
      session.Fact(deprecated["overdue"].Bool() ? "overdue" : "ends", FarewellText(deprecated));
    }
    const Json& retired = what["retired"];
    if (retired.is_null()) return;
    const std::string& since = retired["since"].Text();
    if (!since.empty()) {
      session.Fact("retired", fmt::format("{} ({}) by {}", AgoText(since), Safe(since), Safe(retired["by"].Text())));
    }
    const std::string& successor = retired["successor"].Text();
    session.Fact("successor", successor.empty() ? "none is stated" : Safe(successor));
  }

  static void Title(const Session& session, const Json& what) {
    session.Print(session.Paint(Style::kTitle, Safe(what["address"].Text())) + " " + Safe(what["version"].Text()) +
                  " " + session.Paint(StyleOf(what["status"].Text()), Safe(what["status"].Text())) + "\n");
  }

  // What a descriptor tells its readers, in their order: `what` comes first, and is not told twice.
  static void Described(const Session& session, const std::string& what, const Json& document) {
    const Json& text = document["description"];
    const std::string purpose = text.is_text() ? text.Text() : text["purpose"].Text();
    const bool told = what.empty() || what == purpose;
    session.Fact("what", Safe(told ? purpose : what, true));
    if (!told) session.Fact("purpose", Safe(purpose, true));
    session.Fact("limits", Safe(text["limitations"].Text(), true));
    session.Fact("usage", Safe(text["usage"].Text(), true));
    for (const Json& more : text["authoritativeDefinitions"].Items()) {
      session.Fact("see", Safe(more["type"].Text() + ": " + more["url"].Text()));
    }
  }

  // "retention 30 d of users.user_id: After the account is closed."
  static void Promises(const Session& session, const Json& contract) {
    std::string promises;
    for (const Json& sla : contract["slaProperties"].Items()) {
      const Json& value = sla["value"];
      std::string text = sla["property"].Text() + " " + (value.is_text() ? value.Text() : value.Dump());
      for (const auto& [before, key] : {std::pair(" ", "unit"), {" of ", "element"}, {": ", "description"}}) {
        if (!sla[key].Text().empty()) text += before + sla[key].Text();
      }
      promises += (promises.empty() ? "" : "\n") + Safe(text);
    }
    session.Fact("promises", promises);
  }

  static std::string KeyOf(const Json& contract) {
    std::multimap<int64_t, std::string> columns;
    for (const Json& column : contract["schema"][size_t{0}]["properties"].Items()) {
      if (column["primaryKey"].Bool()) columns.emplace(column["primaryKeyPosition"].Int(), column["name"].Text());
    }
    std::string key;
    for (const auto& [position, name] : columns) key += (key.empty() ? "" : ", ") + name;
    return Safe(key);
  }

  Result<int> Product(Session& session, const model::Address& address) const {
    Place place{fmt::format("/v1/products/{}/{}", address.domain, address.product), {}};
    if (address.version) place.query["version"] = address.version->Text();
    if (descriptor_) return Descriptor(session, place);
    const Json product = TRY(session.Get(place.path, place.query));
    if (session.json()) return session.PrintJson(product), 0;
    Title(session, product);
    Retirement(session, product);
    Described(session, "", product["document"]);
    session.Fact("kind", Safe(product["type"].Text()));
    for (const char* role : {"owners", "stewards", "engineers"}) {
      session.Fact(role, Safe(Join(product[role].Texts(), ", ")));
    }
    session.Fact("tags", Safe(Join(product["tags"].Texts(), ", ")));
    session.Fact("published", AgoText(product["published_at"].Text()) + " by " + Safe(product["published_by"].Text()));
    session.Fact("paused", Safe(PausedText(product["paused"])));
    session.Fact("versions", Safe(Join(product["versions"].Texts(), ", ")));
    session.Fact("environment", Safe(product["environment"].Text()));
    for (const std::string& value : product["overlay"]["values"].Texts()) {
      session.Fact("", fmt::format("{} ({})", Safe(value), Safe(product["overlay"]["file"].Text())));
    }
    Feedback(session, product);
    Table table({{"output port", false, Narrow::kKeep},
                 {"version", false, Narrow::kKeep},
                 {"status", false, Narrow::kKeep},
                 {"sql", false, Narrow::kDrop},
                 {"description", false, Narrow::kCut, 0, 32}});
    for (const Json& port : product["ports"].Items()) {
      table.Add({SafeCell(port["address"].is_text() ? port["address"] : port["name"], Style::kBold),
                 SafeCell(port["version"]), SafeCell(port["status"], StyleOf(port["status"].Text())),
                 SafeCell(port["sql"]), BriefCell(port["description"])});
    }
    if (!table.empty()) session.Print("\n" + table.Text(session.screen()));
    Terms(session, product);
    return 0;
  }

  // "4.5 of 5 stars by 2 readers, 1 open question"
  static void Feedback(const Session& session, const Json& product) {
    const Json& told = product["feedback"];
    std::vector<std::string> parts;
    auto count = [&](std::string_view key, std::string_view what) {
      if (told[key].Int() > 0) parts.push_back(Count(static_cast<size_t>(told[key].Int()), what));
    };
    if (told["ratings"].Int() > 0) {
      parts.push_back(fmt::format("{:.1f} of 5 stars by {}", told["stars"].Double(),
                                  Count(static_cast<size_t>(told["ratings"].Int()), "reader")));
    }
    count("open_questions", "open question");
    count("open_issues", "open issue");
    if (parts.empty()) return;
    session.Fact("feedback",
                 fmt::format("{} (weft feedback list {})", Join(parts, ", "), Safe(product["address"].Text())));
  }

  // "1,017 files, 24 MB, 1,016 small: weft upkeep sales/orders/orders@1"; of one file there is nothing to tell.
  static std::string FilesText(const Json& port) {
    const Json& storage = port["storage"];
    if (storage.is_null() || storage["files"].Int() < 2) return "";
    std::string text =
        fmt::format("{} files, {}", HumanCount(storage["files"].Int()), HumanBytes(storage["bytes"].Int()));
    if (const int64_t small = storage["small_files"].Int(); small > 1)
      text += fmt::format(", {} small: weft upkeep {}", HumanCount(small), Safe(port["address"].Text()));
    return text;
  }

  static void PrintPort(Session& session, const Json& port) {
    Title(session, port);
    Retirement(session, port);
    Described(session, port["description"].Text(), port["contract"]);
    session.Fact("owners", Safe(Join(port["owners"].Texts(), ", ")));
    session.Fact("tags", Safe(Join(port["tags"].Texts(), ", ")));
    session.Fact("class", Safe(port["classification"].Text()));
    session.Fact("key", KeyOf(port["contract"]));
    Promises(session, port["contract"]);
    const Json& runs = port["runs"];
    if (!runs["schedule"].is_null()) session.Fact("runs", Safe(ScheduleText(runs)));
    session.Fact("paused", Safe(PausedText(runs["paused"])));
    if (port["snapshots"].size() > 0) {
      const Json& newest = port["snapshots"][size_t{0}];
      session.Fact("rows",
                   port["rows"].is_null() ? "not told: a policy hides some from you" : HumanCount(port["rows"].Int()));
      session.Fact("fresh", fmt::format("{} ({})", AgoText(newest["rows_at"].Text()), Safe(newest["rows_at"].Text())));
      session.Fact("snapshot", fmt::format("{}{}", Safe(port["snapshot"].Text()),
                                           newest["run"].Text().empty() ? "" : " by " + Safe(newest["run"].Text())));
      session.Fact("files", FilesText(port));
    } else {
      session.Fact("rows", "none yet: `weft run " + Safe(port["address"].Text()) + "` builds it");
    }
    Quarantine(session, port["quarantine"]);
    Columns(session, port);
    Joins(session, port);
    Checks(session, port);
    Access(session, port);
  }

  static void Quarantine(Session& session, const Json& quarantine) {
    if (quarantine.is_null()) return;
    std::string text = Safe(quarantine["address"].Text());
    if (!quarantine["rows"].is_null())
      text += fmt::format(", {}", Count(static_cast<size_t>(quarantine["rows"].Int()), "row"));
    if (!quarantine["terms"].Text().empty()) text += fmt::format(" (takes {})", Safe(quarantine["terms"].Text()));
    session.Fact("quarantine", text);
  }

  static void Columns(const Session& session, const Json& port) {
    Table table({{"column", false, Narrow::kKeep},
                 {"type"},
                 {"null", false, Narrow::kKeep},
                 {"class", false, Narrow::kDrop},
                 {"description", false, Narrow::kCut, 0, 32}});
    for (const Json& column : port["columns"].Items()) {
      table.Add({SafeCell(column["name"], Style::kBold),
                 SafeCell(column["type"]),
                 {column["required"].Bool() ? "no" : "yes", Style::kDim},
                 SafeCell(column["classification"]),
                 BriefCell(column["description"])});
    }
    if (!table.empty()) session.Print("\n" + table.Text(session.screen()));
    for (const Json& column : port["columns"].Items()) {
      if (column["entity"].Text().empty()) continue;
      session.Print(fmt::format("{} identifies a {}\n", session.Paint(Style::kBold, Safe(column["name"].Text())),
                                Safe(column["entity"].Text())));
    }
    Terms(session, port);
  }

  static void Joins(const Session& session, const Json& port) {
    for (const Json& join : port["joins"].Items()) {
      const std::string& address = join["address"].Text();
      const std::vector<std::string> ours = join["columns"].Texts(), theirs = join["other_columns"].Texts();
      std::vector<std::string> pairs;
      for (size_t i = 0; i < ours.size() && i < theirs.size(); ++i) {
        pairs.push_back(Safe(ours[i] == theirs[i] ? ours[i] : ours[i] + " = " + theirs[i]));
      }
      const std::string& entity = join["entity"].Text();
      session.Print(fmt::format("joins {} by {} ({})\n", session.Paint(Style::kBold, Safe(address)), Join(pairs, ", "),
                                entity.empty() ? Safe(join["why"].Text()) : "same entity: " + Safe(entity)));
    }
  }

  static void Terms(const Session& session, const Json& what) {
    for (const Json& use : what["terms"].Items()) {
      const std::string& column = use["column"].Text();
      const std::string name = column.empty() ? "it" : session.Paint(Style::kBold, Safe(column));
      session.Print(fmt::format("{} means {}: {}\n", name, Safe(use["term"].Text()), Safe(use["definition"].Text())));
    }
  }

  static void Checks(const Session& session, const Json& port) {
    Table table({{"check", false, Narrow::kCut, 0, 24},
                 {"what it holds", false, Narrow::kCut, 0, 32},
                 {"expected", false, Narrow::kDrop},
                 {"severity", false, Narrow::kKeep}});
    for (const Json& check : port["checks"].Items()) {
      table.Add({SafeCell(check["id"], Style::kBold), SafeCell(check["description"]), SafeCell(check["expected"]),
                 SafeCell(check["severity"], Style::kDim)});
    }
    if (!table.empty()) session.Print("\n" + table.Text(session.screen()));
  }

  static void Access(Session& session, const Json& port) {
    session.Print("\n");
    const std::string table = Safe(port["sql"].Text());
    if (port["granted"].Bool()) {
      const std::string& right = port["sight"]["right"].Text();
      session.Fact("access",
                   session.Paint(Style::kGood, "you may read it") + (right.empty() ? "" : " (" + Safe(right) + ")"));
    } else {
      session.Fact("access", session.Paint(Style::kWarn, "you may not read it") +
                                 (port["remedy"].Text().empty() ? "" : ": " + Safe(port["remedy"].Text())));
    }
    const Json& sight = port["sight"];
    if (port["granted"].Bool() && !sight["columns"].is_null()) {
      session.Fact("columns", "only " + Safe(Join(sight["columns"].Texts(), ", ")));
    }
    if (!sight["rows"].Text().empty()) session.Fact("you see", "rows where " + Safe(sight["rows"].Text()));
    for (const auto& [column, mask] : sight["masked"].Members()) {
      session.Fact("masked", fmt::format("{}: {}", Safe(column), Safe(mask.Text())));
    }
    for (const Json& policy : sight["policies"].Items()) {
      session.Fact("policy", fmt::format("{} ({}): {}", Safe(policy["name"].Text()), Safe(policy["where"].Text()),
                                         Safe(policy["message"].Text())));
    }
    session.Fact("sql", table);
    session.Fact("here", fmt::format("weft sql 'SELECT * FROM {} LIMIT 10'", table));
    auto node = session.Get("/v1/node");
    if (!node || (*node)["flight"].Text().empty()) return;
    session.Fact("python", "after pip install adbc-driver-flightsql pyarrow:");
    session.Print("\n" + PythonOf(session, (*node)["flight"].Text(), port["sql"].Text()));
  }

  // Beginning at the margin and never wrapped: it is there to be copied.
  static std::string PythonOf(const Session& session, const std::string& flight, const std::string& table) {
    const GlobalOptions& given = session.options();
    std::string file = given.token_file;
    if (file.empty() && given.token.empty()) file = LocalNode(given.node)["token_file"].Text();
    auto text = [](const std::string& value) { return Json(Safe(value)).Dump(); };
    std::string script = file.empty() ? "import os\n" : "";
    script += "from adbc_driver_flightsql import dbapi\n";
    script += file.empty() ? "token = os.environ[\"WEFT_TOKEN\"]\n"
                           : fmt::format("token = open({}).read().strip()\n", text(fs::absolute(file).string()));
    script += "options = {\"adbc.flight.sql.authorization_header\": \"Bearer \" + token}\n";
    if (!given.purpose.empty()) {
      script += fmt::format("options[\"adbc.flight.sql.rpc.call_header.x-weft-purpose\"] = {}\n", text(given.purpose));
    }
    if (!given.ca_file.empty()) {
      script += fmt::format("options[\"adbc.flight.sql.client_option.tls_root_certs\"] = open({}).read()\n",
                            text(fs::absolute(given.ca_file).string()));
    }
    return script + fmt::format(
                        "with dbapi.connect({}, db_kwargs=options) as node:\n"
                        "    with node.cursor() as cursor:\n"
                        "        cursor.execute({})\n"
                        "        print(cursor.fetch_arrow_table())\n",
                        text(flight), text("SELECT * FROM " + table + " LIMIT 10"));
  }

  std::string address_;
  bool descriptor_ = false;
};

constexpr CommandEntry kCommands[] = {
    {"list", "Find and read", "Products of the mesh or of a domain", "weft list\nweft list operations",
     Bits(Action::kBrowse), Make<ListCommand>},
    {"show", "Find and read", "All about a product or an output port",
     "weft show operations/flights\nweft show operations/flights/flights@1\nweft show operations/flights/flights "
     "--descriptor > flights.odcs.yaml",
     Bits(Action::kBrowse, Action::kRead), Make<ShowCommand>},
    {"search", "Find and read", "Products, columns and terms by words, and by what they are",
     "weft search departure delay\nweft search delay --domain operations --fresh 7d\nweft search --tag pii --facets",
     Bits(Action::kBrowse), MakeSearch},
    {"lineage", "Find and read", "Where a port's rows come from and go to",
     "weft lineage operations/flights/flights\nweft lineage operations/flights/flights --columns --up",
     Bits(Action::kBrowse), MakeLineage},
};

}  // namespace

std::span<const CommandEntry> FindCommands() { return kCommands; }

}  // namespace weft::app
