#include "apps/weft/lineage_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <set>

#include "apps/weft/completion.h"
#include "base/text.h"

namespace weft::app {
namespace {

class LineageCommand : public Command {
 public:
  explicit LineageCommand(CLI::App& app) {
    app.add_option("address", address_, "An output port")->required()->type_name(kPort);
    app.add_flag("--columns", columns_, "Tell of each column where it comes from");
    auto* up = app.add_flag("--up", up_, "Only where it comes from");
    app.add_flag("--down", down_, "Only what is made of it")->excludes(up);
  }

  Result<int> Run(Session& session) override {
    const std::string direction = up_ ? "up" : down_ ? "down" : "both";
    const Json answer = TRY(session.Get("/v1/lineage", {{"address", address_}, {"direction", direction}}));
    if (session.json()) return session.PrintJson(answer), 0;
    const model::Address address = TRY(model::Address::Parse(address_));
    const std::string root = Root(answer["edges"], address.Short());
    session.Print(session.Paint(Style::kTitle, Safe(root)) + "\n");
    for (const char* way : {"up", "down"}) {
      if (direction != "both" && direction != way) continue;
      session.Print(session.Paint(Style::kDim, way == std::string_view("up") ? "comes from" : "is read by") + "\n");
      std::set<std::string> seen = {root};
      if (!Branches(session, answer["edges"], root, way == std::string_view("up"), "", &seen))
        session.Print("└─ (nothing)\n");
    }
    return 0;
  }

 private:
  // The address as edges write it: with the major that the node chose.
  static std::string Root(const Json& edges, const std::string& wanted) {
    for (const Json& edge : edges.Items()) {
      for (const char* end : {"from", "to"}) {
        const std::string& text = edge[end].Text();
        if (text == wanted || text.starts_with(wanted + "@")) return text;
      }
    }
    return wanted;
  }

  bool Branches(const Session& session, const Json& edges, const std::string& at, bool up, const std::string& indent,
                std::set<std::string>* seen) const {
    std::map<std::string, const Json*> next;  // One branch of each neighbour: the newest edge.
    for (const Json& edge : edges.Items()) {
      if (edge[up ? "to" : "from"].Text() == at) next[edge[up ? "from" : "to"].Text()] = &edge;
    }
    size_t left = next.size();
    for (const auto& [name, edge] : next) {
      bool last = --left == 0, again = !seen->insert(name).second;
      session.Print(indent + (last ? "└─ " : "├─ ") + session.Paint(Style::kBold, Safe(name)) +
                    (again ? session.Paint(Style::kDim, " (shown above)") : "") + "\n");
      const std::string deeper = indent + (last ? "   " : "│  ");
      if (columns_) {
        for (const Json& column : (*edge)["columns"].Items()) {
          session.Print(
              deeper +
              session.Paint(Style::kDim, fmt::format("{} ← {} ({})", Safe(column["column"].Text()),
                                                     Safe(column["input_column"].Text()), Safe(column["how"].Text()))) +
              "\n");
        }
      }
      if (!again) Branches(session, edges, name, up, deeper, seen);
    }
    return !next.empty();
  }

  std::string address_;
  bool columns_ = false;
  bool up_ = false;
  bool down_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeLineage(CLI::App& app) { return Make<LineageCommand>(app); }

}  // namespace weft::app
