"""`ocppcore explain`: everything that is wrong with each frame, where, why, and what was meant."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from .. import _explain
from ._app import FINDINGS, FINE
from .output import Writer
from .reading import read_all, takes_inputs, takes_options
from .reports import REPORTS, Told

if TYPE_CHECKING:
    from ..log.conversation import Outcome
    from ..log.layouts import Record
    from ..log.traffic import Options, Text

_SEVERITIES = ("info", "warning", "error")
_FORM = click.option(
    "--format",
    "form",
    type=click.Choice(list(REPORTS)),
    default="text",
    help="json: one object per line. junit and sarif are for continuous integration, markdown for tickets.",
)


@click.command("explain")
@takes_inputs
@takes_options
@_FORM
@click.option(
    "--advice/--no-advice",
    default=True,
    help="What the text of the standard says beyond its schemas; it refuses nothing.",
)
@click.option("--redact", is_flag=True, help="Hide tokens, passwords and values that nobody knows the meaning of.")
@click.option(
    "--fail-on",
    type=click.Choice([*_SEVERITIES, "never"]),
    default="error",
    help="The least severity that makes the exit code 1.",
)
@click.pass_context
def command(
    ctx: click.Context,
    inputs: tuple[str, ...],
    options: Options,
    form: str,
    advice: bool,
    redact: bool,
    fail_on: str,
) -> None:
    """List everything that is wrong with the frames of INPUT (files, quoted patterns, or - for standard input; .gz too).

    Each finding has a rule, which `ocppcore rule` explains, a place, what was found and expected, and what to do about it.
    """
    writer = Writer(form, "explain")
    report = REPORTS[form](writer)
    severities: Counter[str] = Counter()
    report.begin()

    def handle(text: Text, record: Record, outcome: Outcome) -> None:
        findings = tuple(found for found in outcome.findings if advice or found.tier == "schema")
        severities.update(found.severity for found in findings)
        hidden: list[tuple[int, int]] = []
        if redact and findings:
            pending = (
                {outcome.id: outcome.action} if outcome.kind == "callresult" and outcome.action and outcome.id else None
            )
            hidden = _explain.hidden_in(text.codec, record.data, pending)
            findings = tuple(_explain.redacted(found, hidden) for found in findings)
        report.frame(Told(text.source.name, text.version, record, outcome, findings, hidden))

    totals, code = read_all(inputs, options, "explain", writer, handle)
    report.end()
    there = [(severities[name], name) for name in reversed(_SEVERITIES) if severities[name]]
    counts = ", ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for count, name in there)
    if not writer.is_json:
        writer.note(f"{totals}{f' ({counts})' if counts else ''}")
    if code in (FINE, FINDINGS):
        counted = _SEVERITIES[_SEVERITIES.index(fail_on) :] if fail_on in _SEVERITIES else ()
        code = FINDINGS if any(severities[name] for name in counted) else FINE
    ctx.exit(code)
