"""What it costs to find that nothing changed: `weft run --all` over 1,000 products of which none has anything new. Target: under 1 s."""
import os
import pathlib
import sys
import tempfile
import time

from common import say, summary
from node import Node

PRODUCTS = int(os.environ.get("PRODUCTS", "1000"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))

PRODUCT = """apiVersion: v1.1.0
kind: DataProduct
id: bench-{n}
name: {n}
domain: bench
version: 1.0.0
status: active
inputPorts:
  - name: source
    version: 1.0.0
    customProperties:
      - {{property: source, vendor: weft, value: {{kind: file, path: rows.csv}}}}
outputPorts:
  - name: {n}
    version: 1.0.0
    contractId: bench-{n}
    customProperties:
      - {{property: build, vendor: weft, value: {{mode: replace}}}}
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


def main() -> int:
    with Node() as node, tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch) / "mesh"
        for i in range(PRODUCTS):
            folder = home / "domains" / "bench" / f"p{i}"
            folder.mkdir(parents=True)
            (folder / "product.odps.yaml").write_text(PRODUCT.format(n=f"p{i}"))
            (folder / f"p{i}.odcs.yaml").write_text(CONTRACT.format(n=f"p{i}"))
            (folder / "rows.csv").write_text(f"id\n{i}\n")
        (home / "mesh.yaml").write_text("id: bench\ndomains:\n  - {name: bench, owners: [admin]}\n")
        node.run("apply", str(home))
        began = time.monotonic()
        node.run("run", "--all")
        say(f"unchanged.first_run_of_{PRODUCTS}", "s", time.monotonic() - began)
        rounds = []
        for _ in range(ROUNDS):
            began = time.monotonic()
            said = node.run("run", "--all", "--json")
            rounds.append(time.monotonic() - began)
            if said.count('"skipped"') != PRODUCTS:
                raise RuntimeError("something was built: " + said[-2000:])
        summary(f"unchanged.run_all_of_{PRODUCTS}", "s", rounds)
        say("unchanged.target", "s", 1)
    return 0


sys.exit(main())
