"""Tokens of an OpenID provider that we did not write (npm oidc-provider), good and bad, on the REST and the Flight SQL door."""
import base64
import hashlib
import hmac
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from mesh import KnownToProvider  # noqa: E402
from node import ROOT, Node, free_port  # noqa: E402

HOME = ROOT / "build" / "deps" / "oidc"  # Where tools/setup.sh put the provider.
RESOURCE = "https://weft.example.org"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(token: str, number: int) -> dict:
    text = token.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Provider:
    """The provider as a process. Its keys are new whenever it starts."""

    def __init__(self):
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.log = pathlib.Path(tempfile.mkdtemp(prefix="weft-oidc-")) / "provider.log"
        self.start()

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["node", str(pathlib.Path(__file__).parent / "provider.mjs"), str(self.port), self.issuer], cwd=HOME, stdout=log,
                                            stderr=subprocess.DEVNULL)
        for _ in range(600):
            ready = next((line for line in self.lines() if line.get("ready")), None)
            if ready:
                self.pem = ready["pem"]
                return
            time.sleep(0.1)
        raise RuntimeError("the provider did not start: " + self.log.read_text())

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)

    def close(self):
        self.stop()
        shutil.rmtree(self.log.parent, ignore_errors=True)

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]

    def key_fetches(self) -> int:
        return sum(line.get("path") == "/jwks" for line in self.lines())

    def token(self, algorithm: str = "RS256", **claims) -> str:
        claims = {"preferred_username": "wanda"} | claims
        call = urllib.request.Request(
            self.issuer + "/token", data=urllib.parse.urlencode({"grant_type": "client_credentials", "resource": RESOURCE}).encode(),
            headers={"Authorization": "Basic " + base64.b64encode(b"app:app-secret").decode(), "x-alg": algorithm,
                     "x-claims": json.dumps(claims)})
        with urllib.request.urlopen(call, timeout=30) as answer:
            return json.load(answer)["access_token"]


