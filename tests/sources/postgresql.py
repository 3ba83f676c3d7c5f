"""Tables of a real PostgreSQL as sources: every type by value, what is declared, dirty data, one state, no secret anywhere."""
import datetime
import decimal
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import WEFT, Node  # noqa: E402
from postgres import Postgres  # noqa: E402

import yaml  # noqa: E402

UTC = datetime.timezone.utc
# Column, its type, values as SQL, and what a reader of the product gets for each.
TYPES = [
    ("flag", "boolean", ["true", "false"], [True, False]),
    ("tiny", "smallint", ["-32768", "32767"], [-32768, 32767]),
    ("whole", "integer", ["-2147483648", "2147483647"], [-2147483648, 2147483647]),
    ("big", "bigint", ["-9223372036854775808", "9223372036854775807"], [-9223372036854775808, 9223372036854775807]),
    ("price", "numeric(10,2)", ["-99999999.99", "0.10"], [decimal.Decimal("-99999999.99"), decimal.Decimal("0.10")]),
    ("wide", "numeric(38,0)", ["99999999999999999999999999999999999999", "-1"],
     [decimal.Decimal("99999999999999999999999999999999999999"), decimal.Decimal(-1)]),
    ("exact", "numeric", ["1.2345678901234567890123456789", "1000000"],
     [decimal.Decimal("1.2345678901234567890123456789"), decimal.Decimal("1000000.0000000000000000000000000000")]),
    ("cash", "money", ["'$1,234.50'", "'-$0.05'"], [decimal.Decimal("1234.50"), decimal.Decimal("-0.05")]),
    ("near", "real", ["0.1", "3.4028235e38"], [0.10000000149011612, 3.4028234663852886e38]),
    ("double", "double precision", ["0.1", "1.7976931348623157e308"], [0.1, 1.7976931348623157e308]),
    ("words", "text", ["E'a \"b\", c\\n\\\\N \\t'", "''"], ['a "b", c\n\\N \t', ""]),
    ("null_word", "text", ["'\\N'", "'NULL'"], ["\\N", "NULL"]),
    ("short", "varchar(8)", ["'ÄÖÜ日本'", "'NA'"], ["ÄÖÜ日本", "NA"]),
    ("padded", "char(4)", ["'ab'", "'abcd'"], ["ab  ", "abcd"]),
    ("day", "date", ["'0001-01-01'", "'9999-12-31'"], [datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]),
    ("at", "timestamp", ["'2024-02-29 23:59:59.999999'", "'1582-10-14'"],
     [datetime.datetime(2024, 2, 29, 23, 59, 59, 999999), datetime.datetime(1582, 10, 14)]),
    ("moment", "timestamptz", ["'2024-06-30 23:30:00+02'", "'1900-01-01 00:00:00.5+00'"],
     [datetime.datetime(2024, 6, 30, 21, 30, tzinfo=UTC), datetime.datetime(1900, 1, 1, 0, 0, 0, 500000, UTC)]),
    ("clock", "time", ["'23:59:59.999999'", "'00:00'"], [datetime.time(23, 59, 59, 999999), datetime.time(0, 0)]),
    ("zoned_clock", "timetz", ["'10:00+02'", "'10:00Z'"], ["10:00:00+02", "10:00:00+00"]),
    ("span", "interval", ["'1 year 2 days 3 seconds'", "'-00:00:01'"], ["P1Y2DT3S", "PT-1S"]),
    ("token", "uuid", ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "NULL"], ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", None]),
    ("loose", "json", ["'{\"a\": 1.10, \"a\": [1,  2]}'", "'null'"], ['{"a": 1.10, "a": [1,  2]}', "null"]),
    ("tight", "jsonb", ["'{\"b\": 2, \"a\": 1.10}'", "'\"x\"'"], ['{"a": 1.10, "b": 2}', '"x"']),
    ("bytes", "bytea", ["'\\x00ff5c22'", "''"], [b"\x00\xff\\\"", b""]),
    ("numbers", "integer[]", ["'{1,NULL,3}'", "'{}'"], [[1, None, 3], []]),
    ("tags", "text[]", ["ARRAY['a,b', E'c\"\\n', 'NULL', '', NULL]", "NULL"], [["a,b", 'c"\n', "NULL", "", None], None]),
    ("moments", "timestamptz[]", ["ARRAY['2024-01-01 12:00+01'::timestamptz]", "NULL"],
     [[datetime.datetime(2024, 1, 1, 11, tzinfo=UTC)], None]),
    ("prices", "numeric(6,2)[]", ["'{1.5,-2.25}'", "NULL"], [[decimal.Decimal("1.50"), decimal.Decimal("-2.25")], None]),
    ("mood", "mood", ["'so so'", "'happy'"], ["so so", "happy"]),
    ("mail", "email", ["'a@example.org'", "NULL"], ["a@example.org", None]),
    ("score", "score", ["7", "0"], [7, 0]),
    ("host", "inet", ["'10.0.0.1/8'", "'::1'"], ["10.0.0.1/8", "::1"]),
    ("net", "cidr", ["'10.0.0.0/8'", "NULL"], ["10.0.0.0/8", None]),
    ("card", "macaddr", ["'08:00:2b:01:02:03'", "NULL"], ["08:00:2b:01:02:03", None]),
    ("bits", "bit varying", ["B'101'", "NULL"], ["101", None]),
    ("place", "point", ["'(1.5,2)'", "NULL"], ["(1.5,2)", None]),
    ("during", "tsrange", ["'[2024-01-01,2024-02-01)'", "NULL"], ['["2024-01-01 00:00:00","2024-02-01 00:00:00")', None]),
    ("doc", "xml", ["'<a>1</a>'", "NULL"], ["<a>1</a>", None]),
    ("lexemes", "tsvector", ["to_tsvector('simple', 'b a')", "NULL"], ["'a':2 'b':1", None]),
    ("pair", "pair", ["ROW(1, 'x,y')", "NULL"], ['(1,"x,y")', None]),
    ("nothing", "integer", ["NULL", "NULL"], [None, None]),
]

