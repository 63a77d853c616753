"""What users of PyPI `ocpp` rely on, on the plain package (so that the cases are right) and on what stands in for it."""

from __future__ import annotations

import asyncio
import dataclasses
import decimal
import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from ocppcore.compat.ocpp import accelerate, restore
from support.needs import need_module
from support.peer import SILENT, Wire

need_module("ocpp", "the package ocpp")

ROUTES = {"plain": "ocpp", "accelerated": "ocpp", "replaced": "ocppcore.compat.ocpp"}
NOW = "2026-01-02T03:04:05Z"


@pytest.fixture(params=ROUTES)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """How `ocpp` is served: plain, or by ocppcore."""
    way: str = request.param
    if way == "accelerated":
        accelerate()
    yield way
    restore()


@pytest.fixture
def package(way: str) -> str:
    """The package that the test's imports name."""
    return ROUTES[way]


async def until(done: Any) -> None:
    """Wait for it; a busy machine may take its time."""
    async with asyncio.timeout(10):
        while not done():
            await asyncio.sleep(0.001)


class Names:
    """What a user's file imports."""

    def __init__(self, package: str, module: str = "v16") -> None:
        self.routing: Any = import_module(f"{package}.routing")
        self.exceptions: Any = import_module(f"{package}.exceptions")
        self.messages: Any = import_module(f"{package}.messages")
        self.charge_point: Any = import_module(f"{package}.charge_point")
        self.call: Any = import_module(f"{package}.{module}.call")
        self.call_result: Any = import_module(f"{package}.{module}.call_result")
        self.enums: Any = import_module(f"{package}.{module}.enums")
        self.datatypes: Any = import_module(f"{package}.{module}.datatypes")
        self.ChargePoint: Any = import_module(f"{package}.{module}").ChargePoint
        self.on, self.after = self.routing.on, self.routing.after


@pytest.fixture
def v16(package: str) -> Names:
    return Names(package, "v16")


@pytest.fixture
def v201(package: str) -> Names:
    return Names(package, "v201")


def sent(point: Any) -> list[Any]:
    """What went out, read again."""
    return [json.loads(text) for text in point._connection.sent]


def own(way: str, theirs: Any, ours: Any) -> Any:
    """What docs/migrate.md lists as different in the package that replaces the peer's."""
    return ours if way == "replaced" else theirs


BOOT = '[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'


def test_a_handler_gets_keywords_and_its_answer_goes_out_to_the_letter(v16: Names) -> None:
    class Point(v16.ChargePoint):
        @v16.on(v16.enums.Action.boot_notification)
        def on_boot(self, charge_point_vendor: str, charge_point_model: str, **kwargs: Any) -> Any:
            assert (charge_point_vendor, charge_point_model, kwargs) == ("V", "M", {})
            return v16.call_result.BootNotification(
                current_time=NOW, interval=10, status=v16.enums.RegistrationStatus.accepted
            )

    async def run() -> None:
        point = Point("é", Wire(), 30, SILENT)
        await point.route_message(BOOT)
        assert point._connection.sent == [f'[3,"1",{{"currentTime":"{NOW}","interval":10,"status":"Accepted"}}]']

    asyncio.run(run())


def test_async_handlers_ids_and_after_handlers(v16: Names) -> None:
    seen: list[Any] = []

    class Point(v16.ChargePoint):
        @v16.on("Heartbeat")
        async def on_heartbeat(self, call_unique_id: Any) -> Any:
            seen.append(("on", call_unique_id))
            return v16.call_result.Heartbeat(current_time=NOW)

        @v16.after("Heartbeat")
        def after_heartbeat(self, call_unique_id: Any, **kwargs: Any) -> None:
            seen.append(("after", call_unique_id, kwargs, list(self._connection.sent)))

        @v16.on("Authorize")
        def on_authorize(self, id_tag: str, **kwargs: Any) -> Any:
            seen.append((id_tag, kwargs))
            return v16.call_result.Authorize(id_tag_info={"status": "Accepted", "parent_id_tag": None})

        @v16.after("Authorize")
        async def after_authorize(self, id_tag: str) -> None:
            seen.append(("async after", id_tag))

    async def run() -> None:
        point = Point("p", Wire(), 30, SILENT)
        await point.route_message('[2,"a","Heartbeat",{}]')
        await point.route_message('[2,"b","Authorize",{"idTag":"T"}]')
        await until(lambda: len(seen) == 4)
        heartbeat = f'[3,"a",{{"currentTime":"{NOW}"}}]'
        assert seen == [("on", "a"), ("after", "a", {}, [heartbeat]), ("T", {}), ("async after", "T")]
        assert point._connection.sent[1] == '[3,"b",{"idTagInfo":{"status":"Accepted"}}]'

    asyncio.run(run())


