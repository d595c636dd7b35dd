"""Before a way that does not protect stands one that does."""

import pytest

from client.guide import apps as guides
from client.guide import page
from client.guide.page import Asked, Part
from client.guide.way import Place, recommend
from client.model import Status
from tests.client.guide.made import NOW, option

APPS = guides.load()
ASKED = Asked(lists=("list.txt",), again=("list.txt",))
PHONE = Place(system="android", near=False, now=NOW)


@pytest.mark.parametrize(
    ("name", "kind", "exposed", "better"),
    [
        ("telegram", "trojan", "socks5", "v2rayNG"),
        ("telegram", "obfs4", "socks5", "Orbot"),
        ("android-wifi", "trojan", "http", "v2rayNG"),
        ("android-wifi", "obfs4", "http", "Tor Browser for Android"),
    ],
)
def test_before_a_way_that_does_not_protect_stands_one_that_does(
    name: str, kind: str, exposed: str, better: str
) -> None:
    found = recommend([option(exposed), option(kind)], APPS, PHONE, app=guides.named(APPS, name))
    shown = page.of(found, ASKED)
    heads = [block.text for block in shown if block.part is Part.HEADING]
    assert heads[0].startswith(f"Better do this: {better} on Android, with {kind}")
    assert heads[1].startswith("Possible, but not recommended: ")
    assert found.better is not None
    assert f"`sanylau guide list.txt --app {found.better.app.id}`" in next(
        block.text for block in shown if block.part is Part.NEXT
    )
    assert not any(head.startswith("Recommended") for head in heads)


@pytest.mark.parametrize("status", [Status.DEGRADED, Status.UNTESTED])
def test_what_was_not_seen_to_work_is_not_put_before_what_was(status: Status) -> None:
    telegram = guides.named(APPS, "telegram")
    assert recommend([option("socks5"), option("trojan", status)], APPS, PHONE, app=telegram).better is None
    untested = [option("socks5", Status.UNTESTED), option("trojan", Status.UNTESTED)]
    assert recommend(untested, APPS, PHONE, app=telegram).better is not None
