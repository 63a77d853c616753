"""From the arguments of a command to frames that have been read: sources, their layout, their version, and what came of each frame."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import Codec
from .._versions import VERSIONS, Version
from .conversation import Conversation
from .layouts import Layout, Record, has_frame, read, recognise
from .sources import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .conversation import Depth, Outcome

# What is read ahead to recognise layout and version: enough frames, or this much text where they are rare.
_SAMPLE_FRAMES, _SAMPLE_BYTES = 64, 4 << 20

_VERSION_NAME = re.compile(
    rb"ocpp[\s_-]*j?[\s_-]*(?:version)?[\s:=_\"'-]*(?:ocpp)?[\s_-]*v?(1\.6|2\.0\.1|2\.1)(?!\.?\d)", re.IGNORECASE
)


class Options(NamedTuple):
    """What the user fixed; None is to be recognised."""

    version: Version | None = None
    layout: str | None = None
    column: str | None = None
    station: str | None = None
    max_size: int | None = None


class Text(NamedTuple):
    """An opened source with what was recognised in it, and its frames to come. `sample` is what was read ahead of them."""

    source: Source
    layout: Layout
    version: Version
    reason: str
    codec: Codec[Any]
    records: Iterator[Record]
    sample: Sequence[bytes]


def version_named(text: str) -> Version | None:
    """The version that a user means by "2.0.1", "ocpp2.0.1" or "v201"; None for no version."""
    lowered = text.strip().lower()
    return next((version for version in VERSIONS if lowered in version), None)


def open_text(source: Source, options: Options, *, backend: str | None = None) -> Text:
    """Recognise what was not fixed. Reads ahead in the source only when something is left to recognise."""
    lines = source.lines()
    fixed = options.version is not None and options.layout in ("frames", "log")
    sample = [] if fixed else _sample(lines)
    layout = recognise(sample, name=options.layout, column=options.column, station=options.station)
    if options.version is not None:
        version, reason = options.version, "as asked for"
    else:
        version, reason = recognise_version(sample, layout)
    codec = _codec(version, options.max_size, backend)
    return Text(source, layout, version, reason, codec, read(chain(sample, lines), layout), sample)


def outcomes(text: Text, depth: Depth) -> Iterator[tuple[Record, Outcome]]:
    """Every frame of the text and what reading it gave."""
    conversation = Conversation(text.codec)
    for record in text.records:
        yield record, conversation.read(record.data, record.station, depth)


def _codec(version: Version, max_size: int | None = None, backend: str | None = None) -> Codec[Any]:
    size = {} if max_size is None else {"max_size": max_size}
    return Codec(version.subprotocol, backend=backend, **size)


def _sample(lines: Iterator[bytes]) -> list[bytes]:
    sample: list[bytes] = []
    frames = size = 0
    for line in lines:
        sample.append(line)
        size += len(line)
        frames += has_frame(line)
        if frames >= _SAMPLE_FRAMES or size >= _SAMPLE_BYTES:
            break
    return sample


def recognise_version(sample: Sequence[bytes], layout: Layout) -> tuple[Version, str]:
    """The version that the text names beside its frames, else the one whose rules accept most of them; and why, in words."""
    named: dict[Version, int] = {}
    for number, line in enumerate(sample, 1):
        if b"ocpp" in line.lower() and not has_frame(line):
            for found in _VERSION_NAME.findall(line):
                version = version_named(found.decode())
                if version is not None:
                    named.setdefault(version, number)
    if len(named) == 1:
        ((version, number),) = named.items()
        return version, f"named in line {number}"
    records = list(read(sample, layout))
    if not records:
        return VERSIONS[0], "no frame to judge by"
    accepted = {version: _accepted(version, records) for version in VERSIONS}
    best = max(accepted.values())
    fitting = [version for version in VERSIONS if accepted[version] == best]
    if len(fitting) > 1:
        others = " and ".join(version.number for version in fitting[1:])
        return fitting[0], f"{others} would accept the first {len(records)} frames alike; --ocpp says which"
    return fitting[0], f"it accepts {best} of the first {len(records)} frames, more than the others"


def _accepted(version: Version, records: Sequence[Record]) -> int:
    conversation = Conversation(_codec(version))
    read = (conversation.read(record.data, record.station, "validate") for record in records)
    return sum(1 for outcome in read if outcome.typed and not outcome.is_faulty)
