"""What was taken in: shown masked, and then only what the person wants: kept, written, shown, tested."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

import click

from client import commands
from client.cli.share import tell
from client.exits import Exit
from client.i18n import _, ngettext, say
from client.text import printable
from transports.types import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client.share.capsule import Entry
    from client.share.intake import Got

_SHOWN: Final = 40
_LIST: Final = "taken"


def settle(got: Got, given: dict[str, Any]) -> int:
    """Show what came and do with it what was asked for. Returns the exit status."""
    from client.cli.take_ways import said

    said(got.notes)
    _show(got, as_json=given["as_json"], reveal=given["reveal"])
    kept = _allowed(got.entries, given)
    if not kept:
        tell(_("Nothing was kept."))
        return Exit.NOTHING
    done = False
    if given["output"] is not None:
        done = _write(given["output"], kept)
    if given["add"] is not None:
        done = _add(given["add"], kept)
    if given["reveal"] and not given["as_json"]:
        done = _reveal(kept)
    if given["checking"]:
        return _check(kept, given)
    return Exit.WORKING if done or given["as_json"] else _ask(kept, given)


def _show(got: Got, *, as_json: bool, reveal: bool) -> None:
    from client.share import choosing

    names = choosing.names(got.entries)
    if as_json:
        for entry, name in zip(got.entries, names, strict=True):
            click.echo(json.dumps(_object(entry, name, reveal=reveal), ensure_ascii=False))
        told = {"entries": len(got.entries), "sealed": got.sealed, "key": got.key_id or None}
        click.echo(json.dumps({"v": 1, "type": "taken", **told, "known": got.by is not None}))
        return
    tell(ngettext("{n} entry came:", "{n} entries came:", len(got.entries)))
    for entry, name in list(zip(got.entries, names, strict=True))[:_SHOWN]:
        tell(f"• {choosing.kind(entry.endpoint)}  {name}  {say(choosing.seen(entry.seen))}")
        if entry.inward:
            tell(
                "  "
                + _(
                    "! It leads into a private network or to this machine: somebody may want you to knock there."
                )
            )
    if got.entries[_SHOWN:]:
        tell(ngettext("• and {n} more", "• and {n} more", len(got.entries) - _SHOWN))
    from client.share import signers

    name = signers.name_of(got.by) if got.by is not None else ""
    for line in choosing.how_it_came(name, got.key_id, sealed=got.sealed):
        tell(say(line))


def _object(entry: Entry, name: str, *, reveal: bool) -> dict[str, Any]:
    from client.share import choosing

    told = {
        "v": 1,
        "type": "entry",
        "id": name.removeprefix("#"),
        "transport": choosing.kind(entry.endpoint),
        "seen": entry.seen.what.value,
        "age": entry.seen.age,
        "network": entry.seen.line.value,
        "inward": entry.inward,
    }
    return told | {"candidate": printable(entry.endpoint.reveal(), 8192)} if reveal else told


def _allowed(entries: Sequence[Entry], given: dict[str, Any]) -> tuple[Entry, ...]:
    """Leave out what leads inward, unless the person wants it."""
    inward = sum(entry.inward for entry in entries)
    if not inward or given["inward"]:
        return tuple(entries)
    tell(
        ngettext(
            "{n} entry that leads inward is left out; --inward keeps it.",
            "{n} entries that lead inward are left out; --inward keeps them.",
            inward,
        )
    )
    return tuple(entry for entry in entries if not entry.inward)


def _text(entries: Sequence[Entry]) -> str:
    from client.share import listing
    from client.share.capsule import Capsule

    return listing.write(Capsule(entries=tuple(entries)))[0]


def _write(path: str, entries: Sequence[Entry]) -> bool:
    from client.cli.share_ways import named
    from client.export import writing

    try:
        writing.write(path, _text(entries))
    except Rejected as rejected:
        raise named(path, rejected) from None
    check = commands.command("check", [path])
    tell(_("Written to {file}, readable. → Test it: `{check}`", file=printable(path, 120), check=check))
    return True


def _add(name: str, entries: Sequence[Entry]) -> bool:
    from client.vault import opened
    from client.vault.content import with_list

    lines = [line for line in _text(entries).splitlines() if line and not line.startswith("#")]
    opened.opened().change(lambda content: with_list(content, name, lines))
    check = commands.command("check", [f"{opened.PREFIX}{name}"])
    tell(
        _(
            "Kept in the vault, in the list {name}. → Test it: `{check}`",
            name=printable(name, 60),
            check=check,
        )
    )
    return True


def _reveal(entries: Sequence[Entry]) -> bool:
    click.echo(printable_lines(_text(entries)), nl=False)
    return True


def printable_lines(text: str) -> str:
    """Return a text that is safe for a terminal, line by line."""
    return "".join(f"{printable(line, 8192)}\n" for line in text.splitlines())


def _check(entries: Sequence[Entry], given: dict[str, Any]) -> int:
    """Test the entries, after the usual question."""
    from client import check as checking
    from client import parse
    from client.cli.check import ask_and_start
    from client.cli.target_options import wishes_of

    wishes = wishes_of((), given)
    run = checking.prepare(wishes, parse.read([(_LIST, _text(entries))]))
    return ask_and_start(wishes, run, as_json=given["as_json"], reveal=given["reveal"], yes=given["yes"])


def _ask(entries: Sequence[Entry], given: dict[str, Any]) -> int:
    """Ask what to do with it, until the person wants nothing more; without a terminal say what could be done."""
    from client.cli.desk import at_desk, letter
    from client.vault import place

    status = int(Exit.NOTHING)
    has_vault = os.path.lexists(place.folder() / place.KEY)
    with at_desk() as desk:
        if desk is None:
            tell(
                _(
                    "→ Nothing was kept. --check tests it, -o FILE writes it, --add NAME keeps it in the vault."
                )
            )
            return status
        while True:
            desk.forget()  # what stands in a pasted message behind its capsule must not choose
            desk.say("", _("t: test it now (you are asked what is contacted)   s: show it here, readable"))
            if has_vault:
                desk.say(_("v: keep it in the vault"))
            answer = letter(desk.ask(_("Enter alone: nothing more.")))
            if answer == "t":
                status = _check(entries, given)
            elif answer == "v" and has_vault:
                _add(_LIST, entries)
                status = Exit.WORKING
            elif answer == "s":
                desk.show(printable_lines(_text(entries)))
                status = Exit.WORKING
            elif not answer:
                return status
