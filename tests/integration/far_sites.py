"""The destinations that programs reach through `sanylau connect`: pages, a large file, git, and a messenger's server.

Run as a program it serves them where it is started, says one JSON line with its ports, and ends with its input.
A program's own way there is never needed: whoever comes, comes through an option.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from client.drill.asking import Request, answer, read_request
from client.drill.ca import Authority
from client.drill.origin import Seen, _site
from client.drill.serving import Handler, Peer, serving

BIG: Final = 50 * 1024 * 1024
PACE: Final = 20 * 1024 * 1024  # bytes a second of a large file: a download is not over before one can look
TRICKLE: Final = 20 * 1024  # the same of one that comes slowly
NAME: Final = "page.test"
BRANCH: Final = "main"
SAYS: Final = "Carried by the far end"
_BLOCK: Final = 64 * 1024
_MESSAGE: Final = 1 << 20
_LIFETIME: Final = 120.0
_SCRIPT: Final = f"<script>document.body.append('{SAYS[:7]}' + '{SAYS[7:]}')</script>"


@cache
def big() -> bytes:
    """Return the large file. Every part of it is another one."""
    return random.Random(5).randbytes(BIG)


@cache
def digest() -> str:
    """Return the SHA-256 of the large file."""
    return hashlib.sha256(big()).hexdigest()


def pages(root: Path) -> Handler:
    """Serve `/page` (text made by its script), `/big`, `/git/…`, and the large file until the end of the connection:
    `/unmeasured`, and slowly `/trickle`; `/short` is a word until the end of the connection.
    """

    async def handle(peer: Peer) -> None:
        while True:
            request = await read_request(peer)
            path, _, query = request.target.partition("?")
            if path.startswith("/git/"):
                await _git(peer, request, root, path.removeprefix("/git"), query)
                return
            if path == "/big":
                await _large(peer, request)
            elif path in ("/unmeasured", "/trickle"):
                await peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                await (_paced(peer, 0) if path == "/unmeasured" else _paced(peer, 0, TRICKLE, TRICKLE // 5))
                return
            elif path == "/short":
                await peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + SAYS.encode())
                return
            elif path == "/page":
                await peer.send(
                    answer("200 OK", f"<!doctype html><title>Far</title><body>{_SCRIPT}".encode())
                )
            else:
                await peer.send(answer("404 Not Found"))

    return handle


async def _large(peer: Peer, request: Request) -> None:
    first = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
    status = f"206 Partial Content\r\nContent-Range: bytes {first}-{BIG - 1}/{BIG}" if first else "200 OK"
    head = f"HTTP/1.1 {status}\r\nContent-Length: {BIG - first}\r\nAccept-Ranges: bytes\r\n\r\n"
    await peer.send(head.encode())
    await _paced(peer, first)


async def _paced(peer: Peer, first: int, pace: int = PACE, block: int = _BLOCK) -> None:
    whole, begin = memoryview(big()), time.monotonic()
    for at in range(first, BIG, block):
        await peer.send(bytes(whole[at : at + block]))
        ahead = (at - first) / pace - (time.monotonic() - begin)
        if ahead > 0:
            await asyncio.sleep(ahead)


async def _git(peer: Peer, request: Request, root: Path, path: str, query: str) -> None:
    """Let git's own server program answer (the CGI of git-http-backend)."""
    body = await peer.exactly(request.length(1 << 20))
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
    }
    pipe = asyncio.subprocess.PIPE
    backend = await asyncio.create_subprocess_exec(
        "git", "http-backend", env=environment, stdin=pipe, stdout=pipe
    )
    said, _ = await backend.communicate(body)
    head, _, content = said.partition(b"\r\n\r\n")
    extra = tuple(line for line in head.decode().split("\r\n") if not line.startswith("Status:"))
    status = next((line[8:] for line in head.decode().split("\r\n") if line.startswith("Status:")), "200 OK")
    lines = [f"HTTP/1.1 {status}", *extra, f"Content-Length: {len(content)}", "Connection: close", "", ""]
    await peer.send("\r\n".join(lines).encode() + content)


async def messenger(peer: Peer) -> None:
    """Talk as MTProto's intermediate transport does: a mark, then frames of a length and so many bytes.

    Each frame is answered by the SHA-256 of what it held, and as many bytes of the same.
    """
    if await peer.exactly(4) != b"\xee" * 4:
        return
    while True:
        length = int.from_bytes(await peer.exactly(4), "little")
        if length > _MESSAGE:
            return
        content = await peer.exactly(length)
        reply = hashlib.sha256(content).digest() + content[::-1]
        await peer.send(len(reply).to_bytes(4, "little") + reply)


def repository(root: Path) -> None:
    """Make a small bare repository `root`/one.git."""
    from subprocess import run

    who = ["-c", "user.name=Far", "-c", "user.email=far@example.org"]
    work = root / "work"
    work.mkdir()
    (work / "README").write_text(SAYS + "\n")
    (work / "noise").write_bytes(big()[: 1 << 20])
    for command in (
        ["git", "init", "-q", "-b", BRANCH, str(work)],
        ["git", "-C", str(work), "add", "."],
        ["git", "-C", str(work), *who, "commit", "-q", "-m", "One"],
        ["git", "clone", "-q", "--bare", str(work), str(root / "one.git")],
    ):
        run(command, check=True, timeout=20, capture_output=True)


@asynccontextmanager
async def playing(root: Path, *, page: str, target: str, fixed: bool) -> AsyncIterator[dict[str, Any]]:
    """Serve all at the address `page`, and what a check asks for at the address `target`; gives the ports.

    With `fixed`, on the usual ports.
    """
    honest = Authority("Far Root")
    context = honest.server_context(NAME, "target.test", "localhost", *{page, target, "127.0.0.1"})
    site, checked = pages(root), _site(Seen())
    ports = {"http": 80, "https": 443, "messenger": 5222, "target": 443, "plain": 80}
    wanted = ports if fixed else dict.fromkeys(ports, 0)
    async with AsyncExitStack() as stack:

        async def at(name: str, handler: Handler, host: str, **more: Any) -> int:
            return await stack.enter_async_context(
                serving(handler, host=host, port=wanted[name], lifetime=_LIFETIME, most=1024, **more)
            )

        yield {
            "http": await at("http", site, page),
            "https": await at("https", site, page, context=context),
            "messenger": await at("messenger", messenger, page),
            "target": await at("target", checked, target, context=context),
            "plain": await at("plain", checked, target),
            "ca": honest.pem,
        }


async def _main(root: Path, page: str, target: str, fixed: bool) -> None:
    repository(root)
    async with playing(root, page=page, target=target, fixed=fixed) as ports:
        sys.stdout.write(json.dumps(ports) + "\n")
        sys.stdout.flush()
        with suppress(EOFError):
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], fixed=sys.argv[4] == "fixed"))
