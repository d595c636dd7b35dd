import asyncio
import time
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from client import i18n
from client.check import Wishes
from tests.tui.importing import Alone, importing
from tests.tui.support import at_home, paste, text_of, until, until_shown
from tui.screens.consent import ConsentScreen
from tui.screens.files import FilePicker
from tui.screens.importing import ImportScreen
from tui.widgets.entry_list import EntryList
from tui.widgets.inputs import ListArea, masked
from tui.widgets.own_pages import Fold
from tui.widgets.source_list import SourceList

SECRET = "socks5://user:tellnobody@127.0.0.1:9050"
BIG = "".join(f"socks5://u{n}:p@127.0.{n // 250 % 250}.{n % 250}:{1 + n % 60000}\n" for n in range(100_000))


def area_of(app: Alone) -> ListArea:
    return app.screen.query_one(ListArea)


# what stands in the lists


async def test_a_paste_is_counted_by_kind_and_rejected_lines_have_their_reason() -> None:
    async with importing() as (_app, pilot):
        await paste(pilot, f"{SECRET}\n{SECRET}\nnonsense\nhttp://127.0.0.1:1\n")
        await until_shown(pilot, "4 entries read · 2 to test · 1 duplicate · 1 rejected")
        await until_shown(pilot, "http 1 · socks5 1")
        await until_shown(pilot, "✘ pasted, line 3: no proxy, share link or bridge in this line")
        await until_shown(pilot, "+ pasted, line 1: socks5 ••••••••")


async def test_a_paste_is_masked_until_it_is_revealed_and_masked_again() -> None:
    async with importing() as (app, pilot):
        await paste(pilot, f"{SECRET}\nobfs4 192.0.2.1:443 {'A' * 40} cert=hush{'A' * 66} iat-mode=0\n")
        await until_shown(pilot, "+ pasted, line 2: obfs4 ••••••••")
        shown = text_of(app)
        assert "socks5://••••" in shown
        assert "addresses are masked" in shown
        for secret in ("tellnobody", "9050", "127.0", "192.0", "AAAA", "hush"):
            assert secret not in shown
        await pilot.press("ctrl+r")
        await until_shown(pilot, "+ pasted, line 1: socks5://user:tellnobody@127.0.0.1:9050")
        assert "1  socks5://user:tellnobody@127.0.0.1:9050" in text_of(app)
        assert "addresses are shown" in text_of(app)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "tellnobody" not in text_of(app))


async def test_the_line_ends_of_a_terminal_make_lines() -> None:
    async with importing() as (app, pilot):
        await paste(pilot, "socks5://127.0.0.1:1\rno\r\nsocks5://127.0.0.1:2")
        await until_shown(pilot, "3 entries read · 2 to test")
        assert area_of(app).document.line_count == 3


async def test_what_is_typed_is_masked_and_read_as_well() -> None:
    async with importing() as (app, pilot):
        await pilot.press(*"127.0.0.1:8080", "enter", *"no")
        await until_shown(pilot, "2 entries read · 1 to test · 0 duplicates · 1 rejected")
        assert "127.0.0.1" not in text_of(app)
        assert area_of(app).text == "127.0.0.1:8080\nno"


async def test_the_reason_of_a_rejected_line_is_shown_whole_and_once_and_leads_to_the_line() -> None:
    async with importing() as (app, pilot):
        await paste(pilot, "socks5://127.0.0.1:1\n\nobfs4 192.0.2.1:443 AAAA cert=abc\n")
        await until_shown(pilot, "a fingerprint has 40 hexadecimal digits: this\n   one has another length")
        await pilot.press("shift+tab")
        assert isinstance(app.focused, EntryList)
        assert text_of(app).count("✘") == 1
        await until_shown(pilot, "2 entries read")
        await pilot.press("down", "home", "enter")
        await until(pilot, lambda: app.focused is area_of(app))
        assert area_of(app).cursor_location == (2, 0)


async def test_thousands_of_rejected_lines_are_walked_through_and_the_cursor_stays_in_sight() -> None:
    async with importing() as (app, pilot):
        bad = "obfs4 192.0.2.1:443 AAAA cert=abc\n"
        await paste(pilot, bad * 1500 + SECRET)
        await until_shown(pilot, "1 to test")
        await pilot.press("shift+tab")
        entries = app.screen.query_one(EntryList)
        assert entries.virtual_size.height == 500 * 2 + 1000 + 1
        for key, line in (("pagedown", ""), ("down", ""), ("end", "1501"), ("up", "1500"), ("home", "1")):
            await pilot.press(key)
            await pilot.pause()
            row, top = entries._cursor, entries._top(entries._cursor)
            assert entries.scroll_offset.y <= top
            assert entries._top(row + 1) <= entries.scroll_offset.y + entries.size.height
            assert not line or f"line {line}:" in text_of(app)
        await pilot.click(entries, offset=(1, 3))  # the second line of the second row
        assert entries._cursor == 1
        await pilot.press("end", "enter")
        await until(pilot, lambda: app.focused is area_of(app))
        assert area_of(app).cursor_location == (1500, 0)


