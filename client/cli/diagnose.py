"""`sanylau diagnose`."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import click

from client.cli.check import PROFILES, fail, reason
from client.cli.vault_options import consent_options
from client.exits import Exit
from client.i18n import _
from client.vault import opened
from transports.types import Rejected

if TYPE_CHECKING:
    from client.diagnosis.kinds import Diagnosis
    from client.diagnosis.run import Inquiry


@click.command(
    short_help=_("Name the kind of cut."),
    help=_(
        "Find out what kind of cut this is: what was seen, how sure that is, what still passes, what to do."
    )
    + "\n\n"
    + _("Exit status: 0 a kind was named, 2 wrong usage or no consent, 3 could not measure."),
)
@click.option(
    "--country", metavar="CC", default="", help=_("Ask servers in this country too, for example KZ.")
)
@click.option("--anchors", metavar=_("FILE"), default="", help=_("Ask the servers of this file instead."))
@click.option("--json", "as_json", is_flag=True, help=_("Write one JSON object."))
@click.option(
    "--forbidden", is_flag=True, help=_("Ask names that may be forbidden too, after a question of its own.")
)
@click.option(
    "--policing", is_flag=True, help=_("Try several connections at once too; some networks punish that.")
)
@click.option(
    "--profile", type=click.Choice(PROFILES), default="quiet", help=_("How fast; quiet is the default.")
)
@click.option("--yes", is_flag=True, help=_("Agree to being visible on the network; do not ask."))
@click.option(
    "--yes-forbidden", is_flag=True, help=_("Agree that your operator sees the forbidden names; do not ask.")
)
@consent_options
@click.option("--explain", metavar=_("CODE"), help=_("Say what a result code means. Sends nothing."))
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def diagnose(
    ctx: click.Context,
    /,
    explain: str | None,
    country: str,
    anchors: str,
    profile: str,
    forbidden: bool,
    policing: bool,
    **rest: bool,
) -> None:
    """Collect the wishes and carry them out."""
    if explain is not None:
        ctx.exit(_explain(explain, as_json=rest["as_json"]))
    if country and anchors:
        ctx.exit(fail(_("give --country or --anchors, not both")))
    from client.diagnosis import inquire

    try:
        inquiry = inquire.prepare(
            country=country,
            file=anchors,
            profile=profile,
            forbidden=forbidden or rest["yes_forbidden"],
            policing=policing,
        )
        if opened.wanted():
            opened.opened()
    except Rejected as rejected:
        ctx.exit(fail(reason(rejected)))
    agreed = _agreed(inquiry, yes=rest["yes"], yes_forbidden=rest["yes_forbidden"])
    ctx.exit(agreed if isinstance(agreed, Exit) else start(agreed, as_json=rest["as_json"]))


def _explain(text: str, *, as_json: bool) -> Exit:
    from client.diagnosis import code
    from client.render import diagnosis as face
    from client.text import wrapped

    try:
        told = code.decode(text)
    except Rejected as rejected:
        return fail(reason(rejected))
    if as_json:
        click.echo(json.dumps(face.told_json(told)))
    else:
        click.echo("\n".join(wrapped(face.explained(told))))
    return Exit.WORKING


def _agreed(inquiry: Inquiry, *, yes: bool, yes_forbidden: bool) -> Inquiry | Exit:
    """Ask what has to be asked. Names that may be forbidden have a question of their own: --yes is no answer to it."""
    from dataclasses import replace

    from client import consent
    from client.diagnosis import inquire
    from client.vault.consents import Matter

    if not yes:
        matter = Matter(command="diagnose", contacts=inquire.contacted(inquiry))
        agreed = consent.ask(inquire.consent_text(inquiry), matter=matter)
        if agreed is None:
            return fail(_("nothing was sent: there is no terminal to ask on; agree beforehand with --yes"))
        if not agreed:
            return fail(_("nothing was sent."))
    if not inquiry.wishes.forbidden or not inquiry.anchors.forbidden or yes_forbidden:
        return inquiry
    agreed = consent.ask(inquire.forbidden_text(inquiry))
    if agreed is None:
        return fail(
            _(
                "nothing was sent: there is no terminal to ask about forbidden names; --yes-forbidden agrees to them"
            )
        )
    return inquiry if agreed else replace(inquiry, wishes=replace(inquiry.wishes, forbidden=False))


def start(inquiry: Inquiry, *, as_json: bool) -> Exit:
    """Carry out a prepared diagnosis and show it. Returns the exit status."""
    done = carried_out(inquiry, as_json=as_json)
    return done if isinstance(done, Exit) else status(done)


def carried_out(inquiry: Inquiry, *, as_json: bool) -> Diagnosis | Exit:
    """Carry out a prepared diagnosis and show it; return it, or the exit status where it was interrupted."""
    import asyncio

    from client import platform
    from client.diagnosis.run import diagnose as carry_out
    from client.render.diagnosis import Progress

    progress = Progress()

    async def run() -> tuple[Diagnosis, bool]:
        stop = asyncio.Event()
        with platform.on_interrupt(stop.set):
            return await carry_out(inquiry, progress.watch, stop), stop.is_set()

    try:
        found, interrupted = platform.run(run())
    except asyncio.CancelledError:
        return Exit.INTERRUPTED
    finally:
        progress.close()
    show(found, as_json=as_json, interrupted=interrupted)
    return Exit.INTERRUPTED if interrupted else found


def status(found: Diagnosis) -> Exit:
    """Return the exit status: a kind was named, or there was nothing to name it by."""
    from client.diagnosis.kinds import Kind
    from client.diagnosis.sights import Came, Place

    asked = any(
        seen.place is not Place.HERE and seen.came not in (Came.FAULT, Came.NO_ROUTE) for seen in found.sights
    )
    return Exit.WORKING if asked or found.main.kind is not Kind.UNCLEAR else Exit.NOT_MEASURED


def show(found: Diagnosis, *, as_json: bool, interrupted: bool) -> None:
    """Write it: one object for scripts, else text of the terminal's width, the kinds in colour where that is wanted."""
    from client.render import diagnosis as face
    from client.render.plain import SYMBOLS, can_show
    from client.text import wrapped

    if as_json:
        utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        click.echo(json.dumps(face.as_json(found, interrupted=interrupted), ensure_ascii=not utf8))
        return
    if interrupted:
        click.echo(_("Stopped. This is what is known so far."))
    symbols = can_show(SYMBOLS, sys.stdout)
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    heads = {f.kind: face.look(f.kind, f.certainty) for f in found.findings} if colour else {}
    styles = {f"{seen.symbol if symbols else seen.ascii} ": seen.style for seen in heads.values()}
    for line in wrapped(face.lines(found, symbols=symbols)):
        style = styles.get(line[:2])
        click.echo(click.style(line, fg=style, bold=True) if style else line)
