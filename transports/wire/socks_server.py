"""SOCKS 4, 4a and 5 from the server's side: feed what came, send what is returned, until there is a wish.

Sources: SOCKS4 and 4a by the memos of Y.-D. Lee; SOCKS5: RFC 1928; user name and password: RFC 1929. What
comes is written by a program of this machine, or by an enemy who has reached its port. All fields have a length
in one byte or a limit of their own, so a dialogue has one too.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

_NO_AUTH: Final = 0x00
_PASSWORD: Final = 0x02
_NONE_OF_THESE: Final = 0xFF
_LONGEST: Final = 1024  # bytes of a name as it was given: what makes it ASCII takes the square of its length
_TEXT: Final = 255  # bytes of a user name or host name of SOCKS4, which end with a zero
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}")


class Reply(IntEnum):
    """Codes of RFC 1928 section 6."""

    GRANTED = 0
    FAILURE = 1
    NOT_ALLOWED = 2
    NETWORK_UNREACHABLE = 3
    HOST_UNREACHABLE = 4
    REFUSED = 5
    TTL_EXPIRED = 6
    NO_SUCH_COMMAND = 7
    NO_SUCH_ADDRESS = 8


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Wish:
    """What a program wants: a connection, or with `datagrams` an association. `version` is 4 or 5."""

    version: int
    host: str
    port: int
    datagrams: bool = False


class Denied(Exception):  # noqa: N818 - a state of the dialogue
    """The program gets `reply` (b"" where it speaks no SOCKS), and its connection is to be closed."""

    def __init__(self, reply: bytes = b"") -> None:
        super().__init__("denied")
        self.reply = reply


def answer(version: int, code: Reply, host: str = "0.0.0.0", port: int = 0) -> bytes:
    """Return the reply to a wish; `host` (an IP literal) and `port` are where datagrams are to be sent."""
    if version == 4:  # 90 granted, 91 rejected or failed
        return bytes([0, 90 if code is Reply.GRANTED else 91]) + bytes(6)
    return bytes([5, code, 0]) + _place(host, port)


def host_of(raw: bytes) -> str:
    """Return a host as text: an IP literal without brackets, or a name that cannot be mistaken for anything else.

    A name in another script becomes its ASCII form. Raises ValueError.
    """
    if len(raw) > _LONGEST:
        raise ValueError("not a host name")
    try:
        text = raw.decode("utf-8")
        text = text if text.isascii() else text.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError("not a host name") from error
    if ":" in text and "%" not in text:
        return str(ipaddress.IPv6Address(text))
    if not _NAME.fullmatch(text):
        raise ValueError("not a host name")
    return text


class SocksServer:
    """A dialogue with a program. `wish` is set when it is known; `rest` is what came after it.

    `check`, given where a password is due, gets user name and password. SOCKS4 has no password, so it is then denied.
    """

    __slots__ = ("_check", "_got", "_state", "rest", "wish")

    def __init__(self, check: Callable[[bytes, bytes], bool] | None = None) -> None:
        self.wish: Wish | None = None
        self.rest = b""
        self._got = b""
        self._check = check
        self._state: Callable[[], bytes | None] = self._on_version

    def feed(self, data: bytes) -> bytes:
        """Take what came, return what is to be sent now. Raises Denied."""
        self._got += data
        said = b""
        try:
            while self.wish is None:
                more = self._state()
                if more is None:
                    return said
                said += more
        except Denied as denied:
            raise Denied(said + denied.reply) from None
        self.rest, self._got = self._got, b""
        return said

    def _take(self, count: int) -> bytes:
        taken, self._got = self._got[:count], self._got[count:]
        return taken

    def _on_version(self) -> bytes | None:
        if not self._got:
            return None
        if self._got[0] not in (4, 5):
            raise Denied
        self._state = self._on_methods if self._got[0] == 5 else self._on_socks4
        return b""

    def _on_methods(self) -> bytes | None:
        if len(self._got) < 2 or len(self._got) < 2 + self._got[1]:
            return None
        offered = self._take(2 + self._got[1])[2:]
        if self._check is None and _NO_AUTH in offered:
            self._state = self._on_request
            return bytes([5, _NO_AUTH])
        if _PASSWORD in offered:  # some programs offer nothing else, whether one is due or not
            self._state = self._on_password
            return bytes([5, _PASSWORD])
        raise Denied(bytes([5, _NONE_OF_THESE]))

    def _on_password(self) -> bytes | None:
        got = self._got
        if got[:1] not in (b"", b"\x01"):
            raise Denied
        if len(got) < 2 or len(got) < 3 + got[1] or len(got) < 3 + got[1] + got[2 + got[1]]:
            return None
        user_end = 2 + got[1]
        whole = self._take(user_end + 1 + got[user_end])
        if self._check is not None and not self._check(whole[2:user_end], whole[user_end + 1 :]):
            raise Denied(b"\x01\x01")
        self._state = self._on_request
        return b"\x01\x00"

    def _on_request(self) -> bytes | None:
        got = self._got
        if len(got) < 5:
            return None
        if got[0] != 5:
            raise Denied
        size = {1: 4, 3: 1 + got[4], 4: 16}.get(got[3])
        if size is None:
            raise Denied(answer(5, Reply.NO_SUCH_ADDRESS))
        if len(got) < 4 + size + 2:
            return None
        whole = self._take(4 + size + 2)
        if whole[1] not in (1, 3):
            raise Denied(answer(5, Reply.NO_SUCH_COMMAND))
        datagrams = whole[1] == 3
        host, port = _host(whole[3], whole[4:-2]), int.from_bytes(whole[-2:], "big")
        if not datagrams and (host is None or not port):
            raise Denied(answer(5, Reply.FAILURE))
        self.wish = Wish(version=5, host=host or "", port=port, datagrams=datagrams)
        return b""

    def _on_socks4(self) -> bytes | None:
        """Read a request; the user name is not looked at, for it proves nothing."""
        got = self._got
        user_end = got.find(b"\0", 8)
        if user_end < 0:
            if len(got) > 8 + _TEXT:
                raise Denied(answer(4, Reply.FAILURE))
            return None
        named = got[4:7] == b"\0\0\0" and got[7] != 0
        name_end = got.find(b"\0", user_end + 1) if named else user_end
        if name_end < 0:
            if len(got) > user_end + 1 + _TEXT:
                raise Denied(answer(4, Reply.FAILURE))
            return None
        whole = self._take(name_end + 1)
        host = _host(3, b"?" + whole[user_end + 1 : -1]) if named else _host(1, whole[4:8])
        port = int.from_bytes(whole[2:4], "big")
        if self._check is not None or whole[1] != 1 or host is None or not port:
            raise Denied(answer(4, Reply.FAILURE))
        self.wish = Wish(version=4, host=host, port=port)
        return b""


def _host(kind: int, raw: bytes) -> str | None:
    """Return the host of an address field; None if it is no host. A name stands behind its length."""
    try:
        return host_of(raw[1:]) if kind == 3 else str(ipaddress.ip_address(raw))
    except ValueError:
        return None


def _place(host: str, port: int) -> bytes:
    """Return address type, address and port. Raises ValueError for a name that is too long or not ASCII."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("ascii")
        return bytes([3, len(name)]) + name + port.to_bytes(2, "big")
    return bytes([1 if address.version == 4 else 4]) + address.packed + port.to_bytes(2, "big")


def pack(host: str, port: int, data: bytes) -> bytes:
    """Return a datagram with its header (RFC 1928 section 7). Raises ValueError for a name that is none."""
    return b"\0\0\0" + _place(host, port) + data


def unpack(datagram: bytes) -> tuple[str, int, bytes] | None:
    """Return host, port and data of a datagram; None for a fragment, and for what is no datagram of SOCKS."""
    if len(datagram) < 5 or datagram[:3] != b"\0\0\0":
        return None
    size = {1: 4, 3: 1 + datagram[4], 4: 16}.get(datagram[3], 0)
    start = 4 + size + 2
    if not size or len(datagram) < start:
        return None
    host, port = (
        _host(datagram[3], datagram[4 : start - 2]),
        int.from_bytes(datagram[start - 2 : start], "big"),
    )
    return (host, port, datagram[start:]) if host is not None and port else None
