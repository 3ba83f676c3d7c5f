"""A point query through a node (its read recorded durably before the first row) against the same SQL in an embedded
DuckDB over the same files. Target: at most 5 ms more."""
import os
import pathlib
import sys
import tempfile
import time

import pyarrow.flight as flight

from common import contract, engine, percentile, product, say, statement, write_mesh
from node import Node

ROWS = int(float(os.environ.get("ROWS", "1e6")))
REPEAT = int(os.environ.get("REPEAT", "300"))
TARGET_MS = 5
COLUMNS = [("id", "integer", "bigint"), ("name", "string", "varchar"), ("amount", "number", "double")]


def timed(call) -> float:
    began = time.perf_counter()
    if call() != 1:
        raise SystemExit("the point query did not find its one row")
    return (time.perf_counter() - began) * 1e3


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch_name:
        scratch = pathlib.Path(scratch_name)
        engine().execute(f"COPY (SELECT i AS id, 'name ' || i AS name, i * 0.5::DOUBLE AS amount FROM range({ROWS}) r(i)) "
                         f"TO '{scratch / 'point.parquet'}' (FORMAT parquet)")
        mesh = scratch / "mesh"
        mesh.mkdir()
        write_mesh(mesh, (product("point", scratch / "point.parquet", "parquet", ["id"]), contract("point", COLUMNS, {}, [])))
        with Node("--source-roots", str(scratch)) as node:
            node.run("apply", str(mesh))
            node.run("run", "--all")
            files = [str(f) for f in (node.data / "warehouse").rglob("*.parquet")]
            bare = engine()
            client = flight.FlightClient(node.flight.replace("grpc://", "grpc+tcp://"))
            headers = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {node.token}".encode())])

            def embedded(key: int) -> int:
                return len(bare.execute(f"SELECT * FROM read_parquet({files}) WHERE id = {key}").fetch_arrow_table())

            def ours(key: int) -> int:
                query = f"SELECT * FROM bench.point.point_v1 WHERE id = {key}"
                info = client.get_flight_info(flight.FlightDescriptor.for_command(statement(query)), headers)
                return client.do_get(info.endpoints[0].ticket, headers).read_all().num_rows

            embedded_ms, ours_ms = [], []
            for i in range(REPEAT + 20):
                key = i * 7919 % ROWS
                pair = timed(lambda: embedded(key)), timed(lambda: ours(key))
                if i >= 20:  # The first ones warm both.
                    embedded_ms.append(pair[0])
                    ours_ms.append(pair[1])
    for name, values in (("point.embedded", embedded_ms), ("point.weft", ours_ms)):
        say(f"{name}.p50", "ms", percentile(values, 0.5))
        say(f"{name}.p99", "ms", percentile(values, 0.99))
    say("point.overhead.p50", "ms", percentile(ours_ms, 0.5) - percentile(embedded_ms, 0.5))
    say("point.overhead_target", "ms", TARGET_MS)
    return 0


sys.exit(main())
