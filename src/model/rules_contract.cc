#include <fmt/format.h>
#include <re2/re2.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/checks.h"
#include "model/checks_internal.h"
#include "model/entity.h"
#include "model/own.h"
#include "model/quarantine.h"
#include "model/reading.h"
#include "model/rules.h"
#include "model/shape.h"

namespace weft::model {
namespace {

using reading::PlaceOf;
using shape::Child;
using yaml::Node;

// One contract under judgement.
class PromiseJudge {
 public:
  PromiseJudge(const Contract& contract, const Node& document) : contract_(contract), document_(document) {}

  std::vector<Problem> Run() {
    for (const SchemaObject& object : contract_.schema) {
      Rules(object.quality);
      Properties(object.properties);
      if (QuarantineTermsOf(contract_)) Quarantine(object);
    }
    const Node& slas = document_["slaProperties"];
    for (size_t i = 0; i < slas.size(); ++i) {
      for (std::string_view key : {"schedule", "scheduler"}) {
        const Node& value = slas[i][key];
        if (value.kind == Node::Kind::kMissing) continue;
        Say("unsupported", PlaceOf(value, Child(Child("slaProperties", i), key)),
            fmt::format("{} '{}' is kept and shown, and starts nothing", key, value.scalar), Problem::Level::kWarning);
      }
    }
    return std::move(problems_);
  }

 private:
  void Say(const std::string& rule, const Place& place, std::string message,
           Problem::Level level = Problem::Level::kError) {
    problems_.push_back(
        {contract_.file, place.line, place.column, place.path, "weft." + rule, std::move(message), level});
  }

  static Place Within(Place place, std::string_view key) {
    place.path = Child(place.path, key);
    return place;
  }

  void Rules(const std::vector<QualityRule>& rules) {
    constexpr std::string_view kSeverities[] = {"error", "warning", "info"};
    for (const QualityRule& rule : rules) {
      // The standard takes any word; one that is not known would count as an error without a word.
      const std::string severity = Lower(rule.severity);
      if (!severity.empty() && std::ranges::find(kSeverities, severity) == std::end(kSeverities)) {
        Say("severity", Within(rule.place, "severity"),
            fmt::format("'{}' is not one of error, warning, info, and would count as error{}", rule.severity,
                        DidYouMean(severity, kSeverities)));
      }
      for (std::string_view key : {"schedule", "scheduler", "method"}) {
        const Json& value = rule.document[key];
        if (value.is_null()) continue;
        Say("unsupported", Within(rule.place, key),
            fmt::format("{} '{}' is not followed: a rule is checked in every run, before anybody sees its rows", key,
                        value.Text()),
            Problem::Level::kWarning);
      }
    }
  }

  void Properties(const std::vector<Property>& properties) {
    for (const Property& property : properties) {
      Rules(property.quality);
      if (property.partitioned || property.partition_position > 0) {
        Say("unsupported", Within(property.place, "partitioned"),
            fmt::format(
                "tables with partitions are not supported yet; to keep rows with alike values of '{}' together, "
                "name it in cluster_by of the output port's build",
                property.name));
      }
      const std::string format = property.logical_type == "string" ? property.options["format"].Text() : "";
      if (!format.empty() && FormatPattern(format).empty() && NearestFormat(format).empty()) {
        Say("unsupported", Within(Within(property.place, "logicalTypeOptions"), "format"),
            fmt::format("the format '{}' is shown and not checked; those that are: {}. To check it, write a pattern",
                        format, FormatNames()),
            Problem::Level::kWarning);
      }
      for (const auto* inside : {&property.properties, &property.items, &property.map}) Properties(*inside);
    }
  }

  // The quarantine has the contract's columns beside the platform's.
  void Quarantine(const SchemaObject& object) {
    for (const Property& property : object.properties) {
      if (!Lower(property.name).starts_with("weft_")) continue;
      Say("quarantine", Within(property.place, "name"),
          fmt::format("'{}' begins as the quarantine's own columns do (weft_id, weft_check …): rename it, or take the "
                      "quarantine away",
                      property.name));
    }
  }

