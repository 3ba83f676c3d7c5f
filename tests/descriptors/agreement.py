"""Weft and the standards' JSON Schemas give the same verdict on every sample and on mutations of them.

Run with build/deps/venv/bin/python; prints the counts and every disagreement, and fails on any.
`--per-kind N` tries more of them than the default.
"""
import argparse
import copy
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "build/deps/schemas"
SAMPLES = pathlib.Path(__file__).parent / "samples"
PER_SAMPLE = 160


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2's core schema: no dates, no yes and no, no octal by a leading zero."""


def text_keys(loader, node):
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}


CoreLoader.yaml_implicit_resolvers = {}
CoreLoader.add_constructor("tag:yaml.org,2002:map", text_keys)
for tag, pattern, first in [
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
]:
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))


def validators():
    def load(folder, name):
        schema = json.loads((SCHEMAS / folder / f"{name}.schema.json").read_text())
        return jsonschema.Draft201909Validator(schema)

    odcs = {"v3.2.0": load("datacontract", "odcs-3.2.0"), "v3.1.0": load("datacontract", "odcs-3.1.0")}
    for version in ["v3.0.2", "v3.0.1", "v3.0.0", "v2.2.2", "v2.2.1", "v2.2.0"]:
        odcs[version] = load("datacontract", "odcs-3.0.2")
    odps = {"v1.1.0": load("dataproduct", "odps-1.1.0"), "v1.0.0": load("dataproduct", "odps-1.0.0")}
    odps["v0.9.0"] = odps["v1.0.0"]
    return {"odcs": odcs, "odps": odps}


def schema_says(all_validators, standard, document):
    version = document.get("apiVersion") if isinstance(document, dict) else None
    known = all_validators[standard]
    newest = next(iter(known.values()))
    return known.get(version, newest).is_valid(document) if isinstance(version, str) else newest.is_valid(document)


def places(node, path=()):
    """Every place below the root: its path."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else []
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def at(document, path):
    for key in path:
        document = document[key]
    return document


OTHER_VALUES = ["some text", "", 5, 1.0, -1, 2.5, True, None, [], {}, ["a"], [1, 1.0], [True, 1], {"a": 1}, "a.b", "/a/b", "a b"]


def mutations(document, versions):
    """Functions that take (a copy of the document, a random source) and change one thing."""
    every = list(places(document))
    maps = [()] + [path for path in every if isinstance(at(document, path), dict)]

    def delete(doc, path):
        del at(doc, path[:-1])[path[-1]]

    def replace(doc, path, value):
        at(doc, path[:-1])[path[-1]] = copy.deepcopy(value)

    def rename(doc, path, name):
        parent = at(doc, path[:-1])
        parent[name] = parent.pop(path[-1])

    def transplant(doc, source, target):
        moved = copy.deepcopy(at(doc, source))
        place = at(doc, target)
        place[source[-1] if isinstance(source[-1], str) else "items"] = moved

    def repeat(doc, path):
        parent = at(doc, path[:-1])
        parent.append(copy.deepcopy(parent[path[-1]]))

    for path in every:
        value = at(document, path)
        yield "delete", delete, (path,)
        for other in OTHER_VALUES:
            yield "value", replace, (path, other)
        yield "wrap", replace, (path, [value])
        yield "wrap", replace, (path, {"value": value})
        if isinstance(path[-1], str):
            for name in [path[-1] + "x", path[-1].upper(), path[-1][1:] or "_"]:
                yield "rename", rename, (path, name)
        else:
            yield "repeat", repeat, (path,)
        if isinstance(value, str):
            yield "word", replace, (path, value + "x")
            yield "word", replace, (path, value.upper())
    for path in maps:
        yield "extra", replace, ((*path, "unheardOf"), 1)
        yield "extra", replace, ((*path, "id"), "a b")
        for source in every:
            yield "move", transplant, (source, path)
    for version in versions:
        yield "version", replace, (("apiVersion",), version)
    for version in versions:
        for path in every:
            yield "version and delete", lambda doc, p, v: (delete(doc, p), doc.update(apiVersion=v)), (path, version)


def cases(sample, versions, per_kind):
    document = yaml.load(sample.read_text(), CoreLoader)
    yield "as it is", document
    found = {}
    for kind, change, arguments in mutations(document, versions):
        found.setdefault(kind, []).append((change, arguments))
    chance = random.Random(sample.name)
    for kind, changes in found.items():
        few = per_kind or PER_SAMPLE // len(found)
        for change, arguments in changes if len(changes) <= few else chance.sample(changes, few):
            changed = copy.deepcopy(document)
            change(changed, *arguments)
            yield f"{kind} {arguments}", changed


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--judge", default=str(ROOT / "build" / os.environ.get("PRESET", "release") / "judge"))
    options.add_argument("--per-kind", type=int, default=0, help="so many mutations of each kind and sample")
    options = options.parse_args()
    known = validators()
    tried, expected, valid = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        for sample in sorted(SAMPLES.glob("*.yaml")):
            standard = sample.name.split(".")[-2]
            for what, document in cases(sample, list(known[standard]), options.per_kind):
                path = pathlib.Path(folder) / f"{len(tried)}.{standard}.yaml"
                path.write_text(json.dumps(document, ensure_ascii=False, indent=len(tried) % 2 or None))
                tried.append((sample.name, what, path))
                expected.append(schema_says(known, standard, document))
        answer = subprocess.run([options.judge], input="".join(f"{path}\n" for *_, path in tried), text=True,
                                stdout=subprocess.PIPE, check=True).stdout
        verdicts = [json.loads(line) for line in answer.splitlines()]
    faults = 0
    if len(verdicts) != len(tried):
        faults += 1
        print(f"{len(tried)} documents asked, {len(verdicts)} judged")
    for (name, what, _), schema, ours in zip(tried, expected, verdicts):
        valid += schema
        if ours.get("valid") != schema:
            faults += 1
            print(f"{name}: {what[:300]}: the schema says {'valid' if schema else 'invalid'}, Weft {ours}"[:900])
    print(f"{len(tried)} documents, {valid} valid and {len(tried) - valid} invalid by the schemas, {faults} disagreements")
    if len(tried) < 500:
        faults += 1
        print("fewer than 500 documents: the samples are missing")
    print(f"{len(tried) - faults} passed, {faults} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
