#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "base/text.h"

namespace weft::app {
namespace {

class TermList : public Command {
 public:
  explicit TermList(CLI::App&) {}

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Get("/v1/terms"));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"term", false, Narrow::kKeep},
                 {"definition", false, Narrow::kCut, 0, 32},
                 {"synonyms", false, Narrow::kDrop, 1},
                 {"owner", false, Narrow::kDrop, 2},
                 {"products", true}});
    for (const Json& term : answer["terms"].Items()) {
      table.Add({{Safe(term["name"].Text()), Style::kBold},
                 {Safe(term["definition"].Text())},
                 {Safe(Join(term["synonyms"].Texts(), ", "))},
                 {Safe(term["owner"].Text())},
                 {std::to_string(term["products"].Int())}});
    }
    if (table.empty()) {
      session.Note("the mesh has no terms: define some in terms/*.yaml beside mesh.yaml, and apply the folder");
      return 0;
    }
    session.Print(table.Text(session.screen()));
    return 0;
  }
};

class TermShow : public Command {
 public:
  explicit TermShow(CLI::App& app) {
    app.add_option("term", name_, "Its name, or a synonym of it")->required()->type_name(kTerm);
  }

  Result<int> Run(Session& session) override {
    const Json term = TRY(session.Get("/v1/terms/" + ReplaceAll(name_, " ", "-")));
    if (session.json()) return session.PrintJson(term), 0;
    session.Print(session.Paint(Style::kTitle, Safe(term["name"].Text())) + "\n");
    session.Print(Safe(term["definition"].Text(), true) + "\n");
    for (const char* list : {"synonyms", "related"}) session.Fact(list, Safe(Join(term[list].Texts(), ", ")));
    for (const std::string& example : term["examples"].Texts()) session.Fact("example", Safe(example));
    session.Fact("owner", Safe(term["owner"].Text()));
    session.Fact("where", Safe(term["where"].Text()));
    Table table({{"means it", false, Narrow::kKeep}, {"column", false, Narrow::kKeep}});
    for (const Json& use : term["uses"].Items()) {
      table.Add({{Safe(use["address"].Text()), Style::kBold}, {Safe(use["column"].Text())}});
    }
    if (table.empty()) session.Note("nothing speaks of it yet");
    if (!table.empty()) session.Print("\n" + table.Text(session.screen()));
    return 0;
  }

 private:
  std::string name_;
};

constexpr CommandEntry kCommands[] = {
    {"term list", "Find and read", "The mesh's words, and what they mean", "weft term list", Bits(Action::kBrowse),
     Make<TermList>},
    {"term show", "Find and read", "A word of the mesh, and the products and columns that speak of it",
     "weft term show on-time", Bits(Action::kBrowse), Make<TermShow>},
};

}  // namespace

std::span<const CommandEntry> TermCommands() { return kCommands; }

}  // namespace weft::app
