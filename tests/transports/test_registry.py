import inspect

import pytest

from transports.registry import PARSERS, REGISTRY
from transports.types import Protection, Rejected

ENGINES = {"", "sing-box", "tor"}


def test_the_table_is_sorted_so_that_it_stays_readable() -> None:
    assert list(REGISTRY) == sorted(REGISTRY)


@pytest.mark.parametrize("name", REGISTRY)
def test_each_kind_can_be_read_or_opened(name: str) -> None:
    entry = REGISTRY[name]
    assert entry.parse or entry.transport
    assert entry.engine in ENGINES


@pytest.mark.parametrize("name", [name for name, entry in REGISTRY.items() if entry.transport])
def test_each_transport_dials_in_the_same_way(name: str) -> None:
    dial = REGISTRY[name].transport.dial  # type: ignore[union-attr]
    assert inspect.iscoroutinefunction(dial)
    assert list(inspect.signature(dial).parameters) == ["endpoint", "host", "port", "net"]


def test_no_scheme_belongs_to_two_kinds() -> None:
    schemes = [scheme for entry in REGISTRY.values() for scheme in entry.schemes]
    assert len(schemes) == len(set(schemes))
    assert set(PARSERS) == set(schemes)
    assert all(scheme == scheme.lower() for scheme in schemes)


@pytest.mark.parametrize(
    ("line", "transport"),
    [
        ("http://192.0.2.5:80", "http"),
        ("https://192.0.2.5:443", "https"),
        ("socks4://192.0.2.5:1", "socks4"),
        ("socks4a://192.0.2.5:1", "socks4a"),
        ("socks://192.0.2.5:1", "socks5"),
        ("socks5://192.0.2.5:1", "socks5"),
        ("socks5h://192.0.2.5:1", "socks5"),
    ],
)
def test_a_plain_proxy_is_read_as_a_kind_that_can_be_opened(line: str, transport: str) -> None:
    endpoint = PARSERS[line.partition(":")[0]](line)
    assert endpoint.transport == transport
    assert REGISTRY[endpoint.transport].transport is not None


@pytest.mark.parametrize(
    "line",
    [
        "https://t.me/proxy?server=a.test&port=443&secret=dd00112233445566778899aabbccddeeff",
        "https://t.me/socks?server=a.test&port=1080",
    ],
)
def test_a_telegram_link_is_no_https_proxy(line: str) -> None:
    assert PARSERS["https"](line).transport != "https"


@pytest.mark.parametrize("scheme", PARSERS)
@pytest.mark.parametrize("rest", ["", "//", "\0", "//@:", "//[", "//a.test:99999", "//x" * 2000])
def test_no_parser_breaks_on_a_broken_link(scheme: str, rest: str) -> None:
    try:
        endpoint = PARSERS[scheme](f"{scheme}:{rest}")
    except Rejected:
        return
    assert endpoint.transport in REGISTRY


def test_what_is_not_encrypted_to_the_proxy_is_in_the_open_class() -> None:
    in_the_open = {name for name, entry in REGISTRY.items() if entry.protection is Protection.OPEN}
    assert in_the_open == {"auto", "direct", "http", "socks4", "socks4a", "socks5"}
    assert not any(entry.protection is Protection.TRUSTED for entry in REGISTRY.values())
