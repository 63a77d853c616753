"""What goes wrong on the demo's day: habits of real stations and systems, in frames of our own.

Each has been seen in the field and reported in public; the words beside it say what is odd. Some of it the rules allow.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .station import at, meter_values_16, transaction_event

if TYPE_CHECKING:
    from .station import Connection


def add(connections: dict[str, Connection]) -> None:
    """Put the day's oddities into the conversations of the stations."""
    _simple_firmware(connections["AC-01"])
    _local_clock(connections["AC-03"])
    _careless_json(connections["AC-05"])
    _loose_types(connections["AC-04"])
    _odd_answers(connections["AC-02"])
    _old_habits(connections["DC-01"])
    _large_and_empty(connections["DC-02"])
    _new_ground(connections["V2X-01"])
    _odd_text(connections["V2X-02"])


def _metered(post: Connection, second: float, transaction: int = 4711) -> dict[str, Any]:
    return meter_values_16(post, second, transaction, 512_000)


def _simple_firmware(post: Connection) -> None:
    """A station whose firmware knows little of the schemas."""
    second = 6.1 * 3600
    status = {"connectorId": 1, "errorCode": "Error", "status": "Faulted"}
    post.exchange(second, "StatusNotification", status, None, "an error code of its own")
    post.exchange(
        second + 60, "Authorize", {"idTag": "SN:04A1B2C3D4E5F60718293A"}, None, "a card number that is too long"
    )
    frequency = _metered(post, second + 120)
    frequency["meterValue"][0]["sampledValue"].append({"value": "50.0", "measurand": "Frequency", "unit": "Hz"})
    post.exchange(second + 120, "MeterValues", frequency, None, "hertz, which 1.6 has no unit for")
    post.write(second + 180, [2, post.new_id(), "heartbeat", {}], "an action in lower case")
    post.write(second + 200, [2, post.new_id(), "Heartbeat", None], "null for an empty payload")
    post.write(second + 220, [1, post.new_id(), "Heartbeat", {}], "a message type that does not exist")
    empty = {"chargePointVendor": "", "chargePointModel": "VR-22"}
    post.exchange(
        second + 300, "BootNotification", empty, {"status": "Accepted", "currentTime": at(second), "interval": 1800},
        "no maker's name: allowed",
    )  # fmt: skip


def _local_clock(post: Connection) -> None:
    """A station that writes the time in every way but one."""
    second = 6.4 * 3600
    for number, (stamp, oddity) in enumerate(
        (
            ("2026-03-17T06:24:00.377", "a time without its zone"),
            ("2026-03-17T07:24:00+01", "an offset without minutes"),
            ("2026-03-17 06:26:00Z", "a blank between date and time"),
            ("2026-03-17T06:27:00.1234567Z", "seven digits of a second: allowed"),
            ("1970-01-01T00:00:41Z", "a clock that was never set: allowed"),
        )
    ):
        request = _metered(post, second)
        request["meterValue"][0]["timestamp"] = stamp
        response: dict[str, Any] | None = {} if oddity.endswith("allowed") else None
        post.exchange(second + number * 60, "MeterValues", request, response, oddity)


