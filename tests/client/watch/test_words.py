from datetime import UTC, date
from typing import Any

import pytest

from client.bridges import Line
from client.diagnosis.anchors import Anchors, Server
from client.diagnosis.sights import Came, Place
from client.drill.run import run_of
from client.drill.stage import stage
from client.model import Message
from client.watch import events as told
from client.watch import jobs, words
from client.watch.calendar import Calendar, Mark
from client.watch.clock import Jump, Why
from client.watch.predict import Forecast
from client.watch.pulse import Mode
from client.watch.state import Change, State, Turn

AT = 1641695400.0  # 9 January 2022, 02:30 UTC
FORECAST = Forecast(start=AT, end=AT + 12600, sure=0.61, spread=900, days=2, watched=3)
NOTHING = jobs.Found(verdicts=[], bridges=[])


def turned(change: Change, new: State = State.OPEN) -> told.Turned:
    return told.Turned(at=AT, turn=Turn(old=State.OUTAGE, new=new, at=1.0, began=0.0, change=change))


EVENTS: list[tuple[Any, str, str]] = [
    (told.Began(at=AT, network="n"), "At most 2 connections", "started"),
    (told.Paced(at=AT, mode=Mode.BURST), "18 kB", "pace"),
    (turned(Change.OPENED), "It opened: open", "state"),
    (turned(Change.SHUT, State.SHUT), "It shut: cut", "state"),
    (turned(Change.NONE, State.LOCAL), "Now: this machine", "state"),
    (
        told.Expected(at=AT, forecast=FORECAST),
        "09.01. 02:30, 15 minutes either way; sure to 61 %",
        "prediction",
    ),
    (told.Jumped(at=AT, jump=Jump(Why.SLEEP, 10)), "slept", "jump"),
    (told.Jumped(at=AT, jump=Jump(Why.CLOCK, 10)), "was set", "jump"),
    (told.Moved(at=AT, network="n"), "another network", "network"),
    (told.NotKept(at=AT, why=Message("full")), "not kept: full", "not_kept"),
    (told.JobBegan(at=AT, name="recheck"), "Testing", "job"),
    (
        told.JobEnded(at=AT, name="command", done=True, message=Message("Done."), found=NOTHING),
        "Done.",
        "job",
    ),
    (told.Ended(at=AT, opened=1, shut=0, connections=9, total=2048), "9 connections, 2 KiB", "summary"),
]


@pytest.mark.parametrize(("event", "text", "kind"), EVENTS)
def test_every_event_has_its_words_and_its_object(event: Any, text: str, kind: str) -> None:
    line = words.line(event, UTC)
    assert line.startswith("02:30  ")
    assert text in line
    objects = words.as_json(event)
    assert [one["type"] for one in objects] == [kind]
    assert (objects[0]["v"], objects[0]["at"]) == (1, round(AT))


def test_single_questions_are_for_scripts_only() -> None:
    event = told.Asked(
        at=AT, place=Place.ABROAD, who="abroad-1", came=Came.RIGHT, moved=1200, connections=3, total=5000
    )
    assert words.line(event, UTC) == ""
    assert words.as_json(event) == [
        {
            "v": 1,
            "type": "test",
            "at": round(AT),
            "place": "abroad",
            "who": "abroad-1",
            "came": "right",
            "bytes": 1200,
            "connections": 3,
        }
    ]
    noted = told.Noted(at=AT, network="n", calendar=Calendar())
    assert (words.line(noted), words.as_json(noted)) == ("", [])


def test_where_nothing_repeats_itself_nothing_is_said() -> None:
    event = told.Expected(at=AT, forecast=None)
    assert words.line(event) == ""
    assert words.as_json(event)[0]["opens"] is None


@pytest.mark.parametrize("state", State)
def test_every_state_has_words(state: State) -> None:
    assert words.STATES[state]


async def test_what_a_job_found_is_masked_but_for_bridges() -> None:
    async with stage(["good-socks5", "reset-http"]) as playing:
        found = jobs.Found(verdicts=[], bridges=[])
        import asyncio

        await jobs.Recheck(run_of(playing)).do(found, asyncio.Event())
        ports = [str(placed.port) for placed in playing.parts]
    event = told.JobEnded(at=AT, name="recheck", done=True, message=Message("ok"), found=found)
    lines = words.found(event)
    assert len(lines) == 1
    assert "socks5" in lines[0]
    objects = words.as_json(event)[1:]
    assert sorted(one["status"] for one in objects) == ["failed", "working"]
    assert not any(port in str(objects) + str(lines) for port in ports)
    bridge = Line(text="192.0.2.1:443 FP", transport="vanilla", port=443, origin="moat")
    found.bridges.append(bridge)
    event = told.JobEnded(at=AT, name="bridges", done=True, message=Message("ok"), found=found)
    assert words.found(event) == ["192.0.2.1:443 FP"]
    assert words.as_json(event)[1]["line"] == "192.0.2.1:443 FP"
    command = told.JobEnded(at=AT, name="command", done=True, message=Message("ok"), found=found)
    assert words.found(command) == []


def test_the_calendar_is_drawn_a_day_per_row() -> None:
    begin = AT - 2.5 * 3600
    calendar = Calendar().marked(begin, begin + 86400, Mark.SHUT).marked(AT, AT + 12600, Mark.OPEN)
    calendar = calendar.marked(begin + 43200, begin + 45000, Mark.PARTLY)
    hours, row, legend = words.drawn(calendar, zone=UTC)
    assert hours.split() == ["00", "06", "12", "18"]
    assert row == "09.01. │·····███████············▒·······················│ 4 h 0 min"
    assert row.index("▒") == hours.index("12")
    assert "█ open" in legend
    plain = words.drawn(calendar, symbols=False, zone=UTC)
    assert "\n".join(plain).isascii()
    assert words.drawn(Calendar()) == []


def test_the_question_names_who_is_asked_how_often_and_what_follows() -> None:
    servers = tuple(
        Server(who=place.value, place=place, operator="Op", name=f"{place}.example")
        for place in (Place.ABROAD, Place.HOME)
    )
    anchors = Anchors(date=date(2026, 1, 1), source="test", servers=servers)
    text = "\n".join(words.consent_text(anchors, ["  • your command"], kept=False))
    for part in (
        "abroad.example (Op)",
        "home.example",
        "2 connections and 6 kB",
        "your command",
        "Nothing is written",
    ):
        assert part in text
    alone = "\n".join(
        words.consent_text(Anchors(date=date(2026, 1, 1), source="", servers=servers[:1]), [], kept=True)
    )
    assert "in this country" not in alone
    assert "When something opens" not in alone
    assert "in your vault" in alone


def test_a_replay_is_summed_up() -> None:
    assert words.played(8, 8).startswith("8 windows, 8")
