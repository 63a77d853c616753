"""Fresh virtual environments to try what is published in, and what a wheel says of itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from .needs import ROOT

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path


READ_THE_TREE = (
    "test_house.py",
    "test_readme.py",
    "test_docs.py",
    "test_examples.py",
    "test_instructions.py",
    "test_benches.py",
    "interop",
    "model",
    "aio/test_documents.py",
)
"""The tests that read the whole tree, which is not there beside an installed wheel."""
EVERY_EXTRA = "[cli,arrow,websockets,aiohttp,starlette,picows,otel,prometheus]"
SUITE = (
    "-m", "pytest", "--quiet", "--numprocesses", "auto", *(f"--ignore=tests/{name}" for name in READ_THE_TREE)
)  # fmt: skip
"""The arguments of a Python that runs the suite beside an installed wheel."""


def suite_tools() -> list[str]:
    """What the suite needs beside the package: its own tools, and what pyproject.toml says of the extras."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    wanted = ("pytest", "pytest-xdist", "hypothesis", "jsonschema-rs", "ocpp", "orjson")
    named = [line for group in ("dev", "demo") for line in groups[group] if isinstance(line, str)]
    return [*(line for line in named if re.split(r"[<>=]", line)[0] in wanted), *groups["extras"]]


class Environment:
    """A fresh virtual environment, in a place where this tree is not on the path."""

    def __init__(self, folder: Path, python: str | Path = sys.executable) -> None:
        subprocess.run([python, "-m", "venv", folder], check=True)
        self.folder = folder
        self.python = folder / "bin/python"

    def pip(self, *arguments: str | Path) -> None:
        self.run("-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments)

    def run(self, *arguments: str | Path, cwd: Path | None = None, path: str = os.defpath, **settings: str) -> str:
        """Run its Python with nothing of this tree in reach; the output of both streams, an AssertionError on failure."""
        kept = {
            name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "SSL_", "HTTP", "LANG", "HOME"))
        }
        done = subprocess.run(
            [self.python, *arguments],
            cwd=cwd or self.folder,
            env=kept | {"PATH": f"{self.folder / 'bin'}{os.pathsep}{path}"} | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


def metadata(wheel: Path) -> Message:
    """The METADATA file of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def facts(metadata: Message) -> dict[str, list[str]]:
    """What a METADATA says, whatever tool wrote it: every field but the version of the form, and the text."""
    fields = {name: sorted(metadata.get_all(name, [])) for name in set(metadata.keys()) - {"Metadata-Version"}}
    fields["Requires-Dist"] = sorted(str(Requirement(text)) for text in fields["Requires-Dist"])
    fields["Keywords"] = sorted(fields["Keywords"][0].split(","))
    # Two tools add different parameters to the type of the same text.
    fields["Description-Content-Type"] = [fields["Description-Content-Type"][0].partition(";")[0]]
    return fields | {"text": [str(metadata.get_payload()).strip()]}
