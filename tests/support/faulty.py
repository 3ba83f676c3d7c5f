"""A node whose disk fails when it is told to: faulty_disk.c is compiled and preloaded into the node alone.

A **point** is where something happens: one or more rules, met one after the other. A rule is an operation (CREATE a file, WRITE
into one, SYNC one or a folder, RENAME onto one, REMOVE one, RESIZE one, MKDIR) on a kind of file of the data folder (the store,
its write-ahead log, a data file, a manifest…; a draft is of the kind that it becomes), maybe with a text among the bytes that are
written, maybe by the thread that the rule before met, and for the how manyeth time. At a point the node is killed before or after
the operation, or it fails, or it writes half of what it was given. A new kind of file is a line in kind_of of faulty_disk.c and one
here."""
import ctypes
import dataclasses
import errno
import mmap
import os
import pathlib
import subprocess
import time

from node import ROOT, Node

SOURCE = pathlib.Path(__file__).with_name("faulty_disk.c")

OPS = CREATE, WRITE, SYNC, RENAME, REMOVE, RESIZE, MKDIR = ("create", "write", "sync", "rename", "remove", "resize", "mkdir")
KINDS = OTHER, STORE, WAL, SHM, DATA, MANIFEST, METADATA, HINT, HEAD, KEY, UPLOAD, TEMP, FOLDER = (
    "other", "store", "wal", "shm", "data", "manifest", "metadata", "hint", "head", "key", "upload", "temp", "folder")
ACTIONS = NOTHING, KILL_BEFORE, KILL_AFTER, FAIL, SHORTEN = ("nothing", "kill before", "kill after", "fail", "shorten")
# What a disk without room refuses, and one that is broken.
FULL = (CREATE, WRITE, RESIZE, MKDIR)
BROKEN = OPS


class _Rule(ctypes.Structure):
    _fields_ = [("ops", ctypes.c_uint32), ("kinds", ctypes.c_uint32), ("same_thread", ctypes.c_int32), ("nth", ctypes.c_int32),
                ("contains", ctypes.c_char * 64)]


class _Told(ctypes.Structure):
    _fields_ = [("op", ctypes.c_uint8), ("kind", ctypes.c_uint8), ("failed", ctypes.c_uint16), ("thread", ctypes.c_uint32),
                ("path", ctypes.c_char * 120)]


class _Control(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("armed", "rules", "stage", "action", "error", "on", "found", "broken", "found_op",
                                                     "found_kind", "thread", "telling", "told", "pad")]
    _fields_ += [("found_path", ctypes.c_char * 256), ("rule", _Rule * 3), ("count", ctypes.c_uint64 * len(KINDS) * len(OPS)),
                 ("tell", _Told * 60000)]


@dataclasses.dataclass(frozen=True)
class Rule:
    op: str
    kind: str | tuple[str, ...]
    contains: str = ""
    nth: int = 1
    same_thread: bool = False

    def __str__(self):
        return (f"{'then ' if self.same_thread else ''}{self.op} {self.kind}{f' with {self.contains}' if self.contains else ''}"
                f"{f' #{self.nth}' if self.nth > 1 else ''}")


def _bits(names, of) -> int:
    return sum(1 << of.index(name) for name in ((names,) if isinstance(names, str) else names))


def compiled() -> pathlib.Path:
    """The library, made by the compiler at hand where it is not there or old."""
    made = ROOT / "build" / "faulty_disk.so"
    if not made.exists() or made.stat().st_mtime < SOURCE.stat().st_mtime:
        draft = made.with_suffix(f".{os.getpid()}")
        subprocess.run([os.environ.get("CC", "cc"), "-O1", "-g", "-shared", "-fPIC", "-o", str(draft), str(SOURCE)], check=True)
        draft.rename(made)
    return made


class FaultyNode(Node):
    """A node over a disk that does as it is told; `start(plain=True)` leaves the disk alone."""

    def __init__(self, *flags: str):
        super().__init__(*flags)
        control = self.folder / "disk"
        control.write_bytes(bytes(ctypes.sizeof(_Control)))
        with open(control, "r+b") as file:
            self._mapped = mmap.mmap(file.fileno(), 0)
        self._control = _Control.from_buffer(self._mapped)
        self._own = {"LD_PRELOAD": str(compiled()), "WEFT_FAULTY_CONTROL": str(control), "WEFT_FAULTY_ROOT": str(self.data)}

    def start(self, plain: bool = False) -> float:
        self.node_env = {} if plain else self._own
        return super().start()

    def arm(self, action: str, *rules: Rule, error: int = 0, on: tuple[str, ...] = ()):
        """From now on; `on` are the operations that go on failing once the point was met."""
        disk = self._control
        disk.armed = 0
        disk.rules, disk.stage, disk.found, disk.broken = len(rules), 0, 0, 0
        disk.action, disk.error, disk.on = ACTIONS.index(action), error or errno.EIO, _bits(on, OPS)
        for at, rule in enumerate(rules):
            disk.rule[at] = _Rule(_bits(rule.op, OPS), _bits(rule.kind, KINDS), rule.same_thread, rule.nth, rule.contains.encode())
        disk.armed = 1

    def disarm(self) -> int:
        """The disk is well again; how many operations failed."""
        self._control.armed = 0
        return self._control.broken

    def met(self) -> str:
        """The operation at which it happened, or nothing."""
        disk = self._control
        if not disk.found:
            return ""
        return f"{OPS[disk.found_op]} {KINDS[disk.found_kind]} {disk.found_path.decode(errors='replace').removeprefix(str(self.data))}"

    def dies(self, within: float = 20) -> bool:
        """Whether the process ends by itself within that time."""
        end = time.monotonic() + within
        while self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        return self.process.poll() is not None

    def watch(self):
        """Tells from now on what is done."""
        self._control.told, self._control.telling = 0, 1

    def watched(self) -> list[tuple[str, str, str, int]]:
        """(operation, kind, path within the data folder, thread) of all that was done since `watch`."""
        self._control.telling = 0
        return [(OPS[t.op], KINDS[t.kind], t.path.decode(errors="replace"), t.thread) for t in self._control.tell[:self._control.told]]

    def __exit__(self, *given):
        del self._control
        self._mapped.close()
        super().__exit__(*given)
