from __future__ import annotations

from collections.abc import Collection

import pytest

from client.diagnosis.kinds import Certainty, Diagnosis, Finding, Kind
from client.diagnosis.rules import conclude
from client.i18n import say
from client.model import Control, LineState, Status
from client.render import diagnosis as face
from tests.client.diagnosis.matrix import MATRIX, SHUT
from tests.client.diagnosis.seeing import (
    RIGHT,
    SILENCE,
    bridge,
    names,
    relay,
    resolver,
    route,
    row,
    tls,
    well,
)
from tests.tui.lines import found, verdict
from tui.line_state import LineView, Name, State, Tally, Way, so_far, view_of

SURE, LIKELY, UNSURE = Certainty.CERTAIN, Certainty.LIKELY, Certainty.CANNOT_TELL
THROUGH = set(Name) - {Name.DIRECT, Name.DNS}
SHAPED = [Kind.PROTOCOL_ALLOW_LIST, Kind.RANDOM_TRAFFIC_BLOCK]


def way(view: LineView, name: Name) -> Way:
    return next(one for one in view.ways if one.name is name)


def why(view: LineView, name: Name) -> str:
    return say(way(view, name).why)


def states(view: LineView) -> dict[Name, State]:
    return {one.name: one.state for one in view.ways}


def test_a_line_of_which_nothing_is_known_claims_nothing() -> None:
    view = view_of(None, None)
    assert [one.name for one in view.ways] == list(Name)
    assert set(states(view).values()) == {State.UNKNOWN}
    assert (view.sure, view.steps, view.besides) == ("", (), ())
    assert not any(one.bars for one in view.ways)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("certainty", list(Certainty))
def test_each_kind_says_itself_how_sure_it_is_and_a_reason_for_each_way(
    kind: Kind, certainty: Certainty
) -> None:
    view = view_of(None, found(kind, certainty=certainty))
    assert say(view.kind)
    assert view.sure == face.CERTAINTIES[certainty]
    assert len(view.ways) == len(Name)
    for one in view.ways:
        assert say(one.why)
        assert "{" not in say(one.why)
        assert 0 <= one.bars <= 4
        assert bool(one.bars) == (one.state in (State.OPEN, State.PARTLY))
    assert not any("`sanylau" in step.id for step in view.steps)


@pytest.mark.parametrize("kind", list(Kind))
def test_no_diagnosis_alone_calls_a_way_through_something_open(kind: Kind) -> None:
    view = view_of(None, found(kind, passes={"tls", "http", "dns", "obfs4", "tor"}))
    assert State.OPEN not in {states(view)[name] for name in THROUGH}


@pytest.mark.parametrize("kind", list(Kind))
def test_what_cannot_be_told_shuts_nothing(kind: Kind) -> None:
    view = view_of(None, found(kind, certainty=UNSURE))
    expected = {State.UNKNOWN, State.OPEN} | ({State.FAILED} if kind is Kind.MOBILE_ONLY else set())
    assert set(states(view).values()) <= expected


DIRECT = {
    Kind.OPEN: State.OPEN,
    Kind.LOCAL_FAULT: State.SHUT,
    Kind.OUTAGE: State.SHUT,
    Kind.CAPTIVE_PORTAL: State.SHUT,
    Kind.ALLOW_LIST: State.SHUT,
    Kind.PORT_HOLES: State.SHUT,
    Kind.MOBILE_ONLY: State.SHUT,
}


@pytest.mark.parametrize("kind", sorted(set(Kind)))
def test_without_a_proxy_the_kind_decides(kind: Kind) -> None:
    assert states(view_of(None, found(kind)))[Name.DIRECT] is DIRECT.get(kind, State.PARTLY)


def test_an_open_line_that_moved_nothing_large_has_a_bar_less() -> None:
    views = [view_of(None, found(Kind.OPEN, certainty=sure)) for sure in (SURE, LIKELY)]
    assert [way(view, Name.DIRECT).bars for view in views] == [4, 3]


@pytest.mark.parametrize("kind", sorted(set(DIRECT) - {Kind.OPEN}))
def test_silence_that_is_only_likely_a_cut_is_not_called_shut(kind: Kind) -> None:
    assert states(view_of(None, found(kind, certainty=LIKELY)))[Name.DIRECT] is State.FAILED


