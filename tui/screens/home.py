"""Home: the list goes in here, and the pace is chosen."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Footer, Input, Label, Static, TextArea

from client.check import BadList
from client.events import LineRejected
from client.i18n import _, ngettext
from client.model import Reading
from client.render import plain
from tui import theme
from tui.intake import complaint, read_in
from tui.messages import StartCheck
from tui.widgets.choice import Choice
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.inputs import FileInput, ListArea

_PAUSE: Final = 0.4  # seconds without a key before the list is read for its counts
_SHOWN_REJECTS: Final = 100


class HomeScreen(Screen[None]):
    """Asks for the list. Nothing is sent from here."""

    CSS_PATH = "home.tcss"
    AUTO_FOCUS = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "check", _("Check"), priority=True),
    ]

    def __init__(self, *, profile: str, file: str = "") -> None:
        super().__init__()
        self._profile = profile
        self._file = file

    def compose(self) -> ComposeResult:
        """Lay out the form."""
        with Horizontal(id="head"):
            yield Label("Sanylau", id="title")
            yield Label(_("what still gets through?"), id="motto")
        yield ListArea(
            id="list",
            soft_wrap=False,
            show_line_numbers=True,
            compact=True,
            placeholder=_("Paste proxies, share links or bridge lines here, one a line."),
        )
        with Horizontal(classes="row"):
            yield Label(_("or a file"), classes="label")
            yield FileInput(value=self._file, id="file", compact=True, select_on_focus=False)
        with Horizontal(classes="row"):
            yield Label(_("pace"), classes="label")
            labels = {name: _(label) for name, (label, _meaning) in theme.PROFILES.items()}
            yield Choice(labels, self._profile, id="profile")
            yield Button(Text("▸ " + _("Check")), id="check", variant="primary", compact=True)
        yield Static(id="meaning")
        yield Static(id="said")
        with VerticalScroll(id="rejected"):
            yield Static(id="rejects")
        yield ConnectionLine()
        yield Footer()

    def on_mount(self) -> None:
        """Name the fields and say what the chosen pace means."""
        area, file = self.query_one("#list", TextArea), self.query_one("#file", Input)
        area.border_title = _("the list")
        area.cursor_blink = file.cursor_blink = False  # on a slow line every blink costs
        self._explain()
        self._say()

    def complain(self, text: str) -> None:
        """Show one line about what is wrong."""
        self._say(Text(text, style="bold"), "-wrong")

    def inform(self, text: str) -> None:
        """Show one line that is no complaint."""
        self._say(Text(text))

    def show_reading(self, reading: Reading) -> None:
        """Show what is in the list, and the lines that are no entry."""
        self._say(Text(counted(reading)))
        rejects = [plain.rejected(LineRejected(line)) for line in reading.rejected[:_SHOWN_REJECTS]]
        if len(reading.rejected) > _SHOWN_REJECTS:
            rejects.append(_("… and {n} more", n=len(reading.rejected) - _SHOWN_REJECTS))
        self.query_one("#rejects", Static).update(Text("\n".join(rejects)))
        self.query_one("#rejected").display = bool(rejects)
        self.call_after_refresh(self.query_one("#list", TextArea).scroll_cursor_visible)

    def action_check(self) -> None:
        """Ask for the check of what stands here."""
        self.workers.cancel_group(self, "reading")
        area, file = self.query_one("#list", TextArea), self.query_one("#file", Input)
        if not area.text.strip() and not file.value.strip():
            self.complain(_("Paste a list or name a file first."))
            return
        self.inform(_("Reading the list…"))
        self.post_message(StartCheck(text=area.text, file=file.value, profile=self._profile))

    @on(Button.Pressed, "#check")
    def _pressed(self) -> None:
        self.action_check()

    @on(TextArea.Changed, "#list")
    def _list_changed(self) -> None:
        self._preview(_PAUSE)

    @on(Input.Submitted, "#file")
    def _file_named(self) -> None:
        self._preview(0)

    @on(Choice.Changed)
    def _pace_chosen(self, event: Choice.Changed) -> None:
        self._profile = event.chosen
        self._explain()

    @work(exclusive=True, group="reading", exit_on_error=False)
    async def _preview(self, pause: float) -> None:
        await asyncio.sleep(pause)
        text, file = self.query_one("#list", TextArea).text, self.query_one("#file", Input).value
        if not text.strip() and not file.strip():
            self._say()
            return
        try:
            self.show_reading(await asyncio.to_thread(read_in, text, file))
        except BadList as bad:
            self.complain(complaint(bad))

    def _explain(self) -> None:
        meaning = self.query_one("#meaning", Static)
        meaning.update(Text(("⚠ " if self._profile == "fast" else "") + _(theme.PROFILES[self._profile][1])))
        meaning.set_class(self._profile == "fast", "-risk")

    def _say(self, text: Text | None = None, kind: str = "") -> None:
        said = self.query_one("#said", Static)
        said.update(text or Text(_("Nothing is sent before you have said yes.")))
        said.set_class(kind == "-wrong", "-wrong")
        self.query_one("#rejected").display = False


def counted(reading: Reading) -> str:
    """Return in one line what was taken in."""
    parts = [
        ngettext("{n} entry read", "{n} entries read", reading.given),
        ngettext("{n} to test", "{n} to test", len(reading.candidates)),
        ngettext("{n} duplicate", "{n} duplicates", reading.duplicates),
        ngettext("{n} rejected", "{n} rejected", len(reading.rejected)),
    ]
    return " · ".join(parts)
