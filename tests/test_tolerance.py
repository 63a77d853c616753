"""What a codec with a policy lets pass: frames from the field, each with all that it finds; and what no policy may do."""

from __future__ import annotations

import copy
import json
import pickle
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocppcore import (
    Call,
    CallResult,
    Codec,
    EncodeError,
    OcppError,
    PayloadError,
    Policy,
    PolicyRule,
    Profile,
    RawPayload,
    Tolerated,
    UntypedPayload,
    _settle,
    _stepwise,
    v16,
)
from ocppcore._repairs import REPAIRS
from support.backends import BACKENDS
from support.corpus import CORPUS, corpus
from support.needs import ROOT, need_module
from support.second_look import Bent, differences, found

PRESETS = {"strict": Policy.strict, "tolerant": Policy.tolerant, "observe": Policy.observe}
SUBPROTOCOLS = {"v16": "ocpp1.6", "v201": "ocpp2.0.1", "v21": "ocpp2.1"}


def field_frames(name: str = "tolerated") -> list[dict[str, Any]]:
    lines = Path(CORPUS, "field", f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def named(case: dict[str, Any]) -> str:
    return str(case["name"])


@cache
def codec_with(subprotocol: str, backend: str, policy: Policy) -> Any:
    return Codec(subprotocol, backend=backend).extend(policy=policy)


def told(result: Tolerated[Any]) -> list[list[Any]]:
    return [[one.kind, one.path, one.offset, one.verdict, *one.repair] for one in result.findings]


# --- Frames from the field


@pytest.mark.parametrize("case", field_frames(), ids=named)
def test_a_frame_from_the_field(case: dict[str, Any], backend: str) -> None:
    data, pending = case["data"], case.get("pending")
    strict: Any = Codec(case["subprotocol"], backend=backend)
    if case["fault"] is None:
        strict.decode(data, pending)
    else:
        with pytest.raises(OcppError) as caught:
            strict.decode(data, pending)
        assert caught.value.kind == case["fault"]
    codec = codec_with(case["subprotocol"], backend, Policy.tolerant)
    result = codec.decode_with_findings(data, pending)
    assert told(result) == case["findings"]
    assert isinstance(result.frame, (Call, CallResult)) is not case["encodes"].startswith("[4")
    assert codec.encode_with_extras(result.frame, result.extras).decode() == case["encodes"]
    assert codec.decode(data, pending) == result.frame
    assert codec.decode(data.encode(), pending) == result.frame
    codec.validate(data, pending)
    # What was repaired is fine from now on: only what was reported is still told of.
    again = codec.decode_with_findings(case["encodes"], pending)
    assert codec.encode_with_extras(again.frame, again.extras).decode() == case["encodes"]
    assert {one.verdict for one in again.findings} <= {"report"}
    # The original is in the finding.
    for one in result.findings:
        if one.verdict == "repair" and one.original:
            assert one.original in data
            assert one.became is not None


@pytest.mark.parametrize("case", field_frames(), ids=named)
def test_what_is_reported_comes_as_it_was_and_goes_out_as_it_came(case: dict[str, Any], backend: str) -> None:
    """Under `observe` no value is changed: what fits is typed, what does not is its own text."""
    codec = codec_with(case["subprotocol"], backend, Policy.observe)
    result = codec.decode_with_findings(case["data"], case.get("pending"))
    if result.frame is None:
        assert case["fault"] in ("syntax", "unknown_key")
        assert result.findings
        return
    if any(one.verdict == "repair" for one in result.findings):
        assert {one.kind for one in result.findings if one.verdict == "repair"} <= {
            "payload_missing", "message_id_type", "arity", "error_field_type"
        }  # fmt: skip
        return
    sent = json.loads(codec.encode_with_extras(result.frame, result.extras))
    assert _without_times(sent) == _without_times(json.loads(case["data"]))


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key not in ("timestamp", "generatedAt")}
    return [_without_times(item) for item in value] if isinstance(value, list) else value


def test_observe_refuses_nothing_and_finds_what_explain_finds(backend: str) -> None:
    cases = corpus()
    assert len(cases) > 500
    for case in cases:
        codec = codec_with(SUBPROTOCOLS[case.module], backend, Policy.observe)
        result = codec.decode_with_findings(case.data, pending=case.pending)
        assert [one.offset for one in result.findings] == sorted(one.offset for one in result.findings), case
        if case.fault is None:
            assert result == Tolerated(codec.decode(case.data, pending=case.pending), [], {}), case
        else:
            assert (case.fault, case.offset) in {(one.kind, one.offset) for one in result.findings}, case
            assert all(one.verdict in ("report", "repair") for one in result.findings), case
        if result.frame is None:
            with pytest.raises(OcppError):
                codec.decode(case.data, pending=case.pending)


