"""Options and programs for the tests of the guide."""

from client.guide.apps import App
from client.judge import protection_of
from client.model import Candidate, Status
from client.options import Option
from transports.registry import PARSERS
from transports.tor_bridge import parse as bridge
from transports.types import Endpoint

OBFS4 = "obfs4 192.0.2.77:443 0123456789ABCDEF0123456789ABCDEF01234567 cert=" + "A" * 70 + " iat-mode=0"
VANILLA = "192.0.2.78:9001 0123456789ABCDEF0123456789ABCDEF01234567"
DNSTT = "dnstt 192.0.2.79:53 domain=t.example pubkey=" + "a" * 64 + " udp=192.0.2.53:53"
USER = "11111111-2222-4333-8444-555555555555"
LINES = {
    "obfs4": OBFS4,
    "vanilla": VANILLA,
    "dnstt": DNSTT,
    "webtunnel": "webtunnel 192.0.2.80:443 0123456789ABCDEF0123456789ABCDEF01234567 url=https://a.example/x",
    "vless": f"vless://{USER}@192.0.2.5:443?security=tls&sni=a.example&type=tcp",
    "trojan": "trojan://secret-word@192.0.2.6:443?sni=a.example",
    "shadowsocks": "ss://YWVzLTEyOC1nY206c2VjcmV0LXdvcmQ@192.0.2.9:8388",
    "hysteria2": "hysteria2://secret-word@192.0.2.10:443?sni=a.example",
    "socks5": "socks5://192.0.2.1:1080",
    "socks4": "socks4://192.0.3.1:1080",
    "http": "http://192.0.4.1:8080",
    "https": "https://proxy.example:443",
    "telegram": "tg://proxy?server=192.0.2.11&port=443&secret=dd000102030405060708090a0b0c0d0e0f",
}
NOW = 1_800_000_000.0


def endpoint(kind: str) -> Endpoint:
    if kind == "tor":
        return Endpoint(transport="tor", host="", port=1, text="tor")
    line = LINES[kind]
    return bridge(line) if " " in line else PARSERS[line.partition("://")[0]](line)


def option(
    kind: str,
    status: Status = Status.WORKING,
    *,
    speed: float | None = 100.0,
    age: float | None = 10.0,
    trusted: bool = False,
    where: Endpoint | None = None,
) -> Option:
    at = where or endpoint(kind)
    tested = status is not Status.UNTESTED
    return Option(
        candidate=Candidate(at, "list.txt", 1),
        transport=at.transport,
        protection=protection_of(at.transport, at, trusted=trusted),
        status=status,
        id="0123abcd",
        kib_per_s=speed if tested else None,
        seen=NOW - age if tested and age is not None else None,
    )


def app(
    name: str, takes: str = "", *, local: bool = False, purposes: str = "browse", systems: str = "linux"
) -> App:
    return App(
        id=name,
        name=name.title(),
        systems=tuple(systems.split()),
        takes=frozenset(takes.split()),
        local=local,
        export="",
        purposes=tuple(purposes.split()),
        source="a test",
        walked=None,
    )
