"""The composition root: starts the command line; the one place that may reach for the TUI."""

from __future__ import annotations

import os
import sys


def open_tui() -> int:
    """Open the screen and return the exit status."""
    from tui.app import run

    return run()


def main() -> None:
    """Run `sanylau` and end the process with its exit status; no way out shows a traceback."""
    from client.cli.main import main as command_line

    try:
        status = command_line()
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        status = 0
    except KeyboardInterrupt:
        status = 130
    except OSError as error:
        _forget_stdout()
        sys.stderr.write(f"sanylau: {error.strerror or error}\n")
        status = 3
    sys.exit(status)


def _forget_stdout() -> None:
    """Nobody reads any more: keep the interpreter from trying to flush at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
