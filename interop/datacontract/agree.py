"""Compares Weft's verdicts with those of `datacontract test` (datacontract-cli) on the same contracts and data.

    make interop

Prints one line per check and fails where the two disagree, other than in what EXPECTED says and why."""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import duckdb
from datacontract.data_contract import DataContract

HERE = pathlib.Path(__file__).parent
VERDICTS = HERE.parents[1] / "build" / os.environ.get("PRESET", "release") / "interop" / "verdicts"

# (contract, check): why the two differ.
EXPECTED = {
    ("orders", "email.format"): "datacontract-cli does not check formats",
    ("orders", "ratio.multipleOf"): "datacontract-cli does not check multipleOf",
}

# Rows that meet and break the rules of contracts/NAME.odcs.yaml; the first table is the contract's own.
DATA = {
    "orders": {
        "orders": """SELECT * FROM (VALUES
            (1, 'A1', 'ana@x.example', 5.0, 0.5, 'open', DATE '2024-01-01', 'c1', ['a']),
            (2, NULL, 'no mail', 0.0, 0.3, 'done', DATE '2023-12-31', 'c2', ['a', 'a']),
            (2, NULL, NULL, 10.0, NULL, 'lost', DATE '2025-01-01', 'c9', []::VARCHAR[]),
            (NULL, 'toolong', 'b@y.example', -1.0, 0.25, NULL, NULL, NULL, NULL))
            t(id, code, email, amount, ratio, state, day, customer, tags)""",
    },
    "metrics": {
        # A column for each rule: datacontract-cli 1.2.8 fails where a column has two rules of one metric.
        "metrics": """SELECT a, a AS a2, b, b AS b2, b AS b3, c, c AS c2, c AS c3, d, d AS d2 FROM (VALUES
            (1, 'x', 'N/A', 10), (1, 'y', '', 20), (2, 'x', NULL, 30), (2, 'z', 'b', 40), (3, 'x', 'a', NULL))
            t(a, b, c, d)""",
    },
    "clean": {
        "clean": "SELECT i AS id, 'k' || i AS name, i % 3 AS kind FROM range(1, 1001) r(i)",
    },
}
SUFFIX = {
    "field_required": "required", "field_primary_key_required": "required", "field_unique": "unique",
    "field_primary_key_unique": "primaryKey", "primary_key_unique": "primaryKey", "field_enum": "enum",
    "field_min_length": "minLength", "field_max_length": "maxLength", "field_regex": "pattern",
    "field_minimum": "minimum", "field_maximum": "maximum", "field_min_items": "minItems",
    "field_max_items": "maxItems", "field_unique_items": "uniqueItems", "field_relationships": "foreignKey",
}
WORDS = {"passed": "passed", "failed": "failed", "warning": "warned", "error": "failed"}


def theirs(contract: pathlib.Path, folder: str) -> dict[str, str]:
    with contextlib.chdir(folder):  # The contracts' server is ./{model}.parquet.
        run = DataContract(data_contract_file=str(contract), server="local").test()
    found: dict[str, list[str]] = {}
    for check in run.checks:
        word = WORDS.get(check.result.value if hasattr(check.result, "value") else check.result)
        quality = getattr(check, "qualityId", None)
        suffix = SUFFIX.get(check.type)
        if quality:
            key = quality
        elif suffix == "primaryKey":
            key = "primaryKey"
        elif suffix:
            key = f"{check.field}.{suffix}"
        elif check.type == "field_not_equal":
            key = f"{check.field}.exclusive"
        else:
            continue
        found.setdefault(key, []).append(word)
    return {key: next((w for w in ("failed", "warned") if w in words), "passed") for key, words in found.items()}


def ours(contract: pathlib.Path, tables: dict[str, pathlib.Path]) -> dict[str, str]:
    command = [str(VERDICTS), str(contract), *(f"{name}={file}" for name, file in tables.items())]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"{contract}: {run.stderr}")
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return {line["id"]: line["outcome"] for line in lines if "id" in line}


def main() -> int:
    agreed = disagreements = 0
    for name, queries in DATA.items():
        contract = HERE / "contracts" / f"{name}.odcs.yaml"
        with tempfile.TemporaryDirectory() as folder:
            tables = {}
            for table, query in queries.items():
                tables[table] = pathlib.Path(folder) / f"{table}.parquet"
                duckdb.connect().execute(f"COPY ({query}) TO '{tables[table]}' (FORMAT parquet)")
            mine, other = ours(contract, tables), theirs(contract, folder)
        for check in sorted(mine.keys() | other.keys()):
            same = mine.get(check) == other.get(check)
            why = EXPECTED.get((name, check), "")
            agreed += same or bool(why)
            disagreements += not same and not why
            mark = "agree" if same else "known" if why else "DIFFER"
            print(f"{mark:7} {name:8} {check:24} weft {mine.get(check, '-'):7} datacontract {other.get(check, '-'):7} {'' if same else why}")
    print(f"{agreed} passed, {disagreements} failed")
    return 1 if disagreements else 0


sys.exit(main())
