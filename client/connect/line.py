"""One option while it carries connections: it opens them, counts them, and ends them all when it has died."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from client.connect.health import Doubt, Flow, Pulse
from client.connect.legs import Datagrams, NotOpened, Refusal
from client.options import Option
from transports.failure import Failure, StepFailed, out_of_descriptors
from transports.http_connect import HttpConnect
from transports.registry import REGISTRY
from transports.stream import SocketStream
from transports.types import CannotMeasure, Note, Step, Stream
from transports.wire.proxy_request import for_proxy

if TYPE_CHECKING:
    from transports.net import Net


class Closable(Protocol):
    """What is opened through an option."""

    def close(self) -> None:
        """End it."""


T = TypeVar("T", bound=Closable)

_LATELY: Final = 5.0  # seconds: who let something through within them need not be asked after a refusal
_ENGINES: Final = 1.0  # seconds of latency that are assumed of Tor before anything was measured
_BY_FAILURE: Final = {
    Failure.SOCKS_NOT_ALLOWED: Refusal.NOT_ALLOWED,
    Failure.SOCKS_NETWORK_UNREACHABLE: Refusal.NETWORK_UNREACHABLE,
    Failure.SOCKS_HOST_UNREACHABLE: Refusal.HOST_UNREACHABLE,
    Failure.SOCKS_REFUSED: Refusal.REFUSED,
    Failure.SOCKS_TTL: Refusal.TIMEOUT,  # tor says this for its own timeouts
    Failure.SOCKS_ADDRESS: Refusal.HOST_UNREACHABLE,
}
_BY_STATUS: Final = {
    403: Refusal.NOT_ALLOWED,
    404: Refusal.HOST_UNREACHABLE,
    502: Refusal.HOST_UNREACHABLE,
    503: Refusal.HOST_UNREACHABLE,
    504: Refusal.TIMEOUT,
}


class Died(Exception):  # noqa: N818 - a result
    """The option has died, or was given up, before the connection stood: another one may open it."""


def refusal_of(failed: StepFailed) -> tuple[Refusal, bool]:
    """Return what a program is told, and whether that was the word of a server that is alive itself."""
    if failed.note is Note.REFUSED and failed.step is Step.PROXY_HANDSHAKE:
        by_status = _BY_STATUS.get(failed.code, Refusal.FAILED)
        return (by_status if failed.failure is Failure.HTTP_STATUS else _of_socks(failed.failure)), True
    return (Refusal.TIMEOUT if failed.failure is Failure.TIMEOUT else Refusal.FAILED), False


def _of_socks(failure: Failure) -> Refusal:
    return _BY_FAILURE.get(failure, Refusal.FAILED)


class Line:
    """One option in use. `settle` asks whether it is alive, and says so; many may ask at once.

    A line that is `dead` was taken out of use for good, because its option has died or another one has taken over.
    `asking` are the tasks that send something through it on our own account. `shuffle` gives random numbers from 0 to 1.
    """

    def __init__(
        self,
        name: str,
        option: Option,
        net: Callable[[], Net],
        settle: Callable[[Line, Doubt], Awaitable[bool]],
        shuffle: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self.name, self.option = name, option
        self.began = asyncio.get_running_loop().time()
        self.pulse = Pulse(came=self.began, shuffle=shuffle)
        if REGISTRY[option.transport].engine == "tor":
            self.pulse.latency = _ENGINES
        self.dead = False
        self.fallen = ""
        self.settling: asyncio.Future[bool] | None = None
        self.asking: set[asyncio.Task[None]] = set()
        self.tested = False  # just now
        self.wakened: Callable[[], None] = lambda: None
        self._net, self._settle = net, settle
        self._legs: set[Carried] = set()
        self._associations: set[CarriedDatagrams] = set()
        self._opening: set[asyncio.Timeout] = set()
        self._cuts = 0
        self._clock = asyncio.get_running_loop().time

    @property
    def busy(self) -> bool:
        """Whether connections or associations are open or being opened."""
        return bool(self._legs or self._associations or self._opening)

    async def open(self, host: str, port: int, *, page: bool = False) -> Carried:
        """Open a connection; for a `page` to the proxy itself if it speaks HTTP. Raises NotOpened, or Died."""
        transport = REGISTRY[self.option.transport].transport
        proxy = transport if page and isinstance(transport, HttpConnect) else None
        if proxy is not None:
            stream = await self.through(lambda net: proxy.forward(self.option.endpoint, net))
        else:
            stream = await self.through(lambda net: self._dial(host, port, net))
        leg = Carried(self, stream, (host, port) if proxy is not None else None)
        self._legs.add(leg)
        self.pulse.flows.add(leg.flow)
        self._count()
        self.wakened()
        return leg

    def _count(self) -> None:
        self.pulse.legs = len(self._legs) + len(self._associations)

    async def datagrams(self, opens: Callable[[Net], Awaitable[Datagrams]]) -> Datagrams:
        """Open an association for datagrams by `opens`. Raises NotOpened, or Died."""
        carried = CarriedDatagrams(self, await self.through(opens))
        self._associations.add(carried)
        self._count()
        self.wakened()
        carried.begin()
        return carried

    async def through(self, dial: Callable[[Net], Awaitable[T]]) -> T:
        """Carry out what opens something through this option. Raises NotOpened, or Died."""
        if self.dead:
            raise Died
        net, opened, cuts = self._net(), False, self._cuts
        number = self.pulse.dialling(self._clock())
        timer = asyncio.timeout(net.limits.total)
        self._opening.add(timer)
        self.wakened()
        try:
            async with timer:
                result = await dial(net)
            opened = True
        except StepFailed as failed:
            why = refusal_of(failed)
        except TimeoutError:
            why = Refusal.TIMEOUT, False
        except CannotMeasure as reason:
            if out_of_descriptors(reason):  # of this machine, so nobody need be asked
                raise NotOpened(Refusal.FAILED) from None
            why = Refusal.FAILED, False
        finally:
            self._opening.discard(timer)
            self.pulse.dialled(number, self._clock(), opened=opened)
        if self._cuts != cuts:  # also where it stood in the very moment of the cut
            if opened:
                result.close()
            raise Died
        if opened:
            return result
        raise await self._explained(*why)

    async def _explained(self, refusal: Refusal, by_the_server: bool) -> NotOpened | Died:
        if by_the_server:
            if self._clock() - self.pulse.came > _LATELY:
                self.pulse.fault(Doubt.FAILED)
                self.wakened()
        elif not await self._settle(self, Doubt.FAILED):
            return Died()
        return NotOpened(refusal)

    async def _dial(self, host: str, port: int, net: Net) -> Stream:
        transport = REGISTRY[self.option.transport].transport
        assert transport is not None
        return await transport.dial(self.option.endpoint, host, port, net)

    def die(self) -> int:
        """End all that goes through it, our own questions too; return how many connections and associations."""
        self.dead = True
        for task in self.asking:
            if task is not asyncio.current_task():
                task.cancel()
        return self.cut()

    def give_up(self) -> None:
        """Give up the connections that are being opened: whoever wants them tries what is in use now."""
        self._cuts += 1
        for timer in self._opening:
            with suppress(RuntimeError):  # it has just run out by itself
                timer.reschedule(self._clock())

    def cut(self) -> int:
        """Reset its connections, and give up those that are being opened; return how many were open."""
        self.give_up()
        carried: list[Carried | CarriedDatagrams] = [*self._legs, *self._associations]
        for one in carried:
            one.cut()
        return len(carried)

    def drop(self, leg: Carried) -> None:
        """Take a connection that has ended off the books."""
        self._legs.discard(leg)
        self.pulse.flows.discard(leg.flow)
        self._count()

    def drop_datagrams(self, association: CarriedDatagrams) -> None:
        """Take an association that has ended off the books."""
        self._associations.discard(association)
        self._count()

    async def ended_well(self, leg: Carried) -> bool:
        """Tell, at the end of a connection by the option's side, whether that was the option's own end.

        The program gets no end before that is known: an option that says nothing any more has cut it.
        """
        if not await _engine_stands(leg.stream):
            leg.broke()
            return False
        if not self.pulse.doubts_end(leg.flow.came, self._clock()):
            return not self.dead
        return await self._settle(self, Doubt.ENDED)


async def _engine_stands(stream: Stream) -> bool:
    """Say whether the engine that carried a stream outlives its end; those streams know it when read again."""
    if isinstance(stream, SocketStream) and type(stream) is not SocketStream:
        try:
            await stream.recv(1)
        except (OSError, EOFError, CannotMeasure):
            return False
    stands: Callable[[], bool] | None = getattr(stream, "stands", None)
    return stands is None or stands()


class Carried:
    """A connection of a program (`client.connect.legs.Leg`)."""

    __slots__ = ("_asked_for", "_calls", "_clock", "_cut", "_line", "_pulse", "flow", "stream")

    def __init__(self, line: Line, stream: Stream, asked_for: tuple[str, int] | None = None) -> None:
        self.stream = stream
        self._asked_for = asked_for  # what the proxy has still to be told, where it is no tunnel
        self._line, self._pulse = line, line.pulse
        self._clock = asyncio.get_running_loop().time
        self._calls: list[Callable[[], None]] = []
        self._cut = False
        self.flow = Flow()

    def asking(self, head: bytes) -> bytes:
        """Return the head of a plain HTTP request as the other end of this leg wants it."""
        if self._asked_for is None:
            return head
        endpoint = self._line.option.endpoint
        return for_proxy(head, *self._asked_for, endpoint.username, endpoint.password)

    def sent(self, count: int) -> None:
        """Count bytes that went up."""
        self._pulse.sent(count, self._clock())

    def received(self, count: int) -> None:
        """Count bytes that came down."""
        now = self._clock()
        self.flow.received(count, now)
        self._pulse.received(count, now)

    def when_cut(self, call: Callable[[], None]) -> None:
        """Have `call` called once the option has died."""
        if self._cut:
            call()
        else:
            self._calls.append(call)

    def cut(self) -> None:
        """End it because its option has died."""
        if not self._cut:
            self._cut = True
            calls, self._calls = self._calls, []
            for call in calls:
                call()

    def broke(self) -> None:
        """Take the word that the option's side ended by a fault."""
        if not self._line.dead:
            self._pulse.fault(Doubt.BROKE)
            self._line.wakened()

    async def ended_well(self) -> bool:
        """Tell, at the end of the option's side, whether it was one (`client.connect.pump.Judged`)."""
        return await self._line.ended_well(self)

    def close(self) -> None:
        """End it. Safe to call twice."""
        self._calls.clear()
        self._line.drop(self)
        self.stream.close()


