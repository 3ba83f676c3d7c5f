"""A contract goes to the Data Contract Specification and back: what differs is exactly what was said to be lost."""
import concurrent.futures
import json
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT  # noqa: E402

import jsonschema  # noqa: E402
import yaml  # noqa: E402

import contracts  # noqa: E402
from exchanged import SAMPLES, leaves, plain, product, weft, without  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "200"))
SEED = int(os.environ.get("SEED", "1"))
SCHEMAS = ROOT / "build" / "deps" / "schemas" / "datacontract"


class RoundTrip(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        cls.standard = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "datacontract-1.2.1.schema.json").read_text()))
        cls.odcs = jsonschema.Draft201909Validator(json.loads((SCHEMAS / "odcs-3.2.0.schema.json").read_text()))

    def there_and_back(self, contract: dict, name: str):
        source, target = self.folder / name, self.folder / f"{name}-back"
        product(source, contract)
        answer = json.loads(weft("export", "datacontract", source, "--json"))
        self.assertEqual([error.message for error in self.standard.iter_errors(yaml.safe_load(answer["text"]))], [], answer["text"])
        (self.folder / f"{name}.yaml").write_text(answer["text"])
        weft("import", self.folder / f"{name}.yaml", "--domain", "sales", "--product", "shop", "--into", target, "--json")
        back = yaml.safe_load((next((target / "shop").glob("*.odcs.yaml"))).read_text())
        for lost in answer["lost"]:
            without(contract, lost["path"])
        self.assertEqual(plain(contract), plain(back), f"seed {SEED}, {name}\n{answer['text']}\n{answer['lost']}")
        return answer, back

    def test_random_contracts(self):
        def one(i: int) -> bool:
            contract = contracts.Maker(SEED * 100003 + i).contract()
            if i % 20 == 0:
                self.assertEqual([error.message for error in self.odcs.iter_errors(contract)], [])
            return not self.there_and_back(contract, f"r{i}")[0]["lost"]

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            kept = sum(pool.map(one, range(ROUNDS)))
        self.assertGreater(kept, ROUNDS // 20)  # Not everything loses something.

    def test_a_contract_of_the_scaffold_loses_nothing(self):
        (self.folder / "rows.csv").write_text("id,mail,price\n" + "".join(f"{i},u{i}@x.example,{i}.50\n" for i in range(50)))
        weft("new", "product", "sales/rows", "--from", self.folder / "rows.csv", "--into", self.folder / "made")
        contract = yaml.safe_load((self.folder / "made" / "rows" / "rows.odcs.yaml").read_text())
        answer, _ = self.there_and_back(contract, "scaffold")
        self.assertEqual(answer["lost"], [])

    def test_every_word_of_the_specification(self):
        source = SAMPLES / "everything.datacontract.yaml"
        answer = json.loads(weft("import", source, "--domain", "sales", "--into", self.folder / "all", "--json"))
        folder = self.folder / "all" / "orders"
        told = json.loads(weft("check", folder, "--json"))
        self.assertEqual([problem for problem in told["problems"] if problem["level"] == "error"], [])
        lost = {one["path"]: one["line"] for one in answer["lost"]}
        lines = source.read_text().splitlines()
        self.assertIn("unused:", lines[lost["definitions.unused"] - 1])
        # Each leaf of the source is in what was written, or is told.
        written = "\n".join(file.read_text() for file in folder.iterdir())
        told = [one["path"] for one in answer["lost"] + answer["kept"]]
        for path, value in leaves(yaml.safe_load(source.read_text())):
            if any(path == one or path.startswith(one + ".") or path.startswith(one + "[") for one in told):
                continue
            if path.endswith("$ref"):
                continue
            words = CARRIED_AS.get(value, str(value)) if not isinstance(value, bool) else ""
            self.assertIn(words, written, path)

    def test_hostile_files(self):
        head = "dataContractSpecification: 1.2.1\nid: x\ninfo: {title: X, version: 1.0.0}\n"
        deep = "{type: object, fields: {a: " * 30 + "{type: string}" + "}}" * 30
        for text, words in (
                (head, "no `models`"),
                (head + "models: [a, b]\n", "no `models`"),
                (head + "models: {a: 5}\n", "a model is a map"),
                (head + "models: {a: {type: table}}\n", "no `fields`"),
                (head + "models: {a: {fields: {b: text}}}\n", "a field is a map"),
                (head + "models: {a: {fields: {b: {$ref: 'https://x.example/y'}}}}\n", "no other is read"),
                (head + "models: {a: {fields: {b: {$ref: '../../etc/passwd'}}}}\n", "no other is read"),
                (head + "models: {a: {fields: {b: {$ref: '#/definitions/c'}}}}\n", "names no definition"),
                (head + "models: {a: {fields: {b: {$ref: '#/definitions/c'}}}}\ndefinitions: {c: {$ref: '#/definitions/d'}, d: {$ref: '#/definitions/c'}}\n", "refers to itself"),
                (head + "models: {a: {fields: {b: {$ref: '#/definitions/c'}}}}\ndefinitions: {c: {type: object, fields: {d: {$ref: '#/definitions/c'}}}}\n", "holds itself"),
                (head + f"models: {{a: {{fields: {{b: {deep}}}}}}}\n", "deep"),
                (head + "models: {a: {fields: {b: {type: string}, b: {type: int}}}}\n", "b"),
                ("kind: DataContract\napiVersion: v3.2.0\nid: x\n", "needs no import"),
                ("hello: world\n", "does not say what it is"),
                ("\0\1\2", "does not say what it is")):
            file = self.folder / "hostile.yaml"
            file.write_text(text)
            message = weft("import", file, "--domain", "sales", "--into", self.folder / "hostile", code=3)
            self.assertIn(words, message)
            self.assertFalse((self.folder / "hostile").exists())

    def test_what_is_of_another_type_than_it_should_be_is_told(self):
        file = self.folder / "odd.yaml"
        file.write_text("dataContractSpecification: 1.2.1\nid: 7\ninfo: {title: [X], version: next, status: 3, contact: none}\n"
                        "models: {a: {primaryKey: b, quality: {type: sql}, fields: {b: {type: [string], required: 'yes', enum: x, minLength: long, tags: k}}}}\n"
                        "servers: [x]\nservicelevels: {latency: 5}\ntags: one\nlinks: {a: 5}\n")
        answer = json.loads(weft("import", file, "--domain", "sales", "--into", self.folder / "odd", "--json"))
        told = {one["path"] for one in answer["lost"] + answer["kept"]}
        field = "models.a.fields.b"
        wanted = {"info.version", "info.status", "models.a.primaryKey", "models.a.quality", f"{field}.type", f"{field}.required", f"{field}.enum",
                  f"{field}.minLength", f"{field}.tags", "servers", "servicelevels", "tags", "links"}
        self.assertEqual(wanted - told, set())
        told = json.loads(weft("check", self.folder / "odd" / "x-7", "--json"))
        self.assertEqual([problem for problem in told["problems"] if problem["level"] == "error"], [])


# What is written otherwise there than here.
CARRIED_AS = {"{model}": "${object}", "decimal": "decimal(10,2)", "numeric": "numeric(5,4)", "long": "integer", "double": "number", "timestamp_ntz": "timestamp",
              "bytes": "binary", "99.9%": "99.9", "1 year": "year", "25h": "unit: h", "PT1H": "unit: h", "1.2.1": "", "duplicateCount": "duplicateValues",
              "SELECT count(*) FROM {model}": "FROM ${object}", "SELECT count(*) FROM {table} WHERE placed_at > now()": "FROM ${table} WHERE", "customers.customer_id": "customers.customer_id"}


if __name__ == "__main__":
    unittest.main()
