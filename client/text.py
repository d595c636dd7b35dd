"""The one gate between text from outside and any terminal."""

from __future__ import annotations

import re
import shutil
import textwrap
import unicodedata

_COMMAND = re.compile(r"`[^`]+`")
_BLANK = "\x1f"  # where no line is broken; printable() lets no such character in
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
    """Return `lines` broken at blanks to the terminal's width; what follows a bullet or arrow hangs.

    What stands between `these marks` is never broken: it is there to be copied.
    """
    width = max(40, shutil.get_terminal_size().columns - 1)
    broken: list[str] = []
    for line in lines:
        hang = "  " if line[:1] in ("•", "→") else line[: len(line) - len(line.lstrip())] + "  "
        whole = _COMMAND.sub(lambda found: found[0].replace(" ", _BLANK), line)
        made = textwrap.wrap(
            whole, width, subsequent_indent=hang, break_on_hyphens=False, break_long_words=whole == line
        )
        broken += [one.replace(_BLANK, " ") for one in made] or [""]
    return broken
