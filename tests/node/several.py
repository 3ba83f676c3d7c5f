"""Several nodes over one PostgreSQL and one shared folder: what is done at one is so at the other, each port has one run at a time,
and where one is killed, hangs or loses its server, the others go on and nothing is lost, doubled or half visible."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, WEFT, Node  # noqa: E402
from postgres import Postgres  # noqa: E402

SHOP = ROOT / "tests" / "support" / "shop"
PORT = "sales/orders/orders"
PATIENCE = 30
ROWS = 1_500_000


def until(what, message: str, patience: float = PATIENCE):
    end = time.monotonic() + patience
    while not (found := what()):
        if time.monotonic() > end:
            raise AssertionError(message)
        time.sleep(0.02)
    return found


class Several(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-several-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.server = Postgres("max_connections=300")
        cls.server.start()
        cls.addClassCleanup(cls.server.__exit__)
        secret = cls.folder / "pgpass"
        secret.touch(0o600)
        secret.write_text(f"*:*:*:*:{cls.server.password}\n")
        cls.password = f"passfile={secret}"

    def setUp(self):
        name = "t" + os.urandom(6).hex()
        self.server.create(name)
        self.shared = self.folder / name
        store = f"{self.server.url(name, password=False)}?{self.password}"
        flags = ("--store", store, "--shared", str(self.shared), "--node-timeout", "2s", "--source-roots", str(self.folder))
        self.one, self.two = Node(*flags), Node(*flags)
        for node in (self.one, self.two):
            self.addCleanup(node.__exit__)
        with concurrent.futures.ThreadPoolExecutor() as pool:  # Together: one migrates, one makes the keys.
            list(pool.map(Node.start, (self.one, self.two)))
        self.one.run("apply", str(SHOP))

    def count(self, node: Node, sql: str = "sales.orders.orders", **how) -> int:
        return node.json("sql", f"SELECT count(*) AS n FROM {sql}", **how)[0]["n"]

    def assert_chain(self):
        for node in (self.one, self.two):
            verdict = node.json("audit", "verify")
            self.assertTrue(verdict["ok"], verdict)

    def begin_long(self, endless: bool = False) -> tuple[subprocess.Popen, str]:
        """A run of some seconds at the first node, or one that only a cancel ends, under way, and its id."""
        import duckdb
        rows = self.folder / "rows.csv"
        if not rows.exists():
            duckdb.execute(f"COPY (SELECT i AS id, md5(i::VARCHAR) AS word FROM range({ROWS}) r(i)) TO '{rows}' (FORMAT csv, HEADER true)")
        mesh = self.folder / ("mesh-" + os.urandom(4).hex())
        home = mesh / "domains" / "sales" / "long"
        home.mkdir(parents=True)
        columns = [{"name": "id", "logicalType": "integer", "required": True, "unique": True}, {"name": "word", "logicalType": "string", "unique": True}]
        contract = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": "long", "name": "long", "version": "1.0.0", "status": "active",
                    "description": {"purpose": "Rows."}, "schema": [{"name": "long", "logicalType": "object", "properties": columns}]}
        own = {"property": "source", "vendor": "weft", "value": {"kind": "file", "path": str(rows), "format": "csv"}}
        product = {"apiVersion": "v1.1.0", "kind": "DataProduct", "id": "product-long", "name": "long", "domain": "sales", "version": "1.0.0",
                   "status": "active", "type": "sourceAligned",
                   "inputPorts": [{"name": "source", "version": "1.0.0", "contractId": "long-source", "customProperties": [own]}],
                   "outputPorts": [{"name": "long", "type": "table", "version": "1.0.0", "contractId": "long",
                                    "customProperties": [{"property": "build", "vendor": "weft", "value": {"mode": "replace"}}]}]}
        if endless:
            product["outputPorts"][0]["customProperties"][0]["value"]["sql"] = "long.sql"
            (home / "long.sql").write_text("SELECT count(*) AS id, max(a.word || b.word) AS word FROM source a, source b")
        (home / "long.odcs.yaml").write_text(json.dumps(contract))
        (home / "product.odps.yaml").write_text(json.dumps(product))
        self.one.run("apply", str(mesh))
        self.two.run("grant", "admin", "sales/long/long@1")
        client = subprocess.Popen([str(WEFT), "run", "sales/long"], env=self.one.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(client.wait)
        found = until(lambda: [run for run in self.two.json("runs", "--limit", "5")["runs"]
                               if run["address"].startswith("sales/long") and run["status"] == "running"], "the run did not begin")
        return client, found[0]["id"]

    def status_of(self, run: str) -> str:
        return self.two.json("runs", run)["status"]

    def test_a_scheduler_that_is_killed_is_replaced(self):
        mesh = self.folder / ("mesh-" + os.urandom(4).hex())
        shutil.copytree(SHOP, mesh)
        home = mesh / "domains" / "sales" / "orders"
        text = (home / "product.odps.yaml").read_text().replace("{mode: replace}", "{trigger: freshness}")
        (home / "product.odps.yaml").write_text(text.replace("version: 1.0.0\nstatus", "version: 1.0.1\nstatus").replace(
            "version: 1.0.0\n    contractId", "version: 1.1.0\n    contractId"))
        text = (home / "orders.odcs.yaml").read_text().replace("version: 1.0.0", "version: 1.1.0")
        (home / "orders.odcs.yaml").write_text(text.replace("status: active", "status: active\nslaProperties: [{property: latency, value: 4, unit: s}]"))
        self.one.run("apply", str(mesh))

        def started(node: Node) -> list[dict]:
            return [run for run in node.json("runs", PORT, "--limit", "1000")["runs"] if run["cause"] != "by hand"]

        until(lambda: len(started(self.one)) >= 2, "nothing keeps the rows fresh")
        for dead, alive in ((self.one, self.two), (self.two, self.one)):
            dead.stop(signal.SIGKILL)
            before = len(started(alive))
            until(lambda: len(started(alive)) >= before + 2, "nobody took the schedules over")
            dead.start()
        runs = started(self.one)
        self.assertEqual(len({run["logical_time"] for run in runs if run["cause"] == "freshness"}),
                         len([run for run in runs if run["cause"] == "freshness"]), "one due time was started twice")
        self.assertEqual([run["status"] for run in runs if run["status"] in ("failed", "denied", "refused")], [])
        self.assert_chain()

    def test_what_is_done_at_one_is_so_at_the_other(self):
        one, two = self.one, self.two
        two.run("grant", "admin", PORT)
        one.run("run", "sales/orders")
        self.assertEqual(self.count(one), self.count(two))
        self.assertTrue(two.json("search", "orders")["hits"])
        self.assertEqual([r["id"] for r in one.json("runs")["runs"]], [r["id"] for r in two.json("runs")["runs"]])
        # A secret that one sealed is opened by the other, and a person who signs in at one is known at the other.
        one.run("secret", "put", "db", "--domain", "sales", text="hunter2-hunter2\n")
        two.run("secret", "reseal")
        one.run("secret", "put", "other", "--domain", "sales", text="hunter3-hunter3\n")
        self.assertEqual(len(two.json("secret", "list")["secrets"]), 2)
        zoe = one.json("token", "create", "zoe")
        two.run("grant", "zoe", PORT)
        self.assertEqual(self.count(one, token=zoe["secret"]), self.count(two, token=zoe["secret"]))
        one.run("revoke", "zoe", PORT)
        two.run("sql", "SELECT * FROM sales.orders.orders", token=zoe["secret"], code=4)
        two.run("token", "revoke", zoe["token"]["id"])
        one.run("list", token=zoe["secret"], code=4)
        self.assert_chain()

    def test_a_right_that_ends_at_one_ends_under_an_open_stream_of_the_other(self):
        one, two = self.one, self.two
        one.run("run", "sales/orders")
        zoe = one.json("token", "create", "zoe")["secret"]
        two.run("grant", "zoe", PORT)
        with one.adbc(zoe) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT a.* FROM sales.orders.orders a, range(100000000) r(i)")
            reader = cursor.fetch_record_batch()
            reader.read_next_batch()
            two.run("revoke", "zoe", PORT)
            began = time.monotonic()
            with self.assertRaises(Exception):
                while time.monotonic() - began < PATIENCE:
                    reader.read_next_batch()
            self.assertLess(time.monotonic() - began, 5)

    def test_writers_of_both_keep_one_chain(self):
        def write(node_and_i):
            node, i = node_and_i
            status, _ = node.call("POST", "/v1/grants", {"principal": f"p{i}", "address": PORT})
            return status

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            statuses = list(pool.map(write, [(node, f"{name}{i}") for i in range(40) for name, node in (("a", self.one), ("b", self.two))]))
        self.assertEqual(set(statuses), {200})
        self.assertEqual(len(self.one.json("grants")["grants"]), 80)
        rows = self.two.json("audit", "log", "--limit", "1000")["rows"]
        self.assertEqual(sorted(row["seq"] for row in rows), list(range(1, len(rows) + 1)))
        self.assertEqual(len([row for row in rows if row["kind"] == "granted"]), 80)
        self.assert_chain()
        for node in (self.one, self.two):  # Both have questions answered by one index.
            self.assertTrue(node.json("audit", "what", "admin"))

    def test_a_run_is_of_one_node_and_any_can_cancel_it(self):
        client, run = self.begin_long(endless=True)
        self.two.run("run", "sales/long", code=6)
        self.two.run("cancel", run)
        until(lambda: self.status_of(run) not in ("pending", "running"), "the run was not cancelled")
        self.assertEqual(self.status_of(run), "cancelled")
        self.assert_chain()

    def test_the_other_goes_on_where_one_is_killed(self):
        client, run = self.begin_long()
        self.one.stop(signal.SIGKILL)
        until(lambda: self.status_of(run) == "interrupted", "nobody took over")
        self.two.run("run", "sales/long")
        self.assertEqual(self.count(self.two, "sales.long.long"), ROWS)
        self.one.start()
        self.assertEqual(self.count(self.one, "sales.long.long"), ROWS)
        self.assertEqual(self.status_of(run), "interrupted")
        self.assert_chain()

    def test_one_that_hung_commits_nothing_when_it_wakes(self):
        client, run = self.begin_long()
        os.kill(self.one.process.pid, signal.SIGSTOP)
        try:
            # If it hung in a transaction, the server throws it out after a minute.
            until(lambda: self.status_of(run) == "interrupted", "nobody took over", 90)
            self.two.run("run", "sales/long")
        finally:
            os.kill(self.one.process.pid, signal.SIGCONT)
        client.wait(timeout=60)
        self.assertNotEqual(self.status_of(run), "succeeded")
        self.assertEqual(len(self.two.json("snapshots", "sales/long/long")["snapshots"]), 1)
        self.assertEqual(self.count(self.one, "sales.long.long"), ROWS)
        self.assert_chain()

    def test_a_server_that_restarts_is_waited_for(self):
        self.one.run("run", "sales/orders")
        self.two.run("grant", "admin", PORT)
        self.server.stop()
        try:
            for node in (self.one, self.two):
                self.assertFalse(node._ready(node.url))
                node.run("list", code=7)
        finally:
            self.server.start()
        for node in (self.one, self.two):
            until(lambda at=node: at._ready(at.url), "the node did not come back")
            self.assertEqual(self.count(node), 4)
        self.assert_chain()


if __name__ == "__main__":
    unittest.main()
