"""Starts the real proxy programs on loopback: tinyproxy (HTTP), microsocks (SOCKS5), danted (SOCKS4 and 5).

Each one runs in the foreground as a child, with its files in a folder of the test, and is ended by its id.
They run as whoever runs the tests; started as root, danted's workers drop to `nobody`. Names are resolved
by the programs: tests give them `localhost`, which the hosts file answers.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

FOLDERS = os.pathsep.join(["/usr/sbin", "/usr/local/sbin", "/sbin", os.environ.get("PATH", "")])
PATIENCE = 10.0  # seconds to begin listening
FAREWELL = 3.0  # seconds to end after a polite word


def find(program: str) -> str | None:
    return shutil.which(program, path=FOLDERS)


def free_port() -> int:
    """Return a port that was free a moment ago: none of the programs can tell which one it chose itself."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(0.2)
        return sock.connect_ex(("127.0.0.1", port)) == 0


@asynccontextmanager
async def running(port: int, *command: str | Path) -> AsyncIterator[int]:
    """Run a program until the block is left; it must begin to listen on `port`."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.defpath, "LC_ALL": "C"},
    )
    try:
        until = time.monotonic() + PATIENCE
        while not listens(port):
            assert process.returncode is None, f"{command[0]} has ended with {process.returncode}"
            assert time.monotonic() < until, f"{command[0]} does not listen"
            await asyncio.sleep(0.01)
        yield port
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), FAREWELL)
    if process.returncode is None:
        process.kill()
        await process.wait()


@asynccontextmanager
async def tinyproxy(
    folder: Path, *, username: str = "", password: str = "", tunnels: tuple[int, ...] = ()
) -> AsyncIterator[int]:
    """Run tinyproxy; it tunnels to any port, or to `tunnels` only."""
    port = free_port()
    lines = [
        f"Port {port}",
        "Listen 127.0.0.1",
        "Timeout 30",
        "MaxClients 20",
        "Allow 127.0.0.1",
        f'LogFile "{folder / "tinyproxy.log"}"',
        f'PidFile "{folder / "tinyproxy.pid"}"',
    ]
    lines += [f"ConnectPort {number}" for number in tunnels]
    if username:
        lines.append(f"BasicAuth {username} {password}")
    config = folder / "tinyproxy.conf"
    config.write_text("\n".join(lines) + "\n")
    program = find("tinyproxy")
    assert program
    async with running(port, program, "-d", "-c", config):
        yield port


@asynccontextmanager
async def microsocks(*, username: str = "", password: str = "") -> AsyncIterator[int]:
    """Run microsocks."""
    port = free_port()
    who = ("-u", username, "-P", password) if username else ()
    program = find("microsocks")
    assert program
    async with running(port, program, "-i", "127.0.0.1", "-p", str(port), *who):
        yield port


@asynccontextmanager
async def danted(folder: Path, *, method: str = "none") -> AsyncIterator[int]:
    """Run danted with one way to identify oneself: `none`, or `username` (the system's users)."""
    port = free_port()
    config = folder / "danted.conf"
    users = ["user.privileged: root", "user.unprivileged: nobody"] if os.geteuid() == 0 else []
    config.write_text(
        "\n".join(
            [
                f"logoutput: {folder / 'danted.log'}",
                *users,
                f"internal: 127.0.0.1 port = {port}",
                "external: lo",
                "clientmethod: none",
                f"socksmethod: {method}",
                "client pass { from: 127.0.0.0/8 to: 127.0.0.0/8 }",
                # The outer address is loopback's own, so nothing gets further, whatever the rules allow.
                "socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }",
                "socks pass { from: 0.0.0.0/0 to: ::/0 }",
            ]
        )
        + "\n"
    )
    program = find("danted")
    assert program
    async with running(port, program, "-f", config, "-p", folder / "danted.pid"):
        yield port
