"""What is published, built once per run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.needs import ROOT, need
from tools import dist


@pytest.fixture(scope="session")
def pure_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pure")
    dist.build_pure(folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def native_wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The native wheel of each Python that is here, by its version, e.g. "3.12"."""
    folder = tmp_path_factory.mktemp("native")
    here = [wanted for wanted in dist.PYTHONS if dist.find_python(wanted)]
    need(here, f"each of Python {', '.join(dist.PYTHONS)}")
    dist.build_native(folder)
    return {wanted: next(folder.glob(f"*-cp{wanted.replace('.', '')}-*.whl")) for wanted in here}


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    dist.build_sdist(folder)
    (archive,) = folder.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="session")
def tests_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tests and what they read of the tree, but not the package: what they import is what is installed."""
    folder = tmp_path_factory.mktemp("tests")
    skip = shutil.ignore_patterns("__pycache__", "wheels", "typing")
    for name in ("tests", "schemas", "tools", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=skip)
    for name in ("pyproject.toml", "Cargo.toml", "README.md"):
        shutil.copy(ROOT / name, folder / name)
    return folder
