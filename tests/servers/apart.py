"""A network of its own, with loopback only, for programs that are run as a person runs them.

The person's side knows no name but localhost: whatever it looks up goes to a resolver here that knows nothing and notes
every question. The far side, where the proxies run, knows the names of one site. So a page of that site comes only to
a program that lets the proxy find the name, and nothing can leave, whatever a program does.
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, cast

ROOT: Final = Path(__file__).parents[2]
SITE: Final = ("www.example.org", "example.org")
PAGE: Final = b"<!doctype html><title>far</title><p>the far page</p>\n"
FOLDERS: Final = os.pathsep.join(["/usr/sbin", "/usr/local/sbin", "/sbin", os.environ.get("PATH", "")])
_HOLD: Final = """
set -e
ip link set lo up
mount -t tmpfs tmpfs /run && mkdir /run/sshd
for file in resolv.conf nsswitch.conf hosts; do mount --bind "$0/$1-$file" "/etc/$file"; done
read pid rest < /proc/self/stat
echo "$pid"
exec sleep infinity
"""
_FILES: Final = {
    "near-resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    "near-nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    "near-hosts": f"127.0.0.1 localhost {socket.gethostname()}\n",
    "far-resolv.conf": "# none\n",
    "far-nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
    "far-hosts": f"127.0.0.1 localhost proxy.example {' '.join(SITE)}\n",
}
_PATIENCE: Final = 20.0


def lacking() -> str:
    """Return what keeps such a network from being made here, "" if nothing does."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root on Linux (it makes a network namespace)"
    absent = [name for name in ("unshare", "nsenter", "ip", "mount") if not shutil.which(name, path=FOLDERS)]
    if absent:
        return "needs " + ", ".join(absent)
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "true"], capture_output=True, text=True, timeout=20, check=False
    )
    return tried.stderr.strip()


class Apart:
    """The two sides, while they stand. `folder` is what the site serves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pids: dict[str, int] = {}
        self.running: list[subprocess.Popen[str]] = []
        self.told: list[dict[str, str]] = []

    def command(self, side: str, *words: str | Path, cwd: Path = ROOT) -> list[str]:
        """Return the command that runs `words` on the `near` or the `far` side."""
        enter = ["nsenter", f"--target={self.pids[side]}", "--net", "--mount", "--"]
        # Whoever enters a mount namespace stands at its root.
        return [*enter, "sh", "-c", 'cd "$0" && exec "$@"', str(cwd), *map(str, words)]

    def run(
        self,
        *words: str | Path,
        cwd: Path,
        timeout: float = 40.0,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the person's side to its end, with nothing of our own environment but PATH."""
        return subprocess.run(
            self.command("near", *words, cwd=cwd),
            env={"PATH": FOLDERS, "HOME": str(cwd), "LC_ALL": "C.UTF-8", **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, side: str, *words: str | Path, cwd: Path = ROOT, **more: Any) -> subprocess.Popen[str]:
        """Start a program that is ended with the network."""
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **more}
        options.setdefault("stdout", subprocess.DEVNULL)
        command = self.command(side, *words, cwd=cwd) if side else list(map(str, words))
        process = subprocess.Popen(command, text=True, start_new_session=True, **options)
        self.running.append(process)
        return process

    def listens(self, port: int) -> None:
        """Wait until something on the person's side or the far side listens on a port of 127.0.0.1."""
        look = f"import socket; socket.create_connection(('127.0.0.1', {port}), 0.2).close()"
        until = time.monotonic() + _PATIENCE
        while subprocess.run(
            self.command("far", sys.executable, "-S", "-c", look), stderr=subprocess.DEVNULL, check=False
        ).returncode:
            assert time.monotonic() < until, f"nothing listens on {port}"
            time.sleep(0.05)

    @property
    def asked(self) -> list[str]:
        """The names that the person's side has asked its resolver for."""
        return [one["name"] for one in self.told if "name" in one]

    @property
    def fetched(self) -> list[str]:
        """The paths that were asked of the site."""
        return [one["path"] for one in self.told if "path" in one]

    def end(self) -> None:
        for process in reversed(self.running):
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdout:
                process.stdout.close()


@contextmanager
def apart(folder: Path) -> Iterator[Apart]:
    """Make the network, with a site that serves `folder`/site, and its certificate `folder`/site.pem."""
    for name, text in _FILES.items():
        (folder / name).write_text(text)
    (folder / "site").mkdir(exist_ok=True)
    made = Apart(folder)
    reader: threading.Thread | None = None
    try:
        hold = ["unshare", "--mount", "--propagation", "private"]
        for side, extra in (("near", ["--net"]), ("far", [])):
            inside = [] if side == "near" else ["nsenter", f"--target={made.pids['near']}", "--net", "--"]
            holder = made.start(
                "", *inside, *hold, *extra, "sh", "-c", _HOLD, folder, side, stdout=subprocess.PIPE
            )
            made.pids[side] = int(cast(IO[str], holder.stdout).readline())
        words = (sys.executable, "-m", "tests.servers.apart", folder)
        site = made.start("far", *words, stdout=subprocess.PIPE)
        out = cast(IO[str], site.stdout)
        assert out.readline() == "ready\n"
        reader = threading.Thread(
            target=lambda: made.told.extend(json.loads(line) for line in out), daemon=True
        )
        reader.start()
        yield made
    finally:
        for process in made.running[2:3]:  # the site: its reader ends with it
            process.kill()
        if reader is not None:
            reader.join(5.0)
        made.end()


def tell(**what: str) -> None:
    """Say one thing to who reads; a line at a time, from any thread."""
    with _SAYING:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


_SAYING = threading.Lock()


class _Site(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        tell(path=self.path, host=self.headers.get("Host", ""))
        if self.path.partition("?")[0] != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


class _Names(socketserver.BaseRequestHandler):
    """Answers every question of a name with "there is no such name"."""

    def handle(self) -> None:
        question, answers = self.request
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode("latin-1"))
            at += question[at] + 1
        tell(name=".".join(labels))
        counts = question[4:6] + bytes(6)
        answers.sendto(question[:2] + b"\x81\x83" + counts + question[12 : at + 5], self.client_address)


class _Threads(http.server.ThreadingHTTPServer):
    daemon_threads = True


def _serve(folder: Path) -> None:
    os.chdir(folder / "site")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "site.pem")
    secure, plain = _Threads(("127.0.0.1", 443), _Site), _Threads(("127.0.0.1", 80), _Site)
    secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
    socketserver.ThreadingUDPServer.address_family = socket.AF_INET
    names = socketserver.ThreadingUDPServer(("127.0.0.1", 53), _Names)
    for server in (plain, names):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    secure.serve_forever()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
