"""The composition root: starts the command line; the one place that may reach for the TUI."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys


def open_tui(*, given: str = "", colours: str = "", still: bool = False) -> int:
    """Open the screen and return the exit status. `given` is a list that came by standard input."""
    gc.disable()  # nothing of what is loaded for the first paint is garbage; the app turns it on again
    from tui.app import run

    return run(given=given, colours=colours, still=still)


def main() -> None:
    """Run `sanylau` and end the process with its exit status; no way out shows a traceback."""
    sys.dont_write_bytecode = True  # a session writes nothing, not even what Python would keep of its modules
    sys.unraisablehook = _unraisable
    try:
        status = _run()
    except BrokenPipeError:
        _forget_stdout()
        status = 141  # client.exits.Exit.NOT_READ
    except KeyboardInterrupt:
        status = 130
    except OSError as error:
        from client.i18n import _

        _forget_stdout()
        why = error.strerror or type(error).__name__
        sys.stderr.write(_("sanylau: the output could not be written ({why})", why=why) + "\n")
        status = 3
    except Exception as error:  # the last gate: a person must not be shown a traceback
        if os.environ.get("SANYLAU_DEBUG"):
            raise
        from client import platform
        from client.i18n import _

        text = _(
            "sanylau: a fault of its own ({kind}); please report it. SANYLAU_DEBUG=1 shows where.",
            kind=type(error).__name__,
        )
        if platform.was_torn():
            status = 130
        else:
            sys.stderr.write(text + "\n")
            status = 3
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is over: one more Ctrl-C must not tear its end
    sys.exit(status)


def _unraisable(seen: sys.UnraisableHookArgs) -> None:
    """End at once when Ctrl-C came inside a callback of the import system, which would swallow it."""
    if issubclass(seen.exc_type, KeyboardInterrupt):
        os._exit(130)
    sys.__unraisablehook__(seen)


def _run() -> int:
    from client import platform

    platform.fill_standard_streams()
    platform.forbid_core_files()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old code page must not end a check
    from client.cli.main import main as command_line

    status = command_line()
    sys.stdout.flush()
    return status


def _forget_stdout() -> None:
    """Nobody reads any more: keep the interpreter from trying to flush at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
