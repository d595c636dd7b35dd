"""Lines that name a plain proxy: URLs, `host:port`, `host:port:user:password`, `user:password@host:port`."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import unicodedata
from typing import Final
from urllib.parse import unquote

from transports.types import N_, Endpoint, Rejected

SCHEMES: Final = ("http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h")
_SAME: Final = {"socks5h": "socks5", "socks": "socks5"}
_DEFAULT_PORTS: Final = {"socks4": 1080, "socks4a": 1080, "socks5": 1080}  # RFC 1928; HTTP proxies have none
_HOST: Final = re.compile(r"(?!-)[^\s/:@\[\]?#%\"'<>\\]{1,253}\Z")
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4: Final = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
ODD_LOGIN: Final = N_(
    "a character of the user name or password must be written with a percent sign: %22 for a quotation mark, %2F for a slash"
)
_LONGEST_SECRET: Final = 255
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+-]{1,15}")


def parse(text: str) -> Endpoint:
    """Return the endpoint that a plain proxy line names. Raises Rejected with how to mend it."""
    scheme, found, rest = text.partition("://")
    if not found:
        return _parse_bare(text)
    scheme = scheme.lower()
    if scheme not in SCHEMES:
        raise unknown_kind(scheme)
    transport = _SAME.get(scheme, scheme)
    rest, *beyond = re.split(r"[/?#]", rest, maxsplit=1)
    who, at, where = rest.rpartition("@")
    user, password = _split_user(who, scheme) if at else ("", "")
    host, port_text = split_host(where)
    if not port_text and any("@" in part for part in beyond):
        raise Rejected(ODD_LOGIN)
    if not port_text and transport not in _DEFAULT_PORTS:
        raise Rejected(N_("the port is missing: write host:port"))
    port = parse_port(port_text) if port_text else _DEFAULT_PORTS[transport]
    return _endpoint(transport, host, port, user, password)


def unknown_kind(word: str) -> Rejected:
    """Return the rejection of a line with `word` before its "://".

    The word is repeated only if it can be a scheme: people paste addresses and keys in that place.
    """
    if _SCHEME.fullmatch(word.lower()):
        return Rejected(N_("{scheme}:// is not a kind of proxy that is known here"), scheme=word.lower())
    return Rejected(
        N_("what stands before :// is not a kind of proxy: write http://, socks5:// or a share link")
    )


def _split_user(who: str, scheme: str) -> tuple[str, str]:
    user, colon, password = who.partition(":")
    if not colon and scheme == "socks":  # v2rayN writes base64(user:password)
        packed = unquote(who).translate({45: 43, 95: 47})
        try:
            decoded = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeError, ValueError):
            decoded = ""
        if ":" in decoded:  # otherwise it is a user name that merely looks like base64
            user, _, password = decoded.partition(":")
            return user, password
    return unquote(user), unquote(password)


def _parse_bare(text: str) -> Endpoint:
    if "@" in text:
        who, _, where = text.rpartition("@")
        user, _, password = who.partition(":")
        host, port_text = split_host(where)
        user, password = unquote(user), unquote(password)
    else:
        host, port_text, user, password = _split_colons(text)
    if not port_text:
        raise Rejected(N_("the port is missing: write host:port"))
    return _endpoint("auto", host, parse_port(port_text), user, password)


def _split_colons(text: str) -> tuple[str, str, str, str]:
    """Split `host:port[:user[:password]]`; what is missing is empty."""
    if text.startswith("["):
        literal, bracket, after = text[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise Rejected(N_("an IPv6 address needs brackets: [2001:db8::1]:1080"))
        parts = [literal, *after[1:].split(":", 2)]
    else:
        parts = text.split(":", 3)
        if len(parts) > 2 and (_is_ipv6(text) or _is_ipv6(text.rpartition(":")[0])):
            raise Rejected(N_("an IPv6 address needs brackets: [2001:db8::1]:1080"))
    host, port, user, password = ([*parts, "", "", ""])[:4]
    return host, port, user, password


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _endpoint(transport: str, host: str, port: int, user: str, password: str) -> Endpoint:
    if transport.startswith("socks4") and password:
        raise Rejected(N_("SOCKS4 knows a user name only, no password: use socks5:// or leave it out"))
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in user + password):
        raise Rejected(N_("the user name or password has a control character in it"))
    if max(len(user.encode()), len(password.encode())) > _LONGEST_SECRET:
        raise Rejected(N_("the user name or password is longer than 255 bytes"))
    return Endpoint(transport=transport, host=check_host(host), port=port, username=user, password=password)


def split_host(where: str) -> tuple[str, str]:
    """Split `host:port` or `[IPv6]:port`; the port may be missing. Raises Rejected."""
    if where.startswith("["):
        host, bracket, tail = where[1:].partition("]")
        if not bracket or (tail and not tail.startswith(":")):
            raise Rejected(N_("an IPv6 address needs brackets: [2001:db8::1]:1080"))
        return host, tail[1:]
    if where.count(":") > 1:
        raise Rejected(N_("an IPv6 address needs brackets: [2001:db8::1]:1080"))
    host, _, port = where.partition(":")
    return host, port


def parse_port(text: str) -> int:
    """Return a port number 1..65535. Raises Rejected."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise Rejected(N_("the port must be a number from 1 to 65535"))
    return int(text)


def check_host(host: str) -> str:
    """Return `host` lower-cased if it is an IP literal or can be a name. Raises Rejected."""
    if ":" in host:
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError:
            raise Rejected(N_("this is not an IPv6 address: check the part in brackets")) from None
        if address.scope_id is not None:  # a zone is of one machine only, and may hold any characters
            raise Rejected(N_("this is not an IPv6 address: check the part in brackets"))
        return str(address)
    if not host:
        raise Rejected(N_("the host is missing: write host:port"))
    if _IPV4.fullmatch(host):  # by far the most hosts: worth a short cut
        return host
    if host.replace(".", "").isdigit():
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise Rejected(N_("this is not an IPv4 address: four numbers from 0 to 255")) from None
    named = _HOST.match(host) and host.isprintable() and any(char.isalnum() for char in host)
    if not named or ".." in host or host.startswith("."):
        raise Rejected(N_("this is not a host name or address"))
    return host.lower()
