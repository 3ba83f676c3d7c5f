// The names that an object store has, as its S3 interface lists them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/product.h"

namespace weft::run {

// Where a source of kind object reads.
struct ObjectPlace {
  std::string endpoint;  // "https://s3.eu-central-1.amazonaws.com", without a path.
  std::string region;
  std::string bucket;
  std::string pattern;  // Of keys.

  // What comes before the first character of the pattern that stands for others.
  std::string Prefix() const;
  std::string UrlOf(const std::string& key) const;
  // Of one page of the list; `token`: the one that the page before gave, or nothing.
  std::string ListUrl(const std::string& token) const;
};
Result<ObjectPlace> ObjectPlaceOf(const model::Source& source);

struct ListedObject {
  std::string key;
  std::string etag;
  int64_t bytes = 0;
};
struct ListPage {
  std::vector<ListedObject> objects;
  std::string next;  // Empty: it is the last.
};
// kUnavailable for what is no such list.
Result<ListPage> ReadListPage(std::string_view xml);
// What the store says is wrong, by its code alone: "AccessDenied"; empty where it does not say. What else it writes may
// be what it was sent.
std::string ReadObjectError(std::string_view xml);

}  // namespace weft::run
