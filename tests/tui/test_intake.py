import os
import sys
from pathlib import Path

import pytest

from client import parse
from client.check import BadList, Wishes
from client.model import Reading, Rejected
from tui import intake
from tui.intake import Basket, clean, complaint, load, propose


def read(basket: Basket) -> Reading:
    return parse.read(basket.texts())


def of(text: str) -> Reading:
    return parse.read([("pasted", text)])


def test_pasted_text_loses_what_acts_on_a_terminal_and_keeps_its_lines() -> None:
    assert clean("a\r\nb\rc\nd") == "a\nb\nc\nd"
    assert clean("plain [b]text[/b]") == "plain [b]text[/b]"
    assert clean("x\x1b[2Jy\x07\x9b") == "x\ufffd[2Jy\ufffd\ufffd"
    assert clean("socks5://\u200b127.0.0.1:1\u202e") == "socks5://127.0.0.1:1"
    assert clean("a\tb") == "a b"


def test_text_and_file_are_taken_together_with_their_own_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# mine\nsocks5://127.0.0.1:2\nsocks5://127.0.0.1:1\n")
    basket = Basket(Wishes())
    basket.edit("socks5://127.0.0.1:1\nnonsense")
    whole, text = load(str(path))
    basket.add(intake.shown_name(whole), text, whole)
    reading = read(basket)
    assert [(found.source, found.line) for found in reading.candidates] == [("pasted", 1), ("list.txt", 2)]
    assert (reading.duplicates, [line.line for line in reading.rejected]) == (1, [2])
    assert intake.per_source(reading) == {"pasted": (1, 1), "list.txt": (1, 0)}


def test_every_change_makes_the_reading_stale_and_no_change_does_not() -> None:
    basket = Basket(Wishes())
    assert basket.is_empty
    assert basket.edit("socks5://127.0.0.1:1")
    basket.reading = read(basket)
    assert not basket.edit("socks5://127.0.0.1:1")
    assert basket.reading is not None
    before = basket.stamp
    basket.add("more", "socks5://127.0.0.1:2")
    assert basket.reading is None
    assert basket.stamp > before
    basket.reading = read(basket)
    basket.remove(0)
    assert basket.reading is None
    assert [name for name, _text in basket.texts()] == ["pasted"]


def test_lists_with_the_same_name_are_told_apart_and_a_file_given_twice_is_there_once() -> None:
    basket = Basket(Wishes())
    for path in ("/a/list.txt", "/b/list.txt", "/a/list.txt"):
        basket.add("list.txt", f"socks5://127.0.0.1:1#{path}", path)
    assert sorted(source.name for source in basket.sources) == ["list.txt", "list.txt 2"]
    assert sorted(source.path for source in basket.sources) == ["/a/list.txt", "/b/list.txt"]
    assert basket.add("pasted", "x").name == "pasted 2"


def test_what_was_piped_in_and_named_at_the_start_is_in_the_basket() -> None:
    basket = Basket(Wishes(lists=("-", "mine.txt")), "socks5://127.0.0.1:1\n")
    assert [(source.name, source.lines) for source in basket.sources] == [("standard input", 1)]
    assert basket.awaited == ["mine.txt"]
    assert basket.wishes.lists == ()
    assert Basket(Wishes(), " \n").is_empty


def test_another_language_has_another_name_for_what_was_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    basket = Basket(Wishes())
    basket.edit("nonsense")
    basket.reading = read(basket)
    basket.rename()
    assert basket.reading is not None
    monkeypatch.setattr(intake, "pasted_name", lambda: "вставлено")
    basket.rename()
    assert basket.reading is None
    assert read(basket).rejected[0].source == "вставлено"


def test_a_basket_has_a_limit_in_number_and_in_size() -> None:
    basket = Basket(Wishes())
    for number in range(intake.MOST_SOURCES):
        basket.add(f"list {number}", "x")
    with pytest.raises(Rejected) as rejected:
        basket.add("one more", "x")
    assert f"more than {intake.MOST_SOURCES} lists" in complaint(rejected.value)
    large = Basket(Wishes())
    for number in range(4):
        large.add(f"list {number}", "x" * intake.LARGEST)
    with pytest.raises(Rejected) as rejected:
        large.add("one more", "x")
    assert "larger than 32 MiB" in complaint(rejected.value)


def test_no_list_and_no_path_stands_in_a_log() -> None:
    basket = Basket(Wishes(), "socks5://user:secret@127.0.0.1:1")
    basket.add("list.txt", "secret", "/home/secret/list.txt")
    assert "secret" not in repr(basket)
    assert "secret" not in repr(basket.sources)


@pytest.mark.parametrize(
    ("text", "present", "long"),
    [
        ("x", "", False),
        ("x\n" * intake.EDITED_LINES, "", False),
        ("x\n" * intake.EDITED_LINES, "y\n", True),
        ("x" * (intake.EDITED_CHARACTERS + 1), "", True),
    ],
)
def test_only_what_is_quick_to_edit_goes_into_the_edit_field(text: str, present: str, long: bool) -> None:
    assert intake.is_too_long_to_edit(text, present) is long


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.txt", "nowhere.txt: there is no such file"),
        (".", "this is a folder"),
        ("a\0b", "there is no such file"),
        ("~nobody-of-this-name/x", "there is no such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_in_one_line(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadList) as bad:
        load(name)
    assert said in complaint(bad.value)
    assert "\n" not in complaint(bad.value)


def test_a_dash_is_a_file_name_here_and_never_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_text("socks5://127.0.0.1:1\n")
    assert load("-")[1] == "socks5://127.0.0.1:1\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes")
def test_a_pipe_that_never_ends_is_turned_away(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadList) as bad:
        load(str(tmp_path / "pipe"))
    assert "no ordinary file" in complaint(bad.value)


def test_an_evil_file_name_is_harmless_in_the_complaint_and_in_its_lines() -> None:
    name = "/nowhere/\x1b[31m[/x]\u202e"
    with pytest.raises(BadList) as bad:
        load(name)
    assert not set(complaint(bad.value)) & set("\x1b\u202e")
    assert not set(intake.shown_name(name)) & set("\x1b\u202e")


def test_the_summary_counts_what_was_found_by_kind() -> None:
    reading = of("socks5://127.0.0.1:1\nsocks5://127.0.0.1:2\nhttp://127.0.0.1:3\n127.0.0.1:4\nno\n")
    assert intake.counted(reading) == "5 entries read · 4 to test · 0 duplicates · 1 rejected"
    assert intake.by_kind(reading) == "socks5 2 · http 1 · http or socks5 1"


def test_a_list_without_an_entry_is_no_proposal() -> None:
    with pytest.raises(Rejected) as rejected:
        propose(Wishes(), of("# only a comment"))
    assert "no entry" in complaint(rejected.value)


def test_a_proposal_with_nothing_to_contact_asks_nothing() -> None:
    assert propose(Wishes(only=("http",)), of("socks5://127.0.0.1:1")).question == ()
    assert propose(Wishes(), of("socks5://127.0.0.1:1")).question