async def test_what_is_said_stays_when_the_keyboard_leaves_the_entries() -> None:
    async with importing() as (app, pilot):
        await paste(pilot, "nonsense")
        await until_shown(pilot, "1 entry read")
        await pilot.press("shift+tab", "ctrl+s")
        await until_shown(pilot, "Nothing here can be tested")
        await pilot.press("tab", "shift+tab", "down")
        assert "Nothing here can be tested" in text_of(app)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("socks5://u:p@127.0.0.1:1", "socks5://•••••••••••••••"),
        ("obfs4 192.0.2.1:443 AB", "obfs4 ••••••••••••• ••"),
        ("Bridge obfs4 192.0.2.1:443", "Bridge obfs4 •••••••••••••"),
        ("127.0.0.1:1", "•••••••••••"),
        ("# a friend's", "# • ••••••••"),
        ("путь 漢é", "•••• ＊•"),
        ("", ""),
    ],
)
def test_a_masked_line_tells_its_kind_and_no_more(line: str, shown: str) -> None:
    assert masked(line) == shown
    assert len(masked(line)) == len(line)


# large, hostile, wrong


@pytest.mark.parametrize("given", ["paste", "pipe"])
async def test_five_mebibytes_are_taken_in_without_a_freeze(given: str) -> None:
    worst = 0.0
    over = False

    async def watch() -> None:
        nonlocal worst
        while not over:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            worst = max(worst, time.perf_counter() - before)

    async with importing(given=BIG if given == "pipe" else "") as (app, pilot), asyncio.TaskGroup() as group:
        group.create_task(watch(), name="watch")
        if given == "paste":
            await paste(pilot, BIG.replace("\n", "\r"))  # as terminals do
        await until_shown(pilot, "100000 entries read · 100000 to test", limit=40)
        await pilot.press("x")
        over = True
        assert area_of(app).text == "x"
        assert "100000 lines" in text_of(app)
        assert ("pasted 2" if given == "paste" else "standard input") in text_of(app)
    assert worst < 1.0  # a paste that is read in the loop takes several seconds


async def test_more_than_can_be_taken_is_turned_away_in_one_line() -> None:
    async with importing() as (app, pilot):
        await paste(pilot, "x" * (8 * 1024 * 1024 + 1))
        await until_shown(pilot, "Too much to paste at once: the limit is 8 MiB")
        assert app.basket.is_empty


HOSTILE = """[/x]
[@click=app.quit]press me[/]
\x1b[31mred\x1b[2J\x07
\u202e3212.0.0.721
socks5://[/x]:1
socks5://user[@click=app.quit]:pass@127.0.0.1:9#[@click=app.quit]\u202e
foo[b]://bar
"""


async def test_hostile_text_and_names_never_style_crash_or_act(tmp_path: Path) -> None:
    name = "[@click=app.quit]x[b]\x1b[31m\u202e.txt"
    (tmp_path / name).write_text(HOSTILE + "x" * 10_000)
    async with importing() as (app, pilot):
        await paste(pilot, HOSTILE)
        await until_shown(pilot, "✘ pasted, line 1:")
        await paste(pilot, str(tmp_path / name))
        await until_shown(pilot, "▪ [@click=app.quit]x[")
        await pilot.press("ctrl+r", "shift+tab", "end", "home", "down", "enter")
        for key in ("", "ctrl+o"):
            if key:
                app.basket.field = str(tmp_path / "x")
                await pilot.press(key)
                await until(pilot, lambda: isinstance(app.screen, FilePicker))
                await until_shown(pilot, "1 name, hidden ones too.")
            for strip in app.screen._compositor.render_strips():
                for segment in strip:
                    assert not set(segment.text) & set("\x1b\x07\u202e\r")
                    if segment.style and "click" in str(segment.style.meta.get("@click", "")):
                        pytest.fail("a list made something clickable")
        assert app.is_running


async def test_an_empty_form_and_a_missing_file_each_give_one_clear_line() -> None:
    async with importing() as (app, pilot):
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Paste a list or name a file first.")
        await pilot.press("tab", *"nowhere.txt", "ctrl+s")
        await until_shown(pilot, "nowhere.txt: there is no such file")
        assert app.asked == []


async def test_a_list_of_nothing_but_rejected_lines_is_mended_here() -> None:
    async with importing() as (app, pilot):
        await paste(pilot, "nonsense")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Nothing here can be tested: mend the lines below")
        await until_shown(pilot, "✘ pasted, line 1")
        assert app.asked == []


