"""Where text comes from: files, patterns, standard input, compressed or not, as a stream of lines.

Nothing is loaded whole. A line is cut at 4 MiB, which is more than the codec accepts and keeps memory bounded whatever the input is.
"""

from __future__ import annotations

import glob
import gzip
import io
import os
import sys
import zlib
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

LONGEST_LINE = 4 << 20

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_UTF8_BOM, _UTF16_BOMS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


class Unreadable(Exception):
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

    def __init__(self, name: str) -> None:
        self.name = "<stdin>" if name == "-" else name
        try:
            if name == "-":
                self._file: BinaryIO = sys.stdin.buffer
                self.size = None
            else:
                self._file = open(name, "rb")  # noqa: SIM115 closed by __exit__
                self.size = os.fstat(self._file.fileno()).st_size or None
        except IsADirectoryError:
            raise Unreadable(f"{name}: is a folder; name its files, '{name.rstrip('/')}/*.log' say") from None
        except OSError as error:
            raise Unreadable(f"{name}: {error.strerror}") from None
        self._is_stdin = name == "-"
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._is_stdin:
            self._file.close()

    @property
    def position(self) -> int:
        """Bytes read so far of what lies on disk; of a stream, bytes of text."""
        return self._read if self.size is None else self._file.tell()

    def lines(self) -> Iterator[bytes]:
        """The text's lines without their ends, a BOM at its start dropped. Unreadable where it cannot be gone on with."""
        text: BinaryIO | io.BufferedReader = self._file
        try:
            start = _peek(text)
            if start.startswith(_GZIP):
                text = io.BufferedReader(gzip.GzipFile(fileobj=text))
                start = _peek(text)
            if start.startswith(_ZSTD):
                raise Unreadable(
                    f"{self.name}: compressed with zstd; unpack it first: zstd -dc {self.name} | ocppcore ... -"
                )
            if start.startswith(_UTF16_BOMS):
                raise Unreadable(f"{self.name}: is UTF-16; convert it first: iconv -f utf-16 -t utf-8")
            if start.startswith(_UTF8_BOM):
                text.read(len(_UTF8_BOM))
            cut = False
            while line := text.readline(LONGEST_LINE):
                self._read += len(line)
                goes_on, cut = cut, not line.endswith(b"\n") and len(line) == LONGEST_LINE
                if not goes_on:
                    yield line.rstrip(b"\r\n")
        except (OSError, EOFError, zlib.error) as error:
            raise Unreadable(f"{self.name}: {getattr(error, 'strerror', None) or error}") from None


def _peek(file: BinaryIO | io.BufferedReader) -> bytes:
    """The first bytes of a buffered file, left where they are."""
    return file.peek(4)[:4] if isinstance(file, io.BufferedReader) else b""
