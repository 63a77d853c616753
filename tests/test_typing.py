"""mypy and pyright, both strict, find the types that tests/typing/right.py states, and every wrong use in wrong.py."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from support.needs import ROOT, need_module

FOLDER = ROOT / "tests/typing"


def mypy(name: str) -> tuple[dict[int, str], dict[int, str]]:
    """What mypy reveals and what it complains of, by line."""
    need_module("mypy", "mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--hide-error-context", "--no-error-summary", str(FOLDER / name)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    revealed: dict[int, str] = {}
    errors: dict[int, str] = {}
    for line in done.stdout.splitlines():
        match = re.fullmatch(rf".*{re.escape(name)}:(\d+): (error|note): (.*)", line)
        if match and match[2] == "error":
            errors[int(match[1])] = match[3]
        elif match and (type_ := re.fullmatch(r'Revealed type is "(.*)"', match[3])):
            revealed[int(match[1])] = type_[1]
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return revealed, errors


def pyright(name: str) -> tuple[dict[int, str], dict[int, str]]:
    """What pyright reveals and what it complains of, by line."""
    need_module("pyright", "pyright")
    done = subprocess.run(
        [ROOT / "tools/run-with-node", sys.executable, "-m", "pyright", "--outputjson", str(FOLDER / name)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    revealed: dict[int, str] = {}
    errors: dict[int, str] = {}
    for found in json.loads(done.stdout)["generalDiagnostics"]:
        line = found["range"]["start"]["line"] + 1
        if found["severity"] == "error":
            errors[line] = found["message"]
        elif type_ := re.fullmatch(r'Type of ".*" is "(.*)"', found["message"], re.DOTALL):
            revealed[line] = type_[1]
    return revealed, errors


def short(type_: str) -> str:
    """A type as both checkers may write it, in one form: no modules, no spelling of builtins, None at the end."""
    type_ = re.sub(r"\b(?:\w+\.)+(?=\w)", "", type_).replace("def ", "").replace('"', "'")
    return type_.replace("?", "").replace("'] | Literal['", "', '")


def expected(name: str, pattern: str) -> dict[int, str]:
    """The lines that a comment marks, with what it says."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return {number: match[1] for number, line in enumerate(lines, 1) if (match := re.search(pattern, line))}


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_checkers_find_the_types_that_users_rely_on(checker: object) -> None:
    assert callable(checker)
    revealed, errors = checker("right.py")
    assert errors == {}
    stated = expected("right.py", r"^\s*reveal_type\(.*\)  # (.*)$")
    assert len(stated) >= 15
    assert {line: short(type_) for line, type_ in revealed.items()} == stated


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_checkers_report_every_wrong_use(checker: object) -> None:
    assert callable(checker)
    _, errors = checker("wrong.py")
    stated = expected("wrong.py", r"# (wrong)$")
    assert len(stated) > 5
    assert set(errors) == set(stated)
