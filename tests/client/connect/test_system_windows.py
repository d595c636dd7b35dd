"""The proxy of Windows, against a small stand-in that answers as recorded: nothing here was tried on a real machine."""

from __future__ import annotations

import pytest

from client.connect.system_parts import Picture, Place
from client.connect.system_windows import Value, parsed, read
from transports.guard_main import Argv
from transports.types import Rejected

OURS = Place("127.0.0.1", 1080)
REG = r"C:\Windows\System32\reg.exe"
PYTHON = r"C:\Python\python.exe"
KEY = r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Internet Settings"
OUTPUT = f"""
{KEY}
    User Agent    REG_SZ    Mozilla/4.0 (compatible; MSIE 8.0; Win32)
    ProxyEnable    REG_DWORD    0x1
    ProxyServer    REG_SZ    http=192.0.2.7:3128;socks=[2001:db8::8]:1080
    ProxyOverride    REG_SZ    <local>
    Empty    REG_SZ{"    "}

{KEY}\\Connections
"""
FRESH: dict[str, Value] = {"ProxyEnable": ("REG_DWORD", "0x0"), "CertificateRevocation": ("REG_DWORD", "0x1")}
USED: dict[str, Value] = {
    "ProxyEnable": ("REG_DWORD", "0x1"),
    "ProxyServer": ("REG_SZ", "192.0.2.7:3128"),
    "ProxyOverride": ("REG_SZ", "*.intranet;<local>"),
    "AutoConfigURL": ("REG_SZ", "http://192.0.2.9/proxy.pac"),
}


class Registry:
    """Keeps the key's values, and answers as reg.exe does."""

    def __init__(self, values: dict[str, Value], flags: str = "01") -> None:
        self.values = dict(values)
        self.flags = flags
        self.told = 0

    def ask(self, argv: Argv) -> str:
        if argv[0] == PYTHON:
            assert "InternetSetOptionW" in argv[-1]
            self.told += 1
            return ""
        program, order, key, *words = argv
        assert program == REG
        assert key.replace("HKCU", "HKEY_CURRENT_USER").startswith(KEY)
        if key.endswith("Connections"):
            return f"\r\n{KEY}\\Connections\r\n    DefaultConnectionSettings    REG_BINARY    4600000005000000{self.flags}000000\r\n"
        given = dict(zip(words[::2], words[1::2], strict=False))
        return getattr(self, f"_{order}")(given)  # type: ignore[no-any-return]

    def _query(self, given: dict[str, str]) -> str:
        wanted = [given["/v"]] if given else list(self.values)
        shown = [
            f"    {name}    {'    '.join(self.values[name])}\r\n" for name in wanted if name in self.values
        ]
        return f"\r\n{KEY}\r\n" + "".join(shown) + "\r\n" if shown else ""

    def _add(self, given: dict[str, str]) -> str:
        self.values[given["/v"]] = (given["/t"], given["/d"])
        return "The operation completed successfully.\r\n"

    def _delete(self, given: dict[str, str]) -> str:
        del self.values[given["/v"]]
        return "The operation completed successfully.\r\n"

    def holds(self, still: tuple[tuple[Argv, str], ...]) -> bool:
        return all(" ".join(self.ask(argv).split()) == words for argv, words in still)


def seen(registry: Registry) -> Picture:
    return read(registry.ask, REG, PYTHON)


def test_what_it_prints_is_read() -> None:
    values = parsed(OUTPUT)
    assert values["ProxyEnable"] == ("REG_DWORD", "0x1")
    assert values["User Agent"] == ("REG_SZ", "Mozilla/4.0 (compatible; MSIE 8.0; Win32)")
    assert values["Empty"] == ("REG_SZ", "")
    assert parsed("") == {}


def test_each_protocol_of_an_old_proxy_is_seen() -> None:
    picture = read(lambda argv: OUTPUT if len(argv) == 3 else "", REG, PYTHON)
    assert picture.places == {Place("192.0.2.7", 3128), Place("2001:db8::8", 1080)}


