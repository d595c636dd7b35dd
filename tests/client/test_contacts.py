import pytest

from client import bridges, contacts
from transports.tor_bridge import parse
from transports.types import Endpoint

FP = "2B280B23E1107BB62ABFC40DDCC8824814F80A72"
KEY = "a" * 64


@pytest.mark.parametrize(
    ("line", "hosts"),
    [
        (f"192.0.2.1:443 {FP}", []),
        ("meek_lite 192.0.2.20:80 url=https://behind.test front=front.test", ["front.test"]),
        ("meek_lite 192.0.2.20:80 url=https://alone.test/x", ["alone.test"]),
        ("meek_lite 192.0.2.20:80 targets=https://a.test|f1.test+f2.test,https://b.test", ["f1.test", "f2.test", "b.test"]),
        (
            f"snowflake 192.0.2.3:80 {FP} url=https://b.test/ fronts=f1.test,f2.test ice=stun:s1.test:1,stun:s2.test:1",
            ["f1.test", "f2.test", "s1.test", "s2.test"],
        ),
        (f"snowflake 192.0.2.3:80 {FP} url=https://broker.test/ ampcache=https://amp.test/ front=f.test", ["f.test"]),
        (
            "meek_lite 192.0.2.20:80 url=https://u.test front=f.test targets=https://a.test|f1.test,https://b.test",
            ["f.test", "f1.test", "b.test"],
        ),
        ("meek_lite 192.0.2.20:80 url=https://u.test targets=https://a.test|f1.test", ["u.test", "f1.test"]),
        (
            f"snowflake 192.0.2.3:80 {FP} url=https://broker.test/ fronts=f.test sqsqueue=https://sqs.test/1/q",
            ["f.test", "sqs.test"],
        ),
        (
            f"snowflake 192.0.2.3:80 {FP} url=https://b.test/ ice=stun:s1.test,STUN:s2.test:1,stuns:s3.test,s4.test:1",
            ["b.test", "s1.test", "s2.test", "s3.test", "s4.test"],
        ),
        (
            f"snowflake 192.0.2.3:80 {FP} url=https://b.test/ ice=turn:t.test:1?transport=udp,turns:192.0.2.9:1,stun:[2001:db8::7]:1,stun:2001:db8::8",
            ["b.test", "t.test", "192.0.2.9", "2001:db8::7", "2001:db8::8"],
        ),
        (f"webtunnel [2001:db8::1]:443 {FP} url=https://page.test/x addr=192.0.2.8:443", ["192.0.2.8", "page.test"]),
        (f"webtunnel [2001:db8::1]:443 {FP} url=https://page.test/x servername=sni.test", ["page.test", "sni.test"]),
        (
            f"webtunnel [2001:db8::1]:443 {FP} url=https://page.test/x addr=there.test:1 servername=s1.test,s2.test",
            ["there.test", "s1.test", "s2.test"],
        ),
        (f"dnstt 192.0.2.4:1 {FP} udp=[2001:db8::9]:53 pubkey={KEY} domain=t.zone.test", ["2001:db8::9", "t.zone.test"]),
        (f"webtunnel [2001:db8::1]:443 {FP} url=https://page.test/secret", ["page.test"]),
        (f"dnstt 192.0.2.4:1 {FP} doh=https://dns.test/q pubkey={KEY} domain=t.zone.test", ["dns.test", "t.zone.test"]),
        (f"dnstt 192.0.2.4:1 {FP} dot=dot.test:853 pubkey={KEY} domain=t.zone.test", ["dot.test", "t.zone.test"]),
        (f"conjure 192.0.2.5:80 {FP} url=https://registrar.test/api", ["registrar.test"]),
    ],
)  # fmt: skip
def test_the_servers_that_a_bridge_is_reached_through_are_named(line: str, hosts: list[str]) -> None:
    assert contacts.servers([parse(line)]) == hosts


def test_each_server_is_named_once_and_tor_itself_has_none() -> None:
    line = "meek_lite 192.0.2.20:80 url=https://behind.test front=front.test"
    tor = Endpoint(transport="tor", host="", port=1)
    assert contacts.servers([parse(line), parse(line), tor]) == ["front.test"]
    assert (contacts.kind(tor), contacts.kind(parse(line))) == ("", "meek_lite")


def test_every_built_in_bridge_with_a_placeholder_address_names_a_server() -> None:
    for line in bridges.builtin().lines():
        bridge = parse(line.text)
        if contacts.kind(bridge) not in ("obfs4", "vanilla"):
            assert contacts.servers([bridge])
