"""Use it: what one option is, the program that it goes into, the steps, and the keys that export or connect."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from client.export.formats import FORMATS
from client.guide.way import Way
from client.i18n import _
from client.model import N_, LineState, Rejected
from client.options import Option
from tui import using
from tui.describe import Lines
from tui.intake import complaint
from tui.messages import ConnectThrough, Disconnect, PassOn
from tui.screens.consent import ConsentScreen
from tui.screens.export import ExportScreen
from tui.screens.page import PRACTICE, Explained, Page
from tui.screens.programs import ProgramsScreen
from tui.screens.qr import QrScreen
from tui.widgets.connection_line import ConnectionLine, connection_of
from tui.widgets.facts import Facts
from tui.widgets.head import Head
from tui.widgets.keys import Keys

if TYPE_CHECKING:
    from tui.session import Session
    from tui.using import Better


class UseScreen(Page[None]):
    """Shows how to use `option`. `state` is what is known of the person's own line."""

    CSS_PATH = "use.tcss"
    AUTO_FOCUS = "#guide"
    NAME = N_("Use it")
    ABOUT = N_("How one entry is used, step by step, in a program of this or another device.")
    KEYS: ClassVar[Explained] = (
        ("↑ ↓", N_("scroll the guide")),
        ("c", N_("open a port on this machine for its programs, through this entry; again: close it")),
        ("w", N_("the same for the whole desktop: its system proxy leads there meanwhile")),
        ("e", N_("write the entry as another program wants it; the file is for you only")),
        ("q", N_("show the entry as a QR code, for the camera of another device")),
        ("h", N_("hand it to somebody: by words, SMS, QR code or stick")),
        ("b", N_("where an entry does not protect: the better way that there is")),
        ("← →", N_("another program or device; a shows them all")),
        ("r", N_("show or mask addresses and secrets")),
        ("Esc", N_("go back; a connection that is up stays up")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        # The second key is the same place on a Russian or Kazakh keyboard.
        Binding("c,с", "connect", N_("Connect"), key_display="c"),
        Binding("c,с", "disconnect", N_("Disconnect"), key_display="c"),
        Binding("w,ц", "connect_all", N_("Whole desktop"), key_display="w"),
        Binding("e,у", "export", N_("Export"), key_display="e"),
        Binding("q,й", "code", N_("QR"), key_display="q"),
        Binding("h,р", "pass_on", N_("Pass it on"), key_display="h"),
        Binding("b,и", "better", N_("Better"), key_display="b"),
        Binding("a,ф", "programs", N_("Programs"), key_display="a"),
        Binding("left", "step(-1)", show=False),
        Binding("right", "step(1)", N_("Next program"), key_display="→"),
        Binding("r,к", "reveal", N_("Reveal"), key_display="r"),
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, option: Option, state: LineState = LineState.UNKNOWN) -> None:
        super().__init__()
        self._option = option
        self._state = state
        self._reveal = False
        self._ways: tuple[Way, ...] = ()
        self._at = 0
        self._port = 0
        self._wrong = ""
        self._better: Better | None = None
        session = self._session
        self._staged = session is not None and session.staged

    @property
    def _session(self) -> Session | None:
        return cast("Session | None", getattr(self.app, "session", None))

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Head(self.NAME, PRACTICE if self._staged else "")
        yield Facts(id="guide")
        yield ConnectionLine()
        yield Keys()

    def fill(self) -> None:
        """Find the ways, and show one."""
        try:
            self._ways = using.ways_of(self._option, self._state)
        except Rejected as rejected:
            self._wrong = complaint(rejected)
        self._go(self._at)

    def _go(self, at: int) -> None:
        """Show the way with the number `at`, and what is better than it."""
        self._at, self._better = at, None
        if self._ways and not self._wrong:
            others = using.protecting(self._session, self._option)
            self._better = using.better_of(self._ways[at], others, self._state)
        self._show(start=True)

    def on_screen_resume(self) -> None:
        """Show what has changed meanwhile."""
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if action in ("programs", "step"):
            return len(self._ways) > 1
        if action == "better":
            return self._better is not None
        if action == "disconnect":
            return self._connected
        if action == "connect":
            return not self._connected and using.can_connect(self._option)
        if action == "connect_all":
            return not self._connected and using.can_connect(self._option) and using.has_desktop()
        return True

    @on(ConnectionLine.Changed)
    def _connection_changed(self) -> None:
        self._show()

    def action_back(self) -> None:
        """Go back to the results."""
        self.dismiss()

    def action_step(self, by: int) -> None:
        """Show the next program, or the one before."""
        self._go((self._at + by) % len(self._ways))

    def action_better(self) -> None:
        """Show the better way instead."""
        if self._better is None:
            return
        way = self._better.way
        self._option, self._at = way.option, 0
        self._ways = using.ways_of(way.option, self._state)
        same = (
            number for number, one in enumerate(self._ways) if (one.app, one.system) == (way.app, way.system)
        )
        self._go(next(same, 0))

    def action_reveal(self) -> None:
        """Show or mask addresses and secrets."""
        self._reveal = not self._reveal
        self._show()

    @work(exclusive=True, group="asking", exit_on_error=False)
    async def action_programs(self) -> None:
        """Choose another program from the list."""
        chosen = await self.app.push_screen_wait(ProgramsScreen(self._ways, self._at))
        if chosen is not None:
            self._go(chosen)

    def action_connect(self) -> None:
        """Connect through this option."""
        self.post_message(ConnectThrough(self._option))

    def action_connect_all(self) -> None:
        """Connect through this option, for all programs of this desktop."""
        self.post_message(ConnectThrough(self._option, system=True))

    def action_disconnect(self) -> None:
        """End the connection that was made for this option."""
        self.post_message(Disconnect())

    @property
    def _connected(self) -> bool:
        connection = connection_of(self.app)
        return connection is not None and connection.wanted == self._option.id

    def action_pass_on(self) -> None:
        """Hand it to somebody."""
        self.post_message(PassOn(self._option))

    def action_export(self) -> None:
        """Write it as another program wants it."""
        chosen = self._ways[self._at].app.export if self._ways else ""
        connection = connection_of(self.app)
        port = connection.port if connection is not None else 0
        first = chosen if chosen in FORMATS else ""
        self.app.push_screen(ExportScreen(self._option, first=first, port=port, staged=self._staged))

    @work(exclusive=True, group="asking", exit_on_error=False)
    async def action_code(self) -> None:
        """Show the code, after a question: it holds the whole entry."""
        if not self._reveal and not await self.app.push_screen_wait(
            ConsentScreen(_question(), no=_("No, keep it hidden"), staged=self._staged)
        ):
            return
        if await self.app.push_screen_wait(QrScreen(self._option, staged=self._staged)):
            self.app.push_screen(ExportScreen(self._option, first="qr-png", staged=self._staged))

    def _show(self, start: bool = False) -> None:
        connection = connection_of(self.app)
        self._port = connection.port if connection is not None else 0
        lines = using.about(self._option, self._state, reveal=self._reveal)
        lines += using.rather(self._better) if self._better is not None else []
        facts = self.query_one("#guide", Facts)
        facts.show(lines + self._guide(), start=start)
        self.query_one(Head).reveal = self._reveal
        self.refresh_bindings()

    def _guide(self) -> Lines:
        if self._wrong or not self._ways:
            said = self._wrong or _("There is no program here that this entry goes into directly.")
            return [("", Text()), ("", Text(said, style="bold"))]
        try:
            return using.told(
                self._ways[self._at], self._at, len(self._ways), reveal=self._reveal, port=self._port
            )
        except Rejected as rejected:
            return [("", Text()), ("", Text(complaint(rejected), style="bold"))]


def _question() -> list[str]:
    return [
        _("The picture holds the whole entry, password included."),
        "• " + _("Whoever sees or photographs this screen has it, and can use it or block it."),
        _("Show it now?"),
    ]
