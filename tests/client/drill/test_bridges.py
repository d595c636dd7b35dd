"""The bridges of the drill: what is written of them, what they need, and how their network fails."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from pathlib import Path

import pytest

from client.drill import bridges, tornet, tornet_nodes
from client.drill.bridges import BRIDGE_CAST, Network, lacking, on_disk
from client.drill.cast import CAST
from client.drill.tornet import BRIDGES, Kind, missing
from client.i18n import say
from client.model import Status

installed = pytest.mark.skipif(bool(missing()), reason="needs " + ", ".join(missing()))


def test_names_are_unique_and_say_that_they_are_bridges() -> None:
    names = [part.name for part in BRIDGE_CAST]
    assert len({*names, *(part.name for part in CAST)}) == len(BRIDGE_CAST) + len(CAST)
    assert all(name.startswith("bridge-") and len(name) <= 22 for name in names)


def test_a_story_is_one_short_sentence_without_an_end() -> None:
    for part in BRIDGE_CAST:
        assert 10 < len(part.story) < 100, part.name
        assert part.story[-1] not in ".!?", part.name


def test_good_dead_wrong_and_zombie_bridges_play_and_only_good_ones_may_be_working() -> None:
    kinds = [BRIDGES[part.bridge][0] for part in BRIDGE_CAST]
    assert {Kind.GOOD, Kind.REFUSED, Kind.WRONG_CERT, Kind.WRONG_FINGERPRINT, Kind.ZOMBIE} <= set(kinds)
    for part, kind in zip(BRIDGE_CAST, kinds, strict=True):
        assert {status for status, _, _ in part.expect} == {
            Status.WORKING if kind is Kind.GOOD else Status.FAILED
        }, part.name


@pytest.mark.parametrize(
    ("present", "programs", "packages"),
    [
        ([], "tor, obfs4proxy", "tor obfs4proxy"),
        (["tor", "tor-gencert"], "obfs4proxy", "obfs4proxy"),
        (["tor", "lyrebird"], "tor-gencert", "tor"),
        (["tor", "tor-gencert", "lyrebird"], "", ""),
    ],
)
def test_what_is_missing_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, present: list[str], programs: str, packages: str
) -> None:
    for name in present:
        (tmp_path / name).touch(mode=0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tornet_nodes, "_PLACES", ())
    found = lacking()
    if not programs:
        assert found is None
        return
    assert found is not None
    assert found.values["programs"] == programs
    assert str(found.values["command"]).endswith(f"install {packages}")
    assert "\n" not in say(found)


def test_where_there_is_memory_nothing_goes_to_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridges, "memory_folder", lambda: Path("/memory"))
    assert on_disk() is None
    monkeypatch.setattr(bridges, "memory_folder", lambda: None)
    assert on_disk() is not None


async def standing(network: Network) -> None:
    network.go.set()
    async with asyncio.timeout(30):
        await network.stand()


@installed
async def test_a_network_that_takes_too_long_is_given_up_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bridges, "_LONGEST", 1.0)
    monkeypatch.setattr(tornet_nodes, "memory_folder", lambda: tmp_path)
    network = Network(["vanilla-1"])
    await standing(network)
    assert network.settled.is_set()
    assert network.net is None
    assert network.failure is not None
    assert network.failure.values == {"seconds": 1}
    assert os.listdir(tmp_path) == []


@installed
async def test_a_folder_that_cannot_be_made_is_a_reason_and_no_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tornet_nodes, "memory_folder", lambda: tmp_path / "gone")
    network = Network(["vanilla-1"])
    await standing(network)
    assert network.failure is not None
    assert network.failure.values == {"why": os.strerror(errno.ENOENT)}


@installed
async def test_programs_that_end_at_once_are_a_reason_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tornet_nodes, "memory_folder", lambda: tmp_path)
    monkeypatch.setattr(tornet_nodes, "tor_gencert", lambda: shutil.which("false"))
    network = Network(["vanilla-1"])
    await standing(network)
    assert network.failure is not None
    assert network.failure.reason == tornet._NOT_STARTED
    assert os.listdir(tmp_path) == []
