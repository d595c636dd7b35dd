from dataclasses import replace

import pytest

from client.diagnosis.code import Told
from client.diagnosis.kinds import Certainty, Kind
from client.guide import apps as guides
from client.guide.apps import LOCAL
from client.guide.way import Place, order, recommend, seen, survives
from client.i18n import say
from client.model import LineState, Protection, Status
from client.options import Option
from tests.client.guide.made import LINES, NOW, app, endpoint, option

APPS = guides.load()
HERE = Place(system="linux", now=NOW)
PHONE = Place(system="android", near=False, now=NOW)
W, D, U = Status.WORKING, Status.DEGRADED, Status.UNTESTED


def told(*kinds: Kind, certainty: Certainty = Certainty.CERTAIN, tcp: tuple[int, ...] = (443,)) -> Told:
    return Told(kinds=kinds, certainty=certainty, tcp=tcp, udp=(), passes=frozenset())


def words(options: list[Option], place: Place = HERE) -> str:
    found = recommend(options, APPS, place)
    return "\n".join(map(say, [*found.why, *found.risks]))


# order


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (option("obfs4", speed=1), option("vless", speed=999)),
        (option("vless", speed=1), option("socks5", speed=999)),
        (option("vless", trusted=True, speed=1), option("vless", speed=999)),
        (option("vless", speed=20), option("trojan", speed=10)),
        (option("vless"), option("obfs4", D)),
        (option("obfs4", D), option("socks5", W, speed=999)),
        (option("socks5"), option("socks5", D)),
        (option("socks5", D), option("obfs4", U)),
        (option("obfs4", U), option("vless", U)),
        (option("vless", U), option("socks5", U)),
    ],
)
def test_what_was_seen_and_protects_comes_first_then_the_class_then_speed(
    better: Option, worse: Option
) -> None:
    assert order([worse, better], HERE) == [better, worse]
    assert order([better, worse], HERE) == [better, worse]


def test_a_diagnosis_orders_what_was_not_tested() -> None:
    shapes = replace(HERE, told=told(Kind.RANDOM_TRAFFIC_BLOCK))
    assert [one.kind for one in order([option("obfs4", U), option("webtunnel", U)], shapes)] == [
        "webtunnel",
        "obfs4",
    ]
    plain = replace(HERE, told=told(Kind.TOR_BLOCK))
    assert order([option("vanilla", U), option("obfs4", U)], plain)[0].kind == "obfs4"


def test_a_diagnosis_never_overrules_what_was_seen_to_work() -> None:
    shapes = replace(HERE, told=told(Kind.RANDOM_TRAFFIC_BLOCK))
    assert order([option("webtunnel", U), option("obfs4")], shapes)[0].kind == "obfs4"


# the program


@pytest.mark.parametrize(
    ("kind", "place", "wanted", "by"),
    [
        ("obfs4", HERE, "tor-browser", "obfs4"),
        ("webtunnel", HERE, "tor-browser", "webtunnel"),
        ("vanilla", HERE, "tor-browser", "vanilla"),
        ("tor", HERE, "tor-browser", "tor"),
        ("vless", HERE, "firefox", LOCAL),
        ("shadowsocks", HERE, "firefox", LOCAL),
        ("socks5", HERE, "firefox", LOCAL),
        ("http", HERE, "firefox", LOCAL),
        ("telegram", HERE, "telegram", "telegram"),
        ("obfs4", PHONE, "tor-browser-android", "obfs4"),
        ("vless", PHONE, "v2rayng", "vless"),
        ("telegram", PHONE, "telegram", "telegram"),
        ("obfs4", replace(PHONE, system="ios"), "onion-browser", "obfs4"),
    ],
)
def test_the_program_is_what_a_person_most_needs(kind: str, place: Place, wanted: str, by: str) -> None:
    best = recommend([option(kind)], APPS, place).best
    assert best is not None
    assert (best.app.id, best.by, best.system) == (wanted, by, place.system)


def test_a_program_elsewhere_cannot_use_the_local_connection_of_this_machine() -> None:
    far = replace(HERE, system="windows", near=False)
    for kind in LINES:
        best = recommend([option(kind)], APPS, far).best
        assert best is None or best.by == kind


