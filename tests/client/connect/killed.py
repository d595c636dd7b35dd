"""A local side in a process of its own, to be killed: prints its port, and leads to one server on loopback."""

from __future__ import annotations

import asyncio

from client.connect.local import Local
from tests.client.connect.ways_out import WayOut


async def main() -> None:
    async with Local.listening("127.0.0.1", 0, WayOut()) as local:
        print(local.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
