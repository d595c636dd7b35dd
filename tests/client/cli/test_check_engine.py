"""`sanylau check` with an engine that fails it: share links are untested, and everything else goes on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from client.drill.stage import stage
from tests.client.cli.commands import line_for, sanylau, toward, write_list

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs and signals of POSIX")

LINKS = [f"ss://YWVzLTEyOC1nY206c2VjcmV0@127.0.0.1:{port}" for port in (9, 10)]
# Says its version, and then ends before it has read anything.
DYING = "#!/bin/sh\n[ \"$1\" = version ] && echo 'sing-box version 1.99.0' && exit 0\n"


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(
    "rest", ["exit 0", "exit 1", "exec <&-; sleep 0.3; exit 1", "[ $1 = check ] || exit 1", "kill -9 $$"]
)
async def test_an_engine_that_dies_at_once_costs_only_the_share_links(
    tmp_path: Path, loop: str, rest: str
) -> None:
    program = tmp_path / "sing-box"
    program.write_text(DYING + rest + "\n", "utf-8")
    program.chmod(0o700)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SANYLAU_LOOP": loop}
    async with stage({"good-http"}) as playing:
        many = [f"ss://YWVzLTEyOC1nY206c2VjcmV0@127.0.0.1:{port}" for port in range(20, 400)]
        path = write_list(tmp_path / "list.txt", [*LINKS, *many, line_for(playing.parts[0])])
        ended = await sanylau(
            "check", path, *toward(playing, tmp_path, total=8.0), "--json", "--yes", env=env
        )
    assert ended.err == ""
    assert ended.status == 0
    statuses = {result["transport"]: result["status"] for result in ended.of_type("result")}
    assert statuses == {"shadowsocks": "untested", "http": "working"}
