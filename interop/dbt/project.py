"""A real dbt builds the jaffle shop: its manifest becomes the product that the kept one becomes, and it parses what Weft exports.

    make interop"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEFT = os.environ.get("WEFT_PROGRAM", str(ROOT / "build" / "weft"))
DBT = pathlib.Path(sys.executable).parent / "dbt"
JAFFLE = ROOT / "examples" / "own" / "jaffle"


def run(*words, where: pathlib.Path) -> str:
    done = subprocess.run([str(word) for word in words], cwd=where, env=os.environ | {"DO_NOT_TRACK": "1"}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Project(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        cls.project = cls.folder / "jaffle"
        shutil.copytree(JAFFLE, cls.project, ignore=shutil.ignore_patterns("target"))
        for command in ("build", ("docs", "generate")):
            words = (command,) if isinstance(command, str) else command
            run(DBT, *words, "--profiles-dir", ".", where=cls.project)

    def test_its_manifest_gives_the_product_that_the_kept_one_gives(self):
        for name, project in (("real", self.project), ("kept", JAFFLE)):
            run(WEFT, "import", "dbt", project, "--domain", "shop", "--into", self.folder / name, where=self.folder)
        made = {name: {file.name: file.read_text() for file in (self.folder / name).rglob("*") if file.is_file()} for name in ("real", "kept")}
        self.assertEqual(made["real"], made["kept"])

    def test_it_parses_what_is_exported(self):
        run(WEFT, "import", "dbt", JAFFLE, "--domain", "shop", "--into", self.folder / "mesh", where=self.folder)
        other = self.folder / "other"
        (other / "models").mkdir(parents=True)
        (other / "dbt_project.yml").write_text("name: other\nversion: 1.0.0\nprofile: jaffle\n")
        shutil.copy(JAFFLE / "profiles.yml", other)
        run(WEFT, "export", "dbt", self.folder / "mesh" / "jaffle-shop", "-o", other / "models" / "sources.yml", where=self.folder)
        (other / "models" / "big.sql").write_text("select * from {{ source('shop__jaffle_shop', 'customers_v1') }}")
        said = run(DBT, "parse", "--profiles-dir", ".", "--no-partial-parse", "--show-all-deprecations", where=other)
        self.assertNotIn("Deprecation", said)
        listed = run(DBT, "list", "--profiles-dir", ".", "--quiet", "--resource-type", "test", where=other)
        self.assertIn("source_relationships_shop__jaffle_shop_orders_v2", listed)
        self.assertIn("source_not_null_shop__jaffle_shop_customers_v1_customer_id", listed)


if __name__ == "__main__":
    unittest.main()
