"""The router: what handlers give and what they get wrong, by a connection that is nothing but a session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from ocppcore import (
    DEFERRED,
    Call,
    CallError,
    CallResult,
    Codec,
    Context,
    HandlerFault,
    RefuseCall,
    Response,
    Router,
    Send,
    Session,
    UntypedPayload,
    v16,
    v21,
    v201,
)
from ocppcore._router import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEAT = v201.HeartbeatResponse(current_time=NOW)
BOOT = v201.BootNotificationRequest(
    reason="PowerUp", charging_station=v201.ChargingStationType(model="M", vendor_name="V")
)


class Wire:
    """A CSMS at the end of a connection: what the station sends goes in, what it would get comes out."""

    def __init__(self, router: Router, subprotocol: str = "ocpp2.0.1") -> None:
        self.router = router
        self.codec: Codec[Any] = Codec(subprotocol)
        self.session = Session(self.codec, "csms")
        self.station = Session(self.codec, "station", new_id=lambda: "7")
        self.rest: list[Any] = []

    def call(self, payload: Any, *, timeout: float | None = None) -> Awaitable[Any]:
        raise NotImplementedError

    def reply(self, id: str, payload: Response | CallError) -> None:
        self.session.reply(id, payload)

    def take(self, frame: Any) -> None:
        for event in self.session.receive(self.codec.encode(frame), 0.0):
            assert isinstance(event, Call | Send)
            rest = self.router.handle(event, Context(self, "CS1", event), self.session)
            if rest is not None:
                self.rest.append(rest)

    def answers(self) -> list[Any]:
        found = []
        for data in self.session.data_to_send():
            frame = self.codec.decode(data)
            found.append(self.codec.resolve(frame, "Heartbeat") if isinstance(frame, CallResult) else frame)
        return found

    def ask(self, payload: Any) -> list[Any]:
        """Sends one call, runs its handler to the end and returns what came back."""
        self.take(Call("7", payload))
        rest, self.rest = self.rest, []
        for coroutine in rest:
            asyncio.run(coroutine)
        return self.answers()


@pytest.fixture
def faults() -> list[HandlerFault]:
    return []


@pytest.fixture
def router(faults: list[HandlerFault]) -> Router:
    return Router(report=faults.append)


def beat(context: Context[Any], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
    return BEAT


async def late_beat(context: Context[Any], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
    await asyncio.sleep(0)
    return BEAT


def beat_alone(request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
    return BEAT


class Site:
    def beat(self, context: Context[Any], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        return BEAT


@pytest.mark.parametrize("handler", [beat, late_beat, beat_alone, Site().beat])
def test_a_handler_answers(router: Router, handler: Callable[..., Any]) -> None:
    assert router.on(handler) is handler
    assert router.handlers == {v201.HeartbeatRequest: handler}
    assert Wire(router).ask(v201.HeartbeatRequest()) == [CallResult("7", BEAT)]


def test_the_type_may_be_given(router: Router) -> None:
    @router.on(v201.HeartbeatRequest)
    def first(context: Any, request: Any) -> Any:
        return BEAT

    assert router.on(v201.BootNotificationRequest, first) is first
    assert set(router.handlers) == {v201.HeartbeatRequest, v201.BootNotificationRequest}
    assert Wire(router).ask(v201.HeartbeatRequest()) == [CallResult("7", BEAT)]


def test_one_handler_may_take_several_versions(router: Router) -> None:
    @router.on
    def any_beat(
        context: Context[Any], request: v16.HeartbeatRequest | v201.HeartbeatRequest
    ) -> v16.HeartbeatResponse | v201.HeartbeatResponse:
        return v16.HeartbeatResponse(current_time=NOW) if context.subprotocol == "ocpp1.6" else BEAT

    assert Wire(router, "ocpp1.6").ask(v16.HeartbeatRequest()) == [
        CallResult("7", v16.HeartbeatResponse(current_time=NOW))
    ]
    assert Wire(router).ask(v201.HeartbeatRequest()) == [CallResult("7", BEAT)]


def test_a_request_without_a_handler_is_not_supported(router: Router, faults: list[HandlerFault]) -> None:
    [answer] = Wire(router).ask(v201.HeartbeatRequest())
    assert (answer.id, answer.code) == ("7", "NotSupported")
    assert faults == []


def test_otherwise_takes_what_is_left(router: Router) -> None:
    seen: list[str] = []

    @router.otherwise
    def rest(context: Context[Any], request: Any) -> Any:
        seen.append(context.action)
        return BEAT

    assert Wire(router).ask(v201.HeartbeatRequest()) == [CallResult("7", BEAT)]
    assert seen == ["Heartbeat"]
    with pytest.raises(ValueError, match="already"):
        router.otherwise(rest)


def nothing(_: Any, request: v201.HeartbeatRequest) -> Any:
    return None


def a_dict(_: Any, request: v201.HeartbeatRequest) -> Any:
    return {"currentTime": "2026-03-01T12:00:00Z"}


def of_another_action(_: Any, request: v201.HeartbeatRequest) -> Any:
    return v201.StatusNotificationResponse()


def the_class(_: Any, request: v201.HeartbeatRequest) -> Any:
    return v201.HeartbeatResponse


def a_call_error(_: Any, request: v201.HeartbeatRequest) -> Any:
    return CallError("7", "GenericError")


def raises(_: Any, request: v201.HeartbeatRequest) -> Any:
    raise KeyError("secret")


def not_valid(_: Any, request: v201.HeartbeatRequest) -> Any:
    return v201.HeartbeatResponse(current_time=datetime(2026, 3, 1))


def answers_twice(context: Context[Any], request: v201.HeartbeatRequest) -> Any:
    context.reply(BEAT)
    return BEAT


def refuses_with_no_code(_: Any, request: v201.HeartbeatRequest) -> Any:
    raise RefuseCall("Nonsense")


def refuses_with_an_object(_: Any, request: v201.HeartbeatRequest) -> Any:
    raise RefuseCall("GenericError", details={"why": object()})


async def raises_late(_: Any, request: v201.HeartbeatRequest) -> Any:
    await asyncio.sleep(0)
    raise KeyError("secret")


async def nothing_late(_: Any, request: v201.HeartbeatRequest) -> Any:
    await asyncio.sleep(0)


MISTAKES = {
    nothing: "returned None; return v201.HeartbeatResponse(...), or DEFERRED",
    a_dict: "returned a dict; return v201.HeartbeatResponse(...)",
    of_another_action: "returned a StatusNotificationResponse; return v201.HeartbeatResponse(...)",
    the_class: "returned the class HeartbeatResponse; return v201.HeartbeatResponse(...)",
    a_call_error: "returned a CallError; raise RefuseCall(code, description)",
    raises: "raised KeyError: 'secret'; raise RefuseCall(code, description)",
    not_valid: "gave an answer that is not valid:",
    refuses_with_no_code: "raised ValueError: 'Nonsense' is no error code of OCPP; take one of",
    refuses_with_an_object: "gave an answer that is not valid:",
    raises_late: "raised KeyError: 'secret'",
    nothing_late: "returned None; return v201.HeartbeatResponse(...)",
}


@pytest.mark.parametrize("handler", MISTAKES, ids=lambda handler: handler.__name__)
def test_a_mistake_is_answered_and_its_author_told(
    router: Router, faults: list[HandlerFault], handler: Callable[..., Any]
) -> None:
    router.on(handler)
    wire = Wire(router)
    for _ in range(2):  # the conversation goes on
        [answer] = wire.ask(v201.HeartbeatRequest())
        assert answer == CallError("7", "InternalError", "an internal error occurred")
    fault = faults[0]
    assert len(faults) == 2
    assert (fault.handler, fault.identity, fault.frame.id) == (handler, "CS1", "7")
    assert f"{handler.__name__}, the handler of Heartbeat, {MISTAKES[handler]}" in fault.message


def test_a_second_answer_is_reported(router: Router, faults: list[HandlerFault]) -> None:
    router.on(answers_twice)
    assert Wire(router).ask(v201.HeartbeatRequest()) == [CallResult("7", BEAT)]
    assert "does not take" in faults[0].message


@pytest.mark.parametrize(
    ("subprotocol", "request_", "code"),
    [
        ("ocpp1.6", v16.HeartbeatRequest(), "FormationViolation"),
        ("ocpp2.0.1", v201.HeartbeatRequest(), "FormatViolation"),
        ("ocpp2.1", v21.HeartbeatRequest(), "FormatViolation"),
    ],
)
@pytest.mark.parametrize("spelling", ["FormatViolation", "FormationViolation"])
def test_a_handler_refuses_in_any_spelling(
    router: Router, faults: list[HandlerFault], subprotocol: str, request_: Any, code: str, spelling: str
) -> None:
    @router.otherwise
    def refuse(request: Any) -> Any:
        raise RefuseCall(spelling, "x" * 300, {"a": 1})

    assert Wire(router, subprotocol).ask(request_) == [CallError("7", code, "x" * 255, {"a": 1})]
    assert faults == []


def test_an_answer_may_come_later(router: Router, faults: list[HandlerFault]) -> None:
    kept: list[Context[Any]] = []

    @router.on
    def later(context: Context[Any], request: v201.HeartbeatRequest) -> Any:
        kept.append(context)
        return DEFERRED

    wire = Wire(router)
    assert wire.ask(v201.HeartbeatRequest()) == []
    kept[0].reply(BEAT)
    assert wire.answers() == [CallResult("7", BEAT)]
    with pytest.raises(ValueError, match="answered before"):
        kept[0].reply(BEAT)
    assert faults == []
    assert repr(DEFERRED) == "DEFERRED"


def test_a_send_is_never_answered(router: Router, faults: list[HandlerFault]) -> None:
    stream = v21.NotifyPeriodicEventStream(
        id=1, pending=0, basetime=NOW, data=[v21.StreamDataElementType(t=1.0, v="1")]
    )
    wire = Wire(router, "ocpp2.1")
    wire.take(Send("1", stream))  # nobody takes it
    seen: list[Any] = []

    @router.on
    def take(context: Context[Any], payload: v21.NotifyPeriodicEventStream) -> Any:
        seen.append((context.action, payload))
        return seen if len(seen) == 2 else None

    for _ in range(2):
        wire.take(Send("1", stream))
    assert seen == [("NotifyPeriodicEventStream", stream)] * 2
    assert wire.answers() == []
    assert [fault.message.partition(", ")[2] for fault in faults] == [
        "the handler of NotifyPeriodicEventStream, returned a list, and a SEND is never answered; return None"
    ]


def test_middleware_goes_around_every_handler(router: Router) -> None:
    order: list[str] = []
    router.on(beat)

    @router.use
    async def outer(context: Context[Any], request: Any, proceed: Any) -> Any:
        order.append("outer in")
        try:
            return await proceed(context, request)
        finally:
            order.append("outer out")

    @router.use
    async def inner(context: Context[Any], request: Any, proceed: Any) -> Any:
        order.append("inner in")
        await asyncio.sleep(0)
        answer = await proceed(context, request)
        order.append(f"inner out {answer == BEAT}")
        return answer

    assert Wire(router).ask(v201.HeartbeatRequest()) == [CallResult("7", BEAT)]
    assert order == ["outer in", "inner in", "inner out True", "outer out"]


def test_middleware_sees_what_a_handler_raises(router: Router, faults: list[HandlerFault]) -> None:
    router.on(raises)

    @router.use
    async def map_errors(context: Context[Any], request: Any, proceed: Any) -> Any:
        try:
            return await proceed(context, request)
        except KeyError:
            raise RefuseCall("SecurityError", "not for you") from None

    assert Wire(router).ask(v201.HeartbeatRequest()) == [CallError("7", "SecurityError", "not for you")]
    assert faults == []


def test_a_closed_session_swallows_a_late_answer(router: Router, faults: list[HandlerFault]) -> None:
    router.on(late_beat)
    wire = Wire(router)
    wire.take(Call("7", v201.HeartbeatRequest()))
    wire.session.close()
    asyncio.run(wire.rest.pop())
    assert faults == []


def test_routers_are_put_together(router: Router) -> None:
    part = Router()
    part.on(beat)
    router.include(part)
    assert Wire(router).ask(v201.HeartbeatRequest()) == [CallResult("7", BEAT)]
    with pytest.raises(ValueError, match="HeartbeatRequest has a handler already, beat"):
        router.include(part)


def no_annotation(context, request):  # type: ignore[no-untyped-def]
    return BEAT


def not_a_request(context: Any, request: int) -> Any:
    return BEAT


def a_response(context: Any, request: v201.HeartbeatResponse) -> Any:
    return BEAT


def too_many(context: Any, request: v201.HeartbeatRequest, more: int) -> Any:
    return BEAT


def unknown_name(context: Any, request: Nowhere) -> Any:  # type: ignore[name-defined]  # noqa: F821
    return BEAT


def another_answer(request: v201.HeartbeatRequest) -> v201.AuthorizeResponse:
    raise NotImplementedError


async def another_version(request: v201.HeartbeatRequest) -> v16.HeartbeatResponse:
    raise NotImplementedError


def wrong_later(request: v201.HeartbeatRequest) -> Awaitable[v201.AuthorizeResponse | Deferred]:
    raise NotImplementedError


def one_answer_for_two(request: v201.HeartbeatRequest | v201.AuthorizeRequest) -> v201.HeartbeatResponse:
    raise NotImplementedError


def answered_send(request: v21.NotifyPeriodicEventStream) -> v21.NotifyEventResponse:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (
            another_answer,
            "another_answer is annotated to return v201.AuthorizeResponse, which does not answer v201.HeartbeatRequest",
        ),
        (another_version, "return v16.HeartbeatResponse, which does not answer v201.HeartbeatRequest; change the anno"),
        (wrong_later, "return v201.AuthorizeResponse, which does not answer v201.HeartbeatRequest"),
        (one_answer_for_two, "return v201.HeartbeatResponse, which does not answer v201.AuthorizeRequest"),
        (answered_send, "return v21.NotifyEventResponse, and a SEND is never answered; annotate it with -> None"),
        (no_annotation, "does not say which request it takes; annotate 'request'"),
        (not_a_request, "annotated with <class 'int'>, which is no request"),
        (a_response, "HeartbeatResponse is no request"),
        (too_many, "must take .context, request. or .request."),
        (unknown_name, "cannot be read here: name 'Nowhere' is not defined; give the type"),
        (7, "a handler is a function, not a int"),
        (v201.HeartbeatResponse, None),
    ],
)
def test_a_bad_registration_says_what_to_change(router: Router, handler: Any, says: str | None) -> None:
    if says is None:
        with pytest.raises(ValueError, match="HeartbeatResponse is no request"):
            router.on(handler)(beat)
        return
    with pytest.raises(ValueError, match=says):
        router.on(handler)
    assert router.handlers == {}


class OwnBeat(Response, frozen=True, kw_only=True):
    __action__: ClassVar[str] = "Heartbeat"


def own_beat(request: v201.HeartbeatRequest) -> OwnBeat:
    raise NotImplementedError


def either(request: v16.HeartbeatRequest | v201.HeartbeatRequest) -> v16.HeartbeatResponse | v201.HeartbeatResponse:
    raise NotImplementedError


def perhaps_later(request: v201.HeartbeatRequest) -> v201.HeartbeatResponse | Deferred:
    raise NotImplementedError


def by_hand(request: v201.HeartbeatRequest) -> Awaitable[v201.HeartbeatResponse]:
    raise NotImplementedError


def any_response(request: v201.HeartbeatRequest) -> Response:
    raise NotImplementedError


def unreadable(request: v201.HeartbeatRequest) -> Nowhere:  # type: ignore[name-defined]  # noqa: F821
    raise NotImplementedError


@pytest.mark.parametrize("handler", [own_beat, either, perhaps_later, by_hand, any_response, unreadable])
def test_what_a_handler_may_promise(router: Router, handler: Any) -> None:
    router.on(handler)
    assert handler in router.handlers.values()


def test_middleware_must_be_async(router: Router) -> None:
    def plain(context: Any, request: Any, proceed: Any) -> Any:
        return proceed(context, request)

    with pytest.raises(ValueError, match="write `async def"):
        router.use(plain)


def test_a_fault_is_logged_unless_reported(caplog: pytest.LogCaptureFixture) -> None:
    router = Router()
    router.on(raises)
    with caplog.at_level(logging.ERROR, "ocppcore.router"):
        Wire(router).ask(v201.HeartbeatRequest())
    [record] = caplog.records
    assert record.getMessage().startswith("CS1: raises, the handler of Heartbeat, raised KeyError")
    assert record.exc_info is not None


def test_a_report_that_fails_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def bad_report(fault: HandlerFault) -> None:
        raise OSError("disk full")

    router = Router(report=bad_report)
    router.on(raises)
    [answer] = Wire(router).ask(v201.HeartbeatRequest())
    assert answer.code == "InternalError"
    assert "bad_report failed" in caplog.text


def test_a_context_tells_what_it_is_about() -> None:
    wire = Wire(Router())
    context = Context(wire, "CS1", Call("7", BOOT), b"[2]")
    assert (context.id, context.action, context.subprotocol, context.data) == (
        "7",
        "BootNotification",
        "ocpp2.0.1",
        b"[2]",
    )
    assert repr(context) == "Context(identity='CS1', id='7', action='BootNotification')"


def test_an_untyped_payload_reaches_no_handler() -> None:
    router = Router()
    router.on(beat)
    router.otherwise(lambda request: pytest.fail("it fits no type"))
    wire = Wire(router)
    frame: Any = Call("7", UntypedPayload(b"[]", 0, "Heartbeat"))
    wire.session.receive(b'[2,"7","Heartbeat",{}]', 0.0)
    assert router.handle(frame, Context(wire, "CS1", frame), wire.session) is None
    [answer] = wire.answers()
    assert answer.code == "NotSupported"
