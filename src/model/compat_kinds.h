// The kinds of differences, and the comparisons of single promises: the inside of compat.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/compat.h"

namespace weft::model::compat {

struct Kind {
  std::string_view name;
  Impact impact;
  Step step;
  std::string_view meaning;
};

enum KindIndex : size_t {
  kObjectRemoved,
  kColumnRemoved,
  kColumnRenamed,
  kColumnRetyped,
  kColumnNullable,
  kColumnRequired,
  kKeyChanged,
  kUniqueDropped,
  kUnitChanged,
  kEntityChanged,
  kColumnWidened,
  kEnumWidened,
  kLimitLoosened,
  kCheckRemoved,
  kCheckWeakened,
  kReferenceRemoved,
  kSloRemoved,
  kSloWeakened,
  kClassificationChanged,
  kMeaningChanged,
  kColumnAdded,
  kUniqueAdded,
  kEnumNarrowed,
  kLimitTightened,
  kCheckAdded,
  kCheckTightened,
  kReferenceAdded,
  kSloAdded,
  kSloTightened,
  kWordsChanged,
};
const Kind& Of(KindIndex index);
Step StepOfKind(std::string_view name);

// Seconds of one of a unit of time; months and years as the calendar has them in the mean. Nothing for other units.
std::optional<double> SecondsOf(std::string_view unit);

enum class Trend { kSame, kTighter, kLooser };

// Of one of logicalTypeOptions; null where it does not say it. What is neither tighter nor the same is looser.
Trend TrendOfLimit(std::string_view option, const Json& was, const Json& is);
// Of what a quality rule demands, both being the same rule.
Trend TrendOfRule(const QualityRule& was, const QualityRule& is);
// Of a promise of service, both being about the same.
Trend TrendOfSla(const SlaProperty& was, const SlaProperty& is);

}  // namespace weft::model::compat
