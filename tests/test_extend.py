"""A codec taught more: messages of a user's own as Structs or JSON Schemas, raised lengths, other codes, another size."""

from __future__ import annotations

import enum
import json
import pickle
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pytest
from msgspec import Meta

from ocppcore import (
    Call,
    CallResult,
    Codec,
    EncodeError,
    OcppError,
    Request,
    Response,
    Send,
    SendPayload,
    v16,
    v21,
    v201,
)


class Reading(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    sensor_id: Annotated[int, Meta(ge=1, le=9)]
    value: Annotated[float, Meta(multiple_of=0.1)]


class WeatherResponse(Response, frozen=True, kw_only=True):
    __action__: ClassVar[str] = "VendorWeather"
    accepted: bool


class WeatherRequest(Request[WeatherResponse], frozen=True, kw_only=True, rename="camel"):
    """A message with every kind of field that a user may write."""

    __action__: ClassVar[str] = "VendorWeather"
    station: Annotated[str, Meta(max_length=5)]
    sky: Literal["clear", "cloudy"]
    taken_at: datetime
    readings: Annotated[list[Reading], Meta(min_length=1, max_length=2)]
    modem: v201.ModemType | None = None
    link: Annotated[str, Meta(extra_json_schema={"format": "uri"})] | None = None
    anything: Any = msgspec.UNSET
    loose: dict[str, Any] | None = None
    custom_data: dict[str, Any] | None = None


class StrictDataTransferRequest(v201.DataTransferRequest, frozen=True, kw_only=True):
    """Only one vendor, and a message id is a must."""

    vendor_id: Literal["com.example"]
    message_id: Annotated[str, Meta(max_length=4)]


class LaterRequest(Request["LaterResponse"], frozen=True, kw_only=True):
    """Names its answer before there is one."""

    __action__: ClassVar[str] = "VendorLater"


class LaterResponse(Response, frozen=True, kw_only=True):
    __action__: ClassVar[str] = "VendorLater"


class PulseSend(SendPayload, frozen=True, kw_only=True):
    __action__: ClassVar[str] = "VendorPulse"
    beat: int


WEATHER: dict[str, Any] = {
    "station": "roof",
    "sky": "clear",
    "takenAt": "2026-01-02T03:04:05Z",
    "readings": [{"sensorId": 1, "value": 21.4}],
}


def call(payload: Any, action: str = "VendorWeather") -> str:
    return json.dumps([2, "1", action, payload], separators=(",", ":"))


@pytest.fixture
def codec(backend: str) -> Any:
    return Codec("ocpp2.0.1", backend=backend).extend(messages=[WeatherRequest, StrictDataTransferRequest])


def fault(codec: Any, data: str, **options: Any) -> tuple[str, str]:
    with pytest.raises(OcppError) as caught:
        codec.decode(data, **options)
    return caught.value.kind, caught.value.path


# --- Structs


def test_a_message_of_the_user_s_own_is_decoded_and_encoded(codec: Any) -> None:
    frame = codec.decode(call(WEATHER))
    assert frame == Call(
        "1",
        WeatherRequest(
            station="roof",
            sky="clear",
            taken_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            readings=[Reading(sensor_id=1, value=21.4)],
        ),
    )
    assert type(frame.payload) is WeatherRequest
    assert codec.encode(frame) == call(WEATHER).encode()
    assert codec.decode(codec.encode(frame)) == frame
    assert pickle.loads(pickle.dumps(frame)) == frame


def test_every_kind_of_field_comes_through(codec: Any) -> None:
    payload = {
        **WEATHER,
        "modem": {"iccid": "1"},
        "link": "https://example.com/",
        "anything": None,
        "loose": {"a": [1, {"b": None}]},
        "customData": {"vendorId": "v", "more": 1},
    }
    frame = codec.decode(call(payload))
    request = frame.payload
    assert request.modem == v201.ModemType(iccid="1")
    assert request.link == "https://example.com/"
    assert request.anything is None
    assert request.loose == {"a": [1, {"b": None}]}
    assert request.custom_data == {"vendorId": "v", "more": 1}
    assert codec.decode(codec.encode(frame)) == frame


@pytest.mark.parametrize(
    ("change", "kind", "path"),
    [
        ({"station": "rooftop"}, "length", "/station"),
        ({"sky": "green"}, "enum", "/sky"),
        ({"takenAt": "today"}, "format", "/takenAt"),
        ({"readings": []}, "too_few", "/readings"),
        ({"readings": [WEATHER["readings"][0]] * 3}, "too_many", "/readings/2"),
        ({"readings": [{"sensorId": 10, "value": 1}]}, "maximum", "/readings/0/sensorId"),
        ({"readings": [{"sensorId": 0, "value": 1}]}, "minimum", "/readings/0/sensorId"),
        ({"readings": [{"sensorId": 1, "value": 0.25}]}, "multiple_of", "/readings/0/value"),
        ({"readings": [{"value": 1}]}, "missing", "/readings/0/sensorId"),
        ({"modem": {"iccid": "1" * 21}}, "length", "/modem/iccid"),
        ({"link": "no uri"}, "format", "/link"),
        ({"customData": {}}, "missing", "/customData/vendorId"),
        ({"loose": []}, "type", "/loose"),
        ({"modem": None}, "null", "/modem"),
        ({"more": 1}, "unknown_key", "/more"),
    ],
)
def test_a_message_of_the_user_s_own_is_validated_like_the_standard_s(
    codec: Any, change: Any, kind: str, path: str
) -> None:
    data = call({**WEATHER, **change})
    found, where = fault(codec, data)
    assert found == kind
    assert where == path or kind == "too_many"
    with pytest.raises(OcppError):
        codec.validate(data)


def test_an_answer_of_the_user_s_own_is_typed(codec: Any) -> None:
    data = '[3,"1",{"accepted":true}]'
    wanted = CallResult("1", WeatherResponse(accepted=True))
    for pending in ("VendorWeather", WeatherRequest, WeatherResponse):
        assert codec.decode(data, pending={"1": pending}) == wanted
    assert codec.resolve(codec.decode(data), WeatherRequest) == wanted
    assert codec.encode(wanted).decode() == data


def test_a_stricter_payload_takes_the_place_of_the_standard_s(codec: Any) -> None:
    good = call({"vendorId": "com.example", "messageId": "abcd", "data": [1]}, "DataTransfer")
    frame = codec.decode(good)
    assert type(frame.payload) is StrictDataTransferRequest
    assert isinstance(frame.payload, v201.DataTransferRequest)
    assert fault(codec, call({"vendorId": "com.other", "messageId": "a"}, "DataTransfer")) == ("enum", "/vendorId")
    assert fault(codec, call({"vendorId": "com.example"}, "DataTransfer")) == ("missing", "/messageId")
    assert fault(codec, call({"vendorId": "com.example", "messageId": "abcde"}, "DataTransfer")) == (
        "length",
        "/messageId",
    )
    # The answer stays the standard's.
    answer = codec.decode('[3,"1",{"status":"Accepted"}]', pending={"1": StrictDataTransferRequest})
    assert answer.payload == v201.DataTransferResponse(status="Accepted")


def test_what_a_derived_class_leaves_alone_keeps_what_annotations_cannot_say(backend: str) -> None:
    class Shorter(v201.SetChargingProfileRequest, frozen=True, kw_only=True):
        evse_id: Annotated[int, Meta(ge=0, le=4)]

    old = Codec("ocpp1.6", backend=backend)

    class Far(v16.GetDiagnosticsRequest, frozen=True, kw_only=True):
        retries: Annotated[int, Meta(ge=0)]

    new = old.extend(messages=[Far])
    bad = call({"location": "no uri", "retries": 1}, "GetDiagnostics")
    assert fault(new, bad) == fault(old, bad) == ("format", "/location")
    # The draft of the replaced schema holds too: draft 4 takes no 1.0 for an integer.
    assert fault(new, '[2,"1","GetDiagnostics",{"location":"ftp://a/","retries":1.0}]') == ("type", "/retries")
    extended = Codec("ocpp2.0.1", backend=backend).extend(messages=[Shorter])
    assert extended.messages["SetChargingProfile"].request is Shorter


def test_the_codec_that_is_extended_stays_as_it_is(backend: str) -> None:
    old = Codec("ocpp2.0.1", backend=backend)
    new = old.extend(messages=[WeatherRequest])
    assert "VendorWeather" not in old.messages
    assert fault(old, call(WEATHER)) == ("action_unknown", "")
    assert new.messages["VendorWeather"].request is WeatherRequest
    assert new.messages["VendorWeather"].response is WeatherResponse
    assert new.messages["VendorWeather"].direction == "both"
    assert set(new.messages) == {*old.messages, "VendorWeather"}
    again = new.extend(messages=[StrictDataTransferRequest])
    assert again.decode(call(WEATHER)).payload.station == "roof"


def test_an_answer_that_is_named_before_it_is_defined(backend: str) -> None:
    codec = Codec("ocpp2.0.1", backend=backend).extend(messages=[LaterRequest])
    assert codec.messages["VendorLater"].response is LaterResponse


def test_a_send_of_the_user_s_own(backend: str) -> None:
    codec = Codec("ocpp2.1", backend=backend).extend(messages=[PulseSend])
    data = '[6,"1","VendorPulse",{"beat":3}]'
    frame = codec.decode(data)
    assert frame == Send("1", PulseSend(beat=3))
    assert codec.encode(frame).decode() == data
    with pytest.raises(ValueError, match="SEND"):
        Codec("ocpp2.0.1", backend=backend).extend(messages=[PulseSend])


def test_encoding_a_class_that_is_not_registered_is_misuse(backend: str) -> None:
    payload = WeatherResponse(accepted=True)
    with pytest.raises((TypeError, ValueError, EncodeError)):
        Codec("ocpp2.0.1", backend=backend).encode(CallResult("1", payload))


def test_an_extended_codec_survives_pickling(codec: Any) -> None:
    again = pickle.loads(pickle.dumps(codec))
    assert again.backend == codec.backend
    assert again.decode(call(WEATHER)) == codec.decode(call(WEATHER))


def test_explain_and_from_builtins_know_the_messages_too(codec: Any) -> None:
    assert codec.from_builtins("VendorWeather", "request", WEATHER) == codec.decode(call(WEATHER)).payload
    kinds = {finding.kind for finding in codec.explain(call({**WEATHER, "sky": "green", "station": "rooftop"}))}
    assert kinds == {"enum", "length"}
    assert codec.explain(call(WEATHER)) == []


class Colour(enum.Enum):
    RED = "red"


class Answer(Response, frozen=True):
    __action__: ClassVar[str] = "Odd"


def refused(name: str, annotation: Any, default: Any = msgspec.NODEFAULT) -> Any:
    field = (name, annotation) if default is msgspec.NODEFAULT else (name, annotation, default)
    return msgspec.defstruct("Odd", [field], bases=(Request,), namespace={"__action__": "Odd"}, kw_only=True)


@pytest.mark.parametrize(
    ("cls", "advice"),
    [
        (refused("a", bytes), "cannot be checked; use str"),
        (refused("a", Annotated[str, Meta(min_length=1)]), "only max_length"),
        (refused("a", Annotated[str, Meta(pattern="a")]), "only max_length"),
        (refused("a", Annotated[int, Meta(multiple_of=2)]), "multiple_of"),
        (refused("a", Annotated[float, Meta(gt=2)]), "ge and le"),
        (refused("a", str | int), "one type"),
        (refused("a", str | None), "= None"),
        (refused("a", str, "x"), "never put in"),
        (refused("a", str | None, "x"), "never put in"),
        (refused("a", list[str], msgspec.field(default_factory=list)), "never put in"),
        (refused("a", str | msgspec.UnsetType, msgspec.UNSET), "UNSET is for `Any` alone"),
        (refused("a", Any, None), "msgspec.UNSET"),
        (refused("a", Colour), "Literal"),
        (refused("a", Literal[1, 2]), "cannot be checked"),
        (refused("a", list[list[int]]), "list\\[Any\\]"),
        (refused("a", list[int | None]), "null"),
        (refused("a", dict[str, int]), "cannot be checked"),
        (refused("a", Annotated[datetime, Meta(tz=False)]), "aware"),
        (refused("a", "Nowhere"), "cannot be read"),
    ],
)
def test_an_annotation_that_cannot_be_checked_is_refused_with_advice(cls: Any, advice: str, backend: str) -> None:
    with pytest.raises(ValueError, match=advice) as caught:
        Codec("ocpp2.0.1", backend=backend).extend(messages=[cls, Answer])
    assert "Odd" in str(caught.value)


class Endless(msgspec.Struct):
    inner: Endless | None = None


class Tagged(msgspec.Struct, tag=True):
    pass


class Checking(msgspec.Struct):
    def __post_init__(self) -> None:
        pass


@pytest.mark.parametrize(
    ("inner", "advice"), [(Endless, "contains itself"), (Tagged, "tag"), (Checking, "__post_init__")]
)
def test_a_struct_that_cannot_be_served_is_refused(inner: Any, advice: str, backend: str) -> None:
    with pytest.raises(ValueError, match=advice):
        Codec("ocpp2.0.1", backend=backend).extend(messages=[refused("a", inner), Answer])


class Nameless(Request[WeatherResponse], frozen=True):
    pass


class Other(Request[WeatherResponse], frozen=True):
    __action__: ClassVar[str] = "VendorOther"


class Unanswered(Request, frozen=True):
    __action__: ClassVar[str] = "VendorUnanswered"


@pytest.mark.parametrize(
    ("messages", "advice"),
    [
        ([Nameless], "needs its action"),
        ([Other], "has the action 'VendorWeather'"),
        ([Unanswered], "names no answer"),
        ([Answer], "has no request"),
        ([int], "no subclass of Request"),
        ([Request], "no subclass of Request"),
        (["VendorWeather"], "no subclass of Request"),
    ],
)
def test_a_bad_registration_is_refused_with_advice(messages: Any, advice: str, backend: str) -> None:
    with pytest.raises(ValueError, match=advice):
        Codec("ocpp2.1", backend=backend).extend(messages=messages)


LENGTHS = (1, 12, 28, 29, 44, 45, 60)
LongValue = Literal[
    "a",
    "thirty-characters-of-one-value",
    "thirty-one-characters-one-value",
    "forty-six-characters-of-one-value-of-many-more",
    "forty-seven-characters-of-a-value-of-many-more",
    "sixty-characters-of-a-value-that-no-padding-could-ever-hold!",
]


class LongNamesResponse(Response, frozen=True, kw_only=True, gc=False):
    __action__: ClassVar[str] = "VendorLongNames"


class LongNamesRequest(
    Request[LongNamesResponse],
    frozen=True,
    kw_only=True,
    gc=False,
    rename={f"field_{length}": "n" * length for length in LENGTHS},
):
    """Names and values on both sides of what the native backend moves at once."""

    __action__: ClassVar[str] = "VendorLongNames"
    field_1: LongValue
    field_12: LongValue
    field_28: LongValue
    field_29: LongValue
    field_44: LongValue | None = None
    field_45: LongValue | None = None
    field_60: LongValue | None = None


class LongValuesRequest(Request[LongNamesResponse], frozen=True, kw_only=True, gc=False):
    """The same values under short names alone."""

    __action__: ClassVar[str] = "VendorLongNames"
    first: LongValue
    second: LongValue


@pytest.mark.parametrize("value", LongValue.__args__)
def test_names_and_values_of_any_length(value: Any, backend: str) -> None:
    codec = Codec("ocpp2.0.1", backend=backend).extend(messages=[LongNamesRequest, LongNamesResponse])
    frame = Call("1", LongNamesRequest(**{f"field_{length}": value for length in LENGTHS}))
    expected = {"n" * length: value for length in LENGTHS}
    assert codec.encode(frame) == json.dumps([2, "1", "VendorLongNames", expected], separators=(",", ":")).encode()
    codec = Codec("ocpp2.0.1", backend=backend).extend(messages=[LongValuesRequest, LongNamesResponse])
    frame = codec.decode(b'[2,"1","VendorLongNames",{"first":"%s","second":"a"}]' % value.encode())
    assert codec.encode(frame) == b'[2,"1","VendorLongNames",{"first":"%s","second":"a"}]' % value.encode()


# --- JSON Schemas

SCHEMAS: dict[str, Any] = {
    "VendorTariff": {
        "request": {
            "$schema": "http://json-schema.org/draft-06/schema#",
            "definitions": {
                "CurrencyEnumType": {"type": "string", "enum": ["EUR", "CHF"]},
                "PriceType": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "amount": {"type": "number", "multipleOf": 0.01, "minimum": 0},
                        "class": {"type": "integer"},
                    },
                    "required": ["amount"],
                },
            },
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "tariffId": {"type": "string", "maxLength": 6},
                "currency": {"$ref": "#/definitions/CurrencyEnumType"},
                "prices": {"type": "array", "items": {"$ref": "#/definitions/PriceType"}, "minItems": 1, "maxItems": 2},
                "validFrom": {"type": "string", "format": "date-time"},
                "link": {"type": "string", "format": "uri"},
                "note": {},
                "loose": {"type": "object"},
                "active": {"type": "boolean"},
            },
            "required": ["tariffId", "prices"],
        },
        "response": {"type": "object", "additionalProperties": False, "properties": {"ok": {"type": "boolean"}}},
    }
}
TARIFF: dict[str, Any] = {"tariffId": "a", "prices": [{"amount": 0.29, "class": 2}]}


