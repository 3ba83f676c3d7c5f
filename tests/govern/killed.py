"""A node that is killed while policies change: they are wholly the old or wholly the new ones, the ledger says which, and
no reader sees what neither gives. ROUNDS makes it longer, SEED another one."""
import collections
import hashlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, WEFT, Node  # noqa: E402

warnings.filterwarnings("ignore", message="Cannot disable autocommit")
sys.unraisablehook = lambda _: None  # A driver complains of handles whose node is gone.
ROUNDS = int(os.environ.get("ROUNDS", "14"))
SEED = int(os.environ.get("SEED", "20130101"))
ROWS = "SELECT id, customer, placed_on::VARCHAR FROM sales.orders.orders ORDER BY id"
# Three variants, each a file of its own: which rows, how names and how days are masked, and whom it is denied to. Two
# files of one and two of another are what nobody may ever see.
VARIANTS = [("[1, 2]", "mask-alphanum", "truncate-to-month", "nobody"),
            ("[3, 4]", "sha-256-global", "replace-with-null", "yan"),
            ("[1, 4]", "show-last-4", "mask-to-fixed-value", "wim")]
READERS = ["zoe", "yan", "wim"]
FILES = {
    "rows": "policies:\n  - name: rows\n    description: {text}\n    scope: {{products: [sales/orders]}}\n    filter: row.id in {0}\n",
    "names": "policies:\n  - name: names\n    description: {text}\n    scope: {{products: [sales/orders], columns: {{names: [customer]}}}}\n    mask: {1}\n",
    "days": "policies:\n  - name: days\n    description: {text}\n    scope: {{products: [sales/orders], columns: {{names: [placed_on]}}}}\n    mask: {2}\n",
    "denied": "policies:\n  - name: denied\n    description: {text}\n    scope: {{products: [sales/orders]}}\n    principals: [{3}]\n    deny: [read]\n"}


def files(generation: int) -> dict[str, str]:
    variant = VARIANTS[generation % 3]
    return {f"policies/{name}.yaml": text.format(*variant, text=f"generation {generation}") for name, text in FILES.items()}


class Mesh(Node):
    """The shop with the policies of a generation, and what its readers see meanwhile."""

    def __enter__(self) -> "Mesh":
        super().__enter__()
        self.home = self.folder / "mesh"
        shutil.copytree(ROOT / "tests" / "support" / "shop", self.home)
        (self.home / "policies").mkdir()
        self.run("apply", str(self.home))
        self.run("run", "sales/orders", "--quiet")
        for who in READERS:
            self.run("grant", who, "sales/orders/orders@1")
        self.tokens = {who: self.json("token", "create", who)["secret"] for who in READERS}
        # What may be in force: nothing before `oldest`, nothing after `newest`.
        self.oldest = self.newest = self.felt = 0  # `felt`: what somebody has seen already.
        self.life = 0
        self.up, self.over = threading.Event(), threading.Event()
        self.reads: collections.Counter[str] = collections.Counter()
        self.faults: list[str] = []
        return self

    def write(self, generation: int):
        for path, text in files(generation).items():
            (self.home / path).write_text(text)

    def apply(self) -> subprocess.Popen:
        return subprocess.Popen([str(WEFT), "apply", str(self.home)], env=self.env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def rows(self, who: str) -> list[tuple] | None:
        """What somebody sees now; None where they are denied."""
        with self.adbc(self.tokens[who]) as connection, connection.cursor() as cursor:
            return fetch(cursor)

    def in_force(self) -> int:
        """The generation that all policies are of."""
        told = {policy["name"]: policy["description"] for policy in self.json("policy", "list")["policies"]}
        assert set(told) == set(FILES) and len(set(told.values())) == 1, f"policies of two generations are in force: {told}"
        return int(told["rows"].split()[1])


def fetch(cursor) -> list[tuple] | None:
    while True:
        try:
            cursor.execute(ROWS)
            return cursor.fetchall()
        except Exception as error:  # noqa: BLE001: any driver's
            if "may not read" in str(error) or "may no longer read" in str(error):
                return None
            if "prepare it again" not in str(error):  # Policies changed between the two halves of a statement.
                raise


def watch(mesh: Mesh, who: str, seen: list[dict[str, list[tuple] | None]]):
    """Reads over and over: whatever comes must be what a generation gives that may be in force."""
    while not mesh.over.is_set():
        if not mesh.up.wait(timeout=0.1):
            continue
        life = mesh.life
        try:
            with mesh.adbc(mesh.tokens[who]) as connection, connection.cursor() as cursor:
                while not mesh.over.is_set():
                    oldest = mesh.oldest
                    got = fetch(cursor)
                    allowed = [seen[generation % 3][who] for generation in range(oldest, mesh.newest + 1)]
                    mesh.reads[who] += 1
                    if got in allowed and got != allowed[0]:
                        mesh.felt = max(mesh.felt, oldest + 1)
                    if got not in allowed:
                        mesh.faults.append(f"{who} saw {got}, and generations {oldest} to {mesh.newest} give {allowed}")
        except Exception as error:  # noqa: BLE001: the node is killed under it
            if mesh.life == life and mesh.up.is_set():
                mesh.faults.append(f"{who}: {error}")
                return


def check_ledger(mesh: Mesh, generation: int):
    """The newest row of each file tells of the generation that is in force, and of each as a whole."""
    rows = [row for row in mesh.json("audit", "log", "--kind", "published", "--limit", "1000")["rows"]
            if row["address"].startswith("policies/")]
    told: dict[str, list[str]] = {path: [] for path in files(0)}
    for row in sorted(rows, key=lambda row: row["seq"]):
        told[row["address"]].append(row["detail"]["sha256"])
    wanted = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in files(generation).items()}
    assert {path: of[-1] for path, of in told.items()} == wanted, f"the ledger tells of another generation than {generation}"
    assert len({len(of) for of in told.values()}) == 1, {path: len(of) for path, of in told.items()}


