"""`ocppcore validate`: every faulty frame, with its place, its reason and the wire code that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .output import Writer, answer, fault, head, place, sound
from .reading import read_all, reads_traffic

if TYPE_CHECKING:
    from ..log.conversation import Outcome
    from ..log.layouts import Record
    from ..log.traffic import Options, Text


@click.command("validate")
@reads_traffic
@click.option("--replies", is_flag=True, help="Show the answer that the protocol asks for below each fault.")
@click.option("--redact", is_flag=True, help="Quote nothing that a peer wrote: for sharing. Text form only.")
@click.pass_context
def command(
    ctx: click.Context,
    inputs: tuple[str, ...],
    options: Options,
    form: str,
    replies: bool,
    redact: bool,
) -> None:
    """Check every frame of INPUT (files, quoted patterns, or - for standard input; .gz too) by the rules of its version.

    Answers are checked as what their calls ask for, when the call was seen before.
    """
    if redact and (form == "json" or replies):
        raise click.UsageError("--redact goes with the text form alone, without --replies")
    writer = Writer(form, "validate")

    def handle(text: Text, record: Record, outcome: Outcome) -> None:
        error = outcome.error
        if error is None:
            return
        reply = answer(text.codec, error) if writer.is_json or replies else None
        if writer.is_json:
            line: dict[str, Any] = head(text.source.name, text.version.number, record, outcome)
            line["fault"] = fault(error, reply)
            writer.object(line)
            return
        where = click.style(place(text.source.name, record), bold=True)
        writer.line(f"{where}: {click.style(error.code, fg='red')} {sound(error.format(redact=redact))}")
        if replies:
            writer.line(f"    answer: {'none' if reply is None else reply.decode()}")

    totals, code = read_all(inputs, options, "validate", writer, handle)
    if writer.is_json:
        writer.object({"summary": totals.as_json()})
    else:
        writer.note(str(totals))
    ctx.exit(code)
