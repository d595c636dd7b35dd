import io
import json
from dataclasses import replace

import pytest

from client.diagnosis import code
from client.diagnosis.asks import Ask
from client.diagnosis.kinds import Certainty, Diagnosis, Finding, Kind
from client.diagnosis.sights import Came, Certificate, Forgery, Issuer, Name, Place, Sight, Test
from client.model import Failure, Message, counted
from client.render import diagnosis as face
from client.text import wrapped

EVIL = "Evil\x1b[2J\u202e\nCA"
SEEN = Sight(
    test=Test.TLS,
    place=Place.ABROAD,
    who="abroad-1",
    came=Came.FALSE,
    port=443,
    name=Name.HARMLESS,
    after="client_hello",
    failure=Failure.SSL_AUTHORITY,
    started=1.25,
    elapsed=0.5,
    received=3000,
    certificate=Certificate(
        issuer=Issuer.UNKNOWN, fingerprint="ab" * 32, by=f"{EVIL} 10.1.2.3", names=("10.1.2.3",)
    ),
)
RESOLVED = Sight(
    test=Test.RESOLVE,
    place=Place.ABROAD,
    who="name-1",
    came=Came.FALSE,
    way="system",
    forgery=Forgery.BOGON,
    addresses=("10.20.30.40",),
)
FOUND = Diagnosis(
    findings=(
        Finding(
            kind=Kind.TLS_INTERCEPTION,
            certainty=Certainty.LIKELY,
            evidence=(Message("{n} shows {by}.", {"n": 1, "by": EVIL}),),
            against=(Message("Not a login page."),),
        ),
        Finding(kind=Kind.UDP_BLOCK, certainty=Certainty.CERTAIN),
    ),
    tcp=(80, 443),
    udp=(53,),
    passes=frozenset({"tls", "http", "raw"}),
    left_out=(counted("{n} thing.", "{n} things.", 2),),
    sights=(SEEN, RESOLVED),
    elapsed=12.345,
    connections=34,
    kib=211.6,
)


def test_the_text_has_every_part_in_its_order() -> None:
    text = "\n".join(face.lines(FOUND))
    parts = (
        "⊘ Somebody on the way",
        "likely (kind: tls_interception)",
        "What was seen:",
        "Why it is nothing else:",
        "• Not a login page.",
        "⊘ UDP does not pass",
        "certain (kind: udp_block)",
        "TCP ports 80, 443; UDP port 53; TLS, HTTP, random bytes.",
        "What tends to survive this:",
        "What to do now:",
        "→ Do not install a certificate",
        "Not asked:",
        "• 2 things.",
        "12.3 s, 34 connections, 212 KiB",
        f"Result code: {code.of(FOUND)}",
        "--explain",
    )
    at = [text.index(part) for part in parts]
    assert at == sorted(at)


def test_text_from_outside_never_reaches_the_terminal_as_it_is() -> None:
    for text in ("".join(face.lines(FOUND)), json.dumps(face.as_json(FOUND), ensure_ascii=False)):
        assert "Evil" in text
        assert not {"\x1b", "\u202e"} & set(text)


def test_no_address_shows() -> None:
    text = json.dumps(face.as_json(FOUND)) + "".join(face.lines(FOUND))
    assert "10.1.2.3" not in text
    assert "10.20.30.40" not in text


@pytest.mark.parametrize("shown", ["2001:db8::1", "fe80::1", "192.168.0.1", "a 10.0.0.1 b"])
def test_an_address_in_a_certificate_is_masked(shown: str) -> None:
    assert SEEN.certificate is not None
    seen = replace(SEEN, certificate=replace(SEEN.certificate, by=shown))
    told = face.as_json(replace(FOUND, sights=(seen,)))["sights"][0]["certificate"]["by"]
    assert "…" in told
    assert not set("0123456789") & set(told)


