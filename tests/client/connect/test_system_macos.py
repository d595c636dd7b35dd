"""The proxy of macOS, against a small stand-in that answers as recorded: nothing here was tried on a real machine."""

from __future__ import annotations

import pytest

from client.connect.system_macos import KINDS, PROGRAM, Entry, Macos, direct, entry, read, script, services
from client.connect.system_parts import Place
from transports.guard_main import Argv
from transports.types import Rejected

OURS = Place("127.0.0.1", 1080)
LISTING = "An asterisk (*) denotes that a network service is disabled.\nUSB 10/100 LAN\n*Thunderbolt Bridge\nWi-Fi\n"


class Machine:
    """Keeps what networksetup keeps, and prints it as networksetup does."""

    def __init__(self, *names: str) -> None:
        self.proxies = {(name, kind): Entry(on=False, host="", port=0) for name in names for kind in KINDS}
        self.direct: dict[str, tuple[str, ...]] = dict.fromkeys(names, ("*.local", "169.254/16"))
        self.scripts = dict.fromkeys(names, ("(null)", False))
        self.discovery = dict.fromkeys(names, False)

    def state(self) -> object:
        """Leave out our address where it is switched off and was none before: it cannot be emptied."""
        off = Entry(on=False, host=OURS.host, port=OURS.port)
        none = Entry(on=False, host="", port=0)
        proxies = {key: none if entry == off else entry for key, entry in self.proxies.items()}
        return proxies, dict(self.direct), dict(self.scripts), dict(self.discovery)

    def ask(self, argv: Argv) -> str:
        program, order, *rest = argv
        assert program == PROGRAM
        if order == "-listallnetworkservices":
            return "An asterisk (*) denotes that a network service is disabled.\n" + "\n".join(self.direct)
        name, *values = rest
        kind = order.removeprefix("-get").removeprefix("-set").removesuffix("state")
        if kind in KINDS:
            return self._proxy(order, name, kind, values)
        return self._rest(order, name, values)

    def _proxy(self, order: str, name: str, kind: str, values: list[str]) -> str:
        old = self.proxies[name, kind]
        if order.startswith("-get"):
            yes = "Yes" if old.on else "No"
            login = int(old.login)
            return f"Enabled: {yes}\nServer: {old.host}\nPort: {old.port}\nAuthenticated Proxy Enabled: {login}\n"
        if order.endswith("state"):
            self.proxies[name, kind] = Entry(on=values == ["on"], host=old.host, port=old.port)
        else:
            self.proxies[name, kind] = Entry(on=True, host=values[0], port=int(values[1]))
        return ""

    def _rest(self, order: str, name: str, values: list[str]) -> str:
        if order == "-getproxybypassdomains":
            none = f"There aren't any bypass domains set on {name}."
            return "\n".join(self.direct[name]) or none
        if order == "-getautoproxyurl":
            url, on = self.scripts[name]
            return f"URL: {url}\nEnabled: {'Yes' if on else 'No'}\n"
        if order == "-getproxyautodiscovery":
            return f"Auto Proxy Discovery: {'On' if self.discovery[name] else 'Off'}\n"
        if order == "-setproxybypassdomains":
            self.direct[name] = () if values == ["Empty"] else tuple(values)
        elif order == "-setautoproxystate":
            self.scripts[name] = (self.scripts[name][0], values == ["on"])
        elif order == "-setproxyautodiscovery":
            self.discovery[name] = values == ["on"]
        else:
            raise AssertionError(order)
        return ""

    def holds(self, still: tuple[tuple[Argv, str], ...]) -> bool:
        return all(" ".join(self.ask(argv).split()) == words for argv, words in still)


def used(machine: Machine) -> Machine:
    """Give it one of everything: an old proxy, one switched off, no exceptions, a script, detection."""
    machine.proxies["Wi-Fi", "webproxy"] = Entry(on=True, host="192.0.2.7", port=3128)
    machine.proxies["Wi-Fi", "socksfirewallproxy"] = Entry(on=False, host="192.0.2.8", port=1080)
    machine.direct["Wi-Fi"] = ()
    machine.scripts["Ethernet"] = ("http://192.0.2.9/proxy.pac", True)
    machine.discovery["Ethernet"] = True
    return machine


