"""Whatever comes in: only OcppError leaves decode, validate and peek, nothing leaves explain, and answers keep their promises."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocppcore import OcppError
from support.backends import BACKENDS, codec
from support.corpus import corpus
from support.emit import text_of
from support.frames import full_frames, sample_frames
from support.instances import full
from support.model import MODULES, model
from support.needs import need_module

MIB = 1 << 20
THOROUGH = settings(max_examples=4 * settings().max_examples)  # the profile decides, see conftest.py

CALL = '[2,"1","Heartbeat",'
HOSTILE: dict[str, str | bytes] = {
    "nothing": "",
    "100,000 lists": "[" * 100_000,
    "100,000 objects": '{"a":' * 100_000,
    "100,000 lists in a payload": CALL + '{"customData":' + "[" * 100_000,
    "100,000 lists, closed, in a result": '[3,"1",{"k":' + "[" * 100_000 + "]" * 100_000 + "}]",
    "100,000 objects in details": '[4,"1","","",' + '{"a":' * 100_000,
    "100,000 lists as the action": '[2,"1",' + "[" * 100_000,
    "an integer of 5,000 digits": CALL + '{"a":' + "9" * 5_000 + "}]",
    "an integer of 5,000 digits in a result": '[3,"1",{"a":' + "9" * 5_000 + "}]",
    "an integer of 5,000 digits as the message type": "[" + "9" * 5_000 + "]",
    "a fraction of 5,000 digits": '[3,"1",{"a":0.' + "3" * 5_000 + "}]",
    "an exponent of 5,000 digits": '[3,"1",{"a":1e' + "9" * 5_000 + "}]",
    "an exponent of -5,000 digits": '[3,"1",{"a":1e-' + "9" * 5_000 + "}]",
    "a list as the action": '[2,"1",["Heartbeat"],{}]',
    "an object as the action": '[2,"1",{"Heartbeat":1},{}]',
    "a list as the id": '[2,["1"],"Heartbeat",{}]',
    "a lone surrogate in text": '[2,"\ud800","Heartbeat",{}]',
    "a lone surrogate outside strings": "\udfff[2]",
    "a lone surrogate as a key": '[3,"1",{"\ud83d":1}]',
    "an escape of a lone surrogate": '[2,"\\ud800","Heartbeat",{}]',
    "surrogates in bytes": b'[2,"\xed\xa0\x80","Heartbeat",{}]',
    "invalid UTF-8": b'[2,"\xff\xfe","Heartbeat",{}]',
    "UTF-16": '[2,"1","Heartbeat",{}]'.encode("utf-16"),
    "UTF-32": '[2,"1","Heartbeat",{}]'.encode("utf-32"),
    "a BOM": b'\xef\xbb\xbf[2,"1","Heartbeat",{}]',
    "NUL": "\0",
    "NULs": b"\0" * 1_000,
    "NUL within": '[2,"1\0","Heartbeat",{}]',
    "equal keys": CALL + '{"a":1,"a":2}]',
    "20,000 equal keys in a result": '[3,"1",{' + '"a":1,' * 20_000 + '"a":1}]',
    "20,000 keys in a payload": CALL + "{" + ",".join(f'"k{i}":1' for i in range(20_000)) + "}]",
    "an escape for each character of a long id": '[2,"' + "\\u0041" * 20_000 + '","Heartbeat",{}]',
    "a long action": '[2,"1","' + "H" * 100_000 + '",{}]',
    "a long key": CALL + '{"' + "k" * 100_000 + '":1}]',
    "a thousand frames": CALL + "{}]" * 1_000,
    "blanks": " " * 100_000,
    "blanks in a frame": "[" + " " * 100_000 + "2",
    "commas": "[2" + "," * 100_000,
    "quotes": '"' * 100_000,
    "backslashes": '[2,"' + "\\" * 100_001,
}

HARMLESS = {
    "20,000 equal keys in a result",
    "a fraction of 5,000 digits",
    "an exponent of -5,000 digits",
}


def fates(reader: Any, data: Any, pending: Any = None) -> list[OcppError]:
    """Read the data by every reader; returns the faults. Anything but an OcppError is the test's failure."""
    faults = []
    for read in (reader.decode, reader.validate):
        try:
            read(data, pending=pending)
        except OcppError as error:
            faults.append(error)
    try:
        peek = reader.peek(data)
    except OcppError as error:
        faults.append(error)
    else:
        _ = peek.payload
    findings = reader.explain(data, pending=pending)
    assert any(finding.severity == "error" for finding in findings) == any(faults[:2])
    assert [finding for finding in findings if finding.tier == "schema"] == reader.explain(data, pending, advice=False)
    return faults


