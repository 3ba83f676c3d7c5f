"""The named steps of a node, each with the operation that it begins with (faulty.py says what an operation is), so that it can be
killed exactly there, and faults at any operation of a pass over all of its writes.

| step | begins with |
|---|---|
| upload | the rename that puts a data file under its hash |
| apply | the first page of the transaction that publishes, in the store's log; *its commit*: the log is synced |
| stage | the first data file is created |
| verdict | the first page of the transaction that keeps a refusal and its evidence (that of rows that are taken is the pointer's) |
| discard | the first refused data file is removed |
| sync | the first data file is synced |
| manifest | the manifest is created |
| metadata | the rename that puts the metadata file in its place |
| pointer | the first page of the transaction that makes the snapshot visible; *its commit*; *rollback*: the same of a rollback |
| hint | the rename of `version-hint.text`, after the commit |
| grant | the first page of the transaction that grants; *its commit* |
| seal | the sealer's first page of the transaction that seals a row; *its commit* |
| witness | the draft of the signed head beside the store; *its place*: the rename |
| checkpoint | the first page that goes from the log into the store |
| sweep | the first metadata file that the sweep removes; *uploads*: the first upload |

A new step is a function in STEPS that arms, acts, and says what holds if it was killed before and after: `former`, `next` or `either`."""
import contextlib
import dataclasses
import errno
import random
import time
from typing import Callable

from faulty import (BROKEN, CREATE, DATA, FAIL, FULL, HEAD, HINT, KILL_AFTER, KILL_BEFORE, MANIFEST, METADATA, REMOVE, RENAME, SHORTEN, STORE,
                    SYNC, UPLOAD, WAL, WRITE, FaultyNode, Rule)
from soaked import Unanswered, World, derived, rare
from whole import Whole


@dataclasses.dataclass(frozen=True)
class Step:
    name: str
    rules: Callable[[World, str], list[Rule]]  # Of a world and a mark that nothing has had before.
    act: Callable[[World, str], None]
    before: str = "former"
    after: str = "former"
    ready: Callable[[World], None] = lambda world: None
    ended: tuple[str, str] = ("", "")  # What the run is afterwards, killed before and after the operation.


def commits(rule: Rule) -> list[Rule]:
    return [rule, Rule(SYNC, WAL, same_thread=True)]


def marked(_, mark: str) -> Rule:
    return Rule(WRITE, WAL, mark)


def pointer(*_) -> Rule:
    return Rule(WRITE, WAL, ".metadata.json")


def only(*rules: Rule):
    return lambda world, mark: list(rules)


def publish(world: World, mark: str):
    world.products[mark] = [None, "1.0.0"]
    world.must("POST", "/v1/apply", {"files": derived(mark, rare(mark, "1.0.0")), "data": []})
    world.products[mark] = ["1.0.0"]


def grant(world: World, mark: str):
    world.grants[f"user:{mark}"] = [False, True]
    world.must("POST", "/v1/grants", {"principal": f"user:{mark}", "address": world.ports["whole"].address + "@1"})
    world.grants[f"user:{mark}"] = [True]


def two_grants(world: World, mark: str):
    """The first shows which thread seals."""
    grant(world, mark + "first")
    time.sleep(0.2)
    grant(world, mark)
    time.sleep(1)


def run(world: World, mark: str):
    world.run("whole")


def refused(world: World, mark: str):
    world.run("whole", bad=mark)


def rollback(world: World, mark: str):
    world.rollback("whole")


def sweep(world: World, mark: str):
    world.sweep()


def much(world: World, mark: str):
    for _ in range(40):
        world.run("whole")
        world.run("added")


