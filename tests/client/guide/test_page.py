"""Steps and pages: what a person reads, with nothing hidden shown and nothing hostile passed on."""

import re
from dataclasses import replace

import pytest

from client.diagnosis.code import Told
from client.diagnosis.kinds import Certainty, Kind
from client.guide import apps as guides
from client.guide import page, steps, way
from client.guide.apps import LOCAL, OWN
from client.guide.page import Asked, Block, Part
from client.guide.way import Place, Way, recommend
from client.model import LineState, Message, Status
from client.options import Option
from client.render import guide as face
from tests.client.guide.made import LINES, NOW, OBFS4, USER, endpoint, option
from transports.types import Endpoint, Rejected

APPS = guides.load()
HERE = Place(system="linux", now=NOW)
ASKED = Asked(lists=("list.txt",), again=("list.txt",))
ESCAPE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202e]")


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")


def blocks(one: Option, name: str = "", system: str = "linux", *, reveal: bool = False) -> list[Block]:
    place = Place(system=system, near=system == "linux", now=NOW)
    app = guides.named(APPS, name) if name else None
    return page.of(recommend([one], APPS, place, app=app), replace(ASKED, reveal=reveal))


def text(shown: list[Block]) -> str:
    return "\n".join(block.text for block in shown)


def ways_of(app: guides.App) -> list[tuple[Option, str]]:
    """Return an option for every kind that an app takes, and for the local connection."""
    known = [kind for kind in sorted(app.takes) if kind in LINES or kind == "tor"]
    return [*((option(kind), kind) for kind in known), *([(option("vless"), LOCAL)] if app.local else [])]


EVERY = [(app, one, by) for app in APPS for one, by in ways_of(app)]
every_way = pytest.mark.parametrize(
    ("app", "one", "by"), EVERY, ids=[f"{app.id}-{by}" for app, _one, by in EVERY]
)


@every_way
def test_every_way_has_steps_in_order_with_every_placeholder_filled(
    app: guides.App, one: Option, by: str
) -> None:
    for reveal in (False, True):
        told = steps.of_way(Way(option=one, app=app, system=app.systems[0], by=by), reveal=reveal)
        assert [step.number for step in told.steps] == list(range(1, len(told.steps) + 1))
        assert len(told.steps) > 1
        whole = " ".join(step.do + step.see + step.risk for step in told.steps)
        assert not re.search(r"\{\w+\}", whole)
        assert not ESCAPE.search(whole)


@every_way
def test_nothing_of_an_option_is_shown_until_it_is_asked_for(app: guides.App, one: Option, by: str) -> None:
    chosen = Way(option=one, app=app, system=app.systems[0], by=by)
    told = steps.of_way(chosen, reveal=False)
    whole = " ".join(step.do + step.see + step.risk + step.copy for step in told.steps)
    at = one.endpoint
    secrets = {at.host, at.password, at.reveal(), USER, "secret-word", "A" * 70} - {""}
    assert not [secret for secret in secrets if secret in whole and secret != "tor"]
    assert told.hides == (("hidden" in whole) and by != LOCAL)


@pytest.mark.parametrize("kind", [*LINES, "tor"])
def test_a_page_of_any_kind_can_be_printed(kind: str) -> None:
    for status in (Status.WORKING, Status.DEGRADED, Status.UNTESTED):
        for reveal in (False, True):
            shown = blocks(option(kind, status), reveal=reveal)
            lines = face.lines(shown)
            copied = [block.text for block in shown if block.part is Part.COPY]
            assert all(len(line) < 80 for line in lines if line not in copied)
            assert not any(ESCAPE.search(line) for line in lines)


def test_a_bridge_is_copied_as_one_line_once_it_is_revealed() -> None:
    shown = blocks(option("obfs4"), reveal=True)
    assert [block.text for block in shown if block.part is Part.COPY] == [OBFS4]
    assert OBFS4 in face.lines(shown)
    assert "hidden" not in text(shown)
    assert not [block for block in blocks(option("obfs4")) if block.part is Part.COPY]


def test_what_is_hidden_says_how_to_see_it_and_how_to_write_it_to_a_file() -> None:
    told = text(blocks(option("obfs4")))
    assert "`sanylau guide list.txt --reveal`" in told
    assert "`sanylau export torbrowser list.txt -o FILE`" in told


