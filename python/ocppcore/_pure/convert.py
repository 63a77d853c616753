"""Payloads from plain Python objects: dicts and lists by wire names, as JSON, YAML or a database gives them.

They are written as JSON text, which the walker then reads: so the rules are those of decode, and there is no second copy of them.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec

from .write import Writer

if TYPE_CHECKING:
    from .schema import ObjectType, Schema


class PlainWriter(Writer):
    """Writes any JSON value, and what stands for one here: datetimes, Decimals, any mapping, and Structs of the version inside."""

    __slots__ = ("_types",)

    def __init__(self, schema: Schema, unset: object) -> None:
        super().__init__({}, unset)
        self._types: dict[type, ObjectType] = {
            type_.cls: type_ for type_ in schema.types.values() if type_.cls is not None
        }

    def other(self, value: Any) -> None:
        """A value that is no JSON, but can be written as such."""
        if isinstance(value, datetime):
            self.parts.append(f'"{self._date_time(value)}"')
        elif isinstance(value, decimal.Decimal):
            if not value.is_finite():
                self.fault("number_range")
            self.parts.append(decimal.Decimal.__str__(value))
        elif _is_mapping(value):
            self._free_dict(value)
        elif isinstance(value, msgspec.Struct) and type(value) in self._types:
            self._free_dict(self._fields(value))
        else:
            self.fault("type")

    def _date_time(self, value: datetime) -> str:
        """With its offset and microseconds, since nothing is lost on the way in."""
        offset = value.utcoffset()
        if offset is None:
            self.fault("format", "date-time")
        if offset.total_seconds() % 60:  # RFC 3339 knows minutes alone
            try:
                value = value.astimezone(UTC)
            except OverflowError:
                self.fault("format", "date-time")
        return value.isoformat()

    def _fields(self, value: msgspec.Struct) -> dict[str, Any]:
        """A Struct's fields by wire name, the absent ones left out."""
        fields = self._types[type(value)].fields
        named = {str(field.name): (field, getattr(value, field.attr)) for field in fields}
        return {
            name: item
            for name, (field, item) in named.items()
            if item is not self.unset and (item is not None or field.kind == "any")
        }


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)
