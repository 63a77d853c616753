"""Finding frames in text: one per line, under a key of JSON objects, in a CSV column, or somewhere inside a log line.

The layout is read off the first lines. A record is one frame as bytes with the place it was found at and, where the layout tells, the
station whose connection carried it: ids of messages are unique per connection only.
"""

from __future__ import annotations

import ast
import csv
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LAYOUTS = ("frames", "ndjson", "csv", "log")


class Record(NamedTuple):
    """A frame as it was found: its text, the line (from 1) on which it begins, and its station where the layout names one.

    `time` and `direction` are the texts that may say when it was logged and which way it went (`marks` reads them).
    """

    line: int
    station: str | None
    data: bytes
    time: bytes | None = None
    direction: bytes | None = None


class Keys(NamedTuple):
    """Under which keys the objects of an "ndjson" hold the frame, the station, the time and the direction."""

    frame: str
    station: str | None = None
    time: str | None = None
    direction: str | None = None


class Layout(NamedTuple):
    """How frames lie in a text. For "csv": the delimiter, the frames' column, those of station, time and direction, and whether row one
    is a header. For "ndjson": the keys.
    """

    name: str
    delimiter: str = ","
    column: int = 0
    station: int | None = None
    header: bool = False
    time: int | None = None
    direction: int | None = None
    keys: Keys | None = None

    def __str__(self) -> str:
        if self.name == "csv":
            return f"frames in CSV column {self.column + 1}"
        if self.name == "ndjson" and self.keys is not None:
            return f"frames under the key {self.keys.frame!r} of JSON objects"
        return "frames inside log lines" if self.name == "log" else "one frame per line"


class NoSuchColumn(ValueError):
    """A column that the user named and the file does not have; the text lists those that it has."""


# One frame per line

_HEAD = re.compile(rb"\s*\[\s*\d{1,3}\s*[,\]]")


def _frames(lines: Iterable[bytes]) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        if data := line.strip():
            yield Record(number, None, data)


# Inside a log line