def answer_holds(reader: Any, error: OcppError) -> bytes | None:
    """`reply()` is None or a frame under 1 KiB on the wire, with a description within 255 characters; returns the wire form."""
    str(error)
    repr(error)
    error.redact()
    reply = error.reply()
    if reply is None:
        return None
    written: bytes = reader.encode(reply)
    assert len(written) < 1024
    kind, message_id, code, description, details = json.loads(written)
    assert kind in (4, 5)
    assert message_id == "-1" or len(message_id) <= 100
    assert code == error.code
    assert len(description) <= 255
    assert details == {}
    assert len(error.found or "") <= 64
    return written


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("name", HOSTILE)
def test_only_ocpp_errors_leave(name: str, module: str, backend: str) -> None:
    reader = codec(module, backend)
    faults = fates(reader, HOSTILE[name])
    for error in faults:
        answer_holds(reader, error)
    assert bool(faults) != (name in HARMLESS)


def test_answers_to_the_corpus_keep_their_promises(backend: str) -> None:
    for case in corpus():
        reader = codec(case.module, backend)
        for error in fates(reader, case.data, case.pending):
            answer_holds(reader, error)


def test_an_answer_never_echoes_the_payload(backend: str) -> None:
    secret = "SECRET-TAG-0123456789"
    for data in (
        f'[2,"1","Authorize",{{"idTag":"{secret}"}}]',
        f'[2,"1","Authorize",{{"{secret}":1}}]',
        f'[2,"1","Authorize",{{"idTag":{{"{secret}":1}}}}]',
        f'[2,"1","Authorize",{{"idTag":"x","{secret}":"{secret}"}}]',
        f'[2,"1","Authorize",{{"idTag":"{secret}',
    ):
        with pytest.raises(OcppError) as caught:
            codec("v16", backend).decode(data)
        written = answer_holds(codec("v16", backend), caught.value)
        assert written is not None
        assert secret.encode() not in written
        assert secret not in caught.value.redact()


@pytest.mark.parametrize("message_id", ['"', "\\", "\n", "😀", "\x7f", "</script>", "é"])
def test_an_answer_echoes_odd_ids_intact(message_id: str, backend: str) -> None:
    reader = codec("v201", backend)
    with pytest.raises(OcppError) as caught:
        reader.decode(json.dumps([2, message_id, "Nope", {}]))
    written = answer_holds(reader, caught.value)
    assert written is not None
    assert json.loads(written)[1] == message_id


@pytest.mark.parametrize("length", [36, 37, 99, 100, 101, 5_000])
@pytest.mark.parametrize("char", ["x", "é", "😀", '"', "\x01"])
def test_an_answer_echoes_ids_up_to_100_characters(char: str, length: int, backend: str) -> None:
    for module in MODULES:
        reader = codec(module, backend)
        with pytest.raises(OcppError) as caught:
            reader.decode(json.dumps([2, char * length, "Nope", {}]))
        written = answer_holds(reader, caught.value)
        if length > 100 and module == "v16":
            assert written is None
        else:
            assert written is not None
            assert json.loads(written)[1] == (char * length if length <= 100 else "-1")


# --- size


@pytest.mark.parametrize("module", MODULES)
def test_data_beyond_the_limit_is_refused_unscanned(module: str, backend: str) -> None:
    data = b'[2,"17","Heartbeat",{"k":"' + b"x" * MIB + b"\xff"
    reader = codec(module, backend)
    for given_as in (data, bytearray(data), memoryview(data)):
        for error in fates(reader, given_as):
            assert (error.kind, error.path, error.offset, error.expected) == ("size", "", MIB, MIB)
            assert (error.message_type, error.message_id, error.action) == (2, "17", "Heartbeat")
            answer_holds(reader, error)


