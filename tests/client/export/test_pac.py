"""The proxy file, read by the real Chromium."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from client.drill.asking import answer, read_request
from client.drill.origin import PLAIN
from client.drill.serving import Peer, serving
from client.export import common
from tests.client.export.far import Said, far, run
from tests.client.export.made import HOSTILE, proxy, reasons, text, written

needs_chromium = pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
SHELL = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-default-apps"),
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # a name that is looked up here is not found
)


async def browse(folder: Path, pac: str, page: str) -> Said:
    profile = folder / "profile"
    return await run(
        "chromium",
        *SHELL,
        f"--user-data-dir={profile}",
        f"--proxy-pac-url={pac}",
        "--dump-dom",
        page,
        env={"HOME": str(folder)},
    )


@needs_chromium
@pytest.mark.parametrize("kind", ["socks5", "http"])
async def test_chromium_shows_a_page_through_the_file(kind: str, tmp_path: Path) -> None:
    async with far(tmp_path) as there:
        file = text("pac", [there.proxy(kind)]).encode("ascii")

        async def hand_out(peer: Peer) -> None:
            await read_request(peer)
            await peer.send(answer("200 OK", file, kind="application/x-ns-proxy-autoconfig"))

        async with serving(hand_out) as port:
            said = await browse(tmp_path, f"http://127.0.0.1:{port}/proxy.pac", there.page)
        assert PLAIN.strip() in said.out, said.err
        assert there.origin.seen.paths["/plain"] == 1


@needs_chromium
async def test_chromium_takes_the_address_that_holds_the_whole_file(tmp_path: Path) -> None:
    async with far(tmp_path) as there:
        pac = text("pac-url", [there.proxy("socks5")]).strip()
        said = await browse(tmp_path, pac, there.page)
        assert PLAIN.strip() in said.out, said.err


@needs_chromium
async def test_chromium_does_not_go_round_a_dead_proxy(tmp_path: Path) -> None:
    async with far(tmp_path) as there:
        pac = text("pac-url", [proxy("socks5", 1, host="127.0.0.1")]).strip()
        said = await browse(tmp_path, pac, there.page)
        assert PLAIN.strip() not in said.out
        assert there.origin.seen.connections == 0


def test_the_file_is_one_function_that_never_says_direct() -> None:
    given = [proxy("http", 1, host="2001:db8::1"), proxy("socks5", 2)]
    assert text("pac", given) == (
        'function FindProxyForURL(url, host) {\n  return "PROXY [2001:db8::1]:1; SOCKS5 192.0.2.1:2";\n}\n'
    )


@pytest.mark.parametrize("secret", HOSTILE)
def test_a_user_name_has_no_place_in_it(secret: str) -> None:
    assert reasons(written("pac", [proxy("http", user=secret, password=secret)])) == [common.NO_LOGIN]


def test_socks4_is_left_out_because_browsers_look_names_up_for_it() -> None:
    assert written("pac", [proxy("socks4a")]).content == ""


@pytest.mark.parametrize("host", ['a"b', "a';x", "a\\x", "a\u2028b", "${x}"])
def test_no_host_ends_the_string(host: str) -> None:
    made = written("pac", [proxy("http", host=host), proxy("http", host="fine.example")])
    assert isinstance(made.content, str)
    line = made.content.splitlines()[1]
    assert json.loads(line.strip().removeprefix("return ").removesuffix(";")) == "PROXY fine.example:1080"
