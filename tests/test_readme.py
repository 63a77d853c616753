"""README.md is true: its example prints what it says, its table is the models', its paths and commands exist."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import subprocess

import pytest

from support.needs import ROOT, need_module
from tools import message_table

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(mark: str) -> str:
    """The fenced code that follows a marked line."""
    found = re.search(re.escape(f"<!-- {mark}") + r".*?```\w*\n(.*?)```", README, re.DOTALL)
    assert found, mark
    return found[1]


@pytest.mark.parametrize(
    ("mark", "output"),
    [("example", "output of the example"), ("tolerance", "output of tolerance"), ("batch", "output of batch")],
)
def test_the_examples_print_what_the_readme_says(
    mark: str, output: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCPPCORE_BACKEND", backend)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block(mark), "README.md", "exec"), {})
    assert printed.getvalue() == block(output)


def test_the_conversation_goes_as_the_readme_says(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPPCORE_BACKEND", backend)
    names: dict[str, object] = {}
    exec(compile(block("session"), "README.md", "exec"), names)
    assert type(names["event"]).__name__ == "TimedOut"


def test_the_servers_of_the_readme_can_be_written_so() -> None:
    need_module("websockets", "the library websockets")
    text = block("servers")
    compile(text, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, object] = {}
    exec(compile(text.partition("async with")[0], "README.md", "exec"), names)
    assert names.keys() >= {"Server", "connect", "serve", "beat"}


def test_the_message_table_is_the_models() -> None:
    assert message_table.replaced(README, message_table.render(message_table.load_models())) == README


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_relative_links_and_named_paths_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = set(re.findall(r"\]\((?!https?:)([^)#]+)", text))
    paths = {path for path in re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", text) if (ROOT / path.split("/")[0]).exists()}
    missing = sorted(name for name in links | paths if not (ROOT / name).exists())
    assert not missing


def test_every_command_of_make_that_a_document_names_exists() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    known = set(re.findall(r"make ([\w-]+)", listed.stdout))
    assert {
        "setup",
        "build",
        "lint",
        "test",
        "test-full",
        "bench",
        "demo",
        "dist",
        "generate",
        "fuzz",
        "clean",
    } <= known
    for document in ("README.md", "CONTRIBUTING.md", "SECURITY.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        named = set(re.findall(r"(?:`|^ {4})make ([\w-]+)", text, re.MULTILINE))
        assert named <= known, document
