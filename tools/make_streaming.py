#!/usr/bin/env python3
"""Makes the data of examples/streaming: `make_streaming.py [--scale N] [--into FOLDER]`. The same scale gives the same
bytes; what is there at that scale is left alone. Scale 1 is about 10,000 users and 300,000 plays."""
import argparse
import ctypes
import hashlib
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
STATEMENTS = ROOT / "examples/streaming/data.sql"
LIBRARY = ROOT / "build/deps/duckdb/lib/libduckdb.so"
# Which product's data each file is; what is in next/ has not arrived yet.
PLACES = {
    "users.csv": "users/accounts/data",
    "billing-2025.csv": "users/subscriptions/data",
    "billing-2026-01.csv": "users/subscriptions/data",
    "billing-2026-02.csv": "users/subscriptions/data",
    "billing-2026-03.csv": "users/subscriptions/data",
    "artists.jsonl": "content/repertoire/data",
    "tracks.parquet": "content/repertoire/data",
    "label-events.jsonl": "labels/onboarding/data",
    "follow-events.parquet": "social/network/data",
    "payees.csv": "payments/payees/data",
    "play-events-2026-01.jsonl.gz": "playback/play-events/data",
    "play-events-2026-02.jsonl.gz": "playback/play-events/data",
    "play-events-2026-03.jsonl.gz": "playback/play-events/data",
    "play-events-2026-04-01.jsonl.gz": "playback/play-events/data/next",
    "play-events-2026-04-02.jsonl.gz": "playback/play-events/data/next",
}


def execute(statements: str):
    """Runs SQL in the DuckDB that Weft is built with, through its C interface."""
    duckdb = ctypes.CDLL(str(LIBRARY))
    duckdb.duckdb_result_error.restype = ctypes.c_char_p
    database, connection = ctypes.c_void_p(), ctypes.c_void_p()
    result = (ctypes.c_char * 256)()  # More than a duckdb_result takes.
    if duckdb.duckdb_open(None, ctypes.byref(database)) or duckdb.duckdb_connect(database, ctypes.byref(connection)):
        sys.exit("make_streaming: DuckDB does not open")
    if duckdb.duckdb_query(connection, statements.encode(), ctypes.byref(result)):
        sys.exit(f"make_streaming: {STATEMENTS}: {duckdb.duckdb_result_error(ctypes.byref(result)).decode()}")
    duckdb.duckdb_destroy_result(ctypes.byref(result))
    duckdb.duckdb_disconnect(ctypes.byref(connection))
    duckdb.duckdb_close(ctypes.byref(database))


def positive(text: str) -> float:
    scale = float(text)
    if not 0.01 <= scale <= 1000:
        raise argparse.ArgumentTypeError("a scale lies between 0.01 and 1000")
    return scale


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scale", type=positive, default=1.0, help="how many times 10,000 users (default 1)")
    arguments.add_argument("--into", type=pathlib.Path, default=STATEMENTS.parent,
                           help="the folder of the mesh (default examples/streaming)")
    chosen = arguments.parse_args()
    if not LIBRARY.exists():
        sys.exit("make_streaming: DuckDB is not there: tools/setup.sh build")
    into = chosen.into.resolve()
    statements = STATEMENTS.read_text()
    made = hashlib.sha256(statements.encode()).hexdigest() + f" at scale {chosen.scale:g}\n"
    stamp = into / ".made"
    targets = {name: into / "domains" / place / name for name, place in PLACES.items()}
    if stamp.exists() and stamp.read_text() == made and all(target.exists() for target in targets.values()):
        return
    print(f"making the plays of {chosen.scale * 10_000:,.0f} users", file=sys.stderr)
    into.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=into, prefix=".making-") as work:
        os.chdir(work)  # The statements name files, and no folder.
        execute(f"SET VARIABLE scale = {chosen.scale!r};\n{statements}")
        for name, target in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(name, target)
        os.chdir(into)
    stamp.write_text(made)


main()
