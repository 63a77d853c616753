"""Repairs of hostile texts: each takes time linear in the size of the text, on its own and where it cannot be made."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import process_time
from typing import Any

import pytest

from ocppcore import Codec, OcppError, Policy, _tolerant
from ocppcore._repairs import REPAIRS

SMALL, LARGE = 3_000, 24_000
# Eight times the text: eight times the work, with room for noise; sixty-four times if it were quadratic.
MOST_TIMES_LONGER = 24

METER = '[2,"1","MeterValues",{"connectorId":1,"meterValue":[%s]}]'
SAMPLES = METER % '{"timestamp":"2026-08-04T13:35:45Z","sampledValue":[%s]}'
TIME = METER % '{"timestamp":"%s","sampledValue":[{"value":"1"}]}'
BOOT = '[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M",%s}]'
PERIODS = (
    '[2,"1","SetChargingProfile",{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile",'
    '"chargingProfileKind":"Relative","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[%s]}}}]'
)


def times(part: str, length: int) -> str:
    """The part so often that it makes the length, with commas between."""
    return ",".join([part] * (length // len(part)))


def in_other_cases(name: str, length: int) -> str:
    """Members whose keys are the name in ever other letter cases."""
    keys = (
        "".join(c.upper() if number >> bit & 1 else c for bit, c in enumerate(name))
        for number in range(1, length // len(name))
    )
    return ",".join(f'"{key}":"a"' for key in keys)


CONTROL, SLASH_Q = "\x01", "\\q"

HOSTILE: dict[str, list[Callable[[int], str]]] = {
    "as_string": [lambda n: SAMPLES % times('{"value":1}', n), lambda n: f'[2,{"1" * n},"Heartbeat",{{}}]'],
    "as_number": [lambda n: PERIODS % times('{"startPeriod":"0","limit":"1"}', n), lambda n: PERIODS % f'{{"startPeriod":"{"1" * n}","limit":1}}'],
    "as_boolean": [lambda n: f'[2,"1","GetConfiguration",{{"key":[{times("true", n)}]}}]'],
    "integral": [lambda n: PERIODS % times('{"startPeriod":1.0,"limit":1}', n), lambda n: PERIODS % f'{{"startPeriod":1.{"0" * n},"limit":1}}'],
    "wrap": [lambda n: METER % times('{"timestamp":"2026-08-04T13:35:45Z","sampledValue":{"value":"1"}}', n),
             lambda n: METER % f'{{"timestamp":"2026-08-04T13:35:45Z","sampledValue":{{"value":"1","more":[{times("1", n)}]}}}}'],
    "drop_null": [lambda n: SAMPLES % times('{"value":"1","unit":null}', n)],
    "drop_empty": [lambda n: SAMPLES % times('{"value":"1","unit":""}', n), lambda n: BOOT % f'"meterType":[{" " * n}]'],
    "letter_case": [lambda n: SAMPLES % times('{"VALUE":"1","unit":"wh"}', n), lambda n: BOOT % in_other_cases("chargepointserialnumber", n)],
    "replace": [lambda n: SAMPLES % times('{"value":"1","unit":"Hertz"}', n)],
    "date_separator": [lambda n: TIME % f'2026-08-04{" " * n}13:35:45Z'],
    "zone_minutes": [lambda n: TIME % f'2026-08-04T13:35:45.{"0" * n}+02', lambda n: TIME % (":00.0" * (n // 5))],
    "assume_utc": [lambda n: TIME % f'2026-08-04T13:35:45.{"0" * n}', lambda n: TIME % ("T00:00:00" * (n // 9))],
    "empty_payload": [lambda n: f'[2,"1","Heartbeat",null{" " * n}]'],
    "fill_error": [lambda n: f'[4,"1","{"E" * n}"]'],
    "error_fields": [lambda n: f'[4,"1","E",null,[{times("1", n)}]]'],
    "drop_surplus": [lambda n: f'[2,"1","Heartbeat",{{}},{times("1", n)}]'],
    "stray_comma": [lambda n: SAMPLES % times('{"value":"1",}', n), lambda n: f'[2,"1","Heartbeat",{{{"," * n}}}]',
                    lambda n: SAMPLES % ("," * 300 + times('{"value":"1"}', n))],
    "missing_value": [lambda n: BOOT % times('"more":', n), lambda n: BOOT % ('"more":,' * 500 + '"meterType":"' + "a" * n + '"')],
    "control_character": [lambda n: BOOT % f'"meterType":"{CONTROL * n}"', lambda n: BOOT % f'"meterType":"{CONTROL * 300}{"a" * n}"'],
    "lone_backslash": [lambda n: BOOT % f'"meterType":"{SLASH_Q * n}"', lambda n: BOOT % f'"meterType":"{SLASH_Q * 300}{"a" * n}"'],
    "stray_bytes": [lambda n: "\0" * n + '[2,"1","Heartbeat",{}]', lambda n: "\0" * 300 + BOOT % times('"more":1', n)],
    "close_brackets": [lambda n: '[2,"1","DataTransfer",{"vendorId":"V","data":[' + times("1", n), lambda n: '[2,"1","DataTransfer",' + "[" * n,
                       lambda n: SAMPLES.partition("%s")[0] + times('{"value":"1"}', n)],
}  # fmt: skip
CASES = [(name, number) for name, texts in HOSTILE.items() for number in range(len(texts))]
EVERY_REPAIR = Policy.tolerant | Policy(
    [
        {"rule": "truncated", "verdict": "repair", "repair": "close_brackets"},
        {"rule": "enum", "pointer": "**/unit", "verdict": "repair", "repair": "replace", "values": {"Hertz": "Wh"}},
    ]
)


def seconds(text: str, backend: str) -> float:
    """The lesser of two, each by a codec that remembers nothing."""
    taken: list[float] = []
    for _ in range(2):
        codec: Any = Codec("ocpp1.6", backend=backend).extend(policy=EVERY_REPAIR)
        with suppress(OcppError):
            codec.decode_with_findings(PERIODS % '{"startPeriod":"0","limit":1}')  # what is made once
        began = process_time()
        with suppress(OcppError):
            assert codec.decode_with_findings(text).findings is not None  # they are made when they are asked for
        taken.append(process_time() - began)
    return min(taken)


def test_every_repair_has_its_hostile_texts() -> None:
    assert HOSTILE.keys() == REPAIRS.keys()


@pytest.mark.parametrize(("name", "number"), CASES, ids=[f"{name} {number}" for name, number in CASES])
def test_a_repair_takes_time_linear_in_the_text(name: str, number: int, backend: str) -> None:
    text_of = HOSTILE[name][number]
    small = seconds(text_of(SMALL), backend)
    assert seconds(text_of(LARGE), backend) < MOST_TIMES_LONGER * max(small, 0.001)


def test_the_keys_beside_a_faulty_one_are_gathered_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    gathered: list[frozenset[str]] = []
    plain = _tolerant._Probe.keys_beside

    def noted(probe: _tolerant._Probe, path: str) -> frozenset[str]:
        gathered.append(plain(probe, path))
        return gathered[-1]

    monkeypatch.setattr(_tolerant._Probe, "keys_beside", noted)
    codec: Any = Codec("ocpp1.6", backend="python").extend(policy=Policy.tolerant)
    with pytest.raises(OcppError):  # in the end they are one field given many times
        codec.decode(BOOT % in_other_cases("chargepointserialnumber", 5_000))
    assert len(gathered) > 200
    assert len(set(map(id, gathered))) <= 8  # rounds
