"""Take in: words as they are read out, messages, files and photos; then shown masked, and kept only if wanted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from client import i18n
from client.share import envelope, listing, qr, scan, words
from client.share.capsule import Capsule
from client.share.envelope import checked, plain, sealed
from client.share.seal import OneTime
from client.vault import age_file
from tests.client.share.ways import LINES, OBFS4, capsule, entry
from tests.tui.handover import in_the_open, passing_on, read_all, taking_in, type_words
from tests.tui.support import paste, text_of, until, until_shown
from tui import passing, taking
from tui.app import SanylauApp
from tui.screens.consent import ConsentScreen
from tui.screens.files import FilePicker
from tui.screens.hearing import HearingScreen
from tui.screens.importing import ImportScreen
from tui.screens.incoming import KeyScreen, MessagesScreen
from tui.screens.passphrase import PassphraseScreen
from tui.screens.reading import ReadingScreen
from tui.screens.taken import TakenScreen
from tui.screens.taking import TakingScreen

SECRET = "many small words, none of them mine"
INWARD = "socks5://192.168.1.1:1080"


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("SANYLAU_VAULT", str(tmp_path_factory.mktemp("v") / "vault"))
    i18n.use("en")
    yield
    monkeypatch.undo()
    i18n.use(None)


async def my_key(app: SanylauApp, pilot: Pilot[Any], way: str) -> bytes:
    """Choose a way, read the words of the key off the screen as a sender hears them, and go on."""
    from client.share import listening

    await pilot.press(way)
    await until(pilot, lambda: isinstance(app.screen, KeyScreen))
    await pilot.pause()
    rows = [line.strip(" │").split() for line in text_of(app).splitlines() if line.startswith(" │   ")]
    public = listening.understand_key(listening.listen("\n".join(" ".join(row) for row in rows), key=True))
    await pilot.press("enter")
    return public


async def test_what_one_screen_reads_out_another_one_takes_in() -> None:
    async with taking_in() as (app, pilot):
        public = await my_key(app, pilot, "1")
        await until(pilot, lambda: isinstance(app.screen, HearingScreen))
        message = sealed(plain(capsule()), public)
        for group in passing.spoken(message, "en").groups:
            await type_words(pilot, " ".join(group.said))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TakenScreen))
        await until_shown(pilot, "It was sealed")
        assert "93.184" not in text_of(app)
        await pilot.press("r")
        await until_shown(pilot, "93.184.215.14")


async def test_words_in_the_open_go_from_screen_to_screen_without_a_key() -> None:
    async with passing_on() as (app, pilot):
        await in_the_open(pilot)
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))
        await pilot.pause()
        groups = await read_all(pilot)
    async with taking_in() as (app, pilot):
        await pilot.press("s", "1")
        await until(pilot, lambda: isinstance(app.screen, HearingScreen))
        wrong = groups[1].split()
        wrong[2] = "zoo" if wrong[2] != "zoo" else "able"
        for number, group in enumerate(groups):
            if number == 1:
                await type_words(pilot, " ".join(wrong))
                if "keeps it as it is" not in text_of(app):  # a likely one was offered: mend nothing, keep
                    await pilot.press("ctrl+u")
                    await type_words(pilot, "2 " + group)
                else:
                    await pilot.press("enter")
            else:
                await type_words(pilot, group)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TakenScreen))
        await until_shown(pilot, "It was not sealed")


async def test_a_misspelled_word_is_offered_and_enter_takes_it() -> None:
    group = " ".join(words.speak(plain(capsule()), "en").groups[0].said)
    typed = group.split()
    longest = max(range(5), key=lambda place: len(typed[place]))
    typed[longest] = typed[longest][0] + typed[longest][2] + typed[longest][1] + typed[longest][3:]
    async with taking_in() as (app, pilot):
        await pilot.press("s", "1")
        await until(pilot, lambda: isinstance(app.screen, HearingScreen))
        await type_words(pilot, " ".join(typed), by_key=True)
        await until_shown(pilot, "Enter takes it")
        await pilot.press("enter")
        await until_shown(pilot, "Group 2:")
        assert f"1 ✔ {' '.join(group.split()[:4])}" in text_of(app)


async def test_a_group_is_left_out_or_typed_once_more_by_a_key() -> None:
    groups = words.speak(plain(capsule()), "en").groups
    async with taking_in() as (app, pilot):
        await pilot.press("s", "1")
        await until(pilot, lambda: isinstance(app.screen, HearingScreen))
        await type_words(pilot, " ".join(groups[0].said))
        await pilot.press("down")
        await until_shown(pilot, "Group 3:")
        await pilot.press("up")
        await until_shown(pilot, "Group 2:")
        await pilot.press("up")
        await until_shown(pilot, "Group 1:")
        assert "1 ✔" not in text_of(app)


async def test_pasted_messages_say_what_is_missing_until_all_are_there() -> None:
    async with taking_in() as (app, pilot):
        public = await my_key(app, pilot, "2")
        await until(pilot, lambda: isinstance(app.screen, MessagesScreen))
        message = sealed(plain(Capsule(entries=(entry(), entry(LINES["webtunnel"])))), public)
        parts = passing.messages(message, wide=True)
        assert len(parts) > 2
        await paste(pilot, "\n".join(parts[2:]))
        await until_shown(pilot, "missing: 1, 2")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "are missing")
        await paste(pilot, "\n" + "\n".join(parts[:2]))
        await until_shown(pilot, f"{len(parts)} of {len(parts)} here")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, TakenScreen))
        await until_shown(pilot, "2 entries came")


async def test_messages_for_another_key_are_refused_with_what_to_do() -> None:
    async with taking_in() as (app, pilot):
        await my_key(app, pilot, "2")
        await until(pilot, lambda: isinstance(app.screen, MessagesScreen))
        message = sealed(plain(capsule()), OneTime.new().public)
        await paste(pilot, "\n".join(passing.messages(message, wide=False)))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, TakingScreen))
        await until_shown(pilot, "start again with a new key")


async def take_file(app: SanylauApp, pilot: Pilot[Any], path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose a file by keyboard."""
    monkeypatch.chdir(path.parent)
    await pilot.press("3")
    await until(pilot, lambda: isinstance(app.screen, FilePicker))
    await until_shown(pilot, path.name[:20])
    await pilot.press(path.name[0], "enter")