def test_strict_as_a_policy_is_strict(backend: str) -> None:
    for case in corpus():
        strict: Any = Codec(SUBPROTOCOLS[case.module], backend=backend)
        with_policy = codec_with(SUBPROTOCOLS[case.module], backend, Policy.strict)
        for name in ("decode", "validate", "decode_with_findings"):
            answers: list[Any] = []
            for codec in (strict, with_policy):
                try:
                    answers.append(getattr(codec, name)(case.data, pending=case.pending))
                except OcppError as error:
                    answers.append((error.kind, error.path, error.offset, error.expected, str(error)))
            assert answers[0] == answers[1], case


# --- Backends, and input that nobody wrote


def graded(data: str | bytes, policy: Policy, backend: str, pending: Any = None) -> Any:
    try:
        result = codec_with("ocpp1.6", backend, policy).decode_with_findings(data, pending)
    except OcppError as error:
        return error.kind, error.path, error.offset, str(error)
    return result


def walked(data: str | bytes, policy: Policy, backend: str, pending: Any = None, subprotocol: str = "ocpp1.6") -> Any:
    """As `graded`, by the whole walk alone."""
    codec = codec_with(subprotocol, backend, policy)
    try:
        return Tolerated(codec._strict.decode(data, pending), [], {})
    except OcppError:
        outcome = codec._tolerance().frame(data, pending)
    if outcome.refused:
        return outcome.error.kind, outcome.error.path, outcome.error.offset, str(outcome.error)
    return Tolerated(outcome.value, outcome.findings(), outcome.extras)


def decoded(data: str | bytes, policy: Policy, backend: str, pending: Any = None, subprotocol: str = "ocpp1.6") -> Any:
    """What `decode` gives or raises, which settles faults as it meets them where it can."""
    try:
        return codec_with(subprotocol, backend, policy).decode(data, pending)
    except OcppError as error:
        return error.kind, error.path, error.offset, str(error)


def walked_frame(
    data: str | bytes, policy: Policy, backend: str, pending: Any = None, subprotocol: str = "ocpp1.6"
) -> Any:
    """As `decoded`, by the whole walk alone."""
    codec = codec_with(subprotocol, backend, policy)
    try:
        return codec._strict.decode(data, pending)
    except OcppError:
        error = (outcome := codec._tolerance().frame(data, pending)).error
    return outcome.value if error is None else (error.kind, error.path, error.offset, str(error))


BROADEST = Policy.tolerant | Policy.from_toml(
    '[[rule]]\nrule = "truncated"\nverdict = "repair"\nrepair = "close_brackets"\n'
)
PIECES = [
    '"',
    ",",
    ":",
    "[",
    "]",
    "{",
    "}",
    "null",
    "1",
    "-1.5",
    '""',
    '"x"',
    "\0",
    "\\",
    "true",
    "[]",
    "{}",
    "ü",
    "\ud800",
    " ",
]


