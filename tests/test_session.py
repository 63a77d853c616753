"""The session: conversations are tested as pairs over a list; no test sleeps, patches or reads a clock."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ocppcore import (
    Call,
    CallError,
    CallResult,
    CallResultError,
    Cancelled,
    Closed,
    Codec,
    EncodeError,
    Invalid,
    QueueFull,
    Refused,
    Retry,
    Retrying,
    Send,
    Session,
    SessionClosed,
    TimedOut,
    Unmatched,
    v16,
    v21,
    v201,
)
from ocppcore._session import TRANSITIONS, Happening, Outcome, State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEAT = v201.HeartbeatResponse(current_time=NOW)


def numbered(prefix: str) -> Any:
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers)}"


def station(subprotocol: str = "ocpp2.0.1", **options: Any) -> Session:
    return Session(Codec(subprotocol), "station", new_id=numbered("s"), **options)


def csms(subprotocol: str = "ocpp2.0.1", **options: Any) -> Session:
    return Session(Codec(subprotocol), "csms", new_id=numbered("c"), **options)


def deliver(sender: Session, receiver: Session, now: float = 0.0) -> list[Any]:
    """All that waits goes over a perfect wire; returns what the receiver made of it."""
    return [event for data in sender.data_to_send() for event in receiver.receive(data, now)]


def test_a_call_is_answered() -> None:
    ours, theirs = station(), csms()
    assert ours.call(v201.HeartbeatRequest(), 0.0) == "s1"
    assert ours.deadline == 30.0
    assert deliver(ours, theirs) == [Call("s1", v201.HeartbeatRequest())]
    theirs.reply("s1", BEAT)
    assert deliver(theirs, ours) == [CallResult("s1", BEAT)]
    assert ours.deadline is None
    assert ours.data_to_send() == []


def test_one_call_is_outstanding_and_the_others_wait_in_order() -> None:
    ours, theirs = station(), csms()
    for _ in range(3):
        ours.call(v201.HeartbeatRequest(), 0.0)
    order = []
    for _ in range(3):
        (call,) = deliver(ours, theirs)
        order.append(call.id)
        theirs.reply(call.id, BEAT)
        deliver(theirs, ours)
    assert order == ["s1", "s2", "s3"]


def test_replies_overtake_queued_calls() -> None:
    ours, theirs = station(), csms()
    ours.call(v201.HeartbeatRequest(), 0.0)
    ours.call(v201.HeartbeatRequest(), 0.0)
    ours.data_to_send()
    theirs.call(v201.ClearCacheRequest(), 0.0)
    deliver(theirs, ours)
    ours.reply("c1", v201.ClearCacheResponse(status="Accepted"))
    assert deliver(ours, theirs) == [CallResult("c1", v201.ClearCacheResponse(status="Accepted"))]


def test_a_refused_call_ends_with_the_error() -> None:
    ours, theirs = station(), csms()
    ours.call(v201.HeartbeatRequest(), 0.0)
    deliver(ours, theirs)
    theirs.reply("s1", CallError("s1", "InternalError", "sorry"))
    assert deliver(theirs, ours) == [CallError("s1", "InternalError", "sorry")]


def test_a_timeout_ends_the_call_and_the_late_answer_shifts_nothing() -> None:
    ours, theirs = station(), csms()
    ours.call(v201.HeartbeatRequest(), 0.0)
    ours.call(v201.HeartbeatRequest(), 0.0)
    deliver(ours, theirs)
    assert ours.expire(29.9) == []
    assert ours.expire(30.0) == [TimedOut("s1", "Heartbeat")]
    theirs.reply("s1", BEAT)
    (late,) = deliver(theirs, ours, 31.0)
    assert isinstance(late, Unmatched)
    assert late.frame.id == "s1"
    assert [call.id for call in deliver(ours, theirs)] == ["s2"]
    theirs.reply("s2", BEAT)
    assert deliver(theirs, ours) == [CallResult("s2", BEAT)]


def test_duplicate_and_unknown_answers_are_unmatched() -> None:
    ours, theirs = station(), csms()
    ours.call(v201.HeartbeatRequest(), 0.0)
    deliver(ours, theirs)
    theirs.reply("s1", BEAT)
    (data,) = theirs.data_to_send()
    assert ours.receive(data, 0.0) == [CallResult("s1", BEAT)]
    for stray in (data, b'[3,"nobody",{}]', b'[4,"nobody","GenericError","",{}]'):
        (event,) = ours.receive(stray, 0.0)
        assert isinstance(event, Unmatched)


def test_a_cancelled_call_holds_the_line_until_its_answer() -> None:
    ours, theirs = station(), csms()
    ours.call(v201.HeartbeatRequest(), 0.0)
    ours.call(v201.HeartbeatRequest(), 0.0)
    deliver(ours, theirs)
    assert ours.cancel("s1", 1.0) == [Cancelled("s1", "Heartbeat")]
    assert ours.data_to_send() == []
    theirs.reply("s1", BEAT)
    (event,) = deliver(theirs, ours)
    assert isinstance(event, Unmatched)
    assert [call.id for call in deliver(ours, theirs)] == ["s2"]
    with pytest.raises(ValueError, match="s1"):
        ours.cancel("s1", 2.0)


def test_a_cancelled_call_without_an_answer_frees_the_line_at_its_timeout() -> None:
    ours = station()
    ours.call(v201.HeartbeatRequest(), 0.0)
    ours.call(v201.HeartbeatRequest(), 0.0)
    ours.data_to_send()
    ours.cancel("s1", 1.0)
    assert ours.expire(30.0) == []
    assert len(ours.data_to_send()) == 1


def test_a_queued_call_can_be_cancelled() -> None:
    ours = station()
    ours.call(v201.HeartbeatRequest(), 0.0)
    ours.call(v201.HeartbeatRequest(), 0.0)
    assert ours.cancel("s2", 0.0) == [Cancelled("s2", "Heartbeat")]
    assert len(ours.data_to_send()) == 1


def test_close_ends_everything_in_order() -> None:
    ours = station()
    for _ in range(3):
        ours.call(v201.HeartbeatRequest(), 0.0)
    assert ours.close() == [Closed(f"s{n}", "Heartbeat") for n in (1, 2, 3)]
    assert ours.closed
    assert ours.close() == []
    assert ours.receive(b'[2,"c1","ClearCache",{}]', 0.0) == []
    with pytest.raises(SessionClosed):
        ours.call(v201.HeartbeatRequest(), 0.0)


def test_the_queue_is_bounded() -> None:
    ours = station(max_queue=2)
    for _ in range(3):
        ours.call(v201.HeartbeatRequest(), 0.0)
    with pytest.raises(QueueFull):
        ours.call(v201.HeartbeatRequest(), 0.0)


def test_without_a_queue_a_call_goes_out_or_is_refused() -> None:
    one = station(max_queue=0)
    for _ in range(2):
        id = one.call(v201.HeartbeatRequest(), 0.0)
        with pytest.raises(QueueFull):
            one.call(v201.HeartbeatRequest(), 0.0)
        assert len(one.data_to_send()) == 1
        one.receive(f'[3,"{id}",{{"currentTime":"2026-03-01T12:00:00Z"}}]', 1.0)


def test_an_invalid_call_is_answered_and_reported() -> None:
    ours, theirs = station(), csms()
    (event,) = theirs.receive(b'[2,"7","Heartbeat",{"x":1}]', 0.0)
    assert isinstance(event, Invalid)
    assert event.id is None
    assert event.error.kind == "unknown_key"
    (answer,) = deliver(theirs, ours)
    assert isinstance(answer, Unmatched)
    assert answer.frame == event.answer
    assert event.answer is not None
    assert event.answer.code == "FormatViolation"


@pytest.mark.parametrize(("subprotocol", "answered"), [("ocpp1.6", False), ("ocpp2.0.1", False), ("ocpp2.1", True)])
def test_an_invalid_result_ends_the_call_and_is_answered_on_21_only(subprotocol: str, answered: bool) -> None:
    ours = station(subprotocol)
    module = {"ocpp1.6": v16, "ocpp2.0.1": v201, "ocpp2.1": v21}[subprotocol]
    ours.call(module.HeartbeatRequest(), 0.0)
    ours.data_to_send()
    (event,) = ours.receive(b'[3,"s1",{}]', 0.0)
    assert isinstance(event, Invalid)
    assert event.id == "s1"
    assert isinstance(event.answer, CallResultError) is answered
    assert len(ours.data_to_send()) == answered
    assert ours.deadline is None


def test_a_broken_answer_to_somebody_else_ends_nothing() -> None:
    ours = station()
    ours.call(v201.HeartbeatRequest(), 0.0)
    (event,) = ours.receive(b'[3,"nobody",{]', 0.0)
    assert isinstance(event, Invalid)
    assert event.id is None
    assert ours.deadline == 30.0


def test_a_call_in_the_wrong_direction_is_not_supported() -> None:
    ours, theirs = station(), csms()
    (event,) = ours.receive(b'[2,"c1","Heartbeat",{}]', 0.0)
    assert isinstance(event, Refused)
    assert event.answer is not None
    assert event.answer.code == "NotSupported"
    assert len(ours.data_to_send()) == 1
    with pytest.raises(ValueError, match="station"):
        theirs.call(v201.HeartbeatRequest(), 0.0)


@pytest.mark.parametrize(("subprotocol", "code"), [("ocpp1.6", "GenericError"), ("ocpp2.0.1", "RpcFrameworkError")])
def test_a_second_call_with_an_open_id_is_refused_or_taken(subprotocol: str, code: str) -> None:
    data = b'[2,"c1","ClearCache",{}]'
    refusing = station(subprotocol)
    assert isinstance(refusing.receive(data, 0.0)[0], Call)
    (event,) = refusing.receive(data, 0.0)
    assert isinstance(event, Refused)
    assert event.answer is not None
    assert event.answer.code == code
    taking = station(subprotocol, duplicates="take")
    assert isinstance(taking.receive(data, 0.0)[0], Call)
    assert isinstance(taking.receive(data, 0.0)[0], Call)


def test_the_open_calls_of_the_peer_are_bounded() -> None:
    ours = station(max_open=1)
    assert isinstance(ours.receive(b'[2,"c1","ClearCache",{}]', 0.0)[0], Call)
    (event,) = ours.receive(b'[2,"c2","ClearCache",{}]', 0.0)
    assert isinstance(event, Refused)


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": float("nan")},
        {"timeout": -1.0},
        {"timeout": None},
        {"max_queue": -1},
        {"max_open": 0},
        {"retry": Retry(attempts=0)},
        {"retry": Retry(interval=float("inf"))},
        {"duplicates": "drop"},
    ],
)
def test_settings_that_make_no_sense_are_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        station(**options)
    with pytest.raises(ValueError, match="role"):
        Session(Codec("ocpp1.6"), "charger")  # type: ignore[arg-type]


def test_an_id_in_use_and_a_timeout_without_end_are_refused() -> None:
    ours = Session(Codec("ocpp2.0.1"), "station", new_id=lambda: "same")
    ours.call(v201.HeartbeatRequest(), 0.0)
    with pytest.raises(ValueError, match="same"):
        ours.call(v201.HeartbeatRequest(), 0.0)
    with pytest.raises(ValueError, match="timeout"):
        ours.call(v201.HeartbeatRequest(), 0.0, timeout=float("inf"))


def test_reply_wants_an_open_call_and_its_own_response() -> None:
    ours = station()
    ours.receive(b'[2,"c1","ClearCache",{}]', 0.0)
    with pytest.raises(ValueError, match="c9"):
        ours.reply("c9", v201.ClearCacheResponse(status="Accepted"))
    with pytest.raises(ValueError, match="ClearCache"):
        ours.reply("c1", v201.ResetResponse(status="Accepted"))
    with pytest.raises(ValueError, match="c2"):
        ours.reply("c1", CallError("c2", "GenericError"))
    with pytest.raises(TypeError, match="HeartbeatRequest"):
        ours.reply("c1", v201.HeartbeatRequest())  # type: ignore[arg-type]
    with pytest.raises(EncodeError):
        ours.reply("c1", v201.ClearCacheResponse(status="Maybe"))  # type: ignore[arg-type]
    ours.reply("c1", v201.ClearCacheResponse(status="Rejected"))
    with pytest.raises(ValueError, match="c1"):
        ours.reply("c1", v201.ClearCacheResponse(status="Rejected"))


def test_send_waits_for_nothing_and_is_never_answered() -> None:
    ours, theirs = station("ocpp2.1"), csms("ocpp2.1")
    ours.call(v21.HeartbeatRequest(), 0.0)
    ours.data_to_send()
    payload = v21.NotifyPeriodicEventStream(
        id=1, pending=0, basetime=NOW, data=[v21.StreamDataElementType(t=0.0, v="1")]
    )
    ours.send(payload)
    assert deliver(ours, theirs) == [Send("s2", payload)]
    assert theirs.receive(b'[6,"x","NotifyPeriodicEventStream",{}]', 0.0)[0].answer is None  # type: ignore[union-attr]
    assert theirs.data_to_send() == []
    with pytest.raises(TypeError, match="call"):
        ours.send(v21.HeartbeatRequest())  # type: ignore[arg-type]


def start(n: int) -> v16.StartTransactionRequest:
    return v16.StartTransactionRequest(connector_id=n, id_tag="A", meter_start=0, timestamp=NOW)


def test_transaction_messages_are_sent_again_in_order_and_others_overtake() -> None:
    ours = station("ocpp1.6", retry=Retry(attempts=3, interval=60.0))
    ours.call(start(1), 0.0)
    ours.call(start(2), 0.0)
    ours.call(v16.HeartbeatRequest(), 0.0)
    (first,) = ours.data_to_send()
    (event,) = ours.receive(b'[4,"s1","InternalError","",{}]', 1.0)
    assert event == Retrying("s1", "StartTransaction", 61.0, CallError("s1", "InternalError"))
    (beat,) = ours.data_to_send()
    assert b'"s3"' in beat
    ours.receive(b'[3,"s3",{"currentTime":"2026-03-01T12:00:00Z"}]', 2.0)
    assert ours.data_to_send() == []
    assert ours.deadline == 61.0
    assert ours.expire(61.0) == []
    assert ours.data_to_send() == [first]
    assert ours.expire(91.0) == [Retrying("s1", "StartTransaction", 91.0 + 120.0, None)]
    assert ours.expire(211.0) == []
    assert ours.data_to_send() == [first]
    assert ours.expire(241.0) == [TimedOut("s1", "StartTransaction")]
    (second,) = ours.data_to_send()
    assert b'"s2"' in second


def test_every_cell_of_the_table_ends_where_it_can_be_left_or_has_ended() -> None:
    reached = {State.QUEUED} | {state for state, _ in TRANSITIONS.values()}
    assert reached == set(State)
    for state in set(State) - {State.ENDED}:
        assert (state, Happening.CLOSE) in TRANSITIONS
        assert (state, Happening.CANCEL) in TRANSITIONS or state is State.ABANDONED
    assert not [pair for pair in TRANSITIONS if pair[0] is State.ENDED]
    assert {outcome for _, outcome in TRANSITIONS.values()} == {None, *Outcome}


class Conversation(RuleBasedStateMachine):
    """Two sessions over a wire that delays, duplicates, drops and reorders: each call ends exactly once, with its own answer."""

    @initialize(version=st.sampled_from(["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]), retry=st.booleans())
    def begin(self, version: str, retry: bool) -> None:
        self.module: Any = {"ocpp1.6": v16, "ocpp2.0.1": v201, "ocpp2.1": v21}[version]
        options: dict[str, Any] = {"retry": Retry(2, 5.0)} if retry else {}
        self.sides = (station(version, **options), csms(version))
        self.wires: tuple[list[bytes], list[bytes]] = ([], [])  # what is on its way to each side
        self.now = 0.0
        self.made: dict[str, str] = {}
        self.ended: dict[str, Any] = {}

    def flush(self) -> None:
        for n, side in enumerate(self.sides):
            self.wires[1 - n].extend(side.data_to_send())

    def note(self, events: list[Any]) -> None:
        for event in events:
            own = isinstance(event, CallResult | CallError | TimedOut | Cancelled | Closed)
            id = event.id if own else event.id if isinstance(event, Invalid) else None
            if id is not None:
                assert id in self.made
                assert id not in self.ended, "a call ended twice"
                self.ended[id] = event
                if isinstance(event, CallResult):
                    assert event.payload.__action__ == self.made[id], "a call ended with another one's answer"
                    payload: Any = event.payload
                    answer = None if self.module is v16 else payload.custom_data
                    assert answer is None or answer["id"] == id

    @rule(side=st.sampled_from([0, 1]), variant=st.booleans())
    def call(self, side: int, variant: bool) -> None:
        m = self.module
        if side == 1:
            payload = m.ClearCacheRequest() if variant else m.GetLocalListVersionRequest()
        elif variant and m is v16:
            payload = start(1)
        else:
            payload = m.HeartbeatRequest()
        self.made[self.sides[side].call(payload, self.now)] = payload.__action__
        self.flush()

    @rule(
        side=st.sampled_from([0, 1]),
        index=st.integers(0, 5),
        fate=st.sampled_from(["deliver", "drop", "twice", "keep", "break"]),
    )
    def carry(self, side: int, index: int, fate: str) -> None:
        wire = self.wires[side]
        if not wire:
            return
        data = wire.pop(index % len(wire))
        if fate == "keep":
            wire.append(data)
        if fate == "break":
            data = data[: len(data) // 2]
        for _ in range({"deliver": 1, "twice": 2, "break": 1}.get(fate, 0)):
            events = self.sides[side].receive(data, self.now)
            self.note(events)
            self.answer(side, events)
        self.flush()

    def answer(self, side: int, events: list[Any]) -> None:
        for event in events:
            if not isinstance(event, Call):
                continue
            m = self.module
            extra = {} if m is v16 else {"custom_data": {"vendorId": "test", "id": event.id}}
            name = event.action
            if name == "Heartbeat":
                reply = m.HeartbeatResponse(current_time=NOW, **extra)
            elif name == "ClearCache":
                reply = m.ClearCacheResponse(status="Accepted", **extra)
            elif name == "GetLocalListVersion":
                number = {"list_version": 1} if m is v16 else {"version_number": 1}
                reply = m.GetLocalListVersionResponse(**number, **extra)
            else:
                reply = CallError(event.id, "InternalError")
            self.sides[side].reply(event.id, reply)

    @rule(step=st.floats(0.0, 40.0))
    def wait(self, step: float) -> None:
        self.now += step
        for side in self.sides:
            self.note(side.expire(self.now))
        self.flush()

    @rule(side=st.sampled_from([0, 1]), index=st.integers(0, 5))
    def cancel(self, side: int, index: int) -> None:
        prefix = "sc"[side]
        open_ = [id for id in self.made if id not in self.ended and id.startswith(prefix)]
        if open_:
            self.note(self.sides[side].cancel(open_[index % len(open_)], self.now))
            self.flush()

    @invariant()
    def deadlines_lie_ahead(self) -> None:
        for side in getattr(self, "sides", ()):
            assert side.deadline is None or side.deadline >= 0.0

    def teardown(self) -> None:
        for side in getattr(self, "sides", ()):
            self.note(side.close())
        assert set(getattr(self, "made", {})) == set(getattr(self, "ended", {}))


TestConversation = Conversation.TestCase


def test_a_codec_s_name_is_no_codec() -> None:
    name: Any = "ocpp1.6"
    with pytest.raises(TypeError, match=r"a session takes a Codec, not 'ocpp1\.6'"):
        Session(name, "csms")
