"""Tables of what a log says, for any library that takes Arrow data through the PyCapsule interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from .._versions import columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TableName = Literal["frames", "sampled_values", "statuses", "transactions"]
TABLES: tuple[TableName, ...] = get_args(TableName)


class Table:
    """One table of a log: Arrow columns that pyarrow, polars, duckdb and pandas take as they are, without a copy.

        pyarrow.table(table)      polars.DataFrame(table)      duckdb.sql("select * from table")

    `len(table)` is its number of rows. The columns, their types and units: docs/logs.md.
    """

    __slots__ = ("_columns", "name")

    def __init__(self, name: str, columns: Any) -> None:
        self.name = name
        self._columns = columns

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column["name"] for column in columns()["tables"][self.name])

    def __len__(self) -> int:
        return int(self._columns.num_rows)

    def __repr__(self) -> str:
        return f"<table {self.name}: {len(self):,} rows, {len(self.column_names)} columns>"

    def __arrow_c_schema__(self) -> object:
        """The schema as a capsule (Arrow PyCapsule interface)."""
        return self._columns.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The record batches as a capsule (Arrow PyCapsule interface). They come in the table's own schema, whatever is requested."""
        return self._columns.__arrow_c_stream__(None)


class Log:
    """What a log says, or a batch of it, as tables. Those that were not asked for are not there: AttributeError says so.

    - `frames`: every frame, valid or not
    - `sampled_values`: every sampled value of valid messages
    - `statuses`: every status notification
    - `transactions`: every message about a transaction, with what its answer says
    - `version`: "1.6", "2.0.1" or "2.1"
    """

    frames: Table
    sampled_values: Table
    statuses: Table
    transactions: Table

    def __init__(self, version: str, tables: Mapping[str, Any]) -> None:
        self.version = version
        self.tables: dict[str, Table] = {name: Table(name, columns) for name, columns in tables.items()}
        """The tables by name."""

    def __getattr__(self, name: str) -> Table:
        if name in TABLES:
            table: Table | None = self.__dict__.get("tables", {}).get(name)
            if table is None:
                raise AttributeError(f"the table {name} was not read: name it in read(..., tables=[...])")
            return table
        raise AttributeError(f"a Log has no {name}; its tables are {', '.join(TABLES)}")

    def __repr__(self) -> str:
        return f"Log(OCPP {self.version}: {', '.join(f'{name} {len(table):,}' for name, table in self.tables.items())})"


def joined(batches: Sequence[Log]) -> Log:
    """One log of several batches of it, whose rows are not copied."""
    names = batches[0].tables
    return Log(batches[0].version, {name: _joined([batch.tables[name] for batch in batches]) for name in names})


def _joined(parts: Sequence[Table]) -> Any:
    columns: list[Any] = [part._columns for part in parts]  # pyright: ignore[reportPrivateUsage]
    return columns[0] if len(columns) == 1 else columns[0].joined(columns)
