"""Both backends write, and refuse to write, alike: the same bytes or the same fault for the same object, whatever it holds."""

from __future__ import annotations

import io
import struct
from collections import OrderedDict, UserDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum, StrEnum
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocppcore import Call, CallError, CallResult, CallResultError, RawPayload, Send, v16, v21, v201
from support.backends import BACKENDS, codec, exact, outcome
from support.emit import text_of
from support.frames import framed
from support.instances import INT64_MAX, INT64_MIN, full, nested
from support.model import MODULES, Model, Payload, all_payloads, model
from support.needs import need_module

THOROUGH = settings(max_examples=4 * settings().max_examples)  # the profile decides, see conftest.py


@pytest.fixture(scope="module", autouse=True)
def _two_backends() -> None:
    need_module("ocppcore._native", "the native backend")


class OddZone(ZoneInfo):
    """One that tells in Python what it is ahead."""

    def utcoffset(self, _: Any) -> timedelta:
        return timedelta(minutes=1)


def zone_file(rule: str) -> io.BytesIO:
    """A file of a time zone that follows a rule of POSIX from the first day on (RFC 8536), so that no database is needed."""
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    block = b"TZif2" + bytes(15) + counts + struct.pack(">lbb", 3600, 0, 0) + b"CET\0"
    return io.BytesIO(block + block + f"\n{rule}\n".encode())


BERLIN = ZoneInfo.from_file(zone_file("CET-1CEST,M3.5.0,M10.5.0/3"), key="Test/Berlin")
ODD_ZONE = OddZone.from_file(zone_file("CET-1"), key="Test/Odd")


class Text(str):
    __slots__ = ()


class Whole(int):
    pass


class Colour(StrEnum):
    RED = "Accepted"


class Number(IntEnum):
    ONE = 1


class Items(list):
    pass


ODD: tuple[Any, ...] = (
    None,
    msgspec.UNSET,
    True,
    False,
    0,
    1,
    -1,
    4,
    10**6,
    INT64_MAX,
    INT64_MIN,
    INT64_MAX + 1,
    INT64_MIN - 1,
    10**400,
    Whole(7),
    Number.ONE,
    0.0,
    -0.0,
    1.0,
    0.1,
    21.4,
    21.45,
    0.30000000000000004,
    1e16,
    9999999999999998.0,
    1e15,
    123456789.1,
    1e22,
    5e-324,
    1.7976931348623157e308,
    float("nan"),
    float("inf"),
    float("-inf"),
    Decimal(0),
    Decimal("-0"),
    Decimal("16.0"),
    Decimal("21.4"),
    Decimal("21.45"),
    Decimal("1E+3"),
    Decimal("1E+15"),
    Decimal("1E+16"),
    Decimal("1E+400"),
    Decimal("1E-7"),
    Decimal("0.10"),
    Decimal("NaN"),
    Decimal("Infinity"),
    Decimal("sNaN"),
    "",
    "x",
    "x" * 60,
    "x" * 20_000,
    "\ud800",
    "a\udfffb",
    '"\\/\b\f\n\r\t\x00\x1f\x7f\u2028é😀',
    "é" * 255,
    Text("sub"),
    Colour.RED,
    "2026-01-02T03:04:05Z",
    "http://example.com",
    b"bytes",
    bytearray(b"x"),
    datetime(2026, 1, 2, 3, 4, 5, 678999, tzinfo=UTC),
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=-7, minutes=-30))),
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(seconds=1, microseconds=1))),
    datetime(2026, 7, 2, 3, 4, 5, 678999, tzinfo=BERLIN),
    datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN),
    datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN),
    datetime(1, 1, 1, tzinfo=BERLIN),
    datetime(2026, 7, 2, 3, 4, 5, tzinfo=ODD_ZONE),
    datetime(2026, 1, 2, 3, 4, 5),
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-1))),
    date(2026, 1, 2),
    timedelta(1),
    [],
    (),
    [None],
    ["x"],
    ("x",),
    [[]],
    Items(["x"]),
    {"x"},
    {},
    {"vendorId": "v"},
    {"vendorId": "v" * 256},
    {"vendorId": 5},
    {"vendorId": None},
    {"vendorId": "v", "k": {"deep": nested(70)}},
    {"vendorId": "v", "k": [1, 1.5, float("nan")]},
    {"vendorId": "v", "k": INT64_MAX + 1},
    {"vendorId": "v", "k": {1: 2}},
    {"vendorId": "v", 1: 2},
    {"vendorId": "v", "k": datetime(2026, 1, 1, tzinfo=UTC)},
    {"vendorId": "v", "k": Decimal(1)},
    {"vendorId": "v", "\ud800": 1},
    {"vendorId": "v", "k": "\ud800"},
    {"vendorId": "v", Text("k"): (1, [2, (3,)])},
    {"vendorId": "v", "k": object()},
    {"vendorId": "v", "k": v16.HeartbeatRequest()},
    OrderedDict(vendorId="v", k=1),
    UserDict(vendorId="v"),
    v16.HeartbeatRequest(),
    v201.HeartbeatRequest(),
    object(),
    object,
    range(3),
    iter([]),
)

