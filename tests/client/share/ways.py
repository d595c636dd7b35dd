"""Ways in for the tests of capsules: one of each kind."""

from __future__ import annotations

import base64

from client.parse import parse_line
from client.share.capsule import Capsule, Entry, Seen
from transports.types import Endpoint

CERT = base64.b64encode(bytes(range(52))).decode().rstrip("=")
FINGERPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"
UUID = "00000000-0000-4000-8000-000000000000"
KEY = "A" * 42 + "E"
OBFS4 = f"obfs4 93.184.215.14:4433 cert={CERT} iat-mode=0"
LINES = {
    "obfs4": OBFS4,
    "obfs4, paranoid": f"obfs4 93.184.215.14:4433 cert={CERT} iat-mode=2",
    "obfs4, IPv6": f"obfs4 [2606:2800::1]:4433 cert={CERT} iat-mode=1",
    "vanilla": "93.184.215.14:443",
    "vanilla with a fingerprint": f"93.184.215.14:443 {FINGERPRINT}",
    "vanilla, IPv6": f"[2606:2800::1]:443 {FINGERPRINT}",
    "host and port": "93.184.215.14:8080",
    "http": "http://proxy.example:3128",
    "https": "https://someone:secret@proxy.example:443",
    "socks4": "socks4://93.184.215.14:1080",
    "socks4a": "socks4a://someone@proxy.example:1080",
    "socks5, IPv6": "socks5://[2606:2800::1]:1080",
    "socks5, odd login": "socks5://us%20er:p%40s%3As@proxy.example:1080",
    "a name beyond ASCII": "socks5://прокси.example:1080",
    "tor": "tor",
    "snowflake": (
        f"snowflake 192.0.2.3:80 {FINGERPRINT} fingerprint={FINGERPRINT} url=https://broker.example/ "
        "fronts=one.example,two.example ice=stun:stun.example:3478 utls-imitate=hellorandomizedalpn"
    ),
    "webtunnel": f"webtunnel [2001:db8::1]:443 {FINGERPRINT} url=https://web.example/path ver=0.0.1",
    "vless": (
        f"vless://{UUID}@93.184.215.14:443?encryption=none&security=reality&sni=site.example&fp=chrome"
        f"&pbk={KEY}&sid=ab&type=tcp&flow=xtls-rprx-vision#A name, with advertising"
    ),
    "trojan": "trojan://secret@93.184.215.14:443?sni=site.example",
    "shadowsocks": "ss://Y2hhY2hhMjAtaWV0Zi1wb2x5MTMwNTpwYXNz@93.184.215.14:8388#name",
    "telegram": f"tg://proxy?server=93.184.215.14&port=443&secret=dd{'0' * 32}",
}


def endpoint(text: str) -> Endpoint:
    """Return the one endpoint of a line."""
    (found,) = parse_line(text)
    assert isinstance(found, Endpoint)
    return found


def entry(text: str = OBFS4, seen: Seen | None = None) -> Entry:
    return Entry(endpoint=endpoint(text), seen=seen or Seen())


def capsule(*texts: str) -> Capsule:
    return Capsule(entries=tuple(entry(text) for text in texts or (OBFS4,)))
