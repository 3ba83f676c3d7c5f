"""Publishing TPC-H lineitem from CSV through a node (typed, sorted, 20 checks, lineage, committed) against a bare COPY
of the same CSV with the same types, sort, codec, threads and memory."""
import os
import pathlib
import sys
import tempfile
import time

from common import LINEITEM, THREADS, contract, engine, product, say, summary, tpch_csv, write_mesh
from node import Node

SCALE = float(os.environ.get("SCALE", "1"))
REPEAT = int(os.environ.get("REPEAT", "5"))
TARGET = 1.5

ORDERS = [("o_orderkey", "integer", "bigint"), ("o_custkey", "integer", "bigint"), ("o_orderstatus", "string", "varchar"),
          ("o_totalprice", "number", "decimal(15,2)"), ("o_orderdate", "date", "date"),
          ("o_orderpriority", "string", "varchar"), ("o_clerk", "string", "varchar"),
          ("o_shippriority", "integer", "int"), ("o_comment", "string", "varchar")]
# With the key's uniqueness and the foreign key: 20 checks.
RULES = {
    "l_orderkey": {"primaryKey": True, "primaryKeyPosition": 1, "required": True,
                   "relationships": [{"type": "foreignKey", "to": "bench.orders.orders.o_orderkey"}]},
    "l_linenumber": {"primaryKey": True, "primaryKeyPosition": 2, "required": True,
                     "logicalTypeOptions": {"minimum": 1, "maximum": 7}},
    "l_partkey": {"required": True}, "l_suppkey": {"required": True},
    "l_quantity": {"logicalTypeOptions": {"minimum": 1, "maximum": 50}},
    "l_extendedprice": {"logicalTypeOptions": {"minimum": 0}},
    "l_discount": {"logicalTypeOptions": {"minimum": 0, "maximum": 0.1}},
    "l_tax": {"logicalTypeOptions": {"maximum": 0.08}},
    "l_returnflag": {"enum": [{"value": v} for v in ("A", "N", "R")]},
    "l_linestatus": {"enum": [{"value": v} for v in ("F", "O")]},
    "l_shipdate": {"required": True},
    "l_shipmode": {"enum": [{"value": v} for v in ("AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK")]},
    "l_comment": {"logicalTypeOptions": {"maxLength": 44}},
}


def bare_copy(target: pathlib.Path) -> float:
    types = ", ".join(f"'{n}': '{physical.upper()}'" for n, _, physical in LINEITEM)
    connection = engine()
    connection.execute("SET preserve_insertion_order=false")
    began = time.monotonic()
    connection.execute(f"""COPY (SELECT * FROM read_csv('{tpch_csv('lineitem', SCALE)}', header=true, auto_detect=false,
        columns={{{types}}}) ORDER BY l_shipdate) TO '{target}' (FORMAT parquet, COMPRESSION zstd)""")
    with open(target, "rb") as file:
        os.fsync(file.fileno())
    return time.monotonic() - began


def main() -> int:
    tpch_csv("lineitem", SCALE)
    with Node("--source-roots", str(tpch_csv("orders", SCALE).parent), "--run-memory", "2GB", "--threads", str(THREADS)) as node, \
            tempfile.TemporaryDirectory() as scratch:
        mesh = pathlib.Path(scratch) / "mesh"
        mesh.mkdir()
        key = {"o_orderkey": {"primaryKey": True, "primaryKeyPosition": 1, "required": True}}
        write_mesh(mesh,
                   (product("orders", tpch_csv("orders", SCALE), "csv", []), contract("orders", ORDERS, key, [])),
                   (product("lineitem", tpch_csv("lineitem", SCALE), "csv", ["l_shipdate"]),
                    contract("lineitem", LINEITEM, RULES, [{"metric": "rowCount", "mustBeGreaterThan": 0}])))
        node.run("apply", str(mesh))
        node.run("grant", "product:bench/lineitem", "bench/orders/orders@1")
        node.run("run", "bench/orders")
        ours, bare = [], []
        checks = 0
        for _ in range(REPEAT):
            bare.append(bare_copy(pathlib.Path(scratch) / "bare.parquet"))
            began = time.monotonic()
            done = node.json("run", "bench/lineitem", "--force")
            ours.append(time.monotonic() - began)
            checks = len(node.json("runs", done["runs"][0]["id"])["checks"])
        say("publish.checks", "count", checks)
        peer = summary("publish.bare_copy", "s", bare)
        median = summary("publish.weft", "s", ours)
        say("publish.ratio", "x", median / peer)
        say("publish.ratio_target", "x", TARGET)
    return 0


sys.exit(main())