@pytest.fixture
def taught(backend: str) -> Any:
    return Codec("ocpp2.0.1", backend=backend).extend(messages=SCHEMAS)


def test_a_json_schema_makes_classes_and_is_obeyed(taught: Any) -> None:
    data = call({**TARIFF, "currency": "EUR", "note": None, "loose": {"a": 1}, "active": True}, "VendorTariff")
    frame = taught.decode(data)
    message = taught.messages["VendorTariff"]
    assert type(frame.payload) is message.request
    assert issubclass(message.request, Request)
    assert frame.action == "VendorTariff"
    assert frame.payload.tariff_id == "a"
    assert frame.payload.prices[0].class_ == 2
    assert frame.payload.note is None
    assert frame.payload.valid_from is None
    assert taught.encode(frame).decode() == call(
        {
            "tariffId": "a",
            "currency": "EUR",
            "prices": TARIFF["prices"],
            "note": None,
            "loose": {"a": 1},
            "active": True,
        },
        "VendorTariff",
    )
    assert taught.decode('[3,"1",{"ok":true}]', pending={"1": "VendorTariff"}).payload == message.response(ok=True)
    assert msgspec.json.decode(msgspec.json.encode(frame.payload), type=message.request) == frame.payload


@pytest.mark.parametrize(
    ("change", "kind", "path"),
    [
        ({"tariffId": "a" * 7}, "length", "/tariffId"),
        ({"currency": "USD"}, "enum", "/currency"),
        ({"prices": []}, "too_few", "/prices"),
        ({"prices": [{"amount": 0.295}]}, "multiple_of", "/prices/0/amount"),
        ({"prices": [{"amount": -1}]}, "minimum", "/prices/0/amount"),
        ({"prices": [{"amount": 1, "class": 1.5}]}, "type", "/prices/0/class"),
        ({"prices": [{}]}, "missing", "/prices/0/amount"),
        ({"validFrom": "soon"}, "format", "/validFrom"),
        ({"link": "no uri"}, "format", "/link"),
        ({"active": "yes"}, "type", "/active"),
        ({"more": 1}, "unknown_key", "/more"),
    ],
)
def test_a_json_schema_finds_faults(taught: Any, change: Any, kind: str, path: str) -> None:
    assert fault(taught, call({**TARIFF, **change}, "VendorTariff")) == (kind, path)


