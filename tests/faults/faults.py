"""What must not happen: kill -9 in the middle, a full disk, two publishers of one version, two runs of one port, a source
that vanishes. After each: one clear error, a row in the ledger, nothing lost, nothing half visible."""
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import WEFT, Node  # noqa: E402


def product(domain: str, name: str, version: str, source: dict, columns: dict[str, str], note: str = "") -> dict[str, str]:
    """The files of a product with one file source and one output port of the same name."""
    properties = [{"name": column, "logicalType": logical, "required": column == "id"} for column, logical in columns.items()]
    contract = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": f"{domain}-{name}", "name": name, "version": version,
                "status": "active", "description": {"purpose": f"Rows of {name}. {note}"},
                "schema": [{"name": name, "logicalType": "object", "properties": properties}]}
    descriptor = {"apiVersion": "v1.1.0", "kind": "DataProduct", "id": f"product-{domain}-{name}", "name": name,
                  "domain": domain, "version": version, "status": "active", "type": "sourceAligned",
                  "inputPorts": [{"name": "source", "version": "1.0.0", "contractId": f"{domain}-{name}-source",
                                  "customProperties": [{"property": "source", "vendor": "weft", "value": source}]}],
                  "outputPorts": [{"name": name, "type": "table", "version": version, "contractId": f"{domain}-{name}",
                                   "customProperties": [{"property": "build", "vendor": "weft", "value": {"mode": "replace"}}]}]}
    return {"product.odps.yaml": json.dumps(descriptor, indent=1), f"{name}.odcs.yaml": json.dumps(contract, indent=1)}


