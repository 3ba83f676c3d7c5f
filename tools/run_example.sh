#!/usr/bin/env bash
# A node with an example mesh on it, in the foreground: `run_example.sh flights`. Repeat it as often as you like: what is
# published stays published, what has run is skipped. WEFT_DATA names another data folder, WEFT_EXAMPLES another folder
# of examples. WEFT_SCALE is how large an example is made whose data is made.
set -euo pipefail
cd "$(dirname "$0")/.."
example="${1:?usage: run_example.sh EXAMPLE}"
examples="${WEFT_EXAMPLES:-examples}"
folder="$examples/$example"
weft="$PWD/build/weft"
state="${XDG_STATE_HOME:-$HOME/.local/state}/weft"
log="$state/example.log"
node=
# A node is of one mesh, so that the next example, and one of another size, has a data folder of its own.
if [ "$example" != flights ]; then
  export WEFT_DATA="${WEFT_DATA:-${XDG_DATA_HOME:-$HOME/.local/share}/weft-$example${WEFT_SCALE:+-$WEFT_SCALE}}"
fi

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() { printf 'run_example: %s\n' "$*" >&2; exit 1; }
# Shows a command as one would type it, and runs it.
try() { printf '\033[36m$ weft %s\033[0m\n' "$*"; "$weft" "$@"; }

stop() {
  trap - INT TERM EXIT
  if [ -n "$node" ] && kill -0 "$node" 2>/dev/null; then
    printf '\nstopping the node…\n'
    kill -TERM "$node"
    wait "$node" || true
  fi
  exit "${1:-0}"
}

# A field of what the node wrote about itself when it was up; empty before.
entry() {
  python3 - "$state/nodes" "$node" "$1" <<'PYTHON'
import glob, json, sys
folder, pid, field = sys.argv[1:]
for file in glob.glob(folder + "/*.json"):
    try:
        found = json.load(open(file))
    except (OSError, ValueError):
        continue
    if str(found.get("pid")) == pid:
        print(found.get(field, ""))
PYTHON
}

[ -e "$folder/grants.txt" ] || fail "there is no example '$example'; there are: $(ls "$examples"/*/grants.txt | xargs -n1 dirname | xargs -n1 basename | xargs)"
[ -x "$weft" ] || fail "build/weft is not there: make build"
tools/fetch_example.sh "$example"
mkdir -p "$state"

say "Starting a node (log: $log)"
trap 'stop 130' INT TERM
trap 'stop $?' EXIT
"$weft" serve >"$log" 2>&1 &
node=$!
for ((tenths = 0; ; tenths++)); do
  if ! kill -0 "$node" 2>/dev/null; then
    node=
    tail -n 5 "$log" >&2
    fail "the node did not start. Is one running already? Stop it, or take another folder and ports: WEFT_DATA=/tmp/weft WEFT_HTTP_PORT=0 WEFT_FLIGHT_PORT=0 make run EXAMPLE=$example"
  fi
  WEFT_NODE=$(entry url)
  export WEFT_NODE
  if [ -n "$WEFT_NODE" ] && "$weft" status >/dev/null 2>&1; then break; fi
  [ "$tenths" -lt 300 ] || fail "the node is not ready after 30 s; see $log"
  sleep 0.1
done

say "Publishing $folder"
try apply "$folder"
WEFT_TOKEN_FILE=$(entry token_file)  # Who asks was said above, and is not said again.
export WEFT_TOKEN_FILE

say "Granting who may read what"
granted=$("$weft" grants --json | python3 -c '
import json, sys
for grant in json.load(sys.stdin)["grants"]:
    if not grant["until"]:
        print(grant["principal"], grant["address"], grant["purpose"])')
unchanged=0
while read -r principal port purpose; do
  case "$principal" in "" | "#"*) continue ;; esac
  if grep -qxF "$principal $port $purpose" <<<"$granted"; then
    unchanged=$((unchanged + 1))
  else
    try grant "$principal" "$port" ${purpose:+--purpose "$purpose"} </dev/null
  fi
done <"$folder/grants.txt"
[ "$unchanged" = 0 ] || echo "= $unchanged unchanged"

say "Running every build; what is up to date is skipped"
# An example whose runs are of certain times says which: a line of runs.txt is what stands after `weft run`.
while read -r line; do
  case "$line" in "" | "#"*) continue ;; esac
  # shellcheck disable=SC2086  # Its words are arguments.
  try run $line </dev/null |
    awk '/^([0-9-]+ )?skipped /{unchanged++; next} {print; fflush()} END{if (unchanged) printf "= %d unchanged\n", unchanged}'
done < <(cat "$folder/runs.txt" 2>/dev/null || echo --all)

say "The mesh is up. In another terminal:"
cat <<TRY
  export PATH="$PWD/build:\$PATH"$([ "$WEFT_NODE" = http://127.0.0.1:7470 ] || echo " WEFT_NODE=$WEFT_NODE")
$(sed 's/^/  /' "$folder/try.txt")

$(read -r _ port purpose < <(grep '^admin ' "$folder/grants.txt"); "$weft" show "$port" ${purpose:+--purpose "$purpose"} | sed -n '/^python /,$p')

Ctrl-C stops the node.
TRY
wait "$node"