# files


async def test_a_dropped_file_is_taken_in_from_wherever_the_keyboard_is(tmp_path: Path) -> None:
    (tmp_path / "my list.txt").write_text("socks5://127.0.0.1:1\nno\n")
    (tmp_path / "other.txt").write_text("socks5://127.0.0.1:2\n")
    async with importing() as (app, pilot):
        await paste(pilot, f"'{tmp_path / 'my list.txt'}' ")
        await until_shown(pilot, "my list.txt · 24 B · 2 lines · 1 to test · 1 rejected")
        assert area_of(app).text == ""
        app.screen.query_one("#profile").focus()
        await pilot.pause()
        await paste(pilot, str(tmp_path / "other.txt"))
        await until_shown(pilot, "other.txt · 21 B · 1 line · 1 to test · 0 rejected")
        await until_shown(pilot, "✘ my list.txt, line 2:")


async def test_a_path_that_leads_nowhere_is_read_as_a_line_of_the_list() -> None:
    async with importing() as (app, pilot):
        await paste(pilot, "/nowhere/list.txt")
        await until_shown(pilot, "1 entry read · 0 to test · 0 duplicates · 1 rejected")
        assert area_of(app).text == "/nowhere/list.txt"


async def test_a_named_file_becomes_a_list_and_leaves_the_field_for_another(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("socks5://127.0.0.1:1\n")
    async with importing() as (app, pilot):
        await pilot.press("tab")
        await paste(pilot, f"'{path}'")
        assert app.screen.query_one("#file", Input).value == str(path)
        await pilot.press("enter")
        await until_shown(pilot, "list.txt · 21 B · 1 line · 1 to test")
        assert app.screen.query_one("#file", Input).value == ""


async def test_a_list_can_be_taken_out_again(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("socks5://127.0.0.1:1\n")
    async with importing(Wishes(lists=(str(tmp_path / "list.txt"),)), given="nonsense") as (app, pilot):
        await until_shown(pilot, "standard input · 8 B")
        await until_shown(pilot, "2 entries read")
        app.screen.query_one(SourceList).focus()
        await pilot.press("down", "backspace")
        await until_shown(pilot, "1 entry read · 0 to test")
        await pilot.press("backspace")
        await until(pilot, lambda: app.basket.is_empty)
        await until(pilot, lambda: "standard input" not in text_of(app))
        assert app.focused is area_of(app)


async def test_a_file_is_found_and_chosen_by_keyboard(tmp_path: Path) -> None:
    (tmp_path / "a folder" / "deep").mkdir(parents=True)
    (tmp_path / "a folder" / ".hidden list").write_text("socks5://127.0.0.1:1\nsocks5://127.0.0.1:2\n")
    (tmp_path / "a folder" / "zebra").symlink_to("nowhere")
    async with importing() as (app, pilot):
        app.basket.field = str(tmp_path)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, FilePicker))
        await until_shown(pilot, "▸ a folder")
        assert "⏎ Open  ← Folder above  esc Back" in text_of(app).replace("enter", "⏎")
        await pilot.press("a", "enter")
        await until_shown(pilot, "3 names, hidden ones too.")
        shown = text_of(app)
        assert ".hidden list" in shown
        assert "42 B" in shown
        assert "↪ cannot be read" in shown
        await pilot.press("z", "enter")
        await until_shown(pilot, "This is no file that can be read as a list.")
        await pilot.press("left")
        await until_shown(pilot, "1 name, hidden ones too.")
        names = app.screen.query_one(OptionList)
        assert names.highlighted == 1  # on the folder that was left
        await pilot.press("enter")
        await until_shown(pilot, ".hidden list")
        await pilot.press(".", "enter")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await until_shown(pilot, ".hidden list · 42 B · 2 lines · 2 to test")


async def test_escape_leaves_the_picker_and_then_the_screen_and_the_lists_stay() -> None:
    async with importing() as (app, pilot):
        await paste(pilot, SECRET)
        await until_shown(pilot, "1 entry read")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, FilePicker))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ImportScreen))
        assert app.is_running
        app.push_screen(ImportScreen(app.basket))
        await until_shown(pilot, "1 entry read · 1 to test")
        assert area_of(app).text == SECRET


# pace, pages, the question


async def test_the_fast_pace_tells_its_risk_and_goes_into_the_question() -> None:
    async with importing() as (app, pilot):
        assert "● quiet   ○ normal   ○ fast" in text_of(app)
        await pilot.press("tab", "tab", "left")
        assert "○ quiet   ○ normal   ● fast" in text_of(app)
        await until_shown(pilot, "⚠ Thousands of connections at once look like an attack")
        await pilot.press("right")
        await until_shown(pilot, "the least noticed")
        await pilot.press("left", "shift+tab", "shift+tab")
        await paste(pilot, SECRET)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.asked)
        assert app.asked[0].wishes.profile == "fast"
        assert [found.endpoint.port for found in app.asked[0].reading.candidates] == [9050]


