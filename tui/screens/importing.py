"""Check my own list: what the person has is taken in here, counted and mended, and the pace is chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import Button, Input, Label, TextArea

from client import parse
from client.check import BadList
from client.i18n import _, ngettext
from client.model import N_, Reading, Rejected
from tui import dropped, intake, theme
from tui.folder import beginning
from tui.intake import Basket, complaint
from tui.messages import StartCheck
from tui.screens.files import FilePicker
from tui.screens.page import Explained, Page
from tui.widgets.choice import Choice
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.entry_list import EntryList
from tui.widgets.head import Head
from tui.widgets.inputs import FileInput, ListArea
from tui.widgets.keys import Keys
from tui.widgets.own_pages import OwnPages
from tui.widgets.source_list import SourceList
from tui.widgets.static import Static

_PAUSE: Final = 0.4  # seconds without a change before the lists are read


class ImportScreen(Page[None]):
    """Edits a basket and asks for the check of what is in it. Nothing is sent from here."""

    CSS_PATH = "importing.tcss"
    AUTO_FOCUS = "#list"
    NAME = N_("Check my own list")
    ABOUT = N_("A line may be host:port, a link such as socks5:// or vless://, or a bridge line.")
    KEYS: ClassVar[Explained] = (
        ("^s", N_("read the list and ask before anything is sent")),
        ("^o", N_("choose a file; one that is dropped on the terminal is taken too")),
        ("^r", N_("show what stands in the lists, or mask it again")),
        ("Tab", N_("go to the next field; Shift+Tab goes back")),
        ("← →", N_("choose the pace")),
        ("⌫", N_("on a list of its own line: take it out")),
        ("^t", N_("after a stop: test all again, or only what is left")),
        ("Esc", N_("go back; the lists stay")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        # The second key is the same place on a Russian or Kazakh keyboard, where the terminal tells of the letter.
        Binding("ctrl+s,ctrl+ы", "check", N_("Check"), priority=True, key_display="^s"),
        Binding("ctrl+o,ctrl+щ", "choose", N_("File"), priority=True, key_display="^o"),
        Binding("ctrl+r,ctrl+к", "reveal", N_("Reveal"), priority=True, key_display="^r"),
        Binding("ctrl+t,ctrl+е", "rest", N_("All or the rest"), priority=True, key_display="^t"),
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, basket: Basket) -> None:
        super().__init__()
        self._basket = basket
        self._reading = asyncio.Lock()
        self._soon: Timer | None = None
        self._shown = -1  # the stamp of the reading that was shown: what is said after it is not written over

    def compose(self) -> ComposeResult:
        """Lay out the form."""
        basket = self._basket
        yield Head(self.NAME)
        yield self._area()
        yield SourceList(id="sources")
        with Horizontal(classes="row"):
            yield Label(_("or a file"), classes="label")
            yield FileInput(
                value=basket.field,
                id="file",
                compact=True,
                select_on_focus=False,
                placeholder=_("its name, then Enter; Ctrl+O chooses"),
            )
        with Horizontal(classes="row"):
            yield Label(_("pace"), classes="label")
            labels = {name: _(label) for name, (label, _meaning) in theme.PROFILES.items()}
            yield Choice(labels, basket.wishes.profile, id="profile")
            yield Button(Text("▸ " + _("Check")), id="check", variant="primary", compact=True)
        yield Static(id="meaning")
        yield OwnPages(basket.wishes)
        yield Static(id="said")
        yield EntryList(id="entries")
        yield ConnectionLine()
        yield Keys()

    def _area(self) -> ListArea:
        area = ListArea(
            self._basket.text,
            id="list",
            soft_wrap=False,
            show_line_numbers=True,
            compact=True,
            placeholder=_("Paste proxies, share links or bridge lines here, one a line."),
        )
        area.match_cursor_bracket = area.cursor_blink = False  # on a slow line every blink costs
        area.set_reactive(ListArea.reveal, self._basket.reveal)
        return area

    def on_mount(self) -> None:
        """Put in the texts, and open the files that were named at the start."""
        super().on_mount()
        if self._basket.awaited:
            names, self._basket.awaited = self._basket.awaited, []
            self._take_files(names)

    def fill(self) -> None:
        """Name the fields, say what the chosen pace means and what has been read."""
        self.query_one("#file", Input).cursor_blink = False
        self._basket.rename()
        self._explain()
        self._mode()
        self._sources()
        if self._basket.reading is not None:
            self.show_reading(self._basket.reading)
        else:
            self._say()
            self._read_soon()

    # what is said

    def complain(self, text: str) -> None:
        """Show one line about what is wrong."""
        self._say(Text(text, style="bold"), wrong=True)
        if text.startswith("--"):
            self.query_one(OwnPages).open(True)

    def show_reading(self, reading: Reading) -> None:
        """Show what is in the lists, and the lines that are no entry."""
        self._shown = self._basket.stamp
        self._say(_summary(reading, self._basket))
        self.refresh_bindings()
        self._sources()
        self.query_one(EntryList).show(reading, reveal=self._basket.reveal)
        self.call_after_refresh(self.query_one(ListArea).scroll_cursor_visible)

    def _say(self, text: str | Text = "", *, wrong: bool = False) -> None:
        super()._say(text or _("Nothing is sent before you have said yes."), wrong=wrong)

    def _explain(self) -> None:
        profile = self._basket.wishes.profile
        meaning = self.query_one("#meaning", Static)
        meaning.update(Text(("⚠ " if profile == "fast" else "") + _(theme.PROFILES[profile][1])))
        meaning.set_class(profile == "fast", "-risk")

    def _mode(self) -> None:
        self.query_one(Head).reveal = self._basket.reveal
        self.query_one(ListArea).border_title = _("the list")

    def _sources(self) -> None:
        self.query_one(SourceList).show(self._basket.sources, self._basket.reading)

    # what the person does

    def action_check(self) -> None:
        """Ask for the check of what stands here."""
        self._check()

    def action_choose(self) -> None:
        """Choose a file by keyboard."""
        self._choose()

    def action_reveal(self) -> None:
        """Show or mask what stands in the lists."""
        self._basket.reveal = not self._basket.reveal
        self.query_one(ListArea).reveal = self._basket.reveal
        self._mode()
        self.query_one(EntryList).show(self._basket.reading, reveal=self._basket.reveal)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        return bool(self._basket.rest) if action == "rest" else True

    def action_rest(self) -> None:
        """After a stop: let the next check begin anew with all entries, or leave out those that were tested."""
        self._basket.all_again = not self._basket.all_again
        if self._basket.reading is not None:
            self.show_reading(self._basket.reading)

    def on_screen_resume(self) -> None:
        """Say what a check has left untested meanwhile."""
        if self._basket.rest and self._basket.reading is not None:
            self.show_reading(self._basket.reading)

    def action_back(self) -> None:
        """Go back; the basket stays as it is."""
        self.dismiss()

    @on(Button.Pressed, "#check")
    def _pressed(self) -> None:
        self.action_check()

    @on(TextArea.Changed, "#list")
    def _list_changed(self) -> None:
        if self._basket.edit(self.query_one(ListArea).text):
            self._read_soon()

    @on(Input.Changed, "#file")
    def _file_typed(self, event: Input.Changed) -> None:
        self._basket.field = event.value

    @on(Input.Submitted, "#file")
    def _file_named(self) -> None:
        if self._basket.field.strip():
            self._take_files([self._basket.field.strip()])

    @on(Choice.Changed, "#profile")
    def _pace_chosen(self, event: Choice.Changed) -> None:
        self._basket.wishes = replace(self._basket.wishes, profile=event.chosen)
        self._explain()

    @on(OwnPages.Changed)
    def _pages_changed(self, event: OwnPages.Changed) -> None:
        self._basket.wishes = replace(self._basket.wishes, **event.changes)

    @on(SourceList.Removed)
    def _removed(self, event: SourceList.Removed) -> None:
        self._basket.remove(event.index)
        self._sources()
        if not self._basket.sources:
            self.query_one(ListArea).focus()
        self._read_soon()

    @on(EntryList.Opened)
    def _line_opened(self, event: EntryList.Opened) -> None:
        if event.source == self._basket.pasted:
            area = self.query_one(ListArea)
            area.move_cursor((min(event.line, area.document.line_count) - 1, 0), center=True)
            area.focus()

    # what comes in

    def on_paste(self, event: events.Paste) -> None:
        """Take in what was pasted or dropped while no field had the keyboard."""
        self.take(event.text)

    @on(ListArea.Pasted)
    def _pasted(self, event: ListArea.Pasted) -> None:
        self.take(event.text)

    def take(self, text: str) -> None:
        """Take in what was pasted: a list, too much of one, or the path of a file that was dropped."""
        text = text.replace("\r\n", "\n").replace(
            "\r", "\n"
        )  # a terminal sends the Enter key for a line's end
        if len(text) > intake.LARGEST:
            limit = intake.LARGEST // 1024 // 1024
            self.complain(_("Too much to paste at once: the limit is {limit} MiB. Split it.", limit=limit))
        elif dropped.looks_dropped(text):
            self._take_dropped(text)
        else:
            self._take_list(text)

    def _take_list(self, text: str) -> None:
        area = self.query_one(ListArea)
        if not intake.is_too_long_to_edit(text, area.text):
            area.take(text)
            return
        try:
            self._basket.add(self._basket.pasted, text)
        except Rejected as rejected:
            self.complain(complaint(rejected))
            return
        self._taken()

    @work(group="taking", exit_on_error=False)
    async def _take_dropped(self, text: str) -> None:
        paths = await asyncio.to_thread(dropped.dropped, text)
        if paths:
            await self._load(paths)
        else:
            self._take_list(text)

    @work(group="taking", exit_on_error=False)
    async def _take_files(self, names: Sequence[str]) -> None:
        await self._load(names)

    @work(group="choosing", exclusive=True, exit_on_error=False)
    async def _choose(self) -> None:
        folder = await asyncio.to_thread(beginning, self._basket.field)
        path = await self.app.push_screen_wait(FilePicker(folder))
        if path is not None:
            await self._load([path])

    async def _load(self, names: Sequence[str]) -> bool:
        """Take files in; say whether all of them could be."""
        for name in names:
            try:
                path, text = await asyncio.to_thread(intake.load, name)
                self._basket.add(intake.shown_name(path), text, path)
            except (BadList, Rejected) as error:
                self.complain(complaint(error))
                return False
            if name == self._basket.field.strip():
                self.query_one("#file", Input).value = self._basket.field = ""
        self._taken()
        return True

    def _taken(self) -> None:
        self._sources()
        self.inform(_("Reading the list…"))
        self._read_soon(0)

    # reading

    def _read_soon(self, pause: float = _PAUSE) -> None:
        if self._soon is not None:
            self._soon.stop()
        self._soon = self.set_timer(max(pause, 0.01), self._preview)

    @work(group="reading", exit_on_error=False)
    async def _preview(self) -> None:
        if self._basket.is_empty:
            self.query_one(EntryList).show(None, reveal=False)
            return
        reading = await self._fresh()
        if not self.query(EntryList):  # everything is said anew in another language just now
            return
        if self._shown != self._basket.stamp:
            self.show_reading(reading)

    async def _fresh(self) -> Reading:
        """Return what is in the basket now. One thread at a time, however fast somebody types."""
        basket = self._basket
        async with self._reading:
            while basket.reading is None:
                stamp = basket.stamp
                reading = await asyncio.to_thread(parse.read, basket.texts())
                if stamp == basket.stamp:
                    basket.reading = reading
            return basket.reading

    @work(group="checking", exclusive=True, exit_on_error=False)
    async def _check(self) -> None:
        basket = self._basket
        self.inform(_("Reading the list…"))
        if basket.field.strip() and not await self._load([basket.field.strip()]):
            return
        if basket.is_empty:
            self.complain(_("Paste a list or name a file first."))
            return
        reading = await self._fresh()
        self.show_reading(reading)
        if reading.given and not reading.candidates:
            self.complain(_("Nothing here can be tested: mend the lines below, or give another list."))
            return
        self.post_message(StartCheck(reading=basket.hand_on(reading), wishes=basket.wishes))


def _summary(reading: Reading, basket: Basket) -> Text:
    said = Text(intake.counted(reading))
    kinds = intake.by_kind(reading)
    if kinds:
        said.append(f"\n{kinds}", style="dim")
    if rest := len(basket.rest):
        said.append("\n").append(_rest(rest, basket), style="bold")
    return said


def _rest(rest: int, basket: Basket) -> str:
    if basket.all_again:
        return _("All are tested again. ^t: only those that the stop has left.")
    return ngettext(
        "Stopped before: only the {n} entry that is left is tested. ^t: all again.",
        "Stopped before: only the {n} entries that are left are tested. ^t: all again.",
        rest,
    )
