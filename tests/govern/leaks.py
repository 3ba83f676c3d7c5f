"""Random policies against a plain reference: each principal sees the rows and values that the policies leave, on every
way out, and no statement tells of the others. What pseudonyms are made is asked of the node first, and held to what is
promised of them: the same token for the same value within a purpose, and none across purposes. The reference evaluates the policies in Python, over the rows in memory,
and runs the same statements in an engine that holds nothing but what is left."""
import datetime
import decimal
import hashlib
import json
import pathlib
import random
import re
import sys

import duckdb
import pyarrow as pa

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import Node  # noqa: E402

ROUNDS = 24
TABLE = "people.users.users"
PURPOSE = "research"  # Of everything that is asked in a round.
D = decimal.Decimal

PRINCIPALS = {
    "zoe": {"groups": ["analysts"], "attributes": {"countries": ["DE"], "prefixes": ["s1", "s2"]}},
    "pia": {"groups": ["analysts", "privacy-office"], "attributes": {"countries": ["FR", "ES"], "prefixes": ["s"]}},
    "ana": {"groups": [], "attributes": {}},
}

MESH = """
id: leaks
domains: [{name: people, owners: [ana]}]
groups: {analysts: [zoe, pia], privacy-office: [pia]}
attributes:
  zoe: {countries: DE, prefixes: [s1, s2]}
  pia: {countries: [FR, ES], prefixes: s}
"""
PRODUCT = """
apiVersion: v1.1.0
kind: DataProduct
id: people-users
name: users
domain: people
version: 1.0.0
status: active
type: sourceAligned
inputPorts:
  - name: file
    version: 1.0.0
    customProperties: [{property: source, vendor: weft, value: {kind: file, path: data/users.json, format: json}}]
outputPorts:
  - name: users
    version: 1.0.0
    contractId: people-users-users
    customProperties: [{property: build, vendor: weft, value: {mode: replace}}]
"""
ENTITIES = """
entities:
  - {name: person, type: integer}
  - {name: alias, type: string}
"""
CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: people-users-users
name: users
version: 1.0.0
status: active
schema:
  - name: users
    physicalType: table
    properties:
      - {name: id, logicalType: integer, physicalType: bigint, required: true, primaryKey: true,
         customProperties: [{property: entity, vendor: weft, value: person}]}
      - {name: n, logicalType: integer, physicalType: bigint}
      - {name: country, logicalType: string, physicalType: varchar}
      - {name: age, logicalType: integer, physicalType: int}
      - {name: score, logicalType: number, physicalType: double}
      - {name: amount, logicalType: number, physicalType: "decimal(10,2)"}
      - {name: active, logicalType: boolean, physicalType: boolean}
      - {name: born, logicalType: date, physicalType: date}
      - {name: secret, logicalType: string, physicalType: varchar, tags: [pii],
         customProperties: [{property: entity, vendor: weft, value: alias}]}
      - {name: langs, logicalType: array, physicalType: "varchar[]", items: {logicalType: string, physicalType: varchar}}
      - {name: marks, logicalType: array, physicalType: "bigint[]", items: {logicalType: integer, physicalType: bigint}}
