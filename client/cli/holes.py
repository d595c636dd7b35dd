"""`sanylau holes`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from client.cli.check import PROFILES, Number, fail, reason
from client.exits import Exit
from client.i18n import _, say
from transports.types import Rejected

if TYPE_CHECKING:
    from client.holes.run import Plan


@click.command(
    short_help=_("Find out which ports still cross."),
    help=_(
        "Find out which TCP and UDP ports and which resolvers still lead abroad, the likely ones first, and say what each is good for."
    )
    + "\n\n"
    + _(
        "A helper abroad runs sanylau beacon and gives you its code; --beacon FILE or --beacon - takes it. Without one public hosts are asked, for few ports and with weaker proof."
    )
    + "\n\n"
    + _("Exit status: 0 a hole was found, 1 none, 2 wrong usage or no consent, 3 could not measure."),
)
@click.option(
    "--beacon", metavar=_("FILE"), default="", help=_("The codes of one or more beacons; - to type them.")
)
@click.option("--all", "everything", is_flag=True, help=_("All 65,535 ports, of a beacon that has answered."))
@click.option(
    "--profile", type=click.Choice(PROFILES), default="quiet", help=_("How fast; quiet is the default.")
)
@click.option("--first", type=click.IntRange(min=1), metavar="N", help=_("Stop after N holes."))
@click.option(
    "--from",
    "start",
    metavar=_("PORT"),
    default="",
    help=_("Begin at this port of the order, as was printed."),
)
@click.option("--protocol", type=click.Choice(("tcp", "udp")), default=None, help=_("Only this protocol."))
@click.option(
    "--listed",
    metavar=_("FILE"),
    default="",
    help=_("Addresses of an allow-list, to see which of them answer."),
)
@click.option("--ports-only", is_flag=True, help=_("Ask no resolvers and no allow-list."))
@click.option(
    "--country", metavar="CC", default="", help=_("Ask servers in this country too, for example KZ.")
)
@click.option("--anchors", metavar=_("FILE"), default="", help=_("Ask the servers of this file instead."))
@click.option(
    "--timeout",
    type=Number(min=0.1, max=60),
    metavar=_("SECONDS"),
    default=None,
    help=_("Time limit for one answer."),
)
@click.option("--json", "as_json", is_flag=True, help=_("Write one JSON object a line."))
@click.option("--yes", is_flag=True, help=_("Agree to being visible on the network; do not ask."))
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def holes(ctx: click.Context, /, as_json: bool, yes: bool, **rest: object) -> None:
    """Collect the wishes and carry them out."""
    from client.holes.run import Wishes

    wishes = Wishes(**{name: value for name, value in rest.items() if value})  # type: ignore[arg-type]
    ctx.exit(perform(wishes, as_json=as_json, yes=yes))


def perform(wishes: object, *, as_json: bool, yes: bool) -> int:
    """Read, ask, search. Returns the exit status."""
    from client.holes import run

    assert isinstance(wishes, run.Wishes)
    if wishes.beacon == "-" and sys.stdin.isatty():
        sys.stderr.write(_("Type or paste the code, then press Ctrl-D on a line of its own.") + "\n")
    try:
        plan = run.prepare(wishes)
    except Rejected as rejected:
        return fail(reason(rejected))
    if not yes:
        from client import consent

        agreed = consent.ask([say(line) for line in run.consent_text(plan)])
        if agreed is None:
            return fail(_("nothing was sent: there is no terminal to ask on; agree beforehand with --yes"))
        if not agreed:
            return fail(_("nothing was sent."))
    return _search(plan, as_json=as_json)


def _search(plan: Plan, *, as_json: bool) -> int:
    import asyncio

    from client import platform
    from client.holes import run, show

    face = (show.JsonLines if as_json else show.Text)(plan.ports.uses)
    try:
        finished = platform.run(run.carry_out(plan, face.show))
    except asyncio.CancelledError:
        return Exit.INTERRUPTED
    face.show(finished)
    return run.status(finished)
