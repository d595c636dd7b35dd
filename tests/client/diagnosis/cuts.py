"""The kinds of cuts as lines: each bends one or two layers of an open one."""

from __future__ import annotations

from dataclasses import replace

from client.diagnosis.asks import Ask
from client.diagnosis.sights import Came, Certificate, Forgery, Issuer, Name, Place, Test
from tests.client.diagnosis.lines import CONSENT, FORGED, HOLES, WISHES, Line, cert


class NoLink(Line):
    def route(self) -> Came:
        return Came.NO_ROUTE


class Dark(Line):
    """Everything is dropped behind the gateway."""

    def syn(self, ask: Ask) -> Came:
        return Came.SILENCE

    def datagram(self, ask: Ask) -> Came:
        return Came.SILENCE

    def resolve(self, ask: Ask) -> dict[str, object]:
        return {"came": Came.SILENCE}


class NoGateway(Dark):
    def route(self) -> Came:
        return Came.SILENCE


class ForeignDropped(Line):
    how = Came.SILENCE
    dns = False

    def syn(self, ask: Ask) -> Came:
        return super().syn(ask) if ask.place is Place.HOME else self.how

    def datagram(self, ask: Ask) -> Came:
        return super().datagram(ask) if ask.place is Place.HOME else Came.SILENCE

    def resolve(self, ask: Ask) -> dict[str, object]:
        if ask.way == "udp" and not self.dns:
            return {"came": Came.SILENCE}
        return super().resolve(ask)


class ForeignReset(ForeignDropped):
    how = Came.REFUSED


class ForeignDroppedWithDns(ForeignDropped):
    dns = True


class Almaty(ForeignDropped):
    dns = True

    def syn(self, ask: Ask) -> Came:
        if ask.place is not Place.HOME and ask.port in HOLES:
            return Line.syn(self, ask)
        return super().syn(ask)


class AlmatyWithoutHome(Almaty):
    """Windows of January 2022: sites in the country are dead too, the ports still cross."""

    def syn(self, ask: Ask) -> Came:
        return Came.SILENCE if ask.place is Place.HOME else super().syn(ask)


class ListedAddresses(ForeignDropped):
    def syn(self, ask: Ask) -> Came:
        return Came.RIGHT if ask.place is Place.LISTED else super().syn(ask)


class ListedNames(Line):
    """Connections pass, handshakes only under names of the list."""

    def hello(self, ask: Ask) -> tuple[Came, Certificate | None]:
        if ask.place is Place.ABROAD and not ask.value.startswith("listed"):
            return Came.SILENCE, None
        return super().hello(ask)

    def link(self, ask: Ask) -> Came:
        return Came.SILENCE

    def datagram(self, ask: Ask) -> Came:
        return Came.SILENCE


class FalseNames(Line):
    """The network's resolver gives another address for names from abroad."""

    def resolve(self, ask: Ask) -> dict[str, object]:
        if ask.way == "system" and ask.place is Place.ABROAD:
            return {"came": Came.RIGHT, "addresses": (f"198.51.100.{int(ask.who[-1])}",)}
        return super().resolve(ask)

    def hello(self, ask: Ask) -> tuple[Came, Certificate | None]:
        return (Came.FALSE, cert(Issuer.WRONG_NAME)) if ask.way == "system" else super().hello(ask)

    def page(self, ask: Ask) -> Came:
        return Came.FALSE if ask.place is Place.ABROAD else Came.RIGHT


class NoSuchNames(Line):
    def resolve(self, ask: Ask) -> dict[str, object]:
        if ask.way == "system" and ask.place is Place.ABROAD:
            return {"came": Came.FALSE, "forgery": Forgery.NO_NAME, "detail": "nxdomain"}
        return super().resolve(ask)


class Injected(Line):
    """Answers are made on the way, to whomever one asks by UDP."""

    def resolve(self, ask: Ask) -> dict[str, object]:
        if ask.place is Place.NOBODY:
            return {"came": Came.FALSE, "forgery": Forgery.NOBODY, "addresses": (FORGED,)}
        if ask.way == "udp":
            return {"came": Came.FALSE, "forgery": Forgery.TWICE, "addresses": (FORGED,)}
        return super().resolve(ask)


class QuietNames(Line):
    def resolve(self, ask: Ask) -> dict[str, object]:
        if ask.way == "system" and ask.place is Place.ABROAD:
            return {"came": Came.SILENCE}
        return super().resolve(ask)


