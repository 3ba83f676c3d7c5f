"""A Flight SQL scan of 10M rows x 8 columns from a node, against plain Flight serving the same batches from memory.
Both servers are processes of their own; the same client (pyarrow.flight) reads both, in turns."""
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import pyarrow as pa
import pyarrow.flight as flight

from common import contract, engine, product, say, statement, summary, write_mesh
from node import Node

ROWS = int(float(os.environ.get("ROWS", "1e7")))
REPEAT = int(os.environ.get("REPEAT", "7"))
TARGET = 0.5
CODECS = ("zstd", "snappy", "uncompressed")  # The first is the node's own choice.
COLUMNS = [("id", "integer", "bigint"), ("day", "date", "date"), ("seen_at", "timestamp", "timestamp"),
           ("amount", "number", "double"), ("price", "number", "decimal(12,2)"), ("kind", "string", "varchar"),
           ("name", "string", "varchar"), ("flag", "boolean", "boolean")]
SELECT = f"""SELECT i AS id, DATE '2024-01-01' + (i % 365)::INT AS day, TIMESTAMP '2024-01-01' + to_seconds(i) AS seen_at,
  i * 0.5::DOUBLE AS amount, (i % 100000 / 100)::DECIMAL(12,2) AS price, ['alpha','beta','gamma'][i % 3 + 1] AS kind,
  'name ' || (i % 10007) AS name, i % 2 = 0 AS flag FROM range({ROWS}) r(i)"""

# Serves, from memory, the batches that the node sent: the limit of the transport.
PLAIN = """
import sys, pyarrow as pa, pyarrow.flight as fl
table = pa.ipc.open_file(pa.memory_map(sys.argv[1])).read_all()
class Server(fl.FlightServerBase):
    def do_get(self, context, ticket):
        return fl.RecordBatchStream(pa.RecordBatchReader.from_batches(table.schema, table.to_batches()))
server = Server("grpc://127.0.0.1:0")
print(server.port, flush=True)
server.serve()
"""


def drain(reader) -> tuple[int, int]:
    rows = size = 0
    for chunk in reader:
        rows += chunk.data.num_rows
        size += chunk.data.nbytes
    return rows, size


class Scanned:
    """A node whose lake has one codec, with the rows in it."""

    def __init__(self, stack: contextlib.ExitStack, scratch: pathlib.Path, codec: str):
        node = stack.enter_context(Node("--source-roots", str(scratch), "--compression", codec))
        node.run("apply", str(scratch / "mesh"))
        node.run("run", "--all")
        self.client = flight.FlightClient(node.flight.replace("grpc://", "grpc+tcp://"))
        self.headers = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {node.token}".encode())])
        self.size = sum(file.stat().st_size for file in pathlib.Path(node.data, "warehouse").rglob("*.parquet"))

    def read(self):
        descriptor = flight.FlightDescriptor.for_command(statement("SELECT * FROM bench.wide.wide_v1"))
        info = self.client.get_flight_info(descriptor, self.headers)
        return self.client.do_get(info.endpoints[0].ticket, self.headers)


def main() -> int:
    with contextlib.ExitStack() as stack:
        scratch = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine().execute(f"COPY ({SELECT}) TO '{scratch / 'wide.parquet'}' (FORMAT parquet)")
        mesh = scratch / "mesh"
        mesh.mkdir()
        write_mesh(mesh, (product("wide", scratch / "wide.parquet", "parquet", []), contract("wide", COLUMNS, {}, [])))
        nodes = {codec: Scanned(stack, scratch, codec) for codec in CODECS}

        with pa.OSFile(str(scratch / "batches.arrow"), "wb") as sink:
            reader = nodes[CODECS[0]].read()
            with pa.ipc.new_file(sink, reader.schema) as writer:
                for chunk in reader:
                    writer.write_batch(chunk.data)
        plain = subprocess.Popen([sys.executable, "-c", PLAIN, str(scratch / "batches.arrow")], stdout=subprocess.PIPE, text=True)
        stack.callback(plain.wait)
        stack.callback(plain.terminate)
        peer = flight.FlightClient(f"grpc+tcp://127.0.0.1:{int(plain.stdout.readline())}")
        drain(peer.do_get(flight.Ticket(b"")))
        reads = {"plain": lambda: peer.do_get(flight.Ticket(b""))} | {codec: node.read for codec, node in nodes.items()}
        seconds: dict[str, list[float]] = {name: [] for name in reads}
        for _ in range(REPEAT):
            for name, read in reads.items():
                began = time.monotonic()
                rows, size = drain(read())
                seconds[name].append(time.monotonic() - began)
                if rows != ROWS:
                    raise SystemExit(f"{name} sent {rows} rows, not {ROWS}")
        sizes = {codec: node.size for codec, node in nodes.items()}
    say("scan.bytes", "B", size)
    limit = summary("scan.plain_flight", "s", seconds["plain"])
    for codec in CODECS:
        median = summary(f"scan.weft.{codec}", "s", seconds[codec])
        say(f"scan.file.{codec}", "B", sizes[codec])
        say(f"scan.ratio.{codec}", "x", limit / median)
    say("scan.ratio_target", "x", TARGET)
    return 0


sys.exit(main())
