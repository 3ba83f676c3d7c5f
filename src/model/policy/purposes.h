// What data may be read for: the purposes that the mesh knows, one under another, and which of them exclude each other.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/contract.h"

namespace weft::model {

// Of every problem with what policies/*.yaml say.
inline constexpr std::string_view kPolicyRule = "weft.policy";

struct Purpose {
  // A name and where it was written.
  struct Named {
    std::string name;
    Place place;
  };
  std::string name;
  std::string description;
  Named parent;                     // Without a name: none.
  std::vector<Named> incompatible;  // As written; the other side need not say it too.
  std::string file;
  Place place;

  std::string Where() const;  // "policies/purposes.yaml:3"
};

// kInvalid where it is neither empty nor a slug that is written the same everywhere.
Status CheckPurposeText(const std::string& purpose);

// A mesh that declares none takes any. Thread-safe; does not change.
class Purposes {
 public:
  Purposes() = default;
  // Adds every problem: unknown parents and circles, names that stand twice, a purpose that excludes its own ancestor.
  Purposes(std::vector<Purpose> all, std::vector<Problem>* problems);

  bool any() const { return !all_.empty(); }
  const std::vector<Purpose>& all() const { return all_; }
  const Purpose* Find(std::string_view name) const;

  // kInvalid, with the nearest name, where the mesh declares purposes and not this one. None (empty) is none.
  Status Check(const std::string& purpose) const;
  // Whether what is allowed for `wide` is allowed for `narrow`: the same, or one under it.
  bool Covers(std::string_view wide, std::string_view narrow) const;
  // Whether one of them, or what it is under, excludes the other, or what that is under.
  bool Incompatible(std::string_view a, std::string_view b) const;

 private:
  std::vector<std::string_view> Line(std::string_view name) const;  // It and its ancestors.
  std::string Nearest(std::string_view name) const;
  void JudgeTies(std::vector<Problem>* problems) const;

  std::vector<Purpose> all_;
  std::map<std::string, size_t, std::less<>> by_name_;
};

}  // namespace weft::model
