"""What an import costs, counted rather than timed: a count is the same on every machine (`docs/decisions/0050-import-time.md`)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from importlib import import_module

import pytest

LOADED_AT_THE_DOOR = {
    "ocppcore",
    *(
        f"ocppcore.{name}"
        for name in ("_backend", "_codec", "_codes", "_errors", "_frames", "_payloads", "_quote", "_tolerated", "_versions", "_vocabulary")
    ),
}  # fmt: skip

CALLS = """
import json, sys
import ocppcore
calls = []
def count(frame, event, argument):
    caller = frame.f_back
    if event == "call" and caller is not None and caller.f_globals.get("__name__") in modules:
        calls.append(frame.f_code.co_qualname)
modules = [f"ocppcore.{version}.{name}" for name in ("types", "messages")]
sys.setprofile(count)
__import__(f"ocppcore.{version}")
sys.setprofile(None)
print(json.dumps(calls))
"""


def printed(script: str) -> list[str]:
    """The list that a fresh interpreter prints as JSON."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names: list[str] = json.loads(done.stdout)
    return names


def test_the_door_loads_ten_modules() -> None:
    loaded = printed("import json, sys, ocppcore; print(json.dumps([*sys.modules]))")
    assert {name for name in loaded if name.partition(".")[0] == "ocppcore"} == LOADED_AT_THE_DOOR


def test_the_door_compiles_few_annotations() -> None:
    """A NamedTuple compiles each annotation that is text, a Struct leaves it as text; Version's and Message's ten are left."""
    compiled = printed(
        "import json, sys, msgspec\n"
        "texts = []\n"
        "sys.addaudithook(lambda event, given: event == 'compile' and given[1] == '<string>' and texts.append(str(given[0])))\n"
        "import ocppcore\n"
        "print(json.dumps(texts))"
    )
    assert len(compiled) <= 12, compiled


@pytest.mark.parametrize("version", ["v16", "v201", "v21"])
def test_the_classes_of_a_version_are_made_without_python_code(version: str) -> None:
    """Beside their bodies and the entries of MESSAGES, the modules call a few functions for their imports and unions, and none per class."""
    calls = printed(f"version = {version!r}\n{CALLS}")
    module = import_module(f"ocppcore.{version}")
    bodies = [name for name in calls if isinstance(getattr(module, name, None), type)]
    assert len(bodies) == len(set(bodies)) > len(module.MESSAGES)
    assert len(calls) - len(bodies) - len(module.MESSAGES) < 30, Counter(calls) - Counter(bodies)
