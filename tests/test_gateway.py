"""The gateway between two connections: what passes as it came, and what belongs to a session of ours."""

from __future__ import annotations

from typing import Any

import pytest

from ocppcore import Codec, Gateway

BEAT = '[2,"1","Heartbeat",{}]'
BEAT_ANSWER = '[3,"1",{"currentTime":"2026-03-01T12:00:00Z"}]'
RESET = '[2,"9","Reset",{"type":"Immediate"}]'


@pytest.fixture
def codec(backend: str) -> Codec[Any]:
    return Codec("ocpp2.1", backend=backend)


@pytest.mark.parametrize("validate", [False, True])
def test_calls_and_answers_pass_in_both_directions(codec: Codec[Any], validate: bool) -> None:
    gateway = Gateway(codec, validate=validate)
    assert gateway.passes(BEAT.encode(), "station")
    assert gateway.passes(RESET, "csms")
    assert (gateway.waiting("station"), gateway.waiting("csms")) == (1, 1)
    assert gateway.passes(bytearray(BEAT_ANSWER.encode()), "csms")
    assert gateway.passes('[4,"9","NotSupported","",{}]', "station")
    assert (gateway.waiting("station"), gateway.waiting("csms")) == (0, 0)
    # An answer passes once.
    assert not gateway.passes(BEAT_ANSWER, "csms")


def test_what_is_kept_and_its_answers_are_ours(codec: Codec[Any]) -> None:
    gateway = Gateway(codec, keep=["Heartbeat"])
    assert not gateway.passes(BEAT, "station")
    assert not gateway.passes(BEAT_ANSWER, "csms")
    assert gateway.passes(RESET, "csms")


def test_an_answer_to_a_call_of_ours_is_ours(codec: Codec[Any]) -> None:
    gateway = Gateway(codec)
    assert not gateway.passes('[3,"ours",{"status":"Accepted"}]', "station")
    assert not gateway.passes('[4,"ours","GenericError","",{}]', "station")
    assert gateway.passes(RESET, "csms")
    # The direction counts: the station's answer to the CSMS, not the other way round.
    assert not gateway.passes('[3,"9",{"status":"Accepted"}]', "csms")
    assert gateway.passes('[3,"9",{"status":"Accepted"}]', "station")


@pytest.mark.parametrize(
    ("data", "unchecked"),
    [
        ('[2,"1","Heartbeat",{"extra":1}]', True),
        ('[2,"1","Hartbeat",{}]', True),
        ('[6,"1","Heartbeat",{}]', True),
        ("[2", False),
        ("", False),
        (b"\xff", False),
        ('[9,"1","Heartbeat",{}]', False),
        ('[2,1,"Heartbeat",{}]', False),
    ],
)
def test_a_bad_frame_is_the_sessions(codec: Codec[Any], data: str | bytes, unchecked: bool) -> None:
    assert not Gateway(codec, validate=True).passes(data, "station")
    assert Gateway(codec).passes(data, "station") is unchecked


def test_an_invalid_answer_does_not_pass_a_gateway_that_validates(codec: Codec[Any]) -> None:
    gateway = Gateway(codec, validate=True)
    assert gateway.passes(RESET, "csms")
    assert not gateway.passes('[3,"9",{"status":"Perhaps"}]', "station")
    assert gateway.waiting("csms") == 0


def test_a_refused_answer_passes_back(codec: Codec[Any]) -> None:
    gateway = Gateway(codec)
    refusal = '[5,"9","FormatViolation","",{}]'
    assert gateway.passes(RESET, "csms")
    assert not gateway.passes(refusal, "csms")
    assert gateway.passes('[3,"9",{"status":"Perhaps"}]', "station")
    assert gateway.passes(refusal, "csms")
    assert not gateway.passes(refusal, "csms")


def test_memory_is_bounded(codec: Codec[Any]) -> None:
    gateway = Gateway(codec, max_open=2)
    for id in "abc":
        assert gateway.passes(f'[2,"{id}","Heartbeat",{{}}]', "station")
    assert gateway.waiting("station") == 2
    answers = [gateway.passes(BEAT_ANSWER.replace("1", id, 1), "csms") for id in "abc"]
    assert answers == [False, True, True]


def test_misuse_is_told(codec: Codec[Any]) -> None:
    with pytest.raises(ValueError, match=r"Hartbeat: no such action in OCPP 2\.1"):
        Gateway(codec, keep=["Hartbeat"])
    with pytest.raises(ValueError, match="at least 1"):
        Gateway(codec, max_open=0)
    with pytest.raises(TypeError):
        Gateway(codec).passes(7, "station")  # type: ignore[arg-type]
