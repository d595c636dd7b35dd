from collections.abc import Iterator
from pathlib import Path

import pytest

from client import check
from client.model import Status
from client.vault import opened
from client.vault.content import with_calendar, with_list
from client.vault.store import Vault
from client.watch import jobs, prepare
from client.watch.calendar import Calendar, Mark
from client.watch.prepare import Wishes
from transports.types import Rejected

PROXIES = [f"socks5://192.0.2.{number}:1080" for number in range(1, 41)]


def wishes(*lists: str, **more: object) -> Wishes:
    return Wishes(check=check.Wishes(lists=lists), **more)  # type: ignore[arg-type]


@pytest.fixture
def listed(tmp_path: Path) -> str:
    path = tmp_path / "list.txt"
    path.write_text("\n".join(PROXIES) + "\n")
    return str(path)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    made = Vault.create(tmp_path / "vault", bytearray(b"a passphrase of some words"))
    opened.adopt(made)
    opened.want(vault=True)
    yield made
    opened.adopt(None)
    opened.want()
    made.close()


def test_without_a_list_nothing_is_queued_but_the_command() -> None:
    watch = prepare.prepare(wishes(on_open="make tea"))
    assert [job.name for job in watch.jobs] == ["command"]
    assert watch.save is None


def test_a_list_is_rechecked_and_bridges_are_fetched_through_it(listed: str) -> None:
    watch = prepare.prepare(wishes(listed, on_open="make tea"))
    assert [job.name for job in watch.jobs] == ["recheck", "bridges", "command"]
    recheck, fetch = watch.jobs[:2]
    assert isinstance(recheck, jobs.Recheck)
    assert isinstance(fetch, jobs.Bridges)
    assert len(recheck.run.reading.candidates) == jobs.BEST
    assert fetch.plan.sends
    text = "\n".join(prepare.consent_text(watch))
    for part in ("20 entries", "bridges.torproject.org", "make tea", "6 kB", "one.one.one.one"):
        assert part in text
    assert not any(address in text for address in PROXIES)


@pytest.mark.parametrize(
    ("way", "names"),
    [("none", ["recheck"]), ("direct", ["recheck", "bridges"]), ("front", ["recheck", "bridges"])],
)
def test_another_way_to_bridges_may_be_chosen(listed: str, way: str, names: list[str]) -> None:
    assert [job.name for job in prepare.prepare(wishes(listed, bridges=way)).jobs] == names


