import base64
import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transports.proxyline import SCHEMES, check_host, parse, parse_port, split_host
from transports.types import Endpoint, Rejected

BRACKETS = "an IPv6 address needs brackets: [2001:db8::1]:1080"
NO_PORT = "the port is missing: write host:port"
BAD_PORT = "the port must be a number from 1 to 65535"
NO_HOST = "the host is missing: write host:port"
BAD_HOST = "this is not a host name or address"
BAD_V4 = "this is not an IPv4 address: four numbers from 0 to 255"
BAD_V6 = "this is not an IPv6 address: check the part in brackets"
CONTROL = "the user name or password has a control character in it"
NO_SCHEME = "what stands before :// is not a kind of proxy: write http://, socks5:// or a share link"
TOO_LONG = "the user name or password is longer than 255 bytes"
V4_PASSWORD = "SOCKS4 knows a user name only, no password: use socks5:// or leave it out"


def fields(endpoint: Endpoint) -> tuple[str, str, int, str, str]:
    return endpoint.transport, endpoint.host, endpoint.port, endpoint.username, endpoint.password


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("192.0.2.5:8080", ("auto", "192.0.2.5", 8080, "", "")),
        ("[2001:DB8::1]:8080", ("auto", "2001:db8::1", 8080, "", "")),
        ("Proxy.Example:3128", ("auto", "proxy.example", 3128, "", "")),
        ("proxy.example.:3128", ("auto", "proxy.example.", 3128, "", "")),
        ("прокси.example:3128", ("auto", "прокси.example", 3128, "", "")),
        ("a.test:80:drill", ("auto", "a.test", 80, "drill", "")),
        ("a.test:80:drill:open sesame", ("auto", "a.test", 80, "drill", "open sesame")),
        ("a.test:80:drill:a:b:c%20", ("auto", "a.test", 80, "drill", "a:b:c%20")),
        ("[::1]:80:drill:a:b", ("auto", "::1", 80, "drill", "a:b")),
        ("drill:pw@a.test:80", ("auto", "a.test", 80, "drill", "pw")),
        ("drill:p@ss@a.test:80", ("auto", "a.test", 80, "drill", "p@ss")),
        ("dr%3Aill:p%40ss@[::1]:80", ("auto", "::1", 80, "dr:ill", "p@ss")),
        ("drill@a.test:80", ("auto", "a.test", 80, "drill", "")),
        ("http://192.0.2.5:8080", ("http", "192.0.2.5", 8080, "", "")),
        ("HTTP://a.test:8080/", ("http", "a.test", 8080, "", "")),
        ("https://a.test:8443/path?query#tag", ("https", "a.test", 8443, "", "")),
        ("http://drill:p%40ss@[2001:db8::1]:1/", ("http", "2001:db8::1", 1, "drill", "p@ss")),
        ("socks5h://alice:s%40fe@192.0.2.5:1080", ("socks5", "192.0.2.5", 1080, "alice", "s@fe")),
        ("socks5://a.test", ("socks5", "a.test", 1080, "", "")),
        ("socks4://a.test", ("socks4", "a.test", 1080, "", "")),
        ("socks4a://drill@a.test:9", ("socks4a", "a.test", 9, "drill", "")),
        ("socks4://drill:@a.test:9", ("socks4", "a.test", 9, "drill", "")),
        ("socks://a.test:9", ("socks5", "a.test", 9, "", "")),
        ("socks://drill:pw@a.test:9", ("socks5", "a.test", 9, "drill", "pw")),
        ("a.test:00080", ("auto", "a.test", 80, "", "")),
    ],
)
def test_each_form_of_a_line_is_read(line: str, expected: tuple[str, str, int, str, str]) -> None:
    assert fields(parse(line)) == expected


