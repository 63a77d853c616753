"""Builds what is published: the source distribution, native wheels, and the pure wheel of the Python backend alone.

    python -m tools.dist [--out dist] [sdist] [native] [pure]

A native wheel is made for every Python of PYTHONS that this machine has; one that is missing is named.
The pure wheel is the same tree without the extension, under the same metadata: pip takes it where no native wheel fits.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
KINDS = ("sdist", "native", "pure")


def version() -> str:
    """The project's version, which the Cargo workspace holds."""
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    return str(workspace["workspace"]["package"]["version"])


def find_python(wanted: str) -> str | None:
    """The path of an interpreter of this version, e.g. "3.12", or None."""
    found = subprocess.run([ROOT / "tools/find-python", wanted], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command and show it."""
    print("$", *command, flush=True)
    subprocess.run(command, cwd=cwd, check=True)


def build_sdist(out: Path) -> None:
    """Everything that is needed to build the package, and no more."""
    run(sys.executable, "-m", "maturin", "sdist", "--out", out)


def build_native(out: Path, pythons: tuple[str, ...] = PYTHONS) -> None:
    """One wheel per Python: the extension writes the slots of objects, which no stable ABI covers."""
    for wanted in pythons:
        python = find_python(wanted)
        if python is None:
            print(f"no Python {wanted} here: no wheel for it")
            continue
        run(sys.executable, "-m", "maturin", "build", "--release", "--locked", "--interpreter", python, "--out", out)


def build_pure(out: Path) -> None:
    """The wheel that needs no Rust, neither to build nor to run.

    Its tree is python/ without extension modules; its metadata are pyproject.toml's own `[project]`, the version
    made static, since maturin, which would read it from Cargo.toml, cannot leave the extension out.
    """
    with tempfile.TemporaryDirectory(prefix="ocppcore-pure-") as folder:
        tree = Path(folder)
        skip = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
        shutil.copytree(ROOT / "python", tree / "python", ignore=skip)
        for name in ("README.md", "LICENSE-MIT", "LICENSE-APACHE"):
            shutil.copy(ROOT / name, tree / name)
        (tree / "pyproject.toml").write_text(pure_pyproject(), encoding="utf-8")
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, cwd=tree)


def pure_pyproject() -> str:
    """pyproject.toml for the pure wheel: its `[project]` tables as they are, under another build system."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    tables = ["[" + table for table in ("\n" + text).split("\n[")[1:]]
    project = "\n".join(table for table in tables if table.startswith("[project"))
    dynamic = 'dynamic = ["version"]'
    if project.count(dynamic) != 1:
        raise SystemExit(f"pyproject.toml must say {dynamic} once")
    project = project.replace(dynamic, f'version = "{version()}"')
    return f"""\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

{project}
[tool.hatch.build.targets.wheel]
packages = ["python/ocppcore"]
"""


def main() -> None:
    """Build the kinds asked for, all by default."""
    parser = argparse.ArgumentParser(prog="python -m tools.dist", description="Builds what is published.")
    parser.add_argument("kinds", nargs="*", metavar="kind", help=f"of {', '.join(KINDS)}; all by default")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder to put them in (dist)")
    options = parser.parse_args()
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"unknown kind {sorted(unknown)[0]!r}")
    out: Path = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    kinds = options.kinds or KINDS
    if "sdist" in kinds:
        build_sdist(out)
    if "native" in kinds:
        build_native(out)
    if "pure" in kinds:
        build_pure(out)
    for path in sorted(out.iterdir()):
        print(f"{path.stat().st_size / 1024:9.0f} KiB  {path.name}")


if __name__ == "__main__":
    main()
