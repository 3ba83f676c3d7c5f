"""Random policies, principals, products and statements against a plain reference: each principal sees the rows and values
that the policies leave, on every way out, and nothing tells of the others.

The reference (tests/support/governed.py) evaluates the policies in Python, over the rows in memory, and runs the same
statements (tests/support/probes.py) in an engine that holds nothing but what is left. Every row has a word and a number
of its own: no error, page, log or ledger row may have one of a row that its reader does not see.

SEED and ROUNDS are taken from the environment: a long run is `ROUNDS=200 SEED=7`."""
import collections
import functools
import json
import os
import pathlib
import re
import sys
import urllib.parse

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from governed import COLUMNS, ENTITIES, Policies, marks  # noqa: E402
from people import AGAIN, BAD, COPY, PORTS, SEED, SOME, USERS, Mesh  # noqa: E402
from probes import ATTACKS, choose  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "12"))
SHARE = float(os.environ.get("SHARE", "0.12"))  # Of all probes, in each round for each reader.
READERS = {"zoe": list(PORTS), "pia": list(PORTS), "ana": list(PORTS), "cleo": [USERS], "eve": []}


class Leaks(Mesh):
    """The mesh, what is known of it from before any policy, and what was found."""

    def __enter__(self) -> "Leaks":
        super().__enter__()
        self.asked = self.bitten = 0
        self.kinds = collections.Counter()
        self.routes = [route["path"] for route in json.loads(self.run("actions", "--json"))["rest"] if route["method"] == "GET"]
        self.learn_tokens()
        self.counted = {port: self.facts(port) for port in [USERS, AGAIN]} | {port: {len(self.bad)} for port in BAD}
        return self

    def facts(self, port: str) -> set[int]:
        """What a filter must withhold: rows and bytes of all snapshots."""
        snapshots = json.loads(self.get("admin", f"/v1/snapshots?address={port}@1"))["snapshots"]
        return {snapshot[key] for snapshot in snapshots for key in ("rows", "bytes")}

    def facts_of_files(self, port: str) -> set[int]:
        """The same by the lake's files, whatever policies are in force: here a snapshot has one file."""
        files = list(pathlib.Path(self.data, "warehouse").glob(f"{port}_v1/data/**/*.parquet"))
        assert files or not self.rows[port], f"{port} has no file"
        return {fact for file in files for fact in (pq.read_metadata(file).num_rows, file.stat().st_size)}


# ---- one reader of one round

