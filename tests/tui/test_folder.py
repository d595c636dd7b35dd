import os
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from client.model import Rejected
from tui import folder
from tui.folder import Kind, beginning, fitted, listing, sized
from tui.intake import complaint

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")


@posix
def test_everything_in_a_folder_is_listed_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes(b"x" * 5)
    (tmp_path / ".hidden").write_text("")
    (tmp_path / "Z").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to("b.txt")
    (tmp_path / "folder link").symlink_to("a")
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    found = listing(tmp_path)
    assert [(entry.name, entry.kind, entry.size, entry.link) for entry in found.entries] == [
        ("a", Kind.FOLDER, 0, False),
        ("folder link", Kind.FOLDER, 0, True),
        ("Z", Kind.FOLDER, 0, False),
        (".hidden", Kind.FILE, 0, False),
        ("b.txt", Kind.FILE, 5, False),
        ("broken", Kind.BROKEN, 0, True),
        ("link", Kind.FILE, 5, True),
        ("pipe", Kind.OTHER, 0, False),
    ]
    assert found.more == 0


def test_a_folder_of_very_many_names_says_how_many_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "MOST", 3)
    for number in range(5):
        (tmp_path / str(number)).write_text("")
    found = listing(tmp_path)
    assert (len(found.entries), found.more) == (3, 2)


def test_what_is_no_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, said in ((tmp_path / "file", "no folder"), (tmp_path / "nowhere", "cannot be read")):
        with pytest.raises(Rejected) as rejected:
            listing(path)
        assert said in complaint(rejected.value)


def test_the_picker_begins_beside_the_file_that_stands_in_the_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    assert beginning("") == tmp_path
    assert beginning(str(tmp_path / "x.txt")) == tmp_path
    assert beginning(str(tmp_path)) == tmp_path
    assert beginning("/nowhere/at/all/x.txt") == tmp_path
    assert beginning("~nobody-of-this-name/x").is_dir()


def test_a_long_name_keeps_its_end_and_nothing_in_it_acts() -> None:
    assert fitted("short.txt", 20) == "short.txt"
    name = "list.txt" + " " * 60 + ".exe"
    assert fitted(name, 30).endswith(".exe")
    assert "…" in fitted(name, 30)
    for text in (name, "путь" * 30, "漢字" * 30, "\x1b[31m\u202e" * 20):
        for width in (8, 9, 30):
            assert cell_len(fitted(text, width)) <= width
            assert not set(fitted(text, width)) & set("\x1b\u202e")


def test_sizes_have_a_unit() -> None:
    assert [sized(size) for size in (0, 1023, 1536, 5 * 1024 * 1024)] == [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "5.0 MiB",
    ]
