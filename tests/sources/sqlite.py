"""Tables of SQLite as sources: values of every kind in columns of every kind, a file that is written while it is read, whose file."""
import contextlib
import datetime
import decimal
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import WEFT, Node  # noqa: E402

import yaml  # noqa: E402

# Column, its declared type, its values, the type that is written, and what a reader of the product gets.
COLUMNS = [
    ("whole", "INTEGER", [1, -9223372036854775808, None], "bigint", [1, -9223372036854775808, None]),
    ("near", "REAL", [0.1, 1e300, None], "double", [0.1, 1e300, None]),
    ("price", "DECIMAL(10,2)", [12.5, 0.1, 3], "decimal(10,2)", [decimal.Decimal("12.50"), decimal.Decimal("0.10"), decimal.Decimal("3.00")]),
    ("on_day", "DATE", ["2024-02-29", "1999-01-01", None], "date", [datetime.date(2024, 2, 29), datetime.date(1999, 1, 1), None]),
    ("at", "TEXT", ["2024-02-29 10:00:00", "1999-01-01 00:00:01", None], "timestamp",
     [datetime.datetime(2024, 2, 29, 10), datetime.datetime(1999, 1, 1, 0, 0, 1), None]),
    ("zip", "TEXT", ["01067", "80331", "1010"], "varchar", ["01067", "80331", "1010"]),
    ("digits", "TEXT", ["1", "2", "3"], "varchar", ["1", "2", "3"]),
    ("flag", "BOOLEAN", [1, 0, None], "boolean", [True, False, None]),
    ("free", "", ["7", 8, None], "bigint", [7, 8, None]),
    ("mixed", "INTEGER", [1, "two", None], "varchar", ["1", "two", None]),
    ("words", "VARCHAR(20)", ['a "b",\n\\N', "", None], "varchar", ['a "b",\n\\N', "", None]),
    ("null_words", "TEXT", ["NULL", "\\N", "NA"], "varchar", ["NULL", "\\N", "NA"]),
    ("bytes", "BLOB", [b"\x00\xff\"\\", b"", None], "blob", [b"\x00\xff\"\\", b"", None]),
    ("epoch", "DATETIME", [1700000000, 1700000001, None], "bigint", [1700000000, 1700000001, None]),
    ("none", "TEXT", [None, None, None], "varchar", [None, None, None]),
]


