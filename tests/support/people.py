"""A mesh of people's rows, in two versions, on two ports of one contract, and copied by a second product: what the suites
of governance ask of."""
import datetime
import json
import os
import random
import subprocess
import urllib.error
import urllib.request
import warnings

from governed import COLUMNS, ENTITIES, MASKS, PRINCIPALS, PURPOSE, make_rows
from node import WEFT, Node

warnings.filterwarnings("ignore", message="Cannot disable autocommit")
SEED = int(os.environ.get("SEED", "20130101"))
PORTS = {"people/users/users": "people.users.users", "people/users/again": "people.users.again",
         "insight/copy/copy": "insight.copy.copy"}
USERS, AGAIN, COPY = PORTS
BAD = ["people/bad/refused", "people/bad/failed"]  # Ports whose runs do not succeed.
SOME = ["n", "note", "country", "age", "code"]  # What cleo was granted of USERS, for PURPOSE.
MESH = {
    "id": "leaks",
    "domains": [{"name": "people", "owners": ["ana"]}, {"name": "insight", "owners": ["priya"]}],
    "groups": {"analysts": ["zoe", "pia"], "privacy-office": ["pia"], "governance": ["gus"], "auditors": ["ada"]},
    "attributes": {"zoe": {"countries": "DE", "prefixes": ["s1", "s2"]},
                   "pia": {"countries": ["FR", "ES"], "prefixes": "s"}}}


def contract(name: str, version: str = "1.0.0", but=(), key: bool = False, quality=()) -> str:
    properties = []
    for column, (logical, physical, _) in COLUMNS.items():
        if column in but:
            continue
        one = {"name": column, "logicalType": logical, "physicalType": physical}
        if logical == "array":
            of = physical.removesuffix("[]")
            one["items"] = {"logicalType": "integer" if of == "bigint" else "string", "physicalType": of}
        if key and column == "id":
            one |= {"required": True, "primaryKey": True}
        if key and column in ENTITIES:
            one["customProperties"] = [{"property": "entity", "vendor": "weft", "value": ENTITIES[column]}]
        properties.append(one)
    return json.dumps({"apiVersion": "v3.2.0", "kind": "DataContract", "id": name, "name": name, "version": version,
                       "status": "active", "schema": [{"name": name, "physicalType": "table", "properties": properties,
                                                       "quality": list(quality)}]})


def product(domain: str, name: str, inputs: list[dict], outputs: dict[str, tuple[str, dict]], version: str = "1.0.0") -> str:
    def weft(key, value):
        return {"property": key, "vendor": "weft", "value": value}
    return json.dumps({
        "apiVersion": "v1.1.0", "kind": "DataProduct", "id": f"{domain}-{name}", "name": name, "domain": domain,
        "version": version, "status": "active", "type": "sourceAligned",
        "customProperties": [weft("purpose", PURPOSE)] if domain == "insight" else [],
        "inputPorts": [{"name": f"from-{i}", "version": "1.0.0", "customProperties": [weft("source", source)]}
                       for i, source in enumerate(inputs)],
        "outputPorts": [{"name": port, "version": version, "contractId": contract_id,
                         "customProperties": [weft("build", {"mode": "replace"} | build)]}
                        for port, (contract_id, build) in outputs.items()]})


def lines(rows: list[dict], but=()) -> str:
    return "".join(json.dumps({key: value for key, value in row.items() if key not in but}, default=str) + "\n" for row in rows)


