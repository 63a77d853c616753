"""Metrics and spans for OpenTelemetry: `pip install ocppcore[otel]`, and an SDK that exports them.

server = Server(router, observer=OpenTelemetryObserver())
"""

from __future__ import annotations

from ._extras import missing

try:
    from opentelemetry import metrics, trace
    from opentelemetry.trace import SpanKind, StatusCode
except ModuleNotFoundError as error:
    raise missing("otel", error) from None

import time

from .._errors import Finding, OcppError
from ._observe import Called, Received


class OpenTelemetryObserver:
    """Keeps the metrics below with a meter, and makes a span of each CALL, the peer's and ours, with a tracer; of the global providers unless given.

    - `ocpp.connections` by subprotocol
    - `ocpp.frames.in` by action and outcome, `ocpp.frames.out`; `ocpp.bytes.in`, `ocpp.bytes.out`
    - `ocpp.invalid` by kind, the rule that was broken
    - `ocpp.tolerated` by kind and verdict, what a policy let pass or repaired
    - `ocpp.handling.duration` by action and outcome, `ocpp.call.duration` by action and outcome; seconds

    A span is named by its action and carries `ocpp.identity` and `ocpp.outcome`. It is made when the CALL has ended, so what a handler
    records is not its child.
    """

    def __init__(self, meter: metrics.Meter | None = None, tracer: trace.Tracer | None = None) -> None:
        meter = meter or metrics.get_meter("ocppcore")
        self._tracer = tracer or trace.get_tracer("ocppcore")
        self._connections = meter.create_up_down_counter("ocpp.connections")
        self._frames_in = meter.create_counter("ocpp.frames.in")
        self._frames_out = meter.create_counter("ocpp.frames.out")
        self._bytes_in = meter.create_counter("ocpp.bytes.in", "By")
        self._bytes_out = meter.create_counter("ocpp.bytes.out", "By")
        self._invalid = meter.create_counter("ocpp.invalid")
        self._tolerated = meter.create_counter("ocpp.tolerated")
        self._handling = meter.create_histogram("ocpp.handling.duration", "s")
        self._calls = meter.create_histogram("ocpp.call.duration", "s")

    def connected(self, identity: str, subprotocol: str) -> None:
        self._connections.add(1, {"ocpp.subprotocol": subprotocol})

    def disconnected(self, identity: str, subprotocol: str) -> None:
        self._connections.add(-1, {"ocpp.subprotocol": subprotocol})

    def frame_in(
        self,
        identity: str,
        action: str | None,
        size: int,
        outcome: Received,
        duration: float,
        finding: OcppError | None,
    ) -> None:
        attributes = {"ocpp.action": action or "", "ocpp.outcome": outcome}
        self._frames_in.add(1, attributes)
        self._bytes_in.add(size)
        if finding is not None:
            self._invalid.add(1, {"ocpp.kind": finding.kind})
        if action is not None and outcome in ("answered", "refused", "failed"):
            self._handling.record(duration, attributes)
            self._span(SpanKind.SERVER, identity, action, outcome, duration)

    def tolerated(self, identity: str, action: str | None, finding: Finding) -> None:
        self._tolerated.add(1, {"ocpp.kind": finding.kind, "ocpp.verdict": finding.verdict or ""})

    def frame_out(self, identity: str, size: int) -> None:
        self._frames_out.add(1)
        self._bytes_out.add(size)

    def called(self, identity: str, action: str, outcome: Called, duration: float, finding: OcppError | None) -> None:
        self._calls.record(duration, {"ocpp.action": action, "ocpp.outcome": outcome})
        self._span(SpanKind.CLIENT, identity, action, outcome, duration)

    def _span(self, kind: SpanKind, identity: str, action: str, outcome: str, duration: float) -> None:
        now = time.time_ns()
        attributes = {"ocpp.identity": identity, "ocpp.outcome": outcome}
        span = self._tracer.start_span(action, kind=kind, attributes=attributes, start_time=now - round(duration * 1e9))
        if outcome != "answered":
            span.set_status(StatusCode.ERROR, outcome)
        span.end(now)
