"""Walks through the guide to Firefox by the names on its screen, each taken from the text (see test_guide_walks)."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_guide_walks import PORTS, SOCKS, needs, net, steps, typed
from tests.servers.apart import FOLDERS, SITE, Apart
from tests.servers.marionette import PORT, Firefox, wait_for

__all__ = ["net"]
pytestmark = pytest.mark.timeout(120)
WAYS = ["local", "socks5", "socks4a", "http"]
PATH = (
    "Settings",
    "Privacy and security",
    "Connection and software security",
    "Advanced settings",
    "Proxy settings",
    "Configure proxy",
)


@pytest.fixture(scope="module")
def firefox(net: Apart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """A Firefox as it is after its installation, with an empty profile."""
    needs("nc")
    program = shutil.which("firefox-esr", path=FOLDERS) or shutil.which("firefox", path=FOLDERS)
    if program is None:
        pytest.skip("needs firefox-esr")
    home = tmp_path_factory.mktemp("firefox")
    words = [
        "--headless",
        "--no-remote",
        "--profile",
        str(home),
        "--marionette",
        "--remote-allow-system-access",
    ]
    env = {"PATH": FOLDERS, "HOME": str(home)}
    process = net.start("near", program, *words, cwd=home, env=env)
    streams: list[subprocess.Popen[bytes]] = []

    def stream() -> subprocess.Popen[bytes]:
        to_it = net.command("near", "nc", "127.0.0.1", str(PORT))
        streams.append(
            subprocess.Popen(
                to_it, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
        )
        return streams[-1]

    try:
        yield wait_for(stream)
    finally:
        process.kill()
        for one in streams:
            one.kill()
            one.wait()
            for end in (one.stdin, one.stdout):
                if end:
                    end.close()


def quoted(kind: str) -> list[str]:
    """Return the names on the screen that a way speaks of."""
    return [
        name
        for step in steps("firefox", kind)
        for name in re.findall(r'"([^"]+)"', step["do"] + step.get("see", ""))
    ]


def opens_the_small_window(firefox: Firefox, kind: str) -> None:
    """Go the way that the text names, and no other."""
    names = quoted(kind)
    begin = names.index("Settings")
    assert tuple(names[begin : begin + len(PATH)]) == PATH
    firefox.open("about:preferences")
    firefox.sees("Settings")
    firefox.press("Privacy and security", then="Connection and software security")
    firefox.press("Advanced settings", after="Connection and software security", then="Configure proxy")
    firefox.press("Configure proxy", after="Proxy settings", then="Connection Settings")
    assert firefox.title() == names[begin + len(PATH)] == "Connection Settings"


def fills_in(firefox: Firefox, kind: str) -> None:
    """Fill in the small window as the text says."""
    names, marked = quoted(kind), typed("firefox", kind)
    host, port = marked[0 if kind != "local" else 1], marked[1 if kind != "local" else 2]
    assert (host, port) == ("127.0.0.1", str(PORTS.get(kind, SOCKS)))
    firefox.press("Manual proxy configuration")
    which, other = ("HTTP Proxy", "SOCKS Host") if kind == "http" else ("SOCKS Host", "HTTP Proxy")
    firefox.types(which, host)
    firefox.types("Port", port, after=which)
    firefox.types(other, "")
    ticked = "Also use this proxy for HTTPS"
    if kind != "http":
        version = "SOCKS v4" if kind == "socks4a" else "SOCKS v5"
        firefox.press(version)
        ticked = f"Proxy DNS when using {version}"
    said = {"Manual proxy configuration", which, "Port", "OK"} | (
        {"SOCKS v4", "SOCKS v5", "Proxy DNS"} if kind.startswith("socks") else set()
    )
    assert said <= set(names)
    assert ticked in names or kind.startswith("socks")
    firefox.ticks(ticked)
    firefox.accepts("OK")


@pytest.mark.parametrize("kind", WAYS)
def test_firefox_opens_a_page_as_its_guide_says(
    net: Apart, firefox: Firefox, kind: str, tmp_path: Path
) -> None:
    opens_the_small_window(firefox, kind)
    fills_in(firefox, kind)
    setting = next(one for one in typed("firefox", kind) if one.startswith("media."))
    firefox.sets(setting, True)
    net.told.clear()
    firefox.open(f"https://{SITE[0]}/?{kind}")
    assert firefox.reads("return document.title") == "far"
    assert firefox.reads("return typeof RTCPeerConnection") == "function"
    firefox.sets(setting, False)
    firefox.open(f"https://{SITE[1]}/?{kind}")
    assert firefox.reads("return typeof RTCPeerConnection") == "undefined"
    time.sleep(0.2)
    assert {f"/?{kind}"} <= set(net.fetched)
    assert net.asked == []


def test_firefox_has_the_setting_as_the_guide_finds_it(firefox: Firefox) -> None:
    assert "Video calls" in next(
        step["see"] for step in steps("firefox", "local") if "false" in step.get("see", "")
    )
    firefox.sets("media.peerconnection.enabled", True)
    assert firefox.has("media.peerconnection.enabled")
