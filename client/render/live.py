"""The live table of a terminal: working first, progress below, the summary at the end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO

from client import advise
from client.events import (
    ControlFinished,
    EngineProgressed,
    Event,
    Finished,
    Judged,
    LineRejected,
    Noticed,
    Progressed,
    Started,
)
from client.following import ENOUGH
from client.i18n import _, say
from client.model import Status, Verdict
from client.render import plain, words
from client.render.plain import Plain
from client.text import printable, wrapped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

_ROWS = 12  # while it runs; at its end all stand there, as far as anybody reads
_LAST_ROWS = 60
_KEPT = 200
_SHOWN_REJECTS = 10


class LiveTable:
    """Shows a table that is redrawn in place. What it knows at the end is printed as plain text."""

    def __init__(self, *, reveal: bool, out: TextIO | None = None) -> None:
        self._reveal = reveal
        self._out = out or sys.stdout
        self._plain = Plain(reveal=reveal, out=self._out)
        self._rows: list[tuple[str, Verdict]] = []
        self._last: Progressed | None = None
        self._done = 0
        self._total = 0
        self._rejects = 0
        self._over = False
        self._line = ""
        self._engine = ""
        self._console: Console | None = None
        self._live: Live | None = None

    def show(self, event: Event) -> None:
        """Take an event into the picture."""
        if isinstance(event, Judged):
            self._done += 1
            self._add(event)
        elif isinstance(event, Progressed):
            self._last = event
        elif isinstance(event, Started):
            self._total = event.candidates
            self._plain.show(event)
            return
        elif isinstance(event, LineRejected):
            self._rejects += 1
            if self._rejects <= _SHOWN_REJECTS:
                self._plain.show(event)
            elif self._rejects == _SHOWN_REJECTS + 1:
                self._plain.show(Noticed(plain.more_rejects()))
            return
        elif isinstance(event, Noticed):
            self._plain.show(event)
            return
        elif isinstance(event, ControlFinished):
            message = advise.line_message(event.control.state, own=event.control.own)
            self._line = say(message) if message else ""
        elif isinstance(event, EngineProgressed):
            self._engine = words.engine(event) if event.percent < ENOUGH else ""
        elif isinstance(event, Finished):
            self._over = True
            self.close()
            self._leave()
            for line in wrapped(plain.closing(event, self._rows, self._name)):
                self._out.write(line + "\n")
            self._out.flush()
            return
        self._draw()

    def close(self) -> None:
        """Give the terminal back; the last picture stays where no end has come that says more."""
        if self._live is not None:
            self._live.transient = self._over
            self._live.stop()
            self._live = None

    def _leave(self) -> None:
        """Print the table once more, with its reasons in full."""
        if self._console is None or not self._rows:
            return
        self._console.print(self._table())
        if self._done > _LAST_ROWS:
            text = _("… and {n} more; --json or a file (> FILE) shows them all", n=self._done - _LAST_ROWS)
            self._console.print(text)
        if self._line:
            self._console.print(self._line)

    def _name(self, name: str, verdict: Verdict) -> str:
        return plain.name_of(name, verdict, reveal=self._reveal)

    def _add(self, event: Judged) -> None:
        self._rows.append((event.id, event.verdict))
        self._rows.sort(key=lambda row: _place(row[1]))
        del self._rows[_KEPT:]

    def _draw(self) -> None:
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            self._console = Console(file=self._out, highlight=False, emoji=False, markup=False)
            self._live = Live(
                console=self._console,
                auto_refresh=True,
                refresh_per_second=8,
                get_renderable=self._picture,
            )
            self._live.start()

    def _picture(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        parts: list[Any] = [self._table()] if self._rows else []
        if self._line:
            parts.append(Text(self._line, no_wrap=True, overflow="ellipsis"))
        if self._engine and not self._over:
            parts.append(Text(self._engine, no_wrap=True, overflow="ellipsis"))
        if not self._over:
            parts.append(Text(self._progress(), no_wrap=True, overflow="ellipsis"))
        return Group(*parts)

    def _progress(self) -> str:
        last = self._last
        working = sum(1 for _name, verdict in self._rows if verdict.status is Status.WORKING)
        return _(
            "{done} of {total} done, {working} working, {seconds}, {connections} connections. Ctrl-C stops.",
            done=self._done,
            total=self._total,
            working=working,
            seconds=words.seconds(last.elapsed if last else 0.0),
            connections=last.connections if last else 0,
        )

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        assert self._console is not None
        wide = self._console.width >= 100
        height = _LAST_ROWS if self._over else max(3, min(_ROWS, self._console.height - 8))
        table = Table(box=None, pad_edge=False, expand=True)
        for title, width in ((_("state"), 12), ("", 1), (_("kind"), 8), (_("entry"), 14), (_("speed"), 10)):
            table.add_column(title, width=width, no_wrap=True, overflow="ellipsis")
        if wide:
            table.add_column(_("first page"), width=10, no_wrap=True)
        table.add_column(_("why"), ratio=1, no_wrap=not self._over, overflow="ellipsis")
        for name, verdict in self._rows[:height]:
            look = words.LOOKS[verdict.status]
            cells = [
                Text(f"{look.symbol} {words.word(verdict.status)}", style=look.style),
                Text(verdict.protection.value),
                Text(verdict.kind),
                Text(self._name(name, verdict) if self._reveal else plain.where(verdict)),
                Text(words.speed(verdict)),
            ]
            if wide:
                cells.append(Text(words.seconds(verdict.proof.first_byte)))
            table.add_row(*cells, Text(printable(say(verdict.reason), 160)))
        return table


def _place(verdict: Verdict) -> tuple[int, str, float]:
    return (words.ORDER.index(verdict.status), verdict.protection.value, -(verdict.kib_per_s or 0.0))
