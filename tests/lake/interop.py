"""Opens the tables that lake_writer wrote with pyiceberg and with DuckDB's iceberg_scan, unchanged, and compares:
rows of every snapshot, tags, file statistics against the files, and pruned reads. Ends with 1 on any difference.

    build/deps/venv/bin/python tests/lake/interop.py [build/release/lake_writer]
"""
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse

import duckdb
import pyarrow.parquet as pq
from pyiceberg.conversions import from_bytes
from pyiceberg.expressions import And, EqualTo, GreaterThanOrEqual, IsNaN, IsNull, LessThan, NotNull
from pyiceberg.table import StaticTable
from pyiceberg.types import (DateType, DoubleType, FloatType, ListType, MapType, StructType, TimestampType,
                             TimestamptzType, TimeType)
from pyiceberg.utils.datetime import days_to_date, micros_to_time, micros_to_timestamp

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXTENSIONS = ROOT / "build/deps/wheels/duckdb"
faults = 0


def check(ok, what):
    global faults
    if not ok:
        faults += 1
        print(f"FAULT {what}", file=sys.stderr)


def engine():
    con = duckdb.connect(config={"extension_directory": str(EXTENSIONS), "autoinstall_known_extensions": "false",
                                 "autoload_known_extensions": "false"})
    con.execute("SET TimeZone = 'UTC'; LOAD avro; LOAD iceberg")
    return con


def plain(value):
    """A value that compares by content: NaN equals NaN, maps compare without order. The two zeros are equal: the
    engine's Parquet dictionaries do not tell them apart."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else repr(value + 0.0)
    if isinstance(value, dict):
        return tuple((key, plain(item)) for key, item in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(plain(item) for item in value)
    if hasattr(value, "timestamp") and value.tzinfo:
        return ("utc", value.timestamp(), value.microsecond)
    return value


def rows_of(table):
    """Rows as a sorted list, and the names of the columns."""
    return sorted((tuple(plain(v) for v in row.values()) for row in table.to_pylist()), key=repr), table.column_names


def compare(got, want, what):
    got_rows, got_names = rows_of(got)
    want_rows, want_names = rows_of(want)
    check(got_names == want_names, f"{what}: columns {got_names} instead of {want_names}")
    check(len(got_rows) == len(want_rows), f"{what}: {len(got_rows)} rows instead of {len(want_rows)}")
    for mine, theirs in zip(got_rows, want_rows):
        if mine != theirs:
            different = [f"{name}: {a!r} instead of {b!r}" for name, a, b in zip(want_names, mine, theirs) if a != b]
            check(False, f"{what}: {', '.join(different)}")
            break


def leaves(fields, path=(), repeated=False):
    """(field, path of names, inside a list or map) of every plain column."""
    for field in fields:
        kind = field.field_type
        inside = repeated or isinstance(kind, (ListType, MapType))
        if isinstance(kind, StructType):
            yield from leaves(kind.fields, (*path, field.name), inside)
        elif isinstance(kind, (ListType, MapType)):
            children = [kind.element_field] if isinstance(kind, ListType) else [kind.key_field, kind.value_field]
            yield from leaves(children, (*path, field.name), inside)
        else:
            yield field, (*path, field.name), repeated


def column(table, path):
    """The values of a column of structs' members, nulls included."""
    values = table.column(path[0]).to_pylist()
    for name in path[1:]:
        values = [value and value[name] for value in values]
    return values


def naive(value):
    return value.replace(tzinfo=None) if hasattr(value, "tzinfo") and value.tzinfo else value


def decoded(kind, bound):
    value = from_bytes(kind, bound)
    if isinstance(kind, DateType):
        return days_to_date(value)
    if isinstance(kind, TimeType):
        return micros_to_time(value)
    return micros_to_timestamp(value) if isinstance(kind, (TimestampType, TimestamptzType)) else value


