"""`sanylau drill windows`: the openings of a past cut, and the watch that waits for them."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from client.exits import Exit
from client.i18n import _, say
from client.model import Message
from transports.types import CannotMeasure

if TYPE_CHECKING:
    from client.drill.windows import Played, Scene
    from client.watch.replay import Table


def play_windows(speed: float) -> int:
    """Play the table at this speed and tell how the watch did. Returns the exit status."""
    from client.watch import replay

    table = replay.load()
    click.echo(
        _(
            "The windows of {place}, {day}, are played on this machine {speed} times as fast: about {minutes} minutes. Nothing leaves it. Times are UTC.",
            place=table.place,
            day=f"{datetime.fromtimestamp(table.start, UTC):%Y-%m}",
            speed=round(speed),
            minutes=max(1, round((table.end - table.start) / speed / 60)),
        )
    )
    try:
        played = asyncio.run(_play(table, speed))
    except CannotMeasure as missing:
        sys.stderr.write(f"sanylau: {say(Message(missing.reason, missing.values))}\n")
        return Exit.NOT_MEASURED
    except asyncio.CancelledError:
        return Exit.INTERRUPTED
    for line in _told(played):
        click.echo(line)
    if played.stopped:
        return Exit.INTERRUPTED
    return Exit.WORKING if all(scene.right for scene in played.scenes) else Exit.NOTHING


async def _play(table: Table, speed: float) -> Played:
    from client.drill.windows import play
    from client.platform import on_interrupt
    from client.steering import Stop
    from client.watch import events as told
    from client.watch import words

    def hear(event: told.Event) -> None:
        if isinstance(event, told.Turned | told.Expected) and (text := words.line(event, UTC)):
            click.echo(f"{datetime.fromtimestamp(event.at, UTC):%d.%m.} {text}")

    stop = Stop()
    with on_interrupt(lambda: stop.ring("interrupted")):
        return await play(table, hear, speed=speed, stop=stop)


def _told(played: Played) -> list[str]:
    from client.render.plain import can_show
    from client.watch import words

    lines = ["", *words.drawn(played.calendar, symbols=can_show("█▒·│", sys.stdout), zone=UTC), ""]
    lines += [_scene(scene) for scene in played.scenes]
    lines.append(words.played(sum(scene.right for scene in played.scenes), len(played.scenes)))
    lines.append(
        _(
            "Next: sanylau watch LIST waits on your own line; --vault keeps the calendar that the forecast needs."
        )
    )
    return lines


def _scene(scene: Scene) -> str:
    values: dict[str, object] = {"start": f"{datetime.fromtimestamp(scene.window.start, UTC):%d.%m. %H:%M}"}
    if scene.opened is None:
        return _("{start}  the opening was not announced", **values)
    text = _("{start}  announced after {seconds} s", **values, seconds=round(scene.opened))
    if scene.forecast is not None and abs(scene.forecast.start - scene.window.start) < 2 * 3600:
        minutes = round((scene.forecast.start - scene.window.start) / 60)
        text += "; " + _("it had been expected {minutes} minutes off", minutes=abs(minutes))
    return text
