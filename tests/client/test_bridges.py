"""The built-in bridges, and reading lines that anybody may have written."""

from __future__ import annotations

import pytest

from client.bridges import MOST, builtin, country_code, desk, fitting, how, moat_name, read
from client.i18n import say
from tests.servers.moat import OBFS4, OTHER_PORT, WEBTUNNEL
from transports.types import Rejected


def test_every_line_of_the_data_file_is_a_bridge_line_and_dated() -> None:
    data = builtin()
    assert len(data.general) == 10
    assert {"obfs4", "snowflake", "meek_lite"} == {line.transport for line in data.general}
    assert all(data.by_country[code] for code in ("by", "cn", "ir", "ru", "tm", "*"))
    assert data.date.year >= 2026


@pytest.mark.parametrize("country", ["ru", "cn", "tm"])
def test_a_country_s_own_lines_stand_in_for_the_general_ones_of_their_kind(country: str) -> None:
    data = builtin()
    own = data.by_country[country]
    lines = data.lines(country)
    assert lines[: len(own)] == own
    assert fitting(lines, "snowflake") == fitting(own, "snowflake")
    assert fitting(lines, "obfs4") == fitting(data.general, "obfs4")


def test_a_country_without_lines_of_its_own_gets_the_general_ones_and_the_spare_ones() -> None:
    data = builtin()
    assert data.lines("kz") == data.lines() == (*data.general, *data.by_country["*"])


def test_the_port_is_where_the_connection_goes_and_not_a_placeholder() -> None:
    data = builtin()
    assert [line.transport for line in fitting(data.lines(), port=80)] == ["obfs4"]
    (tunnel,), _ = read([WEBTUNNEL.replace("tunnel.test", "tunnel.test:8443")])
    assert fitting([tunnel], port=8443) == (tunnel,)
    assert fitting([tunnel], port=443) == ()


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        ["obfs4"],
        "",
        "hello",
        OBFS4 + "\x1b[2J",
        OBFS4 + "\nobfs4",
        OBFS4 + "\x00",
        OBFS4.replace("iat", "i\u202eat"),
        OBFS4.replace("192.0.2.10", "name.test"),
        OBFS4 + " a=" + "x" * 5000,
        "nosuch 192.0.2.1:443",
    ],
)
def test_what_is_no_bridge_line_is_counted_and_left_out(text: object) -> None:
    lines, bad = read([text, OBFS4], "bridgedb")
    assert [line.text for line in lines] == [OBFS4]
    assert lines[0].origin == "bridgedb"
    assert bad == 1


def test_ten_thousand_lines_are_cut_off() -> None:
    given = (OBFS4.replace("192.0.2.10", f"10.0.{n >> 8}.{n & 255}") for n in range(10_000))
    lines, bad = read(given)
    assert (len(lines), bad) == (MOST, 10_000 - MOST)


def test_a_line_that_comes_twice_is_given_once() -> None:
    assert len(read([OBFS4, f"Bridge  {OBFS4}".removeprefix("Bridge  "), OTHER_PORT])[0]) == 2


def test_a_line_is_kept_out_of_representations() -> None:
    assert "192.0.2.10" not in repr(read([OBFS4])[0])


@pytest.mark.parametrize("text", ["k", "kaz", "k1", "\x1b[", "кз"])
def test_a_country_is_two_letters(text: str) -> None:
    with pytest.raises(Rejected):
        country_code(text)


def test_a_country_and_a_transport_are_written_as_the_server_wants_them() -> None:
    assert country_code("KZ") == "kz"
    assert (moat_name("meek_lite"), moat_name("obfs4")) == ("meek", "obfs4")


def test_how_to_ask_names_every_way_and_the_exact_words() -> None:
    text = "\n".join(map(say, how(builtin().ways, "webtunnel", "kg", 5060)))
    for words in (
        "bridges@torproject.org",
        "get transport webtunnel",
        "mailto:bridges@torproject.org?body=get%20transport%20webtunnel",
        "@GetBridgesBot",
        "https://bridges.torproject.org/bridges?transport=webtunnel",
        "frontdesk@torproject.org",
        "private bridge kg",
        "port 5060",
    ):
        assert words in text
    assert "transport=0" in "\n".join(map(say, how(builtin().ways, "vanilla")))


def test_without_a_port_the_help_desk_is_asked_for_any() -> None:
    assert "on port" not in say(desk(builtin().ways)[0])
