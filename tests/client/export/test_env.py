"""The variables, read by a real shell and used by the real curl."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from client.export.formats import local_options
from tests.client.export.far import far, run
from tests.client.export.made import HOSTILE, proxy, reasons, text, written
from transports.types import N_

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
NAMES = ("all_proxy", "http_proxy", "https_proxy", "no_proxy")


@needs_curl
@pytest.mark.parametrize("kind", ["socks5", "socks4", "http"])
async def test_a_shell_takes_them_and_curl_goes_through(kind: str, tmp_path: Path) -> None:
    async with far(tmp_path) as there:
        file = tmp_path / "proxy.sh"
        file.write_text(text("env", [there.proxy(kind)]), "ascii")
        words = f". {shlex.quote(str(file))}; exec curl -sS -q {shlex.quote(there.page)}"
        said = await run("sh", "-c", words, env={"NO_PROXY": "*"})
        assert said.is_page, said.err


@needs_curl
@pytest.mark.parametrize("secret", HOSTILE)
async def test_a_hostile_password_stays_a_password(secret: str, tmp_path: Path) -> None:
    async with far(tmp_path, secret.replace(":", ""), secret) as there:
        file = tmp_path / "proxy.sh"
        file.write_text(text("env", [there.proxy("socks5", secret.replace(":", ""), secret)]), "ascii")
        words = f". {shlex.quote(str(file))}; exec curl -sS -q {shlex.quote(there.page)}"
        said = await run("sh", "-c", words, cwd=tmp_path)
        assert said.is_page, said.err
        assert not (tmp_path / "gone").exists()


async def test_every_name_is_set_in_both_spellings(tmp_path: Path) -> None:
    file = tmp_path / "proxy.sh"
    file.write_text(text("env", [proxy("socks5", 9)]), "ascii")
    said = await run("sh", "-c", f". {shlex.quote(str(file))}; env")
    got = dict(line.partition("=")[::2] for line in said.out.decode().splitlines())
    for name in NAMES:
        assert got[name] == got[name.upper()] == ("" if name == "no_proxy" else "socks5h://192.0.2.1:9")


def test_the_local_connection_gives_each_name_its_own_kind() -> None:
    lines = text("env", list(local_options(1080))).splitlines()
    assert "export ALL_PROXY=socks5h://127.0.0.1:1080" in lines
    assert "export https_proxy=http://127.0.0.1:1080" in lines


def test_powershell_and_cmd_get_their_own_quotes() -> None:
    given = [proxy("http", 8080, "me", "50% 'off'")]
    assert "$env:ALL_PROXY = 'http://me:50%25%20%27off%27@192.0.2.1:8080'" in text("env-powershell", given)
    assert 'set "ALL_PROXY=http://me:50%%25%%20%%27off%%27@192.0.2.1:8080"\r\n' in text("env-cmd", given)


@pytest.mark.parametrize("host", ["$(touch gone)", "a;b", "a&b", "`x`", "пример..рф"])
@pytest.mark.parametrize("name", ["env", "curl", "pac", "links", "telegram", "singbox"])
def test_a_host_that_is_no_name_is_left_out(name: str, host: str) -> None:
    made = written(name, [proxy("socks5", host=host)])
    assert made.content == ""
    assert reasons(made) == [N_("this is not a host name or address")]
