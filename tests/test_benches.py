"""The benchmarks: each proves over a few frames what it claims and takes a round; the table of targets says what was met and what was lost."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from benches import results
from benches.frames import all_kinds
from benches.plot import plot
from benches.targets import TARGETS, Target
from support.backends import BACKENDS
from support.needs import need

if TYPE_CHECKING:
    from pathlib import Path

SMOKED = ("decode", "paths", "messages", "encode", "batch", "footprint", "tolerance")


@pytest.mark.parametrize("name", SMOKED)
def test_a_benchmark_proves_and_measures(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    need("native" in BACKENDS, "the native backend")
    before = results.RESULTS.read_bytes()
    import_module(f"benches.{name}").main(["--smoke"])
    printed = capsys.readouterr().out
    assert results.marker(name) in printed
    assert "seed " in printed
    assert results.RESULTS.read_bytes() == before


def test_a_seed_makes_the_same_frames_again_and_another_makes_others() -> None:
    first, again, other = (all_kinds(seed, count=20) for seed in ("a", "a", "b"))
    assert first == again
    assert all(set(kind.frames).isdisjoint(of.frames) for kind, of in zip(first, other, strict=True))


def test_targets_are_met_missed_or_not_yet_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setattr(results, "FIGURES", tmp_path / "figures.json")
    low = Target("low", "decode", "low enough", 1.5)
    high = Target("high", "decode", "high enough", 10, at_most=False, unit=" MB", why="memory is dear")
    monkeypatch.setattr(results, "TARGETS", (low, high, Target("late", "batch", "some day", 1)))
    results.keep_figures("decode", {"low": 1.25, "high": 9})
    results.write_section("decode", f"# Decode\n\n{results.marker('decode')}\n\nold\n")
    results.write_section("decode", f"# Decode\n\n{results.marker('decode')}\n\nnew\n")
    text = results.RESULTS.read_text(encoding="utf-8")
    assert text.startswith("# Targets\n")
    assert "1 of 3 are met;" in text
    assert "| low enough | ≤ 1.5 | **1.25** | yes |" in text
    assert "| high enough | ≥ 10 MB | **9** MB | **no** |" in text
    assert "| some day | ≤ 1 | not yet |  |" in text
    assert "- *high enough*: memory is dear." in text
    assert "new" in text
    assert "old" not in text
    results.keep_figures("decode", {"low": 2, "high": 11})
    text = results.RESULTS.read_text(encoding="utf-8")
    assert "1 of 3 are met" in text
    assert "memory is dear" not in text
    assert "new" in text
    with pytest.raises(AssertionError, match="no targets of batch"):
        results.keep_figures("batch", {"low": 1})


def test_what_is_kept_are_figures_of_targets() -> None:
    wanted = {(target.benchmark, target.key) for target in TARGETS}
    assert len({target.key for target in TARGETS}) == len(TARGETS)
    kept = json.loads(results.FIGURES.read_text(encoding="utf-8"))
    assert {(name, key) for name, run in kept.items() for key in run["figures"]} <= wanted


def test_a_plot_has_a_row_for_each_contender_on_one_scale() -> None:
    svg = plot("Reading <a> frame", "note", {"other": 2500.0, "ocppcore decode": 2.5, "third": 25.0}, ours="ocppcore")
    root = ElementTree.fromstring(svg)
    name = "{http://www.w3.org/2000/svg}"
    rows = root.findall(f"{name}g")
    texts = [[text.text for text in row.findall(f"{name}text")] for row in rows]
    assert texts == [["ocppcore decode", "2.5 µs"], ["third", "25 µs"], ["other", "2.5 ms"]]
    assert [row.get("class") for row in rows] == ["ours", None, None]
    first, second, third = (float(str(row.find(f"{name}circle").get("cx"))) for row in rows)
    assert third - second == pytest.approx(2 * (second - first), abs=0.3)
    assert "prefers-color-scheme: dark" in svg
