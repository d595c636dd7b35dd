"""The ways to Moat with real parts: directly, through a real SOCKS5 proxy, and through obfs4proxy's meek."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from client import moat, moat_talk, moat_ways, roots
from client.bridges import builtin
from client.drill.asking import answer
from client.drill.ca import Authority
from client.drill.proxies import World, socks5_proxy
from client.drill.serving import Peer, nobody, serving
from client.engines import engine_opener
from client.i18n import say
from client.moat_ways import Asker, NoWay, Way
from client.model import Candidate, Message
from tests.servers.meek import meek_server
from tests.servers.moat import JPEG, LETTERS, OBFS4, WEBTUNNEL, Moat, moat_server
from transports.net import Limits
from transports.types import CannotMeasure, Endpoint, Rejected

SHORT = Limits(connect=1.0, handshake=2.0, exchange=1.0, total=3.0)
OFFLINE = "behind 127.0.0.1: this machine has no network now"
KINDS = ["obfs4", "webtunnel", "snowflake", "meek"]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("Moat Test Root")


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[Moat]:
    async with moat_server(authority) as running:
        yield running


class Told(list[str]):
    def __call__(self, message: Message) -> None:
        self.append(say(message))


def asker(server: Moat, *ways: Way, told: Told | None = None, limits: Limits | None = SHORT) -> Asker:
    tell = Told() if told is None else told
    return Asker(moat_ways.server_of(server.url), ways, roots.loader(server.ca_pem), tell, limits)


def socks5(port: int, line: int = 1) -> Candidate:
    return Candidate(Endpoint(transport="socks5", host="127.0.0.1", port=port), "list", line)


def candidates(*given: Candidate) -> AbstractAsyncContextManager[tuple[Way, ...]]:
    return moat_ways.through_candidates(given, engine_opener("", 1.0))


async def test_settings_come_directly(server: Moat) -> None:
    async with moat_ways.directly() as ways:
        lines = await moat_talk.settings(asker(server, *ways), builtin(), KINDS, "tm", Told())
    assert lines[0].text == OBFS4
    assert lines[-1].text == WEBTUNNEL
    assert server.asked == [("circumvention/settings", {"country": "tm", "transports": KINDS})]


async def test_settings_come_through_the_first_candidate_that_leads_there(server: Moat) -> None:
    told = Told()
    async with (
        nobody() as dead,
        serving(socks5_proxy(World())) as port,
        candidates(socks5(dead), socks5(port, 2), socks5(dead, 3)) as ways,
    ):
        asking = asker(server, *ways, told=told)
        await moat_talk.defaults(asking, builtin(), KINDS, Told())
        assert await moat_talk.countries(asking) == ("cn", "tm")
        assert say(asking.way.label) == "through the entry in line 2"
    assert len(told) == 1
    assert told[0] == "through the entry in line 1: nobody listens there: switched off, or another port"
    assert server.connections == 2


async def test_once_a_way_has_led_there_no_other_entry_is_contacted(server: Moat) -> None:
    server.lies[moat.MAP] = missing
    async with serving(socks5_proxy(World())) as port, candidates(socks5(port), socks5(port, 2)) as ways:
        asking = asker(server, *ways)
        await asking.ask(moat.COUNTRIES, None)
        with pytest.raises(NoWay):
            await asking.ask(moat.MAP, None)
    assert server.connections == 2


@pytest.mark.skipif(shutil.which("obfs4proxy") is None, reason="needs obfs4proxy")
async def test_settings_come_behind_a_front_through_the_real_meek_client(server: Moat) -> None:
    async with meek_server(server.port) as meek:
        endpoints = moat_ways.fronts([meek.line])
        async with moat_ways.fronted(endpoints, disk=True) as ways:
            asking = asker(server, *ways, limits=None)
            lines = await moat_talk.settings(asking, builtin(), KINDS, "tm", Told())
            assert lines[0].text == OBFS4
            assert (await moat_talk.newer_builtin(asking, builtin(), Told()))[0].text == OBFS4
        assert len(meek.sessions) == 2  # a new one for each request
    assert server.connections == 2


@pytest.mark.skipif(shutil.which("obfs4proxy") is None, reason="needs obfs4proxy")
async def test_a_dead_front_is_no_way(server: Moat) -> None:
    told = Told()
    async with nobody() as dead:
        endpoints = moat_ways.fronts([f"meek_lite 192.0.2.18:80 url=http://127.0.0.1:{dead}"])
        async with moat_ways.fronted(endpoints, disk=True) as ways:
            with pytest.raises(NoWay) as none:
                await asker(server, *ways, told=told).ask(moat.COUNTRIES, None)
    assert none.value.measured
    assert told[0] in ("behind 127.0.0.1: no answer from the front, or from the server behind it", OFFLINE)
    assert server.connections == 0


async def test_without_a_folder_in_memory_no_program_is_started_unless_the_disk_is_allowed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(moat_ways, "memory_folder", lambda: None)
    monkeypatch.setattr(moat_ways, "disk_folder", lambda: tmp_path)
    told = tmp_path / "told"
    program = tmp_path / "obfs4proxy"
    program.write_text(f"#!/bin/sh\necho $TOR_PT_STATE_LOCATION > {told}\n")
    program.chmod(0o700)
    endpoints = moat_ways.fronts(builtin().fronts)
    with pytest.raises(CannotMeasure, match="--disk"):
        async with moat_ways.fronted(endpoints, programs=[program]):
            pass
    assert not told.exists()
    with pytest.raises(CannotMeasure, match="ends as soon as it is started"):
        async with moat_ways.fronted(endpoints, programs=[program], disk=True):
            pass
    assert told.read_text().startswith(f"{tmp_path}/sanylau-pt-")
    assert {program.name, told.name} == set(os.listdir(tmp_path))


async def test_without_a_program_for_meek_it_says_what_to_install() -> None:
    endpoints = moat_ways.fronts(builtin().fronts)
    with pytest.raises(CannotMeasure) as cannot:
        async with moat_ways.fronted(endpoints, programs=(), disk=True):
            pass
    assert "obfs4proxy" in str(cannot.value.values["program"])


async def test_a_false_certificate_is_told_and_nothing_is_asked(server: Moat) -> None:
    told = Told()
    async with moat_ways.directly() as ways:
        forged = Asker(moat_ways.server_of(server.url), ways, roots.loader(), told, SHORT)
        with pytest.raises(NoWay):
            await forged.ask(moat.COUNTRIES, None)
    assert "false certificate" in told[0]
    assert server.asked == []


@pytest.mark.parametrize(
    ("route", "words"), [(True, "its name could not be looked up"), (False, "no network")]
)
async def test_a_name_that_is_not_found_is_told_in_words_and_so_is_the_lack_of_a_network(
    server: Moat, monkeypatch: pytest.MonkeyPatch, route: bool, words: str
) -> None:
    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_AGAIN, "no")

    monkeypatch.setattr("transports.resolve.socket.getaddrinfo", unknown)
    monkeypatch.setattr("client.control.has_route", lambda: route)
    told = Told()
    async with moat_ways.directly() as ways:
        with pytest.raises(NoWay):
            await asker(server, *ways, told=told).ask(moat.COUNTRIES, None)
    assert told[0].startswith("directly: ")
    assert words in told[0]


async def test_a_server_that_gives_no_encrypted_connection_is_told_in_words(authority: Authority) -> None:
    told = Told()
    async with serving(silent) as port, moat_ways.directly() as ways:
        target = moat_ways.server_of(f"https://localhost:{port}/")
        with pytest.raises(NoWay):
            await Asker(target, ways, roots.loader(authority.pem), told, SHORT).ask(moat.COUNTRIES, None)
    assert told == [
        "directly: the server is reached, but no encrypted connection comes about: it may be cut by its name"
    ]


async def test_a_country_without_an_entry_gets_the_bridges_for_anywhere(server: Moat) -> None:
    told = Told()
    async with moat_ways.directly() as ways:
        lines = await moat_talk.settings(asker(server, *ways), builtin(), KINDS, "kz", told)
        again = await moat_talk.settings(asker(server, *ways), builtin(), KINDS, "", told)
    assert [line.text for line in lines] == [line.text for line in again] == [OBFS4]
    assert server.paths == ["circumvention/settings", "circumvention/defaults"] * 2
    assert "no blocking" in told[0]
    assert "--country" in told[1]


async def test_a_type_that_is_only_named_is_filled_from_the_built_in_lines(server: Moat) -> None:
    async with moat_ways.directly() as ways:
        lines = await moat_talk.settings(asker(server, *ways), builtin(), KINDS, "cn", Told())
    assert lines == builtin().by_country["cn"]


@pytest.mark.parametrize(("kinds", "code"), [(["vanilla"], 404), ("obfs4", 400)])
async def test_a_refusal_of_the_server_is_passed_on(server: Moat, kinds: list[str], code: int) -> None:
    body = moat.wish(["vanilla"], "tm") if code == 404 else b'{"country":"tm","transports":"obfs4"}'
    async with moat_ways.directly() as ways:
        answered = await asker(server, *ways).ask(moat.SETTINGS, body)
    with pytest.raises(moat.Refused) as refused:
        moat.settings(answered)
    assert refused.value.code == code


async def test_a_captcha_is_read_after_one_wrong_try(server: Moat) -> None:
    seen, typed = [], ["wrong", LETTERS]

    async def read(picture: bytes) -> str:
        seen.append(picture)
        return typed.pop(0)

    async with moat_ways.directly() as ways:
        lines = await moat_talk.captcha(asker(server, *ways), builtin(), "obfs4", read, Told())
    assert seen == [JPEG, JPEG]
    assert [line.text for line in lines] == [OBFS4]


@pytest.mark.parametrize(("text", "pictures"), [("wrong", moat_talk.TRIES), ("", 1)])
async def test_a_captcha_ends_after_a_few_wrong_tries_or_no_answer(
    server: Moat, text: str, pictures: int
) -> None:
    async def read(_picture: bytes) -> str:
        return text

    async with moat_ways.directly() as ways:
        with pytest.raises(moat.Refused):
            await moat_talk.captcha(asker(server, *ways), builtin(), "obfs4", read, Told())
    assert server.paths.count("fetch") == pictures


async def endless(peer: Peer) -> None:
    await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await peer.send(b" " * 16384)


async def endless_head(peer: Peer) -> None:
    await peer.send(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        await peer.send(b"x" * 16384)


async def trickle(peer: Peer) -> None:
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        await peer.send(b" ")
        await asyncio.sleep(0.1)


async def silent(peer: Peer) -> None:
    await peer.read()


async def cut_short(peer: Peer) -> None:
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[]")


async def redirect(peer: Peer) -> None:
    await peer.send(answer("302 Found", extra=("Location: https://elsewhere.test/",)))


async def missing(peer: Peer) -> None:
    await peer.send(answer("404 Not Found", b"<html>"))


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (endless, "its answer never ends"),
        (endless_head, "never ends"),
        (trickle, "no page comes"),
        (silent, "no page comes"),
        (cut_short, "before the page came"),
        (redirect, "302"),
        (missing, "404"),
    ],
)
async def test_an_answer_that_is_none_ends_in_time_and_is_told(
    server: Moat, lie: Callable[[Peer], Awaitable[None]], words: str
) -> None:
    server.lies[moat.COUNTRIES] = lie
    told = Told()
    async with moat_ways.directly() as ways:
        with pytest.raises(NoWay) as none:
            async with asyncio.timeout(5):
                await asker(server, *ways, told=told).ask(moat.COUNTRIES, None)
    assert none.value.measured
    assert len(told) == 1
    assert words in told[0]
    assert server.connections == 1


async def test_json_counts_whatever_the_answer_calls_itself(server: Moat) -> None:
    async def page(peer: Peer) -> None:
        await peer.send(answer("200 OK", b'["cn"]', kind="text/html"))

    server.lies[moat.COUNTRIES] = page
    async with moat_ways.directly() as ways:
        assert await moat_talk.countries(asker(server, *ways)) == ("cn",)
        server.lies[moat.COUNTRIES] = b"<html>"
        with pytest.raises(moat.Refused):
            await moat_talk.countries(asker(server, *ways))


async def test_an_answer_without_a_usable_line_is_refused(server: Moat) -> None:
    server.lies[moat.DEFAULTS] = (
        b'{"settings":[{"bridges":{"type":"obfs4","bridge_strings":["\\u001b[2J"]}}]}'
    )
    told = Told()
    async with moat_ways.directly() as ways:
        with pytest.raises(moat.Refused):
            await moat_talk.defaults(asker(server, *ways), builtin(), KINDS, told)
    assert told == ["1 line of the answer was no bridge line and was left out."]


def test_a_server_is_an_https_url_without_a_query() -> None:
    assert moat_ways.server_of("https://moat.test/moat").path == "/moat/"
    for url in ("http://moat.test/", "https://moat.test/?a=b", "moat.test"):
        with pytest.raises(Rejected):
            moat_ways.server_of(url)


def test_only_meek_lines_can_be_fronts() -> None:
    assert moat_ways.front_of(moat_ways.fronts(builtin().fronts)[0]) == "www.cdn77.com"
    for lines in ([OBFS4], []):
        with pytest.raises(Rejected):
            moat_ways.fronts(lines)


def test_no_more_than_a_few_entries_are_tried() -> None:
    many = [socks5(port) for port in range(1, 100)]
    untestable = replace(many[0], endpoint=Endpoint(transport="telegram", host="127.0.0.1", port=1))
    assert moat_ways.usable([untestable, *many]) == many[: moat_ways.MOST_WAYS]
