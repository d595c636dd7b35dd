"""The person's own line: what is cut and how sure, and each way out with its signal. Two lines, or all of it."""

from __future__ import annotations

from rich.console import Group
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.reactive import reactive

from tui import line_words
from tui.line_state import LineView, view_of
from tui.widgets.static import Static


class LinePanel(VerticalScroll, can_focus=False):
    """Shows a LineView. `large` is for all ways with why; it scrolls where it has no room."""

    DEFAULT_CSS = """
    LinePanel { height: 2; scrollbar-size-vertical: 1; overflow-y: hidden; }
    LinePanel > Static { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    LinePanel.-large { height: auto; overflow-y: auto; }
    LinePanel.-large > Static { height: auto; text-wrap: wrap; }
    """
    large = reactive(False)

    def __init__(self, *, large: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.set_reactive(LinePanel.large, large)
        self._view = view_of(None, None)
        self._shown: tuple[LineView, bool] | None = None

    def compose(self) -> ComposeResult:
        """Put the two texts in their places."""
        yield Static(classes="kind")
        yield Static(classes="ways")

    def on_mount(self) -> None:
        """Show what is known."""
        self._draw()

    def show(self, view: LineView) -> None:
        """Show `view`; nothing is drawn where nothing has changed."""
        self._view = view
        self._draw()

    def watch_large(self) -> None:
        """Show more, or less."""
        self._draw()

    def _draw(self) -> None:
        now = (self._view, self.large)
        if not self.is_mounted or now == self._shown:
            return
        self._shown = now
        self.set_class(self.large, "-large")
        kind, ways = self.query_one(".kind", Static), self.query_one(".ways", Static)
        if self.large:
            kind.update(Group(line_words.head(self._view), *line_words.besides(self._view)))
            ways.update(line_words.rows(self._view.ways))
        else:
            kind.update(line_words.head(self._view), layout=False)  # both lines keep their height
            ways.update(line_words.compact(self._view), layout=False)
            self.scroll_home(animate=False)
