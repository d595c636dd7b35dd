"""The question itself; that it is asked before anything is sent: tests/client/cli/test_check.py."""

import re
from dataclasses import replace

import pytest

from client import check, consent
from client.parse import read as parse_lists
from client.plan import budget
from client.settings import PROFILES
from client.targets import builtin
from tests.client.runs import candidates, endpoint
from transports.tor_bridge import parse
from transports.types import Endpoint


def test_without_a_terminal_the_answer_is_neither_yes_nor_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "open_terminal", lambda: None)
    assert consent.ask(["one"]) is None


FP = "2B280B23E1107BB62ABFC40DDCC8824814F80A72"
VANILLA = parse(f"192.0.2.77:443 {FP}")
MEEK = parse("meek_lite 192.0.2.20:80 url=https://behind.test front=front.test")
SNOWFLAKE = parse(f"snowflake 192.0.2.3:80 {FP} url=https://broker.test/ fronts=f.test ice=stun:s.test:3478")
TOR = Endpoint(transport="tor", host="", port=1)


def said(*given: Endpoint, disk: bool | None = None) -> str:
    return "\n".join(
        consent.text(
            candidates=len(given),
            named=0,
            targets=builtin(),
            profile=PROFILES["quiet"],
            budget=budget(candidates(*given), builtin(), PROFILES["quiet"]),
            engine=False,
            tor=given,
            disk=disk,
        )
    )


@pytest.mark.parametrize(
    ("entry", "target", "risky"),
    [("127.0.0.1", "[::1]", False), ("127.0.0.1", "192.0.2.7", True), ("192.0.2.7", "127.0.0.1", True)],
)
def test_what_stays_on_this_machine_cannot_get_the_line_blocked(entry: str, target: str, risky: bool) -> None:
    wishes = check.Wishes(profile="fast", target=f"https://{target}/")
    run = check.prepare(wishes, parse_lists([("pasted", f"socks5://{entry}:9")]))
    assert ("Profile fast" in "\n".join(check.consent_text(run))) == risky


def test_bridges_alone_are_all_that_tor_contacts_and_their_addresses_stay_hidden() -> None:
    text = said(VANILLA)
    assert "contacts no relay but them" in text
    assert "up to 6 MiB" in text
    assert "192.0.2.77" not in text
    for other in ("volunteers", "without a bridge", "other servers"):
        assert other not in text


def test_what_stands_before_a_bridge_is_named() -> None:
    text = said(MEEK, SNOWFLAKE)
    assert "other servers: front.test, f.test, s.test." in text
    assert "volunteers" in text
    assert "behind.test" not in text  # nobody on the way sees it
    assert "volunteers" not in said(MEEK)


def test_tor_without_a_bridge_is_told_to_be_visible() -> None:
    text = said(TOR)
    assert "Your operator can see that you use Tor" in text
    assert "contacts no relay but them" not in text


def test_names_from_a_list_pass_the_gate_and_are_not_endless() -> None:
    many = [parse(f"meek_lite 192.0.2.20:80 url=https://x.test front=f{n}.test") for n in range(40)]
    evil = replace(MEEK, options={"pt": "meek_lite", "args": {"front": "a\u202eb.test"}})
    text = said(evil, *many)
    assert "a\ufffdb.test" in text
    assert "f14.test and 25 more" in text
    assert "f15.test" not in text


def test_the_disk_is_promised_allowed_or_asked_for() -> None:
    assert "Nothing is written to disk" in said(VANILLA)
    asked, allowed = said(VANILLA, disk=False), said(VANILLA, disk=True)
    assert "you will be asked next" in asked
    assert "flash storage may keep traces" in allowed
    for text in (asked, allowed):
        assert "Nothing is written to disk" not in text
    assert "flash storage may keep traces" in "\n".join(consent.about_disk())


def test_the_cost_has_the_list_of_relays_in_it() -> None:
    def mib(text: str) -> int:
        found = re.search(r"about (\d+) MiB", text)
        assert found
        return int(found[1])

    assert mib(said(VANILLA)) >= 6
    assert mib(said(endpoint())) < 3
