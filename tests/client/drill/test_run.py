"""What is played for which names, and what an interrupted or failing drill still tells."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from client.drill import run, tornet_nodes
from client.drill.bridges import BRIDGE_CAST
from client.drill.cast import CAST
from client.drill.run import Scene, play, programme
from client.drill.tornet import missing
from client.model import Message
from transports.types import CannotMeasure, Rejected

installed = pytest.mark.skipif(bool(missing()), reason="needs " + ", ".join(missing()))


class Watching:
    def __init__(self, signal_at: int = 0) -> None:
        self.scenes: list[Scene] = []
        self.waits: list[float] = []
        self.over = 0
        self._signal_at = signal_at

    def scene(self, scene: Scene) -> None:
        self.scenes.append(scene)
        if len(self.scenes) == self._signal_at:
            os.kill(os.getpid(), signal.SIGINT)

    def waiting(self, elapsed: float) -> None:
        self.waits.append(elapsed)

    def waited(self) -> None:
        self.over += 1


def nothing_installed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(tornet_nodes, "_PLACES", ())


@installed
def test_without_a_name_everything_is_played() -> None:
    what = programme(())
    assert (what.proxies, what.bridges, what.lacks, what.named) == (CAST, BRIDGE_CAST, None, False)


def test_without_tor_the_bridges_are_left_out_and_nobody_complains() -> None:
    what = programme((), tor=False)
    assert (what.proxies, what.bridges, what.lacks) == (CAST, (), None)


def test_where_tor_is_missing_the_rest_is_played_and_the_reason_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nothing_installed(monkeypatch, tmp_path)
    what = programme(())
    assert (what.proxies, what.bridges) == (CAST, ())
    assert what.lacks is not None


@installed
def test_names_choose_among_both_casts_in_their_order() -> None:
    what = programme(("captive", "bridge-zombie", "good-http", "bridge-dead"))
    assert [part.name for part in what.proxies] == ["good-http", "captive"]
    assert [part.name for part in what.bridges] == ["bridge-zombie", "bridge-dead"]
    assert what.named


def test_an_unknown_name_is_refused_with_all_that_are_known() -> None:
    with pytest.raises(Rejected) as caught:
        programme(("bridge-nobody",))
    assert caught.value.values["name"] == "bridge-nobody"
    known = str(caught.value.values["known"]).split(", ")
    assert {"captive", "bridge-zombie"} <= set(known)
    assert known == sorted(known)


def test_a_named_bridge_cannot_be_played_without_its_programs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nothing_installed(monkeypatch, tmp_path)
    with pytest.raises(CannotMeasure) as caught:
        programme(("good-http", "bridge-zombie"))
    assert "install" in str(caught.value.values["command"])


def test_a_named_bridge_contradicts_a_drill_without_tor() -> None:
    with pytest.raises(Rejected) as caught:
        programme(("bridge-zombie",), tor=False)
    assert caught.value.values == {"name": "bridge-zombie"}


async def test_why_there_are_no_bridges_comes_through_to_the_outcome() -> None:
    why = Message("because")
    watching = Watching()
    outcome = await play(run.Programme(proxies=programme(("good-http",)).proxies, lacks=why), watching)
    assert outcome.lacks is why
    assert outcome.bridges is None
    assert [scene.right for scene in watching.scenes] == [True]
    assert (watching.waits, watching.over) == ([], 0)


async def test_an_interrupted_drill_shows_no_unfair_verdict_and_begins_no_other_act() -> None:
    # first-dropped is judged by its second try, which has to wait half a second.
    names = ("good-http", "good-socks5", "first-dropped-http", "first-dropped-socks5", "tarpit-http")
    watching = Watching(signal_at=1)
    what = run.Programme(proxies=programme(names).proxies, bridges=BRIDGE_CAST)
    outcome = await play(what, watching)
    assert outcome.stopped
    assert outcome.bridges is None
    assert watching.over == 0
    assert 1 <= len(watching.scenes) < len(names)
    assert all(scene.right for scene in watching.scenes)


@installed
async def test_a_network_that_fails_ends_a_drill_of_all_with_a_reason_and_a_named_one_with_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tornet_nodes, "memory_folder", lambda: tmp_path / "gone")
    proxies = programme(("good-http",)).proxies
    outcome = await play(run.Programme(proxies=proxies, bridges=BRIDGE_CAST), Watching())
    assert outcome.lacks is not None
    assert not outcome.stopped
    assert [scene.right for scene in outcome.scenes] == [True]
    with pytest.raises(CannotMeasure):
        await play(run.Programme(proxies=proxies, bridges=BRIDGE_CAST, named=True), Watching())
