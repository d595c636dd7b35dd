import os
import sys
from pathlib import Path

import pytest

from client.check import BadList, Wishes
from client.model import Rejected
from tui.intake import clean, complaint, propose, read_in


def test_pasted_text_loses_what_acts_on_a_terminal_and_keeps_its_lines() -> None:
    assert clean("a\r\nb\rc\nd") == "a\nb\nc\nd"
    assert clean("plain [b]text[/b]") == "plain [b]text[/b]"
    assert clean("x\x1b[2Jy\x07\x9b") == "x\ufffd[2Jy\ufffd\ufffd"
    assert clean("socks5://\u200b127.0.0.1:1\u202e") == "socks5://127.0.0.1:1"
    assert clean("a\tb") == "a b"


def test_text_and_file_are_taken_together_with_their_own_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# mine\nsocks5://127.0.0.1:2\nsocks5://127.0.0.1:1\n")
    reading = read_in("socks5://127.0.0.1:1\nnonsense", str(path))
    assert [(found.source, found.line) for found in reading.candidates] == [("pasted", 1), ("list.txt", 2)]
    assert (reading.duplicates, [line.line for line in reading.rejected]) == (1, [2])


@pytest.mark.parametrize(
    ("name", "said"),
    [("nowhere.txt", "nowhere.txt: there is no such file"), (".", "this is a folder")],
)
def test_a_file_that_cannot_be_read_is_named_in_one_line(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadList) as bad:
        read_in("", name)
    assert said in complaint(bad.value)
    assert "\n" not in complaint(bad.value)


def test_a_dash_is_a_file_name_here_and_never_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_text("socks5://127.0.0.1:1\n")
    assert len(read_in("", "-").candidates) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes")
def test_a_pipe_that_never_ends_is_turned_away(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadList) as bad:
        read_in("", str(tmp_path / "pipe"))
    assert "no ordinary file" in complaint(bad.value)


def test_an_evil_file_name_is_harmless_in_the_complaint() -> None:
    with pytest.raises(BadList) as bad:
        read_in("", "/nowhere/\x1b[31m[/x]\u202e")
    assert not set(complaint(bad.value)) & set("\x1b\u202e")


def test_a_list_without_an_entry_is_no_proposal() -> None:
    with pytest.raises(Rejected) as rejected:
        propose(Wishes(), "# only a comment", "")
    assert "no entry" in complaint(rejected.value)


def test_a_proposal_with_nothing_to_contact_asks_nothing() -> None:
    assert propose(Wishes(only=("http",)), "socks5://127.0.0.1:1", "").question == ()
    assert propose(Wishes(), "socks5://127.0.0.1:1", "").question
