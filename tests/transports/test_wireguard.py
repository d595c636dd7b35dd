from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import KEY, KEY_IN_URL, WIREGUARD, names, options, ports, quick, reason
from tests.transports.links import raises_nothing_but_rejected as survives
from transports import wireguard
from transports.wireguard import parse, parse_conf

CONF = f"""\
# a comment
[Interface]
PrivateKey = {KEY}
Address = 10.0.0.2/32, fd00::2/128
DNS = 192.0.2.53
MTU = 1420

[Peer]
PublicKey = {KEY}
PresharedKey = {KEY}
Endpoint = 192.0.2.80:51820
AllowedIPs = 0.0.0.0/0
AllowedIPs = ::/0
PersistentKeepalive = 25
"""


def test_the_link_of_v2rayn() -> None:
    assert parse(WIREGUARD[0]).options == {
        "type": "wireguard",
        "address": ["10.0.0.2/32", "fd00::2/128"],
        "private_key": KEY,
        "mtu": 1420,
        "peers": [
            {
                "address": "192.0.2.80",
                "port": 51820,
                "public_key": KEY,
                "pre_shared_key": KEY,
                "allowed_ips": ["0.0.0.0/0", "::/0"],
                "reserved": [1, 2, 3],
            }
        ],
    }


def test_a_conf_and_a_link_of_one_tunnel_are_one_endpoint() -> None:
    link = WIREGUARD[0].replace("&reserved=1,2,3", "").replace("wireguard://", "wg://")
    assert parse_conf(CONF).key() == parse(link).key()


def test_reserved_is_also_read_as_base64() -> None:
    assert parse(WIREGUARD[0].replace("1,2,3", "AQID")).key() == parse(WIREGUARD[0]).key()
    assert "reserved" not in options(parse(WIREGUARD[0].replace("1,2,3", "0,0,0")))["peers"][0]


def test_amnezia_is_not_tested_as_if_it_were_wireguard() -> None:
    endpoint = parse_conf(CONF.replace("[Interface]", "[Interface]\nJc = 4\nJmin=40\nS1 = 10"))
    assert endpoint.untested == wireguard.AMNEZIA
    assert parse_conf(CONF.replace("[Interface]", "[Interface]\nJc = 0")).untested == ""


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (f"//{KEY_IN_URL}", "//AAAA", "the WireGuard private key must be 44 characters of base64"),
        ("publickey=", "other=", "the public key of the WireGuard peer must be 44 characters of base64"),
        ("presharedkey=A", "presharedkey=", "the WireGuard preshared key must be 44 characters of base64"),
        ("1,2,3", "1,2", "reserved= must be three numbers from 0 to 255, such as 1,2,3"),
        ("1,2,3", "1,2,300", "reserved= must be three numbers from 0 to 255, such as 1,2,3"),
        ("&address=", "&a=", "address= is missing: it is the address of this side, such as 10.0.0.2/32"),
        ("10.0.0.2", "10.0.0.256", "a WireGuard address is not an IP address: it looks like 10.0.0.2/32"),
        ("fd00::2", "fd00::2%251", "a WireGuard address is not an IP address: it looks like 10.0.0.2/32"),
        ("mtu=1420", "mtu=1", "mtu= must be a number from 576 to 65535"),
    ],
)
def test_broken_links_are_turned_down(old: str, new: str, why: str) -> None:
    assert old in WIREGUARD[0]
    assert reason(parse, WIREGUARD[0].replace(old, new)) == why


def test_broken_files_are_turned_down() -> None:
    several = CONF + "[Peer]\nPublicKey=x\n"
    assert reason(parse_conf, several) == "the WireGuard file has several peers: keep one"
    assert reason(parse_conf, "[Interface]" + "x" * 20_000) == "the WireGuard file is too long"
    assert reason(parse_conf, CONF.replace("Endpoint", "End")) == "the host is missing: write host:port"


@quick
@given(
    st.binary(min_size=32, max_size=32), names, ports, st.lists(st.integers(0, 255), min_size=3, max_size=3)
)
def test_drawn_fields_come_back(raw: bytes, host: str, port: int, reserved: list[int]) -> None:
    key = base64.b64encode(raw).decode()
    text = f"wireguard://{quote(key, safe='')}@{host}:{port}?publickey={KEY_IN_URL}&address=10.0.0.2"
    endpoint = parse(f"{text}&reserved={','.join(map(str, reserved))}")
    assert (endpoint.host, endpoint.port, options(endpoint)["private_key"]) == (host, port, key)
    assert options(endpoint)["peers"][0].get("reserved", [0, 0, 0]) == reserved


def test_no_text_makes_it_raise_anything_else() -> None:
    survives(parse, *WIREGUARD)
    survives(parse_conf, CONF)
