"""Metrics for Prometheus: `pip install ocppcore[prometheus]`.

    server = Server(router, observer=PrometheusObserver())

An identity is no label, since a metric would then have as many series as there are stations.
"""

from __future__ import annotations

from ._extras import missing

try:
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
except ModuleNotFoundError as error:
    raise missing("prometheus", error) from None

from .._errors import Finding, OcppError
from ._observe import Called, Received


class PrometheusObserver:
    """Keeps these metrics in a registry, the default one unless given. Make one per registry.

    - `ocpp_connections{subprotocol}`: gauge
    - `ocpp_frames_in_total{action, outcome}`, `ocpp_frames_out_total`: counters
    - `ocpp_bytes_in_total`, `ocpp_bytes_out_total`: counters
    - `ocpp_invalid_total{kind}`: counter of invalid messages, by the rule that was broken
    - `ocpp_tolerated_total{kind, verdict}`: counter of what a policy let pass or repaired
    - `ocpp_handling_seconds{action}`: histogram, from a CALL of the peer until its answer
    - `ocpp_call_seconds{action, outcome}`: histogram of our CALLs
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._connections = Gauge("ocpp_connections", "Open connections", ["subprotocol"], registry=registry)
        self._frames_in = Counter("ocpp_frames_in", "Messages received", ["action", "outcome"], registry=registry)
        self._frames_out = Counter("ocpp_frames_out", "Messages sent", registry=registry)
        self._bytes_in = Counter("ocpp_bytes_in", "Bytes received", registry=registry)
        self._bytes_out = Counter("ocpp_bytes_out", "Bytes sent", registry=registry)
        self._invalid = Counter("ocpp_invalid", "Invalid messages received", ["kind"], registry=registry)
        labels = ["kind", "verdict"]
        self._tolerated = Counter("ocpp_tolerated", "Faults let pass or repaired", labels, registry=registry)
        self._handling = Histogram("ocpp_handling_seconds", "From a CALL to its answer", ["action"], registry=registry)
        self._calls = Histogram("ocpp_call_seconds", "Our own CALLs", ["action", "outcome"], registry=registry)

    def connected(self, identity: str, subprotocol: str) -> None:
        self._connections.labels(subprotocol).inc()

    def disconnected(self, identity: str, subprotocol: str) -> None:
        self._connections.labels(subprotocol).dec()

    def frame_in(
        self,
        identity: str,
        action: str | None,
        size: int,
        outcome: Received,
        duration: float,
        finding: OcppError | None,
    ) -> None:
        self._frames_in.labels(action or "", outcome).inc()
        self._bytes_in.inc(size)
        if finding is not None:
            self._invalid.labels(finding.kind).inc()
        if outcome in ("answered", "refused"):
            self._handling.labels(action or "").observe(duration)

    def tolerated(self, identity: str, action: str | None, finding: Finding) -> None:
        self._tolerated.labels(finding.kind, finding.verdict).inc()

    def frame_out(self, identity: str, size: int) -> None:
        self._frames_out.inc()
        self._bytes_out.inc(size)

    def called(self, identity: str, action: str, outcome: Called, duration: float, finding: OcppError | None) -> None:
        self._calls.labels(action, outcome).observe(duration)
