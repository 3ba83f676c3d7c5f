"""A node of its own for a test or a bench: a temporary data folder, free ports, the command line, Flight clients."""
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import store as stores

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEFT = pathlib.Path(os.environ.get("WEFT_PROGRAM", ROOT / "build" / "weft"))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Node:
    """Starts `weft serve` and waits until it is ready; stops it and removes its folder at the end."""

    def __init__(self, *flags: str, data: pathlib.Path | None = None, ca: pathlib.Path | None = None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-"))
        self.data = data or self.folder / "data"
        self.flags = flags
        # Of the store that the tests run on; a test may choose another itself.
        self.store, self.own_store = f"sqlite:{self.data}/weft.db", False
        if stores.chosen() == "postgres" and "--store" not in flags:
            self.store, self.own_store = stores.create(), True
            self.flags += ("--store", self.store)
        self.tls = ssl.create_default_context(cafile=str(ca)) if ca else None
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("WEFT_")}
        self.env |= {"XDG_STATE_HOME": str(self.folder / "state"), "XDG_DATA_HOME": str(self.folder / "share"),
                     "HOME": str(self.folder), "NO_COLOR": "1"}
        self.node_env: dict[str, str] = {}  # For the node alone.
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Node":
        self.start()
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            if self.own_store:
                stores.drop(self.store)
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> float:
        """Seconds until the node answered that it is ready."""
        began = time.monotonic()
        self.log = open(self.folder / "node.log", "ab")
        self.process = subprocess.Popen(
            [str(WEFT), "serve", "--data", str(self.data), *([] if "--http-port" in self.flags else ["--http-port", "0"]),
             "--flight-port", "0", *self.flags],
            env=self.env | self.node_env, stdout=self.log, stderr=self.log)
        while True:
            entry = self._entry()
            if entry and self._ready(entry["url"]):
                self.url, self.flight = entry["url"], entry["flight"]
                self.token = pathlib.Path(entry["token_file"]).read_text().strip()
                self.env |= {"WEFT_NODE": self.url}
                return time.monotonic() - began
            if self.process.poll() is not None or time.monotonic() - began > 60:
                raise RuntimeError("the node did not start:\n" + (self.folder / "node.log").read_text())
            time.sleep(0.005)

    def _entry(self) -> dict | None:
        for file in (self.folder / "state" / "weft" / "nodes").glob("*.json"):
            try:
                entry = json.loads(file.read_text())
            except (OSError, ValueError):
                continue
            if entry.get("pid") == self.process.pid:
                return entry
        return None

    def _ready(self, url: str) -> bool:
        try:
            with urllib.request.urlopen(url + "/v1/ready", timeout=5, context=self.tls) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self, how: int = signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            code = self.process.wait(timeout=30)
            # A sanitizer tells of leaks at the end, by the exit code.
            if how == signal.SIGTERM and code != 0:
                raise AssertionError(f"the node ended with {code}:\n" + (self.folder / "node.log").read_text(errors="replace")[-20_000:])

    def run(self, *command: str, code: int | None = 0, text: str | None = None, token: str | None = None, purpose: str | None = None) -> str:
        """The standard output of `weft COMMAND…`; fails unless it exits with `code` (None: any)."""
        given = {"WEFT_TOKEN": token, "WEFT_PURPOSE": purpose}
        env = self.env | {name: value for name, value in given.items() if value}
        done = subprocess.run([str(WEFT), *command], env=env, text=True, input=text, capture_output=True)
        if code is not None and done.returncode != code:
            raise AssertionError(f"weft {' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *command: str, **how):
        return json.loads(self.run(*command, "--json", **how))

    def call(self, method: str, path: str, body: dict | None = None, token: str | None = None) -> tuple[int, dict]:
        """The status and the answer of a request with that token, or the administrator's."""
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {self.token if token is None else token}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60, context=self.tls) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def memory(self) -> int:
        """Resident bytes of the node's process."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmRSS")

    def adbc(self, token: str | None = None, **options: str):
        """An ADBC Flight SQL connection, as a consumer makes it."""
        from adbc_driver_flightsql import dbapi
        keys = {"adbc.flight.sql.authorization_header": f"Bearer {token or self.token}"}
        return dbapi.connect(self.flight, db_kwargs=keys | options)
