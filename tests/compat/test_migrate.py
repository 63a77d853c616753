"""`ocppcore migrate`: imports are rewritten, all else stays, and what a person must decide is named by line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ocppcore.compat.ocpp._migrate import Decision, migrate, python_files, write
from support.needs import need_module


def migrated(tmp_path: Path, source: str | bytes) -> tuple[str, list[Decision]]:
    path = tmp_path / "file.py"
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    migration = migrate(path)
    return migration.new, migration.decisions


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from ocpp.v16 import call, ChargePoint as cp  # é\n", "from ocppcore.compat.ocpp.v16 import call, ChargePoint as cp  # é\n"),
        ("from ocpp import v16\r\nx = 'ocpp'\r\n", "from ocppcore.compat.ocpp import v16\r\nx = 'ocpp'\r\n"),
        ("é = 1; from ocpp.routing import (\n    on,  # here\n    after,\n)\n", "é = 1; from ocppcore.compat.ocpp.routing import (\n    on,  # here\n    after,\n)\n"),
        ("from \\\n    ocpp.v201.enums import *", "from \\\n    ocppcore.compat.ocpp.v201.enums import *"),
        ("import os, ocpp.v16.enums as enums\n", "import os, ocppcore.compat.ocpp.v16.enums as enums\n"),
        ("import ocpp.v21\nx = ocpp.v21.call; y = 'é', ocpp\n", "import ocppcore.compat.ocpp.v21\nx = ocppcore.compat.ocpp.v21.call; y = 'é', ocppcore.compat.ocpp\n"),
        ("def f():\n    from ocpp.exceptions import OCPPError\n", "def f():\n    from ocppcore.compat.ocpp.exceptions import OCPPError\n"),
        ("from .ocpp import x\nfrom ocpp_asgi import y\nimport ocppx\nocpp = 1\n", "from .ocpp import x\nfrom ocpp_asgi import y\nimport ocppx\nocpp = 1\n"),
        ("s = 'ocpp1.6'\nl = 'ocpp'\n", "s = 'ocpp1.6'\nl = 'ocpp'\n"),
    ],
)  # fmt: skip
def test_imports_are_rewritten_and_nothing_else(tmp_path: Path, old: str, new: str) -> None:
    assert migrated(tmp_path, old) == (new, [])


def test_other_encodings_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_bytes("# -*- coding: latin-1 -*-\nfrom ocpp.v16 import call  # é\n".encode("latin-1"))
    write(migrate(path))
    assert path.read_bytes() == "# -*- coding: latin-1 -*-\nfrom ocppcore.compat.ocpp.v16 import call  # é\n".encode(
        "latin-1"
    )


SEAMS = """\
from ocpp.v16 import ChargePoint as cp
from ocpp.exceptions import NotImplementedError, OCPPError
from ocpp.messages import get_validator
import ocpp.messages
ocpp.messages.ASYNC_VALIDATION = False


class Point(cp):
    async def _handle_call(self, msg):
        try:
            return await super()._handle_call(msg)
        except (NotImplementedError, KeyError) as error:
            print(error.details["cause"])
        except OCPPError:
            pass


class Other(Point):
    async def start(self):
        self._response_queue.get()


patch("ocpp.charge_point.unpack")
import ocpp.v20
"""


def test_what_a_person_must_decide_is_named_by_line(tmp_path: Path) -> None:
    _, decisions = migrated(tmp_path, SEAMS)
    assert [line for line, _ in decisions] == [3, 5, 9, 12, 13, 19, 20, 23, 24]
    for line, word in ((3, "get_validator is gone"), (9, "NotSupportedError"), (12, "OCPPError catches all"), (23, "ocppcore.compat.ocpp.charge_point")):  # fmt: skip
        assert word in next(text for at, text in decisions if at == line)


def test_a_file_that_is_no_python_is_named(tmp_path: Path) -> None:
    new, decisions = migrated(tmp_path, "from ocpp import (\n")
    assert new == ""
    assert "cannot be read as Python" in decisions[0].text


def test_folders_are_walked_without_environments(tmp_path: Path) -> None:
    for name in ("a.py", "sub/b.py", ".git/c.py", "env/pyvenv.cfg", "env/d.py", "e.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    assert [path.name for path in python_files(tmp_path)] == ["a.py", "b.py"]


def test_the_command_shows_writes_and_says_what_is_left(tmp_path: Path) -> None:
    need_module("click", "the package click")
    path = tmp_path / "app.py"
    path.write_text(SEAMS)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ocppcore.cli", "migrate", *arguments], capture_output=True, text=True, check=False
        )

    shown = run(str(tmp_path))
    assert shown.returncode == 1
    for line in ("-from ocpp.v16 import ChargePoint as cp", "+from ocppcore.compat.ocpp.v16 import ChargePoint as cp"):
        assert line in shown.stdout.splitlines()
    assert f"{path}:9: _handle_call is overridden" in shown.stderr
    assert "1 file read, 1 to change, 9 things to decide" in shown.stderr
    assert path.read_text() == SEAMS
    assert run("--write", str(path)).stdout == ""
    path.write_text(
        path.read_text().split("class Point")[0].replace("get_validator", "unpack").replace("ASYNC", "_SYNC")
    )
    again = run(str(path))
    assert (again.returncode, again.stdout) == (0, "")
    assert subprocess.run([sys.executable, str(path)], check=False).returncode == 0


def test_what_was_migrated_runs(tmp_path: Path) -> None:
    """A file as the peer's documentation has it, before and after, with one and the same outcome."""
    need_module("ocpp", "the package ocpp")
    path = tmp_path / "csms.py"
    path.write_text(PROGRAM)
    before = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True).stdout
    write(migrate(path))
    assert "from ocppcore.compat.ocpp.v16 import ChargePoint as cp" in path.read_text()
    after = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True).stdout
    assert after == before != ""


PROGRAM = """\
import asyncio
from datetime import datetime, timezone

from ocpp.routing import on
from ocpp.v16 import ChargePoint as cp
from ocpp.v16 import call_result
from ocpp.v16.enums import Action, RegistrationStatus


class ChargePoint(cp):
    @on(Action.boot_notification)
    async def on_boot_notification(self, charge_point_vendor, charge_point_model, **kwargs):
        return call_result.BootNotification(
            current_time=datetime(2026, 1, 2, tzinfo=timezone.utc).isoformat(),
            interval=10,
            status=RegistrationStatus.accepted,
        )


class Connection:
    async def send(self, message):
        print(message)


async def main():
    point = ChargePoint("id", Connection())
    await point.route_message('[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]')


asyncio.run(main())
"""
