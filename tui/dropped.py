"""A file that is dropped on a terminal arrives as a paste of its path, written as the terminal thinks a shell wants it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_LONGEST: Final = 32 * 1024  # characters: a path has at most 4096 bytes, and few are dropped at once
_MOST: Final = 16
_ABSOLUTE: Final = re.compile(r"/|~/|file://|[A-Za-z]:[\\/]|\\\\")


def looks_dropped(text: str) -> bool:
    """Say whether `text` may be paths and nothing else. Cheap, and does not touch the disk."""
    return any(True for _paths in _readings(text))


def dropped(text: str) -> tuple[str, ...]:
    """Return the paths in `text` if it is nothing but paths of things that exist, else (). Blocking."""
    for paths in _readings(text):
        if all(map(_exists, paths)):
            return paths
    return ()


def unquoted(text: str) -> str:
    """Return one pasted path without the quotes that a terminal has put around it; other text as it is."""
    for paths in _readings(text):
        if len(paths) == 1 and paths[0] != text.strip():
            return paths[0]
    return text


def _readings(text: str) -> Iterator[tuple[str, ...]]:
    """Return what `text` can mean: a path a line, or words as a shell reads them."""
    if len(text) > _LONGEST:
        return
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    for parts in (lines, _words(" ".join(lines))):
        if 0 < len(parts) <= _MOST and all(map(_ABSOLUTE.match, parts)):
            yield tuple(map(_path, parts))


def _words(line: str) -> list[str]:
    try:
        if re.match(r"\"?[A-Za-z]:\\|\"?\\\\", line):  # a backslash is no escape there
            return [quoted or bare for quoted, bare in re.findall(r'"([^"]+)"|(\S+)', line)]
        return shlex.split(line)
    except ValueError:
        return []


def _path(part: str) -> str:
    if not part.startswith("file://"):
        return part
    path = unquote(urlsplit(part).path)
    return path[1:] if re.match(r"/[A-Za-z]:/", path) else path


def _exists(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False
