"""People and services of a Keycloak realm come in on REST and Flight SQL, and read what the mesh's groups give them."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from mesh import KnownToProvider  # noqa: E402
from node import free_port  # noqa: E402

HOME = ROOT / "build" / "deps" / "keycloak"  # Where tools/setup.sh put it.
SQL = "SELECT count(*) AS n FROM sales.orders.orders"


class Keycloak:
    """Keycloak in its development mode, with a folder of its own."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-keycloak-"))
        shutil.copytree(HOME, self.folder / "kc", symlinks=True)
        (self.folder / "kc" / "data" / "import").mkdir(parents=True)
        shutil.copy(pathlib.Path(__file__).parent / "realm.json", self.folder / "kc" / "data" / "import")
        port = free_port()
        self.issuer = f"http://127.0.0.1:{port}/realms/mesh"
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(
            [str(self.folder / "kc" / "bin" / "kc.sh"), "start-dev", "--http-host=127.0.0.1", f"--http-port={port}", "--import-realm"],
            env=os.environ | {"JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m"}, stdout=self.log, stderr=self.log, start_new_session=True)
        for _ in range(600):
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.issuer + "/.well-known/openid-configuration", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(1)
        raise RuntimeError("Keycloak did not start: " + (self.folder / "log").read_text()[-4000:])

    def close(self):
        os.killpg(self.process.pid, signal.SIGTERM)  # The script and its Java.
        self.process.wait(timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def token(self, kind: str = "access_token", **form: str) -> str:
        call = urllib.request.Request(self.issuer + "/protocol/openid-connect/token", data=urllib.parse.urlencode(form).encode())
        with urllib.request.urlopen(call, timeout=60) as answer:
            return json.load(answer)[kind]

    def person(self, name: str, client: str = "weft-cli", **more: str) -> str:
        return self.token(grant_type="password", client_id=client, username=name, password=name + "-pw", **more)


class People(KnownToProvider, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keycloak = Keycloak()
        cls.addClassCleanup(cls.keycloak.close)
        cls.open(cls.keycloak.issuer, "claim:/data/analysts")

    def test_a_person_and_the_group_that_gives_a_right(self):
        alice, bob = self.keycloak.person("alice"), self.keycloak.person("bob")
        who = self.node.json("whoami", "--token", alice)
        self.assertEqual((who["principal"], who["groups"], who["administrator"]), ("alice", ["analysts"], False))
        self.assertEqual(self.node.json("whoami", "--token", bob)["groups"], [])
        self.assertEqual(self.rows(alice), 4)
        self.node.run("sql", SQL, "--token", bob, code=4)
        self.map_groups("claim:/data/others")
        self.node.run("sql", SQL, "--token", alice, code=4)
        self.map_groups("claim:/data/analysts")
        self.assertEqual(self.rows(alice), 4)

    def test_a_service(self):
        token = self.keycloak.token(grant_type="client_credentials", client_id="weft-loader", client_secret="loader-secret")
        self.assertEqual(self.node.json("whoami", "--token", token)["principal"], "service-account-weft-loader")

    def test_tokens_that_were_made_for_another(self):
        for token in (self.keycloak.person("alice", "other"),
                      self.keycloak.token("refresh_token", grant_type="password", client_id="weft-cli", username="alice", password="alice-pw")):
            self.node.run("whoami", "--token", token, code=4)


if __name__ == "__main__":
    unittest.main()