def test_an_export_of_what_was_not_tested_is_asked_for_as_such() -> None:
    untested = recommend([option("telegram", Status.UNTESTED)], APPS, HERE)
    assert "`sanylau export telegram list.txt --untested -o FILE`" in text(page.of(untested, ASKED))
    again = Asked(lists=("list.txt",), again=("list.txt", "--untested"))
    assert "`sanylau export telegram list.txt --untested -o FILE`" in text(page.of(untested, again))
    assert "`sanylau guide list.txt --untested --reveal`" in text(page.of(untested, again))
    assert "sanylau export" not in text(page.of(untested, Asked(again=("--results", "r.jsonl"))))


def test_over_the_local_connection_nothing_is_hidden_and_connect_comes_first() -> None:
    shown = blocks(option("trojan"))
    first = next(block for block in shown if block.part is Part.STEP)
    assert first.number == 1
    assert "`sanylau connect list.txt`" in first.text
    assert "127.0.0.1" in text(shown)
    assert "--reveal" not in text(shown)


def test_for_a_telephone_the_entry_can_be_shown_as_a_picture() -> None:
    shown = text(blocks(option("vless"), system="android"))
    assert "`sanylau export qr list.txt --reveal`" in shown
    assert "sanylau connect" not in shown
    assert "export qr" not in text(blocks(option("obfs4")))


def test_every_command_is_the_same_again_with_only_the_new_option_added() -> None:
    asked = replace(
        ASKED,
        tests=(("--only", "trojan,vless"), ("--trusted",)),
        chosen=(("--app", "hiddify"), ("--os", "android")),
    )
    phone = Place(system="android", near=False, now=NOW)
    found = recommend([option("vless"), option("trojan")], APPS, phone, app=guides.named(APPS, "hiddify"))
    told = text(page.of(found, asked))
    tests = "--only trojan,vless --trusted"
    assert f"`sanylau guide list.txt {tests} --app hiddify --os android --reveal`" in told
    assert f"`sanylau guide list.txt {tests} --os android --app NAME`" in told
    assert "`sanylau guide list.txt --trusted --os android --only trojan --app hiddify`" in told
    assert f"`sanylau export links list.txt {tests} -o FILE`" in told
    assert f"`sanylau export qr list.txt {tests} --reveal`" in told
    near = text(page.of(recommend([option("vless")], APPS, HERE), replace(asked, chosen=())))
    assert f"`sanylau connect list.txt {tests}`" in near


def test_no_command_is_broken_where_it_would_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    asked = replace(ASKED, again=("a/long/name/of/a/folder/and/a/list.txt",), lists=("list.txt",))
    shown = face.lines(page.of(recommend([option("obfs4"), option("vless")], APPS, HERE), asked))
    assert all(line.count("`") % 2 == 0 for line in shown)
    assert any("`sanylau guide a/long/name/of/a/folder/and/a/list.txt --reveal`" in line for line in shown)


def test_all_programs_that_an_entry_goes_into_are_named() -> None:
    one = option("socks5")
    found = recommend([one], APPS, HERE)
    assert len(found.others) > 8
    told = text(page.of(found, ASKED))
    assert ", ".join(other.app.id for other in found.others) in told


def test_steps_for_messages_are_not_told_under_a_risk_that_forbids_them() -> None:
    told = text(blocks(option("socks5"), "telegram"))
    assert "never write messages this way" not in told
    assert "Not recommended for messages" in told
    assert "Never log in and never write messages" in text(blocks(option("socks5"), "firefox"))


def test_every_bullet_begins_with_a_capital() -> None:
    for one, other in (
        (option("obfs4"), option("vless", Status.UNTESTED)),
        (option("vless"), option("socks5")),
    ):
        shown = page.of(recommend([one, other], APPS, HERE), ASKED)
        points = [block.text for block in shown if block.part is Part.POINT]
        assert points
        assert all(point[0].isupper() or point[0] == "`" for point in points)


