"""A descriptor of the Open Data Mesh becomes a product and goes back; what its words cannot say is told."""
import json
import pathlib
import sys
import tempfile
import unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import contracts  # noqa: E402
from exchanged import SAMPLES, leaves, plain, product, weft, without  # noqa: E402

AIRLINE = SAMPLES / "airline.dpds.json"


class RoundTrip(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        cls.answer = json.loads(weft("import", AIRLINE, "--into", cls.folder, "--json"))
        cls.home = cls.folder / "frequency"

    def test_a_descriptor(self):
        problems = json.loads(weft("check", self.home, "--json"))["problems"]
        self.assertEqual([problem for problem in problems if problem["level"] == "error"], [])
        contract = yaml.safe_load((self.home / "routes.odcs.yaml").read_text())
        columns = {column["name"]: column for column in contract["schema"][0]["properties"]}
        self.assertEqual(columns["share"]["physicalType"], "decimal(5,4)")
        self.assertTrue(columns["share"]["required"] and columns["frequency"]["required"])
        self.assertEqual(columns["frequency"]["logicalTypeOptions"], {"exclusiveMinimum": 0})
        self.assertEqual([name for name, column in columns.items() if column.get("primaryKey")], ["airline_code", "origin"])
        self.assertEqual([one["path"] for one in self.answer["lost"] if one["path"].startswith("interfaceComponents.outputPorts[1]")],
                         ["interfaceComponents.outputPorts[1]"])
        # Each leaf is in what was written, or told.
        written = "\n".join(file.read_text() for file in self.home.iterdir()).lower()
        told = [one["path"] for one in self.answer["lost"] + self.answer["kept"]]
        for path, value in leaves(json.loads(AIRLINE.read_text())):
            words = {"1.0.0": "", "primary_key": "primarykey", "not_null": "required", "outputport": "", "dataproduct": "", "datastoreapi": ""}.get(str(value).lower(), str(value).lower())
            if not any(path == one or path.startswith((one + ".", one + "[")) for one in told):
                self.assertIn(words, written, path)

    def test_it_goes_back(self):
        back = yaml.safe_load(json.loads(weft("export", "dpds", self.home, "--json"))["text"])
        source = json.loads(AIRLINE.read_text())
        for key in ("info", "internalComponents", "tags"):
            self.assertEqual(back[key], source[key])
        port, was = back["interfaceComponents"]["outputPorts"][0], source["interfaceComponents"]["outputPorts"][0]
        self.assertEqual(back["interfaceComponents"]["inputPorts"], source["interfaceComponents"]["inputPorts"])
        self.assertEqual({key: port[key] for key in was if key != "promises"}, {key: was[key] for key in was if key != "promises"})
        self.assertEqual(port["promises"]["slo"], was["promises"]["slo"])

    def test_random_contracts(self):
        for i in range(60):
            contract = contracts.Maker(9000 + i).contract()
            source, target = self.folder / f"c{i}", self.folder / f"b{i}"
            product(source, contract)
            answer = json.loads(weft("export", "dpds", source, "--json"))
            file = self.folder / f"c{i}.yaml"
            file.write_text(answer["text"])
            weft("import", file, "--domain", "sales", "--product", "shop", "--into", target, "--json")
            back = yaml.safe_load(next((target / "shop").glob("*.odcs.yaml")).read_text())
            lost = [one["path"] for one in answer["lost"] if one["file"] == "orders.odcs.yaml"]
            for path in lost:
                without(contract, path)
            self.assertEqual(plain(contract), plain(back), f"{i}: {lost}")

    def test_hostile_files(self):
        head = '{"dataProductDescriptor": "1.0.0", "info": {"name": "x", "domain": "d"}, "interfaceComponents": '
        for rest, words in (("[]}", "no output port"), ('{"outputPorts": 5}}', "no output port"), ('{"outputPorts": [{"name": "a"}]}}', "no output port"),
                            ('{"outputPorts": [{"promises": {"api": {"definition": {"schema": {"properties": []}}}}}]}}', "no output port"),
                            ('{"outputPorts": [{"promises": {"api": {"definition": "../../etc/passwd"}}}]}}', "no output port")):
            file = self.folder / "hostile.json"
            file.write_text(head + rest)
            self.assertIn(words, weft("import", file, "--into", self.folder / "hostile", code=3))
            self.assertFalse((self.folder / "hostile").exists())


if __name__ == "__main__":
    unittest.main()
