"""One connection from its plan to its exit status: what the command line and the TUI share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from client.connect import around, asking
from client.connect import password as passwords
from client.connect.command import NOT_FOUND, Command, environment
from client.connect.events import Event, Hold, Listening, Noticed
from client.connect.keeper import Keeper
from client.connect.legs import Datagrams, NotOpened, Refusal
from client.connect.local import Local, PortTaken
from client.connect.probing import Prober
from client.connect.scouting import Scout, Shared
from client.connect.udp_side import Through
from client.engine import Run
from client.exits import Exit, of_run
from client.model import Message, Protection
from client.options import Option
from client.platform import on_interrupt
from client.tasks import Crew
from transports.failure import StepFailed
from transports.guard import Guard
from transports.net import Net
from transports.stream import is_literal
from transports.types import N_, CannotMeasure, Note, Rejected
from transports.udp import associate

if TYPE_CHECKING:
    from client.connect import system

PORT: Final = 1080
"""The customary port of SOCKS."""

_NEXT: Final = 40  # ports behind it that are tried where it is taken
_SOMEWHERE: Final = "198.51.100.1"  # a documentation address (RFC 5737): only the routing table is asked
_PUTTING_BACK: Final = 15.0  # seconds that the system's own commands may take
_SYSTEM: Final = N_("the system proxy leads here now; it is put back at the end")
_SLEPT: Final = N_("this machine has slept: every option is looked at again")
_MOVED: Final = N_("the network is another one: every option is looked at again")
_CUT_OFF: Final = N_("this machine has no way out now: check the cable, the Wi-Fi or mobile data")
_SAID: Final = {
    around.Change.SLEPT: _SLEPT,
    around.Change.MOVED: _MOVED,
    around.Change.BACK: _MOVED,
    around.Change.CUT_OFF: _CUT_OFF,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is wanted. `port` 0: the customary one, or the next that is free; with a command any free one.

    `lowest` None: whatever comes first sets the floor. `command` empty: until Ctrl-C; else it alone is given a
    password, drawn here, where there is none. `ask` False: nobody is asked anything. `system`: the system proxy is
    set while it lasts. `consent` asks for a lower class, None: on the terminal. `signals` False: Ctrl-C is somebody
    else's, and cancelling is the end. `prefer` is the id of the option that comes before all others that may be used.
    """

    run: Run
    address: str = "127.0.0.1"
    port: int = 0
    password: str | None = None
    lowest: Protection | None = None
    command: tuple[str, ...] = ()
    ask: bool = True
    system: bool = False
    consent: Callable[[Protection, Protection | None], Awaitable[bool | None]] | None = None
    signals: bool = True
    prefer: str = ""


class Face(Protocol):
    """Shows what happens. `beat` is the seconds between two looks at the figures."""

    beat: float

    def show(self, event: Event) -> None:
        """Show one event."""

    def close(self) -> None:
        """Leave the terminal as it was."""


async def carry_out(plan: Plan, face: Face) -> int:
    """Connect until Ctrl-C, or until the command has ended. Returns the exit status. Raises PortTaken, CannotListen."""
    return await _Connection(plan, face).carry_out()