def check_bounds(entry, schema, what):
    """Each bound of a data file against what the file holds."""
    path = urllib.parse.urlparse(entry.file_path).path
    data = pq.read_table(path)
    check(entry.record_count == data.num_rows, f"{what}: record_count")
    check(entry.file_size_in_bytes == pathlib.Path(path).stat().st_size, f"{what}: file_size_in_bytes")
    for field, names, repeated in leaves(schema.fields):
        if names[0] not in data.column_names:
            continue
        place = f"{what}, column {'.'.join(names)}"
        lower, upper = entry.lower_bounds.get(field.field_id), entry.upper_bounds.get(field.field_id)
        if repeated:
            check(lower is None and upper is None, f"{place}: bounded inside a list")
            continue
        values = column(data, names)
        known = [naive(v) for v in values if v is not None]
        check(entry.value_counts[field.field_id] == len(values), f"{place}: value count")
        check(entry.null_value_counts[field.field_id] == len(values) - len(known), f"{place}: null count")
        if isinstance(field.field_type, (FloatType, DoubleType)):
            has_nan = any(math.isnan(v) for v in known)
            known = [v for v in known if not math.isnan(v)]
            check(has_nan == (field.field_id not in entry.nan_value_counts), f"{place}: NaN count")
        if not known:
            check(lower is None and upper is None, f"{place}: bounded without values")
            continue
        least, greatest = min(known), max(known)
        if lower is None or upper is None:
            check(isinstance(least, str) and len(greatest) > 256, f"{place}: no bounds")
            continue
        low, high = (decoded(field.field_type, bound) for bound in (lower, upper))
        if isinstance(least, str) and len(greatest) > 256:
            check(low <= least and high >= greatest, f"{place}: {low!r}, {high!r} for a long text")
        else:
            check((low, high) == (least, greatest), f"{place}: [{low!r}, {high!r}] instead of [{least!r}, {greatest!r}]")
        if least == 0 and isinstance(least, float):
            check(math.copysign(1, low) == -1, f"{place}: the lower zero is positive")
        if greatest == 0 and isinstance(greatest, float):
            check(math.copysign(1, high) == 1, f"{place}: the upper zero is negative")


def check_pruning(con, table, snapshot, what):
    """Filtered reads through the statistics return what a filter over all rows returns."""
    want = snapshot["expected"]
    filters = [
        (EqualTo("id", 1234), "id = 1234"),
        (And(GreaterThanOrEqual("id", 990), LessThan("id", 1010)), "id >= 990 AND id < 1010"),
        (EqualTo("flag", True), "flag"),
        (EqualTo("small", -2147483648), "small = -2147483648"),
        (IsNull("small"), "small IS NULL"),
        (IsNaN("ratio"), "isnan(ratio)"),
        (LessThan("amount", -900.0), "amount < -900"),
        (EqualTo("price", "250.00"), "price = 250.00"),
        (LessThan("huge", "0.000000"), "huge < 0"),
        (GreaterThanOrEqual("day", "1970-06-01"), "day >= DATE '1970-06-01'"),
        (GreaterThanOrEqual("clock", "00:30:00"), "clock >= TIME '00:30:00'"),
        (LessThan("seen", "1970-01-01T00:00:00"), "seen < TIMESTAMP '1970-01-01'"),
        (LessThan("seen_tz", "2024-03-31T00:00:00+00:00"), "seen_tz < TIMESTAMPTZ '2024-03-31 00:00:00+00'"),
        (EqualTo('it\'s "quoted"', "nä, \"C000002'"), "\"it's \"\"quoted\"\"\" = 'nä, \"C000002'''"),
        (EqualTo("bytes", b"\x00\x00\x04\xd3"), "bytes = '\\x00\\x00\\x04\\xD3'::BLOB"),
        (EqualTo("uuid", "c4ca4238-a0b9-2382-0dcc-509a6f75849b"), "uuid = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b'"),
        (NotNull("nothing"), "nothing IS NOT NULL"),
        (EqualTo("signed_zero", 0.0), "signed_zero = 0"),
        (EqualTo("long_text", "z" * 300 + "7"), "long_text = repeat('z', 300) || '7'"),
        (EqualTo("device.kind", "q17"), "device.kind = 'q17'"),
    ]
    for expression, sql in filters:
        got = table.scan(snapshot_id=snapshot["id"], row_filter=expression, selected_fields=("id",)).to_arrow()
        expected = con.execute(f"SELECT id FROM ({want}) WHERE {sql}").arrow().read_all()
        compare(got, expected, f"{what} where {sql}")
        scanned = con.execute(f"SELECT id FROM iceberg_scan('{table.metadata_location}', snapshot_from_id = {snapshot['id']}) "
                              f"WHERE {sql}").arrow().read_all()
        compare(scanned, expected, f"{what} by iceberg_scan where {sql}")
    planned = list(table.scan(snapshot_id=snapshot["id"], row_filter=EqualTo("id", 1234)).plan_files())
    check(len(planned) == 1, f"{what}: {len(planned)} files planned for one id instead of 1")
    planned = list(table.scan(snapshot_id=snapshot["id"], row_filter=EqualTo("id", 10_000_000)).plan_files())
    check(not planned, f"{what}: files planned for an id that none has")


