"""`make soak`: what a node is when it dies or its disk fails, at every named step, at random moments and at each of its writes. Prints
the dated table that stands in docs/reliability.md, and fails if anything did not hold; every failure says how to play it again.

    build/deps/venv/bin/python soak/soak.py [steps] [moments] [faults] [upgrade] [line] [crowd]

SEED (1), ROUNDS (500 random moments), TIMES (3, before and after each step), FAULTS (at most so many of one operation on one kind of file), STEP (one step's name),
PORT (whole, added, merged, states), MINUTES (after which nothing new begins; what was done is told), QUICK=1 for a minute of all."""
import atexit
import contextlib
import datetime
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from earlier import make_earlier  # noqa: E402
from faulty import KILL_BEFORE, KINDS, OPS, FaultyNode, Rule  # noqa: E402
from line import long_lines  # noqa: E402
from load import Load  # noqa: E402
from node import Node  # noqa: E402
from points import STEPS, fail_at, faults, kill_at, operations  # noqa: E402
from soaked import MODES, World  # noqa: E402
from whole import Whole  # noqa: E402

sys.unraisablehook = lambda _: None  # Clients of a node that was killed, at their end.
QUICK = bool(os.environ.get("QUICK"))
SEED = int(os.environ.get("SEED", 1))
ROUNDS = int(os.environ.get("ROUNDS", 12 if QUICK else 500))
TIMES = int(os.environ.get("TIMES", 3))
FAULTS = int(os.environ.get("FAULTS", 1 if QUICK else 6))
END = time.monotonic() + 60 * float(os.environ.get("MINUTES", 24 * 60))
EPOCH = 40  # Rounds with one data folder, so that checks stay short.


HOWS = {"full": "no space from an operation on", "error": "one operation fails", "short": "half of one write", "broken": "all fails from one on"}


class Line:
    """A line of the table."""

    def __init__(self, name: str):
        self.name, self.times, self.found, self.ready, self.failures = name, 0, {}, [], []

    def add(self, wrong: list[str], told: str, took: float, again: str):
        self.times += 1
        self.found[told] = self.found.get(told, 0) + 1
        self.ready += [took] if took else []
        self.failures += wrong
        for error in wrong:
            told = error if len(error) < 2_000 else f"{error[:500]}\n…\n{error[-1_500:]}"
            print(f"FAILED {self.name}: {told}\n  again: {again}", flush=True)

    def print(self):
        found = ", ".join(f"{count} {told}" for told, count in sorted(self.found.items()) if told)
        ready = f"{statistics.median(self.ready):.2f} / {max(self.ready):.2f}" if self.ready else ""
        print(f"| {self.name} | {self.times} | {found} | {len(self.failures)} | {ready} |", flush=True)


class Mesh:
    """A node with a world, made anew every EPOCH rounds and after whatever does not hold."""

    def __init__(self, dice: random.Random):
        self.dice, self.node, self.rounds = dice, None, 0
        atexit.register(self.close)

    def fresh(self):
        self.close()
        self.node = FaultyNode()
        self.node.start()
        self.world = World(self.node, self.dice)
        self.world.found()
        for name in MODES:
            self.world.run(name)
        self.whole, self.rounds = Whole(self.world), 0

    def next(self) -> int:
        if self.node is None or self.rounds == EPOCH or self.node.process.poll() is not None:
            self.fresh()
        self.rounds += 1
        return self.rounds

    def close(self):
        if self.node:
            self.node.stop(9)
            self.node.__exit__()
            self.node = None


def played(mesh: Mesh, line: Line, again: str, play):
    """One round; what breaks it is a failure, and the next begins with a new mesh."""
    if time.monotonic() > END:
        return
    try:
        mesh.next()
        wrong, told, took = play()
    except Exception:
        wrong, told, took = [traceback.format_exc(limit=-3)], "", 0
    line.add(wrong, told, took, again)
    if wrong:
        log = (mesh.node.folder / "node.log").read_text(errors="replace").splitlines() if mesh.node else []
        print("  the node's log ends:\n    " + "\n    ".join(log[-8:]), flush=True)
        mesh.close()


def steps():
    mesh, mark = Mesh(random.Random(SEED)), 0
    for step in STEPS:
        if os.environ.get("STEP", step.name) != step.name:
            continue
        line = Line(step.name)
        for side in ("before", "after"):
            for _ in range(1 if QUICK else TIMES):
                mark += 1
                played(mesh, line, f"SEED={SEED} STEP='{step.name}' soak/soak.py steps ({side} it)",
                       lambda: kill_at(step, side, mesh.world, mesh.whole, f"m{mark}x"))
        yield line
    mesh.close()


