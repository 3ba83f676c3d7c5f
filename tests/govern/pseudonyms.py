"""Pseudonyms through the public doors: products of two domains join on them as on what they stand for, within one purpose
and across none; a rotation and an erasure hold from the next statement on; and no key stands in what the node writes."""
import contextlib
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import store  # noqa: E402
from node import Node  # noqa: E402

PEOPLE = 400
MESH = """
id: streamly
domains: [{name: sales, owners: [ana]}, {name: support, owners: [ana]}, {name: insight, owners: [ana]}]
groups: {analysts: [zoe], governance: [gina]}
"""
ENTITIES = """
entities:
  - {name: customer, description: Somebody who bought something., type: string, pattern: '^c[0-9]{4}$', examples: [c0001]}
  - {name: account, type: integer}
"""
POLICY = """
policies:
  - name: customers-are-pseudonyms
    scope: {products: [sales/orders, support/tickets], columns: {names: [customer, account]}}
    when: principal.name != "ana"
    mask: pseudonym
  - name: notes-are-hashed
    scope: {products: [support/tickets], columns: {names: [note]}}
    when: principal.name != "ana"
    mask: sha-256-query-local
"""


def product(domain, name, port, columns, inputs="", build="{mode: replace}", purpose=""):
    """The two descriptors of a product of one port."""
    own = f"customProperties: [{{property: purpose, vendor: weft, value: {purpose}}}]\n" if purpose else ""
    inputs = inputs or f"""  - name: file
    version: 1.0.0
    customProperties: [{{property: source, vendor: weft, value: {{kind: file, path: data/rows.csv, format: csv}}}}]
"""
    return {"product.odps.yaml": f"""apiVersion: v1.1.0
kind: DataProduct
id: {domain}-{name}
name: {name}
domain: {domain}
version: 1.0.0
status: active
type: {"sourceAligned" if "file" in inputs else "aggregate"}
{own}inputPorts:
{inputs}outputPorts:
  - name: {port}
    version: 1.0.0
    contractId: {domain}-{name}-{port}
    customProperties: [{{property: build, vendor: weft, value: {build}}}]
""", f"{port}.odcs.yaml": f"""apiVersion: v3.2.0
kind: DataContract
id: {domain}-{name}-{port}
name: {port}
version: 1.0.0
status: active
schema:
  - name: {port}
    physicalType: table
    properties:
{columns}"""}


def column(name, logical, physical, entity=""):
    own = f", customProperties: [{{property: entity, vendor: weft, value: {entity}}}]" if entity else ""
    return f"      - {{name: {name}, logicalType: {logical}, physicalType: {physical}{own}}}\n"


IDS = column("customer", "string", "varchar", "customer") + column("account", "integer", "bigint", "account")
INPUTS = """  - name: orders
    version: 1.0.0
    customProperties: [{property: source, vendor: weft, value: {kind: product, address: sales/orders/orders@1}}]
  - name: tickets
    version: 1.0.0
    customProperties: [{property: source, vendor: weft, value: {kind: product, address: support/tickets/tickets@1}}]
"""
JOIN = ("SELECT o.amount, t.topic FROM sales.orders.orders o JOIN support.tickets.tickets t ON o.{0} = t.{0} "
        "ORDER BY ALL")


