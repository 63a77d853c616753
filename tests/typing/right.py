"""What users write, with the types that a checker must find: `reveal_type` lines say which in their comment. It is checked, never run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar, reveal_type

from ocppcore import (
    Call,
    CallError,
    CallResult,
    CallResultError,
    Codec,
    Context,
    OcppError,
    Policy,
    Quirks,
    RawPayload,
    Request,
    Response,
    Router,
    Send,
    Session,
    Tolerated,
    v16,
    v21,
    v201,
)
from ocppcore.aio import Endpoint, Server, connect

ResponseT = TypeVar("ResponseT", bound=Response)


def ask(request: Request[ResponseT]) -> ResponseT:
    raise NotImplementedError


reveal_type(ask(v201.HeartbeatRequest()))  # HeartbeatResponse
reveal_type(ask(v16.ClearCacheRequest()))  # ClearCacheResponse
reveal_type(v201.BootNotificationRequest.__action__)  # str


async def call(endpoint: Endpoint, server: Server, context: Context[Endpoint]) -> None:
    reveal_type(await endpoint.call(v201.HeartbeatRequest()))  # HeartbeatResponse
    reveal_type(await server.connections["CP001"].call(v16.ClearCacheRequest(), timeout=5))  # ClearCacheResponse
    reveal_type(await context.call(v21.ResetRequest(type="OnIdle")))  # ResetResponse
    async with connect("ws://csms.example.com/ocpp", "CP001", Router()) as connected:
        reveal_type(connected)  # Endpoint


def read(data: bytes) -> None:
    frame = Codec("ocpp2.0.1").decode(data)
    match frame:
        case Call(id, payload):
            reveal_type(id)  # str
            if isinstance(payload, v201.BootNotificationRequest):
                reveal_type(payload)  # BootNotificationRequest
                reveal_type(payload.charging_station.modem)  # ModemType | None
        case CallResult(_, RawPayload() as raw):
            reveal_type(raw)  # RawPayload
        case CallResult(_, payload):
            if isinstance(payload, v201.HeartbeatResponse):
                reveal_type(payload.current_time)  # datetime
            elif isinstance(payload, v201.ClearCacheResponse):
                reveal_type(payload.status)  # Literal['Accepted', 'Rejected']
        case CallError():
            reveal_type(frame)  # CallError
            reveal_type(frame.code)  # str


def read_many(data: bytes) -> None:
    codec = Codec("ocpp1.6")
    for frame in codec.decode_many([data, data.decode(), memoryview(data)]):
        if isinstance(frame, OcppError):
            reveal_type(frame.offset)  # int | None
        elif isinstance(frame, CallError):
            reveal_type(frame.code)  # str
    reveal_type(codec.validate_many(data, threads=2))  # Verdicts


def read_21(data: bytes) -> None:
    frame = Codec("ocpp2.1").decode(data)
    match frame:
        case Send(_, payload):
            reveal_type(payload)  # NotifyPeriodicEventStream
        case CallResultError():
            reveal_type(frame)  # CallResultError
        case _:
            pass


def assignable() -> tuple[v16.Frame, v21.Frame, v21.AnyRequest, v21.AnySend]:
    call = Call("1", v16.HeartbeatRequest())
    reveal_type(call.payload)  # HeartbeatRequest
    send = v21.NotifyPeriodicEventStream(id=1, pending=0, basetime=datetime.now(UTC), data=[])
    return call, Send("2", send), v21.HeartbeatRequest(), send


def answered(response: v21.AnyResponse) -> None:
    if isinstance(response, v21.UpdateDynamicScheduleResponse):
        reveal_type(response)  # UpdateDynamicScheduleResponse
    reveal_type(v201.MESSAGES["Heartbeat"].request)  # type[Payload]


def tolerate(data: bytes) -> None:
    codec = Codec("ocpp2.0.1").extend(policy=Policy.tolerant | Policy([{"rule": "length", "verdict": "refuse"}]))
    result = codec.decode_with_findings(data)
    if isinstance(result.frame, Call):
        reveal_type(result.frame.id)  # str
    for finding in result.findings:
        reveal_type(finding.original)  # str | None
    reveal_type(codec.encode_with_extras(Call("1", v201.HeartbeatRequest()), result.extras))  # bytes
    for event in Session(codec, "csms", quirks=Quirks.known).receive(data, 0.0):
        if isinstance(event, Tolerated):
            reveal_type(event.extras)  # dict[str, Any]
