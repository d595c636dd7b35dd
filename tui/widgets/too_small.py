"""What stands in place of a screen while the window has too little room for any."""

from __future__ import annotations

from typing import Any, Final

from rich.text import Text
from textual.app import App
from textual.geometry import Size
from textual.screen import Screen

from client.i18n import _
from tui.widgets.static import Static

LEAST: Final = Size(60, 18)
"""The smallest window in columns and lines in which the screens can be used."""
_LOOKS: Final = 2  # a second


def is_small(size: Size) -> bool:
    """Say whether a window has too little room."""
    return size.width < LEAST.width or size.height < LEAST.height


class TooSmall(Static):
    """Lies over everything: the screen below stays as it is, and is back when there is room."""

    DEFAULT_CSS = """
    TooSmall { layer: small; dock: top; width: 100%; height: 100%; background: $background; }
    """

    def on_mount(self) -> None:
        """Begin to look: what is known changes meanwhile."""
        self.set_interval(1 / _LOOKS, self.look)
        self.look()

    def on_resize(self) -> None:
        """Name the new size."""
        self.look()

    def look(self) -> None:
        """Say how it stands."""
        self.update(told(self.app))


def cover(screen: Screen[Any]) -> None:
    """Say on a screen that its window is too small, or take that away again."""
    covers, small = screen.query(TooSmall), is_small(screen.app.size)
    screen.set_class(small, "-small")
    if not small:
        covers.remove()
    elif not covers:
        screen.mount(TooSmall())


def told(app: App[Any]) -> Text:
    """Return what is wrong, what is known, and how to go on without more room."""
    size = app.size
    text = Text(
        _(
            "Too small a window: {width} x {height}. Enlarge it to {wide} x {high}, or make its letters smaller.",
            width=size.width,
            height=size.height,
            wide=LEAST.width,
            high=LEAST.height,
        ),
        style="bold",
    )
    for line in _known(app):
        text.append("\n").append(line)
    text.append("\n" + _("^q leaves, ^x^x: panic. In any window: sanylau --plain"), style="not bold")
    return text


def _known(app: App[Any]) -> list[Text]:
    lines = []
    session = getattr(app, "session", None)
    if session is not None:
        from client.render import words

        status = words.ORDER[0]
        look, count = words.LOOKS[status], session.state.counts[status]
        lines.append(Text(f"{look.symbol} {count} {words.word(status)}", style=look.style))
        if session.staged:
            lines[-1].append(f" · {_(session.title)}", style="not bold")
    connection = getattr(app, "connection", None)
    if connection is not None and not connection.over:
        from tui.connection import line

        lines.append(line(connection))
    return lines
