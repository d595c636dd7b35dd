from __future__ import annotations

import json

import pytest

from transports import shadowsocks
from transports.nodelists.sip008 import endpoints
from transports.types import Endpoint, Rejected

SERVER = {
    "id": "27b8a625-4f4b-4428-9f0f-8a2317db7c79",
    "remarks": "A",
    "server": "192.0.2.10",
    "server_port": 8388,
    "password": "x",
    "method": "aes-256-gcm",
    "plugin": "",
    "plugin_opts": "",
}


@pytest.mark.parametrize("wrapped", [True, False])
def test_each_server_stands_for_itself(wrapped: bool) -> None:
    servers = [
        SERVER,
        {**SERVER, "server_port": 0},
        "text",
        {**SERVER, "plugin": "obfs-local", "plugin_opts": "obfs=tls"},
    ]
    found = endpoints(json.dumps({"version": 1, "servers": servers} if wrapped else servers))
    assert found is not None
    assert [(number, type(item)) for number, item in found] == [
        (1, Endpoint),
        (2, Rejected),
        (3, Rejected),
        (4, Endpoint),
    ]
    keys = [item.key() for _, item in found if isinstance(item, Endpoint)]
    assert keys == [
        shadowsocks.parse("ss://aes-256-gcm:x@192.0.2.10:8388").key(),
        shadowsocks.parse("ss://aes-256-gcm:x@192.0.2.10:8388/?plugin=obfs-local%3Bobfs%3Dtls").key(),
    ]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"servers": []}', '{"servers": 1}', "[1]"])
def test_other_documents_are_none(text: str) -> None:
    assert endpoints(text) is None
