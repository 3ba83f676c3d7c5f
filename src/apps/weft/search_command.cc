#include "apps/weft/search_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/completion.h"
#include "apps/weft/times.h"
#include "base/text.h"

namespace weft::app {
namespace {

constexpr size_t kMostHints = 4;  // Values of a facet that narrow what was found.

class SearchCommand : public Command {
 public:
  explicit SearchCommand(CLI::App& app) {
    app.add_option("words", words_, "Words of names, descriptions, columns and terms; a filter may do without");
    app.add_option("--domain", filters_["domain"], "Only in this domain")->type_name(kDomain);
    app.add_option("--kind", filters_["kind"], "sourceAligned, aggregate, consumerAligned, or term");
    app.add_option("--tag", filters_["tag"], "Of the product, a port or its contract");
    app.add_option("--status", filters_["status"],
                   "draft, active, deprecated; retired finds what is found by nothing else");
    app.add_option("--owner", filters_["owner"], "Whose it is: ana, group:ops")->type_name(kPrincipal);
    app.add_option("--classification", filters_["classification"], "The strictest of a port's columns");
    app.add_option("--format", filters_["format"], "Of an output port: table");
    app.add_option("--fresh", fresh_, "Whose rows were committed since: 12h or 7d ago, or a time");
    app.add_option("--like", like_, "Products that have much of what this one has")->type_name(kAddress);
    app.add_flag("--facets", facets_, "Count what there is by domain, kind, tag, status, owner…");
    app.add_option("-n,--limit", limit_, "At most so many")->capture_default_str()->check(CLI::Range(1, 500));
  }

  Result<int> Run(Session& session) override {
    if (!like_.empty()) return Like(session);
    Session::Query query;
    for (const auto& [name, value] : filters_) {
      if (!value.empty()) query[name] = value;
    }
    if (!fresh_.empty()) query["fresh_since"] = TRY(Since("fresh", fresh_));
    const std::string words = Join(words_, " ");
    if (Trim(words).empty() && (query.empty() || !words_.empty())) {
      return session.Misused("search", "there is no word to look for");
    }
    if (!words.empty()) query["q"] = words;
    query["limit"] = std::to_string(limit_);
    if (facets_) query["facets"] = "true";
    const Json answer = TRY(session.Get("/v1/search", query));
    if (session.json()) return session.PrintJson(answer), 0;
    for (const Json& each : answer["read_as"].Items()) {
      session.Note(
          fmt::format("nothing has '{}': looked for '{}'", Safe(each["word"].Text()), Safe(each["as"].Text())));
    }
    for (const Json& hit : answer["hits"].Items()) Print(session, hit);
    if (answer["hits"].size() == 0) Nothing(session, answer, query);
    if (facets_) PrintFacets(session, answer["facets"]);
    const auto shown = static_cast<int64_t>(answer["hits"].size());
    if (answer["total"].Int() > shown) TRY(Narrower(session, query, answer, shown));
    return 0;
  }

 private:
  Result<int> Like(Session& session) const {
    const model::Address address = TRY(model::Address::Parse(like_));
    TRY(session.Serves(address));
    if (!words_.empty() || address.product.empty()) {
      return session.Misused("search", words_.empty() ? "--like names a product" : "--like takes no words besides");
    }
    const Json answer = TRY(session.Get(fmt::format("/v1/products/{}/{}/alike", address.domain, address.product),
                                        {{"limit", std::to_string(std::min(limit_, 100))}}));
    if (session.json()) return session.PrintJson(answer), 0;
    for (const Json& alike : answer["alike"].Items()) {
      session.Print(session.Paint(Style::kBold, Safe(alike["address"].Text())) + "  " +
                    session.Paint(Style::kDim, Safe(alike["status"].Text())) + "\n");
      Line(session, "", alike["description"].Text());
      Line(session, "", "shares " + Join(alike["shares"].Texts(), ", "));
    }
    if (answer["alike"].size() == 0) {
      session.Note("nothing shares a term, an entity, a tag or a rare column with " + Safe(like_));
    }
    return 0;
  }