async def test_an_encrypted_file_asks_for_its_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, _lost = listing.write(Capsule(entries=(entry(), entry(LINES["trojan"]))))
    path = tmp_path / "list.age"
    path.write_bytes(age_file.seal(text.encode(), bytearray(SECRET.encode())))
    async with taking_in() as (app, pilot):
        await take_file(app, pilot, path, monkeypatch)
        await until(pilot, lambda: isinstance(app.screen, PassphraseScreen))
        await type_words(pilot, "not this one")
        await until(pilot, lambda: "One moment" not in text_of(app) and "Enter" in text_of(app))
        assert isinstance(app.screen, PassphraseScreen)
        await type_words(pilot, SECRET)
        await until(pilot, lambda: isinstance(app.screen, TakenScreen))
        await until_shown(pilot, "2 entries came")
        assert "small" not in text_of(app)


async def test_a_photo_of_a_code_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not scan.available():
        pytest.skip("the extra `scan` is not installed")
    path = tmp_path / "photo.png"
    path.write_bytes(qr.as_png(checked(plain(capsule(), whole=True)))[0])
    async with taking_in() as (app, pilot):
        await take_file(app, pilot, path, monkeypatch)
        await until(pilot, lambda: isinstance(app.screen, TakenScreen))
        await until_shown(pilot, "1 entry came")


async def test_a_file_of_something_else_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear all,\n\x1b[31m[/x] nothing in here.\n")
    async with taking_in() as (app, pilot):
        await take_file(app, pilot, path, monkeypatch)
        await until_shown(pilot, "nothing in it")
        assert isinstance(app.screen, TakingScreen)


async def taken(pilot: Pilot[Any], *texts: str) -> None:
    """Take entries in, by pasted messages in the open."""
    message = envelope.plain(Capsule(entries=tuple(map(entry, texts))), whole=True)
    await pilot.press("s", "2")
    await until(pilot, lambda: isinstance(pilot.app.screen, MessagesScreen))
    await paste(pilot, "\n".join(passing.messages(message, wide=False)))
    await pilot.press("ctrl+s")
    await until(pilot, lambda: isinstance(pilot.app.screen, TakenScreen))
    await pilot.pause()


async def test_what_leads_into_a_private_network_is_left_out_unless_it_is_wanted() -> None:
    async with taking_in() as (app, pilot):
        await taken(pilot, OBFS4, INWARD)
        assert "left out. i takes it" in " ".join(text_of(app).split())
        await pilot.press("m")
        await until(pilot, lambda: app.basket.sources)
        assert "192.168" not in app.basket.sources[0].text
        await pilot.press("i", "m")
        await until(pilot, lambda: len(app.basket.sources) == 2)
        assert "192.168.1.1" in app.basket.sources[1].text


async def test_nothing_is_tested_before_the_question_was_answered() -> None:
    async with taking_in() as (app, pilot):
        await taken(pilot, "socks5://127.0.0.1:9")
        await pilot.press("i", "t")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await until_shown(pilot, "Before the first packet")
        await pilot.press("n")
        await until_shown(pilot, "Nothing was sent")
        assert app.session is None


async def test_it_is_kept_in_a_vault_that_is_made_on_the_way() -> None:
    from client.vault import opened

    try:
        async with taking_in() as (app, pilot):
            await taken(pilot, OBFS4)
            await pilot.press("k")
            await until(pilot, lambda: isinstance(app.screen, PassphraseScreen))
            await type_words(pilot, SECRET)
            await type_words(pilot, SECRET)
            await until_shown(pilot, "Kept in the vault, in the list taken")
            vault = opened.current()
            assert vault is not None
            assert vault.content.lists == {"taken": (OBFS4,)}
    finally:
        opened.adopt(None)


async def test_what_was_put_to_the_own_list_can_be_checked_there() -> None:
    async with taking_in() as (app, pilot):
        await taken(pilot, OBFS4)
        await pilot.press("m", "escape", "escape", "2")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await until_shown(pilot, "1 to test")


def test_of_two_capsules_each_is_told_what_is_missing() -> None:
    one = passing.messages(plain(capsule(OBFS4, LINES["webtunnel"])), wide=True)
    other = passing.messages(plain(capsule(LINES["vless"])), wide=True)
    said = taking.missing("\n".join([one[0], other[1]])).splitlines()
    assert len(said) == 2
    assert "missing: 1" in said[1]
    assert taking.missing("hello") == ""
    assert "far too long" in taking.missing("x" * 300_000)


def test_a_part_that_was_changed_is_told_from_one_that_is_missing() -> None:
    parts = list(passing.messages(plain(capsule(OBFS4, LINES["webtunnel"])), wide=True))
    parts[0] = parts[0].replace(parts[0][20], "A" if parts[0][20] != "A" else "B", 1)
    assert "damaged: 1" in taking.missing("\n".join(parts))
