"""The vault of this process: opened when it is first needed, after one question, or with --passphrase-fd after none."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from client.i18n import _, say
from client.model import Message
from client.text import printable
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from client.events import Event
    from client.render import Renderer
    from client.results import Results
    from client.run import Run
    from client.vault.content import Kept
    from client.vault.store import Vault

PREFIX: Final = "vault:"  # before the name of a list in it; alone: all of them
_TRIES: Final = 3  # on a terminal
NO_TERMINAL: Final = N_(
    "there is no terminal to ask for the vault's passphrase on: give it with --passphrase-fd N"
)
_NO_LIST: Final = N_("there is no list of this name in the vault")
_NOTHING: Final = N_("nothing is in the vault yet: `sanylau vault add FILE`")
_NO_RESULTS: Final = N_(
    "nothing in the vault was seen to work on this network: run `sanylau check vault:` first"
)
_NOT_KEPT: Final = N_("The results were not kept: {why}")


@dataclass(slots=True)
class _Process:
    """What was asked for on the command line, and the vault once it is open."""

    wanted: bool = False
    descriptor: int | None = None
    vault: Vault | None = None


_process: Final = _Process()


def want(*, vault: bool = False, descriptor: int | None = None) -> None:
    """Note what the command line says: `--vault`, `--passphrase-fd`."""
    _process.wanted = vault or descriptor is not None
    _process.descriptor = descriptor


def descriptor() -> int | None:
    """Return the descriptor that the passphrase is to be read from, None where it is to be asked."""
    return _process.descriptor


def wanted() -> bool:
    """Say whether the person asked for the vault without naming a list in it."""
    return _process.wanted


def current() -> Vault | None:
    """Return the vault if it is open already. Asks nobody."""
    return _process.vault


def adopt(vault: Vault | None) -> None:
    """Make a vault that was opened or made elsewhere the one of this process; None: it has none any more."""
    _process.vault = vault


def is_named(name: str) -> bool:
    """Say whether the name of a list leads into the vault."""
    return name.startswith(PREFIX)


def opened() -> Vault:
    """Return the vault of this process; the first time the person is asked for its passphrase. Raises Rejected."""
    if _process.vault is None:
        _process.vault = _open()
        tell_news(_process.vault)
    return _process.vault


def tell_news(vault: Vault) -> None:
    """Say what the person should know of the vault's state, once."""
    notice, vault.notice = vault.notice, None
    if notice is not None:
        _note(notice)


def _open() -> Vault:
    from client.vault import keys, passphrase, place, store
    from client.vault.age_file import CLOSED

    where = place.folder()
    if not place.check(where) or not os.path.lexists(where / place.KEY):
        raise Rejected(store.NONE)  # before anybody is asked for a passphrase
    keys.ready()
    left = 1 if _process.descriptor is not None else _TRIES
    while True:
        given = (
            passphrase.from_descriptor(_process.descriptor)
            if _process.descriptor is not None
            else passphrase.asked(_("Passphrase of the vault:"))
        )
        if given is None:
            raise Rejected(NO_TERMINAL)
        try:
            return store.Vault.open(where, given)
        except Rejected as rejected:
            left -= 1
            if rejected.reason != CLOSED or not left:
                raise
            _note(Message(CLOSED))
        finally:
            passphrase.forget(given)


def here() -> str:
    """Return the name of the network that this machine is on, as the results in the open vault have it."""
    from client.vault import network

    return network.here()


def text(name: str) -> str:
    """Return the lines of a list in the vault, or of all. Raises Rejected."""
    lists = opened().content.lists
    named = name.removeprefix(PREFIX)
    if named and named not in lists:
        raise Rejected(_NO_LIST)
    lines = lists[named] if named else tuple(dict.fromkeys(line for kept in lists.values() for line in kept))
    if not lines:
        raise Rejected(_NOTHING)
    return "\n".join(lines)


def results() -> Results:
    """Return what worked on this network, as `--results` wants it. Raises Rejected."""
    from client.results import Results
    from client.vault import kept

    content = opened().content
    found = kept.options(content, here())
    if not found:
        raise Rejected(_NO_RESULTS)
    return Results(options=tuple(found), given=len(found))


def remembering(run: Run) -> Run:
    """Return the run with the short names of before, and with what worked here before in front.

    Opens the vault where `--vault` asks for it; without any, the run is as it was. Raises Rejected.
    """
    vault = opened() if wanted() else current()
    if vault is None:
        return run
    from client.redact import Namer
    from client.vault import kept

    hopes = kept.record(vault.content, here())
    rank = kept.ranking(hopes, run.rank) if hopes else run.rank
    return replace(run, namer=Namer(vault.content.id_key), rank=rank)


def keeping(face: Renderer) -> Renderer:
    """Return a face that also keeps the results when it is closed: all that were known by then. Without a vault: `face`."""
    vault = current()
    return face if vault is None else _Keeping(face, vault)


class _Keeping:
    """Passes everything on to the face, and saves at the end."""

    def __init__(self, face: Renderer, vault: Vault) -> None:
        self._face, self._vault = face, vault
        self._kept: list[Kept] = []

    def show(self, event: Event) -> None:
        from client.events import Judged
        from client.model import Status
        from client.vault import kept

        if isinstance(event, Judged) and event.verdict.status is not Status.UNTESTED:
            self._kept.append(kept.of(event.verdict, time.time()))
        self._face.show(event)

    def close(self) -> None:
        self._face.close()
        found, self._kept = self._kept, []
        if found:
            keep(self._vault, found)


def keep(vault: Vault, found: list[Kept]) -> None:
    """Save results under the network that this machine is on now; where that cannot be, say so."""
    from client.vault.content import with_results

    network = here()
    try:
        vault.change(lambda content: with_results(content, network, found))
        tell_news(vault)
    except Rejected as rejected:
        _note(Message(_NOT_KEPT, {"why": Message(rejected.reason, rejected.values)}))


def _note(message: Message) -> None:
    sys.stderr.write(printable(say(message), 1000) + "\n")
