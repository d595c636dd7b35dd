"""`sanylau doctor`."""

from __future__ import annotations

import json

import click

from client.i18n import _, say
from client.text import printable
from transports.types import N_

_WORDS = {"ok": N_("ok"), "warn": N_("warning"), "missing": N_("missing")}
_SYMBOLS = {"ok": "+", "warn": "!", "missing": "-"}


@click.command(
    short_help=_("Show which engines are here."),
    help=_(
        "Show which engines and libraries are here, and the command that installs a missing one. Sends nothing."
    ),
)
@click.option("--json", "as_json", is_flag=True, help=_("Write one JSON object."))
@click.option("--lang", expose_value=False, hidden=True)
def doctor(*, as_json: bool) -> None:
    """Look and tell."""
    from client.doctor import examine

    findings = examine()
    if as_json:
        listed = [
            {
                "name": printable(f.name, 60),
                "level": f.level.value,
                "what": printable(say(f.what), 400),
                "mend": printable(f.mend, 200) or None,
            }
            for f in findings
        ]
        click.echo(json.dumps({"v": 1, "type": "doctor", "findings": listed}, ensure_ascii=False))
        return
    told = set()
    for finding in findings:
        head = f"{_SYMBOLS[finding.level]} {_(_WORDS[finding.level])}"
        what = printable(say(finding.what), 300)
        click.echo(f"{head:<12} {_(finding.name):<18} {what}")
        if finding.mend and finding.mend not in told and finding.mend not in what:
            told.add(finding.mend)
            click.echo(" " * 13 + f"→ {printable(finding.mend, 200)}")
