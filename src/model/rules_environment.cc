#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/yaml.h"
#include "model/address.h"
#include "model/own.h"
#include "model/reading.h"
#include "model/rules.h"
#include "model/schedule.h"
#include "model/shape.h"

namespace weft::model {
namespace {

using shape::Child;
using yaml::Node;

// One environment's file.
class OverlayJudge {
 public:
  OverlayJudge(const Bundle& bundle, const Overlay& overlay, const Node& product, SourceJudge& sources)
      : bundle_(bundle), overlay_(overlay), product_(product), sources_(sources) {}

  std::vector<Problem> Run(const Surroundings& around, const std::set<std::string>& unsound) {
    Name(around);
    auto parsed = yaml::Parse(overlay_.bytes, overlay_.file);
    if (!parsed) {
      Tell(parsed.TakeError().problems);
      return std::move(problems_);
    }
    const Node node = parsed.TakeValue();
    Tell(JudgeUrls(node, overlay_.file));
    const size_t before = problems_.size();
    Shape("environment", [&](shape::Checker& checker) { checker.Check(node, own::kOverlay, ""); });
    if (problems_.size() != before) return std::move(problems_);
    for (const Node::Entry& entry : node["sources"].entries) {
      const auto port = Port("sources", entry, "input port", bundle_.product.inputs);
      if (port && !Told(entry, unsound)) JudgeSource(entry, product_["inputPorts"][*port]);
    }
    for (const Node::Entry& entry : node["schedules"].entries) {
      const auto port = Port("schedules", entry, "output port", bundle_.product.outputs);
      if (port) JudgeSchedule(entry, *port);
    }
    for (const Node::Entry& entry : node["storage"].entries) {
      const auto port = Port("storage", entry, "output port", bundle_.product.outputs);
      if (port) JudgeStorage(entry, product_["outputPorts"][*port]);
    }
    return std::move(problems_);
  }

 private:
  void Tell(std::vector<Problem> problems) { std::ranges::move(problems, std::back_inserter(problems_)); }
  void Say(int line, int column, std::string path, std::string message) {
    problems_.push_back({overlay_.file, line, column, std::move(path), "weft.environment", std::move(message)});
  }
  template <class Judge>
  void Shape(const std::string& rule, Judge judge) {
    shape::Checker checker(overlay_.file, "weft." + rule, 0);
    judge(checker);
    Tell(checker.TakeProblems());
  }

  void Name(const Surroundings& around) {
    if (auto slug = CheckSlug(overlay_.environment, "an environment"); !slug) {
      Say(0, 0, "", slug.error().message + ": rename the file");
    } else if (around.mesh && around.mesh_complete) {
      std::string unknown = around.mesh->UnknownEnvironment(overlay_.environment);
      if (!unknown.empty()) Say(0, 0, "", std::move(unknown));
    }
  }

  // Which port the entry is about.
  template <class Ports>
  std::optional<size_t> Port(std::string_view section, const Node::Entry& entry, std::string_view what,
                             const Ports& ports) {
    std::vector<std::string_view> names;
    for (size_t i = 0; i < ports.size(); ++i) {
      if (ports[i].name == entry.key) return i;
      names.push_back(ports[i].name);
    }
    Say(entry.line, entry.column, Child(std::string(section), entry.key),
        fmt::format("'{}' is no {} of the product{}", entry.key, what, DidYouMean(entry.key, names)));
    return std::nullopt;
  }

  bool IsMap(const Node::Entry& entry, const std::string& path, std::string_view what) {
    if (entry.value.kind == Node::Kind::kMap) return true;
    Say(entry.value.line, entry.value.column, path,
        fmt::format("is {}; the keys that differ belong here, as a map: {{{}}}", shape::Shown(entry.value), what));
    return false;
  }

  // Nothing of a source that is wrong itself is told twice.
  static bool Told(const Node::Entry& entry, const std::set<std::string>& unsound) {
    return unsound.contains(entry.key) && entry.value["kind"].kind == Node::Kind::kMissing;
  }

  void JudgeSource(const Node::Entry& entry, const Node& port) {
    const std::string path = Child("sources", entry.key);
    if (!IsMap(entry, path, "host: db.example.com")) return;
    const Node laid = LaidOverSource(reading::OwnValue(port, "source"), entry.value);
    std::vector<Problem> wrong = sources_.Run(Source::Of(laid, path, overlay_.file), laid);
    for (Problem& problem : wrong) Explain(problem, entry, path, laid);
    Tell(std::move(wrong));
  }

  void JudgeSchedule(const Node::Entry& entry, size_t port) {
    auto say = [&](std::string message) {
      Say(entry.value.line, entry.value.column, Child("schedules", entry.key), std::move(message));
    };
    const std::optional<Build>& own = bundle_.product.outputs[port].build;
    if (entry.value.kind != Node::Kind::kText) {
      return say(fmt::format("is {}; a schedule is a cron line such as '0 5 * * *', inputs, freshness, or never",
                             shape::Shown(entry.value)));
    }
    if (!own) return say(fmt::format("the output port '{}' has no build that it could start", entry.key));
    if (Status good = CheckSchedule(entry.value.scalar, own->timezone); !good) return say(good.error().message);
    const Product laid = LaidOver(bundle_.product, overlay_);
    const OutputPort& output = laid.outputs[port];
    std::string wrong = ProblemOfTrigger(*output.build, laid, bundle_.ContractOf(output));
    if (!wrong.empty()) say(std::move(wrong));
  }

  void JudgeStorage(const Node::Entry& entry, const Node& port) {
    const std::string path = Child("storage", entry.key);
    if (!IsMap(entry, path, "compression: zstd")) return;
    const Node laid = LaidOver(reading::OwnValue(port, "storage"), entry.value);
    Shape("storage", [&](shape::Checker& checker) { checker.Check(laid, own::kStorage, path); });
  }

  // What is wrong with a key that does not stand here comes from the descriptor, and goes away by a null.
  void Explain(Problem& problem, const Node::Entry& entry, const std::string& path, const Node& laid) const {
    if (!problem.path.starts_with(path + ".")) return;
    const std::string rest = problem.path.substr(path.size() + 1), key = rest.substr(0, rest.find_first_of(".["));
    if (entry.value[key].kind != Node::Kind::kMissing || laid[key].kind == Node::Kind::kMissing) return;
    problem.message +=
        fmt::format("; it is the descriptor's: to take it away in {}, write {}: null", overlay_.environment, key);
  }

  const Bundle& bundle_;
  const Overlay& overlay_;
  const Node& product_;
  SourceJudge& sources_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> JudgeOverlays(const Bundle& bundle, const Surroundings& surroundings, const Node& node,
                                   const std::set<std::string>& unsound, SourceJudge& sources) {
  std::vector<Problem> problems;
  for (const Overlay& overlay : bundle.overlays) {
    std::vector<Problem> wrong = OverlayJudge(bundle, overlay, node, sources).Run(surroundings, unsound);
    std::ranges::move(wrong, std::back_inserter(problems));
  }
  return problems;
}

}  // namespace weft::model
