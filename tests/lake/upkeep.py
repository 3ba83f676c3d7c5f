"""Upkeep of tables: pyiceberg, DuckDB's iceberg_scan and Weft read the same rows of every snapshot before and after it; appends
and reads go on beside it; what is open stays readable when its snapshot has expired; a kill at any moment harms nobody.

    build/deps/venv/bin/python tests/lake/upkeep.py
"""
import json
import pathlib
import shutil
import signal
import sys
import threading
import time
import unittest

from pyiceberg.table import StaticTable

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "support")]
import interop  # noqa: E402
import store as stores  # noqa: E402
from node import ROOT, Node  # noqa: E402

SHOP = ROOT / "tests" / "support" / "shop"
PORT = "sales/orders/orders"
BATCH = 50


class Upkeep(unittest.TestCase):
    def setUp(self):
        self.node = Node("--upkeep-every", "0s", "--small-files", "4")
        self.node.start()
        self.addCleanup(self.node.__exit__)
        self.mesh = self.node.folder / "mesh"
        shutil.copytree(SHOP, self.mesh)
        self.home = self.mesh / "domains" / "sales" / "orders"
        descriptor = self.home / "product.odps.yaml"
        descriptor.write_text(descriptor.read_text().replace("mode: replace", "mode: append, cluster_by: [placed_on]"))
        self.batches = 0
        self.con = interop.engine()

    def apply(self, contract: str = ""):
        if contract:
            file = self.home / "orders.odcs.yaml"
            file.write_text(file.read_text() + contract)
        self.node.run("apply", str(self.mesh))
        for reader in ("admin", "product:insight/revenue"):
            self.node.run("grant", reader, PORT + "@1")

    def append(self, rows: int = BATCH):
        """Rows of keys that none has yet: the first of batch n is n * 100000."""
        first = self.batches * 100_000
        self.batches += 1
        lines = [f"{first + i},user {i % 7},{i}.25,2026-01-{i % 28 + 1:02}" for i in range(rows)]
        (self.home / "data" / "orders.csv").write_text("id,customer,amount,placed_on\n" + "\n".join(lines) + "\n")
        self.node.run("apply", str(self.home))
        self.node.run("run", "sales/orders")

    def snapshots(self) -> list[dict]:
        return self.node.json("snapshots", PORT)["snapshots"]

    def metadata(self) -> pathlib.Path:
        folder = self.node.data / "warehouse" / "sales" / "orders" / "orders_v1" / "metadata"
        return folder / ((folder / "version-hint.text").read_text() + ".metadata.json")

    def check_all(self, want: dict[str, list], what: str):
        """Each snapshot of `want` by two readers of the metadata, and by the node."""
        table = StaticTable.from_metadata(str(self.metadata()))
        told = {str(s.snapshot_id) for s in table.metadata.snapshots}
        self.assertEqual(told, set(want), what)
        self.assertEqual([s["id"] for s in self.snapshots()][::-1], [i for i in want], what)
        for snapshot, rows in want.items():
            by_pyiceberg = table.scan(snapshot_id=int(snapshot), selected_fields=("id",)).to_arrow()
            self.assertEqual(sorted(by_pyiceberg.column("id").to_pylist()), rows, f"{what}: {snapshot} by pyiceberg")
            scan = f"SELECT id FROM iceberg_scan('{self.metadata()}', snapshot_from_id = {snapshot}) ORDER BY id"
            self.assertEqual([r[0] for r in self.con.execute(scan).fetchall()], rows, f"{what}: {snapshot} by iceberg_scan")
            lines = self.node.run("sql", "SELECT id FROM sales.orders.orders ORDER BY id", "--at", f"snapshot:{snapshot}")
            self.assertEqual([int(line) for line in lines.split()[1:]], rows, f"{what}: {snapshot} by the node")
            self.assertEqual(interop.check_manifests(table, {"id": int(snapshot)}, what) is None, False)
        self.assertEqual(interop.faults, 0, what)

    def test_every_reader_sees_the_same_rows(self):
        self.apply()
        want, rows = {}, []
        for _ in range(6):
            self.append()
            rows = sorted(rows + list(range((self.batches - 1) * 100_000, (self.batches - 1) * 100_000 + BATCH)))
            want[self.snapshots()[0]["id"]] = rows
        self.check_all(want, "before")
        self.node.run("run", "insight/revenue")
        lineage = self.node.json("lineage", PORT)
        plan = self.node.json("upkeep", PORT, "--dry-run")["ports"][0]
        self.assertEqual((plan["files"], plan["merged"], plan["into"]), (6, 6, 1))
        self.node.run("tag", PORT, "whole")
        done = self.node.json("upkeep", PORT)["runs"][0]
        self.assertEqual((done["status"], done["upkeep"]["files"], done["upkeep"]["into"]), ("succeeded", 6, 1), done)
        newest = self.snapshots()[0]
        self.assertEqual((newest["operation"], newest["files"], newest["restores"]), ("replace", 1, list(want)[-1]))
        want[newest["id"]] = rows
        self.check_all(want, "between")
        # Nothing has changed, for whoever depends on the rows.
        self.assertIn("skipped", self.node.run("run", "sales/orders"))
        self.assertIn("skipped", self.node.run("run", "insight/revenue"))
        self.assertEqual(self.node.json("lineage", PORT), lineage)
        self.append()
        rows = sorted(rows + list(range(600_000, 600_000 + BATCH)))
        want[self.snapshots()[0]["id"]] = rows
        self.check_all(want, "after")
        # Back to before the last rows, and from there to those before the compaction.
        self.node.run("rollback", PORT)
        self.assertEqual(self.node.run("sql", "SELECT count(*) AS n FROM sales.orders.orders").split(), ["n", str(6 * BATCH)])
        self.node.run("rollback", PORT)
        self.assertEqual(self.node.run("sql", "SELECT count(*) AS n FROM sales.orders.orders").split(), ["n", str(5 * BATCH)])
        file = self.con.execute(f"SELECT placed_on FROM iceberg_scan('{self.metadata()}', snapshot_from_id = {newest['id']})")
        days = [day for (day,) in file.fetchall()]
        self.assertEqual(days, sorted(days), "clustered")
        kinds = [row["kind"] for row in self.node.json("audit", "log", "--limit", "200")["rows"]]
        self.assertEqual(kinds.count("compacted"), 1)
        self.node.run("audit", "verify")

    def test_appends_and_reads_go_on(self):
        self.apply()
        self.append()
        stop, wrong, reads, tended = threading.Event(), [], [0], [0]

        def read():
            try:
                with self.node.adbc() as connection, connection.cursor() as cursor:
                    least = 0
                    while not stop.is_set():
                        cursor.execute("SELECT count(*) AS n, count(DISTINCT id) AS d FROM sales.orders.orders")
                        rows, different = cursor.fetchone()
                        if rows != different or rows % BATCH or rows < least:
                            wrong.append(f"{rows} rows, {different} keys after {least}")
                        least = rows
                        reads[0] += 1
            except Exception as error:  # pylint: disable=broad-except
                wrong.append(f"a read: {error}")

        def tend():
            try:
                while not stop.is_set():
                    tended[0] += len(self.node.json("upkeep", PORT)["runs"])
            except Exception as error:  # pylint: disable=broad-except
                wrong.append(f"upkeep: {error}")
        threads = [threading.Thread(target=work) for work in (read, read, tend)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(12):
                self.append()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(wrong, [])
        self.assertGreater(reads[0], 5)
        self.assertGreater(tended[0], 1)
        self.assertEqual(self.node.run("sql", "SELECT count(*) AS n FROM sales.orders.orders").split(), ["n", str(13 * BATCH)])

    def test_what_is_open_outlives_its_snapshot(self):
        self.apply("slaProperties:\n  - {property: retention, value: 1, unit: s}\n")
        self.append(400)
        first = self.snapshots()[0]["id"]
        with self.node.adbc() as connection, connection.cursor() as cursor:
            cursor.adbc_prepare("SELECT count(*) AS n FROM sales.orders.orders")
            for _ in range(4):
                self.append()
            time.sleep(1.1)
            done = self.node.json("upkeep", PORT)["runs"][0]
            self.assertEqual(done["upkeep"]["files"], 5, done)
            time.sleep(1.1)  # The last of the former is superseded by the compaction itself.
            done = self.node.json("upkeep", PORT)["runs"][0]
            self.assertEqual(len(self.snapshots()), 1)
            self.assertNotIn(first, json.dumps(self.snapshots()))
            self.node.run("sweep", "--age", "0s")
            cursor.execute("SELECT count(*) AS n FROM sales.orders.orders")
            self.assertEqual(cursor.fetchone()[0], 400)
        files = lambda: len(list((self.node.data / "warehouse" / "sales").rglob("*.parquet")))  # noqa: E731
        before = files()
        self.node.run("sweep", "--age", "0s")
        self.assertLess(files(), before)
        self.assertEqual(files(), 1)
        self.assertEqual(self.node.run("sql", "SELECT count(*) AS n FROM sales.orders.orders").split(), ["n", "600"])
        gone = self.node.run("sql", "SELECT 1 AS n FROM sales.orders.orders", "--at", f"snapshot:{first}", code=5)
        self.assertEqual(gone, "")
        table = StaticTable.from_metadata(str(self.metadata()))
        self.assertEqual(table.scan().to_arrow().num_rows, 600)
        self.append()
        self.assertEqual(StaticTable.from_metadata(str(self.metadata())).scan().to_arrow().num_rows, 650)

    def test_a_kill_harms_nobody(self):
        if stores.chosen() == "postgres":
            self.skipTest("of the other store the same code decides")
        self.apply()
        for _ in range(5):
            self.append()
        for wait in (0.0, 0.01, 0.02, 0.03, 0.05):
            status, answer = self.node.call("POST", "/v1/upkeep", {"addresses": [PORT]})
            self.assertEqual(status, 200, answer)
            time.sleep(wait)
            self.node.stop(signal.SIGKILL)
            self.node.start()
            runs = [run for run in self.node.json("runs")["runs"] if run["id"].startswith("upk_")]
            self.assertNotIn("running", [run["status"] for run in runs])
            rows = self.node.run("sql", "SELECT count(*) AS n FROM sales.orders.orders")
            self.assertEqual(rows.split(), ["n", str(self.batches * BATCH)])
            self.append()  # No lease of the dead is in its way.
        self.node.run("upkeep", PORT)
        self.assertEqual(self.snapshots()[0]["files"], 1)
        self.node.run("sweep", "--age", "0s")
        self.assertEqual(StaticTable.from_metadata(str(self.metadata())).scan().to_arrow().num_rows, self.batches * BATCH)
        self.node.run("audit", "verify")

    def test_the_node_does_it_by_itself(self):
        self.node.stop()
        self.node.flags = tuple("100ms" if flag == "0s" else flag for flag in self.node.flags)
        self.node.start()
        self.apply()
        self.node.run("pause", PORT)
        for _ in range(6):
            self.append()
        self.assertEqual(self.snapshots()[0]["files"], 6, "it is paused")
        self.node.run("resume", PORT)
        end = time.monotonic() + 30
        while self.snapshots()[0]["files"] != 1:
            self.assertLess(time.monotonic(), end, self.snapshots())
            time.sleep(0.05)
        run = next(run for run in self.node.json("runs")["runs"] if run["id"].startswith("upk_"))
        self.assertEqual((run["cause"], run["requested_by"]), ("upkeep", "node"))


if __name__ == "__main__":
    unittest.main()
