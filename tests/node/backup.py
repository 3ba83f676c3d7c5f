"""A backup is made while runs and reads go on, everything is wiped, and what is restored is whole: every product can be
read, the chain of the ledger holds, what came after the backup is absent, and nothing is half there."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import store  # noqa: E402
from node import ROOT, Node  # noqa: E402

SHOP = ROOT / "tests" / "support" / "shop"
SQL = {"sales/orders/orders": "sales.orders.orders", "insight/revenue/daily": "insight.revenue.daily"}


class Drill(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.__exit__)
        self.node.start()
        node = self.node
        node.run("apply", str(SHOP))
        for who in ("admin", "product:insight/revenue"):
            node.run("grant", who, "sales/orders/orders@1")
        node.run("run", "--all")
        node.run("grant", "admin", "insight/revenue/daily@1")
        node.run("secret", "put", "db", "--domain", "sales", text="hunter2-hunter2\n")
        self.backup = node.folder / "backups" / "monday"
        self.backup.parent.mkdir()

    def rows(self) -> dict[str, list]:
        return {name: sorted(json.dumps(row, sort_keys=True) for row in self.node.json("sql", f"SELECT * FROM {sql}"))
                for name, sql in SQL.items()}

    def wipe(self, keep_keys: bool = False):
        self.node.stop()
        keys = {name: (self.node.data / name).read_bytes() for name in ("seal.key", "ledger/ledger-key.json", "sign-in.keys")}
        shutil.rmtree(self.node.data)
        if self.node.own_store:
            store.drop(self.node.store)
            store.create(self.node.store)
        for name, key in keys.items() if keep_keys else ():
            file = self.node.data / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(key)
            file.chmod(0o600)

    def restore(self, *flags: str, code: int = 0) -> dict | str:
        return self.node.run("restore", str(self.backup), "--data", str(self.node.data), "--store", self.node.store, "--json", *flags, code=code)

    def test_the_whole_of_it(self):
        node = self.node
        before, stop = self.rows(), threading.Event()
        failed: list[str] = []

        def work(what):
            while not stop.is_set():
                try:
                    what()
                except Exception as failure:  # Told below.
                    failed.append(str(failure))
                    return

        busy = [threading.Thread(target=work, args=(what,)) for what in
                (lambda: node.run("run", "sales/orders", "--force"), lambda: self.assertEqual(self.rows(), before))]
        for thread in busy:
            thread.start()
        made = node.json("backup", str(self.backup), "--with-keys")
        stop.set()
        for thread in busy:
            thread.join()
        self.assertEqual(failed, [])
        self.assertEqual(made["keys"], ["seal.key", "ledger-key.json", "sign-in.keys"])
        self.assertGreater(made["files"], 6)
        self.assertEqual({file.stat().st_mode & 0o077 for file in self.backup.rglob("*")}, {0}, "others may read it")
        self.assertEqual(list(self.backup.parent.iterdir()), [self.backup], "something half stayed beside it")
        node.run("grant", "late", "sales/orders/orders@1")
        node.run("secret", "put", "late", "--domain", "sales", text="later\n")
        node.run("run", "sales/orders", "--force")
        later = len(node.json("snapshots", "sales/orders/orders")["snapshots"])

        self.wipe()
        restored = json.loads(self.restore())
        self.assertEqual((restored["mesh"], restored["ledger_row"]), ("shop", made["ledger_row"]))
        node.start()
        self.assertEqual(self.rows(), before)
        verdict = node.json("audit", "verify")
        self.assertTrue(verdict["ok"], verdict)
        self.assertNotIn("late", [grant["principal"] for grant in node.json("grants")["grants"]])
        self.assertEqual([secret["name"] for secret in node.json("secret", "list")["secrets"]], ["db"])
        self.assertLess(len(node.json("snapshots", "sales/orders/orders")["snapshots"]), later)
        self.assertEqual([run for run in node.json("runs")["runs"] if run["status"] in ("running", "pending")], [])
        for found in ("orders", "revenue"):
            self.assertTrue(node.json("search", found)["hits"], found)
        told = [row["kind"] for row in node.json("audit", "log", "--limit", "1000")["rows"]]
        self.assertIn("restored", told)
        self.assertNotIn("backup.made", told)  # Which was told when the copy was whole.
        # Nothing that the backup does not name: sweeping all that nothing refers to finds nothing.
        self.assertEqual(node.json("sweep", "--age", "0s")["files"], 0)
        node.run("run", "sales/orders", "--force")
        node.run("secret", "put", "db", "--domain", "sales", text="other\n")
        self.assertEqual(self.rows(), before)
        self.assertTrue(node.json("audit", "verify")["ok"])
        snapshots = node.json("snapshots", "sales/orders/orders")["snapshots"]
        self.assertEqual(len({s["id"] for s in snapshots}), len(snapshots))

    def test_without_keys_nothing_in_it_opens_a_secret(self):
        node = self.node
        before = self.rows()
        told = node.run("backup", str(self.backup))
        self.assertIn(str(node.data / "seal.key"), told)
        secret = (node.data / "seal.key").read_text().splitlines()[1]
        signing = json.loads((node.data / "ledger" / "ledger-key.json").read_text())["secret"]
        for file in self.backup.rglob("*"):
            held = file.read_bytes() if file.is_file() else b""
            for key in (secret, signing, "hunter2-hunter2", "PRIVATE KEY"):
                self.assertNotIn(key.encode(), held, file)
        self.wipe(keep_keys=True)
        self.restore()
        node.start()
        self.assertEqual(self.rows(), before)
        self.assertTrue(node.json("audit", "verify")["ok"])
        node.run("secret", "put", "db", "--domain", "sales", text="other\n")

    def test_what_cannot_be_is_refused_with_nothing_changed(self):
        node = self.node
        node.run("backup", str(self.backup))
        node.run("backup", str(self.backup), code=6)
        node.run("backup", str(node.folder / "nowhere" / "deep"), code=5)
        self.restore(code=6)  # The node has the folder.
        node.stop()
        self.restore(code=6)  # The store is not empty.
        self.wipe(keep_keys=True)
        self.restore("--warehouse", str(node.folder / "elsewhere"), code=3)
        about = self.backup / "backup.json"
        whole = about.read_text()
        newer = json.loads(whole)
        newer["migrations"]["catalog"] += 100
        about.write_text(json.dumps(newer))
        self.restore(code=6)
        about.write_text(whole)
        damaged = next(self.backup.rglob("*.parquet"))
        bytes_before = damaged.read_bytes()
        damaged.write_bytes(bytes_before[:-1] + bytes([bytes_before[-1] ^ 1]))
        self.restore(code=3)
        damaged.unlink()
        self.restore(code=3)
        damaged.write_bytes(bytes_before)
        table = self.backup / "store" / "grants.jsonl"
        lines = table.read_text()
        table.write_text(lines.replace("admin", "mallory"))
        self.restore(code=3)
        table.write_text(lines)
        self.restore()  # None of these has left anything in the way.
        node.start()
        self.assertTrue(node.json("audit", "verify")["ok"])

    @unittest.skipUnless(os.environ.get("WEFT_TEST_POSTGRES"), "there is no server: tests/support/with_postgres.py starts one")
    def test_a_mesh_moves_between_stores(self):
        node = self.node
        before, history = self.rows(), node.json("runs")["runs"]
        node.run("backup", str(self.backup))
        self.wipe(keep_keys=True)
        other = store.create()
        self.addCleanup(store.drop, other)
        node.store = other
        self.restore()
        node.flags += ("--store", other)
        node.start()
        self.addCleanup(node.stop)
        self.assertEqual(self.rows(), before)
        self.assertEqual(node.json("runs")["runs"], history)
        self.assertTrue(node.json("search", "orders")["hits"])
        node.run("run", "sales/orders", "--force")
        node.run("secret", "put", "db", "--domain", "sales", text="other\n")
        self.assertTrue(node.json("audit", "verify")["ok"])
        self.assertTrue(node.json("audit", "what", "admin"))

    @unittest.skipUnless(os.geteuid() == 0, "mounting a small file system needs root")
    def test_no_room(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(self.backup.parent)], check=True)
        self.addCleanup(subprocess.run, ["umount", str(self.backup.parent)], check=False)
        self.node.run("backup", str(self.backup), code=7)
        self.assertEqual(list(self.backup.parent.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
