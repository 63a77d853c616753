"""Many frames at once: what they are handed in as, and what comes of checking them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from . import _versions
from ._errors import OcppError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_THREADS = 64


class Verdicts:
    """What `Codec.validate_many` has found, compact: a byte and a 64-bit integer for each frame, in the order of the frames.

    - `ok`: how many frames have no fault
    - `kinds`: 0 for a frame without a fault, else the index of the fault's kind in `Verdicts.KINDS`
    - `offsets`: the byte of the frame at which its first fault lies, -1 where there is none

    `len(verdicts)` is the number of frames; iterating gives `(index, kind, offset)` of each frame that has a fault, the kind by its name. Two are
    equal when they say the same. They can be pickled, and numpy reads both columns without a copy.
    """

    __slots__ = ("kinds", "offsets", "ok")

    KINDS: ClassVar[tuple[str, ...]] = ("valid", *_versions.errors()["kinds"])
    """The kinds of fault by their place in `kinds`: "valid", then those of `schemas/errors.toml` in its order."""

    ok: int
    kinds: bytes
    offsets: array[int]

    def __init__(self, kinds: bytes, offsets: array[int]) -> None:
        self.ok = kinds.count(0)
        self.kinds = kinds
        self.offsets = offsets

    def __len__(self) -> int:
        return len(self.kinds)

    def __iter__(self) -> Iterator[tuple[int, str, int]]:
        for index, kind in enumerate(self.kinds):
            if kind:
                yield index, self.KINDS[kind], self.offsets[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Verdicts):
            return NotImplemented
        return self.kinds == other.kinds and self.offsets == other.offsets

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Verdicts({self.ok} of {len(self)} frames without a fault)"


def frames_of(frames: Any) -> Iterable[Any]:
    """The frames one by one: those of an iterable as they are, of one text or buffer its lines, without their ends and the empty ones."""
    if isinstance(frames, str):
        lines: list[Any] = str.__str__(frames).split("\n")
        return [line for line in (line.removesuffix("\r") for line in lines) if line.strip(" \t\r")]
    try:
        data = bytes(memoryview(frames))
    except TypeError:
        if isinstance(frames, Iterable):
            return frames  # pyright: ignore[reportUnknownVariableType]
        raise TypeError(
            "frames must be an iterable of str and buffers, or one str or buffer with a frame in each line, "
            f"not {type(frames).__name__}"
        ) from None
    lines = data.split(b"\n")
    return [line for line in (line.removesuffix(b"\r") for line in lines) if line.strip(b" \t\r")]


def decode_each(decode: Callable[[Any, Any], Any], frames: Any, pending: Any) -> list[Any]:
    """What `decode` gives for each frame, or the OcppError that it raises."""
    decoded: list[Any] = []
    for data in frames_of(frames):
        try:
            decoded.append(decode(data, pending))
        except OcppError as error:
            decoded.append(error)
    return decoded


def check_each(validate: Callable[[Any], None], frames: Iterable[Any]) -> tuple[bytes, bytes]:
    """The columns of Verdicts as bytes: what `validate` raises for each frame."""
    kinds, offsets = bytearray(), array("q")
    for data in frames:
        try:
            validate(data)
        except OcppError as error:
            kinds.append(Verdicts.KINDS.index(error.kind))
            offsets.append(-1 if error.offset is None else error.offset)
        else:
            kinds.append(0)
            offsets.append(-1)
    return bytes(kinds), offsets.tobytes()


def look_again(columns: tuple[bytes, bytes], validate: Callable[[Any], None], frames: list[Any]) -> tuple[bytes, bytes]:
    """The columns once more, with what `validate` says about each frame that has a fault."""
    kinds, offsets = bytearray(columns[0]), array("q", columns[1])
    faulty = [index for index, kind in enumerate(kinds) if kind]
    again = verdicts_of(*check_each(validate, (frames[index] for index in faulty)))
    for index, kind, offset in zip(faulty, again.kinds, again.offsets, strict=True):
        kinds[index] = kind
        offsets[index] = offset
    return bytes(kinds), offsets.tobytes()


def verdicts_of(kinds: bytes, offsets: bytes) -> Verdicts:
    """Verdicts of their columns as bytes."""
    return Verdicts(kinds, array("q", offsets))


def checked_threads(threads: object) -> int:
    """The number of threads asked for; TypeError or ValueError for what is none."""
    if not isinstance(threads, int) or isinstance(threads, bool):
        raise TypeError(f"threads must be an int, not {type(threads).__name__}")
    if not 1 <= threads <= MOST_THREADS:
        raise ValueError(f"threads must be from 1 to {MOST_THREADS}, not {threads}")
    return threads
