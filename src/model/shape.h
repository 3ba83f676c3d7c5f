// What a descriptor may look like, written as tables, and the one checker that holds a text against them.
#pragma once

#include <climits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/yaml.h"

namespace weft::model::shape {

struct Shape;

// Kinds of values as JSON Schema counts them; a whole number is kIsNumber too.
enum Kinds : int {
  kIsText = 1,
  kIsNumber = 2,
  kIsInteger = 4,
  kIsBool = 8,
  kIsNull = 16,
  kIsList = 32,
  kIsMap = 64,
  kIsScalar = kIsText | kIsNumber | kIsBool | kIsNull,
  kIsAny = kIsScalar | kIsList | kIsMap,
};

// One of the texts that a value can be, in the versions of the standard from `since` on.
struct Word {
  std::string_view text;
  int since = 0;
};

// A regular expression (RE2) that the whole text must match, from a version of the standard on.
struct Pattern {
  int since;
  const char* regex;
  std::string_view meaning;  // "a table.column"
};

// What a value may be. Limits count only for the kinds that they speak of.
struct Type {
  int kinds = kIsAny;
  const Shape* shape = nullptr;            // Of a map; null: any map.
  const Type* items = nullptr;             // Of a list; null: anything.
  std::span<const Word> words = {};        // The texts allowed; empty: any.
  std::span<const Pattern> patterns = {};  // The newest that the version has counts.
  size_t least = 0;                        // Items of a list.
  size_t most = SIZE_MAX;
  bool distinct = false;
  std::optional<double> minimum = {};
  std::optional<double> above = {};
};

inline constexpr Type kAny{};
inline constexpr Type kText{.kinds = kIsText};
inline constexpr Type kNumber{.kinds = kIsNumber};
inline constexpr Type kInteger{.kinds = kIsInteger};
inline constexpr Type kBool{.kinds = kIsBool};
inline constexpr Type kScalar{.kinds = kIsScalar};
inline constexpr Type kAnyMap{.kinds = kIsMap};
inline constexpr Type kTexts{.kinds = kIsList, .items = &kText};
inline constexpr Type kAnyList{.kinds = kIsList};

constexpr Type MapOf(const Shape& shape) { return {.kinds = kIsMap, .shape = &shape}; }
constexpr Type ListOf(const Type& items) { return {.kinds = kIsList, .items = &items}; }

struct Key {
  std::string_view name;
  const Type* type;
  bool required = false;
  int since = 0;
  int before = INT_MAX;  // Gone (or another row's) from this version on.
};

class Checker;

// The keys of a map. A key may have several rows for several versions.
struct Shape {
  std::string_view name;  // As messages say it: "a property".
  std::span<const Key> keys;
  int closed_since = 0;  // From this version on, keys that are not in the table are refused; kOpen: never.
  // Shapes that hold for the same map as well, chosen by what stands in it.
  void (*also)(const yaml::Node& map, int version, std::vector<const Shape*>& shapes) = nullptr;
  // What no table can say.
  void (*rule)(Checker& checker, const yaml::Node& map, const std::string& path) = nullptr;
  // Those of which `also` chooses one, where no word of a key says which: for who describes the table.
  std::span<const Shape* const> one_of = {};
};

constexpr int kOpen = INT_MAX;
constexpr bool kRequired = true;

// Collects every problem of one text. `version` is the standard's as a number: 320 for v3.2.0.
class Checker {
 public:
  Checker(std::string file, std::string rule, int version)
      : file_(std::move(file)), rule_(std::move(rule)), version_(version) {}

  void Check(const yaml::Node& node, const Type& type, const std::string& path);
  void Fail(const yaml::Node& at, const std::string& path, std::string message);
  void Fail(int line, int column, const std::string& path, std::string message);
  int version() const { return version_; }
  std::vector<Problem> TakeProblems() { return std::move(problems_); }

 private:
  void CheckText(const yaml::Node& node, const Type& type, const std::string& path);
  void CheckNumber(const yaml::Node& node, const Type& type, const std::string& path);
  void CheckList(const yaml::Node& node, const Type& type, const std::string& path);
  void CheckMap(const yaml::Node& node, const Shape& shape, const std::string& path);
  void UnknownKey(const yaml::Node::Entry& entry, const std::vector<const Shape*>& shapes, const std::string& path);

  std::string file_;
  std::string rule_;
  int version_;
  std::vector<Problem> problems_;
};

// "the number 5", "'abc'", "a list": how a message names what was written.
std::string Shown(const yaml::Node& node);
std::string Child(const std::string& path, std::string_view key);  // "schema[0]" and "name": "schema[0].name".
std::string Child(const std::string& path, size_t index);

// One error of all problems: the first as its message, and how many more there are.
Error AsError(std::vector<Problem> problems);

}  // namespace weft::model::shape
