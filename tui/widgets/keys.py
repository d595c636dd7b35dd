"""The lines at the bottom that name the keys: the screen's own first, below them those that hold everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

from client.i18n import _

_GAP: Final = 2
_LONGEST: Final = 5  # lines
_HELP: Final = "explain"
_ALWAYS: Final = frozenset({"panic", _HELP})  # actions whose keys are named however little room there is

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Key:
    """One key: the name that Textual has for it, how it is written, what it does (in words), and whether it does now.

    `stays`: it is never left out.
    """

    name: str
    shown: str
    does: str
    enabled: bool = True
    stays: bool = False

    @property
    def width(self) -> int:
        """Return how many cells it takes."""
        return cell_len(self.shown) + 1 + cell_len(self.does)


class Keys(Widget):
    """Shows the keys of the screen that it is on. A click presses the key. It is as high as it has to be."""

    DEFAULT_CSS = """
    Keys {
        dock: bottom; height: auto; width: 1fr; background: $footer-background; color: $footer-description-foreground;
    }
    Keys > .keys--key { color: $footer-key-foreground; text-style: bold; }
    """
    COMPONENT_CLASSES = {"keys--key"}  # noqa: RUF012 - declared so by Textual
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._own: tuple[Key, ...] = ()
        self._common: tuple[Key, ...] = ()

    def on_mount(self) -> None:
        """Follow what the keys do."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[Result]) -> None:
        if self.is_attached and screen is self.screen:
            self._look()

    def _look(self) -> None:
        own, common = self._keys()
        if (own, common) != (self._own, self._common):
            self._own, self._common = own, common
            self.refresh(layout=True)

    def _keys(self) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
        own: dict[str, Key] = {}
        common: dict[str, Key] = {}
        for node, binding, enabled, _tooltip in self.screen.active_bindings.values():
            self._take(common if node is self.app else own, binding, enabled)
        if self.screen.is_modal:  # keys with priority are heard all the same
            for _key, binding in self.app._bindings:
                if binding.priority and self.app.check_action(binding.action, ()):
                    self._take(common, binding, True)
        order = getattr(self.app, "KEY_ORDER", ())
        rest = len(order)
        sure = sorted(common, key=lambda action: order.index(action) if action in order else rest)
        return tuple(own.values()), tuple(common[action] for action in sure)

    def _take(self, there: dict[str, Key], binding: Binding, enabled: bool) -> None:
        if binding.show and binding.description:
            stays = binding.key == "escape" or binding.action in _ALWAYS
            known = there.get(binding.action)
            if known is None:
                shown = self._written(binding)
                there[binding.action] = Key(binding.key, shown, _(binding.description), enabled, stays)
            elif stays:
                there[binding.action] = replace(known, stays=True)

    def _written(self, binding: Binding) -> str:
        types = isinstance(self.screen.focused, Input | TextArea)  # there a question mark is a letter
        return "f1" if types and binding.action == _HELP else self.app.get_key_display(binding)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Return the lines that are needed at this width."""
        return max(1, len(self._lines(width)))

    def _lines(self, width: int) -> list[list[Key]]:
        return fitting(self._own, self._common, width)

    def render(self) -> Text:
        """Return the lines."""
        style = self.get_component_rich_style("keys--key", partial=True)
        lines = [_line(keys, style) for keys in self._lines(self.size.width)]
        return Text("\n", no_wrap=True, overflow="ellipsis").join(lines)

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        name = event.style.meta.get("key")
        if isinstance(name, str):
            self.app.simulate_key(name)


def fitting(own: Sequence[Key], common: Sequence[Key], width: int, most: int = _LONGEST) -> list[list[Key]]:
    """Return the lines of both, at most `most`: of the keys that may go, the last ones of the screen go first."""
    mine, ours = list(own), list(common)
    while len(lines := [*broken(mine, width), *broken(ours, width)]) > most:
        keys = next((keys for keys in (mine, ours) if not all(key.stays for key in keys)), None)
        if keys is None:
            break
        keys.remove([key for key in keys if not key.stays][-1])
    return lines


def broken(keys: Iterable[Key], width: int) -> list[list[Key]]:
    """Return the keys in lines of at most `width` cells, and one cell of margin on each side."""
    lines: list[list[Key]] = []
    room = 0
    for key in keys:
        if not lines or key.width + _GAP > room:
            lines.append([])
            room = width - 2 + _GAP
        lines[-1].append(key)
        room -= key.width + _GAP
    return lines


def _line(keys: Sequence[Key], style: Style) -> Text:
    line = Text(" ")
    for number, key in enumerate(keys):
        line.append(" " * _GAP if number else "")
        meta = Style(meta={"key": key.name}, dim=not key.enabled)
        line.append(key.shown, style=style + meta)
        line.append(f" {key.does}", style=meta)
    return line
