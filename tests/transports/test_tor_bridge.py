from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import CERT, FP, options, ports, quick, reason
from tests.transports.links import raises_nothing_but_rejected as survives
from transports import tor_bridge
from transports.tor_bridge import looks_like_bridge, parse, without_fingerprint

OBFS4 = f"obfs4 192.0.2.77:4433 {FP} cert={CERT} iat-mode=0"
MEEK = "meek_lite 192.0.2.20:80 url=https://reflector.example.net/ front=www.example.com utls=HelloRandomizedALPN"
SNOWFLAKE = (
    f"snowflake 192.0.2.3:80 {FP} fingerprint={FP} url=https://broker.example.net/"
    " fronts=a.example.com,b.example.com ice=stun:stun.example.net:3478,stun:stun.example.org:3478"
    " utls-imitate=hellorandomizedalpn"
)
WEBTUNNEL = f"webtunnel [2001:db8:1234:5678::9]:443 {FP} url=https://site.example.com/RandomPath123 ver=0.0.3"
CONJURE = "conjure 192.0.2.6:80 url=https://registration.example.net/api fronts=a.example transport=min"
SCRAMBLE = f"scramblesuit 192.0.2.5:443 {FP} password=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
DNSTT = f"dnstt 192.0.2.4:1 {FP} doh=https://dns.example/dns-query pubkey={'0f' * 32} domain=t.example.org"
LINES = (
    OBFS4,
    MEEK,
    SNOWFLAKE,
    WEBTUNNEL,
    CONJURE,
    SCRAMBLE,
    DNSTT,
    f"obfs3 192.0.2.5:443 {FP}",
    "obfs2 192.0.2.5:1",
)
GROUPED = "Bridge [2001:db8::10]:9001 0123 4567 89AB CDEF 0123 4567 89AB CDEF 0123 4567"


@pytest.mark.parametrize("text", LINES)
def test_every_transport_is_recognised(text: str) -> None:
    endpoint = parse(text)
    assert endpoint.transport == "tor_bridge"
    assert options(endpoint)["pt"] == text.split()[0]
    assert endpoint.untested == ""
    assert endpoint.reveal() == text
    assert looks_like_bridge(text)


def test_an_obfs4_line_comes_apart() -> None:
    endpoint = parse(OBFS4)
    assert (endpoint.host, endpoint.port) == ("192.0.2.77", 4433)
    assert endpoint.options == {"pt": "obfs4", "fingerprint": FP, "args": {"cert": CERT, "iat-mode": "0"}}


def test_a_vanilla_fingerprint_may_come_in_groups() -> None:
    endpoint = parse(GROUPED)
    assert (endpoint.host, endpoint.port) == ("2001:db8::10", 9001)
    assert endpoint.options == {"pt": "vanilla", "fingerprint": FP, "args": {}}


def test_a_missing_port_is_that_of_https() -> None:
    assert parse("Bridge 192.0.2.1").port == 443


def test_the_old_form_of_obfs4_becomes_a_cert() -> None:
    raw = base64.b64decode(CERT + "==")
    old = f"obfs4 192.0.2.77:4433 {FP} node-id={raw[:20].hex()} public-key={raw[20:].hex()} iat-mode=0"
    assert options(parse(old))["args"]["cert"] == CERT
    assert parse(old).key() == parse(OBFS4).key()


def test_differently_spelled_lines_are_one_bridge() -> None:
    spelled = (
        OBFS4,
        f"Bridge  obfs4  192.0.2.77:4433\t{FP.lower()} iat-mode=1 cert={CERT}",
        f"bridge obfs4 192.0.2.77:4433 {FP} cert={CERT} iat-mode=2",
    )
    assert len({parse(text).key() for text in spelled}) == 1
    assert parse(OBFS4.replace(":4433", ":4434")).key() != parse(OBFS4).key()
    assert parse(f"192.0.2.77:4433 {FP}").key() != parse(OBFS4).key()


