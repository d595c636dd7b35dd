from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.servers.pt_fixture import arguments
from transports.types import CannotMeasure
from transports.wire.pt import (
    ELSEWHERE,
    ENDLESS,
    ENVIRONMENT,
    LONGEST_LINE,
    MOST_LINES,
    PROXY,
    VERSION,
    Broken,
    Dialogue,
    Log,
    Method,
    Status,
    adapted,
    credentials,
    joined,
)

WANTED = ("obfs4", "webtunnel", "snowflake")


def heard(*lines: str, wanted: tuple[str, ...] = WANTED) -> Dialogue:
    dialogue = Dialogue(wanted)
    for line in lines:
        dialogue.line(line)
    return dialogue


def reason(*lines: str) -> str:
    with pytest.raises(Broken) as broken:
        heard(*lines)
    return broken.value.reason


def test_what_obfs4proxy_says_is_read() -> None:
    said = heard("VERSION 1", "CMETHOD obfs4 socks5 127.0.0.1:40173", "CMETHODS DONE")
    assert said.methods == {"obfs4": Method(host="127.0.0.1", port=40173)}
    assert said.done
    assert said.version == ""


def test_what_lyrebird_says_is_read() -> None:
    said = heard(
        "VERSION 1",
        'STATUS TYPE=version IMPLEMENTATION="lyrebird" VERSION="0.8.1"',
        "CMETHOD webtunnel socks5 [::1]:1",
        "CMETHOD-ERROR snowflake no such transport is supported",
        "SOMETHING new",
        "CMETHODS DONE\r",
    )
    assert said.version == "0.8.1"
    assert said.methods == {"webtunnel": Method(host="::1", port=1)}
    assert said.refused == {"snowflake"}
    assert said.done


def test_the_end_is_known_only_when_it_was_said() -> None:
    assert not heard("VERSION 1", "CMETHOD obfs4 socks5 127.0.0.1:1", "CMETHODS", "CMETHODS NOT").done


@pytest.mark.parametrize(
    "place",
    [
        "192.0.2.1:1080",
        "0.0.0.0:1080",
        "[2001:db8::1]:1080",
        "[::]:1080",
        "[::1%eth0]:1080",
        "[::ffff:192.0.2.1]:1080",
        "localhost:1080",
        "127.1:1080",
        "2130706433:1080",
        "127.0.0.1",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:+80",
        "127.0.0.1:８０",
        ":1080",
        "",
    ],
)
def test_a_method_that_is_not_on_this_machine_condemns_the_program(place: str) -> None:
    assert reason("VERSION 1", f"CMETHOD obfs4 socks5 {place} x") == ELSEWHERE


def test_a_method_that_nobody_asked_for_is_passed_over() -> None:
    assert not heard("VERSION 1", "CMETHOD meek socks5 127.0.0.1:1").methods


def test_the_first_word_about_a_transport_counts() -> None:
    said = heard("VERSION 1", "CMETHOD obfs4 socks5 127.0.0.1:1", "CMETHOD obfs4 socks5 127.0.0.1:2")
    assert said.methods["obfs4"].port == 1


def test_after_the_end_no_method_is_taken() -> None:
    said = heard("VERSION 1", "CMETHODS DONE", "CMETHOD obfs4 socks5 127.0.0.1:1", "VERSION 7")
    assert not said.methods


def test_a_method_without_socks5_cannot_be_given_settings() -> None:
    said = heard("VERSION 1", "CMETHOD obfs4 socks4 127.0.0.1:1", "CMETHOD webtunnel", "CMETHODS DONE")
    assert said.refused == {"obfs4", "webtunnel"}
    assert not said.methods


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["VERSION-ERROR no-version"], VERSION),
        (["VERSION 2"], VERSION),
        (["CMETHOD obfs4 socks5 127.0.0.1:1"], VERSION),
        (["CMETHODS DONE"], VERSION),
        (["ENV-ERROR no TOR_PT_STATE_LOCATION"], ENVIRONMENT),
        (["VERSION 1", "PROXY-ERROR cannot"], PROXY),
    ],
)
def test_what_ends_the_dialogue_has_its_reason(lines: list[str], expected: str) -> None:
    assert reason(*lines) == expected


def test_a_program_that_never_comes_to_the_end_is_cut_off() -> None:
    dialogue = heard(*["LOG MESSAGE=x"] * MOST_LINES)
    with pytest.raises(Broken) as broken:
        dialogue.line("CMETHODS DONE")
    assert broken.value.reason == ENDLESS


def test_the_log_may_go_on_for_as_long_as_the_run() -> None:
    dialogue = heard("VERSION 1", "CMETHODS DONE")
    for _ in range(3 * MOST_LINES):
        assert dialogue.line("LOG SEVERITY=notice MESSAGE=x") is not None


