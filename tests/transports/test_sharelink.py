from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import KEY, UUID, quick
from transports import shadowsocks, sharelink, trojan, vless
from transports.types import Endpoint, Rejected

A_NAME = "this is not a host name or address"


def refusal(text: str) -> str:
    with pytest.raises(Rejected) as caught:
        sharelink.split(text, ("x",))
    return str(caught.value.reason)


def test_the_name_after_the_hash_goes_first_and_decoding_comes_last() -> None:
    link = sharelink.split("X://us%40er:p%3Aw@[2001:DB8:0::1]:443/path?a=1%262&b=%23#na@me?x", ("x",))
    assert (link.scheme, link.user, link.host, link.port) == ("x", "us%40er:p%3Aw", "2001:db8::1", 443)
    assert link.query == {"a": "1&2", "b": "#"}


def test_query_names_are_small_the_first_counts_and_web_page_ampersands_are_mended() -> None:
    assert sharelink.parse_query("AllowInsecure=1&amp;sni=a&sni=b&flag&k=a+b") == {
        "allowinsecure": "1",
        "sni": "a",
        "flag": "",
        "k": "a+b",
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("y://u@192.0.2.1:1", "the link must begin with {scheme}://"),
        ("x://u@192.0.2.1", "the port is missing: write host:port"),
        ("x://u@192.0.2.1:0", "the port must be a number from 1 to 65535"),
        ("x://u@192.0.2.1:65536", "the port must be a number from 1 to 65535"),
        ("x://u@192.0.2.1:²", "the port must be a number from 1 to 65535"),
        ("x://u@2001:db8::1:443", "an IPv6 address needs brackets: [2001:db8::1]:1080"),
        ("x://u@192.0.2.256:1", "this is not an IPv4 address: four numbers from 0 to 255"),
        ("x://u@[2001:db8::g]:1", "this is not an IPv6 address: check the part in brackets"),
        ("x://u@[fe80::1%25eth0]:1", A_NAME),
        ("x://u@a_b!.example:1", A_NAME),
        ("x://u@:1", "the host is missing: write host:port"),
        ("x://u@a.example:1?p=%ff", "the percent-encoding of the link is not UTF-8: copy it again"),
        ("x://u@a.example:1?p=%0a", "there is a control character in the link: copy it again"),
        ("x://u\x00@a.example:1", "there is a control character in the link: copy it again"),
        ("x://u@a.example:1?" + "a=1&" * 101, "the link has too many parameters"),
        ("x://u@a.example:1?a=" + "a" * 17_000, "the link is too long: copy it again"),
    ],
)
def test_a_broken_link_is_turned_down_with_how_to_mend_it(text: str, why: str) -> None:
    assert refusal(text) == why


def test_a_name_has_one_spelling() -> None:
    assert sharelink.check_host("BÜCHER.example.") == sharelink.check_host("xn--bcher-kva.EXAMPLE")
    assert sharelink.check_host("[2001:DB8:0:0::1]") == "2001:db8::1"


@quick
@given(st.binary(max_size=60), st.booleans(), st.booleans(), st.integers(0, 5))
def test_base64_is_read_in_every_spelling(raw: bytes, url: bool, padded: bool, cut: int) -> None:
    text = (base64.urlsafe_b64encode if url else base64.b64encode)(raw).decode()
    text = text if padded else text.rstrip("=")
    assert sharelink.from_base64(text[:cut] + "\r\n " + text[cut:]) == raw


@pytest.mark.parametrize("text", ["a", "a*b=", "ключ", "=a"])
def test_what_is_no_base64_is_none(text: str) -> None:
    assert sharelink.from_base64(text) is None


def test_a_key_of_another_length_is_turned_down() -> None:
    assert sharelink.key32(KEY.rstrip("="), "no") == KEY
    with pytest.raises(Rejected, match="no"):
        sharelink.key32("AAEC", "no")


def test_a_user_id_is_a_uuid_in_one_spelling_or_a_short_name() -> None:
    assert sharelink.user_id(UUID.replace("-", "").upper()) == UUID
    assert sharelink.user_id("anna") == "anna"
    for text in ("", "x" * 31):
        with pytest.raises(Rejected, match="no UUID"):
            sharelink.user_id(text)
    with pytest.raises(Rejected, match="no UUID"):
        sharelink.user_id("anna", strict=True)


def test_passwords_have_a_limit_and_must_be_there() -> None:
    for text, why in (("", "missing"), ("x" * 513, "too long")):
        with pytest.raises(Rejected, match=why):
            sharelink.secret(text)


def test_json_that_is_nested_without_end_is_no_json() -> None:
    assert sharelink.load_json("[" * 200_000) is None


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (vless.parse(f"vless://{UUID}@192.0.2.1:80?type=ws"), True),
        (vless.parse(f"vless://{UUID}@192.0.2.1:443?security=tls"), False),
        (trojan.parse("trojan://p@192.0.2.1:443"), False),
        (trojan.parse("trojan://p@192.0.2.1:443?security=none"), True),
        (shadowsocks.parse("ss://none:@192.0.2.1:443"), True),
        (shadowsocks.parse("ss://aes-128-gcm:x@192.0.2.1:443"), False),
    ],
)
def test_what_is_readable_on_the_way_is_told(endpoint: Endpoint, expected: bool) -> None:
    assert sharelink.unencrypted(endpoint) is expected
