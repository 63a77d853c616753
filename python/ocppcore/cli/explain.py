"""`ocppcore explain`: everything that is wrong with each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .output import Writer, finding, head, place, plain, sound
from .reading import read_all, reads_traffic

if TYPE_CHECKING:
    from ..log.conversation import Outcome
    from ..log.layouts import Record
    from ..log.traffic import Options, Text


@click.command("explain")
@reads_traffic
@click.pass_context
def command(ctx: click.Context, inputs: tuple[str, ...], options: Options, form: str) -> None:
    """List everything that is wrong with the frames of INPUT (files, quoted patterns, or - for standard input; .gz too)."""
    writer = Writer(form, "explain")

    def handle(text: Text, record: Record, outcome: Outcome) -> None:
        if not outcome.findings:
            return
        if writer.is_json:
            line = head(text.source.name, text.version.number, record, outcome)
            line["findings"] = [finding(found) for found in outcome.findings]
            writer.object(line)
            return
        name = " ".join(part for part in ((outcome.kind or "frame").upper(), outcome.action) if part)
        writer.line(f"{click.style(place(text.source.name, record), bold=True)}: {plain(name)}")
        for found in outcome.findings:
            writer.line(f"    {click.style(found.code, fg='red')} {sound(found.text)}")

    totals, code = read_all(inputs, options, "explain", writer, handle)
    if not writer.is_json:
        writer.note(str(totals))
    ctx.exit(code)
