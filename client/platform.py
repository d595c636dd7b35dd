"""What differs between systems. The only file with calls that not every system has."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

_YOUNG: Final = 20_000
_WANTED: Final = 65536
_RESERVED: Final = 128  # descriptors for the interpreter, engines and terminals
_QUIET: Final = 0.1  # seconds without new input after which a paste is over
_ROUNDS: Final = 50
_ENDLESS: Final = 64  # times its limit, a line is no line any more: /dev/zero


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end, on uvloop where the extra is installed and SANYLAU_LOOP is not "asyncio"."""
    import asyncio

    calm_collector()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def calm_collector() -> None:
    """Leave what is loaded by now out of collections, and make them rare: results live short, hardly a cycle among them."""
    gc.freeze()
    gc.set_threshold(_YOUNG)
    gc.enable()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if os.environ.get("SANYLAU_LOOP") == "asyncio":
        return None
    try:
        from uvloop import new_event_loop
    except ImportError:
        return None
    return new_event_loop


def raise_descriptor_limit() -> int | None:
    """Raise the soft limit of open files as far as the system lets us; return it, None where there is none."""
    try:
        import resource
    except ImportError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        except (ValueError, OSError):
            return soft
    return soft


def fitting(concurrency: int, limit: int | None) -> int:
    """Return how many candidates can be tried at once under a limit of open files."""
    if limit is None:
        return min(concurrency, 400)  # Windows' select takes 512 sockets
    return max(8, min(concurrency, (limit - _RESERVED) // 3))


_torn: Final = threading.Event()


def was_torn() -> bool:
    """Whether a second Ctrl-C has ended this process the hard way: what breaks after it is no fault."""
    return _torn.is_set()


@contextmanager
def on_interrupt(ring: Callable[[], None], *, hangup: bool = False) -> Iterator[None]:
    """Call `ring` at the first Ctrl-C (and SIGTERM); a second one ends the process the hard way.

    `hangup`: at the loss of the terminal too, where that was not to be ignored (nohup).
    """
    import asyncio

    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    times = 0

    def handle() -> None:
        nonlocal times
        times += 1
        if times == 1:
            ring()
        elif task is not None:
            _torn.set()
            task.cancel()

    wanted = [signal.SIGINT, signal.SIGTERM]
    if hangup and sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        wanted.append(signal.SIGHUP)
    before = {}
    for number in wanted:
        before[number] = signal.getsignal(number)
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(handle))
        else:
            loop.add_signal_handler(number, handle)
    try:
        yield
    finally:
        for number in wanted:
            if sys.platform != "win32":
                loop.remove_signal_handler(number)
            signal.signal(number, before[number])


def forbid_core_files() -> None:
    """Keep addresses and keys out of core files: none of us, and none of the engines that we start.

    The limit does not hold where the system gives cores to a program (a collector of crashes); there, on Linux, the
    filter leaves all memory out (core(5)). Children inherit both, and on Windows that no report is made of a crash.
    """
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetErrorMode(0x0003)  # SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX
        return
    import resource

    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError), open("/proc/self/coredump_filter", "w", encoding="ascii") as file:
        file.write("0")


