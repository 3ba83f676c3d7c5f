"""Holds src/ against the house rule: an include points down, never sideways, never up; third-party headers stay home."""
import pathlib
import re
import sys

FLOORS = [{"base"}, {"model", "drivers"}, {"state"}, {"work"}, {"ports"}, {"apps"}]
ONE_ROOM = {"base", "model"}  # The other floors hold one room per folder.
# A third-party header → the only rooms whose .cc files may include it. "tl/expected.hpp" alone may stand in a header.
LIBRARY_HOMES = {
    r"sqlite3\.h": {"drivers/store", "drivers/database"},
    r"libpq-fe\.h": {"drivers/store", "drivers/database"},
    r"duckdb\.h": {"drivers/engine"},
    r"yaml\.h": {"base"},
    r"nlohmann/": {"base"},
    r"sodium\.h": {"base", "drivers/token"},
    r"spdlog/": {"base"},
    r"boost/": {"drivers/http"},
    r"curl/": {"drivers/http"},
    r"openssl/": {"drivers/http", "drivers/token", "base"},
    r"re2/": {"model"},
    r"cctz/": {"model"},
    r"arrow/": {"ports/flight"},
    r"google/protobuf": {"ports/flight"},
    r".*FlightSql\.pb\.h": {"ports/flight"},
    r"CLI/": {"apps/weft"},
    r"prometheus/": {"apps/weft"},
    r"zlib\.h": {"work/run"},
    r"fmt/": None,  # Any .cc.
    r"gtest/": None,
}
# What a door asks of the catalogue, it asks as the caller sees it: of a catalog::Seen.
UNSEEN = re.compile(r"\bcatalog::(Product|FindProduct|Products|Resolve|ResolveSql|Ports|Load|Folders|ProductsWith)\(")
rank = {name: floor for floor, names in enumerate(FLOORS) for name in names}


def room(path: str) -> str:
    top, *rest = path.split("/")
    return top if top in ONE_ROOM else f"{top}/{rest[0]}"


def fault_of(here: str, quote: str, to: str) -> str | None:
    if quote == '"' and to.split("/")[0] in rank:
        if room(to) != room(here) and rank[to.split("/")[0]] >= rank[here.split("/")[0]]:
            return f"{room(here)} may not see {room(to)}"
        return None
    for pattern, homes in LIBRARY_HOMES.items():
        if re.match(pattern, to):
            if here.endswith(".h") and not here.endswith("/testing.h"):  # Which only tests include.
                return f"<{to}> may not stand in a header"
            if homes is not None and room(here) not in homes and not here.endswith(("_test.cc", "/testing.h")):
                return f"<{to}> belongs in a .cc of {' or '.join(sorted(homes))}"
    return None


def main() -> int:
    src = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    faults = 0
    for file in sorted([*src.rglob("*.h"), *src.rglob("*.cc")]):
        here = file.relative_to(src).as_posix()
        for number, line in enumerate(file.read_text().splitlines(), 1):
            found = re.match(r'\s*#\s*include ([<"])([^">]+)[">]', line)
            fault = found and fault_of(here, *found.groups())
            if here.startswith("ports/") and UNSEEN.search(line):
                fault = "a door asks catalog::Seen, which knows what the caller may know of"
            if fault:
                faults += 1
                print(f"src/{here}:{number}: {fault}")
    return 1 if faults else 0


sys.exit(main())
