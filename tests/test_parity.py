"""Both backends give one answer on every input: value, kind, path, offset, expectation, code, text and reply.

The written corpus (tests/corpus, and the cases of faults that the Python backend's own tests share), then frames that
Hypothesis bends, cuts and splices.
"""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases_faults import cases
from ocppcore import OcppError, v201
from support.backends import BACKENDS, both, codec, exact, outcome
from support.corpus import UNSAID, Case, corpus
from support.emit import text_of
from support.frames import RESULT_ID, framed, full_frames, pending_for, sample_frames
from support.instances import instance_set, sample
from support.model import MODULES, all_payloads, model, wire_code
from support.mutants import faults, spread
from support.needs import need_gil, need_module

THOROUGH = settings(max_examples=4 * settings().max_examples)  # the profile decides, see conftest.py
NAIVE: Any = datetime(2026, 1, 2)
READERS = ("decode", "validate", "peek")


def read_alike(module: str, data: Any, pending: Any = None) -> tuple[Any, ...]:
    """What every reader of both backends makes of the data; returns the answer of `decode`.

    `validate` gives the fault that `decode` gives, or None.
    """
    answer = both(module, "decode", data, pending=pending)
    checked = both(module, "validate", data, pending=pending)
    assert checked == (answer if answer[0] != "value" else ("value", exact(None)))
    both(module, "peek", data)
    return answer


@pytest.fixture(scope="module", autouse=True)
def _two_backends() -> None:
    need_module("ocppcore._native", "the native backend")


# --- the written corpus


@pytest.mark.parametrize("case", corpus(), ids=str)
def test_the_corpus_gets_the_answers_written_there(case: Case, backend: str) -> None:
    reader = codec(case.module, backend)
    if case.fault is None:
        frame = reader.decode(case.data, pending=case.pending)
        assert type(frame).__name__ == case.frame
        assert case.id is UNSAID or frame.id == case.id
        assert case.action is UNSAID or frame.action == case.action
        assert reader.validate(case.data, pending=case.pending) is None
        return
    with pytest.raises(OcppError) as caught:
        reader.decode(case.data, pending=case.pending)
    error = caught.value
    assert (error.kind, error.path, error.offset) == (case.fault, case.path, case.offset)
    assert case.expected is UNSAID or error.expected == case.expected
    assert error.code == wire_code(model(case.module).version, case.fault) or error.message_id is None


@pytest.mark.parametrize("case", corpus(), ids=str)
def test_the_corpus_is_read_alike_whatever_holds_the_data(case: Case) -> None:
    answer = read_alike(case.module, case.data, case.pending)
    assert read_alike(case.module, bytearray(case.data), case.pending) == answer
    assert read_alike(case.module, memoryview(b"xx" + case.data + b"yy")[2:-2], case.pending) == answer
    try:
        text = case.data.decode()
    except UnicodeDecodeError:
        return
    assert read_alike(case.module, text, case.pending) == answer


def test_the_table_of_faults_is_read_alike() -> None:
    for case in cases():
        assert read_alike(case.module, case.data, case.pending)[2] == case.kind


def test_the_corpus_has_every_kind_of_fault_of_text_and_frame() -> None:
    from support.model import fault_kinds

    met = {case.fault for case in corpus()}
    wanted = {kind for kind, entry in fault_kinds()["kinds"].items() if entry["scope"] != "payload"}
    assert wanted - met == {"size"}  # its data would be a mebibyte: see test_hostile


# --- texts, which the native backend writes from kept words


def told(call: Any, *args: Any, **options: Any) -> list[str]:
    """What the text of one error is when it is asked for again and again, its words known or not, and what `format` says of it."""
    texts: list[str] = []
    for _ in range(4):
        with pytest.raises(OcppError) as caught:
            call(*args, **options)
        texts += [str(caught.value), str(caught.value)]
    return [*texts, caught.value.format(), str(caught.value)]


def assert_told_alike(module: str, data: Any, pending: Any = None) -> str:
    texts = told(codec(module, "native").decode, data, pending=pending)
    assert set(texts) == {codec_text(module, data, pending)}
    return texts[0]


def codec_text(module: str, data: Any, pending: Any) -> str:
    with pytest.raises(OcppError) as caught:
        codec(module, "python").decode(data, pending=pending)
    return caught.value.format()


def test_texts_are_those_of_format_however_often_asked() -> None:
    faulty = [(case.module, case.data, case.pending) for case in corpus() if case.fault is not None]
    faulty += [(case.module, case.data, case.pending) for case in cases()]
    assert len(faulty) > 300
    for module, data, pending in faulty:
        assert_told_alike(module, data, pending)


