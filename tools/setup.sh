#!/usr/bin/env bash
# Brings what the build and the tests need onto a Debian machine: `setup.sh build`, `setup.sh test`…
# Safe to repeat; does nothing when all is there. Downloads are kept in $WEFT_CACHE (default ~/.cache/weft).
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${WEFT_CACHE:-$HOME/.cache/weft}"
mkdir -p "$cache"

say() { printf '\033[2m%s\033[0m\n' "$*" >&2; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

build_packages="cmake ninja-build ccache mold pkg-config g++ python3-venv
  libboost1.81-dev libboost-url1.81-dev libsqlite3-dev libpq-dev zlib1g-dev libspdlog-dev libfmt-dev libexpected-dev libyaml-dev
  prometheus-cpp-dev libcli11-dev libprotobuf-dev protobuf-compiler libcurl4-openssl-dev libssl-dev
  nlohmann-json3-dev libre2-dev libcctz-dev tzdata libsodium-dev libgtest-dev libbenchmark-dev"
check_packages="clang-format-16 clang-tidy-16"
fuzz_packages="clang-16 lld libclang-rt-16-dev"

install_packages() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing and there is neither root nor sudo: ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# libduckdb.so: the official build, out of an npm package, held to its hash.
fetch_duckdb() {
  local version=1.5.5 package=@duckdb/node-bindings-linux-x64@1.5.5-r.5
  local sum=86d2bda909785550e8a14a57a8a4584827aff0e268d8f1a58c3fd48559f7020e
  local home="$cache/duckdb-$version"
  [ -e "$home/lib/libduckdb.so" ] && return
  command -v npm >/dev/null || fail "npm is needed to fetch libduckdb: install Node.js"
  say "fetching DuckDB $version"
  local work; work=$(mktemp -d "$cache/duckdb.XXXXXX")
  (cd "$work" && npm pack --silent "$package" >/dev/null)
  local archive; archive=$(ls "$work"/*.tgz)
  echo "$sum  $archive" | sha256sum -c --quiet - || fail "checksum of $package does not match"
  tar xzf "$archive" -C "$work"
  mkdir -p "$home/lib"
  mv "$work/package/libduckdb.so" "$home/lib/libduckdb.so"
  rm -rf "$work"
}

# Wheels are zip files: DuckDB's signed extensions and Arrow's headers and libraries are inside.
fetch_wheels() {
  local lock; lock=$(sha256sum cmake/python-wheels.txt | cut -c1-12)
  local stamp="$cache/wheels-$lock"
  [ -e "$stamp/done" ] && return
  say "fetching Arrow and the DuckDB extensions"
  rm -rf "$stamp"; mkdir -p "$stamp/dl"
  "$(python)" -m pip download -q --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: --python-version 3.11 \
    --implementation cp --platform manylinux2014_x86_64 --platform manylinux_2_28_x86_64 -d "$stamp/dl" -r cmake/python-wheels.txt
  for wheel in "$stamp"/dl/*.whl; do python3 -m zipfile -e "$wheel" "$stamp/x"; done
  mkdir -p "$stamp/duckdb/v1.5.5/linux_amd64"
  find "$stamp/x" -name '*.duckdb_extension' -exec mv {} "$stamp/duckdb/v1.5.5/linux_amd64/" \;
  mv "$stamp/x/pyarrow" "$stamp/arrow"
  rm -rf "$stamp/x" "$stamp/dl"
  touch "$stamp/done"
}

# PostgreSQL's server, for tests/support/postgres.py. Debian's package starts one of the machine's, which nobody asked for.
install_postgres() {
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null && return
  install_packages postgresql-common
  local as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  install_packages postgresql-15
}

# A virtual environment of our own: nothing is installed into the person's Python.
python() {
  [ -x "$cache/venv/bin/python" ] || python3 -m venv "$cache/venv"
  echo "$cache/venv/bin/python"
}

install_python_peers() {
  local lock; lock=$(sha256sum tests/requirements.txt | cut -c1-12)
  [ -e "$cache/venv/peers-$lock" ] && return
  say "installing the Python clients that the tests use"
  "$(python)" -m pip install -q --disable-pip-version-check -r tests/requirements.txt
  touch "$cache/venv/peers-$lock"
}

# A certified OpenID provider, for tests/identity/oidc.py.
install_oidc() {
  local lock; lock=$(sha256sum tests/identity/package-lock.json | cut -c1-12)
  local home="$cache/oidc-$lock"
  if [ ! -e "$home/done" ]; then
    command -v npm >/dev/null || fail "npm is needed to fetch oidc-provider: install Node.js"
    say "fetching an OpenID provider"
    rm -rf "$home"; mkdir -p "$home"
    cp tests/identity/package.json tests/identity/package-lock.json "$home"
    npm --prefix "$home" ci --silent --ignore-scripts --no-audit --no-fund >/dev/null
    touch "$home/done"
  fi
  mkdir -p build/deps
  ln -sfn "$home" build/deps/oidc
}

# The JSON Schemas of the standards, out of two packages, for tests/descriptors/agreement.py.
fetch_schemas() {
  local lock; lock=$(sha256sum tests/schemas.txt | cut -c1-12)
  local home="$cache/schemas-$lock"
  if [ ! -e "$home/done" ]; then
    say "fetching the standards' JSON Schemas"
    rm -rf "$home"; mkdir -p "$home/dl"
    "$(python)" -m pip download -q --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: -d "$home/dl" -r tests/schemas.txt
    for wheel in "$home"/dl/*.whl; do python3 -m zipfile -e "$wheel" "$home/x"; done
    for package in datacontract dataproduct; do mv "$home/x/$package/schemas" "$home/$package"; done
    rm -rf "$home/x" "$home/dl"
    touch "$home/done"
  fi
  mkdir -p build/deps
  ln -sfn "$home" build/deps/schemas
}

# datacontract-cli pins other versions than the tests do: a virtual environment of its own.
install_interop() {
  local lock home="$cache/venv-datacontract"; lock=$(sha256sum interop/requirements.txt | cut -c1-12)
  [ -e "$home/peers-$lock" ] && return
  say "installing datacontract-cli (550 MB)"
  python3 -m venv "$home"
  "$home/bin/python" -m pip install -q --disable-pip-version-check -r interop/requirements.txt
  touch "$home/peers-$lock"
}

# Keycloak, for interop/keycloak: Maven fetches it, Java runs it.
install_keycloak() {
  local version=26.7.3 home
  home="$cache/keycloak-$version"
  install_packages maven openjdk-17-jre-headless
  if [ ! -e "$home/done" ]; then
    say "fetching Keycloak $version (176 MB)"
    rm -rf "$home"; mkdir -p "$home/dl"
    mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
      -Dartifact="org.keycloak:keycloak-quarkus-dist:$version:tar.gz" -DoutputDirectory="$home/dl" >"$home/maven.log" 2>&1 ||
      fail "Maven could not fetch Keycloak: see $home/maven.log"
    tar xzf "$home"/dl/*.tar.gz -C "$home" --strip-components=1
    rm -rf "$home/dl"
    touch "$home/done"
  fi
  mkdir -p build/deps
  ln -sfn "$home" build/deps/keycloak
}

what="${1:-build}"
case "$what" in
  build) install_packages $build_packages; fetch_duckdb; fetch_wheels ;;
  test) "$0" build; install_python_peers; fetch_schemas; install_oidc; install_postgres ;;
  check) "$0" build; install_packages $check_packages ;;
  fuzz) "$0" build; install_packages $fuzz_packages ;;
  interop) "$0" test; install_interop; install_keycloak ;;
  *) fail "usage: setup.sh build|test|check|fuzz|interop" ;;
esac
# Where CMake finds what was fetched.
mkdir -p build/deps
ln -sfn "$cache/duckdb-1.5.5" build/deps/duckdb
ln -sfn "$cache/wheels-$(sha256sum cmake/python-wheels.txt | cut -c1-12)" build/deps/wheels
ln -sfn "$cache/venv" build/deps/venv
