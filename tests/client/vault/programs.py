"""The `age` program as a person uses it: it asks for a passphrase on its terminal."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

needs_age = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("age") is None, reason="needs the program age"
)
_LIMIT = 30.0
# Takes the terminal named first as its own: age asks for the passphrase there, whatever its standard streams are.
_ON_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(os.open(sys.argv[1], os.O_RDWR), termios.TIOCSCTTY, 0)
os.execvp(sys.argv[2], sys.argv[2:])
"""


def age(*arguments: str | Path, passphrase: str, times: int = 1) -> bytes:
    """Run it, type the passphrase as often as it is asked for, and return what it wrote. Raises CalledProcessError."""
    import pty

    master, slave = pty.openpty()
    command = [sys.executable, "-c", _ON_TERMINAL, os.ttyname(slave), "age", *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        _type(master, passphrase, times)
        out, err = process.communicate(timeout=_LIMIT)
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "age", out, err)
    return out


def _type(master: int, passphrase: str, times: int) -> None:
    until = time.monotonic() + _LIMIT
    asked = b""
    for _ in range(times):
        while b"passphrase" not in asked:
            if not select.select([master], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError("age did not ask for the passphrase")
            asked += os.read(master, 4096)
        time.sleep(0.2)  # it throws away what is typed before it has turned the echo off
        os.write(master, passphrase.encode() + b"\n")
        asked = b""
