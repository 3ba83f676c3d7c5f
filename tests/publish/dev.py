"""`weft dev`: a folder is broken and mended under its eyes, on a node of its own that leaves nothing behind."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, WEFT  # noqa: E402


class Dev:
    """`weft dev FOLDER`, and what it has said."""

    def __init__(self, folder: pathlib.Path, home: pathlib.Path):
        (home / "tmp").mkdir(parents=True)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("WEFT_")}
        self.env |= {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "XDG_DATA_HOME": str(home / "share"), "TMPDIR": str(home / "tmp"),
                     "NO_COLOR": "1", "WEFT_STORE": "sqlite:/nonexistent/of-the-person.db"}
        self.log = home / "log"
        self.read = 0
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(WEFT), "dev", str(folder)], env=self.env, stdout=log, stderr=log, start_new_session=True)

    def until(self, what: str) -> str:
        """All that it says from the last call on to the line with these words."""
        deadline = time.monotonic() + 60
        while True:
            text = self.log.read_text()[self.read:]
            found = re.search(rf"[^\n]*{re.escape(what)}[^\n]*\n", text)
            if found:
                self.read += found.end()
                return text[:found.end()]
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"it does not say '{what}':\n{text}")
            time.sleep(0.02)

    def end(self, how: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=30)


class DevTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.home = pathlib.Path(self.scratch.name)
        self.mesh = self.home / "mesh"
        shutil.copytree(ROOT / "tests" / "support" / "shop", self.mesh)
        self.orders = self.mesh / "domains/sales/orders"

    def tearDown(self):
        self.scratch.cleanup()

    def change(self, file: pathlib.Path, old: str, new: str):
        text = file.read_text()
        self.assertIn(old, text)
        file.write_text(text.replace(old, new))

    def test_broken_and_mended(self):
        dev = Dev(self.mesh, self.home / "person")
        self.addCleanup(dev.end, signal.SIGKILL)
        said = dev.until("waiting for changes")
        self.assertIn("✓ checked 6 files\n", said)
        self.assertRegex(said, r"succeeded sales/orders/orders@1 4 rows in .*\n(.*\n)*succeeded insight/revenue/daily@1 ")
        url = re.search(r"export WEFT_NODE=(\S+)", said)[1]
        rows = subprocess.run([str(WEFT), "sql", "SELECT count(*) AS n FROM sales.orders.orders", "--json"], env=dev.env | {"WEFT_NODE": url},
                              text=True, capture_output=True)
        self.assertEqual(json.loads(rows.stdout), [{"n": 4}], rows.stderr)

        # A mistake in a contract is told with its place; nothing runs.
        contract = self.orders / "orders.odcs.yaml"
        whole = contract.read_text()
        self.change(contract, "logicalType: integer", "logicalType: integr")
        said = dev.until("waiting for changes")
        self.assertRegex(said, rf"{re.escape(str(contract))}:\d+:\d+: .*integr")
        self.assertRegex(said, r"✗ \d+ problems? in 6 files")
        self.assertNotIn("sales/orders/orders@1", said)

        # So is a promise that the rows do not keep, with some of them; the version is the same as before.
        contract.write_text(whole)
        self.assertNotIn("refused", dev.until("waiting for changes"))
        data = next((self.orders / "data").glob("*.csv"))
        rows_then = data.read_text()
        data.write_text(rows_then + rows_then.split("\n")[1] + "\n")
        said = dev.until("waiting for changes")
        self.assertIn("refused sales/orders/orders@1", said)
        self.assertRegex(said, r"failed .* at \S*orders\.odcs\.yaml:\d+")
        data.write_text(rows_then)
        said = dev.until("waiting for changes")
        self.assertIn("sales/orders/orders@1", said)
        self.assertNotIn("refused", said)

        # What has not changed, and reads nothing that has, does not run.
        sql = self.mesh / "domains/insight/revenue/daily.sql"
        sql.write_text(sql.read_text() + "-- again\n")
        said = dev.until("waiting for changes")
        self.assertIn("succeeded insight/revenue/daily@1", said)
        self.assertNotIn("sales/orders/orders@1", said)

        self.assertEqual(dev.end(), 0)
        self.assertEqual(list((self.home / "person/tmp").iterdir()), [])
        self.assertEqual(list((self.home / "person/state/weft/nodes").iterdir()), [])
        self.assertFalse((self.home / "person/share").exists())
        self.assertEqual(subprocess.run(["pgrep", "-f", str(self.home)], capture_output=True).stdout, b"")

    def test_one_product_and_a_kill(self):
        dev = Dev(self.orders, self.home / "person")
        self.addCleanup(dev.end, signal.SIGKILL)
        self.assertIn("succeeded sales/orders/orders@1 4 rows", dev.until("waiting for changes"))
        # Without its parent the node ends too.
        dev.end(signal.SIGKILL)
        deadline = time.monotonic() + 20
        while subprocess.run(["pgrep", "-f", str(self.home)], capture_output=True).stdout and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(subprocess.run(["pgrep", "-f", str(self.home)], capture_output=True).stdout, b"")

    def test_no_folder(self):
        done = subprocess.run([str(WEFT), "dev", str(self.home / "nowhere")], text=True, capture_output=True)
        self.assertEqual(done.returncode, 5)
        self.assertIn("there is no folder", done.stderr)


if __name__ == "__main__":
    unittest.main()
