"""Webhooks and feeds: what a receiver gets, checks and sees again, and where the node refuses to call."""
import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import pathlib
import shutil
import sqlite3
import sys
import threading
import time
import unittest
import urllib.request
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, Node  # noqa: E402

SHOP = ROOT / "tests/support/shop"
PORT = "sales/orders/orders@1"


class Receiver:
    """Takes what is posted to it, and answers with the statuses that it is told to, then with 204."""

    def __init__(self):
        self.got: list[tuple[dict, bytes]] = []
        self.answers: list[int] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(outer.answers.pop(0) if outer.answers else 204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def wait(what, seconds: float = 30):
    deadline = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > deadline:
            raise AssertionError("it does not come")
        time.sleep(0.05)
    return found


class WebhookTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.close)
        cls.node = Node("--webhook-hosts", "127.0.0.1", "--webhook-private", "--webhook-retry", "50ms",
                        "--webhook-attempts", "3")
        cls.addClassCleanup(cls.node.__exit__)
        cls.node.start()
        cls.shop = cls.node.folder / "shop"
        shutil.copytree(SHOP, cls.shop)
        cls.node.run("apply", str(cls.shop))

    def setUp(self):
        self.receiver.got.clear()
        self.receiver.answers.clear()

    def tearDown(self):
        for each in self.node.json("subscriptions")["subscriptions"]:
            self.node.run("unsubscribe", each["id"])

    def subscribe(self, *words: str) -> dict:
        return self.node.json("subscribe", *words, "--webhook", self.receiver.url + "/hook?a=b")

    def state(self) -> dict:
        return self.node.json("subscriptions")["subscriptions"][0]

    def test_an_event_comes_signed_and_without_data(self):
        made = self.subscribe("sales/orders", "--to", "commits")
        self.node.run("run", "sales/orders", "--force")
        headers, body = wait(lambda: self.receiver.got)[0]
        self.assertEqual(headers["content-type"], "application/cloudevents+json")
        key = base64.b64decode(made["secret"].removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        seal = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        self.assertEqual(headers["webhook-signature"], "v1," + seal)
        self.assertLess(abs(time.time() - int(headers["webhook-timestamp"])), 60)
        event = json.loads(body)
        self.assertEqual((event["specversion"], event["type"], event["subject"]), ("1.0", "weft.commit", PORT))
        self.assertEqual(set(event), {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"})
        self.assertEqual(set(event["data"]), {"address", "topic", "by", "snapshot", "run", "contract"})
        self.assertNotIn("secret", json.dumps(self.node.json("subscriptions")).replace("secret\": null", ""))

    def test_what_fails_comes_again_in_order(self):
        self.subscribe(PORT, "--to", "commits")
        self.receiver.answers[:] = [500, 503]
        self.node.run("run", PORT, "--force")
        self.node.run("run", PORT, "--force")
        wait(lambda: len(self.receiver.got) >= 4)
        ids = [headers["webhook-id"] for headers, _ in self.receiver.got]
        self.assertEqual(len(ids), 4)
        self.assertEqual(len(set(ids[:3])), 1, "the same event, until it is taken")
        rows = [int(json.loads(body)["id"]) for _, body in self.receiver.got]
        self.assertEqual(rows, sorted(rows))
        wait(lambda: self.state()["failures"] == 0)

    def test_it_is_given_up_at_last(self):
        self.subscribe(PORT, "--to", "commits")
        self.receiver.answers[:] = [500] * 10
        self.node.run("run", PORT, "--force")
        wait(lambda: self.state()["state"] == "dead")
        self.assertEqual(len(self.receiver.got), 3)
        self.assertIn("answered 500", self.state()["why"])
        dead = wait(lambda: self.node.json("audit", "log", "--kind", "webhook.dead")["rows"])
        self.assertEqual(dead[0]["address"], PORT)

    def test_gone_is_the_receivers_word_for_no_more(self):
        self.subscribe(PORT, "--to", "commits")
        self.receiver.answers[:] = [410]
        self.node.run("run", PORT, "--force")
        wait(lambda: self.state()["state"] == "dead")
        self.assertEqual(len(self.receiver.got), 1)

    def test_who_may_sign_in_no_more_is_told_no_more(self):
        self.node.run("user", "create", "zoe", "--password-stdin", text="correct horse battery\n")
        token = self.node.run("token", "create", "zoe").strip()
        self.node.run("subscribe", PORT, "--to", "commits", "--webhook", self.receiver.url, token=token)
        self.node.run("run", PORT, "--force")
        wait(lambda: self.receiver.got)
        self.node.run("user", "disable", "zoe")
        self.node.run("run", PORT, "--force")
        wait(lambda: self.node.json("audit", "log", "--kind", "webhook.dead", "--principal", "zoe")["rows"])
        self.assertEqual(len(self.receiver.got), 1)

    def test_the_secret_of_a_webhook_that_ended_is_in_no_file(self):
        if not self.node.store.startswith("sqlite:"):
            self.skipTest("about the files of SQLite")
        made = self.subscribe()

        def held(bytes_: str) -> bool:
            return any(bytes_.encode() in file.read_bytes() for file in self.node.data.glob("weft.db*"))
        with contextlib.closing(sqlite3.connect(self.node.data / "weft.db")) as store:
            (sealed,), = store.execute("SELECT value FROM sealed WHERE name = ?", (made["id"],)).fetchall()
        self.assertTrue(held(sealed))
        self.node.run("unsubscribe", made["id"])
        self.assertFalse(held(sealed))

    def test_what_came_while_the_node_was_away_is_told(self):
        self.subscribe(PORT, "--to", "commits")
        self.receiver.answers[:] = [500]
        self.node.run("run", PORT, "--force")
        wait(lambda: self.receiver.got)
        self.node.stop()
        self.node.start()
        wait(lambda: len(self.receiver.got) >= 2)
        ids = [headers["webhook-id"] for headers, _ in self.receiver.got]
        self.assertEqual(len(set(ids)), 1)

    def test_server_sent_events_go_on_where_they_were(self):
        def stream(last: str | None) -> list[dict]:
            call = urllib.request.Request(f"{self.node.url}/v1/events?address={PORT}&topics=commits")
            call.add_header("Authorization", f"Bearer {self.node.token}")
            call.add_header("Accept", "text/event-stream")
            if last is not None:
                call.add_header("Last-Event-ID", last)
            with urllib.request.urlopen(call, timeout=20) as answer:
                self.assertEqual(answer.headers["content-type"], "text/event-stream")
                blocks = answer.read().decode().strip().split("\n\n")
            return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]

        begun = stream(None)
        self.assertEqual(begun[0], {"retry": "1000"})
        self.assertEqual(set(begun[-1]), {"id"}, "nothing but where to go on")
        self.node.run("run", PORT, "--force")
        told = wait(lambda: [each for each in stream(begun[-1]["id"]) if "data" in each])
        self.assertEqual([each["event"] for each in told], ["weft.commit"])
        self.assertEqual(json.loads(told[0]["data"])["id"], told[0]["id"])
        self.assertEqual([each for each in stream(told[0]["id"]) if "data" in each], [])

    def test_an_atom_feed(self):
        call = urllib.request.Request(f"{self.node.url}/v1/feed?address=sales")
        call.add_header("Authorization", f"Bearer {self.node.token}")
        atom = "{http://www.w3.org/2005/Atom}"

        def entries() -> list:
            with urllib.request.urlopen(call, timeout=20) as answer:
                self.assertEqual(answer.headers["content-type"], "application/atom+xml")
                return list(xml.etree.ElementTree.fromstring(answer.read()).iter(atom + "entry"))

        told = wait(entries)
        titles = [entry.find(atom + "title").text for entry in told]
        self.assertIn("sales/orders 1.0.0 was published by admin", titles)
        for name in ("id", "title", "updated"):
            self.assertTrue(all(entry.find(atom + name).text for entry in told))


class ReachTest(unittest.TestCase):
    """The node calls nothing that its administrator has not named, whatever a name resolves to."""

    def test_a_host_must_be_named_and_public(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        with Node("--webhook-hosts", "localhost", "--webhook-hosts", "127.0.0.1", "--webhook-retry", "20ms",
                  "--webhook-attempts", "2") as node:
            shutil.copytree(SHOP, node.folder / "shop")
            node.run("apply", str(node.folder / "shop"))
            node.run("subscribe", PORT, "--webhook", receiver.url, code=3)
            node.run("subscribe", PORT, "--webhook", "https://hooks.example.com/", code=4)
            port = receiver.server.server_port
            for host in ("localhost", "127.0.0.1"):
                node.run("subscribe", PORT, "--webhook", f"https://{host}:{port}/")
            node.run("run", "sales/orders")
            states = wait(lambda: [each["state"] for each in node.json("subscriptions")["subscriptions"]] == ["dead"] * 2)
            self.assertTrue(states)
            self.assertEqual(receiver.got, [])


if __name__ == "__main__":
    unittest.main()