@pytest.mark.parametrize("policy", [Policy.tolerant, Policy.observe], ids=["tolerant", "observe"])
def test_fault_by_fault_comes_to_what_the_whole_walk_comes_to(
    policy: Policy, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = _stepwise.fault_by_fault
    sufficed: list[bool] = []

    def counted(*arguments: Any) -> Any:
        result = plain(*arguments)
        sufficed.append(result is not None)
        return result

    monkeypatch.setattr(_stepwise, "fault_by_fault", counted)
    cases = [("ocpp1.6", case["data"], case.get("pending")) for case in field_frames()]
    cases += [(SUBPROTOCOLS[case.module], case.data, case.pending) for case in corpus()]
    for subprotocol, data, pending in cases:
        try:
            result: Any = codec_with(subprotocol, backend, policy).decode_with_findings(data, pending)
        except OcppError as error:
            result = error.kind, error.path, error.offset, str(error)
        assert result == walked(data, policy, backend, pending, subprotocol), data
        for _ in range(2):  # what was decided once is known the second time
            frame = decoded(data, policy, backend, pending, subprotocol)
            assert frame == walked_frame(data, policy, backend, pending, subprotocol), data
    assert sum(sufficed) > 20
    assert sufficed.count(False) > 40


@pytest.mark.parametrize("given", found())
def test_what_fuzzing_has_found(given: Bent) -> None:
    assert not differences(given, BACKENDS)


def status_frame(error_code: str, extra: str = "") -> str:
    return f'[2,"1","StatusNotification",{{"connectorId":1,"errorCode":"{error_code}","status":"Available"{extra}}}]'


def test_what_was_decided_of_a_value_holds_for_that_value_alone(backend: str) -> None:
    codec: Any = Codec("ocpp1.6", backend=backend).extend(policy=Policy.tolerant)
    verdicts: list[Any] = []
    for code in ("noerror", "Vendor", "NOERROR", "noerror", "Vendor", "noerror "):
        data = status_frame(code)
        result = codec.decode_with_findings(data)
        assert result == walked(data, Policy.tolerant, backend)
        verdicts.append((result.frame.payload.error_code, result.findings[0].verdict))
    told_of_it = ("NoError", "repair")
    assert verdicts == [told_of_it, ("Vendor", "report"), told_of_it, told_of_it, ("Vendor", "report"), told_of_it]


def test_what_a_peer_writes_does_not_stay_in_memory(backend: str) -> None:
    codec: Any = Codec("ocpp1.6", backend=backend).extend(policy=Policy.tolerant)
    tolerance = codec._tolerance()

    def both_ways(name: str, extra: str) -> None:
        data = status_frame(name, f',"{extra}":1')
        told_of = codec.decode_with_findings(data)
        assert told_of.frame.payload.error_code == name
        assert [one.path for one in told_of.findings] == ["/errorCode", f"/{extra.replace('~', '~0')}"]
        assert codec.decode(data).payload.error_code == name

    for number in range(600):
        both_ways(f"X{number}", f"y{number}")
    kept = [*tolerance._entries, *tolerance.decided, *tolerance.passed]
    assert 100 < len(kept) <= 768
    for name in ("Z" * 3000, "~" * 3000):
        both_ways(name, name)
    for key in (*tolerance._entries, *tolerance.decided, *tolerance.passed):
        assert len(repr(key)) < 400, key


METER_VALUES = (
    '[2,"1","MeterValues",{"connectorId":%s,"meterValue":[{"timestamp":"%s","sampledValue":[{"value":%s}]}]}]'
)
# How connectorId, timestamp and value are written, by the number of the frame, and whether Python is asked about each anew.
QUIRKS_THAT_COME_AGAIN: dict[str, tuple[str, str, str]] = {
    "a number in quotes": ('"{0}"', "2026-08-04T13:35:45Z", '"1"'),
    "no zone": ("1", "2026-08-04T13:{0}:45", '"1"'),
    "half a zone": ("1", "2026-08-04T00:{0}:00.0{0}+00", '"1"'),
    "a space, and no zone": ("1", "2026-08-04 13:{0}:45", '"1"'),
    "a value that is no text": ("1", "2026-08-04T13:35:45Z", "23.{0}"),
    "all of it": ('"{0}"', "2026-08-04 13:{0}:45+02", "-{0}.5"),
}


@pytest.mark.parametrize("name", QUIRKS_THAT_COME_AGAIN)
def test_the_native_engine_asks_once_about_what_comes_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    need_module("ocppcore._native", "the native backend")
    asked: list[Any] = []
    plain = _settle.settle

    def counted(*arguments: Any) -> Any:
        asked.append(arguments[1:])
        return plain(*arguments)

    monkeypatch.setattr(_settle, "settle", counted)
    codec: Any = Codec("ocpp1.6", backend="native").extend(policy=Policy.tolerant)
    for number in (12, 58, 10, 37, 40):
        data = METER_VALUES % tuple(one.format(number) for one in QUIRKS_THAT_COME_AGAIN[name])
        assert codec.decode(data) == codec._tolerance().frame(data, None).value, data
    assert len(asked) == (3 if name == "all of it" else 1), asked
    assert codec._look._frame is None, "a second look was asked for"


def test_findings_are_made_when_they_are_asked_for(backend: str) -> None:
    """What changes after the decode does not change them: neither a buffer nor what was pending."""
    codec = codec_with("ocpp1.6", backend, Policy.tolerant)
    quirky = status_frame("Strange", ',"more":[1]').encode()
    expected = codec.decode_with_findings(quirky)
    assert told(expected) == [["enum", "/errorCode", 57, "report"], ["unknown_key", "/more", 88, "report"]]
    assert expected.extras == {"/more": [1]}
    assert (expected.clean, codec.decode_with_findings(status_frame("NoError")).clean) == (False, True)
    assert pickle.loads(pickle.dumps(expected)) == expected == copy.deepcopy(expected)
    buffer = bytearray(quirky)
    result = codec.decode_with_findings(buffer)
    buffer[:] = b" " * len(buffer)
    assert result == expected
    pending = {"7": "Heartbeat"}
    result = codec.decode_with_findings('[3,"7",{"currentTime":"2026-08-04T13:35:45Z","more":1}]', pending)
    pending.clear()
    assert told(result) == [["unknown_key", "/more", 45, "report"]]
    assert isinstance(result.frame.payload, v16.HeartbeatResponse)


def test_what_is_ignored_is_clean_and_comes_as_extra_all_the_same(backend: str) -> None:
    policy = Policy.tolerant | Policy([{"rule": "unknown_key", "verdict": "ignore"}])
    result = codec_with("ocpp1.6", backend, policy).decode_with_findings(status_frame("NoError", ',"more":1'))
    assert result.clean
    assert (result.findings, result.extras) == ([], {"/more": 1})


def test_what_is_settled_within_a_walk_is_not_shared_with_strict_codecs() -> None:
    """Objects that repeat themselves are remembered by their text, but not those of which the policy let something pass."""
    need_module("ocppcore._native", "the native backend")
    strict: Any = Codec("ocpp2.0.1", backend="native")
    tolerant = strict.extend(policy=Policy.tolerant)
    data = (
        '[2,"1","NotifyReport",{"requestId":1,"generatedAt":"2026-08-04T13:35:45Z","seqNo":0,"reportData":[{"component":{"name":"C",'
        '"evse":{"id":1,"more":2}},"variable":{"name":"V"},"variableAttribute":[{"value":"1"}]}]}]'
    )
    for _ in range(3):
        assert tolerant.decode(data).payload.report_data[0].component.evse.id == 1
        with pytest.raises(OcppError) as caught:
            strict.decode(data)
        assert caught.value.path == "/reportData/0/component/evse/more"


def test_a_policy_that_goes_by_pointers_is_followed(backend: str) -> None:
    """The engine knows the field at fault, not the way to it: where that matters it leaves the fault to a longer look."""
    policy = Policy.from_toml(
        """
        [[rule]]
        rule = "enum"
        verdict = "report"

        [[rule]]
        rule = "enum"
        pointer = "/meterValue/0/**"
        verdict = "refuse"
        """
    )
    sample = '{"timestamp":"2026-08-04T13:35:45Z","sampledValue":[{"value":"1","unit":"%s"}]}'
    frame = '[2,"1","MeterValues",{"connectorId":1,"meterValue":[%s,%s]}]'
    codec = codec_with("ocpp1.6", backend, policy)
    for _ in range(2):
        decoded = codec.decode(frame % (sample % "Wh", sample % "Horses"))
        assert decoded.payload.meter_value[1].sampled_value[0].unit == "Horses"
        with pytest.raises(OcppError) as caught:
            codec.decode(frame % (sample % "Horses", sample % "Wh"))
        assert caught.value.path == "/meterValue/0/sampledValue/0/unit"


@given(st.sampled_from(field_frames()), st.integers(0, 1 << 30))
def test_bent_frames_get_one_answer_and_nothing_but_ocpp_errors(case: dict[str, Any], seed: int) -> None:
    need_module("ocppcore._native", "the native backend")
    random = Random(seed)
    data: str = case["data"]
    for _ in range(random.randint(1, 3)):
        at, length = random.randrange(len(data)), random.randint(0, 4)
        data = data[:at] + random.choice(PIECES) + data[at + length :]
    for policy in (BROADEST, Policy.observe):
        answers = [graded(data, policy, backend, case.get("pending")) for backend in BACKENDS]
        assert answers[0] == answers[1] == walked(data, policy, "python", case.get("pending"))
        frames = [decoded(data, policy, backend, case.get("pending")) for backend in BACKENDS]
        assert frames[0] == frames[1] == walked_frame(data, policy, "python", case.get("pending"))
        if policy is Policy.observe:
            assert isinstance(answers[0], Tolerated)
        result = answers[0]
        if isinstance(result, Tolerated) and result.frame is not None:
            # Whatever was let in can be sent on, and is let in again.
            codec = codec_with("ocpp1.6", "python", policy)
            sent = codec.encode_with_extras(result.frame, result.extras)
            again = codec.decode_with_findings(sent, case.get("pending"))
            assert again.frame is not None
            assert again.extras == result.extras


@pytest.mark.parametrize(
    "data", [b'[2,"1","Heartbeat",{"a":"\xff"},]', b'[2,"1","Heartbeat",{\x00},]\xff', b"\xef\xbb\xbf[2,\xff]"]
)
def test_bytes_that_are_no_text_stay_refused(data: bytes, backend: str) -> None:
    assert isinstance(graded(data, BROADEST, backend), tuple)
    result = graded(data, Policy.observe, backend)
    assert result.frame is None
    assert result.findings[0].verdict == "report"


@pytest.mark.parametrize(
    "payload",
    [
        '{"chargePointVendor":"V","ChargePointModel":"M","x":[}',  # broken behind a name that a repair looks around
        '{"meterValue":[{"Timestamp":1}],"meterValue":5}',  # of equal names the last has nothing inside
        '{"MeterValue":[{"Timestamp":1}],"meterValue":{"SampledValue":[',
    ],
)
def test_a_repair_that_looks_around_finds_nothing_there(payload: str, backend: str) -> None:
    for action in ("BootNotification", "MeterValues"):
        data = f'[2,"1","{action}",{payload}]'
        assert graded(data, BROADEST, backend) is not None
        assert isinstance(graded(data, Policy.observe, backend), Tolerated)


def test_many_faults_take_linear_time() -> None:
    """Hundreds of repairs and reports in one message: every round and every look-up is bounded."""
    codec = codec_with("ocpp1.6", "python", Policy.tolerant)
    sample = '{"Value":1.5,"unit":"Hz","extra":[1],"phase":null,}'
    data = (
        '[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-08-04 13:35:45","sampledValue":[%s]}]}]'
    )
    result = codec.decode_with_findings(data % ",".join([sample] * 300))
    assert len(result.findings) == 300 * 6 + 1
    assert len(result.extras) == 300
    nested = '[2,"1","DataTransfer",{"vendorId":"V","more":' + "[" * 5_000 + "]" * 5_000 + "}]"
    assert graded(nested, Policy.tolerant, "python")[0] == "depth"
    assert graded('[2,"1","Heartbeat",' + "{,}," * 50_000, BROADEST, "python")[0] == "syntax"


# --- Grades


@pytest.mark.parametrize("number", ["1e400", "9223372036854775808", "99999999999999999999999"])
def test_a_number_beyond_any_slot_is_never_another_one(number: str, backend: str) -> None:
    data = f'[2,"1","StartTransaction",{{"connectorId":{number},"idTag":"A","meterStart":1,"timestamp":"2026-08-04T13:35:45Z"}}]'
    codec = codec_with("ocpp1.6", backend, Policy.tolerant)
    result = codec.decode_with_findings(data)
    assert isinstance(result.frame.payload, UntypedPayload)
    assert codec.encode(result.frame).decode() == data


@pytest.mark.parametrize("spaced", [False, True])
def test_fields_are_left_out_wherever_they_stand(spaced: bool, backend: str) -> None:
    """Each member of an object may be the one that goes, also all of them, with the commas that it needs."""
    codec = codec_with("ocpp1.6", backend, Policy.tolerant)
    strict: Any = Codec("ocpp1.6", backend=backend)
    optional = ["chargePointSerialNumber", "firmwareVersion", "iccid", "imsi"]
    for nulls in range(1 << len(optional)):
        for rotation in range(len(optional) + 2):
            members = [(name, "null" if nulls >> index & 1 else '"x"') for index, name in enumerate(optional)]
            members += [("chargePointVendor", '"V"'), ("chargePointModel", '"M"')]
            members = members[rotation:] + members[:rotation]
            form = ' "{}" : {} ' if spaced else '"{}":{}'
            data = '[2,"1","BootNotification",{' + ",".join(form.format(*member) for member in members) + "}]"
            kept = ",".join(f'"{name}":{value}' for name, value in members if value != "null")
            result = codec.decode_with_findings(data)
            assert result.frame == strict.decode('[2,"1","BootNotification",{' + kept + "}]"), data
            assert len(result.findings) == nulls.bit_count()
            assert all((one.original, one.became) == ("null", "") for one in result.findings)
    odd = '[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M","\\u0069msi":null,"iccid":null}]'
    assert [one.became for one in codec.decode_with_findings(odd).findings] == ["", ""]


def test_the_last_entry_that_matches_decides(backend: str) -> None:
    data = '[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M","iccid":"123456789012345678901"}]'
    length = {"rule": "length", "verdict": "report"}
    verdicts = [
        (Policy([length]), True),
        (Policy([length, {"verdict": "refuse"}]), False),
        (Policy([length]) | Policy([{"verdict": "refuse", "pointer": "/iccid"}]), False),
        (Policy([length]) | Policy([{"verdict": "refuse", "pointer": "/imsi"}]), True),
        (Policy([length]) | Policy([{"verdict": "refuse", "action": "Heart*"}]), True),
        (Policy([length]) | Policy([{"verdict": "refuse", "action": "Boot*"}]), False),
        (Policy([length]) | Policy([{"verdict": "refuse", "direction": "out"}]), True),
        (Policy([{**length, "pointer": "**/iccid"}]), True),
        (Policy([{**length, "pointer": "/*/iccid"}]), False),
        (Policy([{**length, "pointer": ["/*cid"]}]), True),
        (Policy([{**length, "rule": ["enum"]}]), False),
        (Policy([{**length, "action": "@transaction"}]), False),
    ]
    for policy, accepted in verdicts:
        codec = codec_with("ocpp1.6", backend, policy)
        if accepted:
            (finding,) = codec.decode_with_findings(data).findings
            assert (finding.kind, finding.verdict) == ("length", "report")
        else:
            with pytest.raises(OcppError):
                codec.decode(data)


def test_what_is_told_is_a_value(backend: str) -> None:
    """Alike whether it was told of or not yet, whoever made it, and without anything of how it is made."""
    codec = codec_with("ocpp1.6", backend, Policy.tolerant)
    quirky = '[2,"1","Heartbeat",{"more":1}]'
    for data, extras in ((quirky, {"/more": 1}), ('[2,"1","Heartbeat",{}]', {})):
        for text in (data, data.encode(), bytearray(data.encode()), data.replace(",", " , ")):
            one, two = codec.decode_with_findings(text), codec.decode_with_findings(data=text, pending=None)
            assert one.clean == two.clean == (not extras)
            assert two.extras == extras
            assert one == two
            assert (one != two) is False
            assert pickle.loads(pickle.dumps(one)) == copy.copy(one) == one
            assert (
                repr(one)
                == repr(two)
                == f"Tolerated(frame={one.frame!r}, findings={one.findings!r}, extras={extras!r})"
            )
            assert one.findings is one.findings
            with pytest.raises(TypeError, match="unhashable"):
                hash(one)
    plain = Codec("ocpp1.6", backend=backend)
    assert plain.decode_with_findings('[2,"1","Heartbeat",{}]').clean
    for strict in (plain, codec_with("ocpp1.6", backend, Policy.strict)):
        with pytest.raises(PayloadError):
            strict.decode_with_findings(quirky)


def test_what_is_pending_may_change_before_the_findings_are_read(backend: str) -> None:
    codec = codec_with("ocpp1.6", backend, Policy.tolerant)
    pending = {"7": "Heartbeat", "8": "Reset"}
    result = codec.decode_with_findings('[3,"7",{"currentTime":"2026-01-02T03:04:05Z","more":1}]', pending)
    pending.clear()
    assert result.extras == {"/more": 1}
    assert [finding.kind for finding in result.findings] == ["unknown_key"]


def test_what_is_ignored_is_not_told_of(backend: str) -> None:
    policy = Policy([{"rule": ["length", "unknown_key"], "verdict": "ignore"}])
    data = '[2,"1","Authorize",{"idTag":"123456789012345678901","more":1}]'
    result = codec_with("ocpp1.6", backend, policy).decode_with_findings(data)
    assert result == Tolerated(Call("1", v16.AuthorizeRequest(id_tag="123456789012345678901")), [], {"/more": 1})


def test_directions_are_graded_apart(backend: str) -> None:
    frame = Call("1", v16.AuthorizeRequest(id_tag="123456789012345678901"))
    inward = codec_with("ocpp1.6", backend, Policy([{"rule": "length", "verdict": "report", "direction": "in"}]))
    outward = codec_with("ocpp1.6", backend, Policy([{"rule": "length", "verdict": "report", "direction": "out"}]))
    data = outward.encode(frame)
    assert data == b'[2,"1","Authorize",{"idTag":"123456789012345678901"}]'
    assert outward.encode_payload(frame.payload) == b'{"idTag":"123456789012345678901"}'
    assert inward.decode(data) == frame
    with pytest.raises(EncodeError):
        inward.encode(frame)
    with pytest.raises(EncodeError):
        inward.encode_payload(frame.payload)
    with pytest.raises(OcppError):
        outward.decode(data)


def test_a_replacement_by_the_policy_s_own_table(backend: str) -> None:
    policy = Policy.from_toml(
        '[[rule]]\nrule = "enum"\npointer = "**/unit"\nverdict = "repair"\nrepair = "replace"\nvalues = { Hz = "A" }\n'
    )
    data = '[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-08-04T13:35:45Z","sampledValue":[{"value":"1","unit":"%s"}]}]}]'
    codec = codec_with("ocpp1.6", backend, policy)
    frame = codec.decode(data % "Hz")
    assert frame.payload.meter_value[0].sampled_value[0].unit == "A"
    with pytest.raises(OcppError):
        codec.decode(data % "Hertz")


def test_a_repair_that_does_not_mend_refuses(backend: str) -> None:
    codec = codec_with("ocpp1.6", backend, Policy.tolerant)
    for time in ("yesterday", "2026-13-01 00:00:00", "2026-08-04T13:35:45+99"):
        data = f'[2,"1","StatusNotification",{{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"{time}"}}]'
        with pytest.raises(OcppError) as caught:
            codec.decode(data)
        assert (caught.value.kind, caught.value.offset) == ("format", 100)


def test_the_refusal_is_the_first_that_the_policy_does_not_let_pass(backend: str) -> None:
    codec = codec_with("ocpp1.6", backend, Policy.tolerant)
    with pytest.raises(OcppError) as caught:
        codec.decode('[2,"1","BootNotification",{"x":1,"chargePointVendor":["V"],"iccid":{}}]')
    assert (caught.value.kind, caught.value.path, caught.value.offset) == ("type", "/chargePointVendor", 53)
    assert caught.value.reply() is not None
    assert caught.value.__cause__ is None


# --- What fits no Struct


def test_an_untyped_payload_is_no_typed_one(backend: str) -> None:
    codec = codec_with("ocpp1.6", backend, Policy.observe)
    data = b'[2,"1","Vendor.Thing",{"a":[1.50,"\\u0041"]}]'
    result = codec.decode_with_findings(data)
    assert result.frame == Call("1", UntypedPayload(b'{"a":[1.50,"\\u0041"]}', 22, "Vendor.Thing"))
    assert isinstance(result.frame.payload, RawPayload)
    assert result.frame.action == "Vendor.Thing"
    assert codec.encode(result.frame) == data
    assert told(result) == [["action_unknown", "", 7, "report"]]
    with pytest.raises(TypeError):
        Codec("ocpp1.6", backend=backend).encode(result.frame)  # a strict codec sends no such thing
    listed = codec.decode('[3,"7",[1,2]]', {"7": "Heartbeat"})
    assert listed == CallResult("7", UntypedPayload(b"[1,2]", 7, "Heartbeat"))
    assert listed.action == "Heartbeat"
    assert codec.encode(listed) == b'[3,"7",[1,2]]'


def test_payloads_without_a_frame_and_answers_resolved_later(backend: str) -> None:
    codec = codec_with("ocpp1.6", backend, Policy.tolerant)
    payload = codec.decode_payload('{"idTag":"123456789012345678901"}', "Authorize", "request")
    assert payload == v16.AuthorizeRequest(id_tag="123456789012345678901")
    raw = codec.decode('[3,"7",{"currentTime":"2026-08-04T13:35:45"}]')
    assert isinstance(raw.payload, RawPayload)
    resolved = codec.resolve(raw, v16.HeartbeatRequest)
    assert codec.encode(resolved) == b'[3,"7",{"currentTime":"2026-08-04T13:35:45Z"}]'
    with pytest.raises(OcppError) as caught:
        codec.resolve(codec.decode('[3,"7",{"currentTime":17}]'), "Heartbeat")
    assert caught.value.offset == 22
    moved = codec.decode(" [3,7,{},]")  # the comma and the id were mended before the payload
    assert moved.payload == RawPayload(b"{}", 6)


def test_data_that_is_too_long_is_looked_at_by_no_policy(backend: str) -> None:
    codec = Codec("ocpp1.6", backend=backend, max_size=10)
    data = '[2,"1","Heartbeat",{}]'
    with pytest.raises(OcppError) as caught:
        codec.extend(policy=Policy.tolerant).decode(data)
    assert caught.value.kind == "size"
    result = codec.extend(policy=Policy.observe).decode_with_findings(data)
    assert result.frame is None
    assert told(result) == [["size", "", 10, "report"]]


# --- Extra fields


@pytest.mark.parametrize(
    ("extras", "says"),
    [
        ({"more": 1}, "begins with /"),
        ({"/idTag": "A"}, "a field of AuthorizeRequest itself"),
        ({"/parent/x": 1}, "no object of a schema at '/parent'"),
    ],
)
def test_extra_fields_that_cannot_be_written(extras: dict[str, Any], says: str, backend: str) -> None:
    codec: Any = Codec("ocpp1.6", backend=backend)
    frame = Call("1", v16.AuthorizeRequest(id_tag="A"))
    assert (
        codec.encode_with_extras(frame, {"/x~1y": [1], "/~0": None})
        == b'[2,"1","Authorize",{"idTag":"A","x/y":[1],"~":null}]'
    )
    with pytest.raises(ValueError, match=says):
        codec.encode_with_extras(frame, extras)


# --- The policy as a value


@pytest.mark.parametrize("name", PRESETS)
def test_a_policy_prints_as_what_it_is_read_from(name: str) -> None:
    policy = PRESETS[name]
    assert getattr(Policy, name) is policy
    assert Policy.from_toml(str(policy)) == policy
    assert Policy(policy.rules) == policy
    assert pickle.loads(pickle.dumps(policy)) == policy
    assert hash(Policy(policy.rules)) == hash(policy)
    assert (policy | Policy.strict) == policy
    with pytest.raises(AttributeError, match=r"policy \| other"):
        policy.rules = ()  # type: ignore[misc]


def test_every_entry_of_a_preset_says_why() -> None:
    rules = [rule for policy in PRESETS.values() for rule in policy.rules]
    assert len(rules) > 25
    for rule in rules:
        assert len(rule.reason) > 10, rule


def test_a_codec_keeps_its_policy(backend: str) -> None:
    codec = codec_with("ocpp1.6", backend, Policy.tolerant)
    assert codec.policy == Policy.tolerant
    assert Codec("ocpp1.6", backend=backend).policy == Policy.strict
    assert codec.extend(max_size=100).policy == Policy.tolerant
    assert copy.copy(codec) is codec
    assert pickle.loads(pickle.dumps(codec)).policy == Policy.tolerant
    assert codec.extend(policy=Policy.strict).policy == Policy.strict
    # The strict codec that it reads with first is the one that it was made of.
    strict = Codec("ocpp1.6", backend=backend)
    first = strict.extend(policy=Policy.tolerant)
    assert first._strict is strict  # type: ignore[attr-defined]
    assert first.extend(policy=Policy.observe)._strict is strict  # type: ignore[attr-defined]
    assert first.extend(max_size=9)._strict.max_size == 9  # type: ignore[attr-defined]
    # No call of Python stands before data without fault.
    assert type(codec).decode is type(Codec("ocpp1.6", backend=backend)).decode
    with pytest.raises(TypeError):
        codec.decode(1)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({}, "needs its verdict"),
        ({"verdict": "accept"}, "verdict is one of refuse, report, repair, ignore"),
        ({"verdict": "report", "rule": "lenght"}, "did you mean 'length'"),
        ({"verdict": "report", "rule": []}, "must be a name or a list of names"),
        ({"verdict": "report", "rule": [1]}, "must be a str"),
        ({"verdict": "report", "rules": "length"}, "did you mean 'rule'"),
        ({"verdict": "report", "direction": "inward"}, "direction is one of in, out, both"),
        ({"verdict": "report", "pointer": "iccid"}, "a pointer begins with /"),
        ({"verdict": "report", "repair": "wrap"}, "name the repairs"),
        ({"verdict": "repair"}, "name the repairs"),
        ({"verdict": "repair", "repair": "warp"}, "did you mean 'wrap'"),
        ({"verdict": "repair", "repair": "wrap", "rule": "length"}, "serves type, not length"),
        ({"verdict": "repair", "repair": "replace"}, "needs `values`"),
        ({"verdict": "repair", "repair": "wrap", "values": {"a": "b"}}, "needs `values`"),
        ({"verdict": "report", "reason": 1}, "reason must be a str"),
    ],
)
def test_a_wrong_entry_says_what_to_change(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Policy([entry])


def test_an_action_that_nobody_has_is_a_slip(backend: str) -> None:
    codec = Codec("ocpp1.6", backend=backend)
    slip = Policy([{"verdict": "report", "rule": "length", "action": "BootNotificaton"}])
    with pytest.raises(ValueError, match="policy: unknown action 'BootNotificaton'; did you mean 'BootNotification'"):
        codec.extend(policy=slip)
    with pytest.raises(ValueError, match="unknown action 'BootNotificaton'"):
        codec.extend(profile=Profile(name="slip", policy=slip))
    # Another version's, a pattern, a user's own, and one that is to be unknown are none.
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    own = codec.extend(
        messages={"VendorPing": {"request": schema, "response": schema}},
        policy=Policy([{"verdict": "report", "rule": "unknown_key", "action": "VendorPing"}]),
    )
    assert pickle.loads(pickle.dumps(own)).policy == own.policy
    for entry in (
        {"rule": "length", "action": "NotifySettlement"},
        {"rule": "length", "action": ["BootNotificaton", "Boot*"]},
        {"rule": "action_unknown", "action": "VendorPing"},
        {"action": "VendorPing"},
        {"rule": "int32", "action": "@transaction"},
    ):
        codec.extend(policy=Policy([{"verdict": "report", **entry}]))


def test_other_misuse_says_what_to_change() -> None:
    with pytest.raises(ValueError, match="not valid TOML"):
        Policy.from_toml("[[rule]")
    with pytest.raises(ValueError, match=r"tables \[\[rule\]\] alone, not rules"):
        Policy.from_toml("[[rules]]\nverdict = 'report'")
    with pytest.raises(TypeError, match="PolicyRules or dicts, not of str"):
        Policy(["report"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="verdict is one of"):
        Policy([PolicyRule(verdict="accept")])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be a Policy"):
        Codec("ocpp1.6").extend(policy="tolerant")  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        Policy.strict | 1  # type: ignore[operator]


def test_the_page_lists_every_repair() -> None:
    page = (ROOT / "docs/tolerance.md").read_text(encoding="utf-8")
    rows = [
        f"| `{name}` | {', '.join(f'`{kind}`' for kind in sorted(repair.serves))} | {repair.says} |"
        for name, repair in REPAIRS.items()
    ]
    assert "\n".join(rows) + "\n\n" in page
