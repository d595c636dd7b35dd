"""The evidence: what was seen on the line, what that means, what it is not, and every question."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from client.diagnosis.kinds import Diagnosis
from client.diagnosis.sights import Sight
from client.model import N_
from tui import line_words
from tui.line_state import LineView
from tui.screens.page import Explained, Page
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.facts import Facts
from tui.widgets.head import Head
from tui.widgets.keys import Keys


class EvidenceScreen(Page[None]):
    """Shows one state of the line in full. `sights` are those of a diagnosis that is not over."""

    AUTO_FOCUS = "Facts"
    NAME = N_("Evidence")
    ABOUT = N_("What was seen on your line. No address stands here; the result code may be passed on.")
    KEYS: ClassVar[Explained] = (
        ("↑ ↓", N_("scroll; PgUp and PgDn go by pages")),
        ("Esc", N_("go back")),
    )
    DEFAULT_CSS = """
    EvidenceScreen { background: $background; padding: 0 1; }
    EvidenceScreen #head { margin-bottom: 1; }
    EvidenceScreen Facts { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        # The second key is the same place on a Russian or Kazakh keyboard.
        Binding("escape,e,у", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, view: LineView, diagnosis: Diagnosis | None, sights: tuple[Sight, ...] = ()) -> None:
        super().__init__()
        self._view = view
        self._diagnosis = diagnosis
        self._sights = sights

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Head(self.NAME)
        yield Facts(id="evidence")
        yield ConnectionLine()
        yield Keys()

    def fill(self) -> None:
        """Put it into words."""
        told = line_words.evidence(self._view, self._diagnosis, self._sights)
        self.query_one(Facts).show(told, start=True)

    def action_back(self) -> None:
        """Go back."""
        self.dismiss()
