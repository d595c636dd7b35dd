"""What answers mean, as tables."""

import pytest

from client.beacon.wire import Protocol
from client.diagnosis import code
from client.diagnosis.kinds import Certainty, Kind
from client.diagnosis.sights import Place
from client.holes import judge, plan
from client.holes.names import Recursing
from client.holes.plan import CONTROLS, Evidence, Seen, State

TCP, UDP = Protocol.TCP, Protocol.UDP


def keyed(*ports: int, protocol: Protocol = TCP) -> list[Seen]:
    return [Seen(protocol=protocol, port=port, state=State.OPEN, evidence=Evidence.KEYED) for port in ports]


def paged(*ports: int) -> list[Seen]:
    return [Seen(protocol=TCP, port=port, state=State.OPEN, evidence=Evidence.PAGE) for port in ports]


def seen(state: State, *ports: int, offered: bool = True) -> list[Seen]:
    return [Seen(protocol=TCP, port=port, state=state, offered=offered) for port in ports]


def controls(state: State) -> list[Seen]:
    return [Seen(protocol=TCP, port=port, state=state, offered=False, control=True) for port in CONTROLS]


SHUT = seen(State.SILENT, 80, 443, 22, 853, 8080)
REFUSING = seen(State.REFUSED, 646, offered=False)


@pytest.mark.parametrize(
    ("answers", "ports", "kind", "certainty"),
    [
        (keyed(179, 3785) + SHUT, (179, 3785), Kind.PORT_HOLES, Certainty.LIKELY),
        (paged(179, 3785) + SHUT, (179, 3785), Kind.PORT_HOLES, Certainty.LIKELY),
        (keyed(179) + seen(State.SILENT, 80), (179,), Kind.UNCLEAR, Certainty.CANNOT_TELL),
        (keyed(179, 3785, 80, 443, 22), (22, 80, 179, 443, 3785), Kind.UNCLEAR, Certainty.CANNOT_TELL),
        (SHUT, (), Kind.UNCLEAR, Certainty.CANNOT_TELL),
        (seen(State.REFUSED, 179, 80, 443, 22), (), Kind.UNCLEAR, Certainty.CANNOT_TELL),
        (seen(State.MUTE, 179, 80, 443, 22), (), Kind.UNCLEAR, Certainty.CANNOT_TELL),
        (REFUSING + controls(State.SILENT) + SHUT, (646,), Kind.PORT_HOLES, Certainty.LIKELY),
        (REFUSING + controls(State.REFUSED) + SHUT, (), Kind.UNCLEAR, Certainty.CANNOT_TELL),
        (REFUSING + controls(State.MUTE) + SHUT, (), Kind.UNCLEAR, Certainty.CANNOT_TELL),
        (REFUSING + SHUT, (), Kind.UNCLEAR, Certainty.CANNOT_TELL),
        ([], (), Kind.UNCLEAR, Certainty.CANNOT_TELL),
    ],
)
def test_conclusions(answers: list[Seen], ports: tuple[int, ...], kind: Kind, certainty: Certainty) -> None:
    outcome = judge.conclude(answers, [], beacon=True)
    told = code.decode(outcome.code)
    assert (told.tcp, told.kinds, told.certainty) == (ports, (kind,), certainty)
    assert (outcome.kind, outcome.certainty) == (kind, certainty)
    assert len(outcome.code) < 60


def test_a_port_that_was_led_elsewhere_crosses_but_is_told_apart() -> None:
    moved = Seen(protocol=TCP, port=53, state=State.MOVED, evidence=Evidence.KEYED, arrived=80)
    outcome = judge.conclude([moved], [], beacon=True)
    assert outcome.holes == (moved,)
    assert any("another port" in doubt.id for doubt in outcome.doubts)


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        (seen(State.MUTE, 179, 80, 443), "key never came back"),
        (seen(State.OTHER, 179, 80, 443), "key never came back"),
        (seen(State.REFUSED, 179, 80, 443), "no holes"),
        (paged(179), "public host"),
        (keyed(179) + seen(State.REFUSED, 80, 443, 22, 53), "no holes"),
        (REFUSING + controls(State.SILENT), "nobody uses were silent"),
        (keyed(53, protocol=UDP) + seen(State.MUTE, 80, 443, 22), "inside TLS"),
    ],
)
def test_doubts_are_said(answers: list[Seen], word: str) -> None:
    doubts = judge.conclude(answers, [], beacon=True).doubts
    assert any(word in doubt.id for doubt in doubts)


def test_a_clean_result_has_no_doubts() -> None:
    assert judge.conclude(keyed(179, 3785) + SHUT, [], beacon=True).doubts == ()


def test_names_that_cross_are_in_the_code() -> None:
    found = [
        Recursing(who="system 1", place=Place.HERE, right=True, fresh=True, largest=900, answered=True),
        Recursing(who="resolver-1", place=Place.ABROAD, right=True, fresh=True, largest=100, answered=True),
    ]
    assert [one.tunnel for one in found] == ["yes", "slow"]
    told = code.decode(judge.conclude([], found, beacon=False).code)
    assert (told.udp, told.passes) == ((53,), frozenset({"dns"}))
    told = code.decode(judge.conclude([], found[:1], beacon=False).code)
    assert (told.udp, told.passes) == ((), frozenset({"dns"}))
    no = Recursing(who="system 1", place=Place.HERE, right=True, largest=900, answered=True)
    assert no.tunnel == "no"
    assert code.decode(judge.conclude([], [no], beacon=False).code).passes == frozenset()


def test_protocols_that_cross_are_in_the_code() -> None:
    both = keyed(179) + keyed(3785, protocol=UDP)
    told = code.decode(judge.conclude(both, [], beacon=True).code)
    assert (told.tcp, told.udp, told.passes) == ((179,), (3785,), frozenset({"raw", "udp"}))
    assert code.decode(judge.conclude(paged(179), [], beacon=False).code).passes == {"http"}


def test_every_hole_is_good_for_something() -> None:
    ports = plan.load()
    for protocol, likely in ports.likely.items():
        for port in likely:
            assert str(port) in judge.use(protocol, port, ports.uses).values["ports"]  # type: ignore[operator]
    assert "obfs4 bridge or a SOCKS proxy" in judge.use(TCP, 3785, ports.uses).id
    assert "DNS" in judge.use(UDP, 53, ports.uses).id
    assert set(ports.uses.values()) <= {"dns", "web", "shell", "quic", "time"}
