"""Where text comes from: files, patterns, standard input, compressed or not, as a stream of lines.

Nothing is loaded whole. A line is cut at 4 MiB, which is more than the codec accepts and keeps memory bounded whatever the input is.
"""

from __future__ import annotations

import contextlib
import glob
import gzip
import importlib
import io
import os
import sys
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import Self

LONGEST_LINE = 4 << 20
_BLOCK = 1 << 18  # what a processor's cache holds while it is read

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_UTF8_BOM, _UTF16_BOMS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


class Unreadable(OSError):
    """An input that cannot be opened, unpacked or read to its end; the text says which and why."""


def named(patterns: Iterable[str]) -> list[str]:
    """The inputs that the arguments stand for: "-" is standard input, patterns are expanded, what names nothing is Unreadable."""
    names: list[str] = []
    for pattern in patterns:
        if pattern == "-" or os.path.exists(pattern):
            names.append(pattern)
        elif glob.has_magic(pattern):
            found = sorted(name for name in glob.glob(pattern, recursive=True) if not os.path.isdir(name))
            if not found:
                raise Unreadable(f"{pattern}: no file matches this pattern")
            names += found
        else:
            raise Unreadable(f"{pattern}: no such file")
    return names


class Source:
    """One opened input. `size` is its length on disk in bytes where that is known, `position` how far it has been read."""

    def __init__(self, name: str, file: BinaryIO | None = None) -> None:
        self.name = "<stdin>" if name == "-" else name
        self.size: int | None = None
        self._is_ours = name != "-" and file is None
        self._wrapper: Any = None
        self._text: BinaryIO | io.BufferedReader | None = None
        self._read = 0
        self._cut = False  # the last line read has more to come, which is passed over
        try:
            if file is not None:
                # Any reader of bytes will do; a wrapper lets its first bytes be looked at, and is taken off in the end.
                is_buffered = type(file) is io.BufferedReader
                self._file: BinaryIO = file if is_buffered else cast("Any", io.BufferedReader)(file)
                self._wrapper = None if is_buffered else self._file
            elif name == "-":
                self._file = sys.stdin.buffer
            else:
                self._file = open(name, "rb")  # noqa: SIM115 closed by __exit__
                self.size = os.fstat(self._file.fileno()).st_size or None
        except IsADirectoryError:
            raise Unreadable(f"{name}: is a folder; name its files, '{name.rstrip('/')}/*.log' say") from None
        except OSError as error:
            raise Unreadable(f"{name}: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_ours:
            self._file.close()
        elif self._wrapper is not None:
            self._wrapper.detach()

    @property
    def position(self) -> int:
        """Bytes read so far of what lies on disk; of a stream, bytes of text."""
        return self._read if self.size is None else self._file.tell()

    def lines(self) -> Iterator[bytes]:
        """The text's lines without their ends, a BOM at its start dropped. Unreadable where it cannot be gone on with."""
        with self._said():
            text = self._unpacked()
            while line := text.readline(LONGEST_LINE):
                self._read += len(line)
                goes_on, self._cut = self._cut, not line.endswith(b"\n") and len(line) == LONGEST_LINE
                if not goes_on:
                    yield line.rstrip(b"\r\n")

    def blocks(self) -> Iterator[tuple[bytes, int, int]]:
        """The same lines, or what `lines` has left of them, many at a time: whole lines with their ends, from one byte of a block to another."""
        with self._said():
            text = self._unpacked()
            rest = b""  # of a line that goes on in the next block
            while block := text.read(_BLOCK):
                self._read += len(block)
                begin, end = block.find(b"\n") + 1, block.rfind(b"\n") + 1
                if self._cut:
                    self._cut = end == 0
                elif end == 0:
                    rest += block
                    if len(rest) >= LONGEST_LINE:
                        yield _only(rest[:LONGEST_LINE])
                        rest, self._cut = b"", True
                elif rest:
                    yield _only((rest + block[: begin - 1])[:LONGEST_LINE])
                else:
                    begin = 0
                if end:
                    yield block, begin, end
                    rest = block[end:]
            if rest:
                yield _only(rest)

    @contextlib.contextmanager
    def _said(self) -> Generator[None]:
        """What goes wrong with reading as Unreadable."""
        try:
            yield
        except Unreadable:
            raise
        except (OSError, EOFError, zlib.error) as error:
            raise Unreadable(f"{self.name}: {getattr(error, 'strerror', None) or error}") from None
        except Exception as error:
            if type(error).__name__ != "ZstdError":  # of whichever module unpacks it
                raise
            raise Unreadable(f"{self.name}: {error}") from None

    def _unpacked(self) -> BinaryIO | io.BufferedReader:
        """The text, unpacked, behind its BOM."""
        if self._text is not None:
            return self._text
        text = self._file
        start = _peek(text)
        if start.startswith(_GZIP):
            text = io.BufferedReader(gzip.GzipFile(fileobj=text))
            start = _peek(text)
        elif start.startswith(_ZSTD):
            text = _zstd(text, self.name)
            start = _peek(text)
        if start.startswith(_UTF16_BOMS):
            raise Unreadable(f"{self.name}: is UTF-16; convert it first: iconv -f utf-16 -t utf-8")
        if start.startswith(_UTF8_BOM):
            text.read(len(_UTF8_BOM))
        self._text = text
        return text


def _only(line: bytes) -> tuple[bytes, int, int]:
    """A block of one line."""
    return line, 0, len(line)


def _zstd(file: BinaryIO | io.BufferedReader, name: str) -> io.BufferedReader:
    """The text of a file that is packed with zstd, by whichever module there is."""
    unpackers: dict[str, Callable[[Any], Any]] = {
        "compression.zstd": lambda zstd: zstd.ZstdFile(file),  # Python 3.14 and later
        "zstandard": lambda zstd: zstd.ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=False),
        "pyarrow": lambda arrow: arrow.CompressedInputStream(arrow.PythonFile(_Lent(file), mode="r"), "zstd"),
    }
    for module, unpack in unpackers.items():
        with contextlib.suppress(ImportError):
            return io.BufferedReader(unpack(importlib.import_module(module)))
    raise Unreadable(
        f"{name}: packed with zstd, which this Python cannot unpack: pip install zstandard (Python 3.14 needs nothing), "
        f"or unpack it first: zstd -d {name}"
    )


class _Lent(io.RawIOBase):
    """A file for a reader that would close it at its end."""

    def __init__(self, file: BinaryIO | io.BufferedReader) -> None:
        self._lent = file

    def read(self, size: int = -1, /) -> bytes:
        return self._lent.read(size)

    def readable(self) -> bool:
        return True


def _peek(file: BinaryIO | io.BufferedReader) -> bytes:
    """The first bytes of a buffered file, left where they are."""
    return file.peek(4)[:4] if isinstance(file, io.BufferedReader) else b""
