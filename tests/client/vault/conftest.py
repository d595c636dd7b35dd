import pytest

from client.vault import age_file

PASSPHRASE = "six words that nobody would guess"


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make keys that cost little: what is tested is not how long guessing takes."""
    monkeypatch.setattr(age_file, "WORK", 4)


@pytest.fixture
def passphrase() -> bytearray:
    return bytearray(PASSPHRASE.encode())
