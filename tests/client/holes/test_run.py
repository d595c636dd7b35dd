"""From wishes to a plan, and what a result means for a script."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from client.beacon import invite
from client.beacon.wire import Protocol
from client.diagnosis.kinds import Certainty, Kind
from client.exits import Exit
from client.holes import run
from client.holes.events import Finished
from client.holes.judge import Outcome
from client.holes.plan import Evidence, Seen, State
from client.holes.run import Wishes
from client.i18n import say
from client.model import Message
from tests.client.holes.beacons import invited
from transports.types import Rejected

ANCHORS = """
date = 2022-01-05
source = "a test"
[[server]]
place = "abroad"
name = "www.abroad.example"
addresses = ["192.0.2.1"]
[[server]]
place = "listed"
name = "www.listed.example"
addresses = ["192.0.2.2", "192.0.2.3"]
[[name]]
place = "abroad"
name = "www.abroad.example"
[[resolver]]
operator = "somebody"
address = "192.0.2.53"
ways = ["udp", "tcp"]
[[all_ports]]
host = "ports.example"
"""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    anchors, code = tmp_path / "anchors.toml", tmp_path / "code"
    anchors.write_text(ANCHORS)
    code.write_text(invite.write(invited(host="192.0.2.9")))
    return {"anchors": str(anchors), "code": str(code)}


def test_without_a_beacon_few_ports_of_public_hosts_are_asked_slowly(files: dict[str, str]) -> None:
    plan = run.prepare(Wishes(anchors=files["anchors"], profile="fast"))
    assert [one.host for one in plan.public] == ["ports.example"]
    assert set(plan.likely) == {Protocol.TCP}
    assert len(plan.likely[Protocol.TCP]) <= 20
    assert plan.spacing >= 0.5
    words = " ".join(map(say, run.consent_text(plan)))
    for said in ("ports.example", "www.abroad.example", "www.listed.example", "at most 20 ports", "0.5 s"):
        assert said in words


def test_with_a_beacon_no_public_host_is_asked(files: dict[str, str]) -> None:
    plan = run.prepare(Wishes(anchors=files["anchors"], beacon=files["code"]))
    assert plan.public == ()
    assert set(plan.likely) == set(Protocol)
    words = " ".join(map(say, run.consent_text(plan)))
    assert "192.0.2.9" not in words
    assert "sweep" not in words


def test_a_sweep_of_all_ports_is_told_in_the_question(files: dict[str, str]) -> None:
    wishes = Wishes(anchors=files["anchors"], beacon=files["code"], everything=True)
    words = " ".join(map(say, run.consent_text(run.prepare(wishes))))
    assert "A sweep is visible to your operator: 65535 connections" in words
    assert "4 h 39 min" in words


def test_only_ports_means_neither_names_nor_lists(files: dict[str, str]) -> None:
    plan = run.prepare(Wishes(anchors=files["anchors"], ports_only=True))
    assert (plan.resolvers, plan.names, plan.listed) == ((), (), ())


def test_an_allow_list_of_ones_own(files: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "listed"
    file.write_text("# mine\n192.0.2.7\n192.0.2.8:8443 # a remark\n[2001:db8::1]:53\n2001:db8::2\n")
    plan = run.prepare(Wishes(anchors=files["anchors"], listed=str(file)))
    assert [(one.host, one.port) for one in plan.listed] == [
        ("192.0.2.7", 443),
        ("192.0.2.8", 8443),
        ("2001:db8::1", 53),
        ("2001:db8::2", 443),
    ]
    for wrong in ("www.example.org", "192.0.2.7:0", "x:y:z", "\n".join(["192.0.2.7"] * 201)):
        file.write_text(wrong)
        with pytest.raises(Rejected):
            run.prepare(Wishes(anchors=files["anchors"], listed=str(file)))


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(everything=True),
        Wishes(country="KZ", anchors="x"),
        Wishes(beacon="no-such-file"),
        Wishes(start="x"),
        Wishes(anchors="no-such-file"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(wishes: Wishes) -> None:
    with pytest.raises(Rejected):
        run.prepare(wishes)


def finished(**more: object) -> Finished:
    nothing = Outcome(holes=(), kind=Kind.UNCLEAR, certainty=Certainty.CANNOT_TELL, doubts=(), code="1")
    values: dict[str, object] = {
        "outcome": nothing,
        "asked": 9,
        "silent": 9,
        "refused": 0,
        "unknown": 0,
        "names": 0,
        "listed": 0,
        "stopped": "",
        "resume": "",
        "elapsed": 1.0,
    }
    return Finished(**(values | more))  # type: ignore[arg-type]


def test_exit_statuses() -> None:
    hole = Seen(protocol=Protocol.TCP, port=179, state=State.OPEN, evidence=Evidence.KEYED)
    found = Outcome(holes=(hole,), kind=Kind.UNCLEAR, certainty=Certainty.CANNOT_TELL, doubts=(), code="1")
    assert run.status(finished()) is Exit.NOTHING
    assert run.status(finished(outcome=found)) is Exit.WORKING
    assert run.status(finished(names=1)) is Exit.WORKING
    assert run.status(finished(unknown=9)) is Exit.NOT_MEASURED
    assert run.status(finished(asked=0)) is Exit.NOT_MEASURED
    assert run.status(finished(outcome=found, stopped="interrupted")) is Exit.INTERRUPTED
    assert run.status(finished(outcome=found, stopped="gone")) is Exit.WORKING


class SilentResolver:
    async def __call__(self, host: str) -> tuple[str, ...]:
        await asyncio.Event().wait()
        return ()


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
async def test_a_silent_resolver_holds_up_nobody_who_wants_to_stop(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "SystemResolver", SilentResolver)
    monkeypatch.setattr(run, "has_route", lambda: True)
    told: list[object] = []
    plan = run.prepare(Wishes(anchors=files["anchors"], ports_only=True))
    async with asyncio.timeout(4.0):  # a name may take eight seconds
        asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGINT)
        ended = await run.carry_out(plan, told.append)
    assert run.status(ended) is Exit.INTERRUPTED
    assert not [
        one for one in told if isinstance(one, Message)
    ]  # and nobody says that there is nobody to ask
