"""Bridge lines that a mail program has broken in two: what can only be the rest of one is put back to it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from transports import tor_bridge

_NAMES: Final = "|".join(sorted(map(re.escape, tor_bridge.ARGUMENTS)))
_REST: Final = re.compile(
    rf"[>\s]*(?:[0-9A-Fa-f]{{40}}|(?P<name>{_NAMES})=\S+)(?:\s+(?:{_NAMES})=\S+)*\s*\Z", re.ASCII
)
_BEGIN: Final = re.compile(
    rf"(?:{'|'.join(sorted(map(re.escape, tor_bridge.TRANSPORTS)))})\s+[\d\[][\d.A-Fa-f:\]]{{1,60}}(?:\s|\Z)",
    re.ASCII,
)
_FINGERPRINT: Final = re.compile(r"(?<![0-9A-Za-z=])[0-9A-Fa-f]{40}(?![0-9A-Za-z])", re.ASCII)


def rejoined(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Return the lines with broken bridge lines made whole; the number is that of the first part."""
    first, held = 0, ""
    for number, line in lines:
        if held and _belongs(held, line):
            held = f"{held.rstrip()} {line.lstrip('> ')}"
            continue
        if held:
            yield first, held
            held = ""
        if _BEGIN.search(line):
            first, held = number, line
        else:
            yield number, line
    if held:
        yield first, held


def _belongs(begun: str, line: str) -> bool:
    """Say whether a line holds nothing but what the bridge line before it still lacks."""
    rest = _REST.match(line) if len(begun) + len(line) < tor_bridge.LONGEST_LINE else None
    if rest is None:
        return False
    if rest["name"] is None:
        return _FINGERPRINT.search(begun) is None
    return f" {rest['name']}=" not in begun
