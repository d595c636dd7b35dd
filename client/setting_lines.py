"""Settings that people paste whole: tor's torrc and Tor Browser's prefs.js. Which of their lines hold bridges. Pure.

The other settings are no candidates, whatever addresses they name (a SOCKS port of this machine, an upstream proxy):
they are passed over and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from transports import proxyline, tor_bridge

Numbered = Iterable[tuple[int, str]]
Sifted = Iterator[tuple[int, str | None]]
"""Line numbers with what is to be read there, None for a setting that was passed over."""

# Options that nobody writes in a message: one of them at the begin of a line tells a torrc (tor(1)).
_TELLING: Final = (
    *("usebridges", "clienttransportplugin", "datadirectory", "socksport", "socksproxy", "controlport"),
    *("clientonly", "geoipfile", "geoipv6file", "entrynodes", "exitnodes", "strictnodes", "runasdaemon"),
)
_IS_TORRC: Final = re.compile(rf"^[ \t]*(?:{'|'.join(_TELLING)})[ \t]", re.IGNORECASE | re.MULTILINE)
_OPTION: Final = re.compile(r"[+/]?_*[A-Z][A-Za-z0-9]*[A-Z][A-Za-z0-9_]*|%include", re.ASCII)  # two capitals
_SMALL: Final = frozenset({*_TELLING, "log", "user", "nickname", "address", "contactinfo", "sandbox"})
_ENTRIES: Final = frozenset({*tor_bridge.TRANSPORTS, *proxyline.SCHEMES})
_VALUE: Final = re.compile(r'(?i:bridge)\s+"([^"]*)"\s*(?:#.*)?')

_IS_PREFS: Final = re.compile(r"^[ \t]*(?:user_|sticky_)?pref\(", re.MULTILINE)
_PREF: Final = re.compile(r"\s*(?:user_|sticky_)?pref\(")
_LEAD: Final = re.compile(r"bridge\s+", re.IGNORECASE)
_BRIDGE_PREF: Final = re.compile(  # the last two are older: TorSettings.sys.mjs, and Tor Launcher before it
    r"\s*(?:user_|sticky_)?pref\(\s*[\"'](?:torbrowser\.settings\.bridges\.bridge_strings\.\d{1,9}"
    r"|extensions\.torlauncher\.(?:default_bridge\.[\w-]{1,40}|bridgedb_bridge)\.\d{1,9})[\"']\s*,\s*"
    r'(?P<value>"(?:[^"\\]|\\.)*")\s*\)',
)


def sifter(text: str) -> Callable[[Numbered], Sifted] | None:
    """Return what takes the lines of such a file apart, None if this is none."""
    small = text.lower()
    if "pref(" in small and _IS_PREFS.search(text):
        return _sift_prefs
    if any(word in small for word in _TELLING) and _IS_TORRC.search(text):
        return _sift_torrc
    return None


def _sift_torrc(lines: Numbered) -> Sifted:
    for number, line in _continued(lines):
        word = line.split(None, 1)[:1]
        if word and _is_option(word[0]):
            yield number, None
        else:
            quoted = _VALUE.fullmatch(line.strip())
            yield number, f"Bridge {quoted[1]}" if quoted else line


def _is_option(word: str) -> bool:
    small = word.lower()
    if small in _ENTRIES or small == "bridge":
        return False
    return small in _SMALL or _OPTION.fullmatch(word) is not None


def _continued(lines: Numbered) -> Iterator[tuple[int, str]]:
    """Join lines that end in a backslash with the next one, as tor does; the number is that of the first."""
    first, parts = 0, list[str]()
    for number, line in lines:
        first = first if parts else number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            parts.append(line[:-1])
            continue
        yield first, "".join([*parts, line])
        parts.clear()
    if parts:
        yield first, "".join(parts)


def _sift_prefs(lines: Numbered) -> Sifted:
    in_comment = False
    for number, line in lines:
        if in_comment or line.lstrip().startswith("/*"):
            in_comment = "*/" not in line
        elif bridge := _BRIDGE_PREF.match(line):
            yield number, f"Bridge {_unquoted(bridge['value'])}"
        else:
            yield number, None if _PREF.match(line) else line


def _unquoted(value: str) -> str:
    try:
        text = str(json.loads(value, strict=False))
    except ValueError:
        return value
    return _LEAD.sub("", text.strip())
