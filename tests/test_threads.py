"""One codec among many threads, and users' Python code that runs in the middle of an encode."""

from __future__ import annotations

import gc
import sys
import threading
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pytest

from ocppcore import Call, Codec, EncodeError, v16, v201
from support.backends import codec, exact, outcome
from support.corpus import corpus
from support.frames import sample_frames
from support.model import MODULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

THREADS = 8


def run_together(work: Callable[[int], None], threads: int = THREADS) -> None:
    """Run the work in threads that start at once; the first exception of any is raised here."""
    failures: list[BaseException] = []
    start = threading.Barrier(threads)

    def body(number: int) -> None:
        start.wait()
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    crew = [threading.Thread(target=body, args=(n,)) for n in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    if failures:
        raise failures[0]


@pytest.fixture
def eager_switching() -> Iterator[None]:
    """Threads change places as often as the interpreter allows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_switching")
@pytest.mark.parametrize("module", MODULES)
def test_threads_share_one_codec(module: str, backend: str) -> None:
    """Each thread reads and writes its own mix of good and faulty frames and gets its own answers."""
    reader = codec(module, backend)
    good = sample_frames(module)[:: 1 if backend == "native" else 6]
    bad = [(case.data, case.pending) for case in corpus() if case.module == module and case.fault][:60]
    frames = good + bad
    want = [(outcome(reader.decode, d, pending=p), outcome(reader.validate, d, pending=p)) for d, p in frames]

    def work(number: int) -> None:
        for turn in range(2):
            for i in range(len(frames)):
                at = (i * (2 * number + 1) + turn) % len(frames)
                data, pending = frames[at]
                assert outcome(reader.decode, data, pending=pending) == want[at][0]
                assert outcome(reader.validate, bytes(data), pending=pending) == want[at][1]
                if want[at][0][0] == "value":
                    reader.encode(reader.decode(data, pending=pending))

    run_together(work)


@pytest.mark.usefixtures("eager_switching")
def test_threads_make_codecs_at_once(backend: str) -> None:
    """First use of a version by many threads at once, tables and learned hints included."""

    def work(number: int) -> None:
        subprotocol = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")[number % 3]
        reader = Codec(subprotocol, backend=backend)
        assert reader.decode('[2,"1","Heartbeat",{}]').action == "Heartbeat"

    run_together(work, 12)


def test_a_buffer_that_another_thread_writes_to_is_read_safely(backend: str) -> None:
    """What is read of a changing bytearray may be anything, but it is an answer or an OcppError, never a crash."""
    reader = codec("v16", backend)
    good = bytearray(b'[2,"1","Authorize",{"idTag":"' + b"x" * 20 + b'"}]')
    data = bytearray(good)
    stop = threading.Event()

    def scribble() -> None:
        while not stop.is_set():
            for at in range(len(data)):
                data[at] = 0xFF
                data[at] = good[at]

    thread = threading.Thread(target=scribble)
    thread.start()
    try:
        for _ in range(3_000):
            assert outcome(reader.decode, data)[0] in ("value", "fault")
            assert outcome(reader.validate, memoryview(data))[0] in ("value", "fault")
    finally:
        stop.set()
        thread.join()


def test_a_buffer_is_let_go(backend: str) -> None:
    data = bytearray(b'[2,"1","Heartbeat",{}]')
    reader = codec("v16", backend)
    for read in (reader.decode, reader.validate, reader.peek, reader.explain):
        read(data)
        data.append(0x20)  # a BufferError if the reader still held it


# --- users' code within encode


class Meddler(tzinfo):
    """A tzinfo that does what it is told each time it is asked."""

    def __init__(self, deed: Callable[[], Any]) -> None:
        self.deed = deed
        self.asked = 0

    def utcoffset(self, _: datetime | None) -> timedelta:
        self.asked += 1
        if self.asked == 1:
            self.deed()
        return timedelta(0)

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> str:
        return "meddling"


def meter_values(zone: tzinfo, count: int = 3) -> Any:
    sampled = [v16.SampledValue(value=str(n)) for n in range(count)]
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=zone)
    return Call(
        "1", v16.MeterValuesRequest(connector_id=1, meter_value=[v16.MeterValue(timestamp=at, sampled_value=sampled)])
    )


def test_a_time_zone_may_use_the_codec(backend: str) -> None:
    reader = codec("v16", backend)
    inner: list[Any] = []

    def deed() -> None:
        inner.append(reader.decode('[2,"2","Heartbeat",{}]'))
        inner.append(reader.encode(meter_values(UTC)))
        inner.append(outcome(reader.decode, '[2,"2","Nope",{}]')[0])

    zone = Meddler(deed)
    written = reader.encode(meter_values(zone))
    assert zone.asked
    assert written == reader.encode(meter_values(UTC)) == inner[1]
    assert inner[0].action == "Heartbeat"
    assert inner[2] == "fault"


@pytest.mark.parametrize("name", ["clear", "shrink", "grow", "replace", "collect"])
def test_a_time_zone_may_change_the_lists_being_written(name: str, backend: str) -> None:
    reader = codec("v16", backend)
    frame: Any = None

    def deed() -> None:
        values = frame.payload.meter_value
        sampled = values[0].sampled_value
        if name == "clear":
            values.clear()
            sampled.clear()
        elif name == "shrink":
            del values[0]
            del sampled[1:]
        elif name == "grow":
            sampled.extend([v16.SampledValue(value="more")] * 1_000)
        elif name == "replace":
            values[0] = v16.MeterValue(timestamp=datetime(2026, 1, 1, tzinfo=UTC), sampled_value=[])
            sampled[:] = [None] * 3
        gc.collect()

    for _ in range(8):
        frame = meter_values(Meddler(deed))
        try:
            written = reader.encode(frame)
        except EncodeError:
            continue
        assert reader.decode(written).action == "MeterValues"


BOX = {
    "type": "object",
    "additionalProperties": False,
    "required": ["box"],
    "properties": {"box": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}},
}


@pytest.mark.parametrize("name", ["clear", "grow"])
def test_a_time_zone_that_changes_the_dict_being_written_is_told(name: str, backend: str) -> None:
    empty = {"type": "object", "additionalProperties": False, "properties": {}}
    writer = codec("v201", backend).extend(messages={"Box": {"request": BOX, "response": empty}})
    box: dict[str, Any] = {}

    def deed() -> None:
        if name == "clear":
            box.clear()
        else:
            box.update((f"key{n}", n) for n in range(1_000))
        gc.collect()

    box.update(at=datetime(2026, 1, 1, tzinfo=Meddler(deed)), n=3)
    with pytest.raises(RuntimeError, match="changed"):
        writer.encode(Call("1", writer.messages["Box"].request(box=box)))
    assert writer.decode(writer.encode(Call("1", writer.messages["Box"].request(box={"n": 3})))).payload.box == {"n": 3}


def test_a_time_zone_may_change_free_form_data_being_written(backend: str) -> None:
    reader = codec("v201", backend)
    for deed_name in ("clear", "add", "drop values"):
        custom: dict[str, Any] = {"vendorId": "v", "a": {"x": [1, 2, 3]}, **{f"k{i}": [i] for i in range(50)}}

        def deed(custom: dict[str, Any] = custom, deed_name: str = deed_name) -> None:
            if deed_name == "clear":
                custom.clear()
            elif deed_name == "add":
                custom.update({f"n{i}": i for i in range(500)})
            else:
                for key in custom:
                    custom[key] = None
            gc.collect()

        at = datetime(2026, 1, 2, tzinfo=Meddler(deed))
        payload = v201.StatusNotificationRequest(
            timestamp=at, connector_status="Available", evse_id=1, connector_id=1, custom_data=custom
        )
        written = outcome(reader.encode, Call("1", payload))
        assert written[0] in ("value", "fault")


def test_what_a_time_zone_raises_comes_out_and_the_codec_lives_on(backend: str) -> None:
    reader = codec("v16", backend)

    def deed() -> None:
        raise RuntimeError("no zone today")

    with pytest.raises((RuntimeError, EncodeError)):
        reader.encode(meter_values(Meddler(deed)))
    assert reader.encode(meter_values(UTC))


class Colour(StrEnum):
    AVAILABLE = "Available"


class LoudStr(str):
    """A str whose methods must not be asked for its text."""

    def __str__(self) -> str:
        raise AssertionError("asked for str()")

    def encode(self, *_: Any) -> bytes:
        raise AssertionError("asked for encode()")

    def __hash__(self) -> int:
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)


class LoudInt(int):
    def __index__(self) -> int:
        raise AssertionError("asked for index()")

    def __str__(self) -> str:
        return "loud"

    __repr__ = __str__


class LoudFloat(float):
    def __repr__(self) -> str:
        return "loud"

    __str__ = __repr__


class LoudDecimal(Decimal):
    def __str__(self) -> str:
        return "loud"


def test_subclasses_are_written_by_what_they_hold(backend: str) -> None:
    reader = codec("v201", backend)
    payload = v201.StatusNotificationRequest(
        timestamp=datetime(2026, 1, 2, tzinfo=UTC),
        connector_status=Colour.AVAILABLE,
        evse_id=LoudInt(7),
        connector_id=True + 0,
        custom_data={"vendorId": LoudStr("v"), LoudStr("k"): LoudStr("é"), "f": LoudFloat(1.5), "i": LoudInt(9)},
    )
    written = outcome(reader.encode, Call("1", payload))
    assert written == (
        "value",
        exact(
            '[2,"1","StatusNotification",{"customData":{"vendorId":"v","k":"é","f":1.5,"i":9},"timestamp":"2026-01-02T00:00:00Z",'
            '"connectorStatus":"Available","evseId":7,"connectorId":1}]'.encode()
        ),
    )


def test_decimal_subclasses_never_break_the_text(backend: str) -> None:
    reader = codec("v16", backend)
    period = v16.ChargingSchedulePeriod(start_period=0, limit=LoudDecimal("16.1"))
    schedule = v16.ChargingSchedule(charging_rate_unit="A", charging_schedule_period=[period])
    answer = outcome(
        reader.encode_payload, v16.GetCompositeScheduleResponse(status="Accepted", charging_schedule=schedule)
    )
    if answer[0] == "value":
        text = reader.encode_payload(v16.GetCompositeScheduleResponse(status="Accepted", charging_schedule=schedule))
        reader.decode_payload(text, "GetCompositeSchedule", "response")


def test_free_form_data_that_holds_itself_is_refused(backend: str) -> None:
    reader = codec("v201", backend)
    ring: dict[str, Any] = {"vendorId": "v"}
    ring["self"] = [ring]
    with pytest.raises(EncodeError) as caught:
        reader.encode(Call("1", v201.HeartbeatRequest(custom_data=ring)))
    assert caught.value.kind == "depth"
