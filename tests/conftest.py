"""What holds for every test: nothing leaves this machine, and nothing is left behind.

Both checks see this process only. A child process has its own sockets: the tests that start one give it
loopback addresses, and an outer network namespace is the place to enforce that.
"""

from __future__ import annotations

import asyncio
import compileall
import gc
import inspect
import ipaddress
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Time says nothing where tests share a core: how fast examples are made and run is not what these tests are about.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

PACKAGES = [Path(__file__).parents[1] / name for name in ("client", "transports", "tui")]


def pytest_configure(config: pytest.Config) -> None:
    """Compile our modules: a session does not (it writes nothing), and would read all of them anew at every start."""
    if not hasattr(config, "workerinput") and not sys.dont_write_bytecode:
        for package in PACKAGES:
            compileall.compile_dir(package, quiet=2)


# client.control asks the routing table with a UDP connect to these; that sends no packet.
ONLY_ASKED = ("198.51.100.1", "2001:db8::1")
NAMES = ("localhost", "ip6-localhost")
GRACE = 3.0  # seconds that a child has to be gone (the guard promises two)


class LeftTheMachine(AssertionError):  # noqa: N818 - it says what happened
    """A test tried to reach something else than loopback."""


def is_local(address: object) -> bool:
    """Tell whether a socket address stays on this machine. AF_UNIX addresses are text or bytes, AF_NETLINK ones numbers."""
    if not isinstance(address, tuple) or not isinstance(address[0], str):
        return True
    host = address[0].partition("%")[0]
    if host in NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_no_question(host: object) -> bool:
    """Tell whether getaddrinfo answers for `host` without asking anybody."""
    name = host.decode("latin-1") if isinstance(host, bytes) else host
    if name is None or name == "" or name in NAMES or name == socket.gethostname():
        return True
    try:
        ipaddress.ip_address(str(name))
    except ValueError:
        return False
    return True


@pytest.fixture(autouse=True)
def _stays_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that connects or sends elsewhere, or asks a resolver, even where the code swallows the error."""
    offences: list[str] = []

    def refuse(what: str) -> LeftTheMachine:
        offences.append(what)
        return LeftTheMachine(what)

    def guarded(name: str) -> None:
        real = getattr(socket.socket, name)

        def call(self: socket.socket, *args: Any) -> Any:
            address = args[-1]
            if name == "sendmsg":
                address = args[3] if len(args) > 3 else None
            asked = self.type == socket.SOCK_DGRAM and name == "connect" and address[0] in ONLY_ASKED
            if not (asked or is_local(address)):
                raise refuse(f"{name} to {address}")
            return real(self, *args)

        monkeypatch.setattr(socket.socket, name, call, raising=True)

    for name in ("connect", "connect_ex", "sendto", "sendmsg"):
        if hasattr(socket.socket, name):
            guarded(name)

    # The loop resolves a name before it gets to the socket, and other loops do not use Python's socket at all.
    for loop in (asyncio.SelectorEventLoop, getattr(asyncio, "ProactorEventLoop", None)):
        if loop is None:
            continue
        real_connect = loop.sock_connect

        async def sock_connect(
            self: Any, sock: socket.socket, address: Any, _real: Any = real_connect
        ) -> None:
            if not is_local(address):
                raise refuse(f"sock_connect to {address}")
            await _real(self, sock, address)

        monkeypatch.setattr(loop, "sock_connect", sock_connect)

    real_getaddrinfo = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_no_question(host):
            raise refuse(f"getaddrinfo for {host!r}")
        return real_getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    if offences:
        pytest.fail("left the machine: " + ", ".join(offences))


def open_sockets() -> set[str]:
    """Return the sockets that this process holds, as far as the system tells."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir() if Path("/proc/self/fd").is_dir() else ():
        try:
            link = os.readlink(entry)
        except OSError:  # the listing's own descriptor is gone by now
            continue
        if link.startswith("socket:"):
            found.add(link)
    return found


def children() -> set[int]:
    """Return the ids of this process's children, as far as the system tells."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").iterdir() if Path("/proc/self/task").is_dir() else ():
        try:
            found.update(int(word) for word in (thread / "children").read_text().split())
        except OSError:  # the thread has ended, or the kernel does not offer this
            continue
    return found


@pytest.fixture(autouse=True)
def _leaves_nothing_behind() -> Iterator[None]:
    """Fail a test that leaves an open socket or a child process."""
    sockets, processes = open_sockets(), children()
    yield
    if open_sockets() - sockets:
        gc.collect()  # a socket in a reference cycle warns here, and warnings are errors
        left = open_sockets() - sockets
        assert not left, f"{len(left)} sockets were left open"
    until = time.monotonic() + GRACE
    while (more := children() - processes) and time.monotonic() < until:
        time.sleep(0.02)
    assert not more, f"{len(more)} child processes were left running"


@pytest.fixture(autouse=True)
def _leaves_no_task(request: pytest.FixtureRequest, _leaves_nothing_behind: None) -> None:
    """Fail a test that leaves a task. (Only a test with a loop has tasks, and only its loop can tell.)"""
    if inspect.iscoroutinefunction(inspect.unwrap(request.function)):
        request.getfixturevalue("_no_task_left")


@pytest.fixture
async def _no_task_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    for _ in range(5):  # what was cancelled last may still be on its way out
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"tasks were left running: {sorted(task.get_name() for task in left)}"
