"""Ten gigabytes of one line, as a file of its own, as JSON, and packed: the run fails with a message that says so, the node's memory
holds, and it goes on. The plain files are sparse; the packed one is one member a hundred times over."""
import gzip
import json
import os
import pathlib
import threading
import time

from node import Node
from soaked import OVER

SIZE = (1 << 26) if os.environ.get("QUICK") else 10 << 30
MOST = 1 << 30  # Bytes of memory that the node may have at any time.


def sparse(path: pathlib.Path, begin: bytes):
    with open(path, "wb") as file:
        file.write(begin)
        file.truncate(SIZE)


def packed(path: pathlib.Path):
    piece = gzip.compress(b"a" * (SIZE // 100), 1)
    path.write_bytes(gzip.compress(b"id,word\n1,", 1) + piece * 100)


def product(name: str, path: pathlib.Path, kind: str) -> list[dict]:
    contract = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": f"shop-{name}", "name": name, "version": "1.0.0", "status": "active",
                "schema": [{"name": name, "logicalType": "object", "properties": [{"name": "id", "logicalType": "integer"}, {"name": "word", "logicalType": "string"}]}]}
    descriptor = {"apiVersion": "v1.1.0", "kind": "DataProduct", "id": f"product-{name}", "name": name, "domain": "shop", "version": "1.0.0",
                  "status": "active", "type": "sourceAligned",
                  "inputPorts": [{"name": "sent", "version": "1.0.0", "customProperties": [
                      {"property": "source", "vendor": "weft", "value": {"kind": "file", "path": str(path), "format": kind}}]}],
                  "outputPorts": [{"name": name, "type": "table", "version": "1.0.0", "contractId": f"shop-{name}",
                                   "customProperties": [{"property": "build", "vendor": "weft", "value": {"mode": "replace"}}]}]}
    return [{"path": f"domains/shop/{name}/product.odps.yaml", "text": json.dumps(descriptor)},
            {"path": f"domains/shop/{name}/{name}.odcs.yaml", "text": json.dumps(contract)}]


def run(node: Node, name: str) -> tuple[dict, int]:
    """How it ended, and the most memory that the node had meanwhile."""
    most, over = [node.memory()], threading.Event()

    def watch():
        while not over.wait(0.02):
            most[0] = max(most[0], node.memory())
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        status, answer = node.call("POST", "/v1/runs", {"addresses": [f"shop/{name}/{name}"]})
        assert status == 200, answer
        found = answer["runs"][0]
        while found["status"] not in OVER:
            time.sleep(0.05)
            _, found = node.call("GET", f"/v1/runs/{found['id']}")
    finally:
        over.set()
        thread.join()
    return found, most[0]


def long_lines(line):
    """Judges each, and tells it to the line of the table."""
    with Node("--run-memory", "256MB") as node:
        node.stop()
        roots = node.folder / "roots"
        roots.mkdir()
        node.flags += ("--source-roots", str(roots))
        node.start()
        sparse(roots / "plain.csv", b"id,word\n1,")
        sparse(roots / "plain.json", b'[{"id": 1, "word": "')
        packed(roots / "packed.csv.gz")
        node.call("POST", "/v1/apply", {"files": [{"path": "mesh.yaml", "text": "id: soak\ndomains:\n  - {name: shop, owners: [admin]}\n"}]})
        for name, file, kind in (("plain", "plain.csv", "csv"), ("object", "plain.json", "json"), ("packed", "packed.csv.gz", "csv")):
            began, wrong = time.monotonic(), []
            status, answer = node.call("POST", "/v1/apply", {"files": product(name, roots / file, kind)})
            if status == 200:
                found, most = run(node, name)
                print(f"  {file}: {found['status']} after {time.monotonic() - began:.1f} s with at most {most >> 20} MB: {found['message']}", flush=True)
                small = name == "packed" and SIZE < 1 << 30  # That much may be a value.
                if not (found["status"] == "failed" or small) or len(found["message"]) > 1_000:
                    wrong.append(f"{file}: {found['status']}: {found['message'][:2000]}")
                if most > MOST:
                    wrong.append(f"{file}: the node had {most >> 20} MB")
            else:
                found = {"status": "not taken"}
                wrong.append(f"{file}: {status} {answer}")
            line.add(wrong, f"{file} {found['status']}", 0, "soak/soak.py line")
        if not node._ready(node.url):
            line.add(["the node is not ready afterwards"], "", 0, "soak/soak.py line")
