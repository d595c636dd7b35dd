"""`sanylau bridges`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from client.cli.check import fail, reason
from client.exits import Exit
from client.i18n import _, say
from client.model import Message
from client.text import printable
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from client.bridges import Line
    from client.bridges_run import Outcome, Plan

TRANSPORTS = ("obfs4", "webtunnel", "snowflake", "meek_lite", "vanilla")
QUESTIONS = ("settings", "defaults", "builtin", "countries", "map")
_LONGEST = 4096


@click.command(
    short_help=_("Get bridges: built in, or fresh ones for a country."),
    help=_(
        "Print bridge lines, one a line, whole: here addresses are not masked, for they are what is wanted."
    )
    + "\n\n"
    + _(
        "Without a way to the bridge server nothing is sent: the built-in lines are printed. They are public and the first to be blocked. A way is --direct, --front or --through LIST."
    )
    + "\n\n"
    + _(
        "Exit status: 0 lines were found, 1 none, or the server gave none and the built-in ones stand in, 2 wrong usage or no consent, 3 no way to the server could be tried. With --check that of check."
    ),
)
@click.option("--country", metavar="CC", default="", help=_("For this country, for example kz."))
@click.option("--transport", type=click.Choice(TRANSPORTS), help=_("Only bridges of this kind."))
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="N", default=None, help=_("Only bridges on this port.")
)
@click.option("--direct", is_flag=True, help=_("Ask the server directly; your operator sees its name."))
@click.option("--front", is_flag=True, help=_("Ask behind another site's name (domain fronting)."))
@click.option("--through", metavar=_("LIST"), help=_("Ask through the first entry of LIST that leads there."))
@click.option(
    "--ask", type=click.Choice(QUESTIONS), default="settings", help=_("What to ask the server for.")
)
@click.option(
    "--captcha",
    metavar=_("FILE"),
    help=_("Get bridges for reading a picture, which is written to this new file and erased afterwards."),
)
@click.option("--moat", metavar="URL", help=_("Another bridge server."))
@click.option("--fronts", metavar=_("FILE"), help=_("Lines of meek_lite to use with --front."))
@click.option("--ca", metavar=_("FILE"), help=_("PEM certificates to trust beside the bundled ones."))
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1, max=600),
    metavar=_("SECONDS"),
    help=_("Time limit for one request."),
)
@click.option("--check", "then_check", is_flag=True, help=_("Test the lines instead of printing them."))
@click.option("--disk", is_flag=True, help=_("Let tor write to a temporary folder where none is in memory."))
@click.option("--how", is_flag=True, help=_("Tell how to ask by e-mail, by Telegram and on the web."))
@click.option("--json", "as_json", is_flag=True, help=_("Write one JSON object a line."))
@click.option("--yes", is_flag=True, help=_("Agree to being visible on the network; do not ask."))
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def bridges(
    ctx: click.Context, /, then_check: bool, disk: bool, how: bool, as_json: bool, yes: bool, **rest: object
) -> None:
    """Collect the wishes and carry them out."""
    from client.bridges_run import Wishes

    wishes = Wishes(**{name: value for name, value in rest.items() if value})  # type: ignore[arg-type]
    ctx.exit(perform(wishes, then_check=then_check, disk=disk, how=how, as_json=as_json, yes=yes))


def perform(wishes: object, *, then_check: bool, disk: bool, how: bool, as_json: bool, yes: bool) -> int:
    """Ask the person, ask the server, print or check. Returns the exit status."""
    from client import bridges_run, platform

    assert isinstance(wishes, bridges_run.Wishes)
    try:
        plan = bridges_run.prepare(wishes)
    except Rejected as rejected:
        return fail(reason(rejected))
    if how:
        for line in bridges_run.how(plan):
            click.echo(say(line))
        return Exit.WORKING
    if plan.sends:
        status = _consented(plan, yes)
        if status is not None:
            return status
    # Who was asked about --front has been told whether its program writes to the disk.
    plan = replace(plan, disk=disk or (plan.wishes.front and not yes))
    outcome = platform.run(bridges_run.carry_out(plan, _tell))
    if then_check:
        return _check(outcome, disk=disk, as_json=as_json, yes=yes)
    _print(outcome, as_json=as_json)
    if outcome.lines:
        _tell(Message(N_("These lines were not tested: --check tests them.")))
    return outcome.status


def _tell(message: Message) -> None:
    sys.stderr.write(printable(say(message), _LONGEST) + "\n")
    sys.stderr.flush()


def _consented(plan: Plan, yes: bool) -> int | None:
    """Return None if the person agrees, else the exit status."""
    from client import bridges_run, consent

    if plan.wishes.captcha:
        terminal = consent.open_terminal()
        if terminal is None:
            return fail(_("--captcha needs a terminal to type the answer on; nothing was sent"))
        terminal.close()
    if yes:
        return None
    agreed = consent.ask([say(line) for line in bridges_run.consent_text(plan)])
    if agreed is None:
        return fail(_("nothing was sent: there is no terminal to ask on; agree beforehand with --yes"))
    return None if agreed else fail(_("nothing was sent."))


def _print(outcome: Outcome, *, as_json: bool) -> None:
    import json

    if not as_json:
        for text in (*(line.text for line in outcome.lines), *outcome.words):
            click.echo(printable(text, _LONGEST))
        return
    for line in outcome.lines:
        click.echo(json.dumps(_as_json(line)))
    for code, kinds in outcome.countries.items():
        click.echo(json.dumps({"v": 1, "type": "country", "country": code, "settings": list(kinds)}))
    summary = {"lines": len(outcome.lines), "source": outcome.source, "date": outcome.date}
    click.echo(json.dumps({"v": 1, "type": "summary", **summary}))


def _as_json(line: Line) -> dict[str, object]:
    told = {"line": line.text, "transport": line.transport, "port": line.port, "source": line.origin}
    return {"v": 1, "type": "bridge", **told}


def _check(outcome: Outcome, *, disk: bool, as_json: bool, yes: bool) -> int:
    """Hand the lines over to the check, which asks its own question."""
    from client import check, parse
    from client.cli.check import ask_and_start

    if not outcome.lines:
        return outcome.status
    reading = parse.read([("bridges", "\n".join(line.text for line in outcome.lines))])
    wishes = check.Wishes(disk=disk)
    return ask_and_start(wishes, check.prepare(wishes, reading), as_json=as_json, reveal=False, yes=yes)
