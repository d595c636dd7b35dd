"""Takes in what the person pasted, named or piped in. What reads files or parses lists blocks: call it in a thread."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from client import check, parse
from client.check import Wishes
from client.engine import Run
from client.i18n import _, ngettext, say
from client.model import N_, Candidate, Message, Reading, Rejected, kinds_of
from client.text import printable

EDITED_CHARACTERS: Final = 128 * 1024  # more is slow to edit, so it is kept in one piece
EDITED_LINES: Final = 2000
MOST_SOURCES: Final = 16
LARGEST: Final = parse.LARGEST  # characters of one paste; of a file and of standard input: bytes
_LARGEST_IN_ALL: Final = 4 * LARGEST
_LINE_ENDS: Final = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_NAME: Final = 60  # characters of a file's name that are shown


def pasted_name() -> str:
    """Return what stands for the text area where a file's name would stand."""
    return _("pasted")


def clean(text: str) -> str:
    """Return pasted text without anything that acts on a terminal: line ends stay, tabs become blanks."""
    return "\n".join(_clean_line(line) for line in _LINE_ENDS.split(text))


def _clean_line(line: str) -> str:
    if line.isprintable():
        return line
    kept = "".join(char for char in line.replace("\t", " ") if unicodedata.category(char) != "Cf")
    return printable(kept, len(kept))


@dataclass(frozen=True, slots=True)
class Source:
    """A list that is kept in one piece. `name` is safe to show, `path` is "" unless it came from a file."""

    name: str
    text: str = field(repr=False)
    path: str = field(default="", repr=False)
    lines: int = 0
    size: int = 0  # bytes, as UTF-8


