"""Many frames at once: `decode_many` and `validate_many` say what decode says of each, however the frames are handed in."""

from __future__ import annotations

import contextlib
import gc
import pickle
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from ocppcore import Call, CallResult, Codec, OcppError, Policy, RawPayload, Verdicts, v16
from support.backends import BACKENDS, codec, exact, fault, outcome
from support.corpus import corpus
from support.frames import sample_frames
from support.model import MODULES
from support.needs import need_module

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = b'[2,"1","Heartbeat",{}]'
ANSWER = b'[3,"7",{"currentTime":"2026-03-01T10:00:00Z"}]'
LONG_KEY = b'[2,"2","Heartbeat",{"key":1}]'
CUT = b'[2,"3","Heartbeat",{'
MIXED = [GOOD, LONG_KEY, ANSWER, CUT, GOOD]


def plain(item: Any) -> Any:
    """A frame or an error in a form that can be compared."""
    return ("fault", *fault(item)) if isinstance(item, OcppError) else ("value", exact(item))


def one_by_one(of: Codec[Any], frames: list[Any], pending: Any = None) -> list[Any]:
    return [outcome(of.decode, frame, pending) for frame in frames]


@pytest.mark.parametrize("module", MODULES)
def test_the_answers_are_those_of_decode(module: str, backend: str) -> None:
    frames = [frame for frame, _ in sample_frames(module)]
    frames += [frame[: len(frame) // 2] for frame in frames[::5]]
    frames += [case.data for case in corpus() if case.module == module]
    of = codec(module, backend)
    expected = one_by_one(of, frames)
    assert {answer[0] for answer in expected} == {"value", "fault"}
    assert [plain(item) for item in of.decode_many(frames)] == expected
    for threads in (1, 3):
        verdicts = of.validate_many(iter(frames), threads=threads)
        assert len(verdicts) == len(frames)
        found = {index: (kind, offset) for index, kind, offset in verdicts}
        wanted = {index: (answer[2], answer[4]) for index, answer in enumerate(expected) if answer[0] == "fault"}
        assert found == wanted
        assert verdicts.ok == len(frames) - len(wanted)


HANDED_IN: dict[str, Callable[[list[bytes]], Any]] = {
    "list": list,
    "tuple": tuple,
    "iterator": iter,
    "str": lambda frames: [frame.decode() for frame in frames],
    "bytearray": lambda frames: [bytearray(frame) for frame in frames],
    "memoryview": lambda frames: [memoryview(b"." + frame)[1:] for frame in frames],
    "lines": b"\n".join,
    "lines of str": lambda frames: b"\n".join(frames).decode(),
    "lines in a bytearray": lambda frames: bytearray(b"\n".join(frames) + b"\n"),
    "lines in a memoryview": lambda frames: memoryview(b"\n\n" + b"\n".join(frames)),
    "lines that end as on Windows": lambda frames: b"\r\n".join(frames) + b"\r\n",
    "lines of str that end as on Windows": lambda frames: "\r\n" + b"\r\n".join(frames).decode(),
    "empty lines between": lambda frames: b"\n \t\r\n\r\n".join(frames) + b"\n\n",
}


@pytest.mark.parametrize("how", HANDED_IN)
def test_frames_are_handed_in_in_many_ways(how: str, backend: str) -> None:
    of = codec("v16", backend)
    expected = one_by_one(of, MIXED)
    assert [plain(item) for item in of.decode_many(HANDED_IN[how](MIXED))] == expected
    verdicts = of.validate_many(HANDED_IN[how](MIXED))
    assert list(verdicts) == [(1, "unknown_key", 20), (3, "truncated", 20)]
    assert verdicts.ok == 3


@pytest.mark.parametrize("nothing", [b"", "", b"\n\r\n", [], (), iter(())])
def test_nothing_gives_nothing(nothing: Any, backend: str) -> None:
    of = codec("v16", backend)
    assert of.decode_many(nothing) == []
    assert len(of.validate_many(nothing)) == 0


def test_pending_types_answers(backend: str) -> None:
    of = codec("v16", backend)
    frames = of.decode_many(MIXED, pending={"7": "Heartbeat"})
    assert frames[2] == of.decode(ANSWER, {"7": v16.HeartbeatRequest})
    assert isinstance(frames[2].payload, v16.HeartbeatResponse)
    assert isinstance(of.decode_many([ANSWER])[0].payload, RawPayload)
    with pytest.raises(ValueError, match="NoSuch"):
        of.decode_many([ANSWER], {"7": "NoSuch"})


def test_text_that_is_no_utf_8_spoils_its_own_line_alone(backend: str) -> None:
    of = codec("v16", backend)
    for frames in (b"\n".join([GOOD, b'[2,"\xff","Heartbeat",{}]', GOOD]), f"{GOOD.decode()}\n\ud800\n{GOOD.decode()}"):
        first, second, third = of.decode_many(frames)
        assert first == third == Call("1", v16.HeartbeatRequest())
        assert isinstance(second, OcppError)
        verdicts = of.validate_many(frames, threads=2)
        assert list(verdicts) == [(1, second.kind, second.offset)]


def test_limits_of_the_codec_hold(backend: str) -> None:
    of = Codec("ocpp1.6", backend=backend, max_size=len(GOOD)).extend(
        limits={"AuthorizeRequest.idTag": 21}, max_size=60
    )
    frames = [b'[2,"1","Authorize",{"idTag":"%b"}]' % (b"x" * length) for length in (20, 21, 22, 60)]
    assert list(of.validate_many(frames)) == [(2, "length", 28), (3, "size", 60)]
    assert [type(item).__name__ for item in of.decode_many(frames)] == ["Call", "Call", "PayloadError", "FrameError"]


def test_a_policy_and_rewrites_are_asked(backend: str) -> None:
    tolerant = Codec("ocpp1.6", backend=backend).extend(policy=Policy.tolerant)
    assert [type(item) for item in tolerant.decode_many(MIXED)] == [
        type(item) for item in (outcome_of(tolerant, frame) for frame in MIXED)
    ]
    assert [index for index, _, _ in tolerant.validate_many(MIXED)] == [
        index for index, frame in enumerate(MIXED) if isinstance(outcome_of(tolerant, frame), OcppError)
    ]
    assert tolerant.validate_many(MIXED).ok > codec("v16", backend).validate_many(MIXED).ok


def outcome_of(of: Codec[Any], frame: bytes) -> Any:
    try:
        return of.decode(frame)
    except OcppError as error:
        return error


def test_misuse(backend: str) -> None:
    of = codec("v16", backend)
    for method in (of.decode_many, of.validate_many):
        with pytest.raises(TypeError, match="frames must be an iterable"):
            method(7)
        with pytest.raises(TypeError, match="data must be"):
            method([GOOD, 7])
    for threads in (0, -1, 65):
        with pytest.raises(ValueError, match="threads must be from 1 to 64"):
            of.validate_many(MIXED, threads=threads)
    for wrong in (True, 2.0, "2"):
        with pytest.raises(TypeError, match="threads must be an int"):
            of.validate_many(MIXED, threads=wrong)

    def breaks() -> Any:
        yield GOOD
        raise RuntimeError("the source of frames broke")

    for method in (of.decode_many, of.validate_many):
        with pytest.raises(RuntimeError, match="broke"):
            method(breaks())


def test_verdicts_are_values() -> None:
    found = [codec("v16", backend).validate_many(MIXED) for backend in BACKENDS]
    assert all(verdicts == found[0] for verdicts in found)
    verdicts = found[0]
    assert pickle.loads(pickle.dumps(verdicts)) == verdicts
    assert verdicts != codec("v16", BACKENDS[0]).validate_many(MIXED[:4])
    assert verdicts != 1
    assert repr(verdicts) == "Verdicts(3 of 5 frames without a fault)"
    assert (verdicts.kinds[0], verdicts.offsets.tolist()) == (0, [-1, 20, -1, 20, -1])
    assert [Verdicts.KINDS[kind] for kind in verdicts.kinds] == [
        "valid", "unknown_key", "valid", "truncated", "valid",
    ]  # fmt: skip
    with pytest.raises(TypeError, match="unhashable"):
        hash(verdicts)


def large(tail: bytes) -> bytes:
    """A frame of 200 KB, the end of which decides."""
    return b'[2,"1","DataTransfer",{"vendorId":"x","data":"' + b"d" * 200_000 + tail


LARGE = {"good": b'"}]', "unknown key": b'","key":1}]', "cut": b'"', "not UTF-8": b'\xff"}]'}


@pytest.mark.parametrize("tail", LARGE)
def test_large_frames_are_validated_alike(tail: str, backend: str) -> None:
    of = codec("v16", backend)
    frame = large(LARGE[tail])
    for data in (frame, bytearray(frame), *([frame.decode()] if tail != "not UTF-8" else [])):
        expected = outcome(of.decode, data)
        answer = outcome(of.validate, data)
        assert answer[0] == expected[0]
        if answer[0] == "fault":
            assert answer == expected


def test_a_large_answer_is_validated_as_what_it_answers(backend: str) -> None:
    of = codec("v16", backend)
    frame = b'[3,"7",{"status":"Accepted","data":"' + b"d" * 200_000 + b'"}]'
    cut = b'[3,"7"' + b" " * 200_000 + b"]"
    assert of.validate(frame, {"7": "DataTransfer"}) is None
    assert of.validate(frame) is None
    for data, pending in ((frame, {"7": "Heartbeat"}), (cut, {"7": "Heartbeat"}), (cut, {"7": "NoSuch"})):
        answer = outcome(of.validate, data, pending)
        assert answer[0] == "fault"
        assert answer == outcome(of.decode, data, pending)
    with pytest.raises(ValueError, match="NoSuch"):
        of.validate(frame, {"7": "NoSuch"})
    assert isinstance(of.decode(frame), CallResult)


def lets_others_run(work: Callable[[], object]) -> bool:
    """Whether a thread that only wants the GIL gets it while the work is done over and over."""
    ran: list[bool] = []
    gate = threading.Lock()

    def body() -> None:
        with gate:
            ran.append(True)

    with gate:
        waits = threading.Thread(target=body)
        waits.start()
    for _ in range(2_000):
        work()
        if ran:
            break
    let = bool(ran)
    waits.join()
    return let


def test_other_threads_run_while_much_is_checked() -> None:
    """The native backend lets go of the GIL: a thread that waits for it gets it, though nobody is ever made to give it up."""
    need_module("ocppcore._native", "the native backend")
    of = codec("v16", "native")
    frames = b"\n".join([GOOD] * 100_000)
    frame = large(LARGE["good"])
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        assert lets_others_run(lambda: of.validate_many(frames))
        assert lets_others_run(lambda: of.validate(frame))
        assert not lets_others_run(lambda: of.validate(GOOD))
    finally:
        sys.setswitchinterval(interval)


def test_threads_share_a_codec_and_its_spare_tables(backend: str) -> None:
    of = codec("v201", backend)
    frames = [frame for frame, _ in sample_frames("v201")] * 5
    expected = of.validate_many(frames)
    answers: list[Verdicts] = []
    crew = [threading.Thread(target=lambda: answers.append(of.validate_many(frames, threads=2))) for _ in range(4)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    assert answers == [expected] * 4


def test_nothing_is_kept(backend: str) -> None:
    of = codec("v16", backend)
    text = b"\n".join(MIXED)

    def work() -> None:
        for frames in (MIXED, text, text.decode(), bytearray(text)):
            of.decode_many(frames, {"7": "Heartbeat"})
            of.validate_many(frames, threads=2)
        with contextlib.suppress(TypeError):
            of.decode_many([*MIXED, 7])
        with contextlib.suppress(TypeError):
            of.validate_many([*MIXED, 7])

    for _ in range(20):
        work()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(200):
        work()
    gc.collect()
    assert sys.getallocatedblocks() - before < 200
