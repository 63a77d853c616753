"""`accelerate()`: the installed `ocpp` with our unpacking, validation and conversion in the place of its own, and back again.

Everything that goes wrong is left to the peer's own code: a frame that we cannot read, a payload that our check refuses, an answer that is no
plain dataclass. So exceptions, codes and texts are the peer's, and a frame that is refused takes as long as it ever did.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, is_dataclass
from importlib import import_module, metadata
from types import TracebackType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import msgspec

from ... import _versions
from ..._errors import OcppError
from ._check import CALL, CALL_ERROR, CALL_RESULT, Unlike, check_of
from ._names import ATOMS, CAMEL, SNAKE, renamed, renamed_outside, vendor_names, without_nones

OLDEST, NEWEST = (2, 0, 0), (2, 1, 0)

_MARK = "__ocppcore_acceleration__"  # where the patched package keeps what undoes the patch
_WANTS_ID = "__ocppcore_wants_id__"
_NOWHERE: frozenset[str] = frozenset()


class Switches(NamedTuple):
    """Where the accelerated peer differs from the plain one on purpose. All others of its ways stay as they are."""

    mend_names: bool
    check_formats: bool
    keep_vendor_keys: bool
    survive_bad_frames: bool
    answer_unhandled: bool


def accelerate(
    *,
    mend_names: bool = True,
    check_formats: bool = False,
    keep_vendor_keys: bool = False,
    survive_bad_frames: bool = True,
    answer_unhandled: bool = True,
) -> Acceleration:
    """Replace unpacking, validation and case conversion in the installed `ocpp` (2.0.0 to 2.1.0), for the whole process, until `restore()`.

        with accelerate():      # or accelerate() once, when the program starts
            ...

    Values, exceptions, codes and texts stay the peer's, save for the switches:

    - `mend_names`: outgoing names of 2.1 that the peer cannot write (`limit_L2`, `receiptUrl`) are written as the schema spells them. The
      peer refuses to send such a message.
    - `check_formats`: a date-time or URI that is none is refused with the peer's FormatViolationError. The peer never checks them; off, since
      many a station writes local times.
    - `keep_vendor_keys`: what stands in `customData`, and in the `data` of DataTransfer, keeps its keys and nulls both ways. The peer rewrites
      them; off, since handlers may be written for the rewritten ones.
    - `survive_bad_frames`: a frame that raises anything but an OCPPError is logged (and a CALL answered with InternalError) instead of ending
      `start()`; stray answers without number do not exhaust the stack.
    - `answer_unhandled`: a CALL of 2.1 that has no handler is answered, as in 1.6 and 2.0.1. The peer leaves the station waiting.

    Names that a program took out of `ocpp.messages` with `from ... import` before this call stay the peer's. RuntimeError if `ocpp` is missing or of
    another version, or is accelerated with other switches already.
    """
    switches = Switches(mend_names, check_formats, keep_vendor_keys, survive_bad_frames, answer_unhandled)
    package = _peer()
    standing: Acceleration | None = getattr(package, _MARK, None)
    if standing is not None:
        if standing.switches != switches:
            raise RuntimeError("ocpp is accelerated already, with other switches: call restore() first")
        return standing
    acceleration = Acceleration(package, switches)
    setattr(package, _MARK, acceleration)
    return acceleration


def restore() -> None:
    """Undo accelerate(). Nothing happens where nothing is accelerated."""
    try:
        package = import_module("ocpp")
    except ModuleNotFoundError:
        return
    standing: Acceleration | None = getattr(package, _MARK, None)
    if standing is not None:
        standing.restore()


def _peer() -> Any:
    """The installed package, if it is one that this module knows."""
    known = f"{'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}"
    try:
        found = metadata.version("ocpp")
    except metadata.PackageNotFoundError:
        raise RuntimeError(f"there is no ocpp to accelerate: install version {known}") from None
    release = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(\.post\d+)?", found)
    if release is None or not OLDEST <= tuple(map(int, release.groups()[:3])) <= NEWEST:
        raise RuntimeError(
            f"ocpp {found} is installed, and accelerate() knows {known} alone: "
            "install one of these, or use ocppcore.compat.ocpp in its place"
        )
    return import_module("ocpp")


class Acceleration:
    """What accelerate() has done, to be undone by `restore()` or at the end of a `with`."""

    def __init__(self, package: Any, switches: Switches) -> None:
        self.switches = switches
        self._package = package
        self._replaced: list[tuple[Any, str, Any, Any]] = []
        messages, charge_point = import_module("ocpp.messages"), import_module("ocpp.charge_point")
        fast = _Fast(messages, charge_point, switches)
        for owner in (messages, charge_point):
            for name in ("unpack", "validate_payload"):
                self._replace(owner, name, getattr(fast, name))
        self._replace(messages, "_validate_payload", fast.validate_now)
        for name, to_json in fast.writers().items():
            self._replace(getattr(messages, name), "to_json", to_json)
        self._replace(charge_point, "camel_to_snake_case", fast.camel_to_snake_case)
        self._replace(charge_point, "snake_to_camel_case", fast.snake_to_camel_case)
        for name, method in fast.methods().items():
            self._replace(charge_point.ChargePoint, name, method)

    def _replace(self, owner: Any, name: str, new: Any) -> None:
        old = getattr(owner, name)
        self._replaced.append((owner, name, old, new))
        setattr(owner, name, new)

    def restore(self) -> None:
        """Put the peer's own functions back, where ours still stand. A second call does nothing."""
        for owner, name, old, new in reversed(self._replaced):
            if getattr(owner, name) is new:
                setattr(owner, name, old)
        self._replaced.clear()
        if getattr(self._package, _MARK, None) is self:
            delattr(self._package, _MARK)

    def __enter__(self) -> Acceleration:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.restore()


