"""What an observer is told, and what the ready ones make of it."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from ocppcore import DEFERRED, Codec, Context, Policy, RefuseCall, Router, Session, v21
from ocppcore.aio import CallFailed, Endpoint, LoggingObserver, Observer, Observers
from support.needs import need_module
from support.wires import Wire, rounds, run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Notes:
    """Notes what it is told, without sizes and durations, which it checks."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def connected(self, identity: str, subprotocol: str) -> None:
        self.told.append(("connected", identity, subprotocol))

    def disconnected(self, identity: str, subprotocol: str) -> None:
        self.told.append(("disconnected", identity, subprotocol))

    def frame_in(
        self, identity: str, action: str | None, size: int, outcome: str, duration: float, finding: Any
    ) -> None:
        assert identity == "CP001"
        assert size > 0
        assert 0 <= duration < 5
        self.told.append(("in", action, outcome, finding and finding.kind))

    def tolerated(self, identity: str, action: str | None, finding: Any) -> None:
        assert identity == "CP001"
        self.told.append(("tolerated", action, finding.kind, finding.verdict))

    def frame_out(self, identity: str, size: int) -> None:
        assert size > 0
        self.told.append(("out",))

    def called(self, identity: str, action: str, outcome: str, duration: float, finding: Any) -> None:
        assert 0 <= duration < 5
        self.told.append(("called", action, outcome, finding and finding.kind))


def router() -> Router:
    result = Router()

    @result.on
    def beat(request: v21.HeartbeatRequest) -> v21.HeartbeatResponse:
        return v21.HeartbeatResponse(current_time=NOW)

    @result.on
    async def authorize(request: v21.AuthorizeRequest) -> v21.AuthorizeResponse:
        await asyncio.sleep(0)
        raise RefuseCall("NotSupported")

    @result.on
    def notify(request: v21.NotifyEventRequest) -> object:
        return DEFERRED

    @result.on
    async def status(request: v21.StatusNotificationRequest) -> v21.StatusNotificationResponse:
        await asyncio.sleep(60)
        return v21.StatusNotificationResponse()

    @result.on
    def stream(context: Context[Endpoint], payload: v21.NotifyPeriodicEventStream) -> None:
        return None

    return result


IN = [
    ('[2,"a","Heartbeat",{}]', ("in", "Heartbeat", "answered", None), 1),
    ('[2,"b","Authorize",{"idToken":{"idToken":"x","type":"Local"}}]', ("in", "Authorize", "refused", None), 1),
    (
        '[2,"c","NotifyEvent",{"generatedAt":"2026-01-02T03:04:05Z","seqNo":0,"eventData":[{"eventId":1,'
        '"timestamp":"2026-01-02T03:04:05Z","trigger":"Alerting","actualValue":"1","eventNotificationType":"HardWiredMonitor",'
        '"component":{"name":"c"},"variable":{"name":"v"}}]}]',
        ("in", "NotifyEvent", "deferred", None),
        0,
    ),
    (
        '[6,"d","NotifyPeriodicEventStream",{"id":1,"pending":0,"basetime":"2026-01-02T03:04:05Z","data":[{"t":0,"v":"1"}]}]',
        ("in", "NotifyPeriodicEventStream", "handled", None),
        0,
    ),
    ('[2,"e","Heartbeat",{"x":1}]', ("in", "Heartbeat", "invalid", "unknown_key"), 1),
    ('[2,"f","MadeUpByThePeer",{}]', ("in", None, "invalid", "action_unknown"), 1),
    ('[2,"g","Reset",{"type":"Immediate"}]', ("in", "Reset", "unwanted", None), 1),
    ('[3,"nobody\'s",{}]', ("in", None, "unwanted", None), 0),
]


@pytest.mark.parametrize(("data", "told", "answers"), IN, ids=[told[2] + " " + str(told[1]) for _, told, _ in IN])
def test_every_message_of_the_peer_is_told_of(data: str, told: tuple[Any, ...], answers: int) -> None:
    notes = Notes()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            wire = Wire()
            endpoint = Endpoint(wire, Session(Codec("ocpp2.1"), "csms"), router(), "CP001", observer=notes)
            group.create_task(endpoint.run())
            wire.put(data)
            await rounds()
            wire.hang_up()

    run(main())
    assert notes.told[0] == ("connected", "CP001", "ocpp2.1")
    assert sorted(map(str, notes.told[1:-1])) == sorted(map(str, [told, *[("out",)] * answers]))
    assert notes.told[-1] == ("disconnected", "CP001", "ocpp2.1")


