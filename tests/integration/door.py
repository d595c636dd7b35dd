"""Stands with a port in one network namespace and leads to a port of another: `door.py PID ADDRESS PORT TO`.

It listens on ADDRESS:PORT (port 0: any free one, which it says) in the network namespace of the process PID, and
connects to 127.0.0.1:TO where it was started. It ends with its input.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

_NET = 0x40000000  # CLONE_NEWNET
_MOST = 65536


def listening(pid: int, address: str, port: int) -> socket.socket:
    """Return a listening socket that lives in the other process's namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/self/ns/net").open() as own, Path(f"/proc/{pid}/ns/net").open() as other:
        if libc.setns(other.fileno(), _NET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        try:
            return socket.create_server((address, port), backlog=256)
        finally:
            libc.setns(own.fileno(), _NET)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_MOST):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def _main(pid: int, address: str, port: int, to: int) -> None:
    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
            await asyncio.gather(_pass(reader, far_writer), _pass(far_reader, writer))
            far_writer.close()
        writer.close()

    with listening(pid, address, port) as sock:
        server = await asyncio.start_server(welcome, sock=sock)
        sys.stdout.write(f"{sock.getsockname()[1]}\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        server.close()
        os._exit(0)  # whatever still flows through it ends with it


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