def test_an_equal_type_of_the_standard_is_used_with_its_class(backend: str) -> None:
    modem = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "customData": {"$ref": "#/definitions/CustomDataType"},
            "iccid": {"type": "string", "maxLength": 20},
            "imsi": {"type": "string", "maxLength": 20},
        },
    }
    custom = {
        "type": "object",
        "properties": {"vendorId": {"type": "string", "maxLength": 255}},
        "required": ["vendorId"],
    }
    schema = {
        "definitions": {"ModemType": modem, "CustomDataType": custom},
        "type": "object",
        "additionalProperties": False,
        "properties": {"modem": {"$ref": "#/definitions/ModemType"}},
    }
    empty = {"type": "object", "additionalProperties": False}
    codec = Codec("ocpp2.0.1", backend=backend).extend(messages={"VendorModem": {"request": schema, "response": empty}})
    frame: Any = codec.decode(call({"modem": {"iccid": "1"}}, "VendorModem"))
    assert type(frame.payload.modem) is v201.ModemType


def test_a_schema_of_draft_4_takes_no_1_0_for_an_integer(backend: str) -> None:
    def schema(draft: str) -> dict[str, Any]:
        return {
            "$schema": f"http://json-schema.org/draft-{draft}/schema#",
            "type": "object",
            "additionalProperties": False,
            "properties": {"n": {"type": "integer"}},
        }

    empty = {"type": "object", "additionalProperties": False}
    base = Codec("ocpp1.6", backend=backend)
    six = base.extend(messages={"VendorCount": {"request": schema("06"), "response": empty}})
    four = base.extend(messages={"VendorCount": {"request": schema("04"), "response": empty}})
    data = '[2,"1","VendorCount",{"n":1.0}]'
    assert six.decode(data).payload.n == 1  # type: ignore[union-attr]
    assert fault(four, data) == ("type", "/n")


