"""Descriptors of other formats: samples, the command line, and documents compared less what was said to be lost."""
import json
import pathlib
import re
import subprocess

import yaml

from node import ROOT, WEFT

SAMPLES = ROOT / "tests" / "exchange" / "samples"


def weft(*words, code: int = 0) -> str:
    done = subprocess.run([str(WEFT), *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stderr


def product(folder: pathlib.Path, contract: dict):
    """A product's folder with the contract of its one port."""
    folder.mkdir(parents=True, exist_ok=True)
    port = {"name": "orders", "version": contract["version"], "contractId": contract["id"]}
    (folder / "product.odps.yaml").write_text(yaml.safe_dump({"apiVersion": "v1.1.0", "kind": "DataProduct", "id": "shop", "name": "shop",
                                                              "domain": "sales", "version": "1.0.0", "outputPorts": [port]}))
    (folder / "orders.odcs.yaml").write_text(yaml.safe_dump(contract, allow_unicode=True, sort_keys=False))


def without(value, path: str):
    """The document less what stands at a path such as schema[0].properties[1].id; lists keep their places with None."""
    steps = [int(step[1:-1]) if step[0] == "[" else step for step in re.findall(r"\[\d+\]|[^.\[]+", path)]
    for step in steps[:-1]:
        value = value[step]
    if isinstance(value, list):
        value[steps[-1]] = None
    else:
        del value[steps[-1]]


def plain(value, key: str = ""):
    """Less what is empty; custom properties in the order of their names; a rule with the type that it has where none is stated."""
    if isinstance(value, dict):
        if "metric" in value:
            value = {"type": "library"} | value
        return {name: inner for name, inner in ((name, plain(inner, name)) for name, inner in value.items()) if inner not in (None, {}, [], "")}
    if isinstance(value, list):
        kept = [plain(inner) for inner in value]
        if key in ("customProperties", "slaProperties", "support"):
            kept = [inner for inner in kept if inner]
            kept.sort(key=lambda inner: json.dumps(inner, sort_keys=True))
        elif key not in ("examples", "value"):
            kept = [inner for inner in kept if inner not in (None, {}, [], "")]
        return kept
    return value


def leaves(value, path: str = ""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{i}]")
    else:
        yield path, value