class _Fast:
    """The replacements, and the peer's own functions to fall back to."""

    def __init__(self, messages: Any, charge_point: Any, switches: Switches) -> None:
        exceptions = import_module("ocpp.exceptions")
        self._switches = switches
        self._exceptions = exceptions
        self._classes = {CALL: messages.Call, CALL_RESULT: messages.CallResult, CALL_ERROR: messages.CallError}
        self._kinds = {messages.Call: CALL, messages.CallResult: CALL_RESULT}
        self._decode = msgspec.json.Decoder().decode
        self._encode = messages._DecimalEncoder(separators=(",", ":")).encode
        self._unpack = messages.unpack
        self._validate = messages.validate_payload
        self._validate_now = messages._validate_payload
        self._raise_key_error = charge_point._raise_key_error
        self._serialize = charge_point.serialize_as_dict
        self._handle_call = charge_point.ChargePoint._handle_call
        self._vendor = vendor_names() if switches.keep_vendor_keys else _NOWHERE
        self._plans: WeakKeyDictionary[type, list[tuple[str, str]] | None] = WeakKeyDictionary()
        self.tasks: set[Any] = set()  # asyncio itself keeps no reference to a task

    # ocpp.messages

    def writers(self) -> dict[str, Callable[[Any], Any]]:
        """`to_json` of the peer's messages by class, with one encoder for all of them in place of one for each."""
        encode = self._encode

        def call(self: Any) -> Any:
            return encode([self.message_type_id, self.unique_id, self.action, self.payload])

        def call_result(self: Any) -> Any:
            return encode([self.message_type_id, self.unique_id, self.payload])

        def call_error(self: Any) -> Any:
            told = [self.error_code, self.error_description, self.error_details]
            return encode([self.message_type_id, self.unique_id, *told])

        return {"Call": call, "CallResult": call_result, "CallError": call_error}

    def unpack(self, msg: Any) -> Any:
        """As the peer's. Whatever msgspec reads, `json.loads` reads alike; what it does not, is the peer's to read or to refuse."""
        if isinstance(msg, str | bytes | bytearray):
            try:
                frame = self._decode(msg)
                return self._classes[frame[0]](*frame[1:])
            except Exception:
                pass
        return self._unpack(msg)

    async def validate_payload(self, message: Any, ocpp_version: str) -> None:
        """As the peer's, without a thread for what our check accepts."""
        fault = self.fault(message, ocpp_version)
        if fault is not None:
            await self._validate(message, ocpp_version)
            self._check_format(message, fault)

    def validate_now(self, message: Any, ocpp_version: str) -> None:
        """As the peer's `_validate_payload`, which runs in its threads too."""
        fault = self.fault(message, ocpp_version)
        if fault is not None:
            self._validate_now(message, ocpp_version)
            self._check_format(message, fault)

    async def validate_outgoing(self, message: Any, ocpp_version: str, fault: Exception) -> None:
        """As `validate_payload` where our check has found this fault in what we send: names that the peer's rule cannot write are mended first."""
        if self._switches.mend_names and (check := check_of(ocpp_version)) is not None:
            given = message.payload
            message.payload = check.mended(self._kinds[type(message)], message.action, given)
            if message.payload != given:
                with suppress(self._exceptions.OCPPError):
                    await self.validate_payload(message, ocpp_version)
                    return
                message.payload = given
        await self._validate(message, ocpp_version)
        self._check_format(message, fault)

    def fault(self, message: Any, ocpp_version: str) -> Exception | None:
        """None if the message is valid to us and to the peer; its payload is then as the peer's check leaves it. Else why not."""
        kind, check = self._kinds.get(type(message)), check_of(ocpp_version)
        if kind is None or check is None:
            return Unlike("only the peer knows it")
        fault = check.fault(kind, message.action, message.payload)
        if fault is None:
            message.payload = check.as_peer_hands_on(kind, message.action, message.payload)
        return fault

    def arguments(self, message: Any, ocpp_version: str) -> Any:
        """The keyword arguments of a valid CALL for its handlers; None where more must be looked at."""
        check = check_of(ocpp_version)
        if check is None:
            return None
        try:
            return check.arguments(message.action, message.payload, self._vendor)
        except Exception:
            return None

    def _check_format(self, message: Any, fault: Exception) -> None:
        if self._switches.check_formats and isinstance(fault, OcppError) and fault.kind == "format":
            raise self._exceptions.FormatViolationError(details={"cause": str(fault), "ocpp_message": message})

    # ocpp.charge_point

    def camel_to_snake_case(self, data: Any) -> Any:
        """As the peer's, by table."""
        return renamed_outside(data, SNAKE, self._vendor) if self._vendor else renamed(data, SNAKE)

    def snake_to_camel_case(self, data: Any) -> Any:
        """As the peer's, by table."""
        return renamed_outside(data, CAMEL, self._vendor) if self._vendor else renamed(data, CAMEL)

    def outgoing(self, payload: Any) -> Any:
        """A dataclass as the payload to send: what the peer's serialize_as_dict, remove_nones and snake_to_camel_case make of it in turn."""
        try:
            return self._object(payload)
        except Unlike:
            return self.snake_to_camel_case(without_nones(self._serialize(payload), self._vendor))

    def _object(self, value: Any) -> dict[str, Any]:
        plan = self._plan(value.__class__)
        out: dict[str, Any] = {}
        for name, wire in plan:
            item = getattr(value, name)
            if item is not None:
                out[wire] = item if item.__class__ in ATOMS or name in self._vendor else self._value(item, True)
        return out

    def _plan(self, cls: type) -> list[tuple[str, str]]:
        """Attribute and wire name of each field of a dataclass."""
        try:
            plan = self._plans[cls]
        except KeyError:
            plan = None
            if is_dataclass(cls) and len(fields(cls)) == len(cls.__dataclass_fields__):
                names = [(field.name, CAMEL[field.name]) for field in fields(cls)]
                if len(dict(names)) == len({wire for _, wire in names}):
                    plan = names
            self._plans[cls] = plan
        if plan is None:
            raise Unlike("no plain dataclass")
        return plan

    def _value(self, value: Any, in_field: bool) -> Any:
        """`in_field`: of a dataclass, or in its list. The peer treats dataclasses in dicts and deeper lists otherwise."""
        cls = value.__class__
        if cls in ATOMS or isinstance(value, str):
            return value
        if cls is list:
            # Items of a field's own list may be dataclasses; lists in lists may not hold any.
            return [self._item(item, in_field) for item in value if item is not None]
        if cls is dict:
            out: dict[str, Any] = {}
            for key, item in value.items():
                if key.__class__ is not str or (wire := CAMEL[key]) in out:
                    raise Unlike("keys of its own kind")
                if item is not None:
                    out[wire] = item if key in self._vendor else self._value(item, False)
            return out
        if in_field:
            return self._object(value)
        raise Unlike("no plain value")

    def _item(self, item: Any, in_field: bool) -> Any:
        cls = item.__class__
        return self._object(item) if in_field and cls not in ATOMS and is_dataclass(cls) else self._value(item, False)

    def wants_id(self, handler: Any) -> bool:
        """Whether the handler's signature names call_unique_id; a function keeps the answer, for as long as it has the same code."""
        function = getattr(handler, "__func__", handler)
        code = getattr(function, "__code__", None)
        kept: tuple[Any, bool] | None = getattr(function, _WANTS_ID, None)
        if kept is not None and kept[0] is code:
            return kept[1]
        wants = "call_unique_id" in inspect.signature(handler).parameters
        if code is not None:
            setattr(function, _WANTS_ID, (code, wants))
        return wants

    def unhandled(self, action: Any, version: str) -> None:
        """Raise what answers a CALL for which nobody has registered."""
        if self._switches.answer_unhandled and version == _versions.VERSIONS[-1].number:
            if action in _versions.model(_versions.VERSIONS[-1].module)["messages"]:
                raise self._exceptions.NotImplementedError(details={"cause": f"No handler for {action} registered."})
            raise self._exceptions.NotSupportedError(details={"cause": f"{action} not supported by OCPP{version}."})
        self._raise_key_error(action, version)

    def methods(self) -> dict[str, Any]:
        """The methods of ChargePoint that are replaced."""
        fast, switches, ocpp_error = self, self._switches, self._exceptions.OCPPError
        internal_error = self._exceptions.InternalError
        messages = import_module("ocpp.messages")

        async def route_message(self: Any, raw_msg: Any) -> None:
            try:
                msg = messages.unpack(raw_msg)
            except Exception as error:
                if not switches.survive_bad_frames and not isinstance(error, ocpp_error):
                    raise
                self.logger.exception(
                    "Unable to parse message: '%s', it doesn't seem to be valid OCPP: %s", raw_msg, error
                )
                return
            if msg.message_type_id == CALL:
                try:
                    await self._handle_call(msg)
                except ocpp_error as error:
                    self.logger.exception("Error while handling request '%s'", msg)
                    await self._send(msg.create_call_error(error).to_json())
            elif msg.message_type_id in (CALL_RESULT, CALL_ERROR):
                self._response_queue.put_nowait(msg)

        async def _handle_call(self: Any, msg: Any) -> Any:
            try:
                try:
                    handlers = self.route_map[msg.action]
                except KeyError:
                    fast.unhandled(msg.action, self._ocpp_version)
                    return None
                arguments = None
                if not handlers.get("_skip_schema_validation", False):
                    arguments = fast.arguments(msg, self._ocpp_version)
                    if arguments is None:
                        await fast.validate_payload(msg, self._ocpp_version)
                if arguments is None:
                    arguments = fast.camel_to_snake_case(msg.payload)
                try:
                    handler = handlers["_on_action"]
                except KeyError:
                    fast.unhandled(msg.action, self._ocpp_version)
                    raise UnboundLocalError(f"{msg.action} has an after-handler alone") from None
            except ocpp_error:
                raise
            except Exception as error:
                if not switches.survive_bad_frames:
                    raise
                raise internal_error(details={"cause": f"{type(error).__name__} while the message was read"}) from error
            with_id = fast.wants_id(handler)
            try:
                answer = handler(**arguments, call_unique_id=msg.unique_id) if with_id else handler(**arguments)
                if not hasattr(answer, "__dataclass_fields__") and inspect.isawaitable(answer):
                    answer = await answer
            except Exception as error:
                self.logger.exception("Error while handling request '%s'", msg)
                await self._send(msg.create_call_error(error).to_json())
                return None
            response = msg.create_call_result(fast.outgoing(answer))
            if not handlers.get("_skip_schema_validation", False):
                fault = fast.fault(response, self._ocpp_version)
                if fault is not None:
                    await fast.validate_outgoing(response, self._ocpp_version, fault)
            await self._send(response.to_json())
            try:
                after = handlers["_after_action"]
                with_id = fast.wants_id(after)
                response = after(**arguments, call_unique_id=msg.unique_id) if with_id else after(**arguments)
                if inspect.isawaitable(response):
                    task = asyncio.ensure_future(response)
                    fast.tasks.add(task)
                    task.add_done_callback(fast.tasks.discard)
            except KeyError:
                pass
            return response

        async def call(
            self: Any,
            payload: Any,
            suppress: bool = True,
            unique_id: Any = None,
            skip_schema_validation: bool = False,
        ) -> Any:
            content = fast.outgoing(payload)
            name = type(payload).__name__
            unique_id = unique_id if unique_id is not None else str(self._unique_id_generator())
            call = messages.Call(unique_id=unique_id, action=name, payload=content)
            if not skip_schema_validation:
                fault = fast.fault(call, self._ocpp_version)
                if fault is not None:
                    await fast.validate_outgoing(call, self._ocpp_version, fault)
            async with self._call_lock:
                await self._send(call.to_json())
                try:
                    response = await self._get_specific_response(call.unique_id, self._response_timeout)
                except TimeoutError as error:
                    raise TimeoutError(f"Waited {self._response_timeout}s for response on {call.to_json()}.") from error
            if response.message_type_id == CALL_ERROR:
                self.logger.warning("Received a CALLError: %s'", response)
                if suppress:
                    return None
                raise response.to_exception()
            if not skip_schema_validation:
                response.action = call.action
                await fast.validate_payload(response, self._ocpp_version)
            return getattr(self._call_result, name)(**fast.camel_to_snake_case(response.payload))

        async def _get_specific_response(self: Any, unique_id: Any, timeout: float) -> Any:
            wait_until = time.time() + timeout
            while True:
                async with asyncio.timeout(timeout):  # wait_for of 3.11 loses a cancellation that comes with an answer
                    response = await self._response_queue.get()
                if response.unique_id == unique_id:
                    return response
                self.logger.error("Ignoring response with unknown unique id: %s", response)
                timeout = wait_until - time.time()
                if timeout < 0:
                    raise TimeoutError

        made: dict[str, Callable[..., Any]] = {
            "route_message": route_message,
            "_handle_call": _handle_call,
            "call": call,
        }
        if switches.survive_bad_frames:
            made["_get_specific_response"] = _get_specific_response
        return made
