"""`on` and `after`: which method of a ChargePoint handles which action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_ROUTES = "_ocppcore_routes"  # where a function keeps what it handles: (action, key of the route map, options)


def on(action: str, *, skip_schema_validation: bool = False) -> Callable[[FunctionT], FunctionT]:
    """Make a method, sync or async, the handler of an action.

    It gets the payload's fields as keyword arguments by their snake_case names, nested ones as dicts, and `call_unique_id` where its signature
    names that. Or, if its one argument is annotated with a request type of ocppcore (`request: v16.BootNotificationRequest`), it gets
    the typed request. It answers with a dataclass of `call_result`, with a response of ocppcore, with a dict, or with None where nothing
    is to be said. `skip_schema_validation` leaves request and response unchecked.
    """
    return _mark(action, "_on_action", {"_skip_schema_validation": skip_schema_validation})


def after(action: str, inject_response: bool = False) -> Callable[[FunctionT], FunctionT]:
    """Make a method run after the action was answered, with the handler's arguments.

    With `inject_response` it gets the answer too, as a dict by snake_case names, in `call_response`.
    """
    return _mark(action, "_after_action", {"_inject_response": True} if inject_response else {})


def _mark(action: str, key: str, options: dict[str, Any]) -> Callable[[FunctionT], FunctionT]:
    def decorator(function: FunctionT) -> FunctionT:
        marked: Any = function
        setattr(marked, _ROUTES, [*getattr(marked, _ROUTES, []), (action, key, options)])
        setattr(marked, key, action)
        return function

    return decorator


def create_route_map(obj: Any) -> dict[str, dict[str, Any]]:
    """Action -> its handlers: `_on_action`, `_after_action` and `_skip_schema_validation`, as far as they are there.

    A method that overrides a handler is the handler, decorated anew or not. Properties are not evaluated.
    """
    routes: dict[str, dict[str, Any]] = {}
    places: list[Any] = [*reversed(type(obj).__mro__), obj]
    for names in map(vars, places):
        for name, value in list(names.items()):
            for action, key, options in getattr(value, _ROUTES, ()) if callable(value) else ():
                routes.setdefault(action, {}).update({**options, key: getattr(obj, name)})
    return routes
