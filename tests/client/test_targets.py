import hashlib
import random

import pytest

from client.targets import builtin, chosen, digest, parse_url
from transports.types import Rejected

HEX = hashlib.sha256(b"hello").hexdigest()


def test_a_url_becomes_a_target() -> None:
    one = parse_url("https://Origin.test:8443/a/b?c=d", tls=True, option="--target")
    assert (one.host, one.port, one.path, one.digest) == ("origin.test", 8443, "/a/b?c=d", None)
    assert one.url == "https://origin.test:8443/a/b?c=d"
    assert parse_url("https://[::1]/", tls=True, option="--target").host_header == "[::1]"
    assert parse_url("https://origin.test", tls=True, option="--target").path == "/"
    assert parse_url("http://origin.test", tls=False, option="--plain-target").port == 80


def test_the_expected_hash_stands_behind_the_url() -> None:
    one = parse_url(f"https://origin.test/#sha256={HEX.upper()}", tls=True, option="--target")
    assert one.expects(200, b"hello") is True
    assert one.expects(200, b"hello\r\n") is True
    assert one.expects(200, b"other") is False
    assert one.expects(404, b"hello") is False


def test_a_page_whose_content_is_not_known_is_accepted_by_its_status_only() -> None:
    one = parse_url("https://origin.test/", tls=True, option="--target")
    assert one.expects(200, b"anything") is None
    assert one.expects(204, b"") is None
    assert one.expects(302, b"") is False
    assert one.expects(511, b"portal") is False


@pytest.mark.parametrize(
    "url",
    [
        "http://origin.test/",
        "origin.test",
        "https://",
        "https:///path",
        "https://?q",
        "",
        "https://origin.test/a b",
        "https://origin.test/\x1b[2J",
        "https://origin.test/\r\nHost: x",
        "https://origin.test/é",
        "https://ori gin.test/",
        "https://origin.test:99999/",
        "https://origin.test:no/",
        "https://[::1/",
        "https://[no]/",
        "https://300.1.1.1/",
        "https://origin.test/#sha256=12",
        "https://origin.test/#top",
        "ftp://origin.test/",
    ],
)
def test_a_url_that_cannot_be_fetched_is_refused(url: str) -> None:
    with pytest.raises(Rejected):
        parse_url(url, tls=True, option="--target")


def test_without_a_wish_the_built_in_targets_are_taken() -> None:
    found = chosen(None, None, None)
    assert found == builtin()
    assert not found.own


def test_whoever_names_a_target_has_no_other_one_contacted() -> None:
    found = chosen("https://origin.test/a", None, None)
    assert found.hosts() == ("origin.test",)
    assert found.bulk == found.small
    assert found.plain == ()
    both = chosen(None, "https://origin.test/b", "http://plain.test/")
    assert both.hosts() == ("origin.test", "plain.test")


def test_a_plain_target_alone_proves_nothing_and_is_refused() -> None:
    with pytest.raises(Rejected):
        chosen(None, None, "http://origin.test/")


def test_the_built_in_targets_are_several_operators_and_enough_bytes() -> None:
    found = builtin()
    assert len(found.hosts()) >= 6
    assert found.quota >= 64 * 1024
    assert found.upload >= 32 * 1024
    assert all(one.tls for one in (*found.small, *found.bulk))
    assert all(one.digest is not None for one in (*found.small, *found.plain))
    assert not any(one.tls for one in found.plain)


def test_the_targets_are_asked_in_random_order_and_none_is_lost() -> None:
    found = builtin()
    orders = {tuple(found.order(found.small, random.Random(seed))) for seed in range(20)}
    assert len(orders) > 1
    assert all(set(order) == set(found.small) for order in orders)


def test_one_last_line_end_does_not_change_a_digest() -> None:
    assert digest(b"a") == digest(b"a\n") == digest(b"a\r\n")
    assert digest(b"a\n\n") != digest(b"a")
