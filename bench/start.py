"""How long a node takes to be ready, and what it holds in memory when idle. Limit: `weft version`, which only loads the
libraries. Targets: 300 ms, 150 MB."""
import os
import subprocess
import sys
import time

from common import say, summary
from node import WEFT, Node

REPEAT = int(os.environ.get("REPEAT", "10"))


def main() -> int:
    load, ready, memory = [], [], []
    for _ in range(REPEAT):
        began = time.monotonic()
        subprocess.run([str(WEFT), "version"], check=True, stdout=subprocess.DEVNULL)
        load.append((time.monotonic() - began) * 1e3)
        with Node() as node:
            node.stop()
            ready.append(node.start() * 1e3)  # The second start: the store is there.
            time.sleep(2)
            memory.append(node.memory() / 1e6)
    summary("start.load_only", "ms", load)
    summary("start.ready", "ms", ready)
    say("start.ready_target", "ms", 300)
    summary("start.idle_rss", "MB", memory)
    say("start.idle_rss_target", "MB", 150)
    return 0


sys.exit(main())
