from pathlib import Path

import pytest

from tui.dropped import dropped, looks_dropped, unquoted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("my list.txt", "it's.txt", "plain.txt", "список.txt"):
        (tmp_path / name).write_text("socks5://127.0.0.1:1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("{folder}/plain.txt", ["plain.txt"]),
        ("{folder}/plain.txt \n", ["plain.txt"]),
        ("{folder}/my list.txt", ["my list.txt"]),  # a terminal that quotes nothing
        ("'{folder}/my list.txt' ", ["my list.txt"]),  # VTE, Konsole
        ('"{folder}/my list.txt"', ["my list.txt"]),
        ("{folder}/my\\ list.txt", ["my list.txt"]),  # macOS
        ("'{folder}/it'\\''s.txt'", ["it's.txt"]),
        ("file://{folder}/my%20list.txt\r\n", ["my list.txt"]),
        ("file://{folder}/%D1%81%D0%BF%D0%B8%D1%81%D0%BE%D0%BA.txt", ["список.txt"]),
        ("'{folder}/my list.txt' '{folder}/plain.txt'", ["my list.txt", "plain.txt"]),
        ("{folder}/plain.txt\n{folder}/my list.txt\n", ["plain.txt", "my list.txt"]),
    ],
)
def test_a_dropped_file_is_known_however_the_terminal_writes_its_path(
    written: str, names: list[str], folder: Path
) -> None:
    text = written.format(folder=folder)
    assert looks_dropped(text)
    assert [Path(path).name for path in dropped(text)] == names


@pytest.mark.parametrize(
    "text",
    [
        "",
        "socks5://127.0.0.1:1",
        "127.0.0.1:1\n127.0.0.1:2",
        "obfs4 192.0.2.1:443 AAAA",
        "'unbalanced",
        "/nowhere/at/all.txt",
        "// a comment",
        "{folder}/plain.txt\nsocks5://127.0.0.1:1",
        "{folder}/plain.txt and more words",
        "/" + "x" * 40_000,
        "/a\0b",
        "\n".join(["{folder}/plain.txt"] * 17),
    ],
)
def test_what_is_a_list_is_never_taken_for_a_file(text: str, folder: Path) -> None:
    assert dropped(text.format(folder=folder)) == ()


def test_a_path_of_windows_keeps_its_backslashes() -> None:
    assert unquoted('"C:\\My lists\\a.txt"') == "C:\\My lists\\a.txt"
    assert unquoted("C:\\lists\\a.txt") == "C:\\lists\\a.txt"
    assert unquoted("file:///C:/lists/a.txt") == "C:/lists/a.txt"


def test_a_path_loses_its_quotes_and_other_text_stays() -> None:
    assert unquoted("'/home/a b' ") == "/home/a b"
    assert unquoted("/home/a\\ b") == "/home/a b"
    assert unquoted("list.txt") == "list.txt"
    assert unquoted("it's") == "it's"
