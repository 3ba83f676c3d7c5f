"""make run EXAMPLE=streaming and the README of the example, typed as it stands there.

At a small scale what is printed is not compared with what stands there, since it is of scale 1; SCALE=1 does that. Whoever
changes the example runs UPDATE=1 SCALE=1, which writes what is printed into the page, and reads the diff."""
import os
import pathlib
import re
import signal
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from node import ROOT, WEFT  # noqa: E402

SCALE = os.environ.get("SCALE", "0.05")
MESH = ROOT / "examples" / "streaming"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What differs from run to run.
VOLATILE = re.compile(r"\b(run|grant|req|tok)_[0-9a-z]{26}\b|\b\d{15,19}\b|\b[0-9a-f]{64}\b|\b\d+(\.\d+)? (ms|s)\b|"
                      r"\b(just now|\d+ (second|minute)s? ago)|\bin \d+ (year|month|day)s?\b|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d+Z?|"
                      r"\bp_[a-z0-9]{26}\b")


class Streaming(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        cls.mesh = cls.folder / "examples" / "streaming"
        shutil.copytree(MESH, cls.mesh, ignore=shutil.ignore_patterns("data", ".made", ".making-*"))
        cls.env = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")} | {
            "PATH": f"{WEFT.parent}:{os.environ['PATH']}", "NO_COLOR": "1", "XDG_STATE_HOME": str(cls.folder / "state"),
            "WEFT_DATA": str(cls.folder / "data"), "WEFT_HTTP_PORT": "0", "WEFT_FLIGHT_PORT": "0", "WEFT_SCALE": SCALE,
            "WEFT_EXAMPLES": str(cls.folder / "examples")}
        cls.printed = cls.folder / "printed"
        with open(cls.printed, "wb") as out:
            cls.run_example = subprocess.Popen([ROOT / "tools" / "run_example.sh", "streaming"], cwd=ROOT, env=cls.env, stdout=out,
                                               stderr=subprocess.STDOUT, start_new_session=True)
        cls.addClassCleanup(cls.stop)
        for _ in range(3000):
            if "Ctrl-C stops the node." in cls.printed.read_text() or cls.run_example.poll() is not None:
                break
            time.sleep(0.1)
        cls.told = cls.printed.read_text()
        found = re.search(r"WEFT_NODE=(\S+)", cls.told)
        assert found, cls.told
        cls.env |= {"WEFT_NODE": found[1]}

    @classmethod
    def stop(cls):
        if cls.run_example.poll() is None:
            cls.run_example.send_signal(signal.SIGINT)
            cls.run_example.wait(60)

    def typed(self, lines: str) -> str:
        """The lines with this test's places in them."""
        return lines.replace("examples/streaming", str(self.mesh)).replace("/tmp/streamly", str(self.folder / "streamly"))

    def shell(self, lines: str) -> tuple[int, str]:
        done = subprocess.run(["bash", "-c", "set -e\n" + self.typed(lines)], cwd=ROOT, env=self.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        return done.returncode, done.stdout

    def test_1_the_mesh_is_up(self):
        self.assertNotRegex(self.told, r"(?m)^(failed|refused|weft:|run_example:)")
        self.assertIn("succeeded recommendations/for-you/for-you@1", self.told)

    def test_2_what_it_says_to_try(self):
        lines = [line for line in (MESH / "try.txt").read_text().splitlines() if line and not line.startswith("#")]
        self.assertGreater(len(lines), 5)
        for line in lines:
            code, told = self.shell(line)
            self.assertEqual(code, 4 if line == "weft sample users/accounts/users" else 0, f"{line}\n{told}")

    def test_3_the_page_as_it_stands(self):
        page, told, kinds, word, wrong = (MESH / "README.md").read_text(), "", set(), "", []
        text = page
        for block in BLOCK.finditer(page):
            kind, lines = block[1], block[2]
            kinds.add(kind)
            if kind == "run":
                self.assertEqual(lines, "make run EXAMPLE=streaming\n")
            elif kind == "text":
                printed = VOLATILE.sub("…", told)
                if os.environ.get("UPDATE") == "1":
                    text = text.replace(block[0], f"```text\n{printed}```", 1) if lines else text.replace(
                        "```text\n```", f"```text\n{printed}```", 1)
                elif SCALE == "1" and re.sub(" +", " ", printed) != re.sub(" +", " ", lines):
                    wrong.append(f"expected\n{lines}printed\n{printed}")
            else:
                if lines.startswith("as()"):
                    word = lines
                    continue
                code, told = self.shell(word + lines)
                if kind == "refused":
                    self.assertIn(code, (3, 4), f"{lines}\n{told}")
                else:
                    self.assertEqual(code, 0, f"{lines}\n{told}")
                    self.assertNotIn("weft: ", told, lines)
        self.assertEqual(kinds, {"", "run", "text", "refused"})
        self.assertEqual(wrong, [], "\n".join(wrong))
        if text != page:
            (MESH / "README.md").write_text(text)

    def test_4_ctrl_c_stops_the_node(self):
        self.stop()
        self.assertIn(self.run_example.returncode, (0, 130))
        self.assertIn("stopping the node", self.printed.read_text())


if __name__ == "__main__":
    unittest.main()
