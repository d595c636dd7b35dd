"""What is passed on: entries for a capsule out of options, and how they are shown without giving them away. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from client.export.common import LeftOut
from client.model import Message, Status, kinds_of
from client.options import Option
from client.redact import Namer
from client.share.capsule import Capsule, Entry, Line, Seen, What, pack
from transports.types import N_, Endpoint, Rejected

_WHAT: Final = {Status.WORKING: What.WORKING, Status.DEGRADED: What.DEGRADED, Status.UNTESTED: What.UNTESTED}
_SEEN: Final = {
    What.WORKING: N_("was working {age}"),
    What.DEGRADED: N_("was working in part {age}"),
    What.UNTESTED: N_("not tested by the sender"),
}
_AGES: Final = (
    N_("less than an hour ago"),
    N_("less than 6 hours ago"),
    N_("less than a day ago"),
    N_("less than 3 days ago"),
    N_("less than a week ago"),
    N_("more than a week ago"),
)
_CLOCKS: Final = 3600.0  # seconds that clocks may differ
_LINES: Final = {
    Line.FIXED: N_("{seen}, on a fixed line"),
    Line.MOBILE: N_("{seen}, on a mobile line"),
    Line.ABROAD: N_("{seen}, from abroad"),
    Line.UNSAID: N_("{seen}"),
}
_BY: Final = N_("Signed by {name}, whose key you know.")
_BY_NOBODY: Final = N_(
    "It names a key that is not known here: {key}. Whether that key signed it cannot be told here, nor who it was."
)
_OPEN: Final = N_("It was not sealed: others may have read it.")
_CLOSED: Final = N_("It was sealed: who listened cannot read it.")
_OPEN_OF_ANYBODY: Final = N_("It was not sealed: others may have read it, and it may be from anybody.")
_CLOSED_OF_ANYBODY: Final = N_(
    "It was sealed: who listened cannot read it. Who sent it, only the voice and your agreement tell."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What goes into the capsule, what stays out and why, and how many more there would be."""

    entries: tuple[Entry, ...] = ()
    left_out: LeftOut = ()
    more: int = 0


def choose(options: Sequence[Option], most: int, *, now: float, line: Line) -> Chosen:
    """Return the first `most` options (0: all) that can be passed on. `now` is Unix time, `line` the sender's word."""
    entries: list[Entry] = []
    left: list[tuple[Option, Message]] = []
    for place, option in enumerate(options):
        if most and len(entries) == most:
            return Chosen(entries=tuple(entries), left_out=tuple(left), more=len(options) - place)
        found = entry(option, now=now, line=line)
        try:
            pack(Capsule(entries=(found,)))
        except Rejected as rejected:
            left.append((option, Message(rejected.reason, rejected.values)))
        else:
            entries.append(found)
    return Chosen(entries=tuple(entries), left_out=tuple(left))


def entry(option: Option, *, now: float, line: Line) -> Entry:
    """Return an option with its proof: what was seen and how long ago."""
    known = option.seen is not None and option.seen <= now + _CLOCKS  # else a clock was wrong, then or now
    age = max(0.0, now - option.seen) if known and option.seen is not None else None
    return Entry(endpoint=option.endpoint, seen=Seen.of(_WHAT.get(option.status, What.UNTESTED), age, line))


def seen(proof: Seen) -> Message:
    """Return what the sender says of an entry."""
    told = Message(_SEEN[proof.what], {"age": Message(_AGES[min(proof.age, len(_AGES) - 1)])})
    if proof.what is What.UNTESTED:
        return told
    return Message(_LINES[proof.line], {"seen": told})


def how_it_came(name: str, key_id: str, *, sealed: bool) -> tuple[Message, ...]:
    """Return whom it is from, as far as that is proved, and who else may have read it.

    `name` is that of a known key which has signed all of it, else ""; `key_id` the one that it says it is signed with.
    """
    if name:
        return Message(_BY, {"name": name}), Message(_CLOSED if sealed else _OPEN)
    how = Message(_CLOSED_OF_ANYBODY if sealed else _OPEN_OF_ANYBODY)
    return (Message(_BY_NOBODY, {"key": key_id}), how) if key_id else (how,)


def kind(endpoint: Endpoint) -> str:
    """Return what is spoken, as people name it."""
    return kinds_of(endpoint)[0]


def names(entries: Sequence[Entry], namer: Namer | None = None) -> tuple[str, ...]:
    """Return what stands for each entry on a screen."""
    known = namer or Namer()
    return tuple(f"#{known.id(one.endpoint)}" for one in entries)
