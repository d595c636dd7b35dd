"""HTTP as a proxy hears it: the request head of a program, its body, and the head of the answer.

Source: RFC 9112 (syntax; section 3.2 forms of a target, 6 and 7 bodies, 11.2 smuggling), RFC 9110 (sections 7.6.1
hop-by-hop fields, 9.3.6 CONNECT, 11.7 credentials). One request a connection: what follows it is dropped, so
nobody can put a second one behind a body that two readers measure differently. What is not clear is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from transports.wire.http1 import authority, basic
from transports.wire.socks_server import host_of

HEAD_LIMIT: Final = 32 * 1024
_LINE_LIMIT: Final = 256  # of a chunk's size line
_TRAILER_LIMIT: Final = 8 * 1024
_REQUEST: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([\x21-\x7e\x80-\xff]+) HTTP/(1\.[01])")
# Each is one class without an end to look for: what does not match costs no second look at any byte.
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(rb"[\x20-\x7e\x80-\xff\t]*")
_URL: Final = re.compile(rb"(?i:http)://([^/?#]+)")
_AUTHORITY: Final = re.compile(rb"(?:\[([0-9A-Fa-f:.]+)\]|([^:@\[\]]+))(?::([0-9]{0,5}))?")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_HOPS: Final = frozenset(
    b"connection keep-alive proxy-connection proxy-authorization proxy-authenticate te upgrade".split()
)
_FRAMING: Final = frozenset((b"content-length", b"transfer-encoding", b"host"))
_ANSWER_HOPS: Final = frozenset((b"connection", b"keep-alive", b"proxy-connection"))
_ANSWER_END: Final = re.compile(rb"\r?\n\r?\n")


class BadRequest(ValueError):  # noqa: N818 - a state of the request
    """The request cannot be taken; `status` is what the program is to be told, 0: nothing at all.

    It is 0 where somebody takes us for a web server: a page in a browser can do that, and must not learn what we are.
    """

    def __init__(self, status: int = 400) -> None:
        super().__init__("bad request")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ProxyRequest:
    """What a program wants: a tunnel, or with `head` one request carried to the server at `host`:`port`.

    `head` is what that server gets: origin form, no word about a proxy. `length` of the body in bytes, None if it
    comes in chunks. `password` is the one of the Basic credentials for the proxy, None if there are none.
    """

    host: str
    port: int
    head: bytes = b""
    length: int | None = 0
    password: bytes | None = None


class RequestReader:
    """Collects a request's head. `feed` returns it when it is complete; `rest` is what came after it."""

    __slots__ = ("_got", "rest")

    def __init__(self) -> None:
        self._got = b""
        self.rest = b""

    def feed(self, data: bytes) -> ProxyRequest | None:
        """Take more bytes. Raises BadRequest."""
        searched = max(0, len(self._got) - 3)
        self._got += data
        end = self._got.find(b"\r\n\r\n", searched)
        if (len(self._got) if end < 0 else end) > HEAD_LIMIT:
            raise BadRequest(431)
        if end < 0:
            if b"\n\n" in self._got[max(0, searched - 1) :]:  # lines that end otherwise: it would never end
                raise BadRequest
            return None
        head, self.rest, self._got = self._got[:end], self._got[end + 4 :], b""
        return _parsed(head)


def _parsed(head: bytes) -> ProxyRequest:
    first, *lines = head.split(b"\r\n")
    request = _REQUEST.fullmatch(first)
    if request is None:
        raise BadRequest
    method, target, version = request[1], request[2], request[3]
    if target[:1] == b"/" or target == b"*":
        raise BadRequest(0)
    fields = [_field(line) for line in lines]
    length = _length(fields, version)
    if len(_values(fields, b"host")) > 1:
        raise BadRequest
    password = _password(_values(fields, b"proxy-authorization"))
    if method == b"CONNECT":
        host, port = _where(target, None)
        if length != 0:
            raise BadRequest
        return ProxyRequest(host=host, port=port, password=password)
    url = _URL.match(target)
    if url is None or b"#" in target:
        raise BadRequest
    host, port = _where(url[1], 80)
    path = target[url.end() :]
    if path[:1] != b"/":
        path = b"*" if method == b"OPTIONS" and not path else b"/" + path
    where = (host if port == 80 and ":" not in host else authority(host, port)).encode()
    lead = [method + b" " + path + b" HTTP/" + version, b"Host: " + where]
    return ProxyRequest(
        host=host, port=port, head=_joined(lead, _kept(fields)), length=length, password=password
    )


def _field(line: bytes) -> tuple[bytes, bytes]:
    """Return name and value of a field line; one that is folded has no name."""
    name, colon, value = line.partition(b":")
    if not colon or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise BadRequest
    return name, value.strip(b" \t")


def for_proxy(head: bytes, host: str, port: int, username: str = "", password: str = "") -> bytes:
    """Return the head of a `ProxyRequest` as another proxy wants it: with the whole URL (RFC 9112, 3.2.2)."""
    first, rest = head.split(b"\r\n", 1)
    method, path, version = first.split(b" ")
    where = (host if port == 80 and ":" not in host else authority(host, port)).encode()
    url = b"http://" + where + (b"" if path == b"*" else path)
    lines = [b" ".join((method, url, version)), *(line.encode() for line in basic(username, password))]
    return b"\r\n".join(lines) + b"\r\n" + rest


