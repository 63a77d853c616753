"""ocppcore.compat.ocpp in the place of PyPI `ocpp`: the same shape, and the better ways that docs/migrate.md lists."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import enum
import functools
import json
import logging
import pickle
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest

from ocppcore import OcppError, v16, v21
from ocppcore._codes import own_answer
from ocppcore.compat.ocpp import messages as compat_messages
from ocppcore.compat.ocpp.charge_point import ChargePoint, extract_charge_point_id
from ocppcore.compat.ocpp.messages import codec_of
from ocppcore.compat.ocpp.routing import after, on
from ocppcore.compat.ocpp.v16 import ChargePoint as ChargePoint16
from ocppcore.compat.ocpp.v16 import call as call16
from ocppcore.compat.ocpp.v16 import call_result as call_result16
from ocppcore.compat.ocpp.v21 import ChargePoint as ChargePoint21
from ocppcore.compat.ocpp.v21 import call as call21
from support.corpus import corpus
from support.emit import text_of
from support.frames import framed
from support.instances import full
from support.model import MODULES, all_payloads, model
from support.needs import need_module
from support.peer import (
    SILENT,
    Wire,
    charge_point,
    fields_of,
    generated,
    outcome_of_call,
    outcome_of_frame,
)

OURS, PEER = "ocppcore.compat.ocpp", "ocpp"
NOW = "2026-01-02T03:04:05Z"


def sent(point: Any) -> list[Any]:
    return [json.loads(text) for text in point._connection.sent]


# --- the shape ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["call", "call_result", "datatypes"])
@pytest.mark.parametrize("module", MODULES)
def test_dataclasses_have_the_peer_s_names_fields_order_and_defaults(module: str, part: str) -> None:
    need_module("ocpp", "the package ocpp")
    ours, theirs = (import_module(f"{package}.{module}.{part}") for package in (OURS, PEER))
    names = [
        n for n, cls in vars(theirs).items() if dataclasses.is_dataclass(cls) and cls.__module__ == theirs.__name__
    ]
    assert len(names) > 10
    for name in names:
        mine, other = (dataclasses.fields(getattr(side, name)) for side in (ours, theirs))
        assert [(f.name, f.default, f.default_factory) for f in mine] == [
            (f.name, f.default, f.default_factory) for f in other
        ], name


@pytest.mark.parametrize("module", MODULES)
def test_enumerations_have_the_peer_s_members_and_the_schema_s_values(module: str) -> None:
    need_module("ocpp", "the package ocpp")
    ours, theirs = (import_module(f"{package}.{module}.enums") for package in (OURS, PEER))
    names = [
        n for n, cls in vars(theirs).items() if isinstance(cls, type) and issubclass(cls, enum.Enum) and n != "StrEnum"
    ]
    assert len(names) > 40
    for name in names:
        mine, other = getattr(ours, name).__members__, getattr(theirs, name).__members__
        assert {key: member.value for key, member in other.items()}.items() <= {
            key: member.value for key, member in mine.items()
        }.items(), name
        assert set(model(module).enums.get(name, [])) <= {member.value for member in mine.values()}
        for member in mine.values():
            assert member == member.value == f"{member}"


def test_exceptions_have_the_peer_s_names_and_codes() -> None:
    need_module("ocpp", "the package ocpp")
    ours, theirs = (import_module(f"{package}.exceptions") for package in (OURS, PEER))
    names = [name for name, cls in vars(theirs).items() if isinstance(cls, type) and issubclass(cls, Exception)]
    assert len(names) > 12
    for name in names:
        assert getattr(getattr(ours, name), "code", None) == getattr(getattr(theirs, name), "code", None)
    error = ours.GenericError("d", {"a": 1})
    assert error == ours.GenericError("d", {"a": 1})
    assert error != ours.GenericError("d", {"a": 2})
    assert error != ours.SecurityError("d", {"a": 1})
    assert ours.RpcFrameworkError.code == "RpcFrameworkError"


def test_messages_have_the_peer_s_looks() -> None:
    ours = import_module(f"{OURS}.messages")
    call = ours.unpack(b'[2,"1","Reset",{"type":"Soft"}]')
    assert repr(call) == "<Call - unique_id=1, action=Reset, payload={'type': 'Soft'}>"
    assert ours.pack(call) == '[2,"1","Reset",{"type":"Soft"}]'
    assert repr(call.create_call_result({})) == "<CallResult - unique_id=1, action=Reset, payload={}>"
    assert call.create_call_error(ValueError()).to_json() == '[4,"1","InternalError","an internal error occurred",{}]'
    assert ours.CallError("1", "GenericError", "d").to_exception() == import_module(f"{OURS}.exceptions").GenericError(
        "d"
    )
    with pytest.raises(import_module(f"{OURS}.exceptions").UnknownCallErrorCodeError):
        ours.CallError("1", "418", "d").to_exception()


@pytest.mark.parametrize(
    ("path", "id"),
    [("/CP001", "CP001"), ("/ocpp/CP001", "CP001"), ("/ocpp/CP001/", "CP001"), ("/CP.1-a?x=1#f", "CP.1-a"), ("/", None), ("", None), (None, None), ("  ", None)],
)  # fmt: skip
def test_an_id_from_a_path(path: str | None, id: str | None) -> None:
    assert extract_charge_point_id(path) == id


# --- what comes in -----------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
def test_handlers_get_what_the_peer_s_get(module: str) -> None:
    """Where both accept a message, to the letter. What the peer accepts we refuse for the reasons alone that docs/migrate.md has."""
    need_module("ocpp", "the package ocpp")
    payloads = [payload for payload in all_payloads() if payload.module == module and payload.kind == "request"]
    both = 0
    for payload, text in generated(f"replaced {module}", 1, payloads):
        frame = framed(payload, text)
        with_peer = outcome_of_frame(PEER, module, frame)[0]
        with_ours, answers, _, raised = outcome_of_frame(OURS, module, frame)
        assert raised is None
        assert len(answers) == 1
        if with_peer and with_ours:
            both += 1
            assert with_ours == with_peer, payload
        elif with_peer:
            with pytest.raises(OcppError) as caught:
                codec_of(model(module).version).validate(frame)
            assert caught.value.kind in STRICTER, (payload, text)
    assert both * 2 > len(payloads)


# Kinds of fault that the peer does not see: it reads them, or looks at what was read.
STRICTER = {"duplicate_key", "number_range", "surrogate", "depth", "syntax"}


@pytest.mark.parametrize("module", MODULES)
def test_no_frame_of_the_corpus_ends_the_loop(module: str) -> None:
    cases = [case for case in corpus() if case.module == module]

    async def run() -> list[str]:
        point = charge_point(OURS, module, *(case.data for case in cases), '[2,"last","Heartbeat",{}]')
        point.route_map = {}
        with pytest.raises(ConnectionResetError):
            await point.start()
        return point._connection.sent

    answers = [json.loads(text) for text in asyncio.run(run())]
    assert answers[-1][:3] == [4, "last", "NotSupported"]
    assert len(answers) > len(cases) / 4


BAD = ("[" * 100_000, "9" * 5_000, '[2,"1",["Heartbeat"],{}]', '[2,{"a":1},"Heartbeat",{}]', "pong", "", b"\xff", "[3,{},{}]", "[7]", '[2,"1","Heartbeat",[]]')  # fmt: skip


@pytest.mark.parametrize("frame", BAD, ids=range(len(BAD)))
def test_bad_frames_do_not_end_the_loop(frame: Any) -> None:
    async def run() -> Any:
        point = Answering("p", Wire(frame, '[2,"2","Heartbeat",{}]'), 5, SILENT)
        with pytest.raises(ConnectionResetError):
            await point.start()
        return sent(point)

    assert asyncio.run(run())[-1] == [3, "2", {"currentTime": NOW}]


def test_a_broken_call_is_answered() -> None:
    async def run() -> Any:
        point = Answering("p", Wire(), 5, SILENT)
        await point.route_message('[2,"1","Heartbeat"]')
        await point.route_message('[2,"2","Heartbeat",{"x":')
        await point.route_message('[2,3,"Heartbeat",{}]')
        return sent(point)

    answers = asyncio.run(run())
    assert [answer[:2] for answer in answers] == [[4, "1"], [4, "2"], [3, 3]]


@pytest.mark.parametrize("id", ['"a\\u00e9\\n\\"b"', f'"{"x" * 50}"', "7", "1.5", "true", "null"])
def test_an_id_comes_back_as_it_came(id: str) -> None:
    async def run() -> Any:
        point = Answering("p", Wire(), 5, SILENT)
        await point.route_message(f'[2,{id},"Heartbeat",{{}}]')
        await point.route_message(f'[2,{id},"Heartbeat",{{"a":1}}]')
        return point._connection.sent

    answer, refusal = asyncio.run(run())
    assert json.loads(answer) == [3, json.loads(id), {"currentTime": NOW}]
    assert json.loads(refusal)[:2] == [4, json.loads(id)]
    assert answer.isascii()


class Answering(ChargePoint16):
    """Says what time it is."""

    @on("Heartbeat")
    def on_heartbeat(self, **_: Any) -> Any:
        return call_result16.Heartbeat(current_time=NOW)


def test_date_times_are_taken_as_they_are() -> None:
    frame = '[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"yesterday"}]'
    assert outcome_of_frame(OURS, "v16", frame)[0]


def test_a_refusal_says_what_and_where_within_bounds() -> None:
    frame = json.dumps([2, "1", "BootNotification", {"chargePointVendor": "V" * 5000, "chargePointModel": "M"}])
    (answer,) = outcome_of_frame(OURS, "v16", frame)[1]
    assert json.loads(answer)[2] == "PropertyConstraintViolation"
    assert "/chargePointVendor" in answer
    assert len(answer) < 1024


class Mistaken(ChargePoint16):
    """A class whose handlers answer wrongly."""

    @on("Heartbeat")
    def on_heartbeat(self, **_: Any) -> Any:
        return None

    @on("Authorize")
    def on_authorize(self, **_: Any) -> Any:
        return 5

    @on("MeterValues")
    def on_meter_values(self, **_: Any) -> Any:
        return None

    @on("BootNotification")
    def on_boot(self, **_: Any) -> Any:
        return {"current_time": NOW, "interval": 1, "status": "Accepted"}

    @after("BootNotification")
    def after_boot(self, **_: Any) -> Any:
        raise LookupError("logged, nothing more")


def test_a_handler_s_mistake_is_answered_and_explained(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> Any:
        point = Mistaken("p", Wire(), 5, logging.getLogger("mistaken"))
        await point.route_message('[2,"1","Heartbeat",{}]')
        await point.route_message('[2,"2","Authorize",{"idTag":"T"}]')
        await point.route_message('[2,"3","MeterValues",{"connectorId":1,"meterValue":[]}]')
        await point.route_message('[2,"4","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]')
        return sent(point)

    answers = asyncio.run(run())
    assert [answer[0] for answer in answers] == [4, 4, 3, 3]
    assert answers[0][2] == answers[1][2] == "InternalError"
    assert answers[2][2] == {}
    assert "currentTime" in caplog.text
    assert "return an object of call_result" in caplog.text
    assert "logged, nothing more" in caplog.text


def test_a_handler_may_call_back() -> None:
    class Point(ChargePoint16):
        @on("BootNotification")
        async def on_boot(self, **_: Any) -> Any:
            answer = await self.call(call16.GetConfiguration(key=["A"]))
            return call_result16.BootNotification(NOW, len(answer.unknown_key), "Accepted")

    class Chatty(Wire):
        """Answers GetConfiguration."""

        async def send(self, message: Any) -> None:
            await super().send(message)
            frame = json.loads(message)
            if frame[0] == 2:
                self.messages.append(json.dumps([3, frame[1], {"unknownKey": ["A", "B"]}]))

        async def recv(self) -> Any:
            while not self.messages:
                if any(json.loads(text)[0] in (3, 4) for text in self.sent):
                    raise ConnectionResetError
                await asyncio.sleep(0)
            return self.messages.pop(0)

    async def run() -> Any:
        boot = '[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'
        point = Point("p", Chatty(boot), 1, SILENT)
        with pytest.raises(ConnectionResetError):
            await point.start()
        return sent(point)[-1]

    assert asyncio.run(run()) == [3, "1", {"currentTime": NOW, "interval": 2, "status": "Accepted"}]


def test_an_override_needs_no_decorator_and_two_actions_may_share_a_handler() -> None:
    class Point(Answering):
        def on_heartbeat(self, **_: Any) -> Any:
            return call_result16.Heartbeat(current_time="2026-02-02T02:02:02Z")

        @on("ClearCache")
        @on("Reset")
        def on_either(self, **_: Any) -> Any:
            return {"status": "Accepted"}

    async def run() -> Any:
        point = Point("p", Wire(), 5, SILENT)
        for action, payload in (("Heartbeat", {}), ("ClearCache", {}), ("Reset", {"type": "Soft"})):
            await point.route_message(json.dumps([2, "1", action, payload]))
        return [answer[2] for answer in sent(point)]

    accepted = {"status": "Accepted"}
    assert asyncio.run(run()) == [{"currentTime": "2026-02-02T02:02:02Z"}, accepted, accepted]


def test_a_handler_may_take_a_typed_request() -> None:
    class Point(Answering):
        @on("BootNotification")
        async def on_boot(self, request: v16.BootNotificationRequest) -> v16.BootNotificationResponse:
            assert request == v16.BootNotificationRequest(charge_point_vendor="V", charge_point_model="M")
            return v16.BootNotificationResponse(current_time=moment, interval=3, status="Accepted")

        @after("BootNotification", inject_response=True)
        def after_boot(self, charge_point_vendor: str, call_response: Any, **_: Any) -> None:
            seen.append((charge_point_vendor, call_response["interval"]))

    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    seen: list[Any] = []

    async def run() -> Any:
        point = Point("p", Wire(), 5, SILENT)
        await point.route_message('[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]')
        await point.route_message('[2,2,"BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]')
        return sent(point)

    answer = {"currentTime": NOW, "interval": 3, "status": "Accepted"}
    assert asyncio.run(run()) == [[3, "1", answer], [3, 2, answer]]
    assert seen == [("V", 3), ("V", 3)]


def test_what_no_type_can_hold_is_refused_for_a_typed_handler() -> None:
    class Point(ChargePoint16):
        @on("StatusNotification")
        def on_status(self, request: v16.StatusNotificationRequest) -> Any:
            raise AssertionError("it was called")

        @on("Reset")
        def on_reset(self, request: v16.ResetRequest) -> v16.ClearCacheResponse:
            return v16.ClearCacheResponse(status="Accepted")

    async def run() -> Any:
        point = Point("p", Wire(), 5, SILENT)
        status = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": "yesterday"}
        await point.route_message(json.dumps([2, "1", "StatusNotification", status]))
        await point.route_message(json.dumps([2, 2, "StatusNotification", status]))
        await point.route_message('[2,"3","Reset",{"type":"Soft"}]')
        return [answer[2] for answer in sent(point)]

    assert asyncio.run(run()) == [*["PropertyConstraintViolation"] * 2, "InternalError"]


# --- what goes out -----------------------------------------------------------------------------------


def test_every_name_of_the_schemas_can_be_sent() -> None:
    for payload in all_payloads():
        if payload.kind == "request" and payload.action != "DataTransfer":
            tree = full(model(payload.module), payload.type_name)
            text = without_custom_data(json.loads(text_of(tree)))
            fields = fields_of(json.dumps(text).encode())
            assert fields is not None
            out, raised = outcome_of_call(OURS, payload.module, payload.action, fields)
            assert "TimeoutError" in raised, (payload, raised)
            assert json.loads(out[0])[3] == text


def without_custom_data(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_custom_data(item) for key, item in value.items() if key != "customData"}
    return [without_custom_data(item) for item in value] if isinstance(value, list) else value


async def asked(point: ChargePoint, payload: Any, answer: Any) -> Any:
    """What a call returns when this is answered."""
    asking = asyncio.ensure_future(point.call(payload, unique_id=answer[1]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await point.route_message(json.dumps(answer))
    return await asking


def test_answers_are_nested_dicts_with_attributes() -> None:
    async def run() -> Any:
        point = ChargePoint16("p", Wire(), 5, SILENT)
        return await asked(
            point, call16.GetConfiguration(), [3, "7", {"configurationKey": [{"key": "A", "readonly": True}]}]
        )

    (entry,) = asyncio.run(run()).configuration_key
    assert entry == {"key": "A", "readonly": True}
    assert (entry["key"], entry.readonly) == ("A", True)
    assert entry.value is None  # an optional field that did not come
    assert "value" not in entry
    assert copy.deepcopy(entry).value is None
    assert pickle.loads(pickle.dumps(entry)) == entry
    with pytest.raises(AttributeError, match="no 'colour'; it has key, readonly"):
        _ = entry.colour


def test_a_typed_request_is_answered_with_a_typed_response() -> None:
    async def run() -> Any:
        point = ChargePoint16("p", Wire(), 5, SILENT)
        return await asked(point, v16.ResetRequest(type="Soft"), [3, "7", {"status": "Accepted"}])

    assert asyncio.run(run()) == v16.ResetResponse(status="Accepted")


def test_strays_are_bounded_and_shift_nothing() -> None:
    async def run() -> Any:
        point = ChargePoint16("p", Wire(), 5, SILENT)
        for number in range(3000):
            await point.route_message(f'[3,"stray {number}",{{}}]')
        assert point._response_queue.qsize() == 100
        return await asked(point, call16.Reset(type="Soft"), [3, "7", {"status": "Accepted"}])

    assert asyncio.run(run()).status == "Accepted"


def test_sends_of_2_1_are_sent_and_handled() -> None:
    seen: list[Any] = []
    stream = {"data": [{"t": 1.0, "v": "1"}], "id": 1, "pending": 0, "basetime": NOW}

    class Point(ChargePoint21):
        @on("NotifyPeriodicEventStream")
        async def on_stream(self, id: int, data: Any, call_unique_id: str, **_: Any) -> None:
            seen.append((id, data, call_unique_id))

    class Typed(ChargePoint21):
        @on("NotifyPeriodicEventStream")
        def on_stream(self, payload: v21.NotifyPeriodicEventStream) -> None:
            seen.append(payload.id)

    async def run() -> Any:
        point = ChargePoint21("p", Wire(), 5, SILENT)
        assert await point.call(call21.NotifyPeriodicEventStream(**stream), unique_id="7") is None
        (frame,) = point._connection.sent
        for cls in (Point, Typed):
            receiver = cls("p", Wire(), 5, SILENT)
            await receiver.route_message(frame)
            assert receiver._connection.sent == []
        return json.loads(frame)

    assert asyncio.run(run()) == [6, "7", "NotifyPeriodicEventStream", stream]
    assert seen == [(1, stream["data"], "7"), 1]


@pytest.mark.parametrize("id", ["7", 7, 1.5, "7" * 50], ids=["text", "integer", "float", "long"])
def test_an_invalid_answer_is_refused_on_2_1(id: Any) -> None:
    async def run(point: Any, payload: Any) -> Any:
        errors = import_module(f"{OURS}.exceptions")
        with pytest.raises(errors.TypeConstraintViolationError):
            await asked(point, payload, [3, id, {"status": 5}])
        await point.route_message('[5,"8","GenericError","d",{}]')
        return sent(point)[1:]

    async def both() -> None:
        on21 = await run(ChargePoint21("p", Wire(), 5, SILENT), call21.ClearCache())
        assert [frame[:3] for frame in on21] == [[5, id, "TypeConstraintViolation"]]
        assert await run(ChargePoint16("p", Wire(), 5, SILENT), call16.ClearCache()) == []

    asyncio.run(both())


# --- the session beneath -----------------------------------------------------------------------------


def frames_of(point: Any, kind: int) -> list[Any]:
    return [frame for frame in sent(point) if frame[0] == kind]


async def settled() -> None:
    """Let what is ready run."""
    for _ in range(10):
        await asyncio.sleep(0)


class Unlocked:
    """A lock that locks nothing, as a user may put in the place of `_call_lock`."""

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass


def test_one_call_is_outstanding_whatever_the_lock_does() -> None:
    async def run() -> Any:
        point = ChargePoint16("p", Wire(), 5, SILENT)
        point._call_lock = Unlocked()  # type: ignore[assignment]
        asking = [asyncio.ensure_future(point.call(call16.ClearCache(), unique_id=str(n))) for n in range(3)]
        for n in range(3):
            await settled()
            assert [frame[1] for frame in frames_of(point, 2)] == [str(k) for k in range(n + 1)]
            await point.route_message(f'[3,"{n}",{{"status":"Accepted"}}]')
        return [answer.status for answer in await asyncio.gather(*asking)]

    assert asyncio.run(run()) == ["Accepted"] * 3


def test_a_call_that_was_given_up_holds_the_line_until_it_is_answered() -> None:
    async def run() -> Any:
        point = ChargePoint16("p", Wire(), 5, SILENT)
        first = asyncio.ensure_future(point.call(call16.ClearCache(), unique_id="1"))
        await settled()
        first.cancel()
        second = asyncio.ensure_future(point.call(call16.ClearCache(), unique_id="2"))
        await settled()
        assert first.cancelled()
        assert [frame[1] for frame in sent(point)] == ["1"]
        await point.route_message('[3,"1",{"status":"Rejected"}]')
        await settled()
        assert [frame[1] for frame in sent(point)] == ["1", "2"]
        await point.route_message('[3,"2",{"status":"Accepted"}]')
        return (await second).status

    assert asyncio.run(run()) == "Accepted"


def test_a_call_that_was_given_up_holds_the_line_until_its_time_is_up() -> None:
    async def run() -> Any:
        point = ChargePoint16("p", Wire(), 0.2, SILENT)
        first = asyncio.ensure_future(point.call(call16.ClearCache(), unique_id="1"))
        await settled()
        first.cancel()
        with pytest.raises(TimeoutError, match=r'Waited 0.2s for response on \[2,"2","ClearCache",{}\]'):
            await point.call(call16.ClearCache(), unique_id="2")
        return [frame[1] for frame in sent(point)]

    assert asyncio.run(run()) == ["1", "2"]


def test_late_and_duplicate_answers_are_reported_and_shift_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> Any:
        point = ChargePoint16("p", Wire(), 0.01, logging.getLogger("late"))
        with pytest.raises(TimeoutError):
            await point.call(call16.ClearCache(), unique_id="1")
        point._response_timeout = 5
        await point.route_message('[3,"1",{"status":"Rejected"}]')
        answer = await asked(point, call16.ClearCache(), [3, "7", {"status": "Accepted"}])
        await point.route_message('[3,"7",{"status":"Rejected"}]')
        assert point._session.deadline is None
        return answer.status

    assert asyncio.run(run()) == "Accepted"
    told = [record.getMessage() for record in caplog.records if "no call of ours waits" in record.getMessage()]
    assert len(told) == 2
    assert "unique_id=1," in told[0]
    assert "unique_id=7," in told[1]


def test_a_broken_answer_ends_its_call_at_once() -> None:
    async def run() -> None:
        point = ChargePoint16("p", Wire(), 60, SILENT)
        asking = asyncio.ensure_future(point.call(call16.ClearCache(), unique_id="7"))
        await settled()
        await point.route_message('[3,"7",{"status":"Acc')
        with pytest.raises(import_module(f"{OURS}.exceptions").OCPPError):
            await asking
        assert frames_of(point, 4) == []

    asyncio.run(run())


def test_an_invalid_answer_with_a_number_as_id_ends_its_call() -> None:
    async def run() -> None:
        point = ChargePoint16("p", Wire(), 60, SILENT)
        for answer, error in (({"status": "Accepted"}, None), ({"status": 5}, "TypeConstraintViolationError")):
            asking = asyncio.ensure_future(point.call(call16.ClearCache(), unique_id=7))
            await settled()
            await point.route_message(json.dumps([3, 7, answer]))
            if error is None:
                assert (await asking).status == "Accepted"
            else:
                with pytest.raises(getattr(import_module(f"{OURS}.exceptions"), error)):
                    await asking

    asyncio.run(run())


def test_an_answer_is_not_checked_where_the_call_says_so() -> None:
    async def run() -> Any:
        point = ChargePoint16("p", Wire(), 5, SILENT)
        asking = asyncio.ensure_future(point.call(call16.ClearCache(), unique_id="7", skip_schema_validation=True))
        await settled()
        await point.route_message('[3,"7",{"status":5}]')
        return (await asking).status

    assert asyncio.run(run()) == 5


class Waiting(ChargePoint16):
    """Answers a heartbeat when the other side has answered a question of ours."""

    @on("Heartbeat")
    async def on_heartbeat(self, **_: Any) -> Any:
        await self.call(call16.ClearCache(), unique_id="q")
        return call_result16.Heartbeat(current_time=NOW)


def test_a_call_with_the_id_of_an_open_one_is_refused() -> None:
    async def run() -> Any:
        point = Waiting("p", Wire(), 5, SILENT)
        for _ in range(2):
            await point.route_message('[2,"1","Heartbeat",{}]')
        (refusal,) = frames_of(point, 4)
        await point.route_message('[3,"q",{"status":"Accepted"}]')
        await settled()
        return refusal, frames_of(point, 3)

    refusal, answers = asyncio.run(run())
    assert refusal[:3] == [4, "1", own_answer("duplicate_id", "1.6")[0]]
    assert answers == [[3, "1", {"currentTime": NOW}]]


@pytest.mark.parametrize("says", ["by _send", "nothing"])
def test_an_override_may_answer_as_it_likes_for_ever(says: str) -> None:
    class Point(ChargePoint16):
        async def _handle_call(self, msg: Any) -> Any:
            if says == "by _send":
                await self._send(msg.create_call_result({"currentTime": NOW}).to_json())

    async def run() -> Any:
        point = Point("p", Wire(), 5, SILENT)
        for _ in range(50):  # more than a session has open at once, under one id
            await point.route_message('[2,"1","Heartbeat",{}]')
        return sent(point)

    assert asyncio.run(run()) == ([[3, "1", {"currentTime": NOW}]] * 50 if says == "by _send" else [])


def test_handle_call_may_be_replaced_on_the_object_and_called_by_hand() -> None:
    async def run() -> Any:
        point = Answering("p", Wire(), 5, SILENT)
        response = await point._handle_call(compat_messages.Call("hand", "Heartbeat", {}))
        assert response.payload == {"currentTime": NOW}
        seen: list[str] = []

        async def handled(msg: Any) -> None:
            seen.append(msg.action)

        point._handle_call = handled  # type: ignore[method-assign]
        await point.route_message('[2,"1","Heartbeat",{}]')
        return seen, sent(point)

    assert asyncio.run(run()) == (["Heartbeat"], [[3, "hand", {"currentTime": NOW}]])


def test_an_override_may_take_answers_from_the_queue_itself() -> None:
    class Point(ChargePoint16):
        async def _get_specific_response(self, unique_id: Any, timeout: float) -> Any:
            while True:
                response = await asyncio.wait_for(self._response_queue.get(), timeout)
                if response.unique_id == unique_id:
                    return response

    async def run() -> Any:
        point = Point("p", Wire(), 5, SILENT)
        await point.route_message('[3,"stray",{}]')
        first = await asked(point, call16.ClearCache(), [3, "7", {"status": "Accepted"}])
        second = await asked(point, call16.ClearCache(), [3, "7", {"status": "Rejected"}])
        with pytest.raises(import_module(f"{OURS}.exceptions").OCPPError):
            await asked(point, call16.ClearCache(), [3, "7", {"status": 5}])
        return first.status, second.status

    assert asyncio.run(run()) == ("Accepted", "Rejected")


def test_a_handler_that_waits_for_nothing_gets_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point(ChargePoint16):
        @on("Heartbeat")
        async def on_heartbeat(self, **_: Any) -> Any:
            return call_result16.Heartbeat(current_time=NOW)

        @on("ClearCache")
        async def on_clear_cache(self, **_: Any) -> Any:
            await asyncio.sleep(0)
            return {"status": "Accepted"}

    async def run() -> Any:
        point = Point("p", Wire(), 5, SILENT)
        made: list[Any] = []
        in_task = point._in_task

        async def counted(handling: Any) -> Any:
            made.append(handling)
            return await in_task(handling)

        monkeypatch.setattr(point, "_in_task", counted)
        await point.route_message('[2,"1","Heartbeat",{}]')
        assert made == []
        await point.route_message('[2,"2","ClearCache",{}]')
        return len(made), len(sent(point))

    assert asyncio.run(run()) == (1, 2)


def test_a_handler_behind_a_plain_wrapper_may_call_back() -> None:
    def wrapper(function: Any) -> Any:
        @functools.wraps(function)
        def wrapped(*arguments: Any, **keywords: Any) -> Any:
            return function(*arguments, **keywords)

        return wrapped

    class Point(Waiting):
        on_heartbeat = wrapper(Waiting.on_heartbeat)

    async def run() -> Any:
        point = Point("p", Wire(), 1, SILENT)
        await point.route_message('[2,"1","Heartbeat",{}]')
        await point.route_message('[3,"q",{"status":"Accepted"}]')
        await settled()
        return frames_of(point, 3)

    assert asyncio.run(run()) == [[3, "1", {"currentTime": NOW}]]
