"""The native wheels and the source distribution, each in a fresh virtual environment of its Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from support.environments import EVERY_EXTRA, SUITE, Environment, facts, metadata, suite_tools
from support.needs import ROOT, need, need_program
from tools import dist

pytestmark = pytest.mark.long

NATIVE_RUNS = "from ocppcore import Codec; Codec('ocpp2.1', backend='native').validate(b'[2,\"1\",\"Heartbeat\",{}]')"


def test_metadata_are_those_of_the_pure_wheel(native_wheels: dict[str, Path], pure_wheel: Path) -> None:
    for wheel in native_wheels.values():
        assert facts(metadata(wheel)) == facts(metadata(pure_wheel))


def test_each_holds_one_extension_its_own(native_wheels: dict[str, Path]) -> None:
    # `make build` leaves an extension in the tree, which is another Python's.
    for version, wheel in native_wheels.items():
        with zipfile.ZipFile(wheel) as archive:
            extensions = [name for name in archive.namelist() if name.endswith((".so", ".pyd"))]
            assert not [name for name in archive.namelist() if "__pycache__" in name]
        assert len(extensions) == 1
        assert f"cpython-{version.replace('.', '')}" in extensions[0]


@pytest.mark.parametrize("version", dist.PYTHONS)
def test_the_suite_passes_on_the_wheel(
    version: str, native_wheels: dict[str, Path], tests_alone: Path, tmp_path: Path
) -> None:
    need(version in native_wheels, f"Python {version}")
    environment = Environment(tmp_path / "venv", dist.find_python(version) or "")
    environment.pip(f"{native_wheels[version]}{EVERY_EXTRA}", *suite_tools())
    environment.run("-c", NATIVE_RUNS)
    said = environment.run(
        *SUITE,
        cwd=tests_alone,
    )
    assert " passed" in said


def test_pip_takes_the_native_wheel_before_the_pure_one(
    native_wheels: dict[str, Path], pure_wheel: Path, tmp_path: Path
) -> None:
    for wheel in (*native_wheels.values(), pure_wheel):
        shutil.copy(wheel, tmp_path)
    for version in native_wheels:
        environment = Environment(tmp_path / f"venv-{version}", dist.find_python(version) or "")
        environment.pip("msgspec")
        environment.pip("--no-index", "--find-links", tmp_path, "ocppcore")
        environment.run("-c", NATIVE_RUNS)


def test_the_source_distribution_builds_where_nothing_else_is(sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Cargo.lock", "rust/core/Cargo.toml", "python/ocppcore/_model/v16.json", "LICENSE-MIT"} <= names
    assert not {name for name in names if name.startswith(("tests/", "benches/", "docs/")) or name.endswith(".so")}
    cargo = Path(need_program("cargo")).parent
    environment = Environment(tmp_path / "venv")
    settings = {name: os.environ[name] for name in ("CARGO_HOME", "RUSTUP_HOME") if name in os.environ}
    environment.run("-m", "pip", "install", "--quiet", sdist, path=f"{cargo}{os.pathsep}{os.defpath}", **settings)
    environment.run("-c", NATIVE_RUNS)
    assert ROOT not in environment.folder.parents


def test_it_compiles_for_a_free_threaded_python(tmp_path: Path) -> None:
    # No such Python is needed for that: PyO3 is told what it would find.
    python = tmp_path / "python"
    python.write_text(
        "implementation=CPython\nversion=3.14\nshared=true\nbuild_flags=Py_GIL_DISABLED\n", encoding="utf-8"
    )
    done = subprocess.run(
        [
            need_program("cargo"), "clippy", "--package", "ocppcore-python", "--locked",
            "--target-dir", tmp_path / "target", "--", "--deny", "warnings",
        ],
        cwd=ROOT, env={**os.environ, "PYO3_CONFIG_FILE": str(python)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
