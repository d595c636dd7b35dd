"""Where `guide`, `export` and `connect` have their options from: results, a list as it is, or a check made now."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from client import options
from client.cli.check import agreed, fail, prepared, reason
from client.cli.target_options import target_options, wishes_of
from client.events import Event, Finished, Judged
from client.exits import Exit, of_run
from client.i18n import _, ngettext
from client.model import Candidate, LineState, Protection, Status, Verdict
from client.options import Option
from client.text import printable
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from client.check import Wishes
    from client.diagnosis.code import Told
    from client.engine import Run, Stop
    from client.render import Renderer

Sift = Callable[[Sequence[Candidate]], Sequence[Candidate]]

__all__ = ["Obtained", "obtain", "target_options", "wishes_of"]

_TESTED: Final = (Status.WORKING, Status.DEGRADED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtained:
    """What there is to choose from, the best first.

    `options` works, wholly or in part; with `--untested` it is the list as it stands. `untested` could not be
    tested, or was not reached. `found` is None where nothing was tested now. `diagnosis` is what the code of
    `--diagnosis`, or a diagnosis in the results, says. `line` is what is known of the person's own line.
    """

    options: tuple[Option, ...] = ()
    untested: tuple[Option, ...] = ()
    found: Finished | None = None
    diagnosis: Told | None = None
    line: LineState = LineState.UNKNOWN

    @property
    def status(self) -> Exit:
        """Return the exit status: of the check if there was one, else whether there is anything to use."""
        if self.found is not None:
            return of_run(self.found.counts, self.found.stopped, self.found.line_state)
        return Exit.WORKING if self.options else Exit.NOTHING


def obtain(
    wishes: Wishes, *, results: str | None, untested: bool, yes: bool, sift: Sift | None = None
) -> Obtained | int:
    """Return the options that the wishes name. An exit status instead: everything was said already.

    `results` is a file of `check --json --reveal`, or "-"; `untested` reads the lists and sends nothing. Else a check
    is run, with the usual consent; `wishes.first` says how many are enough. `sift` takes the entries of the lists before
    that, says which it leaves out, and returns those that are worth a test: without any nobody is asked. After Ctrl-C what is known is returned
    where something can be used.
    """
    if results is not None and (untested or wishes.lists):
        return fail(_("--results stands for itself: leave out the list and --untested"))
    told: Told | None = None
    if wishes.diagnosis is not None:
        from client.diagnosis import code

        try:
            told = code.decode(wishes.diagnosis)
        except Rejected as rejected:
            return fail(reason(rejected))
    if results is not None:
        return _from_results(results, wishes, told)
    return _from_list(wishes, told) if untested else _from_check(wishes, told, sift, yes=yes)


def _from_results(name: str, wishes: Wishes, told: Told | None) -> Obtained | int:
    from client import results
    from client.judge import protection_of
    from client.plan import is_wanted

    try:
        read = results.load(name)
    except Rejected as rejected:
        return fail(f"{printable(name, 120)}: {reason(rejected)}")
    if read.unreadable:
        _note(
            ngettext(
                "{n} result could not be read back and was left out.",
                "{n} results could not be read back and were left out.",
                read.unreadable,
            )
        )
    only = frozenset(wishes.only)
    kept = [option for option in read.options if is_wanted(option.candidate, only)]
    if wishes.trusted:
        kept = [
            _as(option, protection_of(option.transport, option.endpoint, trusted=True)) for option in kept
        ]
    return Obtained(
        options=tuple(options.ranked(option for option in kept if option.status in _TESTED)),
        untested=tuple(options.ranked(option for option in kept if option.status not in _TESTED)),
        diagnosis=told or read.told,
        line=read.line,
    )


def _as(option: Option, protection: Protection) -> Option:
    from dataclasses import replace

    return replace(option, protection=protection)


def _from_list(wishes: Wishes, told: Told | None) -> Obtained | int:
    from client.judge import protection_of
    from client.plan import is_wanted
    from client.redact import Namer

    run = prepared(wishes)
    if isinstance(run, Exit):
        return run
    namer = Namer()
    kept = [
        Option(
            candidate=candidate,
            transport=candidate.endpoint.transport,
            protection=protection_of(
                candidate.endpoint.transport, candidate.endpoint, trusted=wishes.trusted
            ),
            status=Status.UNTESTED,
            id=namer.id(candidate.endpoint),
        )
        for candidate in run.reading.candidates
        if is_wanted(candidate, run.only)
    ]
    _say_rejected(run)
    return Obtained(options=tuple(options.ranked(kept)), diagnosis=told)


def _say_rejected(run: Run) -> None:
    from client.events import LineRejected
    from client.render import plain

    for line in run.reading.rejected[:_SHOWN]:
        _note(plain.rejected(LineRejected(line)))
    if len(run.reading.rejected) > _SHOWN:
        _note(_(plain.more_rejects().id))


_SHOWN: Final = 10


def _note(text: str) -> None:
    sys.stderr.write(text + "\n")


def _from_check(wishes: Wishes, told: Told | None, sift: Sift | None, *, yes: bool) -> Obtained | int:
    import asyncio
    from dataclasses import replace

    from client import platform
    from client.vault import opened

    run = prepared(wishes)
    if isinstance(run, Exit):
        return run
    if sift is not None and run.reading.candidates:
        kept = tuple(sift(run.reading.candidates))
        if not kept:
            return Exit.NOTHING
        run = replace(run, reading=replace(run.reading, candidates=kept))
    consented = agreed(wishes, run, yes=yes)
    if isinstance(consented, Exit):
        return consented
    face = _Face()
    try:
        platform.run(_watch(consented, opened.keeping(face)))
    except asyncio.CancelledError:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return Exit.NOT_READ
    judged = [options.of(seen.verdict, name=seen.id, seen=when) for seen, when in face.judged]
    usable = options.ranked(option for option in judged if option.status in _TESTED)
    if face.found is None or (face.found.stopped == "interrupted" and not usable):
        return Exit.INTERRUPTED
    return Obtained(
        options=tuple(usable),
        untested=tuple(options.ranked(option for option in judged if option.status is Status.UNTESTED)),
        found=face.found,
        diagnosis=told,
        line=face.found.line_state,
    )


async def _watch(run: Run, face: Renderer) -> None:
    """Carry the run out, until enough work that protect what is sent, where there can be such."""
    from dataclasses import replace

    from client.engine import Stop, running
    from client.platform import on_interrupt

    stop = Stop()
    enough = _Enough(run.first, _counts(run), stop)
    with on_interrupt(lambda: stop.ring("interrupted")):
        try:
            async with running(replace(run, first=0), stop) as events:
                async for event in events:
                    face.show(event)
                    enough.take(event)
        finally:
            face.close()


def _counts(run: Run) -> Callable[[Verdict], bool]:
    """Return which verdicts count as enough: an option of class D does only where nothing better can come."""
    from client.check import to_be_tested
    from client.judge import protection_of

    better = any(
        protection_of(one.endpoint.transport, one.endpoint, trusted=False) is not Protection.OPEN
        for one in to_be_tested(run)
    )
    return lambda verdict: not better or verdict.protection is not Protection.OPEN


class _Enough:
    """Rings the bell when so many work as are enough; 0: the list is tested to its end."""

    def __init__(self, first: int, counts: Callable[[Verdict], bool], stop: Stop) -> None:
        self._first, self._counts, self._stop = first, counts, stop
        self._found = 0

    def take(self, event: Event) -> None:
        if isinstance(event, Judged) and event.verdict.status is Status.WORKING:
            self._found += self._counts(event.verdict)
            if self._first and self._found >= self._first:
                self._stop.ring("first")


class _Face:
    """Shows a check on standard error, all but its end: what is said then is the business of whoever asked."""

    def __init__(self) -> None:
        from client.render.plain import SYMBOLS, Plain, can_show

        self._inner: Renderer = Plain(reveal=False, out=sys.stderr)
        if sys.stderr.isatty() and can_show(SYMBOLS, sys.stderr):
            from client.render.live import LiveTable

            self._inner = LiveTable(reveal=False, out=sys.stderr)
        self.judged: list[tuple[Judged, float]] = []
        self.found: Finished | None = None

    def show(self, event: Event) -> None:
        if isinstance(event, Judged) and event.verdict.status in (*_TESTED, Status.UNTESTED):
            self.judged.append((event, time.time()))
        if not isinstance(event, Finished):
            self._inner.show(event)
            return
        self.found = event
        self.close()
        _note(_closing(event))

    def close(self) -> None:
        self._inner.close()


def _closing(event: Finished) -> str:
    from client.render import plain, words

    done = plain.counts(event) or _("nothing was tested")
    head = N_("Stopped after {seconds}: {counts}.") if event.stopped else N_("Done in {seconds}: {counts}.")
    return _(head, seconds=words.seconds(event.elapsed), counts=done)
