"""The configuration for proxychains4, read by the real program."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from client.export import common
from client.export.formats import local_options
from tests.client.export.far import far, run
from tests.client.export.made import BROKEN, HOSTILE, proxy, reasons, text, written
from tests.servers.singbox import free_port

needs_it = pytest.mark.skipif(
    shutil.which("proxychains4") is None or shutil.which("curl") is None, reason="needs proxychains4 and curl"
)


@needs_it
@pytest.mark.parametrize("kind", ["socks5", "socks4", "socks4a", "http"])
async def test_a_program_without_a_proxy_setting_goes_through_it(kind: str, tmp_path: Path) -> None:
    async with far(tmp_path) as there:
        file = tmp_path / "proxychains.conf"
        file.write_text(text("proxychains", [there.proxy(kind)]), "ascii")
        said = await run("proxychains4", "-q", "-f", file, "curl", "-sS", "-q", there.page)
        assert said.is_page, said.err


@needs_it
@pytest.mark.parametrize("secret", [s for s in HOSTILE if s.isascii() and " " not in s])
async def test_a_hostile_password_stays_a_password(secret: str, tmp_path: Path) -> None:
    async with far(tmp_path, secret, secret) as there:
        file = tmp_path / "proxychains.conf"
        file.write_text(text("proxychains", [there.proxy("socks5", secret, secret)]), "ascii")
        said = await run("proxychains4", "-q", "-f", file, "curl", "-sS", "-q", there.page, cwd=tmp_path)
        assert said.is_page, said.err
        assert not (tmp_path / "gone").exists()


@needs_it
async def test_a_dead_proxy_is_passed_over(tmp_path: Path) -> None:
    async with far(tmp_path) as there:
        file = tmp_path / "proxychains.conf"
        dead = proxy("socks5", free_port(), host="127.0.0.1")
        file.write_text(text("proxychains", [dead, there.proxy("socks5")]), "ascii")
        said = await run("proxychains4", "-q", "-f", file, "curl", "-sS", "-q", there.page)
        assert said.is_page, said.err


@needs_it
async def test_nothing_goes_out_where_all_are_dead(tmp_path: Path) -> None:
    async with far(tmp_path) as there:
        file = tmp_path / "proxychains.conf"
        dead = proxy("http", free_port(), host="127.0.0.1")
        file.write_text(text("proxychains", [dead]), "ascii")
        page = f"http://127.0.0.1:{there.origin.http_port}/plain"
        said = await run("proxychains4", "-q", "-f", file, "curl", "-sS", "-q", page)
        assert said.status != 0
        assert there.origin.seen.connections == 0


@pytest.mark.parametrize("secret", [*BROKEN, "two words", "юзер", "x" * 256])
def test_what_scanf_would_cut_is_left_out(secret: str) -> None:
    made = written("proxychains", [proxy("socks5", user="me", password=secret)])
    assert made.content == ""
    assert reasons(made) == [common.LETTERS]


def test_a_password_without_a_name_is_left_out() -> None:
    assert reasons(written("proxychains", [proxy("socks5", password="secret")])) == [common.LETTERS]


def test_a_name_is_not_looked_up_here() -> None:
    made = written("proxychains", [proxy("socks5", host="proxy.example")])
    assert reasons(made) == [common.NO_NAMES]


def test_one_is_a_strict_chain_and_more_take_turns() -> None:
    assert "strict_chain\n" in text("proxychains", list(local_options(1080)[:1]))
    assert "round_robin_chain\nchain_len = 1\n" in text("proxychains", [proxy("http"), proxy("socks5")])


def test_a_program_that_changes_by_itself_gets_one_class_only() -> None:
    made = written("pac", [proxy("https", host="a.example"), proxy("http", host="b.example")])
    assert isinstance(made.content, str)
    assert "b.example" not in made.content
    assert reasons(made) == [common.LOWER]
