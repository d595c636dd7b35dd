"""Every screen, and the keys that lead to it: what one does at the keyboard, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from textual.pilot import Pilot
from textual.screen import Screen

from client.diagnosis import inquire
from client.model import Status
from client.share import envelope
from client.share.seal import OneTime
from tests.client.diagnosis.matrix import MATRIX
from tests.client.share.ways import capsule
from tests.tui.snapshots.test_finding import concluded
from tests.tui.support import judged, made_run, until
from tui import passing
from tui.app import SanylauApp
from tui.finding import Survey
from tui.palette import Palette
from tui.screens.codes import CodesScreen
from tui.screens.consent import ConsentScreen
from tui.screens.country import CountryScreen
from tui.screens.evidence import EvidenceScreen
from tui.screens.export import ExportScreen
from tui.screens.files import FilePicker
from tui.screens.finding import FindingScreen
from tui.screens.hearing import HearingScreen
from tui.screens.home import HomeScreen
from tui.screens.importing import ImportScreen
from tui.screens.incoming import KeyScreen, MessagesScreen
from tui.screens.notice import NoticeScreen
from tui.screens.pace import PaceScreen
from tui.screens.passing import PassingScreen
from tui.screens.passphrase import PassphraseScreen
from tui.screens.programs import ProgramsScreen
from tui.screens.qr import QrScreen
from tui.screens.reading import PartsScreen, ReadingScreen
from tui.screens.results import ResultsScreen
from tui.screens.stick import StickScreen
from tui.screens.taken import TakenScreen
from tui.screens.taking import TakingScreen
from tui.screens.use import UseScreen
from tui.screens.vault import VaultScreen
from tui.screens.wait import WaitScreen, WhereScreen
from tui.session import Session
from tui.widgets.inputs import ListArea

PRACTICE: Final = "practice: nothing leaves this machine"


def _nothing(_app: SanylauApp) -> None:
    """The screen needs nothing."""


def _list(app: SanylauApp) -> None:
    app.basket.edit("socks5://127.0.0.1:1\nno entry\n")


def _survey(app: SanylauApp) -> None:
    survey = app.survey = Survey(inquire.prepare())
    survey.sights, survey.found = MATRIX["14 protocol list"][0], concluded("14 protocol list")
    survey.stopped = True


def _session(app: SanylauApp) -> None:
    session = app.session = Session(made_run("socks5://127.0.0.1:1\nsocks5://127.0.0.1:2\n"), PRACTICE)
    for event in (judged(1, Status.WORKING, kib_per_s=300), judged(2), judged(3, Status.HOSTILE)):
        session.changed |= session.state.apply(event)


def _key(app: SanylauApp) -> None:
    # A random key may have words in it that are texts of the catalog too.
    app.screen._key = OneTime(X25519PrivateKey.from_private_bytes(bytes(range(32))))  # type: ignore[attr-defined]


def _messages(app: SanylauApp) -> None:
    texts = passing.messages(envelope.plain(capsule()), wide=False)
    app.screen.query_one(ListArea).take("\n".join(texts))


@dataclass(frozen=True, slots=True)
class Stop:
    """A screen. `keys` lead to it from the one called `before`, `back` is where Esc leads: there, if it is empty."""

    kind: type[Screen[Any]]
    before: str = ""
    keys: tuple[str, ...] = ()
    back: str = ""
    needs: Callable[[SanylauApp], None] = _nothing


STOPS: Final = {
    "home": Stop(HomeScreen),
    "commands": Stop(Palette, "home", ("ctrl+p",)),
    "import": Stop(ImportScreen, "home", ("2",), needs=_list),
    "file": Stop(FilePicker, "import", ("ctrl+o",)),
    "question": Stop(ConsentScreen, "import", ("ctrl+s",)),
    "country": Stop(CountryScreen, "home", ("1",)),
    "finding question": Stop(ConsentScreen, "country", ("end", "enter"), back="home"),
    "finding": Stop(FindingScreen, "home", ("1",), needs=_survey),
    "evidence": Stop(EvidenceScreen, "finding", ("e",)),
    "results": Stop(ResultsScreen, "home", ("f4",), needs=_session),
    "pace": Stop(PaceScreen, "results", ("plus",)),
    "line's evidence": Stop(EvidenceScreen, "results", ("e",)),
    "use": Stop(UseScreen, "results", ("u",)),
    "programs": Stop(ProgramsScreen, "use", ("a",)),
    "export": Stop(ExportScreen, "use", ("e",)),
    "name of the file": Stop(ExportScreen, "use", ("e", "enter")),
    "code's question": Stop(ConsentScreen, "use", ("q",)),
    "code": Stop(QrScreen, "code's question", ("y",), back="use"),
    "wait": Stop(WaitScreen, "home", ("w",)),
    "wait's country": Stop(WhereScreen, "wait", ("enter",)),
    "notice": Stop(NoticeScreen, "wait", ("n",)),
    "pass it on": Stop(PassingScreen, "results", ("h",)),
    "warning": Stop(ConsentScreen, "pass it on", ("s",)),
    "their key": Stop(HearingScreen, "pass it on", ("1",)),
    "photo's question": Stop(ConsentScreen, "pass it on", ("3",)),
    "photo": Stop(CodesScreen, "photo's question", ("y",), back="pass it on"),
    "stick": Stop(StickScreen, "pass it on", ("4",)),
    "stick's passphrase": Stop(PassphraseScreen, "stick", ("enter",)),
    "in the open": Stop(PassingScreen, "warning", ("y",), back="results"),
    "words": Stop(ReadingScreen, "in the open", ("1",)),
    "messages": Stop(PartsScreen, "in the open", ("2",)),
    "take in": Stop(TakingScreen, "home", ("t",)),
    "my key": Stop(KeyScreen, "take in", ("1",), needs=_key),
    "their words": Stop(HearingScreen, "my key", ("enter",), back="take in"),
    "their messages": Stop(MessagesScreen, "take in", ("s", "2")),
    "what came": Stop(TakenScreen, "their messages", ("ctrl+s",), back="take in", needs=_messages),
    "file to take in": Stop(FilePicker, "take in", ("3",)),
    "vault": Stop(VaultScreen, "home", ("v",)),
    "passphrase": Stop(PassphraseScreen, "vault", ("o",)),
    "erasing": Stop(ConsentScreen, "home", ("f8",)),
}


async def go(pilot: Pilot[Any], name: str) -> None:
    """Go from the first screen to another one, by its keys."""
    if before := STOPS[name].before:
        await go(pilot, before)
        await step(pilot, name)


async def step(pilot: Pilot[Any], name: str) -> None:
    """Press the keys that lead to a screen from the one before."""
    stop = STOPS[name]
    assert isinstance(pilot.app, SanylauApp)
    stop.needs(pilot.app)
    for key in stop.keys:
        await pilot.press(key)
        await pilot.pause(0.05)
    await until(pilot, lambda: is_at(pilot, name))
    if stop.needs is _list:
        await until(pilot, lambda: pilot.app.basket.reading is not None)  # type: ignore[attr-defined]
    await pilot.pause(0.1)


def is_at(pilot: Pilot[Any], name: str) -> bool:
    """Say whether that is the kind of screen that one is on."""
    return type(pilot.app.screen) is STOPS[name].kind
