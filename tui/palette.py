"""The list of commands: everything that can be done now, found by typing a few letters of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.message import Message
from textual.screen import Screen

from client import i18n
from client.i18n import _
from client.model import N_
from tui import theme
from tui.messages import FindWay, OpenList, OpenVault, PassOn, Practise, TakeIn, Wait
from tui.screens.home import OWN_NAMES, HomeScreen
from tui.widgets.too_small import is_small

if TYPE_CHECKING:
    from tui.shell import Shell

_LEFT_OUT: Final = frozenset({"commands", "language"})  # one is open, and all languages stand in it


_THEME: Final = N_("theme")  # what many look for instead of the colours


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do: what it is called, its key if it has one, and what does it."""

    name: str
    key: str
    act: Callable[[], Any]
    also: tuple[str, ...] = ()  # other names that it is found by

    def shown(self, name: Content) -> Content:
        """Return the name with the key behind it."""
        return name + Content(f"  {self.key}").stylize("dim") if self.key else name


class Commands(Provider):
    """Offers the keys of the screen below, and what has no key of its own."""

    async def discover(self) -> Hits:
        """Give everything."""
        for command in known(self.app, self.screen):
            yield DiscoveryHit(command.shown(Content(command.name)), command.act, text=command.name)

    async def search(self, query: str) -> Hits:
        """Give what has these letters; where there is none, a line that says so."""
        matcher = self.matcher(query)
        found = False
        for command in known(self.app, self.screen):
            score = max(map(matcher.match, (command.name, *command.also)))
            if score <= 0 and (alike := _alike(query)):
                score = float(any(alike in _alike(name) for name in (command.name, *command.also)))
            if score > 0:
                found = True
                shown = command.shown(matcher.highlight(command.name))
                yield Hit(score, shown, command.act, text=command.name)
        if not found:
            nothing = _("Nothing that is called so.")
            yield Hit(1.0, nothing, lambda: None, text=nothing)


def known(app: Any, screen: Screen[Any]) -> Iterator[Command]:
    """Yield what can be done on `screen` of `app` now."""
    seen, named = set(), set()
    for node, binding, enabled, _tooltip in screen.active_bindings.values():
        wanted = binding.show and binding.description and enabled and binding.action not in _LEFT_OUT
        if wanted and (node, binding.action) not in seen:
            seen.add((node, binding.action))
            act = partial(app.run_action, binding.action, default_namespace=node)
            named.add(_(binding.description))
            yield Command(_(binding.description), app.get_key_display(binding), act)
    starts: tuple[tuple[str, type[Message]], ...] = (
        (_("Find a way out"), FindWay),
        (_("Check my own list"), OpenList),
        (_("Practise"), Practise),
        (_("Wait"), Wait),
        (_("Pass it on"), PassOn),
        (_("Take in"), TakeIn),
        (_("Vault"), OpenVault),
    )
    if not isinstance(screen, HomeScreen):  # there they are keys
        for name, message in starts:
            if name in named:
                continue
            yield Command(name, "", partial(_send, app, message))
    yield Command(_("Erase everything"), "f8", app.action_wipe)
    for language, name in OWN_NAMES.items():
        yield Command(name, "", partial(app.action_language, language))
    for palette in theme.PALETTES:
        others = (*i18n.everywhere(_THEME), *i18n.everywhere(palette.label))
        yield Command(_(palette.label), "", partial(app.action_colours, palette.name), others)
    name = _("Animation: on") if app.animation_level == "none" else _("Animation: off")
    yield Command(name, "", app.action_stillness)


def _alike(text: str) -> str:
    """Return `text` without what is often typed otherwise: capitals, and a Russian ё."""
    return text.casefold().replace("ё", "е").strip()


def _send(app: Any, message: type[Message]) -> None:
    app.post_message(message())


class Palette(CommandPalette):
    """The list, in the colours of the theme and without a picture that some fonts lack."""

    DEFAULT_CSS = """
    Palette SearchIcon { display: none; }
    """

    def on_resize(self) -> None:
        """Go where there is too little room: the screen below says so."""
        if self.is_current and is_small(self.app.size):
            self.dismiss()


def open_palette(app: Shell) -> None:
    """Put the list over the screen."""
    if not isinstance(app.screen, Palette):
        app.push_screen(Palette([Commands], placeholder=_("What shall be done? Type a few letters.")))
