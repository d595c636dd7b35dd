"""Passing on: what there is to pass on, what travels by which way, and how it is shown. No Textual.

What seals or stretches a passphrase blocks for a moment: call it in a thread.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from rich.text import Text

from client import options
from client.i18n import _, ngettext, say
from client.model import N_
from client.options import Option
from client.redact import Namer
from client.share import choosing, envelope, listing, qr, sms, words
from client.share.capsule import Capsule, Entry, Line
from client.text import printable
from tui.describe import Lines
from tui.state import USABLE

if TYPE_CHECKING:
    from client.share.words import Spoken
    from tui.session import Session

_SHOWN: Final = 6
_MOST: Final = 200  # rows of the results that are looked at
_LONGEST: Final = 8192
_HALVES: Final = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
MOST_ENTRIES: Final = 9  # where each one costs words or messages
VOICE: Final = N_(
    "Sealed stops who listens, not somebody who speaks in the other person's place: do you know the voice?"
)
_NOT_SEALED: Final = N_("The operator, and whoever asks him, hears what is said and reads what is sent.")


class Way(StrEnum):
    """How it is passed on."""

    WORDS = "words"
    SMS = "sms"
    CODE = "qr"
    FILE = "file"


LISTENED: Final = (Way.WORDS, Way.SMS)
"""Ways that others listen to: sealed unless the person says otherwise."""

WAYS: Final = {
    Way.WORDS: (
        N_("Words, over the telephone"),
        N_("You read groups of four words out; the other side types them."),
    ),
    Way.SMS: (N_("Text messages (SMS)"), N_("One or two messages to send, every character as it stands.")),
    Way.CODE: (
        N_("QR code on this screen"),
        N_("The other side takes a photo. Only where nobody else looks."),
    ),
    Way.FILE: (
        N_("Encrypted file, for a stick"),
        N_("All that works, under a passphrase that you tell face to face."),
    ),
}
LINES: Final = {
    Line.UNSAID: N_("I do not say"),
    Line.FIXED: N_("a fixed line"),
    Line.MOBILE: N_("a mobile line"),
    Line.ABROAD: N_("abroad"),
}


@dataclass(slots=True, kw_only=True)
class Load:
    """What is to be passed on, the best first, and what the person has chosen about it."""

    options: Sequence[Option] = field(repr=False)
    namer: Namer = field(default_factory=Namer)
    number: int = 1
    line: Line = Line.UNSAID
    sealed: bool = True  # by the ways that others listen to
    agreed: bool = False  # with a passphrase that both agreed on earlier

    def chosen(self, way: Way | None = None, now: float | None = None) -> choosing.Chosen:
        """Return what goes: all of it into a file, else the first few."""
        most = 0 if way is Way.FILE else self.number
        return choosing.choose(self.options, most, now=time.time() if now is None else now, line=self.line)

    def more(self, by: int) -> None:
        """Pass on more entries, or fewer."""
        self.number = min(max(1, self.number + by), MOST_ENTRIES, len(self.options))


def usable(session: Session) -> list[Option]:
    """Return what a run found to work, wholly or in part, the best first."""
    from tui.using import option_of

    rows = (session.state.at(index) for index in range(min(len(session.state), _MOST)))
    return [option_of(row, now=session.now()) for row in rows if row.verdict.status in USABLE]


def is_practice(option: Option | None, session: Session | None) -> bool:
    """Say whether `option` is of the drill's stage: then only what is of the stage goes with it."""
    return option is not None and session is not None and session.staged


def at_hand(option: Option | None, session: Session | None) -> list[Option]:
    """Return what can be passed on: `option` first, then what the run found, then what the open vault knows."""
    found = [] if option is None else [option]
    practice = is_practice(option, session)
    if session is not None and session.staged == practice:
        found += usable(session)
    from client.vault import kept, opened

    vault = opened.current()
    if vault is not None and not practice:
        found += options.ranked(kept.options(vault.content, opened.here()))
    first: dict[object, Option] = {}
    for one in found:
        first.setdefault(one.candidate.endpoint.key(), one)
    return list(first.values())


# what travels


def message(
    entries: Sequence[Entry], way: Way, public: bytes | None, agreed: bytearray | None = None
) -> bytes:
    """Return what travels, sealed to the receiver's key if there is one. Raises Rejected."""
    whole = way not in LISTENED  # fingerprints cost words, and the key proves the bridge without them
    plain = envelope.plain(Capsule(entries=tuple(entries)), whole=whole)
    return plain if public is None else envelope.sealed(plain, public, agreed)


def spoken(made: bytes, lang: str) -> Spoken:
    """Return the words. Raises Rejected for what is too long to be said."""
    return words.speak(made, lang)


