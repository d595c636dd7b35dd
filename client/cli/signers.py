"""The words of the own key, and taking down those of somebody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from client.exits import Exit
from client.i18n import _, current
from client.text import printable
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from client.vault.content import Content

_MOST: Final = 100
_LONGEST: Final = 40  # characters of a name

_NO_DESK: Final = N_("there is no terminal to type the words on")
_NO_NAME: Final = N_("--signer takes the name of a person, up to {limit} characters")
_ANOTHER: Final = N_(
    "{name} has another key in your vault already. Whoever wants to take that person's place would give you a new one: ask face to face. The old key is no longer known then."
)
_FULL: Final = N_("the vault knows {limit} people already: that is all it keeps")


def show_own(language: str | None) -> int:
    """Show the words of the own key, for somebody to keep. Raises Rejected."""
    from client.cli.share import tell
    from client.share import sign, signers, words

    public = sign.public(signers.own_seed())
    click.echo(words.speak_key(public, language or words.nearest(current())).text(), nl=False)
    tell(
        _(
            "These words are no secret. Tell them to somebody who knows your voice or face; there: `sanylau take --signer NAME`. What you sign proves to others, too, that it was you."
        )
    )
    tell(_("Its short name: {key}", key=sign.key_id(public)))
    return Exit.WORKING


def keep(name: str) -> int:
    """Take down the words of somebody's key and keep it under a name. Raises Rejected, Left."""
    from client.cli import speaking
    from client.cli.desk import at_desk
    from client.cli.share import tell
    from client.share import sign, signers
    from client.vault import opened
    from client.vault.content import with_setting

    if not name.strip() or len(name) > _LONGEST or printable(name, _LONGEST) != name:
        raise Rejected(_NO_NAME, limit=_LONGEST)
    vault = opened.opened()
    with at_desk() as desk:
        if desk is None:
            raise Rejected(_NO_DESK)
        desk.say(_("Ask the person for the words that `sanylau share --my-key` shows: six groups of four."))
        public = speaking.take_key(desk)
        if signers.of(vault.content).get(name, public) != public and not desk.agrees(_(_ANOTHER, name=name)):
            raise Rejected(N_("nothing was changed"))

    def with_key(content: Content) -> Content:
        people = {**signers.of(content), name: public}
        if len(people) > _MOST:
            raise Rejected(_FULL, limit=_MOST)
        return with_setting(content, signers.SETTING, {one: key.hex() for one, key in people.items()})

    vault.change(with_key)  # of what is in the file now: another process may have added somebody
    tell(_("Known from now on: {name}, with the key {key}", name=name, key=sign.key_id(public)))
    return Exit.WORKING
