"""Frames and errors of the wire are values: built by position, frozen, compared, copied and matched by their fields."""

from __future__ import annotations

import copy
import gc
import pickle
from typing import Any

import msgspec
import pytest

from ocppcore import Call, CallError, CallResult, CallResultError, Peek, RawPayload, Send, v21, v201

REQUEST = v201.HeartbeatRequest()
FRAMES = [
    Call("1", REQUEST),
    CallResult("1", v201.DataTransferResponse(status="Accepted")),
    CallResult("1", RawPayload(b"{}", 9)),
    CallError("1", "GenericError", "no", {"a": [1]}),
    CallResultError("1", "GenericError"),
    Send("1", v21.NotifyPeriodicEventStream(id=1, pending=0, basetime=None, data=[])),  # type: ignore[arg-type]
    Peek(2, "1", "Heartbeat", b'[2,"1","Heartbeat",{}]', 19),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_frames_are_values(frame: Any) -> None:
    again = type(frame)(*(getattr(frame, name) for name in frame.__struct_fields__))
    assert again == frame
    assert copy.copy(frame) == copy.deepcopy(frame) == pickle.loads(pickle.dumps(frame)) == frame
    assert not gc.is_tracked(frame)
    with pytest.raises(AttributeError):
        frame.id = "2"


def test_a_frame_names_the_action_of_its_payload() -> None:
    assert Call("1", REQUEST).action == "Heartbeat"
    assert CallResult("1", v201.DataTransferResponse(status="Accepted")).action == "DataTransfer"
    assert CallResult("1", RawPayload(b"{}", 9)).action is None
    assert FRAMES[5].action == "NotifyPeriodicEventStream"


def test_frames_match_by_position_and_by_payload_type() -> None:
    match FRAMES[0]:
        case Call(id, v201.HeartbeatRequest()):
            assert id == "1"
        case _:
            pytest.fail("no match")
    match FRAMES[3]:
        case CallError(_, code, description, details):
            assert (code, description, details) == ("GenericError", "no", {"a": [1]})
        case _:
            pytest.fail("no match")


def test_the_details_of_two_errors_are_not_shared() -> None:
    first, second = CallError("1", "x"), CallError("1", "x")
    assert first.details == {}
    assert first.details is not second.details


@pytest.mark.parametrize("cls", [CallError, CallResultError])
def test_a_code_is_kept_and_understood_in_every_spelling(cls: type[CallError]) -> None:
    for spelled, name in {
        "FormationViolation": "FormatViolation",
        "FormatViolation": "FormatViolation",
        "OccurenceConstraintViolation": "OccurrenceConstraintViolation",
        "OccurrenceConstraintViolation": "OccurrenceConstraintViolation",
        "GenericError": "GenericError",
        "MessageTypeNotSupported": "MessageTypeNotSupported",
        "OutOfCoffee": "OutOfCoffee",
        "": "",
    }.items():
        error = cls("1", spelled)
        assert error.code == spelled
        assert error.canonical_code == name


@pytest.mark.parametrize(
    ("source", "start", "payload"),
    [
        (b'[2,"1","A",{"a":1}]', 11, b'{"a":1}'),
        (b'[2,"1","A", {"a":1} ] \r\n', 12, b'{"a":1}'),
        ('[3,"1",{"a":"\u00e9"}]', 7, '{"a":"\u00e9"}'.encode()),
        ('[3,"\u00e9",{"a":"\ud800"}]', 8, b'{"a":"\xed\xa0\x80"}'),
        (b'[3,"1",{"a":1', 7, b'{"a":1'),
        (b'[3,"1",[[]]]', 7, b"[[]]"),
    ],
)
def test_peek_cuts_the_payload_out_unchecked(source: bytes | str, start: int, payload: bytes) -> None:
    assert Peek(2, "1", "A", source, start).payload == payload


def test_peek_of_a_refusal_has_no_payload_and_its_repr_no_data() -> None:
    peek = Peek(4, "1", None, b'[4,"1","","",{"secret":1}]', -1)
    assert peek.payload is None
    assert "secret" not in repr(peek)


def test_msgspec_writes_frames_as_what_they_are() -> None:
    assert msgspec.to_builtins(CallError("1", "x")) == {"id": "1", "code": "x", "description": "", "details": {}}
