#!/usr/bin/env bash
# Builds every fuzzer and runs each FUZZ_SECONDS (default 300) from its seeds; prints a dated table and fails on a find.
# What is found stays in build/fuzz/found; new inputs are kept in build/fuzz/corpus, so that later runs begin where this ends.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds="${FUZZ_SECONDS:-300}"
[ -e build/fuzz/build.ninja ] || cmake --preset fuzz >build/fuzz.configure.log 2>&1 || { cat build/fuzz.configure.log; exit 1; }
cmake --build --preset fuzz --target fuzzers

mkdir -p build/fuzz/found
failed=0
date -u +'%Y-%m-%d, commit '"$(git rev-parse --short HEAD)"', '"$seconds"' s each'
printf '%-20s %12s %10s %8s %8s\n' target runs 'runs/s' covered finds
for program in build/fuzz/fuzz/*_fuzz; do
  name=$(basename "$program" _fuzz)
  mkdir -p "build/fuzz/corpus/$name"
  log="build/fuzz/$name.log"
  words=()
  [ -e "fuzz/$name.dict" ] && words=(-dict="fuzz/$name.dict")
  status=0
  "$program" -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 "${words[@]}" \
    -artifact_prefix="build/fuzz/found/$name-" "build/fuzz/corpus/$name" "fuzz/corpus/$name" >"$log" 2>&1 || status=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
  covered=$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)
  printf '%-20s %12s %10s %8s %8s\n' "$name" "${runs:--}" "${rate:--}" "${covered:--}" "$([ $status = 0 ] && echo 0 || echo 1)"
  if [ $status != 0 ]; then
    failed=1
    tail -40 "$log"
  fi
done
exit $failed