@pytest.mark.parametrize("values", [FRESH, USED, {**USED, "ProxyEnable": ("REG_DWORD", "0x0")}])
def test_the_port_is_set_and_every_value_put_back_or_taken_away_again(values: dict[str, Value]) -> None:
    registry = Registry(values)
    plan = seen(registry).plan(OURS)
    for part in plan.parts:
        assert not registry.holds(part.still)
        for argv in part.do:
            registry.ask(argv)
    assert all(registry.holds(part.still) for part in plan.parts)
    after = seen(registry)
    assert (set(after.places), after.automatic) == ({OURS}, False)
    assert registry.values["ProxyOverride"] == ("REG_SZ", "localhost;127.*;[::1]")
    for part in reversed(plan.parts):
        for argv in part.undo:
            registry.ask(argv)
    assert registry.values == values


def test_at_no_moment_is_an_old_proxy_or_script_gone_before_ours_counts() -> None:
    for values in (FRESH, USED):
        registry = Registry(values)
        plan = seen(registry).plan(OURS)
        there = seen(registry).places
        moments = [argv for part in plan.parts for argv in part.do]
        for argv in moments + [argv for part in reversed(plan.parts) for argv in part.undo]:
            registry.ask(argv)
            now = seen(registry)
            assert now.places in (there, {OURS})
            assert now.automatic or now.places or not there


def test_running_programs_are_told() -> None:
    registry = Registry(FRESH)
    picture = seen(registry)
    for argv in picture.plan(OURS).notice:
        registry.ask(argv)
    assert registry.told == 1
    assert picture.off()[-1][0] == PYTHON


def test_switching_off_changes_one_value() -> None:
    registry = Registry(USED)
    for argv in seen(registry).off():
        registry.ask(argv)
    assert registry.values == {**USED, "ProxyEnable": ("REG_DWORD", "0x0")}
    assert seen(registry).places == frozenset()


@pytest.mark.parametrize(
    ("flags", "warned"), [("09", 1), ("0B", 1), ("0b", 1), ("01", 0), ("03", 0), ("", 0)]
)
def test_detection_by_the_network_is_warned_of(flags: str, warned: int) -> None:
    assert len(seen(Registry(FRESH, flags)).warnings) == warned


def test_an_address_of_the_sixth_version_stands_in_brackets() -> None:
    registry = Registry(FRESH)
    for part in seen(registry).plan(Place("::1", 1080)).parts:
        for argv in part.do:
            registry.ask(argv)
    assert registry.values["ProxyServer"] == ("REG_SZ", "[::1]:1080")
    assert seen(registry).places == {Place("::1", 1080)}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {**FRESH, "ProxyServer": ("REG_SZ", "прокси:3128")},
        {**FRESH, "ProxyOverride": ("REG_SZ", 'a"b')},
        {"ProxyEnable": ("REG_SZ", "on")},
    ],
)
def test_what_could_not_be_written_again_is_not_touched(values: dict[str, Value]) -> None:
    with pytest.raises(Rejected, match="--exec"):
        seen(Registry(values))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ProxyServer", "ann:secret@192.0.2.7:3128"),
        ("ProxyServer", "http=192.0.2.7:1;https=http://ann:secret@192.0.2.7:3128"),
        ("AutoConfigURL", "http://ann:secret@192.0.2.9/proxy.pac"),
    ],
)
def test_a_proxy_with_a_password_is_left_alone_for_a_command_line_would_show_it(
    name: str, value: str
) -> None:
    registry = Registry({**USED, name: ("REG_SZ", value)})
    with pytest.raises(Rejected, match="show the password"):
        seen(registry).plan(OURS)
    mail = {**USED, "AutoConfigURL": ("REG_SZ", "http://192.0.2.9/for/ann@example.test.pac")}
    assert seen(Registry(mail)).plan(OURS).parts
