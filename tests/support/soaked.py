"""A mesh that is worked on while its node dies or its disk fails, with a memory of what was asked and what was answered: for each
port, product and grant, the states that it may be in. One, where an act was acknowledged or refused; the former and the next, while
nobody has answered. whole.py holds a node that was started again against it."""
import contextlib
import dataclasses
import hashlib
import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request

MODES = {"whole": "replace", "added": "append", "merged": "upsert", "states": "snapshot"}
MONTHS = [f"2025-{month:02}-01" for month in range(1, 13)]
OVER = ("succeeded", "skipped", "refused", "denied", "failed", "cancelled", "interrupted")

Rows = frozenset  # Of (id, word) and, with a history of states, the month.


def digest(rows: Rows) -> tuple[int, str]:
    """How many, and a hash over all of them in order."""
    return len(rows), hashlib.md5(",".join(":".join(map(str, row)) for row in sorted(rows)).encode()).hexdigest()


def digest_sql(table: str, mode: str) -> str:
    parts, order = ("id || ':' || word || ':' || month", "id, word, month") if mode == "snapshot" else ("id || ':' || word", "id, word")
    return f"SELECT count(*) AS n, md5(coalesce(string_agg({parts}, ',' ORDER BY {order}), '')) AS h FROM {table}"


def rare(*of) -> str:
    """A word that no other is near to, so that a search for it finds what has it and nothing else."""
    return "".join(chr(97 + byte % 26) for byte in hashlib.sha256(repr(of).encode()).digest()[:14])


@dataclasses.dataclass
class Port:
    """`may`: what its rows may be now. `was`: digests of all that readers may ever have seen, in order; from `since` on, now."""
    name: str
    mode: str
    may: list[Rows] = dataclasses.field(default_factory=lambda: [Rows()])
    was: list[tuple[int, str]] = dataclasses.field(default_factory=lambda: [digest(Rows())])
    since: int = 0
    batch: int = 0
    run: str = ""  # Whose outcome is not known; "unknown" where not even its name is.
    runs: set[str] = dataclasses.field(default_factory=set)  # Whose outcomes are.
    snapshots: dict[str, Rows] = dataclasses.field(default_factory=dict)
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        return f"shop/{self.name}/{self.name}"

    @property
    def table(self) -> str:
        return f"shop.{self.name}.{self.name}"

    @property
    def rows(self) -> Rows:
        return self.may[0]

    def settle(self, rows: Rows):
        self.may, self.run = [rows], ""
        self.since = max(i for i, seen in enumerate(self.was) if seen == digest(rows))


class Unanswered(Exception):
    """The node did not say what became of it."""


class Swept(Unanswered):
    """Of data that no product named yet, by a sweep of age zero."""


def descriptors(name: str, mode: str, word: str) -> list[dict]:
    """The files of a product with rows of its own."""
    build, properties = {"mode": mode}, [{"name": "id", "logicalType": "integer", "required": True}, {"name": "word", "logicalType": "string", "logicalTypeOptions": {"maxLength": 60}}]
    if mode == "snapshot":
        build["snapshot_column"] = "month"
        properties.append({"name": "month", "logicalType": "date"})
    for property in properties:
        property["primaryKey"] = mode in ("upsert", "snapshot") and property["name"] in ("id", "month")
    contract = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": f"shop-{name}", "name": name, "version": "1.0.0", "status": "active",
                "schema": [{"name": name, "logicalType": "object", "properties": properties}]}
    source = {"kind": "file", "path": "rows.csv", "format": "csv"}
    return _files(name, "1.0.0", word, contract,
                  {"name": "sent", "version": "1.0.0", "customProperties": [{"property": "source", "vendor": "weft", "value": source}]}, build)


def derived(name: str, word: str, version: str = "1.0.0", **build) -> list[dict]:
    """A product that has another's rows."""
    properties = [{"name": "id", "logicalType": "integer"}, {"name": "word", "logicalType": "string"}]
    contract = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": f"shop-{name}", "name": name, "version": version, "status": "active",
                "schema": [{"name": name, "logicalType": "object", "properties": properties}]}
    source = {"kind": "product", "address": "shop/whole/whole@1"}
    return [*_files(name, version, word, contract,
                    {"name": "sent", "version": "1.0.0", "contractId": "shop-whole", "customProperties": [{"property": "source", "vendor": "weft", "value": source}]},
                    {"sql": f"{name}.sql", "mode": "replace", **build}),
            {"path": f"domains/shop/{name}/{name}.sql", "text": "SELECT id, word FROM sent"}]