ODD_NAMES = [f"{number} {type(value).__name__}" for number, value in enumerate(ODD)]  # the same in every process


def written_alike(module: str, method: str, value: Any) -> tuple[Any, ...]:
    """What both backends make of an object; asserted to be one thing, and bytes to be readable again."""
    answers = [outcome(getattr(codec(module, backend), method), value) for backend in BACKENDS]
    assert answers[0] == answers[-1], f"{method}({value!r:.400}): {dict(zip(BACKENDS, answers, strict=True))}"
    return answers[0]


def replaced(version: Model, node: Any, type_name: str, rng: Random, value: Any) -> Any:
    """The Struct with the value put into one field, here or deeper; frozen Structs are rebuilt on the way."""
    fields = version.types[type_name]["fields"]
    if not fields:
        return node
    field = rng.choice(fields)
    current = getattr(node, field["attr"])
    is_struct = isinstance(current, msgspec.Struct) or (
        isinstance(current, list) and current and isinstance(current[0], msgspec.Struct)
    )
    if is_struct and rng.random() < 0.7:
        if isinstance(current, list):
            inner = [replaced(version, current[0], field["ref"], rng, value), *current[1:]]
        else:
            inner = replaced(version, current, field["ref"], rng, value)
    elif isinstance(current, list) and rng.random() < 0.5:
        inner = [*current, value]
    else:
        inner = value
    return msgspec.structs.replace(node, **{field["attr"]: inner})


def full_struct(payload: Payload) -> Any:
    text = text_of(full(model(payload.module), payload.type_name))
    return codec(payload.module, "python").decode_payload(text, payload.action, payload.kind)


@pytest.mark.parametrize("module", MODULES)
def test_odd_values_in_any_field(module: str) -> None:
    """Each odd value into fields of every payload: the same bytes, or the same kind at the same pointer."""
    rng = Random(f"odd {module}")
    version = model(module)
    met = set()
    for payload in version.payloads():
        struct = full_struct(payload)
        for value in rng.sample(ODD, 24):
            changed = replaced(version, struct, payload.type_name, rng, value)
            answer = written_alike(module, "encode_payload", changed)
            met.add(answer[0] if answer[0] == "value" else answer[2])
    wanted = {"value", "type", "missing", "surrogate", "number_range", "format", "length", "enum"}
    assert wanted | ({"depth"} if module != "v16" else set()) <= met  # 1.6 has no free-form values


@pytest.mark.parametrize("value", ODD, ids=ODD_NAMES)
def test_each_odd_value_in_each_kind_of_field(value: Any) -> None:
    """One field of every kind gets the value, on its own and in a list."""
    seen = set()
    for payload in all_payloads():
        version = model(payload.module)
        for field in version.types[payload.type_name]["fields"]:
            sort = (
                payload.module,
                field["kind"],
                "items" in field,
                field["required"],
                "step" in field,
                "minimum" in field,
            )
            if sort in seen:
                continue
            seen.add(sort)
            struct = full_struct(payload)
            written_alike(payload.module, "encode_payload", msgspec.structs.replace(struct, **{field["attr"]: value}))
            if "items" in field:
                changed = msgspec.structs.replace(struct, **{field["attr"]: [value]})
                written_alike(payload.module, "encode_payload", changed)
    assert len(seen) > 30


@pytest.mark.parametrize("value", ODD, ids=ODD_NAMES)
def test_odd_values_in_frames(value: Any) -> None:
    heartbeat = v21.HeartbeatRequest()
    for frame in (
        Call(value, heartbeat),
        Call("1", value),
        CallResult(value, v21.HeartbeatResponse(current_time=datetime(2026, 1, 1, tzinfo=UTC))),
        CallResult("1", value),
        CallResult("1", RawPayload(value)),
        CallError(value, "GenericError"),
        CallError("1", value),
        CallError("1", "GenericError", value),
        CallError("1", "GenericError", "", value),
        CallError("1", "GenericError", "", {"k": value}),
        CallResultError("1", "GenericError", "d", {"k": [value]}),
        Send("1", value),
        value,
    ):
        for module in MODULES:
            written_alike(module, "encode", frame)


