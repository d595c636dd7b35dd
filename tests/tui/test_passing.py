"""Pass it on: from a working row to words, messages, codes and a file. Nothing is sent."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from client import i18n
from client.model import Rejected
from client.share import envelope, intake, listening, scan, sms, words
from client.share.capsule import Line, What
from client.share.seal import OneTime
from client.vault import age_file
from tests.client.share.ways import LINES, OBFS4, endpoint, entry
from tests.tui.handover import in_the_open, passing_on, read_all, type_words, words_shown
from tests.tui.support import at_home, text_of, until, until_shown
from tui import passing
from tui.passing import Load, Way
from tui.screens.codes import CodesScreen
from tui.screens.consent import ConsentScreen
from tui.screens.hearing import HearingScreen
from tui.screens.passing import PassingScreen
from tui.screens.passphrase import PassphraseScreen
from tui.screens.reading import PartsScreen, ReadingScreen

THREE = (OBFS4, LINES["webtunnel"], LINES["trojan"])
SECRET = "many small words, none of them mine"


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("SANYLAU_VAULT", str(tmp_path_factory.mktemp("v") / "vault"))
    i18n.use("en")
    yield
    monkeypatch.undo()
    i18n.use(None)


async def give_key(pilot: Pilot[Any], key: OneTime) -> None:
    """Type the receiver's 24 words."""
    await until(pilot, lambda: isinstance(pilot.app.screen, HearingScreen))
    for group in words.speak_key(key.public, "en").groups:
        await type_words(pilot, " ".join(group.said))


def understood(groups: list[str]) -> bytes:
    text = "\n".join(f"{number}. {group}" for number, group in enumerate(groups, 1))
    return listening.understand(listening.listen(text)).message


async def test_words_are_sealed_for_the_receivers_words_and_read_out_group_by_group() -> None:
    key = OneTime.new()
    async with passing_on() as (app, pilot):
        await pilot.press("1")
        await give_key(pilot, key)
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))
        await pilot.pause()
        message = understood(await read_all(pilot))
    assert envelope.kind(message) is envelope.Kind.SEALED
    taken = envelope.take(message, key=key)
    assert [entry.endpoint.reveal() for entry in taken.capsule.entries] == [OBFS4]
    assert taken.capsule.entries[0].seen.what is What.WORKING


async def test_an_address_is_on_no_screen_until_it_is_revealed() -> None:
    async with passing_on() as (app, pilot):
        assert "93.184" not in text_of(app)
        assert "addresses are masked" in text_of(app)
        await pilot.press("r")
        await until_shown(pilot, "93.184.215.14")
        await pilot.press("r")
        await until_shown(pilot, "addresses are masked")
        await in_the_open(pilot)
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))
        assert "93.184" not in text_of(app)


async def test_nothing_goes_in_the_open_before_the_warning_was_answered() -> None:
    async with passing_on() as (app, pilot):
        await pilot.press("s")
        await until_shown(pilot, "The operator, and whoever asks him")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, PassingScreen))
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, HearingScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, PassingScreen))
        await in_the_open(pilot)
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, PartsScreen))
        (message,), _notes = sms.join((part_shown(pilot),))
        assert envelope.kind(envelope.unchecked(message)) is envelope.Kind.PLAIN
        assert "This goes in the open" in text_of(app)


def part_shown(pilot: Pilot[Any]) -> str:
    """Return the message on the screen, its lines put together."""
    lines = re.findall(r"^ │   (\S+) +│$", text_of(pilot.app), re.MULTILINE)
    return "".join(lines)


async def test_messages_come_one_by_one_with_their_length_and_fit_together() -> None:
    key = OneTime.new()
    async with passing_on(*THREE) as (app, pilot):
        await pilot.press("plus", "plus", "2")
        await give_key(pilot, key)
        await until(pilot, lambda: isinstance(app.screen, PartsScreen))
        await pilot.pause()
        parts = []
        while "That was the last" not in text_of(app):
            part = part_shown(pilot)
            assert f"{len(part)} of 160 characters" in text_of(app)
            assert len(part) <= 160
            assert "in the open" not in text_of(app)
            parts.append(part)
            await pilot.press("enter")
            await pilot.pause()
        await pilot.press("w")
        await until_shown(pilot, "of 70 characters")
    assert len(parts) > 1
    found = intake.of_texts(parts[::-1])
    assert len(intake.opened(found, key=key).entries) == 3