def boot_of(value: str, behind: str = "}]", id: str = '"19"', key: str = '"reason"') -> str:
    return f'[2,{id},"BootNotification",{{{key}:{value}{behind}'


@pytest.mark.parametrize(
    "data",
    [
        *(boot_of(value) for value in ("[]", "{}", '[[],{"a":"]}"}]', "12", "true", "null", '"powerUP"', '"Pow\\u0065r"', '"é"', '"\x7f"')),
        *(boot_of(value) for value in ("12 ", "12\n", "[ ]", "[\n]", '["\\""]', '["a\\\\"]', '"' + "x" * 300 + '"', "[" + "1," * 400 + "1]", "9" * 70)),
        *(boot_of('"' + "x" * count + '"') for count in (61, 62, 63, 64)),
        *(boot_of("[" + "1" * count + "]") for count in (61, 62, 63, 64)),
        *(boot_of(value, behind="") for value in ("12", "[", '"', '"a', "[[]", "1e", "-", ",", "")),
        *(boot_of("[]", id=id) for id in ('"it\'s"', '"\\""', '"\\\\"', '"é"', '"' + "i" * 36 + '"', '""', "12")),
        *(boot_of("1", key=f'"{key}"') for key in ("é", "Reason", "k" * 64, "k" * 300, "a/b~c", "\u2028", "\\u0000")),
        boot_of("[]").replace("BootNotification", "Frob"),
        boot_of("[]").replace("BootNotification", "B" * 70),
        *(boot_of("[]").encode() + tail for tail in (b"", b"\xff", b" x")),
    ],
)  # fmt: skip
def test_a_text_with_odd_parts_is_that_of_format(data: Any) -> None:
    for module in ("v16", "v201"):
        assert_told_alike(module, data)
        if isinstance(data, str):
            assert_told_alike(module, data.encode())


def test_texts_of_objects_are_those_of_format() -> None:
    for payload in (
        v201.BootNotificationRequest(reason="Frob", charging_station=None),
        v201.HeartbeatResponse(current_time=1),
    ):
        texts = {name: told(codec("v201", name).encode_payload, payload) for name in BACKENDS}
        assert len({text for each in texts.values() for text in each}) == 1
    # A payload's format is another matter than that of its data: what to do next differs.
    read = told(codec("v201", "native").decode, '[2,"1","NotifyEvent",{"generatedAt":"x"}]')
    given = told(codec("v201", "native").encode_payload, v201.HeartbeatResponse(current_time=NAIVE))
    assert "aware" in given[0]
    assert "aware" not in read[0]


def test_a_plain_text_is_written_without_python(monkeypatch: pytest.MonkeyPatch) -> None:
    need_gil()
    data = [boot_of(value) for value in ("[]", '"powerUP"', "12")]
    data += ['[2,"1","BootNotification",{}]', '[2,"1","Heartbeat",{"noSuchKey":1}]', '[2,"1","Heartbeat",{}']
    before = [assert_told_alike("v201", frame) for frame in data]
    monkeypatch.setattr(OcppError, "format", None)
    for frame, text in zip(data, before, strict=True):
        with pytest.raises(OcppError) as caught:
            codec("v201", "native").decode(frame)
        assert str(caught.value) == text


def test_more_sorts_of_faults_than_are_kept_are_told_alike() -> None:
    for _ in range(2):
        for number in range(200):
            assert_told_alike("v201", boot_of(f'"Power{number}"'))
            assert_told_alike("v201", f'[2,"1","Heartbeat",{{"key{number}":1}}]')


# --- messages of every version


@pytest.mark.parametrize("module", MODULES)
def test_every_message_is_read_alike(module: str) -> None:
    for data, pending in sample_frames(module) + full_frames(module):
        answer = read_alike(module, data, pending)
        assert answer[0] == "value", answer
        assert read_alike(module, data.decode(), pending) == answer


@pytest.mark.parametrize("module", MODULES)
def test_mutants_are_read_alike_in_frames_and_without(module: str) -> None:
    rng = Random(f"parity {module}")
    version = model(module)
    for payload in version.payloads():
        instance = sample(version, payload.type_name, rng)
        for mutant in spread(faults(version, payload.type_name, instance, rng), 6, rng):
            text = text_of(mutant.tree, rng)
            bare = both(module, "decode_payload", text, payload.action, payload.kind)
            assert bare[0] == "fault"
            data = framed(payload, text)
            whole = read_alike(module, data, pending_for(payload))
            assert whole[0] == "fault"
            start = len(data) - len(text) - 1
            if bare[2] != "depth":  # a frame has one bracket more
                assert (whole[2], whole[3], whole[4]) == (bare[2], bare[3], bare[4] + start)
            if payload.kind == "response":
                resolve_alike(module, data, payload.action)


