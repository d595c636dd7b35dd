"""The options of a check that every command shares which may run one: written once."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from client.cli.vault_options import vault_options
from client.commands import absolute
from client.i18n import LANGUAGES, _

if TYPE_CHECKING:
    from client.check import Wishes

PROFILES: Final = ("quiet", "normal", "fast")
_Command = TypeVar("_Command", bound=Callable[..., object])


class Number(click.FloatRange):
    """A number within limits. Not a number, and infinity, are within none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number (click's hook)."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(
                _("{value} is not a number that can be counted with", value=str(value)[:20]), param, ctx
            )
        return number


def target_options(command: _Command) -> _Command:
    """Give a command the options of a check: what is tested, against what, how fast, and the consent beforehand."""
    options = (
        click.option(
            "--profile",
            type=click.Choice(PROFILES),
            default="quiet",
            help=_("How fast; quiet is the default."),
        ),
        click.option(
            "--only", metavar=_("NAME,…"), help=_("Test only these kinds, for example socks5,vless.")
        ),
        click.option(
            "--target", metavar="URL", help=_("An https page to fetch instead of the built-in ones.")
        ),
        click.option("--bulk-target", metavar="URL", help=_("An https file of 64 KiB or more to fetch.")),
        click.option("--plain-target", metavar="URL", help=_("An http page to fetch without encryption.")),
        click.option(
            "--target-ca", metavar=_("FILE"), help=_("PEM certificates to trust beside the bundled ones.")
        ),
        click.option(
            "--concurrency", type=click.IntRange(1, 20000), metavar="N", help=_("How many entries at once.")
        ),
        click.option(
            "--connect-timeout",
            type=Number(min=0.05, max=600),
            metavar=_("SECONDS"),
            help=_("Time limit for one connection."),
        ),
        click.option(
            "--timeout",
            type=Number(min=0.1, max=3600),
            metavar=_("SECONDS"),
            help=_("Time limit for one whole entry."),
        ),
        click.option(
            "--budget",
            "budget_mib",
            type=Number(min=0.1, max=1_000_000),
            metavar="MIB",
            help=_("Stop after this many MiB."),
        ),
        click.option(
            "--torrc", metavar=_("FILE"), help=_("Lines to add to tor's settings, for a private network.")
        ),
        click.option(
            "--disk", is_flag=True, help=_("Let tor write to a temporary folder where none is in memory.")
        ),
        click.option(
            "--diagnosis",
            metavar=_("CODE"),
            help=_("Try first what this cut spares: the code of `sanylau diagnose`."),
        ),
        click.option(
            "--trusted",
            is_flag=True,
            help=_("You trust whoever runs the servers of this list (class B)."),
        ),
        click.option("--yes", is_flag=True, help=_("Agree to being visible on the network; do not ask.")),
    )
    command = vault_options(command)
    for option in reversed(options):
        command = option(command)
    return command


_NAMES: Final = (
    *("profile", "target", "bulk_target", "plain_target", "target_ca", "concurrency", "connect_timeout"),
    *("timeout", "budget_mib", "torrc", "disk", "diagnosis", "trusted"),
)


_FILES: Final = ("target_ca", "torrc")


def given_words(ctx: click.Context) -> tuple[tuple[str, ...], ...]:
    """Return the options of the test, and the language, as they were given, to be given once more; but no consent."""
    from click.core import ParameterSource

    from client.cli.main import language_of

    words: list[tuple[str, ...]] = []
    for option in ctx.command.params:
        name = option.name or ""
        if name not in (*_NAMES, "only") or ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = ctx.params[name]
        if isinstance(value, float):
            value = f"{value:g}"
        elif name in _FILES:
            value = absolute(value)
        words.append((option.opts[0],) if value is True else (option.opts[0], str(value)))
    language = language_of(sys.argv[1:])
    return (*words, ("--lang", language)) if language in LANGUAGES else tuple(words)


def wishes_of(lists: tuple[str, ...], given: Mapping[str, Any], *, first: int = 0) -> Wishes:
    """Return what the options of `target_options` say. `given` are a command's parameters; others are passed over."""
    from client.check import Wishes

    names = tuple(name.strip() for name in (given["only"] or "").split(",") if name.strip())
    return Wishes(lists=lists, only=names, first=first, **{name: given[name] for name in _NAMES})
