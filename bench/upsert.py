"""Upserts of 1 % of TPC-H lineitem into a table that holds all of it, by its primary key: once the newest keys, which lie
together, and once every hundredth, which lie everywhere. Beside them a full replace of the same rows by the same node."""
import os
import pathlib
import statistics
import sys
import tempfile
import time

from common import LINEITEM, THREADS, contract, engine, product, say, summary, tpch_csv, write_mesh
from node import Node

SCALE = float(os.environ.get("SCALE", "1"))
REPEAT = int(os.environ.get("REPEAT", "3"))
TARGET = 0.15

KEY = {"l_orderkey": {"primaryKey": True, "primaryKeyPosition": 1, "required": True},
       "l_linenumber": {"primaryKey": True, "primaryKeyPosition": 2, "required": True}}


def port(name: str, file: pathlib.Path, mode: str) -> tuple[dict, dict]:
    descriptor = product(name, file, "parquet", [])
    descriptor["outputPorts"][0]["customProperties"][0]["value"]["mode"] = mode
    return descriptor, contract(name, LINEITEM, KEY, [])


def main() -> int:
    source = tpch_csv("lineitem", SCALE)
    with tempfile.TemporaryDirectory() as scratch, \
            Node("--source-roots", scratch, "--run-memory", "2GB", "--threads", str(THREADS)) as node:
        folder = pathlib.Path(scratch)
        types = ", ".join(f"'{name}': '{physical.upper()}'" for name, _, physical in LINEITEM)
        whole, part = folder / "whole.parquet", folder / "part.parquet"
        con = engine()
        con.execute(f"""COPY (SELECT * FROM read_csv('{source}', header=true, auto_detect=false, columns={{{types}}}))
            TO '{whole}' (FORMAT parquet, COMPRESSION zstd)""")

        def write(rows: str, mark: int):
            con.execute(f"COPY (SELECT * REPLACE ('changed {mark}' AS l_comment) FROM '{whole}' WHERE {rows}) TO '{part}' "
                        "(FORMAT parquet, COMPRESSION zstd)")

        def run(address: str) -> float:
            began = time.monotonic()
            done = node.json("run", address, "--force")["runs"][0]
            took = time.monotonic() - began
            assert done["status"] == "succeeded", done
            return took

        mesh = folder / "mesh"
        mesh.mkdir()
        write_mesh(mesh, port("replaced", whole, "replace"), port("upserted", part, "upsert"))
        con.execute(f"COPY (FROM '{whole}') TO '{part}' (FORMAT parquet, COMPRESSION zstd)")
        node.run("apply", str(mesh))
        run("bench/replaced")  # Warm.
        say("upsert.first_load", "s", run("bench/upserted"))
        files = node.json("snapshots", "bench/upserted/upserted")["snapshots"][0]["files"]
        say("upsert.files", "count", files)
        newest = con.execute(f"SELECT quantile_disc(l_orderkey, 0.99) FROM '{whole}'").fetchone()[0]
        spread = {"newest": f"l_orderkey > {newest}", "everywhere": "hash(l_orderkey, l_linenumber) % 100 = 0"}
        replaced, upserted = [], {name: [] for name in spread}
        for mark in range(REPEAT):
            replaced.append(run("bench/replaced"))
            for name, rows in spread.items():
                write(rows, mark)
                upserted[name].append(run("bench/upserted"))
        median = summary("upsert.full_replace", "s", replaced)
        for name, times in upserted.items():
            summary(f"upsert.one_percent_{name}", "s", times)
            say(f"upsert.ratio_{name}", "x", statistics.median(times) / median)
        say("upsert.ratio_target", "x", TARGET)
        rows = con.execute(f"SELECT count(*) FROM '{whole}'").fetchone()[0]
        assert node.json("snapshots", "bench/upserted/upserted")["snapshots"][0]["rows"] == rows
    return 0


sys.exit(main())
