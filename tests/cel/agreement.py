"""Weft and two other implementations of CEL give the same answers to thousands of random expressions.

Run with build/deps/venv/bin/python; prints what was compared and every disagreement that no known fault of the other
implementation explains, and fails on any. `--count N` tries more expressions than the default, `--seed N` others.
"""
import argparse
import base64
import datetime
import json
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import warnings

import cel
import celpy
import celpy.celtypes as celtypes

ROOT = pathlib.Path(__file__).resolve().parents[2]

VARIABLES = {
    "i": ("int", 7), "j": ("int", -3), "zero": ("int", 0), "d": ("double", 2.5), "s": ("string", "flight"), "t": ("string", "ab"),
    "yes": ("bool", True), "no": ("bool", False), "ints": ("list<int>", [1, 2, 3]), "none": ("list<int>", []),
    "texts": ("list<string>", ["ab", "fl", ""]), "m": ("map<string, int>", {"a": 1, "b": 2}),
}
LEAVES = {
    "int": ["0", "1", "2", "-1", "5", "0x1F", "9223372036854775807", "-9223372036854775808"],
    "uint": ["0u", "1u", "7u", "18446744073709551615u"],
    "double": ["0.0", "1.0", "2.5", "-1.5", "1e3", "0.1"],
    "string": ["''", "'a'", '"ab"', "'flight'", "r'a.'", "'''b'''", "'x\\ty'", "'\\u0041'"],
    "bytes": ["b''", "b'a'", "b'ab'", "b'\\x01'"],
    "bool": ["true", "false"],
    "list<int>": ["[]", "[1]", "[3, 2, 1]"],
    "list<string>": ["[]", "['a']", "['ab', 'b']"],
    "map<string, int>": ["{}", "{'a': 1}", "{'b': 2, 'c': 3}"],
    "timestamp": ["timestamp('2009-02-13T23:31:30Z')", "timestamp('1999-12-31T00:00:00+02:00')", "timestamp('2024-02-29T12:00:00.5Z')"],
    "duration": ["duration('1h')", "duration('-90m')", "duration('1.5s')", "duration('0s')"],
}
ELEMENT = {"list<int>": "int", "list<string>": "string"}
RELATION, ADD, MULTIPLY, UNARY, MEMBER = 3, 4, 5, 6, 7  # As the grammar ranks them; 0 ? : , 1 ||, 2 &&


