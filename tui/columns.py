"""The columns of the list of options, and what an entry has to say in each. No Textual, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.style import Style

from client.i18n import _, say
from client.model import Candidate, Verdict, kinds_of
from client.render import words
from client.text import printable
from tui import describe
from tui.listing import Item
from tui.state import Row, Waiting

SPANNED: Final = "kind, entry"
"""The name of what `spanning` makes."""

_LEAST: Final = (
    10  # cells for the name of an entry: that alone, where it stands in its list is in the details
)
_MOST: Final = 34
_NAMED: Final = 24  # cells from which on the name has room enough, and other columns come in
_SOURCE: Final = 9  # cells from which on a source can be told from another
_REASON: Final = 30  # cells that a reason needs to be of use
_PLAIN: Final = Style()


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `name` is what `cell` knows it by, `width` is in cells."""

    name: str
    title: str
    width: int


def columns(width: int) -> list[Column]:
    """Return the columns that have room in `width` cells, one blank between each; the rest goes to the entry."""
    state = 2 + max(cell_len(words.word(status)) for status in words.ORDER)
    step = max(cell_len(_(word)) for word in words.STEPS.values())
    fixed = [
        Column("state", _("state"), state),
        Column("class", _("class"), cell_len(_("class"))),
        Column("kind", _("kind"), 11),
        Column("step", _("broke at"), max(step, cell_len(_("broke at")))),
        Column("speed", _("speed"), 10),
        Column("age", _("age"), max(6, cell_len(_("age")))),
        Column("tries", _("tries"), cell_len(_("tries"))),
    ]
    for dropped in ("", "tries", "age"):  # what the details tell anyway goes first
        fixed = [column for column in fixed if column.name != dropped]
        rest = width - sum(column.width + 1 for column in fixed)
        if rest >= _LEAST:
            break
    reason = rest - _NAMED - 1
    entry = max(1, min(_MOST, rest - _REASON - 1 if reason >= _REASON else rest))
    found = [*fixed[:3], Column("entry", _("entry"), entry), *fixed[3:]]
    return [*found, Column("why", _("why"), rest - entry - 1)] if reason >= _REASON else found


def spanning(found: list[Column], title: str) -> list[Column]:
    """Return the columns with one `title` over those that need none: what kind it is, and which."""
    names = [column.name for column in found]
    at = names.index("kind")
    width = found[at].width + 1 + found[at + 1].width
    return [*found[:at], Column(SPANNED, title, width), *found[at + 2 :]]


def cell(name: str, item: Item, width: int, *, now: float, reveal: bool) -> tuple[str, Style]:
    """Return what stands in the column `name`, and in which style."""
    if isinstance(item, Waiting):
        return _of_waiting(name, item, width, reveal=reveal)
    verdict = item.verdict
    if name == "state":
        shown = describe.state(item)
        return shown.plain, Style.parse(str(shown.style))
    if name == "entry":
        return entry_name(item, width, reveal=reveal), _PLAIN
    return _of_verdict(name, verdict, now), _PLAIN


def _of_verdict(name: str, verdict: Verdict, now: float) -> str:
    if name == "class":
        return verdict.protection.value
    if name == "kind":
        return printable(verdict.kind)
    if name == "step":
        return _(words.STEPS[verdict.step]) if verdict.step else "–"
    if name == "speed":
        return words.speed(verdict)
    if name == "age":
        return age(now - verdict.finished)
    return str(verdict.tries or "–") if name == "tries" else printable(say(verdict.reason), 200)


def _of_waiting(name: str, item: Waiting, width: int, *, reveal: bool) -> tuple[str, Style]:
    candidate = item.candidate
    if name == "state":
        return describe.waiting().plain, Style.parse("dim")
    if name == "kind":
        return printable(kinds_of(candidate.endpoint)[0]), _PLAIN
    if name == "entry":
        shown = revealed(candidate, width) if reveal else describe.place(candidate, width)
        return shown, _PLAIN
    return "–" if name not in ("why", "class") else "", _PLAIN


def entry_name(row: Row, width: int, *, reveal: bool) -> str:
    """Return the masked name and where it stands in its list; or as much of the whole entry as there is room for."""
    candidate = row.verdict.candidate
    if reveal:
        return revealed(candidate, width)
    name = describe.name(row, reveal=False)
    room = width - cell_len(name) - 1
    if room < 2:
        return name
    where = describe.place(candidate, room) if room >= _SOURCE else f":{candidate.line}"
    return f"{name} {where}" if cell_len(where) <= room else name


def revealed(candidate: Candidate, width: int) -> str:
    """Return an entry without its scheme in at most `width` cells; of a longer one address and port, with both ends."""
    endpoint = candidate.endpoint
    whole = printable(endpoint.reveal(), 400)
    whole = whole.partition("://")[2] or whole
    if cell_len(whole) <= width:
        return whole
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    address = printable(f"{host}:{endpoint.port}", 400)
    if cell_len(address) <= width:
        return address
    end = min(len(f":{endpoint.port}") + 2, width - 1)
    return address[: width - 1 - end] + "…" + address[len(address) - end :]


def age(seconds: float) -> str:
    """Return how old something is, in at most six cells in most languages."""
    whole = max(0, int(seconds))
    if whole < 60:
        return _("{n} s", n=whole)
    return _("{n} min", n=whole // 60) if whole < 3600 else _("{n} h", n=whole // 3600)


def fit(text: str, width: int) -> str:
    """Return `text` in exactly `width` cells; an ellipsis stands for what has no room."""
    return set_cell_size(text, width) if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
