"""The control store of a node under test, whichever it is: a fresh one, and statements run behind the node's back. As a program,
`store.py STATEMENT` runs one on the store that $STORE names, as somebody who has the store but not the node."""
import contextlib
import os
import secrets
import sqlite3
import subprocess
import sys


def chosen() -> str:
    """What the tests run on: sqlite, or postgres with the server that WEFT_TEST_POSTGRES names."""
    return os.environ.get("WEFT_TEST_STORE", "sqlite")


def psql(url: str, statement: str) -> list[tuple[str, ...]]:
    done = subprocess.run(["psql", "-qAtX", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", url], input=statement, text=True, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"{done.stderr}\n{statement}")
    return [tuple(line.split("\x1f")) for line in done.stdout.splitlines()]


def create(url: str | None = None) -> str:
    """The URL of a new database of the server, or of that one."""
    server = os.environ["WEFT_TEST_POSTGRES"]
    name = url.rsplit("/", 1)[1] if url else "weft_" + secrets.token_hex(8)
    psql(server, f"CREATE DATABASE {name} ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0")
    return server.rsplit("/", 1)[0] + "/" + name


def drop(url: str):
    psql(os.environ["WEFT_TEST_POSTGRES"], f"DROP DATABASE IF EXISTS {url.rsplit('/', 1)[1]} WITH (FORCE)")


def execute(url: str, statement: str) -> list[tuple]:
    """The rows of a statement; what it changes is committed."""
    if url.startswith("postgres"):
        return psql(url, statement)
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:"))) as store:
        rows = store.execute(statement).fetchall()
        store.commit()
        return rows


if __name__ == "__main__":
    for row in execute(os.environ["STORE"], sys.argv[1]):
        print(*row, sep="|")
