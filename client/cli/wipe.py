"""`sanylau wipe`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from client.cli.check import fail
from client.exits import Exit
from client.i18n import _, ngettext
from client.text import printable, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from client.wipe import Found, Wiped

_SHOWN = 10  # paths


@click.command(
    short_help=_("Erase the vault, temporary folders, and end what runs."),
    help=_(
        "Erase the vault and the temporary folders of tor and its transports, and end every other Sanylau that runs. Takes less than a second."
    )
    + "\n\n"
    + _("Exit status: 0 nothing is left, 2 no consent, 3 something could not be erased."),
)
@click.option("--yes", is_flag=True, help=_("Do not ask."))
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def wipe(ctx: click.Context, yes: bool) -> None:
    """Ask, and erase."""
    ctx.exit(_wipe(yes=yes))


def _wipe(*, yes: bool) -> int:
    from client import consent
    from client import wipe as erasing

    if not yes:
        found = erasing.look()
        if found.is_nothing and not found.foreign:
            return _say([_("There is nothing to erase."), _looked(found), *_remarks(found)])
        agreed = consent.ask(list(_question(found)), prompt=_("Erase it? [y/N] "))
        if agreed is None:
            return fail(_("nothing was erased: there is no terminal to ask on; agree beforehand with --yes"))
        if not agreed:
            return fail(_("nothing was erased."))
    done = erasing.everything()
    now = erasing.look()
    whole = done.is_whole and not now.foreign
    told = [*_told(done), *([] if done.files or now.foreign else [_looked(now)])]
    return _say([*told, *_remarks(now)], Exit.WORKING if whole else Exit.NOT_MEASURED)


def _say(lines: list[str], status: Exit = Exit.WORKING) -> int:
    click.echo("\n".join(wrapped(lines)))
    return status


def _question(found: Found) -> Iterator[str]:
    """Say what will be gone."""
    yield _("This is erased now, and nobody can bring it back:")
    if found.files:
        yield "• " + _("the vault in {folder}, with all that is in it", folder=_shown(found.vault))
    if n := len(found.folders):
        yield "• " + ngettext(
            "{n} temporary folder of tor or its transports",
            "{n} temporary folders of tor or its transports",
            n,
        )
    if n := found.running:
        yield "• " + ngettext(
            "{n} other Sanylau that runs is ended, with its connections",
            "{n} other Sanylaus that run are ended, with their connections",
            n,
        )


def _told(done: Wiped) -> Iterator[str]:
    """Say what was done, and what was not."""
    if done.files:
        yield _("The vault is gone, its key first.")
    if n := done.folders:
        yield ngettext("{n} temporary folder is gone.", "{n} temporary folders are gone.", n)
    if n := done.ended:
        yield ngettext("{n} running Sanylau was ended.", "{n} running Sanylaus were ended.", n)
    if not (done.files or done.folders or done.ended):
        yield _("There was nothing to erase.")
    for path in done.left[:_SHOWN]:
        yield _("Could not be erased: {path}", path=_shown(path))
    if n := done.still:
        yield ngettext("{n} program has not ended yet.", "{n} programs have not ended yet.", n)


def _looked(found: Found) -> str:
    """Say where a vault would have been: one on a stick is known by the name in the environment only."""
    return _(
        "No vault is in {folder}. If yours is in another place, name it: SANYLAU_VAULT=FOLDER",
        folder=_shown(found.vault),
    )


def _remarks(found: Found) -> Iterator[str]:
    """Say what is not known to be gone, and what this cannot reach."""
    if found.foreign:
        yield _(
            "Where the vault would be is something else (a link, a file, another user's folder): {folder}. It was left alone.",
            folder=_shown(found.vault),
        )
    if not found.seen:
        yield _("This system does not tell of other programs: close every other Sanylau yourself.")
    for path in found.program[:_SHOWN]:
        yield _(
            "The program itself is in {folder}: `sh start.sh --erase` removes it.",
            folder=_shown(path),
        )
    yield _(
        "Flash storage (SSD, telephone, stick), backups and synchronised folders may keep what was erased. What they keep of the vault is encrypted: without key.age or without the passphrase nobody can read it."
    )
    yield _(
        "Not erased: lists and exported files of your own, the history of your shell, what the terminal still shows."
    )


def _shown(path: Path) -> str:
    return printable(str(path), 400)
