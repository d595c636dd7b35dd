"""Age files under a passphrase: ours open with every age program, and nothing altered is ever opened."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.vault import age_file
from client.vault.age_file import CLOSED, seal, unseal
from tests.client.vault.programs import age, needs_age
from transports.types import Rejected

WORDS = "алты сөз, six words"
CHUNK = 64 * 1024


def key(text: str = WORDS) -> bytearray:
    return bytearray(text.encode())


def refused(sealed: bytes, passphrase: bytearray | None = None) -> None:
    with pytest.raises(Rejected) as caught:
        unseal(sealed, passphrase or key())
    assert (caught.value.reason, caught.value.values) == (CLOSED, {})


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 3 * CHUNK]
)
def test_what_is_sealed_comes_back_here_and_in_pyrage(size: int) -> None:
    plain = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    sealed = seal(plain, key(), work=6)
    assert unseal(sealed, key()) == plain
    assert pyrage.passphrase.decrypt(sealed, WORDS) == plain


@given(st.binary(max_size=300), st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()))
@settings(max_examples=50)
def test_every_passphrase_and_content_comes_back(plain: bytes, words: str) -> None:
    sealed = seal(plain, key(words), work=2)
    assert unseal(sealed, key(words)) == plain
    assert pyrage.passphrase.decrypt(sealed, words) == plain


@needs_age
def test_the_age_program_opens_what_is_made_here_at_its_real_cost(tmp_path: Path) -> None:
    (tmp_path / "a.age").write_bytes(seal(b"a secret", key()))
    assert age("-d", tmp_path / "a.age", passphrase=WORDS) == b"a secret"


@needs_age
def test_what_the_age_program_makes_opens_here(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a secret")
    assert unseal(age("-p", tmp_path / "a", passphrase=WORDS, times=2), key()) == b"a secret"


def test_two_files_of_one_content_have_nothing_in_common() -> None:
    first, second = (seal(b"a secret", key(), work=2).split(b"\n", 1)[1] for _ in range(2))
    assert first[:60] != second[:60]
    assert first[-24:] != second[-24:]


def test_every_altered_byte_is_refused_with_the_same_words() -> None:
    sealed = seal(b"a secret", key(), work=2)
    for place in range(len(sealed)):
        refused(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])


def test_every_cut_and_everything_added_is_refused_with_the_same_words() -> None:
    sealed = seal(b"a secret", key(), work=2)
    for length in range(len(sealed)):
        refused(sealed[:length])
    for more in (b"\0", b"\n", b"x" * 16, b"x" * CHUNK):
        refused(sealed + more)


def test_chunks_cannot_be_left_out_swapped_or_repeated() -> None:
    sealed = seal(bytes(3 * CHUNK), key(), work=2)
    size = CHUNK + 16
    head, chunks = sealed[: -3 * size], [sealed[-n * size :][:size] for n in (3, 2, 1)]
    assert head + b"".join(chunks) == sealed
    for wrong in ((0, 1), (0, 2), (1, 0, 2), (0, 1, 2, 2), (2,), ()):
        refused(head + b"".join(chunks[number] for number in wrong))


def test_a_wrong_passphrase_is_refused_with_the_same_words() -> None:
    sealed = seal(b"a secret", key(), work=2)
    for wrong in ("", WORDS + " ", WORDS.upper(), "x"):
        refused(sealed, key(wrong) or bytearray(b"?"))


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        (b"scrypt", b"X25519"),
        (b" 2\n", b" 02\n"),
        (b" 2\n", b" +2\n"),
        (b"org/v1\n", b"org/v2\n"),
        (b"org/v1\n", b"org/v1\r\n"),
        (b"\n---", b"\n-> grease x\nAAAA\n---"),
    ],
)
def test_another_header_is_refused(found: bytes, wrong: bytes) -> None:
    sealed = seal(b"a secret", key(), work=2)
    assert found in sealed
    refused(sealed.replace(found, wrong, 1))


@pytest.mark.parametrize("work", [19, 20, 30, 63, 99])
def test_a_file_that_wants_the_memory_of_the_whole_machine_is_refused_at_once(work: int) -> None:
    sealed = seal(b"a secret", key(), work=2).replace(b" 2\n", b" %d\n" % work, 1)
    began = time.monotonic()
    refused(sealed)
    assert time.monotonic() - began < 0.1


def test_a_huge_file_is_refused_before_anything_is_computed() -> None:
    refused(seal(b"", key(), work=2) + bytes(age_file.LARGEST))


@given(st.binary(max_size=400))
def test_any_bytes_are_refused(data: bytes) -> None:
    refused(data)
    refused(b"age-encryption.org/v1\n-> scrypt " + data)


def test_the_callers_passphrase_is_left_to_the_caller() -> None:
    words = key()
    seal(b"", words, work=2)
    assert words == key()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_sealing_and_opening_take_less_than_256_mib() -> None:
    code = """
from client.vault.age_file import seal, unseal
words = bytearray(b"six words")
assert unseal(seal(b"a secret", words), words) == b"a secret"
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    root = Path(__file__).parents[3]
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True, timeout=30)
    assert 128 * 1024 < int(ran.stdout) < 256 * 1024


def test_an_empty_chunk_at_the_end_is_refused_as_every_program_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_an_empty_one(data: bytes, size: int) -> Iterator[tuple[bytes, bytes]]:
        assert len(data) == size
        yield bytes(12), data
        yield (1).to_bytes(11, "big") + b"\1", b""

    with monkeypatch.context() as other:
        other.setattr(age_file, "_chunks", with_an_empty_one)
        sealed = seal(bytes(CHUNK), key(), work=2)
    refused(sealed)
    with pytest.raises(pyrage.DecryptError):
        pyrage.passphrase.decrypt(sealed, WORDS)
