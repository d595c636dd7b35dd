"""`sanylau drill`: a blackout on this machine, for training, for a first look, and as the tool's own proof."""

from __future__ import annotations

import asyncio
import sys

import click

from client.cli.check import fail, reason
from client.exits import Exit
from client.i18n import _, ngettext, say
from client.model import Message, Status
from client.render import words
from client.render.plain import can_show
from client.text import printable
from transports.types import CannotMeasure, Rejected


@click.command(
    short_help=_("Play a blackout on this machine."),
    help=_(
        "Play a blackout on this machine with real servers, good and hostile, and run the real check on them."
    )
    + "\n\n"
    + _("Nothing leaves this machine. NAME plays only that part."),
)
@click.argument("names", nargs=-1, metavar=_("[NAME]..."))
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def drill(ctx: click.Context, /, names: tuple[str, ...]) -> None:
    """Play and explain."""
    ctx.exit(_play(names))


def _play(names: tuple[str, ...]) -> int:
    from client.drill.run import Outcome, Scene, play
    from client.drill.stage import choose

    symbols = can_show("✔◐☠⊘✘", sys.stdout)

    def show(scene: Scene) -> None:
        verdict = scene.verdict
        look = words.LOOKS[verdict.status]
        head = f"{look.symbol if symbols else look.ascii} {words.word(verdict.status)}"
        click.echo(f"{head:<14} {scene.part.name:<22} {_(scene.part.story)}")
        if verdict.status is not Status.WORKING:
            where = f"{_(words.STEPS[verdict.step])}: " if verdict.step else ""
            click.echo(" " * 15 + f"→ {where}{printable(say(verdict.reason), 160)}")
        if not scene.right:
            click.echo(" " * 15 + _("! this verdict is wrong: please report it"))

    try:
        choose(names or None)
        click.echo(_("A blackout is played on this machine now. Nothing leaves it; no network is needed."))
        click.echo("")
        outcome: Outcome = asyncio.run(play(names or None, show))
    except Rejected as rejected:
        return fail(reason(rejected))
    except CannotMeasure as missing:
        sys.stderr.write(f"sanylau: {say(Message(missing.reason, missing.values))}\n")
        return Exit.NOT_MEASURED
    except asyncio.CancelledError:
        return Exit.INTERRUPTED
    for line in _explain(len(outcome.scenes), len(outcome.wrong), outcome.elapsed):
        click.echo(line)
    if outcome.stopped:
        return Exit.INTERRUPTED
    return Exit.NOTHING if outcome.wrong else Exit.WORKING


def _explain(played: int, wrong: int, elapsed: float) -> list[str]:
    right = played - wrong
    return [
        "",
        ngettext(
            "{n} proxy played, {right} judged rightly, in {seconds}.",
            "{n} proxies played, {right} judged rightly, in {seconds}.",
            played,
            right=right,
            seconds=words.seconds(elapsed),
        ),
        _("What it shows: an open port, a granted connection or a page that loads prove nothing."),
        _(
            "Only content that nobody on the way can forge, and enough of it in both directions, makes a proxy working."
        ),
        _("Next: sanylau check LIST tests your own entries; sanylau doctor shows what is missing here."),
    ]
