"""docs/own-data.md, typed as it stands there: a CSV with dirt in it, a PostgreSQL schema of ten tables, a dbt project."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, WEFT, Node  # noqa: E402
from postgres import Postgres, programs  # noqa: E402

PAGE = ROOT / "docs" / "own-data.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REFUSED = 3


class OwnData(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.server = self.enterContext(Postgres())
        self.server.create("shop")
        self.env = os.environ | {"PGPASSWORD": self.server.password, "PATH": f"{WEFT.parent}:{os.environ['PATH']}", "NO_COLOR": "1"}
        subprocess.run([programs() / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.server.host, "-p", str(self.server.port),
                        "-U", self.server.user, "shop", "-f", ROOT / "examples" / "own" / "shop.sql"], env=self.env, check=True)

    def typed(self, line: str) -> str:
        """The line with this machine's places in it."""
        line = line.replace("postgres://reader@localhost/shop", f"postgres://{self.server.user}@{self.server.host}:{self.server.port}/shop")
        return line.replace("/tmp/own", str(self.folder / "own"))

    def shell(self, lines: str, code: int, text: str | None = None) -> str:
        told = ""
        for line in lines.splitlines():
            done = subprocess.run(["bash", "-c", self.typed(line)], cwd=ROOT, env=self.env, text=True, input=text, capture_output=True)
            self.assertEqual(done.returncode, code, f"{line}\n{done.stdout}{done.stderr}")
            told += done.stdout + done.stderr
        return told

    def test_the_page_as_it_stands(self):
        node, told, kinds = None, "", []
        for kind, lines in BLOCK.findall(PAGE.read_text()):
            kinds.append(kind)
            if kind == "node":
                flags = self.typed(lines).split()
                self.assertEqual(flags[:3], ["weft", "serve", "--data"])
                node = self.enterContext(Node(*flags[4:], data=pathlib.Path(flags[3])))
                self.env |= {name: value for name, value in node.env.items() if name.startswith(("WEFT_", "XDG_"))}
            elif kind == "text":
                for line in lines.splitlines():
                    self.assertIn(line, told)
            else:
                told = self.shell(lines, REFUSED if kind == "refused" else 0, self.server.password + "\n" if kind == "password" else None)
                if kind == "refused":
                    self.assertRegex(told, r"orders\.odcs\.yaml:\d+")
                    self.assertIn("1001", told)
        self.assertEqual(sorted(set(kinds)), ["", "node", "password", "postgres", "refused", "text"])
        # What was read stands there by value: the sum that its own server has, and every row of every table.
        self.assertEqual(node.json("sql", "SELECT count(*) AS n, sum(quantity * price)::VARCHAR AS eur FROM sales.shop.order_lines"),
                         [{"n": 2400, "eur": self.query("SELECT sum(quantity * price) FROM order_lines")}])
        ports = {port["name"] for port in node.json("show", "sales/shop")["ports"]}
        self.assertEqual(len(ports), 10)
        self.assertEqual(node.json("sql", "SELECT customer, amount::VARCHAR AS amount FROM sales.orders.orders WHERE order_no = 1001"),
                         [{"customer": "Dieter Müller", "amount": "1962.19"}])

    def query(self, sql: str) -> str:
        return subprocess.run([programs() / "psql", "-At", "-h", self.server.host, "-p", str(self.server.port), "-U", self.server.user,
                               "shop", "-c", sql], env=self.env, check=True, text=True, capture_output=True).stdout.strip()


if __name__ == "__main__":
    unittest.main()