def _files(name: str, version: str, word: str, contract: dict, input_port: dict, build: dict) -> list[dict]:
    product = {"apiVersion": "v1.1.0", "kind": "DataProduct", "id": f"product-{name}", "name": name, "domain": "shop", "version": version,
               "status": "active", "type": "aggregate" if "sql" in build else "sourceAligned", "description": {"purpose": f"Rows for the soak, {word}."},
               "inputPorts": [input_port],
               "outputPorts": [{"name": name, "type": "table", "version": version, "contractId": f"shop-{name}",
                                "customProperties": [{"property": "build", "vendor": "weft", "value": build}]}]}
    home = f"domains/shop/{name}"
    return [{"path": f"{home}/product.odps.yaml", "text": json.dumps(product)}, {"path": f"{home}/{name}.odcs.yaml", "text": json.dumps(contract)}]


class World:
    """The acts. Each says what it is about to do before it does it, and what the node answered; each may be done by a thread of its own,
    those on one port or product one after the other."""

    def __init__(self, node, dice: random.Random, rows: int = 2_000):
        self.node, self.dice, self.size = node, dice, rows
        self.ports = {name: Port(name, mode) for name, mode in MODES.items()} | {"mirror": Port("mirror", "replace")}
        self.products: dict[str, list[str | None]] = {}  # The versions that may be there.
        self.grants: dict[str, list[bool]] = {f"user:reader{i}": [False] for i in range(6)}
        self.wrong: list[str] = []  # What was seen while the node was alive and must not be.
        self.done: dict[str, int] = {}
        self.well = True  # Of the disk: what fails has no excuse.

    # What is asked.

    def call(self, method: str, path: str, body: dict | bytes | None = None, timeout: float = 30) -> tuple[int, dict]:
        """Raises Unanswered where the node vanished or says that it cannot."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.node.url + path, method=method, data=data, headers={"Authorization": f"Bearer {self.node.token}"})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                told = error.read()
            if error.code < 500:
                return error.code, json.loads(told or b"null")
            raise Unanswered(f"{method} {path}: {error.code} {told.decode(errors='replace')}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, TimeoutError) and self.node.process.poll() is None:
                self.wrong.append(f"{method} {path} was not answered in {timeout} s")
            raise Unanswered(f"{method} {path}: {error}") from None

    def must(self, method: str, path: str, body=None) -> dict:
        status, answer = self.call(method, path, body)
        if status >= 300:
            self.wrong.append(f"{method} {path}: {status} {json.dumps(answer)}")
            raise Unanswered(f"{method} {path}: {status}")
        return answer

    def acted(self, what: str):
        self.done[what] = self.done.get(what, 0) + 1

    def found(self):
        """The first acts: the mesh, its ports, who may read."""
        self.must("POST", "/v1/apply", {"files": [{"path": "mesh.yaml", "text": "id: soak\ndomains:\n  - {name: shop, owners: [admin]}\n"}]})
        for port in self.ports.values():
            self.products[port.name] = ["1.0.0"]
            if port.name != "mirror":
                self.send(port, Rows({(1, "a")}))
        self.must("POST", "/v1/apply", {"files": derived("mirror", rare("mirror", "1.0.0"), trigger="inputs")})
        self.must("POST", "/v1/grants", {"principal": "product:shop/mirror", "address": "shop/whole/whole@1"})

    # Rows: sent with the product, then run.

    def next_rows(self, port: Port) -> tuple[Rows, Rows]:
        """What to send, and what the table is to be by it."""
        port.batch += 1
        some, n = f"{port.name}{port.batch}", port.batch
        if port.mode == "replace":
            rows = Rows((i, hashlib.md5(f"{n}:{i}".encode()).hexdigest()) for i in range(self.size))
            return rows, rows
        if port.mode == "append":
            rows = Rows((n * 1000 + i, some) for i in range(40))
            return rows, port.rows | rows
        if port.mode == "upsert":
            rows = Rows((self.dice.randrange(self.size), some) for _ in range(60))
            rows = Rows({row[0]: row for row in rows}.values())
            keys = {row[0] for row in rows}
            return rows, Rows(row for row in port.rows if row[0] not in keys) | rows
        month = MONTHS[n % 12]
        rows = Rows((i, some) for i in range(50))
        return rows, Rows(row for row in port.rows if row[2] != month) | Rows((*row, month) for row in rows)

    def send(self, port: Port, rows: Rows):
        text = ("id,word\n" + "".join(f"{i},{word}\n" for i, word in sorted(rows))).encode()
        name = hashlib.sha256(text).hexdigest()
        files = {"files": descriptors(port.name, port.mode, rare(port.name, "1.0.0")),
                 "data": [{"path": f"domains/shop/{port.name}/rows.csv", "sha256": name, "bytes": len(text)}]}
        for what, (method, path, body) in {"upload": ("PUT", f"/v1/data/{name}", text), "apply": ("POST", "/v1/apply", files)}.items():
            status, answer = self.call(method, path, body)
            if status >= 300:  # Until a product names it, a sweep of age zero may take it.
                if status not in (409, 422) or not any(said in json.dumps(answer) for said in ("swept", "must be uploaded")):
                    self.wrong.append(f"{method} {path} for {port.name}: {status} {json.dumps(answer)}")
                raise Swept(f"{what}: the data was swept")
            self.acted(what)

    def run(self, name: str, bad: str = ""):
        """One run with new rows, `bad`: with one of that word, which a check refuses."""
        port = self.ports[name]
        with port.lock:
            self.known(port)
            sent, then = self.next_rows(port)
            if bad:
                sent, then = sent | {(0, f"{bad} is too long {60 * '.'}")}, port.rows
            self.send(port, sent)
            self.follow(port, then, "/v1/runs", {"addresses": [port.address], "logical_time": MONTHS[port.batch % 12] + "T00:00:00Z"},
                        "refused" if bad else "succeeded")
            self.acted(f"{port.mode} refused" if bad else port.mode)

    def rollback(self, name: str):
        port = self.ports[name]
        with port.lock:
            self.known(port)
            if port.snapshots:
                snapshot, rows = self.dice.choice(list(port.snapshots.items()))
                self.follow(port, rows, "/v1/rollbacks", {"address": port.address, "to": snapshot, "reason": "soak"})
                self.acted("rollback")

    def known(self, port: Port):
        if port.run:
            with self.reader() as cursor:
                self.resolve(port, cursor)

    def follow(self, port: Port, then: Rows, path: str, body: dict, wanted: str = "succeeded"):
        before = port.rows
        if then != before:
            port.may, port.run = [before, then], "unknown"
            port.was.append(digest(then))
        status, answer = self.call("POST", path, body)
        if status >= 300:
            if status != 409 and "has these rows" not in json.dumps(answer):
                self.wrong.append(f"{path} of {port.address}: {status} {json.dumps(answer)}")
            return port.settle(before)
        port.run = answer["runs"][0]["id"]
        end = time.monotonic() + 30
        while (run := self.must("GET", f"/v1/runs/{port.run}"))["status"] not in OVER:
            if time.monotonic() > end:
                self.wrong.append(f"{port.run} of {port.address} is still {run['status']} ({run['step']}) after 30 s")
                raise Unanswered("a run hangs")
            time.sleep(0.01)
        port.runs.add(port.run)
        if self.well and run["status"] != wanted:
            self.wrong.append(f"{port.run} of {port.address} is {run['status']}: {run['message']}")
        self.ended(port, run, then)

    def ended(self, port: Port, run: dict, then: Rows):
        if run["status"] != "succeeded":
            return port.settle(port.rows)
        if run["snapshot"]:
            port.snapshots[run["snapshot"]] = then
        port.settle(then)

    def newest(self, port: Port) -> dict:
        return next(iter(self.must("GET", f"/v1/runs?address={port.address}&limit=1")["runs"]), {"id": "", "status": "none"})

    def resolve(self, port: Port, cursor):
        """What became of an act of which nobody has told: the run's row and the table's rows say the same."""
        run = self.newest(port)
        if run["status"] in ("pending", "running"):
            raise Unanswered(f"{run['id']} still runs")
        cursor.execute(digest_sql(port.table, port.mode))
        seen = tuple(cursor.fetchone())
        fits = [rows for rows in port.may if digest(rows) == seen]
        if not fits:
            self.wrong.append(f"{port.table} is {seen}, and may be {[digest(rows) for rows in port.may]}; its newest run: {json.dumps(run)}")
            return
        if len(port.may) == 2 and port.run in (run["id"], "unknown"):
            told = run["status"] == "succeeded" and run["id"] not in port.runs
            if told != (fits[0] == port.may[1]):
                self.wrong.append(f"{run['id']} is {run['status']}, and {port.table} is {'as before' if told else 'as it was to become'}")
            if told and run["snapshot"]:
                port.snapshots[run["snapshot"]] = fits[0]
        port.runs.add(run["id"])
        port.settle(fits[0])

    # What else is done.

    def publish(self):
        """Three products in one apply, new or in a new version."""
        versions = {}
        for name in self.dice.sample([f"p{i}" for i in range(40)], 3):
            now = self.products.get(name, [None])[-1]
            versions[name] = f"1.0.{int(now.rsplit('.', 1)[1]) + 1}" if now else "1.0.0"
            self.products[name] = [*self.products.get(name, [None]), versions[name]]
        files = [file for name, version in versions.items() for file in derived(name, rare(name, version), version)]
        status, answer = self.call("POST", "/v1/apply", {"files": files, "data": []})
        for name, version in versions.items():
            self.products[name] = [version] if status < 300 else self.products[name][:-1]
        if status >= 300:
            self.wrong.append(f"apply: {status} {json.dumps(answer)}")
        self.acted("apply")

    def grant(self):
        user = self.dice.choice(list(self.grants))
        wanted = not self.grants[user][-1]
        self.grants[user] = [*self.grants[user], wanted]
        address = self.ports["whole"].address + "@1"
        if wanted:
            self.must("POST", "/v1/grants", {"principal": user, "address": address})
        else:
            self.must("DELETE", f"/v1/grants?principal={user}&address={address}")
        self.grants[user] = [wanted]
        self.acted("grant" if wanted else "revoke")

    def sweep(self):
        self.must("POST", "/v1/sweep", {"age_seconds": 0})
        self.acted("sweep")

    def search(self):
        name = self.dice.choice(list(self.products))
        may = list(self.products[name])
        if len(may) == 1 and may[0]:
            hits = self.must("GET", f"/v1/search?q={rare(name, may[0])}")["hits"]
            if self.products[name] == may and [hit["address"].split("/")[-1] for hit in hits] != [name]:
                self.wrong.append(f"a search for {name} {may[0]} finds {[hit['name'] for hit in hits]}")
            self.acted("search")

    def quiet(self):
        """Waits until nothing runs by itself."""
        end = time.monotonic() + 30
        while running := [run for status in ("pending", "running") for run in self.must("GET", f"/v1/runs?status={status}&limit=100")["runs"]]:
            if time.monotonic() > end:
                self.wrong.append(f"{running[0]['id']} of {running[0]['address']} is still {running[0]['status']} after 30 s")
                return
            time.sleep(0.02)

    @contextlib.contextmanager
    def reader(self):
        import adbc_driver_manager
        try:
            with self.node.adbc() as connection, connection.cursor() as cursor:
                yield cursor
        except adbc_driver_manager.Error as error:
            raise Unanswered(f"Flight SQL: {error}") from None

    def read(self, cursor, name: str):
        """The rows over Flight SQL: wholly one of the states that the table has had since the last that was acknowledged."""
        port = self.ports[name]
        since = port.since if name != "mirror" else 0
        cursor.execute(digest_sql(port.table, port.mode))
        seen = tuple(cursor.fetchone())
        self.acted("read")
        if seen not in (self.ports["whole"] if name == "mirror" else port).was[since:]:
            self.wrong.append(f"a reader of {port.table} saw {seen}, which it never was")
