"""Export: a format, a name, and a new file that only the person may read."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option as Item

from client.export import pac
from client.i18n import _
from client.model import N_, Protection, Rejected
from client.options import Option
from client.text import printable
from tui import exporting, using
from tui.exporting import Offer
from tui.intake import complaint
from tui.screens.page import Dialog, Explained, framed
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.inputs import FileInput
from tui.widgets.keys import Keys
from tui.widgets.static import Static


class ExportScreen(Dialog[None]):
    """Writes `option` to a file. `first` is the format to begin with, `port` that of the local connection, if it is up."""

    CSS_PATH = "lists.tcss"
    AUTO_FOCUS = "OptionList"
    NAME = N_("Export")
    ABOUT = N_("The entry is written to a new file, in the format that another program reads.")
    KEYS: ClassVar[Explained] = (
        ("↑ ↓", N_("choose the format")),
        ("Enter", N_("go to the name; once more: write the file")),
        ("Esc", N_("go back")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, option: Option, *, first: str = "", port: int = 0, staged: bool = False) -> None:
        super().__init__()
        self._staged = staged
        self._option = option
        self._first = first
        self._port = port
        self._offers: list[Offer] = []

    def compose(self) -> ComposeResult:
        """Lay out the list of formats and the field for the name."""
        with Vertical(classes="box"):
            yield OptionList(compact=True)
            with Horizontal(classes="row"):
                yield Label(_("new file"), classes="label")
                yield FileInput(id="name", compact=True, select_on_focus=False)
            yield Static(id="said")
        yield ConnectionLine()
        yield Keys()

    def on_mount(self) -> None:
        """Look for what fits."""
        self.query_one(".box").border_title = framed(self.NAME, staged=self._staged)
        self.query_one(FileInput).cursor_blink = False
        self._fill()

    @work(exclusive=True, group="formats", exit_on_error=False)
    async def _fill(self) -> None:
        self._offers = await asyncio.to_thread(
            exporting.offers, self._option, port=self._port, first=self._first
        )
        formats = self.query_one(OptionList)
        formats.add_options(Item(_line(offer)) for offer in self._offers)
        if self._offers:
            formats.highlighted = 0
            self._say(_("Enter: the name of the file; Enter again writes it. Esc goes back."))
        else:
            self._say(_("No format holds this entry."), wrong=True)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self.query_one(FileInput).value = exporting.suggested(self._offers[event.option_index])

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        name = self.query_one(FileInput)
        name.focus()
        name.cursor_position = len(name.value)

    @on(Input.Submitted, "#name")
    def _named(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self._write(self._offers[at], self.query_one(FileInput).value)

    @work(exclusive=True, group="writing", exit_on_error=False)
    async def _write(self, offer: Offer, name: str) -> None:
        try:
            path = await asyncio.to_thread(exporting.write, offer, self._option, name)
            use = await asyncio.to_thread(offer.use, path)
        except Rejected as rejected:
            self._say(f"{printable(name, 60)}: {complaint(rejected)}", wrong=True)
            return
        lines = [
            _("✔ Written to {file}. Only you may read it.", file=printable(path, 300)),
            f"→ {printable(use, 600)}",
            _("The file is evidence: erase it when the program has taken it in."),
        ]
        if self._option.protection is Protection.OPEN and not offer.port:
            lines.append(f"⚠ {using.class_of(Protection.OPEN)}")
        if offer.name == "pac":
            lines.insert(0, "⚠ " + _(pac.NOT_FROM_DISK))
        self._say("\n".join(lines))

    def action_back(self) -> None:
        """Go back."""
        self.dismiss()


def _line(offer: Offer) -> Text:
    return Text(f"{offer.name:<17} {offer.what}", no_wrap=True, overflow="ellipsis")
