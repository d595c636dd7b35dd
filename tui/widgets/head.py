"""The first line of a page: where one is on the left, and on the right whether addresses can be read."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from client.i18n import _
from client.model import N_
from tui.folder import fitted

_APP: Final = "Sanylau"
_LEAST: Final = 10  # cells of what is tested; with fewer it says nothing
_MASKED: Final = N_("addresses are masked")
_SHOWN: Final = N_("addresses are shown")


class Head(Widget):
    """Says it in the language that is on when it is drawn: `name` of the page and `what` it is about are message ids.

    `reveal` is None where there are no addresses. Too narrow for all of it, the middle goes, never what is on the right.
    """

    DEFAULT_CSS = """
    Head { height: 1; width: 1fr; }
    Head > .head--title { color: $primary; text-style: bold; }
    Head > .head--masked { color: $text-muted; }
    Head > .head--shown { color: $text-warning; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"head--title", "head--masked", "head--shown"}
    reveal: reactive[bool | None] = reactive(None)

    def __init__(self, name: str, what: str = "", *, id: str = "head") -> None:  # noqa: A002 - as Textual calls it
        super().__init__(id=id)
        self._where = name
        self._what = what

    def render(self) -> Text:
        """Return the line."""
        mode = "" if self.reveal is None else _(_SHOWN if self.reveal else _MASKED)
        what = _(self._what) if self._what else ""
        title = titled(_(self._where), what, self.size.width - (cell_len(mode) + 1 if mode else 0))
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(title, style=self._style("title"))
        line.append(" " * max(1, self.size.width - cell_len(title) - cell_len(mode)))
        return line.append(mode, style=self._style("shown" if self.reveal else "masked"))

    def _style(self, part: str) -> Style:
        return self.get_component_rich_style(f"head--{part}", partial=True)


def titled(where: str, what: str, room: int) -> str:
    """Return the program, the page and what it is about in at most `room` cells; the first goes first."""
    about = f" · {what}" if what else ""
    for whole in (f"{_APP} › {where}{about}", f"{where}{about}"):
        if cell_len(whole) <= room:
            return whole
    rest = room - cell_len(where) - len(" · ")
    return f"{where} · {fitted(what, rest)}" if what and rest >= _LEAST else fitted(where, max(1, room))