OTHER_FP = FP[::-1]
OTHER_CERT = CERT[::-1]
UNNAMED = OBFS4.replace(f" {FP}", "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (OBFS4, OBFS4.replace(CERT, OTHER_CERT)),
        (OBFS4, OBFS4.replace(FP, OTHER_FP)),
        (OBFS4, UNNAMED),
        (UNNAMED, UNNAMED.replace(CERT, OTHER_CERT)),
        (SCRAMBLE, SCRAMBLE.replace("ABCD", "DCBA")),
        (f"192.0.2.1:443 {FP}", f"192.0.2.1:443 {OTHER_FP}"),
        (f"192.0.2.1:443 {FP}", "Bridge 192.0.2.1:443"),
        (WEBTUNNEL, WEBTUNNEL.replace(FP, OTHER_FP)),
        (WEBTUNNEL, WEBTUNNEL.replace("Path", "path")),
        (WEBTUNNEL, WEBTUNNEL + " servername=b.example"),
        (SNOWFLAKE, SNOWFLAKE.replace(f"={FP}", f"={OTHER_FP}")),
        (SNOWFLAKE, SNOWFLAKE.replace("fronts=a.example.com", "fronts=c.example.com")),
        (SNOWFLAKE, SNOWFLAKE + " ampcache=https://cdn.example/"),
        (MEEK, MEEK.replace("front=www.", "front=ww2.")),
        (CONJURE, CONJURE.replace("transport=min", "transport=dtls")),
        (DNSTT, DNSTT.replace("0f0f", "0f1f")),
    ],
)
def test_lines_that_name_another_key_or_way_are_different_bridges(one: str, other: str) -> None:
    assert parse(one).key() != parse(other).key()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (OBFS4, OBFS4.replace(FP, FP.lower())),
        (OBFS4, f"{OBFS4} # works at night"),
        (f"[2001:db8::10]:9001 {FP}", f"[2001:0DB8:0:0::10]:09001 {FP.lower()}"),
        (WEBTUNNEL, WEBTUNNEL.replace("https://site.example.com/", "https://SITE.example.com:443/")),
        (WEBTUNNEL, WEBTUNNEL.replace("ver=0.0.3", "ver=0.0.4")),
        (SNOWFLAKE, SNOWFLAKE.replace("example.net/ fronts", "example.net fronts")),
        (
            SNOWFLAKE,
            SNOWFLAKE.replace("fronts=a.example.com,b.example.com", "front=b.example.com,A.example.com"),
        ),
        (SNOWFLAKE, SNOWFLAKE.replace("stun.example.org", "stun2.example.org")),
        (SNOWFLAKE, SNOWFLAKE.replace(f"={FP}", f"={FP.lower()}")),
    ],
)
def test_another_spelling_of_the_same_way_is_the_same_bridge(one: str, other: str) -> None:
    assert parse(one).key() == parse(other).key()


def test_only_a_key_of_the_transport_ties_a_line_without_fingerprint_to_one_with_it() -> None:
    unnamed = without_fingerprint(parse(OBFS4))
    assert unnamed is not None
    assert unnamed.key() == parse(UNNAMED).key()
    for text in (UNNAMED, f"192.0.2.1:443 {FP}", WEBTUNNEL, f"obfs3 192.0.2.5:443 {FP}"):
        assert without_fingerprint(parse(text)) is None


def test_the_word_bridge_and_a_comment_are_not_kept() -> None:
    assert parse(f"Bridge  {OBFS4}  # mine").reveal() == OBFS4


