"""What a fault is answered with: the protocol's table, for every version, and the limits that hold for each answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ocppcore import CallError, CallResultError, Codec, OcppError
from ocppcore._errors import make_error, rules_of
from ocppcore._versions import VERSIONS, errors

SUBPROTOCOLS = tuple(version.subprotocol for version in VERSIONS)
KINDS = errors()["kinds"]


def reply_to(backend: str, subprotocol: str, data: str, **options: Any) -> CallError | CallResultError | None:
    codec = Codec(subprotocol, backend=backend)
    with pytest.raises(OcppError) as caught:
        codec.decode(data, **options)
    answer = caught.value.reply()
    if answer is not None:
        assert answer.code == caught.value.code
        codec.encode(answer)  # what is to be sent can be written
    return answer


# (case, data, answer's id and code on 1.6, on 2.0.1, on 2.1); None where none is sent.
Answer = tuple[str, str] | None
CASES: list[tuple[str, str, Answer, Answer, Answer]] = [
    ("no JSON", "xope", None, ("-1", "RpcFrameworkError"), ("-1", "RpcFrameworkError")),
    ("empty", "", None, ("-1", "RpcFrameworkError"), ("-1", "RpcFrameworkError")),
    (
        "no JSON, id stands",
        '[2,"7",xope',
        ("7", "FormationViolation"),
        ("7", "FormatViolation"),
        ("7", "FormatViolation"),
    ),
    (
        "truncated",
        '[2,"7","Heartbeat",{',
        ("7", "FormationViolation"),
        ("7", "FormatViolation"),
        ("7", "FormatViolation"),
    ),
    ("no array", "{}", None, ("-1", "RpcFrameworkError"), ("-1", "RpcFrameworkError")),
    ("empty array", "[]", None, ("-1", "RpcFrameworkError"), ("-1", "RpcFrameworkError")),
    ("type no integer", '["2","7"]', None, ("-1", "RpcFrameworkError"), ("-1", "RpcFrameworkError")),
    ("unknown type", '[9,"7","Heartbeat",{}]', None, ("7", "MessageTypeNotSupported"), None),
    ("unknown type, no id", "[9,7]", None, ("-1", "MessageTypeNotSupported"), None),
    ("id no string", '[2,7,"Heartbeat",{}]', None, ("-1", "RpcFrameworkError"), ("-1", "RpcFrameworkError")),
    ("id empty", '[2,"","Heartbeat",{}]', None, ("-1", "RpcFrameworkError"), ("-1", "RpcFrameworkError")),
    (
        "id of 37",
        json.dumps([2, "i" * 37, "Heartbeat", {}]),
        ("i" * 37, "FormationViolation"),
        ("i" * 37, "RpcFrameworkError"),
        ("i" * 37, "RpcFrameworkError"),
    ),
    (
        "id of 100",
        json.dumps([2, "é" * 100, "Heartbeat", {}]),
        ("é" * 100, "FormationViolation"),
        ("é" * 100, "RpcFrameworkError"),
        ("é" * 100, "RpcFrameworkError"),
    ),
    (
        "id of 101",
        json.dumps([2, "i" * 101, "Heartbeat", {}]),
        None,
        ("-1", "RpcFrameworkError"),
        ("-1", "RpcFrameworkError"),
    ),
    ("unknown action", '[2,"7","Frob",{}]', ("7", "NotImplemented"), ("7", "NotImplemented"), ("7", "NotImplemented")),
    (
        "payload null",
        '[2,"7","Heartbeat",null]',
        ("7", "FormationViolation"),
        ("7", "FormatViolation"),
        ("7", "FormatViolation"),
    ),
    (
        "payload missing",
        '[2,"7","Heartbeat"]',
        ("7", "FormationViolation"),
        ("7", "FormatViolation"),
        ("7", "FormatViolation"),
    ),
    (
        "payload a list",
        '[2,"7","Heartbeat",[]]',
        ("7", "FormationViolation"),
        ("7", "ProtocolError"),
        ("7", "ProtocolError"),
    ),
    (
        "too many elements",
        '[2,"7","Heartbeat",{},1]',
        ("7", "FormationViolation"),
        ("7", "RpcFrameworkError"),
        ("7", "RpcFrameworkError"),
    ),
    (
        "unknown field",
        '[2,"7","Heartbeat",{"a":1}]',
        ("7", "FormationViolation"),
        ("7", "FormatViolation"),
        ("7", "FormatViolation"),
    ),
    (
        "required field missing",
        '[2,"7","DataTransfer",{}]',
        ("7", "OccurenceConstraintViolation"),
        ("7", "OccurrenceConstraintViolation"),
        ("7", "OccurrenceConstraintViolation"),
    ),
    (
        "wrong type",
        '[2,"7","DataTransfer",{"vendorId":1}]',
        ("7", "TypeConstraintViolation"),
        ("7", "TypeConstraintViolation"),
        ("7", "TypeConstraintViolation"),
    ),
    (
        "too long",
        json.dumps([2, "7", "DataTransfer", {"vendorId": "v" * 256}]),
        ("7", "PropertyConstraintViolation"),
        ("7", "PropertyConstraintViolation"),
        ("7", "PropertyConstraintViolation"),
    ),
    ("result without its end", '[3,"7",{', None, None, ("7", "FormatViolation")),
    ("result without id", "[3,7,{}]", None, None, None),
    ("result with a long id", json.dumps([3, "i" * 101, {}]), None, None, None),
    ("error of a wrong shape", '[4,"7",1,2,3]', None, None, None),
    ("error with details of a wrong type", '[4,"7","GenericError","","why"]', None, None, None),
    ("result error on 1.6 and 2.0.1", '[5,"7",1,"",{}]', None, ("7", "MessageTypeNotSupported"), None),
    ("send on 1.6 and 2.0.1", '[6,"7","Frob",{}]', None, ("7", "MessageTypeNotSupported"), None),
]


@pytest.mark.parametrize("version", range(3), ids=SUBPROTOCOLS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_the_table(case: tuple[Any, ...], version: int, backend: str) -> None:
    answer = reply_to(backend, SUBPROTOCOLS[version], case[1])
    wanted = case[2 + version]
    assert (answer and (answer.id, answer.code)) == wanted
    if answer is not None:
        assert type(answer) is (CallResultError if case[1].startswith("[3") else CallError)


@pytest.mark.parametrize("subprotocol", SUBPROTOCOLS)
def test_an_invalid_result_is_answered_on_21_alone(subprotocol: str, backend: str) -> None:
    answer = reply_to(backend, subprotocol, '[3,"7",{"status":"Perhaps"}]', pending={"7": "DataTransfer"})
    if subprotocol != "ocpp2.1":
        assert answer is None
    else:
        assert type(answer) is CallResultError
        assert (answer.id, answer.code) == ("7", "PropertyConstraintViolation")


@pytest.mark.parametrize("subprotocol", SUBPROTOCOLS)
def test_a_payload_without_a_frame_has_nobody_to_answer(subprotocol: str, backend: str) -> None:
    codec: Any = Codec(subprotocol, backend=backend)
    for data in ("xope", "{", '{"a":1}', "[]"):
        with pytest.raises(OcppError) as caught:
            codec.decode_payload(data, "Heartbeat", "request")
        assert caught.value.reply() is None


def test_a_code_of_the_codec_s_own_is_sent(backend: str) -> None:
    codec = Codec("ocpp1.6", backend=backend).extend(codes={"missing": "ProtocolError", "syntax": "FormatViolation"})
    with pytest.raises(OcppError) as caught:
        codec.decode('[2,"7","DataTransfer",{}]')
    assert caught.value.code == "ProtocolError"
    with pytest.raises(OcppError) as caught:
        codec.decode('[2,"7",xope')
    answer = caught.value.reply()
    assert answer is not None
    assert answer.code == "FormationViolation"  # in the version's own spelling


IDS = st.text(st.characters(codec=None), max_size=120) | st.none()
PATHS = st.lists(st.text(max_size=300), max_size=20).map(lambda parts: "".join("/" + part for part in parts))


@given(
    st.sampled_from(SUBPROTOCOLS),
    st.sampled_from(sorted(KINDS)),
    PATHS,
    st.none() | st.integers() | st.text(max_size=300) | st.lists(st.text(max_size=300), max_size=9).map(tuple),
    st.sampled_from([None, 0, 2, 3, 4, 5, 6, 7]),
    IDS,
    st.text() | st.none(),
)
@example("ocpp1.6", "unknown_key", "", 1, None, None, None)  # an expectation that is no choice of names
def test_an_answer_keeps_its_limits_whatever_went_wrong(
    subprotocol: str, kind: str, path: str, expected: Any, message_type: int | None, id: str | None, action: str | None
) -> None:
    error = make_error(rules_of(subprotocol), kind, path, 3, expected, b'[2,"x', message_type, id, action)
    assert str(error).isprintable()
    answer = error.reply()
    if answer is not None:
        assert len(answer.description) < 255
        written = json.dumps(
            [4, answer.id, answer.code, answer.description, answer.details], ensure_ascii=False, separators=(",", ":")
        )
        assert len(written.encode()) < 1024
        assert answer.id == id or answer.id == "-1"