@pytest.mark.parametrize(
    ("one", "name", "head"),
    [
        (option("obfs4"), "", "Recommended: Tor Browser on Linux, with obfs4 #0123abcd (A, Tor)"),
        (option("vless", Status.DEGRADED), "", "Better than nothing: Firefox"),
        (option("vless", Status.UNTESTED), "", "Not tested: Firefox"),
        (option("socks5"), "telegram", "Possible, but not recommended: Telegram"),
        (replace(option("vless"), id=""), "", "with vless list.txt:1"),
    ],
)
def test_the_head_says_how_far_it_can_be_relied_on(one: Option, name: str, head: str) -> None:
    assert head in blocks(one, name)[0].text


def test_an_app_that_nobody_walked_through_says_that_menus_may_differ() -> None:
    assert "menus may be named differently" in text(blocks(option("obfs4")))
    told = text(blocks(option("vless"), "curl"))
    assert re.search(r"Walked through with curl \S+ on \d{4}-\d\d-\d\d\.", told)
    assert "differently" not in told


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.id)
def test_a_version_stands_there_exactly_where_one_was_walked_through(app: guides.App) -> None:
    said = page.walked(app)
    assert ("menus may be named differently" in said) == (app.walked is None)
    assert app.walked is None or app.walked.version in said


def test_class_d_says_in_the_guide_that_it_is_not_for_logins() -> None:
    for kind in ("socks5", "socks4", "http"):
        assert "Never log in and never write messages" in text(blocks(option(kind)))


def test_the_reserve_is_told_with_its_worth_and_the_command_for_its_steps() -> None:
    found = recommend([option("obfs4"), option("vless", Status.UNTESTED)], APPS, HERE)
    told = text(page.of(found, ASKED))
    assert "In reserve: Firefox on Linux, with vless" in told
    assert "nobody knows whether it works" in told
    assert "`sanylau guide list.txt --only vless --app firefox`" in told


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.id)
def test_without_an_option_the_steps_say_what_the_helper_gave(app: guides.App) -> None:
    shown = page.of_app(app)
    told = text(shown)
    assert not re.search(r"\{\w+\}", told)
    assert "hidden" not in told
    assert sum(block.part is Part.HEADING for block in shown) == len(steps.of_app(app))
    if app.takes - {"tor"} and app.id not in ("sing-box", "sing-box-app"):
        assert "that your helper gave you" in told
    assert guides.OWN not in app.ways or told.startswith(app.name)


def test_the_screen_gets_the_guide_to_one_option_with_its_line_and_diagnosis() -> None:
    told = Told(kinds=(Kind.TOR_BLOCK,), certainty=Certainty.CERTAIN, tcp=(443,), udp=(), passes=frozenset())
    shown = page.for_option(
        option("obfs4"), system="windows", told=told, line=LineState.TAMPERED, now=NOW, asked=ASKED
    )
    assert shown[0].text.startswith("Recommended: Tor Browser on Windows")
    assert "The diagnosis is certain" in text(shown)
    assert "Do not install a certificate" in text(shown)
    assert "Telegram" in page.for_option(option("telegram"), app="telegram", now=NOW)[0].text
    with pytest.raises(Rejected):
        page.for_option(option("obfs4"), app="netscape")


def test_where_no_program_is_known_that_is_said() -> None:
    assert "There is no guide yet" in text(page.for_option(option("dnstt"), system="ios", now=NOW))
    told = text(page.for_option(option("vless"), app="tor-browser", system="linux", now=NOW))
    assert "Tor Browser cannot use any of these entries" in told


def test_hostile_values_are_cleaned_before_they_are_shown() -> None:
    bad = Endpoint(transport="socks5", host="192.0.2.1", port=1, username="a\x1b[2J", password="{host}\u202e")
    one = replace(option("socks5", where=bad), id="")
    one = replace(one, candidate=replace(one.candidate, source="\x1b]0;x\x07list\n"))
    telegram = guides.named(APPS, "telegram")
    shown = page.of(
        recommend([one], APPS, Place(system="android", near=False, now=NOW), app=telegram),
        Asked(lists=("\x1b[2J",), again=("\x1b[2J",), reveal=True),
    )
    assert not any(ESCAPE.search(block.text) for block in shown)


def test_a_node_without_a_link_is_led_over_the_local_connection_or_says_so() -> None:
    odd = Endpoint(
        transport="vless",
        host="192.0.2.5",
        port=443,
        username=USER,
        options={"tls": {"enabled": True}, "unheard": {"of": 1}},
        text='{"type": "vless"}',
    )
    told = steps.of_way(
        Way(
            option=option("vless", where=odd), app=guides.named(APPS, "v2rayng"), system="android", by="vless"
        ),
        reveal=True,
    )
    assert "there is no link for this one" in " ".join(step.do for step in told.steps)
    assert not any(step.copy for step in told.steps)