def _joined(lead: list[bytes], fields: list[tuple[bytes, bytes]]) -> bytes:
    lines = [*lead, *(name + b": " + value for name, value in fields), b"Connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _values(fields: list[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    return [value for name, value in fields if name.lower() == wanted]


def _where(text: bytes, usual: int | None) -> tuple[str, int]:
    """Read `host:port`; without a `usual` port there must be one."""
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        raise BadRequest
    try:
        host = host_of(found[1] or found[2])
    except ValueError:
        raise BadRequest from None
    port = int(found[3]) if found[3] else usual
    if port is None or not 0 < port < 65536:
        raise BadRequest
    return host, port


def _length(fields: list[tuple[bytes, bytes]], version: bytes) -> int | None:
    """Return the body's length, None for chunks. Two measures, or one in two ways, are refused (RFC 9112 6.3)."""
    lengths, codings = _values(fields, b"content-length"), _values(fields, b"transfer-encoding")
    if codings:
        if lengths or version != b"1.1" or len(codings) > 1 or codings[0].lower() != b"chunked":
            raise BadRequest
        return None
    if not lengths:
        return 0
    if len(lengths) > 1 or not re.fullmatch(rb"[0-9]{1,15}", lengths[0]):
        raise BadRequest
    return int(lengths[0])


def _kept(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the fields that are for the server, without those for us and those that `Connection` names."""
    listed = b",".join(_values(fields, b"connection") + _values(fields, b"proxy-connection"))
    named = {name.strip().lower() for name in listed.split(b",")}
    if named & _FRAMING:
        raise BadRequest
    drop = named | _HOPS | {b"host"}
    return [(name, value) for name, value in fields if name.lower() not in drop]


def _password(values: list[bytes]) -> bytes | None:
    if len(values) != 1:
        return None
    scheme, _, token = values[0].partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        return base64.b64decode(token.strip(), validate=True).partition(b":")[2]
    except binascii.Error:
        return None


class Body:
    """Lets exactly one body through, as it came; what follows it is dropped."""

    __slots__ = ("_chunked", "_left", "_line", "_next", "_trailer", "done")

    def __init__(self, length: int | None) -> None:
        self._chunked = length is None
        self._left = length or 0
        self._line = b""
        self._next = "size"  # the line that is due: size, end (behind a chunk's data), trailer
        self._trailer = 0
        self.done = length == 0

    def feed(self, data: bytes) -> bytes:
        """Take bytes, return those of the body. Raises BadRequest for chunks that are none."""
        out: list[bytes] = []
        at = 0
        while at < len(data) and not self.done:
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                self.done = not self._left and not self._chunked
                out.append(piece)
                continue
            end = data.find(b"\n", at) + 1
            self._line += data[at : end or len(data)]
            at = end or len(data)
            if len(self._line) > (_TRAILER_LIMIT if self._next == "trailer" else _LINE_LIMIT):
                raise BadRequest
            if end:
                out.append(self._line)
                self._take(self._line)
                self._line = b""
        return b"".join(out)

    def end(self) -> bool:
        """Say that an end here may be passed on. Raises BadRequest when the body is not complete."""
        if not self.done:
            raise BadRequest
        return True

    def _take(self, line: bytes) -> None:
        text = line[:-2]
        if line[-2:] != b"\r\n" or b"\r" in text or b"\0" in text:
            raise BadRequest
        if self._next == "trailer":
            self._trailer += len(line)
            if self._trailer > _TRAILER_LIMIT:
                raise BadRequest
            if text:
                _field(text)
            self.done = not text
        elif self._next == "end":
            if text:
                raise BadRequest
            self._next = "size"
        else:
            size = _CHUNK.fullmatch(text)
            if size is None:
                raise BadRequest
            self._left = int(size[1], 16)
            self._next = "end" if self._left else "trailer"


class AnswerHead:
    """Tells the program in the answer's head that its connection ends with this answer; the rest goes through.

    Interim answers stay as they are. What is no HTTP goes through untouched.
    """

    __slots__ = ("_got", "_through")

    def __init__(self) -> None:
        self._got = b""
        self._through = False

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the server, return those for the program."""
        if self._through:
            return data
        self._got += data
        out = b""
        while not self._through:
            end = _ANSWER_END.search(self._got)
            if not b"HTTP/1.".startswith(self._got[:7]) or (end is None and len(self._got) > HEAD_LIMIT):
                self._through = True
                out, self._got = out + self._got, b""
                break
            if end is None:
                break
            head, whole = self._got[: end.start()], self._got[: end.end()]
            self._got = self._got[end.end() :]
            if re.match(rb"HTTP/1\.[0-9] 1(?!01)[0-9][0-9]\b", head):
                out += whole
                continue
            out += _closing(head) + self._got
            self._got, self._through = b"", True
        return out

    def end(self) -> bool:
        """Say that an end here may be passed on. Raises BadRequest where not even the head was whole."""
        if not self._through:
            raise BadRequest(502)
        return True


def _closing(head: bytes) -> bytes:
    """Return an answer's head with `Connection: close` in place of what it said about the connection."""
    kept: list[bytes] = []
    dropped = False
    for line in head.replace(b"\r\n", b"\n").split(b"\n"):
        if line[:1] not in (b" ", b"\t"):  # else it goes on with the line before
            dropped = line.partition(b":")[0].strip().lower() in _ANSWER_HOPS
        if not dropped:
            kept.append(line)
    return b"\r\n".join([*kept, b"Connection: close"]) + b"\r\n\r\n"


_STATUS: Final = {
    400: "Bad Request",
    407: "Proxy Authentication Required",
    431: "Request Header Fields Too Large",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
GRANTED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"


def refusal(status: int, text: str) -> bytes:
    """Return a whole answer with `text` as its page, "" for none; the connection ends with it."""
    body = text.encode() + b"\n" if text else b""
    ask = 'Proxy-Authenticate: Basic realm="proxy"\r\n' if status == 407 else ""
    kind = "Content-Type: text/plain; charset=utf-8\r\n" if text else ""
    head = (
        f"HTTP/1.1 {status} {_STATUS[status]}\r\n{ask}{kind}"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
