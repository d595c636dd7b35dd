"""`sanylau drill`: a blackout on this machine, for training, for a first look, and as the tool's own proof."""

from __future__ import annotations

import asyncio
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

import click

from client.cli.check import fail, reason
from client.exits import Exit
from client.i18n import _, ngettext, say
from client.model import Message, Status
from client.render import words
from client.render.plain import can_show
from client.text import printable, wrapped
from transports.types import CannotMeasure, Rejected

if TYPE_CHECKING:
    from client.drill.run import Outcome, Programme, Scene


@click.command(
    short_help=_("Play a blackout on this machine."),
    help=_(
        "Play a blackout on this machine with real servers, good and hostile, and run the real check on them."
    )
    + "\n\n"
    + _(
        "Bridges are played too where tor and obfs4proxy are installed. "
        "Nothing leaves this machine. NAME plays only that part."
    )
    + "\n\n"
    + _(
        "`sanylau drill windows` plays the opening and shutting of a past cut before the watch: about 8 minutes."
    ),
)
@click.argument("names", nargs=-1, metavar=_("[NAME]..."))
@click.option("--no-tor", is_flag=True, help=_("Leave out the bridges, which take about 20 seconds."))
@click.option(
    "--speed",
    type=click.FloatRange(100, 5000),
    default=1000,
    metavar="N",
    help=_("With windows: how many times as fast as it was."),
)
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def drill(ctx: click.Context, /, names: tuple[str, ...], no_tor: bool, speed: float) -> None:
    """Play and explain."""
    if names == ("windows",):
        from client.cli.drill_windows import play_windows

        ctx.exit(play_windows(speed))
    ctx.exit(_play(names, tor=not no_tor))


def _play(names: tuple[str, ...], *, tor: bool) -> int:
    from client.drill.run import play, programme

    try:
        what = programme(names, tor=tor)
        _announce(what)
        outcome = asyncio.run(play(what, _Screen()))
    except Rejected as rejected:
        return fail(reason(rejected))
    except CannotMeasure as missing:
        sys.stderr.write(f"sanylau: {say(Message(missing.reason, missing.values))}\n")
        return Exit.NOT_MEASURED
    except asyncio.CancelledError:
        return Exit.INTERRUPTED
    _tell(*_explain(outcome))
    return _status(outcome)


def _status(outcome: Outcome) -> Exit:
    if outcome.stopped:
        return Exit.INTERRUPTED
    if any(scene.wrong for scene in outcome.scenes):
        return Exit.NOTHING
    judged = any(scene.right for scene in outcome.scenes)
    return Exit.WORKING if judged else Exit.NOT_MEASURED


def _announce(what: Programme) -> None:
    from client.drill.bridges import USUAL, on_disk

    _tell(_("A blackout is played on this machine now. Nothing leaves it; no network is needed."))
    if what.bridges and (folder := on_disk()):
        text = _(
            "The bridges' programs work in a temporary folder in {folder}, erased at the end. Nothing of yours is in it.",
            folder=printable(str(folder), 200),
        )
        _tell(text)
    if what.proxies and what.bridges:
        text = ngettext(
            "First the proxies. Meanwhile a private Tor network for the bridges is set up: about {n} second.",
            "First the proxies. Meanwhile a private Tor network for the bridges is set up: about {n} seconds.",
            round(USUAL),
        )
        _tell(text)
    if what.proxies:
        click.echo("")


def _tell(*lines: str) -> None:
    for line in wrapped(list(lines)) if sys.stdout.isatty() else lines:
        click.echo(line)


class _Screen:
    """Shows the drill as it goes on. On a terminal the line about the wait counts the seconds."""

    def __init__(self) -> None:
        self._symbols = can_show("✔◐☠⊘✘", sys.stdout)
        self._wide = 0

    def scene(self, scene: Scene) -> None:
        """Show a part and its verdict."""
        verdict = scene.verdict
        look = words.LOOKS[verdict.status]
        head = f"{look.symbol if self._symbols else look.ascii} {words.word(verdict.status)}"
        self._say(f"{head:<14} {scene.part.name:<22} {_(scene.part.story)}")
        if verdict.status is not Status.WORKING:
            where = f"{_(words.STEPS[verdict.step])}: " if verdict.step else ""
            self._say(" " * 15 + f"→ {where}{printable(say(verdict.reason), 160)}")
        if scene.wrong:
            click.echo(" " * 15 + _("! this verdict is wrong: please report it"))

    def _say(self, text: str) -> None:
        width = max(60, shutil.get_terminal_size().columns - 1)
        indent = " " * 17
        for line in textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False):
            click.echo(line)

    def waiting(self, elapsed: float) -> None:
        """Say what is waited for: once, or on a terminal with the seconds that have passed."""
        from client.drill.bridges import USUAL

        live = sys.stdout.isatty()
        if self._wide and not live:
            return
        text = _("A private Tor network for the bridges is being set up: about {usual} s", usual=round(USUAL))
        if live:
            text += " " + _("({elapsed} s so far)", elapsed=round(elapsed))
            self._rewrite(text)
        else:
            click.echo("\n" + text)
            self._wide = len(text)

    def _rewrite(self, text: str) -> None:
        text = text[: shutil.get_terminal_size().columns - 1]  # a second line could not be taken back
        click.echo("\n" if not self._wide else "\r", nl=False)
        click.echo(text + " " * (self._wide - len(text)), nl=False)
        self._wide = len(text)

    def waited(self) -> None:
        """Take the line about the wait away, where it is one that is rewritten."""
        if self._wide and sys.stdout.isatty():
            click.echo("\r" + " " * self._wide + "\r", nl=False)
            self._wide = 0


def _explain(outcome: Outcome) -> list[str]:
    lines = [""]
    if outcome.stopped:
        lines.append(_("Stopped: the rest was not played."))
    if outcome.lacks is not None:
        lines += [printable(say(outcome.lacks), 300), ""]
    if (proxies := outcome.proxies) is not None:
        right = sum(scene.right for scene in proxies.scenes)
        lines.append(
            ngettext(
                "{n} proxy played, {right} judged rightly, in {seconds}.",
                "{n} proxies played, {right} judged rightly, in {seconds}.",
                len(proxies.scenes),
                right=right,
                seconds=words.seconds(proxies.elapsed),
            )
        )
    if (bridges := outcome.bridges) is not None:
        right = sum(scene.right for scene in bridges.scenes)
        lines.append(
            ngettext(
                "{n} Tor bridge played, {right} judged rightly, in {seconds}.",
                "{n} Tor bridges played, {right} judged rightly, in {seconds}.",
                len(bridges.scenes),
                right=right,
                seconds=words.seconds(bridges.elapsed),
            )
        )
    return [*lines, *_lessons(outcome)]


def _lessons(outcome: Outcome) -> list[str]:
    lines = [_("What it shows: an open port, a granted connection or a page that loads prove nothing.")]
    if outcome.proxies is not None:
        lines.append(
            _(
                "Only content that nobody on the way can forge, and enough of it in both directions, makes a proxy working."
            )
        )
    if outcome.bridges is not None:
        lines.append(
            _("A bridge can pass every handshake and lead nowhere: only traffic through it makes it working.")
        )
    lines.append(
        _("Next: sanylau check LIST tests your own entries; sanylau doctor shows what is missing here.")
    )
    return lines