async def test_own_pages_unfold_and_go_into_the_question() -> None:
    async with importing() as (app, pilot):
        await until_shown(pilot, "▸ test pages  the built-in pages are fetched")
        await paste(pilot, SECRET)
        await pilot.press("tab", "tab", "tab", "tab")
        assert isinstance(app.focused, Fold)
        await pilot.press("enter")
        await until_shown(pilot, "--target         An https page to fetch instead of the built-in ones.")
        await pilot.press("tab", *"https://127.0.0.1/x")
        await until_shown(pilot, "▾ test pages  your own pages are fetched")
        await pilot.press("tab", "tab", "tab", "tab", "right", "ctrl+s")
        await until(pilot, lambda: app.asked)
        wishes = app.asked[0].wishes
        assert (wishes.target, wishes.bulk_target, wishes.trusted) == ("https://127.0.0.1/x", None, True)


async def test_pages_set_beforehand_are_shown_and_a_complaint_about_one_unfolds_them() -> None:
    async with importing(Wishes(target="nonsense")) as (_app, pilot):
        await until_shown(pilot, "--target         nonsense")
        await pilot.pause()
    async with importing() as (app, pilot):
        screen = app.screen
        assert isinstance(screen, ImportScreen)
        screen.complain("--target: the URL must begin with https://")
        await until_shown(pilot, "--plain-target")


async def test_a_check_asked_for_at_once_waits_for_the_reading(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("socks5://127.0.0.1:2\n")
    async with importing(Wishes(lists=("x.txt",))) as (app, pilot):
        await until_shown(pilot, "x.txt: there is no such file")
        await paste(pilot, BIG[:1_000_000])
        app.screen.query_one("#file").focus()
        await pilot.pause()
        await paste(pilot, str(tmp_path / "list.txt"))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.asked, 40)
        reading = app.asked[0].reading
        assert {found.source for found in reading.candidates} == {"pasted 2", "list.txt"}
        assert len(app.asked) == 1


async def test_the_form_is_whole_on_a_small_screen_with_everything_in_it(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("no\n" * 5)
    async with importing(Wishes(target="https://127.0.0.1/"), given="x\n" * 9) as (app, pilot):
        await paste(pilot, str(tmp_path / "list.txt"))
        await paste(pilot, f"{SECRET}\nno\n")
        await until_shown(pilot, "✘ pasted, line 2")
        for wanted in (
            "Check my own list",
            "the list",
            "standard input",
            "or a file",
            "pace",
            "▸ Check",
            "test pages",
            "^s Check",
            "^o File",
            "^r Reveal",
            "esc Back",
        ):
            assert wanted in text_of(app), wanted


async def test_a_change_of_language_loses_nothing_and_says_everything_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    (tmp_path / "list.txt").write_text("no\n")
    try:
        async with at_home() as (app, pilot):
            await pilot.press("2")
            await until(pilot, lambda: isinstance(app.screen, ImportScreen))
            await paste(pilot, f"{SECRET}\nno\n")
            await paste(pilot, str(tmp_path / "list.txt"))
            await until_shown(pilot, "3 entries read")
            await pilot.press("f3", "f3")
            await until_shown(pilot, "Прочитано 3 записи")
            shown = text_of(app)
            for wanted in ("адреса скрыты", "● тихо", "list.txt · 3", "1  socks5://••••", "Проверить"):
                assert wanted in shown
            assert "tellnobody" not in shown
            await pilot.press("escape", "2")
            await until_shown(pilot, "Прочитано 3 записи")
    finally:
        i18n.use("en")


async def test_what_is_said_no_to_is_still_there_and_nothing_was_sent() -> None:
    async with at_home() as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await paste(pilot, SECRET)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await until_shown(pilot, "1 entry of your list will be contacted")
        assert "tellnobody" not in text_of(app)
        await pilot.press("n")
        await until_shown(pilot, "Nothing was sent.")
        screen = app.screen
        assert isinstance(screen, ImportScreen)
        screen._read_soon(0)  # as where news of the list came late
        await pilot.pause(0.6)
        assert "Nothing was sent." in text_of(app)
        assert app.session is None
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("escape")
        await until_shown(pilot, "Nothing was sent.")
        assert "1  socks5://••••" in text_of(app)


async def test_a_target_that_is_no_url_is_said_where_it_stands() -> None:
    async with at_home(Wishes(target="nonsense")) as (_app, pilot):
        await pilot.press("2")
        await until_shown(pilot, "--target         nonsense")
        await paste(pilot, SECRET)
        await pilot.press("ctrl+s")
        await until_shown(pilot, "--target: the URL must begin with https://")
