"""Rules about names, certificates and pages: who answers for a name, and what a name in a handshake does. Pure."""

from __future__ import annotations

from typing import Final

from client.diagnosis import evidence as e
from client.diagnosis.kinds import Certainty, Finding, Kind
from client.diagnosis.sights import Came, Forgery, Issuer, Name, Place, Sight, Test
from client.diagnosis.view import View
from client.model import Message, counted
from transports.types import N_

_FORGED: Final = {
    Forgery.NOBODY: N_("An address where no resolver runs answered to a question for a name."),
    Forgery.TWICE: N_("One question for a name got two different answers."),
    Forgery.BOGON: N_("A public name was given an address that cannot be public."),
    Forgery.RANDOM_NAME: N_("A name that cannot exist was given an address."),
    Forgery.SAME_FOR_ALL: N_("Names that have nothing in common were given one address."),
    Forgery.CERTIFICATE: N_("The host at the address that was given has no certificate for the name."),
    Forgery.NO_NAME: N_("A name that exists is said not to exist."),
}
_SURE: Final = (Forgery.NOBODY, Forgery.TWICE, Forgery.BOGON, Forgery.RANDOM_NAME)
_DROPS: Final = 3


def dns_tampering(view: View) -> Finding | None:
    """Forged answers, the strongest evidence first; or names refused that other ways answer."""
    forged = _forgeries(view)
    if not forged:
        return _names_dropped(view)
    kinds = [kind for kind in _FORGED if any(forgery is kind for forgery, _ in forged)]
    strong = {(forgery, seen.who) for forgery, seen in forged if forgery in _SURE}
    pairs = {seen.who for forgery, seen in forged if forgery is Forgery.CERTIFICATE}
    sure = len(strong) + len(pairs) > 1
    found = [Message(_FORGED[kind]) for kind in kinds]
    found.append(
        counted("{n} answer of this kind was seen.", "{n} answers of this kind were seen.", len(forged))
    )
    if view.alive(Place.ABROAD):
        text = N_("The right addresses, known from elsewhere, work.")
        found.append(Message(text))
    against = [Message(N_("Not the certificates of a state: servers asked by their address show their own."))]
    against = against if view.alive(Place.ABROAD) else []
    return e.finding(Kind.DNS_TAMPERING, Certainty.CERTAIN if sure else Certainty.LIKELY, found, against)


def _forgeries(view: View) -> list[tuple[Forgery, Sight]]:
    asked = view.find(Test.RESOLVE)
    forged = [(seen.forgery, seen) for seen in asked if seen.forgery and seen.came is Came.FALSE]
    for seen in asked:
        if seen.place is Place.NOBODY and seen.crossed:
            forged.append((Forgery.NOBODY, seen))
        if seen.name is Name.RANDOM and seen.addresses and seen.came is Came.RIGHT:
            forged.append((Forgery.RANDOM_NAME, seen))
    if view.same_answer:
        forged += [(Forgery.SAME_FOR_ALL, seen) for seen in asked if seen.way == "system" and seen.addresses][
            :1
        ]
    for seen in view.find(Test.TLS, way="system"):
        if seen.came is Came.FALSE and view.front(seen.who, seen.port).right:
            forged.append((Forgery.CERTIFICATE, seen))
    missing = {seen.who for kind, seen in forged if kind is Forgery.NO_NAME}
    if len(missing) == 1:  # one name may have come to its end by itself
        forged = [(kind, seen) for kind, seen in forged if kind is not Forgery.NO_NAME]
    if all(kind is Forgery.SAME_FOR_ALL for kind, _ in forged):
        return []  # names that share a host by chance look so too
    return forged


def _names_dropped(view: View) -> Finding | None:
    """The system's resolver answers for names of the country only, and another way answers for the others."""
    home = view.facts(Test.RESOLVE, places=(Place.HOME,), way="system", name=Name.HARMLESS).values()
    away = list(view.facts(Test.RESOLVE, places=(Place.ABROAD,), way="system", name=Name.HARMLESS).values())
    other = [
        seen for seen in view.find(Test.RESOLVE, places=(Place.ABROAD,)) if seen.way not in ("system", "")
    ]
    lost = [fact for fact in away if fact.dead or fact.came is Came.OTHER]
    if len(lost) < 2 or len(lost) < len(away) or not any(fact.right for fact in home):
        return None
    if not any(seen.came is Came.RIGHT for seen in other) or not view.alive(Place.ABROAD):
        return None
    found = [
        counted(
            "{n} name from abroad gets no answer from this network's resolver, which answers for this country.",
            "{n} names from abroad get no answer from this network's resolver, which answers for this country.",
            len(lost),
        ),
        Message(N_("The same names are answered in another way.")),
    ]
    return e.finding(Kind.DNS_TAMPERING, Certainty.LIKELY, found, [Message(e.NOT_LOSS)])


