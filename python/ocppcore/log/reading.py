"""From a log to tables: batch by batch, or all at once."""

from __future__ import annotations

import csv
import os
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from .. import _backend
from .._codec import Codec
from .._versions import VERSIONS, near
from .layouts import LAYOUTS, Layout, Record
from .marks import direction_of, time_of
from .sources import Source, Unreadable
from .tables import TABLES, Log, TableName, joined
from .traffic import Options, open_text, recognise_version, version_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .._codec import Data

    Origin = str | os.PathLike[str] | BinaryIO | Iterable[Data]

_MOST_FRAMES, _MOST_BYTES = 1 << 16, 64 << 20  # of a batch
_MOST_OPEN_CALLS = 1 << 16
_SAMPLE_FRAMES = 64
_RECORDS_PER_LOOK = 1 << 10


def read(
    source: Origin,
    *,
    ocpp: str | None = None,
    tables: Sequence[TableName] = TABLES,
    layout: str | None = None,
    column: str | None = None,
    station: str | None = None,
    max_size: int | None = None,
    backend: str | None = None,
) -> Log:
    """Everything that a log says, as Arrow tables in memory: one table per shape.

        log = ocppcore.log.read("station.log.gz")
        polars.DataFrame(log.sampled_values)

    - `source`: a path, a file that is open for reading bytes, or an iterable of frames (str or any buffer). Files may be packed
      with gzip or zstd.
    - `ocpp`: "1.6", "2.0.1" or "2.1"; recognised where it is left out.
    - `tables`: those wanted; the fewer, the faster.
    - `layout`: "frames" (one per line), "ndjson", "csv" or "log" (inside lines of text); recognised where it is left out, as are
      `column` and `station`, the CSV columns or JSON keys of the frame and of the station.
    - `max_size`: bytes that a frame may have, 1 MiB where it is left out.
    - `backend`: "native" or "python", else as for `Codec`. Both give equal tables; "python" needs pyarrow.

    Frames that break a rule are rows of `frames` with `valid` false, and end nothing. An answer is typed by the call before it on the
    same connection. Unreadable (an OSError) says why a source cannot be read; ValueError and TypeError mean misuse.
    """
    return joined(
        list(
            batches(
                source,
                ocpp=ocpp,
                tables=tables,
                layout=layout,
                column=column,
                station=station,
                max_size=max_size,
                backend=backend,
            )
        )
    )


def batches(
    source: Origin,
    *,
    ocpp: str | None = None,
    tables: Sequence[TableName] = TABLES,
    layout: str | None = None,
    column: str | None = None,
    station: str | None = None,
    max_size: int | None = None,
    backend: str | None = None,
) -> Iterator[Log]:
    """The same batch by batch, for logs larger than memory: at least one, each of at most 65,536 frames or about 64 MiB of them.

    A row of `transactions` comes with the batch in which its answer was read.
    """
    wanted = checked_tables(tables)
    options = _options(ocpp, layout, column, station, max_size)
    if isinstance(source, (str, os.PathLike)):
        return _batches_of_text(Source(os.fspath(source)), options, wanted, backend)
    if hasattr(source, "read"):
        file = cast("BinaryIO", source)
        return _batches_of_text(Source(_name(file), file), options, wanted, backend)
    return _batches_of_frames(source, options, wanted, backend)


def batches_of(
    source: Source, options: Options, tables: Sequence[TableName], watch: Callable[[], None] = lambda: None
) -> Iterator[Log]:
    """The batches of an opened source; `watch` is called every now and then, to look how far it has been read."""
    return _batches_of_text(source, options, tables, None, watch)


def checked_tables(tables: Sequence[str]) -> tuple[TableName, ...]:
    """The names of tables, each once; ValueError for one that there is not."""
    if isinstance(tables, str):
        raise TypeError(f"tables must be a sequence of names, ({tables!r},) say")
    for name in tables:
        if name not in TABLES:
            raise ValueError(f"there is no table {name!r}; {near(str(name), TABLES)}")
    return cast("tuple[TableName, ...]", tuple(dict.fromkeys(tables)))


