"""One folder, a dev node and a prod node: what differs stands in env/*.yaml, and nothing meant for one reaches the other."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, WEFT, Node, free_port  # noqa: E402

SHOP = ROOT / "tests/support/shop"
HEAD = "id,customer,amount,placed_on\n"


class Placed(Node):
    """A node on a port that mesh.yaml can name before it starts, with the state folder that another one has."""

    def __init__(self, environment: str, state: pathlib.Path | None = None):
        super().__init__("--environment", environment)
        self.port = free_port()
        self.flags += ("--http-port", str(self.port))
        if state:
            self.env["XDG_STATE_HOME"] = str(state)
            self.state = state
        else:
            self.state = self.folder / "state"

    def _entry(self) -> dict | None:
        file = self.state / f"weft/nodes/{self.port}.json"
        try:
            entry = json.loads(file.read_text())
        except (OSError, ValueError):
            return None
        return entry if entry.get("pid") == self.process.pid else None


class EnvironmentsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dev = Placed("dev")
        cls.prod = Placed("prod", cls.dev.state)
        for node in (cls.dev, cls.prod):
            cls.addClassCleanup(node.__exit__)
        cls.shop = cls.dev.folder / "shop"
        shutil.copytree(SHOP, cls.shop)
        shutil.rmtree(cls.shop / "domains/insight")
        with open(cls.shop / "mesh.yaml", "a") as mesh:
            mesh.write(f"environments:\n  - {{name: dev, node: \"http://127.0.0.1:{cls.dev.port}\"}}\n"
                       f"  - {{name: prod, node: \"http://127.0.0.1:{cls.prod.port}\", description: What customers see}}\n"
                       "  - {name: later}\n")
        cls.product = cls.shop / "domains/sales/orders"
        (cls.product / "env").mkdir()
        real = cls.prod.folder / "real"
        real.mkdir()
        (real / "orders.csv").write_text(HEAD + "".join(f"{i},Real {i},{i}.50,2024-01-0{i}\n" for i in range(1, 8)))
        (cls.product / "env/prod.yaml").write_text(
            f"# The shop's own.\nsources:\n  web: {{path: {real}/orders.csv}}\nstorage:\n  orders: {{compression: snappy}}\n")
        cls.prod.flags += ("--source-roots", str(real))
        cls.dev.start()
        cls.prod.start()
        # In the person's shell stands the dev node alone.
        cls.shell = {name: value for name, value in cls.dev.env.items() if name != "WEFT_TOKEN"}

    def weft(self, *words: str, code: int = 0, cwd: pathlib.Path | None = None) -> str:
        done = subprocess.run([str(WEFT), *words], env=self.shell, cwd=cwd, text=True, capture_output=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def digest(self, node: Node) -> str:
        status, receipt = node.call("GET", "/v1/receipts/sales/orders")
        self.assertEqual(status, 200, receipt)
        return receipt["digest"]

    def test_a_product_goes_from_dev_to_prod_and_reads_another_source_there(self):
        # A mesh begins everywhere with the same bytes.
        alone = self.dev.folder / "alone"
        alone.mkdir()
        shutil.copy(self.shop / "mesh.yaml", alone)
        self.assertIn("+ mesh shop", self.weft("apply", str(alone), "--env", "prod"))
        said = self.weft("apply", str(self.shop), "--env", "dev")
        self.assertIn("environment dev\n", said)
        self.assertNotIn("prod.yaml", said)
        self.assertIn("environment      dev", self.weft("status", "--env", "dev").replace("environment  ", "environment      "))
        self.weft("run", "sales/orders", "--env", "dev")
        # Without a folder, the mesh of the node that there is says where prod is; its descriptor's own data goes along.
        said = self.weft("promote", "sales/orders", "--from", str(self.product), "--to", "prod")
        self.assertIn("environment prod\n", said)
        self.assertIn(f"source of web: path {self.prod.folder}/real/orders.csv (env/prod.yaml)", said)
        self.assertIn("storage of orders: compression snappy (env/prod.yaml)", said)
        self.assertIn("sales/orders 1.0.0 is at prod as it is here", said)
        self.assertEqual(self.digest(self.dev), self.digest(self.prod))
        self.assertEqual(self.dev.run("show", "sales/orders", "--descriptor"), self.prod.run("show", "sales/orders", "--descriptor"))

        self.weft("run", "sales/orders", "--env", "prod")
        rows = {node: node.json("show", "sales/orders/orders")["rows"] for node in (self.dev, self.prod)}
        self.assertEqual(rows[self.prod], 7)
        self.assertNotEqual(rows[self.dev], 7)
        runs = {node: node.json("runs")["runs"][0] for node in (self.dev, self.prod)}
        self.assertTrue(runs[self.prod]["inputs"][0]["source"].endswith("real/orders.csv"), runs[self.prod])
        self.assertEqual(runs[self.prod]["inputs"][0]["overlay"], "env/prod.yaml")
        self.assertNotIn("overlay", runs[self.dev]["inputs"][0])
        shown = self.weft("show", "sales/orders", "--env", "prod")
        self.assertRegex(shown, r"environment +prod\n")
        self.assertIn("(env/prod.yaml)", shown)
        self.assertEqual(self.prod.call("GET", "/v1/files/sales/orders")[1]["files"], ["env/prod.yaml", "orders.odcs.yaml", "product.odps.yaml"])
        # The rows are read by the name of the environment too.
        self.weft("grant", "admin", "sales/orders/orders@1", "--env", "prod")
        self.assertIn("Real 7", self.weft("sql", "SELECT customer FROM sales.orders.orders", "--env", "prod"))

        # What is as it was applied is not sent, in either.
        for environment in ("dev", "prod"):
            self.assertIn("= 2 unchanged", self.weft("plan", str(self.shop), "--env", environment))
        # One folder down, the mesh.yaml above says where the node is.
        self.assertIn("environment prod\n", self.weft("plan", ".", "--env", "prod", cwd=self.product))

        self.wrong_environments()
        self.former_versions()

    def wrong_environments(self):
        before = self.prod.json("show", "sales/orders")["published_at"]
        said = self.weft("apply", str(self.shop), "--env", "dev", "--node", self.prod.url, code=6)
        self.assertIn("this node is 'prod', and you asked for 'dev'; nothing was done", said)
        self.assertEqual(self.prod.json("show", "sales/orders")["published_at"], before)
        self.assertIn("you asked for 'prod'", self.weft("run", "sales/orders", "--env", "prod", "--node", self.dev.url, code=6))
        said = self.weft("plan", str(self.shop), "--env", "prdo", code=5)
        self.assertIn("mesh.yaml names no environment 'prdo'; did you mean 'prod'?", said)
        self.assertIn("does not say where the node of 'later' is", self.weft("list", "--env", "later", code=3))
        self.assertIn("of which environment this one is says --environment", self.weft("serve", "--env", "dev", code=2))
        self.assertIn("this asks none", self.weft("check", str(self.shop), "--env", "dev", code=2))
        self.assertIn("is the node that it comes from", self.weft("promote", "sales/orders", "--from", str(self.product), "--to", "dev", code=6))
        self.assertIn("no environment 'qa'", self.weft("promote", "sales/orders", "--from", str(self.product), "--to", "qa", code=5))
        # A token that the shell has is for the shell's own node: no other gets it.
        env = self.shell | {"WEFT_TOKEN": self.dev.token}
        done = subprocess.run([str(WEFT), "whoami", "--env", "prod"], env=env, text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)

        # A start as another environment is refused, one without a word goes on as what it is.
        self.prod.stop()
        flags = self.prod.flags
        self.prod.flags = tuple("dev" if flag == "prod" else flag for flag in flags)
        with self.assertRaises(RuntimeError) as refused:
            self.prod.start()
        self.assertIn("the store is of the environment 'prod'", str(refused.exception))
        self.assertIn("start this node with --environment prod or without", str(refused.exception))
        self.assertEqual(self.prod.process.wait(), 6)
        self.prod.flags = tuple(flag for flag in flags if flag not in ("--environment", "prod"))
        self.prod.start()
        self.assertEqual(self.prod.json("status")["environment"], "prod")
        self.assertEqual(len(self.prod.json("audit", "log", "--kind", "environment")["rows"]), 1)

    def former_versions(self):
        """The files of environments are in a former version, in a backup, and told where a format has no word for them."""
        former = self.prod.folder / "former"
        (self.product / "product.odps.yaml").write_text(re.sub("^version: 1.0.0", "version: 1.0.1", (self.product / "product.odps.yaml").read_text(), flags=re.M))
        self.weft("apply", str(self.shop), "--env", "prod")
        self.weft("rollback", "sales/orders", "--version", "1.0.0", "--into", str(former), "--env", "prod")
        self.assertEqual((former / "env/prod.yaml").read_text(), (self.product / "env/prod.yaml").read_text())
        self.assertIn("env/prod.yaml", self.weft("export", "dpds", "sales/orders", "--env", "prod"))

        copy = self.prod.folder / "copy"
        self.prod.run("backup", str(copy), "--with-keys")
        self.prod.stop()
        warehouse = self.prod.data / "warehouse"
        shutil.rmtree(warehouse)
        restored = Node("--warehouse", str(warehouse))
        self.addCleanup(restored.__exit__)
        restored.run("restore", str(copy), "--data", str(restored.data), "--store", restored.store, "--warehouse", str(warehouse))
        restored.start()
        self.assertEqual(restored.json("status")["environment"], "prod")
        self.assertEqual(restored.json("show", "sales/orders")["overlay"]["file"], "env/prod.yaml")


class DevTest(unittest.TestCase):
    def test_dev_is_as_the_environment_dev_has_it(self):
        """`weft dev` lays over what dev does: of a whole mesh, and of a product alone."""
        folder = Node()
        self.addCleanup(folder.__exit__)
        shop = folder.folder / "shop"
        shutil.copytree(SHOP, shop)
        shutil.rmtree(shop / "domains/insight")
        product = shop / "domains/sales/orders"
        (product / "env").mkdir()
        (product / "data/few.dat").write_text(HEAD + "1,Ada,1.50,2024-01-01\n")
        (product / "env/dev.yaml").write_text("sources: {web: {path: data/few.dat}}\n")
        (product / "env/prod.yaml").write_text("sources: {web: {path: /srv/orders.csv}}\n")
        with open(shop / "mesh.yaml", "a") as mesh:
            mesh.write("environments: [{name: dev}, {name: prod}]\n")
        for words, what in (([str(shop)], "1 row"), ([str(product)], "1 row"), ([str(shop), "--env", "prod"], "/srv/orders.csv")):
            with open(folder.folder / "said", "w+") as said:
                process = subprocess.Popen([str(WEFT), "dev", *words], env=folder.env, text=True, stdout=said, stderr=said)
                for _ in range(600):
                    text = pathlib.Path(said.name).read_text()
                    if text.count("waiting for changes") or process.poll() is not None:
                        break
                    time.sleep(0.05)
                process.terminate()
                process.wait(timeout=30)
                self.assertIn(what, text, words)
                self.assertIn("as 'prod' has it" if "--env" in words else "as 'dev' has it", text)


if __name__ == "__main__":
    unittest.main()