@pytest.mark.parametrize(
    ("answer", "outcome", "kind"),
    [
        ('[3,"1",{"status":"Accepted"}]', "answered", None),
        ('[4,"1","NotSupported","",{}]', "refused", None),
        ('[3,"1",{"status":"Perhaps"}]', "invalid", "enum"),
        (None, "timed out", None),
        ("hang up", "closed", None),
        ("cancel", "cancelled", None),
    ],
)
def test_how_our_calls_end_is_told(answer: str | None, outcome: str, kind: str | None) -> None:
    notes = Notes()

    async def main() -> None:
        wire = Wire()
        session = Session(Codec("ocpp2.1"), "csms", new_id=lambda: "1", timeout=0.02 if answer is None else 30)
        endpoint = Endpoint(wire, session, Router(), "CP001", observer=notes)
        running = asyncio.create_task(endpoint.run())
        call = asyncio.create_task(endpoint.call(v21.ClearCacheRequest()))
        await rounds()
        if answer == "hang up":
            wire.hang_up()
        elif answer == "cancel":
            call.cancel()
        elif answer is not None:
            wire.put(answer)
        try:
            await call
        except (CallFailed, asyncio.CancelledError):
            assert outcome != "answered"
        wire.hang_up()
        await running

    run(main())
    assert ("called", "ClearCache", outcome, kind) in notes.told
    assert len([one for one in notes.told if one[0] == "called"]) == 1


def test_a_handler_that_is_cancelled_has_failed() -> None:
    notes = Notes()

    async def main() -> None:
        wire = Wire()
        endpoint = Endpoint(wire, Session(Codec("ocpp2.1"), "csms"), router(), "CP001", drain=0.01, observer=notes)
        running = asyncio.create_task(endpoint.run())
        wire.put(
            '[2,"c","StatusNotification",{"timestamp":"2026-01-02T03:04:05Z","connectorStatus":"Available",'
            '"evseId":1,"connectorId":1}]'
        )
        await rounds()
        wire.hang_up()
        await running

    run(main())
    assert notes.told[1] == ("in", "StatusNotification", "failed", None)


QUIRKY = ['[2,"a","Heartbeat",{"mood":"good"}]', '[2,7,"Heartbeat",{}]', '[2,"b","MadeUpByThePeer",{}]']


def converse_tolerantly(observer: Observer) -> None:
    """A conversation in which a policy lets much pass."""

    async def main() -> None:
        wire = Wire()
        session = Session(Codec("ocpp2.1").extend(policy=Policy.observe), "csms")
        running = asyncio.create_task(Endpoint(wire, session, router(), "CP001", observer=observer).run())
        wire.put(*QUIRKY)
        await rounds()
        wire.hang_up()
        await running

    run(main())


def test_what_a_policy_lets_pass_is_told_of() -> None:
    one, other = Notes(), Notes()
    converse_tolerantly(Observers(one, other))
    assert [told for told in one.told if told[0] in ("tolerated", "in")] == [
        ("tolerated", "Heartbeat", "unknown_key", "report"),
        ("in", "Heartbeat", "answered", None),
        ("tolerated", "Heartbeat", "message_id_type", "repair"),
        ("in", "Heartbeat", "answered", None),
        ("tolerated", None, "action_unknown", "report"),
        ("in", None, "refused", None),
    ]
    assert one.told == other.told


def converse(observer: Observer) -> None:
    """A conversation with a bit of everything."""

    async def main() -> None:
        wire = Wire()
        session = Session(Codec("ocpp2.1"), "csms", new_id=lambda: "1")
        endpoint = Endpoint(wire, session, router(), "CP001", observer=observer)
        running = asyncio.create_task(endpoint.run())
        call = asyncio.create_task(endpoint.call(v21.ClearCacheRequest()))
        wire.put(*[data for data, _, _ in IN])
        await rounds()
        wire.put('[3,"1",{"status":"Accepted"}]')
        await call
        wire.hang_up()
        await running

    run(main())


def test_an_observer_that_fails_hurts_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Raises(Notes):
        def frame_in(self, *arguments: Any) -> None:
            raise KeyError("x")

        called = connected = disconnected = frame_out = tolerated = frame_in  # type: ignore[assignment]

    converse(Raises())
    assert "the observer failed" in caplog.text


def test_several_are_told_alike() -> None:
    one, other = Notes(), Notes()
    converse(Observers(one, other))
    assert one.told == other.told
    assert len(one.told) > 10


