"""What is known, in words: pure functions from state to labelled text. Addresses stay masked unless revealed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from client import advise
from client.events import Finished
from client.following import ENOUGH
from client.i18n import _, ngettext, say
from client.model import Candidate, Content, Control, Observation, Proof, Step, Verdict
from client.render import plain, words
from client.text import printable
from tui import theme
from tui.state import Row, RunState

Lines = list[tuple[str, Text]]  # a label, and what it labels

_BAR: Final = 18
_REASON: Final = 400
_ORDER: Final = tuple(Step)


def place(candidate: Candidate, width: int) -> str:
    """Return source:line in at most `width` cells; of a long source its end stays."""
    line = f":{candidate.line}"
    source = printable(candidate.source, 200)
    room = max(3, width - len(line))
    while cell_len(source) > room:
        source = "…" + source[2:] if source.startswith("…") else "…" + source[1:]
    return source + line


def name(row: Row, *, reveal: bool) -> str:
    """Return what stands for the entry: its short id, or all of it when revealed."""
    return plain.name_of(row.id, row.verdict, reveal=reveal)


def state(row: Row) -> Text:
    """Return symbol and word in the colour of the state."""
    look = words.LOOKS[row.verdict.status]
    return Text(f"{look.symbol} {words.word(row.verdict.status)}", style=look.style)


def line(control: Control | None, *, over: bool) -> Text:
    """Return one line about the person's own line."""
    if control is None:
        said = _("Your own line was not measured.") if over else _("Measuring your own line without a proxy…")
        return Text(f"… {said}", style="dim")
    look = theme.LINES[control.state]
    message = advise.line_message(control.state)
    text = Text(look.symbol, style=look.style)
    said = say(message) if message else _("Your own line was not measured.")
    text.append(f" {said}", style="not bold")
    text.append("".join(f" · {figure}" for figure in _figures(control)), style="not bold dim")
    return text


def _figures(control: Control) -> Iterator[str]:
    if control.connect is not None:
        yield _("{ms} ms", ms=round(control.connect * 1000))
    if control.kib_per_s is not None:
        yield rate(control.kib_per_s)


def rate(kib: float) -> str:
    """Return a speed with its unit."""
    if kib >= 1024:
        return _("{rate} MiB/s", rate=f"{kib / 1024:.1f}")
    return _("{rate} KiB/s", rate=f"{kib:.0f}")


def progress(state: RunState, *, stopping: bool, broken: bool) -> Text:
    """Return the line with the bar while it runs, and what came out when it is over."""
    if state.finished is not None:
        return _over(state.finished)
    if broken:
        return Text(_("Ended by an error."), style="bold red")
    done, total = state.done, state.total
    filled = round(_BAR * done / total) if total else 0
    text = Text("━" * filled, style="bold yellow")
    text.append("─" * (_BAR - filled), style="dim")
    last = state.progress
    parts = [
        _("stopping…") if stopping else _("{done} of {total}", done=done, total=total),
        f"{words.LOOKS[words.ORDER[0]].symbol} {state.counts[words.ORDER[0]]} {words.word(words.ORDER[0])}",
        clock(last.elapsed if last else 0.0),
        ngettext("{n} connection", "{n} connections", last.connections if last else 0),
    ]
    return text.append("  " + " · ".join(parts), style="none")


def engine(state: RunState) -> Text:
    """Return the line about an outside program that is getting ready; empty once it is."""
    event = state.engine
    if event is None or event.percent >= ENOUGH or state.finished is not None:
        return Text()
    return Text(f"… {words.engine(event)}", style="dim")


