"""The other yardstick: all bridges to one tor, and who has described itself. A descriptor proves no way out."""

import json
import sys
import threading
from time import perf_counter
from typing import Any

from benchmarks.bare_tor import running


def describe(lines: list[str], first: int) -> dict[str, Any]:
    wanted, seen, enough = {line.split()[2] for line in lines}, set[str](), threading.Event()

    def heard(event: Any) -> None:
        seen.update(wanted.intersection(name for name, _ in event.relays))
        if len(seen) >= first:
            enough.set()

    with running("", "127.0.0.1:1 " + "0" * 39 + "1") as controller:
        controller.add_event_listener(heard, "NEWDESC")
        controller.set_options({"Bridge": lines})
        enough.wait(60)
        return {"good": len(seen)}


if __name__ == "__main__":
    began = perf_counter()
    with open(sys.argv[1]) as file:
        told = describe(file.read().splitlines(), int(sys.argv[2]))
    print(json.dumps({"seconds": perf_counter() - began, **told}))
