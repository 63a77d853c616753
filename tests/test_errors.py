"""Errors are data first; text, quote and answer are made on demand, short, and free of the peer's data when asked."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from ocppcore import CallResult, Codec, EncodeError, Finding, FrameError, OcppError, PayloadError, v16, v201
from ocppcore._errors import make_error, rules_of
from ocppcore._versions import VERSIONS, errors

KINDS = errors()["kinds"]
SECRET = "04-DE-AD-BE-EF"


def error_of(codec: Any, data: Any, **options: Any) -> OcppError:
    with pytest.raises(OcppError) as caught:
        codec.decode(data, **options)
    return caught.value


@pytest.fixture
def codec(backend: str) -> Any:
    return Codec("ocpp2.0.1", backend=backend)


def boot(model: str = "M", **more: Any) -> str:
    payload = {"reason": "PowerUp", "chargingStation": {"model": model, "vendorName": "V"}, **more}
    return json.dumps([2, "19", "BootNotification", payload], ensure_ascii=False)


def test_the_tree_of_classes_is_the_one_its_docstring_draws() -> None:
    drawn = [line.split("── ")[1].split()[0] for line in (OcppError.__doc__ or "").splitlines() if "── " in line]
    assert (
        drawn == [cls.__name__ for cls in OcppError.__subclasses__()] == ["FrameError", "PayloadError", "EncodeError"]
    )
    assert OcppError.__bases__ == (Exception,)


def test_an_error_is_data(codec: Any) -> None:
    data = boot(model="M" * 21)
    error = error_of(codec, data)
    assert type(error) is PayloadError
    assert error.kind == "length"
    assert error.path == "/chargingStation/model"
    assert error.offset == data.index('"MMM')
    assert error.expected == 20
    assert error.found == f'"{"M" * 21}"'
    assert (error.message_type, error.message_id, error.action) == (2, "19", "BootNotification")
    assert error.code == "PropertyConstraintViolation"
    assert error.version == "2.0.1"


def test_a_text_says_what_where_found_expected_and_what_to_do(codec: Any) -> None:
    data = boot(model="M" * 21)
    text = str(error_of(codec, data))
    offset = data.index('"MMM')
    for part in (
        "/chargingStation/model",
        "too long",
        "at most 20",
        "M" * 21,
        f"byte {offset}",
        "BootNotification",
        "'19'",
        "limits=",
    ):
        assert part in text, part
    assert "\n" not in text


@pytest.mark.parametrize(
    ("data", "meant"),
    [
        (boot(reason="powerUP"), "PowerUp"),
        (boot(reason="PowrUp"), "PowerUp"),
        (boot(charging_station={}), "chargingStation"),
        (boot(reason="Boredom"), None),
        (boot(reason="PowerUp" * 100_000), None),
    ],
)
def test_a_near_miss_is_told_what_it_may_have_meant(codec: Any, data: str, meant: str | None) -> None:
    error = error_of(codec, data)
    assert ("It may be meant as" in str(error)) == (meant is not None)
    assert meant is None or str(error).endswith(f"meant as {meant}.")
    assert "meant" not in error.redact()


@pytest.mark.parametrize(
    ("data", "cls", "kind", "found"),
    [
        ("xope", FrameError, "syntax", "x"),
        ("", FrameError, "truncated", None),
        ('{"a":1}', FrameError, "frame_not_array", "{"),
        ('[2,"1","Frob",{}]', FrameError, "action_unknown", '"Frob"'),
        ('[2,"1","Heartbeat",{}', FrameError, "truncated", None),
        ('[2,"1","Heartbeat",{"a":12}]', PayloadError, "unknown_key", '"a"'),
        ('[2,"1","BootNotification",{"reason":12}]', PayloadError, "type", "12"),
        ('[2,"1","BootNotification",{"reason":["a]",{"b":"}"}] }]', PayloadError, "type", '["a]",{"b":"}"}]'),
        ('[2,"1","BootNotification",{"reason": {"b":"\\"}"} }]', PayloadError, "type", '{"b":"\\"}"}'),
        ('[2,"1","BootNotification",{}]', PayloadError, "missing", None),
    ],
)
def test_what_is_found_is_quoted(codec: Any, data: str, cls: type, kind: str, found: str | None) -> None:
    error = error_of(codec, data)
    assert type(error) is cls
    assert error.kind == kind
    if kind != "syntax" and kind != "frame_not_array":
        assert error.found == found
    else:
        assert error.found is not None
        assert error.found.startswith(found or "")


@pytest.mark.parametrize("value", ["x" * 100_000, "é" * 100, "\u2028" * 100, "😀" * 40, "\\n" * 60, "x" * 62, "x" * 63])
def test_a_quote_has_at_most_64_characters_and_is_printable(codec: Any, value: str) -> None:
    error = error_of(codec, boot(customData={"vendorId": "v"}, reason=value))
    assert error.kind == "enum"
    assert error.found is not None
    assert len(error.found) <= 64
    assert error.found.isprintable()
    assert str(error).isprintable()
    assert len(str(error)) < 600
    whole = json.dumps(value, ensure_ascii=False)
    assert error.found == whole or error.found.endswith("…") or "\\" in error.found


def test_bytes_and_text_are_quoted_alike(codec: Any) -> None:
    data = boot(reason="é" * 300)
    in_text, in_bytes = error_of(codec, data), error_of(codec, data.encode())
    assert in_text.found == in_bytes.found
    assert str(in_text) == str(in_bytes)


@pytest.mark.parametrize(
    "data",
    [
        boot(reason=SECRET),
        boot(**{SECRET: 1}),
        boot(customData={"vendorId": SECRET * 30}),
        boot(customData={"vendorId": "v", SECRET: {SECRET: 10**30}}),
        json.dumps([2, SECRET, "Heartbeat", {"x": 1}]),
        json.dumps([2, SECRET, SECRET, {}]),
        json.dumps([2, "1", SECRET, {}]),
        f'[2,"1","Heartbeat",{{}} {SECRET}',
        f'[2,"{SECRET}"',
    ],
)
def test_a_redacted_text_and_an_answer_hold_nothing_of_the_peer(codec: Any, data: str) -> None:
    error = error_of(codec, data)
    assert SECRET not in error.format(redact=True)
    assert error.format(redact=True) == error.redact()
    answer = error.reply()
    assert answer is not None
    assert SECRET not in answer.description
    assert answer.details == {}


def test_a_redacted_text_keeps_the_names_of_the_schemas(codec: Any) -> None:
    error = error_of(codec, boot(model="M" * 21))
    assert "/chargingStation/model" in error.redact()
    assert "M" * 21 not in error.redact()


def test_control_characters_of_a_peer_do_not_reach_a_log(codec: Any) -> None:
    error = error_of(codec, json.dumps([2, "1\n2\x1b", "Boot\r\n", {}]))
    assert error.message_id == "1\n2\x1b"
    assert str(error).isprintable()


def test_an_error_can_be_pickled_and_copied_without_its_frame(codec: Any) -> None:
    error = error_of(codec, boot(model="M" * 500_000))
    error.add_note("seen at the gate")
    pickled = pickle.dumps(error)
    assert len(pickled) < 2_000
    for again in (pickle.loads(pickled), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        for name in (
            "kind",
            "path",
            "offset",
            "expected",
            "found",
            "message_type",
            "message_id",
            "action",
            "code",
            "version",
        ):
            assert getattr(again, name) == getattr(error, name), name
        assert str(again) == str(error)
        assert again.reply() == error.reply()
        assert again.__notes__ == ["seen at the gate"]


def test_a_pickled_error_keeps_the_codes_of_its_codec(codec: Any) -> None:
    own = codec.extend(codes={"length": "ProtocolError"})
    error = pickle.loads(pickle.dumps(error_of(own, boot(model="M" * 21))))
    assert error.code == "ProtocolError"
    assert error.reply().code == "ProtocolError"


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.number)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_code_that_its_version_defines_and_a_text(kind: str, version: Any) -> None:
    error = make_error(rules_of(version.subprotocol), kind, "", 0, None, b"[2", 2, "1", None)
    assert error.code in errors()["codes"][version.number]
    assert KINDS[kind]["says"] in str(error)
    assert isinstance(error, PayloadError) == (KINDS[kind]["scope"] == "payload")


def test_encode_errors_have_a_pointer_and_no_offset(codec: Any) -> None:
    from ocppcore import Call

    payload = v201.BootNotificationRequest(
        reason="PowerUp", charging_station=v201.ChargingStationType(model="M" * 21, vendor_name="V")
    )
    with pytest.raises(EncodeError) as caught:
        codec.encode(Call("1", payload))
    error = caught.value
    assert (error.kind, error.path, error.expected) == ("length", "/chargingStation/model", 20)
    assert error.offset is None
    assert error.found is None
    assert error.reply() is None
    assert "/chargingStation/model" in str(error)


def test_a_finding_says_what_its_error_says(codec: Any) -> None:
    data = boot(model="M" * 21, reason="Boredom")
    error = error_of(codec, data)
    findings = codec.explain(data)
    assert findings[0] == Finding.of(error)
    assert findings[0].text == str(error)
    assert {finding.kind for finding in findings} == {"length", "enum"}


def test_the_parts_of_a_truncated_frame_that_stand_are_known(codec: Any) -> None:
    error = error_of(codec, boot()[:-10])
    assert error.kind == "truncated"
    assert (error.message_type, error.message_id, error.action) == (2, "19", "BootNotification")
    error = error_of(codec, '[2,"19"')
    assert (error.message_type, error.message_id, error.action) == (2, "19", None)
    error = error_of(codec, '[2,"19')
    assert (error.message_type, error.message_id, error.action) == (2, None, None)


def test_a_text_where_a_datetime_belongs_is_told_what_to_give(backend: str) -> None:
    """The schema's type is a string, which is what the writer makes of a datetime, not what it takes."""
    answer: Any = v16.HeartbeatResponse(current_time="2026-08-04T13:35:45Z")  # type: ignore[arg-type]
    with pytest.raises(EncodeError) as caught:
        Codec("ocpp1.6", backend=backend).encode(CallResult("1", answer))  # type: ignore[call-overload]
    assert (caught.value.kind, caught.value.expected) == ("type", "datetime")
    assert str(caught.value).endswith("Give an aware datetime: datetime.now(timezone.utc).")