class Sqlite(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.roots = cls.folder / "roots"
        cls.roots.mkdir()
        cls.mesh = cls.folder / "mesh"
        cls.mesh.mkdir()
        cls.node = Node("--source-roots", str(cls.roots))
        cls.node.start()
        (cls.mesh / "mesh.yaml").write_text("id: own\ndomains:\n  - {name: own, owners: [admin]}\n")
        cls.node.run("apply", str(cls.mesh))

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()
        cls.scratch.cleanup()

    def make(self, path: pathlib.Path, sql: str):
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript(sql)

    def new(self, product: str, file: pathlib.Path, *words: str) -> dict:
        return self.node.json("new", "product", f"own/{product}", "--from", str(file), "--into", str(self.mesh), *words)

    def publish(self, product: str) -> pathlib.Path:
        home = self.mesh / "domains" / "own" / product
        self.node.run("apply", str(home))
        return home

    def rows(self, sql: str) -> list[dict]:
        with self.node.adbc() as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetch_arrow_table().to_pylist()

    def test_every_kind_by_value(self):
        file = self.roots / "types.db"
        with contextlib.closing(sqlite3.connect(file)) as database, database:
            columns = ", ".join(f'"{name}" {kind}' for name, kind, *_ in COLUMNS)
            database.execute(f"CREATE TABLE everything (id INTEGER PRIMARY KEY, {columns})")
            for i in range(3):
                database.execute(f"INSERT INTO everything VALUES ({', '.join('?' * (len(COLUMNS) + 1))})", [i, *(values[i] for _, _, values, _, _ in COLUMNS)])
        told = self.new("types", file)
        self.assertEqual(told["next"], [f"the node reads the file where it is, when it is started with --source-roots {self.roots.resolve()}"])
        self.assertEqual([column["type"] for column in told["tables"][0]["columns"]], ["bigint", *(kind for *_, kind, _ in COLUMNS)])
        self.assertEqual(told["tables"][0]["key"], ["id"])
        self.assertIn("'mixed' is declared INTEGER and holds something else: it is left as text", told["tables"][0]["findings"])
        self.publish("types")
        self.node.run("run", "own/types")
        self.node.run("grant", "admin", "own/types/types@1")
        got = self.rows("SELECT * FROM own.types.types ORDER BY id")
        for name, kind, _, _, wanted in COLUMNS:
            with self.subTest(column=name, type=kind):
                self.assertEqual([row[name] for row in got], wanted)
        with contextlib.closing(sqlite3.connect(file)) as database, database:
            database.execute("UPDATE everything SET price = 1.005 WHERE id = 1")
        self.assertIn('row 2, column price: "1.005" has more decimals than the column, which would be rounded away', self.node.run("run", "own/types", code=3))
        with contextlib.closing(sqlite3.connect(file)) as database, database:
            database.execute("UPDATE everything SET price = 1, zip = x'00ff' WHERE id = 2")
        self.assertIn("row 3, column zip: it holds bytes, and is declared 'TEXT'", self.node.run("run", "own/types", code=3))

    def test_tables_and_what_they_refer_to(self):
        file = self.roots / "shop.sqlite"
        self.make(file, """CREATE TABLE customers (id INTEGER PRIMARY KEY, mail TEXT NOT NULL UNIQUE);
          CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INT REFERENCES customers, day TEXT);
          CREATE VIEW days AS SELECT day, count(*) AS orders FROM orders GROUP BY day;
          WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30)
            INSERT INTO customers SELECT i, 'c' || i || '@example.org' FROM n;
          WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
            INSERT INTO orders SELECT i, i % 30 + 1, '2024-01-' || printf('%02d', i % 28 + 1) FROM n;""")
        told = self.new("shop", file)
        self.assertEqual([(table["name"], table["key"]) for table in told["tables"]], [("customers", ["id"]), ("orders", ["id"])])
        home = self.publish("shop")
        orders = {column["name"]: column for column in yaml.safe_load((home / "orders.odcs.yaml").read_text())["schema"][0]["properties"]}
        self.assertEqual(orders["customer"]["relationships"], [{"type": "foreignKey", "to": "customers.id"}])
        customers = {column["name"]: column for column in yaml.safe_load((home / "customers.odcs.yaml").read_text())["schema"][0]["properties"]}
        self.assertTrue(customers["mail"]["unique"] and customers["mail"]["required"])
        self.node.run("run", "own/shop")
        # A view is read where it is named.
        self.new("days", file, "--table", "days")
        self.publish("days")
        self.node.run("run", "own/days")
        self.node.run("grant", "admin", "own/days/days@1")
        self.assertEqual(self.rows("SELECT sum(orders) AS n FROM own.days.days"), [{"n": 100}])
        self.assertIn("sqlite:" + str(file.resolve()) + "?table=days", self.node.run("lineage", "own/days/days"))
        said = subprocess.run([str(WEFT), "new", "product", "own/x", "--from", str(file), "--table", "order"], env=self.node.env, text=True, capture_output=True)
        self.assertEqual(said.returncode, 5)
        self.assertIn("the database has no table 'order'; did you mean 'orders'?", said.stderr)

    def test_a_file_that_travels_and_files_that_may_not_be_read(self):
        home = self.mesh / "domains" / "own" / "inside"
        self.make(home / "data" / "own.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y')")
        told = self.new("inside", home / "data" / "own.db")
        self.assertEqual(told["next"], [])
        self.publish("inside")
        self.node.run("run", "own/inside")
        self.node.run("grant", "admin", "own/inside/inside@1")
        self.assertEqual(self.rows("SELECT v FROM own.inside.inside ORDER BY id"), [{"v": "x"}, {"v": "y"}])
        self.assertIn("skipped own/inside/inside@1", self.node.run("run", "own/inside"))
        outside = self.folder / "outside.db"
        self.make(outside, "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
        self.new("outside", outside)
        home = self.publish("outside")
        self.assertIn("does not lie under a folder that the node's administrator declared", self.node.run("run", "own/outside", code=4))
        (self.roots / "link.db").symlink_to(outside)
        product = home / "product.odps.yaml"
        whole = product.read_text()
        product.write_text(whole.replace(str(outside.resolve()), str(self.roots / "link.db")))
        self.publish("outside")
        self.assertIn("does not lie under", self.node.run("run", "own/outside", code=4))
        (self.roots / "text.db").write_text("SQLite format 3\0" + "nothing of the kind" * 100)
        product.write_text(whole.replace(str(outside.resolve()), str(self.roots / "text.db")))
        self.publish("outside")
        self.assertIn("it is no SQLite database", self.node.run("run", "own/outside", code=3))

    def test_one_state_of_a_file_that_is_written(self):
        for mode in ("WAL", "DELETE"):
            with self.subTest(journal=mode):
                name = f"bank-{mode.lower()}"
                file = self.roots / f"{name}.db"
                self.make(file, f"PRAGMA journal_mode = {mode}; CREATE TABLE accounts (id INTEGER PRIMARY KEY, amount INT NOT NULL); INSERT INTO accounts "
                                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT i, 100 FROM n")
                self.new(name, file)
                self.publish(name)
                self.node.run("grant", "admin", f"own/{name}/{name}@1")
                # Each transaction moves one from each account of the first half to one of the second.
                writer = subprocess.Popen([sys.executable, "-c", f"""
import sqlite3
database = sqlite3.connect({str(file)!r}, timeout=60, isolation_level=None)
while True:
    database.executescript("BEGIN IMMEDIATE; UPDATE accounts SET amount = amount - 1 WHERE id <= 25000; UPDATE accounts SET amount = amount + 1 WHERE id > 25000; COMMIT")
    print(flush=True)
"""], stdout=subprocess.PIPE)
                try:
                    writer.stdout.readline()
                    for _ in range(3):
                        self.node.run("run", f"own/{name}", "--force")
                        self.assertEqual(self.rows(f"SELECT sum(amount) AS sum, max(amount) + min(amount) AS both FROM own.{name.replace('-', '_')}.{name.replace('-', '_')}"),
                                         [{"sum": 5_000_000, "both": 200}])
                finally:
                    writer.kill()
                    writer.wait(timeout=30)
                    writer.stdout.close()


if __name__ == "__main__":
    unittest.main()