EMPTY = {"type": "object", "additionalProperties": False}


def closed(**properties: Any) -> dict[str, Any]:
    return {**EMPTY, "properties": properties}


@pytest.mark.parametrize(
    ("schema", "advice"),
    [
        (closed(a={"type": "string", "pattern": "x"}), "`pattern`"),
        (closed(a={"type": "string", "minLength": 1}), "`minLength`"),
        (closed(a={"oneOf": []}), "`oneOf`"),
        (closed(a={"properties": {}}), "`properties` is not understood on any; it belongs to object"),
        (closed(a={"type": "string", "maximum": 1}), "belongs to integer or number"),
        (closed(a={"type": ["string", "null"]}), "`type`"),
        (closed(a={"type": "null"}), "`type`"),
        (closed(a={"type": "string", "format": "email"}), "`format` 'email'"),
        (closed(a={"type": "string", "enum": [1]}), "`enum`"),
        (closed(a={"type": "string", "enum": []}), "`enum`"),
        (closed(a={"type": "string", "maxLength": "5"}), "`maxLength`"),
        (closed(a={"type": "integer", "minimum": 0.5}), "`minimum`"),
        (closed(a={"type": "object", "additionalProperties": {"type": "string"}}), "`additionalProperties`"),
        (closed(a={"type": "array", "items": {"type": "array"}}), "`items`"),
        (closed(a={"$ref": "#/definitions/Nowhere"}), "`\\$ref`"),
        (closed(a={"$ref": "other.json"}), "`\\$ref`"),
        ({**closed(), "required": ["a"]}, "`required` names 'a'"),
        ({"type": "object"}, "`additionalProperties` must be false"),
        ({"type": "array"}, "`type` must be"),
        ({**closed(), "anyOf": []}, "`anyOf`"),
        (
            {**closed(a={"$ref": "#/$defs/A"}), "$defs": {"A": closed(a={"$ref": "#/$defs/A"})}},
            "contain itself",
        ),
        ([], "must be a JSON Schema as a dict"),
    ],
)
def test_a_schema_that_cannot_be_checked_is_refused_by_its_keyword(schema: Any, advice: str, backend: str) -> None:
    with pytest.raises(ValueError, match=advice):
        Codec("ocpp2.0.1", backend=backend).extend(messages={"VendorOdd": {"request": schema, "response": EMPTY}})


