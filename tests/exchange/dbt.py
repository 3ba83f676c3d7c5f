"""A dbt project becomes a product that runs and gives the rows that dbt made; a product becomes a source of dbt."""
import copy
import json
import pathlib
import shutil
import sys
import tempfile
import unittest

import duckdb
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, Node  # noqa: E402

from exchanged import weft  # noqa: E402

JAFFLE = ROOT / "examples" / "own" / "jaffle"


class Project(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        cls.mesh = cls.folder / "mesh"
        cls.mesh.mkdir()
        (cls.mesh / "mesh.yaml").write_text("id: own\ndomains:\n  - {name: shop, owners: [admin]}\n")
        cls.answer = json.loads(weft("import", JAFFLE, "--into", cls.mesh, "--json"))
        cls.home = cls.mesh / "domains" / "shop" / "jaffle-shop"
        cls.manifest = json.loads((JAFFLE / "target" / "manifest.json").read_text())

    def contract(self, name: str) -> dict:
        return yaml.safe_load((self.home / f"{name}.odcs.yaml").read_text())

    def columns(self, name: str) -> dict:
        return {column["name"]: column for column in self.contract(name)["schema"][0]["properties"]}

    def test_types_promises_and_words(self):
        customers, orders = self.columns("customers"), self.columns("orders")
        self.assertEqual(customers["customer_lifetime_value"]["physicalType"], "decimal(38,2)")
        self.assertTrue(customers["customer_id"]["primaryKey"] and customers["customer_id"]["unique"] and customers["customer_id"]["required"])
        self.assertEqual(customers["first_name"]["tags"], ["pii"])
        self.assertEqual([value["value"] for value in orders["status"]["enum"]], ["placed", "shipped", "completed", "return_pending", "returned"])
        self.assertEqual(orders["customer_id"]["relationships"], [{"type": "foreignKey", "to": "customers.customer_id"}])
        self.assertNotIn("required", orders["amount"])  # That test of dbt only warns.
        rules = {rule["id"]: rule for rule in self.contract("customers")["schema"][0]["quality"]}
        self.assertEqual(rules["orders_counted"]["query"], "SELECT count(*) FROM ${object} WHERE NOT (number_of_orders >= 0)")
        self.assertEqual(rules["no_order_without_customer"]["mustBe"], 0)
        rules = self.contract("orders")["schema"][0]["quality"]
        self.assertEqual([rule["severity"] for rule in rules], ["warning"])
        self.assertEqual(self.contract("customers")["team"], {"name": "Finance Team"})
        self.assertIn({"property": "meta.tier", "vendor": "dbt", "value": 1}, self.contract("customers")["schema"][0]["customProperties"])

    def test_versions_are_majors(self):
        product = yaml.safe_load((self.home / "product.odps.yaml").read_text())
        self.assertEqual(sorted((port["name"], port["version"]) for port in product["outputPorts"]),
                         [("customers", "1.0.0"), ("orders", "1.0.0"), ("orders", "2.0.0"), ("stores", "1.0.0")])
        older = next(yaml.safe_load(file.read_text()) for file in self.home.glob("orders*.odcs.yaml") if "version: 1.0.0" in file.read_text())
        self.assertEqual(older["slaProperties"], [{"property": "endOfLife", "value": "2027-01-01T00:00:00+00:00"}])

    def test_nothing_is_dropped_silently(self):
        lost = {one["path"]: one for one in self.answer["lost"]}
        self.assertIn("exposures.exposure.jaffle_shop.weekly_report", lost)
        self.assertIn("nodes.test.jaffle_shop.orders_have_customers", lost)
        self.assertIn("is no port: its SQL is part of", lost["nodes.model.jaffle_shop.stg_orders"]["why"])
        # What is added to the manifest, anywhere, is in what was written or is told.
        for i, (key, where) in enumerate((("flavour", ["nodes", "model.jaffle_shop.customers"]), ("flavour", ["nodes", "model.jaffle_shop.customers", "columns", "first_name"]),
                                          ("flavour", ["nodes", "model.jaffle_shop.customers", "config"]), ("flavour", ["sources", "source.jaffle_shop.outside.stores"]),
                                          ("flavour", ["nodes", "seed.jaffle_shop.raw_orders"]), ("pre-hook", ["nodes", "model.jaffle_shop.customers", "config"]),
                                          ("flavour", ["nodes", "model.jaffle_shop.customers", "columns", "first_name", "config"]), ("flavours", []),
                                          ("weird", ["groups", "group.jaffle_shop.finance"]), ("metric.x", ["metrics"]))):
            manifest = copy.deepcopy(self.manifest)
            inner = manifest
            for step in where:
                inner = inner[step]
            inner[key] = {"name": "vanilla-73"}
            project = self.folder / f"p{i}"
            shutil.copytree(JAFFLE, project)
            (project / "target" / "manifest.json").write_text(json.dumps(manifest))
            answer = weft("import", "dbt", project, "--into", self.folder / f"m{i}", "--domain", "shop", "--json")
            self.assertIn("vanilla-73", answer, where)

    def test_it_passes_runs_and_gives_the_rows_of_dbt(self):
        problems = json.loads(weft("check", self.mesh, "--json"))["problems"]
        self.assertEqual([problem for problem in problems if problem["level"] == "error"], [])
        with Node() as node:
            node.run("apply", str(self.mesh))
            node.run("run", "--all")
            for port in ("customers@1", "orders@2", "orders@1", "stores@1"):
                node.run("grant", "admin", f"shop/jaffle-shop/{port}")
            rows = json.loads(node.run("sql", "SELECT customer_id, first_name, number_of_orders, customer_lifetime_value AS v FROM "
                                              "shop.jaffle_shop.customers ORDER BY 1", "--json"))
            own = duckdb.connect()
            for seed in ("customers", "orders", "payments"):
                own.execute(f"CREATE TABLE raw_{seed} AS FROM '{JAFFLE}/seeds/raw_{seed}.csv'")
            wanted = own.execute("""SELECT c.id, c.first_name, count(DISTINCT o.id), sum(p.amount / 100.0)::DECIMAL(10,2)::VARCHAR FROM raw_customers c
                                    LEFT JOIN raw_orders o ON o.user_id = c.id LEFT JOIN raw_payments p ON p.order_id = o.id GROUP BY ALL ORDER BY 1""").fetchall()
            self.assertEqual([[row["customer_id"], row["first_name"], row["number_of_orders"], str(row["v"])] for row in rows], [list(row) for row in wanted])
            lineage = node.run("lineage", "shop/jaffle-shop/customers@1")
            self.assertIn("data/raw_customers.csv", lineage)
            self.assertEqual(json.loads(node.run("sql", "SELECT count(*) AS n FROM shop.jaffle_shop.stores", "--json")), [{"n": 2}])
            # Of the node and of the folder the same.
            told = node.run("export", "dbt", "shop/jaffle-shop")
            self.assertEqual(told, weft("export", "dbt", self.home))

    def test_selection_and_what_cannot_be_built(self):
        answer = weft("import", JAFFLE, "--domain", "shop", "--into", self.folder / "some", "--select", "stores,stg_orders", "--product", "some")
        self.assertIn("stg-orders.odcs.yaml", answer)
        self.assertNotIn("customers.odcs.yaml", answer)
        self.assertIn("has no model 'nothing'", weft("import", JAFFLE, "--domain", "shop", "--select", "nothing", code=3))
        manifest = copy.deepcopy(self.manifest)
        manifest["nodes"]["model.jaffle_shop.stores"]["compiled_code"] = "select store_id, city, opened, pg_sleep(1) from 'data/stores.csv'"
        project = self.folder / "slow"
        shutil.copytree(JAFFLE, project)
        (project / "target" / "manifest.json").write_text(json.dumps(manifest))
        answer = json.loads(weft("import", project, "--domain", "shop", "--into", self.folder / "slow-mesh", "--select", "stores", "--json"))
        why = next(one["why"] for one in answer["lost"] if one["path"] == "nodes.model.jaffle_shop.stores.compiled_code")
        self.assertIn("pg_sleep", why)
        problems = json.loads(weft("check", self.folder / "slow-mesh" / "jaffle-shop", "--json"))["problems"]
        self.assertEqual([problem for problem in problems if problem["level"] == "error"], [])

    def test_files_outside_the_project_are_not_read(self):
        for i, path in enumerate(("/etc/passwd.csv", "../../secret.csv", "seeds/../../x.csv")):
            manifest = copy.deepcopy(self.manifest)
            manifest["sources"]["source.jaffle_shop.outside.stores"]["relation_name"] = f"'{path}'"
            manifest["nodes"]["model.jaffle_shop.stores"]["compiled_code"] = f"select store_id, city, opened from '{path}'"
            project = self.folder / f"outside{i}"
            shutil.copytree(JAFFLE, project)
            (project / "target" / "manifest.json").write_text(json.dumps(manifest))
            answer = json.loads(weft("import", project, "--domain", "shop", "--into", self.folder / f"outside-mesh{i}", "--select", "stores", "--json"))
            self.assertFalse([file for file in answer["files"] if file.endswith(".csv")])
            self.assertIn("sources.source.jaffle_shop.outside.stores.relation_name", [one["path"] for one in answer["kept"]])
        (project / "seeds" / "raw_orders.csv").unlink()
        self.assertIn("is not there", weft("import", project, "--domain", "shop", "--into", self.folder / "gone", code=5))
        self.assertFalse((self.folder / "gone").exists())

    def test_without_types_it_says_what_to_run(self):
        project = self.folder / "untyped"
        shutil.copytree(JAFFLE, project)
        (project / "target" / "catalog.json").unlink()
        self.assertIn("dbt docs generate", weft("import", project, "--domain", "shop", "--into", self.folder / "x", code=3))
        (project / "target" / "manifest.json").write_text("[1, 2]")
        self.assertIn("no manifest.json of dbt", weft("import", "dbt", project, "--domain", "shop", "--into", self.folder / "x", code=3))
        self.assertFalse((self.folder / "x").exists())

    def test_files_that_are_there_stay(self):
        before = {file: file.read_bytes() for file in self.home.rglob("*") if file.is_file()}
        self.assertIn("is there already", weft("import", JAFFLE, "--into", self.mesh, code=6))
        self.assertEqual(before, {file: file.read_bytes() for file in before})
        weft("import", JAFFLE, "--into", self.mesh, "--overwrite")
        self.assertEqual(before, {file: file.read_bytes() for file in before})

    def test_a_product_is_a_source_of_dbt(self):
        answer = json.loads(weft("export", "dbt", self.home, "--json"))
        source = yaml.safe_load(answer["text"])["sources"][0]
        self.assertEqual((source["name"], source["schema"]), ("shop__jaffle_shop", "shop.jaffle_shop".replace("_", "-")))
        tables = {table["name"]: {column["name"]: column for column in table["columns"]} for table in source["tables"]}
        self.assertEqual(set(tables), {"customers_v1", "orders_v1", "orders_v2", "stores_v1"})
        self.assertEqual(tables["customers_v1"]["customer_id"]["data_tests"], ["not_null", "unique"])
        self.assertEqual(tables["orders_v2"]["customer_id"]["data_tests"][-1]["relationships"]["arguments"]["field"], "customer_id")
        self.assertEqual(tables["customers_v1"]["first_name"]["config"], {"meta": {"contains_pii": True}, "tags": ["pii"]})
        lost = {(one["file"], one["path"]) for one in answer["lost"]}
        self.assertIn(("customers.odcs.yaml", "schema[0].quality"), lost)


if __name__ == "__main__":
    unittest.main()
