"""The lists that were taken in whole: files, standard input, long pastes. What they hold is only counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option as Item

from client.i18n import ngettext
from client.model import N_, Reading
from tui.folder import fitted, sized
from tui.intake import Source, per_source

_NAME = 30  # cells


class SourceList(OptionList):
    """One line a list. A key takes the one under the cursor out."""

    DEFAULT_CSS = """
    SourceList {
        height: auto; max-height: 4; border: none; padding: 0; background: transparent; scrollbar-size-vertical: 1;
        display: none;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace,delete", "remove", N_("Take it out"), key_display="⌫"),
    ]

    class Removed(Message):
        """The person wants this list out."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, compact=True)

    def show(self, sources: Sequence[Source], reading: Reading | None) -> None:
        """Show the lists, with what was found in them if that is known."""
        counts = per_source(reading) if reading is not None else {}
        at = self.highlighted
        self.clear_options()
        self.add_options(Item(described(source, counts.get(source.name))) for source in sources)
        self.display = bool(sources)
        if sources:
            self.highlighted = min(at or 0, len(sources) - 1)

    def action_remove(self) -> None:
        """Ask for the removal."""
        if self.highlighted is not None:
            self.post_message(self.Removed(self.highlighted))


def described(source: Source, counts: tuple[int, int] | None) -> Text:
    """Return one line about a list: its name, how large it is, what was found in it."""
    parts = [
        fitted(source.name, _NAME),
        sized(source.size),
        ngettext("{n} line", "{n} lines", source.lines),
    ]
    if counts is not None:
        parts.append(ngettext("{n} to test", "{n} to test", counts[0]))
        parts.append(ngettext("{n} rejected", "{n} rejected", counts[1]))
    return Text("▪ " + " · ".join(parts), no_wrap=True, overflow="ellipsis")
