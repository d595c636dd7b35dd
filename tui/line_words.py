"""The person's line in words: the panel's head, its rows, and the evidence as labelled lines. No Textual."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from client.diagnosis import advice, code
from client.diagnosis.kinds import Diagnosis, Finding
from client.diagnosis.sights import Came, Name, Sight, Test
from client.i18n import _, ngettext
from client.model import N_, Message, Status
from client.render import diagnosis as face
from client.render import words
from client.render.words import Look
from client.text import printable
from tui.describe import Lines
from tui.line_state import LineView, State, Way
from tui.line_ways import LOOKS, TITLES

_BARS: Final = "▂▄▆█"
_NO_BAR: Final = "·"
_KNOWN: Final = (State.OPEN, State.PARTLY, State.SHUT, State.FAILED)
_GOOD, _EVIL = words.LOOKS[Status.WORKING], words.LOOKS[Status.HOSTILE]
_BAD, _NOT = words.LOOKS[Status.FAILED], words.LOOKS[Status.UNTESTED]
_CAME: Final = {
    Came.RIGHT: (_GOOD, N_("answered")),
    Came.OTHER: (_GOOD, N_("arrived, and was answered otherwise")),
    Came.FALSE: (_EVIL, N_("a false answer")),
    Came.REFUSED: (_BAD, N_("refused")),
    Came.RESET: (_BAD, N_("cut off by a reset")),
    Came.CLOSED: (_BAD, N_("closed without an answer")),
    Came.STOPPED: (_BAD, N_("began, then nothing more came")),
    Came.SILENCE: (_BAD, N_("no answer")),
    Came.NO_ROUTE: (_BAD, N_("this machine has no way out")),
    Came.FAULT: (_NOT, N_("could not be asked from here")),
}


def head(view: LineView) -> Text:
    """Return symbol, how sure it is, and the kind: where there is no room, its end is what may be cut off."""
    text = Text(f"{view.look.symbol} ", style=view.look.style)
    if view.sure:
        text.append(f"{_(view.sure)} · ", style="not bold dim")
    return text.append(face.said(view.kind), style="bold")


def besides(view: LineView) -> list[Text]:
    """Return the kinds that hold besides the first, a line each."""
    return [Text(f"+ {face.said(kind)}") for kind in view.besides]


def compact(view: LineView) -> Text:
    """Return one line of what is known: the ways of each state together."""
    text = Text()
    for state in _KNOWN:
        names = [title(way) for way in view.ways if way.state is state]
        if names:
            look = LOOKS[state]
            text.append("   " if text.plain else "")
            text.append(f"{look.symbol} {_(look.word)}", style=look.style)
            text.append(f": {', '.join(names)}")
    return text if text.plain else Text(_("No way out has been tried yet."), style="dim")


def title(way: Way) -> str:
    """Return what a way is called."""
    return _(TITLES[way.name])


def bars(way: Way) -> Text:
    """Return the signal of a way; what is missing differs by its shape, not by colour alone."""
    text = Text(_BARS[: way.bars], style=LOOKS[way.state].style)
    return text.append(_NO_BAR * (len(_BARS) - way.bars), style="not bold dim")


def state(way: Way) -> Text:
    """Return symbol and word in the colour of the state."""
    look = LOOKS[way.state]
    return Text(f"{look.symbol} {_(look.word)}", style=look.style)


def rows(ways: Iterable[Way]) -> Table:
    """Return the rows: signal, state, way, why."""
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.add_column(width=len(_BARS), no_wrap=True)
    table.add_column(width=2 + max(cell_len(_(look.word)) for look in LOOKS.values()), no_wrap=True)
    table.add_column(width=max(cell_len(_(name)) for name in TITLES.values()), no_wrap=True)
    table.add_column(ratio=1)
    for way in ways:
        table.add_row(bars(way), state(way), Text(title(way)), Text(face.said(way.why), style="dim"))
    return table


def next_steps(view: LineView, diagnosis: Diagnosis) -> list[Text]:
    """Return what to do now, and the code that a step may speak of."""
    steps = [Text(f"→ {face.said(step)}") for step in view.steps]
    return [*steps, Text(_("Result code: {code}", code=code.of(diagnosis)))]


def evidence(view: LineView, diagnosis: Diagnosis | None, sights: Sequence[Sight] = ()) -> Lines:
    """Return all that was seen and concluded. `sights` are those of a diagnosis that is not over."""
    lines: Lines = []
    if diagnosis is None:
        lines += [("", head(view)), ("", Text())]
    else:
        for finding in diagnosis.findings:
            lines += _finding(finding)
        lines += [("", Text(text)) for text in face.passing(diagnosis.tcp, diagnosis.udp, diagnosis.passes)]
        lines += _part(_("What tends to survive this:"), "•", advice.survives(diagnosis))
        lines += _part(_("What to do now:"), "→", view.steps)
    lines += [("", Text()), ("", Text(_("The ways out:"), style="bold")), *map(_row, view.ways)]
    if diagnosis is not None:
        lines += _part(_("Not asked:"), "•", diagnosis.left_out)
        lines += _cost(diagnosis)
        sights = diagnosis.sights
    return [*lines, *_asked(sights)]


def _finding(finding: Finding) -> Lines:
    look = face.look(finding.kind, finding.certainty)
    sure = _(face.CERTAINTIES[finding.certainty])
    return [
        _marked(look, Text(face.said(advice.plain(finding.kind)), style="bold")),
        ("", Text(_("{certainty} (kind: {kind})", certainty=sure, kind=finding.kind.value))),
        *_part(_("What was seen:"), "•", finding.evidence, space=False),
        *_part(_("Why it is nothing else:"), "•", finding.against, space=False),
        ("", Text()),
    ]


def _part(name: str, mark: str, messages: Iterable[Message], *, space: bool = True) -> Lines:
    """Return a heading and what stands below it, or nothing."""
    told: Lines = [("", Text.assemble((f"{mark} ", "dim"), face.said(message))) for message in messages]
    gap: Lines = [("", Text())] if space else []
    return [*gap, ("", Text(name, style="bold")), *told] if told else []


def _marked(look: Look, text: Text) -> tuple[str, Text]:
    return "", Text.assemble((f"{look.symbol} ", look.style), text)


def _row(way: Way) -> tuple[str, Text]:
    text = bars(way)
    text.append("  ").append_text(state(way)).append(
        f"  {title(way)}: {face.said(way.why)}", style="not bold not dim"
    )
    return "", text


def _cost(diagnosis: Diagnosis) -> Lines:
    took = _(
        "It took {seconds}, {connections}, {kib} KiB.",
        seconds=words.seconds(diagnosis.elapsed),
        connections=ngettext("{n} connection", "{n} connections", diagnosis.connections),
        kib=round(diagnosis.kib),
    )
    told = [
        took,
        _("Result code: {code}", code=code.of(diagnosis)),
        _("It holds no addresses. Whoever helps you reads it with: sanylau diagnose --explain CODE"),
    ]
    return [("", Text()), *(("", Text(line)) for line in told)]


def _asked(sights: Sequence[Sight]) -> Lines:
    """Return every question and what came of it; those to one server stand together, for they make the pairs."""
    if not sights:
        return []
    groups: dict[str, list[Sight]] = {}
    for sight in sights:
        groups.setdefault(sight.who, []).append(sight)
    lines: Lines = [("", Text()), ("", Text(_("Every question, and what came of it:"), style="bold"))]
    return lines + [_sight(sight) for group in groups.values() for sight in group]


def _sight(sight: Sight) -> tuple[str, Text]:
    look, came = _CAME[sight.came]
    where = f"{sight.who}:{sight.port}" if sight.port else sight.who
    parts = [where, face.asking(sight), *_how(sight), _(came)]
    if sight.test is not Test.ROUTE:
        parts.append(words.seconds(sight.elapsed))
    if sight.received:
        parts.append(_("{n} bytes came", n=sight.received))
    return _marked(look, Text(" · ".join(printable(part, 80) for part in parts)))


def _how(sight: Sight) -> list[str]:
    named = [_("a name that may be forbidden")] if sight.name is Name.FORBIDDEN else []
    return [*([sight.way] if sight.way else []), *named]
