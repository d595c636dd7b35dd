"""Example links with invented keys, and what the parser tests share."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transports.types import Endpoint, Rejected

UUID: Final = "11111111-2222-4333-8444-555555555555"
KEY: Final = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
KEY_IN_URL: Final = KEY.replace("=", "%3D")
PBK: Final = KEY.rstrip("=")
FP: Final = "0123456789ABCDEF0123456789ABCDEF01234567"
CERT: Final = "AQIDBAUGBwgJCgsMDQ4PEBESExQgISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw"

SHADOWSOCKS: Final = (
    "ss://YWVzLTI1Ni1nY206Y29ycmVjdC1ob3JzZQ@192.0.2.10:8388#Node%20A",
    "ss://YWVzLTI1Ni1nY206cEBzcy93b3JkOnhAMTkyLjAuMi4xMDo4Mzg4#legacy",
    "ss://2022-blake3-aes-128-gcm:AAECAwQFBgcICQoLDA0ODw%3D%3D@192.0.2.10:8388#k22",
    (
        "ss://Y2hhY2hhMjAtaWV0Zi1wb2x5MTMwNTpwdw@192.0.2.10:8388/"
        "?plugin=obfs-local%3Bobfs%3Dhttp%3Bobfs-host%3Dwww.example.com#p"
    ),
)
VMESS: Final = (
    (
        "vmess://eyJ2IjoiMiIsInBzIjoiZXggd3MiLCJhZGQiOiIxOTIuMC4yLjIwIiwicG9ydCI6IjQ0MyIsImlkIjoiMTExMTExMTEtMjIy"
        "Mi00MzMzLTg0NDQtNTU1NTU1NTU1NTU1IiwiYWlkIjoiMCIsInNjeSI6ImF1dG8iLCJuZXQiOiJ3cyIsInR5cGUiOiJub25lIiwiaG9z"
        "dCI6ImNkbi5leGFtcGxlLmNvbSIsInBhdGgiOiIvY2hhdCIsInRscyI6InRscyIsInNuaSI6ImNkbi5leGFtcGxlLmNvbSIsImFscG4i"
        "OiJoMixodHRwLzEuMSIsImZwIjoiY2hyb21lIn0="
    ),
    f"vmess://{UUID}@192.0.2.21:80?encryption=none&type=httpupgrade&host=cdn.example.com&path=%2Fup#u",
)
VLESS: Final = (
    (
        f"vless://{UUID}@192.0.2.30:443?encryption=none&flow=xtls-rprx-vision&security=reality&sni=www.example.com"
        f"&fp=chrome&pbk={PBK}&sid=0123abcd&type=tcp&headerType=none#reality"
    ),
    (
        f"vless://{UUID}@192.0.2.31:443?encryption=none&security=tls&sni=cdn.example.com&type=ws"
        "&host=cdn.example.com&path=%2Fws%3Fed%3D2048#ws"
    ),
    (
        f"vless://{UUID}@192.0.2.32:443?encryption=none&security=tls&sni=g.example.com&type=grpc"
        "&serviceName=svc&mode=gun#grpc"
    ),
)
TROJAN: Final = ("trojan://p%40ss@192.0.2.40:443?sni=t.example.com&type=ws&path=%2Ft&alpn=h2,http%2F1.1#t",)
HYSTERIA2: Final = (
    "hysteria2://letme:in@192.0.2.50:8443/?obfs=salamander&obfs-password=ob&sni=h.example.com&insecure=1#h",
    "hy2://pw@[2001:db8::50]:443,5000-6000/?sni=h.example.com#hop",
)
TUIC: Final = (
    f"tuic://{UUID}:pw@192.0.2.60:443?congestion_control=bbr&alpn=h3&sni=q.example.com&udp_relay_mode=quic#q",
)
ANYTLS: Final = ("anytls://pw@192.0.2.70/?sni=a.example.com&insecure=1#a",)
WIREGUARD: Final = (
    (
        f"wireguard://{KEY_IN_URL}@192.0.2.80:51820?publickey={KEY_IN_URL}&presharedkey={KEY_IN_URL}"
        "&reserved=1,2,3&address=10.0.0.2%2F32,fd00::2%2F128&mtu=1420#w"
    ),
)
TESTABLE: Final = (*SHADOWSOCKS, *VMESS, *VLESS, *TROJAN, *HYSTERIA2, *TUIC, *ANYTLS, *WIREGUARD)

Parse = Callable[[str], Endpoint]
quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
passwords = st.text(
    min_size=1, max_size=40, alphabet=st.characters(codec="utf-8", exclude_categories=["C", "Z"])
)
names = st.from_regex(r"[a-z][a-z0-9]{0,10}(\.[a-z]{2,8}){1,2}", fullmatch=True)
ports = st.integers(1, 65535)
_NOISE: Final = string.printable + "%&=?#@:/[]\x00\ud800\u202eé²"


def options(endpoint: Endpoint) -> dict[str, Any]:
    """Return the options, which must be there."""
    assert endpoint.options is not None
    return dict(endpoint.options)


def reason(parse: Parse, text: str) -> str:
    """Return the message with which `text` is turned down."""
    with pytest.raises(Rejected) as caught:
        parse(text)
    return str(caught.value.reason)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def vmess(**fields: Any) -> str:
    record = {"v": "2", "add": "192.0.2.20", "port": "443", "id": UUID, "aid": "0", "net": "tcp"}
    return "vmess://" + b64(json.dumps(record | fields))


def raises_nothing_but_rejected(parse: Parse, *examples: str) -> None:
    """Throw arbitrary text and broken copies of good links at `parse`."""

    @quick
    @given(st.text(max_size=80), st.sampled_from(examples), st.data())
    def check(noise: str, example: str, data: st.DataObject) -> None:
        start = data.draw(st.integers(0, len(example)))
        end = data.draw(st.integers(start, min(len(example), start + 12)))
        filling = data.draw(st.text(_NOISE, max_size=6))
        scheme = example.partition("://")[0]
        for text in (noise, f"{scheme}://{noise}", example[:start] + filling + example[end:]):
            try:
                endpoint = parse(text)
            except Rejected:
                continue
            assert 0 < endpoint.port < 65536
            assert endpoint.host
            assert endpoint.key()

    check()
