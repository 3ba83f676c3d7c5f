"""Clients that mean no good, at both doors: whatever they send, the node answers or closes, goes on serving others, and has
its memory, connections and threads back when they are gone."""
import concurrent.futures
import json
import os
import pathlib
import random
import re
import resource
import socket
import struct
import sys
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import pyarrow as pa
from pyarrow import flight

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, Node  # noqa: E402

HEAD = b"Host: x\r\n"
MEGABYTE = 1 << 20
# A program under a sanitizer takes several times the memory and the time.
SANITIZED = os.environ.get("PRESET", "release") in ("asan", "tsan")
MEMORY = (2000 if SANITIZED else 400) * MEGABYTE
FILES = 260  # The store keeps up to 64 readers open, with up to three files each; a leak of 200 connections is more.
PATIENCE = 10 if SANITIZED else 2


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def command(name: str, value: bytes = b"") -> bytes:
    """A Flight SQL message in the Any that it travels in."""
    return field(1, f"type.googleapis.com/arrow.flight.protocol.sql.{name}".encode()) + field(2, value)


COMMANDS = ["CommandStatementQuery", "CommandPreparedStatementQuery", "TicketStatementQuery", "CommandGetTables", "CommandGetDbSchemas",
            "CommandGetCatalogs", "CommandGetSqlInfo", "CommandGetPrimaryKeys", "CommandGetTableTypes", "CommandStatementUpdate",
            "CommandGetXdbcTypeInfo", "ActionCreatePreparedStatementRequest", "ActionClosePreparedStatementRequest"]
TARGETS = [b"*", b"x", b"http://x/v1/health", b"/%", b"/%zz", b"/v1/health?%", b"/v1/products/%ff", b"/v1/files/a/b?name=../../../etc/passwd",
           b"/../../etc/passwd", b"/v1/products/..%2f..%2fetc/passwd", b"/%00", b"/" + b"a" * 20_000, b"/" + b"%2f" * 5_000, b"/v1/search?" + b"q=&" * 8_000]