def _careless_json(post: Connection) -> None:
    """A station that writes JSON by hand."""
    second = 6.7 * 3600
    text = json.dumps([2, post.new_id(), "MeterValues", _metered(post, second)], separators=(",", ":"))
    post.put(second, text.replace(":4711,", ":,").encode(), "a number left out")
    post.put(second + 60, text[: len(text) * 2 // 3].encode(), "cut off on the way")
    post.put(second + 90, text[:-2].encode(), "its last two brackets missing")
    stop = f'[2,"{post.new_id()}","DataTransfer",{{"vendorId":"com.voltrand","data":"log\x00"}}]'
    post.put(second + 120, stop.encode(), "a NUL byte inside a string")
    post.put(second + 180, b"", "an empty message")
    post.put(second + 240, b'{"action":"Heartbeat"}', "an object instead of a frame")


def _loose_types(post: Connection) -> None:
    """A station that takes numbers for text and single values for lists."""
    second = 6.9 * 3600
    single = _metered(post, second)
    single["meterValue"] = single["meterValue"][0]
    post.exchange(second, "MeterValues", single, None, "one value where a list belongs")
    number = _metered(post, second)
    number["meterValue"][0]["sampledValue"][2]["value"] = 229.8
    post.exchange(second + 60, "MeterValues", number, None, "a number where text belongs")
    null = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "info": None}
    post.exchange(second + 120, "StatusNotification", null, None, "null for something absent")
    huge = _metered(post, second, 9223372036854775807)
    post.exchange(second + 180, "MeterValues", huge, {}, "the largest transaction number there is: allowed")
    long = {
        "chargePointVendor": "Lindqvist Laddning",
        "chargePointModel": "Stolpe 2",
        "chargePointSerialNumber": "L" * 31,
    }
    post.exchange(second + 240, "BootNotification", long, None, "a serial number that is too long")


def _odd_answers(post: Connection) -> None:
    """A station whose answers need care: they cannot be refused in 1.6."""
    second = 7.1 * 3600
    typed = [{"key": "LocalPreAuthorize", "readonly": False, "value": True}]
    post.exchange(
        second, "GetConfiguration", {"key": ["LocalPreAuthorize"]}, {"configurationKey": typed, "unknownKey": []},
        answer_oddity="a boolean where text belongs",
    )  # fmt: skip
    change = {"key": "HeartbeatInterval", "value": "1800"}
    post.exchange(
        second + 60,
        "ChangeConfiguration",
        change,
        {"status": "Accepted", **change},
        answer_oddity="the question sent back",
    )
    start = {"connectorId": 1, "idTag": "0400AA00BB00CC"}
    id = post.new_id()
    post.write(second + 120, [2, id, "RemoteStartTransaction", start])
    post.write(second + 121, [4, id, "InternalError", "no contactor"], "a refusal without its details")
    post.write(second + 180, [3, "from-last-night", {}], "an answer that nobody waits for: allowed")


def _old_habits(post: Connection) -> None:
    """A station that was updated from 1.6 and has not noticed everywhere."""
    second = 4.5 * 3600
    old = {"chargePointVendor": "Havelkraft", "chargePointModel": "HK 150"}
    post.exchange(second, "BootNotification", old, None, "the shape of 1.6")
    own = {
        "timestamp": at(second),
        "connectorStatus": "Available",
        "evseId": 1,
        "connectorId": 1,
        "customData": {"bay": 4},
    }
    post.exchange(second + 60, "StatusNotification", own, None, "custom data that does not say whose")
    case = {"timestamp": at(second), "connectorStatus": "AVAILABLE", "evseId": 1, "connectorId": 1}
    post.exchange(second + 120, "StatusNotification", case, None, "an enumeration in capitals")
    post.write(second + 180, [2, 17, "Heartbeat", {}], "a number for a message id")
    post.write(second + 240, [6, post.new_id(), "NotifyEvent", {}], "a message type of 2.1")
    vendor = {"vendorId": "de.havelkraft", "messageId": "Bay", "data": {"bay": 4, "free": None}}
    post.exchange(second + 300, "DataTransfer", vendor, {"status": "Accepted"}, "nulls of a vendor's own: allowed")


def _large_and_empty(post: Connection) -> None:
    """Meter data of extreme sizes."""
    second = 4.7 * 3600
    signed = transaction_event(post, second, "Updated", "f00d", 3, 81_000)
    signed["meterValue"][0]["sampledValue"][0]["signedMeterValue"] = {
        "signedMeterData": "QUJD" * 693, "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "",
    }  # fmt: skip
    post.exchange(second, "TransactionEvent", signed, None, "signed data that is too long")
    empty = transaction_event(post, second, "Updated", "f00d", 4, 81_000)
    empty["meterValue"] = []
    post.exchange(second + 60, "TransactionEvent", empty, None, "an empty list of values")
    quoted = transaction_event(post, second, "Updated", "f00d", 5, 81_000)
    quoted["meterValue"][0]["sampledValue"][1]["value"] = "81000"
    post.exchange(second + 120, "TransactionEvent", quoted, None, "text where a number belongs, as in 1.6")
    fraction = transaction_event(post, second, "Updated", "f00d", 6, 81_000)
    fraction["seqNo"] = 6.0
    post.exchange(second + 180, "TransactionEvent", fraction, {}, "6.0 for a whole number: allowed")


def _new_ground(post: Connection) -> None:
    """2.1 lets a faulty answer be refused, and a SEND be lost."""
    second = 5.2 * 3600
    post.exchange(
        second,
        "GetDERControl",
        {"requestId": 5},
        {"status": "Perhaps"},
        answer_oddity="an answer outside its enumeration",
    )
    data: dict[str, Any] = {"id": 1, "pending": -1, "basetime": at(second), "data": [{"t": 0, "v": "50.0"}]}
    post.write(second + 60, [6, post.new_id(), "NotifyPeriodicEventStream", data], "a negative count")
    id = post.new_id()
    post.write(second + 120, [2, id, "VatNumberValidation", {"vatNumber": "DE123456789"}])
    post.write(second + 121, [3, id, {"vatNumber": "DE123456789", "status": "Accepted"}])
    post.write(second + 122, [5, id, "InternalError", "no such customer", {}], "a refusal of an answer: allowed")


def _odd_text(post: Connection) -> None:
    """Text that a program wrote which does not know text."""
    second = 5.4 * 3600
    start = f'[2,"{post.new_id()}","SecurityEventNotification",{{"type":"StartupOfTheDevice","timestamp":"{at(second)}"'
    post.put(second, (start + ',"type":"StartupOfTheDevice"}]').encode(), "a key given twice")
    post.put(second + 60, (start + ',"techInfo":"bay \\ud83d"}]').encode(), "half of an emoji")
    post.put(second + 120, (start + ',"techInfo":"B').encode() + b'\xfcro"}]', "text that is not UTF-8")
    nested = '{"vendorId":"de.havelkraft","tree":' + "[" * 70 + "]" * 70 + "}"
    post.put(second + 180, f'{start},"customData":{nested}}}]'.encode(), "brackets 70 deep")
