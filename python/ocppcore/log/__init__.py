"""Logs of OCPP traffic as Arrow tables: frames, sampled values, statuses, transactions.

    import ocppcore.log

    log = ocppcore.log.read("station.log.gz")
    table = pyarrow.table(log.sampled_values)      # or polars.DataFrame, duckdb, pandas: no copy, nothing to install for the tables

`sources` opens and unpacks, `layouts` finds the frames, `marks` reads what stands beside them, `conversation` types answers by the calls
before them, `traffic` puts these together; `reading` drives the backend that fills `tables`. docs/logs.md lists the columns.
"""

from __future__ import annotations

from .layouts import NoSuchColumn
from .reading import batches, read
from .sources import Unreadable
from .tables import TABLES, Log, Table

__all__ = ["TABLES", "Log", "NoSuchColumn", "Table", "Unreadable", "batches", "read"]
