"""The Python backend: the same answers as the native one, in code to read and to step through in a debugger.

text     tokens: what JSON looks like            formats  date-times, URIs, decimal steps
walk     frame, payload and values: reading      write    Structs as canonical JSON
schema   the tables that both go by              convert  Structs from plain objects
engine   the methods of a codec                 columns  frames of a log into Arrow columns
"""

from __future__ import annotations

from .columns import Columns, LogReader
from .engine import Engine
from .schema import Schema

__all__ = ["Columns", "Engine", "LogReader", "Schema"]
