"""What is generated is what the schemas determine, byte for byte, and nothing else lies beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools.codegen.__main__ import ROOT, main, outputs, write

PACKAGE = ROOT / "python/ocppcore"


def test_the_generated_files_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().out


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("_model", "v16", "v201", "v21", "compat"):
        shutil.copytree(PACKAGE / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_check_names_what_differs_and_leaves_it(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited = copy / "v201/messages.py"
    edited.write_text(edited.read_text() + "\n")
    (copy / "v16/types.py").unlink()
    (copy / "v21/stranger.py").write_text("")
    assert main(["--check"], package=copy) == 1
    said = capsys.readouterr().out
    for name in ("v201/messages.py", "v16/types.py", "v21/stranger.py"):
        assert f"{name} differs: run `python -m tools.codegen`" in said
    assert (copy / "v21/stranger.py").exists()


def test_writing_mends_it_and_deletes_strangers(copy: Path) -> None:
    (copy / "v201/messages.py").write_text("")
    (copy / "_model/stranger.json").write_text("{}")
    files = outputs(ROOT / "schemas")
    assert write(copy, files) == ["_model/stranger.json", "v201/messages.py"]
    assert not (copy / "_model/stranger.json").exists()
    assert write(copy, files) == []


def test_a_contradiction_ends_the_run_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    broken = tmp_path / "schemas/v16.toml"
    broken.write_text(broken.read_text().replace('"DataTransferStatus"', '"Unheard"'))
    assert main(["--check"], schemas=tmp_path / "schemas") == 2
    assert "is of type Unheard, which is neither a scalar nor declared." in capsys.readouterr().err