def test_entries_that_cannot_carry_a_request_fetch_no_bridges(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("obfs4 192.0.2.1:443 " + "A" * 40 + " cert=" + "A" * 70 + " iat-mode=0\n")
    names = [job.name for job in prepare.prepare(wishes(str(path))).jobs]
    assert names[:1] == ["recheck"]


def test_what_is_contacted_is_all_that_the_question_is_about(listed: str) -> None:
    one = wishes(listed, on_open="make tea")
    told = prepare.contacted(prepare.prepare(one), one)
    assert "make" in told
    assert sum("192.0.2." in part for part in told) >= jobs.BEST
    other = wishes(listed, on_open="make coffee")
    assert prepare.contacted(prepare.prepare(other), other) != told


@pytest.mark.parametrize(
    "more", [{"notice": "VPN"}, {"on_open": "'"}, {"country": "XX"}, {"anchors": "/nowhere"}]
)
def test_what_cannot_be_is_refused(more: dict[str, str]) -> None:
    with pytest.raises(Rejected):
        prepare.prepare(wishes(**more))


async def test_a_vaults_calendar_is_taken_up_and_kept(vault: Vault) -> None:
    known = Calendar().marked(1641340800, 1641427200, Mark.SHUT)
    vault.change(lambda content: with_calendar(content, opened.here(), known.to_json()))
    watch = prepare.prepare(wishes())
    assert watch.calendar == known
    assert "in your vault" in "\n".join(prepare.consent_text(watch))
    assert watch.save is not None
    assert watch.load is not None
    assert watch.name is not None
    grown = known.marked(1641427200, 1641430800, Mark.OPEN)
    await watch.save("another", grown)
    assert watch.load("another") == grown
    assert watch.load("unheard of") == Calendar()
    assert await watch.name() == opened.here()
    vault.change(lambda content: with_calendar(content, "newer", {"v": 2}))
    assert watch.load("newer") == Calendar()


def test_the_vaults_lists_and_what_worked_here_are_rechecked(vault: Vault) -> None:
    assert prepare.prepare(wishes()).jobs == [], "nothing is known yet"
    vault.change(lambda content: with_list(content, "mine", PROXIES[:3]))
    (recheck, *_) = prepare.prepare(wishes("vault:mine")).jobs
    assert isinstance(recheck, jobs.Recheck)
    assert len(recheck.run.reading.candidates) == 3


async def test_what_a_recheck_found_is_kept_and_tested_first_the_next_time(vault: Vault) -> None:
    import asyncio

    from client.bridges import Line
    from client.drill.run import run_of
    from client.drill.stage import stage

    async with stage(["good-socks5"]) as playing:
        found = jobs.Found(verdicts=[], bridges=[])
        await jobs.Recheck(run_of(playing)).do(found, asyncio.Event())
    found.bridges.append(Line(text="192.0.2.1:443 " + "A" * 40, transport="vanilla", port=443, origin="moat"))
    prepare.keep(found)
    prepare.keep(found)
    assert [kept.status for kept in vault.content.results[opened.here()]] == [Status.WORKING]
    assert list(vault.content.lists["bridges"]) == [found.bridges[0].text]
    (recheck, *_) = prepare.prepare(wishes()).jobs
    assert isinstance(recheck, jobs.Recheck)
    assert recheck.run.reading.candidates[0].endpoint == found.working[0].endpoint


def test_without_a_vault_nothing_is_kept() -> None:
    prepare.keep(jobs.Found(verdicts=[], bridges=[]))
    assert opened.current() is None
    allowed = prepare.with_disk(wishes())
    assert allowed.check.disk
    assert not prepare.must_ask_for_disk(prepare.prepare(wishes()))


async def test_what_another_watch_added_meanwhile_is_kept(vault: Vault) -> None:
    first, second = prepare.prepare(wishes()), prepare.prepare(wishes())
    assert first.save
    assert second.save
    early, late = Calendar().marked(0, 3600, Mark.SHUT), Calendar().marked(7200, 9000, Mark.OPEN)
    await first.save("net", early)
    await second.save("net", late)
    kept = Calendar.from_json(vault.content.calendars["net"])
    assert (kept.at(60), kept.at(8000)) == (Mark.SHUT, Mark.OPEN)


async def test_a_watch_outlives_the_closing_of_the_vault_and_finds_it_when_it_is_opened_again(
    vault: Vault, tmp_path: Path
) -> None:
    watch = prepare.prepare(wishes())
    assert watch.save
    vault.close()
    opened.adopt(None)
    seen = Calendar().marked(0, 3600, Mark.SHUT)
    with pytest.raises(Rejected, match="closed"):
        await watch.save("net", seen)
    again = Vault.open(tmp_path / "vault", bytearray(b"a passphrase of some words"))
    opened.adopt(again)
    await watch.save("net", seen)
    assert again.content.calendars["net"] == seen.to_json()


async def test_a_calendar_of_a_newer_version_is_left_as_it_is(vault: Vault) -> None:
    vault.change(lambda content: with_calendar(content, "newer", {"v": 2}))
    watch = prepare.prepare(wishes())
    assert watch.save
    with pytest.raises(Rejected):
        await watch.save("newer", Calendar().marked(0, 3600, Mark.SHUT))
    assert vault.content.calendars["newer"] == {"v": 2}


def test_the_question_names_the_ports_and_the_resolver(tmp_path: Path) -> None:
    text = "\n".join(prepare.consent_text(prepare.prepare(wishes(country="KZ", on_open="sh -c 'a b'"))))
    for part in ("egov.kz", "5060", "Your resolver is asked", "sh -c 'a b'"):
        assert part in text
    assert "5060" not in "\n".join(prepare.consent_text(prepare.prepare(wishes())))
