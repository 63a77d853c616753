"""A day of a site with stations of three generations, as frames: the demo's input.

The site is invented: six AC posts on 1.6, two DC posts on 2.0.1, two bidirectional ones on 2.1. The same seed gives the same bytes on
every machine and Python. What goes wrong in the day is in `quirks`.
"""

from __future__ import annotations

from typing import Any

from . import quirks
from .station import Connection, Frame, at, meter_values_16, transaction_event

SEED = 2026


def frames(seed: int = SEED) -> list[Frame]:
    """The day's frames in the order in which they crossed the gateway."""
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
