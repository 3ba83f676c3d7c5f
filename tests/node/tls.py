"""TLS from end to end: both listeners show one certificate, and the command line, REST and Flight SQL clients trust it by
its authority alone. The authority and its certificates are made here; the node listens on a loopback address of its own."""
import http.client
import pathlib
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, WEFT, Node  # noqa: E402

import adbc_driver_manager  # noqa: E402
import pyarrow.flight  # noqa: E402

HOST = "127.0.0.2"
ROOTS = "adbc.flight.sql.client_option.tls_root_certs"


def openssl(*words: str):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def authority(folder: pathlib.Path, name: str) -> pathlib.Path:
    file = folder / f"{name}.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
            f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", str(folder / f"{name}.key"), "-out",
            str(file))
    return file


def certificate(folder: pathlib.Path, ca: str) -> tuple[pathlib.Path, pathlib.Path]:
    key, request, file, names = (folder / f"node.{end}" for end in ("key", "csr", "pem", "ext"))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=node", "-keyout",
            str(key), "-out", str(request))
    names.write_text(f"subjectAltName=IP:{HOST},IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", str(request), "-CA", str(folder / f"{ca}.pem"), "-CAkey", str(folder / f"{ca}.key"),
            "-CAcreateserial", "-days", "2", "-extfile", str(names), "-out", str(file))
    return file, key


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-tls-"))
        cls.ca, cls.other = authority(cls.folder, "ca"), authority(cls.folder, "other")
        cls.certificate, cls.key = certificate(cls.folder, "ca")
        cls.node = Node("--listen", HOST, "--tls-certificate", str(cls.certificate), "--tls-key", str(cls.key),
                        "--request-timeout", "2s", ca=cls.ca)
        cls.node.start()
        cls.trust = ["--ca-file", str(cls.ca)]
        cls.node.run("apply", str(ROOT / "tests/support/shop"), *cls.trust)
        cls.node.run("grant", "admin", "sales/orders/orders@1", *cls.trust)
        cls.node.run("run", "sales/orders", *cls.trust)

    @classmethod
    def tearDownClass(cls):
        cls.node.__exit__()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def weft(self, *words: str) -> tuple[int, str]:
        done = subprocess.run([str(WEFT), *words], env=self.node.env, text=True, capture_output=True)
        return done.returncode, done.stdout + done.stderr

    def rows(self, flight: str, roots: pathlib.Path):
        with self.node.adbc(**{ROOTS: roots.read_text()}) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM sales.orders.orders")
            return cursor.fetchall()

    def test_the_command_line_trusts_the_authority_that_it_is_given(self):
        self.assertTrue(self.node.url.startswith(f"https://{HOST}:"), self.node.url)
        self.assertEqual(self.node.json("sql", "SELECT count(*) AS n FROM sales.orders.orders", *self.trust), [{"n": 4}])
        for trust in ([], ["--ca-file", str(self.other)]):
            for command in (["status"], ["sql", "SELECT 1"]):
                code, text = self.weft(*command, *trust)
                self.assertEqual(code, 7, text)
                self.assertIn("is not trusted", text)

    def test_rest_is_read_over_tls_of_this_age_alone(self):
        tls = ssl.create_default_context(cafile=str(self.ca))
        request = urllib.request.Request(self.node.url + "/v1/whoami", headers={"Authorization": f"Bearer {self.node.token}"})
        with urllib.request.urlopen(request, context=tls) as answer:
            self.assertEqual(answer.status, 200)
        with self.assertRaises(urllib.error.URLError) as failed:
            urllib.request.urlopen(request, context=ssl.create_default_context(cafile=str(self.other)))
        self.assertIn("CERTIFICATE_VERIFY_FAILED", str(failed.exception))
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises(urllib.error.URLError):
            urllib.request.urlopen(request, context=tls)

    def test_flight_sql_drivers_trust_the_authority_that_they_are_given(self):
        self.assertTrue(self.node.flight.startswith(f"grpc+tls://{HOST}:"), self.node.flight)
        self.assertEqual(self.rows(self.node.flight, self.ca), [(4,)])
        with self.assertRaises(adbc_driver_manager.Error):
            self.rows(self.node.flight, self.other)

    def test_what_speaks_no_tls_is_told_so(self):
        port = int(self.node.url.rsplit(":", 1)[1])
        plain = http.client.HTTPConnection(HOST, port, timeout=10)
        plain.request("GET", "/v1/health")
        answer = plain.getresponse()
        self.assertEqual(answer.status, 400)
        self.assertIn("https://", answer.read().decode())
        code, text = self.weft("status", "--node", f"http://{HOST}:{port}")
        self.assertEqual(code, 3, text)
        self.assertIn("this port speaks TLS", text)
        with socket.create_connection((HOST, port), timeout=15) as silent:  # Says nothing: is let go of.
            self.assertEqual(silent.recv(1), b"")
        with self.assertRaises(pyarrow.flight.FlightError):
            client = pyarrow.flight.FlightClient(self.node.flight.replace("grpc+tls", "grpc"))
            list(client.list_actions())

    def test_a_node_without_tls_says_so_to_those_who_want_it(self):
        with Node() as node:
            code, text = self.weft("status", "--node", node.url.replace("http:", "https:"))
            self.assertEqual(code, 7, text)
            self.assertIn("write http:// in place of https://", text)

    def test_beyond_loopback_a_node_needs_a_certificate_that_is_its_own(self):
        def serve(*flags: str) -> str:
            done = subprocess.run([str(WEFT), "serve", "--data", str(self.folder / "none"), "--http-port", "0",
                                   "--flight-port", "0", *flags], env=self.node.env, text=True, capture_output=True, timeout=30)
            self.assertNotEqual(done.returncode, 0)
            return done.stderr
        for address in ("0.0.0.0", "::", "192.0.2.1"):
            self.assertIn("would send tokens and data in the clear", serve("--listen", address))
        self.assertIn("come together", serve("--tls-key", str(self.key)))
        self.assertIn("cannot use the key", serve("--tls-certificate", str(self.certificate), "--tls-key",
                                                  str(self.folder / "other.key")))