  const Contract& contract_;
  const Node& document_;
  std::vector<Problem> problems_;
};

constexpr std::string_view kOwnProperties[] = {"purpose", "source",      "build",  "storage", "successor",
                                               "sunset",  "deprecation", "entity", "term",    "quarantine"};

// What a run sets aside is of a table, and so its terms stand at the schema object.
void JudgeQuarantine(const Node& value, const std::string& file, const std::string& path, const Place& at,
                     std::vector<Problem>& problems) {
  static const RE2 kAtObject(R"(schema\[\d+\]\.customProperties\[\d+\])");
  if (!RE2::FullMatch(path, kAtObject)) {
    problems.push_back({file, at.line, at.column, at.path, "weft.property",
                        "a quarantine is of a table's rows: move it to the customProperties of the contract's schema "
                        "object, beside its properties"});
    return;
  }
  shape::Checker checker(file, "weft.quarantine", 0);
  checker.Check(value, own::kQuarantine, Child(path, "value"));
  std::ranges::move(checker.TakeProblems(), std::back_inserter(problems));
}

// What an owner states of a thing's end.
void JudgeEnd(const Node& value, std::string_view name, const std::string& file, const std::string& path,
              std::vector<Problem>& problems) {
  const bool sunset = name == "sunset";
  if (value.is_scalar() && !value.scalar.empty() && (!sunset || Instant::Parse(value.scalar))) return;
  const Place place = PlaceOf(value, Child(path, "value"));
  problems.push_back(
      {file, place.line, place.column, place.path, "weft.property",
       sunset ? fmt::format("the sunset '{}' is no date: from when on it may go, such as 2026-12-31", value.scalar)
              : std::string("the deprecation is a text: why, and what its readers should do")});
}

void OwnProperties(const Node& node, const std::string& file, const std::string& path, std::vector<Problem>& problems) {
  for (size_t i = 0; i < node.size(); ++i) {
    const Node::Entry& entry = node.entries[i];
    const std::string inner = node.kind == Node::Kind::kMap ? Child(path, entry.key) : Child(path, i);
    OwnProperties(entry.value, file, inner, problems);
    if (node.kind != Node::Kind::kMap || entry.key != "customProperties") continue;
    for (size_t k = 0; k < entry.value.size(); ++k) {
      const Node& property = entry.value[k]["property"];
      std::string_view name = property.scalar;
      if (name.starts_with("weft."))
        name.remove_prefix(5);
      else if (entry.value[k]["vendor"].scalar != "weft")
        continue;
      if (name == "sunset" || name == "deprecation")
        JudgeEnd(entry.value[k]["value"], name, file, Child(inner, k), problems);
      if (name == "quarantine") {
        const std::string at = Child(inner, k);
        JudgeQuarantine(entry.value[k]["value"], file, at, PlaceOf(property, Child(at, "property")), problems);
      }
      if (std::ranges::find(kOwnProperties, name) != std::end(kOwnProperties)) continue;
      const Place place = PlaceOf(property, Child(Child(inner, k), "property"));
      problems.push_back(
          {file, place.line, place.column, place.path, "weft.property",
           fmt::format("'{}' is no property of the vendor weft{}", name, DidYouMean(name, kOwnProperties))});
    }
  }
}

void Take(Error error, const std::string& file, std::vector<Problem>& problems) {
  for (Problem& problem : error.problems) {
    if (problem.file.empty()) problem.file = file;
    problems.push_back(std::move(problem));
  }
}

}  // namespace

std::vector<Problem> JudgePromises(const Contract& contract, const Node& document) {
  std::vector<Problem> problems = PromiseJudge(contract, document).Run();
  std::ranges::move(JudgeOwnProperties(document, contract.file), std::back_inserter(problems));
  return problems;
}

std::vector<Problem> JudgeOwnProperties(const Node& document, const std::string& file) {
  std::vector<Problem> problems;
  OwnProperties(document, file, "", problems);
  return problems;
}

std::vector<Problem> JudgeByChecks(const Repository& repository) {
  std::vector<Problem> problems;
  const Entities none;
  const auto entities = Entities::Of(repository.entities);  // What is wrong with them is told of themselves.
  for (const Bundle& bundle : repository.bundles) {
    std::set<const Contract*> promised;
    for (const OutputPort& port : bundle.product.outputs) promised.insert(bundle.ContractOf(port));
    for (const Contract& contract : bundle.contracts) {
      if (contract.schema.size() != 1) continue;  // Told of a port's when the folder was read.
      auto schema = SchemaOf(contract.schema[0], nullptr);
      if (!schema) {
        Take(schema.TakeError(), contract.file, problems);
      } else if (promised.contains(&contract)) {
        auto checks = CompileChecks(contract, *schema, entities ? **entities : none);
        if (!checks) Take(checks.TakeError(), contract.file, problems);
      }
    }
  }
  return problems;
}

}  // namespace weft::model
