"""One station of the demo's day: its connection, its clock, its meter."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

DAY = datetime(2026, 3, 17, tzinfo=UTC)


class Frame(NamedTuple):
    """A frame on the wire: seconds since the day began, station, subprotocol of its connection, bytes, and what is odd about it."""

    second: float
    station: str
    subprotocol: str
    data: bytes
    oddity: str = ""


def at(second: float) -> str:
    """A time of the day as stations write it."""
    return (DAY + timedelta(seconds=int(second))).strftime("%Y-%m-%dT%H:%M:%SZ")


class Connection:
    """One station's connection: numbers its calls, writes in its maker's style, keeps what was said."""

    def __init__(
        self, station: str, subprotocol: str, seed: int, *, spaced: bool = False, long_ids: bool = False
    ) -> None:
        self.station = station
        self.subprotocol = subprotocol
        self.random = Random(f"{seed} {station}")  # text seeds are hashed alike everywhere
        self.frames: list[Frame] = []
        self._separators = (", ", ": ") if spaced else (",", ":")
        self._long_ids = long_ids
        self._count = 0

    def new_id(self) -> str:
        """A message id: a counter from simple firmware, a random one from others."""
        self._count += 1
        return f"{self.random.getrandbits(64):016x}-{self._count:04d}" if self._long_ids else str(self._count)

    def between(self, low: float, high: float) -> float:
        """A random number of a range."""
        return low + (high - low) * self.random.random()

    def put(self, second: float, data: bytes, oddity: str = "") -> None:
        """A frame as it is."""
        self.frames.append(Frame(second, self.station, self.subprotocol, data, oddity))

    def write(self, second: float, frame: list[Any], oddity: str = "") -> None:
        """A frame in the station's style."""
        self.put(second, json.dumps(frame, separators=self._separators).encode(), oddity)

    def exchange(
        self, second: float, action: str, request: Any, response: Any, oddity: str = "", answer_oddity: str = ""
    ) -> None:
        """A CALL, and its CALLRESULT a moment later; no answer where `response` is None."""
        id = self.new_id()
        self.write(second, [2, id, action, request], oddity)
        if response is not None:
            self.write(second + self.between(0.02, 0.4), [3, id, response], answer_oddity)


def meter_values_16(post: Connection, second: float, transaction: int, meter: int) -> dict[str, Any]:
    """A MeterValues request of a three-phase post."""
    samples: list[dict[str, str]] = [
        {"value": str(meter), "context": "Sample.Periodic", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    ]
    for phase in ("L1", "L2", "L3"):
        samples.append(
            {"value": f"{post.between(6, 16):.1f}", "measurand": "Current.Import", "phase": phase, "unit": "A"}
        )
        samples.append({"value": f"{post.between(226, 235):.1f}", "measurand": "Voltage", "phase": phase, "unit": "V"})
    values = [{"timestamp": at(second), "sampledValue": samples}]
    return {"connectorId": 1, "transactionId": transaction, "meterValue": values}


def transaction_event(
    post: Connection, second: float, kind: str, transaction: str, number: int, energy: int
) -> dict[str, Any]:
    """A TransactionEvent request with five samples."""
    power = post.between(20_000, 148_000)
    samples: list[dict[str, Any]] = [
        {"value": energy, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh"}},
        {"value": round(power, 1), "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W"}},
        {"value": round(power / 400, 2), "measurand": "Current.Import", "unitOfMeasure": {"unit": "A"}},
        {"value": round(post.between(380, 410), 1), "measurand": "Voltage", "unitOfMeasure": {"unit": "V"}},
        {
            "value": min(100, 20 + number * 2),
            "measurand": "SoC",
            "location": "EV",
            "unitOfMeasure": {"unit": "Percent"},
        },
    ]
    triggers = {"Started": "Authorized", "Updated": "MeterValuePeriodic", "Ended": "EVCommunicationLost"}
    return {
        "eventType": kind, "timestamp": at(second), "triggerReason": triggers[kind], "seqNo": number,
        "transactionInfo": {"transactionId": transaction, "chargingState": "Charging"},
        "meterValue": [{"timestamp": at(second), "sampledValue": samples}],
    }  # fmt: skip
