// The mesh's words for its business: what terms/*.yaml say, as values, and what descriptors say of them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/repository.h"
#include "model/shape.h"

namespace weft::model {

struct Term {
  std::string name;  // "on-time"
  std::string definition;
  std::vector<std::string> synonyms;
  std::string owner;                 // A principal, or "group:NAME".
  std::vector<std::string> related;  // Other terms.
  std::vector<std::string> examples;
  std::string file;
  Place place;

  std::string Where() const;  // "terms/flights.yaml:2"
};

struct TermFile {
  std::vector<Term> terms;
  std::string file;  // "terms/flights.yaml"
  std::string bytes;

  // kInvalid carries every problem, rule "weft.term".
  static Result<TermFile> Parse(std::string_view text, const std::string& file);
};

// A descriptor's custom property `term` of vendor weft: what it speaks of has this meaning.
struct TermUse {
  std::string term;
  std::string column;  // "late", "device.kind"; empty: the whole of the port, or the product.
};
std::vector<TermUse> TermsOf(const Contract& contract);
std::vector<TermUse> TermsOf(const Product& product);

// Every term of the mesh by its name. Thread-safe; does not change.
class Terms {
 public:
  // kInvalid carries a problem for each name that stands twice, and for related terms that there are none.
  static Result<std::shared_ptr<const Terms>> Of(std::vector<TermFile> files);

  const Term* Find(std::string_view name) const;
  const std::vector<TermFile>& files() const { return files_; }
  const std::map<std::string, const Term*, std::less<>>& all() const { return by_name_; }

  // What a bundle's descriptors say of terms that there are none. Rule "weft.term".
  std::vector<Problem> Judge(const Bundle& bundle) const;

 private:
  std::vector<TermFile> files_;
  std::map<std::string, const Term*, std::less<>> by_name_;
};

// Those of a folder's files that tell of terms, and what is wrong with them.
struct TermFolder {
  std::vector<TermFile> files;
  std::vector<Problem> problems;
};
TermFolder TermsIn(const std::vector<TextFile>& files);

// Owners that are no group of the mesh.
std::vector<Problem> JudgeOwners(const std::vector<TermFile>& files, const Mesh& mesh);
// A folder by its own terms alone: what stands in a folder without mesh.yaml may speak of those that the mesh has.
std::vector<Problem> JudgeByTerms(const TermFolder& terms, const Repository& repository);

namespace own {
extern const shape::Type kTermsFile;
}  // namespace own

}  // namespace weft::model
