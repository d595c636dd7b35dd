"""A passphrase: asked for, never shown, and overwritten as soon as it was used."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from client.i18n import _
from client.model import N_, Rejected
from tui.intake import complaint
from tui.screens.page import Dialog, Explained
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.hidden import HiddenInput
from tui.widgets.keys import Keys
from tui.widgets.static import Static

Attempt = Callable[[bytearray], Awaitable[None]]
"""Uses a passphrase; raises Rejected where that cannot be, and the person may try again."""

_DIFFER = N_("The two are not the same: type both again.")
_EMPTY = N_("Nothing was typed.")


class PassphraseScreen(Dialog[bool]):
    """Gives True once `attempt` has taken a passphrase. `about` are message ids; `new`: it is typed twice and weighed."""

    CSS_PATH = "passphrase.tcss"
    AUTO_FOCUS = "#first"
    NAME = N_("Passphrase")
    ABOUT = N_("What you type is not shown, and is overwritten in memory when it was used.")
    KEYS: ClassVar[Explained] = (
        ("Enter", N_("go on")),
        ("^u", N_("take back what was typed")),
        ("Esc", N_("go back")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, attempt: Attempt, *about: str, new: bool = False) -> None:
        super().__init__()
        self._attempt = attempt
        self._about = about
        self._new = new
        self._busy = False  # a thread reads the passphrase now: to overwrite it would seal under another one

    def compose(self) -> ComposeResult:
        """Lay out the fields."""
        with Vertical(classes="box"):
            for number, line in enumerate(self._about):
                yield Static(Text(_(line), style="bold" if not number else ""), classes="about")
            yield HiddenInput(id="first", placeholder=_("type it, then Enter; it is not shown"))
            if self._new:
                yield HiddenInput(id="second", placeholder=_("once more"))
            yield Static(id="said")
        yield ConnectionLine()
        yield Keys()

    def on_mount(self) -> None:
        """Name the box."""
        self.query_one(".box").border_title = f" {_(self.NAME)} "

    @on(Input.Submitted, "#first")
    def _typed(self) -> None:
        if self._new:
            self.query_one("#second", HiddenInput).focus()
        else:
            self._use()

    @on(Input.Submitted, "#second")
    def _typed_again(self) -> None:
        self._use()

    def _use(self) -> None:
        if not self._busy:
            self._busy = True
            self._try()

    @work(group="passphrase", exit_on_error=False)
    async def _try(self) -> None:
        from client.vault import passphrase

        fields = list(self.query(HiddenInput))
        given = [field.take() for field in fields]
        self._say(_("One moment…"))
        try:
            if not given[0]:
                raise Rejected(_EMPTY)
            if self._new:
                passphrase.weigh(given[0])
                if not hmac.compare_digest(given[0], given[1]):
                    raise Rejected(_DIFFER)
            await self._attempt(given[0])
        except Rejected as rejected:
            self._say(complaint(rejected), wrong=True)
            fields[0].focus()
        else:
            self.dismiss(True)
        finally:
            self._busy = False
            passphrase.forget(*given)

    def action_back(self) -> None:
        """Go back without; not while the passphrase is used, as then it is too late."""
        if not self._busy:
            self.dismiss(False)