class CarriedDatagrams:
    """An association of a program (`client.connect.legs.Datagrams`): counted, and watched like a connection."""

    __slots__ = ("_clock", "_inner", "_line", "_over")

    def __init__(self, line: Line, inner: Datagrams) -> None:
        self._line, self._inner = line, inner
        self._clock = asyncio.get_running_loop().time
        self._over = False

    def begin(self) -> None:
        """Hear of its end."""
        self._inner.when_cut(self._ended)

    async def send(self, host: str, port: int, data: bytes) -> None:
        """Send one datagram; raises NotOpened when the association has ended."""
        await self._inner.send(host, port, data)
        self._line.pulse.sent(len(data), self._clock())

    async def recv(self) -> tuple[str, int, bytes]:
        """Return the next datagram and who sent it; raises NotOpened when the association has ended."""
        got = await self._inner.recv()
        self._line.pulse.received(len(got[2]), self._clock())
        return got

    def when_cut(self, call: Callable[[], None]) -> None:
        """Have `call` called, once, when the association has ended; at once if it already has."""
        self._inner.when_cut(call)

    def cut(self) -> None:
        """End it because its option has died."""
        self.close()

    def close(self) -> None:
        """End it. Safe to call twice."""
        self._over = True
        self._inner.close()
        self._line.drop_datagrams(self)

    def _ended(self) -> None:
        if not self._over and not self._line.dead:  # by the option's side, so it may have died
            self._line.pulse.fault(Doubt.BROKE)
            self._line.wakened()
        self._line.drop_datagrams(self)
