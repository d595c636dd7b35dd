"""One way in as bytes, as short as its kind allows. Pure.

Whatever is packed is read back and compared before it counts, and whatever is read goes through the parser of pasted
lines: so nothing comes out of a capsule that could not have been pasted.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, TypeAlias

from client.export import sharelinks
from client.parse import LONGEST as LONGEST_LINE
from client.parse import parse_line
from transports import tor_bridge
from transports.types import N_, Endpoint, Rejected

Texts: TypeAlias = Iterator[str]

# The tables below are the format of version 1: append nothing, change nothing, make a version 2 instead.
COMPACT: Final = (
    0x80  # set in the first byte of an obfs4 bridge of 59 bytes; the other 7 bits: iat-mode and what was seen
)
TEXT: Final = 0x00  # the heads of the other kinds of entries
_OBFS4: Final = 0x10  # + _IPV6, + _FINGERPRINT; then iat-mode and what was seen
_VANILLA: Final = 0x20  # + _IPV6, + _FINGERPRINT
_PROXY: Final = 0x40  # + place in _PROXIES, + _NAME or _IPV6, + _LOGIN
_IPV6: Final = 0x01
_FINGERPRINT: Final = 0x02
_PROXIES: Final = ("auto", "http", "https", "socks4", "socks4a", "socks5")
_PROXY_IPV6: Final = 0x08
_PROXY_NAME: Final = 0x10
_LOGIN: Final = 0x20
STATES: Final = 42  # room for what can have been seen
_IAT_MODES: Final = 3
_CERT: Final = 52
_ID: Final = 20
_NAMES: Final = 255

_WORDS: Final = (
    "transport dnstt pubkey=doh=https:// conjure registrar=ampregistrar "
    "fingerprint=2B280B23E1107BB62ABFC40DDCC8824814F80A72 snowflake 192.0.2.3:80 192.0.2.4:80 "
    "url=https://snowflake-broker.torproject.net/ fronts= ice=stun:,stun:.:3478 "
    "utls-imitate=hellorandomizedalpn meek_lite 192.0.2.20:80 url=https:// front= utls=HelloRandomizedALPN "
    "webtunnel [2001:db8::]:443 url=https:// ver=0.0.3 ver=0.0.1 "
    "tg://proxy?server=&port=443&secret=ee tg://socks?server=&port=1080&user=&pass= "
    "wireguard:// hysteria2:// hy2:// ?obfs=salamander&obfs-password=&insecure=1&sni= "
    "tuic:// congestion_control=bbr&udp_relay_mode=native&alpn=h3 "
    "anytls:// trojan:// vmess://eyJ2IjoiMiIsInBzIjoiIiwiYWRkIjoi vless:// ss://Y2hhY2hhMjAtaWV0Zi1wb2x5MTMwNTo "
    "ss://2022-blake3-aes-128-gcm: aes-256-gcm chacha20-ietf-poly1305 ?plugin=obfs-local%3Bobfs%3D "
    "&headerType=none&type=ws&host=&path=%2F&type=grpc&serviceName=&mode=gun&type=httpupgrade&allowInsecure=1"
    "&alpn=h2%2Chttp%2F1.1&encryption=none&security=tls&sni=&fp=chrome&security=reality&pbk=&sid=&spx=%2F"
    "&type=tcp&flow=xtls-rprx-vision obfs4 cert= iat-mode=0"
)
_DICTIONARY: Final = _WORDS.encode("ascii")


class Torn(Exception):  # noqa: N818 - it is a state of the bytes, not a fault of ours
    """The bytes end too early, go on too long, or say what cannot be."""


class Reader:
    """Reads bytes from others, and never past their end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes. Raises Torn."""
        taken = self._data[self._at : self._at + count]
        if len(taken) != count:
            raise Torn
        self._at += count
        return taken

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def number(self, most: int) -> int:
        """Return the next number of one to three bytes, at most `most`; 7 bits in each, the lowest first."""
        value = 0
        for shift in (0, 7, 14):
            part = self.byte()
            value |= (part & 0x7F) << shift
            if not part & 0x80:
                if value > most or (shift and not part):
                    break
                return value
        raise Torn

    def rest(self) -> bytes:
        """Return all that is left."""
        return self.take(len(self._data) - self._at)

    def end(self) -> None:
        """Raise Torn if anything is left."""
        if self._at != len(self._data):
            raise Torn


def number(value: int) -> bytes:
    """Return a number below 2^21 in one to three bytes."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(0x80 | value & 0x7F)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def is_placeholder(endpoint: Endpoint) -> bool:
    """Say whether the address in a bridge line is none that is contacted."""
    return (endpoint.options or {}).get("pt") in tor_bridge.ELSEWHERE


