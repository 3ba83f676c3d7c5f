#!/usr/bin/env bash
# Runs the unit tests, the scenarios and the suites of the build named by PRESET (default release), prints each part's
# outcome and, last, one line "N passed, N failed". PART=unit|scenarios|postgres|suites runs one of them,
# and PART=interop the comparisons with other programs, which are not among them.
set -uo pipefail
cd "$(dirname "$0")/.."
preset="${PRESET:-release}"
export WEFT_PROGRAM="$PWD/build/$preset/weft"
python="$PWD/build/deps/venv/bin/python"
# Of builds under a sanitizer: a finding ends the program, with its stack.
export UBSAN_OPTIONS="print_stacktrace=1" TSAN_OPTIONS="halt_on_error=1"
passed=0 failed=0
logs=$(mktemp -d); trap 'rm -rf "$logs"' EXIT

# count NAME LOG STATUS: adds what the log's own last line says; a part that says nothing counts as one.
count() {
  local name=$1 log=$2 status=$3 ok bad
  if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
    ok=${BASH_REMATCH[1]} bad=${BASH_REMATCH[2]}
  elif grep -qE '^Ran [0-9]+ tests? in' "$log"; then  # unittest
    local ran; ran=$(sed -nE 's/^Ran ([0-9]+) tests? in.*/\1/p' "$log" | tail -n 1)
    bad=$(sed -nE 's/^FAILED \(([^)]*)\).*/\1/p' "$log" | tail -n 1 | grep -oE '(failures|errors)=[0-9]+' | grep -oE '[0-9]+' | paste -sd+ | bc); bad=${bad:-0}
    ok=$((ran - bad))
  elif grep -qE '^\[  PASSED  \]' "$log"; then  # GoogleTest
    ok=$(sed -nE 's/^\[  PASSED  \] ([0-9]+) tests?\..*/\1/p' "$log" | tail -n 1)
    bad=$(grep -oE '^\[  FAILED  \] [A-Za-z0-9_/]+\.[A-Za-z0-9_/]+' "$log" | sort -u | wc -l)
  else
    ok=$((status == 0)) bad=$((status != 0))
  fi
  [ "$status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
  passed=$((passed + ok)) failed=$((failed + bad))
  printf '%-44s %5d passed %4d failed  %4ds\n' "$name" "$ok" "$bad" "$SECONDS"
}

log_of() { echo "$logs/$(tr -c 'a-z0-9\n' _ <<<"$1")"; }

# run NAME COMMAND…: into the log of NAME; how it ended and how long it took stand beside that.
run() {
  local log; log=$(log_of "$1"); shift
  SECONDS=0
  timeout 900 "$@" >"$log" 2>&1
  echo "$? $SECONDS" >"$log.end"
}

# told NAME: counts what was run; quiet where it went well.
told() {
  local name=$1 log status; log=$(log_of "$name")
  read -r status SECONDS <"$log.end" || status=1
  [ "$status" -ne 0 ] && tail -n 120 "$log"
  count "$name" "$log" "$status"
}

part() { run "$@"; told "$1"; }

# Everything beside a PostgreSQL server, which some tests use; STORE=postgres makes it the store of all.
if [ -z "${WEFT_TEST_POSTGRES:-}" ] && [ "${PART:-}" != interop ]; then
  rm -rf "$logs"
  exec "$python" tests/support/with_postgres.py "$0"
fi
export WEFT_TEST_STORE="${STORE:-sqlite}"

want() { [ -z "${PART:-}" ] || [ "$PART" = "$1" ]; }
want unit && part "unit tests" "build/$preset/unit_tests" --gtest_brief=1
want scenarios && part "scenarios" "$python" tests/run.py
if [ "$WEFT_TEST_STORE" = sqlite ] && want postgres; then
  rooms='Catalog*:Access*:Ledger*:Audit*:Runs*:Lineage*:Requests*:Feedback*:Nodes*:Gate*:Approve*'
  WEFT_TEST_STORE=postgres part "unit tests on PostgreSQL" "build/$preset/unit_tests" --gtest_brief=1 "--gtest_filter=$rooms"
  WEFT_TEST_STORE=postgres part "scenarios on PostgreSQL" "$python" tests/run.py \
    tests/run/run.test tests/catalog/find.test tests/access/grants.test tests/audit/who.test
fi
if want suites; then  # Two at a time: much of a suite's time it waits for a node or a server.
  export logs python
  export -f run log_of
  mapfile -t suites < <(git ls-files 'tests/*/*.py' ':!tests/support')
  printf '%s\n' "${suites[@]}" | xargs -P 2 -I{} bash -c 'run "{}" "$python" "{}"'
  for suite in "${suites[@]}"; do told "$suite"; done
fi
if [ "${PART:-}" = interop ]; then
  part interop/datacontract/agree.py "${WEFT_CACHE:-$HOME/.cache/weft}/venv-datacontract/bin/python" interop/datacontract/agree.py
  part interop/dbt/project.py "${WEFT_CACHE:-$HOME/.cache/weft}/venv-dbt/bin/python" interop/dbt/project.py
  part interop/keycloak/people.py "$python" interop/keycloak/people.py
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
