"""The laboratory as a test sees it: one world for a worker, a scenario at a time, programs in the person's place."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from tests.lab import anchors_file, build, programs
from tests.lab.scenarios import DEAD, LOSS, SCENARIOS, Scenario

START: Final = 60.0  # seconds until the world stands
_APART: Final = ("unshare", "--pid", "--fork", "--kill-child", "--net", "--mount", "--propagation", "private")
SWITCH: Final = 20.0  # seconds for a command to the border
NOT_PASSED_ON: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")


class NoLab(Exception):  # noqa: N818 - it is a reason to skip
    """Why there can be no laboratory here."""


def lacking() -> str:
    """Return what keeps the laboratory from running here, "" if nothing does."""
    if sys.platform != "linux":
        return "needs Linux"
    if os.geteuid() != 0:
        return "needs root (it makes network namespaces)"
    absent = [program for program in programs.NEEDED if shutil.which(program, path=programs.FOLDERS) is None]
    if absent:
        return "needs " + ", ".join(absent)
    if not Path("/dev/net/tun").exists():
        return "needs /dev/net/tun"
    tried = subprocess.run(
        ["unshare", "--pid", "--fork", "--net", "--mount", "nft", "add", "table", "ip", "x"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return f"needs root that may make network namespaces ({tried.stderr.strip()})" if tried.returncode else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What the border has seen of the person since the scenario began. Bytes are those of IP packets."""

    tcp: int  # connections begun, each once
    udp: int  # pairs of ports and addresses
    sent: int
    got: int
    echo: int  # ICMP echo requests
    names: frozenset[str]  # names in the clear: DNS queries, SNI, HTTP's Host
    ports: tuple[int, ...]  # TCP ports asked for, in the order of their first SYN

    @property
    def connections(self) -> int:
        """Connections and UDP exchanges together."""
        return self.tcp + self.udp

    @property
    def moved(self) -> int:
        """Bytes both ways."""
        return self.sent + self.got


class Lab:
    """A running world. Make it with `laboratory()`."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process, self.folder = process, folder
        self.pids: dict[str, int] = self._answer(START)["pids"]

    def _answer(self, limit: float) -> dict[str, Any]:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], limit)
        line = self.process.stdout.readline() if ready else ""
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the border says nothing"}
        if "error" in answer:
            raise AssertionError(f"laboratory: {answer['error']}\n{self.log()}")
        return answer

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        """Have the border do one thing."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self.process.stdin.flush()
        return self._answer(SWITCH)

    def log(self) -> str:
        """Return the end of what the programs said."""
        with suppress(OSError):
            return (self.folder / "border.log").read_text(errors="replace")[-2000:]
        return ""

    def play(self, scenario: Scenario | str, *, rough: bool = False) -> Line:
        """Put a scenario into force, with loss and one dead anchor if `rough`. All counts begin anew."""
        if isinstance(scenario, str):
            scenario = SCENARIOS[scenario]
        border = scenario.border
        if rough:
            border = replace(border, loss=LOSS, dead=(*border.dead, DEAD))
        self.ask("play", border=asdict(border))
        return Line(self, scenario)

    def _command(self, where: str, argv: Sequence[str]) -> list[str]:
        inner = ["sh", "-c", 'cd "$0" && exec "$@"', str(build.ROOT), *argv]
        return ["nsenter", f"--target={self.pids[where]}", "--net", "--mount", "--", *inner]

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return a person's environment: an own empty home, no proxy, no certificates of this machine's owner."""
        home = self.folder / "person"
        kept = {name: value for name, value in os.environ.items() if name.lower() not in NOT_PASSED_ON}
        kept |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "PYTHONPATH": str(build.ROOT)}
        return kept | {name: value.replace("{folder}", str(self.folder)) for name, value in more.items()}

    @contextmanager
    def start(
        self, where: str, argv: Sequence[str], env: Mapping[str, str] | None = None, **more: Any
    ) -> Iterator[subprocess.Popen[str]]:
        """Run a program in a namespace ("person", "home", "abroad", "helper") for the length of the block."""
        process = subprocess.Popen(
            self._command(where, argv),
            env=self.environment(env or {}),
            text=True,
            start_new_session=True,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
        )
        try:
            with process:
                try:
                    yield process
                finally:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
        finally:
            with suppress(ProcessLookupError):  # what it has started
                os.killpg(process.pid, signal.SIGKILL)

    def run(
        self,
        where: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        feed: str | None = None,
        timeout: float = 60.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in a namespace to its end. Raises subprocess.TimeoutExpired."""
        with self.start(where, argv, env, stdin=subprocess.PIPE) as process:
            out, err = process.communicate(feed or "", timeout)
        return subprocess.CompletedProcess(list(argv), process.returncode, out, err)

    def bridge(self, port: int) -> str:
        """Return the line of the obfs4 bridge abroad, on one of `places.BRIDGE_PORTS`."""
        return anchors_file.bridge_line(self.folder, port)


@dataclass(frozen=True)
class Line:
    """The person's line while a scenario is in force."""

    lab: Lab
    scenario: Scenario

    @property
    def anchors(self) -> Path:
        """The anchors file of this world."""
        return self.lab.folder / anchors_file.NAME

    def person(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        feed: str | None = None,
        timeout: float = 60.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program where the person is. Raises subprocess.TimeoutExpired."""
        more = {**self.scenario.environment, **(env or {})}
        return self.lab.run("person", argv, env=more, feed=feed, timeout=timeout)

    def counts(self) -> Counts:
        """Return what the border has seen since the scenario began."""
        told = self.lab.ask("counts")
        return Counts(**{**told, "names": frozenset(told["names"]), "ports": tuple(told["ports"])})


@contextmanager
def laboratory() -> Iterator[Lab]:
    """Build a world, and take it down in the end. Raises NoLab if that cannot be here."""
    if reason := lacking():
        raise NoLab(reason)
    with tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True) as text:
        folder = Path(text)
        (folder / "person").mkdir()
        with (folder / "border.log").open("wb") as log:
            process = subprocess.Popen(
                [*_APART, sys.executable, "-m", "tests.lab.border", str(folder)],
                cwd=build.ROOT,
                env={**os.environ, "PATH": programs.FOLDERS},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # a Ctrl-C is for pytest, which then ends the world in order
            )
        try:
            yield Lab(process, folder)
        finally:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Take the world down; nothing of it outlives its first process."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
    process.stdout.close()