@pytest.mark.parametrize("strip", [True, False])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("secret", ["drill:pw", "дрель:сезам", "u:a:b", "x:~~~???"])
def test_credentials_in_base64_are_read(secret: str, encode: type, strip: bool) -> None:
    packed = encode(secret.encode()).decode()
    user, _, password = secret.partition(":")
    for text in (packed.rstrip("=") if strip else packed, packed.replace("=", "%3D")):
        assert "/" in text or fields(parse(f"socks://{text}@a.test:9#name"))[3:] == (user, password)


@pytest.mark.parametrize("user", ["test", "drill", "aGVsbG8", "a%20b"])
def test_a_user_name_that_looks_like_base64_stays_a_user_name(user: str) -> None:
    assert fields(parse(f"socks://{user}@a.test:9"))[3:] == (user.replace("%20", " "), "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", NO_PORT),
        ("a.test", NO_PORT),
        ("a.test:", NO_PORT),
        ("[::1]", NO_PORT),
        ("drill:pw@a.test", NO_PORT),
        ("http://a.test", NO_PORT),
        ("http://a.test:/", NO_PORT),
        ("https://", NO_PORT),
        (":80", NO_HOST),
        ("socks5://", NO_HOST),
        ("http://:80", NO_HOST),
        ("a.test:0", BAD_PORT),
        ("a.test:65536", BAD_PORT),
        ("a.test:http", BAD_PORT),
        ("a.test:-1", BAD_PORT),
        ("a.test:+80", BAD_PORT),
        ("a.test:٨٠", BAD_PORT),
        ("a.test: 80", BAD_PORT),
        ("a.test:000080", BAD_PORT),
        ("http://a.test:80x", BAD_PORT),
        ("256.0.2.5:80", BAD_V4),
        ("192.0.2:80", BAD_V4),
        ("192.0.02.5:80", BAD_V4),
        ("1:80", BAD_V4),
        ("[2001:db8::g]:80", BAD_V6),
        ("[fe80::1%eth0]:80", BAD_V6),
        ("[fe80::1%\x1b[2J]:80", None),
        ("http://[fe80::1%0d%0aX-Evil: 1]:80", BAD_V6),
        ("2001:db8::1:1080", BRACKETS),
        ("2001:db8::1", BRACKETS),
        ("http://2001:db8::1:80", BRACKETS),
        ("[::1:80", BRACKETS),
        ("[::1]80", BRACKETS),
        ("http://[::1]80", BRACKETS),
        ("-a.test:80", BAD_HOST),
        (".a.test:80", BAD_HOST),
        ("a..test:80", BAD_HOST),
        ("...:80", BAD_HOST),
        ("a b:80", BAD_HOST),
        ("a\x1b[2J:80", BAD_HOST),
        ("a\0b:80", BAD_HOST),
        ("a\u202eb:80", BAD_HOST),
        ("\ud800a:80", BAD_HOST),
        ("<b>a</b>:80", BAD_HOST),
        ("a%2eb:80", BAD_HOST),
        ("a" * 254 + ":80", BAD_HOST),
        ("ftp://a.test:80", "{scheme}:// is not a kind of proxy that is known here"),
        ("://a.test:80", NO_SCHEME),
        ("198.51.100.77:1080:s3cretkey://", NO_SCHEME),
        ("secret-host.example://a.test:80", NO_SCHEME),
        ("8080://a.test:80", NO_SCHEME),
        ("socks4://drill:pw@a.test:80", V4_PASSWORD),
        ("socks4a://:pw@a.test:80", V4_PASSWORD),
        ("http://" + "u" * 256 + ":p@a.test:80", TOO_LONG),
        ("a.test:80:u:" + "ü" * 128, TOO_LONG),
        ("http://u%0d%0aX-Evil:p@a.test:80", CONTROL),
        ("http://u:p%00@a.test:80", CONTROL),
        ("a.test:80:u:p\x7f", CONTROL),
        ("a.test:80:u:p\x9b2J", CONTROL),
        ("a.test:80:u:p\udcff", CONTROL),
    ],
)
def test_each_reject_says_what_to_mend(line: str, reason: str | None) -> None:
    with pytest.raises(Rejected) as caught:
        parse(line)
    assert reason is None or caught.value.reason == reason


