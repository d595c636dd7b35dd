"""Takes in what the person pasted and the file they named. Blocking: call it in a thread."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from client import check, parse
from client.engine import Run
from client.i18n import _, say
from client.model import N_, Message, Reading, Rejected
from client.text import printable

LARGEST_PASTE: Final = 1024 * 1024  # characters: an edit field is no place for more
_LINE_ENDS: Final = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")


def pasted_name() -> str:
    """Return what stands for the text area where a file's name would stand."""
    return _("pasted")


def clean(text: str) -> str:
    """Return pasted text without anything that acts on a terminal: line ends and tabs stay."""
    return "\n".join(_clean_line(line) for line in _LINE_ENDS.split(text))


def _clean_line(line: str) -> str:
    if line.isprintable():
        return line
    kept = "".join(char for char in line.replace("\t", " ") if unicodedata.category(char) != "Cf")
    return printable(kept, len(kept))


def read_in(text: str, file: str) -> Reading:
    """Return what the text and the file hold together. Raises check.BadList for the file."""
    sources = [(pasted_name(), text)] if text.strip() else []
    if file.strip():
        sources.append((Path(file.strip()).name, _load(file.strip())))
    return parse.read(sources)


def _load(name: str) -> str:
    from client import sources

    path = Path(name).expanduser()
    try:
        if path.exists() and not path.is_dir() and not path.is_file():
            raise Rejected(N_("this is no ordinary file"))  # a pipe or a device would never end
        return sources.load(str(path.absolute()))[1]
    except Rejected as rejected:
        raise check.BadList(path.name, rejected) from None


def complaint(error: check.BadList | Rejected) -> str:
    """Return one line about what could not be taken in."""
    if isinstance(error, check.BadList):
        return f"{printable(error.source, 60)}: {complaint(error.rejected)}"
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


def propose(wishes: check.Wishes, text: str, file: str) -> Proposal:
    """Read, plan and put the question into words; sends nothing. Raises Rejected and check.BadList."""
    reading = read_in(text, file)
    if not reading.given:
        raise Rejected(N_("there is no entry in this list: give proxies, share links or bridge lines"))
    run = check.prepare(wishes, reading)
    question = tuple(check.consent_text(run)) if check.to_be_tested(run) else ()
    allowing = check.prepare(replace(wishes, disk=True), reading) if check.must_ask_for_disk(run) else None
    return Proposal(reading, run, question, allowing)