def test_a_sight_is_told_to_scripts_in_full() -> None:
    first, second = face.as_json(FOUND)["sights"]
    assert first == {
        "test": "tls_handshake",
        "place": "abroad",
        "who": "abroad-1",
        "port": 443,
        "way": None,
        "name": "harmless",
        "came": "false",
        "after": "client_hello",
        "failure": "ssl_unknown_authority",
        "detail": None,
        "round": 1,
        "started_ms": 1250,
        "elapsed_ms": 500,
        "received": 3000,
        "sent": 0,
        "packets": 0,
        "kib_per_s": None,
        "forgery": None,
        "certificate": {
            "issuer": "unknown",
            "by": "Evil\ufffd[2J\ufffd\ufffdCA …",
            "fingerprint": "ab" * 32,
        },
    }
    assert (second["forgery"], second["way"], second["port"]) == ("bogon", "system", None)


def test_the_object_for_scripts_agrees_with_itself() -> None:
    told = face.as_json(FOUND)
    assert (told["kind"], told["certainty"]) == ("tls_interception", "likely")
    assert told["kinds"] == ["tls_interception", "udp_block"]
    assert [finding["kind"] for finding in told["findings"]] == told["kinds"]
    assert (told["elapsed_ms"], told["connections"], told["kib"]) == (12345, 34, 212)
    assert (told["tcp"], told["udp"], told["passes"]) == ([80, 443], [53], ["http", "raw", "tls"])
    assert code.decode(told["code"]).tcp == (80, 443)
    assert told["stopped"] is None
    assert face.as_json(FOUND, interrupted=True)["stopped"] == "interrupted"


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("certainty", list(Certainty))
def test_every_kind_has_words_and_a_look_that_is_not_colour_alone(kind: Kind, certainty: Certainty) -> None:
    found = replace(FOUND, findings=(Finding(kind=kind, certainty=certainty),))
    with_symbols, without = face.lines(found), face.lines(found, symbols=False)
    assert f"kind: {kind.value}" in with_symbols[1]
    look = face.look(kind, certainty)
    assert with_symbols[0][0] == look.symbol
    assert without[0][0] == look.ascii
    assert not {"•", "→", look.symbol} & {line.lstrip()[:1] for line in without if look.symbol != look.ascii}
    assert max(map(len, wrapped(with_symbols))) <= 80


def test_looks_differ_in_shape() -> None:
    looks = {
        face.look(Kind.OPEN, Certainty.CERTAIN),
        face.look(Kind.LOCAL_FAULT, Certainty.CERTAIN),
        face.look(Kind.UNCLEAR, Certainty.CANNOT_TELL),
        face.look(Kind.PORT_HOLES, Certainty.LIKELY),
    }
    assert len({look.symbol for look in looks}) == len({look.ascii for look in looks}) == 4


def test_a_code_is_explained_with_what_survives() -> None:
    text = "\n".join(face.explained(code.decode(code.of(FOUND))))
    for part in (
        "likely (kind: tls_interception)",
        "Besides:",
        "(udp_block)",
        "TCP ports 80, 443",
        "survive",
    ):
        assert part in text


class Screen(io.StringIO):
    def __init__(self, live: bool) -> None:
        super().__init__()
        self.live = live

    def isatty(self) -> bool:
        return self.live


@pytest.mark.parametrize("test", list(Test))
def test_the_line_says_what_is_asked_now(test: Test) -> None:
    screen = Screen(live=True)
    progress = face.Progress(screen)
    progress.watch(Ask(test=test, place=Place.HOME, who="home-1", host="192.0.2.1", value="secret.example"))
    progress.watch(SEEN)
    shown = screen.getvalue()
    assert "1 asked, 1 answered" in shown
    assert "\n" not in shown
    assert max(map(len, shown.split("\r\x1b[K"))) < 80
    assert "192.0.2.1" not in shown
    assert "secret.example" not in shown
    progress.close()
    assert screen.getvalue().endswith("\r\x1b[K")


def test_where_no_terminal_is_nothing_is_written() -> None:
    screen = Screen(live=False)
    progress = face.Progress(screen)
    progress.watch(SEEN)
    progress.close()
    assert screen.getvalue() == ""
