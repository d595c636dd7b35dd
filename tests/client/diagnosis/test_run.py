import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from client.diagnosis import anchors, run
from client.diagnosis.around import Around
from client.diagnosis.asks import Ask
from client.diagnosis.kinds import Certainty, Diagnosis, Kind
from client.diagnosis.plan import Wishes, connections
from client.diagnosis.run import Inquiry, diagnose
from client.diagnosis.sights import Came, Issuer, Name, Place, Sight, Test
from client.drill.serving import Handler, Peer
from client.settings import PROFILES
from tests.client.diagnosis.country import NAMES, Country, country
from tests.client.diagnosis.loopback import silent


def inquiry(place: Country, profile: str = "fast", **wishes: Any) -> Inquiry:
    return Inquiry(
        anchors=anchors.load(file=str(place.anchors)),
        profile=PROFILES[profile],
        wishes=Wishes(**wishes),
    )


async def told(asked: Inquiry, stop: asyncio.Event | None = None) -> tuple[Diagnosis, list[Ask | Sight]]:
    events: list[Ask | Sight] = []
    async with asyncio.timeout(asked.deadline + 10):
        found = await diagnose(asked, events.append, stop)
    assert list(found.sights) == [event for event in events if isinstance(event, Sight)]
    return found, events


async def test_an_open_line_is_named_quickly_and_cheaply(tmp_path: Path) -> None:
    async with country(tmp_path) as place:
        found, events = await told(inquiry(place))
    assert (found.main.kind, found.main.certainty) == (Kind.OPEN, Certainty.CERTAIN)
    assert found.kinds == (Kind.OPEN,)
    assert found.elapsed < 3
    assert 5 < found.connections <= 60
    assert len(place.connections) <= found.connections
    assert 128 < found.kib < 500
    assert {"tls", "quic", "dns"} <= found.passes
    assert 443 in found.tcp
    assert 443 in found.udp
    asked = [event for event in events if isinstance(event, Ask)]
    assert len({event.who for event in asked if event.test is Test.TLS}) >= 3
    assert events.index(asked[0]) == 0


async def test_forbidden_names_are_never_asked_without_being_wished_for(tmp_path: Path) -> None:
    async with country(tmp_path) as place:
        found, _ = await told(inquiry(place))
        with_them, _ = await told(inquiry(place, forbidden=True))
        assert place.named.count("forbidden.example") == 1
    assert not any(seen.name is Name.FORBIDDEN for seen in found.sights)
    assert any(seen.name is Name.FORBIDDEN and seen.test is Test.TLS for seen in with_them.sights)
    assert set(place.named) - set(NAMES) - {"forbidden.example"}, "names that cannot exist"


async def test_the_quiet_profile_spaces_its_questions(tmp_path: Path) -> None:
    async with country(tmp_path) as place:
        found, events = await told(inquiry(place, "quiet", quick=True))
    assert found.main.kind is Kind.OPEN
    asked = [event for event in events if isinstance(event, Ask)]
    paced = [one for one in asked if connections(one.test, one.way)]
    assert len(paced) >= 5
    assert 0.25 * (len(paced) - 1) < found.elapsed < 3


async def test_one_dead_server_is_no_kind(tmp_path: Path) -> None:
    async with country(tmp_path, dead=("abroad2.example",)) as place:
        found, _ = await told(inquiry(place))
    assert found.main.kind is Kind.OPEN
    dead = [seen for seen in found.sights if seen.who == "abroad-2" and seen.test is Test.CONNECT]
    assert [seen.came for seen in dead] == [Came.REFUSED] * len(dead) != []


async def test_a_national_root_of_the_anchors_file_is_known(tmp_path: Path) -> None:
    async with country(tmp_path, forged=True) as place:
        found, _ = await told(inquiry(place))
    assert (found.main.kind, found.main.certainty) == (Kind.TLS_INTERCEPTION, Certainty.CERTAIN)
    shown = [seen.certificate for seen in found.sights if seen.certificate and seen.place is Place.ABROAD]
    assert {one.issuer for one in shown} == {Issuer.NATIONAL}


