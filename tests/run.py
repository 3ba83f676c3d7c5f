"""Runs scenarios: tests/**/*.test, each as a user would type it, against a node of its own. See tests/README.md."""
import argparse
import concurrent.futures
import difflib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))
import store as stores  # noqa: E402
from node import ROOT, WEFT, Node  # noqa: E402

# What differs from run to run, and the name that stands for it. Order matters.
NORMAL = [
    (r"\b(run|upk|grant|tok|apply|read|req|fbk|sub)_[0-9a-hjkmnp-tv-z]{26}\b", r"<\1>"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
    (r"\b[0-9a-f]{64}\b", "<sha256>"),
    (r'"seen":"[0-9a-f]{16}"', '"seen":"<seen>"'),
    (r"\bweft_[A-Za-z0-9_-]{20,}", "<secret>"),
    (r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}\.\d{6}(Z|\+00(:00)?)?", "<time>"),
    (r"\b\d{15,19}\b", "<snapshot>"),
    (r"(127\.0\.0\.1|localhost):\d{2,5}\b", r"\1:<port>"),
    (r"\b\d+(\.\d+)? ?(ms|s)\b(?! of)", "<duration>"),
    (r"\bpid \d+", "pid <pid>"),
    (r"\"ms\":\d+", "\"ms\":<ms>"),
    (r"\b(just now|\d+ (second|minute)s? ago)\b", "<ago>"),
]


class Step:
    """One thing that the scenario does, with the lines that it expects."""

    def __init__(self, line: str, number: int):
        self.line, self.number = line, number
        self.text: list[str] = []      # The body of a `file` block.
        self.expected: list[str] = []


def parse(text: str) -> list[Step | str]:
    """Steps, and between them the lines (comments, blanks) that are kept as they are."""
    parts: list[Step | str] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if re.match(r"(\$ |GET |POST |PUT |DELETE |file |node |as )", line):
            step = Step(line, at)
            parts.append(step)
            found = re.match(r"file \S+ <<(\w+)$", line)
            if found:
                while at < len(lines) and lines[at] != found[1]:
                    step.text.append(lines[at])
                    at += 1
                at += 1
        elif parts and isinstance(parts[-1], Step) and line and not line.startswith("# ") and \
                re.match(r"(\$ |GET |POST |PUT |DELETE )", parts[-1].line):
            parts[-1].expected.append(line)
        else:
            parts.append(line)
    return parts


def matches(expected: list[str], actual: list[str]) -> bool:
    """<any> stands for anything within a line, a line <...> for any number of lines."""
    pattern = ""
    for line in expected:
        if line == "<...>":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(piece) for piece in line.split("<any>")) + "\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in actual)) is not None


