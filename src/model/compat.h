// How two versions of one contract differ, and what each difference means to those who read the port.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/contract.h"
#include "model/version.h"

namespace weft::model {

// What a difference does to readers: nothing; what was right may become wrong; what worked stops working, or what was
// promised is no longer so.
enum class Impact { kCompatible, kRisky, kBreaking };
std::string_view ImpactName(Impact impact);  // "breaking"

struct Difference {
  Impact impact = Impact::kCompatible;
  std::string_view kind;  // "column-removed": a row of DifferenceTable.
  std::string what;       // "the column 'amount' is removed"
  std::string column;     // The column of the port whose readers it is about; empty: everybody.
  Place now;              // In the newer file; of what is gone, what it stood in.
  Place was;              // In the older file; of what is new, what it stands in.
};

// All differences that the standard gives a meaning to, in the order of the older file. Columns, checks and
// relationships are the same by id, else by name.
std::vector<Difference> Differences(const Contract& previous, const Contract& next);

// The least step between two versions that may carry the differences: breaking ones a major, any that a program may see
// or that weakens a promise a minor, words a patch.
enum class Step { kPatch, kMinor, kMajor };
Step StepOf(std::span<const Difference> differences);
Version Bumped(const Version& version, Step step);  // The first version that is such a step after it.

// The table of kinds with the impact of each, in Markdown: what docs/compatibility.md shows.
std::string DifferenceTable();

}  // namespace weft::model
