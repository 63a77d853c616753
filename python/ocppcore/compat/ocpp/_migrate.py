"""What `ocppcore migrate` does: imports of PyPI `ocpp` become imports of this package, and what a person must decide is named by line.

A file is read by its syntax tree and changed by exact edits, so that all that is not an import stays as it was written.
"""

from __future__ import annotations

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

PEER = "ocpp"
OURS = "ocppcore.compat.ocpp"

_FROM = re.compile(rb"from[\s\\]+(ocpp)\b")
_SEAMS = {
    "call": "it takes and returns what it did; correlation is by id now",
    "route_message": "it answers broken frames, and returns early while a handler waits for the other side",
    "start": "it need not guard against bad frames any more, and must await route_message for each message",
    "_get_specific_response": "it is called with the same arguments; answers are matched by id, not taken from a queue",
    "_handle_call": "a known action without a handler raises NotSupportedError now, an unknown one NotImplementedError",
}
_TEXTS = ("cause", "ocpp_message")


class Decision(NamedTuple):
    """Something that no rule can decide: the line (from 1) and what is to be thought about."""

    line: int
    text: str


class Migration(NamedTuple):
    """What becomes of one file. `new` is its text as it would be written; equal to `old` where nothing changes."""

    path: Path
    old: str
    new: str
    decisions: list[Decision]

    def diff(self) -> str:
        """The change as a unified diff; "" when there is none."""
        name = self.path.as_posix()
        lines = difflib.unified_diff(self.old.splitlines(True), self.new.splitlines(True), name, name)
        return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def python_files(path: Path) -> Iterator[Path]:
    """The Python files below a folder, hidden folders and virtual environments left out; or the file itself."""
    if path.is_file():
        yield path
        return
    for entry in sorted(path.iterdir()):
        if entry.is_dir():
            if not entry.name.startswith(".") and not (entry / "pyvenv.cfg").exists():
                yield from python_files(entry)
        elif entry.suffix == ".py":
            yield entry


def migrate(path: Path) -> Migration:
    """Read a file and say what becomes of it. Nothing is written. OSError if it cannot be read."""
    data = path.read_bytes()
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        old = data.decode(encoding)
        tree = ast.parse(data)
    except (SyntaxError, UnicodeDecodeError) as error:
        line = getattr(error, "lineno", None) or 1
        return Migration(path, "", "", [Decision(line, f"this file cannot be read as Python: {error}")])
    reader = _Reader(old)
    reader.visit(tree)
    return Migration(path, old, reader.changed(), sorted(set(reader.decisions)))


def write(migration: Migration) -> None:
    """Write the file as it is to be, in its own encoding and with its own line ends."""
    with migration.path.open("rb") as file:
        encoding = tokenize.detect_encoding(file.readline)[0]
    migration.path.write_bytes(migration.new.encode(encoding))


class _Reader(ast.NodeVisitor):
    """Collects edits and decisions."""

    def __init__(self, text: str) -> None:
        # The tree counts bytes of UTF-8, by lines as Python sees them.
        self._lines = [line.encode() for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)]
        self._edits: list[tuple[int, int, int]] = []  # line from 0, byte from, byte to
        self._imports_package = False
        self._exceptions: set[str] = set()
        self._bases: set[str] = set()
        self.decisions: list[Decision] = []

    def changed(self) -> str:
        lines = list(self._lines)
        for line, start, end in sorted(self._edits, reverse=True):
            lines[line] = lines[line][:start] + OURS.encode() + lines[line][end:]
        return b"".join(lines).decode()

    def _decide(self, node: ast.stmt | ast.expr | ast.excepthandler | ast.alias, text: str) -> None:
        self.decisions.append(Decision(node.lineno, text))

    # Imports

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level or module.split(".")[0] != PEER:
            return
        line = node.lineno - 1
        found = _FROM.search(b"".join(self._lines[line:]), node.col_offset)
        assert found is not None
        # The name may stand on a later line, behind a backslash.
        start = found.start(1)
        while start >= len(self._lines[line]):
            start -= len(self._lines[line])
            line += 1
        self._edits.append((line, start, start + len(PEER)))
        there = _module(module)
        if there is None:
            self._decide(node, f"{module} has no counterpart; see docs/migrate.md")
            return
        for alias in node.names:
            name = alias.asname or alias.name
            if alias.name != "*" and not hasattr(there, alias.name) and _module(f"{module}.{alias.name}") is None:
                self._decide(alias, f"{module}.{alias.name} is gone; see docs/migrate.md")
            if module == f"{PEER}.exceptions":
                self._exceptions.add(name)
            if alias.name == "ChargePoint":
                self._bases.add(name)
            if alias.name == "ASYNC_VALIDATION":
                self._decide(alias, "ASYNC_VALIDATION has no effect any more: validation starts no thread")

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.split(".")[0] != PEER:
                continue
            self._edits.append((alias.lineno - 1, alias.col_offset, alias.col_offset + len(PEER)))
            if alias.asname is None:
                self._imports_package = True
            if _module(alias.name) is None:
                self._decide(node, f"{alias.name} has no counterpart; see docs/migrate.md")

    def visit_Name(self, node: ast.Name) -> None:
        if node.id == PEER and self._imports_package:
            if isinstance(node.ctx, ast.Load):
                self._edits.append((node.lineno - 1, node.col_offset, node.col_offset + len(PEER)))
            else:
                self._decide(node, f"the name {PEER} is given another meaning here, beside the import of the package")

    # What a person must decide

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        bases = {ast.unparse(base) for base in node.bases}
        if bases & self._bases or any(base.endswith(".ChargePoint") for base in bases):
            self._bases.add(node.name)
            for part in node.body:
                if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name in _SEAMS:
                    self._decide(part, f"{part.name} is overridden: {_SEAMS[part.name]}")
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type] if node.type is not None else []
        for name in map(ast.unparse, caught):
            own = name in self._exceptions or f"{PEER}.exceptions." in name or name.startswith("exceptions.")
            if own and not name.endswith("OCPPError"):
                self._decide(
                    node,
                    f"{name} is caught: an error's class follows its code, and codes differ; OCPPError catches all",
                )
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr == "_response_queue":
            self._decide(node, "_response_queue has put_nowait and qsize alone: answers are matched by id")
        elif node.attr == "ASYNC_VALIDATION":
            self._decide(node, "ASYNC_VALIDATION has no effect any more: validation starts no thread")
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.slice, ast.Constant) and node.slice.value in _TEXTS and "details" in ast.unparse(node.value):
            self._decide(node, f"details[{node.slice.value!r}] is the peer's own: the description says what is wrong")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and re.fullmatch(r"ocpp(\.\w+)+", node.value) and _is_peer_path(node.value):
            self._decide(
                node, f"the text {node.value!r} names a module of the peer: should it be {OURS}{node.value[4:]}?"
            )


def _is_peer_path(name: str) -> bool:
    """Whether a text names one of the peer's modules, and is no subprotocol such as "ocpp1.6"."""
    return name.split(".")[1] in ("charge_point", "exceptions", "messages", "routing", "v16", "v201", "v21", "v20")


def _module(name: str) -> object | None:
    """Our counterpart of one of the peer's modules."""
    ours = OURS + name.removeprefix(PEER)
    try:
        return import_module(ours) if find_spec(ours) is not None else None
    except ModuleNotFoundError:
        return None
