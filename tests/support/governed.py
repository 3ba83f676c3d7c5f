"""The plain reference of governance: rows in memory, random policies over them, and what these leave to whom."""
import datetime
import decimal
import hashlib
import random
import re

import pyarrow as pa

D = decimal.Decimal
PURPOSE = "research"  # Of everything that is asked, where nothing else is said.

PRINCIPALS = {
    "zoe": {"groups": ["analysts"], "attributes": {"countries": ["DE"], "prefixes": ["s1", "s2"]}},
    "pia": {"groups": ["analysts", "privacy-office"], "attributes": {"countries": ["FR", "ES"], "prefixes": ["s"]}},
    "ana": {"groups": [], "attributes": {}},
    "cleo": {"groups": [], "attributes": {}},
    "eve": {"groups": [], "attributes": {}},
    "gus": {"groups": ["governance"], "attributes": {}},
    "ada": {"groups": ["auditors"], "attributes": {}},
    "admin": {"groups": [], "attributes": {}},
    "product:insight/copy": {"groups": [], "attributes": {}},
}
COLUMNS = {"id": ("integer", "bigint", pa.int64()),
           "n": ("integer", "bigint", pa.int64()),
           "note": ("string", "varchar", pa.string()),
           "country": ("string", "varchar", pa.string()),
           "age": ("integer", "int", pa.int32()),
           "score": ("number", "double", pa.float64()),
           "amount": ("number", "decimal(10,2)", pa.decimal128(10, 2)),
           "active": ("boolean", "boolean", pa.bool_()),
           "born": ("date", "date", pa.date32()),
           "secret": ("string", "varchar", pa.string()),
           "langs": ("array", "varchar[]", pa.list_(pa.string())),
           "marks": ("array", "bigint[]", pa.list_(pa.int64())),
           "code": ("string", "varchar", pa.string()),
           "num": ("integer", "bigint", pa.int64()),
           "k": ("integer", "int", pa.int32()),
           "late": ("string", "varchar", pa.string())}  # Of the contract's second version alone.
ENTITIES = {"id": "person", "secret": "alias"}
# Every row's own words and number: wherever one of them stands, a row is told of.
MARK = re.compile(r"(?<![0-9a-z])zq[a-z]{8}|\b7\d{9}\b")


def marks(value) -> set[str]:
    return set(MARK.findall(value if isinstance(value, str) else repr(value)))


def some(random_: random.Random, value):
    """A value that is sometimes missing."""
    return None if random_.random() < 0.12 else value


def make_rows(random_: random.Random, count: int, first: int = 0) -> list[dict]:
    """One row in six is poisoned: expressions over it fail that do not over the others (code, num, k)."""
    rows = []
    for i in range(first, first + count):
        poisoned = random_.random() < 0.17
        note = "zq" + "".join(random_.choices("abcdefghijklmnopqrstuvwxyz", k=8))
        rows.append({
            "id": i,
            "n": 7_000_000_000 + i * 7919 % 1_000_000_000,
            "note": note,
            "country": "XX" if poisoned else some(random_, random_.choice(["DE", "FR", "ES", "de", "", "DÉ"])),
            "age": some(random_, random_.randint(0, 90)),
            "score": some(random_, random_.choice([-1.5, 0.0, 0.25, 0.5, 2.0, 1e300])),
            "amount": some(random_, D(random_.randint(-500, 5000)) / 100),
            "active": some(random_, random_.random() < 0.5),
            "born": some(random_, datetime.date(1950, 1, 1) + datetime.timedelta(days=random_.randint(0, 20000))),
            "secret": some(random_, f"s{random_.randint(0, 9)}{random_.choice(['', '-é', ' x.y@z', '1234567'])}"),
            "langs": some(random_, random_.sample(["en", "de", "fr"], random_.randint(0, 3))),
            "marks": some(random_, random_.sample([1, 2, 3, 2**53 + 1, None], random_.randint(0, 4))),
            "code": f"[{note}" if poisoned else str(i % 1000),
            "num": 100_000 + i if poisoned else i % 100,
            "k": 2 if poisoned else 1,
            "late": some(random_, random_.choice(["yes", "no"]))})
    return rows


# ---- filters: CEL's three outcomes, True, False and an error (None)

def ask(test):
    """A test that CEL answers with an error where the row has no value."""
    return lambda row, who: None if (answer := test(row, who)) is None else bool(answer)


def order(column, sign, value):
    compare = {"<": lambda a: a < value, "<=": lambda a: a <= value, ">": lambda a: a > value, ">=": lambda a: a >= value}
    return ask(lambda row, who: None if row[column] is None else compare[sign](row[column]))


def lower_ascii(text):
    return text.translate(str.maketrans("DEFRSX", "defrsx"))


def leaf(random_):
    country, age = random_.choice(["DE", "FR", "XX"]), random_.randint(-5, 95)
    sign = random_.choice(["<", "<=", ">", ">="])
    day = datetime.date(1950, 1, 1) + datetime.timedelta(days=random_.randint(0, 20000))
    number = random_.choice([0.25, 0.3, 1.0])
    lang = random_.choice(["en", "de", "xx"])
    width = random_.randint(1, 8)

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
        ('row.country.lowerAscii() == "de"', ask(lambda row, who: None if row["country"] is None else lower_ascii(row["country"]) == "de")),
        (f'"c-" + row.country == "c-{country}"', ask(lambda row, who: None if row["country"] is None else row["country"] == country)),
        (f'"{lang}" in row.langs', ask(lambda row, who: None if row["langs"] is None else lang in row["langs"])),
        ("row.id == row.age", lambda row, who: row["id"] == row["age"]),
        ('row.late != "no"', lambda row, who: row["late"] != "no"),
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


