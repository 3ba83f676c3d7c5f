"""What the benches share: repeated measurements as `name unit value` lines, and TPC-H data from DuckDB's own generator."""
import json
import os
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
CACHE = pathlib.Path(os.environ.get("WEFT_CACHE", pathlib.Path.home() / ".cache" / "weft")) / "bench"
THREADS = os.cpu_count() or 2
LINEITEM = [("l_orderkey", "integer", "bigint"), ("l_partkey", "integer", "bigint"), ("l_suppkey", "integer", "bigint"),
            ("l_linenumber", "integer", "bigint"), ("l_quantity", "number", "decimal(15,2)"),
            ("l_extendedprice", "number", "decimal(15,2)"), ("l_discount", "number", "decimal(15,2)"),
            ("l_tax", "number", "decimal(15,2)"), ("l_returnflag", "string", "varchar"),
            ("l_linestatus", "string", "varchar"), ("l_shipdate", "date", "date"), ("l_commitdate", "date", "date"),
            ("l_receiptdate", "date", "date"), ("l_shipinstruct", "string", "varchar"),
            ("l_shipmode", "string", "varchar"), ("l_comment", "string", "varchar")]


def say(name: str, unit: str, value: float):
    print(f"{name} {unit} {value:.4g}", flush=True)


def summary(name: str, unit: str, values: list[float]) -> float:
    """Prints minimum, median and maximum; answers the median."""
    median = statistics.median(values)
    say(f"{name}.min", unit, min(values))
    say(f"{name}.median", unit, median)
    say(f"{name}.max", unit, max(values))
    return median


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def engine(threads: int = THREADS, memory: str = "2GB"):
    """A bare DuckDB of the same version as the program's."""
    import duckdb
    connection = duckdb.connect(config={"threads": threads, "memory_limit": memory, "autoload_known_extensions": "false"})
    connection.execute("SET TimeZone='UTC'")
    return connection


def tpch_csv(table: str, scale: float) -> pathlib.Path:
    """TABLE.csv of TPC-H at `scale`, made once and kept in the cache."""
    folder = CACHE / f"tpch-{scale:g}"
    file = folder / f"{table}.csv"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        extension = next((ROOT / "build/deps/wheels/duckdb").glob("*/*/tpch.duckdb_extension"))
        connection = engine()
        connection.execute(f"LOAD '{extension}'; CALL dbgen(sf={scale})")
        for name in ("orders", "lineitem"):
            connection.execute(f"COPY {name} TO '{folder / name}.csv.part' (FORMAT csv, HEADER true)")
            (folder / f"{name}.csv.part").rename(folder / f"{name}.csv")
    return file


def _field(number: int, value: bytes) -> bytes:
    """A length-delimited protobuf field."""
    length, size = len(value), bytearray()
    while True:
        size.append(length & 127 | (128 if length > 127 else 0))
        length >>= 7
        if not length:
            return bytes([number << 3 | 2]) + bytes(size) + value


def statement(query: str) -> bytes:
    """Flight SQL's CommandStatementQuery, as a flight descriptor's command."""
    return _field(1, b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery") + _field(2, _field(1, query.encode()))


def contract(name: str, columns, rules: dict, quality: list) -> dict:
    """An ODCS contract of one table; `columns` are (name, logicalType, physicalType)."""
    properties = [{"name": n, "logicalType": logical, "physicalType": physical} | rules.get(n, {})
                  for n, logical, physical in columns]
    table = {"name": name, "logicalType": "object", "physicalType": "table", "properties": properties}
    return {"apiVersion": "v3.2.0", "kind": "DataContract", "id": f"bench-{name}", "name": name, "version": "1.0.0",
            "status": "active", "schema": [table | ({"quality": quality} if quality else {})]}


def product(name: str, file: pathlib.Path, format: str, cluster: list[str]) -> dict:
    """An ODPS product with one file source and one output port, both of that name."""
    def custom(key, value):
        return {"customProperties": [{"property": key, "vendor": "weft", "value": value}]}
    source = custom("source", {"kind": "file", "path": str(file), "format": format})
    build = custom("build", {"mode": "replace"} | ({"cluster_by": cluster} if cluster else {}))
    return {"apiVersion": "v1.1.0", "kind": "DataProduct", "id": f"bench-product-{name}", "name": name, "domain": "bench",
            "version": "1.0.0", "status": "active", "type": "sourceAligned", "description": {"purpose": "A bench."},
            "inputPorts": [{"name": "source", "version": "1.0.0", "contractId": f"bench-{name}-source"} | source],
            "outputPorts": [{"name": name, "type": "table", "version": "1.0.0", "contractId": f"bench-{name}"} | build]}


def write_mesh(folder: pathlib.Path, *products: tuple[dict, dict]):
    """mesh.yaml with the domain `bench`, owned by the administrator, and each (product, contract). JSON is YAML."""
    (folder / "mesh.yaml").write_text("id: bench\ndomains:\n  - name: bench\n    owners: [admin]\n")
    for descriptor, promise in products:
        home = folder / "domains" / "bench" / descriptor["name"]
        home.mkdir(parents=True)
        (home / "product.odps.yaml").write_text(json.dumps(descriptor, indent=1))
        (home / f"{descriptor['name']}.odcs.yaml").write_text(json.dumps(promise, indent=1))
