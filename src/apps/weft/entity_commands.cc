#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "base/text.h"

namespace weft::app {
namespace {

class EntityList : public Command {
 public:
  explicit EntityList(CLI::App&) {}

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Get("/v1/entities"));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"entity", false, Narrow::kKeep},
                 {"type"},
                 {"columns", true},
                 {"domains", false, Narrow::kDrop, 2},
                 {"owner", false, Narrow::kDrop, 1},
                 {"description"}});
    for (const Json& entity : answer["entities"].Items()) {
      table.Add({{Safe(entity["name"].Text()), Style::kBold},
                 {Safe(entity["type"].Text())},
                 {std::to_string(entity["columns"].Int())},
                 {Safe(Join(entity["domains"].Texts(), ", "))},
                 {Safe(entity["owner"].Text())},
                 {Safe(entity["description"].Text())}});
    }
    if (table.empty()) {
      session.Note("the mesh has no entities: describe some in entities/*.yaml beside mesh.yaml, and apply the folder");
      return 0;
    }
    session.Print(table.Text(session.screen()));
    return 0;
  }
};

class EntityShow : public Command {
 public:
  explicit EntityShow(CLI::App& app) { app.add_option("entity", name_, "Which")->required()->type_name(kEntity); }

  Result<int> Run(Session& session) override {
    const Json entity = TRY(session.Get("/v1/entities/" + name_));
    if (session.json()) return session.PrintJson(entity), 0;
    session.Print(session.Paint(Style::kTitle, Safe(entity["name"].Text())) + "\n");
    if (!entity["description"].Text().empty()) session.Print(Safe(entity["description"].Text()) + "\n");
    session.Fact("type", Safe(entity["type"].Text()));
    session.Fact("pattern", Safe(entity["pattern"].Text()));
    session.Fact("examples", Safe(Join(entity["examples"].Texts(), ", ")));
    session.Fact("owner", Safe(entity["owner"].Text()));
    session.Fact("where", Safe(entity["where"].Text()));
    if (entity["columns"].size() == 0) session.Note("no column identifies it yet");
    Table table({{"column", false, Narrow::kKeep}, {"of", false, Narrow::kKeep}});
    for (const Json& column : entity["columns"].Items()) {
      table.Add({{Safe(column["column"].Text()), Style::kBold}, {Safe(column["address"].Text())}});
    }
    if (!table.empty()) session.Print("\n" + table.Text(session.screen()));
    Generations(session, entity["generations"]);
    return 0;
  }

 private:
  static void Generations(const Session& session, const Json& generations) {
    Table table({{"key", true, Narrow::kKeep}, {"made"}, {"by"}, {"state", false, Narrow::kKeep}});
    for (const Json& generation : generations.Items()) {
      const std::string& erased = generation["erased_at"].Text();
      const std::string state = !erased.empty() ? "erased " + AgoText(erased) : table.empty() ? "in use" : "sealed";
      table.Add({{std::to_string(generation["generation"].Int()), Style::kBold},
                 {AgoText(generation["made_at"].Text())},
                 {Safe(generation["made_by"].Text())},
                 {state, erased.empty() ? Style::kPlain : Style::kDim}});
    }
    if (!table.empty()) session.Print("\n" + table.Text(session.screen()));
  }

  std::string name_;
};

class EntityRotate : public Command {
 public:
  explicit EntityRotate(CLI::App& app) { app.add_option("entity", name_, "Which")->required()->type_name(kEntity); }

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Post(fmt::format("/v1/entities/{}/rotate", name_), Json::Map({})));
    if (session.json()) return session.PrintJson(answer), 0;
    session.Print(fmt::format("pseudonyms of {} are made with key {} from the next statement on\n", Safe(name_),
                              answer["generation"].Int()));
    return 0;
  }

 private:
  std::string name_;
};

class EntityErase : public Command {
 public:
  explicit EntityErase(CLI::App& app) {
    app.add_option("entity", name_, "Which")->required()->type_name(kEntity);
    auto* one = app.add_option("--generation", generation_, "Only this key")->check(CLI::PositiveNumber);
    app.add_flag("--all", all_, "Every key of the entity")->excludes(one);
  }

  Result<int> Run(Session& session) override {
    if (generation_ == 0 && !all_) {
      return session.Misused(
          "entity erase", fmt::format("which keys are to be destroyed for good? say --generation N (weft entity show "
                                      "{} lists them) or --all",
                                      Safe(name_)));
    }
    Json body = Json::Map({});
    if (generation_ != 0) body.Set("generation", generation_);
    const Json answer = TRY(session.Post(fmt::format("/v1/entities/{}/erase", name_), body));
    if (session.json()) return session.PrintJson(answer), 0;
    if (answer["erased"].size() == 0) {
      session.Print(fmt::format("key {} of {} was erased before\n", generation_, Safe(name_)));
      return 0;
    }
    for (const Json& number : answer["erased"].Items()) {
      session.Print(
          fmt::format("key {} of {} is erased: nobody can make its pseudonyms again\n", number.Int(), Safe(name_)));
    }
    session.Print(
        fmt::format("pseudonyms are made with key {} from the next statement on\n", answer["generation"].Int()));
    return 0;
  }

 private:
  std::string name_;
  int64_t generation_ = 0;
  bool all_ = false;
};

constexpr CommandEntry kCommands[] = {
    {"entity list", "Govern", "What several domains speak of under one identifier", "weft entity list",
     Bits(Action::kBrowse), Make<EntityList>},
    {"entity show", "Govern", "An entity, and the columns that identify it", "weft entity show listener",
     Bits(Action::kBrowse), Make<EntityShow>},
    {"entity rotate", "Govern",
     "Begin a new key of an entity's pseudonyms: tokens from before join with none from then on",
     "weft entity rotate listener", Bits(Action::kGovern), Make<EntityRotate>},
    {"entity erase", "Govern", "Destroy keys of an entity's pseudonyms, for good",
     "weft entity erase listener --generation 1\nweft entity erase listener --all", Bits(Action::kGovern),
     Make<EntityErase>},
};

}  // namespace

std::span<const CommandEntry> EntityCommands() { return kCommands; }

}  // namespace weft::app
