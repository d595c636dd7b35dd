"""Telegram links: `tg://proxy`, `tg://socks` and the same on t.me, as Telegram Desktop reads them."""

from __future__ import annotations

import re
from typing import Final

from transports.sharelink import (
    LONGEST_LINK,
    Options,
    check_host,
    check_text,
    from_base64,
    parse_port,
    parse_query,
)
from transports.types import N_, Endpoint, Rejected

SCHEMES: Final = ("tg",)
_LINK: Final = re.compile(
    r"(?:tg:(?://)?|(?:https?://)?(?:www\.)?(?:t\.me|telegram\.me|telegram\.dog)/)(proxy|socks)/?(?:\?|\Z)",
    re.IGNORECASE,
)
_HEX: Final = re.compile(r"[0-9a-fA-F]+\Z")
_LONGEST_SECRET: Final = 255
UNTESTED: Final = N_("Telegram proxies cannot be tested yet: open the link in Telegram")


def looks_like_telegram(text: str) -> bool:
    """Tell whether `text` is meant as a Telegram proxy link, right or wrong."""
    return _LINK.match(text[:64]) is not None


def parse(text: str) -> Endpoint:
    """Return the endpoint: `socks5` for the SOCKS kind, else `telegram`, which is not tested. Raises Rejected."""
    check_text(text)
    found = _LINK.match(text)
    if not found or len(text) > LONGEST_LINK:
        raise Rejected(N_("a Telegram proxy link begins with tg://proxy? or https://t.me/proxy?"))
    query = parse_query(text[found.end() :].partition("#")[0])
    host = check_host(query.get("server", "").strip())
    port = parse_port(query.get("port", "").strip())
    if found[1].lower() == "socks":
        user, password = query.get("user", ""), query.get("pass", "")
        if max(len(user.encode()), len(password.encode())) > _LONGEST_SECRET:
            raise Rejected(N_("the user name or password is longer than 255 bytes"))
        return Endpoint(transport="socks5", host=host, port=port, username=user, password=password)
    options = read_secret(query.get("secret", "").strip())
    return Endpoint(transport="telegram", host=host, port=port, options=options, text=text, untested=UNTESTED)


def read_secret(text: str) -> Options:
    """Return `secret` (hexadecimal), `kind` (plain, padded, faketls) and for faketls `domain`. Raises Rejected."""
    raw = bytes.fromhex(text) if _HEX.match(text) and len(text) % 2 == 0 else from_base64(text)
    if raw is None or len(raw) < 16:
        raise Rejected(N_("secret= must be 32 or more hexadecimal digits: copy the whole link"))
    options: Options = {"secret": raw.hex(), "kind": "plain"}
    if len(raw) == 16:
        return options
    if raw[0] == 0xDD and len(raw) == 17:
        return options | {"kind": "padded"}
    if raw[0] != 0xEE or len(raw) < 21 or len(raw) > 17 + 253:
        raise Rejected(N_("secret= has a wrong length: copy the whole link"))
    try:
        domain = check_host(raw[17:].decode("ascii"))
    except UnicodeError:
        raise Rejected(N_("the name inside secret= is not a host name: copy the whole link")) from None
    return options | {"secret": raw[:17].hex() + domain.encode().hex(), "kind": "faketls", "domain": domain}