def test_a_placeholder_address_counts_for_nothing() -> None:
    for line, other in (
        (SNOWFLAKE, "192.0.2.5:80"),
        (WEBTUNNEL, "[2001:db8::77]:443"),
        (MEEK, "192.0.2.2:2"),
    ):
        address = line.split()[1]
        assert parse(line.replace(address, other)).key() == parse(line).key()
        assert parse(line.replace("url=https://", "url=https://x")).key() != parse(line).key()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2001:db8::5:443 " + FP, "put the IPv6 address into brackets: [2001:db8::1]:443"),
        (OBFS4.replace("192.0.2.77", "2001:db8::7"), "put the IPv6 address into brackets: [2001:db8::1]:443"),
        (OBFS4.replace(CERT, CERT + "=="), "take the = off the end of cert="),
        (OBFS4.replace(CERT, CERT[:-1] + "_"), "cert= must be written with + and /, not with - and _"),
        (OBFS4.replace(CERT, CERT[:-4]), "cert= must have 70 characters: copy the whole line"),
        (OBFS4.replace(CERT, "*" * 70), "cert= must have 70 characters: copy the whole line"),
        (OBFS4.replace(f"cert={CERT} ", ""), "cert= is missing: copy the whole line"),
        (OBFS4.replace(" iat-mode=0", ""), "iat-mode= is missing: add iat-mode=0 at the end"),
        (OBFS4.replace("iat-mode=0", "iat-mode=3"), "iat-mode= must be 0, 1 or 2"),
        (OBFS4.replace("iat-mode=0", "iat-mode"), "after the fingerprint everything must be name=value"),
        (OBFS4 + " iat-mode=1", "{name}= stands there twice: keep one"),
        (OBFS4 + " s3cret=1 s3cret=2", "one of the settings (name=value) stands there twice: keep one"),
        (OBFS4 + " x=a\\", "the bridge line has a backslash in it: take it out"),
        (
            OBFS4 + " x=\u202e",
            "the bridge line has quotes or control characters in it: take them out",
        ),
        (OBFS4.replace(FP, FP[:-1]), "a fingerprint has 40 hexadecimal digits: this one has another length"),
        (OBFS4.replace(FP, FP + "0"), "a fingerprint has 40 hexadecimal digits: this one has another length"),
        (OBFS4.replace(FP, "$" + FP), "write the fingerprint without the $"),
        (OBFS4.replace(FP, "0123 4567 89AB"), "write the fingerprint without blanks inside"),
        (f"192.0.2.1:443 ${FP}", "write the fingerprint without the $"),
        (f"192.0.2.1:443 {FP}0", "a fingerprint has 40 hexadecimal digits: this one has another length"),
        (f"192.0.2.1:443 {FP} a=b", "name=value needs a transport before the address, such as obfs4"),
        (
            OBFS4.replace("iat", "'iat"),
            "the bridge line has quotes or control characters in it: take them out",
        ),
        (OBFS4 + '"', "the bridge line has quotes or control characters in it: take them out"),
        (OBFS4 + "\nBridge", "the bridge line has quotes or control characters in it: take them out"),
        (OBFS4.replace(":4433", ":0"), "the port must be a number from 1 to 65535"),
        (OBFS4.replace(":4433", ":65536"), "the port must be a number from 1 to 65535"),
        (OBFS4.replace("192.0.2.77", "192.0.2.777"), "the address of the bridge is not an IP address"),
        (OBFS4.replace("192.0.2.77", "host.example"), "a bridge needs an IP address, not a host name"),
        (
            OBFS4.replace("192.0.2.77", "http://192.0.2.7"),
            "write address:port of the bridge, without http://",
        ),
        (OBFS4.replace("obfs4", "OBFS4"), "write the transport in small letters: {name}"),
        (
            OBFS4.replace("obfs4", "obfs5"),
            "this transport is not known: write obfs4, webtunnel, snowflake or meek_lite",
        ),
        ("Bridge Bridge " + OBFS4, "the word Bridge stands there twice: keep one"),
        ("Bridge obfs4", "the address is missing: write it after the transport as address:port"),
        ("Bridge ", "the bridge line is empty: write transport, address and fingerprint"),
        ("obfs4 " + "a" * 5000, "the bridge line is too long: one bridge a line"),
        (
            SNOWFLAKE + " ampcache=" + "a" * 300,
            "the arguments are longer than 510 bytes: leave out some ice= or fronts= entries",
        ),
        (WEBTUNNEL.replace("url=", "link="), "url= is missing: copy the whole line"),
        (WEBTUNNEL.replace("https:", "ftp:"), "url= must begin with http:// or https:// and name a host"),
        (
            MEEK.replace("reflector.example.net", "[x"),
            "url= must begin with http:// or https:// and name a host",
        ),
        (SCRAMBLE[:-1], "password= must have 32 characters of base32: copy the whole line"),
        (f"obfs3 192.0.2.5:443 {FP} a=b", "this transport takes no name=value: leave them out"),
        (DNSTT.replace("doh=", "dom="), "a dnstt line needs pubkey=, domain= and one of doh=, dot= or udp="),
    ],
)
def test_what_tor_would_misread_is_turned_down_with_how_to_mend_it(text: str, why: str) -> None:
    assert reason(parse, text) == why


def test_the_limit_of_the_arguments_counts_escapes() -> None:
    def line(length: int, char: str = "a") -> str:
        return f"meek_lite 192.0.2.20:80 url=https://e.example/ x={char * length}"

    fixed = len("url=https://e.example/;x=")
    assert parse(line(510 - fixed)).port == 80
    assert "510" in reason(parse, line(511 - fixed))
    assert "510" in reason(parse, line(300, ";"))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Bridge 192.0.2.1:443", True),
        ("192.0.2.1:443", False),
        (f"192.0.2.1:443 {FP}", True),
        (f"192.0.2.1:443 ${FP[:-1]}", True),
        (GROUPED.removeprefix("Bridge "), True),
        ("OBFS4 192.0.2.1:443", True),
        (f"newpt 192.0.2.1:443 {FP}", True),
        ("newpt 192.0.2.1:443 url=https://x", True),
        ("KZ 192.0.2.1:443", False),
        ("192.0.2.1:1080 fast one", False),
        ("socks5://192.0.2.1:1080", False),
        ("a bridge to somewhere", False),
        ("", False),
    ],
)
def test_what_is_meant_as_a_bridge_line(text: str, meant: bool) -> None:
    assert looks_like_bridge(text) is meant


@quick
@given(st.ip_addresses(), ports, st.binary(min_size=52, max_size=52), st.binary(min_size=20, max_size=20))
def test_drawn_fields_come_back(address: object, port: int, raw: bytes, identity: bytes) -> None:
    host = f"[{address}]" if ":" in str(address) else str(address)
    cert = base64.b64encode(raw).decode().rstrip("=")
    endpoint = parse(f"Bridge obfs4 {host}:{port} {identity.hex()} cert={cert} iat-mode=1")
    assert (endpoint.host, endpoint.port) == (str(address), port)
    found = options(endpoint)
    assert (found["fingerprint"], found["args"]["cert"]) == (identity.hex().upper(), cert)


@quick
@given(st.text(max_size=60))
def test_any_text_can_be_asked_about(text: str) -> None:
    assert looks_like_bridge(text) in (True, False)


def test_no_text_makes_it_raise_anything_else() -> None:
    survives(parse, *LINES, GROUPED)
    assert tor_bridge.SCHEMES == ()
