// What a fuzzer claims of its subject: a claim that does not hold is a find.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>

inline void Check(bool holds, std::source_location where = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: this does not hold\n", where.file_name(), static_cast<unsigned>(where.line()));
  std::abort();
}