class SniReset(Line):
    wishes = CONSENT
    how = Came.RESET

    def hello(self, ask: Ask) -> tuple[Came, Certificate | None]:
        return (self.how, None) if ask.name is Name.FORBIDDEN else super().hello(ask)


class SniDrop(SniReset):
    how = Came.SILENCE


class SniDropUnasked(SniDrop):
    wishes = WISHES


class NationalRoot(Line):
    issuer = Issuer.NATIONAL
    by = ""

    def hello(self, ask: Ask) -> tuple[Came, Certificate | None]:
        return (Came.FALSE, cert(self.issuer, self.by)) if ask.place is not Place.HOME else super().hello(ask)

    def bulk(self, ask: Ask) -> dict[str, object]:
        return {"came": Came.FALSE} if ask.place is not Place.HOME else super().bulk(ask)


class NationalRootForNames(Line):
    wishes = CONSENT

    def hello(self, ask: Ask) -> tuple[Came, Certificate | None]:
        if ask.name is Name.FORBIDDEN:
            return Came.FALSE, cert(Issuer.NATIONAL)
        return super().hello(ask)


class Antivirus(NationalRoot):
    issuer = Issuer.PRODUCT
    by = "Some Antivirus Root"


class AddressList(Line):
    blocked = ("abroad-1", "abroad-3")

    def syn(self, ask: Ask) -> Came:
        return Came.SILENCE if ask.who in self.blocked else super().syn(ask)

    def datagram(self, ask: Ask) -> Came:
        return Came.SILENCE if ask.who in self.blocked else super().datagram(ask)


class Port443(Line):
    how = Came.REFUSED

    def syn(self, ask: Ask) -> Came:
        return self.how if ask.port == 443 and ask.place is not Place.HOME else super().syn(ask)


class Port443Dropped(Port443):
    how = Came.SILENCE


class WebOnly(Line):
    def syn(self, ask: Ask) -> Came:
        if ask.port in (80, 443) or ask.place is Place.HOME:
            return super().syn(ask)
        return Came.SILENCE


class ProtocolList(Line):
    def shape(self, ask: Ask) -> Came:
        listed = ask.port in (53, 80, 443) and ask.way in ("random", "zeros")
        return Came.SILENCE if listed else super().shape(ask)


class RandomDropped(Line):
    def shape(self, ask: Ask) -> Came:
        return Came.SILENCE if ask.way == "random" else super().shape(ask)

    def link(self, ask: Ask) -> Came:
        return Came.SILENCE if ask.test is Test.PT else super().link(ask)


class Freeze(Line):
    def bulk(self, ask: Ask) -> dict[str, object]:
        if ask.place is Place.HOME:
            return super().bulk(ask)
        return {"came": Came.STOPPED, "received": 15500 + 300 * ask.round, "packets": 25}


class SlowLink(Line):
    speed = 14.0


class SlowName(Line):
    wishes = CONSENT

    def rate(self, ask: Ask) -> float:
        return 16.0 if ask.name is Name.FORBIDDEN else self.speed


class NoUdp(Line):
    def datagram(self, ask: Ask) -> Came:
        return Came.SILENCE

    def resolve(self, ask: Ask) -> dict[str, object]:
        return {"came": Came.SILENCE} if ask.way == "udp" else super().resolve(ask)


class NoUdpButDns(NoUdp):
    resolve = Line.resolve


class Portal(Line):
    """Everything leads to a login page."""

    def hello(self, ask: Ask) -> tuple[Came, Certificate | None]:
        return Came.FALSE, cert(Issuer.WRONG_NAME)

    def page(self, ask: Ask) -> Came:
        return Came.FALSE

    def resolve(self, ask: Ask) -> dict[str, object]:
        if ask.way == "system":
            return {"came": Came.RIGHT, "addresses": ("198.51.100.1",)}
        return {"came": Came.SILENCE}

    def datagram(self, ask: Ask) -> Came:
        return Came.SILENCE

    def link(self, ask: Ask) -> Came:
        return Came.CLOSED


class PortalWithoutTls(Portal):
    """A login page that drops what is not plain HTTP."""

    def syn(self, ask: Ask) -> Came:
        return Came.RIGHT if ask.port == 80 else Came.SILENCE


class BlockPage(Line):
    def page(self, ask: Ask) -> Came:
        return Came.FALSE


class NoTor(Line):
    def link(self, ask: Ask) -> Came:
        return Came.SILENCE if ask.test is Test.TOR_LINK else super().link(ask)


class Policed(Line):
    wishes = replace(WISHES, policing=True)

    def beside(self, ask: Ask) -> Came:
        return Came.SILENCE
