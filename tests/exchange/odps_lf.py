"""A product goes to the Linux Foundation's specification and back, and a listing of a marketplace to Weft and back."""
import json
import pathlib
import sys
import tempfile
import unittest

import jsonschema
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT  # noqa: E402

import contracts  # noqa: E402
from exchanged import SAMPLES, plain, product, weft, without  # noqa: E402

SCHEMA = ROOT / "build" / "deps" / "schemas" / "odps-lf" / "odps-v4.1.json"


class RoundTrip(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        cls.standard = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))

    def wrong(self, text: str) -> list:
        return [f"{error.json_path}: {error.message}" for error in self.standard.iter_errors(yaml.safe_load(text))]

    def test_contracts_come_back_whole(self):
        for i in range(40):
            contract = contracts.Maker(7000 + i).contract()
            source = self.folder / f"c{i}"
            product(source, contract)
            answer = json.loads(weft("export", "odps-lf", source, "--json"))
            self.assertEqual(self.wrong(answer["text"]), [])
            file = self.folder / f"c{i}.yaml"
            file.write_text(answer["text"])
            weft("import", "odps-lf", file, "--domain", "sales", "--into", self.folder / f"back{i}", "--json")
            folder = self.folder / f"back{i}" / "shop"
            back = {name: yaml.safe_load(next(folder.glob(name)).read_text()) for name in ("*.odcs.yaml", "product.odps.yaml")}
            # Only a file's own losses are of its document.
            before = {"*.odcs.yaml": contract, "product.odps.yaml": yaml.safe_load((source / "product.odps.yaml").read_text())}
            for lost in answer["lost"]:
                without(before["product.odps.yaml" if lost["file"] == "product.odps.yaml" else "*.odcs.yaml"], lost["path"])
            self.assertEqual(plain(before["*.odcs.yaml"]), plain(back["*.odcs.yaml"]), answer["lost"])
            for key, value in plain(before["product.odps.yaml"]).items():
                if key != "outputPorts":
                    self.assertEqual(back["product.odps.yaml"][key], value)

    def test_a_listing_comes_back(self):
        source = SAMPLES / "marketplace.odps-lf.yaml"
        self.assertEqual(self.wrong(source.read_text()), [])
        answer = json.loads(weft("import", source, "--domain", "retail", "--into", self.folder / "market", "--json"))
        self.assertEqual(answer["lost"], [])
        kept = {one["path"] for one in answer["kept"]}
        self.assertTrue({"product.pricingPlans", "product.license", "product.SLA", "product.details.de", "product.details.en.valueProposition"} <= kept, kept)
        folder = self.folder / "market" / "store-footfall"
        problems = json.loads(weft("check", folder, "--json"))["problems"]
        self.assertEqual([problem for problem in problems if problem["level"] == "error"], [])
        back = yaml.safe_load(json.loads(weft("export", "odps-lf", folder, "--json"))["text"])
        self.assertEqual(plain(back), plain(yaml.safe_load(source.read_text())))

    def test_without_columns_there_is_no_port(self):
        document = yaml.safe_load((SAMPLES / "marketplace.odps-lf.yaml").read_text())
        for contract in (None, {"contractURL": "https://shop.example/c.yaml"}, {"$ref": "../secret.yaml"}, {"spec": {"id": "x"}}, {"spec": [1]}):
            document["product"]["contract"] = contract
            file = self.folder / "none.yaml"
            file.write_text(yaml.safe_dump(document))
            self.assertRegex(weft("import", file, "--domain", "retail", "--into", self.folder / "none", code=3), "columns")
            self.assertFalse((self.folder / "none").exists())


if __name__ == "__main__":
    unittest.main()
