"""What a handler wants, read from its signature and its code."""

from __future__ import annotations

import dis
import inspect
import typing
from typing import Any, NamedTuple

from ..._payloads import Request, SendPayload

_AWAITING = frozenset({"GET_AWAITABLE", "GET_AITER", "GET_ANEXT"})


class Handler(NamedTuple):
    """What a handler wants, read from its signature once."""

    wants_id: bool
    awaits: bool  # it may have to wait for something, the other side's answer perhaps
    is_typed: bool  # it takes the typed request in place of keywords
    is_plain: bool  # neither this nor the id


def handler_of(handler: Any) -> Handler:
    """What a handler wants; a function keeps it, for as long as it has the same code."""
    try:
        kept: tuple[Any, Handler] = handler._ocppcore_wants  # of a method, its function's
        if handler.__code__ is kept[0]:
            return kept[1]
    except AttributeError:
        pass
    return _read_handler(handler)


def _read_handler(handler: Any) -> Handler:
    names = inspect.signature(handler).parameters
    function = getattr(handler, "__func__", handler)
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # annotations may say anything
        hints = {}
    typed = any(isinstance(hints.get(name), type) and issubclass(hints[name], Request | SendPayload) for name in names)
    code = getattr(function, "__code__", None)
    wants_id = "call_unique_id" in names
    wants = Handler(wants_id, _awaits(code), typed, not (wants_id or typed))
    if code is not None:
        function._ocppcore_wants = code, wants
    return wants


def _awaits(code: Any) -> bool:
    """Whether what a function returns may have to wait; a coroutine whose code awaits nothing runs through."""
    if code is None or not code.co_flags & inspect.CO_COROUTINE:
        return True  # a callable object, or a plain function: what that returns will tell
    return any(step.opname in _AWAITING for step in dis.get_instructions(code))
