"""docs/servers.md is true: its CSMS and its station talk to each other as they stand there."""

from __future__ import annotations

import asyncio
import re
import socket

import pytest

from support.needs import ROOT, need_module
from support.wires import run

TEXT = (ROOT / "docs/servers.md").read_text(encoding="utf-8")


def block(mark: str) -> str:
    found = re.search(re.escape(f"<!-- example: {mark}") + r".*?```python\n(.*?)```", TEXT, re.DOTALL)
    assert found, mark
    return found[1]


def program(mark: str, port: int) -> dict[str, object]:
    """A block's names, with what it would run as its `main`."""
    text = block(mark).replace("9000", str(port))
    assert str(port) in text
    text = re.sub(r"^asyncio\.run\((.*)\)$", r"program = \1", text, flags=re.MULTILINE)
    names: dict[str, object] = {}
    exec(compile(text, "servers.md", "exec"), names)
    return names


def test_the_csms_and_the_station_talk(capsys: pytest.CaptureFixture[str]) -> None:
    need_module("websockets", "websockets")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def main() -> None:
        tasks = [asyncio.ensure_future(program("csms", port)["program"])]  # type: ignore[call-overload]
        await asyncio.sleep(0.1)
        tasks.append(asyncio.ensure_future(program("station", port)["program"]))  # type: ignore[call-overload]
        while "Accepted" not in capsys.readouterr().out:
            await asyncio.sleep(0.01)
        for task in reversed(tasks):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(main())


def test_the_example_of_the_profiles_runs() -> None:
    exec(compile(block("security"), "servers.md", "exec"), {})


def test_every_link_leads_somewhere() -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", TEXT):
        assert (ROOT / "docs" / link).exists(), link
