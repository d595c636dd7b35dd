"""The faces of the local connection, event by event."""

import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from client.connect.events import Event, Held, Hold, Listening, Lost, Noticed, Status, Summary, Using, Why
from client.model import Candidate, Failure, Message, Protection, Step
from client.model import Status as Verdicts
from client.options import Option
from client.render.connect import Lines, clock, figures, held, listening, short, size
from client.render.connect_json import JsonLines
from transports.types import Endpoint

SECRET = "hidden-password"
HOST = "203.0.113.7"
OPTION = Option(
    candidate=Candidate(
        Endpoint(transport="socks5", host=HOST, port=1080, username="me", password=SECRET), "some/list.txt", 3
    ),
    transport="socks5",
    protection=Protection.OPEN,
    status=Verdicts.WORKING,
    kib_per_s=12.345,
    first_byte=0.25,
)
USING = Using(id="abc12345", option=OPTION, why=Why.START, age=1.25)
LOST = Lost(
    id="abc12345",
    option=OPTION,
    step=Step.CONNECT,
    failure=Failure.CONNECTION_REFUSED,
    reason=Message("it does not answer any more"),
    cut=2,
)
STATUS = Status(
    id="abc12345",
    option=OPTION,
    up=1500,
    down=3 * 1024 * 1024,
    connections=4,
    latency=0.05,
    uptime=61,
    age=3700,
)
EVENTS: list[Event] = [
    Listening(address="127.0.0.1", port=1081, instead=1080),
    Noticed(Message("a notice\x1b[31m")),
    USING,
    STATUS,
    LOST,
    Held(why=Hold.ONLY_LOWER, lowest=Protection.TOR, there=Protection.OPEN),
    Held(why=Hold.TRYING, lowest=Protection.OPEN, there=Protection.OPEN),
    Held(why=Hold.NOTHING_WORKS, lowest=None),
    Summary(up=1, down=2, connections=3, used=1, lost=1, uptime=5.0, status=130),
]


def objects(reveal: bool = False) -> list[dict[str, Any]]:
    out = io.StringIO()
    face = JsonLines(reveal=reveal, out=out)
    for event in EVENTS:
        face.show(event)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_json_has_the_keys_of_its_contract() -> None:
    by_type = {one["type"]: one for one in objects()}
    assert {one["v"] for one in objects()} == {1}
    assert set(by_type) == {"listening", "using", "lost", "held", "status", "summary"}
    assert {"address", "port"} <= set(by_type["listening"])
    using = by_type["using"]
    assert using == {
        "v": 1,
        "type": "using",
        "id": "abc12345",
        "transport": "socks5",
        "class": "D",
        "why": "start",
        "age_s": 1.2,
        "first_byte_ms": 250,
        "kib_per_s": 12.3,
    }
    lost = by_type["lost"]
    assert (lost["id"], lost["step"], lost["failure"]) == ("abc12345", "connect", "connection_refused")
    assert lost["reason"]
    held = [one for one in objects() if one["type"] == "held"]
    assert [(one["why"], one["lowest"]) for one in held] == [
        ("only_lower", "A"),
        ("trying", "D"),
        ("nothing_works", None),
    ]
    status = by_type["status"]
    assert (status["up_bytes"], status["down_bytes"], status["connections"]) == (1500, 3145728, 4)
    assert (status["latency_ms"], status["uptime_s"], status["age_s"]) == (50, 61, 3700)
    assert status["quiet_s"] is None


def test_json_shows_the_candidate_only_when_told() -> None:
    assert SECRET not in json.dumps(objects())
    assert HOST not in json.dumps(objects())
    assert any(SECRET in one.get("candidate", "") for one in objects(reveal=True))


@pytest.mark.parametrize("live", [True, False])
def test_lines_show_no_address_and_let_no_control_character_pass(live: bool) -> None:
    out = io.StringIO()
    face = Lines(reveal=False, live=live, out=out)
    for event in EVENTS:
        face.show(event)
    face.close()
    shown = out.getvalue()
    assert SECRET not in shown
    assert HOST not in shown
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]", shown)
    assert "list.txt:3" in shown


