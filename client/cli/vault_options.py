"""The options of every command that can use a vault: written once. They reach no command; `client.vault.opened` has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from client.i18n import _
from client.vault import opened

_Command = TypeVar("_Command", bound=Callable[..., object])


def _note(ctx: click.Context, param: click.Parameter, value: bool | int | None) -> None:
    """Hand on what was given so far: click calls this for each of the two options, given or not."""
    given = ctx.meta.setdefault("client.vault", {})
    given[param.name] = value
    if not ctx.resilient_parsing:
        opened.want(vault=bool(given.get("vault")), descriptor=given.get("passphrase_fd"))


descriptor_option = click.option(
    "--passphrase-fd",
    type=click.IntRange(0, 65535),
    metavar="N",
    expose_value=False,
    callback=_note,
    help=_("Read the vault's passphrase from this open descriptor, one line; do not ask."),
)


def vault_options(command: _Command) -> _Command:
    """Give a command `--vault` and `--passphrase-fd N`."""
    return _flag(_("Open the vault: keep the results in it, try first what worked here before."))(
        descriptor_option(command)
    )


def consent_options(command: _Command) -> _Command:
    """Give the same to a command that keeps nothing but what the person has agreed to."""
    return _flag(_("Open the vault: it can remember what you agree to."))(descriptor_option(command))


def _flag(text: str) -> Callable[[_Command], _Command]:
    return click.option("--vault", is_flag=True, expose_value=False, callback=_note, help=text)
