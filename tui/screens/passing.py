"""Pass it on: what goes, by which way, and how it is protected. Nothing is sent: sending is up to the person."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option as Item

from client.i18n import _
from client.model import N_, Rejected
from client.options import Option
from client.share.capsule import Entry, Line
from tui import passing
from tui.intake import complaint
from tui.passing import LINES, LISTENED, WAYS, Load, Way
from tui.screens.consent import ConsentScreen
from tui.screens.page import PRACTICE, Explained, Page
from tui.widgets.choice import Choice
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.facts import grid
from tui.widgets.head import Head
from tui.widgets.keys import Keys
from tui.widgets.static import Static

_WAYS: Final = tuple(WAYS)


class PassingScreen(Page[None]):
    """Shows what is passed on and asks by which way. `options` are there to choose from, the best first.

    `staged`: they are of the drill's stage.
    """

    CSS_PATH = "passing.tcss"
    AUTO_FOCUS = "#ways"
    NAME = N_("Pass it on")
    ABOUT = N_("Hand a way that works to somebody who has only a telephone, a screen or a stick.")
    KEYS: ClassVar[Explained] = (
        ("1 2 3 4", N_("choose the way; or ↑ ↓ and Enter")),
        ("s", N_("pass words and SMS on in the open, or sealed again")),
        ("a", N_("mix in a passphrase that you both agreed on earlier")),
        ("+ -", N_("more entries, or fewer; a file takes all of them")),
        ("Tab", N_("from what kind of line it was seen to work; ← → chooses")),
        ("r", N_("show or mask addresses and secrets")),
        ("Esc", N_("go back")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1,quotation_mark", "way(0)", show=False),
        Binding("2,ә", "way(1)", show=False),
        Binding("3,і", "way(2)", show=False),
        Binding("4,ң", "way(3)", show=False),
        Binding("s,ы", "seal", N_("Sealed or open"), key_display="s"),
        Binding("a,ф", "agree", N_("Agreed passphrase"), key_display="a"),
        Binding("plus,equals_sign,һ", "more(1)", N_("More"), key_display="+"),
        Binding("minus,ө", "more(-1)", N_("Fewer"), key_display="-"),
        Binding("r,к", "reveal", N_("Reveal"), key_display="r"),
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, options: Sequence[Option], *, staged: bool = False) -> None:
        super().__init__()
        self._staged = staged
        self._load = Load(options=options)
        self._reveal = False

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Head(self.NAME, PRACTICE if self._staged else "")
        yield Static(id="goes")
        with Horizontal(id="line"):
            yield Label(_("seen from"), classes="label")
            yield Choice(
                {line.value: _(name) for line, name in LINES.items()}, self._load.line.value, id="from"
            )
        yield OptionList(*map(_way, range(len(_WAYS))), id="ways")
        yield Static(id="how")
        yield Static(id="said")
        yield ConnectionLine()
        yield Keys()

    def fill(self) -> None:
        """Say what goes and how."""
        ways = self.query_one("#ways", OptionList)
        ways.highlighted = ways.highlighted or 0
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if action == "more":
            number = self._load.number + (1 if parameters == (1,) else -1)
            return 1 <= number <= min(passing.MOST_ENTRIES, len(self._load.options))
        return self._load.sealed if action == "agree" else True

    def _show(self) -> None:
        load = self._load
        self.query_one("#goes", Static).update(
            grid(passing.preview(load, load.chosen(), reveal=self._reveal))
        )
        how = self.query_one("#how", Static)
        how.update(Text(("" if load.sealed else "⚠ ") + passing.how(load)))
        how.set_class(not load.sealed, "-risk")
        self.query_one(Head).reveal = self._reveal
        self.refresh_bindings()

    # what the person chooses

    @on(Choice.Changed, "#from")
    def _line_chosen(self, event: Choice.Changed) -> None:
        self._load.line = Line(event.chosen)
        self._show()

    def action_more(self, by: int) -> None:
        """Pass on more entries, or fewer."""
        self._load.more(by)
        self._show()

    def action_reveal(self) -> None:
        """Show or mask addresses and secrets."""
        self._reveal = not self._reveal
        self._show()

    def action_agree(self) -> None:
        """Mix in a passphrase, or leave it out; it is asked for when it is needed."""
        self._load.agreed = not self._load.agreed
        self._show()

    @work(exclusive=True, group="asking", exit_on_error=False)
    async def action_seal(self) -> None:
        """Pass on in the open, after a warning; or sealed again."""
        if self._load.sealed:
            question = ConsentScreen(passing.warning(), no=_("No, keep it sealed"))
            if not await self.app.push_screen_wait(question):
                return
        self._load.sealed, self._load.agreed = not self._load.sealed, False
        self._show()

    def action_back(self) -> None:
        """Go back."""
        self.dismiss()

    @on(OptionList.OptionSelected, "#ways")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.action_way(event.option_index)

    def action_way(self, number: int) -> None:
        """Pass it on by this way."""
        self.query_one("#ways", OptionList).highlighted = number
        self._say("")
        self._pass_on(_WAYS[number])

    @work(exclusive=True, group="asking", exit_on_error=False)
    async def _pass_on(self, way: Way) -> None:
        chosen = self._load.chosen(way)
        if not chosen.entries:
            self.complain(_("None of this can be passed on."))
            return
        try:
            if way is Way.FILE:
                from tui.screens.stick import StickScreen

                await self.app.push_screen_wait(StickScreen(chosen.entries))
                return
            made = await self._made(way, chosen.entries)
            if made is not None:
                await self._hand_over(way, made)
        except Rejected as rejected:
            self.complain(complaint(rejected))

    async def _made(self, way: Way, entries: Sequence[Entry]) -> bytes | None:
        """Return what travels, None where the person goes back. Raises Rejected."""
        if way not in LISTENED or not self._load.sealed:
            return await asyncio.to_thread(passing.message, entries, way, None)
        from tui.screens.hearing import HearingScreen

        heard = await self.app.push_screen_wait(HearingScreen(key=True))
        if heard is None:
            return None
        public = heard[0]
        if not self._load.agreed:
            return await asyncio.to_thread(passing.message, entries, way, public)
        from tui.screens.passphrase import PassphraseScreen

        made: list[bytes] = []

        async def seal(agreed: bytearray) -> None:
            made.append(await asyncio.to_thread(passing.message, entries, way, public, agreed))

        await self.app.push_screen_wait(
            PassphraseScreen(seal, N_("The passphrase that you agreed on earlier:"))
        )
        return made[0] if made else None

    async def _hand_over(self, way: Way, made: bytes) -> None:
        from tui.screens.codes import CodesScreen
        from tui.screens.reading import PartsScreen, ReadingScreen

        if way is Way.WORDS:
            await self.app.push_screen_wait(ReadingScreen(made, sealed=self._load.sealed))
        elif way is Way.SMS:
            await self.app.push_screen_wait(PartsScreen(made, sealed=self._load.sealed))
        else:
            question = ConsentScreen(passing.code_question(), no=_("No, keep it hidden"))
            if self._reveal or await self.app.push_screen_wait(question):
                await self.app.push_screen_wait(CodesScreen(made))


def _way(number: int) -> Item:
    name, does = WAYS[_WAYS[number]]
    text = Text.assemble((f"{number + 1} {_(name)}", "bold"), "\n  ", _(does))
    return Item(text, id=f"way-{number + 1}")
