"""Words taken down from somebody who reads them out, with what people type instead of what they should."""

from __future__ import annotations

import io
import os

from client.cli import speaking
from client.cli.desk import Desk, Left
from client.share import words


class Person(Desk):
    """Answers from a list, and keeps what it was shown."""

    def __init__(self, *answers: str) -> None:
        super().__init__(io.StringIO())
        self.answers = list(answers)
        self.seen = ""

    def ask(self, prompt: str) -> str:
        self.seen += prompt + "\n"
        if not self.answers:
            raise Left
        return self.answers.pop(0)

    def _write(self, text: str) -> None:
        self.seen += text


def said(spoken: words.Spoken) -> list[str]:
    return [" ".join(group.said) for group in spoken.groups]


def test_a_group_that_is_typed_again_where_a_letter_is_asked_for_counts() -> None:
    public = os.urandom(32)
    groups = said(words.speak_key(public, "en"))
    person = Person(groups[0], "hello world", *groups[1:])
    assert speaking.take_key(person) == public


def test_a_group_without_which_nothing_fits_is_asked_for_first_and_then_no_other() -> None:
    message = bytes(range(100, 159)) + os.urandom(49)
    groups = said(words.speak(message, "en"))
    wrong = groups[1].split()
    wrong[1] = "abandon" if wrong[1] != "abandon" else "zoo"
    typed = [groups[0], " ".join(wrong), "k", *groups[2:4], "s", *groups[5:], ""]
    person = Person(*typed, groups[4])
    assert speaking.take_words(person) == message
    assert "Group 5 again:" in person.seen
    assert "Group 2 again:" not in person.seen


def test_a_key_with_a_wrong_word_of_the_list_is_said_to_have_one() -> None:
    public = bytes(range(32))
    groups = said(words.speak_key(public, "en"))
    wrong = " ".join(["abandon", *groups[2].split()[1:]])
    person = Person(*groups[:2], wrong, *groups[3:], "3", groups[2])
    assert speaking.take_key(person) == public
    assert "one of them is not the right one" in " ".join(person.seen.split())


def test_who_types_russian_words_need_not_change_the_layout_for_a_letter() -> None:
    message = bytes(range(100, 159)) + os.urandom(49)
    groups = said(words.speak(message, "ru"))
    wrong = " ".join(["абзац", "абзац", *groups[1].split()[2:]])
    person = Person(groups[0], wrong, "л", *groups[2:4], "ы", *groups[5:], "", groups[4], groups[1])
    assert speaking.take_words(person) == message
    reader = Person("", "и", "к", "й")
    assert not speaking.read_out(reader, words.speak(message, "ru"))
    assert not reader.answers
