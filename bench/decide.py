"""Decisions among 10,000 policies, beside OPA's Go library and the Cedar crate where Go and Rust are there. The peers answer
the same questions from data that they index themselves, and their answers are held against Weft's first."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from common import CACHE, ROOT, say

TARGETS = {"opa": 20, "cedar": 20}  # So many times the decisions a second.
PEERS = ROOT / "bench" / "peers"


def tool(name: str, elsewhere: str) -> str | None:
    return shutil.which(name) or (elsewhere if os.access(elsewhere, os.X_OK) else None)


def opa() -> pathlib.Path | None:
    go = tool("go", "/usr/local/go/bin/go")
    if not go:
        return None
    program = CACHE / "opa-peer"
    subprocess.run([go, "build", "-o", str(program), "."], cwd=PEERS / "opa", check=True)
    return program


def cedar() -> pathlib.Path | None:
    cargo = tool("cargo", str(pathlib.Path.home() / ".cargo" / "bin" / "cargo"))
    if not cargo or not (PEERS / "cedar").is_dir():
        return None
    target = CACHE / "cedar-peer"
    subprocess.run([cargo, "build", "--quiet", "--release", "--locked", "--target-dir", str(target)], cwd=PEERS / "cedar", check=True)
    return target / "release" / "cedar-peer"


def rates(program: list[str]) -> dict[str, float]:
    lines = subprocess.run(program, check=True, stdout=subprocess.PIPE, text=True).stdout
    sys.stdout.write(lines)
    sys.stdout.flush()
    return {name: float(value) for name, _, value in map(str.split, lines.splitlines())}


def main() -> int:
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        ours = rates([str(ROOT / "build" / "release" / "decide_bench"), folder])
        for name, make in (("opa", opa), ("cedar", cedar)):
            program = make()
            if not program:
                print(f"decide.{name}: its tools are not here", file=sys.stderr)
                continue
            theirs = rates([str(program), folder])
            say(f"decide.{name}.ratio", "x", ours["decide.policies.rate"] / theirs[f"decide.{name}.rate"])
            say(f"decide.{name}.whole_ratio", "x", ours["decide.whole.rate"] / theirs[f"decide.{name}.rate"])
            say(f"decide.{name}.target", "x", TARGETS[name])
    return 0


sys.exit(main())
