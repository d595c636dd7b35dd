"""The words of a guide: one TOML file for each app and language, its placeholders filled by a strict hand.

What is filled in comes from outside. It passes printable() and is never looked through for placeholders again.
"""

from __future__ import annotations

import functools
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from client.guide.apps import FOLDER, KINDS, LOCAL, OWN
from client.i18n import LANGUAGES
from client.text import printable
from transports.types import N_, Rejected

SECRET: Final = ("address", "host", "port", "user", "password", "link", "line")
OPEN: Final = ("local", "local_port", "file")
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_LONGEST: Final = 700  # characters of one sentence or two
_LONGEST_VALUE: Final = 8192
_WRONG: Final = N_("{file}: {field} is missing or not as it should be")


@dataclass(frozen=True, slots=True)
class Step:
    """One action, what will be seen then, and the risk; the last two may be empty. With placeholders."""

    do: str
    see: str = ""
    risk: str = ""

    @property
    def placeholders(self) -> frozenset[str]:
        """Return the names that are to be filled in."""
        return frozenset(_PLACEHOLDER.findall(self.do + self.see + self.risk))


@dataclass(frozen=True, slots=True)
class Way:
    """The steps for some kinds of options, for LOCAL, or OWN."""

    kinds: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def placeholders(self) -> frozenset[str]:
        """Return the names that are to be filled in."""
        return frozenset().union(*(step.placeholders for step in self.steps))


@dataclass(frozen=True, slots=True)
class Text:
    """The guide to one app in one language."""

    language: str
    intro: str
    ways: tuple[Way, ...]

    def way(self, kind: str) -> Way | None:
        """Return the way for a kind, or None."""
        return next((way for way in self.ways if kind in way.kinds), None)


def language() -> str:
    """Return the person's language among those that there are, found as gettext finds it."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            wanted = (re.split(r"[_.@-]", one, maxsplit=1)[0].lower() for one in value.split(":"))
            return next((one for one in wanted if one in LANGUAGES), LANGUAGES[0])
    return LANGUAGES[0]


def found(name: str, wanted: str, folder: Path = FOLDER) -> tuple[Path, str]:
    """Return the file of a guide in a language, else the English one, and its language."""
    for one in (wanted, LANGUAGES[0]):
        if (path := folder / one / f"{name}.toml").is_file():
            return path, one
    raise Rejected(N_("there is no guide called {name}"), name=name)


@functools.lru_cache(maxsize=64)
def load(name: str, wanted: str, folder: Path = FOLDER) -> Text:
    """Return the guide to the app of this id. Raises Rejected with the field that is wrong."""
    path, spoken = found(name, wanted, folder)
    where = f"{spoken}/{path.name}"
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        if set(data) - {"intro", "way"}:
            raise KeyError(min(set(data) - {"intro", "way"}))
        return Text(spoken, sentence(data, "intro"), tuple(map(_way, tables(data, "way"))))
    except (tomllib.TOMLDecodeError, UnicodeError):
        raise Rejected(N_("{file}: this is no TOML"), file=where) from None
    except KeyError as wrong:
        raise Rejected(_WRONG, file=where, field=wrong.args[0]) from None


def tables(data: Mapping[str, Any], field: str) -> list[dict[str, Any]]:
    """Return the tables of this name, at least one. Raises KeyError with the name."""
    value = data.get(field)
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        raise KeyError(field)
    return value


def _way(entry: dict[str, Any]) -> Way:
    kinds = entry.get("for")
    if set(entry) != {"for", "step"} or not isinstance(kinds, list) or not kinds:
        raise KeyError("way")
    if not all(isinstance(kind, str) and kind in {*KINDS, LOCAL, OWN} for kind in kinds):
        raise KeyError("for")
    return Way(tuple(kinds), tuple(_step(one) for one in tables(entry, "step")))


def _step(entry: dict[str, Any]) -> Step:
    """Read one step. Raises KeyError with the name of a field that is wrong."""
    if set(entry) - {"do", "see", "risk"}:
        raise KeyError(min(set(entry) - {"do", "see", "risk"}))
    return Step(
        sentence(entry, "do"), sentence(entry, "see", default=""), sentence(entry, "risk", default="")
    )


def _is_clean(text: str) -> bool:
    """Say whether a text may go to a terminal as it is: no controls. No-break spaces belong to some languages."""
    return printable(text, _LONGEST) == text


def sentence(entry: Mapping[str, Any], field: str, default: str | None = None) -> str:
    """Return a text of one line with none but known placeholders. Raises KeyError with the field's name."""
    value = entry.get(field, default)
    if not isinstance(value, str) or len(value) > _LONGEST or not _is_clean(value):
        raise KeyError(field)
    if default is None and not value.strip():
        raise KeyError(field)
    if not set(_PLACEHOLDER.findall(value)) <= {*SECRET, *OPEN} or set("{}") & set(
        _PLACEHOLDER.sub("", value)
    ):
        raise KeyError(field)
    return value


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return a text with its placeholders filled. Raises KeyError for one that has no value."""
    return _PLACEHOLDER.sub(lambda match: printable(values[match[1]], _LONGEST_VALUE), template)
