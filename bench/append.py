"""What an append of 1,000 rows costs from its request to the commit that makes it visible, and of it the node's own time."""
import datetime
import os
import pathlib
import statistics
import sys
import tempfile
import time

from common import contract, percentile, product, say, write_mesh
from node import Node

REPEAT = int(os.environ.get("REPEAT", "60"))
TARGET = 50

EVENTS = [("id", "integer", "bigint"), ("at", "timestamp", "timestamp"), ("who", "string", "varchar"),
          ("amount", "number", "decimal(10,2)")]


def processor(pid: int) -> float:
    """Milliseconds of processor time that the process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch, Node("--source-roots", scratch) as node:
        folder = pathlib.Path(scratch)
        file = folder / "events.csv"

        def write(batch: int):
            rows = (f"{batch * 1000 + i},2026-01-01T00:{i // 60 % 60:02}:{i % 60:02},user {i % 97},{i}.25" for i in range(1000))
            file.write_text("id,at,who,amount\n" + "\n".join(rows) + "\n")

        mesh = folder / "mesh"
        mesh.mkdir()
        descriptor = product("events", file, "csv", [])
        descriptor["outputPorts"][0]["customProperties"][0]["value"]["mode"] = "append"
        write(0)
        write_mesh(mesh, (descriptor, contract("events", EVENTS, {"id": {"required": True}}, [])))
        node.run("apply", str(mesh))
        seen, inside, used = [], [], []
        for batch in range(REPEAT + 5):
            write(batch)
            began, before = time.monotonic(), processor(node.process.pid)
            status, answer = node.call("POST", "/v1/runs", {"addresses": ["bench/events"]})
            assert status == 200, answer
            while True:
                _, run = node.call("GET", "/v1/runs/" + answer["runs"][0]["id"])
                if run["status"] not in ("pending", "running"):
                    break
                time.sleep(0.01)
            took = time.monotonic() - began
            assert run["status"] == "succeeded" and run["rows"] == 1000, run
            if batch >= 5:  # The first ones warm the node.
                seen.append(took * 1000)
                used.append(processor(node.process.pid) - before)
                begin, end = (datetime.datetime.fromisoformat(run[key].replace("Z", "+00:00")) for key in ("started_at", "ended_at"))
                inside.append((end - begin).total_seconds() * 1000)
        for name, values in (("append.client", seen), ("append.run", inside)):
            for share in (0.5, 0.99):
                say(f"{name}.p{share * 100:g}", "ms", percentile(values, share))
        say("append.processor.mean", "ms", statistics.mean(used))
        say("append.target_p50", "ms", TARGET)
    return 0


sys.exit(main())
