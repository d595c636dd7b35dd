"""Edit fields that let nothing through that acts on a terminal, and leave Ctrl-C to the app."""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.actions import SkipAction
from textual.message import Message
from textual.reactive import var
from textual.widgets import Input, TextArea

from client.i18n import _
from tui.dropped import unquoted
from tui.intake import clean

_DOT: Final = "•"
_WIDE_DOT: Final = "＊"
_NO_WIDTH: Final = "\u034f"
_SOUGHT: Final = 60  # characters
_HARMLESS: Final = r"[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]*"
_KIND: Final = re.compile(  # what tells the kind of an entry, and nothing about whose it is
    r"\s*(?:[A-Za-z][A-Za-z0-9+.-]{0,19}://|(?:Bridge\s+)?(?:obfs[234]|webtunnel|snowflake|meek(?:_lite)?|conjure)\s|#|//)",
    re.IGNORECASE,
)


def masked(line: str) -> str:
    """Return a line as wide as `line` and with as many characters, of which only the kind can be read."""
    told = _KIND.match(line)
    kept = told.end() if told else 0
    rest = line[kept:]
    hidden = re.sub(r"\S", _DOT, rest) if rest.isascii() else "".join(map(_dot, rest))
    return line[:kept] + hidden


def _dot(char: str) -> str:
    if char.isspace():
        return " "
    return {0: _NO_WIDTH, 2: _WIDE_DOT}.get(cell_len(char), _DOT)


class ListArea(TextArea):
    """Takes a typed or pasted list. What stands in it is masked until `reveal`."""

    reveal = var(False, init=False)

    class Pasted(Message):
        """Something was pasted or dropped here; nothing has been done with it yet."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def watch_reveal(self) -> None:
        """Draw all lines anew."""
        self.notify_style_update()
        self.refresh()

    def get_line(self, line_index: int) -> Text:
        """Return a line as it is drawn."""
        line = self.document.get_line(line_index)
        return Text(line if self.reveal else masked(line), end="", no_wrap=True)

    def action_copy(self) -> None:
        """Copy the selection; without one Ctrl-C means stop or quit."""
        if not self.selected_text:
            raise SkipAction
        super().action_copy()

    def on_paste(self, event: events.Paste) -> None:
        """Leave it to the screen: it may be a list, too much of one, or the path of a file."""
        event.prevent_default()
        event.stop()
        self.post_message(self.Pasted(event.text))

    def take(self, text: str) -> None:
        """Insert a text, cleaned, in place of the selection."""
        result = self.replace(clean(text), *self.selection, maintain_selection_offset=False)
        self.move_cursor(result.end_location)


class LineInput(Input):
    """Takes one line."""

    def action_copy(self) -> None:
        """Copy the selection; without one Ctrl-C means stop or quit."""
        if not self.selected_text:
            raise SkipAction
        super().action_copy()

    def on_paste(self, event: events.Paste) -> None:
        """Insert the first line of what was pasted, cleaned."""
        event.prevent_default()
        event.stop()
        self.replace(clean(self.first_of(event.text[:4096])).partition("\n")[0], *sorted(self.selection))

    def first_of(self, text: str) -> str:
        """Return what of a paste is meant."""
        return text


class FileInput(LineInput):
    """Takes the name of a file, or a file that is dropped on it."""

    def first_of(self, text: str) -> str:
        """Return the path without the quotes around it."""
        return unquoted(text)


class SearchInput(Input):
    """Takes words to look for: no signs that would not be seen."""

    def __init__(self, words: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(
            words,
            placeholder=_("Words to look for"),
            compact=True,
            max_length=_SOUGHT,
            restrict=_HARMLESS,
            id=id,
        )
