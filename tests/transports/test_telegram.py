from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import names, options, ports, quick, reason
from tests.transports.links import raises_nothing_but_rejected as survives
from transports import telegram
from transports.telegram import looks_like_telegram, parse

PLAIN = "000102030405060708090a0b0c0d0e0f"
PADDED = "dd" + PLAIN
FAKE = "ee" + PLAIN + "7777772e6578616d706c652e636f6d"


def link(secret: str) -> str:
    return f"tg://proxy?server=192.0.2.90&port=443&secret={secret}"


@pytest.mark.parametrize(
    ("spellings", "kind"),
    [
        ((PLAIN, PLAIN.upper(), "AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0ODw%3D%3D"), "plain"),
        ((PADDED, "3QABAgMEBQYHCAkKCwwNDg8"), "padded"),
        ((FAKE, "7gABAgMEBQYHCAkKCwwNDg93d3cuZXhhbXBsZS5jb20"), "faketls"),
    ],
)
def test_the_three_kinds_of_secret_in_both_spellings(spellings: tuple[str, ...], kind: str) -> None:
    found = [parse(link(secret)) for secret in spellings]
    assert {endpoint.transport for endpoint in found} == {"telegram"}
    assert {options(endpoint)["kind"] for endpoint in found} == {kind}
    assert len({endpoint.key() for endpoint in found}) == 1
    assert found[0].untested == telegram.UNTESTED


def test_fake_tls_names_its_domain() -> None:
    assert options(parse(link(FAKE)))["domain"] == "www.example.com"


@pytest.mark.parametrize(
    "start", ["tg://", "tg:", "https://t.me/", "http://telegram.me/", "HTTPS://Telegram.Dog/", "t.me/"]
)
def test_every_address_of_the_link_is_known(start: str) -> None:
    text = f"{start}proxy?server=192.0.2.90&port=443&secret={PLAIN}"
    assert looks_like_telegram(text)
    assert parse(text).key() == parse(link(PLAIN)).key()


@pytest.mark.parametrize(
    "text", ["https://t.me/somebody", "https://t.me.example/proxy?", "http://192.0.2.1:80"]
)
def test_other_addresses_are_not_telegram_proxies(text: str) -> None:
    assert not looks_like_telegram(text)
    assert reason(parse, text) == "a Telegram proxy link begins with tg://proxy? or https://t.me/proxy?"


def test_the_socks_kind_is_a_plain_proxy() -> None:
    endpoint = parse("https://t.me/socks?server=p.example&port=1080&user=us%20er&pass=p%26w")
    assert (endpoint.transport, endpoint.host, endpoint.port) == ("socks5", "p.example", 1080)
    assert (endpoint.username, endpoint.password, endpoint.untested) == ("us er", "p&w", "")


SHORT = "secret= must be 32 or more hexadecimal digits: copy the whole link"
LENGTH = "secret= has a wrong length: copy the whole link"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (link(""), SHORT),
        (link(PLAIN[:-2]), SHORT),
        (link("!" + PLAIN), SHORT),
        (link("aa" + PLAIN), LENGTH),
        (link(PADDED + "00"), LENGTH),
        (link("ee" + PLAIN + "616263"), LENGTH),
        (link("ee" + PLAIN + "61" * 300), LENGTH),
        (link("ee" + PLAIN + "ffffffff"), "the name inside secret= is not a host name: copy the whole link"),
        (link("ee" + PLAIN + "20202020"), "this is not a host name or address"),
        ("tg://proxy?port=443&secret=" + PLAIN, "the host is missing: write host:port"),
        ("tg://proxy?server=a.example&secret=" + PLAIN, "the port is missing: write host:port"),
        (
            "tg://socks?server=a.example&port=1&user=" + "u" * 256,
            "the user name or password is longer than 255 bytes",
        ),
    ],
)
def test_broken_links_are_turned_down(text: str, why: str) -> None:
    assert reason(parse, text) == why


@quick
@given(st.binary(min_size=16, max_size=16), names, names, ports, st.booleans())
def test_drawn_fields_come_back(key: bytes, domain: str, host: str, port: int, encoded: bool) -> None:
    raw = b"\xee" + key + (b"long." + domain.encode())
    secret = quote(base64.b64encode(raw).decode(), safe="") if encoded else raw.hex()
    endpoint = parse(f"tg://proxy?server={host}&port={port}&secret={secret}")
    assert (endpoint.host, endpoint.port) == (host, port)
    assert options(endpoint) == {"secret": raw.hex(), "kind": "faketls", "domain": "long." + domain}


def test_no_text_makes_it_raise_anything_else() -> None:
    survives(parse, link(FAKE), link("3QABAgMEBQYHCAkKCwwNDg8"))