"""
SCHEMA = pa.schema([("id", pa.int64()), ("n", pa.int64()), ("country", pa.string()), ("age", pa.int32()), ("score", pa.float64()),
                    ("amount", pa.decimal128(10, 2)), ("active", pa.bool_()), ("born", pa.date32()),
                    ("secret", pa.string()), ("langs", pa.list_(pa.string())), ("marks", pa.list_(pa.int64()))])


def some(random_, value):
    """A value that is sometimes missing."""
    return None if random_.random() < 0.12 else value


def make_rows(random_, count=240):
    return [{"id": i,
             "n": i + 5_000,
             "country": some(random_, random_.choice(["DE", "FR", "ES", "de", "", "DÉ"])),
             "age": some(random_, random_.randint(0, 90)),
             "score": some(random_, random_.choice([-1.5, 0.0, 0.25, 0.5, 2.0, 1e300])),
             "amount": some(random_, D(random_.randint(-500, 5000)) / 100),
             "active": some(random_, random_.random() < 0.5),
             "born": some(random_, datetime.date(1950, 1, 1) + datetime.timedelta(days=random_.randint(0, 20000))),
             "secret": some(random_, f"s{random_.randint(0, 9)}{random_.choice(['', '-é', ' x.y@z', '1234567'])}"),
             "langs": some(random_, random_.sample(["en", "de", "fr"], random_.randint(0, 3))),
             "marks": some(random_, random_.sample([1, 2, 3, 2**53 + 1, None], random_.randint(0, 4)))} for i in range(count)]


# ---- the reference of filters: CEL's three outcomes, True, False and an error (None)

def ask(test):
    """A test that CEL answers with an error where the row has no value."""
    return lambda row, who: None if (answer := test(row, who)) is None else bool(answer)


def order(column, sign, value):
    compare = {"<": lambda a: a < value, "<=": lambda a: a <= value, ">": lambda a: a > value, ">=": lambda a: a >= value}
    return ask(lambda row, who: None if row[column] is None else compare[sign](row[column]))


def leaf(random_):
    country, age = random_.choice(["DE", "FR", "XX"]), random_.randint(-5, 95)
    sign = random_.choice(["<", "<=", ">", ">="])
    day = datetime.date(1950, 1, 1) + datetime.timedelta(days=random_.randint(0, 20000))
    number = random_.choice([0.25, 0.3, 1.0])
    lang = random_.choice(["en", "de", "xx"])
    width = random_.randint(1, 8)
    # One number as each of CEL's kinds, and the whole number that it is: 2**53 + 1 is no double.
    mark, marked = random_.choice([("2", 2), ("2.0", 2), ("2u", 2), ("2.5", 2.5), ("-1", -1), ("1e300", 1e300), ('"2"', "2"),
                                   ("9007199254740993", 2**53 + 1), ("9007199254740992.0", 2**53), ("18446744073709551615u", 2**64 - 1)])

    def text(test):
        return ask(lambda row, who: None if row["secret"] is None else test(row["secret"]))

    def mine(row, who):
        mine_ = PRINCIPALS[who]["attributes"].get("countries")
        return None if mine_ is None else row["country"] in mine_

    def prefixed(row, who):
        prefixes = PRINCIPALS[who]["attributes"].get("prefixes")
        if prefixes is None or row["secret"] is None:
            return None
        return any(row["secret"].startswith(prefix) for prefix in prefixes)

    return random_.choice([
        (f'row.country == "{country}"', lambda row, who: row["country"] == country),
        (f'row.country != "{country}"', lambda row, who: row["country"] != country),
        (f'"{country}" == row.country', lambda row, who: row["country"] == country),
        ("row.country == null", lambda row, who: row["country"] is None),
        ("row.age != null", lambda row, who: row["age"] is not None),
        (f'row.country in ["{country}", "ES"]', lambda row, who: row["country"] in (country, "ES")),
        ("row.country in []", lambda row, who: False),
        (f"row.age in [{age}, {age + 1}, {age + 2}]", lambda row, who: row["age"] in (age, age + 1, age + 2)),
        ("row.country in principal.attributes.countries", mine),
        ("principal.attributes.prefixes.exists(p, row.secret.startsWith(p))", prefixed),
        ('"privacy-office" in principal.groups', lambda row, who: "privacy-office" in PRINCIPALS[who]["groups"]),
        (f"row.age {sign} {age}", order("age", sign, age)),
        (f"{age} > row.age", order("age", "<", age)),
        (f"row.score {sign} {number}", order("score", sign, number)),
        (f"row.score == {number}", lambda row, who: row["score"] == number),
        (f"row.amount {sign} {number * 40}", order("amount", sign, D(str(number * 40)))),
        ("row.active", ask(lambda row, who: row["active"])),
        ("row.active == true", lambda row, who: row["active"] is True),
        (f'row.born {sign} timestamp("{day}T00:00:00Z")', order("born", sign, day)),
        (f'row.secret.matches("^s[0-{width}]")', text(lambda s: bool(re.search(f"^s[0-{width}]", s)))),
        ('row.secret.endsWith("é")', text(lambda s: s.endswith("é"))),
        ('row.secret.contains("@")', text(lambda s: "@" in s)),
        (f"size(row.secret) < {width}", text(lambda s: len(s) < width)),
        ('row.country.lowerAscii() == "de"', ask(lambda row, who: None if row["country"] is None else row["country"].translate(str.maketrans("DEFRS", "defrs")) == "de")),
        (f'"c-" + row.country == "c-{country}"', ask(lambda row, who: None if row["country"] is None else row["country"] == country)),
        (f'"{lang}" in row.langs', ask(lambda row, who: None if row["langs"] is None else lang in row["langs"])),
        (f"dyn({mark}) in row.marks", ask(lambda row, who: None if row["marks"] is None else marked in row["marks"])),
        (f"!(dyn({mark}) in row.marks)", ask(lambda row, who: None if row["marks"] is None else marked not in row["marks"])),
        ("row.id == row.age", lambda row, who: row["id"] == row["age"]),
        ("row.country < row.secret", ask(lambda row, who: None if None in (row["country"], row["secret"]) else row["country"].encode() < row["secret"].encode())),
    ])


def condition(random_, depth):
    if depth == 0 or random_.random() < 0.25:
        return leaf(random_)
    kind = random_.choice(["and", "or", "not", "if"])
    one, a = condition(random_, depth - 1)
    two, b = condition(random_, depth - 1)
    if kind == "not":
        return f"!({one})", lambda row, who: None if (x := a(row, who)) is None else not x
    if kind == "if":
        three, c = condition(random_, depth - 1)
        return (f"(({one}) ? ({two}) : ({three}))",
                lambda row, who: None if (x := a(row, who)) is None else (b if x else c)(row, who))
    decides = kind == "or"

    def both(row, who):
        answers = (a(row, who), b(row, who))
        return decides if decides in answers else None if None in answers else not decides
    return f"({one}) {'||' if decides else '&&'} ({two})", both


# ---- the reference of masks

def alphanum(text):
    return "".join(c if c in "(),.-@" else "n" if c in "0123456789" else "x" for c in text)


def hashed(value, width):
    if width is None:
        return hashlib.sha256(value.encode()).hexdigest()
    digest = hashlib.sha256(value.to_bytes(width, "little", signed=True)).digest()
    return int.from_bytes(digest[:width], "little", signed=True)


MASKS = {
    "country": {"mask-alphanum": alphanum, "mask-to-fixed-value": lambda v: "XXXXXXXX", "replace-with-null": lambda v: None,
                "sha-256-global": lambda v: hashed(v, None)},
    "secret": {"mask-alphanum": alphanum, "show-first-4": lambda v: v[:4] + alphanum(v[4:]),
               "show-last-4": lambda v: v if len(v) <= 4 else alphanum(v[:-4]) + v[-4:],
               "sha-256-global": lambda v: hashed(v, None), "replace-with-null": lambda v: None},
    "age": {"sha-256-global": lambda v: hashed(v, 4), "mask-to-fixed-value": lambda v: 999999999,
            "replace-with-null": lambda v: None},
    "id": {"sha-256-global": lambda v: hashed(v, 8), "mask-to-fixed-value": lambda v: 999999999},
    "born": {"truncate-to-year": lambda v: v.replace(month=1, day=1), "truncate-to-month": lambda v: v.replace(day=1),
             "mask-to-fixed-value": lambda v: datetime.date(9999, 12, 31)},
    "amount": {"mask-to-fixed-value": lambda v: D("0.00")},
    "langs": {"mask-to-fixed-value": lambda v: []},
    "active": {"mask-to-fixed-value": lambda v: False},
}
STRICTNESS = ["show-first-4", "show-last-4", "truncate-to-month", "truncate-to-year", "mask-alphanum", "sha-256-global",
              "pseudonym", "sha-256-query-local", "mask-to-fixed-value", "replace-with-null"]
GROUPS = [("true", lambda who: True),
          ('!("privacy-office" in principal.groups)', lambda who: "privacy-office" not in PRINCIPALS[who]["groups"]),
          ('"analysts" in principal.groups', lambda who: "analysts" in PRINCIPALS[who]["groups"]),
          ('principal.name == "ana"', lambda who: who == "ana"),
          ('"FR" in principal.attributes.countries',  # An error for those without: the restriction holds.
           lambda who: "FR" in PRINCIPALS[who]["attributes"].get("countries", ["FR"]))]


def learn_tokens(node, token, rows, faults):
    """What stands for each value of the columns that identify an entity, by what two purposes are told."""
    def asked(purpose):
        with connect(node, token, purpose) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT n, id, secret FROM {TABLE}")
            return {row["n"]: row for row in cursor.fetch_arrow_table().to_pylist()}
    here, there = asked(PURPOSE), asked("billing")
    for column in ("id", "secret"):
        pairs = {(row[column], here[row["n"]][column]) for row in rows}
        if len(pairs) != len({clear for clear, _ in pairs}) or len(pairs) != len({token for _, token in pairs}):
            faults.append(f"{column}: a value has two tokens, or two values have one")
        if any((clear is None) != (token is None) for clear, token in pairs):
            faults.append(f"{column}: null does not stay null")
        shared = {row[column] for row in here.values()} & {row[column] for row in there.values()} - {None}
        told = {token for _, token in pairs} & {row[column] for row in rows} - {None}
        if shared or told:
            faults.append(f"{column}: tokens of two purposes, or tokens and values, meet: {shared or told}")
        tokens = dict(pairs)
        MASKS[column]["pseudonym"] = lambda value, tokens=tokens: tokens[value]


def make_policies(random_):
    """(YAML, the row filters, the masks), the latter two as functions of the principal."""
    policies, filters, masks = [], [], []
    for i in range(random_.randint(1, 4)):
        when, applies = random_.choice(GROUPS)
        policy = {"name": f"policy-{i}", "when": when}
        if random_.random() < 0.5:
            policy["filter"], test = condition(random_, 3)
            filters.append((applies, test))
        else:
            column = random_.choice(list(MASKS))
            action = random_.choice(list(MASKS[column]))
            policy |= {"scope": {"columns": {"names": [column]}}, "mask": action}
            masks.append((applies, column, action))
        policies.append(policy)
    return json.dumps({"policies": policies}), filters, masks


def visible(rows, filters, masks, who):
    chosen = {}
    for applies, column, action in masks:
        if applies(who) and (column not in chosen or STRICTNESS.index(action) > STRICTNESS.index(chosen[column])):
            chosen[column] = action
    left = []
    for row in rows:
        if all(test(row, who) is True for applies, test in filters if applies(who)):
            left.append({name: value if value is None or name not in chosen else MASKS[name][chosen[name]](value)
                         for name, value in row.items()})
    return left


# ---- statements that would tell: over a view with hidden rows they must answer as over a table without them

PROBES = [
    "SELECT * FROM t ORDER BY ALL",
    "SELECT count(*), count(country), min(id), max(id), sum(age), max(secret) FROM t",
    "SELECT country, count(*) FROM t GROUP BY ALL ORDER BY ALL",
    "SELECT * FROM t ORDER BY score DESC, id LIMIT 3",
    "SELECT count(*) FROM t WHERE country = 'DE' AND age > 20",
    "SELECT count(*) FROM t WHERE CAST(secret AS INTEGER) > 0",
    "SELECT count(*) FROM t WHERE NOT regexp_full_match('x', secret)",
    "SELECT count(*) FROM t WHERE NOT regexp_matches('x', coalesce(secret, '') || '(')",
    "SELECT count(*) FROM t WHERE secret LIKE 's%' ESCAPE country",
    "SELECT count(*) FROM t WHERE country::DATE IS NOT NULL",
    "SELECT sqrt(age - 45) FROM t ORDER BY 1",
    "SELECT age::TINYINT * 2 FROM t ORDER BY 1",
    "SELECT count(*) FROM t a JOIN t b ON a.country = b.country AND a.id < b.id",
    "SELECT approx_count_distinct(id) >= 0, median(age), mode(country) FROM t",
    "SELECT count(*) FROM (SELECT id, row_number() OVER (PARTITION BY country ORDER BY id) AS n FROM t) WHERE n = 1",
    "SELECT id FROM t WHERE id = (SELECT max(id) FROM t)",
    "SELECT count(*) FROM t WHERE id IN (SELECT id + 1 FROM t)",
    "SELECT DISTINCT active, born FROM t ORDER BY ALL",
    "SELECT x FROM (SELECT unnest(langs) AS x FROM t) ORDER BY 1",
]


def outcome(run):
    """What a statement answers: its rows, or that it fails."""
    try:
        return run()
    except Exception as error:  # noqa: BLE001: any driver's
        return "fails", str(error)


def same(ours, reference):
    if isinstance(ours, tuple) != isinstance(reference, tuple):
        return False
    return isinstance(ours, tuple) or ours == reference


def connect(node, token, purpose):
    return node.adbc(token, **{"adbc.flight.sql.rpc.call_header.x-weft-purpose": purpose})


def check_principal(node, token, who, left, filtered, hidden_secrets, faults):
    reference = duckdb.connect()
    reference.register("t_arrow", pa.Table.from_pylist(left, schema=SCHEMA))
    reference.execute("CREATE TABLE t AS SELECT * FROM t_arrow")
    with connect(node, token, PURPOSE) as connection, connection.cursor() as cursor:
        for probe in PROBES:
            def ours():
                cursor.execute(re.sub(r"\bt\b", TABLE, probe))
                return cursor.fetch_arrow_table().to_pylist()
            got = outcome(ours)
            wanted = outcome(lambda: reference.execute(probe).fetch_arrow_table().to_pylist())
            if not same([tuple(row.values()) for row in got] if isinstance(got, list) else got,
                        [tuple(row.values()) for row in wanted] if isinstance(wanted, list) else wanted):
                faults.append(f"{who}: {probe}\n  ours      {str(got)[:300]}\n  reference {str(wanted)[:300]}")
            if isinstance(got, tuple) and any(f"'{secret}'" in got[1] or f'"{secret}"' in got[1] for secret in hidden_secrets):
                faults.append(f"{who}: {probe}: the error tells a hidden value: {got[1]}")
    port = node.json("show", "people/users/users", token=token, purpose=PURPOSE)
    if filtered and (port["rows"] is not None or any(s["rows"] is not None for s in port["snapshots"])):
        faults.append(f"{who}: show counts the hidden rows")
    if filtered and any(s["rows"] is not None for s in node.json("snapshots", "people/users/users", token=token, purpose=PURPOSE)["snapshots"]):
        faults.append(f"{who}: snapshots count the hidden rows")
    sample = node.json("sample", "people/users/users", code=None, token=token, purpose=PURPOSE)
    sampled = {row["id"] for row in sample["rows"]} if isinstance(sample, dict) and "rows" in sample else set()
    if not sampled <= {row["id"] for row in left}:
        faults.append(f"{who}: the sample has rows that are hidden")
    return len(PROBES) + 3


def main() -> int:
    random_ = random.Random(20130101)
    rows = make_rows(random_)
    faults, asked = [], 0
    with Node() as node:
        mesh = node.folder / "mesh"
        home = mesh / "domains/people/users"
        (home / "data").mkdir(parents=True)
        (mesh / "policies").mkdir()
        (mesh / "entities").mkdir()
        (mesh / "entities/all.yaml").write_text(ENTITIES)
        (mesh / "mesh.yaml").write_text(MESH)
        (home / "product.odps.yaml").write_text(PRODUCT)
        (home / "users.odcs.yaml").write_text(CONTRACT)
        (home / "data/users.json").write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))
        node.run("apply", str(mesh))
        node.run("run", "people/users", "--quiet")
        tokens = {}
        for who in PRINCIPALS:
            node.run("grant", who, "people/users/users@1")
            tokens[who] = node.json("token", "create", who)["secret"]
        (mesh / "policies/all.yaml").write_text(json.dumps({"policies": [
            {"name": "all", "scope": {"columns": {"names": ["id", "secret"]}}, "mask": "pseudonym"}]}))
        node.run("apply", str(mesh))
        learn_tokens(node, tokens["zoe"], rows, faults)
        for number in range(ROUNDS):
            text, filters, masks = make_policies(random_)
            (mesh / "policies/all.yaml").write_text(text)
            node.run("apply", str(mesh))
            for who in PRINCIPALS:
                left = visible(rows, filters, masks, who)
                shown = {row["id"] for row in left}
                hidden = {row["secret"] for row in rows if row["secret"] and row["id"] not in shown}
                hidden -= {row["secret"] for row in left}
                filtered = any(applies(who) for applies, _ in filters) and len(left) < len(rows)
                before = len(faults)
                asked += check_principal(node, tokens[who], who, left, filtered, hidden, faults)
                faults[before:] = [f"round {number}: {fault}\n  policies  {text}" for fault in faults[before:]]
    for fault in faults[:20]:
        print(fault)
    print(f"{asked - len(faults)} passed, {len(faults)} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