class Development(unittest.TestCase):
    """A node with what `weft init` made, and certificates that change while it runs."""

    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.__exit__)
        self.tls = self.node.data / "tls"

    def init(self, *words: str) -> dict:
        return self.node.json("init", "--data", str(self.node.data), *words)

    def start(self):
        self.node.tls = ssl.create_default_context(cafile=str(self.tls / "ca.pem"))
        self.node.start()

    def shown(self, url: str, name: str = "localhost") -> str:
        """The serial number of the certificate at an address; the client checks it by the authority and the name."""
        at = urllib.parse.urlsplit(url)
        tls = ssl.create_default_context(cafile=str(self.tls / "ca.pem"))
        with socket.create_connection((at.hostname, at.port), timeout=10) as plain, tls.wrap_socket(plain, server_hostname=name) as secure:
            return secure.getpeercert()["serialNumber"]

    def logged(self, text: str):
        deadline = time.monotonic() + 20
        while text not in (self.node.folder / "node.log").read_text():
            self.assertLess(time.monotonic(), deadline, f"no {text!r} in the log")
            time.sleep(0.05)

    def test_init_makes_what_serve_takes_and_the_command_line_trusts(self):
        made = self.init("--host", "weft.example.org", "--host", "192.0.2.7")
        self.assertEqual(made["hosts"], ["localhost", "127.0.0.1", "::1", "weft.example.org", "192.0.2.7"])
        for name, mode in {"node.key": 0o600, "ca.key": 0o600, "node.pem": 0o644, "ca.pem": 0o644}.items():
            self.assertEqual(stat.S_IMODE((self.tls / name).stat().st_mode), mode, name)
        self.start()
        self.assertTrue(self.node.url.startswith("https://127.0.0.1:"), self.node.url)
        self.assertEqual(self.node.json("whoami")["principal"], "admin")  # With neither --ca-file nor a token.
        self.assertEqual(self.node.json("sql", "SELECT 1 AS n"), [{"n": 1}])
        for name in ("localhost", "127.0.0.1", "::1", "weft.example.org", "192.0.2.7"):
            self.shown(self.node.url, name)
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.shown(self.node.url, "other.example.org")
        with self.node.adbc(**{ROOTS: (self.tls / "ca.pem").read_text()}) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            self.assertEqual(cursor.fetchall(), [(1,)])
        stranger = self.node.env | {"XDG_STATE_HOME": str(self.node.folder / "nobody")}
        done = subprocess.run([str(WEFT), "status", "--token", "x"], env=stranger, text=True, capture_output=True)
        self.assertIn("is not trusted", done.stderr)
        for bad in ("a,DNS:evil", "", "a b"):
            self.node.run("init", "--data", str(self.node.data), "--host", bad, code=3)

    def test_an_authority_that_has_ended_is_not_used_again(self):
        self.tls.mkdir(parents=True)
        config = self.node.folder / "ca.cnf"
        (self.node.folder / "index").write_text("")
        config.write_text(f"[ca]\ndefault_ca=own\n[own]\ndatabase={self.node.folder}/index\nnew_certs_dir={self.node.folder}\n"
                          "rand_serial=yes\ndefault_md=sha256\npolicy=any\nx509_extensions=ext\n[any]\ncommonName=supplied\n"
                          "[ext]\nbasicConstraints=critical,CA:TRUE\n")
        key, request = str(self.tls / "ca.key"), str(self.node.folder / "ca.csr")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=ca", "-keyout", key,
                "-out", request)
        openssl("ca", "-batch", "-selfsign", "-config", str(config), "-in", request, "-keyfile", key, "-notext", "-startdate",
                "20200101000000Z", "-enddate", "20200201000000Z", "-out", str(self.tls / "ca.pem"))
        done = subprocess.run([str(WEFT), "init", "--data", str(self.node.data)], env=self.node.env, text=True, capture_output=True)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("has ended on 2020-02-01", done.stderr)
        for name in ("ca.pem", "ca.key"):
            (self.tls / name).unlink()
        self.init()
        self.init("--tls")  # As it was called before.

    def test_a_chosen_certificate_is_left_alone(self):
        self.node.data.mkdir()
        settings = self.node.data / "weft.yaml"
        settings.write_text("tls-certificate: /etc/own.pem\ntls-key: /etc/own.key\n")
        before = settings.read_text()
        self.node.run("init", "--data", str(self.node.data), code=6)
        self.assertEqual(settings.read_text(), before)

    def test_certificates_change_while_the_node_runs(self):
        self.init()
        self.start()
        self.node.run("apply", str(ROOT / "tests/support/shop"))
        first = self.shown(self.node.url)
        self.assertEqual(self.shown(self.node.flight), first)
        roots = (self.tls / "ca.pem").read_text()
        with self.node.adbc(**{ROOTS: roots}) as connection, connection.cursor() as cursor:
            # A read that runs goes on to its end; the statement that it was prepared by stays.
            cursor.execute("SELECT i FROM range(3000000) t(i)")
            reader = cursor.fetch_record_batch()
            rows = reader.read_next_batch().num_rows
            self.init()
            self.node.process.send_signal(signal.SIGHUP)
            self.logged("new certificate")
            second = self.shown(self.node.url)
            self.assertNotEqual(second, first)
            self.assertEqual(self.shown(self.node.flight), second)
            self.assertEqual(rows + sum(batch.num_rows for batch in reader), 3_000_000)
            cursor.execute("SELECT 2")
            self.assertEqual(cursor.fetchall(), [(2,)])
        # What cannot be used changes nothing, and is not tried twice.
        good = (self.tls / "node.pem").read_text()
        for bad, why in (("nonsense", "no certificate in PEM"), (roots, "another's key")):
            (self.tls / "node.pem").write_text(bad)
            self.node.process.send_signal(signal.SIGHUP)
            self.logged(why)
            self.assertEqual([self.shown(self.node.url), self.shown(self.node.flight)], [second, second])
        (self.tls / "node.pem").write_text(good)
        self.init()
        deadline = time.monotonic() + 30  # Without a signal too.
        while self.shown(self.node.url) == second:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        self.node.stop()


if __name__ == "__main__":
    unittest.main()
