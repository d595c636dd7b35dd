"""proxychains-ng (proxychains4): one proxy at a time, names looked up at the far end.

Source: proxychains-ng 4.16, `get_chain_data` in src/libproxychains.c: an entry is read by scanf's %s, so a blank ends a
value and nothing can be quoted; a line has room for 1023 bytes, a name and a password for 255; hosts are addresses.
`dynamic_chain` would lead through all proxies one after the other. Round robin over chains of one takes the first, and
the next one where it is dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from client.export.common import (
    LETTERS,
    NO_NAMES,
    Exported,
    Here,
    each,
    exported,
    one_class,
    plain,
)
from client.options import Option
from transports import sharelink
from transports.types import Rejected

KINDS: Final = ("socks5", "socks4", "socks4a", "http")
_LONGEST: Final = 255  # bytes
_SAME: Final = {
    "socks4a": "socks4"
}  # names always go to the proxy, so its socks4 is what others call socks4a
MOST: Final = 512  # proxies; more are not read


def write(options: Sequence[Option], here: Here) -> Exported:
    """Return a configuration with the proxies of the best class."""
    made, left = one_class(*each(options, _entry))
    made = made[:MOST]
    way = ["strict_chain"] if len(made) == 1 else ["round_robin_chain", "chain_len = 1"]
    settings = [*way, "proxy_dns", "remote_dns_subnet 224", "tcp_read_time_out 15000"]
    lines = [*settings, "tcp_connect_time_out 8000", "[ProxyList]", *(text for _, text in made)]
    return exported("\n".join(lines) + "\n", made, left)


def _entry(option: Option) -> str:
    proxy = plain(option, KINDS)
    if not sharelink.is_ip(proxy.host):
        raise Rejected(NO_NAMES)
    words = [_SAME.get(proxy.kind, proxy.kind), proxy.host, str(proxy.port)]
    if proxy.user or proxy.password:
        words.append(_word(proxy.user))
        words += [_word(proxy.password)] if proxy.password else []
    return " ".join(words)


def _word(text: str) -> str:
    fits = text and text.isascii() and text.isprintable() and " " not in text
    if not fits or len(text) > _LONGEST:
        raise Rejected(LETTERS)
    return text