  static void Print(const Session& session, const Json& hit) {
    std::vector<std::string> facts;
    for (const std::string& fact : {hit["type"].Text(), hit["status"].Text(), Join(hit["owners"].Texts(), ", ")}) {
      if (!fact.empty()) facts.push_back(Safe(fact));
    }
    session.Print(session.Paint(Style::kBold, Safe(hit["address"].Text())) + "  " +
                  session.Paint(Style::kDim, Join(facts, " · ")) + "\n");
    Line(session, "", hit["snippet"].Text());
    for (const Json& port : hit["ports"].Items()) {
      const std::string& address = port["address"].Text();
      const bool term = hit["kind"].Text() == "term";
      const std::string name = term ? address : address.substr(address.rfind('/') + 1);
      const bool whole = term && port["columns"].size() == 0;
      if (whole || !port["snippet"].Text().empty()) Line(session, name, port["snippet"].Text());
      for (const Json& column : port["columns"].Items()) {
        const std::string& title = column["title"].Text();
        Line(session, name + " " + column["name"].Text() + (title.empty() ? "" : " (" + title + ")"),
             column["snippet"].Text());
      }
      const int64_t more = port["more_columns"].Int();
      if (more > 0) Line(session, name, fmt::format("and {} more {}", more, more == 1 ? "column" : "columns"));
    }
  }

  static void Line(const Session& session, const std::string& name, const std::string& text) {
    const std::string shown = Lit(session, Safe(ReplaceAll(text, "\n", " ")));
    if (name.empty() && text.empty()) return;
    session.Print("  " + Safe(name) + (name.empty() || text.empty() ? "" : "  ") + shown + "\n");
  }

  // What to try instead.
  static void Nothing(const Session& session, const Json& answer, const Session::Query& query) {
    std::vector<std::string> filters;
    for (const auto& [name, value] : query) {
      if (name == "q" || name == "limit" || name == "facets") continue;
      filters.push_back(name == "fresh_since" ? "--fresh" : "--" + name);
    }
    std::vector<std::string> tries;
    for (const Json& each : answer["instead"].Items()) {
      tries.push_back(fmt::format("'{}' finds {}", Safe(each["words"].Text()), each["total"].Int()));
    }
    if (tries.empty()) {
      session.Note("nothing found; `weft list` shows every product");
    } else if (answer["instead"].size() == 1 && !filters.empty()) {
      session.Note(fmt::format("nothing found; without {}, {}", Join(filters, " and "), Join(tries, ", ")));
    } else {
      session.Note("nothing has all of these words; " + Join(tries, ", "));
    }
  }

  static void PrintFacets(const Session& session, const Json& facets) {
    Table table({{"facet", false, Narrow::kKeep}, {"value", false, Narrow::kCut, 0, 24}, {"products", true}});
    for (const auto& [name, values] : facets.Members()) {
      bool first = true;
      for (const Json& value : values.Items()) {
        table.Add({{first ? Safe(name) : "", Style::kBold},
                   {Safe(value["value"].Text())},
                   {std::to_string(value["count"].Int())}});
        first = false;
      }
    }
    if (!table.empty()) session.Print("\n" + table.Text(session.screen()));
  }

  // How to come to what is meant: by facets that tell what was found apart.
  static Status Narrower(Session& session, Session::Query query, const Json& found, int64_t shown) {
    query["facets"] = "true";
    query["limit"] = "1";
    const Json answer = TRY(session.Get("/v1/search", query));
    std::string text = fmt::format("{} of {} shown", shown, HumanCount(found["total"].Int()));
    for (const char* facet : {"domain", "kind", "tag", "owner", "classification"}) {
      const Json& values = answer["facets"][facet];
      if (query.contains(facet) || values.size() < 2) continue;
      std::vector<std::string> some;
      for (const Json& value : values.Items()) {
        if (some.size() == kMostHints) break;
        some.push_back(fmt::format("{} {}", Safe(value["value"].Text()), value["count"].Int()));
      }
      text += fmt::format("\n  --{}  {}{}", facet, Join(some, ", "), values.size() > some.size() ? ", …" : "");
    }
    session.Note(text);
    return {};
  }

  // « and » stand around the words found; on a terminal they are colours.
  static std::string Lit(const Session& session, const std::string& text) {
    if (!session.screen().color) return text;
    std::string out = text;
    for (size_t from; (from = out.find("«")) != out.npos;) {
      size_t to = out.find("»", from);
      if (to == out.npos) break;
      out.replace(from, to + 2 - from, session.Paint(Style::kWarn, out.substr(from + 2, to - from - 2)));
    }
    return out;
  }

  std::vector<std::string> words_;
  std::map<std::string, std::string> filters_;
  std::string fresh_, like_;
  bool facets_ = false;
  int limit_ = 20;
};

}  // namespace

std::unique_ptr<Command> MakeSearch(CLI::App& app) { return Make<SearchCommand>(app); }

}  // namespace weft::app
