"""The question before the first packet."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button

from client import consent
from client.i18n import _
from client.model import N_
from client.text import printable
from tui.screens.page import Dialog, Explained, framed
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.facts import grid
from tui.widgets.keys import Keys
from tui.widgets.static import Static

_LONGEST = 2000
_TYPED = 0.5  # seconds after a key that means nothing here
_ALONE = 0.15  # seconds after a yes in which no such key may come either
_LEAST = 2  # lines of them that are in sight, however small the window is
_FEW = 7  # lines that have room for an empty one between them


class ConsentScreen(Dialog[bool]):
    """Shows what a person has to agree to; gives True for yes. `no` is what the other answer does.

    `patience` are the seconds for which a yes does not count: a question that comes by itself may meet a key that was
    meant for something else. `staged`: the question is about the drill's stage. A list that is pasted where the terminal does not tell so comes as keys, and a yes among
    them is none either.
    """

    CSS_PATH = "consent.tcss"
    AUTO_FOCUS = "#no"
    NAME = N_("Question")
    ABOUT = N_("Nothing of it is done before you have said yes.")
    KEYS: ClassVar[Explained] = (
        ("y", N_("yes; in your language its own letter too, see the line of keys")),
        ("n, Esc", N_("no, and back to where you were")),
        ("← →, Enter", N_("choose an answer, and give it")),
        ("↑ ↓", N_("scroll; PgUp and PgDn go by pages")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,т,escape", "answer(False)", N_("No"), key_display="n, esc"),
        Binding("left,right", "other", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "scroll(-8)", show=False),
        Binding("pagedown", "scroll(8)", show=False),
    ]

    def __init__(
        self, lines: Sequence[str], no: str = "", *, patience: float = 0.0, staged: bool = False
    ) -> None:
        super().__init__()
        letter = consent.letter()  # the person's language may have changed since this class was made
        self._bindings.bind(f"{letter},y", "answer(True)", N_("Yes"), key_display=letter)
        self._lines = lines
        self._patience = patience
        self._staged = staged
        self._below = False
        self._since = 0.0
        self._wrong = float("-inf")
        self._no = no or _("No, send nothing")

    def compose(self) -> ComposeResult:
        """Lay out the question."""
        with Vertical(id="question"):
            yield Static(Text(_shown(self._lines[0])), classes="first")
            with VerticalScroll(can_focus=False):
                airy = "\n" if len(self._lines) <= _FEW else ""
                ends = [airy] * (len(self._lines) - 2) + [""]
                yield Static(grid([_point(*point) for point in zip(self._lines[1:], ends, strict=False)]))
            yield Static(id="more")
            with Horizontal(id="answers"):
                yield Button(self._no, id="no", compact=True)
                yield Button(_("Yes, go on"), id="yes", variant="primary", compact=True)
        yield ConnectionLine()
        yield Keys()

    def on_mount(self) -> None:
        """Note when the question came."""
        self.query_one("#question").border_title = framed(self.NAME, staged=self._staged)
        self.watch(self.query_one(VerticalScroll), "scroll_y", self._mark)
        self.screen_layout_refresh_signal.subscribe(self, self._fit)
        self._since = monotonic()

    def action_answer(self, yes: bool) -> None:
        """Close with the answer. A yes has to stand alone: what comes with other letters was typed or pasted."""
        if not yes:
            self.dismiss(False)
        elif monotonic() - self._since >= self._patience:
            self.set_timer(_ALONE, self._agree)

    def _agree(self) -> None:
        if self.is_current and monotonic() - self._wrong >= _TYPED:
            self.dismiss(True)

    def on_key(self, event: events.Key) -> None:
        """Note a letter that means nothing here."""
        if event.is_printable and event.key not in self._bindings.key_to_bindings:
            self._wrong = monotonic()

    def _fit(self, _screen: object = None) -> None:
        """Give the points what room there is, and say whether there are more of them."""
        question, points = self.query_one("#question"), self.query_one(VerticalScroll)
        others = [child for child in question.children if child is not points]
        taken = sum(child.outer_size.height + child.styles.margin.height for child in others)
        taken += question.gutter.height + self.query_one(Keys).outer_size.height
        line = self.query_one(ConnectionLine)
        taken += line.outer_size.height if line.display else 0
        points.styles.max_height = max(_LEAST, self.size.height - taken)
        self._mark()

    def _mark(self) -> None:
        points = self.query_one(VerticalScroll)
        below = points.scroll_offset.y < points.max_scroll_y
        if below != self._below:
            self._below = below
            self.query_one("#more", Static).update(_("more below ↓") if below else "", layout=False)

    def action_scroll(self, lines: int) -> None:
        """Scroll what does not fit."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_other(self) -> None:
        """Go to the other button."""
        self.focus_next(Button)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.action_answer(event.button.id == "yes")


def _shown(line: str) -> str:
    return printable(line, _LONGEST)


def _point(line: str, end: str) -> tuple[str, Text]:
    mark = "• " if line.startswith("• ") else ""
    return mark.strip(), Text(_shown(line.removeprefix(mark)) + end)
