"""`ocppcore decode`: frames as typed values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from .. import RawPayload
from .output import Writer, answer, fault, head, place, sound
from .reading import read_all, reads_traffic

if TYPE_CHECKING:
    from ..log.conversation import Outcome
    from ..log.layouts import Record
    from ..log.traffic import Options, Text


@click.command("decode")
@reads_traffic
@click.pass_context
def command(ctx: click.Context, inputs: tuple[str, ...], options: Options, form: str) -> None:
    """Show every frame of INPUT (files, quoted patterns, or - for standard input; .gz too) as typed values.

    The text form shows Python's view of a payload, the json form the wire's; faults stand between the frames where they occur.
    """
    writer = Writer(form, "decode")

    def handle(text: Text, record: Record, outcome: Outcome) -> None:
        if writer.is_json:
            writer.object(_as_json(text, record, outcome))
            return
        where = click.style(place(text.source.name, record), bold=True)
        if outcome.error is not None:
            writer.line(f"{where}: {click.style(outcome.error.code, fg='red')} {sound(str(outcome.error))}")
            return
        name = click.style((outcome.kind or "frame").upper(), fg="cyan")
        writer.line(f"{where}: {name} {outcome.action or '?'} {outcome.id!r} {_value(outcome.frame)}")

    totals, code = read_all(inputs, options, "decode", writer, handle)
    if not writer.is_json:
        writer.note(str(totals))
    ctx.exit(code)


def _value(frame: Any) -> str:
    """What a frame carries, as Python writes it."""
    payload = getattr(frame, "payload", None)
    if payload is None:
        return f"code={frame.code!r} description={frame.description!r} details={frame.details!r}"
    return repr(payload)


def _as_json(text: Text, record: Record, outcome: Outcome) -> dict[str, Any]:
    line = head(text.source.name, text.version.number, record, outcome)
    if outcome.error is not None:
        line["fault"] = fault(outcome.error, answer(text.codec, outcome.error))
        return line
    payload = getattr(outcome.frame, "payload", None)
    if payload is None:
        names = ("code", "description", "details")
        line["error"] = {name: getattr(outcome.frame, name) for name in names}
    elif isinstance(payload, RawPayload):
        line["typed"] = False
        line["payload"] = msgspec.Raw(payload.data)
    else:
        line["payload"] = payload
    return line