def resolve_alike(module: str, data: bytes, action: str) -> tuple[Any, ...]:
    """`resolve` of the untyped result says what `decode` with `pending` says."""
    untyped = outcome(codec(module, BACKENDS[0]).decode, data)
    typed = both(module, "decode", data, pending={RESULT_ID: action})
    if untyped[0] != "value":
        assert typed[0] == "fault"
        return typed
    for backend in BACKENDS:
        frame = codec(module, backend).decode(data)
        resolved = outcome(codec(module, backend).resolve, frame, action)
        assert resolved[:10] == typed[:10]  # the quote may end sooner: the raw payload lacks the frame's last bracket
        assert resolved[0] == "value" or resolved[12:] == typed[12:]
    return typed


@pytest.mark.parametrize("module", MODULES)
def test_resolve_says_what_pending_says(module: str) -> None:
    for payload in model(module).payloads():
        if payload.kind == "response":
            for tree in instance_set(model(module), payload.type_name, Random(payload.type_name)):
                data = framed(payload, text_of(tree))
                assert resolve_alike(module, data, payload.action)[0] == "value"


# --- bent frames


@st.composite
def bent_frames(draw: Any) -> tuple[str, bytes, Any]:
    """A sample frame after a few edits: bytes set, put in, taken out, pieces repeated, cut, or another frame spliced in."""
    module = draw(st.sampled_from(MODULES))
    data, pending = draw(st.sampled_from(sample_frames(module)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from(("set", "insert", "delete", "repeat", "cut", "splice", "token")))
        if kind == "set":
            data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
        elif kind == "insert":
            data = data[:at] + draw(st.binary(min_size=1, max_size=3)) + data[at:]
        elif kind == "token":
            data = data[:at] + draw(st.sampled_from(TOKENS)) + data[at + draw(st.integers(0, 3)) :]
        elif kind == "delete":
            data = data[:at] + data[at + draw(st.integers(1, 12)) :]
        elif kind == "repeat":
            data = data[:at] + data[at : at + draw(st.integers(1, 40))] + data[at:]
        elif kind == "cut":
            data = data[:at]
        else:
            other, _ = draw(st.sampled_from(sample_frames(module)))
            data = data[:at] + other[draw(st.integers(0, len(other))) :]
    return module, data, pending


TOKENS = (
    *tuple(
        token.encode()
        for token in [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            '"',
            "\\",
            "\\u",
            "\\ud83d",
            "\\ude00",
            '\\"',
            "null",
            "true",
            "false",
            "nul",
            "0",
            "-0",
            "1.0",
            "-1",
            "1e9",
            "1e400",
            "01",
            ".",
            "e",
            "E+",
            "NaN",
            "Infinity",
            "{}",
            "[]",
            '""',
            '"x"',
            '{"":null}',
            "9223372036854775808",
            "-9223372036854775809",
            "\ufeff",
            "\xa0",
            "😀",
            "\x00",
            "\x1f",
            "\x7f",
        ]
    ),
    b" ",
    b"\n",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xc3",
    b"\xf0\x9f",
    b"[" * 70,
    b'{"a":' * 70,
)


@given(bent_frames())
@THOROUGH
def test_bent_frames_are_read_alike(case: tuple[str, bytes, Any]) -> None:
    module, data, pending = case
    answer = read_alike(module, data, pending)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    assert read_alike(module, text, pending) == answer


@given(st.sampled_from(MODULES), st.binary(max_size=60))
@THOROUGH
def test_random_bytes_are_read_alike(module: str, data: bytes) -> None:
    read_alike(module, data)
    read_alike(module, b'[2,"1","Heartbeat",' + data)
    read_alike(module, b'[3,"1",{"k":' + data + b"}]")


@given(st.sampled_from(MODULES), st.text(st.characters(), max_size=30))
@THOROUGH
def test_random_text_with_lone_surrogates_is_read_alike(module: str, text: str) -> None:
    read_alike(module, text)
    read_alike(module, f'[3,"{text}",{{"k":1}}]')
    read_alike(module, f'[3,"1",{{"k":"{text}"}}]')
    read_alike(module, f'[2,"1","{text}",{{}}]')


@given(
    st.sampled_from(MODULES),
    st.lists(st.sampled_from((*TOKENS, b"2", b"3", b'"1"', b'"Heartbeat"', b'"a":')), max_size=25),
)
@THOROUGH
def test_token_soup_is_read_alike(module: str, tokens: list[bytes]) -> None:
    read_alike(module, b"".join(tokens))
    read_alike(module, b'[3,"1",{"k":[' + b"".join(tokens))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from((2, 3, 4, 5, 6, "1", "Heartbeat")),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(MODULES), st.lists(JSON, max_size=6))
