"""What a policy costs: a filter that keeps half of the rows and three masks, against the same SQL written by hand over the
same rows. Both go the same way, through Flight SQL, in turns; processor seconds are the node's."""
import os
import pathlib
import statistics
import sys
import tempfile
import time

import pyarrow.flight as flight

from common import contract, engine, product, say, statement, write_mesh
from node import Node

ROWS = int(float(os.environ.get("ROWS", "4e6")))
REPEAT = int(os.environ.get("REPEAT", "9"))
TARGET = 1.15
COLUMNS = [("id", "integer", "bigint"), ("day", "date", "date"), ("amount", "number", "double"),
           ("country", "string", "varchar"), ("mail", "string", "varchar"), ("name", "string", "varchar")]
SELECT = f"""SELECT i AS id, DATE '2024-01-01' + (i % 365)::INT AS day, i * 0.5::DOUBLE AS amount,
  ['DE','FR','IT','PL'][i % 4 + 1] AS country, 'user' || (i % 10007) || '@example.org' AS mail,
  'Name ' || (i % 10007) AS name FROM range({ROWS}) r(i)"""
POLICIES = """policies:
  - name: two-countries
    scope: {products: [bench/governed]}
    filter: row.country in ["DE", "FR"]
  - name: people
    scope: {products: [bench/governed], columns: {names: [mail, name]}}
    mask: mask-alphanum
  - name: days
    scope: {products: [bench/governed], columns: {names: [day]}}
    mask: truncate-to-year
"""
GOVERNED, PLAIN = "bench.governed.governed_v1", "bench.plain.plain_v1"


def alphanum(column: str) -> str:
    """As somebody writes it who knows what the mask says: digits n, ( ) , . - @ as they are, all else x."""
    return f"translate(regexp_replace({column}, '[^0-9(),.@-]', 'x', 'g'), '0123456789', 'nnnnnnnnnn')"


MASKED = f"id, date_trunc('year', day)::DATE AS day, amount, country, {alphanum('mail')} AS mail, {alphanum('name')} AS name"
WHERE = "country IN ('DE', 'FR')"
# Name → over the governed port, and by hand: with a barrier where the statement could tell of hidden rows by an error.
STATEMENTS = {
    "scan": (f"SELECT * FROM {GOVERNED}", f"SELECT {MASKED} FROM {PLAIN} WHERE {WHERE}"),
    "group": (f"SELECT country, day, count(*) AS n, sum(amount) AS total FROM {GOVERNED} GROUP BY country, day",
              f"SELECT country, day, count(*) AS n, sum(amount) AS total FROM (SELECT {MASKED} FROM {PLAIN} WHERE {WHERE}) GROUP BY country, day"),
    "point": (f"SELECT * FROM {GOVERNED} WHERE id = 4444", f"SELECT {MASKED} FROM {PLAIN} WHERE {WHERE} AND id = 4444"),
    "barrier": (f"SELECT max(length(mail)) AS longest, sum(sqrt(amount)) AS total FROM {GOVERNED}",
                f"SELECT max(length(mail)) AS longest, sum(sqrt(amount)) AS total FROM (SELECT {MASKED} FROM (SELECT * FROM {PLAIN} WHERE {WHERE} OFFSET 0))"),
}


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch_name:
        scratch = pathlib.Path(scratch_name)
        engine().execute(f"COPY ({SELECT}) TO '{scratch / 'rows.parquet'}' (FORMAT parquet)")
        mesh = scratch / "mesh"
        (mesh / "policies").mkdir(parents=True)
        (mesh / "policies" / "people.yaml").write_text(POLICIES)
        write_mesh(mesh, *[(product(name, scratch / "rows.parquet", "parquet", []), contract(name, COLUMNS, {}, []))
                           for name in ("governed", "plain")])
        with Node("--source-roots", str(scratch)) as node:
            node.run("apply", str(mesh))
            node.run("run", "--all")
            client = flight.FlightClient(node.flight.replace("grpc://", "grpc+tcp://"))
            headers = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {node.token}".encode())])

            def processor() -> float:
                fields = pathlib.Path(f"/proc/{node.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
                return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

            def read(sql: str):
                info = client.get_flight_info(flight.FlightDescriptor.for_command(statement(sql)), headers)
                return client.do_get(info.endpoints[0].ticket, headers).read_all()

            for name, pair in STATEMENTS.items():
                answers = [read(sql).sort_by([("id" if name in ("scan", "point") else "country" if name == "group" else "longest", "ascending")])
                           for sql in pair]
                if answers[0].num_rows != answers[1].num_rows or (name != "group" and not answers[0].equals(answers[1])):
                    raise SystemExit(f"{name}: the policy and the hand do not answer the same")
                wall: list[list[float]] = [[], []]
                cpu: list[list[float]] = [[], []]
                times = 50 if name == "point" else 1
                for turn in range(REPEAT):
                    for which in ((0, 1), (1, 0))[turn % 2]:
                        began, used = time.monotonic(), processor()
                        for _ in range(times):
                            read(pair[which])
                        wall[which].append((time.monotonic() - began) / times)
                        cpu[which].append((processor() - used) / times)
                for which, whose in enumerate(("weft", "by_hand")):
                    say(f"governed.{name}.{whose}", "s", statistics.median(wall[which]))
                say(f"governed.{name}.ratio", "x", statistics.median(wall[0]) / statistics.median(wall[1]))
                say(f"governed.{name}.cpu_ratio", "x", statistics.median(cpu[0]) / max(1e-9, statistics.median(cpu[1])))
    say("governed.target", "x", TARGET)
    return 0


sys.exit(main())
