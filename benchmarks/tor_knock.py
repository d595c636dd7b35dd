"""Our handshakes with many bridges at once, and what they cost: `python -m benchmarks.tor_knock LIST [--link]`."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from benchmarks.runs import peak_of
from client.pace import Pacer
from transports import pt_engine
from transports.failure import StepFailed
from transports.guard import Guard
from transports.knock import knock, through
from transports.net import Limits, Net
from transports.pt_engine import Plugins
from transports.tor_bridge import parse
from transports.trace import Trace
from transports.types import Endpoint

LIMITS = Limits(connect=3.0, handshake=5.0, total=25.0)


async def one(endpoint: Endpoint, pts: Plugins, pacer: Pacer, *, link: bool) -> bool:
    """Say whether the handshakes went well."""
    now = asyncio.get_running_loop().time()
    net = Net(trace=Trace(zero=now, deadline=now + LIMITS.total), limits=LIMITS, pace=pacer.wait)
    try:
        if link:
            await knock(endpoint, net, pts)
        else:
            (await through(endpoint, net, pts)).close()
    except StepFailed:
        return False
    return True


async def main(lines: Sequence[str], *, link: bool) -> None:
    endpoints = [parse(line) for line in lines]
    with tempfile.TemporaryDirectory(prefix="sanylau-farm-") as folder:
        async with (
            Guard.running() as guard,
            pt_engine.opened(["obfs4"], guard=guard, folder=Path(folder)) as pts,
        ):
            pacer = Pacer(0.0)
            began = perf_counter()
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(endpoint, pts, pacer, link=link)) for endpoint in endpoints]
            seconds = perf_counter() - began
            peaks = peak_of("self") + peak_of(guard.pid)
    print(json.dumps({"good": sum(task.result() for task in tasks), "seconds": seconds, "peak": peaks}))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_text("ascii").splitlines(), link="--link" in sys.argv))
