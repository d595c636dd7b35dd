from dataclasses import replace
from pathlib import Path

import pytest

from client import consent
from client.vault import consents, opened
from client.vault.consents import MOST, Matter, agreed, count, is_agreed, none
from client.vault.content import Content, decode, encode
from client.vault.store import Vault

CHECK = Matter(command="check", contacts=("socks5://192.0.2.1:1080", "vless://secret@192.0.2.2:443"))
LINES = ["Before the first packet:", "• 2 entries"]


def test_a_yes_is_for_exactly_the_same_contacts_question_and_command() -> None:
    content = agreed(Content(), CHECK.asked(LINES))
    assert is_agreed(content, CHECK.asked(LINES))
    assert is_agreed(content, replace(CHECK, contacts=CHECK.contacts[::-1]).asked(LINES))
    for other in (
        replace(CHECK, contacts=(*CHECK.contacts, "socks5://192.0.2.3:1080")),
        replace(CHECK, contacts=CHECK.contacts[:1]),
        replace(CHECK, contacts=("".join(CHECK.contacts),)),
        replace(CHECK, command="connect"),
    ):
        assert not is_agreed(content, other.asked(LINES))
    assert not is_agreed(content, CHECK.asked([*LINES, "• and tor"]))


def test_another_vault_knows_nothing_of_it() -> None:
    content = agreed(Content(), CHECK)
    assert not is_agreed(replace(Content(), settings=content.settings), CHECK)


def test_what_is_kept_names_no_address_and_survives_the_file() -> None:
    content = agreed(Content(), CHECK)
    assert "192.0.2" not in str(content.settings)
    assert "192.0.2" not in repr(CHECK)
    assert is_agreed(decode(encode(content)), CHECK)


def test_the_oldest_answers_make_room_and_all_can_be_forgotten() -> None:
    content = Content()
    for number in range(MOST + 5):
        content = agreed(content, replace(CHECK, contacts=(str(number),)))
    content = agreed(agreed(content, CHECK), CHECK)
    assert count(content) == MOST
    assert not is_agreed(content, replace(CHECK, contacts=("0",)))
    assert is_agreed(content, CHECK)
    assert count(none(content)) == 0
    assert not is_agreed(none(content), CHECK)


@pytest.mark.parametrize(
    "kept", [None, 3, "text", [], {"check": "text"}, {"check": [1, None]}, {"check": {}}]
)
def test_what_has_not_the_form_is_no_consent(kept: object) -> None:
    content = replace(Content(), settings={consents.SETTING: kept})  # type: ignore[dict-item]
    assert not is_agreed(content, CHECK)
    assert is_agreed(agreed(content, CHECK), CHECK)


@pytest.mark.usefixtures("cheap")
def test_a_remembered_yes_needs_no_terminal_and_another_question_does(
    tmp_path: Path, passphrase: bytearray, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    vault = Vault.create(tmp_path / "vault", passphrase)
    vault.change(lambda content: agreed(content, CHECK.asked(LINES)))
    monkeypatch.setattr(consent, "open_terminal", lambda: None)
    assert consent.ask(LINES, matter=CHECK) is None
    opened.adopt(vault)
    try:
        assert consent.ask(LINES, matter=CHECK) is True
        assert "the vault remembers it" in capsys.readouterr().err
        assert consent.ask([*LINES, "• more"], matter=CHECK) is None
        assert consent.ask(LINES) is None
    finally:
        opened.adopt(None)
