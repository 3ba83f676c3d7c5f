"""Many small files of a table written anew as few, beside a bare DuckDB's COPY of the same files, and what an append of 1,000
rows costs before and after it. The files are those of as many appends by the node."""
import os
import pathlib
import statistics
import sys
import tempfile
import time

from common import THREADS, contract, engine, percentile, product, say, summary, write_mesh
from node import Node

FILES = int(os.environ.get("FILES", "1000"))
ROWS = int(os.environ.get("ROWS", "1000"))
REPEAT = int(os.environ.get("REPEAT", "20"))
PEER = int(os.environ.get("PEER", "3"))

EVENTS = [("id", "integer", "bigint"), ("at", "timestamp", "timestamp"), ("who", "string", "varchar"),
          ("amount", "number", "decimal(10,2)")]
ADDRESS = "bench/events/events"


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch, \
            Node("--source-roots", scratch, "--upkeep-every", "0s", "--threads", str(THREADS), "--upkeep-memory", "1GB") as node:
        folder = pathlib.Path(scratch)
        file, mesh = folder / "events.parquet", folder / "mesh"
        mesh.mkdir()
        con = engine()

        def append(batch: int) -> float:
            con.execute(f"""COPY (SELECT {batch * ROWS} + i AS id, TIMESTAMP '2026-01-01' + to_seconds({batch * ROWS} + i) AS at,
                'user ' || (hash(i, {batch}) % 977) AS who, CAST(hash({batch}, i) % 100000 / 100 AS DECIMAL(10, 2)) AS amount
                FROM range({ROWS}) AS r(i)) TO '{file}' (FORMAT parquet)""")
            _, answer = node.call("POST", "/v1/runs", {"addresses": ["bench/events"]})
            began = time.monotonic()
            while (run := node.call("GET", "/v1/runs/" + answer["runs"][0]["id"])[1])["status"] in ("pending", "running"):
                time.sleep(0.005)
            assert run["status"] == "succeeded" and run["rows"] == ROWS, run
            return (time.monotonic() - began) * 1000

        descriptor = product("events", file, "parquet", [])
        descriptor["outputPorts"][0]["customProperties"][0]["value"]["mode"] = "append"
        write_mesh(mesh, (descriptor, contract("events", EVENTS, {"id": {"required": True}}, [])))
        con.execute(f"COPY (SELECT 1 AS id) TO '{file}' (FORMAT parquet)")
        node.run("apply", str(mesh))
        before = [append(batch) for batch in range(FILES)][-REPEAT:]
        paths = [str(path) for path in (node.data / "warehouse").rglob("*.parquet")]
        assert len(paths) == FILES, len(paths)
        say("upkeep.files", "count", FILES)
        say("upkeep.bytes", "MB", sum(os.path.getsize(path) for path in paths) / 1e6)

        def copy() -> float:
            began = time.monotonic()
            con.execute("COPY (SELECT * FROM read_parquet([" + ", ".join(f"'{path}'" for path in paths) +
                        f"])) TO '{folder / 'peer.parquet'}' (FORMAT parquet, COMPRESSION zstd)")
            with open(folder / "peer.parquet", "rb") as written:
                os.fsync(written.fileno())
            return time.monotonic() - began

        peer = [copy() for _ in range(PEER)]
        done = node.json("upkeep", ADDRESS)["runs"][0]
        assert done["status"] == "succeeded" and done["upkeep"]["files"] == FILES, done
        begin, end = (time.mktime(time.strptime(done[key][:19], "%Y-%m-%dT%H:%M:%S")) + float(done[key][19:26])
                      for key in ("started_at", "ended_at"))
        peer += [copy() for _ in range(PEER)]
        median = summary("upkeep.peer_copy", "s", peer)
        say("upkeep.compaction", "s", end - begin)
        say("upkeep.ratio", "x", (end - begin) / median)
        after = [append(FILES + batch) for batch in range(REPEAT)]
        for name, values in (("before", before), ("after", after)):
            say(f"upkeep.append_{name}.p50", "ms", statistics.median(values))
            say(f"upkeep.append_{name}.p99", "ms", percentile(values, 0.99))
        assert node.json("snapshots", ADDRESS)["snapshots"][0]["rows"] == (FILES + REPEAT) * ROWS
    return 0


sys.exit(main())