@pytest.mark.parametrize(
    ("kind", "shut"),
    [
        (Kind.PROTOCOL_ALLOW_LIST, {Name.OBFS4, Name.SOCKS}),
        (Kind.RANDOM_TRAFFIC_BLOCK, {Name.OBFS4}),
        (Kind.UDP_BLOCK, {Name.SNOWFLAKE}),
        (Kind.TOR_BLOCK, {Name.TOR}),
        (Kind.LOCAL_FAULT, THROUGH),
        (Kind.OUTAGE, THROUGH),
        (Kind.CAPTIVE_PORTAL, THROUGH),
        (Kind.SNI_RESET, set()),
        (Kind.PORT_HOLES, set()),
        (Kind.OPEN, set()),
    ],
)
def test_a_kind_shuts_only_what_it_was_seen_to_shut(kind: Kind, shut: set[Name]) -> None:
    certain, likely = (states(view_of(None, found(kind, certainty=sure))) for sure in (SURE, LIKELY))
    assert {name for name in THROUGH if certain[name] is State.SHUT} == shut
    assert {name for name in THROUGH if likely[name] is State.FAILED} == shut


@pytest.mark.parametrize(
    ("kind", "spared"),
    [
        (Kind.SNI_RESET, {Name.OBFS4, Name.WEBTUNNEL, Name.SEALED}),
        (Kind.RANDOM_TRAFFIC_BLOCK, {Name.WEBTUNNEL, Name.MEEK, Name.WEB_PROXY}),
        (Kind.TOR_BLOCK, {Name.OBFS4, Name.WEBTUNNEL, Name.SNOWFLAKE, Name.SEALED}),
        (Kind.IP_BLOCK, {Name.SNOWFLAKE}),
        (Kind.OPEN, set()),
        (Kind.LINK_THROTTLE, set()),
    ],
)
def test_what_tends_to_survive_is_said_of_what_was_not_tried(kind: Kind, spared: set[Name]) -> None:
    view = view_of(None, found(kind))
    assert {name for name in THROUGH if "Tends to survive" in why(view, name)} == spared
    assert all(states(view)[name] is State.UNKNOWN for name in spared)
    tried = view_of(None, found(kind), [verdict("obfs4", Status.FAILED)])
    assert "Tends to survive" not in why(tried, Name.OBFS4)


@pytest.mark.parametrize("kind", SHAPED)
def test_links_with_tls_are_told_from_those_without_where_shapes_decide(kind: Kind) -> None:
    assert "TLS" in why(view_of(None, found(kind)), Name.SEALED)


def test_ports_that_cross_are_named_where_ports_decide() -> None:
    view = view_of(None, found(Kind.PORT_HOLES, tcp=(179, 3785)))
    assert {name for name in THROUGH if "179, 3785" in why(view, name)} == {
        Name.WEB_PROXY,
        Name.SOCKS,
        Name.SEALED,
        Name.OBFS4,
        Name.TOR,
    }
    assert "179" not in why(view_of(None, found(Kind.SNI_RESET, tcp=(179,))), Name.SOCKS)


@pytest.mark.parametrize(("protocol", "name"), [("obfs4", Name.OBFS4), ("tor", Name.TOR)])
def test_a_handshake_is_a_part_of_a_way_and_no_more(protocol: str, name: Name) -> None:
    diagnosis = found(Kind.UDP_BLOCK, passes={protocol})
    assert way(view_of(None, diagnosis), name) == Way(
        name, State.PARTLY, way(view_of(None, diagnosis), name).why, 1
    )
    kind = "obfs4" if name is Name.OBFS4 else "vanilla"
    failed = view_of(None, diagnosis, [verdict(kind, Status.FAILED)] * 3)
    assert (way(failed, name).state, "3 carried no page" in why(failed, name)) == (State.PARTLY, True)
    works = view_of(None, diagnosis, [verdict(kind, Status.WORKING, 100.0)])
    assert way(works, name).state is State.OPEN


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("http", Name.WEB_PROXY),
        ("https", Name.WEB_PROXY),
        ("socks4", Name.SOCKS),
        ("socks4a", Name.SOCKS),
        ("socks5", Name.SOCKS),
        *(
            (kind, Name.SEALED)
            for kind in (
                "anytls",
                "hysteria2",
                "shadowsocks",
                "singbox",
                "trojan",
                "tuic",
                "vless",
                "vmess",
                "wireguard",
            )
        ),
        ("obfs4", Name.OBFS4),
        ("snowflake", Name.SNOWFLAKE),
        ("webtunnel", Name.WEBTUNNEL),
        ("meek_lite", Name.MEEK),
        ("vanilla", Name.TOR),
        ("tor", Name.TOR),
    ],
)
def test_each_kind_of_entry_lights_its_own_row(kind: str, name: Name) -> None:
    shown = states(view_of(None, None, [verdict(kind, Status.WORKING, 100.0)]))
    assert {one for one, state in shown.items() if state is State.OPEN} == {name}


