"""The tables of docs/exchange.md are what import and export do with a descriptor that says everything; UPDATE=1 writes them."""
import json
import os
import pathlib
import re
import sys
import tempfile
import unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT  # noqa: E402

from exchanged import SAMPLES, leaves, product, weft  # noqa: E402

PAGE = ROOT / "docs" / "exchange.md"
# Names that a person chose: what stands below is one row for all of them.
NAMED = re.compile(r"^(models\.)[^.]+|(fields\.)[^.\[]+|^(definitions\.)[^.]+|^(servers\.)[^.]+|(links\.)[^.]+|^(nodes\.\w+\.|sources\.\w+\.|exposures\.\w+\.|groups\.\w+\.)[^ ]*?(?=\.columns\.|\.config$|\.freshness$|$)|(columns\.)[^.]+|(schema\.properties\.)[^.\[]+")


def shape(path: str) -> str:
    path = re.sub(r"\[\d+\]", "[]", path)
    before = ""
    while path != before:
        before, path = path, NAMED.sub(lambda found: next(group for group in found.groups() if group) + "*", path)
    return path


def table(rows: dict) -> str:
    lines = ["| there | what becomes of it |", "|---|---|"]
    return "\n".join(lines + [f"| `{path}` | {what} |" for path, what in sorted(rows.items())])


def read(answer: dict, document: dict, top: int) -> str:
    """Each word of the document, with what was told of it; what was not told was carried over."""
    told = {one["path"]: "kept as " + one["kept"] if "kept" in one else "lost: " + one["why"] for one in answer["kept"] + answer["lost"]}
    rows = {shape(path): what.replace("|", "\\|") for path, what in told.items()}
    for path, _ in leaves(document):
        if any(path == one or path.startswith((one + ".", one + "[")) for one in told):
            continue
        rows.setdefault(shape(path), "carried over")
    return table({path: what for path, what in rows.items() if top == 0 or what != "carried over" or path.count(".") < top})


class Documented(unittest.TestCase):
    def page(self, name: str, text: str):
        """What stands between the marks of that name is this text."""
        begin, end = f"<!-- {name} -->\n", f"\n<!-- end {name} -->"
        whole = PAGE.read_text()
        self.assertIn(begin, whole)
        before, rest = whole.split(begin)
        was, after = rest.split(end)
        if os.environ.get("UPDATE"):
            PAGE.write_text(before + begin + text + end + after)
        else:
            self.assertEqual(was, text, "UPDATE=1 writes the tables anew")

    def answer(self, *words) -> dict:
        with tempfile.TemporaryDirectory() as folder:
            return json.loads(weft("import", *words, "--domain", "shop", "--into", folder, "--json"))

    def test_data_contract_specification(self):
        source = SAMPLES / "everything.datacontract.yaml"
        self.page("datacontract", read(self.answer(source), yaml.safe_load(source.read_text()), 0))

    def test_marketplaces(self):
        source = SAMPLES / "marketplace.odps-lf.yaml"
        self.page("odps-lf", read(self.answer(source), yaml.safe_load(source.read_text()), 0))

    def test_data_mesh_descriptors(self):
        source = SAMPLES / "airline.dpds.json"
        self.page("dpds", read(self.answer(source), json.loads(source.read_text()), 0))

    def test_dbt(self):
        answer = self.answer(ROOT / "examples" / "own" / "jaffle")
        rows = {shape(one["path"]): "kept as " + one["kept"] if "kept" in one else "lost: " + one["why"] for one in answer["kept"] + answer["lost"]}
        rows = {path: re.sub(r"(tests) (model|source)\.\S+", r"\1 another node", what) for path, what in rows.items()}
        self.page("dbt", table(rows))

    def test_what_export_loses(self):
        contract = yaml.safe_load((ROOT / "tests" / "descriptors" / "samples" / "full-3.2.odcs.yaml").read_text())
        contract["schema"] = contract["schema"][:1]
        for form in ("datacontract", "dbt", "odps-lf", "dpds"):
            with tempfile.TemporaryDirectory() as folder:
                product(pathlib.Path(folder) / "full", contract)
                answer = json.loads(weft("export", form, pathlib.Path(folder) / "full", "--json"))
            self.page(f"export {form}", table({shape(one["path"]): one["why"] for one in answer["lost"] if one["file"] != "product.odps.yaml"}))


if __name__ == "__main__":
    unittest.main()