def check_manifests(table, snapshot, what):
    """What the manifests list, their own counts, and what the snapshot's summary says of them."""
    told = table.metadata.snapshot_by_id(snapshot["id"])
    live, added, removed = [], [], []
    for manifest in told.manifests(table.io):
        entries = manifest.fetch_manifest_entry(table.io, discard_deleted=False)
        of = {status: [e for e in entries if e.status == status] for status in (0, 1, 2)}
        counts = (manifest.existing_files_count, manifest.added_files_count, manifest.deleted_files_count)
        check(counts == tuple(len(of[status]) for status in (0, 1, 2)), f"{what}: counts {counts} of {manifest.manifest_path}")
        rows = (manifest.existing_rows_count, manifest.added_rows_count, manifest.deleted_rows_count)
        check(rows == tuple(sum(e.data_file.record_count for e in of[status]) for status in (0, 1, 2)), f"{what}: rows {rows}")
        sequences = [e.sequence_number for e in of[0] + of[1]]
        check(not sequences or manifest.min_sequence_number == min(sequences), f"{what}: least sequence number")
        live += of[0] + of[1]
        added += [e for e in of[1] if e.snapshot_id == told.snapshot_id]
        removed += [e for e in of[2] if e.snapshot_id == told.snapshot_id]
    paths = [e.data_file.file_path for e in live]
    check(len(set(paths)) == len(paths), f"{what}: a file is listed twice")
    check(not set(paths) & {e.data_file.file_path for e in removed}, f"{what}: a removed file is listed")

    def says(key):
        return int(told.summary[key] or 0) if key in told.summary else 0
    check(says("total-data-files") == len(live), f"{what}: total-data-files")
    check(says("total-records") == sum(e.data_file.record_count for e in live), f"{what}: total-records")
    check(says("total-files-size") == sum(e.data_file.file_size_in_bytes for e in live), f"{what}: total-files-size")
    check(says("added-data-files") == len(added), f"{what}: added-data-files")
    if removed:
        check(says("deleted-data-files") == len(removed), f"{what}: deleted-data-files")
        check(says("deleted-records") == sum(e.data_file.record_count for e in removed), f"{what}: deleted-records")
        check(told.summary.operation.value in ("overwrite", "replace"), f"{what}: is an {told.summary.operation}")
    return len(removed)


def check_table(con, name, facts):
    table = StaticTable.from_metadata(facts["metadata"])
    check([s.snapshot_id for s in table.metadata.snapshots] == [s["id"] for s in facts["snapshots"]], f"{name}: snapshots")
    for number, snapshot in enumerate(facts["snapshots"], 1):
        what = f"{name} snapshot {number}"
        want = con.execute(snapshot["expected"]).arrow().read_all()
        check(want.num_rows == snapshot["rows"], f"{what}: {snapshot['rows']} rows told")
        compare(table.scan(snapshot_id=snapshot["id"]).to_arrow(), want, f"{what} by pyiceberg")
        scan = f"SELECT * FROM iceberg_scan('{facts['metadata']}', snapshot_from_id = {snapshot['id']})"
        compare(con.execute(scan).arrow().read_all(), want, f"{what} by iceberg_scan")
        removed = check_manifests(table, snapshot, what)
        if name == "rewritten":
            check(removed == [0, 1, 0, 3, 3, 0][number - 1], f"{what}: {removed} files removed")
        schema = table.metadata.schema_by_id(table.metadata.snapshot_by_id(snapshot["id"]).schema_id)
        for task in table.scan(snapshot_id=snapshot["id"]).plan_files():
            check_bounds(task.file, schema, f"{what} file {pathlib.Path(task.file.file_path).parent.name[-6:]}")
    newest = con.execute(facts["snapshots"][-1]["expected"]).arrow().read_all()
    compare(StaticTable.from_metadata(facts["location"]).scan().to_arrow(), newest, f"{name} by its folder, pyiceberg")
    folder = con.execute(f"SELECT * FROM iceberg_scan('{facts['location']}')").arrow().read_all()
    compare(folder, newest, f"{name} by its folder, iceberg_scan")
    for tag, snapshot_id in facts.get("tags", {}).items():
        found = table.snapshot_by_name(tag)
        check(found is not None and found.snapshot_id == snapshot_id, f"{name}: tag {tag}")
    return table


def main():
    writer = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/release/lake_writer")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([writer, folder], check=True)
        expected = json.loads((pathlib.Path(folder) / "expected.json").read_text())
        con = engine()
        for name, facts in expected.items():
            table = check_table(con, name, facts)
            if name == "types":
                check_pruning(con, table, facts["snapshots"][1], "types snapshot 2")
    print(f"lake interop: {faults} faults" if faults else "lake interop: no differences")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