def test_every_transport_that_can_be_tested_has_a_row() -> None:
    from transports.registry import REGISTRY

    known = {name for name, entry in REGISTRY.items() if entry.transport is not None} - {
        "direct",
        "tor_bridge",
    }
    for kind in known:
        assert State.OPEN in states(view_of(None, None, [verdict(kind, Status.WORKING)])).values(), kind


def test_a_bare_port_that_did_not_answer_counts_for_both_kinds_of_proxies() -> None:
    shown = states(view_of(None, None, [verdict("auto", Status.FAILED)]))
    assert {name for name, state in shown.items() if state is State.FAILED} == {Name.WEB_PROXY, Name.SOCKS}


@pytest.mark.parametrize(
    ("statuses", "state", "bars", "word"),
    [
        ([Status.WORKING, Status.FAILED, Status.HOSTILE], State.OPEN, 4, "1 entry of 3 carries"),
        ([Status.DEGRADED, Status.FAILED], State.PARTLY, 2, "stalls or is slow"),
        ([Status.HOSTILE, Status.HOSTILE], State.PARTLY, 1, "2 entries alter or read"),
        ([Status.BLOCKED, Status.FAILED], State.SHUT, 0, "interference was shown"),
        ([Status.FAILED] * 12, State.FAILED, 0, "None of 12 tried"),
        ([Status.FAILED], State.FAILED, 0, "it did not get through"),
        ([Status.UNTESTED], State.UNKNOWN, 0, "Not tested: its program is missing"),
    ],
)
def test_what_was_tried_decides(statuses: list[Status], state: State, bars: int, word: str) -> None:
    view = view_of(None, None, [verdict("socks5", status, 100.0) for status in statuses])
    shown = way(view, Name.SOCKS)
    assert (shown.state, shown.bars, word in say(shown.why)) == (state, bars, True)


def test_a_slow_way_has_a_bar_less() -> None:
    slow = view_of(None, None, [verdict("socks5", Status.WORKING, 12.0)])
    both = view_of(None, None, [verdict("socks5", Status.WORKING, rate) for rate in (12.0, 900.0)])
    assert (way(slow, Name.SOCKS).bars, way(both, Name.SOCKS).bars) == (3, 4)


@pytest.mark.parametrize("kind", list(Kind))
def test_what_came_through_counts_more_than_any_kind(kind: Kind) -> None:
    entries = [verdict("obfs4", Status.WORKING, 100.0), verdict("snowflake", Status.WORKING, 100.0)]
    shown = states(view_of(None, found(kind), entries))
    assert shown[Name.OBFS4] is shown[Name.SNOWFLAKE] is State.OPEN


def test_a_tally_counts_as_the_verdicts_do() -> None:
    entries = [
        verdict("socks5", Status.WORKING, 70.0),
        verdict("http", Status.FAILED),
        verdict("auto", Status.FAILED),
    ]
    tally = Tally()
    for entry in entries:
        tally.add(entry)
    assert view_of(None, None, tally) == view_of(None, None, entries)
    assert (tally[Name.SOCKS].tested, tally[Name.WEB_PROXY].tested) == (2, 2)


@pytest.mark.parametrize(
    ("state", "shown", "bars"),
    [
        (LineState.HEALTHY, State.OPEN, 4),
        (LineState.SLOW, State.PARTLY, 2),
        (LineState.IMPAIRED, State.PARTLY, 2),
        (LineState.TAMPERED, State.PARTLY, 2),
        (LineState.NO_ANSWER, State.FAILED, 0),
        (LineState.NO_NETWORK, State.SHUT, 0),
        (LineState.UNKNOWN, State.UNKNOWN, 0),
    ],
)
def test_without_a_diagnosis_the_control_tells_of_the_line(state: LineState, shown: State, bars: int) -> None:
    view = view_of(Control(state=state), None)
    assert (way(view, Name.DIRECT).state, way(view, Name.DIRECT).bars) == (shown, bars)
    assert say(view.kind)
    assert view.sure == ""
    assert states(view)[Name.DNS] is State.UNKNOWN