def test_a_handler_s_exception_is_answered(way: str, v16: Names) -> None:
    class Point(v16.ChargePoint):
        @v16.on("Heartbeat")
        def on_heartbeat(self) -> Any:
            raise v16.exceptions.SecurityError("no", {"why": 1})

        @v16.on("Authorize")
        def on_authorize(self, id_tag: str) -> Any:
            raise KeyError(id_tag)

    async def run() -> None:
        point = Point("p", Wire(), 30, SILENT)
        await point.route_message('[2,"a","Heartbeat",{}]')
        await point.route_message('[2,"b","Authorize",{"idTag":"T"}]')
        assert sent(point) == [
            [4, "a", "SecurityError", "no", {"why": 1}],
            [4, "b", "InternalError", own(way, "An unexpected error occurred.", "an internal error occurred"), {}],
        ]

    asyncio.run(run())


def test_routes_are_data(v16: Names) -> None:
    class Point(v16.ChargePoint):
        @v16.on("Heartbeat")
        def on_heartbeat(self, **kwargs: Any) -> Any:
            return v16.call_result.Heartbeat(current_time=str(kwargs))

        @property
        def never(self) -> Any:
            raise AssertionError("a getter was evaluated when the object was made")

    async def run() -> None:
        point = Point("p", Wire(), 30, SILENT)
        assert point.route_map["Heartbeat"].keys() == {"_on_action", "_skip_schema_validation"}
        assert point.route_map["Heartbeat"]["_on_action"]() == v16.call_result.Heartbeat(current_time="{}")
        # Home Assistant's integration switches validation off for all of them.
        for route in point.route_map.values():
            route["_skip_schema_validation"] = True
        await point.route_message('[2,"a","Heartbeat",{"chargerId":1}]')
        assert sent(point) == [[3, "a", {"currentTime": "{'charger_id': 1}"}]]

    asyncio.run(run())


def test_routes_are_made_again_after_setattr(v16: Names) -> None:
    async def run() -> None:
        point = v16.ChargePoint("p", Wire(), 30, SILENT)

        @v16.on("Heartbeat")
        def late(**_: Any) -> Any:
            return v16.call_result.Heartbeat(current_time=NOW)

        point.late = late
        point.route_map = v16.routing.create_route_map(point)
        await point.route_message('[2,"a","Heartbeat",{}]')
        assert sent(point) == [[3, "a", {"currentTime": NOW}]]

    asyncio.run(run())


def test_validation_skipped_by_the_decorator(v16: Names) -> None:
    class Point(v16.ChargePoint):
        @v16.on("Heartbeat", skip_schema_validation=True)
        def on_heartbeat(self, **kwargs: Any) -> Any:
            return v16.call_result.Heartbeat(current_time=kwargs["odd_key"])

    async def run() -> None:
        point = Point("p", Wire(), 30, SILENT)
        await point.route_message('[2,"a","Heartbeat",{"oddKey":5}]')
        assert sent(point) == [[3, "a", {"currentTime": 5}]]

    asyncio.run(run())


