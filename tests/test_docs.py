"""The examples of docs/ that are marked `<!-- run -->` run, one after the other, in the order of their page."""

from __future__ import annotations

import re

import pytest

from support.needs import ROOT

PAGES = ("codec-alone.md", "migrate.md")


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_run(page: str, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPPCORE_BACKEND", backend)
    blocks = re.findall(
        r"<!-- run -->\n```python\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(blocks) > 2
    names: dict[str, object] = {"__name__": "__main__"}
    try:
        for block in blocks:
            exec(compile(block, page, "exec"), names)
    finally:
        from ocppcore.compat.ocpp import restore

        restore()


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_exist(page: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / "docs" / page).read_text(encoding="utf-8"))
    assert links
    assert not [link for link in links if not (ROOT / "docs" / link).exists()]
