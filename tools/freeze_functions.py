"""Writes src/model/sql_functions.inc: the functions of DuckDB 1.5.5 that consumers' and builds' SQL may call.

Run with the DuckDB of tests/requirements.txt (`build/deps/venv/bin/python tools/freeze_functions.py`) at an upgrade and
read the difference: each new name is a decision. `--check` only compares.
"""
import pathlib
import re
import sys

import duckdb

VERSION = "1.5.5"
TARGET = pathlib.Path(__file__).parent.parent / "src/model/sql_functions.inc"
# They tell of the node, of other sessions or of hidden rows, have effects, or run SQL of their own.
DENIED = set(
    """error nextval currval write_log sleep_ms setseed stats current_query current_query_id current_connection_id
    current_transaction_id txid_current current_setting getvariable getenv in_search_path current_schema current_schemas
    current_database current_catalog current_role current_user session_user user version json_serialize_sql
    json_serialize_plan json_deserialize_sql parse_duckdb_log_message get_block_size vector_type finalize combine
    create_sort_key constant_or_null can_cast_implicitly is_histogram_other_bin col_description obj_description
    shobj_description map_to_pg_oid format_pg_type format_type regexp_split_to_table generate_subscripts cast_to_type
    replace_type remap_struct variant_normalize variant_to_parquet_variant variant_bytes_to_variant make_type get_type
    icu_sort_key timetz_byte_comparable""".split()
)
DENIED_PATTERN = re.compile(r"^(__internal_|pg_|has_.*_privilege$|inet_|has_foreign|icu_collate_)")
VOLATILE_BUT_HARMLESS = {"random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7"}
# The parser writes these for syntax; duckdb_functions() does not list them all.
SYNTAX = {"unnest", "unlist", "grouping", "grouping_id", "list_value", "struct_pack", "count_star"}


def allowed() -> list[str]:
    rows = duckdb.connect().execute(
        """SELECT DISTINCT function_name, schema_name, coalesce(stability, ''), internal FROM duckdb_functions()
           WHERE function_type IN ('scalar', 'aggregate', 'macro')"""
    ).fetchall()
    refused = {
        name
        for name, schema, stability, internal in rows
        if not internal or schema != "main" or name in DENIED or DENIED_PATTERN.match(name)
        or (stability == "VOLATILE" and name not in VOLATILE_BUT_HARMLESS)
    }
    return sorted(({name.lower() for name, *_ in rows} - {name.lower() for name in refused}) | SYNTAX)


def text() -> str:
    lines = [f"// Written by tools/freeze_functions.py from DuckDB {VERSION}: sorted, one name a line, so that an upgrade shows as a diff."]
    lines += [f'"{name}",' for name in allowed()]
    return "\n".join(lines) + "\n"


def main() -> int:
    if duckdb.__version__ != VERSION:
        print(f"this list is of DuckDB {VERSION}, and here is {duckdb.__version__}")
        return 1
    if "--check" in sys.argv[1:]:
        same = TARGET.read_text() == text()
        print("the list is as frozen" if same else f"{TARGET} differs from what DuckDB {VERSION} has: run without --check and read the diff")
        return 0 if same else 1
    TARGET.write_text(text())
    return 0


sys.exit(main())