def http_block_page(view: View) -> Finding | None:
    """Unencrypted pages are replaced, encrypted ones are not."""
    replaced = [seen for seen in view.find(Test.PAGE) if seen.came is Came.FALSE]
    whole = {seen.who for seen in view.find(Test.PAGE) if seen.came is Came.RIGHT}
    bad = {seen.who for seen in replaced} - whole
    if not bad or len(replaced) < 2 or not view.alive(Place.ABROAD, Place.HOME) or _names_differ(view):
        return None
    found = [
        counted(
            "{n} known page came back as another page.", "{n} known pages came back as other pages.", len(bad)
        ),
        e.abroad_answer(view),
    ]
    against = [Message(e.NOT_PORTAL)]
    certainty = Certainty.CERTAIN if len(bad) > 1 else Certainty.LIKELY
    return e.finding(Kind.HTTP_BLOCK_PAGE, certainty, found, against)


def _names_differ(view: View) -> bool:
    """Whether the system's resolver and others gave no address in common: then pages may be another host's."""
    asked = view.find(Test.RESOLVE, places=(Place.ABROAD,), name=Name.HARMLESS)
    own = {address for seen in asked if seen.way == "system" for address in seen.addresses}
    others = {address for seen in asked if seen.way != "system" for address in seen.addresses}
    return bool(own and others) and not own & others


def tls_interception(view: View) -> Finding | None:
    """Certificates of a known interception root, or of a root that only this machine knows, or of nobody."""
    shown = [
        seen
        for seen in view.find(Test.TLS)
        if seen.came is Came.FALSE and seen.certificate and seen.way != "system"
    ]
    national = [seen for seen in shown if seen.certificate and seen.certificate.issuer is Issuer.NATIONAL]
    if national:
        return _national(view, national)
    own = [s for s in shown if s.certificate and s.certificate.issuer in (Issuer.PRODUCT, Issuer.STORE)]
    strange = [s for s in shown if s.certificate and s.certificate.issuer is Issuer.UNKNOWN]
    if len({seen.who for seen in own}) + sum(seen.round > 1 for seen in own) > 1:
        return _installed(own)
    pages = any(seen.came is Came.RIGHT for seen in view.find(Test.PAGE))
    if len({seen.who for seen in strange}) > 1 and pages and not view.one_certificate:
        n = len({seen.who for seen in strange})
        found = [
            counted(
                "{n} server shows a certificate that nobody vouches for.",
                "{n} servers show certificates that nobody vouches for.",
                n,
            )
        ]
        against = [Message(N_("Not forged names: these servers were asked by their address."))]
        return e.finding(Kind.TLS_INTERCEPTION, Certainty.LIKELY, found, against)
    return None


def _national(view: View, national: list[Sight]) -> Finding:
    by_print = [seen for seen in national if seen.certificate and seen.certificate.fingerprint]
    if by_print:
        text = counted(
            "{n} handshake showed a certificate under a known interception root of a state, by its fingerprint.",
            "{n} handshakes showed a certificate under a known interception root of a state, by its fingerprint.",
            len(by_print),
        )
    else:
        text = counted(
            "{n} handshake showed a certificate with the name of an interception root of a state.",
            "{n} handshakes showed certificates with the name of an interception root of a state.",
            len(national),
        )
    found = [text]
    if any(seen.name is Name.FORBIDDEN for seen in national) and view.alive(Place.ABROAD):
        found.append(Message(N_("The same server shows its own certificate to a harmless name.")))
    against = [
        Message(N_("Not an antivirus: the root is one of those on the list.")),
        Message(N_("Not forged names: the address was known beforehand.")),
    ]
    sure = bool(by_print) and len({seen.who for seen in national}) > 1  # one server can show what it likes
    certainty = Certainty.CERTAIN if sure else Certainty.LIKELY
    return e.finding(Kind.TLS_INTERCEPTION, certainty, found, against)