async def test_reading_goes_on_back_to_a_number_and_letter_by_letter() -> None:
    async with passing_on() as (app, pilot):
        await in_the_open(pilot)
        await pilot.press("1")
        await until_shown(pilot, "Group 1 of")
        first = words_shown(pilot)
        await pilot.press("enter", "space")
        await until_shown(pilot, "Group 3 of")
        await pilot.press("b")
        await until_shown(pilot, "Group 2 of")
        second = words_shown(pilot)
        assert second != first
        await pilot.press("r")
        word = second.split()[0]
        await until_shown(pilot, "-".join(word.upper()))
        await pilot.press("enter")
        await until_shown(pilot, "Group 3 of")
        assert "-".join(word.upper()) not in text_of(app)
        await pilot.press("1")
        await until_shown(pilot, "Group 1 of")
        assert words_shown(pilot) == first
        await pilot.press("1")
        await until_shown(pilot, "Group 11 of")


async def test_the_words_come_in_another_language_by_one_key() -> None:
    async with passing_on() as (_app, pilot):
        await in_the_open(pilot)
        await pilot.press("1")
        await until_shown(pilot, "Words in: English")
        for name in list(words.LANGUAGES.values())[1:]:
            await pilot.press("l")
            await until_shown(pilot, f"Words in: {name}")


async def test_a_passphrase_that_was_agreed_on_is_mixed_in_and_on_no_screen() -> None:
    key = OneTime.new()
    async with passing_on() as (app, pilot):
        await pilot.press("a")
        await until_shown(pilot, "with the passphrase that you agreed")
        await pilot.press("1")
        await give_key(pilot, key)
        await until(pilot, lambda: isinstance(app.screen, PassphraseScreen))
        await type_words(pilot, SECRET)
        assert "small" not in text_of(app)
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))
        await pilot.pause()
        message = understood(await read_all(pilot))
    with pytest.raises(Rejected):
        envelope.take(message, key=key)
    assert envelope.take(message, key=key, agreed=bytearray(SECRET.encode())).capsule.entries


async def test_the_code_fills_the_screen_after_a_question_and_can_be_inverted() -> None:
    async with passing_on() as (app, pilot):
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, CodesScreen))
        await until_shown(pilot, "QR codes 1 of")
        said = codes_seen(app)
        picture = app.screen.query_one("#picture")
        assert picture.size.height >= 19
        await pilot.press("i")
        await pilot.pause()
        assert codes_seen(app) == said
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, PassingScreen))
    assert intake.opened(intake.of_codes((said,))).entries[0].endpoint.reveal() == OBFS4


def codes_seen(app: Any) -> str:
    """Return what a decoder reads off the screen, in the colours that the cells really have."""
    if not scan.available():
        pytest.skip("the extra `scan` is not installed")
    import io

    from PIL import Image
    from textual.color import Color

    rows: list[list[int]] = []
    for strip in app.screen._compositor.render_strips():
        upper: list[int] = []
        lower: list[int] = []
        for segment in strip:
            ink, paper = (
                sum(Color.from_rich_color(colour).rgb) // 3
                for colour in (segment.style.color, segment.style.bgcolor)
            )
            for char in segment.text:
                upper.append(ink if char in "█▀" else paper)
                lower.append(ink if char in "█▄" else paper)
        rows += [upper, lower]
    image = Image.new("L", (len(rows[0]), len(rows)))
    image.putdata([value for row in rows for value in row])
    out = io.BytesIO()
    image.resize((image.width * 6, image.height * 6), Image.Resampling.NEAREST).save(out, "PNG")
    (said,) = scan.read(out.getvalue())
    return said


async def test_a_window_that_is_too_small_for_a_code_says_so() -> None:
    async with passing_on(size=(80, 18)) as (app, pilot):
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until_shown(pilot, "this window is too small")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, PassingScreen))