def compact(endpoint: Endpoint, state: int) -> bytes | None:
    """Return the 59 bytes of an obfs4 bridge without a fingerprint, None where they do not say all of it."""
    packed = _obfs4(endpoint, state)
    if packed is None or packed[0] != _OBFS4:
        return None
    short = bytes((COMPACT | packed[1],)) + packed[2:]
    reader = Reader(short)
    return short if _same(read_compact(reader.byte(), reader)[0], endpoint) else None


def read_compact(head: int, reader: Reader) -> tuple[Endpoint, int]:
    """Return the bridge behind the byte `head`, and what was seen of it."""
    return _read_obfs4(_OBFS4, head & ~COMPACT, reader)


def binary(endpoint: Endpoint, state: int) -> bytes | None:
    """Return the bytes of a kind that has its own layout, None for any other."""
    packed = _obfs4(endpoint, state) or _vanilla(endpoint, state) or _proxy(endpoint, state)
    if packed is None:
        return None
    reader = Reader(packed)
    try:
        read = read_binary(reader.byte(), reader)
    except (Torn, Rejected):
        return None
    return packed if _same(read[0], endpoint) else None


def read_binary(head: int, reader: Reader) -> tuple[Endpoint, int]:
    """Return the entry behind the byte `head`, and what was seen of it. Raises Torn or Rejected."""
    kind = head & 0xFC
    if kind == _OBFS4:
        return _read_obfs4(head, reader.byte(), reader)
    if kind == _VANILLA:
        state = reader.byte()
        place = _read_place(reader, head)
        return of_text(f"{place} {_read_fingerprint(reader, head)}"), state
    if head & _PROXY:
        return _read_proxy(head, reader)
    raise Rejected(
        N_("one of the ways in is of a kind that a newer version of Sanylau knows: bring yours up to date")
    )


def text_of(endpoint: Endpoint) -> str:
    """Return a line that says the same endpoint, without a name. Raises Rejected where there is none."""
    given = endpoint.text or endpoint.reveal()
    for text in (given.partition("#")[0].strip(), given.strip(), sharelinks.write(endpoint)):
        if not text or "\n" in text or len(text) > LONGEST_LINE:
            continue
        try:
            if _same(of_text(text), endpoint):
                return text
        except Rejected:
            continue
    raise Rejected(N_("one of them has settings that no line of text says: it cannot be passed on"))


def of_text(text: str) -> Endpoint:
    """Return the one endpoint that a line says. Raises Rejected."""
    found = parse_line(text)
    if len(found) != 1:
        raise Rejected(N_("the capsule holds a line that is no single way in: ask for it again"))
    if isinstance(found[0], Rejected):
        raise found[0]
    return found[0]


