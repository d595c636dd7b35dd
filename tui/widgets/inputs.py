"""Edit fields that let nothing through that acts on a terminal, and leave Ctrl-C to the app."""

from __future__ import annotations

from textual import events
from textual.actions import SkipAction
from textual.widgets import Input, TextArea

from client.i18n import _
from tui.intake import LARGEST_PASTE, clean


class ListArea(TextArea):
    """Takes a pasted list."""

    def action_copy(self) -> None:
        """Copy the selection; without one Ctrl-C means stop or quit."""
        if not self.selected_text:
            raise SkipAction
        super().action_copy()

    def on_paste(self, event: events.Paste) -> None:
        """Insert what was pasted, cleaned; a flood is turned away."""
        event.prevent_default()
        event.stop()
        if len(event.text) + len(self.text) > LARGEST_PASTE:
            self.notify(
                _("That is too much to paste: save it as a file and name the file below."),
                severity="warning",
                markup=False,
            )
            return
        result = self.replace(clean(event.text), *self.selection, maintain_selection_offset=False)
        self.move_cursor(result.end_location)


class FileInput(Input):
    """Takes the name of a file."""

    def action_copy(self) -> None:
        """Copy the selection; without one Ctrl-C means stop or quit."""
        if not self.selected_text:
            raise SkipAction
        super().action_copy()

    def on_paste(self, event: events.Paste) -> None:
        """Insert the first line of what was pasted, cleaned."""
        event.prevent_default()
        event.stop()
        self.replace(clean(event.text[:4096]).partition("\n")[0], *sorted(self.selection))