class Basket:
    """What the person has put together for a check. It outlives the screen that shows it.

    `text` is what stands in the edit field; `awaited` are names of files that nobody has opened yet. `pasted` is what
    the edit field is called in rejected lines. `stamp` changes with every change, and `reading` is None until somebody has
    read what is in here now. `tested` are the keys of what a check had tested when it was stopped: as long as the lists
    stay as they are, the next one leaves these out, unless the person wants `all_again`.
    """

    def __init__(self, wishes: Wishes, given: str = "") -> None:
        self.wishes = replace(wishes, lists=())
        self.text = ""
        self.field = ""  # what stands in the field for a file's name
        self.sources: list[Source] = []
        self.awaited = [name for name in wishes.lists if name != "-"]
        self.reading: Reading | None = None
        self.pasted = pasted_name()
        self.stamp = 0
        self.reveal = False
        self.tested: frozenset[str] = frozenset()
        self.all_again = False
        self._handed_on: Reading | None = None
        if given.strip():
            self.add(_("standard input"), given)

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to read."""
        return not self.text.strip() and not self.sources

    def edit(self, text: str) -> bool:
        """Take over what stands in the edit field now; say whether that is a change."""
        if text == self.text:
            return False
        self.text = text
        self._touch()
        return True

    def add(self, name: str, text: str, path: str = "") -> Source:
        """Put a list in; a file that is in already is put in anew. Raises Rejected where it is too much."""
        others = [source for source in self.sources if not path or source.path != path]
        if len(others) >= MOST_SOURCES:
            raise Rejected(N_("more than {limit} lists: put them into one file"), limit=MOST_SOURCES)
        size = len(text.encode("utf-8", "replace"))
        if sum(source.size for source in others) + size > _LARGEST_IN_ALL:
            raise Rejected(N_("larger than {limit} MiB: split it"), limit=_LARGEST_IN_ALL // 1024 // 1024)
        taken = {self.pasted, *(source.name for source in others)}
        source = Source(_unlike(name, taken), text, path, _lines(text), size)
        self.sources = [*others, source]
        self._touch()
        return source

    def remove(self, index: int) -> None:
        """Take a list out."""
        del self.sources[index]
        self._touch()

    def rename(self) -> None:
        """Call what was pasted by its name in the language that is in force now."""
        if self.pasted != pasted_name():
            self.pasted = pasted_name()
            self._read_anew()

    def texts(self) -> list[tuple[str, str]]:
        """Return names and texts, for the parser."""
        edited = [(self.pasted, self.text)] if self.text.strip() else []
        return edited + [(source.name, source.text) for source in self.sources]

    @property
    def rest(self) -> tuple[Candidate, ...]:
        """Return those entries that a stopped check has not tested; none where there was no such check."""
        if self.reading is None or not self.tested:
            return ()
        return tuple(one for one in self.reading.candidates if one.endpoint.key() not in self.tested)

    def hand_on(self, reading: Reading) -> Reading:
        """Return what of `reading`, the one of now, the next check is for: all of it, or the rest."""
        rest = () if self.all_again else self.rest
        self._handed_on = replace(reading, candidates=rest) if rest else reading
        return self._handed_on

    def has_begun(self, reading: Reading) -> bool:
        """Say whether `reading` is what was handed on last, and the lists are still the same."""
        return reading is self._handed_on

    def tested_of(self, reading: Reading, tested: Collection[str], *, whole: bool) -> None:
        """Note what a check of `reading` has tested, if that was handed on here. `whole`: it was not stopped."""
        if self.has_begun(reading):
            self.tested = (
                frozenset() if whole else frozenset(tested) | (frozenset() if self.all_again else self.tested)
            )
            self.all_again = False

    def _touch(self) -> None:
        self.tested, self.all_again, self._handed_on = frozenset(), False, None
        self._read_anew()

    def _read_anew(self) -> None:
        self.stamp += 1
        self.reading = None


def _lines(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n"))


def _unlike(name: str, taken: set[str]) -> str:
    """Return `name`, with a number where it is taken: rejected lines must lead to the right list."""
    wanted, number = name, 1
    while wanted in taken:
        number += 1
        wanted = f"{name} {number}"
    return wanted


def is_too_long_to_edit(text: str, present: str) -> bool:
    """Say whether `text` would make the edit field slow, beside what is `present` in it."""
    if len(text) + len(present) > EDITED_CHARACTERS:
        return True
    return text.count("\n") + present.count("\n") > EDITED_LINES


def load(name: str) -> tuple[str, str]:
    """Return the whole path and the text of a file. Raises check.BadList."""
    from client import sources

    path = Path(name)
    try:
        path = path.expanduser()
        if path.exists() and not path.is_dir() and not path.is_file():
            raise Rejected(N_("this is no ordinary file"))  # a pipe or a device would never end
        whole = str(path.absolute())
        return whole, sources.load(whole)[1]
    except Rejected as rejected:
        raise check.BadList(path.name, rejected) from None
    except (OSError, RuntimeError, ValueError):  # a name that no file can have, a home that nobody has
        raise check.BadList(path.name, Rejected(N_("there is no such file"))) from None


def shown_name(path: str) -> str:
    """Return the name of a file as it is shown, and as its rejected lines are named."""
    return printable(Path(path).name, _NAME)


def counted(reading: Reading) -> str:
    """Return in one line what was taken in."""
    parts = [
        ngettext("{n} entry read", "{n} entries read", reading.given),
        ngettext("{n} to test", "{n} to test", len(reading.candidates)),
        ngettext("{n} duplicate", "{n} duplicates", reading.duplicates),
        ngettext("{n} rejected", "{n} rejected", len(reading.rejected)),
    ]
    return " · ".join(parts)


def by_kind(reading: Reading) -> str:
    """Return how many entries of each kind were found, the most frequent first."""
    kinds = Counter(map(kind_of, reading.candidates))
    ordered = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    return " · ".join(f"{kind} {number}" for kind, number in ordered)


def kind_of(candidate: Candidate) -> str:
    """Return the kind of an entry as people name it."""
    kind = kinds_of(candidate.endpoint)[0]
    return _("http or socks5") if kind == "auto" else printable(kind, 20)


def per_source(reading: Reading) -> Mapping[str, tuple[int, int]]:
    """Return how many entries are to be tested and how many lines were rejected, by the name of the list."""
    found = Counter(candidate.source for candidate in reading.candidates)
    rejected = Counter(line.source for line in reading.rejected)
    return {name: (found[name], rejected[name]) for name in found.keys() | rejected.keys()}


def complaint(error: check.BadList | Rejected) -> str:
    """Return one line about what could not be taken in."""
    if isinstance(error, check.BadList):
        return f"{printable(error.source, _NAME)}: {complaint(error.rejected)}"
    values = {
        key: printable(value) if isinstance(value, str) else value for key, value in error.values.items()
    }
    return say(Message(error.reason, values))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A run that nobody has agreed to yet. `question` is empty where it would send nothing.

    `allowing` is the same run, but tor may write to the disk; None where that need not be asked.
    """

    reading: Reading
    run: Run
    question: tuple[str, ...]
    allowing: Run | None = None


def propose(wishes: Wishes, reading: Reading) -> Proposal:
    """Plan and put the question into words; sends nothing. Raises Rejected."""
    if not reading.given:
        raise Rejected(N_("there is no entry in this list: give proxies, share links or bridge lines"))
    run = check.prepare(wishes, reading)
    question = tuple(check.consent_text(run)) if check.to_be_tested(run) else ()
    allowing = check.prepare(replace(wishes, disk=True), reading) if check.must_ask_for_disk(run) else None
    return Proposal(reading, run, question, allowing)
