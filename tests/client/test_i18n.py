from collections.abc import Iterator

import pytest

from client import i18n
from client.i18n import LANGUAGES, ngettext, say, use
from client.model import Message


@pytest.fixture(autouse=True)
def _own_language(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "en")
    use(None)
    yield
    monkeypatch.undo()
    use(None)


def test_a_message_is_said_with_its_braces_filled() -> None:
    assert say(Message("stopped after {kib} KiB", {"kib": 16})) == "stopped after 16 KiB"


def test_a_message_inside_a_message_is_said_too() -> None:
    assert (
        say(Message("{what}!", {"what": Message("froze after {kib} KiB", {"kib": 1})}))
        == "froze after 1 KiB!"
    )


def test_a_text_is_found_by_what_it_is_called_in_any_language() -> None:
    use("kk")
    found = i18n.everywhere("Colours: dark")
    assert {"Colours: dark", "Цвета: тёмные", "Түстер: қараңғы"} <= set(found)
    assert i18n.everywhere("no such text") == ("no such text",)


@pytest.mark.parametrize(("n", "text"), [(1, "one entry"), (2, "2 entries"), (0, "0 entries")])
def test_the_number_chooses_the_form(n: int, text: str) -> None:
    assert ngettext("one entry", "{n} entries", n) == text
    assert say(Message("one entry", plural="{n} entries", n=n, values={"n": n})) == text


def test_braces_in_a_value_are_never_filled_again() -> None:
    assert say(Message("{source}", {"source": "{password}"})) == "{password}"
    assert say(Message("a brace { alone")) == "a brace { alone"


def test_no_message_says_nothing() -> None:
    assert say(Message("")) == ""


@pytest.mark.parametrize("language", [*LANGUAGES, None])
def test_every_language_says_something_also_without_its_catalog(language: str | None) -> None:
    use(language)
    assert i18n._("working")
    assert ngettext("{n} try", "{n} tries", 5)
