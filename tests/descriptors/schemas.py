"""The JSON Schemas that editors go by take every file that is right, and see most of what is wrong."""
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import jsonschema
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, WEFT  # noqa: E402
import agreement  # noqa: E402

FILES = {"product": "*.odps.yaml", "contract": "*.odcs.yaml", "mesh": "mesh.yaml", "policies": "policies/*.yaml", "entities": "entities/*.yaml", "terms": "terms/*.yaml", "environment": "env/*.yaml"}
NEWEST = {"contract": "v3.2.0", "product": "v1.1.0"}
SEEN = {"contract": 0.9, "product": 0.95}  # Of what the standard refuses, at least so much.


class Schemas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.scratch.name)
        told = subprocess.run([str(WEFT), "new", "schemas", str(folder), "--json"], check=True, stdout=subprocess.PIPE, text=True).stdout
        cls.known = {name: jsonschema.Draft7Validator(json.loads((folder / ".weft" / f"{name}.schema.json").read_text())) for name in FILES}
        cls.settings = json.loads((folder / ".vscode" / "settings.json").read_text())
        assert cls.settings["yaml.schemas"] == json.loads(told)["yaml.schemas"]
        for validator in cls.known.values():
            jsonschema.Draft7Validator.check_schema(validator.schema)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def wrong(self, name: str, text: str) -> list[str]:
        return [error.message for error in self.known[name].iter_errors(yaml.load(text, agreement.CoreLoader))]

    def test_files_that_are_right_are_right(self):
        files = 0
        for folder in ("examples", "starter", "tests/support/shop", "tests/descriptors/samples"):
            for name, pattern in FILES.items():
                for file in sorted((ROOT / folder).rglob(pattern)):
                    text = file.read_text()
                    if name in NEWEST and NEWEST[name] not in text:
                        continue
                    files += 1
                    self.assertEqual(self.wrong(name, text), [], file)
        self.assertGreater(files, 40)

    def test_they_agree_with_the_standards(self):
        standards = agreement.validators()
        for name, least in SEEN.items():
            standard = {"contract": "odcs", "product": "odps"}[name]
            missed = refused = tried = 0
            for sample in sorted(agreement.SAMPLES.glob(f"*.{standard}.yaml")):
                for what, document in agreement.cases(sample, [], 12):
                    if not isinstance(document, dict) or document.get("apiVersion") != NEWEST[name]:
                        continue
                    tried += 1
                    errors = list(self.known[name].iter_errors(document))
                    if agreement.schema_says(standards, standard, document):  # What Weft's own properties hold is Weft's to refuse.
                        alarms = [error.message for error in errors if "customProperties" not in error.absolute_path]
                        self.assertEqual(alarms, [], f"{sample.name}: {what}")
                    else:
                        refused += 1
                        missed += not errors
            self.assertGreater(refused, 50)
            print(f"{name}: {tried} documents, {refused} wrong, of which {refused - missed} are seen")
            self.assertLessEqual(missed, (1 - least) * refused)

    def test_files_of_environments(self):
        for text, right in (("sources:\n  db: {host: b, password: {secret: p}, sslmode: null}\nstorage: {orders: {compression: zstd}}\nschedules: {orders: never}", True),
                            ("# Nothing differs.", True), ("contracts: {}", False), ("sources: {db: b}", False), ("storage: {orders: {compression: lz4}}", False),
                            ("storage: {orders: {compression: null}}", True), ("storage: {orders: {codec: zstd}}", False), ("schedules: {orders: {cron: x}}", False)):
            self.assertEqual(not self.wrong("environment", text), right, text)

    def test_mistakes_are_seen_where_they_are(self):
        port = "kind: DataProduct\napiVersion: v1.1.0\nid: a\nstatus: active\ninputPorts:\n- name: b\n  version: 1.0.0\n  contractId: c\n" \
               "  customProperties:\n  - {property: source, vendor: weft, value: VALUE}\n"
        for value, right in (("{kind: file, path: a.csv}", True), ("{kind: file}", False), ("{kind: fil, path: a.csv}", False),
                             ("{kind: file, pat: a.csv}", False), ("{kind: file, path: a.csv, address: b}", False),
                             ("{kind: product, address: a/b/c}", True), ("{kind: product, path: a.csv}", False)):
            self.assertEqual(self.wrong("product", port.replace("VALUE", value)) == [], right, value)
        for name, text in (("mesh", "id: a\ndomains:\n- {name: b, ownrs: [c]}\n"), ("mesh", "id: a\n"),
                           ("policies", "policies:\n- {name: a, alow: [read]}\n"), ("policies", "polices: []\n"),
                           ("policies", "tests:\n- {name: a, product: {}, expects: passes}\n"),
                           ("entities", "entities:\n- {name: a, type: strin}\n")):
            self.assertNotEqual(self.wrong(name, text), [], text)


class Watching(unittest.TestCase):
    def test_each_change_is_judged(self):
        with tempfile.TemporaryDirectory() as scratch:
            mesh = pathlib.Path(scratch) / "mesh"
            shutil.copytree(ROOT / "tests" / "support" / "shop", mesh)
            contract = mesh / "domains" / "sales" / "orders" / "orders.odcs.yaml"
            text = contract.read_text()
            watch = subprocess.Popen([str(WEFT), "check", "--watch", "--json", str(mesh)], stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL, text=True)
            try:
                self.assertEqual(json.loads(watch.stdout.readline())["errors"], 0)
                contract.write_text(text.replace("logicalType: integer", "logicalType: intger"))
                told = json.loads(watch.stdout.readline())
                self.assertEqual([problem["file"] for problem in told["problems"]], [str(contract)])
                self.assertIn("integer", told["problems"][0]["message"])
                contract.write_text(text)
                self.assertEqual(json.loads(watch.stdout.readline())["errors"], 0)
                contract.unlink()
                self.assertGreater(json.loads(watch.stdout.readline())["errors"], 0)
            finally:
                watch.send_signal(signal.SIGINT)
                watch.communicate(timeout=30)
            self.assertEqual(watch.returncode, -signal.SIGINT)


if __name__ == "__main__":
    unittest.main()
