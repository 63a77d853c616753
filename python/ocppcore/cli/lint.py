"""`ocppcore lint`: what each kind of station does amiss in a log, and the quirk profile that would tolerate it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .._policy import Policy, PolicyRule, as_toml, toml_string
from .._quirks import Quirks, Station, station_of, tells_station
from .output import Writer, place, plain, sound
from .reading import read_all, reads_traffic

if TYPE_CHECKING:
    from .. import Codec
    from .._errors import Finding
    from ..log.conversation import Outcome
    from ..log.layouts import Record
    from ..log.traffic import Options, Text

_MOST_GROUPS = 10_000  # sorts of violation that are told apart: peers may name their own fields
_LONGEST_EXAMPLE = 80

# Nothing is refused, and everything that can be repaired is.
_BROADEST = (
    Policy.observe | Policy.tolerant | Policy([{"rule": "truncated", "verdict": "repair", "repair": "close_brackets"}])
)


class Kind(NamedTuple):
    """A kind of sender: a station by what it says of itself, or the CSMS; and the version that is spoken."""

    sender: str
    station: Station
    version: str

    def __str__(self) -> str:
        if self.sender == "csms":
            return f"CSMS (OCPP {self.version})"
        known = [plain(part) for part in self.station if part]
        return f"{' '.join(known) or 'station that has not said who it is'} (OCPP {self.version})"


class Violation(NamedTuple):
    """A sort of violation: the rule, where, and what a policy would do about it."""

    rule: str
    action: str
    pointer: str
    verdict: str
    repair: tuple[str, ...]

    @property
    def entry(self) -> PolicyRule | None:
        """The entry of a policy that would tolerate it; None for what no policy can."""
        if self.verdict == "none":
            return None
        return PolicyRule(
            rule=(self.rule,),
            action=(self.action or "*",),
            pointer=(self.pointer,),
            direction="in",
            verdict="repair" if self.repair else "report",
            repair=self.repair,
            reason="seen by ocppcore lint",
        )

    @property
    def treatment(self) -> str:
        """What would be done about it, in words."""
        if self.verdict == "none":
            return "no repair known"
        return f"repair: {', '.join(self.repair)}" if self.repair else "report"


class Seen:
    """How often a sort of violation was seen, and the first of them."""

    def __init__(self, example: str, where: str) -> None:
        self.count = 0
        self.example = example
        self.where = where


class Lint:
    """What the frames so far have shown."""

    def __init__(self) -> None:
        self.kinds: dict[Kind, dict[Violation, Seen]] = {}
        self.frames: dict[Kind, int] = {}
        self._stations: dict[tuple[str, str | None], Station] = {}
        self._codecs: dict[str, Codec[Any]] = {}
        self._groups = 0

    def add(self, text: Text, record: Record, outcome: Outcome) -> None:
        """Look at one frame."""
        connection = (text.source.name, record.station)
        codec = self._codec(text)
        if outcome.kind == "call" and outcome.action is not None and tells_station(outcome.action):
            self._remember(codec, connection, record.data)
        kind = Kind(_sender(text, outcome), self._stations.get(connection, Station()), text.version.number)
        if kind.sender == "csms":
            kind = kind._replace(station=Station())
        self.frames[kind] = self.frames.get(kind, 0) + 1
        if outcome.error is None:
            return
        pending = (
            {outcome.id: outcome.action} if outcome.kind == "callresult" and outcome.id and outcome.action else None
        )
        result = codec.decode_with_findings(record.data, pending)
        seen = self.kinds.setdefault(kind, {})
        for found in result.findings:
            violation = _violation(found, readable=result.frame is not None)
            if violation not in seen:
                if self._groups == _MOST_GROUPS:
                    continue
                self._groups += 1
                example = found.original or found.found or found.text
                seen[violation] = Seen(_shortened(example), place(text.source.name, record))
            seen[violation].count += 1

    def _codec(self, text: Text) -> Codec[Any]:
        codec = self._codecs.get(text.version.number)
        if codec is None:
            codec = self._codecs[text.version.number] = text.codec.extend(policy=_BROADEST)
        return codec

    def _remember(self, codec: Codec[Any], connection: tuple[str, str | None], data: bytes) -> None:
        """Who the station of a connection says it is."""
        frame = codec.decode_with_findings(data).frame
        payload = getattr(frame, "payload", None)
        if payload is not None:
            self._stations[connection] = station_of(payload)


def _sender(text: Text, outcome: Outcome) -> str:
    """Who sent a frame, as far as its action says it: "station" or "csms"."""
    message = text.codec.messages.get(outcome.action or "")
    if message is None or message.direction == "both":
        return "station"
    if outcome.kind in ("call", "send"):
        return message.direction
    return "csms" if message.direction == "station" else "station"


def _violation(found: Finding, *, readable: bool) -> Violation:
    of_text = found.kind in ("syntax", "truncated", "utf8", "surrogate", "depth", "size")
    verdict: str = found.verdict or "report"
    if verdict == "report" and (of_text or (not readable and not found.path)):
        verdict = "none"
    # Who reads a head that is at fault does not know the action behind it.
    action = "" if of_text or found.kind.startswith("message_") else found.action or ""
    return Violation(found.kind, action, re.sub(r"/\d+(?=/|$)", "/*", found.path), verdict, found.repair)


def _shortened(text: str) -> str:
    text = plain(sound(text))
    return text if len(text) <= _LONGEST_EXAMPLE else text[: _LONGEST_EXAMPLE - 1] + "…"


def profile_of(kind: Kind, violations: dict[Violation, Seen]) -> str:
    """The profile that would tolerate what a kind of stations does amiss, as TOML; "" when nothing of it can be."""
    entries = [entry for violation in violations if (entry := violation.entry) is not None]
    if not entries or kind.sender == "csms":
        return ""
    named = {name: said for name, said in zip(("vendor", "model", "firmware"), kind.station, strict=True) if said}
    lines = ["[[profile]]", f"name = {toml_string(' '.join(named.values()) or 'every station')}"]
    lines += [f"{name} = {toml_string(said)}" for name, said in named.items()]
    lines += [f"version = {toml_string(kind.version)}", 'reason = "seen by ocppcore lint"', ""]
    return "\n".join(lines) + "\n" + "\n".join(as_toml(entry, "profile.rule") for entry in entries)


@click.command("lint")
@reads_traffic
@click.option("--profiles", is_flag=True, help="Print the profiles alone: a file for Quirks.from_toml.")
@click.pass_context
def command(ctx: click.Context, inputs: tuple[str, ...], options: Options, form: str, profiles: bool) -> None:
    """Tell per vendor, model and firmware what is amiss in the traffic of INPUT, how often, and with which example.

    Below each stands the quirk profile that would tolerate it: TOML for Quirks.from_toml, to be read before it is used.
    """
    if profiles and form != "text":
        raise click.UsageError(f"--profiles prints TOML; leave out --format {form}")
    writer = Writer(form, "lint")
    lint = Lint()
    totals, code = read_all(inputs, options, "validate", writer, lint.add)
    for kind, violations in lint.kinds.items():
        rows = sorted(violations.items(), key=lambda row: -row[1].count)
        profile = profile_of(kind, dict(rows))
        known = [one.name for one in Quirks.known.of_station(kind.station, kind.version)] if any(kind.station) else []
        if profiles:
            if profile:
                writer.line(sound(profile))
        elif writer.is_json:
            _as_json(writer, kind, rows, profile, known)
        else:
            _as_table(writer, kind, lint.frames[kind], rows, profile, known)
    if not writer.is_json:
        writer.note(str(totals))
    ctx.exit(code)


def _as_json(writer: Writer, kind: Kind, rows: list[tuple[Violation, Seen]], profile: str, known: list[str]) -> None:
    said = {name: sound(text) for name, text in zip(("vendor", "model", "firmware"), kind.station, strict=True) if text}
    head: dict[str, Any] = {"sender": kind.sender, **said, "ocpp": kind.version}
    for violation, seen in rows:
        what = {
            "rule": violation.rule,
            "action": sound(violation.action) or None,
            "path": sound(violation.pointer),
            "verdict": violation.verdict,
            "repair": list(violation.repair),
            "count": seen.count,
            "example": seen.example,
            "where": seen.where,
        }
        writer.object(head | what)
    writer.object(head | {"profile": sound(profile) or None, "known": known})


def _as_table(
    writer: Writer, kind: Kind, frames: int, rows: list[tuple[Violation, Seen]], profile: str, known: list[str]
) -> None:
    writer.line(click.style(f"{kind}, {frames:,} frame{'' if frames == 1 else 's'}", bold=True))
    cells = [("count", "rule", "where", "tolerated by", "example")]
    for violation, seen in rows:
        where = " ".join(part for part in (plain(violation.action), plain(violation.pointer)) if part) or "the frame"
        cells.append((f"{seen.count:,}", violation.rule, where, violation.treatment, f"{seen.example}  {seen.where}"))
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    for number, row in enumerate(cells):
        line = f"  {row[0]:>{widths[0]}}  " + "  ".join(f"{row[at]:{widths[at]}}" for at in (1, 2, 3)) + f"  {row[4]}"
        writer.line(click.style(line.rstrip(), dim=number == 0))
    for name in known:
        writer.line(f"  Quirks.known has: {name}")
    writer.line(f"\n{sound(profile)}" if profile else "")