def main():
    random_ = random.Random(SEED)
    with Mesh() as mesh:
        seen = []
        for generation in range(3):
            mesh.write(generation)
            began = time.monotonic()
            mesh.run("apply", str(mesh.home))
            wait = time.monotonic() - began
            seen.append({who: mesh.rows(who) for who in READERS})
        zoes = [variant["zoe"] for variant in seen]
        assert all(rows and len(rows) == 2 for rows in zoes), zoes
        assert all(len({tuple(row[column] for row in rows) for rows in zoes}) == 3 for column in range(3)), zoes
        assert [variant["yan"] for variant in seen] == [zoes[0], None, zoes[2]] and seen[2]["wim"] is None, seen
        mesh.oldest = mesh.newest = mesh.felt = current = 2
        mesh.up.set()
        readers = [threading.Thread(target=watch, args=(mesh, who, seen)) for who in READERS]
        for reader in readers:
            reader.start()
        became = 0
        for _ in range(ROUNDS):
            mesh.write(current + 1)
            mesh.newest = current + 1
            applying = mesh.apply()
            time.sleep(wait * random_.uniform(0.7, 1.3))
            mesh.up.clear()
            mesh.stop(signal.SIGKILL)
            told = applying.communicate(timeout=60)[0]
            mesh.start()
            mesh.life += 1
            now = mesh.in_force()
            assert now >= mesh.felt, f"somebody saw generation {mesh.felt}, and {now} is in force"
            assert now in (current, current + 1), f"generation {now} is in force between {current} and {current + 1}"
            assert now == current + 1 or applying.returncode != 0, f"applied, and is not in force:\n{told}"
            check_ledger(mesh, now)
            for who in READERS:
                assert mesh.rows(who) == seen[now % 3][who], f"{who} under generation {now}"
            became += now > current
            wait *= 0.8 if now > current else 1.25  # Towards the moment of the commit.
            mesh.oldest = mesh.newest = current = now
            mesh.up.set()
            time.sleep(random_.uniform(0, 0.1))
        mesh.over.set()
        for reader in readers:
            reader.join()
        assert not mesh.faults, "\n".join(mesh.faults[:10])
        assert mesh.run("audit", "verify").startswith("intact")
        assert 0 < became < ROUNDS, f"{became} of {ROUNDS} changes are in force: the kills came too early or too late"
        assert min(mesh.reads[who] for who in READERS) > ROUNDS, mesh.reads
        print(f"killed {ROUNDS} times while {len(FILES)} files of policies changed: {became} changes are in force, each wholly; "
              f"{sum(mesh.reads.values())} reads meanwhile saw what one generation gives")


main()