class Oidc(KnownToProvider, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.provider = Provider()
        cls.addClassCleanup(cls.provider.close)
        cls.open(cls.provider.issuer, "claim:data-analysts")

    def whoami(self, token: str) -> tuple[int, dict]:
        return self.node.call("GET", "/v1/whoami", token=token)

    def assert_refused(self, token: str, why: str, status: int = 401):
        got, answer = self.whoami(token)
        self.assertEqual(got, status, answer)
        self.assertIn(why, answer["title"])

    def test_every_algorithm_that_is_allowed(self):
        for algorithm in ("RS256", "PS256", "ES256", "EdDSA"):
            status, who = self.whoami(self.provider.token(algorithm, groups=["data-analysts", "others"]))
            self.assertEqual(status, 200, who)
            self.assertEqual((who["principal"], who["kind"], who["groups"], who["administrator"]),
                             ("wanda", "user", ["analysts"], False))

    def test_what_the_claims_must_say(self):
        now = int(time.time())
        for claims, why in [({"exp": now - 61}, "expired"), ({"exp": None}, "exp"), ({"nbf": now + 300}, "nbf"),
                            ({"iat": now + 300}, "iat"), ({"aud": "other"}, "audience"), ({"aud": ["weft2", "x"]}, "audience"),
                            ({"iss": "https://evil.example.org"}, "issuer"), ({"iss": self.provider.issuer + "/"}, "issuer"),
                            ({"preferred_username": None}, "preferred_username"), ({"preferred_username": ["ana"]}, "preferred_username"),
                            ({"preferred_username": "product:sales/orders"}, "product:sales/orders"),
                            ({"preferred_username": "service:loader"}, "service:loader"),
                            ({"preferred_username": "group:sales-team"}, "group:sales-team"),
                            ({"preferred_username": "an a"}, "an a"), ({"preferred_username": ""}, "preferred_username"),
                            ({"cnf": {"jkt": "x"}}, "cnf")]:
            with self.subTest(claims=claims):
                self.assert_refused(self.provider.token(**claims), why)
        self.assertEqual(self.whoami(self.provider.token(exp=now - 30, aud=["x", "weft"]))[0], 200)

    def test_what_is_not_signed_by_the_provider(self):
        good = self.provider.token(groups=["data-analysts"])
        self.assertEqual(self.whoami(good)[0], 200)
        header, claims, signature = good.split(".")
        forged = b64(json.dumps(part(good, 1) | {"preferred_username": "ana"}).encode())
        self.assert_refused(f"{header}.{forged}.{signature}", "signature")
        self.assert_refused(f"{header}.{claims}.{signature[:-8]}AAAAAAAA", "signature")
        self.assert_refused(f"{header}.{claims}.", "signature")
        none = b64(json.dumps({"alg": "none", "typ": "JWT"}).encode())
        for text in (f"{none}.{forged}.", f"{none}.{forged}.{signature}"):
            self.assert_refused(text, "none")
        # The public key is known to all: as a secret it proves nothing.
        hs = b64(json.dumps(part(good, 0) | {"alg": "HS256"}).encode())
        for secret in (self.provider.pem.encode(), self.provider.pem.strip().encode()):
            mac = b64(hmac.new(secret, f"{hs}.{forged}".encode(), hashlib.sha256).digest())
            self.assert_refused(f"{hs}.{forged}.{mac}", "HS256")
        # One algorithm's token under another's name, by the same kind of key.
        ps = b64(json.dumps(part(good, 0) | {"alg": "PS256"}).encode())
        self.assert_refused(f"{ps}.{claims}.{signature}", "PS256")
        self.assert_refused("a.b.c", "refused")
        self.assert_refused(f"{header}.{claims}.{'A' * 20000}", "longer")

    def test_a_group_of_the_mesh_gives_a_right_and_its_end_takes_it(self):
        member, stranger = self.provider.token(groups=["data-analysts"]), self.provider.token(groups=["analysts", "sales-team"])
        self.assertEqual(self.rows(member), 4)
        self.assertIn("4", self.node.run("sql", "SELECT count(*) AS n FROM sales.orders.orders", "--token", member))
        with self.assertRaisesRegex(Exception, "may not read"):
            self.rows(stranger)  # What a claim says names no group of the mesh by itself.
        self.assertEqual(self.whoami(stranger)[1]["groups"], [])
        self.map_groups("claim:others")
        with self.assertRaisesRegex(Exception, "may not read"):
            self.rows(member)
        self.map_groups("claim:data-analysts")
        self.assertEqual(self.rows(member), 4)

    def test_it_makes_no_administrator_and_nothing_that_outlives_it(self):
        token = self.provider.token(preferred_username="admin", groups=["administrators"], administrator=True)
        self.assertFalse(self.whoami(token)[1]["administrator"])
        self.node.run("audit", "log", "--token", token, code=4)
        self.node.run("token", "create", "bo", "--token", token, code=4)
        made = self.node.json("token", "create", "admin", "--token", token)["token"]
        self.assertLessEqual(made["expires_at"], time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(part(token, 1)["exp"] + 1)))
        self.node.run("token", "create", "admin", "--expires", "1d", "--token", token, code=3)

    def test_keys_that_turn_and_a_provider_that_is_away(self):
        provider = Provider()
        self.addCleanup(provider.close)
        with Node("--oidc-issuer", provider.issuer, "--oidc-audience", "weft", "--oidc-keys-max-age", "35s") as node:
            self.node, before = node, self.node
            try:
                self.turn(provider)
            finally:
                self.node = before

    def turn(self, provider: Provider):
        began = time.monotonic()
        old = provider.token()
        self.assertEqual(self.whoami(old)[0], 200)
        provider.stop()
        self.assertEqual(self.whoami(old)[0], 200)  # By the keys that are known.
        provider.start()
        new = provider.token()
        self.assert_refused(new, "has no RS256 key")  # A new key is asked for at most once in 30 s.
        self.assertEqual(provider.key_fetches(), 0)
        time.sleep(max(0, began + 31 - time.monotonic()))
        self.assertEqual(self.whoami(new)[0], 200)
        self.assert_refused(old, "has no RS256 key")
        self.assertEqual(provider.key_fetches(), 1)
        for _ in range(5):
            self.assert_refused(old, "has no RS256 key")
        self.assertEqual(provider.key_fetches(), 1)
        provider.stop()
        for _ in range(120):
            status, answer = self.whoami(new)
            if status != 200:
                break
            time.sleep(0.5)
        self.assertEqual(status, 503, answer)  # Never open: what cannot be told is refused.
        self.assertIn("identity provider", answer["title"])
        self.assertEqual(self.whoami(self.node.token)[0], 200)  # The node's own tokens need no provider.
        provider.start()


if __name__ == "__main__":
    unittest.main()
