"""Walks through the English guide with the real programs: what is typed here is taken from the text itself.

The person's side of the network knows no names (tests/servers/apart.py): a page that comes has come through the proxy,
and the proxy has found its name.
"""

from __future__ import annotations

import base64
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import trustme

from tests.servers.apart import FOLDERS, PAGE, SITE, Apart, apart, lacking
from tests.servers.singbox import binary

GUIDES: Final = Path(__file__).parents[2] / "client" / "data" / "guides"
SOCKS, HTTP, MIXED, HTTPS = 1080, 8080, 1081, 8443
PORTS: Final = {"socks5": SOCKS, "socks4a": MIXED, "socks4": MIXED, "http": HTTP, "https": HTTPS}
pytestmark = pytest.mark.timeout(120)


def steps(app: str, kind: str) -> list[dict[str, str]]:
    """Return the steps of one way, as they stand in the file."""
    text = tomllib.loads((GUIDES / "en" / f"{app}.toml").read_text("utf-8"))
    found: list[dict[str, str]] = next(way["step"] for way in text["way"] if kind in way["for"])
    return found


def typed(app: str, kind: str, host: str = "127.0.0.1", **more: str) -> list[str]:
    """Return everything that a way says to type, filled in as the guide fills it."""
    port = PORTS.get(kind) or (HTTP if app == "pip" else SOCKS)
    values = {
        "line": "",
        "host": host,
        "port": str(port),
        "local": "127.0.0.1",
        "local_port": str(port),
        **more,
    }
    marked = [one for step in steps(app, kind) for one in re.findall(r"`([^`]+)`", step["do"])]
    return [one.format(**values) for one in marked]


def command(app: str, kind: str, begins: str = "", **more: str) -> list[str]:
    """Return the first command of a way, as a shell would split it."""
    begins = begins or app
    return next(shlex.split(one) for one in typed(app, kind, **more) if one.startswith(begins))


