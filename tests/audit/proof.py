"""An export is verified by the program that docs/audit.md shows, as it stands there; a flood of denials stays cheap."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, WEFT, Node  # noqa: E402

SHOP = ROOT / "tests" / "support" / "shop"
PROGRAM = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "audit.md").read_text(), re.S).group(1)


class Proof(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.node.start()
        cls.node.run("apply", str(SHOP))
        cls.node.run("run", "sales/orders")
        cls.node.run("grant", "admin", "sales/orders/orders@1")
        for _ in range(5):
            cls.node.run("sql", "SELECT customer FROM sales.orders.orders")
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        (cls.folder / "verify.py").write_text(PROGRAM)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()
        cls.node.__exit__()

    def export(self, *words: str) -> list[str]:
        file = self.folder / "audit.jsonl"
        self.node.run("audit", "export", "-o", str(file), *words)
        return file.read_text(encoding="utf-8").splitlines()

    def verify(self, lines: list[str], *words: str) -> tuple[int, str]:
        file = self.folder / "lines.jsonl"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        done = subprocess.run([sys.executable, str(self.folder / "verify.py"), str(file), *words], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_an_export_holds(self):
        lines = self.export()
        self.assertEqual(self.verify(lines), (0, f"{len(lines) - 1} rows hold, from 1 to {len(lines) - 1}\n"))
        key = json.loads(lines[0])["public_key"]
        self.assertEqual(self.verify(lines, key)[0], 0)
        self.assertEqual(self.verify(lines, "another")[1], "signed by another key\n")

    def test_of_a_time(self):
        lines = self.export()
        middle = json.loads(lines[6])["at"]
        later, earlier = self.export("--since", middle), self.export("--until", middle)
        self.assertEqual(json.loads(later[1])["seq"], 6)
        self.assertEqual(json.loads(earlier[-1])["seq"], 5)
        for part in (later, earlier):
            self.assertEqual(self.verify(part)[0], 0, part[0])

    def test_what_was_changed_is_found(self):
        lines = self.export()
        count = len(lines) - 1
        for field in ("at", "kind", "principal", "purpose", "address", "detail", "hash"):
            row = json.loads(lines[4])
            row[field] += "x"
            code, said = self.verify([*lines[:4], json.dumps(row), *lines[5:]])
            self.assertEqual((code, said), (1, "row 4 is missing or was changed\n"), field)
        self.assertEqual(self.verify(lines[:4] + lines[5:]), (1, "row 4 is missing or was changed\n"))
        self.assertEqual(self.verify(lines[:4] + [lines[5], lines[4]] + lines[6:])[0], 1)
        self.assertEqual(self.verify(lines[:-1]), (1, f"the end is missing: rows {count} to {count}\n"))
        self.assertEqual(self.verify([lines[0]] + lines[2:])[0], 1)
        # A first line that was fitted to a shorter excerpt is not signed.
        shorter = json.loads(lines[0]) | {"first": 2, "previous": json.loads(lines[1])["hash"]}
        said = self.verify([json.dumps(shorter)] + lines[2:])
        self.assertEqual(said, (1, "the first line was changed: its signature does not hold\n"))
        cut = json.loads(lines[0]) | {"last": count - 1, "hash": json.loads(lines[-2])["hash"]}
        self.assertEqual(self.verify([json.dumps(cut)] + lines[1:-1])[0], 1)

    def test_a_flood_of_denials_is_two_rows(self):
        made = self.node.json("token", "create", "mallory")
        env = self.node.env | {"WEFT_TOKEN": made["secret"]}
        before = len(self.node.json("audit", "log", "--kind", "denied", "-n", "1000")["rows"])

        def knock():
            for _ in range(10):
                done = subprocess.run([str(WEFT), "sql", "SELECT customer FROM sales.orders.orders"], env=env, capture_output=True)
                self.assertEqual(done.returncode, 4)

        threads = [threading.Thread(target=knock) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(self.node.json("audit", "log", "--kind", "denied", "-n", "1000")["rows"]), before + 1)
        self.node.stop()
        self.node.start()
        rows = self.node.json("audit", "log", "--kind", "denied", "--principal", "mallory")["rows"]
        self.assertEqual([row["detail"].get("times", 1) for row in rows], [39, 1])
        who = self.node.json("audit", "who", "sales/orders/orders", "--verify")
        self.assertEqual([line["times"] for line in who["denied"] if line["principal"] == "mallory"], [40])


if __name__ == "__main__":
    unittest.main()