@pytest.mark.parametrize("module", MODULES)
def test_frames_of_another_version_or_kind(module: str) -> None:
    """Payloads that stand in the wrong frame, or belong to another version, or to no version."""

    class Stranger(msgspec.Struct):
        status: str = "Accepted"

    payloads: list[Any] = [
        v16.HeartbeatRequest(),
        v201.HeartbeatRequest(),
        v21.HeartbeatRequest(),
        v16.ResetResponse(status="Accepted"),
        v21.IdTokenType(id_token="t", type="Central"),
        Stranger(),
        RawPayload(b"{}", 0),
        RawPayload(b"[2", 0),
    ]
    for payload in payloads:
        for frame in (Call("1", payload), CallResult("1", payload), Send("1", payload)):
            written_alike(module, "encode", frame)
        written_alike(module, "encode_payload", payload)


@given(
    st.sampled_from(MODULES),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**65), 2**65)
        | st.floats()
        | st.text(st.characters(), max_size=10)
        | st.sampled_from((b"x", Decimal("1.5"), object)),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.tuples(inner, inner)
            | st.dictionaries(st.text(st.characters(), max_size=4) | st.integers(), inner, max_size=3)
        ),
        max_leaves=10,
    ),
)
@THOROUGH
def test_any_free_form_value(module: str, value: Any) -> None:
    answer = written_alike(module, "encode", CallError("1", "GenericError", "", {"k": value}))
    if answer[0] == "value":
        frame = codec(module, BACKENDS[0]).decode(answer[1][1])
        assert codec(module, BACKENDS[0]).encode(frame) == answer[1][1]


@given(
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(INT64_MIN, INT64_MAX) | st.decimals(allow_nan=False)
)
@THOROUGH
def test_any_number(value: Any) -> None:
    """In a plain decimal and in one with a step of 0.1."""
    written_alike("v201", "encode_payload", meter_values(value))
    period = v16.ChargingSchedulePeriod(start_period=0, limit=value)
    schedule = v16.ChargingSchedule(charging_rate_unit="A", charging_schedule_period=[period])
    written_alike(
        "v16", "encode_payload", v16.GetCompositeScheduleResponse(status="Accepted", charging_schedule=schedule)
    )


def meter_values(value: Any) -> Any:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    return v201.MeterValuesRequest(
        evse_id=1, meter_value=[v201.MeterValueType(timestamp=at, sampled_value=[v201.SampledValueType(value=value)])]
    )


@given(
    st.datetimes(
        timezones=st.sampled_from((UTC, BERLIN, ODD_ZONE))
        | st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)).map(timezone)
    )
)
@THOROUGH
def test_any_date_time(at: datetime) -> None:
    payload = v16.HeartbeatResponse(current_time=at)
    answer = written_alike("v16", "encode_payload", payload)
    assert written_alike("v16", "encode_payload", payload) == answer  # a zone that was met is known the second time
    if answer[0] == "value":
        read = codec("v16", BACKENDS[0]).decode_payload(answer[1][1], "Heartbeat", "response").current_time
        utc = at.astimezone(UTC)
        assert read == utc.replace(microsecond=utc.microsecond // 1000 * 1000)
    else:
        assert answer[2] == "format"


@pytest.mark.parametrize("module", MODULES)
def test_from_builtins_says_what_decode_says(module: str) -> None:
    """One implementation serves both backends: kinds and pointers are those of the same payload as JSON."""
    from support.mutants import faults, spread

    rng = Random(f"builtins {module}")
    version = model(module)
    reader = codec(module, BACKENDS[0])
    for payload in version.payloads():
        instance = full(version, payload.type_name)
        for mutant in spread(faults(version, payload.type_name, instance, rng), 8, rng):
            text = text_of(mutant.tree)
            try:
                plain = msgspec.json.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # no JSON
            if mutant.kind in ("duplicate_key", "surrogate", "depth") or "1.0" in mutant.name:
                continue  # lost or changed on the way to plain objects
            read = outcome(reader.decode_payload, msgspec.json.encode(plain), payload.action, payload.kind)
            told = outcome(reader.from_builtins, payload.action, payload.kind, plain)
            if told[0] == "misuse":
                assert mutant.kind in ("payload_type", "payload_missing")
            elif read[0] == "fault":
                assert told[1:5] == ("EncodeError", *read[2:4], None), (payload, mutant.name)
            else:
                assert told == read


def test_encode_of_what_decode_gave_is_exact() -> None:
    data = framed(all_payloads()[0], text_of(full(model("v16"), all_payloads()[0].type_name)))
    assert exact(codec("v16", "native").decode(data)) == exact(codec("v16", "python").decode(data))