def clock(seconds: float) -> str:
    """Return a duration as minutes:seconds."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _over(event: Finished) -> Text:
    done = plain.counts(event) or _("nothing was tested")
    values = {"seconds": words.seconds(event.elapsed), "counts": done}
    if event.stopped == "interrupted":
        return Text(_("Stopped after {seconds}: {counts}.", **values))
    return Text(_("Done in {seconds}: {counts}.", **values))


def details(row: Row, *, now: float, reveal: bool) -> Lines:
    """Return everything that is known about one entry."""
    verdict = row.verdict
    head = state(row)
    head.append(f"  {printable(verdict.kind)}  {place(verdict.candidate, 40)}", style="not bold not dim")
    lines: Lines = [
        (f"#{row.id}", head),
        (_("why"), Text(printable(say(verdict.reason), _REASON))),
        (_("class"), _class(verdict)),
    ]
    if reveal:
        lines.insert(1, (_("entry"), Text(name(row, reveal=True), overflow="fold")))
    if verdict.observations:
        lines.append((_("steps"), steps(verdict.observations)))
    if verdict.proof.down or verdict.proof.wire_down:
        lines.append((_("moved"), Text(moved(verdict.proof))))
    checked = list(_checks(verdict.proof))
    if checked:
        lines.append((_("checks"), Text(" · ".join(checked))))
    lines.append((_("tested"), Text(_tested(verdict, now))))
    return lines


def _class(verdict: Verdict) -> Text:
    kind = verdict.protection
    return Text(f"{_(words.CLASSES[kind])}: {say(advise.exposure(kind))}")


def steps(observations: tuple[Observation, ...]) -> Text:
    """Return each step with its milliseconds, and the failure where one ended; a line for each connection."""
    text = Text()
    last = None
    for seen in observations:
        if last is not None:
            text.append("\n" if _ORDER.index(seen.step) < _ORDER.index(last) else " → ", style="dim")
        last = seen.step
        text.append(_(words.STEPS[seen.step]))
        text.append(" " + _("{ms} ms", ms=round(seen.elapsed * 1000)), style="bold")
        if seen.failure:
            code = f" {seen.code}" if seen.code else ""
            text.append(f" ✘ {printable(seen.failure)}{code}", style="red")
    return text


def moved(proof: Proof) -> str:
    """Return what was moved, in how many reads and writes, how fast."""
    parts = [
        _("{down} KiB down in {reads} reads", down=(proof.down or proof.wire_down) // 1024, reads=proof.reads)
    ]
    if proof.up:
        parts.append(_("{up} KiB up in {writes} writes", up=proof.up // 1024, writes=proof.writes))
    if proof.upload is Content.REFUSED:
        parts.append(_("upload refused"))
    return ", ".join(parts)


def _checks(proof: Proof) -> Iterator[str]:
    if proof.plain in theme.CHECKS:
        yield _("plain page: {result}", result=_(theme.CHECKS[proof.plain]))
    if proof.impossible in theme.CHECKS:
        made_up = proof.impossible is Content.ALTERED
        result = _("makes pages up") if made_up else _(theme.CHECKS[proof.impossible])
        yield _("impossible address: {result}", result=result)
    if proof.udp in theme.CHECKS:
        granted = proof.udp is Content.INTACT
        yield _("UDP: {result}", result=_("granted") if granted else _(theme.CHECKS[proof.udp]))


def _tested(verdict: Verdict, now: float) -> str:
    parts = [_age(now - verdict.finished)]
    if verdict.tries:
        parts.append(ngettext("{n} try", "{n} tries", verdict.tries))
    if verdict.proof.first_byte is not None:
        parts.append(_("first page after {seconds}", seconds=words.seconds(verdict.proof.first_byte)))
    if verdict.proof.bulk_done:
        parts.append(words.speed(verdict))
    return " · ".join(parts)


def _age(seconds: float) -> str:
    if seconds < 60:
        return _("just now")
    return ngettext("{n} minute ago", "{n} minutes ago", int(seconds // 60))


def summary(state: RunState, *, reveal: bool) -> Lines:
    """Return what came out, the best options and the next steps. Empty while the run goes on."""
    event = state.finished
    if event is None:
        return []
    found = state.found()
    best = {id(verdict) for verdict in advise.best(found)}
    advice = advise.after(event, found)
    lines: Lines = [
        ("" if number else _("next"), Text(f"→ {say(step)}")) for number, step in enumerate(advice)
    ]
    if found:
        lines.append(("", Text(_("→ Choose an entry above and press u: how to use it, step by step."))))
    chosen = [row for row in map(state.at, range(min(len(state), len(found)))) if id(row.verdict) in best]
    lines += [(_("best") if not number else "", _option(row, reveal)) for number, row in enumerate(chosen)]
    for kind in sorted({row.verdict.protection for row in chosen}):
        lines.append(("", Text(f"{_(words.CLASSES[kind])}: {say(advise.exposure(kind))}", style="dim")))
    if event.first_working is not None:
        lines.append(
            (
                _("first"),
                Text(_("First working after {seconds}.", seconds=words.seconds(event.first_working))),
            )
        )
    if state.rejected:
        lines.append((_("lines"), Text(ngettext("{n} rejected", "{n} rejected", event.rejected))))
    return lines


def _option(row: Row, reveal: bool) -> Text:
    verdict = row.verdict
    parts = [
        verdict.protection.value,
        set_cell_size(printable(verdict.kind), 11),
        name(row, reveal=reveal),
        set_cell_size(words.speed(verdict), 11),
        place(verdict.candidate, 24),
    ]
    return Text("  ".join(parts), overflow="fold")