REQUESTS = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00" * 1000, b"\r\n" * 5000,
    b"GET / HTTP/9.9\r\n" + HEAD + b"\r\n", b"GET /v1/health HTTP/1.1\r\n\r\n", b"GET /v1/health HTTP/1.1\r\n" + HEAD * 2 + b"\r\n",
    b"A" * 100_000, b"A" * 5000 + b" / HTTP/1.1\r\n" + HEAD + b"\r\n", b"GET / HTTP/1.1\r\n" + HEAD + b"X: " + b"y" * MEGABYTE + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HEAD + b"".join(b"X%d: y\r\n" % i for i in range(10_000)) + b"\r\n", b"GET / HTTP/1.1\r\n" + HEAD + b"no colon\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HEAD + b"X: a\x00b\r\n\r\n", b"GET / HTTP/1.1\r\n" + HEAD + b": nameless\r\n\r\n", b"GET / HTTP/1.1\r\n" + HEAD + b"Content-Length: -1\r\n\r\n",
    b"POST /v1/plan HTTP/1.1\r\n" + HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n", b"POST /v1/plan HTTP/1.1\r\n" + HEAD + b"Content-Length: +5\r\n\r\nhello",
    b"POST /v1/plan HTTP/1.1\r\n" + HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", b"POST /v1/plan HTTP/1.1\r\n" + HEAD + b"Content-Length: 9000000000\r\n\r\nx",
    b"POST /v1/plan HTTP/1.1\r\n" + HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /v1/plan HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", b"POST /v1/plan HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"POST /v1/plan HTTP/1.1\r\n" + HEAD + b"Expect: the-unexpected\r\nContent-Length: 1\r\n\r\nx", b"GET /v1/health HTTP/1.1\r\n" + HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"CONNECT 10.0.0.1:80 HTTP/1.1\r\n" + HEAD + b"\r\n", b"TRACE / HTTP/1.1\r\n" + HEAD + b"\r\n", b"GET /v1/whoami HTTP/1.1\r\n" + HEAD + b"Authorization: Bearer " + b"x" * 20_000 + b"\r\n\r\n",
    b"GET /v1/whoami HTTP/1.1\r\n" + HEAD + b"Authorization: Bearer \xff\xfe\x80\r\n\r\n",
]
CHUNKS = [b"-1\r\n", b"ffffffffffffffffffff\r\nx", b"7fffffffffffffff\r\nx", b"zz\r\n", b"5\r\nhelloworld", b"5;" + b"e" * MEGABYTE + b"\r\nhello\r\n0\r\n\r\n",
          b"0\r\n" + b"T: v\r\n" * 100_000 + b"\r\n", b"\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"1\r\nx\r\n" * 50_000]
VALUES = [None, True, -1, 2**63, 2**64, 1e300, "", "x", "\u0000", "a/b/c@1", "weft://" + "a" * 5000, [], [[]], [None], {}, {"path": 7}, [{"path": None}],
          [{"path": "../../x", "text": "y"}], [{"path": "mesh.yaml", "text": "\u0000"}], [{"path": "d", "sha256": "0" * 64, "bytes": -1}], "x" * 100_000]
POSTS = {"/v1/plan": ["files", "data"], "/v1/apply": ["files", "data"], "/v1/runs": ["addresses", "all", "force", "logical_time"],
         "/v1/tags": ["address", "tag", "snapshot"], "/v1/sweep": ["age_seconds"], "/v1/grants": ["principal", "address", "purpose", "until", "columns"],
         "/v1/requests": ["address", "for", "purpose", "because", "columns", "until"], "/v1/requests/x/approve": ["note"], "/v1/requests/x/ask": ["text"], "/v1/delegations": ["to", "until", "on"],
         "/v1/tokens": ["principal", "name", "administrator", "expires_at"], "/v1/audit/verify": ["x"], "/v1/runs/x/cancel": ["x"]}
GETS = ["/v1/products?domain=", "/v1/products/%s/x?version=", "/v1/ports/a/b/c?version=", "/v1/files/a/b?name=", "/v1/search?q=", "/v1/search?q=a&limit=",
        "/v1/lineage?address=", "/v1/lineage?address=a/b/c&direction=", "/v1/runs?address=", "/v1/runs?limit=", "/v1/runs/", "/v1/snapshots?address=",
        "/v1/grants?principal=", "/v1/audit?after=", "/v1/audit?limit=", "/v1/audit?kind=", "/v1/tokens?x=", "/v1/requests?whose=", "/v1/requests/"]
WORDS = ["-1", "0", "1e9", "99999999999999999999", "nan", "'", '"', "\\", "\n", "*", "a AND", '"a" NEAR/2 (', "{a b}:c", "x" * 8000, "%", "\u202e\U0001f9f5", "a/b/c@1", "a//@", "weft://", "; DROP TABLE runs"]


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node("--request-timeout", "2s")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))  # Fewer than there will be connections: the node asks for more.
        cls.node.start()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        cls.node.run("apply", str(ROOT / "tests/support/shop"))
        cls.node.run("run", "sales/orders")
        cls.node.run("grant", "admin", "sales/orders/orders@1")
        url = urllib.parse.urlsplit(cls.node.url)
        cls.http = (url.hostname, url.port)
        cls.rpc = (url.hostname, urllib.parse.urlsplit(cls.node.flight).port)
        cls.client = flight.connect(cls.node.flight)
        cls.options = flight.FlightCallOptions(timeout=10, headers=[(b"authorization", f"Bearer {cls.node.token}".encode())])

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.node.__exit__()

    def tearDown(self):
        """Whatever came, the node lives, serves, and nothing in it threw."""
        self.assertIsNone(self.node.process.poll(), "the node is gone:\n" + self.log()[-4000:])
        rows = self.node.json("sql", "SELECT count(*) AS n FROM sales.orders.orders")
        self.assertEqual(rows[0]["n"], 4)
        self.assertNotIn("handler threw", self.log())

    def log(self) -> str:
        return (self.node.folder / "node.log").read_text(errors="replace")

    def raw(self, *pieces: bytes, seconds: float = 6, door: tuple | None = None) -> bytes:
        """What comes back until the node closes or is silent; the client stops sending when nobody reads."""
        with socket.create_connection(door or self.http, timeout=seconds) as wire:
            answer = b""
            try:
                for piece in pieces:
                    wire.sendall(piece)
                while got := wire.recv(65536):
                    answer += got
                    if re.search(rb"\r\n\r\n\{.*\}\s*$", answer, re.S):
                        break
            except (ConnectionError, socket.timeout):
                pass
            return answer

    def statuses(self, answer: bytes) -> list[int]:
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]

    def request(self, method: str, path: str, body: bytes | None = None) -> int:
        call = urllib.request.Request(self.node.url + path, method=method, data=body, headers={"Authorization": f"Bearer {self.node.token}"})
        try:
            with urllib.request.urlopen(call, timeout=20) as answer:
                answer.read()
                return answer.status
        except urllib.error.HTTPError as refusal:
            json.loads(refusal.read())  # Every refusal is a problem in JSON.
            return refusal.code

    def refused_or_closed(self, answer: bytes, what: bytes):
        for status in self.statuses(answer):
            self.assertTrue(400 <= status < 500 or status in (200, 501, 505), (what[:200], answer[:400]))

    def test_broken_requests(self):
        requests = REQUESTS + [b"GET " + target + b" HTTP/1.1\r\n" + HEAD + b"\r\n" for target in TARGETS]
        chunked = b"POST /v1/plan HTTP/1.1\r\n" + HEAD + b"Authorization: Bearer " + self.node.token.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
        requests += [chunked + chunk for chunk in CHUNKS]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for request, answer in zip(requests, pool.map(self.raw, requests)):
                self.refused_or_closed(answer, request)

    def test_requests_with_bytes_changed(self):
        dice = random.Random(5)
        good = b"POST /v1/plan HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + self.node.token.encode() + b'\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"files": []}'

        def changed(_) -> bytes:
            request = bytearray(good)
            for _ in range(dice.randint(1, 6)):
                at = dice.randrange(len(request))
                request[at:at + dice.randint(0, 3)] = dice.randbytes(dice.randint(0, 3))
            return bytes(request)

        requests = [changed(i) for i in range(300)]
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            for request, answer in zip(requests, pool.map(lambda r: self.raw(r, seconds=4), requests)):
                self.refused_or_closed(answer, request)

    def test_bodies_of_the_wrong_shape(self):
        bodies = [b"", b"null", b"[]", b"{", b'{"a":1}', b'"\xff"', b"[" * 100_000, b'{"files":' * 600, b"\xef\xbb\xbf{}"]
        calls = [(path, body) for path in POSTS for body in bodies if not (path == "/v1/sweep" and not body)]
        calls += [(path, json.dumps({name: value}).encode()) for path, names in POSTS.items() for name in names for value in VALUES]
        # Each field of such a body used to be looked up among all before it.
        calls.append(("/v1/plan", json.dumps({f"k{i}": i for i in range(400_000)}).encode()))
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for call, status in zip(calls, pool.map(lambda call: self.request("POST", *call), calls)):
                self.assertTrue(status < 500, (call[0], call[1][:200], status))

    def test_parameters_of_every_kind(self):
        paths = [path.replace("%s", "a") + urllib.parse.quote(word, safe="") for path in GETS for word in WORDS]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for path, status in zip(paths, pool.map(lambda path: self.request("GET", path), paths)):
                self.assertTrue(status < 500, (path[:200], status))

    def test_slow_senders_keep_nobody_waiting(self):
        slow = [socket.create_connection(self.http) for _ in range(300)]
        try:
            for index, wire in enumerate(slow):
                wire.sendall(b"POST /v1/plan HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{" if index % 2 else b"GET /v1/hea")
            for _ in range(10):
                began = time.monotonic()
                self.assertEqual(self.request("GET", "/v1/whoami"), 200)
                self.assertLess(time.monotonic() - began, PATIENCE)
            for wire in slow:  # A byte now and then does not keep a connection: its head has two seconds in all.
                try:
                    wire.sendall(b"a")
                except ConnectionError:
                    pass
            deadline = time.monotonic() + 8
            for wire in slow:
                wire.settimeout(max(0.1, deadline - time.monotonic()))
                try:
                    while wire.recv(4096):
                        pass
                except ConnectionError:
                    pass
        finally:
            for wire in slow:
                wire.close()

    def test_clients_that_vanish(self):
        token = self.node.token.encode()
        for index in range(100):
            wire = socket.create_connection(self.http)
            if index % 3 == 0:
                wire.sendall(b"GET /v1/audit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + b"\r\n\r\n")
            elif index % 3 == 1:
                wire.sendall(b"PUT /v1/data/" + b"0" * 64 + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + b"\r\nContent-Length: 50000000\r\n\r\n" + bytes(5 * MEGABYTE if index < 15 else 9))
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # Reset, not closed.
            wire.close()
        bodies = self.node.data / "tmp" / "bodies"
        deadline = time.monotonic() + 8
        while any(bodies.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual([file.name for file in bodies.iterdir()], [], "half a body is left on the disk")

    def test_two_hundred_at_once(self):
        def one(index: int) -> int:
            if index % 2:
                return self.request("GET", "/v1/products")
            descriptor = flight.FlightDescriptor.for_command(command("CommandStatementQuery", field(1, b"SELECT sum(amount) FROM sales.orders.orders")))
            try:
                info = self.client.get_flight_info(descriptor, self.options)
                return 200 if self.client.do_get(info.endpoints[0].ticket, self.options).read_all().num_rows == 1 else 500
            except flight.FlightUnavailableError:
                return 503  # The node's own word for: too many at once.
        with concurrent.futures.ThreadPoolExecutor(200) as pool:
            statuses = list(pool.map(one, range(400)))
        self.assertLessEqual(set(statuses), {200, 503})
        self.assertGreater(statuses.count(200), 200)

    def calls(self, options: flight.FlightCallOptions):
        """Every call of the Flight door that takes bytes."""
        def put(bytes_: bytes):
            writer, reader = self.client.do_put(flight.FlightDescriptor.for_command(bytes_), pa.schema([("a", pa.int64())]), options)
            writer.write_batch(pa.record_batch({"a": [1]}))
            writer.done_writing()
            reader.read()
            writer.close()

        yield lambda bytes_: self.client.get_flight_info(flight.FlightDescriptor.for_command(bytes_), options)
        yield lambda bytes_: self.client.get_schema(flight.FlightDescriptor.for_command(bytes_), options)
        yield lambda bytes_: self.client.do_get(flight.Ticket(bytes_), options).read_all()
        yield lambda bytes_: list(self.client.do_action(flight.Action("CreatePreparedStatement", bytes_), options))
        yield lambda bytes_: list(self.client.do_action(flight.Action("ClosePreparedStatement", bytes_), options))
        yield put

    def test_flight_messages(self):
        dice = random.Random(3)
        messages = [b"", b"\xff" * 50, field(1, b"type.googleapis.com/"), command("Nothing"), b"\x0a\xff\xff\xff\xff\x0f", field(1, b"\xff\xfe") + field(2, b"x")]
        messages += [command(name, value) for name in COMMANDS for value in (b"", b"\xff\xff", field(1, b"x"), field(1, bytes(range(256))), field(2, b"x" * 1000), varint(8) + varint(2**63))]
        good = command("CommandStatementQuery", field(1, b"SELECT * FROM sales.orders.orders WHERE amount > $1"))
        for _ in range(150):
            changed = bytearray(good)
            for _ in range(dice.randint(1, 4)):
                changed[dice.randrange(len(changed))] = dice.randrange(256)
            messages.append(bytes(changed[:dice.randint(1, len(changed))] if dice.random() < 0.3 else changed))
        for options in (self.options, flight.FlightCallOptions(timeout=10)):
            for call in self.calls(options):
                for message in messages if options is self.options else messages[::10]:
                    try:
                        call(message)
                        self.assertIs(options, self.options, "answered without a token")
                    except (flight.FlightInternalError, flight.FlightTimedOutError) as failure:
                        self.fail(f"{message!r}: {failure}")
                    except (pa.ArrowException, OSError, KeyError):  # Refused, with a code of its own.
                        pass
        for call in (lambda: list(self.client.list_flights(b"\xff", self.options)), lambda: self.client.do_exchange(flight.FlightDescriptor.for_path("x"), self.options)[0].done_writing(),
                     lambda: self.client.get_flight_info(flight.FlightDescriptor.for_path("a", "b"), self.options)):
            try:
                call()
            except pa.ArrowException:
                pass

    def prepared(self) -> bytes:
        """The handle of a statement with one parameter."""
        body = command("ActionCreatePreparedStatementRequest", field(1, b"SELECT * FROM sales.orders.orders WHERE id::VARCHAR = $1"))
        result = next(iter(self.client.do_action(flight.Action("CreatePreparedStatement", body), self.options))).body.to_pybytes()
        at = result.index(b"ActionCreatePreparedStatementResult") + len(b"ActionCreatePreparedStatementResult")
        value = result[at:]
        while value[0] != 0x0a:  # Past the tag and the length of the Any's value, to its first field: the handle.
            value = value[1:]
        return value[2:2 + value[1]]

    def test_parameters_that_point_anywhere(self):
        handle = self.prepared()
        word = pa.array(["aaaaaaaaaaaaaaaa"])
        beyond = [pa.DictionaryArray.from_arrays(pa.array([50_000_000], pa.int32()), word, safe=False),
                  pa.DictionaryArray.from_arrays(pa.array([-7], pa.int32()), word, safe=False),
                  pa.Array.from_buffers(pa.utf8(), 1, [None, pa.py_buffer(struct.pack("<ii", 0, 4)), pa.py_buffer(b"\xff\xfe\xfd\xfc")])]
        for array in beyond:
            batch = pa.RecordBatch.from_arrays([array], names=["1"])
            with self.assertRaises(pa.ArrowException) as refusal:
                writer, reader = self.client.do_put(flight.FlightDescriptor.for_command(command("CommandPreparedStatementQuery", field(1, handle))), batch.schema, self.options)
                writer.write_batch(batch)
                writer.done_writing()
                reader.read()
                writer.close()
            self.assertIn("no Arrow data", str(refusal.exception))

    def test_parameters_without_end(self):
        handle = self.prepared()
        batch = pa.record_batch({"1": pa.array(["x" * 1000] * 1000)})
        began, sent = time.monotonic(), 0
        writer, _ = self.client.do_put(flight.FlightDescriptor.for_command(command("CommandPreparedStatementQuery", field(1, handle))), batch.schema, self.options)
        try:
            while time.monotonic() - began < 5:
                writer.write_batch(batch)
                sent += 1
            self.fail(f"the node took {sent} MB of parameters and went on")
        except pa.ArrowException:
            pass
        self.assertLess(sent, 200)

    def test_garbage_at_the_flight_port(self):
        dice = random.Random(1)
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        pieces = [dice.randbytes(3000), b"GET / HTTP/1.1\r\n\r\n", preface + b"\xff" * 3000, preface + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"\x7f\xff\xff\x01\x24\x00\x00\x00\x01" + bytes(3000)]
        pieces += [preface + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + dice.randbytes(2000) for _ in range(30)]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda piece: self.raw(piece, seconds=1, door=self.rpc), pieces))

    def test_zz_everything_is_given_back(self):
        """Last, since it looks at what the others have left."""
        process = pathlib.Path(f"/proc/{self.node.process.pid}")
        deadline = time.monotonic() + 60  # Half-open connections are closed in their own time.
        while time.monotonic() < deadline:
            memory, files, threads = self.node.memory(), len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))
            if memory < MEMORY and files < FILES and threads < 100:
                break
            time.sleep(0.2)
        print(f"{memory / MEGABYTE:.0f} MB, {files} files, {threads} threads", file=sys.stderr)
        self.assertLess(memory, MEMORY)
        self.assertLess(files, FILES)
        self.assertLess(threads, 100)


if __name__ == "__main__":
    unittest.main()