@THOROUGH
def test_any_json_array_is_read_alike(module: str, frame: list[Any]) -> None:
    import json

    read_alike(module, json.dumps(frame))
    read_alike(module, json.dumps(frame, ensure_ascii=False, indent=1))


@given(st.sampled_from(MODULES), st.text(alphabet="0123456789.eE+-", max_size=24))
@THOROUGH
def test_number_texts_are_read_alike(module: str, number: str) -> None:
    read_alike(module, f'[3,"1",{{"k":{number}}}]')
    action, text = {
        "v16": ("SetChargingProfile", SET_CHARGING_PROFILE),
        "v201": ("TransactionEvent", TRANSACTION_EVENT),
        "v21": ("TransactionEvent", TRANSACTION_EVENT),
    }[module]
    both(module, "decode_payload", text % (number, "1"), action, "request")
    both(module, "decode_payload", text % ("1", number), action, "request")


SET_CHARGING_PROFILE = (
    '{"connectorId":%s,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile",'
    '"chargingProfileKind":"Absolute","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":'
    '[{"startPeriod":0,"limit":%s}]}}}'
)
TRANSACTION_EVENT = (
    '{"eventType":"Started","timestamp":"2026-01-02T03:04:05Z","triggerReason":"Authorized","seqNo":%s,'
    '"transactionInfo":{"transactionId":"t"},"meterValue":[{"timestamp":"2026-01-02T03:04:05Z",'
    '"sampledValue":[{"value":%s}]}]}'
)


@st.composite
def near_date_times(draw: Any) -> str:
    """A date-time with a few characters changed, often still valid."""
    year = draw(st.sampled_from(("0000", "0001", "1900", "2024", "2026", "9999", "10000")))
    parts = [
        year,
        "-",
        *(
            f"{draw(st.integers(0, high)):02d}{sep}"
            for high, sep in ((13, "-"), (32, "T"), (24, ":"), (60, ":"), (61, ""))
        ),
    ]
    fraction = draw(st.sampled_from(("", ".", ".0", ".9999999", ".9999995", ".9999994", ".123456789", "." + "9" * 40)))
    zone = draw(
        st.sampled_from(
            ("Z", "z", "+00:00", "-23:59", "+23:59", "+24:00", "+00:60", "-00:00", "+01", "", "+0100", " Z")
        )
    )
    text = "".join(parts) + fraction + zone
    if draw(st.booleans()) and draw(st.booleans()):
        at = draw(st.integers(0, len(text)))
        text = (
            text[:at]
            + draw(st.sampled_from((" ", "\u0661", "t", "-", "0", "\x00")))
            + text[at + draw(st.integers(0, 1)) :]
        )
    return text


@given(st.sampled_from(MODULES), near_date_times())
@THOROUGH
def test_date_times_are_read_alike(module: str, text: str) -> None:
    import json

    payload = f'{{"currentTime":{json.dumps(text)}}}'
    both(module, "decode_payload", payload, "Heartbeat", "response")
    both(module, "decode_payload", payload.replace("-", "\\u002d"), "Heartbeat", "response")


@given(st.text(alphabet="ahtps:/?#[]@!$&'()*+,;=%09AFx.-_~ é\\^|<>{}`\"", max_size=24))
@THOROUGH
def test_uris_are_read_alike(text: str) -> None:
    import json

    for candidate in (text, "http://" + text, "x:" + text):
        both("v16", "decode_payload", f'{{"location":{json.dumps(candidate)}}}', "GetDiagnostics", "request")


def test_payloads_that_never_end_are_read_alike() -> None:
    """Every payload schema cut at every byte of a random instance, as a payload without its frame."""
    rng = Random(5)
    for payload in all_payloads():
        version = model(payload.module)
        text = text_of(sample(version, payload.type_name, rng), rng)
        step = max(1, len(text) // 25)
        for at in range(rng.randrange(step), len(text), step):
            assert both(payload.module, "decode_payload", text[:at], payload.action, payload.kind)[0] == "fault"
