"""A configuration file for curl (`curl -K FILE`).

Grammar: curl(1) under --config: within double quotes a backslash stands before a backslash, a quote, and t n r v.
The name and password go URL-encoded: libcurl decodes them (CURLOPT_PROXYUSERPWD). An empty `noproxy` undoes NO_PROXY.
"""

from __future__ import annotations

from collections.abc import Sequence

from client.export import env
from client.export.common import Exported, Here, Plain, each, encoded, exported, one, plain
from client.options import Option

KINDS = env.KINDS


def write(options: Sequence[Option], here: Here) -> Exported:
    """Return the file with the best proxy."""
    made, left = one(*each(options, lambda option: plain(option, KINDS)))
    return exported("".join(_lines(proxy) for _, proxy in made), made, left)


def _lines(proxy: Plain) -> str:
    settings = {"proxy": f"{env.SCHEMES[proxy.kind]}://{proxy.place}"}
    if proxy.user or proxy.password:
        settings["proxy-user"] = f"{encoded(proxy.user)}:{encoded(proxy.password)}"
    settings["noproxy"] = ""
    return "".join(f"{name} = {quoted(value)}\n" for name, value in settings.items())


def quoted(text: str) -> str:
    """Return text between double quotes, as curl reads it. Everything here is ASCII without control characters."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
