"""Signing in at the node itself, as a browser, a device and a program do it, and as those do who should not get in."""
import base64
import concurrent.futures
import hashlib
import html.parser
import http.client
import json
import os
import pathlib
import secrets
import stat
import subprocess
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import WEFT, Node  # noqa: E402

PASSWORD = "correct horse battery"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
BACK = "https://bi.example.org/callback"


class Form(html.parser.HTMLParser):
    """The fields of a page's form, and what it warns of."""

    def __init__(self, text: str):
        super().__init__()
        self.fields: dict[str, str] = {}
        self.action = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action = attributes["action"]
        if tag == "input":
            self.fields[attributes["name"]] = attributes.get("value", "")


class Browser:
    """Keeps cookies, follows nothing."""

    def __init__(self, node: Node):
        self.at = urllib.parse.urlsplit(node.url)
        self.cookies: dict[str, str] = {}

    def send(self, method: str, path: str, form: dict | None = None, **headers: str) -> tuple[int, dict, str]:
        connection = http.client.HTTPConnection(self.at.hostname, self.at.port, timeout=60)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urllib.parse.urlencode(form) if form is not None else None, headers)
        answer = connection.getresponse()
        text, got = answer.read().decode(), {name.lower(): value for name, value in answer.getheaders()}
        connection.close()
        if "set-cookie" in got:
            name, _, value = got["set-cookie"].split(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, got, text

    def json(self, path: str, form: dict | None = None, **headers: str) -> tuple[int, dict]:
        status, _, text = self.send("GET" if form is None else "POST", path, form, **headers)
        return status, json.loads(text)


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def pkce() -> tuple[str, str]:
    verifier = secrets.token_urlsafe(40)
    return verifier, base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Issuer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.node.start()
        cls.addClassCleanup(cls.node.__exit__)
        for name in ("ana", "bo", "eve"):
            cls.node.run("user", "create", name, "--password-stdin", text=PASSWORD + "\n")
        answer = cls.node.json("service", "create", "bi", "--redirect-uri", BACK)
        cls.secret = answer["client_secret"]

    def setUp(self):
        self.browser = Browser(self.node)

    def whoami(self, token: str) -> str | None:
        status, answer = self.browser.json("/v1/whoami", Authorization="Bearer " + token)
        return answer["principal"] if status == 200 else None

    # The device flow.
    def device(self, scope: str = "openid") -> dict:
        status, answer = self.browser.json("/oauth/device_authorization", {"client_id": "weft-cli", "scope": scope})
        self.assertEqual(status, 200, answer)
        return answer

    def poll(self, device: dict) -> dict:
        return self.browser.json("/oauth/token", {"client_id": "weft-cli", "grant_type": DEVICE, "device_code": device["device_code"]})[1]

    def settle(self, code: str, name: str = "ana", password: str = PASSWORD, answer: str = "approve") -> tuple[int, str]:
        _, _, page = self.browser.send("GET", "/oauth/device?user_code=" + code)
        form = Form(page)
        self.assertEqual(form.fields["user_code"], code)
        status, _, text = self.browser.send("POST", form.action, form.fields | {"name": name, "password": password, "answer": answer})
        return status, text

    def sign_in(self, scope: str = "openid", name: str = "ana") -> dict:
        device = self.device(scope)
        self.assertEqual(self.settle(device["user_code"], name)[0], 200)
        answer = self.poll(device)
        self.assertIn("access_token", answer)
        return answer

    # The browser's flow.
    def request(self, challenge: str, **more: str) -> dict:
        return {"response_type": "code", "client_id": "bi", "redirect_uri": BACK, "state": "s t&a", "scope": "openid read",
                "nonce": "n1", "code_challenge": challenge, "code_challenge_method": "S256"} | more

    def code(self, request: dict, name: str = "bo", **more: str) -> dict:
        status, headers, page = self.browser.send("GET", "/oauth/authorize?" + urllib.parse.urlencode(request))
        self.assertEqual(status, 200, page)
        form = Form(page)
        status, headers, page = self.browser.send(
            "POST", form.action, form.fields | {"name": name, "password": PASSWORD, "answer": "approve"} | more)
        self.assertEqual(status, 303, page)
        self.assertTrue(headers["location"].startswith(request["redirect_uri"] + "?"))
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(headers["location"]).query))

    def redeem(self, code: str, verifier: str, **more: str) -> tuple[int, dict]:
        return self.browser.json("/oauth/token", {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK,
                                                  "code_verifier": verifier} | more, **basic("bi", self.secret))

    def refresh(self, secret: str, **more: str) -> tuple[int, dict]:
        return self.browser.json("/oauth/token", {"grant_type": "refresh_token", "client_id": "weft-cli", "refresh_token": secret} | more)

    def claims(self, id_token: str) -> dict:
        """The claims of an id token, held against the published keys by a library that is not ours."""
        script = """
            const [url, token] = process.argv.slice(1);
            const {pathToFileURL} = await import('node:url');
            const jose = await import(pathToFileURL('node_modules/jose/dist/webapi/index.js').href);
            const meta = await (await fetch(url + '/.well-known/openid-configuration')).json();
            const keys = jose.createRemoteJWKSet(new URL(meta.jwks_uri));
            const {payload} = await jose.jwtVerify(token, keys, {issuer: meta.issuer});
            console.log(JSON.stringify(payload));
        """
        home = pathlib.Path(__file__).resolve().parents[2] / "build" / "deps" / "oidc"
        done = subprocess.run(["node", "--input-type=module", "-e", script, self.node.url, id_token], cwd=home, text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_discovery(self):
        status, meta = self.browser.json("/.well-known/openid-configuration")
        self.assertEqual((status, meta["issuer"]), (200, self.node.url))
        self.assertEqual(self.browser.json("/.well-known/oauth-authorization-server")[1], meta)
        status, keys = self.browser.json("/oauth/jwks")
        self.assertEqual([sorted(key) for key in keys["keys"]], [["alg", "crv", "kid", "kty", "use", "x", "y"]])
        file = self.node.data / "sign-in.keys"
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)

    def test_a_device_is_approved_in_a_browser(self):
        device = self.device("openid read")
        self.assertEqual(self.poll(device)["error"], "authorization_pending")
        while (error := self.poll(device)["error"]) != "slow_down":  # Too soon, unless the machine took its time.
            self.assertEqual(error, "authorization_pending")
        status, page = self.settle(device["user_code"])
        self.assertEqual(status, 200, page)
        self.assertIn("signed in", page)
        time.sleep(7.5)
        answer = self.poll(device)
        self.assertEqual(self.whoami(answer["access_token"]), "ana")
        self.assertEqual((answer["token_type"], answer["scope"]), ("Bearer", "openid read"))
        claims = self.claims(answer["id_token"])
        self.assertEqual((claims["sub"], claims["aud"]), ("ana", "weft-cli"))
        self.node.run("token", "create", "bo", "--token", answer["access_token"], code=4)
        self.assertEqual(self.poll(device)["error"], "invalid_grant")  # Once.
        self.assertIsNone(self.whoami(answer["id_token"]))  # It tells who somebody is, and opens nothing.

    def test_a_device_is_refused(self):
        device = self.device()
        self.assertEqual(self.settle(device["user_code"], answer="deny")[0], 200)
        self.assertEqual(self.poll(device)["error"], "access_denied")
        self.assertEqual(self.browser.json("/oauth/device_authorization", {"client_id": "nobody"})[0], 401)
        self.assertEqual(self.browser.json("/oauth/device_authorization", {"client_id": "weft-cli", "scope": "all"})[1]["error"], "invalid_scope")

    def test_pages_do_nothing_but_send_their_form(self):
        status, headers, page = self.browser.send("GET", "/oauth/device?user_code=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        self.assertEqual(status, 200)
        self.assertNotIn("<script", page)
        self.assertEqual(headers["content-security-policy"], "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
        self.assertEqual((headers["x-frame-options"], headers["cache-control"]), ("DENY", "no-store"))
        for word in ("HttpOnly", "SameSite=Strict", "Path=/oauth"):
            self.assertIn(word, headers["set-cookie"])

    def test_a_form_of_another_site_is_refused(self):
        device = self.device()
        filled = {"user_code": device["user_code"], "name": "ana", "password": PASSWORD, "answer": "approve"}
        stranger = Browser(self.node)
        self.assertEqual(stranger.send("POST", "/oauth/device", filled)[0], 403)
        self.assertEqual(stranger.send("POST", "/oauth/device", filled | {"form": ""})[0], 403)
        stranger.cookies.clear()
        own = Form(self.browser.send("GET", "/oauth/device")[2]).fields["form"]
        self.assertEqual(stranger.send("POST", "/oauth/device", filled | {"form": own})[0], 403)
        for origin in ("https://evil.example.org", "null", "x", self.node.url + ".evil.example.org"):
            self.assertEqual(self.browser.send("POST", "/oauth/device", filled | {"form": own}, Origin=origin)[0], 403, origin)
        self.assertEqual(self.poll(device)["error"], "authorization_pending")
        verifier, challenge = pkce()
        self.assertEqual(stranger.send("POST", "/oauth/authorize", self.request(challenge) | filled)[0], 403)

    def test_a_code_is_for_who_has_the_verifier_and_once(self):
        verifier, challenge = pkce()
        back = self.code(self.request(challenge))
        self.assertEqual((back["state"], back["iss"]), ("s t&a", self.node.url))
        status, answer = self.redeem(back["code"], verifier)
        self.assertEqual(status, 200, answer)
        self.assertEqual(self.whoami(answer["access_token"]), "bo")
        claims = self.claims(answer["id_token"])
        self.assertEqual((claims["sub"], claims["aud"], claims["nonce"]), ("bo", "bi", "n1"))
        # Replayed: whoever came first may be the thief, and loses what the code gave.
        status, again = self.redeem(back["code"], verifier)
        self.assertEqual((status, again["error"]), (400, "invalid_grant"))
        self.assertIsNone(self.whoami(answer["access_token"]))
        self.assertEqual(self.browser.json("/oauth/token", {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]},
                                           **basic("bi", self.secret))[1]["error"], "invalid_grant")

    def test_a_code_that_another_caught_is_of_no_use(self):
        for wrong in ({"code_verifier": "x" * 43}, {"code_verifier": ""}, {"redirect_uri": BACK + "/"}, {"redirect_uri": ""}):
            verifier, challenge = pkce()
            code = self.code(self.request(challenge))["code"]
            status, answer = self.redeem(code, verifier, **wrong)
            self.assertEqual((status, answer["error"]), (400, "invalid_grant"), wrong)
            self.assertEqual(self.redeem(code, verifier)[0], 400)  # Nor is there a second try.
        verifier, challenge = pkce()
        code = self.code(self.request(challenge))["code"]
        for client in (basic("bi", "wrong"), basic("nobody", self.secret), {}):
            status, answer = self.browser.json("/oauth/token", {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK,
                                                                "code_verifier": verifier}, **client)
            self.assertEqual((status, answer["error"]), (401, "invalid_client"))
        other = self.browser.json("/oauth/token", {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK,
                                                   "code_verifier": verifier, "client_id": "weft-cli"})
        self.assertEqual((other[0], other[1]["error"]), (400, "invalid_grant"))

    def test_nobody_is_sent_where_nobody_registered(self):
        verifier, challenge = pkce()
        for wrong in ({"redirect_uri": "https://evil.example.org/"}, {"redirect_uri": BACK + "/x"}, {"redirect_uri": BACK + "?x=1"},
                      {"redirect_uri": BACK.replace("https", "http")}, {"client_id": "nobody"}, {"redirect_uri": ""}):
            status, headers, page = self.browser.send("GET", "/oauth/authorize?" + urllib.parse.urlencode(self.request(challenge, **wrong)))
            self.assertEqual(status, 400, wrong)
            self.assertNotIn("location", headers)
        for wrong, error in (({"code_challenge_method": "plain"}, "invalid_request"), ({"code_challenge": ""}, "invalid_request"),
                             ({"response_type": "token"}, "unsupported_response_type"), ({"scope": "everything"}, "invalid_scope")):
            status, headers, _ = self.browser.send("GET", "/oauth/authorize?" + urllib.parse.urlencode(self.request(challenge, **wrong)))
            self.assertEqual(status, 303, wrong)
            self.assertIn("error=" + error, headers["location"])
            self.assertTrue(headers["location"].startswith(BACK + "?"))
        # A program on the person's own machine listens on whatever port is free.
        local = self.request(challenge, client_id="weft-cli", redirect_uri="http://127.0.0.1:50123/callback")
        self.assertIn("code", self.code(local))
        for bad in ("http://127.0.0.1:50123/other", "http://127.0.0.1.evil.org/callback", "http://127.0.0.1:x@evil.org/callback", "http://localhost:1/callback"):
            self.assertEqual(self.browser.send("GET", "/oauth/authorize?" + urllib.parse.urlencode(local | {"redirect_uri": bad}))[0], 400, bad)
        for bad in ("http://bi.example.org/x", "https://bi.example.org/#x", "javascript:alert(1)", "https://a@bi.example.org/"):
            self.node.run("service", "create", "bad", "--redirect-uri", bad, code=3)

    def test_a_refresh_token_is_used_once(self):
        first = self.sign_in("openid read")
        status, second = self.refresh(first["refresh_token"])
        self.assertEqual(status, 200, second)
        self.assertEqual(self.whoami(second["access_token"]), "ana")
        self.assertEqual(self.refresh(second["refresh_token"], scope="read run")[1]["error"], "invalid_scope")
        third = self.sign_in("openid read")
        status, fourth = self.refresh(third["refresh_token"])
        # Used again: the whole family ends, for the thief and for the person, and nothing else does.
        self.assertEqual(self.refresh(third["refresh_token"])[1]["error"], "invalid_grant")
        self.assertIsNone(self.whoami(third["access_token"]))
        self.assertIsNone(self.whoami(fourth["access_token"]))
        self.assertEqual(self.refresh(fourth["refresh_token"])[1]["error"], "invalid_grant")
        self.assertEqual(self.whoami(second["access_token"]), "ana")
        self.assertIn("a refresh token came twice", self.node.run("audit", "log", "--kind", "signin.ended"))

    def test_a_token_that_is_revoked_is_not_renewed(self):
        answer = self.sign_in()
        self.assertEqual(self.browser.json("/oauth/revoke", {"client_id": "weft-cli", "token": answer["access_token"]})[0], 200)
        self.assertIsNone(self.whoami(answer["access_token"]))
        self.assertEqual(self.refresh(answer["refresh_token"])[1]["error"], "invalid_grant")
        self.assertEqual(self.browser.json("/oauth/revoke", {"client_id": "weft-cli", "token": "nonsense"})[0], 200)

    def test_a_token_that_is_ended_by_its_id_is_not_renewed(self):
        self.node.run("user", "create", "gil", "--password-stdin", text=PASSWORD + "\n")
        answer = self.sign_in(name="gil")
        [token] = [token["id"] for token in self.node.json("token", "list")["tokens"] if token["principal"] == "gil"]
        self.node.run("token", "revoke", token)
        self.assertIsNone(self.whoami(answer["access_token"]))
        self.assertEqual(self.refresh(answer["refresh_token"])[1]["error"], "invalid_grant")

    def test_a_new_password_ends_what_the_old_one_opened(self):
        self.node.run("user", "create", "fay", "--password-stdin", text=PASSWORD + "\n")
        answer, approved = self.sign_in(name="fay"), self.device()
        self.assertEqual(self.settle(approved["user_code"], "fay")[0], 200)
        self.node.run("user", "passwd", "fay", "--password-stdin", text="another horse battery\n")
        self.assertIsNone(self.whoami(answer["access_token"]))
        self.assertEqual(self.refresh(answer["refresh_token"])[1]["error"], "invalid_grant")
        self.assertEqual(self.poll(approved)["error"], "invalid_grant")

    def test_a_client_that_asks_for_nothing_gets_the_catalogue_alone(self):
        verifier, challenge = pkce()
        code = self.code(self.request(challenge, scope="openid"))["code"]
        token = self.redeem(code, verifier)[1]["access_token"]
        self.assertEqual(self.whoami(token), "bo")
        status, answer = self.browser.json("/v1/audit", Authorization="Bearer " + token)
        self.assertEqual(status, 403)
        self.assertIn("is limited to browse", json.dumps(answer))

    def test_one_address_has_so_many_tries(self):
        with Node("--sign-in-tries", "3") as node:
            node.run("user", "create", "ana", "--password-stdin", text=PASSWORD + "\n")
            own, self.browser = self.browser, Browser(node)
            device = self.device()
            tried = []
            # One is forgiven every six seconds: a slow machine tries some more.
            while not tried or tried[-1][0] != 503:
                tried.append(self.settle(device["user_code"], f"nobody{len(tried)}"))
                self.assertLess(len(tried), 100)
            self.assertEqual({status for status, _ in tried[:-1]}, {401})
            self.assertGreater(len(tried), 3)
            self.assertIn("from your address", tried[-1][1])
            self.browser = own

    def test_a_service_with_its_secret(self):
        made = self.node.run("service", "create", "loader", "--quiet").split()
        status, answer = self.browser.json("/oauth/token", {"grant_type": "client_credentials", "scope": "run"}, **basic(*made))
        self.assertEqual((status, self.whoami(answer["access_token"])), (200, "service:loader"))
        self.assertNotIn("refresh_token", answer)
        self.assertEqual(self.browser.json("/oauth/token", {"grant_type": "client_credentials", "client_id": "loader", "client_secret": made[1]})[0], 200)
        self.assertEqual(self.browser.json("/oauth/token", {"grant_type": "client_credentials"}, **basic("loader", "wsec_no"))[0], 401)
        self.assertEqual(self.browser.json("/oauth/token", {"grant_type": "client_credentials", "client_id": "weft-cli"})[1]["error"], "unauthorized_client")
        self.node.run("service", "disable", "loader")
        self.assertIsNone(self.whoami(answer["access_token"]))
        self.assertEqual(self.browser.json("/oauth/token", {"grant_type": "client_credentials"}, **basic(*made))[0], 401)
        self.node.run("service", "enable", "loader")
        self.assertIsNone(self.whoami(answer["access_token"]))
        self.assertEqual(self.browser.json("/oauth/token", {"grant_type": "client_credentials"}, **basic(*made))[0], 200)

    def test_guessing_locks_and_tells_nothing(self):
        device = self.device()
        wrong = [self.settle(device["user_code"], "eve", "wrong horse battery") for _ in range(6)]
        unknown = self.settle(device["user_code"], "nobody", "wrong horse battery")
        self.assertEqual({status for status, _ in [*wrong, unknown]}, {401})
        alert = [page.split("<strong>")[1].split("</strong>")[0] for _, page in [*wrong, unknown]]
        self.assertEqual(len(set(alert)), 1, alert)
        self.assertEqual(self.settle(device["user_code"], "eve")[0], 401)  # Locked, with the right password too.
        self.assertEqual(self.poll(device)["error"], "authorization_pending")
        self.assertIn("locked", self.node.run("user", "list"))
        failed = self.node.json("audit", "log", "--kind", "signin.failed", "-n", "100")["rows"]
        self.assertIn("eve", {row["principal"] for row in failed})
        self.assertNotIn("nobody", json.dumps(failed))  # What is typed as a name may be a password.
        self.node.run("user", "passwd", "eve", "--password-stdin", text="another horse battery\n")
        self.assertEqual(self.settle(device["user_code"], "eve", "another horse battery")[0], 200)

    def test_guessing_codes_locks_too(self):
        self.node.run("user", "create", "carl", "--password-stdin", text=PASSWORD + "\n")
        for _ in range(5):
            status, page = self.settle("BBBB-BBBB", "carl")
            self.assertEqual(status, 401)
        device = self.device()
        self.assertEqual(self.settle(device["user_code"], "carl")[0], 401)

    def test_a_person_who_is_disabled_is_out(self):
        self.node.run("user", "create", "dora", "--password-stdin", text=PASSWORD + "\n")
        answer = self.sign_in(name="dora")
        self.node.run("user", "disable", "dora")
        self.assertIsNone(self.whoami(answer["access_token"]))
        self.assertEqual(self.refresh(answer["refresh_token"])[1]["error"], "invalid_grant")
        self.assertEqual(self.settle(self.device()["user_code"], "dora")[0], 401)
        self.node.run("user", "enable", "dora")
        self.assertIsNone(self.whoami(answer["access_token"]))
        self.assertEqual(self.settle(self.device()["user_code"], "dora")[0], 200)

    def test_forms_that_two_readers_could_read_differently(self):
        for body in ("grant_type=client_credentials&grant_type=refresh_token", "grant_type=%zz"):
            connection = http.client.HTTPConnection(self.browser.at.hostname, self.browser.at.port, timeout=60)
            connection.request("POST", "/oauth/token", body, {"Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            self.assertEqual((answer.status, json.loads(answer.read())["error"]), (400, "invalid_request"))
            connection.close()
        # Of somebody who is not known no more than a form is read.
        connection = http.client.HTTPConnection(self.browser.at.hostname, self.browser.at.port, timeout=60)
        connection.putrequest("POST", "/oauth/token")
        connection.putheader("Content-Type", "application/x-www-form-urlencoded")
        connection.putheader("Content-Length", str(1 << 29))
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 422)
        connection.close()
        status, answer = self.browser.json("/oauth/token", {"grant_type": "password", "client_id": "weft-cli", "username": "ana", "password": PASSWORD})
        self.assertEqual((status, answer["error"]), (400, "unsupported_grant_type"))

    def test_the_command_line_signs_in_and_out(self):
        env = self.node.env | {"XDG_STATE_HOME": str(self.node.folder / "person")}

        def weft(*command: str) -> subprocess.CompletedProcess:
            return subprocess.run([str(WEFT), *command], env=env, text=True, capture_output=True)

        self.assertEqual(weft("whoami").returncode, 4)
        login = subprocess.Popen([str(WEFT), "login"], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(login.stderr.readline(), f"Open {self.node.url}/oauth/device\n")
        code = login.stderr.readline().split()[-1]
        self.assertEqual(self.settle(code)[0], 200)
        out, _ = login.communicate(timeout=60)
        self.assertEqual((login.returncode, out), (0, f"signed in at {self.node.url} as ana\n"))
        self.assertEqual(weft("whoami").stdout, "ana\n")
        [file] = (self.node.folder / "person" / "weft" / "credentials").glob("*.json")
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        kept = json.loads(file.read_text())
        # Commands that run at once, with a token that is about to end, renew it once.
        file.write_text(json.dumps(kept | {"expires_at": "2020-01-01T00:00:00Z"}))
        os.chmod(file, 0o600)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: weft("whoami"), range(4)))
        self.assertEqual({answer.stdout for answer in answers}, {"ana\n"})
        renewed = json.loads(file.read_text())
        self.assertNotEqual(renewed["refresh_token"], kept["refresh_token"])
        self.assertEqual(weft("logout").stdout, f"signed out at {self.node.url}\n")
        self.assertFalse(file.exists())
        self.assertEqual(weft("whoami").returncode, 4)
        self.assertIsNone(self.whoami(renewed["access_token"]))
        self.assertEqual(weft("logout").returncode, 0)
        # Of a node that is gone, what is kept here goes all the same.
        file.write_text(json.dumps(kept | {"node": "http://127.0.0.1:1"}))
        gone = file.rename(file.parent / (hashlib.sha256(b"http://127.0.0.1:1").hexdigest()[:16] + ".json"))
        self.assertIn("forgotten", weft("logout", "--node", "http://127.0.0.1:1").stdout)
        self.assertFalse(gone.exists())

    def test_a_person_sets_an_own_password(self):
        self.node.run("user", "create", "own", "--password-stdin", text=PASSWORD + "\n")
        token = self.node.run("token", "create", "own").strip()
        self.node.run("user", "passwd", "--password-stdin", "--token", token, text="not this one\nanother horse battery\n", code=4)
        told = self.node.run("user", "passwd", "--password-stdin", "--token", token, text=f"{PASSWORD}\nanother horse battery\n")
        self.assertIn("own has a new password", told)


if __name__ == "__main__":
    unittest.main()
