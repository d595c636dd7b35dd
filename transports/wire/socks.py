"""SOCKS 4, 4a and 5 as client state machines: feed what came, send what they return.

Sources: SOCKS4 and 4a by the memos of Y.-D. Lee (OpenSSH's distribution carries them); SOCKS5: RFC 1928;
user name and password: RFC 1929. Both machines say how many bytes they `want`, so nothing is read too far.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from transports.failure import Failure, WireError
from transports.types import Note

_NO_AUTH: Final = 0x00
_PASSWORD: Final = 0x02
_REPLIES: Final = {  # RFC 1928 section 6
    1: Failure.SOCKS_SERVER_FAILURE,
    2: Failure.SOCKS_NOT_ALLOWED,
    3: Failure.SOCKS_NETWORK_UNREACHABLE,
    4: Failure.SOCKS_HOST_UNREACHABLE,
    5: Failure.SOCKS_REFUSED,
    6: Failure.SOCKS_TTL,
    7: Failure.SOCKS_COMMAND,
    8: Failure.SOCKS_ADDRESS,
}


def _garbage() -> WireError:
    return WireError(Failure.SOCKS_ERROR, Note.GARBAGE)


def _name(host: str) -> bytes:
    """Return `host` as the bytes of a domain name; raises WireError if it cannot be one."""
    try:
        name = host.encode("ascii") if host.isascii() else host.encode("idna")
    except UnicodeError as error:
        raise WireError(Failure.SOCKS_ADDRESS) from error
    if not 1 <= len(name) <= 255 or 0 in name:  # SOCKS4a ends its name with a zero
        raise WireError(Failure.SOCKS_ADDRESS)
    return name


class _Machine:
    """A dialogue: `start()` once, then `receive()` with exactly `wants` bytes until `done`."""

    def __init__(self) -> None:
        self.wants = 0
        self.done = False
        self._got = b""

    def receive(self, data: bytes) -> bytes:
        """Take 1..`wants` bytes and return what is to be sent now (often nothing)."""
        self._got += data
        self.wants -= len(data)
        if self.wants < 0:
            raise ValueError("fed more than was wanted")
        if self.wants:
            return b""
        got, self._got = self._got, b""
        return self._step(got)

    def _step(self, got: bytes) -> bytes:
        raise NotImplementedError


class Socks5(_Machine):
    """CONNECT through a SOCKS5 server, with user name and password if there are any."""

    def __init__(self, host: str, port: int, username: str = "", password: str = "") -> None:
        super().__init__()
        self._host, self._port = host, port
        self._user, self._password = username.encode(), password.encode()
        if len(self._user) > 255 or len(self._password) > 255:
            raise WireError(Failure.SOCKS_ERROR, Note.AUTH_REFUSED)
        self._state = self._on_method

    def start(self) -> bytes:
        """Return the greeting."""
        self.wants = 2
        if self._user or self._password:
            return bytes([5, 2, _NO_AUTH, _PASSWORD])
        return bytes([5, 1, _NO_AUTH])

    def _step(self, got: bytes) -> bytes:
        return self._state(got)

    def _on_method(self, got: bytes) -> bytes:
        version, method = got
        if version != 5:
            raise _garbage()
        if method == _NO_AUTH:
            return self._request()
        if method == _PASSWORD and (self._user or self._password):
            self.wants, self._state = 2, self._on_auth
            # RFC 1929 wants 1..255 bytes in both fields; an empty one is sent as empty, servers accept it.
            return bytes([1, len(self._user)]) + self._user + bytes([len(self._password)]) + self._password
        if method in (_PASSWORD, 0xFF):
            refused = bool(self._user or self._password)
            raise WireError(Failure.SOCKS_ERROR, Note.AUTH_REFUSED if refused else Note.AUTH_REQUIRED)
        raise _garbage()

    def _on_auth(self, got: bytes) -> bytes:
        if got[1] != 0:
            raise WireError(Failure.SOCKS_ERROR, Note.AUTH_REFUSED, got[1])
        return self._request()

    def _request(self) -> bytes:
        self.wants, self._state = 4, self._on_reply
        try:
            address = ipaddress.ip_address(self._host)
        except ValueError:
            name = _name(self._host)
            where = bytes([3, len(name)]) + name
        else:
            where = bytes([1 if address.version == 4 else 4]) + address.packed
        return b"\x05\x01\x00" + where + self._port.to_bytes(2, "big")

    def _on_reply(self, got: bytes) -> bytes:
        version, code, _, kind = got
        if version != 5:
            raise _garbage()
        if code != 0:
            raise WireError(_REPLIES.get(code, Failure.SOCKS_ERROR), Note.REFUSED, code)
        lengths = {1: 4 + 2, 4: 16 + 2, 3: 1}
        if kind not in lengths:
            raise _garbage()
        self.wants, self._state = lengths[kind], self._on_name if kind == 3 else self._on_bound
        return b""

    def _on_name(self, got: bytes) -> bytes:
        self.wants, self._state = got[0] + 2, self._on_bound
        return b""

    def _on_bound(self, got: bytes) -> bytes:
        self.done = True
        return b""


class Socks4(_Machine):
    """CONNECT through a SOCKS4 server: an IPv4 address, or a name by the 4a extension."""

    def __init__(self, host: str, port: int, user: str = "") -> None:
        super().__init__()
        self._port = port
        self._user = user.encode().replace(b"\0", b"")
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            self._where, self._name = b"\x00\x00\x00\x01", _name(host)
        else:
            if address.version != 4:
                raise WireError(Failure.SOCKS_ADDRESS)
            self._where, self._name = address.packed, b""

    def start(self) -> bytes:
        """Return the request."""
        self.wants = 8
        tail = self._name + b"\0" if self._name else b""
        return b"\x04\x01" + self._port.to_bytes(2, "big") + self._where + self._user + b"\0" + tail

    def _step(self, got: bytes) -> bytes:
        version, code = got[:2]
        if version != 0:
            raise _garbage()
        if code == 90:
            self.done = True
            return b""
        if code in (92, 93):
            raise WireError(Failure.SOCKS_ERROR, Note.AUTH_REFUSED, code)
        if code == 91:
            raise WireError(Failure.SOCKS_ERROR, Note.REFUSED, code)
        raise _garbage()
