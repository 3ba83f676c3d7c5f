#!/usr/bin/env bash
# Format, layers, sizes and clang-tidy; prints, last, one line "N passed, N failed". TIDY=all looks at every file, else only
# those changed since the commit before (or all, where the tidy cache is empty).
set -uo pipefail
cd "$(dirname "$0")/.."
passed=0 failed=0
check() {
  local name=$1; shift
  if "$@"; then passed=$((passed + 1)); printf '%-20s ok\n' "$name"; else failed=$((failed + 1)); printf '%-20s FAILED\n' "$name"; fi
}
sources() { git ls-files 'src/*.cc' 'src/*.h' 'fuzz/*.cc' 'tests/*.cc'; }
format() { sources | xargs clang-format-16 --dry-run -Werror; }
# They are built by `make fuzz` alone, with another compiler: here they are only held against the headers that they use.
fuzzers() {
  local file prelude=build/release/src/CMakeFiles/house_headers.dir/cmake_pch.hxx
  for file in fuzz/*.cc; do
    g++ -std=c++20 -Isrc -I. -Ithird_party/duckdb -include "$prelude" -fsyntax-only "$file" || return 1
  done
}
tidy() { python3 tools/tidy.py; }

check format format
check layers python3 tools/check_layers.py
check sizes python3 tools/check_sizes.py
check settings-documented diff <(build/weft settings --markdown) docs/settings.md
check actions-documented diff <(build/weft actions --markdown) docs/actions.md
check one-openssl sh -c '! ldd build/weft | grep -E "libparquet|libarrow_dataset"'
check fuzzers-compile fuzzers
check tidy tidy
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
