"""The vault: open, change, save. Two processes may do that at once; neither loses what the other has saved.

`key.age` holds an X25519 identity under the passphrase, `vault.age` the content, encrypted to it: a save needs no
passphrase. Whoever holds the lock reads what was saved last, changes that, and puts a whole new file in its place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from client.model import Message
from client.platform import locked
from client.vault import age_file, content, place
from client.vault.content import Content, Damaged
from client.vault.keys import Key
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST_KEY: Final = 16 * 1024
_PATIENCE: Final = 10.0  # seconds that another process may take for its save
NONE: Final = N_("there is no vault here yet: make one with `sanylau vault create`")
_THERE: Final = N_(
    "there is a vault here already: `sanylau vault open` says what is in it, SANYLAU_VAULT names another folder"
)
_ORPHAN: Final = N_(
    "there is a vault here without its key (key.age): put the key back, or move vault.age away"
)
CLOSED: Final = N_("the vault is closed: open it first")
_ERASED: Final = N_("the vault was erased or replaced meanwhile: nothing was saved")
_BUSY: Final = N_("another program is saving the vault and does not come to an end: try again")
_DAMAGED: Final = N_(
    "the vault's content was altered or cut short. It was not used; it is kept as {name}. From now on the vault is empty: put a copy of vault.age back if you have one"
)
_REPLACED: Final = N_(
    "the vault's content was altered or cut short by somebody else. That is kept as {name}; what was open here was saved"
)
_EMPTY: Final = N_("the vault's content (vault.age) is missing: it begins empty")

files = place.files


def vacant(folder: Path) -> None:
    """Raise Rejected where no vault can be made because something of one is there already."""
    if place.check(folder):
        if place.read(folder / place.KEY, _LARGEST_KEY) is not None:
            raise Rejected(_THERE)
        if place.read(folder / place.DATA, age_file.LARGEST) is not None:
            raise Rejected(_ORPHAN)


class Vault:
    """An open vault. `content` is what was read or saved last, `notice` what whoever opened it should be told once."""

    __slots__ = ("_data", "_folder", "_key", "_sealed", "content", "notice")

    def __init__(self, folder: Path, key: Key, sealed: bytes) -> None:
        self._folder = folder
        self._key: Key | None = key
        self._sealed = _mark(sealed)  # of the key file that was opened
        self._data = b""  # of the content that was read or saved last
        self.content = Content()
        self.notice: Message | None = None

    @classmethod
    def create(cls, folder: Path, passphrase: bytearray) -> Vault:
        """Make a vault in a folder that has none. The caller overwrites the passphrase. Raises Rejected."""
        key = Key.new()
        sealed = key.sealed(passphrase)
        place.make(folder)
        vault = cls(folder, key, sealed)
        with _locked(folder):
            vacant(folder)
            place.write(folder / place.KEY, sealed)  # first: content without its key could never be opened
            try:
                vault._save(vault.content)
            except BaseException:
                with suppress(OSError):
                    (folder / place.KEY).unlink()
                raise
        return vault

    @classmethod
    def open(cls, folder: Path, passphrase: bytearray) -> Vault:
        """Open a vault. The caller overwrites the passphrase.

        Raises Rejected: with one and the same words for a wrong passphrase and an altered key; where there is no vault;
        and for content that was altered, which is kept under another name.
        """
        sealed = place.read(folder / place.KEY, _LARGEST_KEY) if place.check(folder) else None
        if sealed is None:
            raise Rejected(NONE)
        vault = cls(folder, Key.unsealed(sealed, passphrase), sealed)
        data = place.read(folder / place.DATA, age_file.LARGEST)
        if data is None:
            vault.notice = Message(_EMPTY)
        elif not vault._take(data) and (name := vault._refused()):
            raise Rejected(_DAMAGED, name=name)
        return vault

    def change(self, apply: Callable[[Content], Content]) -> Content:
        """Save what `apply` makes of the content, and return it. Raises Rejected; then nothing has changed.

        `apply` is given what is in the file now, which another process may have saved; it may raise Rejected.
        """
        with _locked(self._folder):
            self._refresh()
            changed = apply(self.content)
            if changed is not self.content:
                self._save(changed)
        return self.content

    def set_passphrase(self, new: bytearray) -> None:
        """Put the key under another passphrase, which the caller overwrites. Raises Rejected; then nothing has changed."""
        sealed = self._open_key.sealed(new)
        with _locked(self._folder):
            if self._changed_key():
                raise Rejected(_ERASED)
            place.write(self._folder / place.KEY, sealed)
            self._sealed = _mark(sealed)

    def close(self) -> None:
        """Let go of the key and of what was read."""
        self._key = None
        self.content = Content()

    def __repr__(self) -> str:
        return "Vault()"

    @property
    def _open_key(self) -> Key:
        if self._key is None:  # a wait may outlive it
            raise Rejected(CLOSED)
        return self._key

    def _refresh(self) -> None:
        """Read what another process has saved since. Raises Rejected where the vault is not the one that was opened."""
        changed = self._changed_key()
        data = place.read(self._folder / place.DATA, age_file.LARGEST)
        if changed and (data is None or self._open_key.decrypt(data) is None):
            raise Rejected(_ERASED)
        if data is not None and _mark(data) != self._data and not self._take(data):
            self.notice = Message(_REPLACED, {"name": place.set_aside(self._folder / place.DATA)})
        if changed:
            self._sealed = changed  # it was another passphrase only

    def _changed_key(self) -> bytes:
        """Return the mark of the key file if it is not the one that was opened, else b"". Raises Rejected if it is gone."""
        sealed = place.read(self._folder / place.KEY, _LARGEST_KEY) if place.check(self._folder) else None
        if sealed is None:
            raise Rejected(_ERASED)
        mark = _mark(sealed)
        return mark if mark != self._sealed else b""

    def _take(self, data: bytes) -> bool:
        """Take in what was saved. False: it was altered."""
        plain = self._open_key.decrypt(data) if len(data) <= age_file.LARGEST else None
        if plain is None:
            return False
        try:
            self.content = content.decode(plain)
        except Damaged:
            return False
        self._data = _mark(data)
        return True

    def _save(self, changed: Content) -> None:
        data = self._open_key.encrypt(content.encode(changed))
        if len(data) > age_file.LARGEST:
            raise Rejected(content.FULL)
        place.write(self._folder / place.DATA, data)
        self._data = _mark(data)
        self.content = changed

    def _refused(self) -> str:
        """Keep altered content under another name and return that; "" where another process has put it right by now."""
        with _locked(self._folder):
            data = place.read(self._folder / place.DATA, age_file.LARGEST)
            if data is None or self._take(data):
                return ""
            return place.set_aside(self._folder / place.DATA)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        holding: AbstractContextManager[None] = locked(folder, _PATIENCE)
        holding.__enter__()
    except TimeoutError:
        raise Rejected(_BUSY) from None
    except FileNotFoundError:
        raise Rejected(_ERASED) from None
    except OSError as error:
        raise Rejected(N_("the vault cannot be locked ({why})"), why=error.strerror or "?") from None
    try:
        yield
    finally:
        holding.__exit__(None, None, None)


def _mark(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
