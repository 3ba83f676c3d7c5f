"""From one environment to the next: what passed on one node arrives on the other to the byte, and both ledgers say so."""
import json
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, WEFT, Node  # noqa: E402

SHOP = ROOT / "tests/support/shop"


class PromoteTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dev, cls.prod = Node(), Node()
        for node in (cls.dev, cls.prod):
            cls.addClassCleanup(node.__exit__)
            node.start()
        cls.shop = cls.dev.folder / "shop"
        shutil.copytree(SHOP, cls.shop)
        cls.product = cls.shop / "domains/sales/orders"
        cls.dev.run("apply", str(cls.shop))
        cls.token = cls.dev.folder / "prod.token"
        cls.token.write_text(cls.prod.token)
        alone = cls.dev.folder / "mesh"
        alone.mkdir()
        shutil.copy(cls.shop / "mesh.yaml", alone)
        cls.prod.run("apply", str(alone))

    def promote(self, *words: str) -> str:
        return self.dev.run("promote", "sales/orders", "--to", self.prod.url, "--to-token-file", str(self.token), *words)

    def refusal(self, *words: str, code: int = 6, to: str = "") -> str:
        done = subprocess.run([str(WEFT), "promote", "sales/orders", "--to", to or self.prod.url, "--to-token-file",
                               str(self.token), *words], env=self.dev.env, text=True, capture_output=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stderr

    def published(self, node: Node, kind: str) -> list[dict]:
        return [row for row in node.json("audit", "log", "--kind", kind)["rows"] if row["address"] == "sales/orders"]

    def test_only_what_passed_goes_and_arrives_to_the_byte(self):
        here = ["--from", str(self.product)]
        self.assertIn("it has never run", self.refusal(*here))
        self.dev.run("run", "sales/orders")
        self.assertIn("name the product's folder with --from", self.refusal(code=3))
        # A plan changes nothing there.
        self.assertIn("+ sales/orders 1.0.0", self.promote(*here, "--plan"))
        self.assertEqual(self.published(self.prod, "published"), [])
        told = self.promote(*here)
        self.assertIn("sales/orders 1.0.0 is at", told)
        self.assertEqual(self.dev.json("show", "sales/orders", "--descriptor"), self.prod.json("show", "sales/orders", "--descriptor"))
        left, came = self.published(self.dev, "promoted"), self.published(self.prod, "promoted")
        self.assertEqual((len(left), len(came)), (1, 1))
        for name in ("digest", "data_digest", "version"):
            self.assertEqual(left[0]["detail"][name], came[0]["detail"][name])
        self.assertEqual((left[0]["detail"]["way"], came[0]["detail"]["way"]), ("to", "from"))
        # Each names the other's row: they stand in the two chains as they say.
        self.assertEqual(left[0]["detail"]["other_hash"], self.published(self.prod, "published")[0]["hash"])
        self.assertEqual(came[0]["detail"]["other_hash"], self.published(self.dev, "published")[0]["hash"])
        # What is there runs there, with the very data.
        self.prod.run("run", "sales/orders")
        rows = [node.json("show", "sales/orders/orders")["rows"] for node in (self.dev, self.prod)]
        self.assertEqual(rows[0], rows[1])

        # Another folder, other data and what has not run since are not what passed.
        data = self.product / "data/orders.csv"
        before = data.read_text()
        data.write_text(before.replace("Ada", "Eve"))
        self.assertIn("are not those that sales/orders 1.0.0 passed with", self.refusal(*here))
        self.dev.run("apply", str(self.product))
        self.assertIn("it has not run since it was published", self.refusal(*here))
        data.write_text(before)
        self.dev.run("apply", str(self.product))
        self.dev.run("run", "sales/orders")
        text = self.product / "product.odps.yaml"
        text.write_text(text.read_text() + "# A remark.\n")
        self.assertIn("is not what passed here", self.refusal(*here))
        self.assertIn("name that", self.refusal("--from", str(self.shop), code=3))
        self.assertEqual(len(self.published(self.prod, "promoted")), 1)

    def test_to_another_node_alone_and_as_somebody_who_may_publish_there(self):
        product = str(SHOP / "domains/sales/orders")
        self.dev.run("apply", product)
        self.dev.run("run", "sales/orders")
        self.token.write_text(self.dev.token)
        self.assertIn("is the node that it comes from", self.refusal("--from", product, to=self.dev.url))
        self.token.write_text(self.prod.token)
        zoe = self.dev.folder / "zoe.token"
        zoe.write_text(self.prod.run("token", "create", "zoe"))
        self.dev.run("promote", "sales/orders", "--to", self.prod.url, "--to-token-file", str(zoe), "--from",
                     product, code=4)
        status, answer = self.prod.call("POST", "/v1/promotions", {"address": "sales/nothing", "way": "from", "node": "x", "receipt": {}})
        self.assertEqual(status, 404, json.dumps(answer))


if __name__ == "__main__":
    unittest.main()
