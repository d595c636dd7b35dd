"""Environment variables that programs of the command line take their proxy from, for three shells.

Both spellings are set: curl reads `http_proxy` only in small letters, others only in capitals. NO_PROXY is emptied, so
that nothing goes round. SOCKS is written socks5h:// or socks4a://: names are looked up at the far end.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import Final

from client.export.common import PLAIN_KINDS, Exported, Here, Plain, each, exported, one, plain
from client.options import Option

KINDS: Final = PLAIN_KINDS
SCHEMES: Final = {
    "socks5": "socks5h",
    "socks4": "socks4a",
    "socks4a": "socks4a",
    "http": "http",
    "https": "https",
}
_WEB: Final = ("http_proxy", "https_proxy")


def write(options: Sequence[Option], here: Here) -> Exported:
    """Return lines for a POSIX shell, to be read with `. ./FILE`."""
    return _written(options, lambda name, value: f"export {name}={shlex.quote(value)}\n", small=True)


def write_powershell(options: Sequence[Option], here: Here) -> Exported:
    """Return lines for PowerShell: in single quotes nothing but the quote itself has a meaning."""
    return _written(options, _powershell)


def write_cmd(options: Sequence[Option], here: Here) -> Exported:
    """Return a batch file for Windows' cmd: a percent sign is written twice there."""
    return _written(options, lambda name, value: f'set "{name}={value.replace("%", "%%")}"\r\n')


def _powershell(name: str, value: str) -> str:
    doubled = value.replace("'", "''")
    return f"$env:{name} = '{doubled}'\n"


def _written(
    options: Sequence[Option], assign: Callable[[str, str], str], *, small: bool = False
) -> Exported:
    """Write each name in capitals; in small letters too only where case counts, which it does not on Windows."""
    made, left = each(options, lambda option: plain(option, KINDS))
    web = _beside(made)
    made, left = one(made, left)
    if not made:
        return exported("", made, left)
    every = made[0][1]
    values = {"all_proxy": url(every), **dict.fromkeys(_WEB, url(web or every)), "no_proxy": ""}
    names = [name for name in values if small] + [name.upper() for name in values]
    return exported("".join(assign(name, values[name.lower()]) for name in names), made, left)


def _beside(made: list[tuple[Option, Plain]]) -> Plain | None:
    """Return the HTTP side of the first one, where the same port speaks both."""
    first = made[0][1] if made else None
    return next((one for _, one in made if first and one.kind == "http" and one.place == first.place), None)


def url(proxy: Plain) -> str:
    """Return a proxy as the variables want it; names are left to it."""
    return proxy.url(SCHEMES[proxy.kind])
