"""What a person has agreed to once and for all: kept in the vault, for exactly the same contacts. Pure.

Kept is an HMAC of the command, of the question as it was shown, and of every address that is contacted: another list,
another page, another pace is another question.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from client.vault.content import Content, with_setting

SETTING: Final = "consent"
MOST: Final = 50  # of one command; the oldest make room
_SIZE: Final = 16  # bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Matter:
    """What is agreed to: the command, and the lines of whatever is contacted, beside those that the question shows."""

    command: str
    contacts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Keep addresses out of logs and tracebacks."""
        return f"Matter({self.command!r}, {len(self.contacts)} contacts)"

    def asked(self, lines: Sequence[str]) -> Matter:
        """Return it with the question that was shown."""
        return replace(self, contacts=(*sorted(self.contacts), "", *lines))


def is_agreed(content: Content, matter: Matter) -> bool:
    """Whether this was agreed to before."""
    return _mark(content, matter) in _marks(content).get(matter.command, ())


def agreed(content: Content, matter: Matter) -> Content:
    """Return `content` with this agreed to."""
    marks = _marks(content)
    mark = _mark(content, matter)
    before = (one for one in marks.get(matter.command, ()) if one != mark)
    marks[matter.command] = [*before, mark][-MOST:]
    return with_setting(content, SETTING, marks)


def none(content: Content) -> Content:
    """Return `content` with nothing agreed to."""
    return with_setting(content, SETTING, None)


def count(content: Content) -> int:
    """Return how many answers are remembered."""
    return sum(map(len, _marks(content).values()))


def _mark(content: Content, matter: Matter) -> str:
    made = hmac.new(content.id_key, digestmod=hashlib.sha256)
    for part in _parts(matter):
        data = part.encode("utf-8", "surrogatepass")
        made.update(len(data).to_bytes(8, "big") + data)
    return made.digest()[:_SIZE].hex()


def _parts(matter: Matter) -> Iterable[str]:
    return "consent", matter.command, *matter.contacts


def _marks(content: Content) -> dict[str, list[str]]:
    """Return what is kept, as far as it has the form."""
    kept = content.settings.get(SETTING)
    if not isinstance(kept, Mapping):
        return {}
    return {
        command: [one for one in marks if isinstance(one, str)]
        for command, marks in kept.items()
        if isinstance(marks, Sequence) and not isinstance(marks, str)
    }
