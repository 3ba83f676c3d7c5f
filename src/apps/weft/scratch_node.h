// A node for a moment: in a folder of its own, on free ports of this machine, ended and removed with its object; and
// this program's other commands, called against it.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apps/weft/database_rows.h"
#include "base/result.h"

namespace weft::app {

// What a call of this program came to.
struct Called {
  int code = 0;
  std::string out;  // Where it was not shown.
};

class ScratchNode {
 public:
  // `settings`: flags of weft serve. No setting of the person's own environment counts.
  static Result<std::unique_ptr<ScratchNode>> Start(const std::vector<std::string>& settings);
  ~ScratchNode();
  ScratchNode(const ScratchNode&) = delete;
  ScratchNode& operator=(const ScratchNode&) = delete;

  const std::string& url() const { return url_; }
  const fs::path& folder() const { return scratch_.path(); }
  bool Lives() const;
  // `weft WORDS…` as its administrator. `shown`: it writes where this process does; else its answer is kept, and what
  // it says beside is dropped.
  Result<Called> Call(const std::vector<std::string>& words, bool shown, const std::string& input = "") const;

 private:
  explicit ScratchNode(ScratchFolder scratch) : scratch_(std::move(scratch)) {}

  ScratchFolder scratch_;
  std::string url_, token_file_;
  pid_t pid_ = -1;
};

}  // namespace weft::app