SHOP = """
CREATE TYPE state AS ENUM ('new', 'paid', 'sent');
CREATE TABLE countries (code char(2) PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE customers (id bigint PRIMARY KEY, mail text NOT NULL, country char(2) REFERENCES countries, nick text);
COMMENT ON TABLE customers IS 'Whoever ever ordered.';
COMMENT ON COLUMN customers.nick IS 'What they want to be called.';
CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL REFERENCES customers (id), state state NOT NULL, placed timestamptz NOT NULL);
CREATE TABLE lines (order_id bigint REFERENCES orders, no int, sku text NOT NULL, price numeric(10,2) NOT NULL CHECK (price >= 0), PRIMARY KEY (order_id, no));
CREATE TABLE returns (id int PRIMARY KEY, order_id bigint NOT NULL, no int NOT NULL, FOREIGN KEY (order_id, no) REFERENCES lines (order_id, no));
CREATE TABLE staff (id int PRIMARY KEY, boss int REFERENCES staff, name text NOT NULL);
CREATE TABLE empty_yet (id int PRIMARY KEY, at timestamp);
INSERT INTO countries VALUES ('DE', 'Germany'), ('AT', 'Austria');
INSERT INTO customers SELECT i, 'c' || i || '@example.org', CASE WHEN i % 2 = 0 THEN 'DE' ELSE 'AT' END, CASE WHEN i % 3 = 0 THEN 'n' END FROM generate_series(1, 200) i;
INSERT INTO orders SELECT i, i % 200 + 1, (ARRAY['new', 'paid'])[i % 2 + 1]::state, '2024-01-01Z'::timestamptz + i * interval '1 minute' FROM generate_series(1, 500) i;
INSERT INTO lines SELECT i % 500 + 1, i / 500, 'AB-' || lpad((i % 77)::text, 4, '0'), i * 0.01 FROM generate_series(0, 999) i;
INSERT INTO returns SELECT i, i, 1 FROM generate_series(1, 30) i;
INSERT INTO staff VALUES (1, NULL, 'a'), (2, 1, 'b'), (3, 1, 'c');
"""


