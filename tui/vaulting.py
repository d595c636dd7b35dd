"""The vault as the screen uses it: opened or made, what is in it in words, and what goes in and out. No Textual.

All that opens or saves blocks: call it in a thread.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from client.i18n import _, ngettext
from client.model import N_, Message, Rejected, Status
from client.options import ranked
from client.text import printable
from client.vault import content as contents
from client.vault import kept, keys, opened, place, store
from client.vault.content import Content

if TYPE_CHECKING:
    from client.vault.store import Vault
    from tui.intake import Basket
    from tui.session import Session

OWN: Final = "main"
TAKEN: Final = "taken"
_NAME: Final = 40
_NONE: Final = N_("There is nothing to save: paste a list first (Start, 2).")


@dataclass(frozen=True, slots=True)
class Item:
    """Something in the vault that can be taken out: a list by its name, or ("" ) what worked on this network."""

    name: str
    said: str


def is_there() -> bool:
    """Say whether there is a vault, open or not. Raises Rejected where its folder is not ours to touch."""
    where = place.folder()
    return place.check(where) and os.path.lexists(where / place.KEY)


def where() -> str:
    """Return the vault's folder, to be shown."""
    return printable(str(place.folder()), 200)


def open_with(passphrase: bytearray) -> Message | None:
    """Open the vault for this process; return what the person should know of it. Raises Rejected."""
    keys.ready()
    return _adopt(store.Vault.open(place.folder(), passphrase))


def create_with(passphrase: bytearray) -> Message | None:
    """Make the vault, and open it. Raises Rejected."""
    keys.ready()
    return _adopt(store.Vault.create(place.folder(), passphrase))


def _adopt(vault: Vault) -> Message | None:
    opened.adopt(vault)
    notice, vault.notice = vault.notice, None
    return notice


def close() -> None:
    """Let go of the key and of what was read."""
    vault = opened.current()
    opened.want()  # from now on nobody is asked on the terminal behind the screen
    opened.adopt(None)
    if vault is not None:
        vault.close()


def items(content: Content, network: str) -> list[Item]:
    """Return what can be taken out."""
    found = []
    if worked := len(kept.options(content, network)):
        said = ngettext(
            "{n} entry that worked on this network", "{n} entries that worked on this network", worked
        )
        found.append(Item("", said))
    for name, lines in content.lists.items():
        number = ngettext("{n} entry", "{n} entries", len(lines))
        found.append(Item(name, f"{printable(name, _NAME)}  {number}"))
    return found


def about(content: Content) -> str:
    """Return what else is in it."""
    results = sum(map(len, content.results.values()))
    networks = ngettext("{n} network", "{n} networks", len(content.results))
    calendars = ngettext("{n} calendar", "{n} calendars", len(content.calendars))
    return _(
        "{results} results of {networks}, {calendars}",
        results=results,
        networks=networks,
        calendars=calendars,
    )


def take_out(basket: Basket, item: Item) -> str:
    """Put something of the vault into the basket, and return the name that it has there. Raises Rejected."""
    vault = _open()
    if item.name:
        text, name = opened.text(opened.PREFIX + item.name), opened.PREFIX + item.name
    else:
        found = ranked(kept.options(vault.content, opened.here()))
        text, name = (
            "\n".join(one.candidate.endpoint.reveal() for one in found),
            opened.PREFIX + _("worked here"),
        )
    return basket.add(name, text, path=name).name


def save_basket(basket: Basket) -> int:
    """Save the entries of the person's own lists; return how many are in the list then. Raises Rejected."""
    from client import parse

    lines = [one.endpoint.reveal() for one in parse.read(basket.texts()).candidates]
    if not lines:
        raise Rejected(_NONE)
    return save(OWN, lines)


def save(name: str, lines: list[str]) -> int:
    """Save entries in a list of the open vault; return how many are in it then. Raises Rejected."""
    fitting = list(filter(contents.fits, lines))
    after = _open().change(lambda content: contents.with_list(content, name, fitting))
    return len(after.lists.get(name, ()))


def keep_results(session: Session, now: float) -> int:
    """Keep what a run found under the network that this machine is on; return how much that is. Raises Rejected.

    `now`: seconds since the run began.
    """
    vault = opened.current()
    if vault is None or session.staged:
        return 0
    began = time.time() - now
    state = session.state
    rows = [state.at(index) for index in range(len(state))]
    found = [
        kept.of(row.verdict, began + row.verdict.finished)
        for row in rows
        if row.verdict.status is not Status.UNTESTED
    ]
    if found:
        network = opened.here()
        vault.change(lambda content: contents.with_results(content, network, found))
    return len(found)


def _open() -> Vault:
    vault = opened.current()
    if vault is None:
        raise Rejected(store.CLOSED)
    return vault