@pytest.mark.parametrize(
    ("messages", "advice"),
    [
        ({"VendorOdd": {"request": EMPTY}}, "has no response"),
        ({"VendorOdd": {"answer": EMPTY}}, "under 'request' and 'response'"),
        ({"VendorOdd": {}}, "under 'request' and 'response'"),
        ({"": {"request": EMPTY, "response": EMPTY}}, "non-empty"),
        ({"BootNotification": {"send": EMPTY}}, "is a call"),
    ],
)
def test_a_bad_mapping_of_schemas_is_refused(messages: Any, advice: str, backend: str) -> None:
    with pytest.raises(ValueError, match=advice):
        Codec("ocpp2.1", backend=backend).extend(messages=messages)


def test_a_codec_taught_by_schemas_survives_pickling(taught: Any) -> None:
    again = pickle.loads(pickle.dumps(taught))
    assert msgspec.to_builtins(again.decode(call(TARIFF, "VendorTariff"))) == msgspec.to_builtins(
        taught.decode(call(TARIFF, "VendorTariff"))
    )


# --- limits, codes, size


def test_a_raised_length_is_allowed_in_both_directions(backend: str) -> None:
    name = "ChargingStationType.model"
    strict = Codec("ocpp2.0.1", backend=backend)
    raised = strict.extend(limits={name: 30})

    def boot(length: int) -> str:
        station = {"model": "M" * length, "vendorName": "V"}
        return call({"chargingStation": station, "reason": "PowerUp"}, "BootNotification")

    assert fault(strict, boot(21)) == ("length", "/chargingStation/model")
    frame = raised.decode(boot(30))
    assert raised.encode(frame).decode() == boot(30)
    raised.validate(boot(30))
    with pytest.raises(OcppError) as caught:
        raised.decode(boot(31))
    assert caught.value.kind == "length"
    assert caught.value.expected == 30
    # Another type's field of that name and this type's other fields stay as they are.
    other = call({"chargingStation": {"model": "M", "vendorName": "V" * 51}, "reason": "PowerUp"}, "BootNotification")
    assert fault(raised, other) == ("length", "/chargingStation/vendorName")
    higher = raised.extend(limits={name: 40})
    assert higher.decode(boot(40)).id == "1"
    assert fault(raised, boot(40)) == ("length", "/chargingStation/model")