class Writer:
    """Writes random expressions that are well typed; some of them fail all the same, by zero or beyond an end."""

    def __init__(self, chance):
        self.chance = chance
        self.scope = []  # (name, type) of the macros around

    def write(self, type, depth):
        text, _ = self.at(type, depth)
        return text

    def at(self, type, depth):
        """The text and how tightly it holds together."""
        if depth <= 0 or self.chance.random() < 0.1:
            return self.leaf(type)
        return self.chance.choice(self.ways(type))(type, depth - 1)

    def leaf(self, type):
        named = [name for name, (of, _) in VARIABLES.items() if of == type] + [name for name, of in self.scope if of == type] * 3
        text = self.chance.choice(named) if named and self.chance.random() < 0.6 else self.chance.choice(LEAVES[type])
        return text, UNARY if text.startswith("-") else MEMBER

    def part(self, type, depth, least):
        text, rank = self.at(type, depth)
        return f"({text})" if rank < least or self.chance.random() < 0.05 else text

    def infix(self, sign, rank, of, result=None):
        def way(type, depth):
            left, right = of if isinstance(of, tuple) else (of or type, of or type)
            return f"{self.part(left, depth, rank)} {sign} {self.part(right, depth, rank + 1)}", rank
        return way

    def call(self, pattern, *types, rank=MEMBER):
        """{0} is a receiver where ".": follows it, else an argument."""
        def way(_, depth):
            parts = [self.part(type, depth, MEMBER if "{%d}." % at in pattern or "{%d}[" % at in pattern else 0)
                     for at, type in enumerate(types)]
            return pattern.format(*parts), rank
        return way

    def choose(self, type, depth):
        return f"{self.part('bool', depth, 1)} ? {self.part(type, depth, 1)} : {self.part(type, depth, 0)}", 0

    def comparison(self, _, depth):
        type = self.chance.choice(["int", "uint", "double", "string", "bytes", "timestamp", "duration", "bool"])
        sign = self.chance.choice(["==", "!=", "<", "<=", ">", ">="])
        return self.infix(sign, RELATION, type)(type, depth)

    def equality(self, _, depth):
        type = self.chance.choice(list(LEAVES))
        return self.infix(self.chance.choice(["==", "!="]), RELATION, type)(type, depth)

    def macro(self, name, body=None):
        def way(type, depth):
            lists = [type] if name == "filter" else ["list<int>", "list<string>"]
            of = self.chance.choice(lists)
            variable = self.chance.choice(["v", "w", "i"])
            source = self.part(of, depth, MEMBER)
            self.scope.append((variable, ELEMENT[of]))
            inner = self.part(body or ELEMENT.get(type, type), depth, 0) if self.fits(variable, ELEMENT[of]) else None
            self.scope.pop()
            if inner is None:
                return self.leaf(type)
            return f"{source}.{name}({variable}, {inner})", MEMBER
        return way

    def fits(self, variable, type):
        """A macro's variable may hide another only of its own type, so that the rest stays well typed."""
        around = [of for name, of in self.scope[:-1] if name == variable]
        outer = [VARIABLES[variable][0]] if variable in VARIABLES else []
        return all(of == type for of in around + outer)

    def ways(self, type):
        common = [self.choose]
        if type == "bool":
            return common + [
                self.comparison, self.comparison, self.comparison, self.equality,
                self.infix("&&", 2, "bool"), self.infix("||", 1, "bool"), self.infix("&&", 2, "bool"), self.infix("||", 1, "bool"),
                self.negation("!", "bool"),
                self.infix("in", RELATION, ("int", "list<int>")), self.infix("in", RELATION, ("string", "list<string>")),
                self.infix("in", RELATION, ("string", "map<string, int>")),
                self.has,
                self.call("{0}.startsWith({1})", "string", "string"), self.call("{0}.endsWith({1})", "string", "string"),
                self.call("{0}.contains({1})", "string", "string"), self.matches,
                self.macro("all", "bool"), self.macro("exists", "bool"), self.macro("exists_one", "bool"),
            ]
        if type == "int":
            return common + [self.infix(sign, ADD if sign in "+-" else MULTIPLY, None) for sign in "+-*/%"] + [
                self.negation("-", "int"), self.call("size({0})", "string"), self.call("{0}.size()", "list<int>"),
                self.call("size({0})", "map<string, int>"), self.call("size({0})", "bytes"), self.call("{0}[{1}]", "list<int>", "int"),
                self.call("{0}[{1}]", "map<string, int>", "string"), self.call("int({0})", "double"), self.call("int({0})", "uint"),
                self.call("int({0})", "string"), self.call("m.a"), self.call("{0}.getFullYear()", "timestamp"),
                self.call("{0}.getHours()", "timestamp"), self.call("{0}.getMinutes()", "duration"), self.call("int({0})", "timestamp"),
            ]
        if type == "uint":
            return common + [self.infix(sign, ADD if sign in "+-" else MULTIPLY, None) for sign in "+-*/%"] + [
                self.call("uint({0})", "int"), self.call("uint({0})", "double")]
        if type == "double":
            return common + [self.infix(sign, ADD if sign in "+-" else MULTIPLY, None) for sign in "+-*/"] + [
                self.negation("-", "double"), self.call("double({0})", "int"), self.call("double({0})", "uint")]
        if type == "string":
            return common + [self.infix("+", ADD, None), self.infix("+", ADD, None), self.call("string({0})", "int"), self.call("string({0})", "uint"),
                             self.call("string({0})", "bytes"), self.call("{0}[{1}]", "list<string>", "int")]
        if type == "bytes":
            return common + [self.infix("+", ADD, None), self.call("bytes({0})", "string")]
        if type in ELEMENT:
            element = ELEMENT[type]
            return common + [self.infix("+", ADD, None), self.call("[{0}]", element), self.call("[{0}, {1}]", element, element),
                             self.macro("filter", "bool"), self.macro("map")]
        if type == "map<string, int>":
            return common + [self.call("{{{0}: {1}}}", "string", "int"), self.call("{{'a': {0}, 'd': {1}}}", "int", "int")]
        if type == "timestamp":
            return common + [self.infix("+", ADD, ("timestamp", "duration")), self.infix("-", ADD, ("timestamp", "duration"))]
        return common + [self.infix("+", ADD, None), self.infix("-", ADD, None), self.infix("-", ADD, ("timestamp", "timestamp"))]

    def negation(self, sign, type):
        def way(_, depth):
            # "-" before digits would be the number's own sign, and signs do not mix.
            text, rank = self.at(type, depth)
            bare = rank == MEMBER and not re.match(r"[-\d.]", text)
            return (f"{sign}{text}" if bare else f"{sign}({text})"), UNARY
        return way

    def has(self, _, depth):
        return f"has({self.part('map<string, int>', depth, MEMBER)}.{self.chance.choice('abcd')})", MEMBER

    def matches(self, _, depth):
        return f"{self.part('string', depth, MEMBER)}.matches('{self.chance.choice(['a', '^f', 'l.*t$', '[0-9]+', 'b|x', ''])}')", MEMBER