def test_an_overlong_line_is_passed_over() -> None:
    said = heard("VERSION 1", "CMETHOD obfs4 socks5 127.0.0.1:1" + " " * LONGEST_LINE)
    assert not said.methods


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r'MESSAGE="a \"b\" \\ c; d=e"', 'a "b" \\ c; d=e'),
        (r'MESSAGE="\101\n\x42\t\303\251"', "A\nB\t\u00e9"),
        (r'MESSAGE="\377\777"', "\ufffd\ufffd"),
        ("MESSAGE=bare", "bare"),
        ('MESSAGE=""', ""),
    ],
)
def test_log_texts_are_unquoted_as_c_would(text: str, message: str) -> None:
    said = Dialogue(WANTED).line("LOG SEVERITY=notice " + text)
    assert isinstance(said, Log)
    assert (said.severity, said.message) == ("notice", message)
    assert message not in repr(said) or not message


@pytest.mark.parametrize(
    "text", ['MESSAGE="open', 'MESSAGE="a"b', "MESSAGE=a b", "=x", 'MESSAGE="a\\"', "SEVERITY=notice"]
)
def test_a_malformed_log_line_is_passed_over(text: str) -> None:
    assert Dialogue(WANTED).line("LOG " + text) is None


def test_a_status_keeps_its_values() -> None:
    said = Dialogue(WANTED).line('STATUS TRANSPORT=obfs4 ADDRESS="192.0.2.1:80" CONNECT=Success')
    assert isinstance(said, Status)
    assert said.values["CONNECT"] == "Success"
    assert "192.0.2.1" not in repr(said)


WORDS = ["VERSION", "CMETHOD", "CMETHODS", "CMETHOD-ERROR", "LOG", "STATUS", "ENV-ERROR", "PROXY-ERROR"]
SCRAPS = ["1", "DONE", "obfs4", "socks5", "127.0.0.1:80", 'TYPE=version VERSION="', "\\", "[", "]:", "%", "="]
LINES = st.lists(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(WORDS + SCRAPS) | st.text(max_size=8)).map(" ".join),
        st.tuples(st.sampled_from(WORDS), st.text()).map(" ".join),
    )
)


@given(LINES)
@example(["VERSION 1", "CMETHOD obfs4 socks5 ]127.0.0.1[:1"])
@example(["STATUS " + "A=\\" * 700])
def test_no_output_raises_anything_else_or_makes_it_grow(lines: list[str]) -> None:
    dialogue = Dialogue(WANTED)
    try:
        for line in lines:
            dialogue.line(line)
    except Broken:
        pass
    assert dialogue.methods.keys() | dialogue.refused <= set(WANTED)
    assert all(m.host.startswith("127.") or m.host == "::1" for m in dialogue.methods.values())
    assert len(dialogue.version) <= 60


NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.text(";\\=", max_size=8)


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_settings_come_back_as_they_were(args: dict[str, str]) -> None:
    size = len(joined(args).encode())
    try:
        user, password = credentials(args)
    except CannotMeasure:
        assert size > 507  # a letter of up to four bytes is not cut in two
        return
    assert size <= 510
    assert len(user.encode()) <= 255
    assert len(password.encode()) <= 255
    if not args:
        assert (user, password) == ("", "")
        return
    assert user
    assert password
    together = user.encode() + (b"" if password == "\0" else password.encode())
    assert arguments(together) == args


def test_settings_are_split_where_the_field_ends() -> None:
    assert credentials({"k": "v" * 253}) == ("k=" + "v" * 253, "\0")
    assert credentials({"k": "v" * 254}) == ("k=" + "v" * 253, "v")
    assert credentials({"k": "v" * 508}) == ("k=" + "v" * 253, "v" * 255)


@pytest.mark.parametrize("value", ["v" * 509, ";" * 255, "\ud800"])
def test_settings_that_cannot_be_carried_are_refused(value: str) -> None:
    with pytest.raises(CannotMeasure, match="510 bytes"):
        credentials({"k": value})


def test_only_what_tor_escapes_is_escaped() -> None:
    assert joined({"a": "x=y;z\\", "b": ""}) == r"a=x=y\;z\\;b="


def test_a_snowflake_client_that_knows_one_front_gets_one() -> None:
    assert adapted("snowflake", {"url": "u", "fronts": "a,b"}) == {"url": "u", "fronts": "a,b", "front": "a"}
    assert adapted("snowflake", {"url": "u", "fronts": "a,b", "front": "c"})["front"] == "c"
    assert adapted("conjure", {"fronts": "a,b"}) == {"fronts": "a,b"}


def test_where_both_do_not_fit_the_one_front_is_kept() -> None:
    fronts = "a.example.com," + "b" * 480
    assert adapted("snowflake", {"fronts": fronts}) == {"front": "a.example.com"}


def test_the_first_target_of_meek_is_spelt_out() -> None:
    args = {"targets": "https://a.example/|b.example+c.example,https://d.example/", "utls": "none"}
    expected = {"url": "https://a.example/", "front": "b.example", "utls": "none"}
    assert adapted("meek_lite", args) == expected
    assert adapted("meek_lite", {"targets": "https://a.example/"}) == {"url": "https://a.example/"}