def _options(
    ocpp: str | None, layout: str | None, column: str | None, station: str | None, max_size: int | None
) -> Options:
    version = None if ocpp is None else version_named(ocpp)
    if ocpp is not None and version is None:
        raise ValueError(f"unknown version {ocpp!r}: use {', '.join(repr(version.number) for version in VERSIONS)}")
    if layout is not None and layout not in LAYOUTS:
        raise ValueError(f"unknown layout {layout!r}: use {', '.join(map(repr, LAYOUTS))}")
    return Options(version, layout, column, station, max_size)


def _name(file: Any) -> str:
    name = getattr(file, "name", None)
    return name if isinstance(name, str) else "<file>"


def _reader(codec: Codec[Any], tables: Sequence[TableName]) -> Any:
    """The backend's reader for what a codec reads."""
    settings = codec._settings  # pyright: ignore[reportPrivateUsage]
    schema = _backend.schema(settings.vocabulary, codec.backend)
    return _backend.load(codec.backend).LogReader(
        schema, codec.max_size, tuple(tables), _MOST_FRAMES, _MOST_BYTES, _MOST_OPEN_CALLS
    )


def _batches_of_text(
    source: Source,
    options: Options,
    tables: Sequence[TableName],
    backend: str | None,
    watch: Callable[[], None] = lambda: None,
) -> Iterator[Log]:
    with source:
        text = open_text(source, options, backend=backend)
        reader = _reader(text.codec, tables)
        if text.layout.name == "frames":
            head = b"".join(line + b"\n" for line in text.sample)
            for block, begin, end in chain(((head, 0, len(head)),), source.blocks()):
                at = begin
                while at < end:
                    at = reader.lines(block, at, end)
                    if reader.full:
                        yield Log(text.codec.version, reader.take(False))
                watch()
        else:
            yield from _batches_of_records(text.records, source.name, reader, text.codec.version, watch)
        yield Log(text.codec.version, reader.take(True))


def _batches_of_records(
    records: Iterable[Record], name: str, reader: Any, version: str, watch: Callable[[], None]
) -> Iterator[Log]:
    read = reader.frame
    try:
        for number, (line, station, data, time, direction) in enumerate(records):
            when = None if time is None else time_of(time)
            way = None if direction is None else direction_of(direction)
            read(data, line, station, when, way)
            if number % _RECORDS_PER_LOOK == 0:
                watch()
            if reader.full:
                yield Log(version, reader.take(False))
    except csv.Error as error:
        raise Unreadable(f"{name}: {error}") from None


def _batches_of_frames(
    frames: Iterable[Data], options: Options, tables: Sequence[TableName], backend: str | None
) -> Iterator[Log]:
    rest = map(_bytes, frames)
    sample = [] if options.version is not None else list(islice(rest, _SAMPLE_FRAMES))
    version = options.version or recognise_version(sample, Layout("frames"))[0]
    size = {} if options.max_size is None else {"max_size": options.max_size}
    codec = Codec(version.subprotocol, backend=backend, **size)
    reader = _reader(codec, tables)
    for number, data in enumerate(chain(sample, rest), 1):
        reader.frame(data, number, None, None, None)
        if reader.full:
            yield Log(codec.version, reader.take(False))
    yield Log(codec.version, reader.take(True))


def _bytes(frame: Any) -> bytes:
    if isinstance(frame, bytes):
        return frame
    if isinstance(frame, str):
        return frame.encode("utf-8", "surrogatepass")
    try:
        return bytes(memoryview(frame))
    except TypeError:
        raise TypeError(
            f"a frame is str or an object with a buffer (bytes, bytearray, memoryview), not {type(frame).__name__}; "
            "a log is a path, a file or an iterable of frames"
        ) from None
