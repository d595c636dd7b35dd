from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import UUID, VMESS, b64, names, options, ports, quick, reason, vmess
from tests.transports.links import raises_nothing_but_rejected as survives
from transports import sharelink_sections
from transports import vmess as module
from transports.types import Rejected
from transports.vmess import parse


def test_the_link_of_v2rayn() -> None:
    endpoint = parse(VMESS[0])
    assert (endpoint.host, endpoint.port, endpoint.untested) == ("192.0.2.20", 443, "")
    assert endpoint.options == {
        "type": "vmess",
        "server": "192.0.2.20",
        "server_port": 443,
        "uuid": UUID,
        "security": "auto",
        "tls": {
            "enabled": True,
            "server_name": "cdn.example.com",
            "utls": {"enabled": True, "fingerprint": "chrome"},
        },
        "transport": {"type": "ws", "path": "/chat", "headers": {"Host": "cdn.example.com"}},
    }


def test_numbers_come_as_numbers_or_as_text() -> None:
    spelled = [
        vmess(port=443, aid=0, v=2, ps="x"),
        vmess(port="443", aid="0"),
        vmess(port=443.0, aid=""),
        vmess(port=443, scy="auto", type="none", tls="").rstrip("="),
        f"vmess://{UUID.upper()}@192.0.2.20:443?encryption=auto#name",
    ]
    assert len({parse(text).key() for text in spelled}) == 1


def test_the_shadowrocket_style() -> None:
    text = (
        "vmess://" + b64(f"auto:{UUID}@192.0.2.20:443") + "?obfs=websocket&obfsParam=a.example&path=/p&tls=1"
    )
    found = options(parse(text))
    assert found["transport"] == {"type": "ws", "path": "/p", "headers": {"Host": "a.example"}}
    assert found["tls"]["server_name"] == "a.example"


def test_grpc_has_its_service_in_the_path() -> None:
    found = options(parse(vmess(net="grpc", path="svc", type="gun", tls="tls")))
    assert found["transport"] == {"type": "grpc", "service_name": "svc"}


def test_the_old_header_keeps_its_alter_id() -> None:
    assert options(parse(vmess(aid=64)))["alter_id"] == 64


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (vmess(net="kcp", path="seed"), sharelink_sections.KCP),
        (vmess(net="xhttp"), sharelink_sections.XHTTP),
        (vmess(net="quic", host="aes-128-gcm", tls="tls"), sharelink_sections.OTHER),
        (vmess(scy="aes-128-ctr"), module.CIPHER),
    ],
)
def test_what_sing_box_lacks_is_not_tested(text: str, why: str) -> None:
    assert parse(text).untested == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("vmess://*", "the part after vmess:// is no base64: copy the whole link"),
        ("vmess://" + b64("hello"), "this VMess link holds no settings: copy the whole link"),
        ("vmess://" + b64("[1]"), "this VMess link holds no settings: copy the whole link"),
        (vmess(port=None), "the port is missing: write host:port"),
        (vmess(port={}), "the port is missing: write host:port"),
        (vmess(add=""), "the host is missing: write host:port"),
        (vmess(aid="many"), "the alterId of a VMess link must be a number"),
        (vmess(id=""), "the user id is no UUID: it looks like 11111111-2222-4333-8444-555555555555"),
        (vmess(host="a\nb"), "there is a control character in the link: copy it again"),
    ],
)
def test_broken_links_are_turned_down(text: str, why: str) -> None:
    assert reason(parse, text) == why


@quick
@given(st.uuids(), names, ports, st.sampled_from(["auto", "none", "aes-128-gcm"]), st.booleans())
def test_drawn_fields_come_back(user: object, host: str, port: int, cipher: str, url: bool) -> None:
    text = vmess(add=host, port=port, id=str(user), scy=cipher)
    if url:
        text = f"vmess://{user}@{host}:{port}?encryption={cipher}"
    found = options(parse(text))
    assert (found["uuid"], found["server"], found["server_port"]) == (str(user), host, port)
    assert found["security"] == cipher


@quick
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), st.lists, max_leaves=6))
def test_any_json_value_in_any_place_is_survived(value: object) -> None:
    for name in (
        "add",
        "port",
        "id",
        "aid",
        "scy",
        "net",
        "type",
        "host",
        "path",
        "tls",
        "sni",
        "alpn",
        "fp",
    ):
        text = vmess(**{name: value})
        try:
            parse(text)
        except Rejected:
            continue


def test_no_text_makes_it_raise_anything_else() -> None:
    survives(parse, *VMESS, vmess(net="grpc"))
