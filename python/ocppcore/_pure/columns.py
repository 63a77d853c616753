"""Frames of a log into Arrow columns, by way of pyarrow: the Python backend's half of `ocppcore.log`."""

from __future__ import annotations

import importlib
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from .._versions import columns
from .engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .schema import ObjectType, Schema

    Row = list[Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DECIMAL = re.compile(r"[0-9+\-.eE]+")


def _pyarrow() -> Any:
    try:
        return importlib.import_module("pyarrow")
    except ImportError:
        raise ImportError(
            "the Python backend makes Arrow tables by way of pyarrow, which is not installed: pip install 'ocppcore[arrow]'; "
            "the native backend needs none"
        ) from None


class Columns:
    """A table in memory that other libraries take through the Arrow PyCapsule interface."""

    def __init__(self, table: Any) -> None:
        self._table = table

    @staticmethod
    def joined(parts: Sequence[Columns]) -> Columns:
        """One table of the rows of several, which are not copied."""
        return Columns(_pyarrow().concat_tables([part._table for part in parts]))

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return int(self._table.num_rows)

    def __arrow_c_schema__(self) -> object:
        return self._table.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


class _Refused(Exception):
    """What a fault's maker is given, kept."""

    def __init__(
        self,
        kind: str,
        path: str,
        offset: int | None,
        expected: object,
        data: object,
        message_type: int | None,
        message_id: str | None,
        action: str | None,
    ) -> None:
        self.kind, self.path, self.offset = kind, path, offset
        self.message_type, self.message_id, self.action = message_type, message_id, action


class _Cell(NamedTuple):
    """A column that a part of a message fills, the attributes that lead to the value, and what becomes of it."""

    column: int
    attributes: tuple[str, ...]
    convert: Callable[[Any], Any]
    rest: int | None  # the column for the text of a decimal that is none


class _Level(NamedTuple):
    """The cells of one level of a message; `items` is the attribute of the list that leads here, None for the payload itself."""

    items: str | None
    cells: tuple[_Cell, ...]


class _Plan:
    """How one message fills one table."""

    def __init__(self, schema: Schema, action: str, entry: dict[str, Any], table: list[dict[str, Any]]) -> None:
        self.table: str = entry["table"]
        names = [column["name"] for column in table]
        self.blank: Row = [None] * len(names)
        self.frame, self.station = names.index("frame"), names.index("station")
        self.answer = names.index("answer") if "answer" in names else None
        lists: list[str] = entry.get("rows", [])
        parts: dict[str, list[list[_Cell]]] = {"request": [[] for _ in range(len(lists) + 1)], "response": [[]]}
        for source in entry["columns"]:
            index = names.index(source["column"])
            if "value" in source:
                self.blank[index] = source["value"]
                continue
            path: list[str] = source["path"]
            depth = 0
            while depth < len(lists) and path[depth : depth + 1] == lists[depth : depth + 1]:
                depth += 1
            attributes = _attributes(schema.payloads[action, source["part"]], path)
            rest = next((number for number, column in enumerate(table) if column.get("rest_of") == names[index]), None)
            cell = _Cell(index, attributes[depth:], _CONVERT[table[index]["type"]], rest)
            parts[source["part"]][depth].append(cell)
        attributes = _attributes(schema.payloads[action, "request"], lists)
        self.levels = [
            _Level(items, tuple(cells)) for items, cells in zip((None, *attributes), parts["request"], strict=True)
        ]
        self.answered = tuple(parts["response"][0])
        self.waits = self.answer is not None  # its table tells of answers, which only calls have

    def rows(self, payload: Any, frame: int, station: str | None) -> Iterator[Row]:
        """The rows that a request gives."""
        row = self.blank.copy()
        row[self.frame], row[self.station] = frame, station
        _fill(row, self.levels[0].cells, payload)
        return self._rows_below(payload, row, 1)

    def _rows_below(self, value: Any, row: Row, depth: int) -> Iterator[Row]:
        if depth == len(self.levels):
            yield row
            return
        items, cells = self.levels[depth]
        assert items is not None
        for item in getattr(value, items) or ():
            below = row.copy()
            _fill(below, cells, item)
            yield from self._rows_below(item, below, depth + 1)

    def complete(self, row: Row, payload: Any, frame: int) -> None:
        """Add what the answer says; a refusal has no payload."""
        assert self.answer is not None
        row[self.answer] = frame
        if payload is not None:
            _fill(row, self.answered, payload)


def _attributes(type_: ObjectType, path: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for name in path:
        field = type_.by_name[name]
        found.append(field.attr)
        inner = field.item or field
        if inner.kind == "object":
            type_ = inner.type
    return tuple(found)


def _fill(row: Row, cells: tuple[_Cell, ...], value: Any) -> None:
    for column, attributes, convert, rest in cells:
        found = value
        for attribute in attributes:
            found = getattr(found, attribute)
            if found is None:
                break
        else:
            row[column] = convert(found)
            if rest is not None and row[column] is None:
                row[rest] = found


def _same(value: Any) -> Any:
    return value


def _micros(value: datetime) -> int:
    return (value - _EPOCH) // _MICROSECOND


def _decimal(value: float | str) -> float | None:
    """A number, or a text that is one in decimal notation; None for any other text and for what a float cannot hold."""
    if isinstance(value, str):
        if _DECIMAL.fullmatch(value) is None:
            return None
        try:
            value = float(value)
        except ValueError:
            return None
    return None if value in (float("inf"), float("-inf")) else value


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "int": _same,
    "bool": _same,
    "time": _micros,
    "decimal": _decimal,
    "text": str,
    "choice": str,
}


class _Open:
    """A call that waits for its answer, with the rows that do."""

    __slots__ = ("action", "rows", "time")

    def __init__(self, action: str, time: int | None, rows: list[tuple[_Plan, Row]]) -> None:
        self.action = action
        self.time = time
        self.rows = rows


class LogReader:
    """Reads frames in the order of a log into columns. `tables` are those wanted.

    A batch is full at `most_frames` frames or `most_bytes` bytes of them; `most_open` calls are remembered for their answers.
    """

    def __init__(
        self, schema: Schema, max_size: int, tables: Sequence[str], most_frames: int, most_bytes: int, most_open: int
    ) -> None:
        known = columns()
        self._arrow = _pyarrow()
        self._schema = schema
        self._engine = Engine(schema, max_size, {}, _Refused)
        self._requests = schema.door["Call"], schema.door["Send"]
        self._columns: dict[str, list[dict[str, Any]]] = {name: known["tables"][name] for name in tables}
        module = "v" + schema.version.replace(".", "")
        self._plans: dict[str, list[_Plan]] = {
            action: [
                _Plan(schema, action, entry, self._columns[entry["table"]])
                for entry in entries
                if entry["table"] in self._columns
            ]
            for action, entries in known["rows"][module].items()
        }
        self._limits = most_frames, most_bytes, most_open
        self._open: dict[tuple[str | None, str], tuple[_Open, ...]] = {}
        self._number = self._line = 0
        self._begin()

    def _begin(self) -> None:
        self._rows: dict[str, list[Row]] = {name: [] for name in self._columns}
        self._frames = self._bytes = 0

    @property
    def full(self) -> bool:
        """Whether it is time to take the batch."""
        return self._frames >= self._limits[0] or self._bytes >= self._limits[1]

    def lines(self, block: bytes, begin: int, end: int) -> int:
        """Read frames that stand one per line, from one byte to another or until the batch is full; where it got to."""
        while begin < end and not self.full:
            stop = block.find(b"\n", begin, end)
            stop = end if stop < 0 else stop
            self._line += 1
            if data := block[begin:stop].strip():
                self.frame(data, self._line, None, None, None)
            begin = stop + 1
        return min(begin, end)

    def frame(self, data: bytes, line: int, station: str | None, time: int | None, direction: str | None) -> None:
        """Read one frame; `time` in microseconds since 1970."""
        number = self._number
        self._number += 1
        self._frames += 1
        self._bytes += len(data)
        refused: _Refused | None = None
        candidates: tuple[_Open, ...] = ()
        answered: _Open | None = None
        frame: Any = None
        try:
            head = self._engine.peek(data)
        except _Refused:
            refused = self._refusal(data)
            message_type, id, action = refused.message_type, refused.message_id, refused.action
        else:
            kind = self._schema.frames[head.type]
            message_type, id, action = head.type, head.id, head.action
            if kind in ("callresult", "callerror"):
                candidates = self._open.pop((station, id), ())
                answered = candidates[0] if candidates else None
            try:
                if kind != "callresult" or len(candidates) < 2:
                    frame = self._engine.decode(data, {} if answered is None else {id: answered.action})
                else:
                    frame, answered = self._whichever(data, id, candidates)
            except _Refused as error:
                refused = error
            if kind == "call" and (action, "response") in self._schema.payloads:
                self._remember(station, id, _Open(action, time, []))
            if answered is not None:
                action = answered.action
        self._close(candidates, answered, frame, number)
        if isinstance(frame, self._requests) and action in self._plans:
            self._add(action, frame, number, station)
        if "frames" in self._rows:
            latency = None
            if answered is not None and answered.time is not None and time is not None:
                latency = time - answered.time
            self._rows["frames"].append(
                [
                    number, line, time, station, direction, message_type, id, action, refused is None,
                    None if refused is None else refused.kind,
                    None if refused is None else refused.path,
                    None if refused is None else refused.offset,
                    len(data), getattr(frame, "code", None), latency,
                ]
            )  # fmt: skip

    def _refusal(self, data: bytes) -> _Refused:
        """What decode says of a frame whose head is broken: an unknown action comes before what is wrong behind it."""
        try:
            self._engine.decode(data)
        except _Refused as error:
            return error
        raise AssertionError("a frame is accepted whose head is not")

    def _whichever(self, data: bytes, id: str, candidates: tuple[_Open, ...]) -> tuple[Any, _Open]:
        """The answer to the first of two calls that it fits: both sides had one open under the same id."""
        first: _Refused | None = None
        for candidate in candidates:
            try:
                return self._engine.decode(data, {id: candidate.action}), candidate
            except _Refused as error:
                first = first or error
        assert first is not None
        raise first

    def _remember(self, station: str | None, id: str, call: _Open) -> None:
        key = station, id
        known = self._open.pop(key, ())
        kept = tuple(other for other in known if other.action != call.action)[-1:]
        for other in known:
            if other not in kept:
                self._let_go(other)
        self._open[key] = (*kept, call)
        if len(self._open) > self._limits[2]:
            for other in self._open.pop(next(iter(self._open))):
                self._let_go(other)

    def _add(self, action: str, frame: Any, number: int, station: str | None) -> None:
        """The rows of a request."""
        for plan in self._plans[action]:
            rows = plan.rows(frame.payload, number, station)
            if plan.waits:
                self._open[station, frame.id][-1].rows += ((plan, row) for row in rows)
            else:
                self._rows[plan.table] += rows

    def _close(self, candidates: tuple[_Open, ...], answered: _Open | None, frame: Any, number: int) -> None:
        """Let the rows go that waited for this answer."""
        payload = getattr(frame, "payload", None)
        for candidate in candidates:
            if candidate is answered:
                for plan, row in candidate.rows:
                    plan.complete(row, payload, number)
            self._let_go(candidate)

    def _let_go(self, call: _Open) -> None:
        for plan, row in call.rows:
            self._rows[plan.table].append(row)

    def take(self, last: bool) -> dict[str, Columns]:
        """The rows so far, by table; with `last` those too that still wait for an answer."""
        if last:
            for calls in self._open.values():
                for call in calls:
                    self._let_go(call)
            self._open.clear()
        taken = {name: Columns(self._table(name, rows)) for name, rows in self._rows.items()}
        self._begin()
        return taken

    def _table(self, name: str, rows: list[Row]) -> Any:
        pa = self._arrow
        plain = {
            "int": pa.int64(),
            "decimal": pa.float64(),
            "time": pa.timestamp("us", "UTC"),
            "bool": pa.bool_(),
            "text": pa.string(),
            "choice": pa.string(),
        }
        arrays: list[Any] = []
        by_column = list(zip(*rows, strict=True)) if rows else [()] * len(self._columns[name])
        for column, values in zip(self._columns[name], by_column, strict=True):
            array = pa.array(values, plain[column["type"]])
            arrays.append(array.dictionary_encode() if column["type"] == "choice" else array)
        return pa.Table.from_arrays(arrays, names=[column["name"] for column in self._columns[name]])
