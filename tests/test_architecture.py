"""The shape of the packages: which way imports point, where tasks start, what a start costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {"transports": set[str](), "client": {"transports"}, "tui": {"client"}}
COMPOSITION_ROOT = ROOT / "client/__main__.py"
POSIX_ONLY = {
    "crypt",
    "curses",
    "fcntl",
    "grp",
    "nis",
    "posix",
    "pty",
    "pwd",
    "readline",
    "resource",
    "spwd",
} | {
    "syslog",
    "termios",
    "tty",
}
SYSTEMS = {ROOT / "client/platform.py"}
LONGEST = 400  # lines
# What a start must not pay for: each one is loaded when it is used.
LATE = {
    "aiohttp",
    "asyncio",
    "cryptography",
    "dns",
    "h11",
    "pydantic",
    "rich",
    "socket",
    "ssl",
    "stem",
    "textual",
} | {
    "tui",
    "yaml",
}
STARTERS = {"create_task", "ensure_future"}


def sources(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found
    return found


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield every module that is imported, with its dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield node.module or ""


def at_import_time(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when the module is imported: not the bodies of functions."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            yield from at_import_time(node)


FILES = [path for package in ALLOWED for path in sources(package)]
every_file = pytest.mark.parametrize("path", FILES, ids=named)


@every_file
def test_imports_point_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    roots = {name.partition(".")[0] for name in imported(ast.parse(path.read_text("utf-8")))}
    allowed = ALLOWED[package] | {package} | ({"tui"} if path == COMPOSITION_ROOT else set())
    assert roots & (ALLOWED.keys() | {"tests", "benchmarks"}) <= allowed


@every_file
def test_only_the_command_line_knows_the_command_line(path: Path) -> None:
    names = imported(ast.parse(path.read_text("utf-8")))
    inside = path.is_relative_to(ROOT / "client" / "cli") or path == COMPOSITION_ROOT
    assert inside or not any(name.startswith("client.cli") for name in names)


def test_the_composition_root_reaches_for_the_screen_only_when_asked() -> None:
    tree = ast.parse(COMPOSITION_ROOT.read_text("utf-8"))
    early = {
        name.partition(".")[0]
        for node in at_import_time(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in imported(node)
    }
    assert "tui" not in early


@pytest.mark.parametrize("path", sources("transports/wire"), ids=named)
def test_wire_formats_do_no_io(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    roots = {name.partition(".")[0] for name in imported(tree)}
    assert not roots & {"asyncio", "socket", "ssl", "select", "selectors", "threading", "subprocess", "os"}
    waiting = ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith
    assert not any(isinstance(node, waiting) for node in ast.walk(tree))


@every_file
def test_only_one_place_starts_tasks(path: Path) -> None:
    allowed = path == ROOT / "client/tasks.py" or ROOT / "client/drill" in path.parents
    starts = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
        in STARTERS
    ]
    assert allowed or not starts


@every_file
def test_nothing_is_imported_that_only_some_systems_have(path: Path) -> None:
    early = {
        name.partition(".")[0]
        for node in at_import_time(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in imported(node)
    }
    assert path in SYSTEMS or not early & POSIX_ONLY


@every_file
def test_no_file_is_too_long(path: Path) -> None:
    lines = path.read_text("utf-8").count("\n")
    assert lines <= LONGEST


def loaded(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after `code`."""
    report = "\nimport sys\nprint(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    run = subprocess.run(
        [sys.executable, "-c", code + report],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
    )
    return set(run.stderr.split())


def test_help_loads_nothing_that_it_does_not_show() -> None:
    assert not loaded("from client.cli.main import main\nassert main(['--help']) == 0") & LATE


def test_checking_a_list_loads_no_large_library_before_the_first_connection() -> None:
    network = {"asyncio", "socket", "ssl"}
    assert not loaded("import client.cli.check, client.engine, client.parse") & (LATE - network)
