"""Runs a command beside a PostgreSQL server of its own, which WEFT_TEST_POSTGRES names: with_postgres.py COMMAND…"""
import os
import subprocess
import sys

from postgres import Postgres


def main() -> int:
    # Each test keeps some connections, and several run at once.
    with Postgres("max_connections=400") as server:
        server.create("weft")
        # libpq reads a password from a file alone, and so does Weft.
        secret = server.folder / "pgpass"
        secret.touch(0o600)
        secret.write_text(f"*:*:*:*:{server.password}\n")
        env = os.environ | {"WEFT_TEST_POSTGRES": server.url("weft", password=False), "PGPASSFILE": str(secret)}
        return subprocess.run(sys.argv[1:], env=env).returncode


sys.exit(main())
