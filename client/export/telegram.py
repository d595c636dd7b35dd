"""Telegram's own links: `tg://socks`, `tg://proxy` and the same on t.me.

Source: Telegram Desktop, mtproto/mtproto_proxy_data.cpp. Both forms are written for each entry: the first opens the
program itself, the second works where a messenger does not make tg:// a link.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from client.export.common import Exported, Here, each, encoded, exported, other_kind, plain
from client.options import Option
from transports import sharelink

KINDS: Final = ("telegram", "socks5")


def write(options: Sequence[Option], here: Here) -> Exported:
    """Return both links of each entry, one a line."""
    made, left = each(options, query)
    lines = (f"{start}{text}\n" for _, text in made for start in ("tg://", "https://t.me/"))
    return exported("".join(lines), made, left)


def link(option: Option) -> str:
    """Return the tg:// link. Raises Rejected for what Telegram cannot use."""
    return f"tg://{query(option)}"


def query(option: Option) -> str:
    """Return what both forms of the link have in common."""
    endpoint = option.endpoint
    if endpoint.transport not in KINDS:
        raise other_kind(option, KINDS)
    if endpoint.transport == "telegram":
        host = sharelink.check_host(endpoint.host)
        secret = (endpoint.options or {})["secret"]
        return f"proxy?server={encoded(host)}&port={endpoint.port}&secret={encoded(secret)}"
    proxy = plain(option, KINDS)
    who = (
        f"&user={encoded(proxy.user)}&pass={encoded(proxy.password)}" if proxy.user or proxy.password else ""
    )
    return f"socks?server={encoded(proxy.host)}&port={proxy.port}{who}"
