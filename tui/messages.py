"""What the screens ask the app to do."""

from __future__ import annotations

from textual.message import Message

from client.options import Option


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


class UseOption(Message):
    """Show how this option is used."""

    def __init__(self, option: Option) -> None:
        super().__init__()
        self.option = option


class ConnectThrough(Message):
    """After consent, open the local connection through this option before all others."""

    def __init__(self, option: Option) -> None:
        super().__init__()
        self.option = option


class Disconnect(Message):
    """End the local connection."""