STEPS = [
    Step("upload", only(Rule(RENAME, UPLOAD)), run),
    Step("apply", lambda w, m: [marked(w, rare(m, "1.0.0"))], publish),
    Step("apply, its commit", lambda w, m: commits(marked(w, rare(m, "1.0.0"))), publish, "either", "next"),
    Step("stage", only(Rule(CREATE, DATA)), run, ended=("interrupted", "interrupted")),
    Step("verdict", lambda w, m: [marked(w, m)], refused, ended=("interrupted", "interrupted")),
    Step("verdict, its commit", lambda w, m: commits(marked(w, m)), refused, ended=("", "refused")),
    Step("discard", only(Rule(REMOVE, DATA)), refused, ended=("refused", "refused")),
    Step("sync", only(Rule(SYNC, DATA)), run, ended=("interrupted", "interrupted")),
    Step("manifest", only(Rule(CREATE, MANIFEST)), run, ended=("interrupted", "interrupted")),
    Step("metadata", only(Rule(RENAME, METADATA)), run, ended=("interrupted", "interrupted")),
    Step("pointer", only(pointer()), run, ended=("interrupted", "interrupted")),
    Step("pointer, its commit", only(*commits(pointer())), run, "either", "next", ended=("", "succeeded")),
    Step("pointer, rollback", only(*commits(pointer())), rollback, "either", "next", ready=lambda w: run(w, "")),
    Step("hint", only(Rule(RENAME, HINT)), run, "next", "next", ended=("succeeded", "succeeded")),
    Step("grant", lambda w, m: [marked(w, m)], grant),
    Step("grant, its commit", lambda w, m: commits(marked(w, m)), grant, "either", "next"),
    Step("seal", lambda w, m: [Rule(RENAME, HEAD), Rule(WRITE, WAL, m + '"', same_thread=True)], two_grants, "next", "next"),
    Step("seal, its commit", lambda w, m: [Rule(RENAME, HEAD), *commits(Rule(WRITE, WAL, m + '"', same_thread=True))], two_grants, "next", "next"),
    Step("witness", only(Rule(CREATE, HEAD)), grant, "next", "next"),
    Step("witness, its place", only(Rule(RENAME, HEAD)), grant, "next", "next"),
    Step("checkpoint", only(Rule(WRITE, STORE)), much, "either", "either"),
    Step("sweep", only(Rule(REMOVE, METADATA)), sweep, ready=lambda w: run(w, "")),
    Step("sweep, uploads", only(Rule(REMOVE, UPLOAD)), sweep, ready=lambda w: run(w, "")),
]


def quiet(world: World):
    """Waits until nothing runs by itself and all is sealed."""
    world.quiet()
    time.sleep(0.12)


def states(world: World) -> dict:
    """What may be there of what is not known."""
    return {name: list(may) for name, may in {**{p.name: p.may for p in world.ports.values()}, **{f"product {n}": m for n, m in world.products.items()},
                                              **{n: m for n, m in world.grants.items()}}.items() if len(may) == 2}


def kill_at(step: Step, side: str, world: World, whole: Whole, mark: str) -> tuple[list[str], str, float]:
    """Kills the node at the step, starts it again; what does not hold, what was found there (former or next), and the seconds to ready."""
    node: FaultyNode = world.node
    quiet(world)
    step.ready(world)
    quiet(world)
    node.arm(KILL_BEFORE if side == "before" else KILL_AFTER, *step.rules(world, mark))
    why = "it was done"
    try:
        step.act(world, mark)
        node.dies(2)
    except Unanswered as error:
        why = str(error)
    node.disarm()
    if not node.met():
        return [f"{step.name} was not met: {why}"], "", 0
    node.dies()
    unknown = states(world)
    took = node.start()
    wrong = whole.check()
    now = {p.name: p.may for p in world.ports.values()} | {f"product {n}": m for n, m in world.products.items()} | world.grants
    found = {"next" if now[name] == [may[1]] else "former" for name, may in unknown.items()} or {"as told"}
    told = "/".join(sorted(found))
    wanted = step.before if side == "before" else step.after
    if wanted != "either" and told not in (wanted, "as told"):
        wrong.append(f"killed {side} it, the {told} state is there and not the {wanted} one")
    ended, is_now = step.ended[side == "after"], world.newest(world.ports["whole"])["status"]
    if ended and is_now != ended:
        wrong.append(f"killed {side} it, the run is {is_now} and not {ended}")
    return wrong, told, took


# A pass: what is done while one of its operations fails.

def act(world: World, name: str, mark: str):
    """Everything that writes; what fails does not keep the rest from being tried."""
    for one in (lambda: publish(world, mark), lambda: world.run(name), lambda: world.run(name, bad=mark + "9"), lambda: grant(world, mark),
                lambda: world.rollback(name), lambda: world.sweep()):
        with contextlib.suppress(Unanswered):
            one()
    time.sleep(0.15)  # What is left is sealed.


def operations(world: World, name: str, mark: str) -> dict[tuple[str, str], int]:
    """How often each operation is done in a pass."""
    quiet(world)
    world.node.watch()
    act(world, name, mark)
    counted: dict[tuple[str, str], int] = {}
    for op, kind, *_ in world.node.watched():
        counted[op, kind] = counted.get((op, kind), 0) + 1
    return counted


