"""Choosing a file by keyboard. Everything in a folder is shown: hidden names, links, what is no file, and sizes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar, Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option as Item

from client.i18n import _, ngettext
from client.model import N_, Rejected
from tui import intake
from tui.folder import Entry, Kind, Listing, fitted, listing, sized
from tui.screens.page import Dialog, Explained
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.keys import Keys
from tui.widgets.static import Static

_UP: Final = ".."
_SIZE: Final = 22  # cells for the size, or what stands in its place
_WORDS: Final = {Kind.FOLDER: N_("folder"), Kind.OTHER: N_("no file"), Kind.BROKEN: N_("cannot be read")}
_FRAME: Final = 8  # cells around the names


class Names(OptionList):
    """The names in a folder."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", N_("Open"))]


class FilePicker(Dialog[str | None]):
    """Gives the path of the chosen file, or None. Begins in `folder`."""

    CSS_PATH = "files.tcss"
    AUTO_FOCUS = "OptionList"
    NAME = N_("Choose a file")
    ABOUT = N_("Everything in the folder is shown: hidden names, links (↪), and what is no file.")
    KEYS: ClassVar[Explained] = (
        ("↑ ↓", N_("choose a name; a letter goes to the next name that begins with it")),
        ("Enter", N_("open the folder, or take the file")),
        ("← ⌫", N_("go to the folder above")),
        ("Esc", N_("go back without a file")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace,left", "up", N_("Folder above"), key_display="←"),
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._listing = Listing(folder, ())
        self._names: list[str] = []

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical(classes="box"):
            yield Static(id="where")
            yield Names(compact=True)
            yield Static(id="said")
        yield ConnectionLine()
        yield Keys()

    def on_mount(self) -> None:
        """Look into the first folder."""
        self.query_one(".box").border_title = _(self.NAME)
        self._open(self._listing.path)

    @work(exclusive=True, group="folder", exit_on_error=False)
    async def _open(self, path: Path, came_from: str = "") -> None:
        try:
            found = await asyncio.to_thread(listing, path)
        except Rejected as rejected:
            self._say(f"{fitted(path.name, 40)}: {intake.complaint(rejected)}", wrong=True)
            return
        self._show(found, came_from)

    def _show(self, found: Listing, came_from: str) -> None:
        self._listing = found
        width = self._width
        self.query_one("#where", Static).update(Text(fitted(shown_path(found.path), width)))
        names = self.query_one(Names)
        names.clear_options()
        self._names = [_UP, *(entry.name for entry in found.entries)]
        names.add_options([Item(Text(f"▸ {_UP}")), *(Item(_row(entry, width)) for entry in found.entries)])
        names.highlighted = self._names.index(came_from) if came_from in self._names else 0
        said = ngettext("{n} name, hidden ones too.", "{n} names, hidden ones too.", len(found.entries))
        if found.more:
            said = _(
                "The first {n} names; {more} more are not listed.", n=len(found.entries), more=found.more
            )
        self._say(said)

    @property
    def _width(self) -> int:
        return max(20, min(self.size.width, 100) - _FRAME)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_index == 0:
            self.action_up()
            return
        entry = self._listing.entries[event.option_index - 1]
        path = self._listing.path / entry.name
        if entry.kind is Kind.FOLDER:
            self._open(path)
        elif entry.kind is not Kind.FILE:
            self._say(_("This is no file that can be read as a list."), wrong=True)
        elif entry.size > intake.LARGEST:
            limit = intake.LARGEST // 1024 // 1024
            self._say(_("larger than {limit} MiB: split it", limit=limit), wrong=True)
        else:
            self.dismiss(str(path))

    def on_key(self, event: events.Key) -> None:
        """Go to the next name that begins with the letter that was typed."""
        letter = event.character
        if letter is None or not letter.isprintable() or letter.isspace():
            return
        names = self.query_one(Names)
        here = names.highlighted or 0
        for index in [*range(here + 1, len(self._names)), *range(here + 1)]:
            if self._names[index].casefold().startswith(letter.casefold()):
                names.highlighted = index
                return

    def action_up(self) -> None:
        """Go to the folder above, with the cursor on the one that was left."""
        here = self._listing.path
        if here.parent != here:
            self._open(here.parent, here.name)

    def action_back(self) -> None:
        """Go back without a file."""
        self.dismiss(None)


def shown_path(path: Path) -> str:
    """Return a folder's path as people write it: from the home folder on, where it is in there."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (RuntimeError, ValueError):
        return str(path)


def _row(entry: Entry, width: int) -> Text:
    """Return a name with its sign on the left and its size on the right."""
    sign = {Kind.FOLDER: "▸", Kind.FILE: " "}.get(entry.kind, "✘")
    size = sized(entry.size) if entry.kind is Kind.FILE else _(_WORDS[entry.kind])
    if entry.link:
        size = "↪ " + size
    size = size if cell_len(size) < _SIZE else fitted(size, _SIZE - 1)
    room = max(4, width - _SIZE - 2)
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{sign} {set_cell_size(fitted(entry.name, room), room)}")
    return text.append(" " * (_SIZE - cell_len(size)) + size, style="dim")
