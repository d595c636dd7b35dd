from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import options, quick
from transports import shadowsocks
from transports.nodelists import outline
from transports.nodelists.outline import endpoints
from transports.types import Endpoint, Rejected

YAML = """\
transport:
  $type: tcpudp
  tcp:
    $type: shadowsocks
    endpoint: 192.0.2.10:8388
    cipher: chacha20-ietf-poly1305
    secret: "0123"
    prefix: "POST "
  udp: {$type: shadowsocks, endpoint: "192.0.2.10:8388", cipher: chacha20-ietf-poly1305, secret: "0123"}
"""
PLAIN = "ss://chacha20-ietf-poly1305:0123@192.0.2.10:8388"


def single(text: str) -> Endpoint:
    found = endpoints(text)
    assert found is not None
    assert isinstance(found[0][1], Endpoint), found
    return found[0][1]


def test_the_answer_in_yaml_keeps_its_prefix() -> None:
    endpoint = single(YAML)
    assert endpoint.untested == shadowsocks.PREFIX
    assert options(endpoint)["query"] == {"prefix": "POST "}
    assert single(YAML.replace('    prefix: "POST "\n', "")).key() == shadowsocks.parse(PLAIN).key()


def test_the_answer_in_json() -> None:
    record = {
        "server": "192.0.2.10",
        "server_port": 8388,
        "password": "0123",
        "method": "chacha20-ietf-poly1305",
    }
    assert single(json.dumps(record)).key() == shadowsocks.parse(PLAIN).key()
    prefixed = single(json.dumps(record | {"prefix": "\u0016\u0003\u0001\u00a8"}))
    assert prefixed.untested == shadowsocks.PREFIX
    assert options(prefixed)["query"]["prefix"].encode("latin-1") == b"\x16\x03\x01\xa8"


def test_a_link_as_transport() -> None:
    assert single(f"transport: {PLAIN}").key() == shadowsocks.parse(PLAIN).key()


def test_a_key_through_a_website_is_not_tested() -> None:
    text = YAML.replace("192.0.2.10:8388\n", "{$type: websocket, url: 'wss://w.example/tcp'}\n")
    endpoint = single(text)
    assert (endpoint.host, endpoint.port, endpoint.untested) == ("w.example", 443, outline.CARRIED)


@pytest.mark.parametrize("text", ["error: {message: gone, details: x}", '{"error": {"message": "gone"}}'])
def test_an_error_is_told(text: str) -> None:
    found = endpoints(text)
    assert found is not None
    assert isinstance(found[0][1], Rejected)
    assert found[0][1].reason == outline.REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "transport: 1",
        "transport: [",
        "transport: *a",
        "error: 5",
        "transport:\n" + " " * 70_000,
    ],
)
def test_other_documents_are_none(text: str) -> None:
    assert endpoints(text) is None


@quick
@given(st.integers(0, len(YAML)), st.text("{}[]:-&*!<>|\"' \n\tx1$", max_size=6))
def test_no_text_makes_it_raise(place: int, filling: str) -> None:
    endpoints(YAML[:place] + filling + YAML[place + len(filling) :])
