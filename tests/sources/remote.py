"""Sources on other people's servers: files over HTTP that are fetched only where they changed, objects of a store that speaks S3."""
import http.server
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import Node, free_port  # noqa: E402

import boto3  # noqa: E402
import botocore.config  # noqa: E402

PRODUCT = """apiVersion: v1.1.0
kind: DataProduct
id: own-{name}
name: {name}
domain: own
version: {version}
status: active
inputPorts:
  - name: feed
    version: 1.0.0
    contractId: feed-{name}
    customProperties:
      - {{property: source, vendor: weft, value: {source}}}
outputPorts:
  - name: {name}
    version: {version}
    contractId: own-{name}
    customProperties:
      - {{property: build, vendor: weft, value: {{mode: {mode}}}}}
"""
CONTRACT = """apiVersion: v3.2.0
kind: DataContract
id: {id}
name: {name}
version: {version}
status: active
schema:
  - name: {name}
    properties:
      - {{name: id, logicalType: integer, required: true}}
      - {{name: what, logicalType: string}}
"""


class Shelf(http.server.BaseHTTPRequestHandler):
    """Files by path: bytes and headers, or how to behave."""
    protocol_version = "HTTP/1.1"
    files: dict[str, tuple[bytes, dict]] = {}
    asked: list[tuple[str, int, dict]] = []

    def do_GET(self):
        body, headers = self.files.get(self.path, (None, {}))
        how = headers.get("How", "")
        status = 404 if body is None else 200
        if headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
            status = 304
        if headers.get("Last-Modified") and self.headers.get("If-Modified-Since") == headers["Last-Modified"]:
            status = 304
        if how.isdigit():
            status = int(how)
        if how == "token" and self.headers.get("Authorization") != "Bearer s3cret":
            status = 401
        self.asked.append((self.path, status, dict(self.headers)))
        self.send_response(status)
        body = body or b""
        if status != 200:
            body = b"" if status == 304 else b"no"
        for name, value in headers.items():
            if name != "How":
                self.send_header(name, value)
        if how != "endless":
            self.send_header("Content-Length", str(len(body) + (10 if how == "cut" else 0)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = how in ("cut", "endless")

    def log_message(self, *_):
        pass


class Sources(unittest.TestCase):
    """A node, a server of files, and products that are published from one source."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.mesh = pathlib.Path(cls.scratch.name)
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
        cls.server.handle_error = lambda *_: None  # Who hangs up has its reasons.
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.base = f"http://127.0.0.1:{cls.server.server_port}"
        cls.node = Node("--source-hosts", "127.0.0.1", "--source-hosts", "files.invalid", "--source-file-limit", "1MB")
        cls.node.start()
        (cls.mesh / "mesh.yaml").write_text("id: own\ndomains:\n  - {name: own, owners: [admin]}\n")
        cls.node.run("apply", str(cls.mesh))
        cls.versions = 0

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()
        cls.server.shutdown()
        cls.server.server_close()
        cls.scratch.cleanup()

    def setUp(self):
        Shelf.asked.clear()

    def publish(self, name: str, source: str, mode: str = "replace", code: int = 0) -> str:
        type(self).versions += 1
        version = f"1.0.{self.versions}"
        home = self.mesh / "domains" / "own" / name
        home.mkdir(parents=True, exist_ok=True)
        (home / "product.odps.yaml").write_text(PRODUCT.format(name=name, version=version, source=source, mode=mode))
        (home / f"{name}.odcs.yaml").write_text(CONTRACT.format(id=f"own-{name}", name=name, version=version))
        (home / "feed.odcs.yaml").write_text(CONTRACT.format(id=f"feed-{name}", name="feed", version=version))
        said = self.node.run("apply", str(home), code=code)
        if code == 0:
            self.node.run("grant", "admin", f"own/{name}/{name}@1")
        return said

    def run_of(self, name: str, *words: str, code: int = 0) -> str:
        return self.node.run("run", f"own/{name}", *words, code=code)

    def rows(self, name: str) -> list[tuple]:
        with self.node.adbc() as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT id, what FROM own.{name}.{name} ORDER BY ALL")
            return [tuple(row.values()) for row in cursor.fetch_arrow_table().to_pylist()]

    def left_behind(self) -> list[pathlib.Path]:
        return list((self.node.data / "tmp" / "run").glob("*.fetched"))


class Files(Sources):
    def test_a_file_is_fetched_where_it_changed(self):
        Shelf.files["/a.csv?day=1"] = b"id,what\n1,a\n", {"ETag": '"one"'}
        self.publish("web", f"{{kind: http, url: '{self.base}/a.csv?day=1'}}")
        self.assertIn("succeeded own/web/web@1 1 row", self.run_of("web"))
        self.assertIn("skipped own/web/web@1", self.run_of("web"))
        self.assertEqual([status for _, status, _ in Shelf.asked], [200, 304])
        # The same bytes under another tag: fetched, and nothing is built.
        Shelf.files["/a.csv?day=1"] = b"id,what\n1,a\n", {"ETag": '"two"'}
        self.assertIn("skipped", self.run_of("web"))
        Shelf.files["/a.csv?day=1"] = b"id,what\n1,b\n", {"ETag": '"three"'}
        self.assertIn("succeeded", self.run_of("web"))
        self.assertEqual(self.rows("web"), [(1, "b")])
        # What is as it was and is needed all the same is fetched after all.
        Shelf.asked.clear()
        self.assertIn("succeeded", self.run_of("web", "--force"))
        self.assertEqual([status for _, status, _ in Shelf.asked], [304, 200])
        self.assertIn(f"{self.base}/a.csv\n", self.node.run("lineage", "own/web/web"))
        self.assertEqual(self.left_behind(), [])

    def test_a_date_does_where_there_is_no_tag(self):
        Shelf.files["/dated.csv"] = b"id,what\n1,a\n", {"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        self.publish("dated", f"{{kind: http, url: '{self.base}/dated.csv'}}")
        self.run_of("dated")
        self.assertIn("skipped", self.run_of("dated"))
        self.assertEqual([status for _, status, _ in Shelf.asked], [200, 304])
        # Another address is another file, however old.
        Shelf.files["/dated.csv?v=2"] = b"id,what\n2,b\n", {"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        self.publish("dated", f"{{kind: http, url: '{self.base}/dated.csv?v=2'}}")
        self.run_of("dated")
        self.assertEqual(self.rows("dated"), [(2, "b")])

    def test_secrets_go_in_headers_and_nowhere_else(self):
        Shelf.files["/secret.json"] = b'{"id": 1, "what": "a"}\n', {"How": "token"}
        source = f"{{kind: http, url: '{self.base}/secret.json', headers: {{Authorization: {{secret: token}}, Accept: text/plain}}}}"
        self.publish("sealed", source)
        self.assertIn("names the secret 'token', which 'own' does not have: weft secret put token --domain own", self.run_of("sealed", code=3))
        self.node.run("secret", "put", "token", "--domain", "own", text="Bearer s3cret")
        self.run_of("sealed")
        self.assertEqual(Shelf.asked[-1][2]["Accept"], "text/plain")
        self.node.run("secret", "put", "token", "--domain", "own", text="Bearer other")
        self.assertIn("does not let the node read", self.run_of("sealed", "--force", code=3))
        told = self.node.run("runs", "own/sealed", "--json") + self.node.run("audit", "log", "--json") + (self.node.folder / "node.log").read_text()
        self.assertNotIn("s3cret", told)
        said = self.publish("sealed", source.replace("http://127.0.0.1", "http://files.example.com"), code=3)
        self.assertIn("a secret does not go over http", said)

    def test_what_is_no_whole_file_is_refused(self):
        rows = b"id,what\n1,a\n"
        Shelf.files |= {"/cut.csv": (rows, {"How": "cut"}), "/endless.csv": (rows, {"How": "endless"}), "/gone.csv": (rows, {"How": "404"}),
                        "/busy.csv": (rows, {"How": "503"}), "/big.csv": (b"id,what\n" + b"1,a\n" * 500_000, {}),
                        "/moved.csv": (rows, {"How": "302", "Location": "http://169.254.169.254/latest?key=1"})}
        for name, said in (("cut", "was cut off after 12 B"), ("endless", "does not say how long"), ("gone", "says its server: 404"),
                           ("busy", "its server answers 503"), ("big", "is larger than 1.0 MB, the most that this node takes"),
                           ("moved", "is elsewhere, says its server: http://169.254.169.254/latest. Nobody is followed")):
            with self.subTest(name):
                self.publish("odd", f"{{kind: http, url: '{self.base}/{name}.csv'}}")
                self.assertIn(said, self.run_of("odd", code=3))
        self.assertEqual(self.left_behind(), [])

    def test_hosts_are_the_administrators(self):
        for host, code, said in (("localhost", 4, "sources may not go to the host 'localhost'"), ("files.invalid", 3, "cannot be found")):
            self.publish("hosts", f"{{kind: http, url: 'http://{host}:{self.server.server_port}/a.csv'}}")
            self.assertIn(said, self.run_of("hosts", code=code))
        for url, said in (("ftp://127.0.0.1/a.csv", "is no address of a file"), (f"{self.base}/a", "does not tell its format"),
                          ("http://me:you@127.0.0.1/a.csv", "must not carry a user")):
            self.assertIn(said, self.publish("hosts", f"{{kind: http, url: '{url}'}}", code=3))
        for header in ("Host", "transfer-encoding", "Range", "If-None-Match", "Proxy-Authorization"):
            self.assertIn("is the node's to send", self.publish(
                "hosts", f"{{kind: http, url: '{self.base}/a.csv', headers: {{{header}: x}}}}", code=3))


class Objects(Sources):
    """The store checks every signature: the first three requests alone make a user who may read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = free_port()
        cls.endpoint = f"http://127.0.0.1:{cls.port}"
        cls.log = open(cls.mesh / "moto.log", "wb")
        cls.moto = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(cls.port)], stdout=cls.log, stderr=cls.log,
                                    env=os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": "3", "MOTO_S3_DEFAULT_MAX_KEYS": "5"})
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(cls.endpoint + "/moto-api/", timeout=1).read()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        quick = botocore.config.Config(retries={"max_attempts": 1})
        iam = boto3.client("iam", endpoint_url=cls.endpoint, region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="y", config=quick)
        iam.create_user(UserName="reader")
        iam.put_user_policy(UserName="reader", PolicyName="all",
                            PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}')
        key = iam.create_access_key(UserName="reader")["AccessKey"]
        cls.s3 = boto3.client("s3", endpoint_url=cls.endpoint, region_name="eu-central-1", aws_access_key_id=key["AccessKeyId"],
                              aws_secret_access_key=key["SecretAccessKey"], config=quick)
        cls.s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        cls.node.run("secret", "put", "key-id", "--domain", "own", text=key["AccessKeyId"])
        cls.node.run("secret", "put", "key", "--domain", "own", text=key["SecretAccessKey"])
        cls.node.run("secret", "put", "wrong", "--domain", "own", text="w" * 40)

    @classmethod
    def tearDownClass(cls):
        cls.moto.terminate()
        cls.moto.wait(timeout=30)
        cls.log.close()
        super().tearDownClass()

    def put(self, key: str, text: str):
        self.s3.put_object(Bucket="lake", Key=key, Body=text.encode())

    def source(self, pattern: str, more: str = "", key: str = "key") -> str:
        return (f"{{kind: object, url: 's3://lake/{pattern}', endpoint: '{self.endpoint}', region: eu-central-1, access_key: {{secret: key-id}}, "
                f"secret_key: {{secret: {key}}}{more}}}")

    def gets(self) -> int:
        """Objects that were fetched so far."""
        self.log.flush()
        return sum("GET /lake/" in line and "?" not in line for line in (self.mesh / "moto.log").read_text().splitlines())

    def test_each_object_once(self):
        self.put("in/2.csv", "id,what\n1,a\n")
        self.put("in/deep/3.csv", "id,what\n9,x\n")
        self.put("in/odd name+(1)=ü.csv", "id,what\n2,b\n")
        self.publish("once", self.source("in/*.csv", ", read: new"), "append")
        self.assertIn("2 new objects, 0 seen before", self.run_of("once"))
        self.assertEqual(self.rows("once"), [(1, "a"), (2, "b")])
        fetched = self.gets()
        self.assertIn("skipped", self.run_of("once"))
        self.assertEqual(self.gets(), fetched)
        self.put("in/1.csv", "id,what\n3,c\n")
        self.put("in/4.csv", "id,what\n1,a\n")
        self.s3.delete_object(Bucket="lake", Key="in/2.csv")
        self.assertIn("1 new object, 2 seen before", self.run_of("once"))
        self.assertEqual(self.rows("once"), [(1, "a"), (2, "b"), (3, "c")])
        self.put("in/1.csv", "id,what\n4,d\n")
        self.assertIn("'in/1.csv' is not what it was when a run read it", self.run_of("once", code=3))
        self.assertEqual(self.left_behind(), [])

    def test_all_of_them_where_one_changed(self):
        for i in range(3):
            self.put(f"all/{i}.csv", f"id,what\n{i},a\n")
        self.publish("whole", self.source("all/*.csv"))
        self.assertIn("3 rows", self.run_of("whole"))
        fetched = self.gets()
        self.assertIn("skipped", self.run_of("whole"))
        self.assertEqual(self.gets(), fetched)
        self.put("all/1.csv", "id,what\n1,b\n")
        self.run_of("whole")
        self.assertEqual(self.rows("whole"), [(0, "a"), (1, "b"), (2, "a")])
        self.s3.delete_object(Bucket="lake", Key="all/0.csv")
        self.run_of("whole")
        self.assertEqual(self.rows("whole"), [(1, "b"), (2, "a")])

    def test_more_than_a_page(self):
        for i in range(13):
            self.put(f"many/{i:02}.{'txt' if i % 6 else 'csv'}", f"id,what\n{i},a\n")
        self.publish("many", self.source("many/*.csv"))
        self.run_of("many")
        self.assertEqual([row[0] for row in self.rows("many")], [0, 6, 12])

    def test_who_may_not(self):
        self.put("mine/a.csv", "id,what\n1,a\n")
        self.publish("mine", self.source("mine/*.csv", key="wrong"))
        self.assertIn("SignatureDoesNotMatch", self.run_of("mine", code=3))
        self.publish("mine", self.source("none/*.csv"))
        self.assertIn("no object matches 's3://lake/none/*.csv'", self.run_of("mine", code=3))
        self.assertIn("a key stands in no file", self.publish("mine", self.source("mine/*.csv").replace("{secret: key}", "AKIA"), code=3))


if __name__ == "__main__":
    unittest.main()