def test_a_state_is_a_symbol_and_a_word() -> None:
    raw = io.BytesIO()
    face = Lines(reveal=False, live=False, out=io.TextIOWrapper(raw, encoding="utf-8"))
    shown: list[Event] = [USING, LOST, EVENTS[5]]
    for event in shown:
        face.show(event)
    good, bad, held, _advice = raw.getvalue().decode().splitlines()
    assert good.startswith("✔ in use: D  socks5  #abc12345")
    assert bad.startswith("✘ lost: D  socks5  #abc12345")
    assert "2 connections were reset" in bad
    assert held.startswith("⊘ Traffic is stopped")


def test_on_a_plain_terminal_the_symbols_are_ascii() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", errors="replace")
    face = Lines(reveal=False, live=False, out=out)
    face.show(USING)
    assert raw.getvalue().startswith(b"+ in use: D")


def test_the_live_line_is_rewritten_and_taken_away() -> None:
    out = io.StringIO()
    face = Lines(reveal=False, live=True, out=out)
    face.show(STATUS)
    first = out.getvalue()
    assert "\n" not in first
    assert len(first) < 80
    face.show(STATUS)
    face.close()
    assert out.getvalue().endswith("\r" + " " * len(first) + "\r")


STOPPED = Status(
    id="",
    option=None,
    up=0,
    down=0,
    connections=0,
    latency=None,
    uptime=0,
    age=None,
    held=Hold.ONLY_LOWER,
)


def test_while_the_question_stands_there_the_live_line_is_not_drawn() -> None:
    out = io.StringIO()
    face = Lines(reveal=False, live=True, out=out)
    face.show(Held(why=Hold.ONLY_LOWER, lowest=Protection.TOR, there=Protection.OPEN))
    asked = out.getvalue()
    face.show(STOPPED)
    assert out.getvalue() == asked


def test_after_a_no_the_live_line_says_that_traffic_is_stopped_and_what_goes_on() -> None:
    out = io.StringIO()
    face = Lines(reveal=False, live=True, out=out)
    face.show(Held(why=Hold.ONLY_LOWER, lowest=Protection.TOR, there=Protection.OPEN))
    face.show(Noticed(Message("it stays stopped")))
    face.show(STOPPED)
    assert out.getvalue().endswith("traffic is stopped; what protects enough is tried again by itself")


def test_after_a_yes_it_says_trying_and_gives_no_advice_for_what_is_answered() -> None:
    event = Held(why=Hold.TRYING, lowest=Protection.OPEN, there=Protection.OPEN)
    assert held(event) == ["Traffic is still stopped: trying class D …"]


def test_an_old_latency_does_not_pass_for_a_sign_of_life() -> None:
    for quiet, fresh in ((None, True), (15.0, True), (15.5, False), (600.0, False)):
        event = replace(STATUS, quiet=quiet)
        for text, latency in (
            (short(event), ", 0.1 s,"),
            (figures(event, reveal=False), "answers in 0.1 s"),
        ):
            assert (latency in text) is fresh
            assert (f"last answer {clock(quiet)} ago" in text) is not fresh
    out = io.StringIO()
    JsonLines(reveal=False, out=out).show(replace(STATUS, quiet=15.55))
    assert json.loads(out.getvalue())["quiet_s"] in (15.5, 15.6)


def test_where_nothing_ever_worked_nobody_is_told_to_wait() -> None:
    event = Held(why=Hold.NOTHING_WORKS, lowest=None)
    assert len(held(event)) == 2
    assert len(held(event, ending=True)) == 1


def test_the_narrow_line_keeps_the_age_of_the_proof_on_80_columns() -> None:
    assert f"proof {clock(STATUS.age)}" in short(STATUS)[:79]


def test_without_a_terminal_figures_come_once_a_minute_at_most() -> None:
    out = io.StringIO()
    face = Lines(reveal=False, live=False, out=out)
    for second in range(0, 121, 5):
        face.show(
            Status(
                id="x", option=OPTION, up=second, down=0, connections=1, latency=None, uptime=second, age=1.0
            )
        )
    assert len(out.getvalue().splitlines()) == 2


def test_times_and_sizes_are_short() -> None:
    assert [clock(one) for one in (None, 5, 65, 3700)] == ["–", "0:05", "1:05", "1:01:40"]
    assert [size(one) for one in (0, 2048, 5 * 1024 * 1024)] == ["0 KiB", "2 KiB", "5.0 MiB"]


def test_the_port_of_a_command_is_no_port_for_other_programs() -> None:
    (line,) = listening(Listening(address="127.0.0.1", port=5, password=True, alone=True))
    assert "for the command alone" in line
    assert "go directly" in line