def fill_standard_streams() -> None:
    """Open the null device in place of standard streams that were closed before we started.

    Otherwise the next socket would get their number, and be written to, read or closed in their place.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            os.dup2(opened, number)  # where it is the same: this makes it a stream for children too
            if opened != number:
                os.close(opened)
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


def forget_typed(terminal: int) -> None:
    """Throw away what was typed or pasted on the terminal of this descriptor but not read yet.

    A long paste comes in parts, so this waits until a moment has passed without any.
    """
    if sys.platform == "win32":
        import msvcrt

        while msvcrt.kbhit():
            msvcrt.getch()
        return
    import select
    import termios

    with suppress(termios.error, OSError):
        for _ in range(_ROUNDS):
            termios.tcflush(terminal, termios.TCIFLUSH)
            if not select.select([terminal], [], [], _QUIET)[0]:
                break
        termios.tcflush(terminal, termios.TCIFLUSH)


def hidden_line(terminal: int, limit: int, ask: Callable[[], None]) -> bytearray | None:
    """Read one line from the terminal of this descriptor without showing it; None for one longer than `limit` bytes.

    `ask` puts the question, once nothing typed is shown any more. What was typed is in no other place of this
    process: the caller overwrites it.
    """
    if sys.platform == "win32":
        ask()
        return _hidden_keys(limit)
    import termios

    before = termios.tcgetattr(terminal)
    hidden = [*before[:3], before[3] & ~termios.ECHO | termios.ICANON | termios.ECHONL, *before[4:]]
    termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)
    try:
        ask()
        return descriptor_line(terminal, limit)
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def _hidden_keys(limit: int) -> bytearray | None:  # pragma: no cover - Windows only
    import msvcrt

    typed = bytearray()
    while (key := msvcrt.getwch()) not in "\r\n":  # type: ignore[attr-defined]
        if key == "\x03":
            raise KeyboardInterrupt
        if key == "\b":
            while typed and typed.pop() & 0xC0 == 0x80:
                continue
        else:
            typed += key.encode("utf-8", "replace")
    return typed if len(typed) <= limit else None


def descriptor_line(descriptor: int, limit: int) -> bytearray | None:
    """Read one line, without its end, and not a byte more; None for one longer than `limit` bytes. Raises OSError."""
    room = bytearray(limit + 1)  # of its full size at once: growing would leave copies behind
    one = bytearray(1)
    came = 0
    try:
        while came < _ENDLESS * limit and _read_into(descriptor, one) and one != b"\n":
            room[min(came, limit)] = one[0]
            came += 1
        if came and room[min(came, limit + 1) - 1] == ord("\r"):
            came -= 1
        return None if came > limit else bytearray(memoryview(room)[:came])
    finally:
        one[0] = 0
        room[:] = bytes(len(room))


def _read_into(descriptor: int, room: bytearray) -> int:
    if hasattr(os, "readv"):
        return os.readv(descriptor, [room])
    came = os.read(descriptor, len(room))
    room[: len(came)] = came
    return len(came)


_BETWEEN: Final = 0.02  # seconds between two tries for a lock


@contextmanager
def locked(folder: Path, patience: float) -> Iterator[None]:
    """Keep other processes (and others of this one) from entering for the same folder meanwhile.

    Raises TimeoutError after `patience` seconds, OSError where nothing can be locked. The lock is on the folder itself, on
    Windows on a file `lock` in it; it goes with the process, however that ends.
    """
    import time

    until = time.monotonic() + patience
    descriptor, take = _lockable(folder)
    try:
        while True:
            try:
                take()
                break
            except (BlockingIOError, PermissionError):
                if time.monotonic() > until:
                    raise TimeoutError from None
                time.sleep(_BETWEEN)
        yield
    finally:
        os.close(descriptor)


def _lockable(folder: Path) -> tuple[int, Callable[[], None]]:
    """Return what to lock, and how."""
    if sys.platform == "win32":
        import msvcrt

        file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOINHERIT, 0o600)
        return file, lambda: msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    import fcntl

    itself = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    return itself, lambda: fcntl.flock(itself, fcntl.LOCK_EX | fcntl.LOCK_NB)


def onto_storage(descriptor: int) -> None:
    """Have the system bring a file to its storage before this returns. Raises OSError."""
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # not every file system has it; fsync leaves it in the drive's own memory
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def memory_folder() -> Path | None:
    """Return a folder on memory-backed storage that we may write to, or None."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    for path in (Path("/dev/shm"), Path(runtime) if runtime else None):
        if path is not None and path.is_dir() and os.access(path, os.W_OK | os.X_OK) and _in_memory(path):
            return path
    return None


def disk_folder() -> Path:
    """Return the folder for temporary files; what is written there may stay on the disk after its erasure."""
    import tempfile

    return Path(tempfile.gettempdir())


def _in_memory(path: Path) -> bool:
    """Say whether `path` is on a file system that lives in memory (Linux tells; elsewhere: no)."""
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "replace")
    except OSError:
        return False
    kinds = {fields[1]: fields[2] for line in mounts.splitlines() if len(fields := line.split()) > 2}
    for parent in (path, *path.parents):
        if str(parent) in kinds:
            return kinds[str(parent)] in ("tmpfs", "ramfs")
    return False


# Mouse, paste, focus and size reports off, the alternate screen left, the cursor seen; then all of it emptied.
_GIVEN_BACK: Final = (
    b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[?2048l\x1b[?1004l\x1b[<u\x1b[?7h\x1b[?1049l\x1b[?25h"
    b"\x1b[0m\x1b[H\x1b[2J\x1b[3J"
)
_LAST_WRITE: Final = 0.3  # seconds that a terminal may take for it
_terminal_before: Final[list[Any]] = []


def remember_terminal() -> None:
    """Note how the terminal is set, for `vanish`."""
    if sys.platform == "win32":
        return
    import termios

    with suppress(termios.error, OSError):
        _terminal_before[:] = [termios.tcgetattr(0)]


def empty_terminal(path: str) -> None:
    """Empty the terminal of a program that was ended the hard way, and give it back; one that takes nothing is left."""
    with suppress(OSError):
        terminal = os.open(path, os.O_WRONLY | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            if os.isatty(terminal):
                os.write(terminal, _GIVEN_BACK)
        finally:
            os.close(terminal)


def vanish() -> NoReturn:
    """Empty the terminal, its scrollback too where it can, and end this process at once, whatever it is doing.

    Nothing is waited for: the guard process ends the engines and erases their folder.
    """
    late = threading.Timer(_LAST_WRITE, os._exit, (0,))
    late.daemon = True
    late.start()
    try:
        if _terminal_before and sys.platform != "win32":
            import termios

            with suppress(termios.error, OSError):
                termios.tcsetattr(0, termios.TCSANOW, _terminal_before[0])
        with suppress(OSError):
            os.write(2, _GIVEN_BACK)
    finally:
        os._exit(0)
