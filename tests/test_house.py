"""The walls of the house: what the layout promises, checked on the files themselves."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from support.needs import ROOT

PACKAGE = ROOT / "python/ocppcore"
VERSIONS = ("v16", "v201", "v21")


@cache
def tracked(*patterns: str) -> tuple[Path, ...]:
    """The project's own files that match, by git where there is a clone, else by the tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file())


def is_generated(path: Path) -> bool:
    """Whether the file's first line says that a command made it."""
    with path.open(encoding="utf-8") as file:
        return "@generated" in file.readline()


def handwritten(*patterns: str) -> list[Path]:
    return [path for path in tracked(*patterns) if not is_generated(path)]


def imports(path: Path) -> set[str]:
    """The top-level modules that a file imports by absolute name at run time, wherever in it."""
    found: set[str] = set()
    for node in run_time_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


def run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node of a tree but those that only type checkers see."""
    yield tree
    children = ast.iter_child_nodes(tree)
    if isinstance(tree, ast.If) and ast.unparse(tree.test) == "TYPE_CHECKING":
        children = iter(tree.orelse)
    for child in children:
        yield from run_time_nodes(child)


def calls(path: Path) -> set[str]:
    """What a file calls, as it is written before the bracket."""
    nodes = run_time_nodes(ast.parse(path.read_text(encoding="utf-8")))
    return {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}


def test_the_core_crate_knows_no_python() -> None:
    manifest = tomllib.loads((ROOT / "rust/core/Cargo.toml").read_text(encoding="utf-8"))
    tables = [manifest.get(kind, {}) for kind in ("dependencies", "build-dependencies", "dev-dependencies")]
    tables += [table for target in manifest.get("target", {}).values() for table in target.values()]
    named = {name for table in tables for name in table}
    assert not {name for name in named if "pyo3" in name or "python" in name}
    for path in tracked("rust/core/*.rs"):
        assert "pyo3" not in path.read_text(encoding="utf-8"), path


IO_MODULES = {
    "asyncio",
    "socket",
    "selectors",
    "ssl",
    "threading",
    "multiprocessing",
    "subprocess",
    "time",
    "sched",
    "concurrent",
}


def test_codec_session_and_router_do_no_io_and_read_no_clock() -> None:
    outside = ("cli", "aio", "log", "compat")
    files = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in outside]
    assert len(files) > 20
    for path in files:
        assert not imports(path) & IO_MODULES, path
        clocks = {
            name
            for name in calls(path)
            if re.search(r"(datetime|date)\.(now|utcnow|today)$|^(open|print|input)$", name)
        }
        assert not clocks, path


def test_the_core_crate_does_no_io_and_reads_no_clock() -> None:
    for path in tracked("rust/core/src/*.rs"):
        text = path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
        assert not re.search(r"\bstd::(fs|time|thread|process|env)\b|\b(Tcp|Udp|Unix)[A-Z]", text), path


EXTRAS = {
    "aio/aiohttp.py": {"aiohttp"},
    "aio/otel.py": {"opentelemetry"},
    "aio/picows.py": {"picows"},
    "aio/prometheus.py": {"prometheus_client"},
    "aio/starlette.py": {"starlette"},
    "aio/websockets.py": {"websockets"},
}
"""What a module may import beside, since it is loaded only by whoever has installed that."""


def test_the_package_needs_msgspec_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [re.split(r"[<>=]", name)[0] for name in project["dependencies"]] == ["msgspec"]
    allowed = sys.stdlib_module_names | {"msgspec", "ocppcore"}
    for path in PACKAGE.rglob("*.py"):
        if "cli" not in path.relative_to(PACKAGE).parts:
            extra = EXTRAS.get(path.relative_to(PACKAGE).as_posix(), set())
            assert not imports(path) - allowed - extra, path


def loaded_modules(code: str) -> set[str]:
    """The modules that a fresh interpreter holds after running the code."""
    script = f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout))


def test_importing_the_package_loads_no_version() -> None:
    loaded = loaded_modules("import ocppcore; from ocppcore import Codec, Call, OcppError")
    assert not {name for name in loaded if re.match(r"ocppcore\.v\d", name)}
    assert not loaded & {"asyncio", "click", "rich", "ocppcore.cli"}


@pytest.mark.parametrize("version", VERSIONS)
def test_one_version_loads_no_other(version: str) -> None:
    loaded = loaded_modules(f"import ocppcore; ocppcore.{version}.MESSAGES")
    assert {name for name in VERSIONS if f"ocppcore.{name}" in loaded} == {version}


DOOR = {
    "Codec", "Call", "CallResult", "CallError", "CallResultError", "Send", "RawPayload", "OcppError", "EncodeError",
    "Request", "Response", "SendPayload", "v16", "v201", "v21", "__version__",
}  # fmt: skip


def test_the_door_offers_its_names_and_no_other_module() -> None:
    import ocppcore

    assert set(ocppcore.__all__) >= DOOR
    assert set(dir(ocppcore)) >= DOOR
    for name in ocppcore.__all__:
        assert getattr(ocppcore, name) is not None, name


def test_the_package_says_the_workspace_s_version() -> None:
    import ocppcore

    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    assert ocppcore.__version__ == workspace["workspace"]["package"]["version"]


def test_generated_files_say_so_and_stand_apart() -> None:
    for name in VERSIONS:
        files = sorted((PACKAGE / name).glob("*"))
        assert {path.name for path in files} >= {"__init__.py", "enumerations.py", "types.py", "messages.py"}
        for path in files:
            if path.suffix == ".py":
                assert is_generated(path), path
                assert "tools.codegen" in path.read_text(encoding="utf-8").splitlines()[0], path


# Codes that are ordinary words elsewhere, e.g. in the enumerations of the schemas' own types, are left out.
TELLING_CODES = (
    "FormationViolation", "FormatViolation", "PropertyConstraintViolation", "OccurenceConstraintViolation",
    "OccurrenceConstraintViolation", "TypeConstraintViolation", "MessageTypeNotSupported", "RpcFrameworkError",
)  # fmt: skip


def test_no_wire_code_is_written_by_hand() -> None:
    sources = handwritten("python/ocppcore/*.py", "rust/core/src/*.rs", "rust/python/src/*.rs")
    assert len(sources) > 15
    for path in sources:
        text = code_of(path)
        named = [code for code in TELLING_CODES if f'"{code}"' in text or f"'{code}'" in text]
        assert not named, path


def test_no_action_is_written_by_hand() -> None:
    actions = {
        action
        for name in VERSIONS
        for action in json.loads((PACKAGE / f"_model/{name}.json").read_text(encoding="utf-8"))["messages"]
    }
    assert len(actions) > 90
    sources = handwritten("python/ocppcore/*.py", "rust/core/src/*.rs", "rust/python/src/*.rs")
    for path in sources:
        if "demo" in path.relative_to(ROOT).as_posix():
            continue  # its frames are traffic, not facts
        # Docstrings and comments may name a message as an example; code may not.
        text = code_of(path)
        named = sorted(action for action in actions if f'"{action}"' in text or f"'{action}'" in text)
        assert not named, path


def code_of(path: Path) -> str:
    """The file without its docstrings, comments and Rust tests."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".rs":
        return re.sub(r"//.*", "", text.split("#[cfg(test)]")[0])
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [  # type: ignore[attr-defined]
                line
                for line in body
                if not (
                    isinstance(line, ast.Expr)
                    and isinstance(line.value, ast.Constant)
                    and isinstance(line.value.value, str)
                )
            ] or [ast.Pass()]
    return ast.unparse(tree)