class Faults(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-faults-"))
        self.mesh = self.folder / "mesh"
        self.mesh.mkdir()
        (self.mesh / "mesh.yaml").write_text("id: faults\ndomains:\n  - name: shop\n    owners: [admin]\n")

    def tearDown(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def put(self, name: str, files: dict[str, str], mesh: pathlib.Path | None = None):
        home = (mesh or self.mesh) / "domains" / "shop" / name
        home.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (home / file).write_text(text)

    def big_source(self, rows: int) -> dict:
        import duckdb
        file = self.folder / "big.csv"
        duckdb.execute(f"COPY (SELECT i AS id, md5(i::VARCHAR) AS word FROM range({rows}) r(i)) TO '{file}' (FORMAT csv, HEADER true)")
        return {"kind": "file", "path": str(file), "format": "csv"}

    def assert_whole(self, node: Node, address: str, sql: str, rows: set[int]):
        """The table holds one of `rows`, as its newest snapshot says, and the chain of the ledger holds."""
        seen = node.json("sql", f"SELECT count(*) AS n FROM {sql}")[0]["n"]
        self.assertIn(seen, rows)
        verdict = node.json("audit", "verify")
        self.assertTrue(verdict["ok"], verdict)

    def test_kill_in_the_middle_of_a_run(self):
        self.put("orders", product("shop", "orders", "1.0.0", self.big_source(400_000), {"id": "integer", "word": "string"}))
        dice = random.Random(7)
        with Node("--source-roots", str(self.folder)) as node:
            node.run("apply", str(self.mesh))
            for round in range(6):
                client = subprocess.Popen([str(WEFT), "run", "shop/orders", "--force"], env=node.env,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(dice.uniform(0.02, 0.6))
                node.stop(signal.SIGKILL)
                client.wait(timeout=60)
                node.start()
                self.assert_whole(node, "shop/orders/orders", "shop.orders.orders", {0, 400_000})
                running = [r for r in node.json("runs")["runs"] if r["status"] in ("running", "pending")]
                self.assertEqual(running, [], "a run of the dead node still looks alive")
            node.run("run", "shop/orders", "--force")
            self.assert_whole(node, "shop/orders/orders", "shop.orders.orders", {400_000})
            node.run("sweep", "--age", "0s")
            kept = {pathlib.Path(f).name for f in (node.data / "warehouse").rglob("*.parquet")}
            self.assertLessEqual(len(kept), 7, kept)  # At most one file a committed snapshot.

    def numbered(self, mode: dict) -> tuple[dict[str, str], pathlib.Path]:
        """A product of `id` and `word` with a key, whose rows come from the file."""
        file = self.folder / "part.csv"
        files = product("shop", "orders", "1.0.0", {"kind": "file", "path": str(file), "format": "csv"},
                        {"id": "integer", "word": "string"} | ({"month": "date"} if "snapshot_column" in mode else {}))
        descriptor, contract = (json.loads(files[name]) for name in ("product.odps.yaml", "orders.odcs.yaml"))
        descriptor["outputPorts"][0]["customProperties"][0]["value"] = mode
        for property in contract["schema"][0]["properties"]:
            property["primaryKey"] = property["name"] in ("id", "month")
        return {"product.odps.yaml": json.dumps(descriptor), "orders.odcs.yaml": json.dumps(contract)}, file

    def assert_swept(self, node: Node):
        """After a sweep no data file is there that no snapshot names, and every one that is named is there."""
        node.run("sweep", "--age", "0s")
        if not node.store.startswith("sqlite:"):
            return
        import contextlib
        import sqlite3
        with contextlib.closing(sqlite3.connect(f"file:{node.store.removeprefix('sqlite:')}?mode=ro", uri=True)) as store:
            named = {row[0] for row in store.execute("SELECT path FROM snapshot_files")}
        self.assertEqual({str(f) for f in (node.data / "warehouse").rglob("*.parquet")}, named)

    def test_kill_in_the_middle_of_an_upsert(self):
        files, source = self.numbered({"mode": "upsert"})
        self.put("orders", files)

        def write(first: int, last: int, word: str):
            source.write_text("id,word\n" + "".join(f"{i},{word}\n" for i in range(first, last)))
        dice = random.Random(3)
        with Node("--source-roots", str(self.folder)) as node:
            write(0, 200_000, "0")
            node.run("apply", str(self.mesh))
            node.run("run", "shop/orders")
            for round in range(1, 7):
                count = "SELECT word, count(*) AS n FROM shop.orders.orders GROUP BY word ORDER BY word"
                before = node.json("sql", count)
                write(round * 20_000, round * 20_000 + 4_000, str(round))
                client = subprocess.Popen([str(WEFT), "run", "shop/orders"], env=node.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(dice.uniform(0.02, 0.5))
                node.stop(signal.SIGKILL)
                client.wait(timeout=60)
                node.start()
                after = node.json("sql", count)
                done = {row["word"]: row["n"] for row in before}
                done = done | {"0": done["0"] - 4_000, str(round): 4_000}
                self.assertIn(after, (before, [{"word": w, "n": n} for w, n in sorted(done.items())]), "half an upsert is seen")
                node.run("run", "shop/orders")
                self.assertEqual(node.json("sql", count), [{"word": w, "n": n} for w, n in sorted(done.items())])
                self.assert_whole(node, "shop/orders/orders", "shop.orders.orders", {200_000})
            self.assert_swept(node)

    def test_a_back_fill_goes_on_where_it_was_killed(self):
        files, source = self.numbered({"mode": "snapshot", "snapshot_column": "month"})
        self.put("orders", files)
        source.write_text("id,word\n" + "".join(f"{i},w\n" for i in range(2_000)))
        command = ("run", "shop/orders", "--from", "2025-01", "--to", "2025-12", "--every", "month")
        dice = random.Random(5)
        with Node("--source-roots", str(self.folder)) as node:
            node.run("apply", str(self.mesh))
            for round in range(3):
                client = subprocess.Popen([str(WEFT), *command], env=node.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(dice.uniform(0.2, 0.8))
                if round == 0:  # The client alone: its run goes on, and the next command waits for it.
                    client.kill()
                else:
                    node.stop(signal.SIGKILL)
                    node.start()
                client.wait(timeout=60)
            self.assertIn("12 logical times done", node.run(*command))
            states = node.json("sql", "SELECT month, count(*) AS n FROM shop.orders.orders GROUP BY month ORDER BY month")
            self.assertEqual(states, [{"month": f"2025-{m:02}-01", "n": 2_000} for m in range(1, 13)])
            runs = [r for r in node.json("runs", "--limit", "1000")["runs"] if r["status"] == "succeeded"]
            self.assertEqual(len(runs), 12, "a state that was there was made again")
            self.assertTrue(node.json("audit", "verify")["ok"])
            self.assert_swept(node)

    def test_kill_in_the_middle_of_an_apply(self):
        for i in range(120):
            self.put(f"p{i}", product("shop", f"p{i}", "1.0.0", {"kind": "file", "path": "rows.csv", "format": "csv"}, {"id": "integer"})
                     | {"rows.csv": "id\n1\n"})
        dice = random.Random(11)
        with Node() as node:
            for round in range(4):
                client = subprocess.Popen([str(WEFT), "apply", str(self.mesh)], env=node.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(dice.uniform(0.05, 0.5))
                node.stop(signal.SIGKILL)
                client.wait(timeout=60)
                node.start()
                listed = node.json("list")["products"]
                for entry in listed:  # Each is wholly there: it can be shown, with its contract and port.
                    shown = node.json("show", f"shop/{entry['name']}")
                    self.assertEqual(len(shown["ports"]), 1)
                    self.assertTrue(node.json("search", entry["name"])["hits"], entry["name"])
            node.run("apply", str(self.mesh))
            self.assertEqual(len(node.json("list")["products"]), 120)
            again = node.json("apply", str(self.mesh))
            self.assertEqual({c["kind"] for c in again["changes"]}, {"unchanged"})
            published = [r for r in node.json("audit", "log", "--kind", "published", "--limit", "1000")["rows"]
                         if r["address"].startswith("shop/")]
            self.assertEqual(len(published), len({r["address"] for r in published}), "a product was published twice")
            self.assertTrue(node.json("audit", "verify")["ok"])

    def test_two_publishers_of_one_version(self):
        meshes = []
        for i in range(2):
            mesh = self.folder / f"mesh{i}"
            shutil.copytree(self.mesh, mesh)
            self.put("orders", product("shop", "orders", "1.0.0", {"kind": "file", "path": "rows.csv", "format": "csv"},
                                       {"id": "integer"}, note=f"As publisher {i} has it.") | {"rows.csv": "id\n1\n"}, mesh)
            meshes.append(mesh)
        with Node() as node:
            node.run("apply", str(self.mesh))
            with concurrent.futures.ThreadPoolExecutor() as pool:
                done = list(pool.map(lambda m: subprocess.run([str(WEFT), "apply", str(m)], env=node.env, text=True, capture_output=True), meshes))
            codes = sorted(d.returncode for d in done)
            self.assertEqual(codes[0], 0, done)
            self.assertIn(codes[1], (3, 6), done)
            loser = max(done, key=lambda d: d.returncode)
            self.assertIn("1.0.0", loser.stdout + loser.stderr)

    def test_two_runs_of_one_port(self):
        self.put("orders", product("shop", "orders", "1.0.0", self.big_source(300_000), {"id": "integer", "word": "string"}))
        with Node("--source-roots", str(self.folder)) as node:
            node.run("apply", str(self.mesh))
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                done = list(pool.map(lambda _: subprocess.run([str(WEFT), "run", "shop/orders", "--force"], env=node.env, text=True, capture_output=True), range(4)))
            codes = [d.returncode for d in done]
            self.assertIn(0, codes)
            self.assertEqual(set(codes) - {0, 6}, set(), done)
            self.assert_whole(node, "shop/orders/orders", "shop.orders.orders", {300_000})

    def test_a_source_that_vanishes(self):
        source = self.big_source(1000)
        self.put("orders", product("shop", "orders", "1.0.0", source, {"id": "integer", "word": "string"}))
        with Node("--source-roots", str(self.folder)) as node:
            node.run("apply", str(self.mesh))
            node.run("run", "shop/orders")
            os.remove(source["path"])
            done = subprocess.run([str(WEFT), "run", "shop/orders", "--force"], env=node.env, text=True, capture_output=True)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("big.csv", done.stdout + done.stderr)
            self.assert_whole(node, "shop/orders/orders", "shop.orders.orders", {1000})
            failed = node.json("audit", "log", "--kind", "failed")["rows"]
            self.assertEqual(len(failed), 1, failed)

    @unittest.skipUnless(os.geteuid() == 0, "mounting a small file system needs root")
    def test_a_full_disk(self):
        """The data folder on a file system of 48 MB: a run that does not fit ends in one clear error, and the rest goes on."""
        self.put("small", product("shop", "small", "1.0.0", {"kind": "file", "path": "rows.csv", "format": "csv"}, {"id": "integer"}) | {"rows.csv": "id\n1\n2\n"})
        self.put("orders", product("shop", "orders", "1.0.0", self.big_source(3_000_000), {"id": "integer", "word": "string"}))
        disk = self.folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk)], check=True)
        try:
            with Node("--source-roots", str(self.folder), data=disk / "data") as node:
                node.run("apply", str(self.mesh))
                node.run("run", "shop/small")
                done = subprocess.run([str(WEFT), "run", "shop/orders"], env=node.env, text=True, capture_output=True)
                self.assertIn(done.returncode, (3, 7), done)
                self.assertRegex((done.stdout + done.stderr).lower(), "no space|disk|full")
                node.run("sweep", "--age", "0s")
                self.assert_whole(node, "shop/orders/orders", "shop.orders.orders", {0})
                self.assert_whole(node, "shop/small/small", "shop.small.small", {2})
                node.stop()
        finally:
            subprocess.run(["umount", str(disk)], check=False)


if __name__ == "__main__":
    unittest.main(verbosity=2)
