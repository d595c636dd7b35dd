"""The whole check over real sing-box nodes: the engine's processes, the ladder, and the command line with links."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from client import roots, settings
from client.drill import hostile
from client.drill.run import targets_of
from client.drill.serving import serving
from client.drill.stage import Stage, stage
from client.engine import Run, running
from client.engines import engine_opener
from client.events import Judged
from client.i18n import say
from client.model import Candidate, Failure, Reading, Status, Step, Verdict
from tests.servers.singbox import NAME, Servers, free_port, singbox_servers
from transports.types import Endpoint

__all__ = ["singbox_servers"]

ROOT = Path(__file__).parents[2]
NODES = (
    "anytls",
    "hysteria2",
    "shadowsocks",
    "shadowsocks-2022",
    "shadowtls",
    "trojan",
    "tuic",
    "vless",
    "vless-httpupgrade",
    "vless-ws-tls",
    "vmess",
    "vmess-ws",
)


@asynccontextmanager
async def checking(endpoints: list[Endpoint], servers: Servers) -> AsyncIterator[AsyncIterator[Judged]]:
    async with stage([]) as played:
        extra = servers.roots + played.origin.ca_pem
        profile = settings.tuned(settings.PROFILES["fast"], concurrency=None, connect=1.5, total=6.0)
        run = Run(
            reading=Reading(tuple(Candidate(e, "nodes", n) for n, e in enumerate(endpoints, 1)), (), 0),
            targets=targets_of(played.origin),
            profile=replace(profile, pause=0.2),
            roots=roots.loader(extra),
            engines=engine_opener(extra, 1.5),
        )

        async def judged() -> AsyncIterator[Judged]:
            async for event in events:
                if isinstance(event, Judged):
                    yield event

        async with running(run) as events:
            yield judged()


async def verdicts(endpoints: list[Endpoint], servers: Servers) -> dict[int, Verdict]:
    async with checking(endpoints, servers) as judged:
        return {event.verdict.candidate.line: event.verdict async for event in judged}


async def test_every_kind_of_node_works_with_the_right_key_and_never_with_a_wrong_one(
    singbox_servers: Servers,
) -> None:
    right = [singbox_servers.endpoint(name) for name in NODES]
    wrong = [singbox_servers.endpoint(name, bad=True) for name in NODES]
    found = await verdicts(right + wrong, singbox_servers)
    bad_news = {
        name: (found[n].status, found[n].step, found[n].failure, found[n].reason.id)
        for n, name in enumerate(NODES, 1)
        if found[n].status is not Status.WORKING
    }
    assert bad_news == {}
    for number, name in enumerate(NODES, len(NODES) + 1):
        assert found[number].status is Status.FAILED, (name, found[number])
        assert found[number].step in (Step.PROXY_HANDSHAKE, Step.CONNECT), (name, found[number])


async def test_a_switched_off_node_is_refused_at_connect_and_spoils_no_other(
    singbox_servers: Servers,
) -> None:
    off = singbox_servers.endpoint("shadowsocks", server_port=free_port())
    found = await verdicts([off, singbox_servers.endpoint("vless")], singbox_servers)
    assert (found[1].status, found[1].step, found[1].failure) == (
        Status.FAILED,
        Step.CONNECT,
        Failure.CONNECTION_REFUSED,
    )
    assert found[2].status is Status.WORKING


async def test_what_this_build_cannot_do_is_untested_and_never_failed(singbox_servers: Servers) -> None:
    plain = singbox_servers.endpoint("trojan")
    assert plain.options is not None
    tls = {**plain.options["tls"], "utls": {"enabled": True, "fingerprint": "chrome"}}
    reality = {**tls, "reality": {"enabled": True, "public_key": "A" * 43, "short_id": "01"}}
    asked = [replace(plain, options={**plain.options, "tls": section}) for section in (tls, reality)]
    found = await verdicts([*asked, plain], singbox_servers)
    assert [found[n].status for n in (1, 2, 3)] == [Status.UNTESTED, Status.UNTESTED, Status.WORKING]
    assert "uTLS" in say(found[1].reason)


async def test_sing_box_killed_in_mid_run_leaves_the_rest_untested_and_nothing_running(
    singbox_servers: Servers,
) -> None:
    async with asyncio.timeout(20), serving(hostile.silent) as port:
        held = [singbox_servers.endpoint("trojan", server_port=port, password=str(n)) for n in range(3)]
        async with checking(held, singbox_servers) as judged:
            os.kill(await engine_pid(singbox_servers), signal.SIGKILL)
            found = [event.verdict async for event in judged]
    assert [verdict.status for verdict in found] == [Status.UNTESTED] * 3
    assert "sing-box" in found[0].reason.id
    assert set(children("sing-box")) <= {singbox_servers.pid}


def children(name: str) -> list[int]:
    """Return this process's own children whose program is `name`."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = stat.read_text().rpartition(")")
        except OSError:
            continue
        program, parent, state = head.partition("(")[2], int(tail.split()[1]), tail.split()[0]
        if parent == os.getpid() and program.startswith(name) and state != "Z":
            found.append(int(stat.parent.name))
    return found


