"""Moat's requests and answers as bytes: every answer of rdsys, and what an enemy would send."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client import moat
from client.moat import Refused
from tests.servers.moat import JPEG, OBFS4, OTHER_PORT, TOKEN, WEBTUNNEL, errors, setting

READERS: dict[str, Callable[[bytes], object]] = {
    "settings": moat.settings,
    "builtin": moat.builtin,
    "countries": moat.countries,
    "map": moat.country_map,
    "challenge": lambda body: moat.challenge(body, "obfs4"),
    "solved": moat.solved,
}
every_reader = pytest.mark.parametrize("read", READERS.values(), ids=READERS.keys())


def packed(value: object) -> bytes:
    return json.dumps(value).replace("&", "\\u0026").encode()


def test_the_wish_is_what_the_server_documents() -> None:
    assert json.loads(moat.wish(["obfs4", "meek"], "kz")) == {
        "country": "kz",
        "transports": ["obfs4", "meek"],
    }
    assert moat.wish([]) == b"{}"
    asked = json.loads(moat.challenge_wish("obfs4"))
    assert asked == {"data": [{"type": "client-transports", "version": "0.1.0", "supported": ["obfs4"]}]}


def test_settings_keep_the_order_of_the_server_and_undo_its_escapes() -> None:
    answer = {
        "settings": [
            setting("webtunnel", "bridgedb", WEBTUNNEL),
            setting("snowflake", "builtin"),
            setting("obfs4", "bridgedb", OBFS4, OTHER_PORT, "rubbish"),
        ],
        "country": "tm",
    }
    found = moat.settings(packed(answer))
    assert [line.text for line in found.lines] == [WEBTUNNEL, OBFS4, OTHER_PORT]
    assert [group.type for group in found.groups] == ["webtunnel", "snowflake", "obfs4"]
    assert (found.country, found.bad) == ("tm", 1)


@pytest.mark.parametrize("answer", [{}, {"settings": []}, {"settings": None}])
def test_no_settings_mean_that_plain_tor_should_work(answer: object) -> None:
    assert moat.settings(packed(answer)).groups == ()


def test_builtin_countries_and_map_are_read() -> None:
    assert [line.text for line in moat.builtin(packed({"obfs4": [OBFS4]})).lines] == [OBFS4]
    assert moat.countries(b'["ru","cn","ru"]') == ("cn", "ru")
    found = moat.country_map(packed({"cn": {"settings": [setting("snowflake", "builtin")]}}))
    assert [(group.type, group.source) for group in found["cn"]] == [("snowflake", "builtin")]


def challenge(**changes: object) -> bytes:
    item: dict[str, Any] = {
        "type": "moat-challenge",
        "transport": "obfs4",
        "image": base64.b64encode(JPEG).decode(),
        "challenge": TOKEN,
    }
    return packed({"data": [item | changes]})


def test_a_challenge_is_a_picture_and_its_solution_carries_the_token_back() -> None:
    question = moat.challenge(challenge(transport=["obfs4"]), "obfs4")
    assert question.picture == JPEG
    sent = json.loads(moat.solution(question, "x" * 100))["data"][0]
    assert (sent["challenge"], sent["type"], sent["transport"]) == (TOKEN, "moat-solution", "obfs4")
    assert sent["solution"] == "x" * moat.LONGEST_SOLUTION


@pytest.mark.parametrize(
    "changes",
    [
        {"image": "no base64!"},
        {"image": base64.b64encode(b"<html>").decode()},
        {"image": base64.b64encode(JPEG + bytes(300_000)).decode()},
        {"image": None},
        {"challenge": ""},
        {"challenge": "x" * 20_000},
        {"challenge": 5},
        {"type": "moat-bridges"},
    ],
)
def test_a_challenge_that_is_none_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Refused):
        moat.challenge(challenge(**changes), "obfs4")


@every_reader
@pytest.mark.parametrize("code", [400, 404, 406, 415, 419])
def test_an_error_in_the_body_is_an_error_whatever_was_asked(
    read: Callable[[bytes], object], code: int
) -> None:
    with pytest.raises(Refused) as refused:
        read(packed(errors(code, "\x1b[2J evil words")))
    assert refused.value.code == code
    assert "evil" not in refused.value.reason


def test_an_unknown_error_keeps_its_number_and_none_of_its_words() -> None:
    with pytest.raises(Refused) as refused:
        moat.settings(packed(errors(503, "evil")))
    assert refused.value.values == {"number": 503}


@every_reader
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"5",
        b'"text"',
        b"<html>",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"settings":' + b"[" * 100_000,
        b"9" * 5000,
        b'{"errors": []}',
        b'{"errors": 5}',
        b'{"errors": [{"code": true}]}',
        b'{"errors": [{"code": 1e400}]}',
        b'{"settings": "obfs4", "data": "x", "obfs4": "x", "cn": 5}',
        b'{"settings": [5], "data": [5], "obfs4": 5, "cn": []}',
        b'{"settings": [{"bridges": []}], "data": [{"type": 5}], "x": {}}',
        b'{"settings": [{"bridges": {"bridge_strings": "obfs4"}}], "data": 5}',
        b'["\\u001b[2J"]',
        b" " * (moat.LARGEST + 1),
    ],
    ids=range(19),
)
def test_what_is_no_answer_is_refused(read: Callable[[bytes], object], body: bytes) -> None:
    with pytest.raises(Refused):
        read(body)


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(OBFS4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["settings", "bridges", "bridge_strings", "type", "data", "errors", "code", "cn"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@every_reader
@given(value=JSONS)
def test_no_answer_surprises_a_reader(read: Callable[[bytes], object], value: object) -> None:
    with suppress(Refused):  # the only way to say no
        read(json.dumps(value).encode())
