"""The file for curl, read by the real curl."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from client.export import curl
from tests.client.export.far import far, run
from tests.client.export.made import HOSTILE, proxy, text, written

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


@needs_curl
@pytest.mark.parametrize("kind", ["socks5", "socks4a", "socks4", "http"])
async def test_curl_reaches_a_page_by_name_through_it(kind: str, tmp_path: Path) -> None:
    async with far(tmp_path) as there:
        file = tmp_path / "curlrc"
        file.write_text(text("curl", [there.proxy(kind)]), "utf-8")
        said = await run("curl", "-sS", "-q", "-K", file, there.page)
        assert said.is_page, said.err
        assert there.origin.seen.connections == 1


@needs_curl
@pytest.mark.parametrize("kind", ["socks5", "http"])
@pytest.mark.parametrize("secret", HOSTILE)
async def test_curl_sends_a_hostile_password_as_it_is(kind: str, secret: str, tmp_path: Path) -> None:
    user = "user" if kind == "http" else secret
    async with far(tmp_path, user.replace(":", ""), secret) as there:
        file = tmp_path / "curlrc"
        file.write_text(text("curl", [there.proxy(kind, user.replace(":", ""), secret)]), "ascii")
        said = await run("curl", "-sS", "-q", "-K", file, there.page, cwd=tmp_path)
        assert said.is_page, said.err
        assert not (tmp_path / "gone").exists()


@needs_curl
async def test_no_proxy_of_the_surroundings_leads_round_it(tmp_path: Path) -> None:
    async with far(tmp_path) as there:
        file = tmp_path / "curlrc"
        file.write_text(text("curl", [there.proxy("socks5")]), "ascii")
        said = await run("curl", "-sS", "-q", "-K", file, there.page, env={"NO_PROXY": "*", "no_proxy": "*"})
        assert said.is_page, said.err


def test_a_quote_and_a_backslash_are_escaped() -> None:
    assert curl.quoted('a"b\\') == '"a\\"b\\\\"'


def test_the_best_one_is_in_it_and_the_others_are_named() -> None:
    made = written("curl", [proxy("socks5", 1), proxy("http", 2)])
    assert isinstance(made.content, str)
    assert ":1" in made.content
    assert ":2" not in made.content
    assert len(made.left_out) == 1
