"""Six kinds of frames, two hundred different ones each, as stations write them: compact, in the schema's order.

A run of a benchmark takes a fresh seed and says it (`run_seed`); instructions are counted over frames of a fixed one.
"""

from __future__ import annotations

import json
import os
import secrets
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

COUNT = 200
START = datetime(2026, 3, 1, tzinfo=UTC)


class Kind(NamedTuple):
    """One kind of frame: what to call it, the subprotocol and action it belongs to, and its frames."""

    name: str
    subprotocol: str
    action: str
    frames: list[bytes]


SEED = "OCPPCORE_BENCH_SEED"


def run_seed() -> str:
    """The seed of this run and of the processes that it starts: what the environment says, to repeat a run, else a fresh one."""
    return os.environ.setdefault(SEED, secrets.token_hex(4))


def all_kinds(seed: int | str = 2026, count: int = COUNT) -> list[Kind]:
    """The six kinds that issue and results name, with so many frames each."""
    made = {
        ("ocpp1.6", "Heartbeat", ""): heartbeat,
        ("ocpp1.6", "BootNotification", ""): boot_notification,
        ("ocpp1.6", "StatusNotification", ""): status_notification,
        ("ocpp1.6", "MeterValues", " 3×8"): meter_values,
        ("ocpp2.0.1", "TransactionEvent", " 8 samples"): transaction_event,
        ("ocpp2.0.1", "NotifyReport", " 20 rows"): notify_report,
    }
    kinds: list[Kind] = []
    for (subprotocol, action, size), make in made.items():
        random = Random(f"{seed} {action}")
        frames = [
            json.dumps([2, uuid(random), action, make(random, number)], separators=(",", ":")).encode()
            for number in range(count)
        ]
        assert len(set(frames)) == count
        kinds.append(Kind(action + size, subprotocol, action, frames))
    return kinds


def uuid(random: Random) -> str:
    """An id as most stations make them: 36 characters."""
    digits = f"{random.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def text(random: Random, length: int) -> str:
    """Letters and digits."""
    return "".join(random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=length))


def time(random: Random, number: int) -> str:
    """A time of that day; half of the stations write milliseconds."""
    moment = START + timedelta(seconds=number * 300 + random.random() * 60)
    if random.random() < 0.5:
        return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def heartbeat(_random: Random, _number: int) -> dict[str, Any]:
    return {}


def boot_notification(random: Random, number: int) -> dict[str, Any]:
    return {
        "chargePointVendor": random.choice(["Alpha Charging", "Beta Energy", "Gamma", "Delta EV Systems"]),
        "chargePointModel": f"Model {text(random, random.randint(2, 10))}",
        "chargePointSerialNumber": text(random, random.randint(12, 25)),
        "chargeBoxSerialNumber": text(random, random.randint(12, 25)),
        "firmwareVersion": f"{random.randint(1, 9)}.{random.randint(0, 30)}.{number}-{text(random, 8).lower()}",
        "iccid": str(random.randrange(10**18, 10**19)),
        "imsi": str(random.randrange(10**14, 10**15)),
        "meterType": random.choice(["DZG DVH4013", "Iskra WM3M4", "Eastron SDM630"]),
        "meterSerialNumber": text(random, random.randint(10, 25)),
    }


def status_notification(random: Random, number: int) -> dict[str, Any]:
    return {
        "connectorId": random.randint(0, 4),
        "errorCode": random.choice(
            ["NoError", "NoError", "GroundFailure", "HighTemperature", "WeakSignal", "OtherError"]
        ),
        "info": text(random, random.randint(5, 40)),
        "status": random.choice(["Available", "Preparing", "Charging", "SuspendedEV", "Finishing", "Faulted"]),
        "timestamp": time(random, number),
        "vendorId": random.choice(["com.alpha", "org.beta.ev", "net.gamma"]),
        "vendorErrorCode": text(random, random.randint(3, 10)),
    }