async def engine_pid(servers: Servers) -> int:
    """Wait until the check's own sing-box runs (not one that only checks a configuration); return its number."""
    for _ in range(100):
        before = set(children("sing-box")) - {servers.pid}
        await asyncio.sleep(0.3)
        lasting = before & set(children("sing-box"))
        if lasting:
            return lasting.pop()
    raise AssertionError("sing-box was not started")


def links(servers: Servers) -> list[str]:
    """Write the nodes as the share links that people pass on."""

    def of(name: str) -> dict[str, object]:
        return dict(servers.servers[name].good)

    ss, new, trojan, vless = of("shadowsocks"), of("shadowsocks-2022"), of("trojan"), of("vless")
    hysteria, tuic, anytls, vmess = of("hysteria2"), of("tuic"), of("anytls"), of("vmess")
    user = base64.urlsafe_b64encode(f"{ss['method']}:{ss['password']}".encode()).decode().rstrip("=")
    record = {
        "v": "2",
        "add": "127.0.0.1",
        "port": vmess["server_port"],
        "id": vmess["uuid"],
        "aid": "0",
        "net": "tcp",
    }
    obfs = hysteria["obfs"]
    assert isinstance(obfs, dict)
    return [
        f"ss://{user}@127.0.0.1:{ss['server_port']}#one",
        f"ss://{quote(str(new['method']))}:{quote(str(new['password']), safe='')}@127.0.0.1:{new['server_port']}",
        f"trojan://{quote(str(trojan['password']))}@127.0.0.1:{trojan['server_port']}?sni={NAME}",
        f"vless://{vless['uuid']}@127.0.0.1:{vless['server_port']}?encryption=none&type=tcp",
        (
            f"hy2://{quote(str(hysteria['password']))}@127.0.0.1:{hysteria['server_port']}"
            f"?sni={NAME}&obfs=salamander&obfs-password={quote(str(obfs['password']))}"
        ),
        f"tuic://{tuic['uuid']}:{quote(str(tuic['password']))}@127.0.0.1:{tuic['server_port']}?sni={NAME}&alpn=h3",
        f"anytls://{quote(str(anytls['password']))}@127.0.0.1:{anytls['server_port']}?sni={NAME}",
        "vmess://" + base64.b64encode(json.dumps(record).encode()).decode(),
    ]


async def run_check(played: Stage, folder: Path, text: str, roots_pem: str) -> list[dict[str, object]]:
    (folder / "ca.pem").write_text(roots_pem + played.origin.ca_pem)
    (folder / "list.txt").write_text(text)
    origin = played.origin
    command = [sys.executable, "-m", "client", "check", str(folder / "list.txt"), "--yes", "--json"]
    command += ["--profile", "fast", "--timeout", "8", "--target-ca", str(folder / "ca.pem")]
    command += ["--target", f"https://127.0.0.1:{origin.https_port}/small"]
    command += ["--bulk-target", f"https://127.0.0.1:{origin.https_port}/bulk"]
    command += ["--plain-target", f"http://127.0.0.1:{origin.http_port}/plain"]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    out, _ = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode == 0, out.decode()
    return [json.loads(line) for line in out.splitlines()]


async def test_share_links_and_a_subscription_of_them_work_by_the_command_line(
    singbox_servers: Servers, tmp_path: Path
) -> None:
    given = links(singbox_servers)
    packed = base64.b64encode("\n".join(given).encode()).decode()
    async with stage([]) as played:
        for text in ("\n".join(given), packed):
            told = await run_check(played, tmp_path, text, singbox_servers.roots)
            results = [line for line in told if line["type"] == "result"]
            assert {(line["line"], line["status"]) for line in results} == {
                (number, "working") for number in range(1, len(given) + 1)
            }, results
            assert all(line["class"] == ("D" if line["line"] == 4 else "C") for line in results)