def needs(*programs: str) -> None:
    absent = [name for name in programs if not shutil.which(name, path=FOLDERS)]
    if absent:
        pytest.skip("needs " + ", ".join(absent))


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """A network apart with one proxy of each kind on its far side, which is the only one that knows the site."""
    if reason := lacking():
        pytest.skip(reason)
    needs("microsocks", "tinyproxy", "curl")
    folder = tmp_path_factory.mktemp("apart")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued = authority.issue_cert(*SITE, "proxy.example", "127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "site.pem"))
    (folder / "tinyproxy.conf").write_text(
        f'Port {HTTP}\nListen 127.0.0.1\nTimeout 30\nMaxClients 20\nAllow 127.0.0.1\nPidFile "{folder}/pid"\n'
    )
    tls = f'{{"enabled": true, "certificate_path": "{folder}/site.pem", "key_path": "{folder}/site.pem"}}'
    inbound = '{{"type": "{}", "listen": "127.0.0.1", "listen_port": {}{}}}'
    (folder / "proxies.json").write_text(
        '{"dns": {"servers": [{"type": "hosts", "tag": "hosts"}]},'
        '"route": {"default_domain_resolver": "hosts"}, "outbounds": [{"type": "direct"}], "inbounds": ['
        + inbound.format("mixed", MIXED, "")
        + ", "
        + inbound.format("http", HTTPS, f', "tls": {tls}')
        + ', {"type": "shadowsocks", "listen": "127.0.0.1", "listen_port": 8388, '
        + '"method": "chacha20-ietf-poly1305", "password": "right"}]}'
    )
    with apart(folder) as made:
        made.start("far", "microsocks", "-i", "127.0.0.1", "-p", str(SOCKS))
        made.start("far", "tinyproxy", "-d", "-c", folder / "tinyproxy.conf")
        made.start("far", binary(), "run", "-c", folder / "proxies.json")
        for port in (SOCKS, HTTP, MIXED, HTTPS):
            made.listens(port)
        yield made


@pytest.fixture
def walk(net: Apart) -> Iterator[Apart]:
    """The network for one walk, at whose end no name was asked for on the person's side."""
    net.told.clear()
    yield net
    assert net.asked == []
    assert net.fetched, "nothing came to the site"


def test_a_program_without_a_proxy_asks_the_operator_and_gets_nothing(net: Apart, tmp_path: Path) -> None:
    net.told.clear()
    done = net.run("curl", "-sS", f"https://{SITE[0]}/", cwd=tmp_path)
    until = time.monotonic() + 5.0
    while not net.asked and time.monotonic() < until:
        time.sleep(0.02)
    assert done.returncode == 6
    assert set(net.asked) == {SITE[0]}
    assert net.fetched == []


@pytest.mark.parametrize("kind", ["local", "socks5", "socks4", "socks4a", "http", "https"])
def test_curl_fetches_as_its_guide_says(walk: Apart, tmp_path: Path, kind: str) -> None:
    argv = command("curl", kind)
    extra = ["--proxy-cacert", str(walk.folder / "ca.pem")] if kind == "https" else []
    done = walk.run(*argv, *extra, cwd=tmp_path, environment={"CURL_CA_BUNDLE": str(walk.folder / "ca.pem")})
    assert done.stdout.encode() == PAGE, done.stderr


@pytest.mark.parametrize("kind", ["local", "socks5", "http"])
def test_git_clones_as_its_guide_says(walk: Apart, tmp_path: Path, kind: str) -> None:
    needs("git")
    made, bare = tmp_path / "made", walk.folder / "site" / "project.git"
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    if not bare.exists():
        for words in (
            ["init", "-q", str(made)],
            ["-C", str(made), *who, "commit", "-q", "--allow-empty", "-m", "first"],
            ["clone", "-q", "--bare", str(made), str(bare)],
            ["-C", str(bare), "update-server-info"],
        ):
            subprocess.run(["git", *words], check=True, timeout=20)
    done = walk.run(
        *command("git", kind),
        cwd=tmp_path,
        environment={"GIT_SSL_CAINFO": str(walk.folder / "ca.pem"), "GIT_TERMINAL_PROMPT": "0"},
    )
    assert done.returncode == 0, done.stderr
    log = subprocess.run(
        ["git", "-C", str(tmp_path / "project"), "log", "--format=%s"],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert log.stdout == "first\n"


def _wheel(site: Path) -> None:
    folder = site / "simple" / "chink"
    folder.mkdir(parents=True, exist_ok=True)
    info = "chink-1.0.dist-info"
    with zipfile.ZipFile(folder / "chink-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("chink.py", "light = True\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: chink\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    (folder / "index.html").write_text('<a href="chink-1.0-py3-none-any.whl">chink-1.0-py3-none-any.whl</a>')


@pytest.mark.parametrize("kind", ["local", "http"])
@pytest.mark.parametrize("begins", ["pip install --proxy", "pip download"])
def test_pip_fetches_as_its_guide_says(walk: Apart, tmp_path: Path, kind: str, begins: str) -> None:
    pytest.importorskip("pip")
    _wheel(walk.folder / "site")
    argv = [word.replace("NAME", "chink") for word in command("pip", kind, begins)]
    environment = {
        "PIP_INDEX_URL": f"https://{SITE[0]}/simple",
        "PIP_CERT": str(walk.folder / "ca.pem"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_CONFIG_FILE": "/dev/null",
    }
    there = {"PIP_TARGET": str(tmp_path / "packages")} if begins.startswith("pip install") else {}
    done = walk.run(sys.executable, "-m", *argv, cwd=tmp_path, environment={**environment, **there})
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "packages").glob("chink*"))
    if not there:
        last = [word.replace("NAME", "chink") for word in command("pip", kind, "pip install --no-index")]
        again = walk.run(
            sys.executable,
            "-m",
            *last,
            "--target",
            "here",
            cwd=tmp_path,
            environment={"PIP_CONFIG_FILE": "/dev/null"},
        )
        assert "Successfully installed chink" in again.stdout, again.stderr


@pytest.fixture(scope="module")
def shell(net: Apart) -> list[str]:
    """Give the options of a client that can log in to the sshd of the site."""
    needs("sshd", "ssh", "ssh-keygen", "nc", "ncat")
    folder = net.folder
    for name in ("host_key", "own_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True, timeout=20
        )
    (folder / "sshd.conf").write_text(
        f"ListenAddress 127.0.0.1\nHostKey {folder}/host_key\nAuthorizedKeysFile {folder}/own_key.pub\n"
        "StrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile none\n"
    )
    net.start("far", shutil.which("sshd", path=FOLDERS) or "", "-D", "-f", folder / "sshd.conf")
    net.listens(22)
    known = f"UserKnownHostsFile={folder}/known"
    return [
        "-i",
        f"{folder}/own_key",
        "-o",
        known,
        "-o",
        "StrictHostKeyChecking=accept-new",
        "-o",
        "BatchMode=yes",
    ]


@pytest.mark.parametrize(
    ("kind", "how"), [("local", "nc"), ("local", "ncat"), ("socks5", "nc"), ("http", "nc")]
)
def test_ssh_logs_in_as_its_guide_says(
    net: Apart, shell: list[str], tmp_path: Path, kind: str, how: str
) -> None:
    net.told.clear()
    argv = command("ssh", kind, f'ssh -o ProxyCommand="{how} ')
    argv[-1] = argv[-1].replace("NAME", "root").replace("HOST", SITE[0])
    done = net.run(*argv[:-1], *shell, argv[-1], "echo through", cwd=tmp_path)
    assert done.stdout == "through\n", done.stderr
    assert net.asked == []


@pytest.mark.parametrize("kind", ["local", "socks5", "http"])
def test_apt_updates_as_its_guide_says(walk: Apart, tmp_path: Path, kind: str) -> None:
    needs("apt-get")
    debian = walk.folder / "site" / "debian"
    debian.mkdir(exist_ok=True)
    (debian / "Packages").write_text(
        "Package: chink\nVersion: 1.0\nArchitecture: all\nFilename: ./chink.deb\nSize: 1\n"
    )
    for name in ("lists/partial", "cache/archives/partial", "parts"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "status").touch()
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] https://{SITE[0]}/debian ./\n")
    (tmp_path / "apt.conf").write_text(
        f'Dir::State "{tmp_path}";\nDir::State::status "{tmp_path}/status";\nDir::Cache "{tmp_path}/cache";\n'
        f'Dir::Etc::sourcelist "{tmp_path}/sources.list";\nDir::Etc::sourceparts "{tmp_path}/parts";\n'
        f'Dir::Etc::parts "{tmp_path}/parts";\nAPT::Sandbox::User "root";\nAcquire::Languages "none";\n'
        f'Acquire::https::CaInfo "{walk.folder}/ca.pem";\nAPT::Update::Error-Mode "any";\n'
    )
    (sudo, *argv) = command("apt", kind, "sudo apt-get")
    assert sudo == "sudo"
    done = walk.run(*argv, cwd=tmp_path, environment={"APT_CONFIG": str(tmp_path / "apt.conf")})
    assert done.returncode == 0, done.stderr
    assert any(path.startswith("/debian/./Packages") for path in walk.fetched)


@pytest.mark.parametrize("kind", ["local", "socks5", "http"])
def test_proxychains4_leads_curl_as_its_guide_says(walk: Apart, tmp_path: Path, kind: str) -> None:
    needs("proxychains4")
    marked = typed("proxychains4", kind)
    begin = marked.index("strict_chain")
    assert "four lines" in steps("proxychains4", kind)[1 if kind == "local" else 0]["do"]
    (tmp_path / "proxychains.conf").write_text("\n".join(marked[begin : begin + 4]) + "\n")
    argv = next(shlex.split(one) for one in marked if one.startswith("proxychains4") and "curl" in one)
    done = walk.run(*argv, cwd=tmp_path, environment={"CURL_CA_BUNDLE": str(walk.folder / "ca.pem")})
    assert done.stdout.encode() == PAGE, done.stderr


@pytest.mark.parametrize("kind", ["local", "socks5", "http", "https"])
def test_chromium_opens_a_page_as_its_guide_says(walk: Apart, tmp_path: Path, kind: str) -> None:
    needs("chromium")
    argv = command("chromium", kind)
    quiet = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = walk.run(
        *argv, *quiet, "--ignore-certificate-errors", "--dump-dom", f"https://{SITE[0]}/", cwd=tmp_path
    )
    assert "the far page" in done.stdout, done.stderr[-2000:]


def test_sing_box_runs_what_is_exported_as_its_guide_says(walk: Apart, tmp_path: Path) -> None:
    secret = base64.urlsafe_b64encode(b"chacha20-ietf-poly1305:right").decode().rstrip("=")
    (tmp_path / "LIST").write_text(f"ss://{secret}@127.0.0.1:8388#far\n")
    (ours, *argv) = command("sing-box", "shadowsocks", "sanylau export")
    assert ours == "sanylau"
    written = walk.run(
        sys.executable,
        "-m",
        "client",
        *argv,
        "--untested",
        cwd=tmp_path,
        environment={"PYTHONPATH": str(GUIDES.parents[2])},
    )
    assert written.returncode == 0, written.stderr
    (_, *run) = command("sing-box", "shadowsocks", "sing-box run")
    running = walk.start("near", binary(), *run, cwd=tmp_path)
    walk.listens(2080)
    argv = command("sing-box", "shadowsocks", "curl")
    done = walk.run(*argv, cwd=tmp_path, environment={"CURL_CA_BUNDLE": str(walk.folder / "ca.pem")})
    running.terminate()
    running.wait(10)
    assert done.stdout.encode() == PAGE, done.stderr


def major(version: str) -> tuple[int, ...]:
    """Return what counts of a version: the first number, or two where that is 0."""
    numbers = [int(one) for one in re.findall(r"\d+", version)]
    return tuple(numbers[: 2 if numbers[0] == 0 else 1])


def says(*argv: str) -> Callable[[], str]:
    def ask() -> str:
        needs(argv[0])
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={"PATH": FOLDERS, "HOME": "/nonexistent"},
        )
        return done.stdout + done.stderr

    return ask


