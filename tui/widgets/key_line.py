"""A line of keys beside what they act on. A click on a key presses it."""

from __future__ import annotations

from rich.text import Text
from textual import events

from tui.widgets.static import Static


class KeyLine(Static):
    """Shows what `tui.bars` makes, in one line."""

    DEFAULT_CSS = """
    KeyLine { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    ALLOW_SELECT = False
    _said: Text | None = None

    def show(self, text: Text) -> None:
        """Show `text`; nothing is drawn where nothing has changed."""
        if text != self._said:
            self._said = text
            self.update(text, layout=False)

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        name = event.style.meta.get("key")
        if isinstance(name, str):
            self.app.simulate_key(name)
