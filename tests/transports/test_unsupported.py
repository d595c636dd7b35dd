from __future__ import annotations

import pytest

from tests.transports.links import b64, options, reason
from tests.transports.links import raises_nothing_but_rejected as survives
from transports.unsupported import FETCH, looks_like_key, parse

SSR = "ssr://" + b64("192.0.2.1:443:origin:aes-256-cfb:plain:" + b64("pw") + "/?remarks=x").rstrip("=")


@pytest.mark.parametrize(
    ("text", "kind", "port", "word"),
    [
        (SSR, "ssr", 443, "ShadowsocksR"),
        ("naive+https://u:p@a.example#n", "naive+https", 443, "NaiveProxy"),
        ("naive+quic://u:p@a.example:8443", "naive+quic", 8443, "NaiveProxy"),
        ("ssh://u:p@192.0.2.1", "ssh", 22, "SSH"),
        ("hysteria://192.0.2.1:443,5000-6000?auth=x", "hysteria", 443, "cannot be tested"),
        ("ssconf://a.example/key#Outline", "key", 443, "fetch it yourself"),
        ("https://a.example/key.json#Outline", "key", 443, "fetch it yourself"),
    ],
)
def test_a_person_is_told_why_it_is_not_tested(text: str, kind: str, port: int, word: str) -> None:
    endpoint = parse(text)
    assert (endpoint.transport, options(endpoint)["kind"], endpoint.port) == ("unsupported", kind, port)
    assert word in endpoint.untested
    assert endpoint.reveal() == text


def test_an_address_with_a_path_is_a_key_and_one_without_is_a_proxy() -> None:
    assert looks_like_key("https://a.example/key")
    assert not looks_like_key("https://a.example:443")
    assert not looks_like_key("https://u:p@a.example/")


def test_a_key_is_one_in_both_spellings() -> None:
    assert parse("ssconf://a.example/k#x").key() == parse("https://A.example:443/k").key()
    assert parse("ssconf://a.example/k").untested == FETCH


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "ssr://" + b64("192.0.2.1:443"),
            "the part after ssr:// is no base64 of its settings: copy the whole link",
        ),
        ("snell://a.example", "the port is missing: write host:port"),
        ("ssh://u@a.example:x", "the port must be a number from 1 to 65535"),
        ("gopher://a.example", "the link must begin with {scheme}://"),
    ],
)
def test_broken_links_are_turned_down(text: str, why: str) -> None:
    assert reason(parse, text) == why


def test_no_text_makes_it_raise_anything_else() -> None:
    survives(parse, SSR, "naive+https://u:p@a.example#n", "ssconf://a.example/key", "https://a.example/x")