def _installed(own: list[Sight]) -> Finding:
    n = len({seen.who for seen in own})
    found = [
        counted(
            "{n} server shows a certificate under a root that is installed on this machine only.",
            "{n} servers show certificates under a root that is installed on this machine only.",
            n,
        )
    ]
    product = next(
        (s.certificate for s in own if s.certificate and s.certificate.issuer is Issuer.PRODUCT), None
    )
    if product and product.by:
        text = N_("It names itself {name}: an antivirus or a company proxy.")
        found.append(Message(text, {"name": product.by[:60]}))
    found.append(
        Message(
            N_("It need not be the state: antivirus, employer and debugging programs install such roots too.")
        )
    )
    against = [Message(N_("Not a known root of a state: its fingerprint is on no list."))]
    return e.finding(Kind.TLS_INTERCEPTION, Certainty.LIKELY, found, against)


def sni_reset(view: View) -> Finding | None:
    """A forbidden name is answered by a reset, a harmless one at the same server is not."""
    hits = {key: seen for key, seen in lost_names(view).items() if any(_is_cut(one) for one in seen)}
    cuts = sum(_is_cut(one) for seen in hits.values() for one in seen)
    if not hits:
        return None
    found = [
        counted(
            "{n} handshake under a name that may be forbidden was reset.",
            "{n} handshakes under names that may be forbidden were reset.",
            cuts,
        ),
        Message(N_("The same server answers to a harmless name.")),
    ]
    against = [
        Message(e.NOT_ADDRESS),
        Message(N_("Not the server: one that does not know a name says so, it does not break off.")),
    ]
    resets = sum(one.came is Came.RESET for seen in hits.values() for one in seen)
    certainty = Certainty.CERTAIN if resets > 1 and not _answered(view) else Certainty.LIKELY
    return e.finding(Kind.SNI_RESET, certainty, found, against)


def sni_drop(view: View) -> Finding | None:
    """After a forbidden name nothing comes, three times; a harmless one at the same server is answered."""
    hits = {
        key: seen
        for key, seen in lost_names(view).items()
        if all(one.came is Came.SILENCE for one in seen) and len(seen) > 1
    }
    if not hits:
        return None
    most = max(len(seen) for seen in hits.values())
    after = any(
        one.crossed and one.round > 1
        for who, _ in hits
        for one in view.find(Test.TLS, who=who, name=Name.HARMLESS)
    )
    found = [
        counted(
            "After a name that may be forbidden nothing came, {n} time.",
            "After a name that may be forbidden nothing came, {n} times.",
            most,
        ),
        Message(N_("The same server answers to a harmless name.")),
    ]
    against = [
        Message(e.NOT_ADDRESS),
        Message(N_("Not a freeze: not one byte of the server's answer arrives.")),
    ]
    if most >= _DROPS:
        against.append(Message(e.NOT_LOSS))
    sure = most >= _DROPS and (after or len(hits) > 1) and not _answered(view)
    return e.finding(Kind.SNI_DROP, Certainty.CERTAIN if sure else Certainty.LIKELY, found, against)


def _answered(view: View) -> bool:
    """Whether another server did answer to a forbidden name: then it may be the one server's own doing."""
    lost = {who for who, _ in lost_names(view)}
    return any(
        view.arrived(seen) and seen.who not in lost for seen in view.find(Test.TLS, name=Name.FORBIDDEN)
    )


def lost_names(view: View) -> dict[tuple[str, str], list[Sight]]:
    """Return the handshakes under forbidden names that never arrived, where the server answers to its own name."""
    found: dict[tuple[str, str], list[Sight]] = {}
    for seen in view.find(Test.TLS, name=Name.FORBIDDEN):
        found.setdefault((seen.who, seen.way), []).append(seen)
    return {
        key: rounds
        for key, rounds in found.items()
        if view.front(key[0], rounds[0].port).right
        and not any(view.arrived(one) or one.came is Came.FALSE for one in rounds)
    }


def _is_cut(seen: Sight) -> bool:
    return seen.came in (Came.RESET, Came.CLOSED)
