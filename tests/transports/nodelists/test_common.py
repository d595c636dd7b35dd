from __future__ import annotations

import json

import pytest

from tests.transports.links import UUID
from transports.nodelists import common, convert
from transports.types import Endpoint, Rejected


@pytest.mark.parametrize(
    "text",
    [
        "proxies:\n- {type: trojan, server: a.example, port: 443, password: x}",
        json.dumps({"proxies": [{"type": "trojan", "server": "a.example", "port": 443, "password": "x"}]}),
        json.dumps({"outbounds": [{"type": "vless", "server": "a.example", "server_port": 1, "uuid": UUID}]}),
        json.dumps([{"protocol": "vless", "settings": {"address": "a.example", "port": 1, "id": UUID}}]),
        json.dumps({"servers": [{"server": "a.example", "server_port": 1, "method": "none"}], "version": 1}),
        "\ufeff" + json.dumps({"server": "a.example", "server_port": 1, "method": "none", "password": ""}),
        "transport: {$type: shadowsocks, endpoint: 'a.example:1', cipher: aes-128-gcm, secret: x}",
    ],
)
def test_every_kind_of_document_is_recognised(text: str) -> None:
    found = convert(text)
    assert found is not None
    assert [(number, type(item)) for number, item in found] == [(1 + text.startswith("proxies:"), Endpoint)]


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, "1.2.3.4:80\nss://x", '{"a": 1}', "5", "null", "\n" * 1_000_000]
)
def test_what_is_no_document_is_none(text: str) -> None:
    assert convert(text) is None


def test_a_document_beyond_the_limit_is_turned_down_whole() -> None:
    found = convert('{"outbounds": [' + " " * common.MAX_TEXT + "]}")
    assert found is not None
    assert [getattr(item, "reason", "") for _, item in found] == [common.TOO_LONG]


def test_a_refusal_does_not_keep_the_document() -> None:
    found = convert('{"outbounds": [{"type": "vless", "server": "[x]", "server_port": 1}]}')
    assert found is not None
    item = found[0][1]
    assert isinstance(item, Rejected)
    assert (item.__traceback__, item.__context__) == (None, None)


def test_a_revealed_item_can_be_pasted_again() -> None:
    text = '{"outbounds":[{"type":"vless","server":"a.example","server_port":1,"uuid":"anna"}]}'
    found = convert(text)
    assert found is not None
    item = found[0][1]
    assert isinstance(item, Endpoint)
    again = convert(item.reveal())
    assert again is not None
    assert isinstance(again[0][1], Endpoint)
    assert again[0][1].key() == item.key()
