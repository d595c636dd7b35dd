"""A field for a passphrase: only dots are shown, and what is typed stands in one buffer that can be overwritten."""

from __future__ import annotations

from typing import Final

from textual import events

from tui.intake import clean
from tui.widgets.inputs import LineInput

_DOT: Final = "•"
_LONGEST: Final = 1024  # bytes, as client.vault.passphrase takes


class HiddenInput(LineInput):
    """Takes one line. Its `value` is nothing but dots, and the cursor stays at the end."""

    def __init__(self, *, id: str, placeholder: str = "") -> None:  # noqa: A002 - as Textual calls it
        super().__init__(id=id, placeholder=placeholder, compact=True, select_on_focus=False)
        self._given = bytearray()
        self.cursor_blink = False

    def take(self) -> bytearray:
        """Return what was typed and forget it here; whoever takes it overwrites it."""
        given, self._given = self._given, bytearray()
        self._draw()
        return given

    def forget(self) -> None:
        """Overwrite what was typed."""
        self._given[:] = bytes(len(self._given))
        self._given = bytearray()
        self._draw()

    def on_unmount(self) -> None:
        """Leave nothing behind."""
        self._given[:] = bytes(len(self._given))

    def on_key(self, event: events.Key) -> None:
        """Take a letter; nothing else of it gets into the field."""
        if event.is_printable and event.character is not None:
            event.stop()
            event.prevent_default()
            self._add(event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line of what was pasted."""
        event.prevent_default()
        event.stop()
        self._add(clean(event.text[:_LONGEST]).partition("\n")[0])

    def _add(self, text: str) -> None:
        more = text.encode("utf-8", "ignore")
        if len(self._given) + len(more) > _LONGEST:
            self.app.bell()
            return
        before = self._given
        self._given = before + more  # growing in place may leave a copy that nobody can overwrite
        before[:] = bytes(len(before))
        self._draw()

    def _draw(self) -> None:
        if self.is_attached:
            self.value = _DOT * sum(byte & 0xC0 != 0x80 for byte in self._given)
            self.cursor_position = len(self.value)

    def action_delete_left(self) -> None:
        """Take back the last letter."""
        while self._given:
            last = self._given[-1]
            self._given[-1] = 0
            del self._given[-1]
            if last & 0xC0 != 0x80:
                break
        self._draw()

    def action_delete_left_all(self) -> None:
        """Take everything back."""
        self.forget()

    action_delete_left_word = action_delete_right_all = action_delete_left_all
    action_delete_right = action_delete_right_word = action_cut = action_delete_left_all

    def action_paste(self) -> None:
        """Take nothing from the program's own clipboard."""
