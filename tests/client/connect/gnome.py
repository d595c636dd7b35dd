"""GNOME's proxy settings, as the tests look at them and choose them: with the real gsettings."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from client.connect.system_gnome import ROOT

GSETTINGS = shutil.which("gsettings") or ""
OTHER = {("http", "host"): "'192.0.2.7'", ("http", "port"): "3128", ("socks", "host"): "'192.0.2.8'"}


def has_schema() -> bool:
    command = [GSETTINGS, "list-keys", ROOT]
    return bool(GSETTINGS) and subprocess.run(command, capture_output=True, check=False).returncode == 0


def run(*words: str) -> str:
    return subprocess.run([GSETTINGS, *words], check=True, capture_output=True, text=True).stdout.strip()


def choose(key: str, value: str, protocol: str = "") -> None:
    run("set", f"{ROOT}.{protocol}" if protocol else ROOT, key, value)


def listing() -> str:
    return run("list-recursively", ROOT)


def set_keys(settings: Path) -> set[str]:
    """Return what somebody has set, default or not: what the settings file holds."""
    text = settings.read_text("utf-8") if settings.exists() else ""
    section, found = "", set()
    for line in text.splitlines():
        section = line if line.startswith("[") else section
        if "=" in line:
            found.add(section + line)
    return found


def choose_other_proxy() -> None:
    for (protocol, key), value in OTHER.items():
        choose(key, value, protocol)
    choose("port", "1080", "socks")
    choose("use-authentication", "true", "http")
    choose("ignore-hosts", "['intranet', 'localhost']")
    choose("mode", "'manual'")


def choose_script() -> None:
    choose("autoconfig-url", "'http://192.0.2.9/proxy.pac'")
    choose("mode", "'auto'")


def becomes(wanted: str, within: float) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if listing() == wanted:
            return True
        time.sleep(0.01)
    return False
