#include "model/glob.h"

#include <vector>

namespace weft::model {

namespace {

// The end of the class "[a-z]" that begins at `from`, or npos where the '[' stands for itself.
size_t EndOfClass(std::string_view pattern, size_t from) {
  size_t first = from + 1 < pattern.size() && pattern[from + 1] == '!' ? from + 2 : from + 1;
  return pattern.find(']', first + 1);
}

bool InClass(std::string_view inner, char c) {
  bool negated = inner.starts_with('!');
  if (negated) inner.remove_prefix(1);
  bool found = false;
  for (size_t i = 0; i < inner.size(); ++i) {
    if (i + 2 < inner.size() && inner[i + 1] == '-') {
      found = found || (inner[i] <= c && c <= inner[i + 2]);
      i += 2;
    } else {
      found = found || inner[i] == c;
    }
  }
  return found != negated && c != '/';
}

}  // namespace

bool IsGlob(std::string_view path) { return path.find_first_of("*?[") != path.npos; }

bool GlobMatches(std::string_view pattern, std::string_view path) {
  // matched[i]: the part of the pattern read so far matches the first i characters of the path.
  std::vector<char> matched(path.size() + 1, 0);
  matched[0] = 1;
  for (size_t p = 0; p < pattern.size(); ++p) {
    std::vector<char> next(path.size() + 1, 0);
    if (pattern.substr(p).starts_with("**/") && (p == 0 || pattern[p - 1] == '/')) {
      // Any number of whole folders: on from here, or from behind any later '/'.
      bool open = false;
      for (size_t i = 0; i <= path.size(); ++i) {
        next[i] = matched[i] || (open && path[i - 1] == '/');
        open = open || matched[i];
      }
      p += 2;
    } else if (pattern[p] == '*') {
      for (size_t i = 0; i <= path.size(); ++i) {
        next[i] = matched[i] || (i > 0 && next[i - 1] && path[i - 1] != '/');
      }
    } else if (size_t end = pattern[p] == '[' ? EndOfClass(pattern, p) : pattern.npos; end != pattern.npos) {
      std::string_view inner = pattern.substr(p + 1, end - p - 1);
      for (size_t i = 0; i < path.size(); ++i) next[i + 1] = matched[i] && InClass(inner, path[i]);
      p = end;
    } else {
      for (size_t i = 0; i < path.size(); ++i) {
        next[i + 1] = matched[i] && (pattern[p] == '?' ? path[i] != '/' : pattern[p] == path[i]);
      }
    }
    matched = std::move(next);
  }
  return matched[path.size()];
}

}  // namespace weft::model