class Databases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.server = Postgres()
        cls.server.start()
        cls.node = Node("--source-hosts", "127.0.0.1")
        cls.node.start()
        cls.node.env["PGPASSWORD"] = cls.server.password
        (cls.folder / "mesh.yaml").write_text("id: own\ndomains:\n  - {name: own, owners: [admin]}\n  - {name: other, owners: [admin]}\n")
        cls.node.run("apply", str(cls.folder))

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()
        cls.server.__exit__()
        cls.scratch.cleanup()

    def database(self, name: str, sql: str) -> str:
        """Its URL, as a person types it; its secret is put."""
        self.server.create(name)
        self.server.sql(sql, name)
        self.node.run("secret", "put", f"{name}-password", "--domain", "own", text=self.server.password)
        return f"postgres://{self.server.user}@{self.server.host}:{self.server.port}/{name}"

    def new(self, product: str, url: str, *words: str) -> dict:
        return self.node.json("new", "product", f"own/{product}", "--from", url, "--into", str(self.folder), *words)

    def home(self, product: str) -> pathlib.Path:
        return self.folder / "domains" / "own" / product

    def apply(self, product: str):
        self.node.run("apply", str(self.home(product)))

    def refused(self, product: str, code: int = 3) -> str:
        """What a run says that does not come about."""
        return self.node.run("run", f"own/{product}", code=code)

    def rows(self, sql: str) -> list[dict]:
        with self.node.adbc() as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetch_arrow_table().to_pylist()

    def change(self, file: pathlib.Path, old: str, new: str):
        text = file.read_text()
        self.assertIn(old, text)
        file.write_text(text.replace(old, new))

    def test_every_type_by_value(self):
        columns = ", ".join(f"{name} {kind}" for name, kind, _, _ in TYPES)
        rows = ", ".join(f"({i}, " + ", ".join(values[i] for _, _, values, _ in TYPES) + ")" for i in range(2))
        url = self.database("types", f"""CREATE TYPE mood AS ENUM ('happy', 'so so', 'sad'); CREATE DOMAIN email AS text; CREATE DOMAIN score AS smallint;
          CREATE TYPE pair AS (a int, b text); CREATE TABLE everything (id int PRIMARY KEY, {columns}); INSERT INTO everything VALUES {rows}""")
        self.new("types", url)
        self.apply("types")
        self.node.run("run", "own/types")
        self.node.run("grant", "admin", "own/types/types@1")
        got = self.rows("SELECT * FROM own.types.types ORDER BY id")
        for name, kind, _, wanted in TYPES:
            with self.subTest(column=name, type=kind):
                self.assertEqual([row[name] for row in got], wanted)

    def test_what_is_declared_is_promised(self):
        url = self.database("shop", SHOP)
        told = self.new("shop", url)
        self.assertEqual(told["next"], [
            "the node reads it as weft: seal the password with weft secret put shop-password --domain own",
            "its administrator allows the host: weft serve --source-hosts 127.0.0.1"])
        keys = {table["name"]: table["key"] for table in told["tables"]}
        self.assertEqual(keys["lines"], ["order_id", "no"])
        self.assertEqual(keys["empty_yet"], ["id"])

        def columns(port: str) -> dict[str, dict]:
            return {column["name"]: column for column in yaml.safe_load((self.home("shop") / f"{port}.odcs.yaml").read_text())["schema"][0]["properties"]}

        customers, orders = columns("customers"), columns("orders")
        self.assertEqual([value["value"] for value in orders["state"]["enum"]], ["new", "paid", "sent"])
        self.assertEqual(orders["customer"]["relationships"], [{"type": "foreignKey", "to": "customers.id"}])
        self.assertEqual(customers["nick"]["description"], "What they want to be called.")
        self.assertEqual(customers["mail"]["tags"], ["pii"])
        # Nobody is without a country now; the database lets them be.
        self.assertTrue(customers["mail"]["required"])
        self.assertNotIn("required", customers["country"])
        self.assertTrue(columns("countries")["name"]["unique"])
        text = (self.home("shop") / "orders.odcs.yaml").read_text()
        self.assertIn("# Declared: bigint, not null, refers to public.customers.", text)
        returns = yaml.safe_load((self.home("shop") / "returns.odcs.yaml").read_text())
        self.assertEqual(returns["schema"][0]["relationships"],
                         [{"type": "foreignKey", "from": ["returns.order_id", "returns.no"], "to": ["lines.order_id", "lines.no"]}])
        product = (self.home("shop") / "product.odps.yaml").read_text()
        self.assertIn('"password":{"secret":"shop-password"},"table":"public.orders"', product)
        self.apply("shop")
        self.node.run("run", "own/shop")
        self.node.run("grant", "admin", "own/shop/lines@1")
        self.assertEqual(self.rows("SELECT count(*) AS n, sum(price) AS sum FROM own.shop.lines"), [{"n": 1000, "sum": decimal.Decimal("4995.00")}])
        lineage = self.node.run("lineage", "own/shop/orders")
        self.assertIn(f"postgres://127.0.0.1:{self.server.port}/shop?table=public.orders", lineage)

        # What has not changed is read and not built; what has is.
        self.assertIn("skipped own/shop/orders@1", self.node.run("run", "own/shop/orders"))
        self.server.sql("UPDATE orders SET state = 'sent' WHERE id = 500; ALTER TABLE orders ADD note text DEFAULT 'x'", "shop")
        self.assertIn("succeeded own/shop/orders@1 500 rows", self.node.run("run", "own/shop/orders"))
        self.node.run("grant", "admin", "own/shop/orders@1")
        rows = self.rows("SELECT * FROM own.shop.orders WHERE id = 500")
        self.assertEqual((rows[0]["state"], "note" in rows[0]), ("sent", False))

        # What the contract does not take is told by its row and value, and readers keep what they had.
        self.server.sql("ALTER TABLE orders ALTER state TYPE text; UPDATE orders SET state = 'lost' WHERE id = 7", "shop")
        said = self.refused("shop/orders")
        self.assertIn("refused own/shop/orders@1", said)
        self.assertIn('"state":"lost"', said)
        self.server.sql("UPDATE orders SET placed = 'infinity' WHERE id = 9", "shop")
        said = self.refused("shop/orders")
        self.assertIn("has 1 value that cannot be read: row ", said)
        self.assertIn('column placed: "infinity"', said)
        self.server.sql("ALTER TABLE orders RENAME placed TO placed_at", "shop")
        self.assertIn("'public.orders': it lacks placed, which the input's contract has; did you mean 'placed_at'?", self.refused("shop/orders"))
        self.server.sql("ALTER TABLE returns RENAME TO return", "shop")
        self.assertIn("the database has no table 'public.returns'; did you mean 'public.return'?", self.refused("shop/returns"))
        self.assertEqual(self.rows("SELECT count(*) AS n FROM own.shop.orders"), [{"n": 500}])

    def test_values_that_no_decimal_holds(self):
        url = self.database("odd", """CREATE TABLE odd (id int PRIMARY KEY, a numeric(6,2), b numeric, c int[]);
          INSERT INTO odd VALUES (1, 1.5, 1e40, '{1}'), (2, 'NaN', 2, '{2}')""")
        told = self.new("odd", url)
        self.assertEqual({column["name"]: column["type"] for column in told["tables"][0]["columns"]},
                         {"id": "integer", "a": "varchar", "b": "varchar", "c": "integer[]"})
        self.assertEqual(told["tables"][0]["findings"], ["'b' is numeric and has numbers of more than 38 digits: it is left as text",
                                                         "'a' is no decimal(6,2) in 1 row: it is left as text"])
        self.apply("odd")
        self.node.run("run", "own/odd")
        self.server.sql("UPDATE odd SET c = '{{1,2},{3,4}}' WHERE id = 1", "odd")
        self.assertIn("{{1,2},{3,4}}", self.refused("odd"))

    def test_who_may_not_is_told_why(self):
        url = self.database("doors", "CREATE SEQUENCE s; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        self.new("doors", url)
        product = self.home("doors") / "product.odps.yaml"
        whole = product.read_text()

        def with_(old: str, new: str) -> str:
            product.write_text(whole)
            self.change(product, old, new)
            self.apply("doors")
            return self.node.run("run", "own/doors", code=None)

        self.assertIn("its source names the secret 'nothing', which 'own' does not have: weft secret put nothing --domain own",
                      with_("doors-password", "nothing"))
        # Another domain's secret is no secret of this one.
        self.node.run("secret", "put", "theirs", "--domain", "other", text=self.server.password)
        self.assertIn("which 'own' does not have", with_("doors-password", "theirs"))
        self.node.run("secret", "put", "wrong", "--domain", "own", text="Tr0ub4dor")
        said = with_("doors-password", "wrong")
        self.assertIn("does not let 'weft' into the database 'doors'", said)
        self.assertIn("The password is the secret 'wrong' of 'own'", said)
        self.assertNotIn("Tr0ub4dor", said)
        # One that is bound to other hosts is sent to none but those.
        self.node.run("secret", "put", "bound", "--domain", "own", "--host", "db.elsewhere.example", text=self.server.password)
        self.assertIn("the secret 'bound' of 'own' is for db.elsewhere.example alone, and not for ", with_("doors-password", "bound"))
        self.node.run("secret", "put", "bound", "--domain", "own", "--host", "127.0.0.1", "--host", "localhost", text=self.server.password)
        self.assertNotIn("alone, and not for", with_("doors-password", "bound"))
        said = with_('"host":"127.0.0.1"', '"host":"localhost"')
        self.assertIn("denied own/doors/doors@1", said)
        self.assertIn("weft serve --source-hosts localhost", said)
        for host in ("169.254.169.254", "0x7f.1", "127.1"):
            self.assertIn(f"sources may not go to the host '{host}'", with_('"host":"127.0.0.1"', f'"host":"{host}"'))
        self.assertIn("cannot be reached", with_(f'"port":{self.server.port}', '"port":1'))
        self.assertIn("cannot be reached", with_('"database":"doors"', '"database":"doors","sslmode":"require"'))
        said = with_('"table":"public.t"', '"query":"SELECT 1) TO PROGRAM \'id\' --"')
        self.assertIn("syntax error", said)
        self.assertIn("syntax error", with_('"table":"public.t"', '"query":"DELETE FROM t RETURNING id"'))
        self.assertIn("read-only transaction", with_('"table":"public.t"', '"query":"SELECT nextval(\'s\') AS id"'))
        self.assertIn("succeeded own/doors/doors@1 1 row", with_('"table":"public.t"', '"query":"SELECT id FROM t; "'))
        # What stands in no file.
        for wrong, why in (('"password":"hunter2"', "a password stands in no file: write password: {secret: NAME}"),):
            product.write_text(whole)
            self.change(product, '"password":{"secret":"doors-password"}', wrong)
            said = self.node.run("check", str(self.home("doors")), code=3)
            self.assertIn(why, said)
            self.assertNotIn("hunter2", said)
        product.write_text(whole)
        self.change(product, '"host":"127.0.0.1"', '"host":"weft:hunter2@127.0.0.1"')
        said = self.node.run("check", str(self.home("doors")), code=3)
        self.assertIn("write its name or address alone", said)
        self.assertNotIn("hunter2", said)
        words = [str(WEFT), "new", "product", "own/x", "--from", f"postgres://weft:hunter2@127.0.0.1:{self.server.port}/doors"]
        done = subprocess.run(words, env=self.node.env, text=True, capture_output=True)
        self.assertEqual(done.returncode, 3)
        self.assertIn("give it by PGPASSWORD, ~/.pgpass", done.stderr)
        self.assertNotIn("hunter2", done.stderr)

    def test_all_is_of_one_state(self):
        url = self.database("bank", """CREATE TABLE a (id int PRIMARY KEY, amount bigint NOT NULL); CREATE TABLE b (id int PRIMARY KEY, amount bigint NOT NULL);
          INSERT INTO a SELECT i, 100 FROM generate_series(1, 20000) i; INSERT INTO b SELECT * FROM a""")
        self.new("bank", url, "--table", "a", "--table", "b")
        home = self.home("bank")
        (home / "a.sql").write_text("SELECT a.id, a.amount + b.amount AS amount FROM a_table AS a JOIN b_table AS b USING (id)\n")
        self.apply("bank")
        words, env = self.server.psql("bank")
        # Each transaction moves something from one table to the other; the sum is always the same.
        writer = subprocess.Popen([*words, "-c", """DO $$ BEGIN LOOP
          UPDATE a SET amount = amount - 1 WHERE id % 100 = 0; UPDATE b SET amount = amount + 1 WHERE id % 100 = 0; COMMIT; END LOOP; END $$"""],
                                  env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.node.run("grant", "admin", "own/bank/a@1")
            until = time.monotonic() + 30
            while self.server.sql("SELECT min(amount) FROM a", "bank") == "100" and time.monotonic() < until:
                time.sleep(0.01)
            for _ in range(4):
                self.node.run("run", "own/bank/a", "--force")
                self.assertEqual(self.rows("SELECT min(amount) AS low, max(amount) AS high, count(*) AS n FROM own.bank.a"),
                                 [{"low": 200, "high": 200, "n": 20000}])
        finally:
            writer.terminate()
            writer.wait(timeout=30)

    def test_a_run_that_waits_is_cancelled(self):
        url = self.database("slow", "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        self.new("slow", url)
        self.change(self.home("slow") / "product.odps.yaml", '"table":"public.t"', '"query":"SELECT 1 AS id FROM pg_sleep(600)"')
        self.apply("slow")
        run = self.node.call("POST", "/v1/runs", {"addresses": ["own/slow/slow"]})[1]["runs"][0]["id"]
        until = time.monotonic() + 20
        while self.server.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND application_name = 'weft'") == "0":
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)
        self.node.run("cancel", run)
        while (status := self.node.json("runs", run)["status"]) == "running" and time.monotonic() < until:
            time.sleep(0.02)
        self.assertEqual(status, "cancelled")

    def test_no_file_or_answer_has_the_password(self):
        url = self.database("quiet", "CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t SELECT i, repeat('x', 3000000) FROM generate_series(1, 3) i")
        self.new("quiet", url)
        self.apply("quiet")
        self.node.run("run", "own/quiet")  # A value of three million characters is one like others.
        secret = self.server.password.encode()
        places = [*self.node.folder.rglob("*"), *self.folder.rglob("*")]
        files = [place for place in places if place.is_file()]
        self.assertGreater(len(files), 20)
        for file in files:
            self.assertNotIn(secret, file.read_bytes(), file)
        until = time.monotonic() + 20  # A run is told as ended a moment before what it read is swept away.
        while list(self.node.data.glob("tmp/run/*.rows")):
            self.assertLess(time.monotonic(), until, "what a run read stays behind")
            time.sleep(0.02)
        for words in (["runs", "own/quiet"], ["audit", "log"], ["lineage", "own/quiet/quiet"], ["show", "own/quiet"]):
            self.assertNotIn(self.server.password, self.node.run(*words, "--json"))


class Encrypted(unittest.TestCase):
    def test_what_sslmode_says_is_kept(self):
        with tempfile.TemporaryDirectory() as scratch, Postgres(tls=True) as server:
            server.create("shop")
            server.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)", "shop")
            folder = pathlib.Path(scratch)
            (folder / "mesh.yaml").write_text("id: own\ndomains:\n  - {name: own, owners: [admin]}\n")
            (folder / "ca.pem").write_bytes(server.certificate.read_bytes())
            url = f"postgres://weft@localhost:{server.port}/shop?sslmode=require"
            for ca, outcomes in ((str(folder / "ca.pem"), {"require": "succeeded", "verify-full": "succeeded", "disable": "failed"}),
                                 ("/etc/ssl/certs/ca-certificates.crt", {"verify-full": "failed", "verify-ca": "failed"})):
                with Node("--source-hosts", "localhost", "--source-ca-file", ca) as node:
                    node.env["PGPASSWORD"] = server.password
                    node.run("apply", str(folder))
                    shutil.rmtree(folder / "domains", ignore_errors=True)
                    node.run("new", "product", "own/t", "--from", url, "--into", str(folder))
                    node.run("secret", "put", "shop-password", "--domain", "own", text=server.password)
                    product = folder / "domains/own/t/product.odps.yaml"
                    whole = product.read_text()
                    for mode, outcome in outcomes.items():
                        product.write_text(whole.replace('"sslmode":"require"', f'"sslmode":"{mode}"'))
                        node.run("apply", str(folder))
                        said = node.run("run", "own/t", "--force", code=None)
                        self.assertIn(f"{outcome} own/t/t@1", said, mode)
                        if mode.startswith("verify") and outcome == "failed":
                            self.assertIn("certificate verify failed", said)


if __name__ == "__main__":
    unittest.main()
