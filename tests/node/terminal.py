"""The command line as a person at a terminal and a program at a pipe meet it: completion in a real bash, tables at a
terminal's width, the Python that `weft show` prints, and --json on every command."""
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, WEFT, Node  # noqa: E402

SHOP = ROOT / "tests/support/shop"
PORT = "sales/orders/orders@1"


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, columns: int, command: list[str], env: dict, folder: pathlib.Path):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self.process = subprocess.Popen(command, env=env | {"TERM": "xterm"}, cwd=folder, stdin=slave, stdout=slave,
                                        stderr=slave, start_new_session=True, close_fds=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))  # Ctrl-C comes by it.
        os.close(slave)
        self.text = ""

    def read(self, wait: float) -> bool:
        """False at the end, or after so long without a byte."""
        if not select.select([self.master], [], [], wait)[0]:
            return False
        try:
            piece = os.read(self.master, 65536)
        except OSError:  # The other side has closed.
            return False
        self.text += piece.decode().replace("\r\n", "\n")
        return bool(piece)

    def until(self, pattern: str) -> str:
        deadline = time.monotonic() + 20
        while not re.search(pattern, self.text):
            if time.monotonic() > deadline:
                raise AssertionError(f"no {pattern!r} in {self.text!r}")
            self.read(0.5)
        return self.text

    def whole(self) -> str:
        while self.read(20):
            pass
        self.process.wait(timeout=20)
        return self.text

    def type(self, text: str):
        os.write(self.master, text.encode())

    def close(self):
        if self.process.poll() is None:
            self.process.kill()  # A shell at a terminal ignores anything less.
        self.process.wait(timeout=20)
        os.close(self.master)


class TerminalTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.addClassCleanup(cls.node.__exit__)
        cls.node.start()
        cls.shop = cls.node.folder / "shop"
        shutil.copytree(SHOP, cls.shop)
        (cls.shop / "entities").mkdir()
        (cls.shop / "entities/all.yaml").write_text("entities: [{name: buyer, type: string}]\n")
        (cls.shop / "terms").mkdir()
        (cls.shop / "terms/all.yaml").write_text("terms: [{name: paid, definition: The money is there.}]\n")
        (cls.shop / "policies").mkdir()
        (cls.shop / "policies/purposes.yaml").write_text("purposes: [{name: for-x}, {name: for-y}]\n")
        cls.node.run("apply", str(cls.shop))
        cls.node.run("grant", "admin", PORT)
        cls.node.run("grant", "group:analysts", PORT)
        cls.node.run("run", "--all", code=None)
        bin = cls.node.folder / "bin"
        bin.mkdir()
        (bin / "weft").symlink_to(WEFT)
        cls.env = cls.node.env | {"PATH": f"{bin}:{os.environ['PATH']}"}

    def at(self, columns: int, *command: str) -> str:
        """What `weft COMMAND…` writes on a terminal so wide."""
        terminal = Terminal(columns, [str(WEFT), *command, "--quiet"], self.env, self.node.folder)
        try:
            return terminal.whole()
        finally:
            terminal.close()

    def complete(self, line: str, **env: str) -> list[str]:
        """What a real bash offers for the line, by its own completion."""
        ask = ('source <(weft completion bash); COMP_LINE=$1; COMP_POINT=${#1}; _weft weft; '
               'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", ask, "bash", line], env=self.env | env, cwd=self.node.folder,
                              capture_output=True, text=True, timeout=20)
        self.assertEqual(done.stderr, "")
        return done.stdout.split("\n")[:-1] if done.stdout != "\n" else []

    def test_tab_completes_an_address(self):
        terminal = Terminal(100, ["bash", "--norc", "--noprofile", "-i"], self.env | {"PS1": "> "}, self.node.folder)
        try:
            terminal.type("source <(weft completion bash)\n")
            terminal.until(r"> $")
            terminal.type("weft sample sales/o\t")
            terminal.until(r"weft sample sales/orders/orders@1 $")
            terminal.type("-n 1\n")
            self.assertIn("customer", terminal.until(r"1 row\n"))
            terminal.type("weft revoke group:a\t")
            terminal.until(r"weft revoke group:analysts $")
        finally:
            terminal.close()

    def test_completion_asks_the_node(self):
        self.assertEqual(self.complete("weft tok"), ["token"])
        self.assertEqual(self.complete("weft token cr"), ["create"])
        self.assertEqual(self.complete("weft sql --fo"), ["--format"])
        self.assertEqual(self.complete("weft sql --format j"), ["json", "jsonl"])
        self.assertEqual(self.complete("weft completion z"), ["zsh"])
        self.assertEqual(self.complete("weft show sales/"), ["sales/orders", PORT])
        self.assertEqual(self.complete("weft sample sales/"), [PORT])
        self.assertEqual(self.complete("weft sample sales/orders/orders@"), ["1"], "after the word break @")
        self.assertEqual(self.complete("weft list s"), ["sales"])
        self.assertEqual(self.complete("weft run --force s"), ["sales", "sales/orders", PORT])
        self.assertEqual(self.complete("weft run sales insi"), ["insight", "insight/revenue", "insight/revenue/daily@1"])
        self.assertEqual(self.complete("weft grant ad"), ["admin"])
        self.assertEqual(self.complete("weft grant group:"), ["analysts", "sales-team"], "after the word break :")
        self.assertEqual(self.complete("weft grant ana sal"), [PORT])
        self.assertEqual(self.complete("weft audit log --principal ad"), ["admin"])
        self.assertEqual(self.complete(f"weft --node {self.node.url} --token-file admin.token snapshots ins"), [])
        runs = self.node.json("runs")["runs"]
        self.assertEqual(sorted(self.complete("weft cancel run_")), sorted(run["id"] for run in runs))
        tokens = self.node.json("token", "list")["tokens"]
        self.assertEqual(sorted(self.complete("weft token revoke ")), sorted(token["id"] for token in tokens))
        self.assertEqual(self.complete("weft apply sh"), ["shop"], "a folder of the shell's own")
        self.assertEqual(self.complete("weft nonsense sal"), [])

    def test_completion_knows_what_an_option_is_about(self):
        self.assertEqual(self.complete("weft explain ad"), ["admin"])
        self.assertEqual(self.complete("weft explain admin pu"), ["publish"])
        self.assertEqual(self.complete("weft explain admin publish insi"),
                         ["insight", "insight/revenue", "insight/revenue/daily@1"])
        self.assertEqual(self.complete("weft sql --purpose for"), ["for-x", "for-y"])
        self.assertEqual(self.complete(f"weft grant zoe {PORT} --purpose for-y"), ["for-y"])
        self.assertEqual(self.complete(f"weft audit who {PORT} --column cu"), ["customer"])
        self.assertEqual(self.complete(f"weft grant zoe {PORT} --columns id,cu"), ["id,customer"])
        self.assertEqual(self.complete("weft request --columns cu"), [], "no port is named yet")
        self.assertEqual(self.complete("weft token create zoe --scope read,pu"), ["read,publish"])
        self.assertEqual(self.complete("weft audit log --kind grant"), ["grant.ending", "granted"])
        self.assertEqual(self.complete("weft entity rotate b"), ["buyer"])
        self.assertEqual(self.complete("weft term show p"), ["paid"])
        snapshots = [snapshot["id"] for snapshot in self.node.json("snapshots", PORT)["snapshots"]]
        self.assertEqual(sorted(self.complete(f"weft tag {PORT} x --snapshot ")), sorted(snapshots))
        asked = self.node.json("request", "insight/revenue/daily", "--because", "to see", "--purpose", "for-x")["id"]
        self.assertIn(asked, self.complete("weft withdraw req_"))
        self.node.run("withdraw", asked)
        self.node.run("user", "create", "tabea", "--password-stdin", text="correct horse battery\n")
        self.assertEqual(self.complete("weft user disable ta"), ["tabea"])
        self.node.run("service", "create", "tabs")
        self.assertEqual(self.complete("weft service disable ta"), ["tabs"])
        self.node.run("secret", "put", "tab", "--domain", "sales", text="x\n")
        self.assertEqual(self.complete("weft secret remove t"), ["tab"])
        self.node.run("secret", "remove", "tab", "--domain", "sales")
        # Whoever may not list accounts is told of none, and no denial is on record for it.
        zoe = self.node.run("token", "create", "zoe").strip()
        self.assertEqual(self.complete("weft user disable ta", WEFT_TOKEN=zoe), [])
        time.sleep(0.5)  # Until it would have been sealed.
        self.assertEqual(self.node.json("audit", "log", "--kind", "denied", "--principal", "zoe")["rows"], [])

    def test_completion_is_silent_without_a_node(self):
        began = time.monotonic()
        self.assertEqual(self.complete("weft show sal", WEFT_NODE="http://127.0.0.1:1"), [])
        self.assertEqual(self.complete("weft show sal", WEFT_TOKEN="weft_nonsense"), [])
        self.assertLess(time.monotonic() - began, 5)

    def test_other_shells_ask_the_same(self):
        for shell, script in {"zsh": 'words=(weft show sales/); CURRENT=3; _describe() { print -l -- $said }; '
                                     'compdef() { }; source <(weft completion zsh); _weft',
                              "fish": 'weft completion fish | source; complete -C "weft show sales/"'}.items():
            text = self.node.run("completion", shell)
            self.assertIn("weft complete -- ", text)
            if shutil.which(shell):
                done = subprocess.run([shell, "-c", script], env=self.env, capture_output=True, text=True, timeout=20)
                self.assertIn("sales/orders/orders@1", done.stdout, done.stderr)

    def test_tables_keep_what_they_are_read_for(self):
        for columns in (80, 120):
            for command in (["runs"], ["audit", "log"], ["list"], ["grants"], ["token", "list"], ["show", "sales/orders"],
                            ["snapshots", PORT], ["settings"]):
                text = self.at(columns, *command)
                if command[0] != "settings":  # A path of the person's own is never cut.
                    self.assertLessEqual(max(map(len, text.split("\n"))), columns, f"{command} at {columns}:\n{text}")
        runs = self.node.json("runs")["runs"]
        for columns in (60, 80, 200):
            text = self.at(columns, "runs")
            for run in runs:
                for field in ("id", "address", "status"):
                    self.assertIn(run[field], text, f"runs at {columns}")
            text = self.at(columns, "audit", "log")
            for row in self.node.json("audit", "log")["rows"]:
                for field in ("address", "kind", "principal"):
                    self.assertIn(row[field], text, f"audit log at {columns}")
        self.assertIn("without ", self.at(60, "runs"))
        self.assertNotIn("without ", self.at(200, "runs"))
        self.assertNotIn("without ", self.at(300, "audit", "log"))

    def test_wide_rows_stand_as_records(self):
        sql = "SELECT " + ", ".join(f"'value {i}' AS column_{i}" for i in range(20))
        text = self.at(80, "sql", sql)
        self.assertIn("row 1\n", text)
        self.assertRegex(text, r"column_19 +value 19\n")
        self.assertLessEqual(max(map(len, text.split("\n"))), 80)
        self.assertRegex(self.at(400, "sql", sql), r"column_0 +column_1 ")

    def snippet(self, *options: str, **env: str) -> str:
        shown = subprocess.run([str(WEFT), *options, "show", PORT], env=self.env | env, capture_output=True, text=True)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        script = shown.stdout.split("adbc-driver-flightsql pyarrow:\n\n")[1]
        self.assertLessEqual(max(map(len, script.split("\n"))), 100 + len(str(self.node.folder)))
        done = subprocess.run([sys.executable, "-c", script], env=self.env | env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, script + done.stderr)
        self.assertIn("Ada", done.stdout, script)
        return script

    def test_the_python_that_show_prints_runs_as_it_is(self):
        self.assertIn("admin.token", self.snippet())
        file = self.node.folder / "my token"
        file.write_text(self.node.token + "\n")
        self.assertIn("my token", self.snippet("--token-file", str(file)))
        self.assertIn('os.environ["WEFT_TOKEN"]', self.snippet(WEFT_TOKEN=self.node.token))
        self.assertIn("for-x", self.snippet("--purpose", "for-x"))

    def typed(self, *command: str):
        """The command on a terminal of its own, once it asks, and how that terminal stands."""
        terminal = Terminal(100, [str(WEFT), *command], self.env, self.node.folder)
        self.addCleanup(terminal.close)
        terminal.until(r": $")
        return terminal, lambda: bool(termios.tcgetattr(terminal.master)[3] & termios.ECHO)

    def test_what_is_typed_unseen_leaves_the_terminal_as_it_was(self):
        for command in (["secret", "put", "typed", "--domain", "sales"], ["user", "create", "typist"]):
            for end in ("\x03", "\x1c", "\x1a", "\x04"):  # Ctrl-C, Ctrl-\\, Ctrl-Z, Ctrl-D.
                with self.subTest(command=command, end=end):
                    terminal, echoes = self.typed(*command)
                    self.assertFalse(echoes())
                    terminal.type("hun" + ("\n" if end == "\x04" and command[0] == "user" else ""))
                    if end == "\x04" and command[0] == "user":
                        terminal.until(r"Once more: $")
                    terminal.type(end * 2 if end == "\x04" else end)
                    self.assertIn("nothing was typed", terminal.whole())
                    self.assertTrue(echoes())
                    self.assertEqual(terminal.process.returncode, 3)
        self.assertEqual(self.node.json("secret", "list")["secrets"], [])
        terminal, echoes = self.typed("secret", "put", "typed", "--domain", "sales")
        terminal.type("hunter2\n")
        self.assertNotIn("hunter2", terminal.whole())
        self.assertTrue(echoes())
        self.assertEqual([secret["name"] for secret in self.node.json("secret", "list")["secrets"]], ["typed"])
        self.node.run("secret", "remove", "typed", "--domain", "sales")

    def test_a_line_from_another_system_ends_as_one_of_here(self):
        self.node.run("user", "create", "dos", "--password-stdin", text="correct horse battery\r\n")
        change = {"current": "correct horse battery", "password": "another horse battery"}
        token = self.node.run("token", "create", "dos").strip()
        self.assertEqual(self.node.call("POST", "/v1/users/dos/password", change, token)[0], 200)
        long = "1" * (64 << 10) + "1"
        self.node.run("cel", "-", text=long, code=3)
        self.node.run("secret", "put", "long", "--domain", "sales", text=long, code=3)
        self.node.run("secret", "put", "long", "--domain", "sales", text=long[1:] + "\n")
        self.node.run("secret", "remove", "long", "--domain", "sales")

    def test_which_token_counts(self):
        other = self.node.folder / "other.token"
        other.write_text(self.node.run("token", "create", "zoe"))
        ana, env = self.node.run("token", "create", "ana").strip(), self.env | {"WEFT_TOKEN_FILE": str(other)}

        def who(env: dict, *words: str) -> str:
            done = subprocess.run([str(WEFT), "whoami", *words], env=env, text=True, capture_output=True)
            return done.stdout.strip().split(",")[0] or str(done.returncode)

        self.assertEqual(who(env), "zoe")
        self.assertEqual(who(env | {"WEFT_TOKEN": ana}), "ana")
        self.assertEqual(who(env, "--token", ana), "ana")
        self.assertEqual(who(self.env | {"WEFT_TOKEN": ana}, "--token-file", str(other)), "zoe")
        self.assertEqual(who(self.env, "--token-file", str(other), "--token", ana), "2")

    # Every command of `weft --help`: words that make it succeed, and words that make the node or it refuse; None where
    # there is no such case.
    COMMANDS = {
        "new mesh": (["{other}/begun", "--domain", "sales"], ["/proc/nothing", "--domain", "sales"]),
        "new product": (["sales/rows", "--from", "{shop}/domains/sales/orders/data/orders.csv", "--into", "{other}"],
                        ["sales/rows", "--from", "nowhere"]),
        "dev": (["{shop}"], ["nowhere"]),
        "check": (["{shop}"], ["nowhere"]),
        "diff": (["{contract}", "{contract}"], ["{contract}", "nowhere"]),
        "import": (["{exchange}/everything.datacontract.yaml", "--domain", "sales", "--into", "{other}"], ["nowhere"]),
        "export": (["datacontract", PORT], ["datacontract", "sales/nothing/x"]),
        "plan": (["{shop}"], ["nowhere"]),
        "apply": (["{shop}"], ["nowhere"]),
        "promote": ([], ["sales/orders", "--to", "http://127.0.0.1:1"]),
        "cel": (["1 + 1"], ["1 +"]),
        "explain": (["zoe", "read", PORT], ["zoe", "read", "sales/nothing/x"]),
        "policy list": ([], None),
        "new schemas": (["{other}"], ["/proc/nothing"]),
        "new policies": (["{other}"], ["/proc/nothing"]),
        "entity list": ([], None),
        "entity show": (["buyer"], ["nobody"]),
        "entity rotate": (["buyer"], ["nobody"]),
        "term list": ([], None),
        "term show": (["paid"], ["nothing"]),
        "entity erase": (["buyer", "--generation", "1"], ["nobody", "--all"]),
        "list": ([], ["nodomain"]),
        "show": ([PORT], ["sales/nothing/x"]),
        "search": (["order"], ["order", "--domain", "nodomain"]),
        "lineage": ([PORT], ["sales/nothing/x"]),
        "sample": ([PORT], ["sales/nothing/x"]),
        "sql": (["SELECT 1 AS n"], ["SELECT nothing"]),
        "run": ([PORT, "--force"], ["sales/nothing/x"]),
        "runs": ([], ["run_00000000000000000000000000"]),
        "cancel": (["{pending}"], ["run_00000000000000000000000000"]),
        "retry": (["{refused}"], ["run_00000000000000000000000000"]),
        "fix": ([], ["sales/nothing/x", "--all", "--why", "tests"]),
        "rollback": ([PORT], [PORT, "--to", "nowhere"]),
        "why": ([PORT], ["sales/nothing/x"]),
        "pause": ([PORT, "--because", "it moves"], ["sales/nothing/x"]),
        "resume": ([PORT], ["sales/nothing/x"]),
        "snapshots": ([PORT], ["sales/nothing/x"]),
        "tag": ([PORT, "year-end"], ["sales/nothing/x", "year-end"]),
        "grant": (["zoe", PORT], ["zoe", "sales/nothing/x"]),
        "request": (["insight/revenue/daily", "--because", "a look at it", "--purpose", "for-x"],
                    ["sales/nothing/x", "--because", "a look at it"]),
        "requests": ([], ["req_00000000000000000000000000"]),
        "approve": ([], ["req_00000000000000000000000000"]),
        "refuse": ([], ["req_00000000000000000000000000", "--note", "no"]),
        "ask": ([], ["req_00000000000000000000000000", "why?"]),
        "answer": ([], ["req_00000000000000000000000000", "because"]),
        "withdraw": ([], ["req_00000000000000000000000000"]),
        "feedback list": ([], ["sales/nothing"]),
        "feedback rate": (["sales/orders", "4"], ["sales/nothing", "4"]),
        "feedback ask": (["sales/orders", "with tax?"], ["sales/nothing", "with tax?"]),
        "feedback report": (["sales/orders", "a row twice"], ["sales/nothing", "a row twice"]),
        "feedback answer": ([], ["fbk_00000000000000000000000000", "yes"]),
        "feedback close": ([], ["fbk_00000000000000000000000000"]),
        "feedback remove": ([], ["fbk_00000000000000000000000000"]),
        "delegate": (["zoe"], ["group:x"]),
        "delegations": ([], None),
        "subscribe": ([PORT, "--to", "versions"], ["sales/nothing/x"]),
        "subscriptions": ([], None),
        "unsubscribe": ([], ["sub_00000000000000000000000000"]),
        "deprecations": ([], None),
        "purpose list": ([], None),
        "revoke": (["zoe", PORT], ["zoe", "sales/nothing/x"]),
        "grants": ([], ["sales/nothing/x"]),
        "token create": (["zoe"], ["not a principal"]),
        "token list": ([], None),
        "token revoke": (["{token}"], ["tok_00000000000000000000000000"]),
        "whoami": ([], None),
        "secret put": (["db", "--domain", "sales", "--from-file", "{value}"], ["db", "--domain", "nodomain", "--from-file", "{value}"]),
        "secret list": ([], ["--domain", "nodomain"]),
        "secret remove": (["db", "--domain", "sales"], ["db", "--domain", "nodomain"]),
        "secret reseal": ([], None),
        "login": ([], ["--node", "http://127.0.0.1:1"]),
        "logout": ([], None),
        "user create": (["zoe", "--password-stdin"], ["not a name", "--password-stdin"]),
        "user list": ([], None),
        "user passwd": (["zoe", "--password-stdin"], ["nobody", "--password-stdin"]),
        "user disable": (["zoe"], ["nobody"]),
        "user enable": (["zoe"], ["nobody"]),
        "service create": (["loader"], ["loader"]),
        "service list": ([], None),
        "service disable": (["loader"], ["nobody"]),
        "service enable": (["loader"], ["nobody"]),
        "init": (["--data", "{other}"], ["--data", "{other}", "--host", "a b"]),
        "serve": (["--data", "{other}", "--http-port", "0", "--flight-port", "0"], ["--data", "/proc/nothing"]),
        "status": ([], None),
        "audit who": ([PORT], ["sales/nothing/x"]),
        "audit what": ([], None),
        "audit export": (["-o", "audit.jsonl"], ["--since", "2999-01-01", "-o", "audit.jsonl"]),
        "audit log": ([], None),
        "audit verify": ([], None),
        "upkeep": ([PORT], ["sales/nothing/x"]),
        "sweep": ([], None),
        "backup": (["{backup}"], ["/proc/nothing/backup"]),
        "restore": (["{backup}", "--data", "{restored}", "--warehouse", "{warehouse}"], ["nowhere"]),
        "actions": ([], None),
        "settings": ([], ["--config", "nowhere.yaml"]),
        "completion": (["bash"], None),
        "version": ([], None),
    }
    # Those need what there is not yet (a run in a state that passes, a former snapshot), or a person and what they ask; the error's form is what is left to see.
    ONLY_ERRORS = {"cancel", "retry", "login", "approve", "refuse", "ask", "answer", "withdraw", "fix", "rollback", "unsubscribe",
                   "promote", "feedback answer", "feedback close", "feedback remove", "dev"}

    def call(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run([str(WEFT), *words, "--json"], env=self.env, cwd=self.node.folder, capture_output=True,
                              text=True, timeout=60, input="correct horse battery\n")

    def error_of(self, done: subprocess.CompletedProcess) -> dict:
        self.assertNotEqual(done.returncode, 0, done.args)
        error = json.loads(done.stderr)
        self.assertEqual(set(error), {"code", "message", "problems"}, done.args)
        self.assertTrue(error["message"])
        return error

    def test_every_command_answers_json(self):
        told = [command["command"] for command in self.node.json("actions")["commands"]]
        self.assertEqual(set(told), set(self.COMMANDS), "every command has its case here")
        usage = self.node.run("--help")
        for command in told:
            self.assertRegex(usage, rf"(?m)^  {command} +[A-Z]")
        token = self.node.json("token", "create", "zoe")["token"]["id"]
        places = {"shop": self.shop, "token": token, "other": self.node.folder / "other",
                  "exchange": ROOT / "tests" / "exchange" / "samples", "backup": self.node.folder / "backup",
                  "warehouse": self.node.folder / "data" / "warehouse", "restored": self.node.folder / "restored",
                  "value": self.node.folder / "value", "contract": self.shop / "domains/sales/orders/orders.odcs.yaml"}
        places["value"].write_text("hunter2\n")
        for name, (good, bad) in self.COMMANDS.items():
            with self.subTest(command=name):
                self.assertEqual(self.error_of(self.call(*name.split(), "--nonsense"))["code"], "usage")
                if name == "serve":
                    self.serve_answers([word.format(**places) for word in good])
                elif name not in self.ONLY_ERRORS:
                    done = self.call(*name.split(), *[word.format(**places) for word in good])
                    self.assertEqual(done.returncode, 0, f"{done.args}\n{done.stderr}")
                    json.loads(done.stdout)
                    self.assertEqual(done.stderr, "", name)
                if bad is not None:
                    error = self.error_of(self.call(*name.split(), *[word.format(**places) for word in bad]))
                    self.assertNotEqual(error["code"], "usage", name)
        unreachable = self.call("list", "--node", "http://127.0.0.1:1")
        self.assertEqual(self.error_of(unreachable)["code"], "unavailable")
        self.assertEqual(unreachable.returncode, 7)
        for words in (["nonsense"], ["token"], ["show"], ["sql", ""]):
            self.assertEqual(self.error_of(self.call(*words))["code"], "usage")

    def serve_answers(self, words: list[str]):
        process = subprocess.Popen([str(WEFT), "serve", *words, "--json"], env=self.env, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True)
        try:
            where = json.loads(process.stdout.readline())
            self.assertEqual(where["pid"], process.pid)
            self.assertEqual(self.call("status", "--node", where["url"]).returncode, 0)
        finally:
            process.terminate()
            self.assertEqual(process.wait(timeout=30), 0)
            process.stdout.close()


if __name__ == "__main__":
    unittest.main()
