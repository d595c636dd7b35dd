"""A proxy auto-configuration file: every address, local names too, goes to the proxies, never DIRECT.

Grammar of the answer: `PROXY host:port; HTTPS host:port; SOCKS5 host:port` (Chromium, net/docs/proxy.md; Firefox knows
the same words). There is no place for a user name. SOCKS4 is left out: browsers look names up here for it.
Browsers go round any such file for their own machine (localhost and 127.0.0.0/8). Chromium does not read file://, and
goes out directly where it cannot read the file (seen, 156): for it the whole file is written as one address.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from client.export.common import NO_LOGIN, Exported, Here, each, exported, one_class, plain
from client.options import Option
from transports.types import N_, Rejected

NOT_FROM_DISK: Final = N_(
    "Chromium, Chrome and Edge do not read this file from the disk: they then go out WITHOUT any proxy. Export pac-url for them. Firefox reads it."
)
KINDS: Final = ("socks5", "http", "https")
_WORDS: Final = {"socks5": "SOCKS5", "http": "PROXY", "https": "HTTPS"}
_TYPE: Final = "application/x-ns-proxy-autoconfig"
_FILE: Final = """\
function FindProxyForURL(url, host) {{
  return {answer};
}}
"""


def write(options: Sequence[Option], here: Here) -> Exported:
    """Return the file with the proxies of the best class, the best one first."""
    made, left = one_class(*each(options, _entry))
    answer = json.dumps("; ".join(text for _, text in made))
    return exported(_FILE.format(answer=answer), made, left)


def write_url(options: Sequence[Option], here: Here) -> Exported:
    """Return the same file as a data: address, for Chromium's --proxy-pac-url."""
    made = write(options, here)
    if not made.held:
        return made
    packed = base64.b64encode(str(made.content).encode("ascii")).decode("ascii")
    return replace(made, content=f"data:{_TYPE};base64,{packed}\n")


def _entry(option: Option) -> str:
    proxy = plain(option, KINDS)
    if proxy.user or proxy.password:
        raise Rejected(NO_LOGIN)
    return f"{_WORDS[proxy.kind]} {proxy.place}"