@pytest.mark.parametrize("line", ["198.51.100.77:1080:sesame://", "sesame.test://x:1", "sesame@a://x:1"])
def test_what_is_no_scheme_is_not_repeated(line: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse(line)
    assert caught.value.values == {}


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(Rejected) as caught:
        parse("FTP://a.test:80")
    assert caught.value.values == {"scheme": "ftp"}


def test_no_reject_repeats_the_line() -> None:
    for line in ("drill:sesame@a.test", "a.test:x:drill:sesame", "http://drill:sesame@a..b:80"):
        with pytest.raises(Rejected) as caught:
            parse(line)
        assert "sesame" not in f"{caught.value!r} {caught.value.values}"


ANYTHING = st.text(alphabet=st.characters(), max_size=60)
WORDS = [
    "http",
    "socks",
    "socks4",
    "socks5",
    "://",
    ":",
    "@",
    "[",
    "]",
    "/",
    "?",
    "#",
    "%",
    "::1",
    "a.test",
    "80",
    "0",
    "127.0.0.1",
    "dXNlcjpwYXNz",
    "=",
    "ü",
    "．",
    "１",
]
PARTS = st.sampled_from([*WORDS, "\0", "\n", " ", "\ud800"])


@given(st.one_of(ANYTHING, st.lists(PARTS, max_size=14).map("".join)))
@example("http://[")
@example("[]:80")
@example("socks://====@a:1")
def test_no_line_raises_anything_but_rejected(line: str) -> None:
    try:
        endpoint = parse(line)
    except Rejected:
        return
    assert endpoint.transport in {*SCHEMES, "auto"}
    assert 1 <= endpoint.port <= 65535
    assert endpoint.host
    endpoint.key().encode()
    endpoint.reveal().encode()


SECRETS = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab@:/?#[]%+ =&\\\"'<>"), st.characters(exclude_categories=["Cc", "Cs"])
    ),
    max_size=20,
)
HOSTS = st.one_of(
    st.ip_addresses().map(str),
    st.sampled_from(["a.test", "xn--bcher-kva.test", "прокси.test", "a-b.c_d.test", "localhost"]),
)


@given(st.sampled_from([*SCHEMES, "auto"]), HOSTS, st.integers(1, 65535), SECRETS, SECRETS)
def test_a_revealed_endpoint_is_read_as_the_same_endpoint(
    transport: str, host: str, port: int, user: str, password: str
) -> None:
    transport = {"socks": "socks5", "socks5h": "socks5"}.get(transport, transport)
    endpoint = Endpoint(
        transport=transport,
        host=host,
        port=port,
        username=user,
        password="" if transport.startswith("socks4") else password,
    )
    assert parse(endpoint.reveal()).key() == endpoint.key()


@given(st.ip_addresses())
def test_every_spelling_of_an_address_is_one_address(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    for spelling in {str(address), address.exploded, str(address).upper()}:
        assert check_host(spelling) == str(address)


def test_a_port_and_a_host_are_split_at_the_right_colon() -> None:
    assert split_host("a.test:80") == ("a.test", "80")
    assert split_host("a.test") == ("a.test", "")
    assert split_host("[::1]:80") == ("::1", "80")
    assert split_host("[::1]") == ("::1", "")
    assert parse_port("65535") == 65535


@pytest.mark.parametrize("odd", ["/", "?", "#"])
def test_a_login_that_would_be_cut_off_is_turned_down_not_read_as_a_host(odd: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse(f"socks5://dr{odd}ill:pw@192.0.2.1:2001")
    assert "percent sign" in caught.value.reason
    assert parse(f"socks5://192.0.2.1:2001{odd}name@channel").host == "192.0.2.1"