async def test_a_stop_ends_it_with_what_is_known(tmp_path: Path) -> None:
    stop = asyncio.Event()

    def mute(name: str, handler: Handler) -> Handler:
        return silent

    async with country(tmp_path, abroad=mute) as place:
        asyncio.get_running_loop().call_later(0.5, stop.set)
        found, _ = await told(inquiry(place), stop)
    assert found.elapsed < 1.5
    assert any(seen.test is Test.TLS and seen.place is Place.HOME for seen in found.sights)
    assert "you stopped it" in " ".join(message.id for message in found.left_out)


async def test_the_time_limit_ends_it_with_what_is_known(tmp_path: Path) -> None:
    async with country(tmp_path, abroad=lambda name, handler: silent) as place:
        found, _ = await told(replace(inquiry(place), deadline=0.8))
    assert 0.7 < found.elapsed < 1.8
    assert "the time was over" in " ".join(message.id for message in found.left_out)


@pytest.mark.parametrize(("limit", "most"), [({"connections": 6}, 6), ({"kib": 40}, 60)])
async def test_no_more_is_used_than_allowed(tmp_path: Path, limit: dict[str, Any], most: int) -> None:
    async with country(tmp_path) as place:
        found, _ = await told(inquiry(place, **limit))
    assert found.connections <= most
    assert found.kib <= limit.get("kib", 500)
    assert sum("limit of connections or data" in message.id for message in found.left_out) == 1


async def test_a_fault_of_ours_is_raised_and_leaves_nothing(tmp_path: Path) -> None:
    def broken(event: Ask | Sight) -> None:
        if event.place is Place.HERE and isinstance(event, Sight):
            raise RuntimeError("of ours")

    async with country(tmp_path) as place:
        with pytest.raises(RuntimeError, match="of ours"):
            await diagnose(inquiry(place), broken)


async def test_a_country_without_any_server_that_answers(tmp_path: Path) -> None:
    everybody = tuple(f"{place}{n}.example" for place in ("home", "abroad") for n in (1, 2, 3, 4))
    async with country(tmp_path, dead=everybody) as place:
        found, _ = await told(inquiry(place))
    assert found.main.kind not in (Kind.OPEN, Kind.LOCAL_FAULT)


def freezing(name: str, handler: Handler) -> Handler:
    """Let 16 kB pass and then nothing: as a censor does for every host abroad."""

    async def handle(peer: Peer) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        if b"POST" in head:
            await asyncio.sleep(30)
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 98304\r\n\r\n" + bytes(15_000))
        await asyncio.sleep(30)

    return handle


async def test_a_freeze_is_named_with_its_control_at_home(tmp_path: Path) -> None:
    async with country(tmp_path, abroad=freezing) as place:
        found, _ = await told(inquiry(place))
    assert found.main.kind is Kind.QUOTA_FREEZE
    assert found.elapsed < 25
    down = [seen for seen in found.sights if seen.test is Test.DOWNLOAD]
    assert {seen.came for seen in down if seen.place is Place.ABROAD} == {Came.STOPPED}
    assert all(15_000 < seen.received < 20_000 for seen in down if seen.place is Place.ABROAD)
    assert {seen.came for seen in down if seen.place is Place.HOME} == {Came.RIGHT}


async def test_a_question_that_trips_us_is_named_and_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async def trips(question: Ask, around: Around) -> Sequence[Sight]:
        raise ValueError("hostile")

    monkeypatch.setattr(run, "ask", trips)
    asked = Inquiry(anchors=anchors.load(), profile=PROFILES["fast"])
    found = await run.diagnose(asked, lambda _: None)
    assert {seen.came for seen in found.sights} == {Came.FAULT}
    assert any(message.values.get("kind") == "ValueError" for message in found.left_out)
