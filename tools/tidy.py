"""Runs clang-tidy over our sources, two at a time, and remembers by content what was clean, so that only what changed (or
what it includes) is looked at again."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
CACHE = pathlib.Path(os.environ.get("WEFT_CACHE", pathlib.Path.home() / ".cache" / "weft")) / "tidy"


def arguments(command: str) -> list[str]:
    """The compiler's flags, less those of g++'s precompiled header, which clang cannot read."""
    words = shlex.split(command)
    words = words[next(i for i, w in enumerate(words) if w.endswith(("g++", "c++"))) + 1:]
    kept, skip = [], 0
    for word in words:
        if skip:
            skip -= 1
        elif word in ("-include", "-o", "-MF", "-MT"):
            skip = 1
        elif word not in ("-Winvalid-pch", "-fpch-preprocess", "-MD", "-c") and not word.endswith(".cc"):
            kept.append(word)
    return kept


def headers_hash() -> str:
    """Of every header of ours and of the rules: a change there makes all sources suspect."""
    digest = hashlib.sha256()
    for file in [ROOT / ".clang-tidy", *sorted((ROOT / "src").rglob("*.h"))]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def main() -> int:
    base = headers_hash()
    CACHE.mkdir(parents=True, exist_ok=True)
    # What the precompiled header holds, as text: clang cannot read g++'s, and would try where that one lies.
    prelude = CACHE / "prelude.h"
    prelude.write_text((ROOT / "build/release/src/CMakeFiles/house_headers.dir/cmake_pch.hxx").read_text())
    jobs = []
    for entry in json.loads((ROOT / "build/release/compile_commands.json").read_text()):
        file = pathlib.Path(entry["file"])
        if not file.is_relative_to(ROOT / "src") or file.name.endswith("_test.cc") or not file.exists():
            continue
        key = hashlib.sha256(base.encode() + file.read_bytes()).hexdigest()
        if not (CACHE / key).exists():
            jobs.append((file, key, entry))

    def look(job) -> str:
        file, key, entry = job
        done = subprocess.run(["clang-tidy-16", "--quiet", str(file), "--", *arguments(entry["command"]), "-std=c++20", "-include", str(prelude)],
                              cwd=entry["directory"], text=True, capture_output=True)
        found = "\n".join(line for line in done.stdout.splitlines() if not re.match(r"\d+ warnings? ", line)).strip()
        if done.returncode == 0 and not found:
            (CACHE / key).touch()
            return ""
        return found or done.stderr
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(look, jobs):
            if found:
                bad += 1
                print(found.replace(str(ROOT) + "/", ""), flush=True)
    print(f"tidy: {len(jobs)} files looked at, {bad} with findings")
    return 1 if bad else 0


sys.exit(main())