@pytest.mark.parametrize(
    ("limits", "advice"),
    [
        ({"ChargingStationType.model": 19}, "20 already"),
        ({"ChargingStationType.modl": 30}, "did you mean 'model'"),
        ({"ChargingStationTyp.model": 30}, "did you mean 'ChargingStationType'"),
        ({"model": 30}, "Type.field"),
        ({"ChargingStationType.modem": 30}, "no length limit"),
        ({"ChargingStationType.model": "30"}, "must be an int"),
        ({"ChargingStationType.model": True}, "must be an int"),
    ],
)
def test_a_wrong_limit_is_refused_with_advice(limits: Any, advice: str, backend: str) -> None:
    with pytest.raises(ValueError, match=advice):
        Codec("ocpp2.0.1", backend=backend).extend(limits=limits)


def test_a_raised_length_is_never_lowered_again(backend: str) -> None:
    raised = Codec("ocpp2.0.1", backend=backend).extend(limits={"ChargingStationType.model": 30})
    with pytest.raises(ValueError, match="30 already"):
        raised.extend(limits={"ChargingStationType.model": 25})


@pytest.mark.parametrize(
    ("codes", "advice"),
    [
        ({"mising": "ProtocolError"}, "did you mean 'missing'"),
        ({"missing": "ProtocollError"}, "did you mean 'ProtocolError'"),
        ({"missing": 1}, "unknown wire code"),
    ],
)
def test_a_wrong_code_is_refused_with_advice(codes: Any, advice: str, backend: str) -> None:
    with pytest.raises(ValueError, match=advice):
        Codec("ocpp2.0.1", backend=backend).extend(codes=codes)