def test_unsafe_blocks_say_why_they_are_sound_and_live_in_few_files() -> None:
    places: set[str] = set()
    for path in tracked("rust/core/src/*.rs", "rust/python/src/*.rs"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if re.search(r"\bunsafe\s*(\{|impl\b)", line.split("//")[0]):
                places.add(path.relative_to(ROOT).as_posix())
                before = lines[max(0, number - 8) : number + 1]
                assert any("SAFETY:" in earlier for earlier in before), f"{path}:{number + 1}"
    assert len(places) <= 8, sorted(places)


def test_no_file_is_named_for_nothing() -> None:
    for path in tracked("*"):
        assert not re.search(r"(^|_)(utils?|helpers?|misc|common)(\.|_|$)", path.name), path


def test_no_module_global_switch() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.Global), path


def test_nothing_of_one_machine_is_committed() -> None:
    here = re.compile(r"/(home|Users|root|work|tmp)/\w")
    for path in tracked("*"):
        assert not here.search(path.read_text(encoding="utf-8", errors="replace")), path


def test_the_root_holds_no_strangers() -> None:
    folders = {".ci", "benches", "docs", "examples", "python", "rust", "schemas", "tests", "tools"}
    files = {".gitignore", "LICENSE-APACHE", "LICENSE-MIT", "Makefile"}
    for path in tracked("*"):
        first, *rest = path.relative_to(ROOT).parts
        assert first in folders if rest else first in files or first.endswith((".md", ".toml", ".lock")), path
