"""The line on every screen that says whether programs have a way out, while there is a local connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from rich.text import Text
from textual.app import App
from textual.message import Message

from tui.widgets.static import Static

if TYPE_CHECKING:
    from tui.connection import Connection

_LOOKS: Final = 2  # a second


def connection_of(app: App[Any]) -> Connection | None:
    """Return the local connection of the app, None while there is none."""
    connection = _latest(app)
    return connection if connection is not None and not connection.over else None


def _latest(app: App[Any]) -> Connection | None:
    return cast("Connection | None", getattr(app, "connection", None))


class ConnectionLine(Static):
    """Takes no room while there is no connection."""

    DEFAULT_CSS = """
    ConnectionLine { dock: top; height: auto; max-height: 2; display: none; background: $panel; width: 1fr; }
    """

    class Changed(Message):
        """The connection came, went, or has another port."""

    def __init__(self) -> None:
        super().__init__()
        self._known: tuple[object, ...] = (None, True, 0)
        self._shown = Text()

    def on_mount(self) -> None:
        """Begin to look."""
        self.set_interval(1 / _LOOKS, self.look)
        self.look()

    def look(self) -> None:
        """Draw it as it stands."""
        connection = connection_of(self.app)
        said = Text()
        if connection is not None:
            from tui.connection import line  # what carries connections is not loaded before there is one

            said = line(connection)
        if said != self._shown or self.display != bool(said):
            self._shown = said
            self.update(said)
            self.display = bool(said)
        known = (_latest(self.app), connection is None, connection.port if connection is not None else 0)
        if known != self._known:  # one that has come and gone between two looks counts too
            self._known = known
            self.post_message(self.Changed())
