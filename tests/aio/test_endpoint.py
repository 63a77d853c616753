"""An endpoint over a transport that the test holds in its hands."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import tracemalloc
import weakref
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from ocppcore import (
    DEFERRED,
    CallError,
    Codec,
    Context,
    EncodeError,
    QueueFull,
    RefuseCall,
    Retry,
    Router,
    Session,
    v16,
    v21,
    v201,
)
from ocppcore.aio import CallClosed, CallFailed, CallInvalid, CallRefused, CallTimedOut, Endpoint
from support.wires import Wire, rounds, run, wires

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEAT = v201.HeartbeatRequest()
BEATEN = v201.HeartbeatResponse(current_time=NOW)
RESET = v201.ResetRequest(type="Immediate")
BEAT_CALL = '[2,"{}","Heartbeat",{{}}]'


@asynccontextmanager
async def running(
    router: Router | None = None,
    *,
    version: str = "ocpp2.0.1",
    drain: float = 1.0,
    stall: float = 30.0,
    role: Any = "csms",
    **settings: Any,
) -> AsyncGenerator[tuple[Endpoint, Wire]]:
    """An endpoint of a CSMS that runs, and the wire whose other end is the test."""
    wire = Wire()
    ids = map(str, range(1, 10_000))
    session = Session(Codec(version), role, new_id=lambda: next(ids), **settings)
    endpoint = Endpoint(wire, session, router or Router(), "CP001", drain=drain, stall=stall)
    task = asyncio.create_task(endpoint.run())
    yield endpoint, wire
    wire.hang_up()
    await task
    await endpoint.wait_closed()


def frames(wire: Wire) -> list[Any]:
    return [json.loads(data) for data in wire.sent]


def beats(router: Router) -> None:
    @router.on
    def beat(context: Context[Endpoint], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        return BEATEN


# Our own calls


def test_a_call_gives_its_typed_answer() -> None:
    async def main() -> None:
        async with running() as (endpoint, wire):
            call = asyncio.create_task(endpoint.call(RESET))
            await rounds()
            assert frames(wire) == [[2, "1", "Reset", {"type": "Immediate"}]]
            wire.put('[3,"1",{"status":"Accepted"}]')
            assert await call == v201.ResetResponse(status="Accepted")

    run(main())


def test_one_call_is_on_its_way_at_a_time() -> None:
    async def main() -> None:
        async with running() as (endpoint, wire):
            calls = [asyncio.create_task(endpoint.call(RESET)) for _ in range(3)]
            for number in range(1, 4):
                await rounds()
                assert len(wire.sent) == number
                wire.put(f'[3,"{number}",{{"status":"Accepted"}}]')
            await asyncio.gather(*calls)

    run(main())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ('[4,"1","NotSupported","no such thing",{}]', CallRefused),
        ('[3,"1",{"status":"Perhaps"}]', CallInvalid),
    ],
)
def test_a_call_that_gets_no_valid_answer_raises(answer: str, error: type[CallFailed]) -> None:
    async def main() -> None:
        async with running() as (endpoint, wire):
            call = asyncio.create_task(endpoint.call(RESET))
            await rounds()
            wire.put(answer)
            with pytest.raises(error) as raised:
                await call
            assert raised.value.action == "Reset"
            assert str(raised.value).startswith("Reset: ")
            if isinstance(raised.value, CallRefused):
                assert raised.value.answer == CallError("1", "NotSupported", "no such thing")

    run(main())


def test_a_call_times_out_and_the_next_one_goes_out() -> None:
    async def main() -> None:
        async with running(timeout=60) as (endpoint, wire):
            late = asyncio.create_task(endpoint.call(RESET, timeout=0.02))
            next_one = asyncio.create_task(endpoint.call(BEAT_BACK, timeout=0.02))
            with pytest.raises(CallTimedOut):
                await late
            wire.put('[3,"1",{"status":"Accepted"}]')  # too late: it must not answer the next one
            with pytest.raises(CallTimedOut):
                await next_one
            assert [frame[1] for frame in frames(wire)] == ["1", "2"]

    run(main())


BEAT_BACK = v201.ClearCacheRequest()


def test_a_shorter_timeout_is_not_held_up_by_a_longer_one() -> None:
    async def main() -> None:
        async with running(timeout=60) as (endpoint, wire):
            call = asyncio.create_task(endpoint.call(RESET))
            await rounds()
            wire.put('[3,"1",{"status":"Accepted"}]')
            await call
            with pytest.raises(CallTimedOut):
                await endpoint.call(RESET, timeout=0.02)

    run(main())


def test_a_call_that_is_cancelled_still_holds_the_line() -> None:
    async def main() -> None:
        async with running() as (endpoint, wire):
            first = asyncio.create_task(endpoint.call(RESET))
            second = asyncio.create_task(endpoint.call(BEAT_BACK))
            await rounds()
            first.cancel()
            await rounds()
            assert first.cancelled()
            assert len(wire.sent) == 1
            wire.put('[3,"1",{"status":"Accepted"}]')
            await rounds()
            assert len(wire.sent) == 2
            wire.put('[3,"2",{"status":"Accepted"}]')
            assert (await second).status == "Accepted"

    run(main())


def test_a_call_that_is_cancelled_in_the_queue_is_not_sent() -> None:
    async def main() -> None:
        async with running() as (endpoint, wire):
            first = asyncio.create_task(endpoint.call(RESET))
            second = asyncio.create_task(endpoint.call(BEAT_BACK))
            await rounds()
            second.cancel()
            await rounds()
            wire.put('[3,"1",{"status":"Accepted"}]')
            await first
            await rounds()
            assert len(wire.sent) == 1

    run(main())


def test_what_cannot_be_sent_raises_at_once() -> None:
    async def main() -> None:
        async with running(max_queue=1) as (endpoint, wire):
            with pytest.raises(ValueError, match="sent by the station"):
                await endpoint.call(BEAT)
            with pytest.raises(EncodeError):
                await endpoint.call(v201.ResetRequest(type="Perhaps"))  # type: ignore[arg-type]
            for no_request in (None, {"type": "OnIdle"}, v201.ResetResponse(status="Accepted"), v201.ResetRequest):
                with pytest.raises(TypeError, match="takes a request"):
                    await endpoint.call(no_request)  # type: ignore[arg-type]
            calls = [asyncio.create_task(endpoint.call(RESET)) for _ in range(2)]
            await rounds()
            with pytest.raises(QueueFull):
                await endpoint.call(RESET)
            assert len(wire.sent) == 1
            wire.hang_up()
            for call in calls:
                with pytest.raises(CallClosed):
                    await call
            with pytest.raises(CallClosed):
                await endpoint.call(RESET)

    run(main())


# The peer's calls


def test_sync_and_async_handlers_answer() -> None:
    router = Router()
    beats(router)

    @router.on
    async def boot(_: Context[Endpoint], request: v201.BootNotificationRequest) -> v201.BootNotificationResponse:
        return v201.BootNotificationResponse(current_time=NOW, interval=300, status="Accepted")

    @router.on
    async def status(request: v201.StatusNotificationRequest) -> v201.StatusNotificationResponse:
        await asyncio.sleep(0)
        return v201.StatusNotificationResponse()

    async def main() -> None:
        async with running(router) as (_, wire):
            tasks = asyncio.all_tasks()
            wire.put(
                BEAT_CALL.format("a"),
                b'[2,"b","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}}]',
            )
            await rounds()
            assert asyncio.all_tasks() == tasks
            wire.put(
                '[2,"c","StatusNotification",{"timestamp":"2026-01-02T03:04:05Z","connectorStatus":"Available",'
                '"evseId":1,"connectorId":1}]'
            )
            await rounds()
            assert [frame[:2] for frame in frames(wire)] == [[3, "a"], [3, "b"], [3, "c"]]

    run(main())


def test_the_reader_waits_for_no_handler() -> None:
    router = Router()
    beats(router)
    gate = asyncio.Event()

    @router.on
    async def slow(_: Context[Endpoint], request: v201.AuthorizeRequest) -> v201.AuthorizeResponse:
        await gate.wait()
        return v201.AuthorizeResponse(id_token_info=v201.IdTokenInfoType(status="Accepted"))

    async def main() -> None:
        async with running(router) as (_, wire):
            wire.put('[2,"slow","Authorize",{"idToken":{"idToken":"x","type":"Local"}}]', BEAT_CALL.format("quick"))
            await rounds()
            assert [frame[1] for frame in frames(wire)] == ["quick"]
            gate.set()
            await rounds()
            assert [frame[1] for frame in frames(wire)] == ["quick", "slow"]

    run(main())


def test_a_handler_calls_back() -> None:
    router = Router()

    @router.on
    async def beat(context: Context[Endpoint], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        await context.call(RESET)
        return BEATEN

    async def main() -> None:
        async with running(router) as (_, wire):
            wire.put(BEAT_CALL.format("a"))
            await rounds()
            wire.put('[3,"1",{"status":"Accepted"}]')
            await rounds()
            assert [frame[:2] for frame in frames(wire)] == [[2, "1"], [3, "a"]]

    run(main())


def test_an_answer_can_come_later() -> None:
    router = Router()
    contexts: list[Context[Endpoint]] = []

    @router.on
    def beat(context: Context[Endpoint], request: v201.HeartbeatRequest) -> object:
        contexts.append(context)
        return DEFERRED

    async def main() -> None:
        async with running(router) as (_, wire):
            wire.put(BEAT_CALL.format("a"))
            await rounds()
            assert not wire.sent
            contexts[0].reply(BEATEN)
            assert frames(wire) == [[3, "a", {"currentTime": "2026-03-01T12:00:00Z"}]]

    run(main())


def test_handlers_that_err_do_not_end_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    router = Router()

    @router.on
    async def beat(_: Context[Endpoint], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        raise RefuseCall("NotSupported", "not today")

    @router.on
    async def boot(_: Context[Endpoint], request: v201.BootNotificationRequest) -> v201.BootNotificationResponse:
        await asyncio.sleep(0)
        raise KeyError("x")

    @router.on
    async def status(request: v201.StatusNotificationRequest) -> v201.StatusNotificationResponse:
        raise asyncio.CancelledError

    async def main() -> None:
        async with running(router) as (_, wire):
            wire.put(
                BEAT_CALL.format("a"),
                '[2,"b","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}}]',
                '[2,"c","StatusNotification",{"timestamp":"2026-01-02T03:04:05Z","connectorStatus":"Available",'
                '"evseId":1,"connectorId":1}]',
                BEAT_CALL.format("d"),
            )
            await rounds()
            got = {frame[1]: frame[2] for frame in frames(wire)}
            assert got == {"a": "NotSupported", "b": "InternalError", "c": "InternalError", "d": "NotSupported"}

    run(main())
    assert "could not be handled" in caplog.text


@pytest.mark.parametrize("kind", ["sync", "at once", "later", "answered"])
def test_a_call_whose_handler_is_cancelled_by_others_is_answered(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    router = Router()

    async def cancelled(context: Context[Endpoint], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        if kind == "answered":
            context.reply(BEATEN)
        if kind != "at once":
            await asyncio.sleep(0)
        raise asyncio.CancelledError

    def at_once(context: Context[Endpoint], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        raise asyncio.CancelledError

    router.on(v201.HeartbeatRequest, at_once if kind == "sync" else cancelled)

    async def main() -> None:
        async with running(router, max_open=1) as (_, wire):
            for id in "abc":  # each leaves room for the next one
                wire.put(BEAT_CALL.format(id))
                await rounds()
            answers = [frame[2] for frame in frames(wire)]
            assert (
                answers == ([{"currentTime": "2026-03-01T12:00:00Z"}] if kind == "answered" else ["InternalError"]) * 3
            )

    run(main())
    assert len(caplog.records) == 3
    assert "Heartbeat" in caplog.text


BAD = [
    "", "{", "[]", "null", '[2,"1"]', '[2,"1","Nothing",{}]', '[3,"1",{}]', '[9,"x"]', '[4,"1"]', b"\xff\xfe", b"\x00",
    '[2,"1","Heartbeat",{"x":1}]', "[" * 1000, '[2,"' + "x" * 200 + '","Heartbeat",{}]', '"' + "y" * (1 << 21) + '"',
    '[3,"unknown",{"status":"Accepted"}]', '[4,"unknown","GenericError","",{}]', '[2,"2","Reset",{"type":"Immediate"}]',
]  # fmt: skip


def test_no_frame_of_the_peer_ends_the_loop() -> None:
    router = Router()
    beats(router)

    async def main() -> None:
        async with running(router) as (_, wire):
            for number, bad in enumerate(BAD):
                wire.put(bad, BEAT_CALL.format(f"after{number}"))
            await rounds(100)
            ids = [frame[1] for frame in frames(wire)]
            assert [id for id in ids if id.startswith("after")] == [f"after{number}" for number in range(len(BAD))]

    run(main())


def test_what_a_handler_sets_is_its_own() -> None:
    router = Router()
    variable: contextvars.ContextVar[str | None] = contextvars.ContextVar("variable", default=None)
    seen: list[str | None] = []

    @router.on
    def beat(context: Context[Endpoint], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        seen.append(variable.get())
        variable.set(context.id)
        return BEATEN

    async def main() -> None:
        async with running(router) as (_, wire):
            wire.put(BEAT_CALL.format("a"), BEAT_CALL.format("b"))
            await rounds()

    run(main())
    assert seen == [None, None]


def test_sends_are_handled_and_a_flood_of_them_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    router = Router()
    gate = asyncio.Event()
    begun: list[str] = []

    @router.on
    async def stream(context: Context[Endpoint], payload: v21.NotifyPeriodicEventStream) -> None:
        begun.append(context.id)
        await gate.wait()

    send = '[6,"{}","NotifyPeriodicEventStream",{{"id":1,"pending":0,"basetime":"2026-01-02T03:04:05Z","data":[{{"t":0,"v":"1"}}]}}]'

    async def main() -> None:
        async with running(router, version="ocpp2.1") as (endpoint, wire):
            for number in range(40):
                wire.put(send.format(number))
            await rounds(60)
            assert len(begun) == 16
            gate.set()
            await rounds()
            wire.put(send.format("later"))
            await rounds()
            assert begun[-1] == "later"
            assert not wire.sent
            assert endpoint.codec.version == "2.1"

    run(main())
    assert "dropped" in caplog.text


def test_a_send_goes_out() -> None:
    async def main() -> None:
        async with running(version="ocpp2.1", role="station") as (endpoint, wire):
            data = [v21.StreamDataElementType(t=0, v="1")]
            await endpoint.send(v21.NotifyPeriodicEventStream(id=1, pending=0, basetime=NOW, data=data))
            assert frames(wire)[0][:3] == [6, "1", "NotifyPeriodicEventStream"]

    run(main())


# A slow peer


def test_nothing_is_read_from_a_peer_that_does_not_read() -> None:
    router = Router()
    beats(router)

    async def main() -> None:
        async with running(router) as (_, wire):
            wire.room.clear()
            wire.put(*(BEAT_CALL.format(number) for number in range(10_000)))
            await rounds(50)
            assert wire.unread > 9_990
            assert len(wire.sent) <= 2
            wire.room.set()
            while wire.unread:
                await asyncio.sleep(0.01)
            await rounds()
            assert len(wire.sent) == 10_000

    run(main())


def test_a_peer_that_takes_nothing_is_dropped() -> None:
    router = Router()
    beats(router)

    async def main() -> None:
        async with running(router, stall=0.02) as (endpoint, wire):
            wire.room.clear()
            wire.put(BEAT_CALL.format("a"))
            await endpoint.wait_closed()
            assert wire.aborted

    run(main())


def test_sends_wait_for_a_slow_peer() -> None:
    async def main() -> None:
        async with running(version="ocpp2.1", role="station") as (endpoint, wire):
            wire.room.clear()
            data = [v21.StreamDataElementType(t=0, v="1")]
            payload = v21.NotifyPeriodicEventStream(id=1, pending=0, basetime=NOW, data=data)
            first = asyncio.create_task(endpoint.send(payload))
            second = asyncio.create_task(endpoint.send(payload))
            await rounds()
            assert not first.done()
            assert len(wire.sent) == 1
            wire.room.set()
            await asyncio.gather(first, second)
            assert len(wire.sent) == 2

    run(main())


# The end


def test_handlers_are_drained_when_it_is_closed() -> None:
    router = Router()
    gate = asyncio.Event()

    @router.on
    async def beat(_: Context[Endpoint], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        await gate.wait()
        return BEATEN

    async def main() -> None:
        async with running(router) as (endpoint, wire):
            wire.put(BEAT_CALL.format("a"))
            await rounds()
            closing = asyncio.create_task(endpoint.close(1001, "bye"))
            await rounds()
            assert wire.closed is None
            wire.put(BEAT_CALL.format("too late"))
            with pytest.raises(CallClosed):
                await endpoint.call(RESET)
            gate.set()
            await closing
            assert wire.closed == (1001, "bye")
            assert [frame[1] for frame in frames(wire)] == ["a"]
            assert endpoint.closed

    run(main())


@pytest.mark.parametrize("how", ["close", "hang up", "cancel"])
def test_handlers_that_do_not_end_are_cancelled(how: str) -> None:
    router = Router()
    ends: list[str] = []

    @router.on
    async def beat(_: Context[Endpoint], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise
        return BEATEN

    async def main() -> None:
        wire = Wire()
        endpoint = Endpoint(wire, Session(Codec("ocpp2.0.1"), "csms"), router, "CP001", drain=0.02)
        running = asyncio.create_task(endpoint.run())
        call = asyncio.create_task(endpoint.call(RESET))
        wire.put(BEAT_CALL.format("a"))
        await rounds()
        if how == "close":
            await endpoint.close()
        elif how == "cancel":
            running.cancel()
        else:
            wire.hang_up()
        with pytest.raises(CallClosed):
            await call
        await asyncio.wait((running,))
        assert running.cancelled() == (how == "cancel")
        assert ends == ["cancelled"]

    run(main())


def test_a_handler_finishes_its_work_after_the_peer_has_gone() -> None:
    router = Router()
    done: list[str] = []

    @router.on
    async def beat(_: Context[Endpoint], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        await asyncio.sleep(0.02)
        done.append("stored")
        return BEATEN

    async def main() -> None:
        async with running(router) as (_, wire):
            wire.put(BEAT_CALL.format("a"))
            await rounds()

    run(main())
    assert done == ["stored"]


def test_a_handler_may_close_the_connection() -> None:
    router = Router()
    closed: list[bool] = []

    @router.on
    async def beat(context: Context[Endpoint], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        await context.connection.close(1000, "enough")
        closed.append(True)
        return BEATEN

    @router.on
    async def status(context: Context[Endpoint], request: v201.StatusNotificationRequest) -> object:
        await asyncio.sleep(0)
        await context.connection.close(1000, "enough")
        closed.append(True)
        return v201.StatusNotificationResponse()

    async def main() -> None:
        async with running(router, drain=5) as (endpoint, wire):
            wire.put(BEAT_CALL.format("a"))
            await endpoint.wait_closed()
        async with running(router, drain=5) as (endpoint, wire):
            wire.put(
                '[2,"c","StatusNotification",{"timestamp":"2026-01-02T03:04:05Z","connectorStatus":"Available",'
                '"evseId":1,"connectorId":1}]'
            )
            await endpoint.wait_closed()

    async def quickly() -> None:
        async with asyncio.timeout(3):
            await main()

    run(quickly())
    assert closed == [True, True]


def test_an_endpoint_is_let_go_when_it_has_ended() -> None:
    async def main() -> weakref.ref[Endpoint]:
        async with running(timeout=60) as (endpoint, wire):
            call = asyncio.create_task(endpoint.call(RESET))
            await rounds()
            wire.put('[3,"1",{"status":"Accepted"}]')
            await call
            return weakref.ref(endpoint)

    async def both() -> None:
        reference = await main()
        await rounds()
        gc.collect()
        assert reference() is None  # no timer of 60 s may hold it

    run(both())


def test_what_many_calls_leave_is_nothing() -> None:
    router = Router()
    beats(router)

    async def main() -> None:
        one, other = wires()
        csms = Endpoint(one, Session(Codec("ocpp2.0.1"), "csms"), router)
        station = Endpoint(other, Session(Codec("ocpp2.0.1"), "station"), Router())
        tasks = [asyncio.create_task(endpoint.run()) for endpoint in (csms, station)]
        for number in range(1_500):
            if number == 300:
                gc.collect()
                tracemalloc.start()
            await station.call(BEAT)
            one.sent.clear()
            other.sent.clear()
        gc.collect()
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert grown < 20_000  # bytes, over 1,200 calls: a leak of one object each would take 50,000
        await station.close()
        await asyncio.gather(*tasks)

    run(main())


def test_as_many_handlers_run_as_the_session_lets_open() -> None:
    router = Router()
    gate = asyncio.Event()
    begun: list[str] = []

    @router.on
    async def beat(context: Context[Endpoint], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        begun.append(context.id)
        await gate.wait()
        return BEATEN

    async def main() -> None:
        async with running(router, max_open=3) as (_, wire):
            wire.put(*(BEAT_CALL.format(number) for number in range(10)))
            await rounds(20)
            assert begun == ["0", "1", "2"]
            assert [frame[0] for frame in frames(wire)] == [4] * 7
            gate.set()
            await rounds()
            assert sorted(frame[1] for frame in frames(wire) if frame[0] == 3) == begun

    run(main())


def test_a_transaction_message_is_sent_again_and_its_call_waits_for_that() -> None:
    async def main() -> None:
        async with running(version="ocpp1.6", role="station", retry=Retry(2, 0.02)) as (endpoint, wire):
            start = v16.StartTransactionRequest(connector_id=1, id_tag="x", meter_start=0, timestamp=NOW)
            call = asyncio.create_task(endpoint.call(start))
            await rounds()
            wire.put('[4,"1","InternalError","",{}]')
            while len(wire.sent) < 2:
                await asyncio.sleep(0.005)
            assert wire.sent[0] == wire.sent[1]
            assert not call.done()
            wire.put('[3,"1",{"transactionId":7,"idTagInfo":{"status":"Accepted"}}]')
            assert (await call).transaction_id == 7

    run(main())


def test_an_idle_endpoint_is_small() -> None:
    async def main() -> None:
        codec, router, wire, kept = Codec("ocpp2.0.1"), Router(), Wire(), []
        kept.append(Endpoint(wire, Session(codec, "csms"), router))
        gc.collect()
        tracemalloc.start()
        for _ in range(500):
            kept.append(Endpoint(wire, Session(codec, "csms"), router))  # noqa: PERF401 - what is measured is one by one
        size = tracemalloc.get_traced_memory()[0] / 500
        tracemalloc.stop()
        assert size < 1_500  # bytes, its session included

    run(main())


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2000, 5000])
def test_a_close_code_that_must_not_be_sent_is_refused(code: int) -> None:
    async def main() -> None:
        async with running() as (endpoint, wire):
            with pytest.raises(ValueError, match="no close code to send"):
                await endpoint.close(code)
            assert not endpoint.closed
            assert wire.closed is None
            await endpoint.close(4000, "é" * 100)
            assert wire.closed == (4000, "é" * 61)  # 123 bytes hold no half of the next one

    run(main())
