"""Flight SQL as a consumer meets it: ADBC's Go driver against the program flight_node, which is built beside weft."""
import datetime
import decimal
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import adbc_driver_manager
import pyarrow as pa
import pyarrow.flight
from adbc_driver_flightsql import DatabaseOptions, dbapi

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE = pathlib.Path(os.environ.get("WEFT_PROGRAM", ROOT / "build/release/weft")).parent / "flight_node"
TABLE = "sales.orders.orders_v1"


class Node:
    def __init__(self, rows: int = 10_000, idle_ms: int = 600_000):
        self.process = subprocess.Popen([str(NODE), str(rows), str(idle_ms)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.__dict__ |= json.loads(self.process.stdout.readline())

    def ask(self, line: str):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def connect(self, token: str | None = None, **headers: str):
        options = {DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {token or self.ben}"}
        options |= {f"adbc.flight.sql.rpc.call_header.{name.replace('_', '-')}": value for name, value in headers.items()}
        return dbapi.connect(self.url, db_kwargs=options, autocommit=True)

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=20) == 0


def fails(cursor, sql: str, *words: str, parameters=None):
    try:
        cursor.execute(sql, parameters)
        cursor.fetchall()
    except adbc_driver_manager.Error as error:
        for word in words:
            assert word in str(error), f"{sql}: {error}"
        return error
    raise AssertionError(f"{sql} should have failed")


def queries(node):
    with node.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), sum(amount) FROM {TABLE}")
        assert cursor.fetchall() == [(10_000, sum(decimal.Decimal(i) * decimal.Decimal("1.25") for i in range(10_000)))]
        cursor.execute(f"SELECT * FROM {TABLE} ORDER BY id LIMIT 1")
        assert cursor.fetchall() == [(0, "customer 0", decimal.Decimal("0.00"), datetime.date(2024, 1, 1),
                                      datetime.datetime(2024, 1, 1, 10), [0, 1])]
        cursor.execute(f"SELECT * FROM {TABLE} WHERE false")
        assert cursor.fetch_arrow_table().num_rows == 0
        cursor.execute(f"FROM {TABLE}")
        table = cursor.fetch_arrow_table()
        assert table.num_rows == 10_000 and table.schema.field("items").type == pa.list_(pa.int64())
        assert len(table.column("id").chunks) < 5, "batches are combined"


def parameters(node):
    with node.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {TABLE} WHERE id >= ? AND id < ? ORDER BY id", (5, 8))
        assert cursor.fetchall() == [(5,), (6,), (7,)]
        cursor.execute(f"SELECT customer FROM {TABLE} WHERE customer = ?", ("customer 7",))
        assert cursor.fetchall() == [("customer 7",)]
        cursor.execute(f"SELECT count(*) FROM {TABLE} WHERE day = ?", (datetime.date(2024, 1, 2),))
        assert cursor.fetchone()[0] > 0
        cursor.execute(f"SELECT id FROM {TABLE} WHERE amount = ?", (decimal.Decimal("2.50"),))
        assert cursor.fetchall() == [(2,)]
        cursor.execute(f"SELECT id FROM {TABLE} WHERE sold = ?", (datetime.datetime(2024, 1, 1, 10, 0, 3),))
        assert cursor.fetchall() == [(3,)]
        fails(cursor, f"SELECT id FROM {TABLE} WHERE id = ?", "parameter")


def catalogue(node):
    with node.connect(node.eve) as connection:
        everything = connection.adbc_get_objects(depth="all").read_all().to_pylist()
        assert [c["catalog_name"] for c in everything] == ["sales"]
        schema = everything[0]["catalog_db_schemas"][0]
        table = schema["db_schema_tables"][0]
        assert (schema["db_schema_name"], table["table_name"], table["table_type"]) == ("orders", "orders_v1", "TABLE")
        assert [c["column_name"] for c in table["table_columns"]] == ["id", "customer", "amount", "day", "sold", "items"]
        for depth in ("catalogs", "db_schemas", "tables"):
            assert connection.adbc_get_objects(depth=depth).read_all().num_rows == 1
        assert connection.adbc_get_objects(depth="tables", table_name_filter="x%").read_all().to_pylist()[0][
            "catalog_db_schemas"][0]["db_schema_tables"] == []
        columns = connection.adbc_get_table_schema("orders_v1", catalog_filter="sales", db_schema_filter="orders")
        assert columns.field("id") == pa.field("id", pa.int64(), nullable=False)
        assert columns.field("amount").type == pa.decimal128(18, 2)
        assert connection.adbc_get_info()["vendor_name"] == "Weft"
        assert connection.adbc_get_table_types() == ["TABLE"]


def errors(node):
    with node.connect() as connection, connection.cursor() as cursor:
        fails(cursor, f"SELECT nothing FROM {TABLE}", "nothing")
        fails(cursor, "SELECT 1\nFRM t WHERE", "line 2")
        fails(cursor, "FROM sales.orders.nothing", "NOT_FOUND")
        fails(cursor, "FROM orders", "did you mean sales.orders.orders")
        fails(cursor, "SELECT getenv('HOME')", "getenv", "NOT_IMPLEMENTED")
        fails(cursor, "FROM read_csv('/etc/passwd')", "read_csv")
        fails(cursor, "DROP TABLE x", "only SELECT is read here")
        error = fails(cursor, f"SELECT customer::INTEGER FROM {TABLE}", "is no INTEGER", "line 1, column 16")
        assert "parquet" not in str(error) and "/" not in str(error).split("is no INTEGER")[0], error
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == [(1,)]
    with node.connect(node.eve) as connection, connection.cursor() as cursor:
        fails(cursor, f"SELECT * FROM {TABLE}", "eve may not read")
    with node.connect("weft_wrong") as connection, connection.cursor() as cursor:
        fails(cursor, "SELECT 1", "UNAUTHENTICATED")


def time_travel(node):
    with node.connect(x_weft_at=f"snapshot:{node.snapshot}") as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {TABLE}")
        assert cursor.fetchall() == [(10_000,)]
    with node.connect(x_weft_at="snapshot:1") as connection, connection.cursor() as cursor:
        fails(cursor, f"SELECT count(*) FROM {TABLE}", "NOT_FOUND")


def cancel(node):
    with node.connect() as connection, connection.cursor() as cursor:
        began = time.monotonic()
        threading.Timer(0.5, cursor.adbc_cancel).start()
        fails(cursor, "SELECT count(*) FROM range(100000000000) a(x), range(1000) b(y) WHERE x % 7 = y")
        assert time.monotonic() - began < 10
        for _ in range(100):
            ends = [row["detail"]["outcome"] for row in node.ask("ledger") if row["kind"] == "read.ended"]
            if "cancelled" in ends or "failed: unavailable" in ends:
                return
            time.sleep(0.05)
        raise AssertionError(f"the node went on: {ends}")


def handshake(node):
    client = pa.flight.FlightClient(node.url)
    name, value = client.authenticate_basic_token("anyone", node.ben)
    assert (name, value) == (b"authorization", b"Bearer " + node.ben.encode())


def own_client(node):
    assert node.ask(f"SELECT id, amount, day, sold, items, {{'a': 1}} s, MAP {{'k': 2}} m FROM {TABLE} WHERE id = 1") == [
        [1, "1.25", "2024-01-02", "2024-01-01 10:00:01", [1, 2], {"a": 1}, {"k": 2}]]
    assert node.ask("DROP TABLE x")["code"] == "unsupported"
    assert node.ask("SELECT x") == {"code": "invalid", "message": node.ask("SELECT x")["message"]}
    assert node.ask("FROM sales.orders.nothing")["code"] == "not_found"
    assert "gRPC" not in node.ask("SELECT x")["message"]


def revocation(node):
    with node.connect() as connection, connection.cursor() as cursor:
        cursor.adbc_prepare(f"SELECT count(*) FROM {TABLE}")
        node.ask("revoke")
        fails(cursor, f"SELECT count(*) FROM {TABLE}", "may no")


def cut_off(node):
    """A grant that ends while rows flow stops them, those that were made ahead too."""
    own = Node(4_000_000)
    try:
        with own.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT a.* FROM {TABLE} a, range(20)")
            reader = cursor.fetch_record_batch()
            assert reader.read_next_batch().num_rows > 0
            own.ask("revoke")
            began = time.monotonic()
            try:
                while True:
                    reader.read_next_batch()
            except StopIteration:
                raise AssertionError("every row left after the revocation")
            except Exception as error:
                assert "may no longer read" in str(error), error
            assert time.monotonic() - began < 1, "the next batch after a second at most"
        for _ in range(100):
            rows = own.ask("ledger")
            if any(row["kind"] == "read.ended" and row["detail"]["outcome"] == "cut off" for row in rows):
                assert any(row["kind"] == "denied" for row in rows)
                return
            time.sleep(0.05)
        raise AssertionError(f"the ledger does not say so: {rows[-3:]}")
    finally:
        own.stop()


def expiry(node):
    """A prepared statement that nobody uses is forgotten; whoever comes back is told to prepare it again."""
    own = Node(10, 300)
    try:
        with own.connect() as connection, connection.cursor() as cursor:
            sql = f"SELECT count(*) FROM {TABLE}"
            cursor.adbc_prepare(sql)
            time.sleep(0.8)
            fails(cursor, sql, "prepare it again")
    finally:
        own.stop()


def sessions(node):
    """One token serves many connections: the end of one is not the end of another's statements."""
    sql = f"SELECT count(*) FROM {TABLE}"
    with node.connect() as connection, connection.cursor() as cursor:
        cursor.adbc_prepare(sql)
        with node.connect() as other, other.cursor() as neighbour:
            neighbour.execute(sql)
            assert neighbour.fetchall() == [(10_000,)]
        cursor.execute(sql)
        assert cursor.fetchall() == [(10_000,)]


def main() -> int:
    node = Node()
    failed = 0
    tests = (queries, parameters, catalogue, errors, time_travel, cancel, handshake, own_client, sessions, cut_off, expiry, revocation)
    for test in tests:
        try:
            test(node)
            print(f"ok   {test.__name__}")
        except Exception as error:
            failed += 1
            print(f"FAIL {test.__name__}: {type(error).__name__}: {error}")
    node.stop()
    print(f"{len(tests) - failed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
