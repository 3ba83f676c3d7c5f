"""Sources that are read from where the last run that counts stopped: folders under a root, tables of PostgreSQL and SQLite by a cursor."""
import contextlib
import os
import pathlib
import sqlite3
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import Node  # noqa: E402
from postgres import Postgres  # noqa: E402

PRODUCT = """apiVersion: v1.1.0
kind: DataProduct
id: own-{name}
name: {name}
domain: own
version: {version}
status: active
inputPorts:
  - name: feed
    version: 1.0.0
    contractId: feed-{name}
    customProperties:
      - {{property: source, vendor: weft, value: {source}}}
outputPorts:
  - name: {name}
    version: {version}
    contractId: own-{name}
    customProperties:
      - {{property: build, vendor: weft, value: {{mode: {mode}}}}}
"""
CONTRACT = """apiVersion: v3.2.0
kind: DataContract
id: {id}
name: {name}
version: {version}
status: active
schema:
  - name: {name}
    properties:
      - {{name: id, logicalType: integer, required: true{key}}}
      - {{name: what, logicalType: string}}
"""


class Incremental(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.roots = cls.folder / "roots"
        cls.roots.mkdir()
        cls.mesh = cls.folder / "mesh"
        cls.mesh.mkdir()
        cls.server = Postgres()
        cls.server.start()
        cls.node = Node("--source-roots", str(cls.roots), "--source-hosts", "127.0.0.1")
        cls.node.start()
        (cls.mesh / "mesh.yaml").write_text("id: own\ndomains:\n  - {name: own, owners: [admin]}\n")
        cls.node.run("apply", str(cls.mesh))
        cls.node.run("secret", "put", "db-password", "--domain", "own", text=cls.server.password)
        cls.versions = 0

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()
        cls.server.__exit__()
        cls.scratch.cleanup()

    def publish(self, name: str, source: str, mode: str = "append", key: bool = False, more: str = ""):
        type(self).versions += 1
        version = f"1.0.{self.versions}"
        home = self.mesh / "domains" / "own" / name
        home.mkdir(parents=True, exist_ok=True)
        (home / "product.odps.yaml").write_text(PRODUCT.format(name=name, version=version, source=source, mode=mode))
        (home / f"{name}.odcs.yaml").write_text(CONTRACT.format(id=f"own-{name}", name=name, version=version, key=", primaryKey: true" if key else "") + more)
        (home / "feed.odcs.yaml").write_text(CONTRACT.format(id=f"feed-{name}", name="feed", version=version, key=""))
        self.node.run("apply", str(home))
        self.node.run("grant", "admin", f"own/{name}/{name}@1")

    def postgres(self, database: str, cursor: str, more: str = "") -> str:
        server = self.server
        return (f"{{kind: postgres, host: {server.host}, port: {server.port}, database: {database}, user: {server.user}, "
                f"password: {{secret: db-password}}, cursor: {cursor}, {more}}}")

    def run_of(self, name: str, *words: str, code: int = 0) -> str:
        return self.node.run("run", f"own/{name}", *words, code=code)

    def rows(self, name: str) -> list[tuple]:
        with self.node.adbc() as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT id, what FROM own.{name}.{name} ORDER BY ALL")
            return [tuple(row.values()) for row in cursor.fetch_arrow_table().to_pylist()]

    def test_a_folder_under_a_root(self):
        home = self.roots / "in"
        home.mkdir()
        (home / "b.csv").write_text("id,what\n1,b\n")
        self.publish("folder", f"{{kind: file, path: '{home}/*.csv', read: new}}")
        self.assertIn("1 new file, 0 seen before", self.run_of("folder"))
        self.assertIn("skipped own/folder/folder@1", self.run_of("folder"))
        (home / "b.csv").rename(home / "c.csv")
        (home / "a.csv").write_text("id,what\n2,a\n")
        (home / ".d.csv").write_text("half a fi")
        self.assertIn("1 new file, 1 seen before", self.run_of("folder"))
        self.assertEqual(self.rows("folder"), [(1, "b"), (2, "a")])
        # Another one under its name, with its size and its time.
        stat = (home / "c.csv").stat()
        (home / "c.csv").write_text("id,what\n3,b\n")
        os.utime(home / "c.csv", ns=(stat.st_atime_ns, stat.st_mtime_ns))
        said = self.run_of("folder", code=3)
        self.assertIn("c.csv' is not what it was when a run read it", said)
        (home / "c.csv").unlink()
        self.assertIn("skipped", self.run_of("folder"))

    def test_a_rollback_over_what_has_expired(self):
        folder = self.roots / "expiring"
        folder.mkdir()
        self.publish("expiring", f"{{kind: file, path: '{folder}/*.csv', read: new}}",
                     more="slaProperties:\n  - {property: retention, value: 1, unit: s}\n")
        for number in (1, 2, 3):
            (folder / f"{number}.csv").write_text(f"id,what\n{number},x\n")
            self.run_of("expiring")
            if number != 2:
                self.node.run("tag", "own/expiring/expiring", f"after-{number}")
        time.sleep(1.2)
        self.assertIn("1 snapshot expired", self.node.run("upkeep", "own/expiring"))
        self.node.run("rollback", "own/expiring/expiring", "--to", "after-1")
        (folder / "4.csv").write_text("id,what\n4,x\n")
        self.assertIn("3 new files, 1 seen before", self.run_of("expiring"))
        self.assertEqual([row[0] for row in self.rows("expiring")], [1, 2, 3, 4])
        self.node.run("rollback", "own/expiring/expiring", "--to", "after-3")
        (folder / "5.csv").write_text("id,what\n5,x\n")
        self.assertIn("2 new files, 3 seen before", self.run_of("expiring"))
        self.assertEqual([row[0] for row in self.rows("expiring")], [1, 2, 3, 4, 5])

    def test_rows_of_new_files_that_are_set_aside(self):
        folder = self.roots / "aside"
        folder.mkdir()
        self.publish("aside", f"{{kind: file, path: '{folder}/*.csv', read: new}}",
                     more="    customProperties:\n      - {property: quarantine, vendor: weft, value: {}}\n")
        (folder / "1.csv").write_text("id,what\n1,a\nx,tea\n")
        self.run_of("aside")
        (folder / "2.csv").write_text("id,what\n2,b\nx,tea\nx,tea\n")
        self.assertIn("2 in quarantine", self.run_of("aside"))
        aside = self.node.json("sql", "SELECT weft_id, what FROM own.aside.aside_quarantine ORDER BY weft_id")
        self.assertEqual(len(aside), 3, aside)
        before = self.node.json("snapshots", "own/aside/aside")["snapshots"][0]["id"]
        fixed = self.folder / "fixed.csv"
        fixed.write_text(f"weft_id,id,what\n{aside[0]['weft_id']},3,tea\n")
        self.node.run("fix", "own/aside/aside", "--from", str(fixed))
        self.assertEqual([row[0] for row in self.rows("aside")], [1, 2, 3])
        self.assertIn("corrected rows", self.node.run("rollback", "own/aside/aside", "--to", f"snapshot:{before}", code=None))
        self.node.run("rollback", "own/aside/aside-quarantine", code=3)
        self.assertEqual([row[0] for row in self.rows("aside")], [1, 2, 3])

    def test_parquet_files_that_drift(self):
        import pyarrow
        import pyarrow.parquet
        home = self.roots / "drift"
        home.mkdir()

        def write(name: str, **columns):
            pyarrow.parquet.write_table(pyarrow.table(columns), home / name)

        write("1.parquet", id=pyarrow.array([1], pyarrow.int32()), what=["a"])
        write("2.parquet", what=["b"], more=[1.5], id=pyarrow.array([2], pyarrow.int64()))
        self.publish("drift", f"{{kind: file, path: '{home}/*.parquet', read: new}}")
        self.run_of("drift")
        self.assertEqual(self.rows("drift"), [(1, "a"), (2, "b")])
        write("3.parquet", id=pyarrow.array([3], pyarrow.int32()), what=["c"])
        write("4.parquet", id=pyarrow.array([4], pyarrow.int32()), that=["d"])
        self.assertIn("4.parquet' lacks what", self.run_of("drift", code=3))
        write("4.parquet", id=pyarrow.array([4.5]), what=["d"])
        self.assertIn("4.5 in the column 'id' is no value of", self.run_of("drift", code=3))
        write("4.parquet", id=pyarrow.array([4.0]), what=["d"])
        self.assertIn("2 new files, 2 seen before", self.run_of("drift"))
        self.assertEqual(self.rows("drift"), [(1, "a"), (2, "b"), (3, "c"), (4, "d")])

    def test_a_cursor_of_postgresql(self):
        self.server.create("feed")
        self.server.sql("CREATE TABLE feed (id bigint PRIMARY KEY, what text, at timestamptz); "
                        "INSERT INTO feed VALUES (1, 'a', '2026-01-01 10:00:00.000001+00'), (2, 'b', '2026-01-01 10:00:00.000002+00')", "feed")
        self.publish("late", self.postgres("feed", "at", "lag: 5m, table: feed"), "upsert", key=True)
        self.publish("plain", self.postgres("feed", "at", "table: public.feed"))
        self.publish("ids", self.postgres("feed", "id", "query: 'SELECT id, what FROM feed WHERE id < 100'"))
        for name in ("late", "plain", "ids"):
            self.assertIn("2 first rows", self.run_of(name))
        self.assertIn("skipped", self.run_of("plain"))
        # A row that its transaction dated before the last one, and one that changed.
        self.server.sql("INSERT INTO feed VALUES (3, 'c', '2026-01-01 09:59:00+00'), (4, 'd', '2026-01-01 10:00:00.000003+00'); "
                        "UPDATE feed SET what = 'A', at = '2026-01-01 10:01:00+00' WHERE id = 1", "feed")
        self.assertIn("2 new rows", self.run_of("plain"))
        self.assertEqual(self.rows("plain"), [(1, "A"), (1, "a"), (2, "b"), (4, "d")])
        self.assertIn("new or late rows", self.run_of("late"))
        self.assertEqual(self.rows("late"), [(1, "A"), (2, "b"), (3, "c"), (4, "d")])
        self.assertIn("2 new rows", self.run_of("ids"))
        self.assertEqual(self.rows("ids"), [(1, "a"), (2, "b"), (3, "c"), (4, "d")])
        # With a lag the window is read again, and what is in it already changes nothing.
        self.run_of("late")
        self.assertIn("skipped", self.run_of("late"))
        # Where it stands is told in no log, no ledger and no list.
        self.assertNotIn("2026-01-01 10:01:00", self.node.run("audit", "log", "--json") + self.node.run("runs", "own/late", "--json"))
        self.assertNotIn("2026-01-01 10:01", (self.node.folder / "node.log").read_text())
        # Rolled back, it stands where it stood.
        self.node.run("rollback", "own/plain/plain", "--reason", "twice")
        self.assertIn("refused own/plain/plain@1", self.run_of("plain", code=3))
        self.assertIn("2 new rows", self.run_of("plain", "--force"))
        self.assertEqual(len(self.rows("plain")), 4)

    def test_cursors_that_cannot_be(self):
        self.server.create("odd")
        self.server.sql("CREATE TABLE odd (id bigint, what text, at timestamp, j json); INSERT INTO odd VALUES (1, 'a', now(), '{}'), (2, 'b', NULL, '{}')", "odd")
        for cursor, more, said in (("nowhere", "", "it has no column 'nowhere', which is the cursor"),
                                   ("at", "", "rows have no 'at', so that they would never be read"),
                                   ("j", "", "could not identify an ordering operator"),
                                   ("id", ", lag: 5m", "lag is of dates and times, and 'id' is bigint")):
            with self.subTest(cursor=cursor):
                self.publish("odd", self.postgres("odd", cursor, f"table: odd{more}"), "upsert", key=True)
                self.assertIn(said, self.run_of("odd", code=3))
        self.server.sql("UPDATE odd SET at = 'infinity' WHERE id = 2", "odd")
        self.publish("odd", self.postgres("odd", "at", "table: odd"), "upsert", key=True)
        self.assertIn("nothing would ever come after it", self.run_of("odd", code=3))
        self.publish("odd", self.postgres("odd", "id", "table: odd"), "upsert", key=True)
        self.assertIn("2 first rows", self.run_of("odd"))
        self.server.sql("UPDATE odd SET at = '2026-01-01', what = 'c' WHERE id = 2", "odd")
        self.publish("odd", self.postgres("odd", "at", "table: odd"), "upsert", key=True)
        self.assertIn("it was read by 'id' of 'public.odd' so far, and the source says 'at' of 'public.odd'", self.run_of("odd", code=3))
        self.assertIn("2 first rows; 0 new, 1 changed, 1 as before", self.run_of("odd", "--full"))
        self.assertEqual(self.rows("odd"), [(1, "a"), (2, "c")])

    def test_a_cursor_of_sqlite(self):
        file = self.roots / "feed.db"
        with contextlib.closing(sqlite3.connect(file)) as database, database:
            database.executescript("CREATE TABLE feed (id INTEGER PRIMARY KEY, what TEXT, at TEXT, any); "
                                   "INSERT INTO feed VALUES (9, 'a', '2026-01-01T10:00:00Z', 1), (10, 'it''s', '2026-01-01T10:05:00Z', 'x')")
        self.publish("light", f"{{kind: sqlite, path: '{file}', table: feed, cursor: id}}")
        self.publish("lagging", f"{{kind: sqlite, path: '{file}', table: feed, cursor: at, lag: 10m}}", "append", key=True)
        for name in ("light", "lagging"):
            self.assertIn("2 first rows", self.run_of(name))
        self.assertIn("skipped", self.run_of("light"))
        with contextlib.closing(sqlite3.connect(file)) as database, database:
            database.execute("INSERT INTO feed VALUES (11, 'c', '2026-01-01T09:56:00Z', 2)")
        self.assertIn("1 new row", self.run_of("light"))
        self.assertIn("rows", self.run_of("lagging"))
        for name in ("light", "lagging"):
            self.assertEqual(self.rows(name), [(9, "a"), (10, "it's"), (11, "c")])
        self.publish("mixed", f"{{kind: sqlite, path: '{file}', table: feed, cursor: any}}")
        self.assertIn("'any' holds numbers and texts, which have no order", self.run_of("mixed", code=3))


if __name__ == "__main__":
    unittest.main()
