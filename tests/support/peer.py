"""PyPI `ocpp` beside what is to be like it: what comes of a frame, written down so that the two can be compared."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import keyword
import logging
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from random import Random
from typing import Any

from .emit import text_of
from .frames import framed
from .instances import minimal, sample
from .model import Payload, all_payloads, model
from .mutants import faults, spread

SILENT = logging.getLogger("ocppcore.tests.peer")
SILENT.disabled = True

# Bug for bug: with these switches the accelerated peer differs from the plain one nowhere.
LIKE_THE_PEER: dict[str, bool] = {
    "mend_names": False,
    "check_formats": False,
    "keep_vendor_keys": False,
    "survive_bad_frames": False,
    "answer_unhandled": False,
}

VERSIONS = {"v16": "1.6", "v201": "2.0.1", "v21": "2.1"}


_RUNNERS: list[asyncio.Runner] = []


def run_alone(main: Any) -> Any:
    """Run to the end, in the loop that `compare_payload` keeps, or in one of its own."""
    return _RUNNERS[-1].get_loop().run_until_complete(main) if _RUNNERS else asyncio.run(main)


class Wire:
    """A connection that keeps what is sent, and gives what it was filled with."""

    def __init__(self, *messages: Any) -> None:
        self.sent: list[Any] = []
        self.messages = list(messages)

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def recv(self) -> Any:
        if not self.messages:
            raise ConnectionResetError("the test has no more messages")
        return self.messages.pop(0)


class Anything:
    """A route map with a handler for each action that is text."""

    def __init__(self, handler: Any, **options: Any) -> None:
        self._handlers = {"_on_action": handler, **options}

    def __getitem__(self, action: Any) -> Any:
        hash(action)
        return self._handlers


def charge_point(package: str, module: str, *messages: Any) -> Any:
    """A ChargePoint of `ocpp` or of a package of its shape, on a wire of its own."""
    return import_module(f"{package}.{module}").ChargePoint("test", Wire(*messages), 0.05, SILENT)


def told(error: BaseException) -> str:
    """An exception as text, with all that its holder can see."""
    return f"{type(error).__name__} {getattr(error, 'code', '')} {error}"


def outcome_of_frame(package: str, module: str, data: Any, *, validate: bool = True) -> Any:
    """What comes of a frame in route_message: what a handler saw, what was sent, what was queued, what was raised."""
    seen: list[str] = []
    exceptions = import_module(f"{package}.exceptions")

    def handler(**arguments: Any) -> Any:
        seen.append(repr(arguments))
        raise exceptions.GenericError("seen", {"count": len(seen)})

    async def run() -> Any:
        point = charge_point(package, module)
        point.route_map = Anything(handler, _skip_schema_validation=not validate)
        raised = None
        try:
            await point.route_message(data)
        except Exception as error:
            raised = told(error)
        queue = point._response_queue
        queued = [repr(vars(queue.get_nowait())) for _ in range(queue.qsize())]
        return seen, point._connection.sent, queued, raised

    return run_alone(run())


def outcome_of_result(package: str, module: str, action: str, payload: Any) -> Any:
    """What comes of the validation of an answer, and of its conversion."""
    messages, points = import_module(f"{package}.messages"), import_module(f"{package}.charge_point")
    message = messages.CallResult("19", payload, action)
    try:
        run_alone(messages.validate_payload(message, VERSIONS[module]))
    except Exception as error:
        return told(error)
    return repr(points.camel_to_snake_case(message.payload))


def fields_of(text: bytes) -> dict[str, Any] | None:
    """A payload as the fields of a dataclass; None where it has none that Python could write."""
    try:
        payload = json.loads(text)
    except ValueError:
        return None
    if not isinstance(payload, dict):
        return None
    snake = import_module("ocpp.charge_point").camel_to_snake_case(payload)
    fits = all(name.isidentifier() and not keyword.iskeyword(name) for name in snake)
    return snake if fits else None


def dataclass_of(action: str, arguments: dict[str, Any]) -> Any:
    """An instance of a dataclass with these fields, as users write them."""
    return _class_of(action, tuple(arguments))(**arguments)


@lru_cache(maxsize=64)
def _class_of(action: str, names: tuple[str, ...]) -> Any:
    return dataclasses.make_dataclass(action, [(name, Any, dataclasses.field(default=None)) for name in names])


def outcome_of_call(package: str, module: str, action: str, arguments: dict[str, Any]) -> Any:
    """What a ChargePoint sends when a dataclass with these fields is called; its answer never comes."""
    payload = dataclass_of(action, arguments)

    async def run() -> Any:
        point = charge_point(package, module)
        point._response_timeout = 0.0001
        try:
            await point.call(payload, unique_id="19")
        except Exception as error:
            return point._connection.sent, told(error)
        return point._connection.sent, None

    return run_alone(run())


def outcome_of_answer(package: str, module: str, request: bytes, action: str, arguments: dict[str, Any]) -> Any:
    """What is sent when a handler answers with a dataclass with these fields."""
    answer = dataclass_of(action, arguments)

    async def run() -> Any:
        point = charge_point(package, module)
        point.route_map = Anything(lambda **_: answer)
        try:
            await point.route_message(request)
        except Exception as error:
            return point._connection.sent, told(error)
        return point._connection.sent, None

    return run_alone(run())


def generated(seed: object, each: int, payloads: list[Payload] | None = None) -> Iterator[tuple[Payload, bytes]]:
    """Payloads of every schema as text: valid ones, then `each` mutants of one of them."""
    rng = Random(f"peer {seed}")
    for payload in all_payloads() if payloads is None else payloads:
        version = model(payload.module)
        instances = [sample(version, payload.type_name, rng) for _ in range(each)]
        for instance in instances:
            yield payload, text_of(instance, rng)
        for mutant in spread(faults(version, payload.type_name, instances[0], rng), each, rng):
            yield payload, text_of(mutant.tree)


def outcomes(package: str, payload: Payload, text: bytes) -> list[Any]:
    """What comes of a payload in every place where it can stand: received, called, answered."""
    module, action = payload.module, payload.action
    if payload.kind == "request":
        found = [outcome_of_frame(package, module, framed(payload, text))]
        fields = fields_of(text)
        return found if fields is None else [*found, outcome_of_call(package, module, action, fields)]
    if payload.kind == "send":
        return [outcome_of_frame(package, module, framed(payload, text))]
    try:
        found = [outcome_of_result(package, module, action, json.loads(text))]
    except ValueError:
        return [outcome_of_frame(package, module, framed(payload, text))]
    fields = fields_of(text)
    if fields is None:
        return found
    version = model(module)
    request = next(p for p in version.payloads() if p.action == action and p.kind == "request")
    asked = framed(request, text_of(minimal(version, request.type_name)))
    return [*found, outcome_of_answer(package, module, asked, action, fields)]


def compare_payload(index: int, each: int) -> tuple[int, list[str]]:
    """Plain and accelerated on the payloads made of one schema: how many, and those whose outcomes differ."""
    from ocppcore.compat.ocpp import accelerate

    messages: Any = import_module("ocpp.messages")
    messages.ASYNC_VALIDATION = False
    payload = all_payloads()[index]
    texts = [text for _, text in generated(f"long {payload}", each, [payload])]
    with asyncio.Runner() as runner:
        _RUNNERS.append(runner)
        try:
            plain = [outcomes("ocpp", payload, text) for text in texts]
            with accelerate(**LIKE_THE_PEER):
                fast = [outcomes("ocpp", payload, text) for text in texts]
        finally:
            _RUNNERS.pop()
    differences = [
        f"{payload}: {text[:300]!r}: {str(one)[:300]} | {str(other)[:300]}"
        for text, one, other in zip(texts, plain, fast, strict=True)
        if one != other
    ]
    return len(texts), differences
