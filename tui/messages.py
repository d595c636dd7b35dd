"""What the screens ask the app to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from client.check import Wishes
    from client.model import Reading
    from client.options import Option


class StartCheck(Message):
    """After consent, test what was read."""

    def __init__(self, *, reading: Reading, wishes: Wishes) -> None:
        super().__init__()
        self.reading = reading
        self.wishes = wishes


class FindWay(Message):
    """After consent, name the kind of cut and test the public ways that are at hand."""


class OpenList(Message):
    """Show where the person puts in a list of their own. `pasted` is what they have pasted already."""

    def __init__(self, pasted: str = "") -> None:
        super().__init__()
        self.pasted = pasted


class Practise(Message):
    """Play a blackout on this machine and check what plays in it."""


class Wait(Message):
    """Show the wait for an opening."""


class StartWait(Message):
    """After consent, wait until something opens, and do the queue then.

    `notice` are the person's words for the notice on the desktop, "" for the built-in ones.
    """

    def __init__(self, notice: str = "") -> None:
        super().__init__()
        self.notice = notice


class StopWait(Message):
    """End the wait and keep what is known."""


class PassOn(Message):
    """Show how `option` is passed on; without one, what is at hand."""

    def __init__(self, option: Option | None = None) -> None:
        super().__init__()
        self.option = option


class TakeIn(Message):
    """Show how something is taken in that somebody passes on."""


class OpenVault(Message):
    """Show the vault."""


class GoBack(Message):
    """Leave the results for the screen before. The run goes on, or stays as it ended."""


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
    """After consent, open the local connection through this option before all others.

    `system`: it becomes the system proxy too, as long as it is up.
    """

    def __init__(self, option: Option, *, system: bool = False) -> None:
        super().__init__()
        self.option = option
        self.system = system


class Disconnect(Message):
    """End the local connection."""