def moments():
    dice = random.Random(SEED)
    mesh, line = Mesh(dice), Line("random moments under load")
    done: dict[str, int] = {}

    def play():
        with Load(mesh.world) as load:
            moment = dice.uniform(0.02, 1.2)
            load.dying.wait(moment)
            load.dying.set()
            mesh.node.stop(9)
        took = mesh.node.start()
        wrong = mesh.whole.check()
        for what, count in mesh.world.done.items():
            done[what] = done.get(what, 0) + count
        mesh.world.done.clear()
        return wrong, "", took

    for number in range(ROUNDS):
        played(mesh, line, f"SEED={SEED} ROUNDS={number + 1} soak/soak.py moments", play)
    mesh.close()
    line.found = dict(sorted(done.items()))
    yield line


def failing():
    mesh, dice = Mesh(random.Random(SEED)), random.Random(SEED)
    lines: dict[str, Line] = {}
    mark = 0
    for port in MODES:
        if os.environ.get("PORT", port) != port:
            continue
        mesh.fresh()
        some = faults(operations(mesh.world, port, "counted"), port, FAULTS)
        if port != "whole":  # What all ports share was broken with the first.
            some = [fault for fault in some if fault.kind in ("data", "manifest", "metadata", "wal", "temp")]
        dice.shuffle(some)  # A run that is cut short has some of each.
        for fault in some:
            mark += 1
            name = f"{fault.kind}: {HOWS[fault.how]}"
            line = lines.setdefault(name, Line(name))
            played(mesh, line, f"SEED={SEED} PORT={port} soak/soak.py faults ({fault})",
                   lambda: fail_at(fault, mesh.world, mesh.whole, f"f{mark}x", dice))
    mesh.close()
    yield from (line for _, line in sorted(lines.items()))


def upgrade():
    """Killed at each of the writes of a start that upgrades an earlier store."""
    line = Line("migrate, at each write")
    with FaultyNode() as node:
        world = World(node, random.Random(SEED))
        world.found()
        for name in ("whole", "added", "whole"):  # Earlier programs knew no other modes.
            world.run(name)
        world.quiet()
        node.stop()
        make_earlier(node.data)
        kept = node.folder / "kept"
        shutil.copytree(node.data, kept)
        whole = Whole(world)
        node.watch()
        node.start()
        count = len(node.watched())
        line.add(whole.check(), "upgraded", 0, "soak/soak.py upgrade")
        for nth in sampled(count, 10 if QUICK else 150):
            if time.monotonic() > END:
                break
            node.stop(9)
            shutil.rmtree(node.data)
            shutil.copytree(kept, node.data)
            node.arm(KILL_BEFORE, Rule(OPS, KINDS, nth=nth))
            with contextlib.suppress(RuntimeError):
                node.start()
                node.dies(2)
            node.disarm()
            line.add(*killed_start(node, whole), f"soak/soak.py upgrade (write {nth} of {count})")
    yield line


def killed_start(node: FaultyNode, whole: Whole) -> tuple[list[str], str, float]:
    if not node.met():
        return [], "not met", 0
    try:
        took = node.start()
    except RuntimeError as error:
        return [str(error)[-2000:]], "", 0
    return [f"{error} (killed at {node.met()})" for error in whole.check()], "killed", took


def sampled(count: int, most: int) -> list[int]:
    """Of 1 to count, evenly."""
    some = min(count, most)
    return [1 + i * count // some for i in range(some)]


def crowd():
    """A thousand mixed operations at once; PROGRAM may be built with a sanitizer, whose report ends it."""
    line = Line("1,000 concurrent mixed operations")
    with Node() as node:
        world = World(node, random.Random(SEED), rows=500)
        world.found()
        with Load(world, 60 if QUICK else 1000, readers=12, searchers=6) as load:
            load.join()
        wrong = Whole(world).check()
        node.stop()  # A finding shows by the exit code.
        line.add(wrong, "", 0, "soak/soak.py crowd")
        line.found = dict(sorted(world.done.items()))
    yield line


def one_line():
    line = Line("10 GB of one line")
    long_lines(line)
    yield line


PARTS = {"steps": steps, "upgrade": upgrade, "moments": moments, "faults": failing, "line": one_line, "crowd": crowd}


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parts = sys.argv[1:] or list(PARTS)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    print(f"{datetime.date.today()}, commit {commit}, SEED={SEED}\n", flush=True)
    failures = 0
    print("| killed at, failing at | times | what was found | failures | ready again, s (median / longest) |\n|---|---|---|---|---|", flush=True)
    for part in parts:
        for line in PARTS[part]():
            if line.times:
                line.print()
            failures += len(line.failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
