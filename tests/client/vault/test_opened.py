"""The vault of a process: asked for once, and only where it is wanted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from client import check, parse, results, sources
from client.events import Event, Judged, Noticed
from client.model import Message, Status
from client.redact import Namer
from client.vault import opened
from client.vault.age_file import CLOSED
from client.vault.content import with_list, without_list
from client.vault.store import Vault
from tests.client.vault.conftest import PASSPHRASE
from tests.client.vault.test_kept import candidate, verdict
from transports.types import Rejected

LINES = ("http://10.1.2.3:8080", "socks5://10.9.8.7:1080")
Give = Callable[..., None]


@pytest.fixture(autouse=True)
def vault(
    tmp_path: Path, cheap: None, passphrase: bytearray, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Vault]:
    monkeypatch.setenv("SANYLAU_VAULT", str(tmp_path / "vault"))
    made = Vault.create(tmp_path / "vault", passphrase)
    made.change(partial(with_list, name="main", lines=LINES))
    yield made
    opened.want()
    opened.adopt(None)


@pytest.fixture
def give() -> Iterator[Give]:
    """Have the passphrase wait on a descriptor."""
    reading, writing = os.pipe()

    def give(words: str = PASSPHRASE, *, vault: bool = False) -> None:
        os.write(writing, words.encode() + b"\n")
        opened.want(vault=vault, descriptor=reading)

    yield give
    os.close(reading)
    os.close(writing)


class Shown:
    """A face that only remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = 0

    def show(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        self.closed += 1


def test_the_passphrase_is_read_once_and_the_vault_stays_open(give: Give) -> None:
    give()
    assert opened.current() is None
    first = opened.opened()
    assert opened.opened() is first is opened.current()


def test_a_wrong_passphrase_from_a_descriptor_is_not_asked_for_again(give: Give) -> None:
    give("a wrong one")
    give()
    with pytest.raises(Rejected) as caught:
        opened.opened()
    assert caught.value.reason == CLOSED
    assert opened.current() is None


def test_where_there_is_no_vault_nothing_is_read(
    give: Give, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SANYLAU_VAULT", str(tmp_path / "other"))
    give()
    with pytest.raises(Rejected, match="vault create"):
        opened.opened()


def test_without_a_terminal_it_says_how_to_give_the_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    from client import consent

    monkeypatch.setattr(consent, "open_terminal", lambda: None)
    with pytest.raises(Rejected, match="--passphrase-fd"):
        opened.opened()


def test_lists_in_the_vault_are_lists_like_files(give: Give, vault: Vault) -> None:
    vault.change(partial(with_list, name="two", lines=[LINES[1], "http://10.5.5.5:3128"]))
    give()
    assert sources.load("vault:main") == ("vault:main", "\n".join(LINES))
    assert sources.load("vault:")[1].split() == [*LINES, "http://10.5.5.5:3128"]
    reading = check.take_in(["vault:two"])
    assert [one.source for one in reading.candidates] == ["vault:two"] * 2
    with pytest.raises(Rejected, match="no list"):
        sources.load("vault:three")


def test_an_empty_vault_says_how_to_fill_it(give: Give, vault: Vault) -> None:
    vault.change(partial(without_list, name="main"))
    give()
    with pytest.raises(Rejected, match="vault add"):
        sources.load("vault:")


def test_without_a_vault_a_run_is_as_it_was() -> None:
    run = check.prepare(check.Wishes(), parse.read([("list", LINES[0])]))
    assert opened.current() is None
    assert run.rank is None
    shown = Shown()
    assert opened.keeping(shown) is shown


def test_with_the_vault_names_stay_and_what_worked_here_comes_first(give: Give) -> None:
    give(vault=True)
    reading = parse.read([("list", "\n".join(LINES))])
    run = check.prepare(check.Wishes(), reading)
    vault = opened.current()
    assert vault is not None
    assert run.rank is None  # nothing was seen yet
    one = reading.candidates[1]
    assert run.namer.id(one.endpoint) == Namer(vault.content.id_key).id(one.endpoint)
    face = opened.keeping(Shown())
    face.show(Judged("id", verdict(one, transport="socks5")))
    face.close()
    again = check.prepare(check.Wishes(), reading)
    assert again.rank is not None
    assert min(reading.candidates, key=again.rank) is one


def test_the_descriptor_alone_asks_for_the_vault_too(give: Give) -> None:
    give()
    check.prepare(check.Wishes(), parse.read([("list", LINES[0])]))
    assert opened.current() is not None


def test_results_are_saved_once_when_the_face_is_closed_and_the_face_sees_all(
    give: Give, vault: Vault
) -> None:
    give()
    opened.opened()
    shown = Shown()
    face = opened.keeping(shown)
    events: list[Event] = [
        Noticed(Message("something")),
        Judged("a", verdict(candidate(LINES[0]))),
        Judged("b", verdict(candidate(LINES[1]), Status.FAILED, "socks5")),
        Judged("c", verdict(candidate("http://10.7.7.7:1"), Status.UNTESTED)),
    ]
    for event in events:
        face.show(event)
    face.close()
    before = (Path(os.environ["SANYLAU_VAULT"]) / "vault.age").read_bytes()
    face.close()
    assert (Path(os.environ["SANYLAU_VAULT"]) / "vault.age").read_bytes() == before
    assert (shown.events, shown.closed) == (events, 2)
    vault.change(lambda content: content)
    (saved,) = vault.content.results.values()
    assert [(one.line, one.status) for one in saved] == [
        (LINES[0], Status.WORKING),
        (LINES[1], Status.FAILED),
    ]
    read = results.load("vault:")
    assert [option.candidate.endpoint.host for option in read.options] == ["10.1.2.3"]


def test_a_run_without_results_saves_nothing(give: Give) -> None:
    give()
    opened.opened()
    before = (Path(os.environ["SANYLAU_VAULT"]) / "vault.age").read_bytes()
    opened.keeping(Shown()).close()
    assert (Path(os.environ["SANYLAU_VAULT"]) / "vault.age").read_bytes() == before


def test_results_that_cannot_be_saved_are_told_and_no_error(
    give: Give, capsys: pytest.CaptureFixture[str]
) -> None:
    give()
    opened.opened()
    face = opened.keeping(Shown())
    face.show(Judged("a", verdict(candidate(LINES[0]))))
    (Path(os.environ["SANYLAU_VAULT"]) / "key.age").unlink()
    face.close()
    assert "The results were not kept: the vault was erased" in capsys.readouterr().err


def test_without_results_of_this_network_the_way_to_some_is_told(give: Give) -> None:
    give()
    with pytest.raises(Rejected, match="sanylau check vault:"):
        results.load("vault:")


def test_what_happened_to_the_vault_is_said_once(give: Give, capsys: pytest.CaptureFixture[str]) -> None:
    (Path(os.environ["SANYLAU_VAULT"]) / "vault.age").unlink()
    give()
    opened.tell_news(opened.opened())
    assert capsys.readouterr().err.count("begins empty") == 1


def test_names_of_files_are_no_names_in_the_vault() -> None:
    assert not opened.is_named("vault")
    assert not opened.is_named("./vault:main")
    assert opened.is_named("vault:main")


def test_a_command_that_is_printed_keeps_the_name_of_a_list_in_the_vault() -> None:
    from client import commands

    assert commands.absolute("vault:main") == "vault:main"
    assert commands.listed("vault:") == "vault:"


def test_the_question_before_a_check_says_that_results_are_kept(give: Give) -> None:
    reading = parse.read([("list", LINES[0])])
    without = "\n".join(check.consent_text(check.prepare(check.Wishes(), reading)))
    assert "Nothing is written to disk" in without
    assert "vault" not in without
    give(vault=True)
    kept = "\n".join(check.consent_text(check.prepare(check.Wishes(), reading)))
    assert "kept in your vault, encrypted" in kept
    assert "Nothing is written to disk" not in kept


def test_the_passphrase_is_read_before_the_list_that_comes_behind_it(
    give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(vault=True)
    monkeypatch.setattr(sources, "load", lambda name: (name, LINES[0] if opened.current() else ""))
    assert len(check.take_in(["-"]).candidates) == 1


@pytest.mark.parametrize(
    ("module", "package"),
    [("pyrage.x25519", "pyrage"), ("cryptography.hazmat.primitives.kdf.scrypt", "cryptography")],
)
def test_a_missing_package_is_named_before_the_passphrase_is_read(
    give: Give, monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    give()
    with monkeypatch.context() as without:
        without.setitem(sys.modules, module, None)
        with pytest.raises(Rejected, match="encrypted files need") as caught:
            opened.opened()
    assert caught.value.values == {"name": package}
    opened.opened()  # the passphrase is still there