def squeezed(text: str) -> bytes:
    """Return compressed text; a dictionary of what links have in common helps with short ones."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return packer.compress(text.encode("utf-8")) + packer.flush()


def unsqueezed(packed: bytes, largest: int, at_once: int) -> str:
    """Return the text, at most `largest` bytes. Raises Torn, zlib.error or UnicodeDecodeError."""
    unpacker = zlib.decompressobj(-15, _DICTIONARY)
    parts, size = [unpacker.decompress(packed, at_once)], 0
    while parts[-1]:
        size += len(parts[-1])
        if size > largest:
            raise Torn
        parts.append(unpacker.decompress(unpacker.unconsumed_tail, at_once))
    if not unpacker.eof or unpacker.unused_data or unpacker.unconsumed_tail:
        raise Torn
    return b"".join(parts).decode("utf-8")


def _same(read: Endpoint, meant: Endpoint) -> bool:
    return read.key() == meant.key() and read.untested == meant.untested


def _obfs4(endpoint: Endpoint, state: int) -> bytes | None:
    options = endpoint.options or {}
    args = options.get("args", {})
    if options.get("pt") != "obfs4" or args.keys() != {"cert", "iat-mode"}:
        return None
    try:
        cert = base64.b64decode(args["cert"] + "==", validate=True)
    except binascii.Error:
        return None
    head, place, fingerprint = _addressed(_OBFS4, endpoint)
    mode = _IAT_MODES * state + int(args["iat-mode"])
    return bytes((head, mode)) + place + cert + fingerprint


def _read_obfs4(head: int, mode: int, reader: Reader) -> tuple[Endpoint, int]:
    state, iat = divmod(mode, _IAT_MODES)
    if state >= STATES:
        raise Torn
    place = _read_place(reader, head)
    cert = base64.b64encode(reader.take(_CERT)).decode("ascii").rstrip("=")
    return of_text(f"obfs4 {place} {_read_fingerprint(reader, head)} cert={cert} iat-mode={iat}"), state


def _vanilla(endpoint: Endpoint, state: int) -> bytes | None:
    if (endpoint.options or {}).get("pt") != "vanilla":
        return None
    head, place, fingerprint = _addressed(_VANILLA, endpoint)
    return bytes((head, state)) + place + fingerprint


def _addressed(head: int, endpoint: Endpoint) -> tuple[int, bytes, bytes]:
    """Return the head with its two bits, the address with the port, and the fingerprint."""
    address = ipaddress.ip_address(endpoint.host)
    fingerprint = bytes.fromhex((endpoint.options or {}).get("fingerprint", ""))
    head |= (_IPV6 if address.version == 6 else 0) | (_FINGERPRINT if fingerprint else 0)
    return head, address.packed + endpoint.port.to_bytes(2, "big"), fingerprint


def _read_place(reader: Reader, head: int) -> str:
    host = _read_address(reader, bool(head & _IPV6))
    return f"{host}:{_read_port(reader)}"


def _read_address(reader: Reader, ipv6: bool) -> str:
    packed = reader.take(16 if ipv6 else 4)
    return f"[{ipaddress.IPv6Address(packed)}]" if ipv6 else str(ipaddress.IPv4Address(packed))


def _read_port(reader: Reader) -> int:
    port = int.from_bytes(reader.take(2), "big")
    if not port:
        raise Torn
    return port


def _read_fingerprint(reader: Reader, head: int) -> str:
    return reader.take(_ID).hex().upper() if head & _FINGERPRINT else ""


def _proxy(endpoint: Endpoint, state: int) -> bytes | None:
    if endpoint.transport not in _PROXIES or endpoint.options or endpoint.text:
        return None
    head, host = _PROXY | _PROXIES.index(endpoint.transport), endpoint.host.encode("utf-8")
    try:
        address = ipaddress.ip_address(endpoint.host)
        place, head = address.packed, head | (_PROXY_IPV6 if address.version == 6 else 0)
    except ValueError:
        place, head = bytes((len(host),)) + host, head | _PROXY_NAME
    login = b""
    if endpoint.username or endpoint.password:
        head |= _LOGIN
        for secret in (endpoint.username.encode("utf-8"), endpoint.password.encode("utf-8")):
            login += bytes((len(secret),)) + secret
    return bytes((head, state)) + place + endpoint.port.to_bytes(2, "big") + login


def _read_proxy(head: int, reader: Reader) -> tuple[Endpoint, int]:
    index = head & 0x07
    if index >= len(_PROXIES) or head & (_PROXY_NAME | _PROXY_IPV6) == _PROXY_NAME | _PROXY_IPV6:
        raise Torn
    state = reader.byte()
    if head & _PROXY_NAME:
        host = _read_text(reader)
    else:
        host = _read_address(reader, bool(head & _PROXY_IPV6)).strip("[]")
    port = _read_port(reader)
    user, password = (_read_text(reader), _read_text(reader)) if head & _LOGIN else ("", "")
    said = Endpoint(transport=_PROXIES[index], host=host, port=port, username=user, password=password)
    read = of_text(said.reveal())
    if not _same(replace(read, text=""), said):
        raise Torn
    return read, state


def _read_text(reader: Reader) -> str:
    return reader.take(reader.byte()).decode("utf-8")
