"""The quick part of `make soak`: a node killed once at each of its named steps (tests/support/points.py), and ten faults of its disk
at operations all over a pass. STEP=name plays one step."""
import os
import pathlib
import random
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import store as stores  # noqa: E402
from faulty import CREATE, DATA, FOLDER, HEAD, HINT, MANIFEST, METADATA, MKDIR, RENAME, SYNC, UPLOAD, WAL, WRITE, FaultyNode  # noqa: E402
from points import STEPS, Fault, fail_at, kill_at, late  # noqa: E402
from soaked import MODES, World  # noqa: E402
from whole import Whole, named, reading  # noqa: E402

LONG = ("checkpoint",)  # Only of make soak.
FAULTS = [Fault("full", CREATE, DATA, 1, "whole"), Fault("error", SYNC, DATA, 1, "added"), Fault("full", WRITE, MANIFEST, 1, "merged"),
          Fault("error", RENAME, METADATA, 1, "states"), Fault("full", WRITE, WAL, 30, "whole"), Fault("error", SYNC, WAL, 5, "merged"),
          Fault("short", WRITE, UPLOAD, 1, "whole"), Fault("broken", CREATE, HEAD, 1, "added"), Fault("error", RENAME, HINT, 1, "states"),
          Fault("full", MKDIR, FOLDER, 2, "added")]


@unittest.skipUnless(stores.chosen() == "sqlite", "of the files of one store")
@unittest.skipUnless(shutil.which(os.environ.get("CC", "cc")), "needs a C compiler")
class Steps(unittest.TestCase):
    def setUp(self):
        self.dice = random.Random(1)
        self.node = FaultyNode()
        self.node.start()
        self.addCleanup(self.node.__exit__)
        self.addCleanup(self.node.stop, 9)
        self.world = World(self.node, self.dice, rows=500)
        self.world.found()
        for name in MODES:
            self.world.run(name)
        self.whole = Whole(self.world)

    def test_killed_at_each_step(self):
        for at, step in enumerate(STEPS):
            if os.environ.get("STEP", step.name) != step.name or step.name in LONG:
                continue
            side = ("before", "after")[at % 2]
            with self.subTest(f"{side} {step.name}"):
                wrong, _, _ = kill_at(step, side, self.world, self.whole, f"m{at}x")
                self.assertEqual(wrong, [])

    def test_what_a_pointer_names_is_on_the_disk_before_it(self):
        self.world.quiet()
        self.node.watch()
        for name in MODES:
            self.world.run(name)
        self.world.rollback("whole")
        done = self.node.watched()
        with reading(self.node.data) as store:
            found = {path.removeprefix(str(self.node.data)) for path in named(store)}
        self.assertTrue(any(op == "create" and kind == "hint" for op, kind, *_ in done))
        self.assertEqual(late(done, found), [])
        forgetful = [each for each in done if each[:2] != (SYNC, DATA)]
        self.assertNotEqual(late(forgetful, found), [], "the test itself")

    def test_faults(self):
        met = 0
        for at, fault in enumerate(FAULTS):
            with self.subTest(str(fault)):
                wrong, told, _ = fail_at(fault, self.world, self.whole, f"f{at}x", self.dice)
                self.assertEqual(wrong, [])
                met += told != "not met"
        self.assertGreaterEqual(met, 8)


if __name__ == "__main__":
    unittest.main(verbosity=2)