def messages(made: bytes, *, wide: bool) -> tuple[str, ...]:
    """Return the parts; `wide` for telephones that send 70 characters. Raises Rejected."""
    return sms.split(envelope.checked(made), wide=wide)


def codes(made: bytes, *, rows: int, columns: int) -> tuple[str, ...]:
    """Return the codes, dark on light, each within `rows` and `columns`. Raises Rejected where none fits."""
    return qr.on_terminal(envelope.checked(made), rows=rows, columns=columns, light=True)


def enlarged(code: str, *, rows: int, columns: int) -> str:
    """Return a code of half blocks, each of its modules as many cells wide and high as there is room for."""
    lines = code.strip("\n").split("\n")
    wide = max(map(len, lines))
    dark = [[char in halves for char in line.ljust(wide)] for line in lines for halves in ("█▀", "█▄")]
    times = min(2 * rows // len(dark), columns // wide)
    if times < 2:
        return "\n".join(lines)
    large = [[cell for cell in row for _time in range(times)] for row in dark for _time in range(times)]
    return "\n".join(
        "".join(_HALVES[upper, lower] for upper, lower in zip(*large[at : at + 2], strict=True))
        for at in range(0, len(large), 2)
    )


def write(path: str, entries: Sequence[Entry], passphrase: bytearray) -> int:
    """Write the encrypted file, whole or not at all; return how many entries no line can say. Raises Rejected."""
    from client.share import stick
    from client.vault import age_file

    text, lost = listing.write(Capsule(entries=tuple(entries)))
    stick.write(path, age_file.seal(text.encode("utf-8"), passphrase))
    return lost


# in words


def preview(load: Load, chosen: choosing.Chosen, *, reveal: bool) -> Lines:
    """Return what is passed on, masked unless revealed."""
    lines: Lines = []
    names = choosing.names(chosen.entries, load.namer)
    by_key = {one.endpoint.key(): one.id for one in load.options if one.id}
    for entry, other in zip(chosen.entries[:_SHOWN], names, strict=False):
        known = by_key.get(entry.endpoint.key())
        name = f"#{known}" if known else other
        shown = printable(entry.endpoint.reveal(), _LONGEST) if reveal else name
        text = Text(
            f"{printable(choosing.kind(entry.endpoint), 40)}  {shown}  {say(choosing.seen(entry.seen))}"
        )
        lines.append(("•", text))
    more = len(chosen.entries) - _SHOWN
    if more > 0:
        lines.append(("", Text(ngettext("and {n} more", "and {n} more", more))))
    for option, why in chosen.left_out[:2]:
        lines.append(("✘", Text(_("Left out: {kind}: {why}", kind=option.kind, why=say(why)))))
    return lines


def how(load: Load) -> str:
    """Return how words and messages are protected."""
    if not load.sealed:
        return _("Words and SMS go in the open: whoever listens gets them too.")
    if load.agreed:
        return _("Words and SMS are sealed for the receiver, with the passphrase that you agreed on earlier.")
    return _("Words and SMS are sealed: the receiver reads words of a one-time key to you first.")


def warning() -> list[str]:
    """Return the question before anything goes in the open."""
    return [
        _("Pass words and SMS on without sealing them?"),
        "• " + _(_NOT_SEALED),
        "• "
        + _(
            "A private bridge told like that is burned: it can be blocked the same day, and who uses it looked for."
        ),
        "• " + _("Sealed costs the receiver one minute more: 24 words to read to you."),
    ]


def code_question() -> list[str]:
    """Return the question before a code is shown."""
    return [
        _("The code holds the whole entry, password included."),
        "• " + _("Whoever sees or photographs this screen has it, and can use it or block it."),
        _("Show it now?"),
    ]


def group(said: Spoken, at: int, *, spelled: bool) -> Lines:
    """Return one group, a word a line; `spelled` with its letters one by one."""
    lines: Lines = []
    one = said.groups[at]
    for number, word in enumerate(one.words, 1):
        lines += [(str(number), _word(word, spelled=spelled)), ("", Text())]
    if one.check:
        lines.append(("✓", _word(one.check, spelled=spelled).append("   " + _("check"), style="dim")))
    return lines


def _word(word: str, *, spelled: bool) -> Text:
    text = Text(word, style="bold")
    letters = "-".join(word.upper()) if spelled and len(word) > 1 else ""
    return Text.assemble(text, (f"    {letters}" if letters else "", "dim"))


def next_language(lang: str) -> str:
    """Return the next language that has a list of words."""
    known = list(words.LANGUAGES)
    return known[(known.index(lang) + 1) % len(known)]


def room(text: str, *, wide: bool) -> str:
    """Return how long a message is, and how much goes into one."""
    return _("{n} of {of} characters", n=len(text), of=sms.ROOM_WIDE if wide else sms.ROOM)
