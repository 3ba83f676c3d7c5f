"""How long a decision in CEL takes. Limit: 1 µs for the tags of a resource. Peer: the Rust crate cel, by its Python module, so
that its figure holds the conversion of the answer too."""
import os
import subprocess
import sys
import time

import cel

from common import ROOT, say

TEXT = 'resource.tags.exists(t, t == "pii") && !("privacy" in principal.groups)'


def main() -> int:
    subprocess.run([str(ROOT / "build" / os.environ.get("PRESET", "release") / "cel_bench")], check=True)
    say("cel.tags_target", "ns", 1000)
    program = cel.compile(TEXT)
    context = cel.Context(variables={"principal": {"groups": ["finance", "analysts", "emea"]}, "resource": {"tags": ["gold", "finance", "pii"]}})
    rounds = []
    for _ in range(9):
        began = time.monotonic()
        for _ in range(5000):
            program.execute(context)
        rounds.append((time.monotonic() - began) / 5000 * 1e9)
    say("cel.tags_peer", "ns", sorted(rounds)[4])
    return 0


sys.exit(main())
