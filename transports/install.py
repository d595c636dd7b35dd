"""The command that installs a program on this system."""

from __future__ import annotations

import shutil
import sys


def command(debian: str, brew: str = "", pip: str = "") -> str:
    """Return the command for the Debian package `debian`, or what takes its place here. Looks, and runs nothing."""
    if pip:
        return f"{sys.executable or 'python3'} -m pip install {pip}"
    if "com.termux" in sys.prefix:
        return f"pkg install {debian}"
    if sys.platform == "darwin":
        return f"brew install {brew or debian}"
    if shutil.which("dnf"):
        return f"sudo dnf install {debian}"
    if shutil.which("pacman"):
        return f"sudo pacman -S {debian}"
    return f"sudo apt install {debian}"