def test_a_named_program_gets_the_best_option_that_goes_into_it() -> None:
    telegram = guides.named(APPS, "telegram")
    every = [option("obfs4"), option("telegram", U)]
    found = recommend(every, APPS, PHONE, app=telegram)
    assert found.best is not None
    assert (found.best.option.kind, found.best.app) == ("telegram", telegram)
    browser = guides.named(APPS, "Tor Browser")
    assert recommend([option("vless")], APPS, HERE, app=browser).best is None


@pytest.mark.parametrize("system", guides.SYSTEMS)
@pytest.mark.parametrize("kind", [*LINES, "tor"])
def test_an_option_goes_only_where_its_kind_is_taken(kind: str, system: str) -> None:
    for near in (True, False):
        found = recommend([option(kind)], APPS, Place(system=system, near=near, now=NOW))
        for way in [found.best, *found.others]:
            if way is not None:
                assert system in way.app.systems
                assert way.by == kind in way.app.takes or (way.by == LOCAL and way.app.local and near)


def test_nothing_comes_of_nothing() -> None:
    found = recommend([], APPS, HERE)
    assert (found.best, found.reserve, found.why, found.others) == (None, None, (), ())


# class D


@pytest.mark.parametrize("kind", ["socks5", "socks4", "http"])
@pytest.mark.parametrize("system", ["linux", "windows", "macos", "android", "ios"])
def test_class_d_is_never_recommended_for_messages(kind: str, system: str) -> None:
    found = recommend([option(kind)], APPS, Place(system=system, near=system == "linux", now=NOW))
    for way in found.others:
        assert "message" not in way.app.purposes
    if found.best is not None and "message" in found.best.app.purposes:
        assert not found.best.advised
    assert "Never log in" in "\n".join(map(say, found.risks)) or found.best is None


def test_a_messenger_over_class_d_is_not_advised_but_over_a_better_one_is() -> None:
    telegram = guides.named(APPS, "telegram")
    for kind, advised in (("socks5", False), ("vless", True), ("obfs4", True)):
        best = recommend([option(kind)], APPS, HERE, app=telegram).best
        assert best is not None
        assert best.advised is advised


# the reserve


def reserve(*options: Option) -> Option:
    found = recommend(options, APPS, HERE).reserve
    assert found is not None
    return found.option


def test_the_reserve_is_of_another_kind_and_network_if_there_is_one() -> None:
    best, same = option("vless", speed=90), option("vless", speed=80)
    elsewhere = option("vless", speed=70, where=replace(endpoint("vless"), host="198.51.100.1"))
    other = option("trojan", speed=60)
    both = option("trojan", speed=50, where=replace(endpoint("trojan"), host="198.51.100.2"))
    assert reserve(best, same, elsewhere, other, both) == both
    assert reserve(best, same, elsewhere, other) == elsewhere
    assert reserve(best, same, other) == other
    assert reserve(best, same) == same
    assert recommend([best], APPS, HERE).reserve is None


def test_what_was_seen_is_not_passed_over_for_what_was_not() -> None:
    assert reserve(option("vless"), option("vless", speed=1), option("obfs4", U)).status is W
    assert reserve(option("vless"), option("obfs4", U)).status is U


def test_the_reserve_says_what_it_is_worth_too() -> None:
    found = recommend([option("vless"), option("obfs4", U)], APPS, HERE)
    told_of = "\n".join(map(say, found.reserve_why))
    assert "Not tested" in told_of
    assert "nobody on the way" in told_of


# why


@pytest.mark.parametrize(
    ("one", "says", "never"),
    [
        (option("vless"), "It worked when it was tested (just now), at 100 KiB/s", "Not tested"),
        (option("vless", speed=2560), "at 2.5 MiB/s.", "KiB/s"),
        (option("vless", speed=None), "It worked when it was tested (just now).", "KiB/s"),
        (option("vless", age=120), "2 minutes ago or more", "test again"),
        (option("vless", age=7300), "2 hours ago or more", "just now"),
        (option("vless", age=90000), "1 day ago or more", "just now"),
        (option("vless", age=7300), "no promise for now", "just now"),
        (option("vless", age=None), "it is not known when", "just now"),
        (option("vless", age=None), "no promise for now", "just now"),
        (option("vless", D), "short text", "It worked when"),
        (option("vless", U), "nobody knows whether it works", "worked"),
        (option("vless", age=-50), "just now", "or more"),
    ],
)
def test_nothing_is_promised_that_was_not_seen(one: Option, says: str, never: str) -> None:
    told_of = "\n".join(map(say, seen(one, NOW)))
    assert says in told_of
    assert never not in told_of


