"""The proxy of GNOME and of desktops that keep it in the same place: gsettings, schema org.gnome.system.proxy.

Meaning of the keys: the schema's own descriptions (`gsettings describe`). A protocol has a proxy when its host is not
empty and its port not 0; `use-same-proxy` needs no change, since all four get the same one. `http enabled` is not used
by anybody. The passwords in there are never kept, shown or written.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from client.connect.system_parts import (
    LOGIN,
    UNREADABLE,
    Ask,
    Part,
    Picture,
    Place,
    Plan,
    has_login,
    place_of,
)
from client.model import Message
from transports.guard_main import Argv
from transports.types import Rejected

ROOT: Final = "org.gnome.system.proxy"
PROTOCOLS: Final = ("http", "https", "ftp", "socks")
# Reached directly: what never leaves this machine. It is the schema's own default, and as short as it can be.
_DIRECT: Final = "['localhost', '127.0.0.0/8', '::1']"
Key = tuple[str, str]  # schema, name
_MODE: Final[Key] = (ROOT, "mode")
_IGNORED: Final[Key] = (ROOT, "ignore-hosts")
_LOGIN: Final[Key] = (f"{ROOT}.http", "use-authentication")
_HOSTS: Final[tuple[Key, ...]] = tuple((f"{ROOT}.{name}", "host") for name in PROTOCOLS)
_PORTS: Final[tuple[Key, ...]] = tuple((f"{ROOT}.{name}", "port") for name in PROTOCOLS)
_KEPT: Final = frozenset((_MODE, _IGNORED, _LOGIN, *_HOSTS, *_PORTS))


def parsed(listing: str) -> dict[Key, str]:
    """Return our keys from `gsettings list-recursively`: the values as they stand there (GVariant text)."""
    found = {}
    for line in listing.splitlines():
        schema, _, rest = line.partition(" ")
        key, _, value = rest.partition(" ")
        if (schema, key) in _KEPT:
            found[schema, key] = value
    return found


def _word(value: str) -> str:
    """Return the string that a GVariant text holds, "" when it is no string."""
    try:
        held = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return ""
    return held if isinstance(held, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Gnome:
    """The settings, and what they are where nobody has set them."""

    program: str
    values: Mapping[Key, str]
    defaults: Mapping[Key, str]
    warnings: tuple[Message, ...] = ()
    name: str = "GNOME"

    @property
    def places(self) -> frozenset[Place]:
        """The proxies of the four protocols, where the mode says that they count."""
        if _word(self.values[_MODE]) != "manual":
            return frozenset()
        pairs = zip(_HOSTS, _PORTS, strict=True)
        found = (place_of(_word(self.values[host]), self.values[port]) for host, port in pairs)
        return frozenset(place for place in found if place)

    @property
    def automatic(self) -> bool:
        """Whether a PAC file chooses."""
        return _word(self.values[_MODE]) == "auto"

    def plan(self, place: Place) -> Plan:
        """Return the changes: the mode last, so that nothing counts before it is whole.

        Where another proxy counts already, each host is changed before its port: in between programs find no proxy at
        this machine's old port number, and never one at a port of the old proxy, nor none at all. Raises Rejected for
        a host with a password in it: a command line shows what is put back.
        """
        if any(has_login(_word(self.values[host])) for host in _HOSTS):
            raise Rejected(LOGIN)
        wanted: dict[Key, str] = {_IGNORED: _DIRECT}
        for host, port in zip(_HOSTS, _PORTS, strict=True):
            wanted[host] = f"'{place.host}'"
            wanted[port] = str(place.port)
        ours = tuple((self._get(key), value) for key, value in wanted.items() if key != _IGNORED)
        parts = [self._part(key, value) for key, value in {**wanted, _LOGIN: "false"}.items()]
        parts.append(self._part(_MODE, "'manual'", ours))
        return Plan(parts=tuple(part for part in parts if part))

    def _part(self, key: Key, value: str, also: tuple[tuple[Argv, str], ...] = ()) -> Part | None:
        before = self.values[key]
        if before == value:
            return None
        undo: Argv = (self.program, "set", *key, before)
        if before == self.defaults.get(key):
            undo = (self.program, "reset", *key)
        return Part(
            do=((self.program, "set", *key, value),), still=((self._get(key), value), *also), undo=(undo,)
        )

    def _get(self, key: Key) -> Argv:
        return (self.program, "get", *key)

    def off(self) -> tuple[Argv, ...]:
        """Return what switches the proxy off. Hosts and ports stay and do not count."""
        return ((self.program, "set", *_MODE, "'none'"),)


def read(ask: Ask, program: str, env: str) -> Picture:
    """Read the settings. `env` is the program env(1). Raises Rejected where the schema is not installed.

    Against a memory backend, which is empty, gsettings tells what the values are where nobody has set them: so a key
    that was not set can be left so again.
    """
    values = parsed(ask((program, "list-recursively", ROOT)))
    if values.keys() != _KEPT:
        raise Rejected(UNREADABLE)
    defaults = parsed(ask((env, "GSETTINGS_BACKEND=memory", program, "list-recursively", ROOT)))
    return Gnome(program=program, values=values, defaults=defaults)
