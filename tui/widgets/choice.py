"""One of a few, in one line. The chosen one differs by its sign and weight, not by colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

_GAP = "   "


class Choice(Widget, can_focus=True):
    """Shows its options side by side; left and right choose. `options` are names and what is shown for them."""

    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "step(-1)", show=False),
        Binding("right,down,space", "step(1)", show=False),
    ]

    class Changed(Message):
        """Another option was chosen."""

        def __init__(self, choice: Choice, chosen: str) -> None:
            super().__init__()
            self.choice = choice
            self.chosen = chosen

        @property
        def control(self) -> Choice:
            """Return the widget, for `on` with a selector."""
            return self.choice

    def __init__(self, options: Mapping[str, str], chosen: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._options = dict(options)
        self._chosen = chosen

    def render(self) -> Text:
        """Return the options in one line."""
        text = Text(no_wrap=True, overflow="ellipsis")
        for name, label in self._options.items():
            chosen = name == self._chosen
            style = ("bold reverse" if self.has_focus else "bold") if chosen else "dim"
            text.append(f"{'●' if chosen else '○'} {label}", style=style)
            text.append(_GAP)
        return text

    def action_step(self, by: int) -> None:
        """Choose the neighbour; the row is a ring."""
        names = list(self._options)
        self._choose(names[(names.index(self._chosen) + by) % len(names)])

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked."""
        end = 0
        for name, label in self._options.items():
            end += 2 + cell_len(label) + len(_GAP)
            if event.x < end:
                self._choose(name)
                return

    def _choose(self, name: str) -> None:
        self._chosen = name
        self.refresh()
        self.post_message(self.Changed(self, name))