def test_codes_of_two_extensions_add_up(backend: str) -> None:
    codec = (
        Codec("ocpp2.0.1", backend=backend)
        .extend(codes={"missing": "ProtocolError"})
        .extend(codes={"type": "GenericError"})
    )
    for payload, code in (({}, "ProtocolError"), ({"reason": 1}, "GenericError"), ({"x": 1}, "FormatViolation")):
        with pytest.raises(OcppError) as caught:
            codec.decode(call(payload, "BootNotification"))
        assert caught.value.code == code


def test_the_size_limit_can_be_set_anew(backend: str) -> None:
    codec = Codec("ocpp2.1", backend=backend)
    small = codec.extend(max_size=20)
    assert (small.max_size, codec.max_size) == (20, 1 << 20)
    assert fault(small, '[2,"1","Heartbeat",{}]') == ("size", "")
    assert small.messages == codec.messages
    assert isinstance(codec.decode('[2,"1","Heartbeat",{}]').payload, v21.HeartbeatRequest)  # type: ignore[union-attr]


@pytest.mark.parametrize("given", [3, "VendorWeather"])
def test_messages_that_are_no_collection_are_refused_with_advice(given: Any, backend: str) -> None:
    with pytest.raises(TypeError, match="a list of Struct classes, or a dict of JSON Schemas"):
        Codec("ocpp1.6").extend(messages=given)
