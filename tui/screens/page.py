"""What every screen has: a name, its part of the help, and the way to say everything again in another language."""

from __future__ import annotations

from typing import Any, ClassVar, Final, TypeVar, cast

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from client.i18n import _
from client.model import N_
from tui.widgets.static import Static
from tui.widgets.too_small import cover

Result = TypeVar("Result")

Explained = tuple[tuple[str, str], ...]
"""Keys as they stand on the keyboard, and a message id that says what they do."""


PRACTICE: Final = N_("practice: nothing leaves this machine")


def framed(name: str, *, staged: bool) -> str:
    """Return the title of a dialog from the message id of its name; `staged`: it is about the drill's stage."""
    return f" {_(name)} · {_(PRACTICE)} " if staged else f" {_(name)} "


class Told:
    """What the help says about a screen. Message ids, so that they can be said in any language.

    `SIGNS`: the help explains the states and classes too.
    """

    NAME: ClassVar[str] = N_("Sanylau")
    ABOUT: ClassVar[str] = ""
    KEYS: ClassVar[Explained] = ()
    SIGNS: ClassVar[bool] = False

    def _say(self, text: str | Text, *, wrong: bool = False) -> None:
        """Show a line in the place that the screen has for it."""
        said = cast("Screen[Any]", self).query_one("#said", Static)
        said.update(Text(text) if isinstance(text, str) else text)
        said.set_class(wrong, "-wrong")


class Page(Told, Screen[Result]):
    """A screen that can be said again: its texts are made in `compose` and `fill`, its state lives elsewhere."""

    def fill(self) -> None:
        """Put in the texts that `compose` could not. Called at first and again in another language."""

    def on_mount(self) -> None:
        """Put in the first texts."""
        self.fill()

    def on_resize(self) -> None:
        """See whether there is room."""
        cover(self)

    async def reword(self) -> None:
        """Say everything again in the language that is in force now."""
        focused = self.focused.id if self.focused is not None else None
        with self.app.batch_update():
            await self.recompose()
            self.fill()
            cover(self)
            found = self.query(f"#{focused}") if focused else None
            if found:
                self.set_focus(found.first(), scroll_visible=False)
        self.refresh_bindings()

    def inform(self, text: str) -> None:
        """Say something that is no complaint: in its place where there is one, else as a notice."""
        if self.query("#said"):
            self._say(text)
        else:
            self.notify(text, markup=False)

    def complain(self, text: str) -> None:
        """Say what is wrong, in the same place."""
        if self.query("#said"):
            self._say(text, wrong=True)
        else:
            self.notify(text, severity="error", markup=False)


class Dialog(Told, ModalScreen[Result]):
    """A screen that lies over others for a moment."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "app.explain", show=False),  # the app's own keys end at such a screen
    ]

    def on_mount(self) -> None:
        """Take away what was said before: it would hide the first lines."""
        self.app.clear_notifications()

    def on_resize(self) -> None:
        """See whether there is room."""
        cover(self)