class Reader:
    """A principal with the policies of a round: what is left for them, and whether they are told more."""

    def __init__(self, mesh: Leaks, policies: Policies, who: str, text: str):
        self.mesh, self.policies, self.who, self.text = mesh, policies, who, text
        self.may = {port: (port in READERS.get(who, []) or policies.allowed(who, port)) and not policies.denied(who, port)
                    for port in PORTS}
        self.left = {port: policies.left(mesh.rows[port], who, port) if self.may[port] else [] for port in PORTS}
        self.old = policies.left(mesh.old, who, USERS) if self.may[USERS] else []
        self.seen = marks(list(self.left.values())) | marks(self.old)
        if who == "cleo":
            self.seen = marks([{name: row[name] for name in SOME} for row in self.left[USERS] + self.old])
        # Where a filter holds, how many rows there are is not told; one that comes to true for this reader hides nothing.
        self.hidden = {port for port in [*PORTS, *BAD] if any(
            test(row, who) is not True for test in policies.of(who, port, "filter") for row in mesh.rows.get(port, mesh.bad))}
        self.secret_counts = set().union(*(mesh.counted[port] for port in self.hidden))
        self.secret_counts -= set().union({0}, *(counts for port, counts in mesh.counted.items() if port not in self.hidden))

    def fault(self, what: str):
        self.mesh.fault(f"{self.who}: {what}\n  policies  {self.text}")

    def told(self, where: str, text: str, seen: set[str] | None = None):
        """Faults what tells of a row that is not there for its reader."""
        self.mesh.asked += 1
        if more := marks(text) - (self.seen if seen is None else seen):
            self.fault(f"{where} tells of hidden rows: {sorted(more)[:5]} in {text[:600]}")

    def reference(self, tables: dict[str, list[dict]], old: bool = False):
        """An engine that holds what is left, and nothing else."""
        engine = duckdb.connect()
        for name, rows in tables.items():
            names = [column for column in COLUMNS if not (old and column == "late") and (self.who != "cleo" or column in SOME)]
            schema = pa.schema([(column, COLUMNS[column][2]) for column in names])
            engine.register("rows", pa.Table.from_pylist([{column: row[column] for column in names} for row in rows], schema=schema))
            engine.execute(f"CREATE TABLE rows_of_{name} AS SELECT * FROM rows; CREATE VIEW {name} AS FROM rows_of_{name}")
        return engine

    def probe(self, share: float = SHARE):
        ports = self.mesh.random.sample([port for port in PORTS if self.who != "cleo" or port == USERS], k=1 if self.who == "cleo" else 2)
        names = dict(zip("tu", ports * 2))
        whole = self.reference({name: self.left[port] for name, port in names.items()})
        self.everything = functools.cache(lambda: self.reference({name: self.mesh.rows[port] for name, port in names.items()}))
        may = all(self.may[port] for port in names.values())
        with self.mesh.connect(self.who) as connection, connection.cursor() as cursor:
            for how, sql, more in choose(self.mesh.random, share):
                self.compare(cursor, whole, names, how, sql, more, may if re.search(r"\bu\b", sql) else self.may[names["t"]])
        at = self.mesh.random.choice(["tag:before", "before", f"snapshot:{self.mesh.first}", self.mesh.before])
        past = self.reference({"t": self.old, "u": self.old}, old=True)
        self.everything = functools.cache(lambda: self.reference({"t": self.mesh.old, "u": self.mesh.old}, old=True))
        with self.mesh.connect(self.who, at=at) as connection, connection.cursor() as cursor:
            for how, sql, more in choose(self.mesh.random, share / 6):
                self.compare(cursor, past, {"t": USERS, "u": USERS}, how, sql, more, self.may[USERS], f" at {at}")

    def compare(self, cursor, reference, names, how, sql, more, may: bool, at: str = ""):
        mesh = self.mesh
        mesh.asked += 1
        statement = re.sub(r"\b[tu]\b", lambda name: PORTS[names[name.group()]], sql)

        def ours():
            cursor.execute(statement, more if how == "ordered" else None)
            return tuples(cursor.fetch_arrow_table())
        got = outcome(ours)
        if isinstance(got, str):
            self.told(f"the error of {sql}{at}", got)
            named = words(got) & set(COLUMNS) - set(SOME) - words(sql) if self.who == "cleo" else set()
            if named:
                self.fault(f"{sql}{at}: the error names columns that were not granted: {named} in {got}")
        if how == "refused" or not may:
            mesh.kinds["refused"] += 1
            if not isinstance(got, str):
                self.fault(f"{sql}{at} should have been refused and gave {str(got)[:300]}")
            return
        wanted = outcome(lambda: run(reference, sql, more if how == "ordered" else None))
        if how == "sampled" and not isinstance(wanted, str):
            pool = set(map(repr, run(reference, more[0])))
            right = not isinstance(got, str) and all(repr(row) in pool for row in got)
            right = right and (more[1] is None or len(got) == (run(reference, more[1])[0][0] if "count" in more[1] else 1))
        else:
            right = isinstance(got, str) == isinstance(wanted, str) and (isinstance(got, str) or got == wanted)
        if not right:
            self.fault(f"{sql}{at} over {names}\n  ours      {str(got)[:300]}\n  reference {str(wanted)[:300]}")
        if any(attack in sql for attack in ATTACKS) and not isinstance(wanted, str):
            mesh.kinds["attacks"] += 1
            mesh.bitten += isinstance(outcome(lambda: run(self.everything(), sql)), str)

    # ---- what is not SQL

    def pages(self):
        """Ports' pages and lists of snapshots and runs, as programs get them."""
        for port in PORTS:
            page = json.loads(self.mesh.get(self.who, f"/v1/ports/{port}"))
            listed = json.loads(self.mesh.get(self.who, f"/v1/snapshots?address={port}@1"))["snapshots"]
            runs = json.loads(self.mesh.get(self.who, f"/v1/runs?address={port}@1"))["runs"]
            self.mesh.asked += 3
            if port not in self.hidden:
                continue
            counts = [page["rows"]] + [each[key] for each in page["snapshots"] + listed for key in ("rows", "bytes", "files", "added_rows")]
            counts += [one["rows"] for one in runs] + [check[key] for one in runs for check in one["checks"] for key in ("value", "failing_rows")]
            if any(count is not None for count in counts):
                self.fault(f"the pages of {port} count hidden rows: {counts[:12]}")

    def schema(self):
        """Drivers are told of the columns that a statement would give."""
        names = {"catalog_filter": "people", "db_schema_filter": "users"}
        with self.mesh.connect(self.who) as connection:
            told = connection.adbc_get_table_schema("users_v1", **names).names
            tables = connection.adbc_get_objects(catalog_filter="people", table_name_filter="users_v1").read_all().to_pylist()
        listed = [column["column_name"] for schema in tables[0]["catalog_db_schemas"] for table in schema["db_schema_tables"]
                  for column in table["table_columns"]]
        self.mesh.asked += 2
        if self.who == "cleo":
            self.purposes()
        wanted = SOME if self.who == "cleo" and self.may[USERS] else list(COLUMNS)
        if set(told) != set(wanted) or set(listed) != set(wanted):
            self.fault(f"the schema has {told}, the objects {listed}, and a statement would give {wanted}")

    def purposes(self):
        """For another purpose she was granted the whole port, and for none that she states nothing."""
        def columns(purpose):
            def ask():
                with self.mesh.connect(self.who, purpose) as connection, connection.cursor() as cursor:
                    cursor.execute(f"SELECT * FROM {PORTS[USERS]} LIMIT 0")
                    return cursor.fetch_arrow_table().column_names
            return outcome(ask)
        denied = self.policies.denied(self.who, USERS, "billing")
        self.mesh.asked += 3
        if not denied and columns("billing") != list(COLUMNS):
            self.fault(f"for billing there are {columns('billing')}")
        for purpose in ("", "reporting"):
            if not isinstance(told := columns(purpose), str):
                self.fault(f"for the purpose '{purpose}' there are {told}")

    def commands(self, hidden: list[str]):
        """What a person types."""
        for port in PORTS:
            sample = self.mesh.as_(self.who, "sample", port, "-n", "30", code=None)
            self.told(f"weft sample {port}", sample)
            if not self.may[port] and marks(sample):
                self.fault(f"weft sample {port} gives rows: {sample[:300]}")
            for command in (["show", port], ["snapshots", port], ["lineage", port, "--columns"], ["runs", port]):
                text = self.mesh.as_(self.who, *command, code=None)
                self.told(f"weft {' '.join(command)}", text, set())
                if port in self.hidden and (numbers := numbers_of(text) & {len(self.mesh.rows[port])} & self.secret_counts):
                    self.fault(f"weft {' '.join(command)} counts hidden rows: {numbers}\n{text}")
        for word in hidden:
            if '"hits":[]' not in self.mesh.as_(self.who, "search", word, "--json").replace(" ", ""):
                self.fault(f"weft search finds {word}")

    def walk(self, runs: list[dict], hidden: list[str]):
        """Every GET route, with whatever there is to name in it."""
        every = [*PORTS, *BAD]
        fill = {"{domain}/{product}/{port}": every, "{domain}/{product}": ["people/users", "insight/copy", "people/bad"],
                "{entity}": list(ENTITIES.values()), "{term}": ["nothing"], "{id}": [run["id"] for run in runs], "{domain}": ["people"], "{name}": ["users"]}
        addresses = [f"address={port}@1" for port in every]
        queries = {"/v1/lineage": addresses, "/v1/snapshots": addresses, "/v1/audit/who": addresses, "/v1/runs": ["limit=100"],
                   "/v1/explain": [f"{address}&principal=zoe" for address in addresses], "/v1/audit/what": ["", "principal=zoe"],
                   "/v1/search": [f"q={word}" for word in hidden] + ["q=users"], "/v1/requests": ["whose=mine", "whose=all"],
                   "/v1/audit": ["limit=1000"], "/v1/files/{domain}/{product}": ["", "name=users.odcs.yaml"],
                   "/v1/products": ["", "domain=people"], "/v1/events": ["after=0&limit=500"], "/v1/deprecations": ["", "mine=true"]}
        owners = {run["id"]: run["address"] for run in runs}
        for route in self.mesh.routes:
            paths = [route]
            for name, values in fill.items():
                paths = [path.replace(name, value) for path in paths for value in (values if name in path else [""])]
            assert "{" not in "".join(paths), f"{route}: this suite does not know what to ask of it"
            for path in [path + ("?" + query if query else "") for path in paths for query in queries.get(route, [""])]:
                answer = self.mesh.get(self.who, path)
                self.told(f"GET {path}", answer, self.may_quote(route, path, owners) | marks(urllib.parse.unquote(path)))
                self.count(route, path, answer)

    def may_quote(self, route: str, path: str, owners: dict[str, str]) -> set[str]:
        """A run's failing rows are for those who read the whole port; why it failed also for those who may run it."""
        if not route.startswith("/v1/runs"):
            return set()
        quoted = set()
        if self.who in ("ana", "admin"):
            failed = [run["message"] for run in json.loads(self.mesh.get("admin", "/v1/runs?limit=100"))["runs"] if run["status"] == "failed"]
            quoted = marks(failed)
        port = owners.get(path.split("?")[0].rsplit("/", 1)[-1], "").removesuffix("@1")
        if not port or self.who == "cleo" or self.policies.filtered(self.who, port) or self.policies.of(self.who, port, "mask"):
            return quoted
        reads = self.may[port] if port in PORTS else self.who == "ana" or self.policies.allowed(self.who, port)
        if not reads or self.policies.denied(self.who, port):
            return quoted
        return quoted | marks(self.mesh.rows.get(port, self.mesh.bad)) | (marks(self.mesh.old) if port == USERS else set())

    def count(self, route: str, path: str, answer: str):
        """The audit tells its readers how many rows each read had; nothing else tells a number that is withheld."""
        if route.startswith("/v1/audit") or not answer.startswith("{"):
            return
        if numbers := numbers_in(json.loads(answer)) & self.secret_counts:
            self.fault(f"GET {path} tells numbers that are withheld, {numbers}: {answer[:500]}")


