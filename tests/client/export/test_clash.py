"""The configuration for mihomo. The program is not here: our own reader stands in, and the shape of what it documents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests.client.export.made import BROKEN, HOSTILE, option, options, proxy, text
from tests.transports.links import TESTABLE
from transports import nodelists
from transports.types import Endpoint

CLEAN = [link for link in TESTABLE if "insecure=1" not in link and "192.0.2.21" not in link]


def loaded(made: str) -> dict[str, Any]:
    found = yaml.safe_load(made)
    assert isinstance(found, dict)
    return found


def test_everything_goes_through_the_group_and_only_this_machine_is_served() -> None:
    made = loaded(text("clash", options(*CLEAN)))
    names = [node["name"] for node in made["proxies"]]
    assert len(set(names)) == len(names) == len(CLEAN)
    assert made["rules"] == ["MATCH,way", "MATCH,REJECT"]
    (group,) = made["proxy-groups"]
    assert group["proxies"] == names
    assert (group["type"], group["url"]) == ("fallback", "https://far.test/none")
    assert (made["bind-address"], made["allow-lan"], made["mixed-port"]) == ("127.0.0.1", False, 2080)
    assert "DIRECT" not in text("clash", options(*CLEAN))


def test_datagrams_that_no_entry_takes_are_turned_down_and_go_nowhere_else() -> None:
    refused = loaded(text("clash", options("http://192.0.2.1:8080")))
    assert "udp" not in refused["proxies"][0]
    assert refused["rules"][-1] == "MATCH,REJECT"  # mihomo goes directly after the last rule that takes them


def test_only_what_takes_datagrams_is_said_to() -> None:
    seen = replace(proxy("socks5"), udp=True)
    granted, not_granted = (
        loaded(text("clash", [one]))["proxies"][0]["udp"] for one in (seen, proxy("socks5"))
    )
    assert (granted, not_granted) == (True, False)
    for node in loaded(text("clash", options(*CLEAN)))["proxies"]:
        assert node["udp"] is ("plugin" not in node)


def test_names_are_asked_of_a_resolver_through_the_entries() -> None:
    named, numbered = (
        loaded(text("clash", [proxy("socks5", host=host)])) for host in ("a.test", "192.0.2.1")
    )
    assert numbered["dns"]["enable"] is True
    assert numbered["dns"]["nameserver"] == ["https://9.9.9.9/dns-query#way"]
    assert "proxy-server-nameserver" not in numbered["dns"]
    assert named["dns"]["proxy-server-nameserver"] == ["system"]
    six = loaded(text("clash", [proxy("socks5")], resolver="2001:db8::9"))
    assert six["dns"]["nameserver"] == ["https://[2001:db8::9]/dns-query#way"]


def test_one_entry_is_not_tested_by_it() -> None:
    (group,) = loaded(text("clash", [proxy("socks5")]))["proxy-groups"]
    assert group == {"name": "way", "type": "select", "proxies": ["n1"]}


def test_our_own_reader_finds_the_same_entries() -> None:
    given = options(*CLEAN)
    found = nodelists.convert(text("clash", given))
    assert found is not None
    assert [item.key() for _, item in found if isinstance(item, Endpoint)] == [
        one.endpoint.key() for one in given
    ]


@pytest.mark.parametrize(
    "secret", [*HOSTILE, "0o14", "1_000", "yes", "1e3", "~", "0123", "2026-11-23", "=", "<<"]
)
def test_a_password_is_a_text_whatever_it_looks_like(secret: str) -> None:
    (node,) = loaded(text("clash", [proxy("socks5", user=secret, password=secret)]))["proxies"]
    assert (node["username"], node["password"]) == (secret, secret)
    quoted = yaml.dump(secret, default_style='"', width=4096).strip()
    assert f'"password": {quoted}\n' in text("clash", [proxy("socks5", password=secret)])


@pytest.mark.parametrize("secret", BROKEN)
def test_control_characters_break_no_line(secret: str) -> None:
    settings = {"type": "shadowsocks", "server": "192.0.2.1", "server_port": 1, "method": "aes-256-gcm"}
    node = Endpoint(
        transport="shadowsocks", host="192.0.2.1", port=1, options=settings | {"password": secret}
    )
    assert text("clash", [option(node)]) == ""
