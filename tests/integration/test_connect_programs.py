"""curl, git, Chromium and a messenger through `sanylau connect`, by each kind of proxy; and not a packet beside it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.integration import programs
from tests.integration.connecting import connecting
from tests.integration.far_proxies import CLASSES, targets_of, upstreams
from tests.integration.two_sides import FAR, PAGE, TARGET, TwoSides, sides
from tests.integration.using_all import NOT_SUPPORTED, Places, ask_name, talk, use_all

__all__ = ["sides"]
pytestmark = pytest.mark.timeout(90)

UDP = ("shadowsocks", "trojan", "vless", "socks5-danted")
NOBODY = "no-such-name.test"


def places_of(sides: TwoSides, host: str = "page.test") -> Places:
    return Places(host=host, http=80, https=443, messenger=5222, ca=sides.ca)


@pytest.mark.parametrize("kind", CLASSES)
async def test_all_programs_work_and_nothing_goes_beside_the_upstream(
    sides: TwoSides, tmp_path: Path, kind: str
) -> None:
    me = sides.inside("person")
    with upstreams(sides, kind) as using:
        targets = targets_of(tmp_path, sides, using)
        sides.forget()
        async with connecting(tmp_path, [using[0].line], targets, before=me) as run:
            _, told = await run.until("using")
            assert (told["class"], told["why"]) == (CLASSES[kind], "start")
            # The check looks once, directly, whether what it asks for is there: the consent names it.
            before = sides.crossed().beside((FAR, using[0].port))
            assert set(before) <= {("tcp", TARGET, 443), ("tcp", TARGET, 80)}
            sides.forget()
            # SOCKS4 has no names, so there the programs must give the address.
            host = PAGE if kind == "socks4" else "page.test"
            browse = "http" if kind in ("http", "vless", "https", "socks4") else "socks5"
            await use_all(me, run.port, places_of(sides, host), tmp_path, browse)
            resolved = await ask_name(me, run.port, PAGE, "page.test")
            lost = await programs.run(
                me, *programs.curl(f"socks5h://127.0.0.1:{run.port}", f"http://{NOBODY}/")
            )
            crossed = sides.crossed()
            beside = crossed.beside((FAR, using[0].port))
            if (
                kind == "socks5-danted"
            ):  # it hands out a UDP port of its own; asked for one thing, it gets one datagram
                assert len(beside) == 1, beside
                assert all(where[:2] == ("udp", FAR) for where in beside), beside
                beside = {}
            assert beside == {}
            assert crossed.to(using[0].port)[0] > 0
            assert crossed.names() == 0
            assert lost.status != 0
            if kind in UDP:
                assert (resolved["code"], resolved["answers"]) == (0, [PAGE])
            else:
                assert resolved == {"code": NOT_SUPPORTED}
            assert run.said("lost") == []


async def test_a_messenger_that_gives_a_password_is_let_in_only_with_the_right_one(
    sides: TwoSides, tmp_path: Path
) -> None:
    me = sides.inside("person")
    secret = tmp_path / "password"
    secret.write_text("open sesame\n")
    secret.chmod(0o600)
    with upstreams(sides, "socks5") as using:
        targets = targets_of(tmp_path, sides, using)
        extra = ("--listen", "127.0.0.1", "--password-file", str(secret))
        async with connecting(tmp_path, [using[0].line], targets, *extra, before=me) as run:
            await run.until("using")
            places = places_of(sides)
            right, wrong, none = await asyncio.gather(
                talk(me, run.port, places, 0.1, ("sanylau", "open sesame")),
                talk(me, run.port, places, 0.1, ("sanylau", "open barley")),
                talk(me, run.port, places, 0.1),
            )
            assert right["code"] == 0
            assert wrong["code"] != 0
            assert none["code"] != 0


async def test_datagrams_end_with_what_they_go_through_and_never_go_beside_it(
    sides: TwoSides, tmp_path: Path
) -> None:
    me = sides.inside("person")
    with upstreams(sides, "shadowsocks") as (node,):
        targets = targets_of(tmp_path, sides, [node])
        async with connecting(tmp_path, [node.line], targets, before=me) as run:
            await run.until("using")
            sides.forget()
            client = sides.start("person", *programs.raw("outlived", str(run.port), PAGE, "53", "page.test"))
            try:
                assert client.stdout is not None
                assert client.stdin is not None
                first = json.loads(client.stdout.readline())
                assert first == {"code": 0, "answers": [PAGE]}
                node.kill()
                tried = await programs.run(
                    me, *programs.curl(f"socks5h://127.0.0.1:{run.port}", "http://page.test/page")
                )
                assert tried.status != 0
                await run.until("held", why="nothing_works")
                client.stdin.write("\n")
                client.stdin.flush()
                assert json.loads(client.stdout.readline()) == {"ended": True}
            finally:
                sides.kill(client)
            crossed = sides.crossed()
            assert {where[1:] for where in crossed.packets} == {(FAR, node.port)}
            assert crossed.names() == 0