def test_only_services_that_are_not_disabled_are_changed() -> None:
    assert services(LISTING) == ["USB 10/100 LAN", "Wi-Fi"]
    assert services("") == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "Enabled: Yes\nServer: 192.0.2.7\nPort: 3128\nAuthenticated Proxy Enabled: 0\n",
            Entry(on=True, host="192.0.2.7", port=3128),
        ),
        (
            "Enabled: No\nServer: \nPort: 0\nAuthenticated Proxy Enabled: 0\n",
            Entry(on=False, host="", port=0),
        ),
        (
            "Enabled: Yes\nServer: 2001:db8::7\nPort: 8080\nAuthenticated Proxy Enabled: 1\n",
            Entry(on=True, host="2001:db8::7", port=8080, login=True),
        ),
        ("", Entry(on=False, host="", port=0)),
    ],
)
def test_what_it_prints_about_a_proxy_is_read(text: str, wanted: Entry) -> None:
    assert entry(text) == wanted


def test_what_it_prints_about_scripts_and_exceptions_is_read() -> None:
    assert script("URL: http://192.0.2.9/proxy.pac\nEnabled: Yes\n") == "http://192.0.2.9/proxy.pac"
    assert script("URL: http://192.0.2.9/proxy.pac\nEnabled: No\n") == ""
    assert script("URL: (null)\nEnabled: No\n") == ""
    assert direct("*.local\n169.254/16\n") == ("*.local", "169.254/16")
    assert direct("There aren't any bypass domains set on Wi-Fi.\n") == ()


@pytest.mark.parametrize("machine", [Machine("Wi-Fi", "Ethernet"), used(Machine("Wi-Fi", "Ethernet"))])
def test_every_service_is_changed_and_everything_put_back(machine: Machine) -> None:
    before = machine.state()
    plan = read(machine.ask).plan(OURS)
    for part in plan.parts:
        assert not machine.holds(part.still)
        for argv in part.do:
            machine.ask(argv)
    assert all(machine.holds(part.still) for part in plan.parts)
    seen = read(machine.ask)
    assert seen.places == {OURS}
    assert not seen.automatic
    assert set(machine.direct.values()) == {("localhost", "127.0.0.1", "::1")}
    for part in reversed(plan.parts):
        for argv in part.undo:
            machine.ask(argv)
    assert machine.state() == before


def test_a_proxy_that_is_ours_already_is_not_changed_again() -> None:
    machine = Machine("Wi-Fi")
    for part in read(machine.ask).plan(OURS).parts:
        for argv in part.do:
            machine.ask(argv)
    assert read(machine.ask).plan(OURS).parts == ()


def test_the_script_counts_until_the_addresses_are_whole() -> None:
    machine = used(Machine("Ethernet", "Wi-Fi"))
    orders = [
        argv for part in read(machine.ask).plan(OURS).parts for argv in part.do if argv[2] == "Ethernet"
    ]
    assert [argv[1] for argv in orders] == [
        "-setproxybypassdomains",
        "-setwebproxy",
        "-setsecurewebproxy",
        "-setsocksfirewallproxy",
        "-setautoproxystate",
        "-setproxyautodiscovery",
    ]
    assert orders[1] == (PROGRAM, "-setwebproxy", "Ethernet", "127.0.0.1", "1080")


def test_a_proxy_with_a_login_is_left_alone_because_its_password_is_not_known() -> None:
    machine = Machine("Wi-Fi")
    machine.proxies["Wi-Fi", "webproxy"] = Entry(on=True, host="192.0.2.7", port=3128, login=True)
    with pytest.raises(Rejected, match="login"):
        read(machine.ask).plan(OURS)


def test_switching_off_changes_only_what_is_on() -> None:
    machine = used(Machine("Wi-Fi", "Ethernet"))
    picture = read(machine.ask)
    assert isinstance(picture, Macos)
    assert picture.off() == ((PROGRAM, "-setwebproxystate", "Wi-Fi", "off"),)
    for argv in picture.off():
        machine.ask(argv)
    assert read(machine.ask).places == frozenset()


def test_without_any_service_the_words_say_what_to_do() -> None:
    with pytest.raises(Rejected, match="--exec"):
        read(lambda argv: "")
