"""The settings for tor, checked by the real tor, and the other ways to write bridges."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from client.export import torrc
from client.export.torbrowser import NOT_BROUGHT
from tests.client.export.far import run
from tests.client.export.made import options, proxy, reasons, text, written
from tests.servers.install import FOLDERS
from tests.transports.links import CERT, FP

TOR = shutil.which("tor", path=FOLDERS)
OBFS4 = f"obfs4 192.0.2.77:4433 {FP} cert={CERT} iat-mode=0"
VANILLA = f"192.0.2.5:9001 {FP}"
V6 = f"obfs4 [2001:db8::77]:4433 {FP} cert={CERT} iat-mode=0"
MEEK = "meek_lite 192.0.2.20:80 url=https://meek.example/ front=cdn.example utls=HelloRandomizedALPN"
WEBTUNNEL = f"webtunnel [2001:db8::9]:443 {FP} url=https://site.example/path ver=0.0.3"
SNOWFLAKE = (
    f"snowflake 192.0.2.3:80 {FP} fingerprint={FP} url=https://broker.example/ ice=stun:stun.example:3478"
)
DNSTT = f"dnstt 192.0.2.4:1 {FP} doh=https://dns.example/dns-query pubkey={'ab' * 32} domain=t.example"
ALL = (OBFS4, VANILLA, V6, MEEK, WEBTUNNEL, SNOWFLAKE, DNSTT)


@pytest.mark.skipif(TOR is None, reason="needs tor")
@pytest.mark.parametrize("lines", [ALL, *((line,) for line in ALL)], ids=str)
async def test_tor_finds_it_valid(lines: tuple[str, ...], tmp_path: Path) -> None:
    assert TOR is not None
    file, none = tmp_path / "torrc", tmp_path / "none"
    file.write_text(text("torrc", options(*lines)), "ascii")
    none.touch()
    data = str(tmp_path / "data")
    said = await run(
        TOR,
        "--verify-config",
        "-f",
        file,
        "--defaults-torrc",
        none,
        "--DataDirectory",
        data,
        env={"HOME": data},
    )
    assert said.status == 0, said.out
    assert b"Configuration was valid" in said.out


def test_a_program_that_is_here_serves_all_its_transports() -> None:
    lines = text("torrc", options(OBFS4, MEEK)).splitlines()
    assert lines == [
        "UseBridges 1",
        "ClientTransportPlugin obfs4,meek_lite exec /usr/bin/obfs4proxy",
        f"Bridge {OBFS4}",
        f"Bridge {MEEK}",
    ]


def test_a_program_that_is_not_here_is_a_comment_to_fill_in() -> None:
    lines = text("torrc", options(WEBTUNNEL, VANILLA)).splitlines()
    assert lines[1] == "# ClientTransportPlugin webtunnel exec /path/to/lyrebird"
    assert sum("ClientTransportPlugin" in line for line in lines) == 1


@pytest.mark.parametrize("path", ["/opt/my tools/obfs4proxy", "/x\nSocksPort 0.0.0.0:1", '/x" y', "/x#y", ""])
def test_a_path_that_tor_would_misread_is_a_comment(path: str) -> None:
    lines = text("torrc", options(OBFS4), programs={"obfs4": path}).splitlines()
    assert lines[1].startswith("# ClientTransportPlugin obfs4 exec /path/to/")
    assert not any(line.startswith("SocksPort") for line in lines)


def test_of_two_bridges_at_one_place_the_first_is_written() -> None:
    made = written("torrc", options(OBFS4, f"192.0.2.77:4433 {FP}"))
    assert len(made.held) == 1
    assert reasons(made) == [torrc.SAME_PLACE]


def test_what_is_no_bridge_is_left_out() -> None:
    made = written("torrc", [*options("tor"), proxy("socks5")])
    assert made.content == ""
    assert reasons(made) == [torrc.NEEDS_NONE, torrc.NO_BRIDGE]


def test_bridges_are_the_lines_as_they_are() -> None:
    assert text("bridges", options(*ALL)).splitlines() == list(ALL)


def test_the_field_of_tor_browser_gets_what_it_brings_a_program_for() -> None:
    made = written("torbrowser", options(*ALL))
    assert isinstance(made.content, str)
    assert made.content.splitlines() == [line for line in ALL if line != DNSTT]
    assert reasons(made) == [NOT_BROUGHT]


def test_the_preferences_number_the_lines() -> None:
    found = re.findall(
        r"^user_pref\((\".*?\"), (.*)\);$", text("torbrowser-prefs", options(OBFS4, VANILLA)), re.MULTILINE
    )
    assert {json.loads(name): json.loads(value) for name, value in found} == {
        "torbrowser.settings.bridges.enabled": True,
        "torbrowser.settings.bridges.source": 2,
        "torbrowser.settings.bridges.bridge_strings.0": OBFS4,
        "torbrowser.settings.bridges.bridge_strings.1": VANILLA,
    }


def test_an_older_program_gets_arguments_that_it_understands() -> None:
    line = (
        f"snowflake 192.0.2.3:80 {FP} fingerprint={FP} url=https://broker.example/ fronts=a.example,b.example"
    )
    old, new = (
        text("torrc", options(line), programs={"snowflake": program}).splitlines()[2]
        for program in ("/usr/bin/snowflake-client", "/opt/tor/lyrebird")
    )
    assert new == f"Bridge {line}"
    assert old == f"{new} front=a.example"
