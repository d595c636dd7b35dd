"""Our own commands as a person can type them: under the name that this was started by, and from any folder."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from client.text import printable
from client.vault import opened

PROGRAM: Final = "sanylau"
LIST: Final = "LIST"  # stands for a list that has no name, or none that could be typed
FILE: Final = "FILE"
_STDIN: Final = "-"
_LONGEST: Final = 300
_NEEDS_NO_QUOTES: Final = re.compile(r"[\w./\\:+@%,~=-]+")


def program() -> str:
    """Return what to type to start this program: its name where every terminal finds it, else its path."""
    started = sys.argv[0] if sys.argv else ""
    if Path(started).stem != PROGRAM or not os.path.dirname(started):
        return PROGRAM
    return PROGRAM if _is_found(started) else _word(absolute(started)) or PROGRAM


def _is_found(started: str) -> bool:
    """Say whether a new terminal finds the same program; the path of an activated environment is of this one only."""
    if os.environ.get("VIRTUAL_ENV") and sys.prefix != sys.base_prefix:
        return False
    found = shutil.which(PROGRAM)
    try:
        return found is not None and os.path.samefile(found, started)
    except OSError:
        return False


def command(name: str, words: Sequence[str]) -> str:
    """Return a command of ours with its words quoted; LIST stands for none, and for what cannot be typed."""
    typed = [_word(one) if one != _STDIN else "" for one in words]
    return " ".join([program(), name, *([one or LIST for one in typed] or [LIST])])


def typed(text: str) -> str:
    """Return a text of ours with the commands in it under the name that this was started by."""
    started = program()
    return text if started == PROGRAM else text.replace(f"`{PROGRAM} ", f"`{started} ")


def absolute(name: str) -> str:
    """Return the path of a file from every folder; standard input and lists in the vault stay what they are."""
    return name if name == _STDIN or opened.is_named(name) else os.path.abspath(name)


def listed(source: str) -> str:
    """Return the path of the list that an entry came from, "" where it came from no file that is here."""
    if opened.is_named(source):
        return source
    try:
        return absolute(source) if source != _STDIN and Path(source).is_file() else ""
    except (OSError, ValueError):
        return ""


def file(name: str) -> str:
    """Return a file's name as it is typed in the folder that we are in; FILE stands for what cannot be typed."""
    plain = os.path.isabs(name) or name.startswith((f".{os.sep}", f"..{os.sep}"))
    return _word(name if plain else os.path.join(".", name)) or FILE


def _word(text: str) -> str:
    """Return a word quoted for the shell, the home folder as ~; "" for what has no place on a command line."""
    if not text or len(text) > _LONGEST or printable(text, _LONGEST) != text:
        return ""
    if sys.platform == "win32":
        return text if _NEEDS_NO_QUOTES.fullmatch(text) else "" if '"' in text else f'"{text}"'
    home = os.path.expanduser("~").rstrip("/")
    if home and text.startswith(f"{home}/"):
        return f"~/{shlex.quote(text[len(home) + 1 :])}" if text != f"{home}/" else "~/"
    return shlex.quote(text)
