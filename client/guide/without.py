"""When nothing gets through: what else people used, and what to prepare for the next opening. A text per language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from client.guide.apps import FOLDER
from client.guide.texts import found, language, sentence, tables
from transports.types import N_, Rejected

_NAME: Final = "without"


@dataclass(frozen=True, slots=True)
class Means:
    """Something that people used, and its risk."""

    title: str
    text: str
    risk: str


@dataclass(frozen=True, slots=True)
class Without:
    """The whole page. `prepare` are things to be done while there is a line."""

    language: str
    intro: str
    items: tuple[Means, ...]
    prepare: tuple[str, ...]


def load(wanted: str = "", folder: Path = FOLDER) -> Without:
    """Return the page in a language, else in English. Raises Rejected with the field that is wrong."""
    path, spoken = found(_NAME, wanted or language(), folder)
    where = f"{spoken}/{path.name}"
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        if set(data) != {"intro", "item", "prepare"}:
            raise KeyError(min(set(data) ^ {"intro", "item", "prepare"}))
        return Without(
            language=spoken,
            intro=_plain(data, "intro"),
            items=tuple(map(_means, tables(data, "item"))),
            prepare=tuple(_plain(one, "text") for one in tables(data, "prepare")),
        )
    except (tomllib.TOMLDecodeError, UnicodeError):
        raise Rejected(N_("{file}: this is no TOML"), file=where) from None
    except KeyError as wrong:
        raise Rejected(
            N_("{file}: {field} is missing or not as it should be"), file=where, field=wrong.args[0]
        ) from None


def _means(entry: dict[str, Any]) -> Means:
    if set(entry) != {"title", "text", "risk"}:
        raise KeyError("item")
    return Means(_plain(entry, "title"), _plain(entry, "text"), _plain(entry, "risk"))


def _plain(entry: Mapping[str, Any], field: str) -> str:
    """Return a sentence; there is nothing to be filled in here."""
    text = sentence(entry, field)
    if "{" in text:
        raise KeyError(field)
    return text
