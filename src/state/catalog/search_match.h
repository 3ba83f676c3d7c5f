// Which documents are found, before anything is shown of them: inside this room only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/sight.h"
#include "state/catalog/search_index.h"

namespace weft::catalog::index {

// What is asked besides words.
struct Narrowed {
  std::vector<std::vector<std::string>> marks;  // Of each list one.
  std::vector<std::string> without;             // None of these.
  std::string fresh_since;                      // Empty, or a time.
};

// The documents that may be found.
struct Frame {
  Impacts in;                                 // 1, or 0.
  std::vector<std::vector<int64_t>> of_each;  // Documents of one product, of which the best counts.
};
// All that is seen, and of that what is asked.
Result<Frame> SeenBy(store::Txn& txn, const Reader& reader, const model::Sight& sight);
Status Narrow(store::Txn& txn, const Reader& reader, const Narrowed& to, Frame* frame);

// For each document how much all terms count in it together; 0 where one does not stand there.
using Scores = std::vector<uint16_t>;
// `terms`: what Reader::Find answers of each. Without any, all of the frame are equal.
Scores Match(const Frame& frame, const std::vector<const Impacts*>& terms);
int64_t Count(const Scores& scores);

// Best first, at most so many; of equals the more popular, and then the newest.
struct Ranked {
  int64_t id = 0;
  int score = 0;
  int popular = 0;
};
Result<std::vector<Ranked>> Best(const Reader& reader, const Scores& scores, size_t most);

// How popular a product is that was granted so often; documents have this mark with so much impact, where it is any.
int PopularOf(int64_t grants);
std::string PopularMark();

}  // namespace weft::catalog::index
