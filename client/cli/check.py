"""`sanylau check`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from client.cli.target_options import PROFILES, Number, target_options, wishes_of
from client.exits import Exit
from client.i18n import _, say
from client.model import Message
from client.text import printable
from transports.types import Rejected

if TYPE_CHECKING:
    from client.check import Wishes
    from client.diagnosis.run import Inquiry
    from client.engine import Run

__all__ = [
    "PROFILES",
    "Number",
    "agreed",
    "ask_and_start",
    "check",
    "fail",
    "perform",
    "prepared",
    "reason",
    "start",
]


def fail(text: str) -> Exit:
    """Write one line of complaint to standard error and return the status for wrong usage."""
    sys.stderr.write(f"sanylau: {text}\n")
    return Exit.USAGE


def reason(rejected: Rejected) -> str:
    """Return a rejection in the person's language, safe for a terminal."""
    values = {
        name: printable(value, 1500) if isinstance(value, str) else value
        for name, value in rejected.values.items()
    }
    return say(Message(rejected.reason, values))


@click.command(
    short_help=_("Test proxies and share links."),
    help=_(
        "Test the entries of each LIST (a file, or - for standard input) and say which really carry traffic."
    )
    + "\n\n"
    + _("Without a LIST the built-in Tor bridges are tested, and Tor itself.")
    + "\n\n"
    + _("Exit status: 0 something works, 1 nothing works, 2 wrong usage or no consent, 3 could not measure."),
)
@click.argument("lists", nargs=-1, metavar=_("[LIST]..."))
@click.option("--json", "as_json", is_flag=True, help=_("Write one JSON object a line."))
@click.option("--first", type=click.IntRange(min=1), metavar="N", help=_("Stop after N working ones."))
@target_options
@click.option(
    "--diagnose",
    "diagnose_first",
    is_flag=True,
    help=_("Name the kind of cut first, and try first what it spares."),
)
@click.option(
    "--country", metavar="CC", default="", help=_("Ask servers in this country too, for example KZ.")
)
@click.option("--anchors", metavar=_("FILE"), default="", help=_("Ask the servers of this file instead."))
@click.option("--reveal", is_flag=True, help=_("Show addresses and secrets; they are masked otherwise."))
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def check(
    ctx: click.Context,
    /,
    as_json: bool,
    reveal: bool,
    yes: bool,
    lists: tuple[str, ...],
    first: int | None,
    diagnose_first: bool,
    country: str,
    anchors: str,
    **rest: object,
) -> None:
    """Collect the wishes and carry them out."""
    inquiry: Inquiry | None = None
    if diagnose_first and rest["diagnosis"] is None and not (country and anchors):
        from client.diagnosis import inquire

        try:
            inquiry = inquire.prepare(country=country, file=anchors, profile=str(rest["profile"]))
        except Rejected as rejected:
            ctx.exit(fail(reason(rejected)))
    elif diagnose_first or country or anchors:
        ctx.exit(fail(_("--country or --anchors belongs to --diagnose, and --diagnosis CODE stands alone")))

    wishes = wishes_of(lists, rest, first=first or 0)
    ctx.exit(perform(wishes, as_json=as_json, reveal=reveal, yes=yes, inquiry=inquiry))


def perform(wishes: Wishes, *, as_json: bool, reveal: bool, yes: bool, inquiry: Inquiry | None = None) -> int:
    """Read, ask, run. Returns the exit status."""
    run = prepared(wishes)
    if isinstance(run, Exit):
        return run
    return ask_and_start(wishes, run, as_json=as_json, reveal=reveal, yes=yes, inquiry=inquiry)


def prepared(wishes: Wishes) -> Run | Exit:
    """Read the lists and return the run that the wishes describe, or the exit status where that cannot be."""
    from client import check as checking

    if "-" in wishes.lists and sys.stdin.isatty():
        sys.stderr.write(_("Paste the list, then press Ctrl-D on a line of its own.") + "\n")
    try:
        reading = checking.take_in(wishes.lists)
        run = checking.prepare(wishes, reading)
    except checking.BadList as bad:
        return fail(f"{printable(bad.source, 120)}: {reason(bad.rejected)}")
    except Rejected as rejected:
        return fail(reason(rejected))
    if not reading.given:
        return fail(_("there is no entry in this list: give proxies, share links or bridge lines"))
    return run


def agreed(wishes: Wishes, run: Run, *, yes: bool, inquiry: Inquiry | None = None) -> Run | Exit:
    """Ask for consent, unless it was given or nothing will be sent. Returns the run, or why there is none."""
    from client import check as checking

    if yes or not checking.to_be_tested(run):
        return run
    from client import consent
    from client.vault.consents import Matter

    matter = Matter(command="check", contacts=checking.contacted(run, wishes))
    answer = consent.ask([*_about(inquiry), *checking.consent_text(run)], matter=matter)
    if answer is None:
        return fail(_("nothing was sent: there is no terminal to ask on; agree beforehand with --yes"))
    if not answer:
        return fail(_("nothing was sent."))
    if checking.must_ask_for_disk(run) and consent.ask(consent.about_disk()):
        return checking.prepare(replace(wishes, disk=True), run.reading)
    return run


def ask_and_start(
    wishes: Wishes, run: Run, *, as_json: bool, reveal: bool, yes: bool, inquiry: Inquiry | None = None
) -> int:
    """Ask for consent, unless it was given, and carry the run out. Returns the exit status.

    With `inquiry` the line is diagnosed first, under the same consent, and the run is ordered by what was found.
    """
    from client import check as checking

    consented = agreed(wishes, run, yes=yes, inquiry=inquiry)
    if isinstance(consented, Exit):
        return consented
    run = consented
    if inquiry is not None and checking.to_be_tested(run):
        from client.cli.diagnose import carried_out

        found = carried_out(inquiry, as_json=as_json)
        if isinstance(found, Exit):
            return found
        run = replace(run, rank=checking.ranking_by(found))
    return start(run, as_json=as_json, reveal=reveal)


def _about(inquiry: Inquiry | None) -> list[str]:
    """Return what is asked for the diagnosis that comes first."""
    if inquiry is None:
        return []
    from client.diagnosis import inquire

    return [*inquire.consent_text(inquiry), ""]


def start(run: Run, *, as_json: bool, reveal: bool) -> int:
    """Carry out a prepared run with the face that fits the output. Returns the exit status."""
    import asyncio

    from client import check as checking
    from client import platform
    from client.render import Renderer
    from client.render.plain import SYMBOLS, Plain, can_show
    from client.vault import opened

    renderer: Renderer
    if as_json:
        from client.render.jsonl import JsonLines

        renderer = JsonLines(reveal=reveal)
    elif sys.stdout.isatty() and can_show(SYMBOLS, sys.stdout):
        from client.render.live import LiveTable

        renderer = LiveTable(reveal=reveal)
    else:
        renderer = Plain(reveal=reveal)
    try:
        return platform.run(checking.carry_out(run, opened.keeping(renderer)))
    except asyncio.CancelledError:
        return Exit.INTERRUPTED
    except BrokenPipeError:  # click would take it for a failure of its own, and end with 1: nothing works
        return Exit.NOT_READ
