"""Some three hundred files as people send them: each becomes the rows that it says, or is refused with its place and value, and the
node goes on. tests/support/sent_files.py has them; CASE=name runs one."""
import json
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import Node  # noqa: E402

from sent_files import CASES, SHAPES, Case  # noqa: E402

A_PRODUCT = 25  # Files, of which each has a port.


def columns(shape: str) -> list[tuple]:
    base, _, more = shape.partition("+")
    return SHAPES[base] + ([(more, "integer", "bigint")] if more else [])


def described(column: tuple) -> dict:
    name, logical, physical, *inner = column
    found = {"name": name, "logicalType": logical}
    if physical:
        found["physicalType"] = physical
    if logical == "array":
        found["items"] = described(inner[0][0])
    elif logical == "object":
        found["properties"] = [described(each) for each in inner[0]]
    return found


def write(home: pathlib.Path, product: str, cases: list[Case]):
    (home / "data").mkdir(parents=True)
    inputs, outputs = [], []
    for i, case in enumerate(cases):
        port = f"p{i}"
        path = f"data/{port}/{case.file}"
        (home / "data" / port).mkdir()
        (home / path).write_bytes(case.data)
        source = {"kind": "file", "path": path} | case.options
        inputs.append({"name": f"in-{port}", "version": "1.0.0", "contractId": f"{product}-in-{port}",
                       "customProperties": [{"property": "source", "vendor": "weft", "value": source}]})
        outputs.append({"name": port, "type": "table", "version": "1.0.0", "contractId": f"{product}-{port}",
                        "customProperties": [{"property": "build", "vendor": "weft", "value": {"sql": f"{port}.sql", "mode": "replace"}}]})
        names = ", ".join(f'"{column[0]}"' for column in columns(case.shape))
        (home / f"{port}.sql").write_text(f"SELECT {names} FROM in_{port}")
        for role in ("in-", ""):
            (home / f"{role}{port}.odcs.yaml").write_text(json.dumps({
                "apiVersion": "v3.2.0", "kind": "DataContract", "id": f"{product}-{role}{port}", "name": f"{role}{port}", "version": "1.0.0",
                "status": "active", "description": {"purpose": case.name},
                "schema": [{"name": port, "logicalType": "object", "properties": [described(column) for column in columns(case.shape)]}]}))
    (home / "product.odps.yaml").write_text(json.dumps({
        "apiVersion": "v1.1.0", "kind": "DataProduct", "id": product, "name": product, "domain": "own", "version": "1.0.0", "status": "active",
        "type": "sourceAligned", "inputPorts": inputs, "outputPorts": outputs}))


def refusals(cases: list[Case]) -> bool:
    return any(case.says and case.options for case in cases)


def products(cases: list[Case]):
    """By name: those whose source may be refused stand alone."""
    plain = [case for case in cases if not refusals([case])]
    for at in range(0, len(plain), A_PRODUCT):
        yield f"files{at // A_PRODUCT}", plain[at:at + A_PRODUCT]
    for i, case in enumerate(case for case in cases if refusals([case])):
        yield f"refused{i}", [case]


class Inputs(unittest.TestCase):
    def test_each_file(self):
        cases = [case for case in CASES if case.name == os.environ.get("CASE", case.name)]
        self.assertEqual(len({case.name for case in CASES}), len(CASES))
        places = {}
        with tempfile.TemporaryDirectory() as scratch, Node("--run-parallel", "2") as node:
            mesh = pathlib.Path(scratch)
            (mesh / "mesh.yaml").write_text("id: own\ndomains:\n  - {name: own, owners: [admin]}\n")
            for product, some in products(cases):
                write(mesh / "domains" / "own" / product, product, some)
                places |= {f"own/{product}/p{i}": case for i, case in enumerate(some)}
            node.call("POST", "/v1/apply", {"files": [{"path": "mesh.yaml", "text": (mesh / "mesh.yaml").read_text()}], "data": []})
            refused = {}
            for product, some in products(cases):
                if refusals(some):  # What is wrong with a source is told before anything runs.
                    told = node.run("apply", str(mesh / "domains" / "own" / product), "--json", code=None)
                    refused |= {f"own/{product}/p0": told} if json.loads(told).get("refused") else {}
                else:
                    node.run("apply", str(mesh / "domains" / "own" / product))
            runs = {run["address"].split("@")[0].removeprefix("weft://own/"): run for run in json.loads(node.run("run", "--all", "--json", code=None))["runs"]}
            for address in places:
                if address not in refused:
                    node.call("POST", "/v1/grants", {"principal": "admin", "address": address})
            with node.adbc() as connection, connection.cursor() as cursor:
                for address, case in places.items():
                    with self.subTest(case.name):
                        self.judge(case, refused.get(address), runs.get(address), cursor, address)
            self.assertTrue(node._ready(node.url))

    def judge(self, case: Case, refused: str | None, run: dict | None, cursor, address: str):
        said = refused or run["message"]
        if case.rows is None:
            self.assertNotEqual(run and run["status"], "succeeded", "it was taken")
            for part in case.says:
                self.assertIn(part, said)
            return
        self.assertEqual(run["status"], "succeeded", said)
        select = ", ".join(f'"{name}"::VARCHAR' for name, *_ in columns(case.shape))
        cursor.execute(f"SELECT {select} FROM {address.replace('/', '.')}")
        got = ["|".join("-" if cell is None else cell for cell in row) for row in cursor.fetchall()]
        self.assertEqual(got, case.rows)


if __name__ == "__main__":
    unittest.main()
