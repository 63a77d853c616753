"""The wheel of the Python backend alone: built, installed and used where no cargo is in reach."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from support.environments import EVERY_EXTRA, SUITE, Environment, facts, metadata, suite_tools
from support.needs import ROOT
from tools import dist

USE = """
import sys
from ocppcore import Call, Codec, OcppError, __version__, v21

for name in ("ocpp1.6", "ocpp2.0.1", "ocpp2.1"):
    codec = Codec(name)
    frame = codec.decode(b'[2,"1","Heartbeat",{}]')
    assert codec.encode(frame) == b'[2,"1","Heartbeat",{}]'
    try:
        codec.decode(b'[2,"1","Heartbeat",{"x":1}]')
    except OcppError as error:
        assert (error.kind, error.path, error.offset) == ("unknown_key", "/x", 20), error
    else:
        raise AssertionError
assert not [name for name in sys.modules if "_native" in name]
print(__version__)
"""


@pytest.fixture(scope="module")
def without_cargo(pure_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A virtual environment with the pure wheel, whose PATH leads to no cargo."""
    assert shutil.which("cargo", path=os.defpath) is None
    environment = Environment(tmp_path_factory.mktemp("without-cargo") / "venv")
    environment.pip(f"{pure_wheel}[cli]")
    return environment


def test_it_fits_every_python_and_holds_no_extension(pure_wheel: Path) -> None:
    assert pure_wheel.name == f"ocppcore-{dist.version()}-py3-none-any.whl"
    with zipfile.ZipFile(pure_wheel) as archive:
        names = archive.namelist()
    assert not [name for name in names if name.endswith((".so", ".pyd", ".pyc", ".rs"))]
    packaged = {name for name in names if ".dist-info/" not in name}
    source = ROOT / "python"
    wanted = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and path.suffix not in {".so", ".pyd", ".pyc"}
    }
    assert packaged == wanted
    assert {"ocppcore/py.typed", "ocppcore/_model/v201.json"} <= packaged


def test_it_works_without_cargo(without_cargo: Environment) -> None:
    assert without_cargo.run("-c", USE).strip() == dist.version()


def test_its_command_says_which_backend_runs(without_cargo: Environment) -> None:
    said = without_cargo.run("-m", "ocppcore.cli", "doctor")
    assert "python" in said.lower()
    assert dist.version() in said


def test_a_backend_that_is_missing_is_named(without_cargo: Environment) -> None:
    asked = "from ocppcore import Codec\ntry: Codec('ocpp1.6', backend='native')\nexcept Exception as e: print(type(e).__name__, e)"
    assert "native" in without_cargo.run("-c", asked)


def test_both_wheels_would_have_the_same_metadata(pure_wheel: Path, tmp_path: Path) -> None:
    # maturin writes a wheel's metadata without compiling anything.
    dist.run(
        sys.executable, "-m", "maturin", "pep517", "write-dist-info",
        "--metadata-directory", tmp_path, "--interpreter", sys.executable,
    )  # fmt: skip
    (native,) = tmp_path.glob("*.dist-info/METADATA")
    assert facts(metadata(pure_wheel)) == facts(message_from_bytes(native.read_bytes()))


@pytest.mark.long
def test_the_suite_passes_on_it(without_cargo: Environment, pure_wheel: Path, tests_alone: Path) -> None:
    without_cargo.pip(f"{pure_wheel}{EVERY_EXTRA}", *suite_tools())
    said = without_cargo.run(
        *SUITE,
        cwd=tests_alone,
        OCPPCORE_BACKEND="python",
    )
    assert " passed" in said
