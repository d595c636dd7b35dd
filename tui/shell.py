"""What holds on every screen, whatever runs: language, colours, help, the list of commands, notices, the panic key."""

from __future__ import annotations

import os
from time import monotonic
from typing import ClassVar, Final

from rich.terminal_theme import TerminalTheme
from rich.text import Text
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver

from client import i18n
from client.i18n import _
from client.model import N_
from tui import panic, pasting, theme
from tui.screens.page import Page, Told
from tui.widgets.too_small import is_small

_LOUD: Final = 12.0  # seconds for which a notice stands that nobody may miss
_BLIND: Final = frozenset((*panic.KEYS, "f3", "ctrl+c", "ctrl+q", "ctrl+й"))
"""Keys that count where the window is too small to show what any other would do."""


class Shell(App[int]):
    """The part of the app that knows of no run."""

    TITLE = "Sanylau"
    ENABLE_COMMAND_PALETTE = False  # Textual's own; ours is bound below, in the person's language
    CSS = """
    Screen { layers: default small; }
    Screen.-small { overflow: hidden; }
    ToastRack { dock: top; align: right top; margin: 1 0 0 0; }
    Toast { padding: 0 1; margin: 0 0 1 0; }
    """  # see tui/widgets/too_small.py; notices cover neither the keys nor how the connection stands
    KEY_ORDER = ("panic", "explain", "language", "results", "disconnect", "commands", "quit")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(panic.KEYS), "panic", N_("Panic"), key_display="^x^x", priority=True),
        Binding("f1", "explain", N_("Help"), key_display="?", priority=True),
        Binding("question_mark", "explain", show=False),
        Binding("f3", "language", N_("Language"), priority=True),
        Binding("ctrl+p,ctrl+з", "commands", N_("Commands"), key_display="^p", priority=True),
        Binding("ctrl+q,ctrl+й", "quit", N_("Quit"), key_display="^q", priority=True),
    ]

    def __init__(self, *, colours: str = "", still: bool = False) -> None:
        """`colours` is one of theme.THEMES, "" the usual one; `still` leaves out all animation."""
        super().__init__()
        self._presses = panic.Presses()
        for palette in theme.PALETTES:
            self.register_theme(palette.theme)
        if colours or not os.environ.get("TEXTUAL_THEME"):
            self.theme = theme.PREFIX + (colours or theme.THEMES[0])
        if still:
            self.animation_level = "none"

    # what Textual asks

    @property
    def ansi_theme(self) -> TerminalTheme:
        """Return what the names of colours in texts mean in the theme that is on."""
        palette = theme.palette_of(self.theme)
        return palette.named if palette is not None else super().ansi_theme

    def get_driver_class(self) -> type[Driver]:
        """Return the driver, with an ear for the panic key, and none for keys in what is pasted."""
        return panic.watched(pasting.guarded(super().get_driver_class()))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A question is answered before anything else; what would lose what was typed waits until it is closed."""
        if action in ("language", "commands"):
            return isinstance(self.screen, Page)
        if action == "explain":
            from tui.palette import Palette

            return isinstance(self.screen, Palette | Told)
        return super().check_action(action, parameters)

    def _fatal_error(self) -> None:
        # Textual would print a traceback with the values of variables: addresses and secrets among them.
        if self._exit_renderables:
            return  # the first error is what is told
        kind = kind_of(self._exception)
        self.panic(
            Text(_("sanylau: the screen broke down ({kind}). `sanylau check` works without it.", kind=kind))
        )

    async def on_event(self, event: events.Event) -> None:
        """Take no key, click or paste for a screen that nobody can see."""
        outside = isinstance(event, events.InputEvent | events.Paste) and not event.is_forwarded
        known = isinstance(event, events.Key) and event.key in _BLIND
        if not (outside and is_small(self.size)) or known:
            await super().on_event(event)

    # keys that hold everywhere

    def action_panic(self) -> None:
        """Vanish at the second press; say at the first one that a second is wanted."""
        if self._presses.press(monotonic()):
            panic.vanish(self._driver)
        self.notify(
            _("Once more: everything ends and this terminal is emptied."), timeout=panic.TWICE, markup=False
        )

    def action_explain(self) -> None:
        """Open the help, or close it."""
        from tui.screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.screen.action_close()
        else:
            told = self.screen if isinstance(self.screen, Told) else self._page
            self.push_screen(HelpScreen(type(told)))

    def action_commands(self) -> None:
        """Open the list of commands."""
        from tui.palette import open_palette

        open_palette(self)

    async def action_language(self, wanted: str = "") -> None:
        """Say everything in the language `wanted`, else in the next one."""
        known = i18n.LANGUAGES
        i18n.use(wanted or known[(known.index(i18n.current()) + 1) % len(known)])
        for screen in self.screen_stack:
            if isinstance(screen, Page):
                await screen.reword()

    def action_colours(self, name: str) -> None:
        """Put on the theme `name` (theme.THEMES)."""
        self.theme = theme.PREFIX + name

    def action_stillness(self) -> None:
        """Leave out all animation, or have it again."""
        self.animation_level = "full" if self.animation_level == "none" else "none"

    # notices

    def tell(self, text: str, loud: bool = False) -> None:
        """Say something on whatever screen the person is; `loud` is for what must not be missed."""
        if loud:
            self.bell()
        self.call_later(self.clear_notifications)  # a pile of them would hide the screen
        self.notify(
            text,
            severity="error" if loud else "information",
            timeout=_LOUD if loud else None,
            markup=False,
        )

    def inform(self, text: str) -> None:
        """Say something that is no complaint, where the person has asked for it."""
        self._page.inform(text)

    def complain(self, text: str) -> None:
        """Say what is wrong, where the person has asked for it."""
        self._page.complain(text)

    @property
    def _page(self) -> Page[object]:
        return next(screen for screen in reversed(self.screen_stack) if isinstance(screen, Page))

    async def ask(self, lines: list[str], no: str = "", *, staged: bool = False) -> bool:
        """Put a question (its first line and the points below it) and return the answer. For workers only.

        `staged`: it is about the drill's stage.
        """
        from tui.screens.consent import ConsentScreen

        answer = await self.push_screen_wait(ConsentScreen(lines, no=no, staged=staged))
        return bool(answer)


def kind_of(error: BaseException | None) -> str:
    """Return the type of an error, or of the first one in a group: its text could tell too much."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__
