"""What must hold of a node that was started again, whatever happened to it: each product and grant is there or not as its people were
told, each table is one of the states that it may be in, by content, at this moment and at former ones, over Flight SQL and for
whoever opens it as an Iceberg table; search finds what is published and nothing else; the ledger holds; no run looks alive; and after
a sweep nothing is in the data folder that the store does not name, and everything that it names."""
import contextlib
import json
import pathlib
import re
import sqlite3

import duckdb
from node import ROOT
from soaked import Unanswered, World, digest, digest_sql, rare

# What is there beside the tables and uploads: by pattern, relative to the data folder.
LASTING = re.compile(r"weft\.db(-wal|-shm)?|admin\.token|node\.(id|lock)|lock|seal\.key|sign-in\.keys|ledger/ledger-(head|key|cut)\.json"
                     r"|warehouse/.*/metadata/version-hint\.text")


def engine():
    con = duckdb.connect(config={"extension_directory": str(ROOT / "build/deps/wheels/duckdb"), "autoinstall_known_extensions": "false",
                                 "autoload_known_extensions": "false", "threads": "1"})
    con.execute("LOAD avro; LOAD iceberg")
    return con


def reading(data: pathlib.Path):
    return contextlib.closing(sqlite3.connect(f"file:{data}/weft.db?mode=ro", uri=True))


def named(store) -> set[str]:
    """Every file that the store names, but uploads."""
    columns = {"snapshot_files": ("path",), "snapshots": ("manifest_list", "manifest", "kept_manifest"), "tables": ("metadata_path",)}
    return {row[0] for table, names in columns.items() for name in names for row in store.execute(f"SELECT {name} FROM {table}")} - {""}


def strays(data: pathlib.Path) -> tuple[set[str], set[str]]:
    """What is in the data folder and nobody names, and what is named and is not there."""
    with reading(data) as store:
        warehouse = named(store)
        uploads = {row[0] for row in store.execute("SELECT DISTINCT sha256 FROM product_data")}
    found = {str(file) for file in data.rglob("*") if file.is_file()}
    kept = {str(data / "uploads" / name[:2] / name) for name in uploads}
    lasting = {file for file in found if LASTING.fullmatch(str(pathlib.Path(file).relative_to(data)))}
    return found - warehouse - kept - lasting, (warehouse | kept) - found


class Whole:
    """Holds a node against what its world remembers. What does not hold is told in `wrong`."""

    def __init__(self, world: World):
        self.world, self.node, self.wrong = world, world.node, []
        self.engine = engine()

    def check(self) -> list[str]:
        """Everything, on a node that runs and on which nothing is done. What nobody knew is known afterwards."""
        self.wrong = []
        try:
            for status in ("pending", "running"):
                for run in self.world.must("GET", f"/v1/runs?status={status}&limit=100")["runs"]:
                    if "mirror" not in run["address"]:  # It starts by itself.
                        self.wrong.append(f"{run['id']} of {run['address']} looks {status}")
            self.world.quiet()
            with self.world.reader() as cursor:
                self.tables(cursor)
            self.published()
            self.granted()
            verdict = self.world.must("POST", "/v1/audit/verify", {})
            if not verdict.get("ok"):
                self.wrong.append(f"the ledger does not hold: {json.dumps(verdict)}")
            self.swept()
            self.icebergs()
        except Unanswered as error:
            self.wrong.append(f"not answered: {error}")
        except Exception as error:  # A client that is refused is a finding, too.
            self.wrong.append(f"{type(error).__name__}: {error}")
        found, self.world.wrong = self.wrong + self.world.wrong, []
        return found

    def tables(self, cursor):
        for port in self.world.ports.values():
            if port.name == "mirror":
                self.world.read(cursor, "mirror")
            else:
                self.world.resolve(port, cursor)

    def published(self):
        there = {product["name"]: product["version"] for product in self.world.must("GET", "/v1/products")["products"]}
        for name in there.keys() - self.world.products.keys():
            self.wrong.append(f"{name} is there and was never published")
        for name, may in self.world.products.items():
            version = there.get(name)
            if version not in may:
                self.wrong.append(f"{name} is {version}, and may be {may}")
            for each in may:
                if len(may) == 1 and self.world.dice.random() > 0.25:
                    continue
                hits = [hit["address"].split("/")[-1] for hit in self.world.must("GET", f"/v1/search?q={rare(name, each)}")["hits"]]
                if each and hits != ([name] if each == version else []):
                    self.wrong.append(f"{name} is {version}; a search for {each} finds {hits}")
            if version and len(may) > 1 and len(self.world.must("GET", f"/v1/products/shop/{name}").get("ports", [])) != 1:
                self.wrong.append(f"{name} {version} has not its port")
            self.world.products[name] = [version]

    def granted(self):
        held = {grant["principal"] for grant in self.world.must("GET", f"/v1/grants?address={self.world.ports['whole'].address}")["grants"]}
        for user, may in self.world.grants.items():
            if (user in held) not in may:
                self.wrong.append(f"{user} has {'a' if user in held else 'no'} grant, and may have {may}")
            self.world.grants[user] = [user in held]

    def swept(self):
        for _ in range(3):  # Between the quiet and the sweep the mirror may begin a run, whose files are left alone.
            self.world.quiet()
            self.world.sweep()
            stray, missing = strays(self.node.data)
            if not stray and not missing:
                break
        for file in sorted(stray):
            self.wrong.append(f"after the sweep {file.removeprefix(str(self.node.data))} is there, which nobody names")
        for file in sorted(missing):
            self.wrong.append(f"{file.removeprefix(str(self.node.data))} is named and is not there")
        with reading(self.node.data) as store:
            if (said := store.execute("PRAGMA quick_check").fetchall()) != [("ok",)]:
                self.wrong.append(f"the store is damaged: {said}")

    def icebergs(self):
        """As others see them: what the newest metadata file says, and a former snapshot of it."""
        with reading(self.node.data) as store:
            paths = dict(store.execute("SELECT port, metadata_path FROM tables"))
        for key, path in paths.items():
            port = self.world.ports[key.split("/")[1]]
            self.iceberg(port, f"iceberg_scan('{path}')", [digest(port.rows)] if port.name != "mirror" else self.world.ports["whole"].was)
            former = self.world.dice.choice([*port.snapshots.items(), None])
            if former:
                self.iceberg(port, f"iceberg_scan('{path}', snapshot_from_id = {former[0]})", [digest(former[1])])

    def iceberg(self, port, scan: str, may: list):
        try:
            seen = self.engine.execute(digest_sql(scan, port.mode)).fetchone()
        except duckdb.Error as error:
            self.wrong.append(f"{scan}: {error}")
            return
        if seen not in may:
            self.wrong.append(f"{scan} has {seen}, and may have {may[-2:]}")
