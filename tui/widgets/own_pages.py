"""The pages that entries are tested against, instead of the built-in ones: folded until somebody wants them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Label

from client.check import Wishes
from client.i18n import _
from client.model import N_
from tui.widgets.choice import Choice
from tui.widgets.inputs import FileInput, LineInput
from tui.widgets.static import Static

_FIELDS: Final = {  # names of Wishes and what goes in there; labels are the options of the command line
    "target": N_("An https page to fetch instead of the built-in ones."),
    "bulk_target": N_("An https file of 64 KiB or more to fetch."),
    "plain_target": N_("An http page to fetch without encryption."),
    "target_ca": N_("PEM certificates to trust beside the bundled ones."),
}


def option(name: str) -> str:
    """Return the option of the command line that a field stands for: complaints name it too."""
    return "--" + name.replace("_", "-")


class Fold(Static, can_focus=True):
    """The line that opens and closes what is below it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "press", N_("Open or close"))]

    class Pressed(Message):
        """The person wants it open, or closed."""

    def action_press(self) -> None:
        """Say so."""
        self.post_message(self.Pressed())

    def on_click(self, event: events.Click) -> None:
        """A click does the same."""
        event.stop()
        self.action_press()


class OwnPages(Vertical):
    """Edits the targets in `wishes`, and whether the servers are trusted. Nothing is checked here."""

    DEFAULT_CSS = """
    OwnPages { height: auto; }
    OwnPages Fold { height: 1; }
    OwnPages Fold:focus { text-style: bold reverse; }
    OwnPages .field { height: 1; display: none; }
    OwnPages.-open .field { display: block; }
    OwnPages .field Label { width: 17; color: $text-muted; }
    OwnPages .field Input { width: 1fr; background: $surface; }
    OwnPages .field Input:focus { background: $panel; }
    """

    class Changed(Message):
        """Something else is wished for now: names of Wishes, and their values."""

        def __init__(self, changes: Mapping[str, Any]) -> None:
            super().__init__()
            self.changes = changes

    def __init__(self, wishes: Wishes) -> None:
        super().__init__()
        self._wishes = wishes

    def compose(self) -> ComposeResult:
        """Lay out the line and, below it, the fields."""
        yield Fold()
        for name, what in _FIELDS.items():
            with Horizontal(classes="field"):
                yield Label(Text(option(name)))
                kind = FileInput if name == "target_ca" else LineInput
                value = getattr(self._wishes, name) or ""
                yield kind(value=value, id=name, compact=True, select_on_focus=False, placeholder=_(what))
        with Horizontal(classes="field"):
            yield Label("--trusted")
            answers = {"no": _("No"), "yes": _("I trust whoever runs these servers (class B)")}
            yield Choice(answers, "yes" if self._wishes.trusted else "no", id="trusted")

    def on_mount(self) -> None:
        """Show what is wished for already."""
        for field in self.query(Input):
            field.cursor_blink = False
        self.open(bool(self._own) or self._wishes.trusted)

    @property
    def _own(self) -> int:
        return sum(bool(getattr(self._wishes, name)) for name in _FIELDS)

    def open(self, wanted: bool) -> None:
        """Show or hide the fields."""
        self.set_class(wanted, "-open")
        sign = "▾" if wanted else "▸"
        used = _("your own pages are fetched") if self._own else _("the built-in pages are fetched")
        self.query_one(Fold).update(Text.assemble(f"{sign} ", _("test pages"), "  ", (used, "dim")))

    @on(Fold.Pressed)
    def _pressed(self, event: Fold.Pressed) -> None:
        event.stop()
        self.open(not self.has_class("-open"))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        name = event.input.id
        if name in _FIELDS and (getattr(self._wishes, name) or "") != event.value.strip():
            self._wish({name: event.value.strip() or None})

    @on(Choice.Changed, "#trusted")
    def _chosen(self, event: Choice.Changed) -> None:
        event.stop()
        self._wish({"trusted": event.chosen == "yes"})

    def _wish(self, changes: Mapping[str, Any]) -> None:
        self._wishes = replace(self._wishes, **changes)
        self.open(True)
        self.post_message(self.Changed(changes))
