"""What was decided before a change holds for nothing after it: connections, prepared statements and open streams from
before a policy's, a grant's, a group's, an attribute's or a token's change, and how long a refusal takes."""
import contextlib
import json
import pathlib
import statistics
import sys
import time

import adbc_driver_manager

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from governed import COLUMNS, marks  # noqa: E402
from people import MESH, PORTS, SOME, USERS, Mesh, contract, product  # noqa: E402

TABLE = PORTS[USERS]
STATEMENT = f"SELECT * FROM {TABLE} ORDER BY n"
PREPARED = f"SELECT * FROM {TABLE} WHERE n > ? ORDER BY n"
STREAM = f"SELECT a.n, a.note, b.n AS m FROM {TABLE} a, {TABLE} b, range(1_000_000)"
ALL = list(COLUMNS)
TIMES = 60


def rule(**what) -> list[dict]:
    return [{"name": "one", "scope": {"products": ["people/users"]}} | what]


class Changes(Mesh):
    """Each change is made under an open connection of zoe's."""
    passed = 0

    def put_mesh(self, **what):
        self.write("mesh.yaml", json.dumps(MESH | what))
        self.run("apply", str(self.home))

    def rows_where(self, test=lambda row: True, columns=ALL) -> list[dict]:
        return sorted(({name: row[name] for name in columns} for row in self.rows[USERS] if test(row)), key=lambda row: row["n"])

    def under_change(self, name: str, change, before: list[dict], after: list[dict] | None):
        """`after` is None where nothing may be read any more."""
        with self.ending(), self.connect("zoe") as connection, connection.cursor() as prepared, \
                connection.cursor() as streaming:
            self.expect(f"{name}: before", ask(connection, STATEMENT), before)
            prepared.adbc_prepare(PREPARED)
            self.expect(f"{name}: prepared, before", rows(prepared, PREPARED, (0,)), before)
            streaming.execute(STREAM)
            stream = streaming.fetch_record_batch()
            stream.read_next_batch()
            change()
            # The same connection, the same text: the new decision.
            self.expect(f"{name}: the next statement", ask(connection, STATEMENT), after)
            # A statement that was prepared before may be refused; it must not answer by what was.
            held = rows(prepared, PREPARED, (0,))
            if not (isinstance(held, str) and after is not None):
                self.expect(f"{name}: prepared before", held, after)
            self.expect(f"{name}: prepared after", ask(connection, PREPARED, (0,)), after)
            self.ends(f"{name}: the open stream", stream)

    @contextlib.contextmanager
    def ending(self):
        """A driver complains where it may not even close what it prepared: its token has ended."""
        try:
            yield
        except adbc_driver_manager.Error as error:
            if "the token was revoked" not in str(error):
                raise

    def ends(self, name: str, stream):
        """What was made ahead may still come; the stream must not come to its end, nor go on."""
        began, how = time.monotonic(), "it went on for 10 s"
        while time.monotonic() - began < 10:
            try:
                stream.read_next_batch()
            except StopIteration:
                how = "it came to its end"
                break
            except Exception as error:  # noqa: BLE001: any driver's
                how = "it tells of rows: " + str(error) if marks(str(error)) else ""
                break
        self.passed += not how
        if how:
            self.fault(f"{name}: {how}")

    def expect(self, name: str, got: list[dict] | str, wanted: list[dict] | None):
        right = isinstance(got, str) if wanted is None else got == wanted
        right = right and not (isinstance(got, str) and marks(got))
        self.passed += right
        if not right:
            told = got[:200] if isinstance(got, str) else f"{len(got)} rows, {got[:1]}"
            self.fault(f"{name}: {told}; wanted {None if wanted is None else len(wanted)} rows, {(wanted or [])[:1]}")


def rows(cursor, sql: str, parameters=None) -> list[dict] | str:
    try:
        cursor.execute(sql, parameters)
        return cursor.fetch_arrow_table().to_pylist()
    except Exception as error:  # noqa: BLE001: any driver's
        return str(error)


def ask(connection, sql: str, parameters=None) -> list[dict] | str:
    with connection.cursor() as cursor:
        return rows(cursor, sql, parameters)


