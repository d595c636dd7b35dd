"""`sanylau vault`: make, fill, look at and change the encrypted store. Sends nothing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from client.cli.check import fail, reason
from client.cli.vault_options import descriptor_option
from client.exits import Exit
from client.i18n import _, ngettext
from client.text import printable, wrapped
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from client.model import Reading
    from client.vault.content import Content
    from client.vault.store import Vault

_Command = TypeVar("_Command", bound=Callable[..., Any])
_SHOWN = 10  # lines that are no entries
_LONGEST = 8192
_STDIN = "-"


@click.group(
    short_help=_("Keep lists and results encrypted."),
    help=_("Keep lists, results and settings on this machine, encrypted under a passphrase. Nothing is sent.")
    + "\n\n"
    + _(
        "Other commands take vault: as a LIST for all that is in it, vault:NAME for one list. Both files open with the standard age program too."
    )
    + "\n\n"
    + _("Exit status: 0 done, 2 wrong usage, wrong passphrase, or it could not be saved, 130 interrupted."),
)
def vault() -> None:
    """Group the commands."""


def _common(command: _Command) -> _Command:
    hidden = click.option("--lang", expose_value=False, hidden=True)
    return hidden(descriptor_option(command))


@vault.command(
    short_help=_("Make a vault."),
    help=_("Make a vault. The passphrase is asked twice; nobody can open the vault without it."),
)
@_common
@click.pass_context
def create(ctx: click.Context) -> None:
    """Make a vault."""
    ctx.exit(_done(_create))


@vault.command("open", short_help=_("Say what is in it."), help=_("Open the vault and say what is in it."))
@click.option("--json", "as_json", is_flag=True, help=_("Write one JSON object."))
@_common
@click.pass_context
def show(ctx: click.Context, as_json: bool) -> None:
    """Open it and tell."""
    ctx.exit(_done(lambda: _tell(_opened().content, as_json=as_json)))


@vault.command(
    short_help=_("Add entries to a list."),
    help=_("Add the entries of each LIST (a file, or - for standard input) to a list in the vault."),
)
@click.argument("lists", nargs=-1, required=True, metavar=_("LIST..."))
@click.option(
    "--name", default="main", metavar=_("NAME"), help=_("The list in the vault; main if not given.")
)
@_common
@click.pass_context
def add(ctx: click.Context, lists: tuple[str, ...], name: str) -> None:
    """Take entries in."""
    ctx.exit(_done(lambda: _add(lists, name)))


@vault.command(
    "list",
    short_help=_("Show lists, or entries."),
    help=_("Show the lists in the vault, or the entries of one."),
)
@click.argument("name", required=False, metavar=_("[NAME]"))
@click.option("--json", "as_json", is_flag=True, help=_("Write one JSON object a line."))
@click.option("--reveal", is_flag=True, help=_("Show addresses and secrets; they are masked otherwise."))
@_common
@click.pass_context
def listing(ctx: click.Context, name: str | None, as_json: bool, reveal: bool) -> None:
    """Show lists or entries."""
    ctx.exit(_done(lambda: _list(name, as_json=as_json, reveal=reveal)))


@vault.command(short_help=_("Change the passphrase."), help=_("Put the vault under another passphrase."))
@click.option(
    "--new-passphrase-fd",
    "number",
    type=click.IntRange(0, 65535),
    metavar="N",
    help=_("Read the new passphrase from this open descriptor; with the same N it is the second line."),
)
@_common
@click.pass_context
def passphrase(ctx: click.Context, number: int | None) -> None:
    """Change the passphrase."""
    ctx.exit(_done(lambda: _passphrase(number)))


@vault.command(
    short_help=_("Write entries in the open."),
    help=_("Write the entries of a list, or of all, in the open: whole and not encrypted."),
)
@click.argument("name", required=False, metavar=_("[NAME]"))
@click.option("-o", "--output", metavar=_("FILE"), help=_("Write a new file that only you may read."))
@_common
@click.pass_context
def export(ctx: click.Context, name: str | None, output: str | None) -> None:
    """Write entries in the open."""
    ctx.exit(_done(lambda: _export(name, output)))


@vault.command(
    short_help=_("Take a list or results out."),
    help=_("Take a list out of the vault, with what was seen of its entries."),
)
@click.argument("name", required=False, metavar=_("[NAME]"))
@click.option("--results", is_flag=True, help=_("Take out all results; the lists stay."))
@click.option("--consents", is_flag=True, help=_("Forget what you agreed to: you are asked again."))
@_common
@click.pass_context
def remove(ctx: click.Context, name: str | None, results: bool, consents: bool) -> None:
    """Take something out."""
    ctx.exit(_done(lambda: _remove(name, results=results, consents=consents)))


def _done(act: Callable[[], object]) -> Exit:
    from client.vault import opened

    try:
        act()
        vault = opened.current()
        if vault is not None:
            opened.tell_news(vault)
    except Rejected as rejected:
        return fail(reason(rejected))
    return Exit.WORKING


def _opened() -> Vault:
    from client.vault import opened

    return opened.opened()


def _note(text: str) -> None:
    sys.stderr.write("\n".join(wrapped([text])) + "\n")


def _create() -> None:
    from client.vault import keys, opened, place, store
    from client.vault import passphrase as words

    where = place.folder()
    keys.ready()
    store.vacant(where)  # before anybody thinks of a passphrase
    _note(
        _("The vault will be in {folder}. Everything in it is encrypted.", folder=printable(str(where), 400))
    )
    _note(_("Whoever forgets the passphrase has lost what is in the vault: nobody can open it without."))
    given = _new(opened.descriptor(), _("New passphrase:"))
    try:
        opened.adopt(store.Vault.create(where, given))
    finally:
        words.forget(given)
    click.echo(_("The vault is made. Fill it: `sanylau vault add FILE`"))


def _new(number: int | None, prompt: str) -> bytearray:
    """Return a new passphrase from a descriptor, or asked twice. Raises Rejected."""
    from client.vault import opened
    from client.vault import passphrase as words

    if number is None:
        given = words.chosen(prompt)
        if given is None:
            raise Rejected(opened.NO_TERMINAL)
        return given
    given = words.from_descriptor(number)
    try:
        words.weigh(given)
    except Rejected:
        words.forget(given)
        raise
    return given


def _passphrase(number: int | None) -> None:
    from client.vault import passphrase as words

    vault = _opened()
    given = _new(number, _("New passphrase:"))
    try:
        vault.set_passphrase(given)
    finally:
        words.forget(given)
    click.echo(_("From now on the vault opens with the new passphrase only."))
    _note(
        _(
            "A copy of the old key.age (a backup, another stick) still opens with the old one, and with it every copy of the vault. If somebody may have both, make a new vault."
        )
    )


def _tell(content: Content, *, as_json: bool) -> None:
    """Say what is in the vault: numbers and names, no entry."""
    from client.vault.consents import count

    lists = {name: len(lines) for name, lines in content.lists.items()}
    networks = {name: (len(kept), max(one.seen for one in kept)) for name, kept in content.results.items()}
    if as_json:
        listed = [
            {"network": name, "results": number, "seen": round(seen)}
            for name, (number, seen) in networks.items()
        ]
        told = {"v": 1, "type": "vault", "lists": lists, "networks": listed}
        click.echo(json.dumps(told | {"calendars": len(content.calendars)}))
        return
    if not lists and not networks:
        click.echo(_("The vault is empty. Fill it: `sanylau vault add FILE`"))
    _say_lists(content)
    if agreed := count(content):
        click.echo(ngettext("{n} consent is remembered", "{n} consents are remembered", agreed))
    for name, (number, seen) in networks.items():
        values = {"network": printable(name, 60), "date": time.strftime("%Y-%m-%d", time.gmtime(seen))}
        click.echo(
            ngettext(
                "{n} result of the network {network}, of {date}",
                "{n} results of the network {network}, the last of {date}",
                number,
                **values,
            )
        )


def _say_lists(content: Content) -> None:
    for name, lines in content.lists.items():
        click.echo(f"vault:{printable(name)}  " + ngettext("{n} entry", "{n} entries", len(lines)))


def _add(names: tuple[str, ...], name: str) -> None:
    from client.vault import content as contents

    contents.named(name)
    vault = _opened()
    reading = _read(names)
    lines = [one.endpoint.reveal() for one in reading.candidates]
    fitting = list(filter(contents.fits, lines))
    if more := len(lines) - len(fitting):
        _note(
            ngettext("{n} entry is too long for the vault.", "{n} entries are too long for the vault.", more)
        )
    if not fitting:
        raise Rejected(N_("there is no entry in this list: give proxies, share links or bridge lines"))
    before = len(vault.content.lists.get(name, ()))
    after = vault.change(lambda content: contents.with_list(content, name, fitting))
    kept = after.lists[name]
    click.echo(
        f"vault:{name}  " + ngettext("{n} entry", "{n} entries", len(kept)) + f" (+{len(kept) - before})"
    )
    if any(one != _STDIN for one in names):
        _note(_("The file that they came from still holds them in the open: erase it if it need not stay."))


def _read(names: tuple[str, ...]) -> Reading:
    """Read the lists, and say which lines are no entries. Raises Rejected."""
    from client import parse, sources
    from client.cli.share_ways import named
    from client.events import LineRejected
    from client.render import plain

    if _STDIN in names and sys.stdin.isatty():
        _note(_("Paste the list, then press Ctrl-D on a line of its own."))
    texts = []
    for name in names:
        try:
            texts.append(sources.load(name))
        except Rejected as rejected:
            raise named(name, rejected) from None
    reading = parse.read(texts)
    for line in reading.rejected[:_SHOWN]:
        _note(plain.rejected(LineRejected(line)))
    if len(reading.rejected) > _SHOWN:
        _note(
            ngettext(
                "{n} more line is no entry.", "{n} more lines are no entries.", len(reading.rejected) - _SHOWN
            )
        )
    return reading


def _list(name: str | None, *, as_json: bool, reveal: bool) -> None:
    from client.vault import opened

    content = _opened().content
    if name is None:
        if as_json:
            for one, lines in content.lists.items():
                click.echo(json.dumps({"v": 1, "type": "list", "name": one, "entries": len(lines)}))
            return
        _say_lists(content)
        if not content.lists:
            click.echo(_("The vault is empty. Fill it: `sanylau vault add FILE`"))
        return
    for entry in _entries(
        content, opened.text(opened.PREFIX + name.removeprefix(opened.PREFIX)), reveal=reveal
    ):
        if as_json:
            click.echo(json.dumps({"v": 1, "type": "entry", **entry}))
        else:
            shown = [f"#{entry['id']}", entry["transport"], *([entry["status"] or "", entry["seen"] or ""])]
            click.echo(
                "  ".join([*(str(one) for one in shown if one), *([entry["candidate"]] if reveal else [])])
            )


def _entries(content: Content, text: str, *, reveal: bool) -> list[dict[str, Any]]:
    """Return of each line its short name, its kind, and what was last seen of it on any network."""
    from client import parse
    from client.model import kinds_of
    from client.redact import Namer

    namer = Namer(content.id_key)
    last = {
        one.line: one for kept in content.results.values() for one in sorted(kept, key=lambda one: one.seen)
    }
    entries = []
    for candidate in parse.read([("", text)]).candidates:
        endpoint = candidate.endpoint
        seen = last.get(endpoint.reveal())
        entry: dict[str, Any] = {
            "id": namer.id(endpoint),
            "transport": kinds_of(endpoint)[0],
            "status": seen.status.value if seen else None,
            "seen": time.strftime("%Y-%m-%d", time.gmtime(seen.seen)) if seen else None,
        }
        entries.append(entry | ({"candidate": printable(endpoint.reveal(), _LONGEST)} if reveal else {}))
    return entries


def _export(name: str | None, output: str | None) -> None:
    from client.export import writing
    from client.vault import opened

    if output is not None:
        writing.check(output)
    text = opened.text(opened.PREFIX + (name or "").removeprefix(opened.PREFIX))
    if output is None:
        for line in text.splitlines():
            click.echo(printable(line, _LONGEST))
        return
    writing.write(output, text + "\n")
    _note(
        _("This file is not encrypted: whoever takes the machine can read it. Erase it as soon as you can.")
    )


def _remove(name: str | None, *, results: bool, consents: bool) -> None:
    from client.vault import consents as agreements
    from client.vault import content as contents

    if [name is not None, results, consents].count(True) != 1:
        raise Rejected(N_("name a list to take out, or give --results or --consents"))
    vault = _opened()
    if name is None:
        vault.change(contents.without_results if results else agreements.none)
    else:
        short = name.removeprefix("vault:")
        vault.change(lambda content: contents.without_list(content, short))
    click.echo(_("Taken out. Flash storage may keep the old file for a while, encrypted."))