class Scenario:
    def __init__(self, path: pathlib.Path):
        self.path = path
        self.flags = os.environ.get("WEFT_TEST_FLAGS", "").split()
        self.node = Node(*self.flags)
        self.work = self.node.folder / "work"
        self.token = ""

    def run(self, update: bool) -> str:
        """"" where all holds, else what differs."""
        parts = parse(self.path.read_text())
        problems = []
        self.work.mkdir(parents=True)
        try:
            if not self.store_fits():
                return ""
            if not any(isinstance(p, Step) and p.line == "node none" for p in parts):
                self.node.start()
            for step in parts:
                if not isinstance(step, Step):
                    continue
                actual = self.do(step)
                if actual is None or matches(step.expected, actual):
                    continue
                # A scenario's own script that fails is no behaviour to keep.
                if update and "Traceback (most recent call last):" not in actual:
                    step.expected = actual
                    continue
                diff = difflib.unified_diff(step.expected, actual, "expected", "actual", lineterm="", n=2)
                problems.append(f"{self.path.relative_to(ROOT)}:{step.number}: {step.line}\n" + "\n".join(diff))
        except Exception as failure:  # A scenario that cannot go on is a failed one, whatever the reason.
            problems.append(f"{self.path.relative_to(ROOT)}: {type(failure).__name__}: {failure}")
        finally:
            try:
                self.node.__exit__()
            except AssertionError as failure:
                problems.append(f"{self.path.relative_to(ROOT)}: {failure}")
        if update:
            self.path.write_text(render(parts))
        return "\n".join(problems)

    def store_fits(self) -> bool:
        """A line `# Store: sqlite` says that the scenario is about that store's own files or settings."""
        found = re.search(r"^# Store: (\w+)$", self.path.read_text(), re.MULTILINE)
        return not found or found[1] == stores.chosen()

    def do(self, step: Step) -> list[str] | None:
        """The normalised output, or None where the step has none."""
        verb, _, rest = step.line.partition(" ")
        if verb == "$":
            return self.shell(rest)
        if verb == "file":
            file = self.work / rest.split(" <<")[0]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join(step.text) + "\n")
        elif verb == "node":
            self.control(rest)
        elif verb == "as":
            self.token = "" if rest == "admin" else self.token_of(rest)
        else:
            return self.request(verb, rest)
        return None

    def control(self, what: str):
        if what == "start":
            self.node.start()
        elif what == "stop":
            self.node.stop()
        elif what == "kill":
            self.node.stop(signal.SIGKILL)
        elif what != "none":
            raise ValueError(f"node {what}: start, stop, kill or none")

    def environment(self) -> dict[str, str]:
        env = dict(self.node.env)
        env["PATH"] = f"{WEFT.parent}:{ROOT / 'build/deps/venv/bin'}:{env['PATH']}"
        env["EXAMPLES"] = str(ROOT / "examples")
        env["SHOP"] = str(ROOT / "tests/support/shop")
        env["STORE"] = self.node.store
        env["ALTER"] = f"{sys.executable} {ROOT / 'tests/support/store.py'}"
        env["COLUMNS"] = "120"
        if self.token:
            env["WEFT_TOKEN"] = self.token
        return env

    def shell(self, command: str) -> list[str]:
        done = subprocess.run(["bash", "-c", command], cwd=self.work, env=self.environment(), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120)
        lines = self.normal(done.stdout)
        return lines + ([f"[exit {done.returncode}]"] if done.returncode else [])

    def request(self, method: str, rest: str) -> list[str]:
        path, _, body = rest.partition(" ")
        headers = {"Authorization": f"Bearer {self.token or self.node.token}"}
        call = urllib.request.Request(self.node.url + path, method=method, headers=headers, data=body.encode() or None)
        try:
            with urllib.request.urlopen(call, timeout=60) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            status, text = refusal.code, refusal.read().decode()
        try:
            text = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
        except ValueError:
            pass
        return [str(status)] + self.normal(text)

    def token_of(self, principal: str) -> str:
        call = urllib.request.Request(self.node.url + "/v1/tokens", method="POST", data=json.dumps({"principal": principal, "name": "test"}).encode(),
                                      headers={"Authorization": f"Bearer {self.node.token}"})
        with urllib.request.urlopen(call, timeout=60) as answer:
            return json.load(answer)["secret"]

    def normal(self, text: str) -> list[str]:
        text = text.replace(str(self.work), "<work>").replace(str(self.node.folder), "<home>").replace(str(ROOT), "<source>")
        for pattern, name in NORMAL:
            text = re.sub(pattern, name, text)
        # The width of a column follows the values in it, which differ from run to run.
        lines = [re.sub(r"(?<=\S) {2,}(?=\S)", "  ", line.rstrip()) for line in text.split("\n")]
        while lines and not lines[-1]:
            lines.pop()
        # A blank line would end the expectation: it is written as a lone dot.
        return [line or "." for line in lines]


def render(parts: list[Step | str]) -> str:
    lines: list[str] = []
    for part in parts:
        if isinstance(part, str):
            lines.append(part)
            continue
        lines.append(part.line)
        found = re.match(r"file \S+ <<(\w+)$", part.line)
        if found:
            lines += part.text + [found[1]]
        lines += part.expected
    return "\n".join(lines)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("files", nargs="*", type=pathlib.Path, help="scenarios or folders; all where none is named")
    arguments.add_argument("-j", "--jobs", type=int, default=2)
    chosen = arguments.parse_args()
    update = os.environ.get("UPDATE") == "1"
    files: list[pathlib.Path] = []
    for place in chosen.files or [ROOT / "tests"]:
        files += sorted(place.resolve().rglob("*.test")) if place.is_dir() else [place.resolve()]
    failed = 0

    def one(file: pathlib.Path) -> tuple[pathlib.Path, str, float]:
        began = time.monotonic()
        return file, Scenario(file).run(update), time.monotonic() - began

    with concurrent.futures.ThreadPoolExecutor(chosen.jobs) as pool:
        for file, problems, seconds in pool.map(one, files):
            failed += bool(problems)
            print(f"{'FAILED' if problems else 'ok    '} {file.relative_to(ROOT)} ({seconds:.1f} s)", flush=True)
            if problems:
                print(problems, flush=True)
    print(f"{len(files) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
