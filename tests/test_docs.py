"""The examples of docs/ that are marked `<!-- run -->` run, one after the other, in the order of their page."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest

from ocppcore import Policy, Quirks
from support.needs import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGES = {"codec-alone.md": 8, "migrate.md": 3, "session.md": 2, "tolerance.md": 5}
"""Page -> how many examples it has."""
MARKS = r"<!-- (run|not run: .+|(example|tolerance|batch|session|servers): .+) -->"
"""Before an example: whether it runs here, as a test that the mark names, or not, and why."""


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_run(page: str, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPPCORE_BACKEND", backend)
    blocks = re.findall(
        r"<!-- run -->\n```(python|toml)\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(blocks) == PAGES[page]
    names: dict[str, object] = {"__name__": "__main__"}
    try:
        for language, block in blocks:
            if language == "python":
                exec(compile(block, page, "exec"), names)
            else:
                names["text"] = block
                assert Quirks.from_toml(block).profiles if "[[profile]]" in block else Policy.from_toml(block).rules
    finally:
        from ocppcore.compat.ocpp import restore

        restore()


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_every_example_says_whether_it_runs(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    unmarked = [
        f"line {number}: {line}"
        for number, (before, line) in enumerate(itertools.pairwise(["", *lines]), 1)
        if line in ("```python", "```toml") and not re.fullmatch(MARKS, before)
    ]
    assert not unmarked


@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_relative_links_exist(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert not [link for link in links if not (path.parent / link).exists()]