VERSIONS: Final[dict[str, Callable[[], str]]] = {
    "apt": says("apt-get", "--version"),
    "chromium": says("chromium", "--version"),
    "curl": says("curl", "--version"),
    "firefox": says("firefox-esr", "--version"),
    "git": says("git", "--version"),
    "pip": says(sys.executable, "-m", "pip", "--version"),
    "proxychains4": says("proxychains4", "true"),
    "sing-box": lambda: says(str(binary()), "version")(),
    "ssh": says("ssh", "-V"),
    "tor": says("tor", "--version"),
}


def checked() -> dict[str, str]:
    """Return the version of each program that the guide says was walked through."""
    apps: list[dict[str, Any]] = tomllib.loads((GUIDES / "apps.toml").read_text("utf-8"))["app"]
    return {app["id"]: app["checked"].split()[1] for app in apps if app["checked"] != "not yet"}


def test_what_the_guide_calls_walked_through_is_walked_through_here() -> None:
    assert set(checked()) == set(VERSIONS)


@pytest.mark.parametrize("app", sorted(VERSIONS))
def test_no_version_is_named_that_is_newer_than_what_walks_here(app: str) -> None:
    """The walks of this file run with the program that is here, so a newer one than the text names has been walked too."""
    found = re.search(r"\d+\.\d+(?:\.\d+)*", VERSIONS[app]())
    assert found
    assert major(found[0]) >= major(checked()[app])
