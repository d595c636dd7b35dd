"""`sanylau take`: whatever comes, and what becomes of it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.client.cli.commands import on_terminal, sanylau
from tests.client.cli.passing import BRIDGE, PRIVATE, Talk, bridges, rows

SECRET = "1.2.3.4"


async def test_messages_are_pasted_one_by_one_until_nothing_is_missing(tmp_path: Path) -> None:
    name = bridges(tmp_path, BRIDGE, "trojan://secret-word@far.example:443?sni=far.example")
    shared = await sanylau("share", name, "--sms", "--plain", "--yes", "--number", "2", "--wide")
    texts = shared.out.split()
    assert len(texts) > 2
    async with on_terminal("take", "--sms", "--plain", "--reveal", streams="2") as terminal:
        talk = Talk(terminal)
        await talk.until("Paste the messages")
        for text in texts[1:]:
            await talk.answer("›", text)
        missing = await talk.answer("›", "")
        missing = await talk.until("is missing")
        assert "1 of" in missing
        terminal.type(texts[0] + "\n")
        done = await terminal.end()
    assert done.status == 0, done.everything
    assert BRIDGE in done.out
    assert "trojan://secret-word@far.example:443" in done.out


async def test_a_photo_of_another_code_is_said_to_be_another(tmp_path: Path) -> None:
    import segno

    segno.make("https://example.org/menu").save(str(tmp_path / "menu.png"), scale=6)
    got = await sanylau("take", "--image", str(tmp_path / "menu.png"))
    assert got.status == 2
    assert "this QR code is of something else" in got.err
    (tmp_path / "text.jpg").write_bytes(b"\xff\xd8\xffno picture")
    got = await sanylau("take", "--image", str(tmp_path / "text.jpg"))
    assert "no picture that can be read" in got.err


async def test_entries_that_lead_inward_are_named_and_left_out_unless_wanted(tmp_path: Path) -> None:
    name = bridges(tmp_path, PRIVATE)
    shared = await sanylau("share", name, "--sms", "--plain", "--yes")
    kept_out = await sanylau("take", "--sms", "--plain", "--all", "--reveal", stdin=shared.out.encode())
    assert (kept_out.status, kept_out.out) == (1, "")
    assert "leads into a private network" in kept_out.err
    wanted = await sanylau(
        "take", "--sms", "--plain", "--all", "--reveal", "--inward", stdin=shared.out.encode()
    )
    assert PRIVATE in wanted.out


async def test_nothing_is_tested_or_shown_without_being_asked_for(tmp_path: Path) -> None:
    shared = await sanylau("share", bridges(tmp_path), "--sms", "--plain", "--yes")
    got = await sanylau(
        "take", "--sms", "--plain", "--all", stdin=shared.out.encode(), env={"HOME": str(tmp_path)}
    )
    assert (got.status, got.out) == (1, "")
    assert "--check tests it" in got.err
    asked = await sanylau("take", "--sms", "--plain", "--all", "--check", stdin=shared.out.encode())
    assert asked.status == 2
    assert "nothing was sent" in asked.err


async def test_a_list_that_somebody_sends_as_text_is_taken_in_too(tmp_path: Path) -> None:
    got = await sanylau("take", "-", "--reveal", stdin=f"Hi, try this one:\n{BRIDGE}\nbye".encode())
    assert BRIDGE in got.out
    nothing = await sanylau("take", "-", stdin=b"Hello, how are you?")
    assert nothing.status == 2
    assert "nothing in it that could be taken in" in nothing.err


async def test_a_gigabyte_and_a_newer_version_are_refused_in_one_line(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 30)
    huge = await sanylau("take", str(tmp_path / "huge"))
    assert (huge.status, len(huge.err.splitlines())) == (2, 1)
    from client.share.envelope import checked

    (tmp_path / "newer").write_bytes(checked(b"\x05" + bytes([250]) * 80))
    newer = await sanylau("take", str(tmp_path / "newer"))
    assert (newer.status, len(newer.err.splitlines())) == (2, 1)
    assert "newer version" in newer.err


async def test_parts_of_two_capsules_do_not_mix(tmp_path: Path) -> None:
    from client.share import sms

    one, two = sms.split(os.urandom(200)), sms.split(os.urandom(200))
    got = await sanylau("take", "-", stdin="\n".join([one[0], two[1]]).encode())
    assert got.status == 2
    assert "is missing" in got.err


async def test_standard_input_beyond_its_limit_is_refused(tmp_path: Path) -> None:
    got = await sanylau("take", "--sms", "--plain", "--all", stdin=b"SY1/2abc:" + b"A" * 300_000)
    assert got.status == 2
    assert "far too long" in got.err


async def test_somebody_at_a_terminal_is_asked_what_to_do_with_it(tmp_path: Path) -> None:
    shared = await sanylau("share", bridges(tmp_path), "--sms", "--plain", "--yes")
    async with on_terminal("take", "--sms", "--plain", env={"HOME": str(tmp_path)}) as terminal:
        talk = Talk(terminal)
        await talk.answer("›", shared.out.strip())
        before = await talk.answer("nothing more.", "t")
        asked = await talk.answer("[y/N]", "n")
        await talk.answer("nothing more.", "s")
        after = await talk.answer("nothing more.", "")
        done = await terminal.end()
    assert "1 entry of your list will be contacted" in asked
    assert SECRET not in before
    assert BRIDGE in after.replace("\r\n", "").replace("\n", "")
    assert done.status == 0


@pytest.mark.parametrize("way", ["--image", "--file"])
async def test_pictures_and_files_can_be_sealed_for_the_words_of_a_take_that_waits(
    way: str, tmp_path: Path
) -> None:
    path = tmp_path / "code.png"
    arguments = [way, str(path)] if way == "--image" else [str(path)]
    async with on_terminal("take", *arguments, "--sealed", "--reveal", streams="2") as terminal:
        talk = Talk(terminal)
        shown = await talk.until("is here:")
        (tmp_path / "key.txt").write_text("\n".join(rows(shown)))
        shared = await sanylau(
            "share", bridges(tmp_path), way, str(path), "--to-file", str(tmp_path / "key.txt")
        )
        assert shared.status == 0, shared.err
        terminal.type("\n")
        taken = await terminal.end()
    assert BRIDGE in taken.out
    assert "It was sealed" in taken.everything
    unsealed = await sanylau("take", *arguments, "--reveal")
    assert unsealed.status == 2
    assert BRIDGE not in unsealed.out


async def test_what_stands_in_a_pasted_message_behind_its_capsule_chooses_nothing(tmp_path: Path) -> None:
    shared = await sanylau("share", bridges(tmp_path), "--sms", "--plain", "--yes")
    async with on_terminal("take", "--sms", "--plain", env={"HOME": str(tmp_path)}) as terminal:
        talk = Talk(terminal)
        await talk.answer("›", f"{shared.out.strip()}\ns\ns\n")
        await talk.until("nothing more.")
        await asyncio.sleep(0.5)
        terminal.type("\n")
        done = await terminal.end()
    assert done.status == 1
    assert SECRET not in done.everything


async def test_what_is_signed_and_not_sealed_is_said_to_be_open_too(tmp_path: Path) -> None:
    from client.share import choosing

    told = [one.id for one in choosing.how_it_came("Aigul", "0badcafe0badcafe", sealed=False)]
    assert told == ["Signed by {name}, whose key you know.", "It was not sealed: others may have read it."]
    stranger = choosing.how_it_came("", "0badcafe0badcafe", sealed=True)
    assert "Signed" not in stranger[0].id
    assert "It was sealed" in stranger[1].id
