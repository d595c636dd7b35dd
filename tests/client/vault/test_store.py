"""The vault in its folder: nothing that was saved is lost, nothing that was altered is used."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from client.vault import content as contents
from client.vault import place, store
from client.vault.age_file import CLOSED
from client.vault.content import Content
from client.vault.keys import Key
from client.vault.store import Vault, files
from tests.client.vault.programs import age, needs_age
from transports.types import Rejected

ROOT = Path(__file__).parents[3]
WRONG = bytearray(b"six other words, none of them right")
posix = pytest.mark.skipif(sys.platform == "win32", reason="rights, links and limits of this kind")

pytestmark = pytest.mark.usefixtures("cheap")


@pytest.fixture
def folder(tmp_path: Path, cheap: None, passphrase: bytearray) -> Path:
    Vault.create(tmp_path / "vault", passphrase)
    return tmp_path / "vault"


def opened(folder: Path) -> Vault:
    from tests.client.vault.savers import opened

    return opened(folder)


def add(vault: Vault, *lines: str) -> Content:
    return vault.change(lambda content: contents.with_list(content, "main", lines))


def main(vault: Vault) -> Sequence[str]:
    return vault.content.lists.get("main", ())


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def refused(folder: Path, passphrase: bytearray) -> Rejected:
    with pytest.raises(Rejected) as caught:
        Vault.open(folder, passphrase)
    return caught.value


def saver(what: str, *more: str | Path) -> list[str]:
    return [sys.executable, "-m", "tests.client.vault.savers", what, *map(str, more)]


def ran(*command: str, **more: object) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=40, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def flipped(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_what_is_saved_is_there_when_it_is_opened_again(folder: Path) -> None:
    add(opened(folder), "a line", "ещё одна")
    vault = opened(folder)
    assert main(vault) == ("a line", "ещё одна")
    assert vault.notice is None


def test_the_key_for_short_names_stays_the_same(folder: Path) -> None:
    first = opened(folder).content.id_key
    add(opened(folder), "a line")
    assert opened(folder).content.id_key == first


def test_the_files_hold_nothing_that_can_be_read(folder: Path) -> None:
    add(opened(folder), "obfs4 192.0.2.77:443 somewhere")
    whole = b"".join(path.read_bytes() for path in files(folder))
    for word in (b"192.0.2.77", b"obfs4", b"main", b"sanylau", b"AGE-SECRET-KEY", b"age1"):
        assert word not in whole.replace(b"age-encryption.org/v1", b"")


@posix
def test_files_and_folder_are_for_their_owner_only(tmp_path: Path, passphrase: bytearray) -> None:
    before = os.umask(0)
    try:
        folder = tmp_path / "new" / "vault"
        vault = Vault.create(folder, passphrase)
        add(vault, "a line")
    finally:
        os.umask(before)
    assert {oct(one.stat().st_mode & 0o777) for one in files(folder)} == {"0o600"}
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    assert names(folder) == ["key.age", "vault.age"]


@posix
def test_files_that_others_may_read_are_closed_to_them_when_they_are_opened(folder: Path) -> None:
    for one in files(folder):
        one.chmod(0o666)
    opened(folder)
    assert {oct(one.stat().st_mode & 0o777) for one in files(folder)} == {"0o600"}


@needs_age
def test_both_files_open_with_the_age_program(tmp_path: Path, passphrase: bytearray) -> None:
    import gzip

    folder = tmp_path / "vault"
    add(Vault.create(folder, passphrase), "a line")
    plain = age("-d", "-i", folder / "key.age", folder / "vault.age", passphrase=passphrase.decode())
    assert b'"main":["a line"]' in gzip.decompress(plain)


# the passphrase


def test_a_wrong_passphrase_and_an_altered_key_are_refused_with_the_same_words(
    folder: Path, passphrase: bytearray
) -> None:
    told = {(refused(folder, WRONG).reason, str(refused(folder, WRONG).values))}
    key = folder / "key.age"
    good = key.read_bytes()
    for at in range(len(good)):
        flipped(key, at)
        told.add((refused(folder, passphrase).reason, str(refused(folder, passphrase).values)))
        key.write_bytes(good[:at])
        told.add((refused(folder, passphrase).reason, str(refused(folder, passphrase).values)))
        key.write_bytes(good)
    key.write_bytes(good * 1000)
    told.add((refused(folder, passphrase).reason, str(refused(folder, passphrase).values)))
    assert told == {(CLOSED, "{}")}
    key.write_bytes(good)
    assert names(folder) == ["key.age", "vault.age"]
    opened(folder)


def test_a_key_file_with_something_else_in_it_is_refused_with_the_same_words(
    folder: Path, passphrase: bytearray
) -> None:
    from client.vault.age_file import seal

    for text in (b"", b"no key\n", b"AGE-SECRET-KEY-1\n", "ключ\n".encode(), b"# only words\n", b"\xff"):
        (folder / "key.age").write_bytes(seal(text, passphrase, work=4))
        assert refused(folder, passphrase).reason == CLOSED


def test_another_passphrase_opens_what_was_saved_and_the_old_one_does_not(
    folder: Path, passphrase: bytearray
) -> None:
    vault = opened(folder)
    add(vault, "a line")
    vault.set_passphrase(WRONG)
    assert refused(folder, passphrase).reason == CLOSED
    assert main(Vault.open(folder, WRONG)) == ("a line",)
    add(vault, "another")
    assert main(Vault.open(folder, WRONG)) == ("a line", "another")


def test_a_passphrase_changed_elsewhere_does_not_stop_a_save(folder: Path) -> None:
    vault = opened(folder)
    opened(folder).set_passphrase(WRONG)
    add(vault, "a line")
    add(vault, "another")
    assert main(Vault.open(folder, WRONG)) == ("a line", "another")


def test_of_two_who_change_the_passphrase_at_once_the_second_is_told(folder: Path) -> None:
    one, other = opened(folder), opened(folder)
    one.set_passphrase(WRONG)
    with pytest.raises(Rejected, match="replaced"):
        other.set_passphrase(bytearray(b"a third one, said too late"))
    Vault.open(folder, WRONG)


# altered content


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "longer", "text", "of another vault", "huge"])
def test_altered_content_is_refused_kept_aside_and_named(
    folder: Path, harm: str, passphrase: bytearray
) -> None:
    add(opened(folder), "a line")
    data = folder / "vault.age"
    good = data.read_bytes()
    if harm == "flip":
        flipped(data, len(good) // 2)
    elif harm == "huge":
        with data.open("r+b") as file:
            file.truncate(1 << 30)
    else:
        other = Key.new().encrypt(contents.encode(Content()))
        known = {"cut": good[:-1], "empty": b"", "longer": good + b"x", "text": b"text"}
        data.write_bytes(known.get(harm, other))
    size = data.stat().st_size
    rejected = refused(folder, passphrase)
    assert rejected.values == {"name": "vault.refused-1.age"}
    assert (folder / "vault.refused-1.age").stat().st_size == size
    assert names(folder) == ["key.age", "vault.refused-1.age"]
    again = opened(folder)
    assert again.notice is not None
    assert again.content.lists == {}
    (folder / "vault.refused-1.age").unlink()
    data.write_bytes(good)  # a copy that was put back
    assert main(opened(folder)) == ("a line",)


def test_encrypted_nonsense_is_refused_like_any_other_alteration(folder: Path, passphrase: bytearray) -> None:
    key = Key.unsealed((folder / "key.age").read_bytes(), passphrase)
    (folder / "vault.age").write_bytes(key.encrypt(b"not what a vault holds"))
    assert refused(folder, passphrase).values == {"name": "vault.refused-1.age"}


def test_content_of_a_newer_version_is_left_where_it_is(folder: Path, passphrase: bytearray) -> None:
    import gzip

    key = Key.unsealed((folder / "key.age").read_bytes(), passphrase)
    (folder / "vault.age").write_bytes(key.encrypt(gzip.compress(b'{"v": 2}')))
    assert "newer version" in refused(folder, passphrase).reason
    assert names(folder) == ["key.age", "vault.age"]


def test_several_refused_files_are_kept_and_none_is_overwritten(folder: Path, passphrase: bytearray) -> None:
    for number in range(1, place.MOST_ASIDE + 1):
        (folder / "vault.age").write_bytes(b"wrong %d" % number)
        refused(folder, passphrase)
    assert (folder / "vault.refused-1.age").read_bytes() == b"wrong 1"
    assert (folder / "vault.refused-20.age").read_bytes() == b"wrong 20"
    (folder / "vault.age").write_bytes(b"one more")
    assert "too many" in refused(folder, passphrase).reason
    assert (folder / "vault.age").read_bytes() == b"one more"


def test_content_altered_while_the_vault_is_open_does_not_cost_what_is_open(folder: Path) -> None:
    vault = opened(folder)
    add(vault, "a line")
    (folder / "vault.age").write_bytes(b"altered")
    add(vault, "another")
    assert vault.notice is not None
    assert vault.notice.values == {"name": "vault.refused-1.age"}
    assert main(opened(folder)) == ("a line", "another")
    assert (folder / "vault.refused-1.age").read_bytes() == b"altered"


# two at once


def test_two_open_vaults_see_what_the_other_has_saved(folder: Path) -> None:
    one, other = opened(folder), opened(folder)
    add(one, "a")
    add(other, "b")
    assert main(one) == ("a",)
    add(one, "c")
    assert main(one) == ("a", "b", "c") == main(opened(folder))


def test_two_processes_at_once_lose_nothing(folder: Path) -> None:
    running = [
        subprocess.Popen(saver("many", folder, name, "40"), cwd=ROOT, stdout=subprocess.PIPE)
        for name in ("x", "y")
    ]
    for process in running:
        out, _err = process.communicate(timeout=40)
        assert (process.returncode, len(out.split())) == (0, 40)
    assert sorted(main(opened(folder))) == sorted(f"{name}{n}" for name in "xy" for n in range(40))
    assert names(folder) == ["key.age", "vault.age"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="ends a process by a signal")
def test_a_process_that_is_killed_in_the_middle_of_its_saves_loses_nothing_that_it_has_saved(
    folder: Path,
) -> None:
    import time

    for round_ in range(6):
        with subprocess.Popen(
            saver("many", folder, f"r{round_}-", "9999"), cwd=ROOT, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.02 + 0.013 * round_)
            process.kill()
            said = [f"r{round_}-0", *process.stdout.read().decode().split()]
        vault = opened(folder)
        assert vault.notice is None
        assert set(said) <= set(main(vault))
        assert set(names(folder)) <= {"key.age", "vault.age", "vault.age.new"}
    add(vault, "the next save clears up")
    assert names(folder) == ["key.age", "vault.age"]


def test_a_save_torn_off_leaves_the_old_one_and_the_next_save_works(folder: Path) -> None:
    add(opened(folder), "a line")
    (folder / "vault.age.new").write_bytes((folder / "vault.age").read_bytes()[:100])
    vault = opened(folder)
    assert main(vault) == ("a line",)
    add(vault, "another")
    assert names(folder) == ["key.age", "vault.age"]


def test_a_file_is_on_the_storage_before_it_takes_the_place_of_the_old_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def noted(where: object, name: str, what: str) -> None:
        real = getattr(where, name)

        def call(*arguments: object) -> object:
            done.append(what)
            return real(*arguments)

        monkeypatch.setattr(where, name, call)

    noted(place, "onto_storage", "file")
    noted(os, "replace", "name")
    noted(place, "settle", "folder")
    add(opened(folder), "a line")
    assert done == ["file", "name", "folder"]


def test_a_lock_that_is_never_released_ends_in_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from client.platform import locked

    monkeypatch.setattr(store, "_PATIENCE", 0.1)
    vault = opened(folder)
    with locked(folder, 1.0), pytest.raises(Rejected, match="another program"):
        add(vault, "a line")
    add(vault, "a line")


def test_a_change_that_is_refused_or_breaks_changes_nothing_and_frees_the_lock(folder: Path) -> None:
    vault = opened(folder)
    add(vault, "a line")
    before = (folder / "vault.age").read_bytes()

    def breaks(_content: Content) -> Content:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        vault.change(breaks)
    with pytest.raises(Rejected):
        vault.change(lambda content: contents.without_list(content, "other"))
    assert vault.change(lambda content: content) is vault.content
    assert (folder / "vault.age").read_bytes() == before
    add(vault, "another")


# no room


@posix
def test_a_save_that_the_system_does_not_let_in_leaves_the_old_one(folder: Path) -> None:
    add(opened(folder), "a line")
    out = ran(*saver("limited", folder, "40000"))
    assert "was not saved" in out
    assert "File too large" in out
    assert "and went on" in out
    assert main(opened(folder)) == ("a line", "small")
    assert names(folder) == ["key.age", "vault.age"]


def mounting(first: str, script: str) -> str:
    """Run a shell script with mounts of its own, after the one that it needs; return what it wrote."""
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", "--mount", *mapped, "sh", "-c"]
    if shutil.which("unshare") is None or subprocess.run([*command, first], check=False).returncode:
        pytest.skip("needs the right to mount")
    return ran(*command, f"set -e; {first}; {script}")


def mounted(tmp_path: Path, kib: int, script: str) -> str:
    """Run a shell script where tmp_path/full is a file system of its own with so little room."""
    disk = tmp_path / "full"
    disk.mkdir(exist_ok=True)
    return mounting(f"mount -t tmpfs -o size={kib}k none '{disk}'", script)


@posix
def test_a_full_disk_loses_nothing_that_was_there(tmp_path: Path, folder: Path) -> None:
    add(opened(folder), "a line")
    disk = tmp_path / "full"
    script = f"cp -r '{folder}' '{disk}/vault'; {' '.join(saver('filled', disk / 'vault'))}; ls '{disk}/vault'; cp -r '{disk}/vault' '{tmp_path}/after'"
    out = mounted(tmp_path, 200, script)
    assert "No space left" in out
    assert "and went on" in out
    assert out.split()[-2:] == ["key.age", "vault.age"]
    assert main(opened(tmp_path / "after")) == ("a line", "small")


@posix
def test_on_a_full_disk_no_half_vault_is_made(tmp_path: Path) -> None:
    disk = tmp_path / "full"
    command = " ".join(saver("made", disk / "vault"))
    out = mounted(tmp_path, 12, f"{command}; echo then; ls '{disk}/vault'")
    assert "No space left" in out
    assert out.split()[-1] == "then"


@posix
def test_a_folder_that_cannot_be_written_opens_and_says_why_it_does_not_save(folder: Path) -> None:
    add(opened(folder), "a line")
    out = mounting(
        f"mount --bind '{folder}' '{folder}' && mount -o remount,ro,bind '{folder}'",
        " ".join(saver("unwritable", folder)),
    )
    assert "a line" in out
    assert "was not saved" in out
    assert "Read-only" in out


# what else may lie there


@posix
@pytest.mark.parametrize("name", ["key.age", "vault.age"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "dead link"])
def test_what_is_no_plain_file_is_neither_followed_nor_waited_for(
    folder: Path, tmp_path: Path, passphrase: bytearray, name: str, kind: str
) -> None:
    vault = opened(folder)
    elsewhere = tmp_path / "elsewhere"
    (folder / name).rename(elsewhere)
    before = elsewhere.read_bytes()
    if kind == "link":
        (folder / name).symlink_to(elsewhere)
    elif kind == "dead link":
        (folder / name).symlink_to(tmp_path / "nowhere")
    elif kind == "pipe":
        os.mkfifo(folder / name)
    else:
        (folder / name).mkdir()
    assert refused(folder, passphrase).values.get("name", name) == name
    with pytest.raises(Rejected):
        add(vault, "a line")
    with pytest.raises(Rejected):
        Vault.create(folder, passphrase)
    assert elsewhere.read_bytes() == before
    assert not (tmp_path / "nowhere").exists()


@posix
def test_a_link_where_the_new_file_goes_is_not_written_through(folder: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    (folder / "vault.age.new").symlink_to(victim)
    add(opened(folder), "a line")
    assert victim.read_bytes() == b"untouched"
    assert not (folder / "vault.age").is_symlink()
    assert main(opened(folder)) == ("a line",)


@posix
def test_a_second_name_of_the_file_keeps_what_it_was(folder: Path, tmp_path: Path) -> None:
    os.link(folder / "vault.age", tmp_path / "copy")
    before = (tmp_path / "copy").read_bytes()
    add(opened(folder), "a line")
    assert (tmp_path / "copy").read_bytes() == before


@posix
def test_a_folder_that_is_a_link_or_a_file_is_refused(
    folder: Path, tmp_path: Path, passphrase: bytearray
) -> None:
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "file").write_bytes(b"")
    for name in ("link", "file"):
        assert "folder" in refused(tmp_path / name, passphrase).reason
        with pytest.raises(Rejected, match="folder"):
            Vault.create(tmp_path / name, passphrase)


@posix
def test_a_folder_of_another_user_is_refused(folder: Path, passphrase: bytearray) -> None:
    if os.geteuid() == 0:
        os.chown(folder, 12345, 12345)
    theirs = folder if os.geteuid() == 0 else Path("/usr")
    assert "another user" in refused(theirs, passphrase).reason


def test_without_a_vault_the_way_to_one_is_told_and_nothing_is_made(
    tmp_path: Path, passphrase: bytearray
) -> None:
    for folder in (tmp_path / "none", tmp_path):
        assert "vault create" in refused(folder, passphrase).reason
    assert list(tmp_path.iterdir()) == []


def test_a_vault_is_not_made_over_another_one(folder: Path, passphrase: bytearray) -> None:
    before = [path.read_bytes() for path in files(folder)]
    with pytest.raises(Rejected, match="a vault here already"):
        Vault.create(folder, passphrase)
    (folder / "key.age").rename(folder.parent / "key.age")
    with pytest.raises(Rejected, match="without its key"):
        Vault.create(folder, passphrase)
    (folder.parent / "key.age").rename(folder / "key.age")
    assert [path.read_bytes() for path in files(folder)] == before


@pytest.mark.parametrize("gone", ["folder", "key.age", "both files"])
def test_an_erased_vault_is_not_brought_back_by_a_process_that_had_it_open(folder: Path, gone: str) -> None:
    vault = opened(folder)
    if gone == "folder":
        shutil.rmtree(folder)
    else:
        for name in ("key.age",) if gone == "key.age" else ("key.age", "vault.age"):
            (folder / name).unlink()
    with pytest.raises(Rejected, match="erased"):
        add(vault, "a line")
    assert not (folder / "key.age").exists()


def test_a_new_vault_in_the_place_of_an_erased_one_is_not_harmed(folder: Path, passphrase: bytearray) -> None:
    vault = opened(folder)
    shutil.rmtree(folder)
    add(Vault.create(folder, passphrase), "new")
    with pytest.raises(Rejected, match="replaced"):
        add(vault, "old")
    with pytest.raises(Rejected, match="replaced"):
        vault.set_passphrase(WRONG)
    assert main(opened(folder)) == ("new",)
    assert names(folder) == ["key.age", "vault.age"]


def test_files_names_what_is_there_and_the_key_first(folder: Path, passphrase: bytearray) -> None:
    (folder / "vault.age.new").write_bytes(b"")
    (folder / "note.txt").write_bytes(b"not ours")
    (folder / "vault.age").write_bytes(b"altered")
    refused(folder, passphrase)
    assert [path.name for path in files(folder)] == ["key.age", "vault.age.new", "vault.refused-1.age"]


def test_a_closed_vault_holds_nothing_and_shows_nothing(folder: Path) -> None:
    vault = opened(folder)
    add(vault, "192.0.2.77:80")
    assert "192.0.2.77" not in repr(vault)
    vault.close()
    assert vault.content.lists == {}
    with pytest.raises(Rejected, match="closed"):
        add(vault, "a line")


def test_the_place_is_named_by_the_environment_or_is_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANYLAU_VAULT", "~/stick/v")
    assert place.folder() == Path.home() / "stick" / "v"
    monkeypatch.setenv("SANYLAU_VAULT", "v")
    assert place.folder() == Path.cwd() / "v"
    monkeypatch.delenv("SANYLAU_VAULT")
    assert place.folder().parts[-2:] == ("sanylau", "vault")
    assert place.folder().is_absolute()


# a stick that is pulled out


def broken(_descriptor: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_a_storage_that_fails_at_the_last_moment_leaves_the_old_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = opened(folder)
    add(vault, "a line")
    with monkeypatch.context() as pulled:
        pulled.setattr(place, "onto_storage", broken)
        with pytest.raises(Rejected, match="not saved") as caught:
            add(vault, "another")
        with pytest.raises(Rejected, match="not saved"):
            vault.set_passphrase(WRONG)
    assert caught.value.values == {"why": "Input/output error"}
    assert main(vault) == ("a line",) == main(opened(folder))
    assert names(folder) == ["key.age", "vault.age"]
    add(vault, "another")
    assert main(opened(folder)) == ("a line", "another")


def test_a_storage_that_fails_while_a_vault_is_made_is_left_without_one(
    tmp_path: Path, passphrase: bytearray, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, times = place.write, 0

    def second(path: Path, data: bytes) -> None:
        nonlocal times
        times += 1
        if times == 2:
            monkeypatch.setattr(place, "onto_storage", broken)
        real(path, data)

    monkeypatch.setattr(place, "write", second)
    with pytest.raises(Rejected, match="not saved"):
        Vault.create(tmp_path / "vault", passphrase)
    assert names(tmp_path / "vault") == []
    monkeypatch.undo()


def test_where_no_folder_can_be_made_it_is_said(tmp_path: Path, passphrase: bytearray) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Rejected, match="not saved"):
        Vault.create(tmp_path / "file" / "vault", passphrase)