def late(done: list[tuple[str, str, str, int]], named: set[str]) -> list[str]:
    """What of `named` (paths within the data folder) was not wholly on the disk when the pointer to it was committed: its bytes synced after
    the last write, and its folder after it came there. The hint follows the pointer's commit in the same thread."""
    wrong = []
    for at, (op, kind, hint, thread) in enumerate(done):
        if (op, kind) != (CREATE, HINT):
            continue
        commit = max((i for i in range(at) if done[i][:2] == (SYNC, WAL) and done[i][3] == thread), default=0)
        table = hint[:hint.index("/metadata/")]
        for path in sorted(name for name in named if name.startswith(table + "/")):
            drafts = [i for i in range(commit) if done[i][2].split(".draft-")[0] == path]
            came = [i for i in drafts if done[i][0] in (CREATE, RENAME)]
            writes, syncs = ([i for i in drafts if done[i][0] == op] for op in (WRITE, SYNC))
            folder = path.rsplit("/", 1)[0]
            if came and not (writes and syncs and max(syncs) > max(writes)):
                wrong.append(f"{path} is not synced before its pointer")
            if came and not any(done[i][0] == SYNC and done[i][2] == folder and i > max(came) for i in range(commit)):
                wrong.append(f"{folder} is not synced between {path} and its pointer")
    return wrong


@dataclasses.dataclass(frozen=True)
class Fault:
    """ENOSPC from an operation on, until the disk has room again; EIO of one operation; half of one write."""
    how: str
    op: str
    kind: str
    nth: int
    port: str

    def arm(self, node: FaultyNode):
        rule = Rule(self.op, self.kind, nth=self.nth)
        if self.how == "full":
            node.arm(FAIL, rule, error=errno.ENOSPC, on=FULL)
        elif self.how == "broken":
            node.arm(FAIL, rule, error=errno.EIO, on=BROKEN)
        elif self.how == "short":
            node.arm(SHORTEN, rule, error=errno.EIO)
        else:
            node.arm(FAIL, rule, error=errno.EIO)

    def __str__(self):
        return f"{self.how} {self.op} {self.kind} #{self.nth} of {self.port}"


def faults(counted: dict[tuple[str, str], int], port: str, most: int, hows=("full", "error", "short", "broken")) -> list[Fault]:
    """One for each operation of a pass, `most` of a kind at the most, evenly."""
    found = []
    for (op, kind), count in sorted(counted.items()):
        for how in hows:
            if (how == "full" and op not in FULL) or (how == "short" and op != WRITE):
                continue
            some = min(count, most if how in ("full", "error") else max(1, most // 4))
            found += [Fault(how, op, kind, 1 + i * count // some, port) for i in range(some)]
    return found


def fail_at(fault: Fault, world: World, whole: Whole, mark: str, dice: random.Random) -> tuple[list[str], str, float]:
    """One operation of a pass fails; then the disk is well and the node is asked to work without being started again; then it is killed
    or stopped, started and held against its world. What does not hold, what happened, and the seconds to ready."""
    node: FaultyNode = world.node
    quiet(world)
    world.well = False
    fault.arm(node)
    act(world, fault.port, mark)
    failed, met = node.disarm(), node.met()
    world.well = True
    wrong = []
    told = "failed" if failed else "not met"
    if node.process.poll() is not None:
        told = f"stopped ({node.process.returncode})"
        log = (node.folder / "node.log").read_text(errors="replace").splitlines()[-3:]
        if node.process.returncode < 0:
            wrong.append(f"the node died of signal {-node.process.returncode}: {log}")
    else:
        wrong += works(world, fault.port, mark + "again")
        node.stop(*([9] if dice.random() < 0.5 else []))
    took = node.start()
    return [f"{error} (after {met})" for error in wrong + whole.check()], told, took


def works(world: World, name: str, mark: str) -> list[str]:
    """The disk is well: everything works again, without a restart."""
    wrong = []
    for what, one in (("publish", lambda: publish(world, mark)), ("run", lambda: world.run(name)), ("grant", lambda: grant(world, mark)),
                      ("sweep", world.sweep)):
        try:
            one()
        except Unanswered as error:
            wrong.append(f"{what} does not work when the disk is well again: {error}")
    if len(world.ports[name].may) > 1:
        wrong.append(f"a run of {name} is not known to have ended")
    return wrong
