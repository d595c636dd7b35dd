"""The yardstick for dead entries: a bare asyncio client that only connects, and prints one line for each entry."""

import asyncio
import json
import random
import sys
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit


async def work(entries: Iterator[tuple[int, SplitResult]], limit: float) -> None:
    for number, proxy in entries:
        try:
            async with asyncio.timeout(limit):
                _, writer = await asyncio.open_connection(proxy.hostname, proxy.port)
            writer.close()
            status = "open"
        except OSError:
            status = "failed"
        print(json.dumps({"type": "result", "line": number, "status": status}), flush=True)


async def main(listed: str, concurrency: int, limit: float) -> None:
    entries = list(enumerate(map(urlsplit, listed.split()), 1))
    random.shuffle(entries)
    queue = iter(entries)
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work(queue, limit))


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        text = file.read()
    asyncio.run(main(text, int(sys.argv[2]), float(sys.argv[3])))
