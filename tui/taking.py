"""Taking in: what came, in words, and what can be done with it. Everything in it is hostile. No Textual."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from rich.text import Text

from client.i18n import _, ngettext, say
from client.model import N_, Reading, Rejected
from client.redact import Namer
from client.share import choosing, intake, listing, parts, stick
from client.share.capsule import Capsule, Entry
from client.share.intake import Found, Got, Shape
from client.share.seal import OneTime
from client.text import printable
from tui.describe import Lines

_SHOWN: Final = 200
_LONGEST: Final = 8192
_CODES: Final = 99
SOURCE: Final = N_("taken in")


class Way(StrEnum):
    """How it comes."""

    WORDS = "words"
    SMS = "sms"
    FILE = "file"


WAYS: Final = {
    Way.WORDS: (
        N_("Words that are read out to you"),
        N_("You type them group by group; each is checked at once."),
    ),
    Way.SMS: (N_("Text messages (SMS)"), N_("You paste or type them, in any order.")),
    Way.FILE: (
        N_("A file, or photos of QR codes"),
        N_("From a stick: encrypted or plain. A picture is read with the extra `scan`."),
    ),
}
LISTENED: Final = (Way.WORDS, Way.SMS)


def known() -> tuple[bytes, ...]:
    """Return the keys of people whose signature is known: those in the open vault."""
    from client.share.signers import known as people

    return tuple(people().values())


def of_message(message: bytes) -> Found:
    """Return a message that came as words, still to be opened."""
    return Found(shape=Shape.MESSAGES, messages=(message,))


def load(path: str, codes: list[str]) -> tuple[bytes, Found]:
    """Return the bytes of a file and what they are. Blocks. Raises Rejected.

    What a picture says is added to `codes`, which are those of the pictures before: a long message takes several.
    """
    data = stick.load(path)
    found = intake.recognise(data)
    if found.shape is Shape.PICTURE:
        from client.share import scan

        if not scan.available():
            raise Rejected(scan.MISSING)
        codes += [text for text in scan.read(data) if text not in codes]
        found = intake.of_codes(codes[:_CODES])
        codes.clear()
    return data, found


def unsealed(data: bytes, passphrase: bytearray) -> Got:
    """Return what an age file holds. Blocks. Raises Rejected."""
    from client.vault import age_file

    return intake.of_file(age_file.unseal(data, passphrase))


def opened(found: Found, key: OneTime | None, agreed: bytearray | None) -> Got:
    """Open what came. Blocks. Raises Rejected."""
    return intake.opened(found, key=key, agreed=agreed, known=known())


def missing(text: str) -> str:
    """Return how far pasted messages are complete: what is still missing of each capsule. "" where there is none."""
    try:
        heaps = parts.collect((text,))
    except Rejected as rejected:
        return _(rejected.reason)
    said = []
    for heap in heaps:
        here, of = heap.total - len(heap.missing), heap.total
        line = _("{tag}: {here} of {of} here", tag=heap.tag, here=here, of=of)
        if heap.damaged:
            line += " · " + _("damaged: {numbers}", numbers=", ".join(map(str, heap.damaged)))
        if absent := [number for number in heap.missing if number not in heap.damaged]:
            line += " · " + _("missing: {numbers}", numbers=", ".join(map(str, absent)))
        said.append(line)
    return "\n".join(said)


def allowed(entries: Sequence[Entry], *, inward: bool) -> tuple[Entry, ...]:
    """Return what may be used: what leads into a private network only if the person wants it."""
    return tuple(entry for entry in entries if inward or not entry.inward)


def text_of(entries: Sequence[Entry]) -> str:
    """Return the entries as a list."""
    return listing.write(Capsule(entries=tuple(entries)))[0]


def lines_of(entries: Sequence[Entry]) -> list[str]:
    """Return the entries one a line, without what stands above them."""
    return [line for line in text_of(entries).splitlines() if line and not line.startswith("#")]


def reading(entries: Sequence[Entry]) -> Reading:
    """Return the entries as a check wants them."""
    from client import parse

    return parse.read([(_(SOURCE), text_of(entries))])


# in words


def shown(got: Got, namer: Namer, *, inward: bool, reveal: bool) -> Lines:
    """Return what came, masked unless revealed, and how it came. `namer` gives the short names."""
    lines: Lines = [
        ("", Text(ngettext("{n} entry came:", "{n} entries came:", len(got.entries)), style="bold"))
    ]
    names = choosing.names(got.entries, namer)
    for entry, name in list(zip(got.entries, names, strict=True))[:_SHOWN]:
        what = printable(entry.endpoint.reveal(), _LONGEST) if reveal else name
        text = Text(
            f"{printable(choosing.kind(entry.endpoint), 40)}  {what}  {say(choosing.seen(entry.seen))}"
        )
        lines.append(("•" if inward or not entry.inward else "✘", text))
        if entry.inward:
            lines.append(("", Text("⚠ " + _(_INWARD if inward else _LEFT_OUT), style="yellow")))
    if more := len(got.entries) - len(got.entries[:_SHOWN]):
        lines.append(("", Text(ngettext("and {n} more", "and {n} more", more))))
    lines += [("", Text()), ("", Text(how_it_came(got)))]
    lines += [("", Text(printable(say(note), 400), style="yellow")) for note in got.notes]
    lines.append(
        (
            "",
            Text(
                _("What an entry was seen to do is the sender's word. Nothing is tested before you say so."),
                style="dim",
            ),
        )
    )
    return lines


_INWARD: Final = N_(
    "It leads into a private network or to this machine: somebody may want you to knock there."
)
_LEFT_OUT: Final = N_(
    "It leads into a private network or to this machine: left out. i takes it all the same."
)


def how_it_came(got: Got) -> str:
    """Return who may have read it, and whom it is from as far as that is known."""
    from client.share.signers import name_of

    name = printable(name_of(got.by), 60) if got.by is not None else ""
    return " ".join(map(say, choosing.how_it_came(name, got.key_id, sealed=got.sealed)))