class Mesh(Node):
    """The products, who may read them, and the rows that there are."""

    def __enter__(self) -> "Mesh":
        super().__enter__()
        self.random = random.Random(SEED)
        self.home = self.folder / "mesh"
        self.faults: list[str] = []
        # Yesterday's rows, before the contract's last column and before any policy.
        self.old = [{key: value for key, value in row.items() if key != "late"} | {"late": None} for row in make_rows(self.random, 413)]
        self.rows = {USERS: make_rows(self.random, 607), AGAIN: make_rows(self.random, 571, first=300)}
        self.write("mesh.yaml", json.dumps(MESH))
        self.write("entities/all.yaml", json.dumps({"entities": [{"name": "person", "type": "integer"}, {"name": "alias", "type": "string"}]}))
        self.write_users("1.0.0", self.old, but=["late"])
        file = {"kind": "file", "format": "json"}
        self.write("domains/people/bad/product.odps.yaml", product(
            "people", "bad", [file | {"path": "data/bad.json"}],
            {"refused": ("bad-refused", {"sql": "all.sql"}), "failed": ("bad-failed", {"sql": "failed.sql"})}))
        self.bad = make_rows(self.random, 523, first=2_000)
        self.write("domains/people/bad/data/bad.json", lines(self.bad))
        self.write("domains/people/bad/all.sql", "SELECT * FROM from_0")
        self.write("domains/people/bad/failed.sql", "SELECT * REPLACE (note::INTEGER AS age) FROM from_0")
        self.write("domains/people/bad/refused.odcs.yaml", contract("bad-refused", quality=[
            {"id": "no_poison", "type": "sql", "query": "SELECT count(*) FROM ${object} WHERE k = 2", "mustBe": 0},
            {"id": "greatest", "type": "sql", "query": "SELECT max(n) FROM ${object}", "mustBeLessThan": 5},
            {"id": "few", "type": "library", "metric": "rowCount", "mustBeLessThan": 10}]))
        self.write("domains/people/bad/failed.odcs.yaml", contract("bad-failed"))
        self.run("apply", str(self.home))
        self.run("run", "people/users/users", "--quiet")
        self.run("tag", "people/users/users", "before")
        self.first = self.json("snapshots", "people/users/users")["snapshots"][0]["id"]
        self.before = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.write_users("1.1.0", self.rows[USERS])
        self.write("domains/insight/copy/product.odps.yaml", product(
            "insight", "copy", [{"kind": "product", "address": f"{USERS}@1"}], {"copy": ("insight-copy", {"sql": "copy.sql"})}))
        self.write("domains/insight/copy/copy.sql", "SELECT * FROM from_0")
        self.write("domains/insight/copy/copy.odcs.yaml", contract("insight-copy"))
        self.run("apply", str(self.home))
        self.run("run", "people", "--quiet", code=None)
        self.tokens = {who: self.json("token", "create", who)["secret"] for who in PRINCIPALS if ":" not in who and who != "admin"}
        self.tokens["admin"] = self.token
        for who in ["zoe", "pia", "ana", "product:insight/copy"]:
            for port in PORTS if ":" not in who else [USERS]:
                self.run("grant", who, f"{port}@1")
        asked = json.loads(self.as_("cleo", "request", f"{USERS}@1", "--because", "a test", "--columns", ",".join(SOME),
                                    "--purpose", PURPOSE, "--json"))
        self.as_("ana", "approve", asked["id"])
        self.run("grant", "cleo", f"{USERS}@1", "--purpose", "billing")
        return self

    def write(self, path: str, text: str):
        (self.home / path).parent.mkdir(parents=True, exist_ok=True)
        (self.home / path).write_text(text)

    def write_users(self, version: str, rows: list[dict], but=()):
        home = "domains/people/users"
        quality = [{"id": "poison", "type": "sql", "query": "SELECT count(*) FROM ${object} WHERE k = 2", "mustBe": 0, "severity": "warning"},
                   {"id": "greatest", "type": "sql", "query": "SELECT max(n) FROM ${object}", "mustBeLessThan": 5, "severity": "warning"},
                   {"id": "few", "type": "library", "metric": "rowCount", "mustBeLessThan": 10, "severity": "warning"},
                   {"id": "ages", "type": "sql", "query": "SELECT min(age) FROM ${object} WHERE age > 3", "mustBe": 0, "severity": "warning"}]
        self.write(f"{home}/product.odps.yaml", product(
            "people", "users", [{"kind": "file", "format": "json", "path": f"data/{name}.json"} for name in ("users", "again")],
            {"users": ("people-users", {"sql": "users.sql"}), "again": ("people-users", {"sql": "again.sql"})}, version))
        self.write(f"{home}/users.odcs.yaml", contract("people-users", version, but, key=True, quality=quality))
        self.write(f"{home}/users.sql", "SELECT * FROM from_0")
        self.write(f"{home}/again.sql", "SELECT * FROM from_1")
        self.write(f"{home}/data/users.json", lines(rows, but))
        self.write(f"{home}/data/again.json", lines(self.rows[AGAIN], but))

    def put(self, policies: list[dict]):
        self.write("policies/all.yaml", json.dumps({"policies": policies}))
        self.run("apply", str(self.home))

    def as_(self, who: str, *command: str, code: int | None = 0) -> str:
        env = self.env | {"WEFT_TOKEN": self.tokens[who], "WEFT_PURPOSE": PURPOSE}
        done = subprocess.run([str(WEFT), *command], env=env, text=True, capture_output=True)
        if code is not None and done.returncode != code:
            raise AssertionError(f"as {who}: weft {' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def connect(self, who: str, purpose: str = PURPOSE, at: str = ""):
        header = "adbc.flight.sql.rpc.call_header."
        return self.adbc(self.tokens[who], **{f"{header}x-weft-purpose": purpose} | ({f"{header}x-weft-at": at} if at else {}))

    def get(self, who: str, path: str) -> str:
        request = urllib.request.Request(self.url + path, headers={
            "Authorization": f"Bearer {self.tokens[who]}", "x-weft-purpose": PURPOSE})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def fault(self, text: str):
        self.faults.append(text)

    def learn_tokens(self):
        """What stands for each value of the columns that identify an entity, by what two purposes are told."""
        self.put([{"name": "all", "scope": {"products": ["people/users"], "columns": {"names": list(ENTITIES)}}, "mask": "pseudonym"}])

        def told(purpose, port, at=""):
            with self.connect("zoe", purpose, at) as connection, connection.cursor() as cursor:
                cursor.execute(f"SELECT n, id, secret FROM {PORTS[port]}")
                return {row["n"]: row for row in cursor.fetch_arrow_table().to_pylist()}
        here = [(told(PURPOSE, port), rows) for port, rows in self.rows.items()] + [(told(PURPOSE, USERS, "before"), self.old)]
        there = told("billing", USERS)
        for column in ENTITIES:
            pairs = {(row[column], seen[row["n"]][column]) for seen, rows in here for row in rows}
            if len(pairs) != len({clear for clear, _ in pairs}) or len(pairs) != len({token for _, token in pairs}):
                self.fault(f"{column}: a value has two tokens, or two values have one")
            if any((clear is None) != (token is None) for clear, token in pairs):
                self.fault(f"{column}: null does not stay null")
            shared = {token for _, token in pairs} & {row[column] for row in there.values()} - {None}
            known = {token for _, token in pairs} & {clear for clear, _ in pairs} - {None}
            if shared or known:
                self.fault(f"{column}: tokens of two purposes, or tokens and values, meet: {shared or known}")
            MASKS[column]["pseudonym"] = lambda value, tokens=dict(pairs): tokens[value]
