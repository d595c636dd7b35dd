import asyncio
import os
import sys
from pathlib import Path

import pytest

from client.watch import ring
from transports.types import Rejected


@pytest.mark.parametrize(
    "text", ["Tea is ready", "Чай готов", "Шай дайын", "Le thé est prêt", "Call mum at 7"]
)
def test_neutral_words_may_be_chosen(text: str) -> None:
    assert ring.checked(f"  {text} ") == text


@pytest.mark.parametrize(
    "text",
    [
        "The Internet is back",
        "интернет есть",
        "Ғаламтор",
        "bridge 3 works",
        "мост работает",
        "VPN",
        "use Tor now",
        "198.51.100.7",
        "example.org",
        "https://x",
        "[2001:db8::1]",
        "port :443",
        "me@home",
        "d998dfe11bb6f0a1",
    ],
)
def test_words_that_tell_are_refused(text: str) -> None:
    with pytest.raises(Rejected):
        ring.checked(text)


@pytest.mark.parametrize("text", ["", " ", "x" * 81, "tea\x1b[2J"])
def test_what_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(Rejected):
        ring.checked(text)


def test_the_built_in_words_are_neutral_too() -> None:
    assert ring.checked(ring.OPENED) == ring.OPENED
    assert ring.checked(ring.SHUT) == ring.SHUT


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("linux", "notify-send"),
        ("darwin", "osascript"),
        ("win32", "powershell"),
        ("linux", "termux-notification"),
    ],
)
def test_each_desktop_has_its_program(monkeypatch: pytest.MonkeyPatch, platform: str, name: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("DISPLAY", ":0")
    arguments, more = ring.command(
        "Tea $(x)", find=lambda wanted: f"/bin/{wanted}" if wanted == name else None
    )
    assert arguments[0] == f"/bin/{name}"
    assert (arguments[-1] == "Tea $(x)") != (more.get("NOTICE") == "Tea $(x)"), "as it is, in no script"


def test_without_a_desktop_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    found = {"notify-send": "/bin/notify-send"}
    assert ring.command("Tea", find=found.get) == ([], {})


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
async def test_the_notice_is_handed_over_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {tmp_path}/shown\n')
    program.chmod(0o700)
    assert await ring.notify(
        "Tea; is `ready`", find=lambda name: str(program) if name == "notify-send" else None
    )
    assert (tmp_path / "shown").read_text() == "--|Tea; is `ready`|"
    program.write_text("#!/bin/sh\nexit 3\n")
    assert not await ring.notify("Tea", find=lambda name: str(program) if name == "notify-send" else None)
    assert not await ring.notify(
        "Tea", find=lambda name: str(tmp_path / "none") if name == "notify-send" else None
    )


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
async def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(ring, "_PATIENCE", 0.2)
    program = tmp_path / "notify-send"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o700)
    async with asyncio.timeout(10):
        assert not await ring.notify("Tea", find=lambda name: str(program) if name == "notify-send" else None)