@pytest.mark.parametrize("kind", [*LINES, "tor"])
@pytest.mark.parametrize("status", [W, D, U])
def test_every_way_says_what_was_seen_and_who_sees_what(kind: str, status: Status) -> None:
    found = recommend([option(kind, status)], APPS, HERE)
    if found.best is None:
        return
    said = "\n".join(map(say, found.why))
    assert ("worked when it was tested" in said) == (status is W)
    assert ("in part only" in said) == (status is D)
    assert ("Not tested" in said) == (status is U)
    assert "Who sees what" in said


def test_the_best_of_several_says_what_makes_it_the_best() -> None:
    assert "protects best" in words([option("vless"), option("socks5")])
    assert "the fastest" in words([option("vless"), option("trojan", speed=1)])
    assert "the fastest" not in words([option("vless"), option("trojan", U)])


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (told(Kind.RANDOM_TRAFFIC_BLOCK), "The diagnosis is certain"),
        (told(Kind.RANDOM_TRAFFIC_BLOCK), "often stopped"),
        (told(Kind.RANDOM_TRAFFIC_BLOCK, certainty=Certainty.LIKELY), "likely, not certain"),
        (told(Kind.SNI_RESET), "tends to get through"),
        (told(Kind.SNI_RESET, certainty=Certainty.LIKELY), "likely, not certain"),
        (told(Kind.PORT_HOLES, tcp=(179,)), "often stopped"),
        (told(Kind.PORT_HOLES), "tends to get through"),
    ],
)
def test_a_diagnosis_is_told_with_its_certainty(found: Told, says: str) -> None:
    assert says in words([option("obfs4")], replace(HERE, told=found))


@pytest.mark.parametrize(
    "found",
    [
        told(Kind.SNI_RESET, certainty=Certainty.CANNOT_TELL),
        told(Kind.OPEN),
        told(Kind.UNCLEAR),
        told(Kind.LOCAL_FAULT),
        None,
    ],
)
def test_a_diagnosis_that_cannot_tell_says_nothing(found: Told | None) -> None:
    assert "diagnosis" not in words([option("obfs4")], replace(HERE, told=found))


def test_what_tends_to_survive_is_what_the_diagnosis_says() -> None:
    assert survives(None) == ()
    assert any("Bridges" in say(one) for one in survives(told(Kind.TOR_BLOCK)))


# risks


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("http", "plain HTTP proxy reads"),
        ("tor", "sees that you use Tor"),
        ("vanilla", "sees that you use Tor"),
        ("dnstt", "not covert"),
        ("telegram", "Telegram proxy sees"),
        ("socks5", "Never log in"),
    ],
)
def test_each_risky_kind_names_its_risk(kind: str, says: str) -> None:
    assert says in words([option(kind)])
    assert says not in words([option("webtunnel")])


def test_a_certificate_is_warned_of_where_somebody_reads_along() -> None:
    for place in (
        replace(HERE, told=told(Kind.OPEN, Kind.TLS_INTERCEPTION)),
        replace(HERE, line=LineState.TAMPERED),
    ):
        assert "Do not install a certificate" in words([option("obfs4")], place)
        assert "Do not install a certificate" in words([], place)
    assert "certificate" not in words([option("obfs4")])


@pytest.mark.parametrize("kind", [*LINES, "tor"])
def test_only_what_is_not_encrypted_to_the_proxy_is_kept_from_logins(kind: str) -> None:
    exposed = option(kind).protection is Protection.OPEN
    found = recommend([option(kind)], APPS, HERE)
    assert ("Never log in" in "\n".join(map(say, found.risks))) == exposed


def test_a_browser_is_proposed_before_a_program_of_the_shell() -> None:
    apps = [app("shell", local=True, purposes="shell"), app("browser", local=True)]
    best = recommend([option("vless")], apps, HERE).best
    assert best is not None
    assert best.app.id == "browser"
