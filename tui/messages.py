"""What the screens ask the app to do."""

from __future__ import annotations

from textual.message import Message


class StartCheck(Message):
    """Take in this text and this file and, after consent, test what is in them."""

    def __init__(self, *, text: str, file: str, profile: str) -> None:
        super().__init__()
        self.text = text
        self.file = file
        self.profile = profile


class StopRun(Message):
    """End the run and keep what is known."""


class NewCheck(Message):
    """Leave the results and go back to the list."""
