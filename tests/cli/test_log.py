"""`ocppcore log`: logs become Parquet files, complete or not at all."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import ocppcore.log
from support.needs import ROOT, need_module

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]
    RunProcess = Callable[..., subprocess.CompletedProcess[bytes]]

GATEWAY = ROOT / "tests/logs/gateway.log"
FINE, USAGE, UNREADABLE = 0, 2, 3


@pytest.fixture
def parquet() -> Any:
    need_module("pyarrow", "pyarrow (the extra arrow)")
    import pyarrow.parquet

    return pyarrow.parquet


def test_every_table_becomes_a_file(run_process: RunProcess, backend: str, parquet: Any, tmp_path: Path) -> None:
    import pyarrow

    done = run_process("log", "to-parquet", GATEWAY, tmp_path / "new/tables")
    assert done.returncode == FINE, done.stderr
    assert b"frames.parquet: 15 rows" in done.stdout
    log = ocppcore.log.read(GATEWAY, backend=backend)
    for name, table in log.tables.items():
        written = parquet.read_table(tmp_path / f"new/tables/{name}.parquet")
        assert written.to_pylist() == pyarrow.table(table).to_pylist()
    assert len(list((tmp_path / "new/tables").iterdir())) == len(log.tables)


def test_only_the_tables_that_are_named_are_written(run: Run, parquet: Any, tmp_path: Path) -> None:
    done = run("log", "to-parquet", "-", tmp_path, "--table", "statuses", "--ocpp", "1.6", input=GATEWAY.read_bytes())
    assert done.exit_code == FINE
    assert [path.name for path in tmp_path.iterdir()] == ["statuses.parquet"]
    assert parquet.read_table(tmp_path / "statuses.parquet").num_rows == 2


def test_files_that_are_there_are_replaced_only_when_told(run: Run, parquet: Any, tmp_path: Path) -> None:
    (tmp_path / "frames.parquet").write_bytes(b"mine")
    done = run("log", "to-parquet", GATEWAY, tmp_path)
    assert done.exit_code == USAGE
    assert "--force" in done.output
    assert (tmp_path / "frames.parquet").read_bytes() == b"mine"
    assert run("log", "to-parquet", GATEWAY, tmp_path, "--force").exit_code == FINE
    assert parquet.read_table(tmp_path / "frames.parquet").num_rows == 15


def test_a_log_that_cannot_be_read_leaves_no_file(run: Run, parquet: Any, tmp_path: Path) -> None:
    import gzip

    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(GATEWAY.read_bytes() + os.urandom(100_000))[:-10])
    for source, says in ((cut, "cut.gz"), (tmp_path / "gone.log", "No such file")):
        done = run("log", "to-parquet", source, tmp_path / "out")
        assert done.exit_code == UNREADABLE
        assert says in done.output
        assert not list(tmp_path.glob("out/*"))
    done = run("log", "to-parquet", "-", tmp_path / "out", input=b"nothing here\n")
    assert done.exit_code == UNREADABLE
    assert "no frame found; --layout and --column say where to look" in done.output
    assert not list(tmp_path.glob("out/*"))
    assert run("log", "to-parquet", GATEWAY, tmp_path, "--column", "x").exit_code == USAGE


def test_a_bar_is_shown_where_somebody_looks(parquet: Any, tmp_path: Path) -> None:
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "ocppcore.cli", "log", "to-parquet", str(GATEWAY), str(tmp_path)]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=terminal, check=True, env={**os.environ, "TERM": "xterm"})
    os.close(terminal)
    shown = os.read(screen, 1 << 16)
    os.close(screen)
    assert b"gateway.log" in shown


def test_what_is_missing_is_named(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    done = run("log", "to-parquet", GATEWAY, tmp_path)
    assert done.exit_code == USAGE
    assert "pip install 'ocppcore[arrow]'" in done.output
