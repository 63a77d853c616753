"""A day of a site with stations of three generations, as frames: the demo's input.

The site is invented: six AC posts on 1.6, two DC posts on 2.0.1, two bidirectional ones on 2.1. The same seed gives the same bytes on
every machine and Python. What goes wrong in the day is in `quirks`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

DAY = datetime(2026, 3, 17, tzinfo=UTC)
SEED = 2026


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


def frames(seed: int = SEED) -> list[Frame]:
    """The day's frames in the order in which they crossed the gateway."""
    from . import quirks

    connections = [_ac_post(number, seed) for number in range(1, 7)]
    connections += [_dc_post(number, seed) for number in range(1, 3)]
    connections += [_v2x_post(number, seed) for number in range(1, 3)]
    quirks.add({connection.station: connection for connection in connections})
    day = [frame for connection in connections for frame in connection.frames]
    return sorted(day, key=lambda frame: (frame.second, frame.station))


def _heartbeats(connection: Connection, every: int) -> None:
    for second in range(every, 86_400, every):
        second_ = second + connection.between(0, 20)
        connection.exchange(second_, "Heartbeat", {}, {"currentTime": at(second_)})


# OCPP 1.6


def _ac_post(number: int, seed: int) -> Connection:
    # Odd ones come from a maker that counts its messages, even ones from one that writes JSON with spaces.
    post = Connection(f"AC-{number:02d}", "ocpp1.6", seed, spaced=number % 2 == 0, long_ids=number % 2 == 0)
    boot = {
        "chargePointVendor": "Voltrand" if number % 2 else "Lindqvist Laddning",
        "chargePointModel": "VR-22" if number % 2 else "Stolpe 2",
        "chargePointSerialNumber": f"{number:06d}",
        "firmwareVersion": "4.11.0",
    }
    post.exchange(number, "BootNotification", boot, {"status": "Accepted", "currentTime": at(number), "interval": 1800})
    _status_16(post, number + 2, "Available")
    ask = {"key": ["HeartbeatInterval", "MeterValueSampleInterval"]}
    told = [
        {"key": "HeartbeatInterval", "readonly": False, "value": "1800"},
        {"key": "MeterValueSampleInterval", "readonly": False, "value": "300"},
    ]
    post.exchange(number + 8, "GetConfiguration", ask, {"configurationKey": told, "unknownKey": []})
    _heartbeats(post, 1800)
    for visit in range(2):
        _visit_16(post, 7.5 * 3600 + visit * 8 * 3600 + post.between(0, 7200), number * 100 + visit)
    return post


def _status_16(post: Connection, second: float, status: str) -> None:
    post.exchange(
        second, "StatusNotification",
        {"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": at(second)}, {},
    )  # fmt: skip


def _visit_16(post: Connection, begin: float, transaction: int) -> None:
    tag = f"04{post.random.getrandbits(48):012X}"
    meter = int(post.between(10_000, 900_000))
    _status_16(post, begin, "Preparing")
    post.exchange(begin + 4, "Authorize", {"idTag": tag}, {"idTagInfo": {"status": "Accepted"}})
    start = {"connectorId": 1, "idTag": tag, "meterStart": meter, "timestamp": at(begin + 6)}
    post.exchange(
        begin + 6, "StartTransaction", start, {"transactionId": transaction, "idTagInfo": {"status": "Accepted"}}
    )
    _status_16(post, begin + 8, "Charging")
    # One decimal, as the tenths of an ampere that a load balancer deals out.
    periods = [{"startPeriod": 0, "limit": round(post.between(6, 32), 1)}, {"startPeriod": 3600, "limit": 16.1}]
    profile = {
        "chargingProfileId": 1, "transactionId": transaction, "stackLevel": 1, "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative", "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": periods},
    }  # fmt: skip
    post.exchange(
        begin + 15, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile}, {"status": "Accepted"}
    )
    second = begin
    for _ in range(int(post.between(18, 40))):
        second += 300
        meter += int(post.between(300, 900))
        post.exchange(second, "MeterValues", meter_values_16(post, second, transaction, meter), {})
    stop = {
        "transactionId": transaction,
        "idTag": tag,
        "meterStop": meter,
        "timestamp": at(second + 60),
        "reason": "EVDisconnected",
    }
    post.exchange(second + 60, "StopTransaction", stop, {"idTagInfo": {"status": "Accepted"}})
    _status_16(post, second + 90, "Available")


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


# OCPP 2.x


def _boot_2x(post: Connection, second: float, model: str, serial: str) -> None:
    station = {"model": model, "vendorName": "Havelkraft", "serialNumber": serial, "firmwareVersion": "7.2.1"}
    post.exchange(
        second, "BootNotification", {"reason": "PowerUp", "chargingStation": station},
        {"currentTime": at(second), "interval": 900, "status": "Accepted"},
    )  # fmt: skip
    _status_2x(post, second + 2, "Available")


