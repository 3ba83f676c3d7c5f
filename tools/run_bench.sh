#!/usr/bin/env bash
# Runs every bench and prints a dated table of its lines; docs/performance.md keeps the newest. BENCH=scan runs one.
set -euo pipefail
cd "$(dirname "$0")/.."
printf '%s · %s · %s cores · %s\n' "$(date -u +%F)" "$(git rev-parse --short HEAD)" "$(nproc)" "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
for bench in ${BENCH:-start ledger point scan governed publish upsert append plan schedule cel compat catalog tokens decide audit}; do
  if [ -e "bench/$bench.py" ]; then build/deps/venv/bin/python "bench/$bench.py"; else "build/release/${bench}_bench"; fi
done | awk '{printf "%-28s %12s %s\n", $1, $3, $2}'
