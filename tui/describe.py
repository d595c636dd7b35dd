"""What is known, in words: pure functions from state to labelled text. Addresses stay masked unless revealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from client import advise
from client.events import Finished
from client.following import ENOUGH
from client.i18n import _, ngettext, say
from client.meaning import meaning, what_to_do
from client.model import (
    Candidate,
    Content,
    LineState,
    Message,
    Observation,
    Proof,
    RejectedLine,
    Status,
    Step,
    Verdict,
    kinds_of,
)
from client.render import plain, words
from client.text import printable
from tui import theme
from tui.state import Row, RunState, Waiting

Lines = list[tuple[str, Text]]  # a label, and what it labels

LEFT: Final = ("interrupted", "budget")
"""Why a run was over before its end and has left something for another one (Finished.stopped)."""
_BAR: Final = 14
_REASON: Final = 2000
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


def waiting() -> Text:
    """Return symbol and word of an entry that has no verdict yet."""
    return Text("… " + _("waiting"), style="dim")


def progress(state: RunState, *, stopping: bool, broken: bool, paused: float | None = None) -> Text:
    """Return the line with the bar while it runs, and what came out when it is over. `paused`: since this second."""
    if state.finished is not None:
        return _over(state.finished)
    if broken:
        return Text(_("Ended by an error."), style="bold red")
    done, total = state.done, state.total
    filled = round(_BAR * done / total) if total else 0
    text = Text("━" * filled, style="bold yellow")
    text.append("─" * (_BAR - filled), style="dim")
    last, working = state.progress, words.ORDER[0]
    parts = [
        _("{done} of {total}", done=done, total=total),
        f"{words.LOOKS[working].symbol} {state.counts[working]} {words.word(working)}",
        clock(last.elapsed if last else 0.0) if paused is None else "",
        data(last.moved_kib if last else 0, state.started.budget_kib if state.started else 0),
    ]
    if stopping:
        parts.insert(0, _("stopping…"))
    elif paused is not None:
        parts.insert(0, "‖ " + _("paused at {clock}", clock=clock(paused)))
    return text.append("  " + " · ".join(filter(None, parts)), style="none")


def data(moved_kib: int, budget_kib: int) -> str:
    """Return the data used so far, against the most that it may come to."""
    moved, budget = f"{moved_kib / 1024:.1f}", f"{budget_kib / 1024:.1f}"
    return _("{moved} of {budget} MiB", moved=moved, budget=budget)


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


def details(item: Row | Waiting, *, now: float, reveal: bool, tale: str = "") -> Lines:
    """Return everything that is known about one entry. `tale`: what it plays in the drill, a message id."""
    if isinstance(item, Waiting):
        return _details_waiting(item, reveal=reveal)
    verdict = item.verdict
    head = state(item)
    head.append(f"  {printable(verdict.kind)}  {place(verdict.candidate, 40)}", style="not bold not dim")
    lines: Lines = [(f"#{item.id}", head)]
    if reveal:
        lines.append((_("entry"), Text(name(item, reveal=True), overflow="fold")))
    lines.append((_("why"), Text(_whole(verdict.reason))))
    means = meaning(verdict)
    if means is not None:
        lines.append((_("meaning"), Text(say(means))))
    lines.append((_("to do"), Text(to_do(item), style="bold")))
    if tale:
        lines.append((_("played"), Text(_(tale))))
    if verdict.observations:
        lines.append((_("steps"), ladder(verdict.observations)))
    lines.append((_("class"), _class(verdict)))
    if verdict.proof.down or verdict.proof.wire_down:
        lines.append((_("moved"), Text(moved(verdict.proof))))
    checked = list(_checks(verdict.proof))
    if checked:
        lines.append((_("checks"), Text(" · ".join(checked))))
    lines.append((_("tested"), Text(_tested(verdict, now))))
    return lines


def _details_waiting(item: Waiting, *, reveal: bool) -> Lines:
    candidate = item.candidate
    head = waiting()
    head.append(f"  {printable(kinds_of(candidate.endpoint)[0])}  {place(candidate, 40)}", style="not dim")
    lines: Lines = [("", head)]
    if reveal:
        lines.append((_("entry"), Text(printable(candidate.endpoint.reveal(), _REASON), overflow="fold")))
    return [*lines, (_("why"), Text(_("Not tested yet: the order is drawn by chance.")))]


def to_do(row: Row) -> str:
    """Return the next step with this one entry; on the screen a usable one has a key."""
    if row.verdict.status is Status.WORKING:
        return _("Press u: how to use it, step by step.")
    return say(what_to_do(row.verdict))


def no_option(*, over: bool, paused: bool = False) -> str:
    """Say that there is no option to go to. `over`: nor will there be one."""
    if paused:
        return _("No option works yet; the check is paused. p: go on.")
    return _("No option works. a: the advice.") if over else _("No option works yet; the check goes on.")


def same_option(*, only: bool) -> str:
    """Say why the cursor stays where it is: there is no other option, or none that is better."""
    if only:
        return _("This is the only option that works so far.")
    return _("This is the best option. n once more: the next one.")


def _class(verdict: Verdict) -> Text:
    kind = verdict.protection
    return Text(f"{_(words.CLASSES[kind])}: {say(advise.exposure(kind))}")


def ladder(observations: tuple[Observation, ...]) -> Text:
    """Return a line for each step, with its milliseconds and what it failed with; each connection has its number."""
    text = Text()
    connection, last = 0, len(_ORDER)
    wide = max(cell_len(_(words.STEPS[seen.step])) for seen in observations)
    for seen in observations:
        at = _ORDER.index(seen.step)
        text.append("\n" if connection else "")
        connection += at < last
        text.append(f"{connection}  " if at < last else "   ", style="dim")
        last = at
        text.append("✘ " if seen.failure else "✔ ", style="red" if seen.failure else "green")
        text.append(set_cell_size(_(words.STEPS[seen.step]), wide))
        text.append("  " + _("{ms} ms", ms=round(seen.elapsed * 1000)).rjust(8), style="bold")
        if seen.failure:
            code = f" {seen.code}" if seen.code else ""
            text.append(f"  {printable(seen.failure)}{code}", style="red")
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


def summary(
    state: RunState, *, reveal: bool, broken: bool = False, staged: bool = False, listed: bool = False
) -> Lines:
    """Return the next steps, the best options and what came out; while the run goes on, only what was told so far.

    `staged`: it is the drill's run, so nothing here is about the person's own line. `listed`: Esc leads to the lists
    that were tested.
    """
    event = state.finished
    if event is None:
        again = _("→ What is known stays here. Esc goes back: begin the check again there.")
        return [*([(_("next"), Text(again))] if broken else []), *told(state)]
    found = state.found()
    lines: Lines = [("", Text(f"→ {step}")) for step in _next_steps(event, found, staged, listed)]
    lines[0] = (_("next"), lines[0][1])
    best = {id(verdict) for verdict in advise.best(found)}
    chosen = [row for row in map(state.at, range(min(len(state), len(found)))) if id(row.verdict) in best]
    lines += [(_("best") if not number else "", _option(row, reveal)) for number, row in enumerate(chosen)]
    for kind in sorted({row.verdict.protection for row in chosen}):
        lines.append(("", Text(f"{_(words.CLASSES[kind])}: {say(advise.exposure(kind))}", style="dim")))
    if event.first_working is not None:
        after = _("First working after {seconds}.", seconds=words.seconds(event.first_working))
        lines.append((_("first"), Text(after)))
    lines.append((_("data"), Text(data(event.moved_kib, state.started.budget_kib if state.started else 0))))
    if event.rejected:
        lines.append((_("lines"), Text(ngettext("{n} rejected", "{n} rejected", event.rejected))))
    return lines + told(state)


def told(state: RunState) -> Lines:
    """Return every notice and every rejected line that is kept, in full."""
    lines: Lines = [("", Text(_whole(message))) for message in state.notices]
    lines += [("", _rejected(line)) for line in state.rejected]
    return [(_("told") if not number else "", text) for number, (_none, text) in enumerate(lines)]


def _rejected(line: RejectedLine) -> Text:
    return Text(f"{printable(line.source, 60)}:{line.line}: {_whole(line.reason)}")


def _whole(message: Message) -> str:
    return printable(say(message), _REASON)


def _next_steps(event: Finished, found: list[Verdict], staged: bool, listed: bool) -> Iterator[str]:
    if found:
        yield _("Press n for the best option, then u: how to use it, step by step.")
    if staged:
        yield _("This was practice, on a stage: nothing here is about your own line. Esc leads back.")
        event = replace(event, line_state=LineState.UNKNOWN)
    yield from map(say, advise.after(event, found, commands=False))
    if event.stopped in LEFT and event.counts.get(Status.UNTESTED):
        yield _left(event.stopped, staged, listed)
    if found or staged:
        return
    if listed:
        yield _("Esc goes back to your lists. Esc twice, then 1: the kind of cut is named.")
    else:
        yield _("Esc goes back: there the kind of cut is named, and other lists are taken in.")


def _left(stopped: str, staged: bool, listed: bool) -> str:
    """Say how the rest is tested after a stop."""
    if staged:
        return _("The practice was stopped. On the first screen 3 plays it again, from its beginning.")
    why = _("The data budget is spent.") if stopped == "budget" else _("The check was stopped.")
    if listed:
        return why + " " + _("For the rest press Esc, then ^s: what was tested is left out.")
    return why + " " + _("Begun again, it contacts all entries once more.")


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
