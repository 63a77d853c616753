"""`ocppcore peek`: type, id and action of frames, without a look at the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .output import Writer, answer, fault, head, place, plain, sound
from .reading import read_all, reads_traffic

if TYPE_CHECKING:
    from ..log.conversation import Outcome
    from ..log.layouts import Record
    from ..log.traffic import Options, Text


@click.command("peek")
@reads_traffic
@click.pass_context
def command(ctx: click.Context, inputs: tuple[str, ...], options: Options, form: str) -> None:
    """Show type, id, action and size of the frames of INPUT (files, quoted patterns, or - for standard input; .gz too).

    Payloads are not checked; only a broken head is a fault. An answer's action is its call's.
    """
    writer = Writer(form, "peek")

    def handle(text: Text, record: Record, outcome: Outcome) -> None:
        size = len(record.data)
        if writer.is_json:
            line = head(text.source.name, text.version.number, record, outcome) | {"bytes": size}
            if outcome.error is not None:
                line["fault"] = fault(outcome.error, answer(text.codec, outcome.error))
            writer.object(line)
            return
        where = click.style(place(text.source.name, record), bold=True)
        if outcome.error is not None:
            writer.line(f"{where}: {click.style(outcome.error.code, fg='red')} {sound(str(outcome.error))}")
            return
        name = click.style((outcome.kind or "frame").upper(), fg="cyan")
        action = plain(outcome.action) if outcome.action else "?"
        writer.line(f"{where}: {name} {action} {outcome.id!r} {size} bytes")

    totals, code = read_all(inputs, options, "peek", writer, handle)
    if not writer.is_json:
        writer.note(str(totals))
    ctx.exit(code)
