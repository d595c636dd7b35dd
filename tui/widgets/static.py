"""A text that stands still, in the colours of the theme that is on."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual import widgets


class Static(widgets.Static):
    """Shows a text. The names of colours in it ("green", "red") mean those of the theme, also where it is all of one."""

    def __init__(self, content: Any = "", **more: Any) -> None:
        super().__init__(_themed(content), **more)

    def update(self, content: Any = "", *, layout: bool = True) -> None:
        """Show another text."""
        super().update(_themed(content), layout=layout)


def _themed(content: Any) -> Any:
    # Textual looks up the colours of a text's parts in the theme, but those of the text as a whole in the web's.
    if not isinstance(content, Text) or not content.style:
        return content
    text = content.copy()
    text.style = ""
    text.stylize_before(content.style)
    return text
