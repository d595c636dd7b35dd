"""The configuration for sing-box: checked by it, and really run."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from client.options import Option
from tests.client.export.far import Far, Said, far, run
from tests.client.export.made import HOSTILE, options, proxy, text
from tests.servers.real import running
from tests.servers.singbox import binary, free_port
from tests.transports.links import TESTABLE

BARE = [link for link in TESTABLE if "fp=" not in link and "eyJ2" not in link]  # uTLS is not in every build
PLAIN_ONES = ("socks5://u:p@192.0.2.1:1", "http://192.0.2.1:2", "socks4://192.0.2.1:3", "https://a.example:4")
CHECKED = [*BARE, *PLAIN_ONES]


def names(server: Option) -> str:
    return server.endpoint.transport


@pytest.mark.parametrize("given", [*((link,) for link in CHECKED), tuple(CHECKED)], ids=str)
async def test_sing_box_finds_it_valid(given: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(text("singbox", options(*given)), "ascii")
    said = await run(binary(), "check", "-c", file)
    assert said.status == 0, said.err


@pytest.mark.parametrize("secret", HOSTILE)
async def test_sing_box_takes_a_hostile_password(secret: str, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    made = text("singbox", [proxy("socks5", user=secret, password=secret)])
    file.write_text(made, "ascii")
    said = await run(binary(), "check", "-c", file)
    assert said.status == 0, said.err
    assert json.loads(made)["outbounds"][1]["password"] == secret


@asynccontextmanager
async def box(folder: Path, given: list[Option], url: str = "https://far.test/none") -> AsyncIterator[int]:
    """Run what is exported; gives the port where it listens."""
    port = free_port()
    file = folder / "config.json"
    file.write_text(text("singbox", given, port=port, test_url=url), "ascii")
    async with running(
        port, "/usr/bin/env", f"SSL_CERT_FILE={folder / 'ca.pem'}", binary(), "run", "-c", file
    ):
        yield port


async def fetch(there: Far, folder: Path, port: int, scheme: str) -> Said:
    page = there.secure_page if scheme == "secure" else there.page
    way = "socks5h" if scheme == "secure" else scheme
    ca = ("--cacert", str(folder / "ca.pem"))
    return await run("curl", "-sS", "-q", *ca, "--max-time", "10", "-x", f"{way}://127.0.0.1:{port}", page)


@pytest.mark.skipif(os.name == "nt", reason="needs env")
@pytest.mark.parametrize("kind", ["shadowsocks", "socks5", "http"])
async def test_programs_reach_a_page_by_name_through_it(kind: str, tmp_path: Path) -> None:
    async with far(tmp_path) as there:
        (tmp_path / "ca.pem").write_text(there.origin.ca_pem, "ascii")
        given = there.node() if kind == "shadowsocks" else there.proxy(kind)
        async with box(tmp_path, [given]) as port:
            for scheme in ("socks5h", "http", "secure"):
                said = await fetch(there, tmp_path, port, scheme)
                assert said.is_page, said.err


@pytest.mark.skipif(os.name == "nt", reason="needs env")
async def test_it_finds_out_by_itself_which_of_several_works(tmp_path: Path) -> None:
    async with far(tmp_path) as there:
        (tmp_path / "ca.pem").write_text(there.origin.ca_pem, "ascii")
        dead = options(f"ss://Y2hhY2hhMjAtaWV0Zi1wb2x5MTMwNTp4@127.0.0.1:{free_port()}")
        url = f"https://localhost:{there.origin.https_port}/small"
        async with box(tmp_path, [*dead, there.node()], url) as port:
            for _ in range(50):
                said = await fetch(there, tmp_path, port, "socks5h")
                if said.is_page:
                    break
            assert said.is_page, said.err
            assert there.origin.seen.paths["/small"] >= 1


@pytest.mark.skipif(os.name == "nt", reason="needs env")
async def test_nothing_goes_out_where_the_server_does_not_let_us_in(tmp_path: Path) -> None:
    async with far(tmp_path) as there:
        (tmp_path / "ca.pem").write_text(there.origin.ca_pem, "ascii")
        async with box(tmp_path, [there.node(password="wrong")]) as port:
            there_ip = there.page.replace("origin.test", "127.0.0.1")
            said = await run(
                "curl", "-sS", "-q", "--max-time", "5", "-x", f"socks5h://127.0.0.1:{port}", there_ip
            )
            assert said.status != 0
            assert there.origin.seen.connections == 0


def test_there_is_no_way_round_and_only_this_machine_is_served() -> None:
    made: dict[str, Any] = json.loads(text("singbox", options(*CHECKED)))
    assert {one["type"] for one in made["outbounds"]}.isdisjoint({"direct", "dns"})
    assert made["route"]["final"] == "way"
    assert [one["listen"] for one in made["inbounds"]] == ["127.0.0.1"]


def test_names_are_asked_for_through_the_tunnel_and_the_system_only_for_servers_with_names() -> None:
    bare: dict[str, Any] = json.loads(text("singbox", [proxy("socks5")]))
    assert [one["detour"] for one in bare["dns"]["servers"]] == ["way"]
    named: dict[str, Any] = json.loads(text("singbox", [proxy("socks5", host="a.example")]))
    assert named["dns"]["final"] == "far"
    assert named["route"]["default_domain_resolver"] == "here"


def test_a_node_inside_another_brings_it_along() -> None:
    from transports import nodelists
    from transports.types import Endpoint

    document = {
        "outbounds": [
            {
                "type": "shadowsocks",
                "tag": "a",
                "detour": "b",
                "method": "aes-256-gcm",
                "password": "x",
            },
            {
                "type": "shadowtls",
                "tag": "b",
                "server": "192.0.2.1",
                "server_port": 443,
                "version": 3,
                "password": "y",
                "tls": {"enabled": True, "server_name": "a.example"},
            },
        ]
    }
    from tests.client.export.made import option

    found = nodelists.convert(json.dumps(document))
    assert found is not None
    ((_, endpoint),) = found
    assert isinstance(endpoint, Endpoint)
    made: dict[str, Any] = json.loads(text("singbox", [option(endpoint)]))
    _, inner, outer = made["outbounds"]
    assert (inner["type"], inner["detour"]) == ("shadowsocks", outer["tag"])
    assert outer["type"] == "shadowtls"