async def test_the_file_holds_all_that_works_and_opens_with_its_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "list.age"
    async with passing_on(*THREE) as (app, pilot):
        await pilot.press("4")
        await until_shown(pilot, "3 entries go into one")
        await pilot.press("ctrl+u", *str(path).replace(" ", "_"), "enter")
        await until(pilot, lambda: isinstance(app.screen, PassphraseScreen))
        await type_words(pilot, SECRET)
        await type_words(pilot, SECRET + "x")
        await until_shown(pilot, "not the same")
        await type_words(pilot, SECRET)
        await type_words(pilot, SECRET)
        await until_shown(pilot, "is written whole")
        assert "small" not in text_of(app)
    got = intake.of_file(age_file.unseal(path.read_bytes(), bytearray(SECRET.encode())))
    assert len(got.entries) == 3
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_passphrase_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    async with passing_on() as (_app, pilot):
        await pilot.press("4")
        await until_shown(pilot, "new file")
        await pilot.press("ctrl+u", *str(tmp_path / "x.age"), "enter")
        await until_shown(pilot, "A passphrase for the file")
        await type_words(pilot, "short")
        await type_words(pilot, "short")
        await until_shown(pilot, "can be guessed")
    assert not os.listdir(tmp_path)


async def test_without_anything_to_pass_on_the_first_screen_says_what_to_do() -> None:
    async with at_home() as (app, pilot):
        await pilot.press("h")
        await until_shown(pilot, "nothing to pass on yet")
        assert not isinstance(app.screen, PassingScreen)


def test_a_code_is_made_as_large_as_the_window_allows() -> None:
    code = passing.codes(passing.message((entry(),), Way.CODE, None), rows=23, columns=80)[0]
    lines = code.strip("\n").split("\n")
    assert passing.enlarged(code, rows=23, columns=80).split("\n") == lines
    large = passing.enlarged(code, rows=49, columns=160).split("\n")
    assert len(large[0]) == 2 * len(lines[0])
    assert len(large) == 2 * len(lines)
    for line, one, other in zip(lines, large[::2], large[1::2], strict=True):
        for at, char in enumerate(line):
            upper, lower = char in "█▀", char in "█▄"
            assert one[2 * at : 2 * at + 2] == ("█" if upper else " ") * 2
            assert other[2 * at : 2 * at + 2] == ("█" if lower else " ") * 2


# what travels


def test_the_best_comes_first_and_the_file_takes_all() -> None:
    load = Load(options=[option(OBFS4), option(LINES["trojan"])])
    assert [one.endpoint.reveal() for one in load.chosen().entries] == [OBFS4]
    assert len(load.chosen(Way.FILE).entries) == 2
    for by, number in ((1, 2), (1, 2), (-1, 1), (-1, 1)):
        load.more(by)
        assert load.number == number


@pytest.mark.parametrize("line", Line)
def test_the_senders_word_on_the_line_travels_with_it(line: Line) -> None:
    load = Load(options=[option(OBFS4)], line=line)
    message = passing.message(load.chosen().entries, Way.SMS, None)
    (entry,) = envelope.take(message).capsule.entries
    assert entry.seen.line is line


@pytest.mark.parametrize("name", LINES)
def test_every_kind_of_entry_travels_by_every_way(name: str) -> None:
    entries = Load(options=[option(LINES[name])]).chosen().entries
    for way in Way:
        if way is Way.FILE:
            continue
        message = passing.message(entries, way, None)
        assert len(envelope.take(message).capsule.entries) == 1
        if way is Way.WORDS:
            assert (
                understood([" ".join(group.said) for group in passing.spoken(message, "en").groups])
                == message
            )
        else:
            found = intake.of_texts(passing.messages(message, wide=True))
            assert found.messages == (message,)


def option(text: str) -> Any:
    from client.model import Candidate, Protection, Status
    from client.options import Option

    where = endpoint(text)
    return Option(
        candidate=Candidate(where, "pasted", 1),
        transport=where.transport,
        protection=Protection.OPEN,
        status=Status.WORKING,
        id="12345678",
        seen=1e9,
    )
