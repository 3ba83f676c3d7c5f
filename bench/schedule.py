"""What schedules cost while nothing is to be done: the node's processor time for one look at 1,000 scheduled products of which
none is due, and at 1,000 that are due and held by a pause, which is the most that a look can find. Target: well under 1 s."""
import os
import pathlib
import sys
import tempfile
import time

from common import say
from node import Node

PRODUCTS = int(os.environ.get("PRODUCTS", "1000"))
SECONDS = float(os.environ.get("SECONDS", "10"))
LOOKS = 5  # A second.

PRODUCT = """apiVersion: v1.1.0
kind: DataProduct
id: bench-{n}
name: {n}
domain: {d}
version: 1.0.{v}
status: active
inputPorts:
  - name: source
    version: 1.0.0
    customProperties:
      - {{property: source, vendor: weft, value: {source}}}
outputPorts:
  - name: {n}
    version: 1.0.0
    contractId: bench-{n}
    customProperties:
      - {{property: build, vendor: weft, value: {build}}}
"""
CONTRACT = """apiVersion: v3.2.0
kind: DataContract
id: bench-{n}
name: {n}
version: 1.0.0
status: active
schema:
  - name: rows
    properties:
      - {{name: id, logicalType: integer}}
"""


def write(home: pathlib.Path, domain: str, name: str, version: int, source: str, build: str):
    folder = home / "domains" / domain / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "product.odps.yaml").write_text(PRODUCT.format(d=domain, n=name, v=version, source=source, build=build))
    (folder / f"{name}.odcs.yaml").write_text(CONTRACT.format(n=name))


def publish(node: Node, home: pathlib.Path, version: int, build: str):
    for i in range(PRODUCTS):
        write(home, "readers", f"reader-{i}", version, "{kind: product, address: source/source/source@1}", build)
    node.run("apply", str(home))


def spent(node: Node) -> float:
    """Seconds of the processor that the node took in all."""
    fields = pathlib.Path(f"/proc/{node.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle(node: Node) -> float:
    """Milliseconds of the processor for each look that the node makes while it is left alone."""
    time.sleep(2)
    before = spent(node)
    time.sleep(SECONDS)
    return (spent(node) - before) / (SECONDS * LOOKS) * 1e3


def main() -> int:
    with Node() as node, tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch) / "mesh"
        home.mkdir()
        (home / "mesh.yaml").write_text("id: bench\ndomains:\n  - {name: source, owners: [admin]}\n  - {name: readers, owners: [admin]}\n")
        write(home, "source", "source", 0, "{kind: file, path: rows.csv}", "{mode: replace}")
        (home / "domains" / "source" / "source" / "rows.csv").write_text("id\n1\n")
        publish(node, home, 0, "{mode: replace}")
        none = idle(node)
        say("schedule.no_schedules", "ms_cpu", none)
        publish(node, home, 1, "{schedule: '0 5 1 1 *'}")
        say(f"schedule.look_{PRODUCTS}_none_due", "ms_cpu", idle(node))
        publish(node, home, 2, "{trigger: inputs}")
        node.run("pause", "readers")
        began = time.monotonic()
        node.run("run", "source/source")
        say("schedule.commit_with_readers", "s", time.monotonic() - began)
        say(f"schedule.look_{PRODUCTS}_due_and_paused", "ms_cpu", idle(node))
        say("schedule.target", "ms_cpu", 1000)
    return 0


sys.exit(main())