# when nothing works, and lists


def test_when_nothing_works_other_means_and_preparations_are_named() -> None:
    shown = page.nothing_works([Message("None of these works from here.")], way.survives(None))
    told = text(shown)
    for word in ("call", "SMS", "operator", "wired", "neighbour", "Briar", "SIM", "Satellite", "Dial-up"):
        assert word in told
    assert "None of these works" in shown[0].text
    assert "What to prepare" in told
    assert shown[-1] == shown[0]  # the page is longer than a window
    assert all(block.text for block in shown)


def test_what_was_not_measured_is_not_called_cut() -> None:
    advice = [Message("Nothing could be tested.")]
    assert [block.text for block in page.nothing_works(advice, (), whole=False)] == [
        "Nothing could be tested."
    ]


def test_without_a_network_that_alone_is_said_and_how_to_see_the_rest() -> None:
    shown = page.no_network([Message("Connect this machine to a network.")])
    assert shown[0].text == "Connect this machine to a network."
    assert len(shown) == 2
    assert "`sanylau guide --without`" in shown[1].text


def test_what_an_option_can_be_used_in_is_listed_with_how() -> None:
    one = option("vless")
    served = way.others(one, APPS, HERE)
    told = text(page.serving(one, served, "linux", ASKED))
    assert "firefox (Firefox): over the local connection" in told
    assert "sing-box (sing-box): given directly" in told


def test_a_program_that_nothing_goes_into_says_what_it_takes() -> None:
    app = guides.named(APPS, "tor-browser")
    told = text(page.does_not_fit(app, option("vless"), APPS, HERE, ASKED))
    assert "Tor Browser cannot use any of these entries" in told
    assert "firefox" in told


@pytest.mark.parametrize("system", guides.SYSTEMS)
def test_every_program_of_a_system_is_listed_with_what_it_takes(system: str) -> None:
    fitting = guides.for_system(APPS, system)
    told = text(page.programs(fitting, system))
    for app in fitting:
        assert f"{app.id} ({app.name})" in told
        assert OWN not in app.ways or "of its own kind" in told


# for scripts


def test_the_object_keeps_its_contract() -> None:
    found = recommend([option("obfs4"), option("vless", age=None, speed=None)], APPS, HERE)
    assert found.best is not None
    told = face.as_json(found, steps.of_way(found.best, reveal=True), now=NOW)
    assert set(told) == {
        "v", "type", "recommended", "better", "reserve", "why", "risks", "steps", "app", "os", "checked", "others",
        "next", "without",
    }  # fmt: skip
    assert told["recommended"] == {
        "id": "0123abcd", "transport": "obfs4", "class": "A", "status": "working", "advised": True, "age_s": 10,
        "kib_per_s": 100.0, "app": "tor-browser", "os": "linux", "by": "obfs4",
    }  # fmt: skip
    assert (told["reserve"]["age_s"], told["reserve"]["kib_per_s"]) == (None, None)
    assert told["checked"] == "not yet"
    assert [step["n"] for step in told["steps"]] == list(range(1, len(told["steps"]) + 1))
    assert [step["copy"] for step in told["steps"] if "copy" in step] == [OBFS4]
    assert all(set(step) - {"copy"} == {"n", "do", "see", "risk"} for step in told["steps"])


def test_the_objects_without_an_option_keep_their_contract() -> None:
    app = guides.named(APPS, "curl")
    told = face.app_json(app, "linux")
    assert (told["app"], told["recommended"], told["steps"]) == ("curl", None, [])
    assert {kind for one in told["ways"] for kind in one["for"]} == app.ways
    assert told["checked"].startswith("run-here ")
    listed = face.apps_json([app], None)
    assert listed["apps"][0]["takes"] == sorted(app.takes)
    one = option("vless")
    served = face.apps_json(APPS, way.others(one, APPS, HERE))
    assert {"curl", "firefox"} <= {entry["app"] for entry in served["apps"]}
    assert all(entry["by"] in (LOCAL, "vless") for entry in served["apps"])
    assert endpoint("vless").host not in str(served)