class Pseudonyms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.node = node = cls.stack.enter_context(Node())
        cls.mesh = mesh = node.folder / "mesh"
        files = {
            "sales/orders": product("sales", "orders", "orders", IDS + column("amount", "integer", "int")),
            "support/tickets": product("support", "tickets", "tickets",
                                       IDS + column("topic", "string", "varchar") + column("note", "string", "varchar")),
            "insight/both": product("insight", "both", "both", column("who", "string", "varchar")
                                    + column("account", "integer", "bigint") + column("note", "string", "varchar")
                                    + column("amount", "integer", "int"),
                                    INPUTS, "{sql: both.sql, mode: replace}", "research"),
        }
        for folder, contents in files.items():
            home = mesh / "domains" / folder
            (home / "data").mkdir(parents=True)
            for name, text in contents.items():
                (home / name).write_text(text)
        (mesh / "domains/insight/both/both.sql").write_text(
            "SELECT o.customer AS who, o.account AS account, t.note AS note, o.amount AS amount\n"
            "FROM orders o JOIN tickets t ON o.customer = t.customer\n")
        ids = [(f"c{i:04}", i * 7 - 900) for i in range(PEOPLE)]
        (mesh / "domains/sales/orders/data/rows.csv").write_text(
            "customer,account,amount\n" + "".join(f"{c},{a},{i % 50}\n" for i, (c, a) in enumerate(ids + ids[:100])))
        (mesh / "domains/support/tickets/data/rows.csv").write_text(
            "customer,account,topic,note\n" + "".join(f"{c},{a},topic{i % 9},note{i % 5}\n" for i, (c, a) in enumerate(ids[150:]))
            + ",,nobody,\n")
        (mesh / "mesh.yaml").write_text(MESH)
        for name, text in (("entities/people.yaml", ENTITIES), ("policies/people.yaml", POLICY)):
            (mesh / name).parent.mkdir()
            (mesh / name).write_text(text)
        node.run("apply", str(mesh))
        node.run("run", "--quiet", "sales/orders", "support/tickets")
        for port in ("sales/orders/orders@1", "support/tickets/tickets@1"):
            for who in ("zoe", "product:insight/both"):
                node.run("grant", who, port)
        cls.tokens = {who: node.json("token", "create", who)["secret"] for who in ("zoe", "ana", "gina")}

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def ask(self, sql, who="zoe", purpose="research"):
        with self.connect(who, purpose) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row.values()) for row in cursor.fetch_arrow_table().to_pylist()]

    def connect(self, who="zoe", purpose="research"):
        options = {"adbc.flight.sql.rpc.call_header.x-weft-purpose": purpose} if purpose else {}
        return self.node.adbc(self.tokens[who], **options)

    def weft(self, who, *words, code=0):
        return self.node.run(*words, code=code, token=self.tokens[who])

    def ids(self, purpose="research", table="sales.orders.orders"):
        return self.ask(f"SELECT customer, account FROM {table} ORDER BY amount", purpose=purpose)

    def test_a_join_on_pseudonyms_is_the_join_on_what_they_stand_for(self):
        for by in ("customer", "account"):
            clear = self.ask(JOIN.format(by), who="ana")
            self.assertEqual(len(clear), PEOPLE - 150)
            self.assertEqual(self.ask(JOIN.format(by)), clear)
            self.assertEqual(self.ask(JOIN.format(by), purpose="billing"), clear)

    def test_tokens_are_of_their_type_and_of_one_purpose(self):
        clear = self.ask("SELECT customer, account FROM sales.orders.orders", who="ana")
        research, billing = self.ids(), self.ids("billing")
        for at in (0, 1):
            ours, theirs = {row[at] for row in research}, {row[at] for row in billing}
            self.assertEqual(len(ours), PEOPLE)
            self.assertFalse(ours & theirs)
            self.assertFalse(ours & {row[at] for row in clear})
        for customer, account in research:
            self.assertRegex(customer, "^p_[a-z2-7]{26}$")
            self.assertIsInstance(account, int)
        self.assertEqual(sum(a < 0 for _, a in research), sum(a < 0 for _, a in clear), "the sign stays")
        self.assertEqual(self.ask("SELECT customer FROM support.tickets.tickets WHERE topic = 'nobody'"), [(None,)])

    def test_comparisons_compare_tokens(self):
        token, account = self.ids()[0]
        self.assertGreater(len(self.ask(f"SELECT 1 FROM sales.orders.orders WHERE customer = '{token}'")), 0)
        self.assertGreater(len(self.ask(f"SELECT 1 FROM sales.orders.orders WHERE account = {account}")), 0)
        self.assertEqual(self.ask("SELECT 1 FROM sales.orders.orders WHERE customer = 'c0001'"), [])
        self.assertEqual(self.ask(f"SELECT 1 FROM sales.orders.orders WHERE customer = '{token}'", purpose="billing"), [])
        self.assertEqual(self.ask("SELECT count(*) FROM sales.orders.orders WHERE customer LIKE 'c0%'"), [(0,)])

    def test_without_a_purpose_there_is_one_value(self):
        self.assertEqual(set(self.ids(purpose="")), {("XXXXXXXX", 999999999)})
        told = self.weft("gina", "explain", "zoe", "read", "sales/orders/orders")
        self.assertIn("customer: mask-to-fixed-value (a pseudonym is for a purpose, and none is given)", told)
        told = self.weft("gina", "--purpose", "research", "explain", "zoe", "read", "sales/orders/orders")
        self.assertIn("account: pseudonym, customer: pseudonym", told)

    def test_nobody_calls_the_function(self):
        for name in ("weft_pseudonym_0123456789abcdef", "weft_pseudonym"):
            with self.assertRaisesRegex(Exception, name):
                self.ask(f"SELECT {name}('c0001')")
        for sql in ("SELECT * FROM duckdb_functions()", "EXPLAIN SELECT customer FROM sales.orders.orders",
                    "SELECT customer::DATE FROM sales.orders.orders", "SELECT nothing FROM sales.orders.orders"):
            with self.assertRaises(Exception) as refused:
                self.ask(sql)
            self.assertNotIn("weft_pseudonym", str(refused.exception))

    def runs(self, *more):
        done = self.node.json("run", "insight/both", *more)["runs"][0]
        self.assertIn(done["status"], ("succeeded", "skipped"), done)
        rows = self.ask("SELECT who, account, note, amount FROM insight.both.both ORDER BY ALL", who="ana")
        return done["status"], rows

    def test_a_product_reads_for_its_own_purpose_and_runs_again_after_a_rotation(self):
        status, rows = self.runs()
        self.assertEqual(status, "succeeded")
        self.assertEqual(len(rows), PEOPLE - 150)
        self.assertLessEqual({row[0] for row in rows}, {customer for customer, _ in self.ids()})
        self.assertEqual(self.runs(), ("skipped", rows))
        self.assertEqual(self.runs("--force"), ("succeeded", rows), "hashes of a run are a function of its inputs")
        self.weft("gina", "entity", "rotate", "customer")
        status, after = self.runs()
        self.assertEqual(status, "succeeded", "a new key makes other rows")
        self.assertFalse({row[0] for row in rows} & {row[0] for row in after})
        self.assertEqual({row[1:] for row in rows}, {row[1:] for row in after}, "the other entity keeps its key")

    def test_a_rotation_holds_from_the_next_statement_on(self):
        before = self.ids()
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.adbc_prepare("SELECT customer FROM sales.orders.orders")
            self.weft("zoe", "entity", "rotate", "customer", code=4)
            self.assertEqual(self.ids(), before, "whoever does not govern rotates nothing")
            self.weft("gina", "entity", "rotate", "customer")
            with self.assertRaisesRegex(Exception, "prepare it again"):
                cursor.execute("SELECT customer FROM sales.orders.orders")
                cursor.fetchall()
        after = self.ids()
        self.assertFalse({row[0] for row in before} & {row[0] for row in after})
        self.assertEqual(sorted(row[1] for row in before), sorted(row[1] for row in after))
        self.assertEqual(self.ask(JOIN.format("customer")), self.ask(JOIN.format("customer"), who="ana"))

    def sealed(self, entity):
        return dict(store.execute(self.node.store, f"SELECT name, value FROM sealed WHERE kind = 'entity key' AND scope = '{entity}'"))

    def holds(self, text):
        """The node's files, but the key's own, that have the text."""
        found = []
        for file in self.node.data.rglob("*"):
            if file.is_file() and text.encode() in file.read_bytes():
                found.append(file.name)
        return found

    @unittest.skipIf(store.chosen() == "postgres", "a server's own files are not the node's to clean: docs/operating.md")
    def test_what_is_erased_is_in_no_file(self):
        for _ in range(40):  # Pages that are split leave copies behind.
            self.weft("gina", "entity", "rotate", "account")
        before = self.ids()
        sealed = self.sealed("account")
        newest = max(sealed, key=int)
        self.assertTrue(self.holds(sealed[newest]))
        told = self.weft("gina", "entity", "erase", "account", "--generation", newest)
        self.assertIn(f"key {newest} of account is erased", told)
        self.assertEqual(self.holds(sealed[newest]), [])
        self.assertEqual(self.holds(sealed[newest][40:80]), [])
        self.assertTrue(self.holds(sealed["1"]), "the others stay")
        after = self.ids()
        self.assertFalse({row[1] for row in before} & {row[1] for row in after})
        self.assertEqual(self.ask(JOIN.format("account")), self.ask(JOIN.format("account"), who="ana"))
        self.assertIn("was erased before", self.weft("gina", "entity", "erase", "account", "--generation", newest))
        self.weft("gina", "entity", "erase", "account", "--all")
        for value in sealed.values():
            self.assertEqual(self.holds(value), [])
        self.assertEqual(len(self.sealed("account")), 1, "a new generation has begun")
        kinds = re.findall(r"entity\.\w+", self.node.run("audit", "log", "--limit", "500", "--json"))
        self.assertIn("entity.rotated", kinds)
        self.assertEqual(kinds.count("entity.erased"), 2)

    def test_without_the_seal_key_nothing_is_told(self):
        key = self.node.data / "seal.key"
        text = key.read_text()
        self.node.stop()
        try:
            key.unlink()
            self.node.start()
            with self.assertRaisesRegex(Exception, "pseudonyms of 'account' cannot be made.*is missing"):
                self.ids()
            self.assertEqual(len(self.ask("SELECT amount FROM sales.orders.orders", who="ana")), PEOPLE + 100)
        finally:
            key.write_text(text)
            key.chmod(0o600)
        self.assertEqual(len(self.ids()), PEOPLE + 100)


if __name__ == "__main__":
    unittest.main()
