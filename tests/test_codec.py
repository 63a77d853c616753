"""The codec as a user meets it: what it takes, what it says of itself, and how misuse is told apart from bad data."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import threading
import tracemalloc
from typing import Any

import pytest

import ocppcore
from ocppcore import Call, CallError, CallResult, Codec, EncodeError, OcppError, RawPayload, _backend, v16, v21, v201
from support.backends import BACKENDS

SUBPROTOCOLS = {"ocpp1.6": ("1.6", v16), "ocpp2.0.1": ("2.0.1", v201), "ocpp2.1": ("2.1", v21)}
HEARTBEAT = '[2,"1","Heartbeat",{}]'
ANSWER = '[3,"1",{"currentTime":"2026-01-02T03:04:05Z"}]'


@pytest.mark.parametrize("subprotocol", SUBPROTOCOLS)
def test_a_codec_says_what_it_is(subprotocol: str, backend: str) -> None:
    number, module = SUBPROTOCOLS[subprotocol]
    codec = Codec(subprotocol, backend=backend)
    assert isinstance(codec, Codec)
    assert (codec.subprotocol, codec.version, codec.backend, codec.max_size) == (subprotocol, number, backend, 1 << 20)
    assert dict(codec.messages) == module.MESSAGES  # type: ignore[attr-defined]
    assert subprotocol in repr(codec)
    assert backend in repr(codec)


@pytest.mark.parametrize("subprotocol", SUBPROTOCOLS)
def test_a_call_there_and_back(subprotocol: str, backend: str) -> None:
    module: Any = SUBPROTOCOLS[subprotocol][1]
    codec: Any = Codec(subprotocol, backend=backend)
    frame = codec.decode(HEARTBEAT)
    assert frame == Call("1", module.HeartbeatRequest())
    assert codec.encode(frame) == HEARTBEAT.encode()
    assert codec.validate(HEARTBEAT) is None
    peek = codec.peek(HEARTBEAT)
    assert (peek.type, peek.id, peek.action, peek.payload) == (2, "1", "Heartbeat", b"{}")


@pytest.mark.parametrize(
    "make", [str, str.encode, lambda t: bytearray(t.encode()), lambda t: memoryview(b"x" + t.encode())[1:]]
)
def test_text_and_every_buffer_are_read_alike(make: Any, backend: str) -> None:
    codec: Any = Codec("ocpp2.0.1", backend=backend)
    assert codec.decode(make(HEARTBEAT)) == codec.decode(HEARTBEAT)
    assert codec.validate(make(HEARTBEAT)) is None
    assert codec.peek(make(HEARTBEAT)).payload == b"{}"
    assert codec.decode_payload(make("{}"), "Heartbeat", "request") == v201.HeartbeatRequest()


def test_a_result_is_typed_by_pending_or_later(backend: str) -> None:
    codec: Any = Codec("ocpp2.0.1", backend=backend)
    raw = codec.decode(ANSWER)
    assert raw == CallResult("1", RawPayload(ANSWER[7:-1].encode(), 7))
    assert raw.action is None
    typed = codec.decode(ANSWER, pending={"1": "Heartbeat"})
    assert isinstance(typed.payload, v201.HeartbeatResponse)
    for name in ("Heartbeat", v201.HeartbeatRequest, v201.HeartbeatResponse):
        assert codec.decode(ANSWER, pending={"1": name}) == typed
        assert codec.resolve(raw, name) == typed
        assert codec.resolve(typed, name) is typed
    assert codec.decode(ANSWER, pending={"2": "Heartbeat"}) == raw


def test_pending_is_only_read_and_may_be_any_mapping(backend: str) -> None:
    from collections import ChainMap
    from types import MappingProxyType

    codec: Any = Codec("ocpp2.0.1", backend=backend)
    for pending in (MappingProxyType({"1": "Heartbeat"}), ChainMap({}, {"1": "Heartbeat"})):
        assert isinstance(codec.decode(ANSWER, pending=pending).payload, v201.HeartbeatResponse)
        assert dict(pending) == {"1": "Heartbeat"}


def test_a_fault_found_by_resolve_lies_in_the_original_frame(backend: str) -> None:
    codec: Any = Codec("ocpp2.0.1", backend=backend)
    data = '[3 , "1", {"status":"Perhaps"}]'
    with pytest.raises(OcppError) as at_once:
        codec.decode(data, pending={"1": "DataTransfer"})
    with pytest.raises(OcppError) as later:
        codec.resolve(codec.decode(data), "DataTransfer")
    for caught in (at_once, later):
        error = caught.value
        assert (error.kind, error.path, error.offset) == ("enum", "/status", data.index('"Perhaps'))
        assert (error.message_type, error.message_id, error.action) == (3, "1", "DataTransfer")
        assert error.found == '"Perhaps"'


def test_payloads_without_a_frame(backend: str) -> None:
    codec: Any = Codec("ocpp2.0.1", backend=backend)
    text = '{"currentTime":"2026-01-02T03:04:05Z"}'
    payload = codec.decode_payload(text, "Heartbeat", "response")
    assert isinstance(payload, v201.HeartbeatResponse)
    assert codec.encode_payload(payload) == text.encode()
    with pytest.raises(OcppError) as caught:
        codec.decode_payload("{}", "Heartbeat", "response")
    assert (caught.value.kind, caught.value.path, caught.value.offset) == ("missing", "/currentTime", 1)
    assert caught.value.action == "Heartbeat"


def test_objects_become_payloads(backend: str) -> None:
    codec: Any = Codec("ocpp2.0.1", backend=backend)
    station = {"model": "M", "vendorName": "V"}
    payload = codec.from_builtins("BootNotification", "request", {"reason": "PowerUp", "chargingStation": station})
    assert payload == v201.BootNotificationRequest(
        reason="PowerUp", charging_station=v201.ChargingStationType(model="M", vendor_name="V")
    )
    with pytest.raises(EncodeError) as caught:
        codec.from_builtins("BootNotification", "request", {"reason": "Boredom", "chargingStation": station})
    assert (caught.value.kind, caught.value.path, caught.value.offset) == ("enum", "/reason", None)


def test_explain_lists_everything_and_raises_for_nothing(backend: str) -> None:
    codec: Any = Codec("ocpp2.0.1", backend=backend)
    assert codec.explain(HEARTBEAT) == []
    data = '[2,"1","BootNotification",{"reason":"Boredom","chargingStation":{"model":1,"vendorName":"V"},"more":2}]'
    findings = codec.explain(data)
    assert [(finding.kind, finding.path) for finding in findings] == [
        ("enum", "/reason"),
        ("type", "/chargingStation/model"),
        ("unknown_key", "/more"),
    ]
    assert [finding.offset for finding in findings] == [
        data.index('"Boredom"'),
        data.index('1,"vendor'),
        data.index('"more"'),
    ]
    for broken in ("", "xope", b"\xff", "[" * 1000, data[:40]):
        assert codec.explain(broken)


# --- misuse


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("ocpp2.0", "ocpp2.0.1"),
        ("ocpp1.5", "ocpp1.6"),
        ("ocpp1.2", "ocpp1.6"),
        ("2.0.1", "did you mean 'ocpp2.0.1'"),
        ("OCPP1.6", "did you mean 'ocpp1.6'"),
        ("v21", "did you mean 'ocpp2.1'"),
        ("mqtt", "'ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'"),
    ],
)
def test_an_unknown_subprotocol_says_which_to_use(name: str, advice: str) -> None:
    with pytest.raises(ValueError, match="subprotocol") as caught:
        Codec(name)
    assert advice in str(caught.value)


def test_a_wrong_argument_of_the_codec_is_misuse() -> None:
    with pytest.raises(TypeError):
        Codec(201)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        Codec("ocpp1.6", max_size="1MB")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="at least 1"):
        Codec("ocpp1.6", max_size=0)
    with pytest.raises(ValueError, match="'native' or 'python'"):
        Codec("ocpp1.6", backend="rust")


@pytest.mark.parametrize("data", [None, 1, [2], {"a": 1}, HEARTBEAT.split()])
def test_data_that_is_no_text_and_no_buffer_is_misuse(data: Any, backend: str) -> None:
    codec: Any = Codec("ocpp2.0.1", backend=backend)
    for read in (codec.decode, codec.validate, codec.peek, codec.explain):
        with pytest.raises(TypeError):
            read(data)
    with pytest.raises(TypeError):
        codec.decode_payload(data, "Heartbeat", "request")


@pytest.mark.parametrize(
    ("misuse", "says"),
    [
        (lambda codec, frame: codec.decode({}), "not dict; from_builtins takes a payload of dicts and lists"),
        (lambda codec, frame: codec.decode([2]), "not list; from_builtins takes a payload of dicts and lists"),
        (lambda codec, frame: codec.decode(7), "data must be str or an object with a buffer (bytes, bytearray, memoryview), not int"),
        (lambda codec, frame: codec.resolve(frame, "Rest"), "unknown action 'Rest': OCPP 1.6 does not have it; did you mean 'Reset'?"),
        (lambda codec, frame: codec.decode_payload("{}", "Rest", "request"), "unknown action 'Rest': OCPP 1.6 does not have it; did you mean 'Reset'?"),
        (lambda codec, frame: codec.decode('[3,"1",{}]', {"1": "Xyz"}), "unknown action 'Xyz': OCPP 1.6 does not have it; known are Authorize, "),
        (lambda codec, frame: codec.resolve(frame, v201.ResetRequest), "unknown request or response type ocppcore.v201.messages.ResetRequest: OCPP 1.6 does not have it; give an action,"),
        (lambda codec, frame: codec.decode_payload("{}", "Rest", "answer"), "unknown kind of payload 'answer': use 'request', 'response' or 'send'"),
        (lambda codec, frame: codec.decode_payload("{}", "Reset", "send"), "'Reset' has no send"),
        (lambda codec, frame: codec.encode_payload(v201.ResetRequest(type="OnIdle")), "ResetRequest is no payload of OCPP 1.6: use "),
    ],
)  # fmt: skip
def test_misuse_is_told_in_the_same_words_by_both_backends(misuse: Any, says: str) -> None:
    told: list[str] = []
    for backend in BACKENDS:
        codec: Any = Codec("ocpp1.6", backend=backend)
        with pytest.raises((TypeError, ValueError)) as raised:
            misuse(codec, codec.decode('[3,"1",{}]'))
        told.append(str(raised.value))
    assert says in told[0]
    assert len(set(told)) == 1


def test_a_name_that_the_codec_does_not_know_is_misuse(backend: str) -> None:
    codec: Any = Codec("ocpp2.0.1", backend=backend)
    raw = codec.decode(ANSWER)
    for call in (
        lambda: codec.decode(ANSWER, pending={"1": "Hartbeat"}),
        lambda: codec.resolve(raw, "Hartbeat"),
        lambda: codec.resolve(raw, v16.HeartbeatRequest),
        lambda: codec.decode_payload("{}", "Hartbeat", "request"),
        lambda: codec.decode_payload("{}", "Heartbeat", "answer"),
        lambda: codec.decode_payload("{}", "Heartbeat", "send"),
        lambda: codec.from_builtins("Hartbeat", "request", {}),
        lambda: codec.resolve(codec.resolve(raw, "Heartbeat"), "BootNotification"),
    ):
        with pytest.raises(ValueError, match=r"Hartbeat|HeartbeatRequest|answer|send|BootNotification"):
            call()
    for wrong in (None, 5, "frame", codec.decode(HEARTBEAT)):
        with pytest.raises(TypeError):
            codec.resolve(wrong, "Heartbeat")


def test_what_is_no_frame_cannot_be_encoded(backend: str) -> None:
    codec: Any = Codec("ocpp2.0.1", backend=backend)
    for wrong in (None, "frame", v201.HeartbeatRequest(), object()):
        with pytest.raises(TypeError):
            codec.encode(wrong)


# --- an object to share


def test_a_codec_never_changes(backend: str) -> None:
    codec: Any = Codec("ocpp2.0.1", backend=backend)
    for name in ("max_size", "subprotocol", "_settings", "anything", "decode"):
        with pytest.raises(AttributeError):
            setattr(codec, name, 1)
    with pytest.raises(TypeError):
        codec.messages["A"] = None
    assert not hasattr(codec, "__dict__")


def test_a_codec_is_copied_as_itself_and_pickled_by_its_settings(backend: str) -> None:
    codec = Codec("ocpp2.0.1", backend=backend, max_size=4096).extend(limits={"ChargingStationType.model": 30})
    assert copy.copy(codec) is codec
    assert copy.deepcopy(codec) is codec
    again = pickle.loads(pickle.dumps(codec))
    assert (again.subprotocol, again.backend, again.max_size) == ("ocpp2.0.1", backend, 4096)
    assert again.decode(HEARTBEAT) == codec.decode(HEARTBEAT)
    with pytest.raises(ValueError, match="30 already"):
        again.extend(limits={"ChargingStationType.model": 25})


def test_codecs_of_a_version_share_their_tables(backend: str) -> None:
    first = Codec("ocpp2.0.1", backend=backend)
    second = first.extend(limits={"ChargingStationType.model": 30}, codes={"missing": "ProtocolError"}, max_size=99)
    tables = [_backend.schema(codec._settings.vocabulary, codec.backend) for codec in (first, second)]
    assert tables[0] is tables[1]


def test_a_derived_codec_costs_at_most_a_kibibyte(backend: str) -> None:
    codec = Codec("ocpp2.0.1", backend=backend)

    def derive() -> list[Any]:
        return [codec.extend(limits={"ChargingStationType.model": 30}) for _ in range(1000)]

    derive()
    tracemalloc.start()
    try:
        kept = derive()
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / len(kept) <= 1024


def test_a_codec_is_not_subclassed() -> None:
    class Mine(Codec[Any]):
        pass

    with pytest.raises(TypeError, match="extend"):
        Mine("ocpp2.0.1")


def test_threads_share_a_codec(backend: str) -> None:
    codec: Any = Codec("ocpp2.0.1", backend=backend)
    wanted = codec.decode(HEARTBEAT)
    wrong: list[Any] = []

    def work() -> None:
        for _ in range(200):
            try:
                if codec.decode(HEARTBEAT) != wanted or codec.encode(wanted) != HEARTBEAT.encode():
                    wrong.append("another answer")
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- help for people


METHODS = (
    "decode", "validate", "peek", "resolve", "encode", "decode_payload", "encode_payload", "explain", "from_builtins", "extend", "spell",
)  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_help_and_the_signature_that_the_door_promises(name: str, backend: str) -> None:
    promised = inspect.signature(getattr(Codec, name))
    method = getattr(Codec("ocpp2.0.1", backend=backend), name)
    assert inspect.getdoc(getattr(Codec, name))
    assert inspect.getdoc(method)
    names = [parameter for parameter in promised.parameters if parameter != "self"]
    assert list(inspect.signature(method).parameters) == names


def test_codes_are_spelled_by_version(backend: str) -> None:
    assert Codec("ocpp1.6", backend=backend).spell("OccurrenceConstraintViolation") == "OccurenceConstraintViolation"
    assert Codec("ocpp2.1", backend=backend).spell("FormationViolation") == "FormatViolation"
    assert Codec("ocpp1.6", backend=backend).spell("RpcFrameworkError") == "FormationViolation"
    assert Codec("ocpp2.0.1", backend=backend).spell("OutOfCoffee") == "OutOfCoffee"


# --- the choice of a backend


def chosen(variable: str | None) -> tuple[int, str]:
    """What a fresh interpreter says of its backend when the variable is set so."""
    import os

    environment = {name: value for name, value in os.environ.items() if name != _backend.VARIABLE}
    if variable is not None:
        environment[_backend.VARIABLE] = variable
    script = "import ocppcore; print(ocppcore.Codec('ocpp1.6').backend)"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    return result.returncode, result.stdout.strip() or result.stderr.strip().splitlines()[-1]


def test_the_environment_chooses_a_backend() -> None:
    assert chosen("python") == (0, "python")
    code, last = chosen("fortran")
    assert code == 1
    assert "OCPPCORE_BACKEND" in last
    assert "'native' or 'python'" in last
    missing = _backend.why_not_native()
    assert chosen(None) == (0, "native" if missing is None else "python")
    code, last = chosen("native")
    assert (code, last) == (0, "native") if missing is None else (code == 1 and "native backend" in last)


def test_a_missing_native_backend_is_told_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_backend, "why_not_native", lambda: "the extension module ocppcore._native is not installed")
    monkeypatch.delenv(_backend.VARIABLE, raising=False)
    assert _backend.choose().name == "python"
    assert "not installed" in _backend.choose().reason
    with pytest.raises(ImportError, match="backend='python'"):
        _backend.choose("native")
    monkeypatch.setenv(_backend.VARIABLE, "native")
    with pytest.raises(ImportError, match=_backend.VARIABLE):
        _backend.choose()
    assert _backend.choose("python").name == "python"


def test_an_error_of_the_codec_is_caught_by_one_name(backend: str) -> None:
    codec: Any = Codec("ocpp2.0.1", backend=backend)
    for data in ("", "xope", '[2,"1","Heartbeat",{"a":1}]', b"\xff"):
        with pytest.raises(ocppcore.OcppError):
            codec.decode(data)
    with pytest.raises(ocppcore.OcppError):
        codec.encode(CallError("", "GenericError"))
