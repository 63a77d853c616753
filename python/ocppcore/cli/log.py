"""`ocppcore log`: logs as tables."""

from __future__ import annotations

import contextlib
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..log.layouts import NoSuchColumn
from ..log.reading import batches_of
from ..log.sources import Source, Unreadable
from ..log.tables import TABLES, Log, TableName
from ._app import UNREADABLE
from .reading import chosen_backend, takes_options

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.progress import Progress

    from ..log.traffic import Options


@click.group("log")
def command() -> None:
    """A log as tables: frames, sampled values, statuses, transactions."""


@command.command("to-parquet", short_help="Write the tables as Parquet files into a folder.")
@click.argument("source", metavar="INPUT")
@click.argument("folder", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path))
@takes_options
@click.option(
    "--table", "tables", type=click.Choice(TABLES), multiple=True, help="Only this table; may be given more than once."
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@click.pass_context
def to_parquet(
    ctx: click.Context, source: str, folder: Path, options: Options, tables: tuple[TableName, ...], force: bool
) -> None:
    """Write the tables of a log as Parquet files into a folder: FOLDER/frames.parquet and so on.

    \b
      ocppcore log to-parquet day.log.gz tables/
      ocppcore log to-parquet - tables/ --table sampled_values < day.log

    INPUT is a file or - for standard input, packed with gzip or zstd or plain. Files appear when they are complete. docs/logs.md lists the columns.
    """
    chosen_backend()
    parquet = _parquet()
    wanted: tuple[TableName, ...] = tables or TABLES
    paths: dict[TableName, Path] = {name: folder / f"{name}.parquet" for name in wanted}
    there = [str(path) for path in paths.values() if path.exists()]
    if there and not force:
        raise click.UsageError(f"{there[0]} is there already; --force replaces it")
    try:
        opened = Source(source)
        with _Writers(parquet, paths) as writers, _progress(opened) as watch:
            for batch in batches_of(opened, options, wanted, watch):
                writers.write(batch)
            if writers.rows.get("frames") == 0:
                raise Unreadable("no frame found; --layout and --column say where to look")
    except NoSuchColumn as error:
        raise click.UsageError(f"{source}: {error}") from None
    except Unreadable as error:
        click.echo(f"ocppcore: {error}", err=True)
        ctx.exit(UNREADABLE)
    for name, path in paths.items():
        click.echo(f"{path}: {writers.rows[name]:,} rows")


def _parquet() -> Any:
    try:
        return importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise click.UsageError(
            "Parquet files are written by pyarrow, which is not installed: pip install 'ocppcore[arrow]'"
        ) from None


class _Writers:
    """Parquet files in the making, one per table; none is left where the reading ends early."""

    def __init__(self, parquet: Any, paths: dict[TableName, Path]) -> None:
        self._parquet = parquet
        self._arrow = importlib.import_module("pyarrow")
        self._paths = paths
        self._files: dict[str, Any] = {}
        self.rows: dict[str, int] = dict.fromkeys(paths, 0)

    def __enter__(self) -> _Writers:
        return self

    def write(self, batch: Log) -> None:
        """Add a batch to the files."""
        for name, path in self._paths.items():
            table: Any = self._arrow.table(batch.tables[name])
            if name not in self._files:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._files[name] = self._parquet.ParquetWriter(_part(path), table.schema, compression="zstd")
            if table.num_rows:
                self._files[name].write_table(table)
            self.rows[name] += table.num_rows

    def __exit__(self, kind: object, *_: object) -> None:
        for name, path in self._paths.items():
            if name in self._files:
                self._files[name].close()
                if kind is None:
                    _part(path).replace(path)
                else:
                    _part(path).unlink(missing_ok=True)


def _part(path: Path) -> Path:
    """What a file is called until it is complete."""
    return path.with_name(f"{path.name}.part")


@contextlib.contextmanager
def _progress(source: Source) -> Generator[Callable[[], None]]:
    """A bar on stderr that follows a source, where stderr is a terminal; what moves it on comes back."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    bar: Progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    with bar:
        task = bar.add_task(source.name, total=source.size)
        yield lambda: bar.update(task, completed=source.position)
