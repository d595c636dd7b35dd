import hashlib
import random
from dataclasses import replace

import pytest

from client.model import Content
from client.targets import Page, Target, against, builtin, chosen, digest, has_script, parse_url
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
    assert one.expects(200, b"anything") is True
    assert one.expects(204, b"") is True
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
    assert all(one.body is not None for one in (*found.small, *found.plain))
    assert all(one.upload for one in found.uploads)
    assert len(found.agents) > 1
    assert sum(one.is_markup for one in found.plain) >= 2
    assert not any(one.tls for one in found.plain)


def test_the_targets_are_asked_in_random_order_and_none_is_lost() -> None:
    found = builtin()
    orders = {tuple(found.order(found.small, random.Random(seed))) for seed in range(20)}
    assert len(orders) > 1
    assert all(set(order) == set(found.small) for order in orders)


def test_one_last_line_end_does_not_change_a_digest() -> None:
    assert digest(b"a") == digest(b"a\n") == digest(b"a\r\n")
    assert digest(b"a\n\n") != digest(b"a")


KNOWN = Target(tls=False, host="a.test", port=80, path="/", status=200, body=b"<p>hello</p>\n")


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        (Page(200, {}, b"<p>hello</p>", True), Content.INTACT),
        (Page(200, {}, b"<p>hello</p><script>", True), Content.ALTERED),
        (Page(200, {}, b"<p>hel", False), Content.NO_ANSWER),
        (Page(200, {}, b"<script", False), Content.ALTERED),
        (Page(200, {}, b"<p>hello</p>" + b"x" * 70_000, False), Content.ALTERED),
        (Page(200, {"refresh": "0; url=http://b.test"}, b"<p>hello</p>", True), Content.ALTERED),
        (Page(302, {}, b"", True), Content.ALTERED),
        (Page(511, {}, b"log in", True), Content.ALTERED),
        (Page(403, {}, b"no", True), Content.REFUSED),
        (Page(), Content.NO_ANSWER),
    ],
)
def test_a_known_page_is_altered_as_soon_as_it_says_something_else(page: Page, seen: Content) -> None:
    assert KNOWN.compare(page) is seen


def test_an_unknown_page_is_never_called_intact_before_it_was_compared() -> None:
    unknown = replace(KNOWN, body=None)
    page = Page(200, {}, b"<script>", True)
    assert unknown.compare(page) is Content.UNKNOWN
    assert against(page, b"<p>") is Content.ALTERED
    assert against(page, b"<script>\r\n") is Content.INTACT


def test_a_script_is_seen_in_any_spelling() -> None:
    assert has_script(b"a< SCRIPT src=x>")
    assert has_script(b"<iframe>")
    assert not has_script(b"<p>script</p>")
