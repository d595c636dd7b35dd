"""Faster or quieter: what each pace means and risks, before anything changes."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from client.i18n import _
from client.model import N_
from tui import theme
from tui.bars import PACES
from tui.screens.page import Dialog, Explained
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.keys import Keys


class _Paces(OptionList):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", N_("Take it"), key_display="⏎")]


class PaceScreen(Dialog[str | None]):
    """Gives the name of the pace that was chosen, None where it stays as it is. `wanted` is under the cursor."""

    NAME = N_("Pace")
    ABOUT = N_("What has begun keeps its time limits; the new pace counts for what comes next.")
    KEYS: ClassVar[Explained] = (("↑ ↓, Enter", N_("choose")), ("Esc", N_("leave it as it is")))
    DEFAULT_CSS = """
    PaceScreen { align: center middle; background: $background 70%; }
    PaceScreen #pace {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        background: $surface; border: round $border; border-title-color: $primary; padding: 0 1;
    }
    PaceScreen Label { width: 1fr; color: $text-muted; margin-bottom: 1; }
    PaceScreen OptionList { height: auto; max-height: 16; background: $surface; padding: 0; }
    PaceScreen OptionList, PaceScreen OptionList:focus { border: none; }
    """
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign,һ,up", "go(-1)", show=False),
        Binding("minus,ө,down", "go(1)", show=False),
        Binding("escape", "leave", N_("Leave it as it is"), key_display="esc"),
    ]

    def __init__(self, now: str, wanted: str) -> None:
        super().__init__()
        self._now = now
        self._wanted = wanted

    def compose(self) -> ComposeResult:
        """Lay out the box: the quickest above, as on a lever."""
        with Vertical(id="pace"):
            yield Label(Text(_(self.ABOUT)))
            yield _Paces(*(Option(self._told(name), id=name) for name in reversed(PACES)))
        yield ConnectionLine()
        yield Keys()

    def on_mount(self) -> None:
        """Put the cursor on what was asked for."""
        self.query_one("#pace").border_title = _("pace")
        options = self.query_one(OptionList)
        options.highlighted = options.get_option_index(self._wanted)

    def _told(self, name: str) -> Text:
        label, meaning = (_(text) for text in theme.PROFILES[name])
        text = Text(f"{'●' if name == self._now else '○'} {label}", style="bold")
        text.append(f"\n{meaning}\n", style="bold red" if name == PACES[-1] else "not bold")
        return text

    def action_go(self, by: int) -> None:
        """Move the cursor."""
        options = self.query_one(OptionList)
        options.highlighted = max(0, min((options.highlighted or 0) + by, len(PACES) - 1))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        name = event.option.id
        self.dismiss(name if name != self._now else None)

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)