MEASURED = [
    ("Energy.Active.Import.Register", "Wh", None),
    ("Power.Active.Import", "W", None),
    ("Current.Import", "A", "L1"),
    ("Current.Import", "A", "L2"),
    ("Current.Import", "A", "L3"),
    ("Voltage", "V", "L1-N"),
    ("Voltage", "V", "L2-N"),
    ("SoC", "Percent", None),
]


def meter_values(random: Random, number: int) -> dict[str, Any]:
    def sample(measurand: str, unit: str, phase: str | None) -> dict[str, Any]:
        value = {"value": f"{random.uniform(0, 50_000):.{random.randint(0, 3)}f}", "context": "Sample.Periodic"}
        value |= {"format": "Raw", "measurand": measurand}
        if phase:
            value["phase"] = phase
        return value | {"location": random.choice(["Outlet", "Inlet"]), "unit": unit}

    return {
        "connectorId": random.randint(1, 4),
        "transactionId": random.randint(1, 10**8),
        "meterValue": [
            {"timestamp": time(random, number), "sampledValue": [sample(*measured) for measured in MEASURED]}
            for _ in range(3)
        ],
    }


def transaction_event(random: Random, number: int) -> dict[str, Any]:
    def sample(measurand: str, unit: str, phase: str | None) -> dict[str, Any]:
        value: dict[str, Any] = {"value": round(random.uniform(0, 50_000), random.randint(0, 3))}
        value |= {"context": "Sample.Periodic", "measurand": measurand}
        if phase:
            value["phase"] = phase
        return value | {"location": "Outlet", "unitOfMeasure": {"unit": unit, "multiplier": 0}}

    return {
        "eventType": random.choice(["Started", "Updated", "Ended"]),
        "meterValue": [
            {"sampledValue": [sample(*measured) for measured in MEASURED], "timestamp": time(random, number)}
        ],
        "timestamp": time(random, number),
        "triggerReason": random.choice(["MeterValuePeriodic", "ChargingStateChanged", "Authorized", "CablePluggedIn"]),
        "seqNo": number,
        "offline": random.random() < 0.1,
        "transactionInfo": {
            "transactionId": uuid(random),
            "chargingState": random.choice(["Charging", "EVConnected", "SuspendedEV", "Idle"]),
            "timeSpentCharging": random.randint(0, 40_000),
        },
        "evse": {"id": random.randint(1, 4), "connectorId": 1},
        "idToken": {"idToken": text(random, 14), "type": random.choice(["ISO14443", "eMAID", "Central"])},
    }


def notify_report(random: Random, number: int) -> dict[str, Any]:
    def row(at: int) -> dict[str, Any]:
        return {
            "component": {
                "evse": {"id": random.randint(1, 4), "connectorId": 1},
                "name": random.choice(
                    ["Connector", "EVSE", "ChargingStation", "AuthCtrlr", "OCPPCommCtrlr", "SmartChargingCtrlr"]
                ),
                "instance": text(random, random.randint(3, 12)),
            },
            "variable": {
                "name": random.choice(
                    [
                        "AvailabilityState",
                        "SupplyPhases",
                        "Power",
                        "HeartbeatInterval",
                        "Enabled",
                        "LimitChangeSignificance",
                    ]
                ),
                "instance": f"{at}",
            },
            "variableAttribute": [
                {
                    "type": random.choice(["Actual", "Target", "MinSet", "MaxSet"]),
                    "value": text(random, random.randint(1, 30)),
                    "mutability": random.choice(["ReadOnly", "WriteOnly", "ReadWrite"]),
                    "persistent": random.random() < 0.5,
                    "constant": random.random() < 0.5,
                }
            ],
            "variableCharacteristics": {
                "unit": random.choice(["s", "W", "A", "Percent"]),
                "dataType": random.choice(["string", "decimal", "integer", "boolean", "OptionList"]),
                "minLimit": float(random.randint(0, 10)),
                "maxLimit": round(random.uniform(10, 100_000), 2),
                "supportsMonitoring": random.random() < 0.5,
            },
        }

    return {
        "requestId": random.randint(1, 10**6),
        "generatedAt": time(random, number),
        "reportData": [row(at) for at in range(20)],
        "tbc": number % 2 == 0,
        "seqNo": number,
    }
