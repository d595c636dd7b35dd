import os
from collections.abc import Iterator

import pytest
from rich.cells import cell_len

from client.i18n import LANGUAGES, use
from client.model import Candidate, Failure, Message, Status, Step
from tests.tui.support import judged
from transports.types import Endpoint
from tui import columns
from tui.columns import cell, fit
from tui.state import RunState, Waiting

EVIL = "\x1b[31m\u202e[/x][@click=app.quit]\r\n" + "列" * 10_000


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.environ.get("LANGUAGE")
    use(request.param)
    yield
    os.environ.pop("LANGUAGE", None)
    use(before)


@pytest.mark.usefixtures("language")
@pytest.mark.parametrize("width", [77, 102, 150, 300])
def test_the_columns_fill_the_width_in_every_language(width: int) -> None:
    found = columns.columns(width)
    assert sum(column.width + 1 for column in found) <= width + 1
    names = [column.name for column in found]
    assert {"state", "class", "kind", "entry", "step", "speed"} <= set(names)
    assert all(column.width > 0 for column in found)


def test_at_80x24_everything_that_is_asked_for_has_a_column() -> None:
    names = [column.name for column in columns.columns(77)]
    assert names == ["state", "class", "kind", "entry", "step", "speed", "age", "tries"]
    assert "why" in [column.name for column in columns.columns(140)]


@pytest.mark.usefixtures("language")
def test_at_80x24_no_language_leaves_a_column_out_or_cuts_its_title() -> None:
    found = columns.columns(77)
    assert {"age", "tries", "entry"} <= {column.name for column in found}
    assert all(cell_len(column.title) <= column.width for column in found)
    entry = next(column for column in found if column.name == "entry")
    state = RunState()
    state.apply(judged(7, Status.WORKING))
    assert columns.entry_name(state.at(0), entry.width, reveal=False).startswith("#00000007")


def test_where_the_place_of_an_entry_has_no_room_its_name_stands_alone() -> None:
    state = RunState()
    state.apply(judged(1234, Status.WORKING))
    assert columns.entry_name(state.at(0), 12, reveal=False) == "#000004d2"
    assert columns.entry_name(state.at(0), 15, reveal=False) == "#000004d2 :1234"


@pytest.mark.parametrize("width", [77, 102, 150, 300])
def test_a_title_over_two_columns_leaves_the_others_where_they_are(width: int) -> None:
    found = columns.columns(width)
    over = columns.spanning(found, "▲ 12345 above: Home")
    assert sum(column.width + 1 for column in over) == sum(column.width + 1 for column in found)
    assert [column.name for column in over if column.name != columns.SPANNED] == [
        column.name for column in found if column.name not in ("kind", "entry")
    ]
    assert all(cell_len(c.title) <= c.width for c in over)


def test_a_row_says_where_it_broke_how_old_it_is_and_how_often_it_was_tried() -> None:
    from dataclasses import replace

    state = RunState()
    event = judged(7)
    verdict = replace(event.verdict, step=Step.TLS_HANDSHAKE, failure=Failure.TIMEOUT, tries=2, finished=10.0)
    state.apply(replace(event, verdict=verdict))
    row = state.at(0)
    told = {
        column.name: cell(column.name, row, column.width, now=100.0, reveal=False)[0]
        for column in columns.columns(140)
    }
    assert (told["state"], told["class"], told["kind"]) == ("✘ failed", "D", "socks5")
    assert (told["step"], told["age"], told["tries"], told["speed"]) == ("TLS", "1 min", "2", "–")
    assert told["entry"] == "#00000007 pasted:7"


def test_ages_are_short() -> None:
    assert [columns.age(value) for value in (-1, 0.9, 59, 60, 3599, 7200)] == [
        *("0 s", "0 s", "59 s", "1 min", "59 min", "2 h")
    ]


@pytest.mark.parametrize("reveal", [False, True])
def test_hostile_labels_stay_in_their_cells_and_say_nothing_to_the_terminal(reveal: bool) -> None:
    state = RunState()
    state.apply(judged(1, Status.FAILED, source=EVIL, text=EVIL, reason=Message("{why}", {"why": EVIL})))
    waiting = Waiting("0", Candidate(judged(1, text=EVIL).verdict.candidate.endpoint, EVIL, 1), 0)
    for item in (state.at(0), waiting):
        for column in columns.columns(140):
            text, _style = cell(column.name, item, column.width, now=0.0, reveal=reveal)
            assert not set(text) & set("\x1b\u202e\r\n")
            assert cell_len(fit(text, column.width)) == column.width


def test_an_address_is_in_no_cell_before_it_is_revealed() -> None:
    state = RunState()
    state.apply(judged(4000, Status.WORKING))
    waiting = Waiting("0", judged(4000).verdict.candidate, 0)
    for item in (state.at(0), waiting):
        cells = [cell(column.name, item, 40, now=0.0, reveal=False)[0] for column in columns.columns(140)]
        assert not any("4001" in text or "127.0" in text for text in cells)
        shown = [cell(column.name, item, 40, now=0.0, reveal=True)[0] for column in columns.columns(140)]
        assert "127.0.0.1:4001" in shown  # what kind it is stands in its own column


@pytest.mark.parametrize(
    ("host", "text", "width", "wanted"),
    [
        ("127.0.0.1", "", 14, "127.0.0.1:4001"),
        ("127.0.0.1", "", 10, "12….1:4001"),
        ("proxy.example.org", "", 16, "proxy.ex…rg:4001"),
        ("2001:db8::7", "", 18, "[2001:db8::7]:4001"),
        ("127.0.0.1", "vless://key@127.0.0.1:4001?security=reality#a", 20, "127.0.0.1:4001"),
        ("127.0.0.1", "obfs4 127.0.0.1:4001 AAAA cert=b iat-mode=0", 20, "127.0.0.1:4001"),
        ("127.0.0.1", "127.0.0.1:4001", 20, "127.0.0.1:4001"),
        ("127.0.0.1", "\x1b[31m://" + EVIL, 14, "127.0.0.1:4001"),
    ],
)
def test_a_revealed_entry_keeps_its_port_however_narrow_the_column(
    host: str, text: str, width: int, wanted: str
) -> None:
    endpoint = Endpoint(transport="socks5", host=host, port=4001, text=text)
    assert columns.revealed(Candidate(endpoint, "pasted", 1), width) == wanted


def test_a_revealed_entry_is_whole_where_there_is_room() -> None:
    endpoint = Endpoint(transport="socks5", host="::1", port=9, username="me", password="pw")
    assert columns.revealed(Candidate(endpoint, "pasted", 1), 40) == "me:pw@[::1]:9"