def test_the_log_holds_what_happened_and_nothing_of_the_peer_s(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "ocppcore.aio.traffic"):
        converse(LoggingObserver())
    mine = [record for record in caplog.records if record.name == "ocppcore.aio.traffic"]
    text = "\n".join(record.getMessage() for record in mine)
    for part in ("connected, ocpp2.1", "in  Heartbeat, 22 bytes, answered", "our ClearCache answered", "disconnected"):
        assert part in text
    assert "MadeUpByThePeer" not in text
    caplog.clear()
    with caplog.at_level(logging.DEBUG, "ocppcore.aio.traffic"):
        converse_tolerantly(LoggingObserver())
    text = "\n".join(record.getMessage() for record in caplog.records if record.name == "ocppcore.aio.traffic")
    assert "let pass in Heartbeat (report): unknown_key at a field of its own" in text
    assert "mood" not in text
    assert {record.levelno for record in mine} == {logging.DEBUG, logging.WARNING}


def test_prometheus() -> None:
    need_module("prometheus_client", "prometheus_client")
    from prometheus_client import CollectorRegistry

    from ocppcore.aio.prometheus import PrometheusObserver

    registry = CollectorRegistry()
    observer = PrometheusObserver(registry)
    converse(observer)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert value("ocpp_connections", subprotocol="ocpp2.1") == 0
    assert value("ocpp_frames_in_total", action="Heartbeat", outcome="answered") == 1
    assert value("ocpp_frames_in_total", action="", outcome="invalid") == 1
    assert value("ocpp_invalid_total", kind="unknown_key") == 1
    assert value("ocpp_handling_seconds_count", action="Authorize") == 1
    assert value("ocpp_call_seconds_count", action="ClearCache", outcome="answered") == 1
    assert value("ocpp_frames_out_total") == sum(answers for _, _, answers in IN) + 1
    assert (value("ocpp_bytes_in_total") or 0) > 500
    converse_tolerantly(observer)
    assert value("ocpp_tolerated_total", kind="unknown_key", verdict="report") == 1


def test_opentelemetry() -> None:
    need_module("opentelemetry.sdk", "opentelemetry-sdk")
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from ocppcore.aio.otel import OpenTelemetryObserver

    reader, exporter = InMemoryMetricReader(), InMemorySpanExporter()
    meters, tracers = MeterProvider([reader]), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    observer = OpenTelemetryObserver(meters.get_meter("test"), tracers.get_tracer("test"))
    converse(observer)
    data: Any = reader.get_metrics_data()
    metrics = {metric.name: metric.data.data_points for metric in data.resource_metrics[0].scope_metrics[0].metrics}
    assert [point.value for point in metrics["ocpp.connections"]] == [0]
    assert sum(point.value for point in metrics["ocpp.frames.in"]) == len(IN) + 1
    assert {point.attributes["ocpp.kind"] for point in metrics["ocpp.invalid"]} == {"unknown_key", "action_unknown"}
    assert {point.attributes["ocpp.action"] for point in metrics["ocpp.call.duration"]} == {"ClearCache"}
    spans = {(span.name, span.kind.name): span for span in exporter.get_finished_spans()}
    assert set(spans) == {("Heartbeat", "SERVER"), ("Authorize", "SERVER"), ("ClearCache", "CLIENT")}
    attributes = spans["ClearCache", "CLIENT"].attributes
    assert attributes is not None
    assert attributes["ocpp.identity"] == "CP001"
    assert spans["Authorize", "SERVER"].status.status_code.name == "ERROR"
    converse_tolerantly(observer)
    data = reader.get_metrics_data()
    metrics = {metric.name: metric.data.data_points for metric in data.resource_metrics[0].scope_metrics[0].metrics}
    kinds = {"unknown_key", "message_id_type", "action_unknown"}
    assert {point.attributes["ocpp.kind"] for point in metrics["ocpp.tolerated"]} == kinds
    meters.shutdown()
    tracers.shutdown()


@pytest.mark.parametrize(
    ("module", "library", "extra"),
    [("otel", "opentelemetry", "otel"), ("prometheus", "prometheus_client", "prometheus")],
)
def test_whoever_lacks_an_extra_is_told(module: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib
    import sys

    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"ocppcore.aio.{module}", raising=False)
    with pytest.raises(ModuleNotFoundError, match=rf"pip install 'ocppcore\[{extra}\]'"):
        importlib.import_module(f"ocppcore.aio.{module}")
