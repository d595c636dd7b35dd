"""The site that candidates must lead to: over HTTPS with the honest authority, and over plain HTTP."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from client.drill.asking import Request, answer, read_request
from client.drill.ca import Authority
from client.drill.serving import Handler, Peer, serving

NAME: Final = "origin.test"
"""The origin's name; its certificate also holds localhost, 127.0.0.1 and ::1."""

SMALL: Final = b"The light still comes in.\n"
PLAIN: Final = b"Known text over plain HTTP: whoever changes it is seen.\n"
OTHER: Final = b"Another page.\n"
BULK: Final = hashlib.shake_256(b"sanylau drill bulk").digest(256 * 1024)

_UPLOAD_LIMIT: Final = 1024 * 1024
_REQUESTS_LIMIT: Final = 100  # on one connection
_RECORD: Final = 4096  # bytes in one write, so in one TLS record: as busy sites send, and shown as it comes
_TEXT: Final = "text/plain"
_BINARY: Final = "application/octet-stream"


@dataclass(slots=True, kw_only=True)
class Seen:
    """What reached the origin: connections (TLS done where there is TLS), requests, and requests by path."""

    connections: int = 0
    requests: int = 0
    uploaded: int = 0  # bytes
    paths: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A running origin on 127.0.0.1. `ca_pem` is the root to trust."""

    https_port: int
    http_port: int
    ca_pem: str
    seen: Seen


@asynccontextmanager
async def playing_origin(honest: Authority) -> AsyncIterator[Origin]:
    """Run the origin."""
    seen = Seen()
    context = honest.server_context(NAME, "localhost", "127.0.0.1", "::1")
    async with (
        serving(_site(seen), context=context) as https_port,
        serving(_site(seen)) as http_port,
    ):
        yield Origin(https_port=https_port, http_port=http_port, ca_pem=honest.pem, seen=seen)


def _site(seen: Seen) -> Handler:
    async def handle(peer: Peer) -> None:
        seen.connections += 1
        for _ in range(_REQUESTS_LIMIT):
            request = await read_request(peer)
            seen.requests += 1
            if len(seen.paths) < _REQUESTS_LIMIT:
                seen.paths[request.target] += 1
            taken = await _take_body(peer, request)
            seen.uploaded += taken
            page = _page(request, taken)
            for at in range(0, len(page), _RECORD):
                await peer.send(page[at : at + _RECORD])
            if request.headers.get("connection", "").lower() == "close":
                return

    return handle


async def _take_body(peer: Peer, request: Request) -> int:
    left = total = request.length(_UPLOAD_LIMIT)
    while left:
        data = await peer.read(min(65536, left))
        if not data:
            raise EOFError
        left -= len(data)
    return total


def _page(request: Request, taken: int) -> bytes:
    path = request.target.partition("?")[0]
    if request.method == "POST":
        if path in ("/bulk", "/upload"):
            return answer("200 OK", f"{taken}\n".encode(), kind=_TEXT)
        return answer("405 Method Not Allowed")
    if path == "/bulk":
        return _ranged(request.headers.get("range", ""))
    if path == "/redirect":
        return answer("302 Found", extra=("Location: /other",))
    body = {"/small": SMALL, "/plain": PLAIN, "/other": OTHER}.get(path)
    return answer("404 Not Found") if body is None else answer("200 OK", body, kind=_TEXT)


def _ranged(header: str) -> bytes:
    """Answer with BULK, or with the one `bytes=a-b` part that was asked for (RFC 9110 section 14)."""
    unit, _, span = header.partition("=")
    first, _, last = span.partition("-")
    if unit != "bytes" or not first.isdecimal() or (last and not last.isdecimal()):
        return answer("200 OK", BULK, kind=_BINARY, extra=("Accept-Ranges: bytes",))
    start, end = int(first), min(int(last or len(BULK)), len(BULK) - 1)
    if start > end:
        return answer("416 Range Not Satisfiable", extra=(f"Content-Range: bytes */{len(BULK)}",))
    where = f"Content-Range: bytes {start}-{end}/{len(BULK)}"
    return answer("206 Partial Content", BULK[start : end + 1], kind=_BINARY, extra=(where,))