def outcome(run_it):
    """What a statement answers: its rows, or why it fails."""
    try:
        return run_it()
    except Exception as error:  # noqa: BLE001: any driver's
        return str(error)


def tuples(table: pa.Table) -> list[tuple]:
    return list(zip(*(column.to_pylist() for column in table.columns)))


def run(engine, sql: str, parameters=None) -> list[tuple]:
    return tuples(engine.execute(sql, parameters or ()).to_arrow_table())


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def numbers_of(text: str) -> set[int]:
    return {int(number.replace(",", "")) for number in re.findall(r"(?<![\w.:-])\d[\d,]*(?![\w.:-])", text)}


def numbers_in(value, key: str = "") -> set[int]:
    if isinstance(value, dict):
        return set().union(*(numbers_in(each, name) for name, each in value.items()))
    if isinstance(value, list):
        return set().union(*(numbers_in(each, key) for each in value))
    if isinstance(value, str):
        return numbers_of(value) if key == "message" else set()
    return {int(value)} if isinstance(value, (int, float)) and not isinstance(value, bool) and key not in ("line", "sequence", "column", "row", "next", "data_files") else set()


def main() -> int:
    with Leaks() as mesh:
        for number in range(ROUNDS):
            policies = Policies(mesh.random)
            text = f"round {number}: {json.dumps(policies.document, ensure_ascii=False)}"
            mesh.put(policies.document)
            if number % 3 == 0:
                # What the second product may see now is what it is made of from now on.
                denied = policies.denied("product:insight/copy", USERS)
                force = ["--force"] if number % 2 else []
                mesh.run("run", "insight/copy", "--quiet", *force, code=None if denied else 0)
                if not denied:
                    mesh.rows[COPY] = policies.left(mesh.rows[USERS], "product:insight/copy", USERS)
                    mesh.counted[COPY] = mesh.facts_of_files(COPY)
                mesh.rows.setdefault(COPY, [])
                mesh.counted.setdefault(COPY, set())
            readers = [Reader(mesh, policies, who, text) for who in READERS]
            for reader in readers:
                reader.probe()
                reader.pages()
                reader.schema()
            if number % 5 == 4 or number == 0:
                runs = json.loads(mesh.get("admin", "/v1/runs?limit=100"))["runs"]
                hidden = [row["note"] for row in mesh.random.sample(mesh.rows[USERS], 2)]
                for reader in readers + [Reader(mesh, policies, who, text) for who in ("gus", "ada", "admin")]:
                    reader.walk(runs, hidden)
                mesh.random.choice(readers).commands(hidden)
        rows = json.loads(mesh.run("audit", "log", "--limit", "1000", "--json"))["rows"]
        for where, text in [("the node's log", (mesh.folder / "node.log").read_text(errors="replace")), ("the ledger", json.dumps(rows))]:
            mesh.asked += 1
            if told := marks(text):
                mesh.fault(f"{where} has values of rows: {sorted(told)[:5]}")
        for fault in mesh.faults[:20]:
            print(fault[:1_500])
        print(f"seed {SEED}, {ROUNDS} rounds: {mesh.kinds['refused']} refusals; of {mesh.kinds['attacks']} attacks that answered, "
              f"{mesh.bitten} fail where nothing is hidden")
        if not mesh.bitten:
            mesh.fault("no attack would have failed over the hidden rows: they prove nothing")
        print(f"{mesh.asked - len(mesh.faults)} passed, {len(mesh.faults)} failed")
        return 1 if mesh.faults else 0


if __name__ == "__main__":
    sys.exit(main())
