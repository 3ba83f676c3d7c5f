"""Debian's PostgreSQL with a cluster of its own: a temporary folder, a free port, password and socket, nothing of the machine's."""
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time

from node import free_port


def programs() -> pathlib.Path:
    """Where the server's programs are, which is on nobody's PATH; the newest where there are several."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise RuntimeError("there is no PostgreSQL server: tools/setup.sh test installs it")
    return found[-1].parent


class Postgres:
    """A server while it lives: superuser `weft` by password over 127.0.0.1 and the socket in `folder`."""

    def __init__(self, *settings: str):
        """`settings`: name=value each, as postgresql.conf has them; they come after what makes a test fast."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-postgres-"))
        self.settings = ["fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=32MB", "jit=off", *settings]
        self.host, self.user, self.password = "127.0.0.1", "weft", secrets.token_hex(12)
        self.process: subprocess.Popen | None = None
        # The server refuses to be root.
        self.who = {}
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            self.who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._make()

    def _make(self):
        secret = self.folder / "password"
        secret.write_text(self.password)
        if self.who:
            os.chown(secret, self.who["user"], self.who["group"])
        subprocess.run([programs() / "initdb", "--no-sync", "-D", self.folder / "data", "-U", self.user, "--pwfile", secret,
                        "--auth", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8"],
                       check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self.who)

    def __enter__(self) -> "Postgres":
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        """On a free port, which it keeps when it is started again."""
        self.port = getattr(self, "port", None) or free_port()
        settings = [word for setting in (f"port={self.port}", f"listen_addresses={self.host}", f"unix_socket_directories={self.folder}",
                                         *self.settings) for word in ("-c", setting)]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen([programs() / "postgres", "-D", self.folder / "data", *settings],
                                            stdout=log, stderr=log, cwd=self.folder, **self.who)
        until = time.monotonic() + 60
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("PostgreSQL did not start:\n" + self.log())
            time.sleep(0.01)

    def _ready(self) -> bool:
        try:
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def stop(self, how: int = signal.SIGINT):
        """SIGINT ends sessions and the server in order, SIGKILL and SIGQUIT as a crash does."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)

    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")

    def url(self, database: str = "postgres", password: bool = True) -> str:
        secret = f":{self.password}" if password else ""
        return f"postgres://{self.user}{secret}@{self.host}:{self.port}/{database}"

    def psql(self, database: str = "postgres") -> tuple[list[str], dict[str, str]]:
        """The words of psql and its environment, for statements that are to run beside the test."""
        words = [str(programs() / "psql"), "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", self.host, "-p", str(self.port), "-U", self.user,
                 "-d", database]
        return words, os.environ | {"PGPASSWORD": self.password}

    def sql(self, text: str, database: str = "postgres") -> str:
        """What psql prints of these statements: rows as lines, columns apart by |."""
        words, env = self.psql(database)
        done = subprocess.run(words, env=env, input=text, text=True, capture_output=True)
        if done.returncode != 0:
            raise AssertionError(f"{done.stderr}\n{text[:2000]}")
        return done.stdout.rstrip("\n")

    def create(self, database: str) -> str:
        """Makes a database and answers its URL."""
        self.sql(f'CREATE DATABASE "{database}"')
        return self.url(database)
