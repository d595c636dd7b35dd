"""The keys of the results: what each does, and the two lines of those that stand beside what they act on. No Textual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.style import Style
from rich.text import Text

from client.i18n import _
from client.model import N_, Status
from client.render import words
from client.settings import PROFILES
from client.text import printable
from tui import theme
from tui.listing import STATES, Filter, Listing
from tui.state import RunState

PACES: Final = tuple(PROFILES)  # from the slowest to the quickest
HELP: Final = (
    ("↑ ↓", N_("choose an entry; its details stand below")),
    ("n", N_("the best option first, then the next that works")),
    ("u", N_("use a working or degraded entry: the guide, a file, a QR code, the local connection")),
    ("h", N_("hand it to somebody: by words, SMS, QR code or stick")),
    ("Enter", N_("more room for the details; ↑ ↓ scroll them, Esc goes back")),
    ("▲", N_("so many entries stand above those in sight; Home goes there")),
    ("1-4", N_("all, only working, only waiting, only failed ones; ▸ marks what is shown")),
    ("/", N_("search in what stands there; Enter goes to the list, Esc clears")),
    ("o", N_("another order: best, fastest, newest, by kind, as in the list")),
    ("p", N_("pause: no new connection begins; again: go on")),
    ("+ -", N_("faster or quieter; what it risks is told first")),
    ("s, ^c", N_("stop and keep what is known")),
    ("a", N_("the advice at the end, all notices and rejected lines; again: with more room")),
    ("r", N_("show or mask addresses and secrets")),
    ("l", N_("your own line: all ways out, or two lines")),
    ("e", N_("your own line: what was seen, and what speaks against it")),
    ("Esc", N_("go back; the check goes on")),
)
_GAP: Final = "  "
_HOLDS: Final = "▸"
_KEY: Final = Style(bold=True, color="yellow")
_SOUGHT: Final = 40


def key(name: str, shown: str, does: Text | str, *, holds: bool = False) -> Text:
    """Return a key with what it does, marked where that `holds` now; a click on it presses the key `name`."""
    text = Text(f"{shown}{_HOLDS if holds else ' '}", style=_KEY)
    text.append_text(does if isinstance(does, Text) else Text(does))
    text.stylize(Style(meta={"key": name}))
    return text


def controls(pace: str, *, paused: bool) -> Text:
    """Return the pace, and the keys that act on a run that goes on."""
    known = pace in PACES
    parts = [Text(_(theme.PROFILES[pace][0]) if known else printable(pace), style="bold")]
    parts.append(key("p", "p", _("Resume") if paused else _("Pause")))
    parts.append(key("s", "s", _("Stop and keep the results")))
    if known and pace != PACES[-1]:
        parts.append(key("plus", "+", _("Faster")))
    if known and pace != PACES[0]:
        parts.append(key("minus", "-", _("Quieter")))
    return Text(_GAP, no_wrap=True, overflow="ellipsis").join(parts)


def filters(state: RunState, listing: Listing, width: int = 0) -> Text:
    """Return the four filters with how many each shows, the search and the order.

    What holds is marked, not by colour alone. Where it is longer than `width` cells (0: no limit), only the filter
    that holds keeps its word: the line must not break, or the rows below would move.
    """
    text = _filters(state, listing, words_too=True)
    return text if not width or text.cell_len <= width else _filters(state, listing, words_too=False)


def _filters(state: RunState, listing: Listing, *, words_too: bool) -> Text:
    parts = []
    for number, wanted in enumerate(Filter, 1):
        holds = wanted is listing.filter
        label = Text(" ").join(_label(wanted, state, word=words_too or holds))
        if holds:
            label.stylize("reverse")
        parts.append(key(str(number), str(number), label, holds=holds))
    sought = printable(listing.search, _SOUGHT) or _("Search")
    search = Text(sought, style="reverse" if listing.search else "")
    parts.append(key("slash", "/", search, holds=bool(listing.search)))
    parts.append(key("o", "o", f"↕ {_(listing.sort.value)}"))
    return Text(_GAP, no_wrap=True, overflow="ellipsis").join(parts)


def _label(wanted: Filter, state: RunState, *, word: bool) -> Iterator[Text]:
    counts, waiting = state.counts, len(state.waiting)
    if wanted is Filter.ALL:
        yield Text(f"{_(wanted.value)} {state.done + waiting}")
    elif wanted is Filter.WORKING:
        yield _counted(Status.WORKING, counts[Status.WORKING], word=word)
        if counts[Status.DEGRADED]:
            yield _counted(Status.DEGRADED, counts[Status.DEGRADED], word=False)
    elif wanted is Filter.FAILED:
        yield _counted(Status.FAILED, sum(counts[status] for status in STATES[wanted]), word=word)
    elif waiting or not counts[Status.UNTESTED]:
        yield Text(f"… {_(wanted.value)} {waiting}" if word else f"… {waiting}")
    else:
        yield _counted(Status.UNTESTED, counts[Status.UNTESTED], word=word)


def _counted(status: Status, number: int, *, word: bool) -> Text:
    look = words.LOOKS[status]
    named = f"{look.symbol} {words.word(status)} {number}" if word else f"{look.symbol} {number}"
    return Text(named, style=look.style if number else "")