def _status_2x(post: Connection, second: float, status: str) -> None:
    request = {"timestamp": at(second), "connectorStatus": status, "evseId": 1, "connectorId": 1}
    post.exchange(second, "StatusNotification", request, {})


def _dc_post(number: int, seed: int) -> Connection:
    post = Connection(f"DC-{number:02d}", "ocpp2.0.1", seed, long_ids=True)
    _boot_2x(post, 20 + number, "HK 150", f"HK-{number:05d}")
    asked = [{"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}]
    told = [{"attributeStatus": "Accepted", "attributeValue": "900", **asked[0]}]
    post.exchange(40, "GetVariables", {"getVariableData": asked}, {"getVariableResult": told})
    post.exchange(60, "GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}, {"status": "Accepted"})
    for part in range(8):
        report = [_reported(part * 12 + row) for row in range(12)]
        request = {"requestId": 1, "generatedAt": at(62), "seqNo": part, "tbc": part < 7, "reportData": report}
        post.exchange(62 + part, "NotifyReport", request, {})
    _heartbeats(post, 900)
    event = {"type": "SettingSystemTime", "timestamp": at(3 * 3600), "techInfo": "NTP, drift 0.8 s"}
    post.exchange(3 * 3600, "SecurityEventNotification", event, {})
    for visit in range(7):
        _visit_2x(post, 6 * 3600 + visit * 2 * 3600 + post.between(0, 3600), 60, 30)
    return post


def _reported(row: int) -> dict[str, Any]:
    return {
        "component": {"name": "ChargingStation" if row < 30 else "EVSE", "evse": {"id": 1}},
        "variable": {"name": f"Reading{row}"},
        "variableAttribute": [{"type": "Actual", "value": str(row * 7 % 100), "mutability": "ReadOnly"}],
        "variableCharacteristics": {"dataType": "integer", "supportsMonitoring": row % 3 == 0, "unit": "Percent"},
    }


def _visit_2x(post: Connection, begin: float, every: int, most: int) -> None:
    transaction = f"{post.random.getrandbits(96):024x}"
    token = {"idToken": f"DE-HVK-C{post.random.getrandbits(32):08X}-1", "type": "eMAID"}
    _status_2x(post, begin, "Occupied")
    post.exchange(begin + 3, "Authorize", {"idToken": token}, {"idTokenInfo": {"status": "Accepted"}})
    energy = int(post.between(1_000, 9_000_000))
    last = int(post.between(12, most))
    for number in range(last + 1):
        second = begin + 5 + number * every
        kind = "Started" if number == 0 else "Ended" if number == last else "Updated"
        energy += int(post.between(200, 2400))
        request = transaction_event(post, second, kind, transaction, number, energy)
        if number == 0:
            request |= {"idToken": token, "evse": {"id": 1, "connectorId": 1}}
        response = {"idTokenInfo": {"status": "Accepted"}} if number == 0 else {}
        post.exchange(second, "TransactionEvent", request, response)
    _status_2x(post, begin + 40 + last * every, "Available")


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


def _v2x_post(number: int, seed: int) -> Connection:
    post = Connection(f"V2X-{number:02d}", "ocpp2.1", seed, long_ids=True)
    _boot_2x(post, 30 + number, "HK Duo", f"HD-{number:05d}")
    _heartbeats(post, 900)
    stream = {"id": 1, "variableMonitoringId": 7, "params": {"interval": 60, "values": 10}}
    post.exchange(120, "OpenPeriodicEventStream", {"constantStreamData": stream}, {"status": "Accepted"})
    for minute in range(5, 1440, 10):
        second = minute * 60.0
        data = [{"t": step, "v": f"{post.between(49.95, 50.05):.3f}"} for step in range(0, 600, 60)]
        post.write(
            second,
            [
                6,
                post.new_id(),
                "NotifyPeriodicEventStream",
                {"id": 1, "pending": 0, "basetime": at(second), "data": data},
            ],
        )
    for visit in range(2):
        begin = 8 * 3600 + visit * 7 * 3600 + post.between(0, 3600)
        v2x = {"requestedEnergyTransfer": "AC_BPT", "departureTime": at(begin + 4 * 3600)}
        post.exchange(begin - 1, "NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": v2x}, {"status": "Processing"})
        period = {"startPeriod": 0, "operationMode": "CentralSetpoint", "setpoint": -7400.0}
        schedule = {
            "id": 1,
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [period, {"startPeriod": 3600, "limit": 11000}],
        }
        profile = {
            "id": 3, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute",
            "chargingSchedule": [schedule],
        }  # fmt: skip
        request = {"evseId": 1, "chargingProfile": profile}
        post.exchange(begin + 20, "SetChargingProfile", request, {"status": "Accepted"})
        _visit_2x(post, begin, 300, 45)
    alarm = {"controlType": "FreqDroop", "timestamp": at(15 * 3600), "gridEventFault": "OverFrequency"}
    post.exchange(15 * 3600 + number, "NotifyDERAlarm", alarm, {})
    return post
