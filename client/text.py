"""The one gate between text from outside and any terminal."""

from __future__ import annotations

import shutil
import textwrap
import unicodedata

_JOINER = "\u200c"  # zero-width non-joiner: Persian needs it


def printable(text: str, limit: int = 80) -> str:
    """Return at most `limit` characters of `text` with controls and bidi overrides replaced.

    Category C (controls, formats, surrogates, private use, unassigned) and line or paragraph separators
    never pass: they could move the cursor, colour the screen, or reorder what is read.
    """
    shown = text[:limit]
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(map(_safe, shown))
    return shown[:-1] + "…" if len(text) > limit > 0 else shown


def _safe(char: str) -> str:
    if char == _JOINER:
        return char
    category = unicodedata.category(char)
    return "\ufffd" if category[0] == "C" or category in ("Zl", "Zp") else char


def wrapped(lines: list[str]) -> list[str]:
    """Return `lines` broken at blanks to the terminal's width; what follows a bullet or arrow hangs."""
    width = max(40, shutil.get_terminal_size().columns - 1)
    broken: list[str] = []
    for line in lines:
        hang = "  " if line[:1] in ("•", "→") else line[: len(line) - len(line.lstrip())] + "  "
        broken += textwrap.wrap(line, width, subsequent_indent=hang, break_on_hyphens=False) or [""]
    return broken
