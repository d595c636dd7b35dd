"""An encrypted file for a stick: its name, then a passphrase, then it is written whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label

from client.i18n import _, ngettext
from client.model import N_, Rejected
from client.share.capsule import Entry
from client.text import printable
from tui import passing
from tui.intake import complaint
from tui.screens.page import Explained, Page
from tui.screens.passphrase import PassphraseScreen
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.inputs import FileInput
from tui.widgets.keys import Keys
from tui.widgets.static import Static

_SUGGESTED = "list.age"


class StickScreen(Page[None]):
    """Writes `entries` to a new age file."""

    CSS_PATH = "stick.tcss"
    AUTO_FOCUS = "#name"
    NAME = N_("File for a stick")
    ABOUT = N_("The standard age program opens the file too. The passphrase goes another way than the stick.")
    KEYS: ClassVar[Explained] = (
        ("Enter", N_("go on to the passphrase, then write")),
        ("Esc", N_("go back")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__()
        self._entries = entries

    def compose(self) -> ComposeResult:
        """Lay out the field for the name."""
        with Vertical(classes="box"):
            n = len(self._entries)
            yield Static(
                Text(
                    ngettext(
                        "{n} entry goes into one encrypted file.",
                        "{n} entries go into one encrypted file.",
                        n,
                    )
                )
            )
            with Horizontal(classes="row"):
                yield Label(_("new file"), classes="label")
                yield FileInput(value=_SUGGESTED, id="name", compact=True, select_on_focus=False)
            yield Static(id="said")
        yield ConnectionLine()
        yield Keys()

    def fill(self) -> None:
        """Name the box."""
        self.query_one(".box").border_title = f" {_(self.NAME)} "
        self.query_one(FileInput).cursor_blink = False
        self._say(
            _(
                "Enter: choose the passphrase. Take one that the other side knows, or hears from you face to face."
            )
        )

    @on(Input.Submitted, "#name")
    def _named(self) -> None:
        self._write(self.query_one(FileInput).value.strip())

    @work(exclusive=True, group="writing", exit_on_error=False)
    async def _write(self, name: str) -> None:
        from client.export import writing

        shown = printable(name, 120)
        try:
            await asyncio.to_thread(writing.check, name)
        except Rejected as rejected:
            self._say(f"{shown}: {complaint(rejected)}", wrong=True)
            return
        lost: list[int] = []

        async def attempt(passphrase: bytearray) -> None:
            lost.append(await asyncio.to_thread(passing.write, name, self._entries, passphrase))

        if not await self.app.push_screen_wait(
            PassphraseScreen(attempt, N_("A passphrase for the file, five or six words:"), new=True)
        ):
            return
        lines = [_("✔ {file} is written whole. The other side: Take in, file.", file=shown)]
        if lost[0]:
            lines.append(
                ngettext(
                    "{n} entry has no line of its own: left out.",
                    "{n} entries have no line of their own: left out.",
                    lost[0],
                )
            )
        self._say("\n".join(lines))

    def action_back(self) -> None:
        """Go back."""
        self.dismiss()
