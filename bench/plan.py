"""`weft plan` and `weft apply` of a mesh of 10,000 products of which ten changed: the whole command, from reading the
folder to its last line. Every tenth product has a data file. Target of a plan: 2 s."""
import os
import pathlib
import sys
import tempfile
import time

from common import say, summary
from node import Node

PRODUCTS = int(os.environ.get("PRODUCTS", "10000"))
REPEAT = int(os.environ.get("REPEAT", "5"))
CHANGED = 10
DOMAINS = 50

PRODUCT = """apiVersion: v1.1.0
kind: DataProduct
id: {d}-{n}
name: {n}
domain: {d}
version: {v}
status: active
type: sourceAligned
tags: [bench]
description:
  purpose: What product {n} is for.
inputPorts:
  - name: source
    version: 1.0.0
    customProperties:
      - {{property: source, vendor: weft, value: {{kind: file, path: {path}, format: csv}}}}
outputPorts:
  - name: {n}
    description: One row each.
    version: {v}
    contractId: {d}-{n}-port
    customProperties:
      - {{property: build, vendor: weft, value: {{mode: replace}}}}
"""
CONTRACT = """apiVersion: v3.2.0
kind: DataContract
id: {d}-{n}-port
name: {n}
version: {v}
status: active
schema:
  - name: rows
    physicalType: table
    properties:
      - {{name: id, logicalType: integer, physicalType: bigint, required: true, primaryKey: true}}
"""


def write(home: pathlib.Path, i: int, version: str = "1.0.0", columns: int = 8):
    domain, name = f"domain-{i % DOMAINS}", f"product-{i}"
    folder = home / "domains" / domain / name
    folder.mkdir(parents=True, exist_ok=True)
    data = i % 10 == 0
    path = "rows.csv" if data else f"/data/{name}.csv"
    (folder / "product.odps.yaml").write_text(PRODUCT.format(d=domain, n=name, v=version, path=path))
    (folder / f"{name}.odcs.yaml").write_text(CONTRACT.format(d=domain, n=name, v=version) + "".join(
        f"      - {{name: column_{c}, logicalType: string, physicalType: varchar, description: Column {c} of {name}.}}\n"
        for c in range(1, columns)))
    if data:
        (folder / "rows.csv").write_text("id," + ",".join(f"column_{c}" for c in range(1, columns)) + f"\n{i}" + ",x" * (columns - 1) + "\n")


def main() -> int:
    with Node() as node, tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch) / "mesh"
        home.mkdir()
        (home / "mesh.yaml").write_text("id: bench\ndomains:\n" + "".join(
            f"  - {{name: domain-{d}, owners: [admin]}}\n" for d in range(DOMAINS)))
        for i in range(PRODUCTS):
            write(home, i)
        began = time.monotonic()
        node.run("apply", str(home))
        say("plan.first_apply", "per_s", PRODUCTS / (time.monotonic() - began))
        for i in range(CHANGED):
            write(home, i * 7 + 1, "1.1.0", 9)
        times = []
        for _ in range(REPEAT):
            began = time.monotonic()
            out = node.run("plan", str(home))
            times.append(time.monotonic() - began)
            assert f"{CHANGED} changes planned" in out, out[-2000:]
        summary("plan.10000_ten_changed", "s", times)
        say("plan.target", "s", 2)
        began = time.monotonic()
        node.run("apply", str(home))
        say("plan.apply_ten", "s", time.monotonic() - began)
        say("plan.node_rss", "MB", node.memory() / 1e6)
    return 0


sys.exit(main())