# One answer, whoever gave it: ("error", its words) or (kind, value); a list or map holds such pairs.


def ours(answer):
    if "error" in answer:
        return ("error" if answer["stage"] == "run" else "refused", answer["error"])

    def plain(tagged):
        (kind, held), = tagged.items()
        if kind == "list":
            return ("list", [plain(item) for item in held])
        if kind == "map":
            return ("map", sorted(((plain(key), plain(item)) for key, item in held), key=repr))
        if kind == "double":
            return (kind, float(re.sub(r'double\("(.*)"\)', r"\1", held)))
        if kind in ("int", "uint"):
            return (kind, int(held))
        if kind == "bytes":
            return (kind, base64.b64decode(held))
        if kind == "google.protobuf.Timestamp":
            return ("timestamp", datetime.datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", held).replace("Z", "+00:00")))
        if kind == "google.protobuf.Duration":
            return ("duration", datetime.timedelta(microseconds=held // 1000))
        return (kind, held)
    return plain(answer["value"])


def of_python(value):
    """What either peer gives. bool is an int to Python, so it is asked first."""
    if isinstance(value, (bool, celtypes.BoolType)):
        return ("bool", bool(value))
    if isinstance(value, celtypes.UintType):
        return ("uint", int(value))
    if isinstance(value, int):
        return ("int", int(value))
    if isinstance(value, float):
        return ("double", float(value))
    if isinstance(value, str):
        return ("string", str(value))
    if isinstance(value, bytes):
        return ("bytes", bytes(value))
    if isinstance(value, datetime.datetime):
        return ("timestamp", datetime.datetime.fromisoformat(value.isoformat()))
    if isinstance(value, datetime.timedelta):
        return ("duration", datetime.timedelta(days=value.days, seconds=value.seconds, microseconds=value.microseconds))
    if isinstance(value, dict):
        return ("map", sorted(((of_python(key), of_python(item)) for key, item in value.items()), key=repr))
    if isinstance(value, list):
        return ("list", [of_python(item) for item in value])
    return ("null", None) if value is None else ("unknown", repr(value))


def same(one, other, uints):
    if one[0] in ("int", "uint") and other[0] in ("int", "uint") and not uints:
        return one[1] == other[1]
    if one[0] != other[0]:
        return False
    if one[0] == "error":
        return True
    if one[0] == "double":
        return one[1] == other[1] or (math.isnan(one[1]) and math.isnan(other[1]))
    if one[0] == "list":
        return len(one[1]) == len(other[1]) and all(same(a, b, uints) for a, b in zip(one[1], other[1]))
    if one[0] == "map":
        return len(one[1]) == len(other[1]) and all(same(a, b, uints) and same(x, y, uints) for (a, x), (b, y) in zip(one[1], other[1]))
    return one == other


class CelPython:
    """cel-python: pure Python."""
    name = "cel-python"
    uints = True

    def __init__(self):
        self.environment = celpy.Environment()
        self.values = {name: celpy.json_to_cel(value) for name, (_, value) in VARIABLES.items()}

    def __call__(self, text):
        try:
            program = self.environment.program(self.environment.compile(text))
            return of_python(program.evaluate(dict(self.values)))
        except Exception as failure:  # Many kinds come out of it; all of them are its "error".
            return ("error", f"{type(failure).__name__}: {failure.args[:1]}")


class CelRust:
    """common-expression-language: the Rust crate cel."""
    name = "common-expression-language"
    uints = False  # It gives uints as Python's int.

    def __init__(self):
        self.values = {name: value for name, (_, value) in VARIABLES.items()}

    def __call__(self, text):
        try:
            return of_python(cel.evaluate(text, self.values))
        except BaseException as failure:  # A panic of Rust is no Exception.
            if isinstance(failure, KeyboardInterrupt):
                raise
            return ("error", f"{type(failure).__name__}: {failure.args[:1]}")


# Where a peer departs from the standard: (peer, what it does, whether that explains this disagreement). The function gets
# the expression, Weft's answer and the peer's.
KNOWN = [
    ("cel-python", "keeps a failure as a value of a map, and goes on",
     lambda text, weft, theirs: weft[0] == "error" and theirs[0] != "error" and "{" in text),
    ("cel-python", "counts a negative index from the end, as Python does",
     lambda text, weft, theirs: weft[0] == "error" and theirs[0] != "error" and re.search(r"index -\d+ is outside", weft[1])),
    ("cel-python", "makes of some sums and differences a plain text or duration of Python, which has no functions",
     lambda text, weft, theirs: weft[0] != "error" and re.search(r"\.(getMinutes|contains|startsWith|endsWith|matches)\(", text)
     and (theirs[0] == "error" or ").contains" in text and theirs[0] == "bool" or "has no attribute" in repr(theirs))),
    ("cel-python", "takes uint() of a double between -1 and 0 for 0",
     lambda text, weft, theirs: weft[0] == "error" and re.search(r" -0\.\d+ is out of the range of uint", weft[1])),
    ("cel-python", "divides doubles by zero as errors, or without regard to the sign of zero",
     lambda text, weft, theirs: weft[0] == "double" and not math.isfinite(weft[1]) and "/" in text),
    ("common-expression-language", "has no int(timestamp)",
     lambda text, weft, theirs: theirs[0] == "error" and "function: 'int'" in theirs[1] and "timestamp(" in text),
    ("common-expression-language", "reads the parts of a timestamp in the offset that it was written with, not in UTC",
     lambda text, weft, theirs: "+02:00" in text and re.search("getHours|getFullYear", text)),
    ("common-expression-language", "negates the least int without an error",
     lambda text, weft, theirs: weft[0] == "error" and "result of - is out of range" in weft[1] and "-(" in text),
]


def explained(peer, text, weft, theirs):
    return next((why for name, why, explains in KNOWN if name == peer.name and explains(text, weft, theirs)), None)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--evaluate", default=str(ROOT / "build" / os.environ.get("PRESET", "release") / "evaluate"))
    options.add_argument("--count", type=int, default=3000)
    options.add_argument("--seed", type=int, default=7)
    options = options.parse_args()
    warnings.simplefilter("ignore")
    writer = Writer(random.Random(options.seed))
    texts = [writer.write(writer.chance.choice(list(LEAVES)), 4) for _ in range(options.count)]
    shared = {"vars": {name: value for name, (_, value) in VARIABLES.items()}, "types": {name: of for name, (of, _) in VARIABLES.items()}}
    asked = "".join(json.dumps({"expr": text, **shared}) + "\n" for text in texts)
    answer = subprocess.run([options.evaluate], input=asked, text=True, stdout=subprocess.PIPE, check=True).stdout
    answers = [ours(json.loads(line)) for line in answer.splitlines()]
    faults, reasons, failing = 0, {}, 0
    if len(answers) != len(texts):
        faults += 1
        print(f"{len(texts)} expressions asked, {len(answers)} answered")
    peers = [CelPython(), CelRust()]
    agreed = dict.fromkeys([peer.name for peer in peers], 0)
    for text, weft in zip(texts, answers):
        failing += weft[0] == "error"
        if weft[0] == "refused":
            faults += 1
            print(f"{text}\n  Weft refuses it: {weft[1]}")
            continue
        for peer in peers:
            theirs = peer(text)
            if same(weft, theirs, peer.uints):
                agreed[peer.name] += 1
            elif why := explained(peer, text, weft, theirs):
                reasons[peer.name, why] = reasons.get((peer.name, why), 0) + 1
            else:
                faults += 1
                print(f"{text}\n  Weft {weft}\n  {peer.name} {theirs}"[:900])
    for (name, why), count in sorted(reasons.items()):
        print(f"{name}: {count} times {why}")
    print(f"{len(texts)} expressions, {failing} of which fail; " + ", ".join(f"{name} agrees on {count}" for name, count in agreed.items()))
    print(f"{len(texts) - faults} passed, {faults} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