def test_the_seams_that_home_assistant_uses(way: str, v16: Names) -> None:
    """A subclass with positional arguments, an overridden _handle_call, _send and _get_specific_response, a swapped connection."""
    notes: list[str] = []

    class Point(v16.ChargePoint):
        def __init__(self, id: str, connection: Any) -> None:
            super().__init__(id, connection, 10)
            self.logger = SILENT

        async def _handle_call(self, msg: Any) -> Any:
            notes.append(f"{msg.action} {msg.unique_id} {msg.payload}")
            try:
                return await super()._handle_call(msg)
            except (v16.exceptions.NotImplementedError, v16.exceptions.NotSupportedError) as error:
                notes.append(error.code)
                await self._send(msg.create_call_error(error).to_json())
                return None

        async def _get_specific_response(self, unique_id: Any, timeout: Any) -> Any:
            response = await super()._get_specific_response(unique_id, timeout)
            if isinstance(response, v16.messages.CallError):
                raise response.to_exception()
            return response

        async def _send(self, message: str) -> None:
            notes.append("sends")
            await super()._send(message)

        @v16.on("Heartbeat")
        def on_heartbeat(self, **_: Any) -> Any:
            return v16.call_result.Heartbeat(current_time=NOW)

    async def run() -> None:
        point = Point("p", Wire())
        await point.route_message('[2,"a","Heartbeat",{}]')
        await point.route_message('[2,"b","Authorize",{"idTag":"T"}]')
        code = own(way, "NotImplemented", "NotSupported")
        assert notes == ["Heartbeat a {}", "sends", "Authorize b {'idTag': 'T'}", code, "sends"]
        assert sent(point)[1][:3] == [4, "b", code]
        point._connection = Wire()
        asking = asyncio.ensure_future(point.call(v16.call.Reset(type="Soft"), unique_id="mine"))
        await until(lambda: point._connection.sent)
        assert sent(point) == [[2, "mine", "Reset", {"type": "Soft"}]]
        await point.route_message('[4,"mine","GenericError","no",{}]')
        with pytest.raises(v16.exceptions.GenericError):
            await asking

    asyncio.run(run())


def test_call_matches_its_answer(v16: Names) -> None:
    async def run() -> None:
        point = v16.ChargePoint("p", Wire(), 5, SILENT)
        point._unique_id_generator = lambda: 12
        asking = asyncio.ensure_future(point.call(v16.call.GetConfiguration(key=["A"])))
        await until(lambda: point._connection.sent)
        assert point._connection.sent == ['[2,"12","GetConfiguration",{"key":["A"]}]']
        assert point._call_lock.locked()
        await point.route_message('[3,"stray",{}]')
        await point.route_message('[3,"12",{"configurationKey":[{"key":"A","readonly":true}]}]')
        answer = await asking
        assert answer == v16.call_result.GetConfiguration(configuration_key=[{"key": "A", "readonly": True}])
        assert not point._call_lock.locked()

    asyncio.run(run())


def test_an_answer_that_came_before_the_call(v16: Names) -> None:
    async def run() -> None:
        point = v16.ChargePoint("p", Wire(), 5, SILENT)
        error = v16.messages.CallError("x", "GenericError", "no", {"a": 1})
        point._response_queue.put_nowait(error)
        assert await point.call(v16.call.Reset(type="Hard"), unique_id="x") is None
        point._response_queue.put_nowait(error)
        with pytest.raises(v16.exceptions.GenericError) as caught:
            await point.call(v16.call.Reset(type="Hard"), unique_id="x", suppress=False)
        assert caught.value == v16.exceptions.GenericError("no", {"a": 1})

    asyncio.run(run())


def test_a_timeout_says_for_what_and_frees_the_lock(v16: Names) -> None:
    async def run() -> None:
        point = v16.ChargePoint("p", Wire(), 0.01, SILENT)
        with pytest.raises(asyncio.TimeoutError) as caught:
            await point.call(v16.call.Reset(type="Soft"), unique_id="7")
        assert str(caught.value) == 'Waited 0.01s for response on [2,"7","Reset",{"type":"Soft"}].'
        assert not point._call_lock.locked()

    asyncio.run(run())


def test_an_invalid_call_is_not_sent_unless_validation_is_skipped(way: str, v16: Names) -> None:
    errors = v16.exceptions
    refusal = own(way, errors.FormatViolationError, errors.PropertyConstraintViolationError)

    async def run() -> None:
        point = v16.ChargePoint("p", Wire(), 0.01, SILENT)
        with pytest.raises(refusal):
            await point.call(v16.call.Reset(type="Gently"))
        assert not point._connection.sent
        with pytest.raises(asyncio.TimeoutError):
            await point.call(v16.call.Reset(type="Gently"), unique_id="7", skip_schema_validation=True)
        assert point._connection.sent == ['[2,"7","Reset",{"type":"Gently"}]']

    asyncio.run(run())


