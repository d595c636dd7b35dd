"""What share links have in common: splitting, tolerant base64, the query, TLS and transport sections.

No scheme has one specification. The rules here follow what Xray, v2rayN and sing-box agree on. Whatever
means the same gives the same dictionary, so that differently written links fold into one endpoint.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from transports import proxyline
from transports.types import N_, Endpoint, Rejected

LONGEST_LINK: Final = 16_384  # characters; VLESS links with post-quantum keys reach some thousands
MOST_PARAMETERS: Final = 100
Query = Mapping[str, str]
Options = dict[str, Any]

_UNWANTED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NAME: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?\.?\Z")
_UUID: Final = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\Z")
_STANDARD: Final = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Link:
    """A link taken apart. `user` is still percent-encoded; `port` is 0 if `ports` is not one number."""

    scheme: str
    user: str
    host: str
    port: int
    ports: str
    query: Query
    text: str


def split(text: str, schemes: tuple[str, ...], *, default_port: int = 0, port_list: bool = False) -> Link:
    """Take `scheme://user@host:port/?query#name` apart. Raises Rejected.

    Without `default_port` the port must be there. With `port_list` a list such as `443,5000-6000` is left
    in `ports` for the caller.
    """
    scheme, body = strip_scheme(text, schemes)
    left, _, tail = body.partition("?")
    user, _, where = left.rpartition("@")
    host, ports = proxyline.split_host(where.partition("/")[0])
    port = default_port
    if port_list and not ports.isdigit() and ports:
        port = 0
    elif ports or not default_port:
        port = parse_port(ports)
    checked = check_host(decode(host))
    return Link(
        scheme=scheme, user=user, host=checked, port=port, ports=ports, query=parse_query(tail), text=text
    )


def strip_scheme(text: str, schemes: tuple[str, ...]) -> tuple[str, str]:
    """Return (scheme in small letters, the rest without the #name). Raises Rejected."""
    if len(text) > LONGEST_LINK:
        raise Rejected(N_("the link is too long: copy it again"))
    check_text(text)
    scheme, found, body = text.partition("#")[0].partition("://")
    if not found or scheme.lower() not in schemes:
        raise Rejected(N_("the link must begin with {scheme}://"), scheme=schemes[0])
    return scheme.lower(), body


def check_text(text: str) -> str:
    """Return `text` if no control characters are in it. Raises Rejected."""
    if _UNWANTED.search(text):
        raise Rejected(N_("there is a control character in the link: copy it again"))
    return text


def decode(text: str, *, binary: bool = False) -> str:
    """Percent-decode as UTF-8; `+` stays. With `binary` control characters may come out. Raises Rejected."""
    if "%" not in text:
        return text if binary else check_text(text)
    try:
        decoded = unquote_to_bytes(text).decode("utf-8")
    except UnicodeError:
        raise Rejected(N_("the percent-encoding of the link is not UTF-8: copy it again")) from None
    return decoded if binary else check_text(decoded)


def parse_query(text: str) -> dict[str, str]:
    """Return the query with names in small letters; the first of equal names counts. Raises Rejected."""
    parts = text.split("&", MOST_PARAMETERS)
    if len(parts) > MOST_PARAMETERS:
        raise Rejected(N_("the link has too many parameters"))
    found: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        name = decode(name).lower().removeprefix("amp;")  # links copied out of a web page
        if name:
            found.setdefault(name, decode(value, binary=name == "prefix"))
    return found


def parse_port(text: str) -> int:
    """Return a port number 1..65535. Raises Rejected, also if it is missing."""
    if not text:
        raise Rejected(N_("the port is missing: write host:port"))
    return proxyline.parse_port(text)


def check_host(text: str) -> str:
    """Return a host in its one spelling: small letters, IDN as xn--, shortest IPv6. Raises Rejected."""
    if "%" in text:
        raise Rejected(N_("this is not a host name or address"))
    host = proxyline.check_host(text.removeprefix("[").removesuffix("]") if text.startswith("[") else text)
    if ":" in host:
        return host
    try:
        host = host if host.isascii() else host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise Rejected(N_("this is not a host name or address")) from None
    if not _NAME.match(host):
        raise Rejected(N_("this is not a host name or address"))
    return host.removesuffix(".")


def is_ip(host: str) -> bool:
    """Tell whether `host` is an IP literal."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def from_base64(text: str) -> bytes | None:
    """Decode either alphabet, padded or not, with blanks inside; None if it is no base64."""
    packed = "".join(text.split()).translate(_STANDARD).rstrip("=")
    if not packed.isascii():
        return None
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def text_from_base64(text: str) -> str | None:
    """Decode base64 to UTF-8 text; None if it is neither."""
    raw = from_base64(text)
    if raw is None:
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeError:
        return None


def key32(text: str, reason: str) -> str:
    """Return a 32-byte key as standard base64 with padding. Raises Rejected(reason)."""
    raw = from_base64(text)
    if raw is None or len(raw) != 32:
        raise Rejected(reason)
    return base64.b64encode(raw).decode("ascii")


def load_json(text: str) -> Any:
    """Return what a JSON text holds, None if it is not JSON (or holds null)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def user_id(text: str, *, strict: bool = False) -> str:
    """Return a user id: a UUID with dashes, or a name of 1 to 30 bytes, which engines hash. Raises Rejected.

    With `strict` only a UUID will do (TUIC).
    """
    small = text.strip().lower()
    if _UUID.match(small):
        return str(uuid.UUID(small))
    if strict or not 1 <= len(text.encode("utf-8", "replace")) <= 30:
        raise Rejected(N_("the user id is no UUID: it looks like 11111111-2222-4333-8444-555555555555"))
    return check_text(text)


def secret(text: str) -> str:
    """Return a password. Raises Rejected if there is none or if it is longer than 512 characters."""
    if not text:
        raise Rejected(N_("the password is missing: it stands before the @"))
    if len(text) > 512:
        raise Rejected(N_("the password is too long: copy the link again"))
    return check_text(text)


def first(query: Query, *names: str) -> str:
    """Return the first value among `names` that is not empty."""
    return next((value for name in names if (value := query.get(name, "").strip())), "")


def truthy(query: Query, *names: str) -> bool:
    """Tell whether one of `names` is switched on."""
    return any(query.get(name, "").strip().lower() in ("1", "true", "yes", "on") for name in names)


def leftovers(query: Query) -> dict[str, str]:
    """Return the query without empty values: it tells apart what sing-box has no words for."""
    return {name: value for name, value in sorted(query.items()) if value}


def unencrypted(endpoint: Endpoint) -> bool:
    """Tell whether a node leaves the traffic readable on the way to its server (protection class D)."""
    options = endpoint.options or {}
    tls = options.get("tls")
    if tls is not None and not tls.get("insecure"):
        return False
    if endpoint.transport == "vmess":
        return options.get("security") in ("none", "zero")
    if endpoint.transport == "shadowsocks":
        return options.get("method") == "none"
    # The others have no encryption but TLS; unchecked, whoever stands on the way can read it.
    return tls is not None or endpoint.transport in ("vless", "trojan")
