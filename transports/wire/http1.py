"""HTTP/1.1 from the client's side: requests as bytes, and readers for heads and bodies with hard limits.

Source: RFC 9112 (message syntax), RFC 9110 (CONNECT, Basic in section 11 and RFC 7617). Small on purpose:
this runs several times for every candidate, and what comes back may be written by an enemy.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from transports.failure import Failure, WireError
from transports.types import Note

AGENT: Final = "curl/8.5.0"
HEAD_LIMIT: Final = 16 * 1024
_CHUNK_LINE_LIMIT: Final = 256
_HEAD_END: Final = re.compile(rb"\n\r?\n")  # some small proxies end lines with LF alone, or mix both
_CHUNK_SIZE: Final = re.compile(rb"0*([0-9A-Fa-f]{1,8})[ \t]*(?:;|\Z)")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers of an answer. Header names are lower-case; the first of equals counts."""

    status: int
    headers: Mapping[str, str]
    version: tuple[int, int] = (1, 1)


def authority(host: str, port: int) -> str:
    """Return `host:port` with brackets around an IPv6 literal."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def connect_request(host: str, port: int, username: str = "", password: str = "") -> bytes:
    """Return a CONNECT request, with Basic credentials if there are any."""
    where = authority(host, port)
    lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
    lines += basic(username, password)
    return _request(lines)


def get_request(
    target: str,
    host: str,
    *,
    extra: tuple[str, ...] = (),
    username: str = "",
    password: str = "",
    agent: str = AGENT,
) -> bytes:
    """Return a GET for `target` (a path, or a whole URL towards a proxy)."""
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}", f"User-Agent: {agent}", "Accept: */*", *extra]
    lines += basic(username, password)
    return _request(lines)


def post_head(
    path: str, host: str, length: int, kind: str = "application/octet-stream", *, agent: str = AGENT
) -> bytes:
    """Return the head of a POST whose body of `length` bytes, of the media type `kind`, follows."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        f"User-Agent: {agent}",
        "Accept: */*",
        f"Content-Type: {kind}",
        f"Content-Length: {length}",
    ]
    return _request(lines)


def _request(lines: list[str]) -> bytes:
    """Join the lines. Raises ValueError for one that would become two: a host or path is never to add a header."""
    if any(_CONTROL.search(line) for line in lines):
        raise ValueError("a control character in a request line")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


def basic(username: str, password: str) -> list[str]:
    """Return the header lines with Basic credentials for a proxy, none if there are none (RFC 7617)."""
    if not (username or password):
        return []
    token = base64.b64encode(f"{username}:{password}".encode()).decode()
    return [f"Proxy-Authorization: Basic {token}"]


class HeadReader:
    """Collects an answer's head. `feed` returns it when it is complete; `rest` is what came after it."""

    __slots__ = ("_got", "rest")

    def __init__(self) -> None:
        self._got = b""
        self.rest = b""

    def feed(self, data: bytes) -> Head | None:
        """Take more bytes. Raises WireError for what is no HTTP answer, or has no end."""
        self._got += data
        if not b"HTTP/".startswith(self._got[:5]):
            page = self._got.lstrip()[:1] == b"<"
            raise WireError(Failure.HTTP_FAILED, Note.PAGE if page else Note.GARBAGE)
        end = _HEAD_END.search(self._got)
        if (end.start() if end else len(self._got)) > HEAD_LIMIT:
            raise WireError(Failure.HTTP_FAILED, Note.ENDLESS)
        if end is None:
            return None
        self.rest = self._got[end.end() :]
        return _parse_head(self._got[: end.start()])


def _parse_head(raw: bytes) -> Head:
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    first = lines[0].split(None, 2)
    if len(first) < 2 or not first[1].isdigit() or len(first[1]) != 3:
        raise WireError(Failure.HTTP_FAILED, Note.GARBAGE)
    fields: list[bytes] = []
    for line in lines[1:]:
        if (
            line[:1] in (b" ", b"\t") and fields
        ):  # folded: it goes on with the field before (RFC 9112 section 5.2)
            fields[-1] += b" " + line.strip()
        else:
            fields.append(line)
    headers: dict[str, str] = {}
    for field in fields:
        name, colon, value = field.partition(b":")
        if colon:
            headers.setdefault(name.strip().lower().decode("latin-1"), value.strip().decode("latin-1"))
    return Head(int(first[1]), headers, (1, 0) if first[0] == b"HTTP/1.0" else (1, 1))


class BodyReader:
    """Unwraps a body. `feed` returns its plain bytes; `done` says that it is complete.

    `length` is the announced length, -1 where the last chunk ends the body, None where only the end of the
    connection does.
    """

    __slots__ = ("_buffer", "_chunked", "_left", "_trailer", "_trailer_size", "done", "length")

    def __init__(self, head: Head) -> None:
        self.done = False
        self.length: int | None = None
        self._buffer = b""
        self._left = 0  # of the body, or of the current chunk
        self._trailer = False
        self._trailer_size = 0
        codings = head.headers.get("transfer-encoding", "").lower()
        self._chunked = codings.rpartition(",")[2].strip() == "chunked"
        if head.status in (204, 304) or head.status < 200:
            self.length, self.done, self._chunked = 0, True, False
        elif self._chunked:
            self.length = -1
        elif "content-length" in head.headers:
            text = head.headers["content-length"]
            if not (text.isascii() and text.isdigit() and len(text) <= 15):
                raise WireError(Failure.HTTP_FAILED, Note.GARBAGE)
            self.length = self._left = int(text)
            self.done = self.length == 0

    def feed(self, data: bytes) -> bytes:
        """Take raw bytes, return body bytes. What follows a complete body is dropped."""
        if self.done:
            return b""
        if self._chunked:
            return self._feed_chunks(data)
        if self.length is None:
            return data
        body = data[: self._left]
        self._left -= len(body)
        self.done = self._left == 0
        return body

    def _feed_chunks(self, data: bytes) -> bytes:
        self._buffer += data
        body = b""
        while not self.done:
            if self._left > 0:
                piece = self._buffer[: self._left]
                self._buffer = self._buffer[len(piece) :]
                self._left -= len(piece)
                body += piece
                if self._left:
                    break
                self._left = -1  # the line end behind the chunk is still due
            line, found, rest = self._buffer.partition(b"\n")
            if not found:
                if len(self._buffer) > _CHUNK_LINE_LIMIT:
                    raise WireError(Failure.HTTP_FAILED, Note.ENDLESS)
                break
            self._buffer = rest
            self._on_line(line.strip())
        return body

    def _on_line(self, line: bytes) -> None:
        if self._trailer:
            self.done = not line
            self._trailer_size += len(line)
            if self._trailer_size > HEAD_LIMIT:
                raise WireError(Failure.HTTP_FAILED, Note.ENDLESS)
        elif self._left == -1:
            self._left = 0
            if line:
                raise WireError(Failure.HTTP_FAILED, Note.GARBAGE)
        else:
            size = _CHUNK_SIZE.match(line)
            if size is None:
                raise WireError(Failure.HTTP_FAILED, Note.GARBAGE)
            self._left = int(size[1], 16)
            self._trailer = self._left == 0