# Each hides the poisoned rows and no other, in words that an engine plans differently.
GUARDS = [
    ("row.k == 1", lambda row, who: row["k"] == 1),
    ("row.k < 2", order("k", "<", 2)),
    ("row.k in [1, 3, 4]", lambda row, who: row["k"] in (1, 3, 4)),
    ("(row.k == 1 || row.id == -1)", lambda row, who: row["k"] == 1 or row["id"] == -1),
    ("(row.k == 2 ? false : true)", lambda row, who: row["k"] != 2),
    ('row.country != "XX"', lambda row, who: row["country"] != "XX"),
    ("row.num < 1000", order("num", "<", 1000)),
    ('row.code.matches("^[0-9]+$")', ask(lambda row, who: None if row["code"] is None else bool(re.search("^[0-9]+$", row["code"])))),
    ("size(row.code) < 5", ask(lambda row, who: None if row["code"] is None else len(row["code"]) < 5)),
]


# ---- masks

def alphanum(text):
    return "".join(c if c in "(),.-@" else "n" if c in "0123456789" else "x" for c in text)


def hashed(value, width):
    if width is None:
        return hashlib.sha256(value.encode()).hexdigest()
    digest = hashlib.sha256(value.to_bytes(width, "little", signed=True)).digest()
    return int.from_bytes(digest[:width], "little", signed=True)


TEXTS = {"mask-alphanum": alphanum, "show-first-4": lambda v: v[:4] + alphanum(v[4:]),
         "show-last-4": lambda v: v if len(v) <= 4 else alphanum(v[:-4]) + v[-4:],
         "sha-256-global": lambda v: hashed(v, None), "mask-to-fixed-value": lambda v: "XXXXXXXX",
         "replace-with-null": lambda v: None}
MASKS = {
    "country": TEXTS,
    "note": TEXTS,
    "code": TEXTS,
    "secret": dict(TEXTS),
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
SCOPES = [{}, {}, {"domains": ["people"]}, {"products": ["people/users"]}, {"ports": ["people/users/users"]},
          {"ports": ["people/users/again@1"]}, {"products": ["insight/copy"]}]


def in_scope(scope: dict, port: str) -> bool:
    """Of each list that is given something must fit."""
    domain, product, _ = port.split("/")
    return (domain in scope.get("domains", [domain]) and f"{domain}/{product}" in scope.get("products", [f"{domain}/{product}"])
            and port in [each.removesuffix("@1") for each in scope.get("ports", [port])])


class Policies:
    """Some policies, as a document and as what they leave."""

    def __init__(self, random_: random.Random):
        self.document, self.rules = [], []
        for i in range(random_.randint(1, 4)):
            when, applies = random_.choice(GROUPS)
            scope = dict(random_.choice(SCOPES))
            policy = {"name": f"policy-{i}", "when": when} | ({"scope": scope} if scope else {})
            rule = {"applies": applies, "scope": scope}
            if random_.random() < 0.2:
                policy["purposes"] = rule["purposes"] = [random_.choice(["billing", PURPOSE])]
            kind = random_.random()
            if kind < 0.06:
                policy["deny"] = ["read"]
            elif kind < 0.12:
                policy |= {"allow": ["read"], "principals": ["eve"]}
                rule["applies"] = lambda who, applies=applies: who == "eve" and applies(who)
            elif kind < 0.35:
                policy["filter"], rule["filter"] = random_.choice(GUARDS)
            elif kind < 0.6:
                policy["filter"], rule["filter"] = condition(random_, 3)
            else:
                column = random_.choice(list(MASKS))
                action = random_.choice(list(MASKS[column]))
                if action == "pseudonym":  # What identifies somebody is told by these columns alone.
                    rule["scope"] = {"products": ["people/users"]}
                policy["scope"] = rule["scope"] | {"columns": {"names": [column]}}
                policy["mask"] = action
                rule["mask"] = (column, action)
            self.document.append(policy)
            self.rules.append(rule)

    def of(self, who: str, port: str, what: str, purpose: str = PURPOSE) -> list:
        return [rule.get(what, True) for rule, policy in zip(self.rules, self.document)
                if what in policy and rule["applies"](who) and in_scope(rule["scope"], port)
                and purpose in rule.get("purposes", [purpose])]

    def denied(self, who: str, port: str, purpose: str = PURPOSE) -> bool:
        return bool(self.of(who, port, "deny", purpose))

    def allowed(self, who: str, port: str) -> bool:
        return bool(self.of(who, port, "allow"))

    def filtered(self, who: str, port: str) -> bool:
        return bool(self.of(who, port, "filter"))

    def left(self, rows: list[dict], who: str, port: str) -> list[dict]:
        """What of the rows is there for them, whether or not they may read at all."""
        chosen, filters = {}, self.of(who, port, "filter")
        for column, action in self.of(who, port, "mask"):
            if column not in chosen or STRICTNESS.index(action) > STRICTNESS.index(chosen[column]):
                chosen[column] = action
        return [{name: value if value is None or name not in chosen else MASKS[name][chosen[name]](value)
                 for name, value in row.items()}
                for row in rows if all(test(row, who) is True for test in filters)]