def test_start_runs_until_the_connection_raises(v16: Names) -> None:
    class Point(v16.ChargePoint):
        @v16.on("Heartbeat")
        def on_heartbeat(self, **_: Any) -> Any:
            return v16.call_result.Heartbeat(current_time=NOW)

    async def run() -> None:
        point = Point("p", Wire('[2,"a","Heartbeat",{}]', "no JSON", b'[2,"b","Heartbeat",{}]', "[]", "3"), 5, SILENT)
        with pytest.raises(ConnectionResetError):
            await point.start()
        assert [frame[:2] for frame in sent(point) if frame[0] == 3] == [[3, "a"], [3, "b"]]

    asyncio.run(run())


def test_decimals_in_charging_profiles(way: str, v16: Names) -> None:
    class Point(v16.ChargePoint):
        @v16.on("SetChargingProfile")
        def on_profile(self, cs_charging_profiles: Any, **_: Any) -> Any:
            period = cs_charging_profiles["charging_schedule"]["charging_schedule_period"][0]
            assert repr(period["limit"]) == "Decimal('21.4')"
            return v16.call_result.SetChargingProfile(status="Accepted")

    async def run() -> None:
        point = Point("p", Wire(), 5, SILENT)
        periods = [v16.datatypes.ChargingSchedulePeriod(start_period=0, limit=21.4)]
        schedule = v16.datatypes.ChargingSchedule(charging_rate_unit="A", charging_schedule_period=periods)
        profile = v16.datatypes.ChargingProfile(1, 0, "TxProfile", "Relative", schedule)
        payload = v16.call.SetChargingProfile(connector_id=1, cs_charging_profiles=profile)
        asking = asyncio.ensure_future(point.call(payload, unique_id="7"))
        await until(lambda: point._connection.sent)
        frame = point._connection.sent[0]
        assert '"limit":21.4' in frame
        await point.route_message(frame)
        assert sent(point)[1] == [3, "7", {"status": "Accepted"}]
        asking.cancel()
        sends = v16.messages.Call("1", "A", {"limit": decimal.Decimal("2.000001")}).to_json()
        assert sends == own(way, '[2,"1","A",{"limit":2.0}]', '[2,"1","A",{"limit":2.000001}]')

    asyncio.run(run())


def test_nested_dataclasses_go_out_without_their_nones(v201: Names) -> None:
    async def run() -> None:
        point = v201.ChargePoint("p", Wire(), 0.01, SILENT)
        component = v201.datatypes.ComponentType(name="C", evse=v201.datatypes.EVSEType(id=1))
        variable = v201.datatypes.VariableType(name="V")
        data = [v201.datatypes.GetVariableDataType(component=component, variable=variable)]
        with pytest.raises(asyncio.TimeoutError):
            await point.call(v201.call.GetVariables(get_variable_data=data), unique_id="7")
        asked = [{"component": {"name": "C", "evse": {"id": 1}}, "variable": {"name": "V"}}]
        assert sent(point) == [[2, "7", "GetVariables", {"getVariableData": asked}]]

    asyncio.run(run())


def test_two_sides_talk(package: str, v16: Names) -> None:
    """This package as CSMS and the same as station, each on its end of a wire."""

    class Csms(v16.ChargePoint):
        @v16.on("BootNotification")
        async def on_boot(self, **_: Any) -> Any:
            return v16.call_result.BootNotification(current_time=NOW, interval=1, status="Accepted")

    class End:
        def __init__(self, incoming: Any, outgoing: Any) -> None:
            self.recv, self.send = incoming.get, outgoing.put

    async def run() -> None:
        up: asyncio.Queue[str] = asyncio.Queue()
        down: asyncio.Queue[str] = asyncio.Queue()
        csms, station = Csms("s", End(up, down), 5, SILENT), v16.ChargePoint("s", End(down, up), 5, SILENT)
        loops = [asyncio.ensure_future(side.start()) for side in (csms, station)]
        answer = await station.call(v16.call.BootNotification(charge_point_model="M", charge_point_vendor="V"))
        assert dataclasses.asdict(answer) == {
            "current_time": NOW, "interval": 1, "status": "Accepted", **dict.fromkeys(dataclasses.asdict(answer).keys() - {"current_time", "interval", "status"}),
        }  # fmt: skip
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)

    asyncio.run(run())
