// What the modes of a build ask of its contract.
#include <fmt/format.h>

#include <algorithm>

#include "base/span.h"
#include "base/text.h"
#include "model/reading.h"
#include "model/rules.h"
#include "model/schema.h"
#include "model/shape.h"

namespace weft::model {
namespace {

using yaml::Node;

constexpr std::string_view kDated = "a date or timestamp column of the contract";

// Keys of a build that one mode alone has.
struct OwnKey {
  std::string_view key;
  std::string_view mode;
};
constexpr OwnKey kOwnKeys[] = {
    {"snapshot_column", "snapshot"}, {"event_time", "append"}, {"arrival_time", "append"}, {"late", "append"}};

class ModeJudge {
 public:
  ModeJudge(const Build& build, const Contract* contract, const Node& node, const std::string& file)
      : build_(build), contract_(contract), node_(node), file_(file) {}

  std::vector<Problem> Run() {
    for (const OwnKey& own : kOwnKeys) {
      if (node_[own.key].kind != Node::Kind::kMissing && own.mode != build_.mode) {
        Say(own.key, fmt::format("{} is of mode {}, and this is {}: remove it", own.key, own.mode, build_.mode));
      }
    }
    const bool judged = contract_ && contract_->schema.size() == 1;
    if (judged && build_.mode == "upsert") Upsert(contract_->schema[0]);
    if (build_.mode == "snapshot") Snapshot(judged ? &contract_->schema[0] : nullptr);
    if (build_.mode == "append") Append(judged ? &contract_->schema[0] : nullptr);
    return std::move(problems_);
  }

 private:
  // At a key of the build, or at the build where it has none such.
  void Say(std::string_view key, std::string message) {
    const bool there = node_[key].kind != Node::Kind::kMissing;
    const Place place =
        reading::PlaceOf(there ? node_[key] : node_, there ? shape::Child(build_.place.path, key) : build_.place.path);
    problems_.push_back({file_, place.line, place.column, place.path, "weft.build", std::move(message)});
  }

  void Upsert(const SchemaObject& object) {
    if (!object.PrimaryKey().empty()) return;
    Say("mode",
        fmt::format("upsert replaces rows by the contract's primary key, and {} has none: write primaryKey: true "
                    "at the columns that tell its rows apart, or mode: replace",
                    contract_->file));
  }

  // The column, which must hold a date or a moment.
  void Dated(const SchemaObject& object, std::string_view key, const std::string& column) {
    const Property* property = object.Find(column);
    if (!property) {
      std::vector<std::string_view> names;
      for (const Property& each : object.properties) names.push_back(each.name);
      return Say(key, fmt::format("'{}' is no column of the contract{}", column, DidYouMean(column, names)));
    }
    auto type = TypeOf(*property);
    if (!type || type->kind == Type::Kind::kDate || type->kind == Type::Kind::kTimestamp ||
        type->kind == Type::Kind::kTimestampTz) {
      return;  // A type that is none has its own problem.
    }
    Say(key, fmt::format("'{}' is {} in the contract: {} is {}", column, Lower(type->DuckDb()), key, kDated));
  }

  void Snapshot(const SchemaObject* object) {
    const std::string& column = build_.snapshot_column;
    if (column.empty()) {
      return Say("mode", fmt::format("a table of snapshots needs snapshot_column: {}, which each run fills with its "
                                     "logical time",
                                     kDated));
    }
    if (!object) return;
    Dated(*object, "snapshot_column", column);
    const std::vector<std::string> key = object->PrimaryKey();
    const bool whole = key.empty() || std::ranges::find(key, column) != key.end();
    if (!whole) {
      Say("snapshot_column", fmt::format("'{0}' is not in the primary key ({1}) of {2}: a key is there once in each "
                                         "state, so write primaryKey: true at '{0}' too",
                                         column, Join(key, ", "), contract_->file));
    }
    for (const Property& property : object->properties) {
      if (!property.unique) continue;
      Say("snapshot_column", fmt::format("'{0}' is unique in {1}, and each state may have its values again: make '{0}' "
                                         "and '{2}' the primary key instead",
                                         property.name, contract_->file, column));
    }
  }

  void Append(const SchemaObject* object) {
    if (!build_.late.empty()) {
      if (auto span = Span::Parse(build_.late); !span) Say("late", span.error().message);
      if (build_.event_time.empty())
        Say("late", fmt::format("late counts from the newest event: add event_time: {}", kDated));
    }
    if (!object) return;
    if (!build_.event_time.empty()) Dated(*object, "event_time", build_.event_time);
    if (!build_.arrival_time.empty()) Dated(*object, "arrival_time", build_.arrival_time);
    if (!build_.arrival_time.empty() && build_.arrival_time == build_.event_time)
      Say("arrival_time", "arrival_time is filled by the run, and event_time by the build: they are two columns");
  }

  const Build& build_;
  const Contract* contract_;
  const Node& node_;
  const std::string& file_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> JudgeMode(const Build& build, const Contract* contract, const Node& node,
                               const std::string& file) {
  return ModeJudge(build, contract, node, file).Run();
}

}  // namespace weft::model
