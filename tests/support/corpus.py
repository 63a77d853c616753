"""The written corpus, `tests/corpus/*.jsonl`: one case a line, each with what must come of it.

- `data`: the text; `▶` stands before the byte that the error must name. Or `hex` and `offset`, for what is no text.
- `versions`: the modules it holds for. `pending`: as for `decode`.
- `fault` (kind), `path` ("" when absent) and, where it is worth saying, `expected`; or `frame`: the name of the frame's class, with
  `id` and `action` where they are worth saying.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent.parent / "corpus"
MARK = "▶"
UNSAID = object()


@dataclass(frozen=True)
class Case:
    """One line of the corpus, for one version."""

    name: str
    module: str
    data: bytes
    pending: dict[str, str] | None
    fault: str | None
    path: str
    offset: int | None
    expected: Any
    frame: str | None
    id: Any
    action: Any

    def __str__(self) -> str:
        return f"{self.module}: {self.name}"


@cache
def corpus() -> list[Case]:
    """Every case of every file."""
    return [
        case for path in sorted(CORPUS.glob("*.jsonl")) for line in _lines(path) for case in _cases(json.loads(line))
    ]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _cases(entry: dict[str, Any]) -> list[Case]:
    if "hex" in entry:
        data, offset = bytes.fromhex(entry["hex"]), entry.get("offset")
    else:
        before, mark, after = entry["data"].partition(MARK)
        data = (before + after).encode()
        offset = len(before.encode()) if mark else None
    expected = entry.get("expected", UNSAID)
    return [
        Case(
            entry["name"],
            module,
            data,
            entry.get("pending"),
            entry.get("fault"),
            entry.get("path", ""),
            offset,
            tuple(expected) if isinstance(expected, list) else expected,
            entry.get("frame"),
            entry.get("id", UNSAID),
            entry.get("action", UNSAID),
        )
        for module in entry["versions"]
    ]
