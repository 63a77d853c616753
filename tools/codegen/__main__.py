"""Writes what the schemas determine, or with --check says what differs. See `tools/codegen/__init__.py`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.codegen.columns import read_columns
from tools.codegen.emit_compact import compact, compact_json
from tools.codegen.emit_compat import compat_files
from tools.codegen.emit_python import python_files
from tools.codegen.model import ModelError, read, read_errors
from tools.codegen.rules import read_rules

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("v16", "v201", "v21")
# These folders hold generated files alone: anything else in them goes.
OWNED = ("_model", *MODULES, *(f"compat/ocpp/{module}" for module in MODULES))


def outputs(schemas: Path) -> dict[str, str]:
    """Path below the package -> text, for everything that the schemas determine."""
    models = [read(schemas / f"{module}.toml") for module in MODULES]
    errors = read_errors(schemas / "errors.toml", [model.version for model in models])
    columns = read_columns(schemas / "columns.toml", models)
    rules = read_rules(schemas / "rules.toml", models, errors)
    files = {
        "_model/errors.json": compact_json(errors),
        "_model/columns.json": compact_json(columns),
        "_model/rules.json": compact_json(rules),
    }
    for model in models:
        files[f"_model/{model.module}.json"] = compact_json(compact(model))
        for name, text in python_files(model).items():
            files[f"{model.module}/{name}"] = text
    return files | compat_files(models, schemas / "compat_ocpp.toml")


def differences(package: Path, files: dict[str, str]) -> list[str]:
    """The paths that are not as they should be: stale, missing, or strangers in a generated folder."""
    stale = [
        name
        for name, text in files.items()
        if not (package / name).is_file() or (package / name).read_bytes() != text.encode()
    ]
    return sorted(stale + strangers(package, files))


def strangers(package: Path, files: dict[str, str]) -> list[str]:
    """What lies in the generated folders and is not generated; Python's caches are nobody's."""
    found = [path for folder in OWNED for path in (package / folder).rglob("*") if path.is_file()]
    names = [path.relative_to(package).as_posix() for path in found if "__pycache__" not in path.parts]
    return [name for name in names if name not in files]


def write(package: Path, files: dict[str, str]) -> list[str]:
    """Write what differs, delete strangers; the paths that were touched."""
    changed = differences(package, files)
    for name in changed:
        path = package / name
        if name in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[name], encoding="utf-8", newline="\n")
        else:
            path.unlink()
    return changed


def main(
    arguments: list[str] | None = None, *, schemas: Path = ROOT / "schemas", package: Path = ROOT / "python/ocppcore"
) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.codegen", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if anything differs")
    options = parser.parse_args(arguments)
    try:
        files = outputs(schemas)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 2
    changed = differences(package, files) if options.check else write(package, files)
    for name in changed:
        if options.check:
            print(f"{name} differs: run `python -m tools.codegen`")
        else:
            print(f"{name} {'written' if name in files else 'deleted'}")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