def test_the_limit_itself_is_allowed_and_counts_bytes_of_utf8(backend: str) -> None:
    reader = codec("v201", backend)
    head, tail = b'[3,"1",{"k":"', b'"}]'
    fits = head + b"x" * (MIB - len(head) - len(tail)) + tail
    assert len(fits) == MIB
    assert reader.decode(fits).id == "1"
    assert reader.decode(fits.decode()).id == "1"
    with pytest.raises(OcppError) as caught:
        reader.decode(fits + b" ")
    assert caught.value.kind == "size"
    wide = '[3,"1",{"k":"' + "é" * (MIB // 2) + '"}]'
    assert len(wide) < MIB
    with pytest.raises(OcppError) as caught:
        reader.decode(wide)
    assert caught.value.kind == "size"


def test_frames_of_16_mebibytes_are_read_when_the_limit_is_raised(backend: str) -> None:
    reader = codec("v201", backend, max_size=32 * MIB)
    size = 16 * MIB
    rows = b'{"a":[1,"\\u00e9",null,2.5]},'
    for data, fine in (
        (b'[3,"1",{"k":"' + b"x" * size + b'"}]', True),
        (b'[3,"1",{"k":[' + rows * (size // 16 // len(rows)) + b"0]}]", True),
        (b'[2,"1","DataTransfer",{"vendorId":"v","data":"' + b"x" * size + b'"}]', True),
        (b'[2,"1","DataTransfer",{"vendorId":"' + b"x" * size + b'"}]', False),
        (b'[2,"1","Heartbeat",{"' + b"k" * size + b'":1}]', False),
        (b'[3,"1",{"k":"' + b"x" * size, False),
        (b'[2,"' + b"x" * size + b'","Heartbeat",{}]', False),
    ):
        faults = fates(reader, data)
        assert bool(faults) != fine
        for error in faults:
            answer_holds(reader, error)


# --- cut short


@pytest.mark.parametrize("module", MODULES)
def test_frames_cut_at_many_bytes(module: str, backend: str) -> None:
    """Short frames at every byte, of the others a slice; the long tier cuts them all at every byte."""
    reader = codec(module, backend)
    whole, slices = (1_200, 60) if backend == "native" else (300, 12)
    for data, pending in sample_frames(module):
        step = 1 if len(data) <= whole else len(data) // slices
        cut_everywhere(reader, data, pending, range(0, len(data), step))


@pytest.mark.long
@pytest.mark.parametrize("module", MODULES)
def test_frames_cut_at_every_byte(module: str) -> None:
    need_module("ocppcore._native", "the native backend")
    for data, pending in sample_frames(module):
        cut_everywhere(codec(module, "native"), data, pending, range(len(data)))


def cut_everywhere(reader: Any, data: bytes, pending: Any, places: range) -> None:
    for at in places:
        cut = data[:at]
        for read in (reader.decode, reader.validate):
            try:
                read(cut, pending=pending)
            except OcppError as error:
                if not cut_is_told(cut, error):
                    pytest.fail(f"{cut!r}: {error.kind} at {error.offset}, id {error.message_id!r}")
            else:
                pytest.fail(f"a frame cut at {at} was accepted: {cut!r}")


def cut_is_told(cut: bytes, error: OcppError) -> bool:
    """The fault of a cut frame: it ends early, there or within a character; the id is known once its closing quote is read.

    A number that is cut may be judged before the end is met: it stands before it.
    """
    offset = error.offset
    if offset is None:
        return False
    if error.kind == "truncated":
        right_place = offset == len(cut)
    elif error.kind == "utf8":
        right_place = len(cut) - offset < 4
    else:
        right_place = NUMBER(cut[offset:]) is not None
    try:
        head = json.loads(cut + b"null]")
    except ValueError:  # not cut behind a comma
        return right_place
    return right_place and (len(head) < 3 or error.message_id == head[1])


NUMBER = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch


# --- time


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a long string", lambda n: b'[3,"1",{"k":"' + b"x" * (n * 20) + b'"}]'),
        ("a string of escapes", lambda n: b'[3,"1",{"k":"' + b"\\u00e9" * (n * 4) + b'"}]'),
        ("a string of pairs", lambda n: b'[3,"1",{"k":"' + b"\\ud83d\\ude00" * (n * 2) + b'"}]'),
        ("many keys", lambda n: b'[4,"1","","",{' + b",".join(b'"k%d":1' % i for i in range(n)) + b"}]"),
        ("equal keys", lambda n: b'[4,"1","","",{' + b",".join([b'"k":1'] * n) + b"}]"),
        ("unknown keys", lambda n: b'[2,"1","Heartbeat",{' + b",".join(b'"k%d":1' % i for i in range(n)) + b"}]"),
        ("many numbers", lambda n: b'[3,"1",{"k":[' + b",".join([b"1.5"] * n) + b"]}]"),
        ("a long number", lambda n: b'[3,"1",{"k":0.' + b"3" * n + b"}]"),
        ("a long integer", lambda n: b'[3,"1",{"k":' + b"3" * n + b"}]"),
        ("blanks", lambda n: b"[" + b" " * (n * 20) + b'3,"1",{}]'),
        ("an unfinished string", lambda n: b'[3,"1",{"k":"' + b"\\n" * (n * 5)),
        ("a long id", lambda n: b'[3,"' + b"i" * (n * 10) + b'",{}]'),
        ("a long key", lambda n: b'[2,"1","Heartbeat",{"' + b"k" * (n * 10) + b'":1}]'),
        ("a long action", lambda n: b'[2,"1","' + b"Heart" * n + b'",{}]'),
        ("a long enumeration value", lambda n: b'[2,"1","Reset",{"type":"' + b"Hard" * n + b'"}]'),
        (
            "a long date-time",
            lambda n: b'[2,"1","StatusNotification",{"timestamp":"2026-01-02T03:04:05.' + b"5" * n + b'Z"}]',
        ),
        ("a long uri", lambda n: b'[2,"1","GetDiagnostics",{"location":"x://' + b"a@" * n + b'"}]'),
        ("a long multiple", lambda n: SET_PROFILE % (b"21." + b"4" + b"0" * n)),
        ("meter values", lambda n: METER_VALUES % b",".join([b'{"value":"1","unit":"Wh"}'] * (n // 10))),
        ("broken at the end", lambda n: METER_VALUES % b",".join([b'{"value":"1"}'] * (n // 10) + [b'{"value":1}'])),
    ],
)
def test_time_is_linear_in_the_size(name: str, make: Any, backend: str) -> None:
    """Eight times the data takes at most 24 times the time: a quadratic step would take 64 times."""
    reader = codec("v16", backend, max_size=64 * MIB)
    unit = 4_000 if backend == "python" else 20_000
    small, large = make(unit), make(unit * 8)
    ratios = []
    for _ in range(5):
        ratio = least_time(reader, large) / least_time(reader, small)
        ratios.append(ratio)
        if ratio < 24:
            return
    pytest.fail(f"{name}: eight times the data takes {min(ratios):.0f} times the time")


SET_PROFILE = (
    b'[2,"1","SetChargingProfile",{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,'
    b'"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Absolute","chargingSchedule":{"chargingRateUnit":"A",'
    b'"chargingSchedulePeriod":[{"startPeriod":0,"limit":%b}]}}}]'
)
METER_VALUES = (
    b'[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-02T03:04:05Z","sampledValue":[%b]}]}]'
)


def least_time(reader: Any, data: bytes) -> float:
    """The least processor time of a few runs of decode and of an error's text and answer; the floor hides timer noise."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        try:
            reader.decode(data)
        except OcppError as error:
            str(error)
            error.reply()
        best = min(best, time.process_time() - start)
    return max(best, 2e-5)


# --- misuse is told from hostile data


@pytest.mark.parametrize("data", [None, 5, 1.5, [], {}, object(), ["[2]"], b"".join])
def test_what_is_no_data_is_misuse(data: Any, backend: str) -> None:
    reader = codec("v16", backend)
    for read in (reader.decode, reader.validate, reader.peek, reader.explain):
        with pytest.raises(TypeError):
            read(data)


@given(
    st.sampled_from(MODULES),
    st.sampled_from(BACKENDS),
    st.binary(max_size=200) | st.text(st.characters(), max_size=100),
)
@THOROUGH
def test_any_data(module: str, backend: str, data: bytes | str) -> None:
    reader = codec(module, backend)
    for error in fates(reader, data):
        answer_holds(reader, error)


@given(st.sampled_from(MODULES), st.sampled_from(BACKENDS), st.data())
@THOROUGH
def test_any_edit_of_a_full_frame(module: str, backend: str, data: st.DataObject) -> None:
    text, pending = data.draw(st.sampled_from(full_frames(module)))
    at = data.draw(st.integers(0, len(text)))
    edited = text[:at] + data.draw(st.binary(max_size=4)) + text[at + data.draw(st.integers(0, 4)) :]
    reader = codec(module, backend)
    for error in fates(reader, edited, pending):
        answer_holds(reader, error)


def test_pending_may_be_any_mapping_and_is_only_read(backend: str) -> None:
    class Pending(dict):
        def __setitem__(self, key: Any, value: Any) -> None:
            raise AssertionError("pending is only read")

    version = model("v16")
    text = text_of(full(version, "HeartbeatResponse"))
    frame = codec("v16", backend).decode(b'[3,"19",' + text + b"]", pending=Pending({"19": "Heartbeat"}))
    assert frame.action == "Heartbeat"
