"""One tor's control port, by stem, from asyncio.

stem waits with the whole thread, so every command runs in one thread of its own, in the order in which they were
given; events are handed to the loop. Commands and events: control-spec (https://spec.torproject.org/control-spec).
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from transports.types import N_, CannotMeasure

MISSING: Final = N_("testing Tor bridges needs stem: pip install 'sanylau[tor]'")
EVENTS: Final = ("BW", "CIRC", "NEWDESC", "STATUS_CLIENT", "STATUS_GENERAL", "STREAM")
_LOST: Final = N_("tor has stopped; run the check again")
_MUTE: Final = N_("tor does not answer; run the check again")
_POLL: Final = 0.02
_COMMAND: Final = 10.0  # seconds
_LAST_WORDS: Final = 3.0

_T = TypeVar("_T")
_Job = Callable[[Any], object]
_Then = Callable[[object, BaseException | None], None]


class Refused(Exception):  # noqa: N818 - an answer
    """tor says no to a command. `code` is its number; its words may hold addresses and are left out."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Lost(CannotMeasure):
    """tor's control connection has ended: its process has too, or will in a moment."""


class Control:
    """The commands that are needed. All raise Refused, or CannotMeasure when tor is gone or silent."""

    def __init__(self, on_event: Callable[[Any], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_event = on_event
        self._jobs: queue.SimpleQueue[tuple[_Job, _Then] | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._work, name="tor control", daemon=True)

    @classmethod
    @asynccontextmanager
    async def running(cls, on_event: Callable[[Any], None]) -> AsyncIterator[Control]:
        """Keep the thread for the length of the block; tor should have ended before it is left.

        Raises CannotMeasure where stem is not installed.
        """
        try:
            import stem.control  # noqa: F401 - the slow part of it, and here the run can still say no
        except ImportError as error:
            raise CannotMeasure(MISSING) from error
        _hush()
        control = cls(on_event)
        control._thread.start()
        try:
            yield control
        finally:
            await control._finish()

    async def connect(self, written: Path, limit: float) -> None:
        """Wait for tor to write its port into the file `written`, then log in and ask for the events."""
        until = time.monotonic() + limit

        def work(_: Any) -> object:
            return self._connected(written, until)

        await self._asked(work, limit + 1.0)

    def give_up(self) -> None:
        """Note that tor has ended: nobody has to wait for its port any more."""
        self._over.set()

    async def info(self, key: str, read: Callable[[str], _T]) -> _T:
        """Return what `read`, run in the thread, makes of the answer to GETINFO `key`."""

        def work(controller: Any) -> _T:
            return read(str(controller.get_info(key)))

        return await self._asked(work)

    async def set_conf(self, options: Mapping[str, str | Sequence[str]]) -> None:
        """Set options, all or none of them (SETCONF). Raises ValueError for a value with quotes or line ends."""
        for value in options.values():
            for one in (value,) if isinstance(value, str) else value:
                _check(one)  # stem puts values between quotes as they are

        def work(controller: Any) -> None:
            controller.set_options(dict(options))

        await self._asked(work)

    async def extend(self, path: Sequence[str]) -> str:
        """Begin a new circuit through the relays with these fingerprints; return its number."""

        def work(controller: Any) -> str:
            return str(controller.extend_circuit("0", ["$" + hop for hop in path]))

        return await self._asked(work)

    def attach(self, stream: str, circuit: str, refused: Callable[[], None]) -> None:
        """Let a stream go through a circuit; "0" leaves the choice to tor. `refused` is called if it cannot be."""

        def then(_: object, error: BaseException | None) -> None:
            if error is not None:
                refused()

        self._jobs.put((lambda controller: controller.attach_stream(stream, circuit), then))

    def close_stream(self, stream: str) -> None:
        """Close a stream; whether it was still there does not matter."""
        self._jobs.put((lambda controller: controller.close_stream(stream), lambda *_: None))

    def close_circuit(self, circuit: str) -> None:
        """Close a circuit; whether it was still there does not matter."""
        self._jobs.put((lambda controller: controller.close_circuit(circuit), lambda *_: None))

    async def _asked(self, job: Callable[[Any], _T], limit: float = _COMMAND) -> _T:
        future: asyncio.Future[_T] = self._loop.create_future()

        def then(value: Any, error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)

        if self._over.is_set():
            raise Lost(_LOST)
        self._jobs.put((job, then))
        try:
            async with asyncio.timeout(limit):
                return await future
        except TimeoutError as error:
            raise CannotMeasure(_MUTE) from error

    def _connected(self, written: Path, until: float) -> Any:
        from stem.control import Controller

        while not (port := _port(written)):
            if time.monotonic() > until or self._over.wait(_POLL):
                raise CannotMeasure(_MUTE)
        controller = Controller.from_port(port=port)
        try:
            controller.authenticate()  # by cookie; stem takes ownership where the torrc names us as the owner
            controller.set_caching(False)
            controller.add_event_listener(self._heard, *EVENTS)
        except BaseException:
            controller.close()
            raise
        return controller

    def _heard(self, event: Any) -> None:
        with suppress(RuntimeError):  # the run is over and its loop is closed
            self._loop.call_soon_threadsafe(self._on_event, event)

    def _work(self) -> None:
        """Do the jobs in turn; what the first one returns is the controller for the others."""
        controller: Any = None
        while (item := self._jobs.get()) is not None:
            job, then = item
            value, problem = None, None
            try:
                value = job(controller)
                controller = controller or value
            except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
                problem = _told(error)
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(then, value, problem)
        if controller is not None:
            controller.close()
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ended.set)

    async def _finish(self) -> None:
        """End the thread, and wait for that: tor is gone by now, so no command can hold it up."""
        self._over.set()
        self._jobs.put(None)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS):
                await self._ended.wait()
                self._thread.join()


def _hush() -> None:
    """Keep stem from logging: it writes down every command, and those hold bridges."""
    import logging

    logging.getLogger("stem").disabled = True


def _check(value: str) -> None:
    if any(letter in value for letter in '"\\') or not value.isprintable():
        raise ValueError("this cannot be told to tor")


def _port(written: Path) -> int:
    """Read the file of ControlPortWriteToFile: "PORT=127.0.0.1:43211"; 0 while it is not there."""
    try:
        host, _, port = written.read_text("ascii", "replace").strip().removeprefix("PORT=").rpartition(":")
    except OSError:
        return 0
    return int(port) if host == "127.0.0.1" and port.isdecimal() else 0


def _told(error: BaseException) -> BaseException:
    """Return what a problem in the thread is for the one who asked; stem's own words stay here."""
    import stem

    if isinstance(error, CannotMeasure):
        return error
    if isinstance(error, stem.SocketError):
        return Lost(_LOST)
    if isinstance(error, stem.ControllerError):
        return Refused(str(getattr(error, "code", "")))
    return Lost(_LOST)
