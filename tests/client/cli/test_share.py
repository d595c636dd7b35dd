"""`sanylau share` and `sanylau take`, as two people use them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client import parse
from client.share import envelope, sign, words
from client.share.capsule import Capsule, Entry
from client.share.seal import OneTime
from tests.client.cli.commands import ROOT, Ended, on_terminal, sanylau, surroundings
from tests.client.cli.passing import BRIDGE, Talk, bridges, handed_on, rows

SECRET = "1.2.3.4"


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("way", ["words", "sms"])
async def test_a_bridge_comes_out_as_it_went_in(way: str, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    shared, taken = await handed_on(way, [bridges(tmp_path)], ["-o", str(out)], tmp_path)
    assert (shared.status, taken.status) == (0, 0), shared.err + taken.err
    assert lines(out) == [BRIDGE]
    assert "It was sealed" in taken.err
    assert "not tested by the sender" in taken.err
    assert SECRET not in shared.everything + taken.everything
    assert oct(out.stat().st_mode & 0o777) == "0o600"


async def test_a_sealed_bridge_takes_eighty_words_before_repair_and_checks_and_one_message(
    tmp_path: Path,
) -> None:
    shared, _taken = await handed_on("words", [bridges(tmp_path)], [], tmp_path)
    groups = [group.split() for group in rows(shared.out)]
    assert {len(group) for group in groups} == {5}
    assert 4 * len(groups) - 4 <= 80
    shared, _taken = await handed_on("sms", [bridges(tmp_path)], [], tmp_path)
    assert len(shared.out.strip()) <= 160
    assert shared.out.count("SY") == 1


async def test_the_sealed_words_of_one_receiver_open_nothing_for_another(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    shared, _taken = await handed_on("sms", [bridges(tmp_path)], [], tmp_path / "one")
    other = await sanylau("take", "--sms", "--all", "--reveal", stdin=shared.out.encode())
    assert other.status == 2
    assert "sealed to another key" in other.err
    assert SECRET not in other.everything
    file = await sanylau("take", "-", stdin=shared.out.encode())
    assert (file.status, "keep one `sanylau take` open" in file.err) == (2, True)


@pytest.mark.parametrize("way", ["words", "sms"])
async def test_plain_asks_with_a_warning_and_without_a_terminal_wants_yes(way: str, tmp_path: Path) -> None:
    name = bridges(tmp_path)
    alone = await sanylau("share", name, f"--{way}", "--plain", "--all")
    assert (alone.status, alone.out) == (2, "")
    async with on_terminal("share", name, f"--{way}", "--plain", "--all", streams="2") as terminal:
        talk = Talk(terminal)
        asked = await talk.answer("[y/N]", "n")
        refused = await terminal.end()
    assert "is burned" in " ".join(asked.split())
    assert (refused.status, refused.out) == (2, "")
    async with on_terminal("share", name, f"--{way}", "--plain", "--all", streams="2") as terminal:
        await Talk(terminal).answer("[y/N]", "y")
        done = await terminal.end()
    assert done.status == 0
    got = await sanylau("take", f"--{way}", "--plain", "--all", "--reveal", stdin=done.out.encode())
    assert BRIDGE in got.out
    assert "It was not sealed" in got.err


async def test_two_people_on_the_telephone_with_a_misheard_word(tmp_path: Path) -> None:
    async with (
        on_terminal(
            "take", "--words", "-o", str(tmp_path / "out.txt"), env={"HOME": str(tmp_path)}
        ) as inside,
        on_terminal("share", bridges(tmp_path), "--words") as outside,
    ):
        taking, sharing = Talk(inside), Talk(outside)
        key = rows(await taking.answer("Press Enter", ""))
        assert len(key) == 6
        for number, group in enumerate(key, 1):  # four letters of each word are enough
            await sharing.answer(
                f"Group {number} of 6:", " ".join(word[:4] for word in group.split()).upper()
            )
        heard: dict[int, list[str]] = {}
        await sharing.until("There are")
        while True:
            text = await sharing.until("›")
            found = re.search(r"Group ([0-9]+) of ([0-9]+):\r\n(.*?)›", text, re.DOTALL)
            assert found is not None, text
            heard[int(found[1])] = found[3].replace("✓", "").split()
            outside_again = int(found[1]) == 2 and len(heard) == 2
            outside.type("r\n" if outside_again else "\n")
            if outside_again:
                again = await sharing.until("›")
                assert heard[2] == again.partition(":")[2].replace("✓", "").replace("›", "").split()
                outside.type("\n")
            if found[1] == found[2]:
                break
        for number, said in heard.items():
            if number == 3:
                wrong = "zebra" if said[1] != "zebra" else "zoo"
                await taking.answer("Group 3:", " ".join([said[0], wrong, *said[2:]]))
                await taking.until("misheard")
                await taking.answer("k: keep", "k")
            else:
                await taking.answer(f"Group {number}:", " ".join(said))
        await taking.answer(f"Group {len(heard) + 1}:", "")
        repaired = await taking.until("entry came")
        taken, shared = await inside.end(), await outside.end()
    assert "Repaired: word 2 of group 3" in repaired
    assert (taken.status, shared.status) == (0, 0)
    assert lines(tmp_path / "out.txt") == [BRIDGE]
    assert SECRET not in taken.everything + shared.everything


async def test_codes_on_a_terminal_and_pictures_come_through(tmp_path: Path) -> None:
    name = bridges(tmp_path)
    picture = tmp_path / "code.png"
    made = await sanylau("share", name, "--image", str(picture))
    assert (made.status, made.out) == (0, "")
    got = await sanylau("take", "--image", str(picture), "--reveal")
    assert BRIDGE in got.out
    as_file = await sanylau("take", str(picture), "--reveal")
    assert as_file.out == got.out
    shown = await sanylau("share", name, "--qr")
    assert "Code 1 of 1" in shown.err
    assert len(shown.out.splitlines()[0]) == len(shown.out.splitlines()[-1])
    again = await sanylau("share", name, "--image", str(picture))
    assert again.status == 2


async def test_a_file_on_a_stick_holds_the_whole_list_and_opens_with_the_passphrase_only(
    tmp_path: Path,
) -> None:
    name = bridges(tmp_path, BRIDGE, "socks5://u:p@1.2.3.5:1080")
    path = str(tmp_path / "way.age")
    async with on_terminal("share", name, "--file", path, "--plain") as terminal:
        talk = Talk(terminal)
        await talk.answer("[y/N]", "y")
        await talk.whisper("Passphrase of the file:", "five words from the old song")
        await talk.whisper("Once more:", "five words from the old song")
        shared = await terminal.end()
    assert shared.status == 0, shared.everything
    assert "old song" not in shared.everything
    assert SECRET not in shared.everything
    assert SECRET.encode() not in (tmp_path / "way.age").read_bytes()
    assert lines(tmp_path / "way.age.txt") == [BRIDGE, "socks5://u:p@1.2.3.5:1080"]
    async with on_terminal("take", path, "-o", str(tmp_path / "out.txt")) as terminal:
        await Talk(terminal).whisper("Passphrase of the file:", "five words from the old song")
        taken = await terminal.end()
    assert taken.status == 0, taken.everything
    assert (tmp_path / "out.txt").read_bytes() == (tmp_path / "way.age.txt").read_bytes()
    async with on_terminal("take", path, "-o", str(tmp_path / "none.txt")) as terminal:
        await Talk(terminal).whisper("Passphrase of the file:", "another song")
        wrong = await terminal.end()
    assert wrong.status == 2
    assert not (tmp_path / "none.txt").exists()


async def test_what_was_seen_travels_along_as_the_word_of_the_sender(tmp_path: Path) -> None:
    found = {"v": 1, "type": "result", "status": "working", "transport": "obfs4", "candidate": BRIDGE}
    started = {"v": 1, "type": "started", "at": time.time() - 7200}
    path = tmp_path / "results.jsonl"
    path.write_text(f"{json.dumps(started)}\n{json.dumps(found)}\n")
    shared = await sanylau(
        "share", "--results", str(path), "--sms", "--plain", "--yes", "--network", "mobile"
    )
    taken = await sanylau(
        "take", "--sms", "--plain", "--all", "--json", "--reveal", stdin=shared.out.encode()
    )
    (entry,), (end,) = taken.of_type("entry"), taken.of_type("taken")
    assert (entry["seen"], entry["age"], entry["network"], entry["candidate"]) == (
        "working",
        1,
        "mobile",
        BRIDGE,
    )
    assert (end["entries"], end["sealed"]) == (1, False)
    masked = await sanylau("take", "--sms", "--plain", "--all", stdin=shared.out.encode())
    assert "was working less than 6 hours ago, on a mobile line" in masked.err
    assert SECRET not in masked.everything


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["share"], "--words"),
        (["share", "list", "--words", "--sms"], "choose one way"),
        (["share", "--words"], "name what is to be passed on"),
        (["share", "none.txt", "--words", "--plain", "--yes"], "no such file"),
        (["share", "list", "--words", "--plain", "--agreed"], "--plain does not seal"),
        (["share", "list", "--qr", "--json"], "--json goes with"),
        (["share", "list", "--program", "."], "leave out the list"),
        (["share", "--program", ".", "--bundle", "."], "no bundle"),
        (["share", "list", "--image", "a.gif"], ".png or .svg"),
        (["take"], "say how it comes"),
        (["take", "a", "--words"], "one thing at a time"),
        (["take", "--words"], "no terminal to type on"),
        (["take", "none.txt"], "no such file"),
        (["take", "--words", "--plain", "--agreed"], "--plain is not sealed"),
    ],
)
async def test_wrong_usage_is_one_clear_end_and_no_traceback(arguments: list[str], said: str) -> None:
    done = await sanylau(*arguments)
    assert done.status == 2
    assert said in done.err
    assert "Traceback" not in done.err


async def test_the_program_is_handed_on_with_its_fingerprint(tmp_path: Path) -> None:
    import hashlib

    from tools.bundle_wheels import sums

    folder = tmp_path / "made" / "termux"
    folder.mkdir(parents=True)
    (folder / "start.sh").write_text("#!/bin/sh\n")
    (folder / "SHA256SUMS").write_text(sums(folder))
    (tmp_path / "stick").mkdir()
    done = await sanylau("share", "--program", str(tmp_path / "stick"), "--bundle", str(tmp_path / "made"))
    fingerprint = hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    assert (done.status, done.out) == (0, f"termux  {fingerprint}\n"), done.err
    assert (tmp_path / "stick" / "termux" / "start.sh").read_text() == "#!/bin/sh\n"
    again = await sanylau("share", "--program", str(tmp_path / "stick"), "--bundle", str(tmp_path / "made"))
    assert again.status == 2
    assert "is in that folder already" in again.err


async def test_the_reader_goes_back_and_forth_and_stops(tmp_path: Path) -> None:
    key = tmp_path / "key.txt"
    key.write_text(words.speak_key(OneTime.new().public, "ru").text(), "utf-8")
    async with on_terminal(
        "share", bridges(tmp_path), "--words", "--to-file", str(key), "--language", "ru"
    ) as terminal:
        talk = Talk(terminal)
        first = await talk.answer("›", "")
        second = await talk.answer("›", "b")
        again = await talk.answer("›", "21")
        last = await talk.answer("›", "r")
        repeated = await talk.answer("›", "q")
        done = await terminal.end()
    assert "Русский" in first
    assert second.count("Group 2 of 21") == 1
    assert again.split("Group 1 of 21:")[1] == first.split("Group 1 of 21:")[1].replace("›", "›", 1)
    assert last.split("Group 21 of 21:")[1] == repeated.split("Group 21 of 21:")[1]
    assert done.status == 130


@contextmanager
def whispered(text: str) -> Iterator[int]:
    reading, writing = os.pipe()
    try:
        os.write(writing, text.encode() + b"\n")
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


async def test_a_passphrase_that_can_be_guessed_protects_no_file_from_a_descriptor_either(
    tmp_path: Path,
) -> None:
    path = tmp_path / "way.age"
    with whispered("short") as descriptor:
        given = ("--file", str(path), "--secret-fd", str(descriptor))
        refused = await sanylau("share", bridges(tmp_path), *given, pass_fds=(descriptor,))
    assert refused.status == 2
    assert "can be guessed" in refused.err
    assert not path.exists()


async def test_a_picture_of_no_known_kind_is_refused_before_anybody_reads_words_for_it(
    tmp_path: Path,
) -> None:
    refused = await sanylau("share", bridges(tmp_path), "--image", str(tmp_path / "a.gif"), "--sealed")
    assert (refused.status, len(refused.err.splitlines())) == (2, 1)
    assert ".png or .svg" in refused.err


async def test_an_agreed_passphrase_is_needed_at_both_ends(tmp_path: Path) -> None:
    for theirs, opens in (("the blue gate at noon", True), ("the blue gate at one", False)):
        with whispered("the blue gate at noon") as mine, whispered(theirs) as other:
            shared, taken = await handed_on(
                "sms",
                [bridges(tmp_path), "--agreed", "--secret-fd", str(mine)],
                ["--agreed", "--secret-fd", str(other), "--reveal"],
                tmp_path,
                fds=(mine, other),
            )
        assert (taken.status == 0) is opens
        assert (BRIDGE in taken.out) is opens
        assert "blue gate" not in shared.everything + taken.everything


async def test_a_signature_is_known_by_the_name_that_its_words_were_kept_under(tmp_path: Path) -> None:
    env = {"SANYLAU_VAULT": str(tmp_path / "vault"), "HOME": str(tmp_path)}
    (tmp_path / "vault").mkdir(mode=0o700)

    async def with_vault(*arguments: str, stdin: bytes = b"") -> Ended:
        with whispered("long words of the vault") as descriptor:
            given = (*arguments, "--passphrase-fd", str(descriptor))
            return await sanylau(*given, stdin=stdin, env=env, pass_fds=(descriptor,))

    made = await with_vault("vault", "create")
    assert made.status == 0, made.everything
    key = await with_vault("share", "--my-key")
    assert len(rows(key.out)) == 6, key.everything
    shared = await with_vault("share", bridges(tmp_path), "--sms", "--plain", "--yes", "--sign")
    assert shared.out.count("SY") == 2
    stranger = await with_vault("take", "--sms", "--plain", "--all", stdin=shared.out.encode())
    assert "a key that is not known here" in stranger.err
    keeping = ("take", "--signer", "Aigul", "--passphrase-fd", "0")
    phrase = b"long words of the vault\n"
    async with on_terminal(*keeping, env=env, streams="12", stdin=phrase) as terminal:
        await Talk(terminal).answer("Group 1 of 6:", " ".join(rows(key.out)))
        kept = await terminal.end()
    assert kept.status == 0, kept.everything
    known = await with_vault("take", "--sms", "--plain", "--all", "--add", "taken", stdin=shared.out.encode())
    assert "Signed by Aigul" in known.err
    assert known.status == 0, known.err
    other = " ".join(" ".join(group.said) for group in words.speak_key(sign.public(sign.new()), "en").groups)
    async with on_terminal(*keeping, env=env, streams="12", stdin=phrase) as terminal:
        talk = Talk(terminal)
        await talk.answer("Group 1 of 6:", other)
        await talk.answer("Go on? [y/N]", "n")
        replaced = await terminal.end()
    assert replaced.status == 2
    assert "has another key in your vault already" in " ".join(replaced.everything.split())
    still = await with_vault("take", "--sms", "--plain", "--all", stdin=shared.out.encode())
    assert "Signed by Aigul" in still.err
    again = await with_vault("share", "vault:taken", "--sms", "--plain", "--yes")
    back = await sanylau("take", "-", "--reveal", stdin=again.out.encode())
    assert BRIDGE in back.out


WITHOUT = "import sys; sys.modules['cryptography'] = None; from client.__main__ import main; sys.exit(main())"


async def test_where_cryptography_is_missing_one_line_says_what_to_install(tmp_path: Path) -> None:
    capsule = Capsule(entries=(Entry(endpoint=parse.read([("", BRIDGE)]).candidates[0].endpoint),))
    (tmp_path / "signed").write_bytes(envelope.checked(envelope.signed(capsule, sign.new())))
    public = sign.public(sign.new())
    (tmp_path / "plain").write_bytes(envelope.checked(envelope.plain(capsule)))

    async def without(*arguments: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WITHOUT, *arguments),
            cwd=ROOT,
            env=surroundings(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        out, err = await asyncio.wait_for(process.communicate(), 20)
        return process.returncode or 0, out.decode(), err.decode()

    (tmp_path / "key.txt").write_text(words.speak_key(public, "en").text())
    to_file = ("--to-file", str(tmp_path / "key.txt"))
    for arguments in (
        ("take", "--sms", "--all"),
        ("share", bridges(tmp_path), "--sms", *to_file),
        ("take", str(tmp_path / "signed"), "--reveal"),
    ):
        status, out, err = await without(*arguments)
        assert (status, out) == (2, "")
        assert "cryptography" in err
    status, out, _err = await without("take", str(tmp_path / "plain"), "--reveal")
    assert (status, BRIDGE in out) == (0, True)
