"""The answers to our own CALLs: kept until who waits takes them, and made into what users see."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from ._check import Fields
from ._names import keywords

_KEPT = 100  # answers that nobody waits for


class Record(dict[str, Any]):
    """A nested object of an answer: a dict by snake_case names whose entries are attributes too.

    A field that its type has and that did not come is None as an attribute, and absent from the dict.
    """

    _names: frozenset[str] = frozenset()

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        if name in self._names:
            return None
        raise AttributeError(f"the answer has no {name!r}; it has {', '.join(self) or 'nothing'}")


def records(data: Any, fields: Fields | None = None) -> Any:
    """Data by snake_case names with Records for its objects; `fields` are those of the objects."""
    if data.__class__ is list:
        return [records(item, fields) for item in data]
    if data.__class__ is not dict:
        return data
    known: Mapping[str, Fields | None] = {} if fields is None else fields()
    record = Record((key, records(value, known.get(key))) for key, value in data.items())
    record.__dict__["_names"] = frozenset(known)
    return record


class Responses:
    """The answers that have come and those that are waited for, matched by id alone; to who does without ids, a queue."""

    def __init__(self) -> None:
        self._waiting: dict[Any, asyncio.Future[Any]] = {}
        self._takers: deque[asyncio.Future[Any]] = deque()
        self._kept: deque[Any] = deque(maxlen=_KEPT)

    def put_nowait(self, response: Any) -> None:
        try:
            waiter = self._waiting.get(response.unique_id)
        except TypeError:  # an id that is a list or an object is nobody's
            return
        if waiter is not None and not waiter.done():
            waiter.set_result(response)
            return
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(response)
                return
        self._kept.append(response)

    def fail(self, unique_id: Any, error: Exception) -> None:
        """The answer with this id is invalid: raise that where it is waited for."""
        for waiter in (self._waiting.get(unique_id), *self._takers):
            if waiter is not None and not waiter.done():
                waiter.set_exception(error)
                return

    def qsize(self) -> int:
        return len(self._kept)

    def empty(self) -> bool:
        return not self._kept

    def get_nowait(self) -> Any:
        """The oldest answer that nobody waits for."""
        if not self._kept:
            raise asyncio.QueueEmpty
        return self._kept.popleft()

    async def get(self) -> Any:
        """As `get_nowait`, or the next that comes: for an overridden `_get_specific_response` that matches by itself."""
        if self._kept:
            return self._kept.popleft()
        taker: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._takers.append(taker)
        return await taker

    async def of(self, unique_id: Any, timeout: float) -> Any:
        """The answer with this id; TimeoutError if it does not come in time. Others that came meanwhile are left where they are."""
        for response in self._kept:
            if response.unique_id == unique_id:
                self._kept.remove(response)
                return response
        waiter = self._waiting[unique_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                return await waiter
        finally:
            del self._waiting[unique_id]


def result_of(cls: Any, payload: dict[str, Any], nested: Mapping[str, Fields | None]) -> Any:
    """The dataclass of an answer, nested objects as Records; `nested` has their fields by the names that hold them."""
    by_bare = _bare_fields(cls)
    given = keywords(payload)
    return cls(**{by_bare.get(_bare(key), key): records(value, nested.get(key)) for key, value in given.items()})


def _bare(name: str) -> str:
    return name.replace("_", "").lower()


@cache
def _bare_fields(cls: type) -> dict[str, str]:
    """The fields of a dataclass by what their names come down to, for those that the peer spells otherwise than it reads them."""
    return {_bare(field.name): field.name for field in fields(cls)}
