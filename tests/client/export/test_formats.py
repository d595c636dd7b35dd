"""What holds for every format."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.export.common import Here
from client.export.formats import FORMATS, local_options, why
from client.export.here import here
from client.options import Option
from tests.client.export.made import BROKEN, HOSTILE, option, options, proxy, written
from tests.client.export.test_torrc import ALL
from tests.transports.links import TESTABLE, quick
from transports.registry import REGISTRY
from transports.types import Endpoint

every_format = pytest.mark.parametrize("name", FORMATS)
DRAWINGS = ("qr", "qr-light", "qr-png")


def everything() -> list[Option]:
    plain = [proxy(kind) for kind in ("socks5", "socks4", "socks4a", "http", "https")]
    telegram = "tg://proxy?server=192.0.2.1&port=443&secret=dd000102030405060708090a0b0c0d0e0f"
    return [*plain, *options(*TESTABLE, *ALL, telegram)]


def test_the_formats_are_in_order() -> None:
    assert list(FORMATS) == sorted(FORMATS)


@every_format
def test_an_option_is_either_in_it_or_left_out_with_a_reason(name: str) -> None:
    given_ = everything()
    made = written(name, given_)
    assert made.held
    assert made.content
    assert len(made.held) + len(made.left_out) == len(given_)
    assert {id(one) for one in made.held}.isdisjoint(id(one) for one, _ in made.left_out)
    assert isinstance(made.content, bytes) == FORMATS[name].binary


@every_format
def test_what_is_in_it_is_of_the_kinds_that_it_names(name: str) -> None:
    kinds = set(FORMATS[name].kinds)
    assert kinds <= REGISTRY.keys()
    assert {one.endpoint.transport for one in written(name, everything()).held} <= kinds


@every_format
def test_nothing_comes_of_nothing(name: str) -> None:
    assert written(name, []).content == ""


@every_format
def test_a_file_does_not_tell_what_made_it(name: str) -> None:
    content = written(name, everything()).content
    shown = content if isinstance(content, str) else content.decode("latin-1")
    assert not re.search("sanylau|segno|python", shown, re.IGNORECASE)


@every_format
@pytest.mark.parametrize("secret", [*HOSTILE, *BROKEN, "\ud800"])
def test_no_value_gets_a_line_or_a_control_character_into_a_file(name: str, secret: str) -> None:
    settings = {"type": "shadowsocks", "server": "192.0.2.1", "server_port": 1, "method": "aes-256-gcm"}
    node = Endpoint(
        transport="shadowsocks", host="192.0.2.1", port=1, options=settings | {"password": secret}
    )
    trojan = Endpoint(
        transport="trojan",
        host="192.0.2.1",
        port=1,
        options={"type": "trojan", "password": secret},
        text=secret,
    )
    plain = [proxy(kind, user=secret, password=secret) for kind in ("socks5", "http")]
    for one in [option(node), option(trojan), *plain]:
        content = written(name, [one]).content
        if isinstance(content, str) and name not in DRAWINGS:
            assert content.isascii()
            assert all(line.isprintable() for line in content.replace("\r\n", "\n").split("\n"))
            assert "\n" + secret not in content


@every_format
def test_the_local_connection_is_written_where_it_makes_sense(name: str) -> None:
    made = written(name, list(local_options(1080)[: FORMATS[name].local]))
    if not FORMATS[name].local:
        assert made.content == ""
    else:
        assert "127.0.0.1" in str(made.content) or name == "pac-url"


@quick
@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(sorted(FORMATS)))
def test_no_name_and_password_makes_a_format_fail(user: str, password: str, name: str) -> None:
    made = written(name, [proxy("socks5", user=user, password=password)])
    assert len(made.held) + len(made.left_out) == 1


@every_format
def test_every_format_says_what_to_do_with_it(name: str) -> None:
    use = FORMATS[name].use
    assert "{file}" in use or name in ("bridges", "links", "telegram", "torbrowser", "torbrowser-prefs")
    assert not re.search(r"\{(?!file\}|port\})", use)


def test_reasons_are_counted_the_most_frequent_first() -> None:
    made = written("torrc", [*options("tor"), proxy("http", 1), proxy("http", 2)])
    assert [number for number, _ in why(made.left_out)] == [2, 1]


def test_the_machine_is_looked_at_without_starting_anything() -> None:
    found = here()
    assert isinstance(found, Here)
    assert found.test_url.startswith("https://")
    assert 0 < found.port < 65536


def test_nothing_of_an_export_is_in_its_repr() -> None:
    assert "192.0.2" not in repr(written("links", everything()))