def changes(mesh: Changes):
    everything = mesh.rows_where()
    clean = mesh.rows_where(lambda row: row["k"] == 1)
    of = {country: mesh.rows_where(lambda row, country=country: row["country"] == country) for country in ("DE", "FR")}
    masked = [row | {"secret": None} for row in clean]
    for_analysts = rule(filter="row.k == 1", when='"analysts" in principal.groups')
    mine = rule(filter="row.country in principal.attributes.countries")

    mesh.put([])
    mesh.under_change("a filter is made", lambda: mesh.put(rule(filter="row.k == 1")), everything, clean)
    mask = {"name": "two", "scope": {"products": ["people/users"], "columns": {"names": ["secret"]}}, "mask": "replace-with-null"}
    mesh.under_change("a mask is added", lambda: mesh.put(rule(filter="row.k == 1") + [mask]), clean, masked)
    mesh.under_change("a filter and a mask end", lambda: mesh.put([]), masked, everything)
    mesh.under_change("a denial is made", lambda: mesh.put(rule(deny=["read"])), everything, None)
    mesh.put(for_analysts)
    mesh.under_change("a group loses a member", lambda: mesh.put_mesh(groups=MESH["groups"] | {"analysts": ["pia"]}), clean, everything)
    mesh.under_change("a group gains a member", lambda: mesh.put_mesh(), everything, clean)
    mesh.put(mine)
    mesh.under_change("an attribute is another", lambda: mesh.put_mesh(attributes={"zoe": {"countries": "FR"}}), of["DE"], of["FR"])
    mesh.under_change("an attribute ends", lambda: mesh.put_mesh(attributes={}), of["FR"], [])
    mesh.put([])
    mesh.put_mesh()

    mesh.run("revoke", "zoe", f"{USERS}@1")
    domains = [{"name": "people", "owners": ["ana", "zoe"]}, *MESH["domains"][1:]]
    mesh.put_mesh(domains=domains)
    mesh.under_change("an owner is one no more", lambda: mesh.put_mesh(), everything, None)
    mesh.run("grant", "zoe", f"{USERS}@1")

    def revoke():
        mesh.run("revoke", "zoe", f"{USERS}@1")
    mesh.under_change("a grant is revoked", revoke, everything, None)
    mesh.put_mesh(groups=MESH["groups"] | {"crew": ["zoe"]})
    mesh.run("grant", "group:crew", f"{USERS}@1")
    mesh.under_change("a group with a grant loses a member", lambda: mesh.put_mesh(), everything, None)
    mesh.run("revoke", "group:crew", f"{USERS}@1")
    mesh.run("grant", "zoe", f"{USERS}@1")
    mesh.run("grant", "group:analysts", f"{USERS}@1", "--columns", ",".join(SOME))
    mesh.under_change("of two grants that on some columns is left", revoke, everything, mesh.rows_where(columns=[name for name in ALL if name in SOME]))
    mesh.run("grant", "zoe", f"{USERS}@1")
    listed = [token for token in mesh.json("token", "list")["tokens"] if token["principal"] == "zoe"]
    mesh.under_change("a token is revoked", lambda: mesh.run("token", "revoke", listed[0]["id"]), everything, None)


def refusals(mesh: Changes):
    """How long a refusal takes does not tell how much there is: a table of ten rows and one of a million."""
    narrow = json.loads(contract("few"))
    narrow["schema"][0]["properties"] = [{"name": "n", "logicalType": "integer", "physicalType": "bigint"}]
    for name, count in [("few", 10), ("many", 1_000_000)]:
        mesh.write(f"domains/people/sizes/{name}.odcs.yaml", json.dumps(narrow | {"id": name, "name": name}))
        mesh.write(f"domains/people/sizes/{name}.sql", f"SELECT i AS n FROM range({count}) r(i)")
    mesh.write("domains/people/sizes/product.odps.yaml", product(
        "people", "sizes", [{"kind": "file", "format": "json", "path": "data/none.json"}],
        {name: (name, {"sql": f"{name}.sql"}) for name in ("few", "many")}))
    mesh.write("domains/people/sizes/data/none.json", "{}\n")
    mesh.run("apply", str(mesh.home))
    mesh.run("run", "people/sizes", "--quiet")
    for attempt in range(3):
        took: dict[str, list[float]] = {"few": [], "many": [], "missing": []}
        with mesh.connect("eve") as connection, connection.cursor() as cursor:
            for _ in range(TIMES):
                for name, times in took.items():
                    began = time.perf_counter()
                    refused = rows(cursor, f"SELECT count(*) FROM people.sizes.{name} WHERE n > 5")
                    times.append(time.perf_counter() - began)
                    assert isinstance(refused, str), f"eve read people.sizes.{name}: {refused}"
        few, many, missing = (statistics.median(times) * 1e3 for times in took.values())
        print(f"refused: {few:.2f} ms over ten rows, {many:.2f} ms over a million; a port that is not there: {missing:.2f} ms")
        if abs(many - few) < max(0.3, 0.25 * few):
            mesh.passed += 1
            return
    mesh.fault(f"a refusal tells how many rows there are by its time: {few:.2f} and {many:.2f} ms")


def main() -> int:
    with Changes() as mesh:
        changes(mesh)
        refusals(mesh)
        for fault in mesh.faults:
            print(fault)
        print(f"{mesh.passed} passed, {len(mesh.faults)} failed")
        return 1 if mesh.faults else 0


if __name__ == "__main__":
    sys.exit(main())