class _Connection:
    """One connection in progress."""

    def __init__(self, plan: Plan, face: Face) -> None:
        self._plan, self._face = plan, face
        self._password = plan.password or (passwords.drawn() if plan.command else None)
        self._ending: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._command: Command | None = None
        self._prober: Prober | None = None
        self._readable = True
        self._over = asyncio.Event()

    async def carry_out(self) -> int:
        ending = on_interrupt(lambda: self._end(Exit.INTERRUPTED)) if self._plan.signals else nullcontext()
        with ending:
            try:
                async with Crew() as crew, self._keeping(crew) as (keeper, scout):
                    async with self._listening(keeper) as local:
                        scout.leave_out(local.address, local.port)
                        scout.start()
                        crew.start(self._tick(keeper), "figures")
                        crew.start(self._look_around(keeper), "surroundings")
                        use = crew.start(self._use(keeper, scout, local), "use")
                        status = await self._ending
                        if self._command is not None:
                            await self._command.end()
                        self._over.set()
                        keeper.stir()
                        await asyncio.wait({use}, timeout=_PUTTING_BACK)
                    self._tell(keeper.summary(status))
            finally:
                self._face.close()
        return status

    def _end(self, status: int) -> None:
        if not self._ending.done():
            self._ending.set_result(status)

    def _tell(self, event: Event) -> None:
        if not self._readable:
            return
        try:
            self._face.show(event)
        except BrokenPipeError:
            self._readable = False
            self._end(Exit.NOT_READ)

    @asynccontextmanager
    async def _keeping(self, crew: Crew) -> AsyncIterator[tuple[Keeper, Scout]]:
        plan = self._plan
        shared = Shared(plan.run.engines, crew)
        prober = Prober(plan.run, shared.doors)
        self._prober = prober
        scout = Scout(plan.run, shared, prober, crew, self._tell)
        keeper = Keeper(
            prober,
            self._tell,
            lowest=plan.lowest,
            consent=(plan.consent or self._consent) if plan.ask else None,
            prefer=plan.prefer,
            more=scout.more,
            datagrams=_datagrams,
        )
        scout.keeper = keeper
        async with keeper:
            yield keeper, scout

    async def _consent(self, there: Protection, before: Protection | None) -> bool | None:
        """Ask on the terminal, unless it belongs to the command now."""
        return None if self._command is not None else await asking.lower(there, before)

    @asynccontextmanager
    async def _listening(self, keeper: Keeper) -> AsyncIterator[Local]:
        plan = self._plan
        async with AsyncExitStack() as stack:
            ports = [plan.port] if plan.port or plan.command else [*range(PORT, PORT + _NEXT), 0]
            for port in ports:
                try:
                    opening = Local.listening(plan.address, port, keeper, password=self._password)
                    local = await stack.enter_async_context(opening)
                    break
                except PortTaken:
                    if port == ports[-1]:
                        raise
            instead = PORT if not plan.port and not plan.command and local.port != PORT else 0
            self._tell(
                Listening(
                    address=local.address,
                    port=local.port,
                    password=self._password is not None,
                    instead=instead,
                    alone=bool(plan.command),
                )
            )
            yield local

    async def _use(self, keeper: Keeper, scout: Scout, local: Local) -> None:
        """Wait for an option; then run the command, if there is one. Without any option: the end."""

        def settled() -> bool:
            over = keeper.held is Hold.NOTHING_WORKS or keeper.declined
            return keeper.using is not None or (scout.finished is not None and over)

        await keeper.until(lambda: settled() or self._over.is_set())
        if self._over.is_set():
            return
        if keeper.using is None:
            assert scout.finished is not None
            end = scout.finished
            found = of_run(end.counts, end.stopped, end.line_state)
            self._end(Exit.NOTHING if found is Exit.WORKING else found)
            return
        async with AsyncExitStack() as held:
            if self._plan.system:
                await held.enter_async_context(self._as_system_proxy(local))
            if self._plan.command:
                self._end(await self._run(local))
            await self._over.wait()

    @asynccontextmanager
    async def _as_system_proxy(self, local: Local) -> AsyncIterator[None]:
        """Set the system proxy to us. Where it cannot be set the person is told, and all else goes on."""
        setting = AsyncExitStack()
        held = await self._set_system(setting, local)
        try:
            yield
        finally:
            with self._told():
                await setting.aclose()
            if held is not None and (said := held.said()):
                self._tell(Noticed(said))

    async def _set_system(self, setting: AsyncExitStack, local: Local) -> system.Held | None:
        from client.connect import system

        async with AsyncExitStack() as stack:
            with self._told():
                guard = await stack.enter_async_context(Guard.running())
                held = await stack.enter_async_context(system.set_to(local.address, local.port, guard))
                setting.push_async_exit(stack.pop_all())
                self._tell(Noticed(Message(_SYSTEM)))
                return held
        return None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell why something on this machine could not be done, and go on without it."""
        try:
            yield
        except (Rejected, CannotMeasure) as reason:
            self._tell(Noticed(Message(reason.reason, reason.values)))

    async def _run(self, local: Local) -> int:
        """Run the command; the guard ends it with us, for whoever takes the port then would be its proxy."""
        address = "127.0.0.1" if local.address in ("0.0.0.0", "::") else local.address
        env = environment(address, local.port, password=self._password or "")
        with self._told():
            async with Guard.running() as guard:
                try:
                    self._command = await Command.started(self._plan.command, env)
                except OSError:
                    return NOT_FOUND
                await guard.adopt(self._command.pid)
                status = await self._command.ended()
                await self._command.end()
                with suppress(CannotMeasure):
                    await guard.release(self._command.pid)
                return status
        return Exit.NOT_MEASURED

    async def _tick(self, keeper: Keeper) -> None:
        while True:
            await asyncio.sleep(self._face.beat)
            self._tell(keeper.status())

    async def _look_around(self, keeper: Keeper) -> None:
        """Notice sleep and another network. Nothing is sent for it."""
        loop, way, host = asyncio.get_running_loop(), around.Way(), ""
        sleep = around.Sleep(loop.time(), time.time())
        option: Option | None = None
        while True:
            with suppress(TimeoutError):  # at once where another option has come into use
                async with asyncio.timeout(around.TICK):
                    await keeper.until(lambda seen=option: keeper.using is not seen)  # type: ignore[misc]
            slept = sleep.look(loop.time(), time.time())
            option = keeper.using
            where = _literal(option) if option is not None else host or _SOMEWHERE
            if where != host:
                host = where
                way.forget()
            before = way.address
            change = way.look(around.local_address(where))
            change = change or (around.Change.SLEPT if slept else None)
            if change is not None:
                gone = before is not None and not around.still_ours(before)
                self._tell(Noticed(Message(_SAID[change])))
                if self._prober is not None:
                    self._prober.forget_names()
                keeper.shake(cut=gone)


def _literal(option: Option) -> str:
    host = option.endpoint.host
    return host if is_literal(host) else _SOMEWHERE


async def _datagrams(option: Option, net: Net) -> Datagrams:
    """Open an association. Where the option has none, the program is told so: that is no fault of the option."""
    try:
        return Through(await associate(option.endpoint, net))
    except CannotMeasure:
        raise NotOpened(Refusal.UNSUPPORTED) from None
    except StepFailed as failed:
        if failed.note is Note.REFUSED:
            raise NotOpened(Refusal.UNSUPPORTED) from None
        raise