# A frame's beginning as JSON, as JSON inside a JSON string ([2,\"), or as Python's repr of a list ([2, '). Logs hold other lists,
# hence the message types are those of OCPP; a number for an id is let in only where an action or a payload follows.
_START = re.compile(rb"""\[\s*[2-6]\s*,\s*(?:(?P<plain>")|(?P<escaped>\\")|(?P<repr>')|\d+\s*,\s*(?:"[A-Z]|\{))""")
_BRACKETS_OR_JSON_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]')
_BRACKETS_OR_PYTHON_STRING = re.compile(rb"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+"|[\[\]{}]""")
_REST_OF_JSON_STRING = re.compile(rb'(?:[^"\\]|\\.)*+')

# Who was at the other end, from the text before the frame: "CP_1: receive message [2," and "chargeBoxId=CP_1".
_BEFORE_SEND = re.compile(rb"(\S+): (?:send|receive message) $")
_LABELLED = re.compile(
    rb"""\b(?:charge_?box|charge_?point|charging_?station|station|charger|cp)(?:_?id)?["']?\s*[=:]\s*["']?([\w.:/@-]+)""",
    re.I,
)


def _log(lines: Iterable[bytes]) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        position = 0
        while found := _START.search(line, position):
            start = found.start()
            before = line[max(0, start - _NEAR) : start]
            data, position = _cut_out(line, found)
            yield Record(number, _station(before), data, line[: min(start, _NEAR)], before[-_NEXT:])


def _cut_out(line: bytes, found: re.Match[bytes]) -> tuple[bytes, int]:
    """The frame that begins at the match, and where it ends; one that is never closed goes to the line's end."""
    start = found.start()
    if found["escaped"]:
        inside = _REST_OF_JSON_STRING.match(line, start)
        assert inside is not None
        try:
            text: str = json.loads(b'"' + inside[0] + b'"', strict=False)
        except ValueError:  # no JSON string after all: judge what stands there
            return inside[0], inside.end()
        # Some loggers put more behind the frame in the same string.
        data = text.encode("utf-8", "surrogatepass")
        return data[: _end(data, 0, _BRACKETS_OR_JSON_STRING)].rstrip(), inside.end()
    tokens = _BRACKETS_OR_PYTHON_STRING if found["repr"] else _BRACKETS_OR_JSON_STRING
    end = _end(line, start, tokens)
    data = line[start:end].rstrip()
    return (_from_repr(data) if found["repr"] else data), end


def _end(line: bytes, start: int, tokens: re.Pattern[bytes]) -> int:
    depth = 0
    for token in tokens.finditer(line, start):
        if token[0] in b"[{":
            depth += 1
        elif token[0] in b"]}":
            depth -= 1
            if depth == 0:
                return token.end()
    return len(line)


def _from_repr(data: bytes) -> bytes:
    """JSON from Python's repr of a list; what is none comes back as it is."""
    try:
        return json.dumps(ast.literal_eval(data.decode())).encode()
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return data


# Only what stands near before the frame can name its connection, and what stands next to it its way; bounds keep odd lines cheap.
_NEAR, _NEXT = 400, 60


def _station(before: bytes) -> str | None:
    found = _BEFORE_SEND.search(before)
    if found is None:
        # The last label counts: it stands next to the frame.
        found = max(_LABELLED.finditer(before), key=lambda label: label.start(), default=None)
    return None if found is None else found[1].decode("utf-8", "replace")


# In a CSV column

_CELL = re.compile(r"\s*\[\s*[2-6]\s*,.*\]\s*$", re.S)
_STATION_NAMES = (
    "station", "station_id", "stationid", "charging_station", "charging_station_id", "charge_point", "chargepoint",
    "charge_point_id", "chargepointid", "chargebox", "charge_box_id", "chargeboxid", "charger", "charger_id", "chargerid",
    "cp", "cp_id", "cpid", "identity", "connection", "connection_id", "client", "client_id", "device", "device_id", "id",
)  # fmt: skip
_TIME_NAMES = ("time", "timestamp", "@timestamp", "ts", "datetime", "date_time", "date", "logged_at", "created_at", "received_at", "at", "t")  # fmt: skip
_DIRECTION_NAMES = ("direction", "dir", "way", "flow")


def _csv(lines: Iterable[bytes], layout: Layout) -> Iterator[Record]:
    csv.field_size_limit(1 << 24)  # the default is less than a frame may have
    rows = csv.reader(_text(lines), delimiter=layout.delimiter)
    began = 1
    for row in rows:
        is_header = layout.header and began == 1
        if not is_header and len(row) > layout.column and row[layout.column].strip():
            data = _bytes(row[layout.column].strip())
            station, time, direction = (
                _cell(row, column) for column in (layout.station, layout.time, layout.direction)
            )
            yield Record(began, None if station is None else station.decode("utf-8", "replace"), data, time, direction)
        began = rows.line_num + 1


def _cell(row: list[str], column: int | None) -> bytes | None:
    return _bytes(row[column]) if column is not None and len(row) > column else None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(lines: Iterable[bytes]) -> Iterator[str]:
    """Lines for the csv module; bytes that are no UTF-8 come through as they are, for the codec to judge."""
    for line in lines:
        yield line.decode("utf-8", "surrogateescape") + "\n"


def _rows(sample: Sequence[bytes], delimiter: str) -> list[list[str]]:
    csv.field_size_limit(1 << 24)
    try:
        return list(csv.reader(_text(sample), delimiter=delimiter))
    except csv.Error:
        return []


# Under a key of JSON objects

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRING = msgspec.json.Decoder(str)


def _ndjson(lines: Iterable[bytes], keys: Keys) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        found = _entries(line)
        if found is None:  # no object: a line of another kind, or one that was cut off
            for record in _log((line,)):
                yield record._replace(line=number)
        elif keys.frame in found:
            yield Record(
                number,
                None if (station := _plain(found, keys.station)) is None else station.decode("utf-8", "replace"),
                _frame_under(found[keys.frame]),
                _plain(found, keys.time),
                _plain(found, keys.direction),
            )


def _entries(line: bytes) -> dict[str, bytes] | None:
    """The entries of an object, each value as its JSON text; None for what is no object."""
    try:
        return {key: bytes(value) for key, value in _OBJECT.decode(line).items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _frame_under(value: bytes) -> bytes:
    """A frame that is a JSON array, or one that is written as a JSON string."""
    return (_string(value) or value).strip()


def _plain(found: dict[str, bytes], key: str | None) -> bytes | None:
    """What a string or a number says; None where neither is there."""
    value = None if key is None else found.get(key)
    if value is None or value[:1] in b"[{tfn":
        return None
    return _string(value) or value


def _string(value: bytes) -> bytes | None:
    """What a JSON string says; None for another value, and for one that is no string after all."""
    if not value.startswith(b'"'):
        return None
    try:
        return _STRING.decode(value).encode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _recognise_ndjson(sample: Sequence[bytes], column: str | None, station: str | None) -> Layout | None:
    """The keys of a text of objects, most of which hold a frame under the same one; None where they do not and the user named none."""
    objects = [found for line in sample if line.strip() and (found := _entries(line)) is not None]
    counts = Counter(
        key
        for found in objects
        for key, value in found.items()
        if _CELL.match(_frame_under(value).decode("utf-8", "replace"))
    )
    named = list(dict.fromkeys(key for found in objects for key in found))
    for wanted in (column, station):
        if wanted is not None and wanted not in named:
            raise NoSuchColumn(f"no key {wanted!r}; there are {', '.join(named) or 'no objects'}")
    if column is None:
        if not counts:
            return None
        column, count = counts.most_common(1)[0]
        if count * 2 <= sum(map(has_frame, sample)):
            return None
    lowered = {key.lower().replace(" ", "_"): key for key in reversed(named) if key != column}

    def first(names: Iterable[str]) -> str | None:
        return next((lowered[name] for name in names if name in lowered), None)

    if station is None:
        station = first(_STATION_NAMES)
        values = [found[station] for found in objects if station in found] if station is not None else []
        if len(values) > 1 and len(set(values)) == len(values):
            station = None  # it numbers lines
    return Layout("ndjson", keys=Keys(column, station, first(_TIME_NAMES), first(_DIRECTION_NAMES)))


# Choosing


def has_frame(line: bytes) -> bool:
    """Whether a line seems to hold a frame, in whatever layout."""
    return _HEAD.match(line) is not None or _START.search(line) is not None


def read(lines: Iterable[bytes], layout: Layout) -> Iterator[Record]:
    """The frames of a text in the given layout."""
    if layout.name == "csv":
        return _csv(lines, layout)
    if layout.name == "ndjson":
        return _ndjson(lines, layout.keys or Keys(""))
    return _frames(lines) if layout.name == "frames" else _log(lines)


def recognise(
    sample: Sequence[bytes], *, name: str | None = None, column: str | None = None, station: str | None = None
) -> Layout:
    """The layout of a text by its first lines. `name`, `column` and `station` (a key, a header's name or a number from 1) are the user's word."""
    if (column is not None or station is not None) and name is None:
        name = "ndjson" if _recognise_ndjson(sample, None, None) is not None else "csv"
    if name in ("frames", "log"):
        return Layout(name)
    if name == "ndjson":
        return _recognise_ndjson(sample, column, station) or Layout("log")  # objects that hold a frame deeper inside
    if name == "csv":
        return _recognise_csv(sample, column, station) or Layout("csv")
    filled = [line for line in sample if line.strip()]
    heads = sum(1 for line in filled if _HEAD.match(line))
    if heads * 2 > len(filled):
        return Layout("frames")
    found = _recognise_ndjson(sample, None, None) or _recognise_csv(sample, None, None)
    if found is not None:
        return found
    if any(_START.search(line) for line in sample):
        return Layout("log")
    # Nothing that looks like a frame: a text of JSON values is meant as frames that are wrong, any other is a log still silent.
    return Layout("frames" if filled and all(line.lstrip()[:1] in b'[{"' for line in filled) else "log")


def _recognise_csv(sample: Sequence[bytes], column: str | None, station: str | None) -> Layout | None:
    """The CSV layout whose column holds most frames; None when no column does and the user named none."""
    best: tuple[int, Layout, list[list[str]]] | None = None
    for delimiter in ",;\t|":
        rows = _rows(sample, delimiter)
        if not any(len(row) > 1 for row in rows):
            continue
        counts = Counter(index for row in rows for index, cell in enumerate(row) if _CELL.match(cell))
        index, count = counts.most_common(1)[0] if counts else (0, 0)
        if column is None and count == 0:
            continue
        header = bool(rows[0]) and not any(_CELL.match(cell) for cell in rows[0])
        if best is None or count > best[0]:
            best = count, Layout("csv", delimiter, index, None, header), rows
    if best is None:
        return None
    _, layout, rows = best
    titles = [title.strip() for title in rows[0]] if layout.header else []
    if column is not None:
        layout = layout._replace(column=_index(column, titles, rows))
    lowered = [title.lower().replace(" ", "_") for title in titles]
    layout = layout._replace(time=_first_of(_TIME_NAMES, lowered), direction=_first_of(_DIRECTION_NAMES, lowered))
    if station is not None:
        return layout._replace(station=_index(station, titles, rows))
    return layout._replace(station=_station_column(layout, titles, rows))


def _first_of(names: Iterable[str], titles: list[str]) -> int | None:
    return next((titles.index(name) for name in names if name in titles), None)


def _index(wanted: str, titles: list[str], rows: list[list[str]]) -> int:
    if wanted in titles:
        return titles.index(wanted)
    if wanted.isdecimal() and 1 <= int(wanted) <= max(map(len, rows)):
        return int(wanted) - 1
    known = ", ".join(titles) if titles else f"1 to {max(map(len, rows))}"
    raise NoSuchColumn(f"no column {wanted!r}; there are {known}")


def _station_column(layout: Layout, titles: list[str], rows: list[list[str]]) -> int | None:
    """The column whose title says station and whose values repeat: one that never does numbers rows."""
    lowered = [title.lower().replace(" ", "_") for title in titles]
    for name in _STATION_NAMES:
        if name in lowered and (index := lowered.index(name)) != layout.column:
            values = [row[index] for row in rows[1:] if len(row) > index]
            if len(values) < 2 or len(set(values)) < len(values):
                return index
    return None