@pytest.mark.parametrize(
    ("state", "kind", "certainty", "shown", "word"),
    [
        (LineState.HEALTHY, Kind.OPEN, SURE, State.OPEN, "Servers abroad answer"),
        (LineState.HEALTHY, Kind.ALLOW_LIST, SURE, State.PARTLY, "stands above"),
        (LineState.NO_ANSWER, Kind.ALLOW_LIST, SURE, State.SHUT, "except as said above"),
        (LineState.NO_NETWORK, Kind.LOCAL_FAULT, LIKELY, State.FAILED, "Nothing leaves this machine"),
        (LineState.NO_ANSWER, Kind.OPEN, SURE, State.PARTLY, "nothing answers"),
        (LineState.TAMPERED, Kind.OPEN, SURE, State.PARTLY, "forges"),
        (LineState.HEALTHY, Kind.SNI_RESET, SURE, State.PARTLY, "What does not pass"),
        (LineState.HEALTHY, Kind.UNCLEAR, UNSURE, State.OPEN, "open internet"),
        (LineState.UNKNOWN, Kind.UNCLEAR, UNSURE, State.UNKNOWN, "cannot be told"),
    ],
)
def test_control_and_diagnosis_together_claim_no_more_than_both_saw(
    state: LineState, kind: Kind, certainty: Certainty, shown: State, word: str
) -> None:
    view = view_of(Control(state=state), found(kind, certainty=certainty))
    assert (way(view, Name.DIRECT).state, word in why(view, Name.DIRECT)) == (shown, True)


@pytest.mark.parametrize(
    ("sights", "state", "word"),
    [
        (well(), State.OPEN, "answers as it should"),
        (
            row(route(), names(RIGHT, place=tls("home-1", RIGHT)[0].place)),
            State.PARTLY,
            "Only names of this country",
        ),
        (
            row(route(), names(SILENCE, SILENCE), resolver("doh", RIGHT)),
            State.PARTLY,
            "Resolvers abroad answer, not",
        ),
        (row(route(), names(SILENCE, SILENCE)), State.FAILED, "No question for a name"),
        ([], State.UNKNOWN, "not asked"),
    ],
)
def test_names_are_as_they_were_seen(sights: list[object], state: State, word: str) -> None:
    view = view_of(None, conclude(sights))  # type: ignore[arg-type]
    assert (way(view, Name.DNS).state, word in why(view, Name.DNS)) == (state, True)


@pytest.mark.parametrize(
    ("passes", "certainty", "state"),
    [({"doh"}, SURE, State.PARTLY), (set(), SURE, State.SHUT), (set(), LIKELY, State.FAILED)],
)
def test_forged_names_leave_encrypted_ones(
    passes: Collection[str], certainty: Certainty, state: State
) -> None:
    view = view_of(None, found(Kind.DNS_TAMPERING, certainty=certainty, passes=passes))
    assert way(view, Name.DNS).state is state


@pytest.mark.parametrize("name", MATRIX)
def test_every_row_of_the_matrix_is_shown_with_its_kind_first(name: str) -> None:
    sights, kind, certainty = MATRIX[name]
    view = view_of(None, conclude(sights))
    assert view.sure == face.CERTAINTIES[certainty]
    if kind is Kind.OPEN:
        assert way(view, Name.DIRECT).state is State.OPEN
    for one in view.ways:
        assert one.state is not State.OPEN or one.name in (Name.DIRECT, Name.DNS)


@pytest.mark.parametrize("name", MATRIX)
def test_in_the_middle_only_what_has_passed_is_claimed(name: str) -> None:
    for count in (1, len(MATRIX[name][0]) // 2, len(MATRIX[name][0])):
        view = so_far(MATRIX[name][0][:count])
        assert set(states(view).values()) <= {State.PARTLY, State.UNKNOWN}
        assert (view.sure, view.steps) == ("", ())


def test_in_the_middle_what_passes_lights_up() -> None:
    view = so_far(row(well(), bridge(RIGHT), relay(1, RIGHT)))
    lit = {name for name, state in states(view).items() if state is State.PARTLY}
    assert lit == {Name.DIRECT, Name.OBFS4, Name.TOR}
    assert State.PARTLY not in states(so_far(SHUT)).values()


def test_the_kinds_after_the_first_stand_besides() -> None:
    view = view_of(None, found(Kind.SNI_RESET, Kind.UDP_BLOCK))
    assert [say(one) for one in view.besides] == ["UDP does not pass; TCP does."]
    assert states(view)[Name.SNOWFLAKE] is State.SHUT


def test_a_diagnosis_that_holds_nothing_certain_beside_hits_nothing() -> None:
    findings = (
        Finding(kind=Kind.OPEN, certainty=SURE),
        Finding(kind=Kind.UDP_BLOCK, certainty=UNSURE),
    )
    assert states(view_of(None, Diagnosis(findings=findings)))[Name.SNOWFLAKE] is State.UNKNOWN


def test_verdicts_of_kinds_without_a_row_change_nothing() -> None:
    odd = verdict("conjure", Status.WORKING, 100.0)
    assert view_of(None, None, [odd]) == view_of(None, None)
